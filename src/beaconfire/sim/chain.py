"""The whole set of nodes for one run: each nation's own and one hub, with keys and secrets from the seed.

Keys made here are of the class SIMULATION and good for nothing else.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.event import Place
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.words import HUB, Level, Mode, Nation
from beaconfire.nodes.commands import Node, Rows
from beaconfire.nodes.guard import GuardConfig, GuardNode
from beaconfire.nodes.hub import HubConfig, HubNode
from beaconfire.nodes.picture import PictureConfig, PictureNode
from beaconfire.nodes.warning import WarningConfig, WarningNode
from beaconfire.release.arrangements import Agreement
from beaconfire.release.cedar import CedarDecider
from beaconfire.release.keys import Keyring, SigningKey
from beaconfire.release.label import LabellingRules
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.engine import Builder, Engine
from beaconfire.sim.network import Address

POLICY: Final = "beaconfire-1"
EXERCISE: Final = "simulation"
"""Exercise id of everything said in a simulated run."""


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


def default_rules(nations: Sequence[Nation]) -> dict[Nation, LabellingRules]:
    """Return each nation's labelling rules as the demo has them: what is agreed may pass to all others."""
    return {
        nation: LabellingRules(POLICY, Level.RESTRICTED, frozenset(nations) - {nation}) for nation in nations
    }


class ChainPlan(msgspec.Struct, frozen=True):
    """What the nodes of one run are made from.

    Attributes:
        nations: that take part.
        places: named places of all of them.
        agreements: in force, verified.
        rules: how each nation labels what leaves it.
        seed: of keys and secrets.
        shadows: pictures also keep what they would have held with less.
        warnings: host the warning nodes too.
        linked: host guards and hub too; without them every picture is one alone.
        hubs: instances of the hub.
    """

    nations: tuple[Nation, ...]
    places: tuple[Place, ...]
    agreements: tuple[Agreement, ...]
    rules: Mapping[Nation, LabellingRules]
    seed: int
    shadows: bool = False
    warnings: bool = True
    linked: bool = True
    hubs: tuple[str, ...] = (HUB,)


class Chain:
    """Builders of the nodes of a plan; a node that crashed is built anew by the same builder."""

    def __init__(self, plan: ChainPlan) -> None:
        """Make the keys, and compile the policies once for all nodes."""
        self.plan = plan
        self._keys = simulation_keys(plan.seed, plan.nations)
        self._keyring = Keyring(KeyClass.SIMULATION, [key.public for key in self._keys.values()])
        self._decider = CedarDecider(plan.agreements)

    def host(self, engine: Engine, instead: Mapping[Address, Builder] | None = None) -> None:
        """Host every node; those of `instead` are built by its builders."""
        for address, builder in {**self.builders(), **(instead or {})}.items():
            engine.host(address, builder)

    def builders(self) -> dict[Address, Builder]:
        """Return the builder of each node; the hub stands first, since the others talk to it."""
        plan = self.plan
        roles = [
            *(["guard"] if plan.linked else []),
            *(["warning"] if plan.warnings else []),
            "picture",
        ]
        hubs = plan.hubs if plan.linked else ()
        found: dict[Address, Builder] = {Address(hub, "hub"): self._of_hub(hub) for hub in hubs}
        found |= {Address(nation, role): self._of(nation, role) for nation in plan.nations for role in roles}
        return found

    def _of(self, nation: Nation, role: str) -> Builder:
        def build(rows: Rows) -> Node:
            if role == "guard":
                return self.guard(nation, rows)
            return self.picture(nation, rows) if role == "picture" else self.warning(nation, rows)

        return build

    def _of_hub(self, instance: str) -> Builder:
        def build(rows: Rows) -> Node:
            return self.hub(rows, instance)

        return build

    def hub(self, rows: Rows, instance: str = HUB) -> HubNode:
        """Return an instance of the hub, restored from its rows."""
        config = HubConfig(
            parties=self.plan.nations,
            mode=Mode.SIMULATED,
            key=self._keys[HUB],
            keyring=self._keyring,
            agreements=self.plan.agreements,
            secret=secret_of(self.plan.seed, HUB, "hub"),
            instance=instance,
            cautious=isinstance(rows, SimDisk) and rows.wiped,
        )
        return HubNode(config, rows, self._decider)

    def guard_config(self, nation: Nation) -> GuardConfig:
        """Return what a nation's guard is given."""
        return GuardConfig(
            nation=nation,
            mode=Mode.SIMULATED,
            exercise=EXERCISE,
            key=self._keys[nation],
            keyring=self._keyring,
            agreements=self.plan.agreements,
            rules=self.plan.rules[nation],
            secret=secret_of(self.plan.seed, nation, "guard"),
            hubs=self.plan.hubs,
        )

    def guard(self, nation: Nation, rows: Rows) -> GuardNode:
        """Return a nation's guard, restored from its rows."""
        return GuardNode(self.guard_config(nation), rows, self._decider)

    def picture(self, nation: Nation, rows: Rows) -> PictureNode:
        """Return a nation's picture, restored from its rows."""
        config = PictureConfig(
            nation=nation,
            mode=Mode.SIMULATED,
            exercise=EXERCISE,
            key=self._keys[nation],
            keyring=self._keyring,
            agreements=self.plan.agreements,
            places=self.plan.places,
            secret=secret_of(self.plan.seed, nation, "picture"),
            shadows=self.plan.shadows,
            hubs=self.plan.hubs,
        )
        return PictureNode(config, rows)

    def warning(self, nation: Nation, rows: Rows) -> WarningNode:
        """Return a nation's warning node, restored from its rows."""
        config = WarningConfig(
            nation=nation,
            mode=Mode.SIMULATED,
            places=self.plan.places,
            secret=secret_of(self.plan.seed, nation, "warning"),
        )
        return WarningNode(config, rows)
