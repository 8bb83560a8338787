"""One seed of the simulated house: real nodes, real bytes, faults, every invariant at every step."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from beaconfire.messages.detection import Detection
from beaconfire.messages.event import Place
from beaconfire.messages.label import GroupLabel
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Group, Level, Mode, Nation, Status, TimeUs
from beaconfire.nodes.commands import Channel, Node, Rows
from beaconfire.nodes.national import Identity, NationalNode
from beaconfire.release.arrangements import Agreement
from beaconfire.release.attest import sign_suspension
from beaconfire.release.label import LabellingRules
from beaconfire.sim.chain import (
    EXERCISE,
    Chain,
    ChainPlan,
    default_rules,
    nations_of,
    secret_of,
    simulation_keys,
)
from beaconfire.sim.chance import Chance
from beaconfire.sim.engine import Builder, Engine
from beaconfire.sim.entitlement import Terms
from beaconfire.sim.faults import CALM, FaultPlan, plan_faults
from beaconfire.sim.invariants import Invariants
from beaconfire.sim.nationals import LEAD_US, batches, whole_second_before
from beaconfire.sim.network import Address, SimNetwork
from beaconfire.sim.sharing import Collector
from beaconfire.units import MICROSECONDS_PER_SECOND

SETTLE_US: Final = 16 * MICROSECONDS_PER_SECOND
"""After the faults: longer than the longest wait before a resend and a probe's limit together."""
SUSPENDED: Final = "trilateral"


class Scenario(msgspec.Struct, frozen=True):
    """What every seed is run on.

    Attributes:
        sensors: all known.
        places: of all nations.
        detections: in order of `measured_at_us`; some tens of seconds of them.
        agreements: in force at the start, signed with keys of seed `key_seed`.
        key_seed: of keys.
        suspender: nation that may suspend the trilateral arrangement.
        rules: how each nation labels, as the invariants know it.
    """

    sensors: tuple[Sensor, ...]
    places: tuple[Place, ...]
    detections: tuple[Detection, ...]
    agreements: tuple[Agreement, ...]
    key_seed: int
    suspender: Nation
    rules: Mapping[Nation, LabellingRules]


class SeedRun(msgspec.Struct, frozen=True):
    """What came of one seed, every invariant held.

    Attributes:
        seed: of the run.
        simulated_s: how long it lasted on the simulated clock.
        reports: that guards released.
        deliveries: that pictures committed.
        crashes: of nodes.
        missed: messages that met a node that was down.
        checks: of all invariants together.
        confirmed: nations whose picture confirmed an event.
    """

    seed: int
    simulated_s: float
    reports: int
    deliveries: int
    crashes: int
    missed: int
    checks: int
    confirmed: tuple[Nation, ...]


def rules_with_a_reserve(
    nations: Sequence[Nation], reserved: Nation, to: Nation
) -> dict[Nation, LabellingRules]:
    """Return the usual rules, but that one nation keeps its sensors' names from one other.

    So that a label decides something that no arrangement does, and a guard that skips it is found.
    """
    rules = default_rules(nations)
    usual = rules[reserved]
    kept = GroupLabel(
        group=Group.SENSOR,
        level=Level.RESTRICTED,
        releasable_to=usual.releasable_to - {to},
        restrictions=usual.restrictions,
    )
    rules[reserved] = msgspec.structs.replace(usual, overrides=(*usual.overrides, kept))
    return rules


