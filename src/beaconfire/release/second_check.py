"""A second, separate look at the bytes about to leave: a plain allow-list, sharing no code with the first.

It decodes without types, knows no policy engine and trusts none of the steps before it. What it does
not recognise, it refuses.
"""

import math
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from beaconfire.messages.arrangement import Flow

_ORDER: Final = (
    "launch_point",
    "trajectory",
    "covariance",
    "impact",
    "timing",
    "classification",
    "sensor",
    "raw_measurement",
    "provenance",
)
_SEALED: Final = {"header", "signature", "disclosures", "degradations", "basis"}
# Source: IUGG mean radius R1 of WGS 84, written again here on purpose: this check shares no code.
_MEAN_RADIUS_M: Final = 6_371_008.771_4
_ON_GRID: Final = 1.0e-3


class Leaving(msgspec.Struct, frozen=True):
    """How bytes would leave the hub.

    Attributes:
        recipient: nation.
        mode: the only mode this process works in.
        now_us: UTC.
        lane: FLASH or ROUTINE.
        waited_us: for how long the hub has kept the report.
    """

    recipient: str
    mode: str
    now_us: int
    lane: str
    waited_us: int = 0


def flaw_in_outgoing(sealed: bytes, flows: Iterable[Flow], leaving: Leaving) -> str:
    """Return why these bytes may not go to the recipient, or an empty string.

    Args:
        sealed: MessagePack of `Sealed`, exactly as it would be sent.
        flows: the most the arrangements in force let pass.
        leaving: to whom, when, on which lane.
    """
    recipient, held = leaving.recipient, list(flows)
    try:
        envelope = msgspec.msgpack.decode(sealed)
        header = msgspec.msgpack.decode(envelope["header"])
        return (
            _flaw_in_header(header, recipient, leaving.mode, leaving.now_us)
            or _flaw_in_groups(envelope, header, recipient, held)
            or _flaw_in_wait(header["originator"], leaving, held)
        )
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return f"unreadable: {error}"


def _flaw_in_wait(originator: str, leaving: Leaving, flows: list[Flow]) -> str:
    """Return whether a FLASH was kept, or a ROUTINE report not for as long as some flow demands."""
    if leaving.lane == "FLASH":
        return "a FLASH that was kept" if leaving.waited_us > 0 else ""
    if leaving.lane != "ROUTINE":
        return "a lane this check does not know"
    mine = (one for one in flows if (one.originator, one.recipient) == (originator, leaving.recipient))
    least_s = max((one.routine_delay_s for one in mine), default=0.0)
    return "" if leaving.waited_us >= least_s * 1_000_000 else f"sooner than after {least_s:g} s"


def flaw_towards_hub(sealed: bytes, flows: Iterable[Flow], mode: str, now_us: int) -> str:
    """Return why these bytes may not go to the hub, or an empty string.

    Each group must be whole and one that some flow lets a releasable party have, in whatever form.
    """
    try:
        envelope = msgspec.msgpack.decode(sealed)
        header = msgspec.msgpack.decode(envelope["header"])
        if set(envelope) != _SEALED or envelope["degradations"]:
            return "a field that has no place on the way to the hub"
        held = list(flows)
        flaws = (_flaw_in_header(header, flow.recipient, mode, now_us) for flow in held)
        flaw = next((flaw for flaw in flaws if flaw), "" if held else "no flow")
        names = [one["group"] for one in envelope["disclosures"]]
        lost = (name for name in names if not any(_may_have(name, header, flow) for flow in held))
        return flaw or next((f"{name} may go to nobody" for name in lost), "")
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return f"unreadable: {error}"


def _may_have(name: str, header: dict[str, Any], flow: Flow) -> bool:
    listed = name in _ORDER and name in flow.groups
    tighter = _flaw_in_label_of(name, header["label"], flow.recipient)
    low = _level_of(name, header["label"]) <= flow.level_max
    return listed and low and not tighter and flow.originator == header["originator"]


