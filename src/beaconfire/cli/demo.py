"""`beaconfire demo`: the main job from nothing, for real, on this machine."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from beaconfire.adapters.installation import ClockPlan, Installation, make_installation
from beaconfire.adapters.reconciliation import journalled_events, reconcile
from beaconfire.adapters.rehearsal import Flown, Outcome, Rehearsal
from beaconfire.adapters.supervisor import Supervisor
from beaconfire.adapters.terminal import TerminalView
from beaconfire.cli.outputs import write_whole
from beaconfire.errors import UsageError
from beaconfire.formats.detections import format_detection
from beaconfire.formats.events import format_event
from beaconfire.formats.places import read_places, shipped_places
from beaconfire.formats.sensors import read_sensors, shipped_sensors
from beaconfire.messages.detection import Detection
from beaconfire.messages.words import Nation, Sharing
from beaconfire.nodes.display import DisplayFacts
from beaconfire.units import microseconds_from_seconds

if TYPE_CHECKING:
    from beaconfire.adapters.observer import Observer
    from beaconfire.analysis.summary import Summary
    from beaconfire.sim.world import World

DEFAULT_FLIGHT: Final = "2022-10-04"
LEAD_WALL_S: Final = 1.5
"""The sensors' players connect meanwhile."""
LEAD_EVENT_S: Final = 10.0
FEED_FILE: Final = "detections.jsonl"
RECORDINGS_MAX: Final = 10
SPEED_MAX: Final = 100.0
SHOWN_NATION: Final = Nation("JPN")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("demo", help="fly a launch past notional sensors and show who is warned")
    parser.add_argument("--flight", default=DEFAULT_FLIGHT, metavar="ID", help="Korean date, as 2022-10-04")
    parser.add_argument("--sharing", choices=[s.value for s in Sharing], default=Sharing.TRILATERAL.value)
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="event seconds per wall second")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the simulated sensors")
    parser.add_argument("--headless", action="store_true", help="plain lines, no browser")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary here")
    parser.add_argument("--sensors", type=Path, metavar="FILE", help="TOML; the shipped ones if absent")
    parser.add_argument("--places", type=Path, metavar="FILE", help="TOML; the shipped ones if absent")
    parser.add_argument("--recording", type=Path, metavar="DIR", help="a new folder to keep the recording in")
    parser.add_argument("--server", type=Path, metavar="FILE", help="a nats-server of your own")
    parser.add_argument("--stay", action="store_true", help="keep page and processes until Ctrl-C")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo to its summary; returns 0, or 1 if something receipted was lost or doubled.

    Raises:
        UsageError: an option, a file or a port is not usable.
        EnvironmentFault: this machine lacks something.
    """
    if not 0.0 < arguments.speed <= SPEED_MAX:
        raise UsageError(f"speed {arguments.speed:g}", "--speed", f"above 0, at most {SPEED_MAX:g}")
    if arguments.json is not None and not arguments.json.resolve().parent.is_dir():
        raise UsageError("no such folder", f"--json {arguments.json}", "a file in a folder that exists")
    return asyncio.run(_Demo(arguments).run())


class _Demo:
    """One run: what was asked for and what has been made of it so far."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from beaconfire.sim.catalogue import find_launch  # noqa: PLC0415 - not for --help
        from beaconfire.sim.flights import flight_of_launch  # noqa: PLC0415

        self.arguments = arguments
        self.sharing = Sharing(arguments.sharing)
        self.console = Console(force_terminal=False if arguments.headless else None)
        self.flight = flight_of_launch(find_launch(arguments.flight))
        self.sensors = read_sensors(arguments.sensors) if arguments.sensors else shipped_sensors()
        self.places = read_places(arguments.places) if arguments.places else shipped_places()
        self.nations = tuple(sorted({sensor.nation for sensor in self.sensors}))
        self.directory = arguments.recording or _new_recording(arguments.flight)
        self.stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        installation = self._install()
        with TerminalView(self.nations, self.console) as view:
            view.note("reconstructing the flight from public figures")
            building = asyncio.create_task(asyncio.to_thread(self._build_world))
            supervisor = Supervisor(installation, progress=view.note, server=self.arguments.server)
            rehearsal = Rehearsal(installation, supervisor)
            try:
                observer = await rehearsal.begin(self._facts())
                world = await building
                self._show_page(installation, view)
                outcome = await rehearsal.fly(self._feeds(world), view.update, self.stop)
                if self._stays():
                    view.note(f"over; the page stays at {_page(installation)} until Ctrl-C")
                    await rehearsal.look_on(view.update, self.stop)
            finally:
                building.cancel()
                await rehearsal.end()
        return self._conclude(world, installation, observer, outcome)

    def _install(self) -> Installation:
        lead_s = max(LEAD_EVENT_S, LEAD_WALL_S * self.arguments.speed)
        start_us = self.flight.launched_at_us - microseconds_from_seconds(lead_s)
        return make_installation(
            self.directory,
            nations=self.nations,
            sensors=self.arguments.sensors,
            places=self.arguments.places,
            sharing=self.sharing,
            clock=ClockPlan(start_us, self.arguments.speed),
        )

    def _build_world(self) -> "World":
        from beaconfire.sim.world import build_world  # noqa: PLC0415 - heavy, and not before it is needed

        return build_world([self.flight], self.sensors, self.arguments.seed)

    def _facts(self) -> dict[Nation, DisplayFacts]:
        facts = DisplayFacts(places=self.places, sensors=self.sensors, in_force=self.sharing)
        return dict.fromkeys(self.nations, facts)

    def _feeds(self, world: "World") -> Flown:
        feeds: dict[Nation, Path] = {}
        for nation in self.nations:
            feeds[nation] = self.directory / nation / FEED_FILE
            write_whole(self.directory / nation, {FEED_FILE: _lines(world.detections_of(nation))})
        write_whole(self.directory, {FEED_FILE: _lines(world.detections)})
        return Flown(feeds, world.first_launch_us, world.last_impact_us)

    def _has_browser(self) -> bool:
        if self.arguments.headless or not sys.stdout.isatty():
            return False
        if sys.platform.startswith("linux") and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            return False
        try:
            webbrowser.get()
        except webbrowser.Error:
            return False
        return True

    def _stays(self) -> bool:
        return bool(self.arguments.stay or self._has_browser()) and not self.stop.is_set()

    def _show_page(self, installation: Installation, view: TerminalView) -> None:
        page = _page(installation)
        view.note(f"{SHOWN_NATION}'s display: {page}  (others: {_other_pages(installation)})")
        if self._has_browser():
            webbrowser.open(page)

    def _conclude(
        self, world: "World", installation: Installation, observer: "Observer", outcome: Outcome
    ) -> int:
        from beaconfire.analysis.summary import format_summary  # noqa: PLC0415 - for the end only
        from beaconfire.analysis.table import summary_table  # noqa: PLC0415

        summary = self._summary(world, installation, observer)
        self.console.print(summary_table(summary))
        text = format_summary(summary)
        for path in (self.arguments.json, self.directory / "summary.json"):
            if path is not None:
                write_whole(path.parent, {path.name: [text]})
        for nation in self.nations:
            events = journalled_events(installation, nation)
            lines = [format_event(event) + b"\n" for event in events]
            write_whole(self.directory / nation, {"events.jsonl": lines})
        for name, count in outcome.restarts.items():
            self._say(f"{name} was started again {count} time(s)")
        self._say(f"recording: {self.directory}\nreplay it: beaconfire replay {self.directory}")
        return 1 if summary.lost or summary.doubled else 0

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _summary(self, world: "World", installation: Installation, observer: "Observer") -> "Summary":
        from beaconfire.analysis import summary as analysis  # noqa: PLC0415 - for the end only

        setting = analysis.Setting(
            sharing=self.sharing.value, launch_us=world.first_launch_us, speed=self.arguments.speed
        )
        found = reconcile(installation)
        counts = analysis.Counts(found.released, found.refused, found.lost, found.doubled)
        heard = observer.events
        latencies = [
            age
            for nation in self.nations
            for age in analysis.link_latencies_ms(
                (event for event in heard[nation] if event.sharing is None), self.arguments.speed
            )
        ]
        runs = {nation: analysis.by_sharing(heard[nation], self.sharing) for nation in self.nations}
        return analysis.summarise(runs, setting, counts, latencies)


def _lines(detections: Sequence[Detection]) -> list[bytes]:
    return [format_detection(one) + b"\n" for one in detections]


def _page(installation: Installation) -> str:
    shown = SHOWN_NATION if SHOWN_NATION in installation.nations else installation.nations[0]
    return f"http://127.0.0.1:{installation.web_ports[shown]}/"


def _other_pages(installation: Installation) -> str:
    page = _page(installation)
    urls = {nation: f"http://127.0.0.1:{port}/" for nation, port in installation.web_ports.items()}
    return ", ".join(f"{nation} {url}" for nation, url in urls.items() if url != page)


def recordings_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where recordings are kept unless told otherwise: the user's state folder."""
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "beaconfire" / "recordings"


def _new_recording(flight: str) -> Path:
    """Return a new folder for a recording; of those kept there, the oldest over the limit go."""
    folder = recordings_folder()
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    held = sorted(folder.glob("*Z-*"))
    for old in held[: max(0, len(held) + 1 - RECORDINGS_MAX)]:
        with contextlib.suppress(OSError):
            shutil.rmtree(old)
    return folder / f"{stamp}Z-{flight}-{os.getpid()}"
