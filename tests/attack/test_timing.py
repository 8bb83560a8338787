"""An attacker with the times of all that was released looks for what was coarsened or left out.

It averages times over revisions, and it turns times into places: from the moment at which an object rose over
a radar's horizon, and from how long it burnt. It knows the radars and ascents in general; whoever knows the
ascent itself is told where a launch was by any exact time, which is shown, and only coarser times close it.
"""

import math
import random
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from attack.test_inference import CHI_95, FLIGHTS, GRID_M, GRID_RMS_M, moved, off_m
from beaconfire.adapters.bundles import shipped_templates
from beaconfire.flight.ascent import Trajectory
from beaconfire.frames.geodesy import Geodetic, enu_from_ecef_rotation, geodetic_from_ecef_kernel
from beaconfire.messages.codec import decode, decode_sealed
from beaconfire.messages.estimate import Ellipse, ImpactEstimate, LaunchEstimate
from beaconfire.messages.report import Report, Timing
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Group
from beaconfire.nodes.commands import Deliver
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.release.arrangements import make_bundle, verify_bundle
from beaconfire.release.content import decode_content
from beaconfire.release.obligations import Obligations
from beaconfire.release.sanitise import FIRST, Earlier, sanitise
from beaconfire.sim.catalogue import catalogue, find_launch
from beaconfire.sim.flights import flight_of_launch, trajectory_of
from beaconfire.tracking.launch import BEND, DURATION, DURATION_HEIGHT_M, PATH_BEND, SIGMA_MIN_M
from beaconfire.units import EARTH_MEAN_RADIUS_M
from release_world import (
    FROM_US,
    JPN,
    KOR,
    T0_US,
    UNTIL_US,
    MemoryRows,
    guard_config,
    hub_config,
    keyring,
    keys_of,
    now,
    own,
    report,
    to_hub,
)

STEP_S = 10.0
STEP_RMS_S = STEP_S / math.sqrt(12.0)
"""Error of a rounded time for a time anywhere in its step: 2.9 s."""
TRACKS, REVISIONS = 200, 60
COARSE = Obligations(grid_m=GRID_M, round_time_s=STEP_S)
TIMES = ("launch", "impact", "burnout")


def stated(true_s: float, place: tuple[float, float], sigma_s: float, chance: random.Random) -> Report:
    """Return a revision that estimates one time anew, wherever a report states it, and one place."""
    at_us = T0_US + round(1e6 * (true_s + chance.gauss(0.0, sigma_s)))
    size_m = CHI_95 * 3_000.0
    area = Ellipse(*moved(place, 3_000.0, chance), size_m, size_m, 0.0, 0.95)
    return msgspec.structs.replace(
        report(),
        launch_point=LaunchEstimate(at_us, sigma_s, area),
        impact=(ImpactEstimate(1.0, at_us, sigma_s, area),),
        timing=Timing(T0_US, T0_US, at_us),
    )


def released(one: Report, earlier: Earlier) -> Earlier:
    """Return what a recipient is given of a revision, in the light of what it was given before."""

    def left(group: Group) -> object:
        return sanitise(one, group, COARSE, b"k", earlier).value

    def timed() -> object:
        return sanitise(one, Group.TIMING, Obligations(round_time_s=STEP_S), b"k", earlier).value

    launch, impact, timing = left(Group.LAUNCH_POINT), left(Group.IMPACT), timed()
    assert isinstance(launch, LaunchEstimate)
    assert isinstance(impact, tuple)
    assert isinstance(timing, Timing)
    return Earlier(launch, impact, timing)


def times_s(given: Earlier) -> tuple[float, ...]:
    """Return the times of launch, impact and burnout that were given, seconds after T0."""
    assert given.launch_point is not None
    assert given.timing is not None
    assert given.timing.burnout_at_us is not None
    all_us = (given.launch_point.time_us, given.impact[0].time_us, given.timing.burnout_at_us)
    return tuple(1e-6 * (one - T0_US) for one in all_us)


def averaging_errors(sigma_s: float, *, remembers: bool) -> tuple[dict[str, float], float]:
    """Return the root mean square errors, seconds and metres, of one who averages each track's revisions."""
    chance = random.Random(11)
    squares, squares_m2 = np.zeros(3), 0.0
    for _ in range(TRACKS):
        true_s = 60.0 + 40.0 * chance.random()
        place = (0.6 + 0.1 * chance.random(), 2.2 + 0.1 * chance.random())
        given, seen = FIRST, []
        for _ in range(REVISIONS):
            given = released(stated(true_s, place, sigma_s, chance), given if remembers else FIRST)
            area = given.impact[0].area
            seen.append((*times_s(given), area.latitude_rad, area.longitude_rad))
        mean = np.mean(seen, axis=0)
        squares += (mean[:3] - true_s) ** 2
        squares_m2 += off_m((float(mean[3]), float(mean[4])), place) ** 2
    return dict(zip(TIMES, np.sqrt(squares / TRACKS), strict=True)), math.sqrt(squares_m2 / TRACKS)