def _flaw_in_header(header: dict[str, Any], recipient: str, mode: str, now_us: int) -> str:
    label = header["label"]
    if header["kind"] != "report" or header["schema"] != 1:
        return "not a report"
    if header["mode"] != mode:
        return f"mode {header['mode']} where only {mode} may pass"
    if not now_us < header["expires_at_us"]:
        return "expired"
    if header["originator"] == recipient or label["originator"] != header["originator"]:
        return "originator"
    if not label["policy"] or recipient not in label["releasable_to"]:
        return "the label does not name the recipient"
    if set(label["restrictions"]) - {"ORCON"}:
        return "a restriction this check does not know"
    if len(header["digests"]) != len(_ORDER) or any(len(one) != 32 for one in header["digests"]):
        return "digests"
    return ""


def _flaw_in_groups(
    envelope: dict[str, Any], header: dict[str, Any], recipient: str, flows: list[Flow]
) -> str:
    if set(envelope) != _SEALED:
        return "a field that has no place in a sealed report"
    mine = [f for f in flows if f.originator == header["originator"] and f.recipient == recipient]
    whole = {one["group"]: one for one in envelope["disclosures"]}
    coarse = {one["group"]: one for one in envelope["degradations"]}
    if len(whole) + len(coarse) != len(envelope["disclosures"]) + len(envelope["degradations"]):
        return "a group twice"
    if set(whole) & set(coarse) or not mine:
        return "a group twice, or no flow between the two"
    if "covariance" in whole and "trajectory" not in whole:
        return "a covariance without its state"
    for name in (*whole, *coarse):
        flaw = _flaw_in_label_of(name, header["label"], recipient)
        level = _level_of(name, header["label"])
        allowed = any(level <= flow.level_max and _fits(name, whole, coarse, flow) for flow in mine)
        if flaw or not allowed:
            return flaw or f"{name} may not pass like this"
    return ""


def _flaw_in_label_of(name: str, label: dict[str, Any], recipient: str) -> str:
    for one in label["overrides"]:
        if one["group"] == name and (
            recipient not in one["releasable_to"] or set(one["restrictions"]) - {"ORCON"}
        ):
            return f"{name} is labelled tighter"
    return ""


def _level_of(name: str, label: dict[str, Any]) -> int:
    tighter = [int(one["level"]) for one in label["overrides"] if one["group"] == name]
    return max(int(label["level"]), *tighter, 0)


def _fits(name: str, whole: dict[str, Any], coarse: dict[str, Any], flow: Flow) -> bool:
    if name not in _ORDER or name not in flow.groups:
        return False
    if name in {"trajectory", "covariance"} and flow.coast_only:
        state = whole.get("trajectory")
        return state is not None and _content(state)["phase"] in {"COAST", "REENTRY"}
    if name == "launch_point" and flow.launch_point_grid_m > 0.0:
        return name in coarse and _is_on_grid(coarse[name], flow.launch_point_grid_m)
    if name == "sensor" and flow.opaque_sensors:
        return name in coarse and all(_is_opaque(one) for one in _content(coarse[name])["sensors"])
    return True


def _content(one: dict[str, Any]) -> dict[str, Any]:
    content = msgspec.msgpack.decode(one["content"])
    if not isinstance(content, dict):
        raise TypeError(f"content of {one['group']}")
    return content


def _is_opaque(name: str) -> bool:
    return len(name) == 10 and name.startswith("S-") and set(name[2:]) <= set("0123456789ABCDEF")


def _is_on_grid(one: dict[str, Any], least_m: float) -> bool:
    words = one["transform"].split(", ")[0].split(" ")
    if len(words) != 3 or words[0] != "grid" or words[2] != "m":
        return False
    grid_m = float(words[1])
    area = _content(one)["area"]
    rows = area["latitude_rad"] * _MEAN_RADIUS_M / grid_m
    around = 2.0 * math.pi * max(math.cos(area["latitude_rad"]), 1.0e-3) * _MEAN_RADIUS_M / grid_m
    columns = area["longitude_rad"] / (2.0 * math.pi) * max(1, math.floor(around + 1.0e-9))
    centred = all(abs(n - math.floor(n) - 0.5) < _ON_GRID for n in (rows, columns))
    return grid_m >= least_m and centred and bool(area["semi_minor_m"] >= 0.7 * grid_m)
