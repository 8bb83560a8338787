"""One run of the simulated house: real nodes, real bytes, faults, every invariant at every step.

Two phases. Safety: while the faults of a plan come and go, every invariant is held at each step. Liveness:
then every fault ends but that a hub may stay down for good, and within `SETTLE_US` all must have arrived
that had to.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from beaconfire.messages.detection import Detection
from beaconfire.messages.event import Place
from beaconfire.messages.label import GroupLabel
from beaconfire.messages.sensor import Sensor
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import HUB_INSTANCES, Group, Level, Mode, Nation, Status, TimeUs
from beaconfire.nodes.commands import RECEIVED_LOG, Channel, Node, Rows, Table
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
from beaconfire.sim.faults import (
    CALM,
    ClockDrift,
    ClockStep,
    Crash,
    Cut,
    Fault,
    FaultPlan,
    Field,
    Frailty,
    FullDisk,
    Pause,
    Storm,
    Suspend,
    Wipe,
    plan_faults,
)
from beaconfire.sim.invariants import Invariants
from beaconfire.sim.nationals import LEAD_US, batches, whole_second_before
from beaconfire.sim.network import Address, SimNetwork, Weather
from beaconfire.sim.sharing import Collector
from beaconfire.units import MICROSECONDS_PER_SECOND

SETTLE_US: Final = 12 * MICROSECONDS_PER_SECOND
"""After the faults: longer than the longest waits before a resend on both hops and a probe's limit."""
SUSPENDED: Final = "trilateral"
SMALL_US: Final = 500_000
"""Differences of clocks that harm nobody: half of what is barred from fusion."""
NOTICED_US: Final = 4 * MICROSECONDS_PER_SECOND
"""After a clock is right again: a process has ended and is there again, and its peers have heard it."""


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
    """Runs seeds of one scenario; what can be compiled and signed once is.

    Attributes:
        chain: the nodes.
        disk_forgets: known bad: commits that a disk loses with its power, 0 for sound disks.
    """

    def __init__(self, scenario: Scenario, instead: Mapping[Address, Builder] | None = None) -> None:
        """Take the scenario, and builders of nodes that are to be run instead of the real ones."""
        self.disk_forgets = 0
        self._scenario = scenario
        self._instead = instead or {}
        self._nations = nations_of(scenario.sensors)
        plan = ChainPlan(
            nations=self._nations,
            places=scenario.places,
            agreements=scenario.agreements,
            rules=scenario.rules,
            seed=scenario.key_seed,
            hubs=HUB_INSTANCES,
        )
        self.chain = Chain(plan)

    @property
    def field(self) -> Field:
        """Where and when faults may fall in this scenario."""
        detections = self._scenario.detections
        span_us = detections[-1].measured_at_us + LEAD_US - self._start_us
        return Field(self._nations, self.chain.plan.hubs, span_us)

    @property
    def _start_us(self) -> TimeUs:
        return whole_second_before(self._scenario.detections[0].measured_at_us)

    def run(self, seed: int) -> SeedRun:
        """Run one seed.

        Raises:
            Breach: an invariant does not hold.
        """
        return self.run_plan(plan_faults(seed, self.field))

    def run_plan(self, plan: FaultPlan) -> SeedRun:
        """Run one plan of faults.

        Raises:
            Breach: an invariant does not hold.
        """
        calm_us = self._start_us + self.field.span_us
        terms = Terms(self._scenario.agreements, self._scenario.rules)
        places, right_from_us = self._scenario.places, self._right_from_us(plan)
        invariants = Invariants(terms, Mode.SIMULATED, self._nations, places, right_from_us)
        collector = Collector(self._nations)
        engine = Engine(self._start_us, SimNetwork(CALM, plan.seed), [invariants, collector])
        engine.disk_forgets = self.disk_forgets
        self._prepare(engine, plan)
        engine.run_until(calm_us)
        self._clear(engine)
        engine.run_until(calm_us + SETTLE_US)
        invariants.finish(_logs(engine))
        for nation in self._nations:
            picture, warnings = (_state_of(engine, Address(nation, one)) for one in ("picture", "warning"))
            invariants.hold_warned(nation, picture, warnings, engine.now_of(nation).utc_us)
        return _outcome(plan.seed, engine, invariants, collector)

    def _right_from_us(self, plan: FaultPlan) -> TimeUs | None:
        """Return from when on all clocks are right and every node has noticed; None if never."""
        wrong = [one for one in plan.of(ClockStep) if abs(one.by_us) > SMALL_US]
        ends_us = [one.until_us for one in wrong if one.until_us is not None]
        if len(ends_us) < len(wrong):
            return None
        return self._start_us + max(ends_us, default=0) + NOTICED_US

    def _prepare(self, engine: Engine, plan: FaultPlan) -> None:
        """Host the nodes and schedule feeds and faults."""
        for party in self._parties:
            for step in plan.of(ClockStep):
                if step.party == party and step.at_us == 0:
                    engine.step_clock(party, step.by_us)
        self.chain.host(engine, {**self._nationals(), **self._instead})
        for nation in self._nations:
            own = {sensor.sensor for sensor in self._scenario.sensors if sensor.nation == nation}
            seen = [detection for detection in self._scenario.detections if detection.sensor in own]
            for at_us, batch in batches(seen):
                engine.inject(at_us, Address(nation, "national"), (Channel.DETECTION, batch))
        for fault in plan.faults:
            self._schedule(engine, fault, plan.seed)

    @property
    def _parties(self) -> tuple[str, ...]:
        return (*self._nations, *self.chain.plan.hubs)

    def _schedule(self, engine: Engine, fault: Fault, seed: int) -> None:
        match fault:
            case Frailty(share):
                engine.crash_between_commit_and_send(Chance(seed, "crash"), share)
            case Suspend(at_us):
                self._suspend(engine, self._start_us + at_us)
            case Storm() | Cut():
                self._schedule_on_network(engine, fault)
            case ClockStep() | ClockDrift():
                self._schedule_on_clock(engine, fault)
            case Crash() | Wipe() | Pause() | FullDisk():
                self._schedule_on_node(engine, fault)

    def _at(self, engine: Engine, offset_us: int, action: Callable[[], None]) -> None:
        engine.scheduler.at(self._start_us + offset_us, action)

    def _schedule_on_network(self, engine: Engine, fault: Storm | Cut) -> None:
        network = engine.network
        if isinstance(fault, Storm):
            begin = partial(_set_weather, network, fault.party, fault.weather)
            end = partial(_set_weather, network, fault.party, CALM)
        else:
            begin = partial(network.cut.add, (fault.source, fault.destination))
            end = partial(network.cut.discard, (fault.source, fault.destination))
        self._at(engine, fault.from_us, begin)
        self._at(engine, fault.until_us, end)

    def _schedule_on_clock(self, engine: Engine, fault: ClockStep | ClockDrift) -> None:
        if isinstance(fault, ClockDrift):
            self._at(engine, fault.from_us, partial(engine.drift_clock, fault.party, fault.ppm))
            self._at(engine, fault.until_us, partial(engine.drift_clock, fault.party, 0))
            return
        if fault.at_us:
            self._at(engine, fault.at_us, partial(engine.step_clock, fault.party, fault.by_us))
        if fault.until_us is not None:
            self._at(engine, fault.until_us, partial(engine.step_clock, fault.party, -fault.by_us))

    def _schedule_on_node(self, engine: Engine, fault: Crash | Wipe | Pause | FullDisk) -> None:
        address = Address(fault.party, fault.role)
        match fault:
            case Crash():
                fall = engine.tear if fault.torn else engine.crash
                self._at(engine, fault.at_us, partial(fall, address, fault.down_us))
            case Wipe():
                self._at(engine, fault.at_us, partial(engine.wipe, address, fault.down_us))
            case Pause():
                until_us = self._start_us + fault.until_us
                self._at(engine, fault.from_us, partial(engine.pause, address, until_us))
            case FullDisk():
                self._at(engine, fault.from_us, partial(engine.fill_disk, address, full=True))
                self._at(engine, fault.until_us, partial(engine.fill_disk, address, full=False))

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
        """End every fault; what is still down comes back by itself, but for what is down for good."""
        engine.network.weather = CALM
        engine.network.weather_of.clear()
        engine.network.cut.clear()
        engine.crash_between_commit_and_send(Chance(0, "calm"), 0.0)
        for address in engine.hosted:
            engine.fill_disk(address, full=False)


