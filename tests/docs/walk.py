"""Everybody's machines in one folder: the commands of a page are run on them as they stand there.

Only what the page says goes from one to another: cards, and fingerprints as they were printed.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from beaconfire.adapters.arena import Runner
from beaconfire.adapters.installation import Installation, ProcessEntry, ServerEntry
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.servers import check_server, free_ports
from beaconfire.adapters.wiring import Role
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode, Nation, Sharing, is_hub

PROGRAM: Final = (sys.executable, "-m", "beaconfire.cli.main")
STEPS: Final = {Mode.TEST: "shadow", Mode.EXERCISE: "exercise", Mode.REAL: "live"}
NATIONS: Final = (Nation("JPN"), Nation("KOR"))
PLACE: Final = "/var/lib/beaconfire/"
OWN_PORTS: Final = ("--server", "--feed", "--page")


def commands_of(page: str) -> list[list[str]]:
    """Return the words of every command of the program on a page, without its name."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("beaconfire ")]


def run(words: Sequence[str]) -> str:
    """Run a command of the program that must succeed, and return what it printed."""
    done = subprocess.run([*PROGRAM, *words], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (words, done.stdout.decode()[-800:], done.stderr.decode()[-800:])
    return done.stdout.decode()


class Program:
    """The folders of two versions of the program, and the link that says which is in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for version in ("0.0", "0.1"):
            place = folder / version / "bin"
            place.mkdir(parents=True)
            program = place / "beaconfire"
            said = f'echo "$2 $4" >>{folder / version}/ran'
            program.write_text(f'#!/bin/sh\n{said}\nexec {shlex.join(PROGRAM)} "$@"\n')
            program.chmod(0o755)
            (place / "nats-server").symlink_to(check_server())
        self.use("0.1")

    def use(self, version: str) -> None:
        """Point `current` at a version."""
        (self.folder / "new").symlink_to(version)
        (self.folder / "new").rename(self.folder / "current")

    def ran(self, version: str) -> list[str]:
        """Return what was started with a version: role and file."""
        said = self.folder / version / "ran"
        return said.read_text().splitlines() if said.exists() else []


class Step:
    """One step of the page: the hub and two nations in one mode."""

    def __init__(self, page: str, mode: Mode, folder: Path, program: Path) -> None:
        self.mode, self.folder, self.program = mode, folder, program
        self._commands = commands_of(page)
        self._marks: dict[str, str] = {}
        names = (*HUB_INSTANCES, *NATIONS)
        ports = iter(free_ports(len(names) + 2 * len(NATIONS)))
        self.ports = dict(zip(names, ports, strict=False))
        self._more = dict(zip(NATIONS, zip(ports, ports, strict=True), strict=True))

    def side(self, party: str) -> Path:
        """Return a party's folder."""
        return self.folder / party / "side"

    def end(self, end: str) -> Path:
        """Return the folder of a nation or of an instance of the hub."""
        return self.side(HUB) / end if is_hub(end) else self.side(end)

    def set_up(self) -> None:
        """Make everybody's side by the page's commands: keys, cards handed over and accepted, all written."""
        for party in (HUB, *NATIONS):
            self._marks[party] = run(self._make(party)).split()[-1]
        for party in (HUB, *NATIONS):
            for words in self._others(party):
                run(words)

    def write_again(self) -> None:
        """Write everybody's side again, as the page has it done after a bundle was put in place."""
        for party in (HUB, *NATIONS):
            for words in self._others(party):
                if words[1] == "write":
                    run(words)

    def _make(self, party: str) -> list[str]:
        """Return the command by which a party makes its keys; the page says each for KOR or the hub."""
        mode = Mode.TEST if party == HUB else self.mode
        named = HUB if party == HUB else "KOR"
        found = [one for one in self._commands if one[:3] == ["setup", "make", named] and mode.value in one]
        assert len(found) == 1, f"the page says once how {named} is made in {mode}"
        words = [self._said(word, party) for word in found[0]]
        words[words.index("--mode") + 1] = self.mode.value
        if party != HUB:
            words = list(_without(words, OWN_PORTS))
            feed, shown = self._more[Nation(party)]
            address = f"127.0.0.1:{self.ports[party]}"
            words += ["--server", address, "--feed", f"127.0.0.1:{feed}", "--page", str(shown)]
        return [*words, "--program", str(self.program)]

    def _others(self, party: str) -> Iterator[list[str]]:
        """Yield what a party does afterwards: it accepts cards, writes its side and has it looked at."""
        place = f"{PLACE}hub" if party == HUB else f"{PLACE}shadow"
        for one in self._commands:
            if not any(word.startswith(place) for word in one) or one[1] == "make":
                continue
            for card in self._cards(one, party):
                words = [self._said(word, party) for word in one]
                words = [self._handed(card) if word.endswith(".card.json") else word for word in words]
                yield [self._marks[card] if word == "FINGERPRINT" else word for word in words]

    def _cards(self, command: list[str], party: str) -> Sequence[str]:
        """Return whose cards a command is run with: the page shows one nation, and one partner."""
        if command[1] != "accept":
            return (party,)
        if party == HUB:
            return NATIONS
        return (HUB,) if command[3].startswith(HUB) else [one for one in NATIONS if one != party]

    def _said(self, word: str, party: str) -> str:
        """Return a word of the page as it is for a party: other places, names and ports."""
        for name in ("hub", *STEPS.values()):
            word = word.replace(PLACE + name, str(self.side(party)))
        for number, instance in enumerate(HUB_INSTANCES, 1):
            word = word.replace(f"hub{number}.example:4300", f"127.0.0.1:{self.ports[instance]}")
        return party if word == "KOR" else word

    def _handed(self, party: str) -> str:
        """Copy a card to where the others take it from: all that leaves a party's machine."""
        place = self.folder / "handed"
        place.mkdir(exist_ok=True)
        return str(shutil.copy(self.side(party) / f"{party}.card.json", place))

    def installation(self) -> Installation:
        """Return all sides as one installation, for whoever feeds it and reads its journals."""
        view = self.folder / "view"
        view.mkdir(exist_ok=True)
        for end in self.ports:
            if not (view / end).exists():
                (view / end).symlink_to(self.end(end))
        servers, processes = [], []
        for end, port in self.ports.items():
            held = view / end
            servers.append(ServerEntry(end, held / "server.conf", held / "server.log", port, encrypted=True))
            processes += [
                ProcessEntry(role, end, held / f"{role.value}.json")
                for role in Role
                if (held / f"{role.value}.json").exists() and role is not Role.OPERATOR
            ]
        return Installation(
            directory=view,
            nations=NATIONS,
            sharing=Sharing.TRILATERAL,
            servers=tuple(servers),
            processes=tuple(processes),
            feed_ports={},
            web_ports={},
            hubs=HUB_INSTANCES,
        )

    def started(self, roles: frozenset[str], full: Nation | None) -> Loopback:
        """Return all processes of these roles, of one nation every one, each by the command in its unit."""
        made = self.installation()
        chosen = [one for one in made.processes if one.role.value in roles or one.party == full]
        arena = Loopback(made, roles)
        arena.runners = {
            one.name: _runner(self.end(one.party), one.name, one.role.value) for one in chosen
        } | {one.name: _runner(self.end(one.party), one.name, "") for one in made.servers}
        return arena


def _runner(folder: Path, name: str, role: str) -> Runner:
    """Return what stands in for systemd with one unit: its command, started again whenever it has ended."""
    found = [one for one in (folder / "units").iterdir() if ("@" in one.name) is bool(role)]
    assert len(found) == 1
    command = re.findall(r"^ExecStart=(.*)$", found[0].read_text(), re.MULTILINE)
    words = command[0].replace("%i", role).split()
    return Runner(name, words, folder / f"{role or 'server'}.out")


def _without(words: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Yield the words without these options and the one value of each."""
    skipped = 0
    for word in words:
        skipped = 2 if word in options else max(0, skipped - 1)
        if not skipped:
            yield word
