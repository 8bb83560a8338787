"""What sharing buys: when each nation's picture knew what, alone, with the bilateral links, with all three.

Figures of machines and of notional sensors: never to be set beside an alert time that contains human
decision. Source: docs/interfaces.md, section "Summary".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from beaconfire.messages.event import Event
from beaconfire.messages.words import Nation, Sharing, Status, TimeUs
from beaconfire.units import MICROSECONDS_PER_SECOND

AREA_LIMIT_M: Final = 100_000.0
AREA_PROBABILITY: Final = 0.95
BASIS: Final = "notional"


class Moments(msgspec.Struct, frozen=True):
    """When one nation's picture first knew what: seconds after the true launch, None if never.

    Attributes:
        first_detection_s: it held an event at all.
        confirmed_s: it held a confirmed event.
        area_100km_s: it held a 95 % impact area with a semi-major axis under 100 km.
        warning_left_s: from then to the earliest place it named; None if it named none.
    """

    first_detection_s: float | None = None
    confirmed_s: float | None = None
    area_100km_s: float | None = None
    warning_left_s: float | None = None


class Gains(msgspec.Struct, frozen=True):
    """Bilateral minus trilateral, seconds: what the new link itself adds. None unless both are known."""

    first_detection: float | None
    confirmed: float | None
    area_100km: float | None


class NationSummary(msgspec.Struct, frozen=True):
    """One nation's three columns and what the new link adds."""

    alone: Moments
    bilateral: Moments
    trilateral: Moments
    gained_s: Gains


class Latency(msgspec.Struct, frozen=True):
    """From a detection to a partner's picture, milliseconds; None where nothing was measured."""

    p50: float | None
    p99: float | None


class Counts(msgspec.Struct, frozen=True):
    """What the hub and the links did.

    Attributes:
        released: decisions to release a report to a partner.
        refused: decisions not to.
        lost: reports given up without a receipt.
        doubled: reports that a picture was given twice and took once.
    """

    released: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0


class Summary(msgspec.Struct, frozen=True):
    """The summary of the interfaces page, with the basis of the launch time besides.

    Attributes:
        sharing: that was in force.
        basis: always "notional": simulated sensors at invented places.
        launch_time_basis: "truth", or which estimate stands for it.
        nations: by nation.
        latency_ms: detection to partner's picture.
        released: see `Counts`; the three below too.
        not_run: sharings of which nothing is known, as no picture was given so much; their columns are null.
    """

    sharing: str
    basis: str
    launch_time_basis: str
    nations: dict[Nation, NationSummary]
    latency_ms: Latency
    released: int
    refused: int
    lost: int
    doubled: int
    not_run: tuple[Sharing, ...] = ()


class Setting(msgspec.Struct, frozen=True):
    """What the figures are measured against.

    Attributes:
        sharing: name of what was in force.
        launch_us: the true launch, or what stands for it.
        launch_time_basis: "truth", or which estimate stands for it.
        speed: how many times faster than the wall the event clock ran; 1 where both are one.
    """

    sharing: str
    launch_us: TimeUs
    launch_time_basis: str = "truth"
    speed: float = 1.0


def held_after_s(event: Event, setting: Setting) -> float:
    """Return how long after the launch a nation held a revision, seconds.

    The flight runs on the event clock, transport and processing on the wall's: so the part of `as_of_us`
    after the newest detection is divided by the speed.
    """
    flight_us = event.observed_at_us - setting.launch_us
    handling_us = (event.as_of_us - event.observed_at_us) / setting.speed
    return (flight_us + handling_us) / MICROSECONDS_PER_SECOND


def semi_major_at(semi_major_m: float, probability: float, wanted: float = AREA_PROBABILITY) -> float:
    """Return the semi-major axis at another probability, of a Gaussian area in the plane.

    Source: the radius of probability p of a plane Gaussian of unit variance is sqrt(-2 ln(1 - p)).
    """
    if not 0.0 < probability < 1.0:
        return math.inf
    return semi_major_m * math.sqrt(math.log(1.0 - wanted) / math.log(1.0 - probability))


def has_area(event: Event) -> bool:
    """Return True if every hypothesis of the impact has a 95 % semi-major axis under 100 km."""
    return bool(event.impact) and all(
        semi_major_at(one.area.semi_major_m, one.area.probability) < AREA_LIMIT_M for one in event.impact
    )


def moments(events: Iterable[Event], setting: Setting) -> Moments:
    """Return when one nation's picture first knew what.

    Args:
        events: revisions of that nation's events under one sharing, in order of `as_of_us`.
        setting: see there.
    """
    first = confirmed = area = left = None
    for event in events:
        if event.status is Status.WITHDRAWN:
            continue
        after_s = held_after_s(event, setting)
        first = after_s if first is None else first
        if confirmed is None and event.status is Status.CONFIRMED:
            confirmed = after_s
        if area is None and has_area(event):
            area = after_s
            left = _warning_left_s(event, after_s, setting)
    return Moments(_rounded(first), _rounded(confirmed), _rounded(area), _rounded(left))


