"""The seeded world: the same from the same seed, salvos staggered, nations told apart."""

import itertools

import pytest

from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.words import Nation
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.world import World, build_world, stagger


@pytest.fixture(scope="module")
def salvo() -> World:
    flights = [flight_of_launch(find_launch(f"2017-03-06{letter}")) for letter in "abcd"]
    return build_world(flights, shipped_sensors(), 4)


def test_a_salvo_of_one_minute_is_staggered_within_the_next_one(salvo: World) -> None:
    starts = [truth.launched_at_us for truth in salvo.truths]
    gaps = [(after - before) / 1e6 for before, after in itertools.pairwise(starts)]
    assert starts[0] == find_launch("2017-03-06a").launched_at_us
    assert all(4.0 <= gap <= 20.0 for gap in gaps)


def test_flights_of_other_minutes_keep_their_time() -> None:
    flights = [flight_of_launch(find_launch(name)) for name in ("2022-09-29a", "2022-09-29b")]
    assert stagger(flights, 1) == tuple(flights)


def test_the_nations_detections_add_up(salvo: World) -> None:
    parts = [salvo.detections_of(Nation(nation)) for nation in ("JPN", "KOR", "USA")]
    assert all(parts)
    assert sum(len(part) for part in parts) == len(salvo.detections)


def test_the_same_seed_gives_the_same_world_and_another_does_not(salvo: World) -> None:
    assert (
        build_world(salvo.flights, salvo.sensors, 4).detections[:50]
        != build_world(salvo.flights, salvo.sensors, 5).detections[:50]
    )
    flight = [flight_of_launch(find_launch("2022-09-29a"))]
    first, second = (build_world(flight, salvo.sensors, 4).detections for _ in range(2))
    assert first == second


def test_times_of_the_world_are_those_of_its_flights(salvo: World) -> None:
    assert salvo.first_launch_us == salvo.truths[0].launched_at_us
    assert salvo.last_impact_us == max(truth.impact_at_us for truth in salvo.truths)


def test_japan_alone_sees_nothing_of_a_low_short_flight() -> None:
    flight = flight_of_launch(find_launch("2022-09-29a"))
    japanese = [sensor for sensor in shipped_sensors() if sensor.nation == "JPN"]
    from_japan = build_world([flight], japanese, 1)
    truth = from_japan.truths[0]
    ranges = [plot.range_m for plot in from_japan.detections if hasattr(plot, "range_m")]
    assert len(ranges) < 0.02 * truth.impact_s, "no more than false plots"
    korean = [sensor for sensor in shipped_sensors() if sensor.nation == "KOR"]
    assert len(build_world([flight], korean, 1).detections) > 100