@pytest.mark.parametrize("sigma_s", [0.5, 2.0, 4.0])
def test_averaging_times_tells_no_more_than_the_step(sigma_s: float) -> None:
    errors_s, _ = averaging_errors(sigma_s, remembers=True)
    assert min(errors_s.values()) > 0.95 * STEP_RMS_S


def test_averaging_impact_areas_tells_no_more_than_the_grid() -> None:
    assert averaging_errors(2.0, remembers=True)[1] > 0.95 * GRID_RMS_M


def test_planted_rounding_without_memory_is_found_by_the_same_averaging() -> None:
    errors_s, error_m = averaging_errors(4.0, remembers=False)
    assert max(errors_s.values()) < STEP_RMS_S / 3
    assert error_m < GRID_RMS_M / 3


@pytest.mark.parametrize("sigma_s", [0.3, 3.0])
def test_a_rounded_time_still_holds_its_stated_probability(sigma_s: float) -> None:
    chance = random.Random(5)
    inside = total = 0
    for _ in range(TRACKS):
        true_s, given = 60.0 + 40.0 * chance.random(), FIRST
        for _ in range(5):
            given = released(stated(true_s, (0.6, 2.2), sigma_s, chance), given)
            assert given.launch_point is not None
            off_s = abs(1e-6 * (given.launch_point.time_us - T0_US) - true_s)
            inside += off_s <= 1.96 * given.launch_point.sigma_time_s
            total += 1
    assert inside / total >= 0.95


# --- the whole chain

COARSER = """
@id("trilateral/times") @round_time("10")
permit (principal, action == Action::"release", resource)
when { context.releasable_to.contains(principal) && ["impact", "timing"].contains(context.group) };
@id("trilateral/places") @grid("10")
permit (principal, action == Action::"release", resource)
when { context.releasable_to.contains(principal) && context.group == "impact" };"""


