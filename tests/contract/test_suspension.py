"""A party's word on real servers: from its operator to its own guard, to the hub, to the other parties."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.installation import Installation, make_installation
from beaconfire.adapters.journal import InputKind, recorded_inputs
from beaconfire.adapters.wiring import Role
from beaconfire.cli.main import main
from beaconfire.errors import UsageError
from beaconfire.messages.codec import decode
from beaconfire.messages.transfer import Suspension
from beaconfire.messages.words import Nation
from real_servers import RealServers

pytestmark = pytest.mark.real

GUARDS = ("guard/KOR", "guard/JPN")
PATIENCE_S = 60.0


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    return make_installation(tmp_path / "here", nations=[Nation("JPN"), Nation("KOR"), Nation("USA")])


@pytest.fixture
def running(made: Installation) -> Iterator[Installation]:
    servers = RealServers(made)
    processes: list[subprocess.Popen[str]] = []
    try:
        for party in (*made.hubs, "JPN", "KOR"):
            servers.start(party)
        for name in (*(f"hub/{hub}" for hub in made.hubs), *GUARDS):
            config = next(one.config for one in made.processes if one.name == name)
            role = name.partition("/")[0]
            command = [sys.executable, "-m", "beaconfire.cli.main", "run", role, "--config", str(config)]
            processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield made
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=30)
        servers.stop()


def operator(made: Installation, nation: str = "KOR") -> list[str]:
    return ["--config", str(made.directory / nation / f"{Role.OPERATOR.value}.json")]


def words_heard(made: Installation, role: Role, party: str) -> list[Suspension]:
    """Return the words that a node was given, by its own recording."""
    try:
        inputs = [one for one in recorded_inputs(made.journal(role, party)) if one.kind is InputKind.RECEIVE]
    except UsageError:
        return []
    return [said for one in inputs if isinstance(said := decode(one.body), Suspension)]


def until_heard(made: Installation, role: Role, party: str, *, suspended: bool) -> Suspension:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        heard = [one for one in words_heard(made, role, party) if one.suspended is suspended]
        if heard:
            return heard[-1]
        time.sleep(0.05)
    raise AssertionError(f"{role}/{party} never heard of it")


def test_a_suspension_reaches_its_own_guard_the_hub_and_the_other_party(
    running: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["arrangement", "suspend", "trilateral", *operator(running)]) == 0
    assert "trilateral suspended by KOR: its guard confirmed after" in capsys.readouterr().out
    for role, party in (*((Role.HUB, hub) for hub in running.hubs), (Role.GUARD, "JPN")):
        said = until_heard(running, role, party, suspended=True)
        assert (said.party, said.arrangement) == ("KOR", "trilateral")
    assert main(["arrangement", "resume", "trilateral", *operator(running)]) == 0
    until_heard(running, Role.GUARD, "JPN", suspended=False)


def test_what_the_guard_does_not_hold_it_refuses(
    running: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["arrangement", "suspend", "quadrilateral", *operator(running)]) == 2
    assert "quadrilateral: the guard of KOR does not hold it" in capsys.readouterr().err


def test_without_a_guard_the_operator_is_told_so(
    made: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = RealServers(made)
    try:
        servers.start("KOR")
        assert main(["arrangement", "suspend", "trilateral", *operator(made)]) == 2
    finally:
        servers.stop()
    assert "the guard of KOR did not confirm" in capsys.readouterr().err
