"""Compile what a picture computes with: two nations' reports of one made-up arc are fused.

The reports are written down here, not tracked: a picture that was killed has to be back within seconds, and
loading a tracker that it never calls was most of its start.
"""

from collections.abc import Iterator
from typing import Final

from beaconfire.adapters.warming_arc import (
    ARC_S,
    BOOST_S,
    LATITUDE_RAD,
    LONGITUDE_RAD,
    OWN,
    PARTNER,
    START_US,
    state_at,
)
from beaconfire.alerting.places import places_of_event
from beaconfire.flight.impact import landing_of
from beaconfire.flight.outline import contours_of
from beaconfire.fusion.picture import Picture
from beaconfire.fusion.source import Source, estimate_of
from beaconfire.messages.estimate import Covariance, Ellipse, Kinematics, LaunchEstimate
from beaconfire.messages.event import Event, Place, PlaceTime
from beaconfire.messages.report import Classification, Provenance, Report, SensorUse, Timing
from beaconfire.messages.words import Mode, Nation, Phase, Status

_PLACE: Final = Place("warm", OWN, 0.6, 2.25, 50_000.0)
_STEP_S: Final = 5
_PRIOR: Final = (-8.006, 0.7)
_SIGMAS_BOOST: Final = (200.0, 40.0, 0.5)
_SIGMAS_COAST: Final = (60.0, 2.0, 0.3)
"""One standard deviation of each coordinate of position and velocity, and of ln(1/beta); made up."""
_BURNOUT_KNOWN_S: Final = 30
_APART_FROM_S: Final = 50
_APART_M: Final = 2_000.0
"""From then on the partner states another place: what disagrees is fused otherwise."""


def warm_up_picture() -> int:
    """Fuse the reports, and outline a bent area; returns how many revisions of events came of it."""
    reports = list(reports_of(OWN))
    estimate = next(found for one in reversed(reports) if (found := estimate_of(one)) is not None)
    landing = landing_of(estimate.state, estimate.covariance)
    if landing is not None:
        contours_of(estimate.state, estimate.covariance, landing.reference)
    return len(list(events_of(sorted((*reports_of(OWN), *reports_of(PARTNER)), key=_stated_at))))


def _stated_at(report: Report) -> int:
    return report.stated_at_us


def events_of(reports: list[Report]) -> Iterator[Event]:
    """Yield each revision that a picture makes of reports, in order of time."""

    def places_of(event: Event, before: tuple[PlaceTime, ...]) -> tuple[PlaceTime, ...]:
        """Return the one place there is, if it is concerned."""
        del before
        return places_of_event(event, (_PLACE,))

    picture = Picture(OWN, Mode.SIMULATED, secret=bytes(32), sharing=None, places_of=places_of)
    for report in reports:
        at_us = report.stated_at_us
        revised = picture.accept(Source(report, (), at_us), at_us)
        yield from (one.event for one in (*revised, *picture.tick(at_us)))


def reports_of(nation: Nation) -> Iterator[Report]:
    """Yield what a nation would state: seen, under thrust, in free flight, thrust over, lost."""
    for number, second in enumerate(range(1, ARC_S, _STEP_S)):
        yield _report(nation, number, second, Status.CONFIRMED if number > 1 else Status.TENTATIVE)
    yield _report(nation, ARC_S, ARC_S, Status.LOST)


def _report(nation: Nation, number: int, second: int, status: Status) -> Report:
    at_us = START_US + second * 1_000_000
    boost, seen = second <= BOOST_S, number > 0
    area = Ellipse(LATITUDE_RAD, LONGITUDE_RAD, 6_000.0, 4_500.0, 0.3, 0.95)
    state = [float(one) for one in state_at(float(second))]
    x, y, z, vx, vy, vz, log_inverse_beta = state
    if nation == PARTNER and second >= _APART_FROM_S:
        x += _APART_M
    phase = Phase.BOOST if boost else Phase.COAST
    return Report(
        report_id=f"{nation}{number:029x}",
        track=f"{nation}-918595",
        supersedes=None,
        originator=nation,
        mode=Mode.SIMULATED,
        exercise="warm",
        stated_at_us=at_us,
        launch_point=LaunchEstimate(START_US - 12_000_000, 5.0, area),
        trajectory=Kinematics(at_us, (x, y, z), (vx, vy, vz), log_inverse_beta, phase) if seen else None,
        covariance=_covariance(process_noise=boost) if seen else None,
        timing=Timing(START_US, at_us, None if boost else START_US + BOOST_S * 1_000_000),
        classification=Classification(status, manoeuvring=False, thrust_possible=second <= _BURNOUT_KNOWN_S),
        sensor=SensorUse(("warm-radar",), ("radar",), 10 * second),
        provenance=Provenance(
            own_sensors_only=True,
            transform="boost-filter" if boost else "coast-batch",
            producer="beaconfire warming",
        ),
    )


def _covariance(*, process_noise: bool) -> Covariance:
    """Return a diagonal covariance as its upper triangle, row by row."""
    position, velocity, drag = _SIGMAS_BOOST if process_noise else _SIGMAS_COAST
    variances = [position**2] * 3 + [velocity**2] * 3 + [drag**2]
    size = len(variances)
    upper = [variances[row] if row == column else 0.0 for row in range(size) for column in range(row, size)]
    return Covariance(tuple(upper), *_PRIOR, process_noise=process_noise)
