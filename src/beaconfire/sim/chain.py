"""The whole set of nodes for one run: each nation's own and one hub, with keys and secrets from the seed.

Keys made here are of the class SIMULATION and good for nothing else.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Final

from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import HUB, Level, Nation
from beaconfire.release.keys import SigningKey
from beaconfire.release.label import LabellingRules

POLICY: Final = "notional"


def secret_of(seed: int, party: str, purpose: str) -> bytes:
    """Return 32 bytes for one purpose of one party: HMAC-SHA-256 under the seed."""
    return hmac.new(f"simulation {seed}".encode(), f"{party}/{purpose}".encode(), hashlib.sha256).digest()


def nations_of(sensors: Iterable[Sensor]) -> tuple[Nation, ...]:
    """Return the nations that own sensors, sorted."""
    return tuple(sorted({sensor.nation for sensor in sensors}))


def simulation_keys(seed: int, nations: Sequence[Nation]) -> dict[str, SigningKey]:
    """Return a signing key of class SIMULATION for each nation and the hub."""
    return {
        party: SigningKey(party, KeyClass.SIMULATION, secret_of(seed, party, "key"))
        for party in (*nations, HUB)
    }


def default_rules(nation: Nation, nations: Iterable[Nation]) -> LabellingRules:
    """Return the labelling rules of the demo: what is agreed may pass to all others."""
    return LabellingRules(POLICY, Level.RESTRICTED, frozenset(nations) - {nation})