def coarse_to_japan(said: Iterator[Report]) -> Iterator[dict[Group, object]]:
    """Yield what Japan is given of each of Korea's reports by guard and hub, coarsened groups only."""
    template = shipped_templates()["trilateral"]
    rounded = template.policies.replace('@grid("10")', '@grid("10") @round_time("10")') + COARSER
    changed = msgspec.structs.replace(
        template, policies=rounded, degradable=(Group.LAUNCH_POINT, Group.SENSOR, Group.IMPACT, Group.TIMING)
    )
    signed = make_bundle(changed, list(keys_of().values()), valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    held = (verify_bundle(signed, "test", now_us=T0_US, trusted=keyring()),)
    guard = GuardNode(msgspec.structs.replace(guard_config(), agreements=held), MemoryRows())
    hub = HubNode(msgspec.structs.replace(hub_config(), agreements=held), MemoryRows())
    for one in said:
        at = now(one.stated_at_us - T0_US)
        for sent in guard.receive(own(one), at):
            delivery = decode(sent.body) if isinstance(sent, Deliver) else None
            if isinstance(delivery, Delivery) and delivery.recipient == HUB:
                for passed in hub.receive(to_hub(delivery, KOR, delivery.lane), at):
                    got = decode(passed.body) if isinstance(passed, Deliver) else None
                    if isinstance(got, Delivery) and got.recipient == JPN:
                        degraded = decode_sealed(got.sealed).degradations
                        yield {d.group: decode_content(d.group, d.content) for d in degraded}


def test_through_guard_and_hub_revisions_of_one_track_show_one_value() -> None:
    chance = random.Random(2)
    revisions = (
        msgspec.structs.replace(
            stated(64.9, (0.6, 2.2), 2.0, chance),
            report_id=f"{number:032x}",
            stated_at_us=T0_US + 1_000_000 * number,
            trajectory=None,
        )
        for number in range(40)
    )
    given = list(coarse_to_japan(revisions))
    assert len(given) == 40
    launches = {one[Group.LAUNCH_POINT].time_us for one in given}  # type: ignore[attr-defined]
    impacts = {one[Group.IMPACT][0].area for one in given}  # type: ignore[index]
    burnouts = {one[Group.TIMING].burnout_at_us for one in given}  # type: ignore[attr-defined]
    assert (len(launches), len(impacts), len(burnouts)) == (1, 1, 1)


# --- times turned into places

MASK_RAD = math.radians(2.0)
RISES_S = (30, 40, 50, 60)


@cache
def heights_m(flight_id: str) -> tuple[float, ...]:
    """Return the height of a flight of the catalogue each second of its boost."""
    trajectory = trajectory_of(flight_of_launch(find_launch(flight_id)))
    states = trajectory.states(np.arange(0.0, trajectory.burnout_s, 1.0))
    return tuple(geodetic_from_ecef_kernel(*(float(x) for x in one[:3]))[2] for one in states)


def range_m(height_m: float) -> float:
    """Return from how far a height stands at a radar's least elevation, over a sphere without refraction."""
    radius = EARTH_MEAN_RADIUS_M
    chord = radius * math.cos(MASK_RAD) / (radius + max(height_m, 1.0))
    return radius * (math.acos(chord) - MASK_RAD)


def ranges_m(rise_s: int) -> dict[str, float]:
    """Return from how far each flight of the catalogue would have risen so long after its launch."""
    return {name: range_m(held[rise_s]) for name in catalogue() if len(held := heights_m(name)) > rise_s}


@pytest.mark.parametrize("rise_s", RISES_S)
def test_the_moment_of_rising_tells_no_more_than_the_grid(rise_s: int) -> None:
    """Both times are exact. The attacker holds every ascent of the catalogue for as likely."""
    found = list(ranges_m(rise_s).values())
    assert len(found) > 10
    assert float(np.std(found)) > 2.0 * GRID_RMS_M


def error_of_who_knows_the_ascent_m(flight_id: str, coarse_s: float) -> float:
    """Return the error of one who knows the ascent itself, over many launches, of times rounded to a step."""
    chance, heights = random.Random(4), np.array(heights_m(flight_id))
    squares = []
    for _ in range(400):
        launched_s, rise_s = 100.0 * chance.random(), 30.0 + 20.0 * chance.random()
        ends = (launched_s, launched_s + rise_s)
        seen = [coarse_s * round(one / coarse_s) if coarse_s else one for one in ends]
        claimed_s = min(max(seen[1] - seen[0], 1.0), len(heights) - 1.0)
        times = np.arange(len(heights))
        ranges = [range_m(float(np.interp(one, times, heights))) for one in (claimed_s, rise_s)]
        squares.append((ranges[0] - ranges[1]) ** 2)
    return math.sqrt(sum(squares) / len(squares))


@pytest.mark.parametrize("flight_id", FLIGHTS)
def test_who_knows_the_ascent_is_stopped_by_rounded_times_only(flight_id: str) -> None:
    """Known bad: exact times. Against such an attacker an arrangement must round them."""
    assert error_of_who_knows_the_ascent_m(flight_id, 0.0) < GRID_RMS_M / 10
    assert error_of_who_knows_the_ascent_m(flight_id, STEP_S) > 5.0 * GRID_RMS_M


def spread_by_the_clock_m(trajectory: Trajectory, *, bend: float | None = None) -> float:
    """Return how well the launch is placed by who has the state at burnout and how long it burnt, exactly.

    The ascents are those of `tracking.launch`, finer: of each bend, how likely its duration is.
    """
    state = trajectory.states(np.array([trajectory.burnout_s]))[0]
    place = Geodetic(*geodetic_from_ecef_kernel(*(float(x) for x in state[:3])))
    east, north, up = enu_from_ecef_rotation(place.latitude_rad, place.longitude_rad) @ state[3:6]
    level = math.hypot(east, north)
    bends = np.linspace(0.2, 0.9, 141) if bend is None else np.array([bend])
    distances = bends * place.height_m * level / float(up)
    paths = PATH_BEND * np.hypot(distances, place.height_m)
    drives = trajectory.burnout_s * math.hypot(level, float(up)) / paths
    risen = min(1.0, place.height_m / DURATION_HEIGHT_M)
    shapes, shares = np.array(BEND).T
    likely = np.interp(bends, shapes, shares) * sum(
        share * np.exp(-0.5 * ((drives - low - risen * (high - low)) / 0.15) ** 2)
        for low, high, share in DURATION
    )
    likely /= likely.sum()
    return math.sqrt(float(likely @ (distances - likely @ distances) ** 2))


@pytest.mark.parametrize("flight_id", FLIGHTS)
def test_how_long_it_burnt_tells_no_more_than_the_grid(flight_id: str) -> None:
    trajectory = trajectory_of(flight_of_launch(find_launch(flight_id)))
    along_m = spread_by_the_clock_m(trajectory)
    assert math.sqrt(along_m**2 + 2.0 * SIGMA_MIN_M**2) > GRID_RMS_M
    assert spread_by_the_clock_m(trajectory, bend=0.5) == 0.0, "known bad: the shape of the ascent is known"


def test_heights_of_a_boost_only_grow() -> None:
    """So the moment of rising has one answer: the attack above is a fair one."""
    assert all(low < high for low, high in pairwise(heights_m(FLIGHTS[0])[2:]))