def _warning_left_s(event: Event, after_s: float, setting: Setting) -> float | None:
    """Return the seconds from holding a revision to the earliest place it names."""
    earliest = min((place.earliest_us for place in event.places), default=None)
    if earliest is None:
        return None
    return (earliest - setting.launch_us) / MICROSECONDS_PER_SECOND - after_s


def _rounded(value_s: float | None) -> float | None:
    """Return milliseconds' worth of a time: no sensor here knows more."""
    return None if value_s is None else round(value_s, 3)


def _gain(bilateral_s: float | None, trilateral_s: float | None) -> float | None:
    if bilateral_s is None or trilateral_s is None:
        return None
    return round(bilateral_s - trilateral_s, 3)


def gains(bilateral: Moments, trilateral: Moments) -> Gains:
    """Return bilateral minus trilateral; zero and negative stand as they are."""
    return Gains(
        first_detection=_gain(bilateral.first_detection_s, trilateral.first_detection_s),
        confirmed=_gain(bilateral.confirmed_s, trilateral.confirmed_s),
        area_100km=_gain(bilateral.area_100km_s, trilateral.area_100km_s),
    )


def by_sharing(events: Iterable[Event], main: Sharing) -> dict[Sharing, list[Event]]:
    """Return one nation's revisions under each sharing up to the main one, which is all a picture can tell.

    Args:
        events: a stream of main events (`sharing` None) and those of the pictures shown beside, in order.
        main: which sharing the main events rest on.
    """
    found: dict[Sharing, list[Event]] = {sharing: [] for sharing in _up_to(main)}
    for event in events:
        sharing = event.sharing or main
        if sharing in found and event.sharing is not main:
            found[sharing].append(event)
    return found


def _up_to(main: Sharing) -> tuple[Sharing, ...]:
    """Return the sharings that give no more than one does, which are pictures of fewer inputs."""
    order = tuple(Sharing)
    return order[: order.index(main) + 1]


def nation_summary(runs: Mapping[Sharing, Iterable[Event]], setting: Setting) -> NationSummary:
    """Return the columns of one nation from its revisions under each sharing; a missing one is all None."""
    alone, bilateral, trilateral = (
        moments(runs.get(sharing, ()), setting)
        for sharing in (Sharing.ALONE, Sharing.BILATERAL, Sharing.TRILATERAL)
    )
    return NationSummary(alone, bilateral, trilateral, gains(bilateral, trilateral))


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of some values, None of none; `share` from above 0 to 1."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 3)


def link_latencies_ms(events: Iterable[Event], speed: float = 1.0) -> list[float]:
    """Return, for each partner's estimate as it first came into a picture, its age then, milliseconds.

    Args:
        events: revisions of any nations' main events, in order.
        speed: how many times faster than the wall the event clock ran.
    """
    seen: set[tuple[str, str, TimeUs]] = set()
    ages: list[float] = []
    for event in events:
        for part in event.contributions:
            key = (event.nation, part.track, part.observed_at_us)
            if part.nation == event.nation or key in seen:
                continue
            seen.add(key)
            ages.append((part.received_at_us - part.observed_at_us) / 1_000.0 / speed)
    return ages


def summarise(
    runs: Mapping[Nation, Mapping[Sharing, Iterable[Event]]],
    setting: Setting,
    counts: Counts,
    latencies_ms: Sequence[float],
) -> Summary:
    """Return the summary.

    Args:
        runs: by nation and sharing, revisions in order of `as_of_us`.
        setting: what the figures are measured against.
        counts: of the run with the sharing in force.
        latencies_ms: detection to partner's picture, each.
    """
    return Summary(
        sharing=setting.sharing,
        basis=BASIS,
        launch_time_basis=setting.launch_time_basis,
        nations={nation: nation_summary(runs[nation], setting) for nation in sorted(runs)},
        latency_ms=Latency(percentile(latencies_ms, 0.5), percentile(latencies_ms, 0.99)),
        released=counts.released,
        refused=counts.refused,
        lost=counts.lost,
        doubled=counts.doubled,
        not_run=tuple(one for one in Sharing if not all(one in columns for columns in runs.values())),
    )


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as plain values, keys in the order of the interfaces page."""
    plain: dict[str, Any] = msgspec.to_builtins(summary)
    return plain


def format_summary(summary: Summary) -> bytes:
    """Return the text of `summary.json`; the same bytes for equal summaries."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n"
