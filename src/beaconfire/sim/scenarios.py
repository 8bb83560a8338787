"""What the seeds of a campaign are run on: twenty seconds of one flight around burnout, seen by three."""

from typing import Final

from beaconfire.formats.places import shipped_places
from beaconfire.formats.sensors import shipped_sensors
from beaconfire.messages.words import Nation
from beaconfire.release.arrangements import Agreement
from beaconfire.sim.campaign import Scenario, rules_with_a_reserve
from beaconfire.sim.catalogue import find_launch
from beaconfire.sim.chain import nations_of
from beaconfire.sim.flights import flight_of_launch
from beaconfire.sim.world import build_world
from beaconfire.units import MICROSECONDS_PER_SECOND

FLIGHT: Final = "2022-10-04"
WORLD_SEED: Final = 1
FROM_S: Final = 186
UNTIL_S: Final = 206
RESERVED: Final = Nation("KOR")
RESERVED_TO: Final = Nation("JPN")


def shipped_scenario(agreements: tuple[Agreement, ...], key_seed: int) -> Scenario:
    """Return the scenario of the campaign.

    Args:
        agreements: in force at the start; `trilateral` may be suspended in a run.
        key_seed: that the keys they are signed with were made from.
    """
    sensors = shipped_sensors()
    world = build_world([flight_of_launch(find_launch(FLIGHT))], sensors, WORLD_SEED)
    from_us = world.first_launch_us + FROM_S * MICROSECONDS_PER_SECOND
    until_us = world.first_launch_us + UNTIL_S * MICROSECONDS_PER_SECOND
    return Scenario(
        sensors=sensors,
        places=shipped_places(),
        detections=tuple(one for one in world.detections if from_us <= one.measured_at_us < until_us),
        agreements=agreements,
        key_seed=key_seed,
        suspender=RESERVED,
        rules=rules_with_a_reserve(nations_of(sensors), RESERVED, RESERVED_TO),
    )
