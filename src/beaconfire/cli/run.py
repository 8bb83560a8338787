"""`beaconfire run ROLE --config FILE`: one process of a real installation.

It connects, says `ready` on its own line, waits for the event clock if it is given one that has not
started, and runs until it is told to end. What it has to say goes to standard error.
"""

import argparse
import asyncio
import gc
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from beaconfire.adapters.building import build_renewed, sensors_of
from beaconfire.adapters.bus import Bus
from beaconfire.adapters.clock import Clock, read_clock
from beaconfire.adapters.configuration import FeedConfig, LoadedConfig, read_config
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.loop import Loop, LoopOptions
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.errors import UsageError
from beaconfire.messages.health import Notice
from beaconfire.messages.words import HUB, Nation

if TYPE_CHECKING:
    from beaconfire.adapters.feeds import Feed

CLOCK_POLL_S: Final = 0.02
ROLES: Final = ("feed", "national", "guard", "hub", "picture", "warning", "display")
HEAVY: Final = frozenset({Role.NATIONAL, Role.PICTURE})
"""Roles that compute, and so are called beside their connections."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("run", help="run one process of an installation")
    parser.add_argument("role", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="JSON, or TOML if .toml")


def run(arguments: argparse.Namespace) -> int:
    """Run the process until it is told to end; returns 0.

    Raises:
        UsageError: the configuration, or a file it names, is not usable.
        EnvironmentFault: the journal can't be opened, or has been unwritable for too long.
    """
    loaded = read_config(arguments.config)
    if loaded.config.role.value != arguments.role:
        raise UsageError(
            f"a configuration of {loaded.config.role}", f"{arguments.config}: role", arguments.role
        )
    asyncio.run(_feed(loaded) if loaded.config.role is Role.FEED else _node(loaded))
    return 0


def _say(text: str) -> None:
    """Say a line to whoever started this process; nobody may be listening any more."""
    try:
        print(text, flush=True)
    except OSError:
        return


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def _clock(loaded: LoadedConfig) -> Clock:
    """Return the clock, once it has started."""
    if not loaded.config.clock:
        return Clock()
    path = loaded.file("clock")
    while not path.exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(CLOCK_POLL_S)
    return read_clock(path)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _until(stop: asyncio.Event, *work: "asyncio.Task[Any]") -> None:
    """Wait until told to stop, or until any of the work ends or fails; cancel the rest."""
    ending = asyncio.create_task(stop.wait())
    done, pending = await asyncio.wait((ending, *work), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def _node(loaded: LoadedConfig) -> None:
    stop = _stop_event()
    config = loaded.config
    journal = Journal(loaded.file("journal")) if config.journal else None
    bus = Bus(config.party, config.role, loaded.endpoints())
    loops: list[Loop] = []

    def accept(heard: Heard, body: bytes) -> None:
        """Hand on to the loop once there is one; before that no node has anything to say."""
        if loops:
            loops[0].accept(heard, body)

    try:
        prepare(loaded)
        opening = asyncio.create_task(bus.open(accept, await_links=False))
        await _until(stop, opening)
        if stop.is_set():
            return
        _say("ready")
        starting = asyncio.create_task(_start(loaded, bus, journal, loops))
        await _until(stop, starting)
        if loops and not stop.is_set():
            await _run(loaded, loops[0], stop)
    finally:
        await bus.close()
        if journal is not None:
            journal.close()


async def _start(loaded: LoadedConfig, bus: Bus, journal: Journal | None, loops: list[Loop]) -> None:
    from beaconfire.adapters.journal import MemoryRows  # noqa: PLC0415 - a process without a journal only

    clock = await _clock(loaded)
    node, looks = build_renewed(loaded, journal or MemoryRows())
    config = loaded.config
    source = config.role.value if config.party == HUB else f"{config.role.value}/{config.party}"
    loop = Loop(
        node,
        bus,
        journal,
        clock,
        LoopOptions(config.party, source, config.record, config.role in HEAVY, config.schema),
    )
    loop.on_notice = _complain_of
    loop.renew = looks
    loops.append(loop)
    gc.collect()
    gc.freeze()


def _complain_of(notice: Notice) -> None:
    _complain(f"{notice.severity.value}: {notice.code}: {notice.text}")


async def _run(loaded: LoadedConfig, loop: Loop, stop: asyncio.Event) -> None:
    work = [asyncio.create_task(loop.run())]
    if loaded.config.role is Role.DISPLAY and loaded.config.web is not None:
        work.append(asyncio.create_task(_serve(loaded, loop)))
    ending = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait((ending, *work), return_when=asyncio.FIRST_COMPLETED)
    loop.stop()
    await asyncio.wait(work[:1])
    for task in (ending, *work[1:]):
        task.cancel()
    await asyncio.gather(ending, *work[1:], return_exceptions=True)
    for task in (*done, work[0]):
        if not task.cancelled():
            task.result()


async def _serve(loaded: LoadedConfig, loop: Loop) -> None:
    from beaconfire.cli.serving import server_of  # noqa: PLC0415 - for a display only

    server = server_of(loaded, loop)
    _say(f"page at {server.url}")
    await server.serve()


def prepare(loaded: LoadedConfig) -> None:
    """Import and compile what a role needs, before it says that it is ready."""
    if loaded.config.role is Role.NATIONAL:
        from beaconfire.adapters.warming_tracker import warm_up_tracker  # noqa: PLC0415 - for this role only

        warm_up_tracker()
    elif loaded.config.role is Role.PICTURE:
        from beaconfire.adapters.warming_picture import warm_up_picture  # noqa: PLC0415 - for this role only

        import_module("beaconfire.nodes.picture")
        warm_up_picture()
    elif loaded.config.role is Role.DISPLAY:
        import_module("beaconfire.cli.serving")


async def _feed(loaded: LoadedConfig) -> None:
    from beaconfire.adapters.feeds import Feed, missing_input  # noqa: PLC0415 - for a feed only
    from beaconfire.formats.tracks import Reporter, TrackReader  # noqa: PLC0415

    stop = _stop_event()
    config = loaded.config
    inputs = config.feed
    if inputs is None or not (inputs.tcp or inputs.udp or inputs.stdin or inputs.tracks_tcp):
        raise missing_input()
    own = {one.sensor: one for one in sensors_of(loaded) if one.nation == config.party}
    tracks = None
    if inputs.tracks_tcp:
        reporter = Reporter(Nation(config.party), config.mode, config.exercise, loaded.secret())
        tracks = TrackReader(reporter, own)
    bus = Bus(config.party, config.role, loaded.endpoints())
    try:
        await _until(stop, asyncio.create_task(bus.open(lambda _heard, _body: None)))
        if config.clock and not loaded.file("clock").exists():
            _say("ready")
        clock = asyncio.create_task(_clock(loaded))
        await _until(stop, clock)
        if not stop.is_set():
            feed = Feed(bus, clock.result(), own, tracks, config.schema)
            feed.on_reject = _complain
            await _until(stop, *(await _inputs(feed, inputs, str(loaded.path))))
    finally:
        await bus.close()


async def _inputs(feed: "Feed", inputs: FeedConfig, where: str) -> "list[asyncio.Task[None]]":
    """Open what a feed reads, and return the work whose end ends the feed."""
    from beaconfire.adapters.feeds import address_of  # noqa: PLC0415 - for a feed only

    work = [asyncio.create_task(feed.say_health())]
    if inputs.tcp:
        await feed.listen_tcp(*address_of(inputs.tcp, f"{where}: feed.tcp"))
    if inputs.udp:
        await feed.listen_udp(*address_of(inputs.udp, f"{where}: feed.udp"))
    if inputs.tracks_tcp:
        await feed.listen_tcp(*address_of(inputs.tracks_tcp, f"{where}: feed.tracks_tcp"), tracks=True)
    if inputs.stdin:
        reading = asyncio.create_task(feed.read_stdin())
        if not (inputs.tcp or inputs.udp or inputs.tracks_tcp):
            work.append(reading)
    _say("ready")
    return work
