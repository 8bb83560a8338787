"""Run guards, hub and pictures over what the national nodes said, for one set of arrangements in force."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from beaconfire.messages.codec import Message
from beaconfire.messages.event import Event, Warning
from beaconfire.messages.words import Nation, Status, TimeUs
from beaconfire.nodes.commands import Channel, Command, Now, Send
from beaconfire.nodes.guard import GuardNode
from beaconfire.nodes.hub import HubNode
from beaconfire.nodes.picture import PictureNode
from beaconfire.sim.chain import Chain
from beaconfire.sim.disk import SimDisk
from beaconfire.sim.engine import Engine
from beaconfire.sim.nationals import QUIET_US, OwnReport, Progress, run_until_quiet, whole_second_before
from beaconfire.sim.network import Address, Letter, SimNetwork, Weather


class ChainRun(msgspec.Struct, frozen=True):
    """What came of a run.

    Attributes:
        events: main revisions of each nation's picture, in order of `as_of_us`.
        warnings: of each nation, in order.
        released: decisions of the hub to release a report to a partner.
        refused: decisions of guards and hub not to.
        lost: reports given up without a receipt.
        doubled: reports that came again to a node that had them.
    """

    events: dict[Nation, list[Event]]
    warnings: dict[Nation, list[Warning]]
    released: int
    refused: int
    lost: int
    doubled: int


class Collector:
    """Keeps every main event and every warning that is said, and which events still live.

    Attributes:
        events: main revisions by nation, in order.
        warnings: by nation, in order.
    """

    def __init__(self, nations: Iterable[Nation]) -> None:
        """Start with nothing."""
        self.events: dict[Nation, list[Event]] = {nation: [] for nation in nations}
        self.warnings: dict[Nation, list[Warning]] = {nation: [] for nation in self.events}
        self._alive: set[tuple[Nation, str]] = set()

    def any_alive(self) -> bool:
        """Return True while an event is neither ended nor withdrawn."""
        return bool(self._alive)

    def called(self, address: Address, now: Now, commands: list[Command]) -> None:
        """Keep what a picture or a warning node says."""
        del address, now
        for command in commands:
            if not isinstance(command, Send):
                continue
            message = command.message
            if isinstance(message, Event) and message.sharing is None:
                self._take(message)
            elif isinstance(message, Warning):
                self.warnings[message.nation].append(message)

    def _take(self, event: Event) -> None:
        self.events[event.nation].append(event)
        over = event.status in {Status.ENDED, Status.WITHDRAWN}
        (self._alive.discard if over else self._alive.add)((event.nation, event.event_id))

    def committed(self, address: Address, disk: SimDisk, commands: list[Command]) -> None:
        """Nothing to keep."""

    def sent(self, letter: Letter, message: Message) -> None:
        """Nothing to keep."""

    def received(self, letter: Letter, message: Message, at_us: TimeUs) -> None:
        """Nothing to keep."""

    def died(self, address: Address) -> None:
        """Nothing to keep."""

    def wiped(self, address: Address) -> None:
        """Nothing to keep."""


def weather_of_delay(delay_us: int) -> Weather:
    """Return the weather in which a report takes exactly so long from a nation to a partner's picture."""
    to_hub_us = delay_us // 2
    to_nation_us = delay_us - to_hub_us
    return Weather(to_hub_us=(to_hub_us, to_hub_us), to_nation_us=(to_nation_us, to_nation_us))


def inject_reports(engine: Engine, nations: Iterable[Nation], reports: Iterable[OwnReport]) -> None:
    """Have each report reach its nation's guard and picture when it was said."""
    taking_part = frozenset(nations)
    for at_us, _, report in reports:
        if report.originator in taking_part:
            for role in ("picture", "guard"):
                address = Address(report.originator, role)
                if address in engine.hosted:
                    engine.inject(at_us, address, (Channel.OWN_REPORT, report))


def run_chain(
    chain: Chain, reports: Sequence[OwnReport], delay_us: int, progress: Progress | None = None
) -> ChainRun:
    """Return what guards, hub and pictures make of own reports.

    Args:
        chain: nodes for one set of arrangements.
        reports: in order of time.
        delay_us: from a report to a partner's picture; nothing within a nation.
        progress: told the simulated time now and then.
    """
    nations = chain.plan.nations
    collector = Collector(nations)
    if reports:
        engine = Engine(
            whole_second_before(reports[0].at_us),
            SimNetwork(weather_of_delay(delay_us), chain.plan.seed),
            [collector],
        )
        chain.host(engine)
        _run(engine, chain, reports, (collector.any_alive, progress))
        return _result(engine, collector)
    return ChainRun(collector.events, collector.warnings, 0, 0, 0, 0)


def _run(
    engine: Engine,
    chain: Chain,
    reports: Sequence[OwnReport],
    watch: tuple[Callable[[], bool], Progress | None],
) -> None:
    alive, progress = watch
    for session in sessions(reports):
        start_us = whole_second_before(session[0].at_us)
        engine.scheduler.skip_to(max(start_us, engine.scheduler.now_us))
        inject_reports(engine, chain.plan.nations, session)
        run_until_quiet(engine, session[-1].at_us, alive, progress)


def sessions(reports: Sequence[OwnReport]) -> list[list[OwnReport]]:
    """Return the reports in pieces with more than `QUIET_US` of silence between them."""
    pieces: list[list[OwnReport]] = []
    for report in reports:
        if not pieces or report.at_us - pieces[-1][-1].at_us > QUIET_US:
            pieces.append([])
        pieces[-1].append(report)
    return pieces


def _result(engine: Engine, collector: Collector) -> ChainRun:
    nodes = [hosted.node for hosted in engine.hosted.values()]
    relays = [node for node in nodes if isinstance(node, GuardNode | HubNode)]
    hubs = [node for node in nodes if isinstance(node, HubNode)]
    pictures = [node for node in nodes if isinstance(node, PictureNode)]
    return ChainRun(
        events=collector.events,
        warnings=collector.warnings,
        released=sum(hub.counters["released"] for hub in hubs),
        refused=sum(relay.counters["refused"] for relay in relays),
        lost=sum(relay.counters["lost"] for relay in relays),
        doubled=sum(picture.counters["doubled"] for picture in pictures),
    )
