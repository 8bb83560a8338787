"""The content of one field group: bytes to value and back, strict, finite and within bounds."""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from beaconfire.errors import PeerError
from beaconfire.messages.codec import said_once
from beaconfire.messages.estimate import (
    Covariance,
    Ellipse,
    ImpactEstimate,
    Kinematics,
    LaunchEstimate,
)
from beaconfire.messages.report import (
    GROUP_TYPES,
    Classification,
    Provenance,
    Report,
    SensorUse,
    Timing,
)
from beaconfire.messages.words import Group

GROUPS: Final = tuple(Group)
"""All groups in the order of the digests in a header."""

MAXIMUM_HYPOTHESES: Final = 16
MAXIMUM_SENSORS: Final = 32
COVARIANCE_NUMBERS: Final = 28

Content = object
"""Value of one group, of the type `GROUP_TYPES` gives, never None once disclosed."""

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoders: Final = {group: msgspec.msgpack.Decoder(GROUP_TYPES[group]) for group in GROUPS}


def content_of(report: Report, group: Group) -> Content:
    """Return the value of a group in a report, or None."""
    return getattr(report, group)


def encode_content(value: Content) -> bytes:
    """Return the MessagePack of a group's value (of None too)."""
    return _encoder.encode(value)


def decode_content(group: Group, content: bytes) -> Content:
    """Return the value of a disclosed group.

    Raises:
        PeerError: not of the group's type, None, a number that is not finite, or out of bounds.
    """
    try:
        value: Content = said_once(_decoders[group].decode(content), content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerError("schema", f"{group}: {error}") from error
    flaw = flaw_in_content(value)
    if flaw:
        raise PeerError("schema", f"{group}: {flaw}")
    return value


def flaw_in_content(value: Content) -> str:
    """Return what makes a group's value unacceptable, or an empty string."""
    if value is None:
        return "nothing in it"
    if not all(math.isfinite(number) for number in _numbers(msgspec.to_builtins(value))):
        return "a number that is not finite"
    return _out_of_bounds(value)


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)


def _out_of_bounds(value: Content) -> str:
    match value:
        case Covariance(upper=upper) if len(upper) != COVARIANCE_NUMBERS:
            return f"{len(upper)} numbers in a covariance"
        case LaunchEstimate(area=area, sigma_time_s=sigma_s):
            return _flaw_in_ellipse(area) or _flaw_in_sigma(sigma_s)
        case SensorUse(sensors=sensors, kinds=kinds, detections=detections):
            within = max(len(sensors), len(kinds)) <= MAXIMUM_SENSORS and detections >= 0
            return "" if within else "too many sensors"
        case tuple():
            return _flaw_in_hypotheses(value)
        case Kinematics() | Timing() | Classification() | Provenance() | Covariance():
            return ""
        case _:
            return "an unknown kind of content"


def _flaw_in_hypotheses(values: tuple[object, ...]) -> str:
    hypotheses = [one for one in values if isinstance(one, ImpactEstimate)]
    if hypotheses and len(values) > MAXIMUM_HYPOTHESES:
        return f"{len(values)} hypotheses"
    flaws = (_flaw_in_ellipse(one.area) or _flaw_in_sigma(one.sigma_time_s) for one in hypotheses)
    return next((flaw for flaw in flaws if flaw), "")


def _flaw_in_ellipse(area: Ellipse) -> str:
    placed = abs(area.latitude_rad) <= math.pi / 2 and abs(area.longitude_rad) <= 2 * math.pi
    sized = 0.0 <= area.semi_minor_m <= area.semi_major_m and 0.0 < area.probability < 1.0
    return "" if placed and sized else "an ellipse out of bounds"


def _flaw_in_sigma(sigma_s: float) -> str:
    return "" if sigma_s >= 0.0 else "a negative standard deviation"