class Campaign:
    """Runs seeds of one scenario; what can be compiled and signed once is."""

    def __init__(self, scenario: Scenario, instead: Mapping[Address, Builder] | None = None) -> None:
        """Take the scenario, and builders of nodes that are to be run instead of the real ones."""
        self._scenario = scenario
        self._instead = instead or {}
        self._nations = nations_of(scenario.sensors)
        plan = ChainPlan(
            nations=self._nations,
            places=scenario.places,
            agreements=scenario.agreements,
            rules=scenario.rules,
            seed=scenario.key_seed,
        )
        self.chain = Chain(plan)

    def run(self, seed: int) -> SeedRun:
        """Run one seed.

        Raises:
            Breach: an invariant does not hold.
        """
        detections = self._scenario.detections
        start_us = whole_second_before(detections[0].measured_at_us)
        calm_us = detections[-1].measured_at_us + LEAD_US
        faults = plan_faults(seed, self._nations, detections[0].measured_at_us, calm_us)
        invariants = Invariants(
            Terms(self._scenario.agreements, self._scenario.rules), Mode.SIMULATED, self._nations
        )
        collector = Collector(self._nations)
        engine = Engine(start_us, SimNetwork(faults.weather, seed), [invariants, collector])
        self._prepare(engine, faults, seed)
        engine.run_until(calm_us)
        self._clear(engine)
        engine.run_until(calm_us + SETTLE_US)
        invariants.finish(_audit_logs(engine))
        return _outcome(seed, engine, invariants, collector)

    def _prepare(self, engine: Engine, faults: FaultPlan, seed: int) -> None:
        """Host the nodes and schedule feeds and faults."""
        for party, error_us in faults.clock_errors_us.items():
            engine.set_clock_error(party, error_us)
        self.chain.host(engine, {**self._nationals(), **self._instead})
        engine.crash_between_commit_and_send(Chance(seed, "crash"), faults.crash_share)
        for nation in self._nations:
            own = {sensor.sensor for sensor in self._scenario.sensors if sensor.nation == nation}
            seen = [detection for detection in self._scenario.detections if detection.sensor in own]
            for at_us, batch in batches(seen):
                engine.inject(at_us, Address(nation, "national"), (Channel.DETECTION, batch))
        for cut in faults.cuts:
            engine.scheduler.at(cut.from_us, partial(engine.network.cut.add, cut.party))
            engine.scheduler.at(cut.until_us, partial(engine.network.cut.discard, cut.party))
        for crash in faults.crashes:
            engine.scheduler.at(crash.at_us, partial(engine.crash, crash.address, crash.down_us))
        if faults.suspended_at_us is not None:
            self._suspend(engine, faults.suspended_at_us)

    def _nationals(self) -> dict[Address, Builder]:
        return {Address(nation, "national"): self._national(nation) for nation in self._nations}

    def _national(self, nation: Nation) -> Builder:
        scenario = self._scenario
        identity = Identity(nation, Mode.SIMULATED, EXERCISE)
        starts = iter(range(1_000_000))

        def build(rows: Rows) -> Node:
            secret = secret_of(next(starts), nation, "national")
            return NationalNode(identity, scenario.sensors, secret, rows)

        return build

    def _suspend(self, engine: Engine, at_us: TimeUs) -> None:
        """Have one nation's operator suspend the trilateral arrangement at its own guard."""
        party = self._scenario.suspender
        key = simulation_keys(self._scenario.key_seed, self._nations)[party]
        said = Suspension(
            party=party,
            arrangement=SUSPENDED,
            version=1,
            suspended=True,
            number=1,
            said_at_us=at_us,
            key_id=key.key_id,
            signature=b"",
        )
        guard = Address(party, "guard")
        engine.inject(at_us, guard, (Channel.TO_HUB, sign_suspension(said, key)))

    def _clear(self, engine: Engine) -> None:
        """End every fault; what is still down comes back by itself."""
        engine.network.weather = CALM
        engine.network.cut.clear()
        engine.crash_between_commit_and_send(Chance(0, "calm"), 0.0)


def _audit_logs(engine: Engine) -> dict[str, list[bytes]]:
    return {
        f"{address.party}/{address.role}: {name}": hosted.disk.log(name)
        for address, hosted in engine.hosted.items()
        for name in hosted.disk.logs()
        if name.startswith(("guard/", "gave/", "given/"))
    }


def _outcome(seed: int, engine: Engine, invariants: Invariants, collector: Collector) -> SeedRun:
    passages = invariants.passages.values()
    return SeedRun(
        seed=seed,
        simulated_s=engine.scheduler.elapsed_us() / MICROSECONDS_PER_SECOND,
        reports=len(passages),
        deliveries=sum(sum(one.towards.values()) for one in passages),
        crashes=sum(hosted.crashes for hosted in engine.hosted.values()),
        missed=engine.missed,
        checks=sum(invariants.checked.values()),
        confirmed=tuple(
            nation
            for nation, events in collector.events.items()
            if any(event.status is Status.CONFIRMED for event in events)
        ),
    )