def _set_weather(network: SimNetwork, party: str, weather: Weather) -> None:
    if party:
        network.weather_of[party] = weather
    else:
        network.weather = weather


def _logs(engine: Engine) -> dict[tuple[str, str], list[bytes]]:
    """Return every audit log, and what each picture took, by party and name."""
    return {
        (address.party, name): hosted.disk.log(name)
        for address, hosted in engine.hosted.items()
        for name in hosted.disk.logs()
        if name.startswith(("guard/", "gave/", "given/", RECEIVED_LOG))
    }


def _state_of(engine: Engine, address: Address) -> dict[str, bytes]:
    return dict(engine.hosted[address].disk.rows(Table.STATE))


def _outcome(seed: int, engine: Engine, invariants: Invariants, collector: Collector) -> SeedRun:
    passages = invariants.arrivals.passages.values()
    return SeedRun(
        seed=seed,
        simulated_s=engine.scheduler.elapsed_us() / MICROSECONDS_PER_SECOND,
        reports=len(passages),
        deliveries=sum(len(one.taken) for one in passages),
        crashes=sum(hosted.crashes for hosted in engine.hosted.values()),
        missed=engine.missed,
        checks=sum(invariants.checked.values()),
        confirmed=tuple(
            nation
            for nation, events in collector.events.items()
            if any(event.status is Status.CONFIRMED for event in events)
        ),
    )
