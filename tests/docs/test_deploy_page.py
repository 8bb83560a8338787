"""`docs/deploy-one-nation.md` is walked: its units are valid, its commands run, and its three steps hold.

Shadow, exercise and live are each made, started from the command in the unit, fed for a moment and ended;
what was released is read from the journals.
"""

import configparser
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.fault_turns import ROLES
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.loopback import Loopback
from beaconfire.adapters.ordeal import Ordeal, Outcome, Pace
from beaconfire.adapters.wiring import Role
from beaconfire.cli.campaign_faults import NATIONS, notional_report
from beaconfire.cli.run import ROLES as RUN_ROLES
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.words import HUB, Mode, Sharing
from beaconfire.release.arrangements import make_bundle
from beaconfire.release.keys import SigningKey

SOON = Pace(0.0, 0.0, 2.0)
STEPS = [(Mode.TEST, Sharing.ALONE), (Mode.EXERCISE, Sharing.TRILATERAL), (Mode.REAL, Sharing.TRILATERAL)]


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "deploy-one-nation.md").read_text()


@pytest.fixture(scope="module")
def units(page: str) -> list[str]:
    return re.findall(r"```ini\n(.*?)```", page, re.DOTALL)


def _parsed(unit: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit)
    return parser


def test_units_restart_without_end_as_a_user_of_their_own_and_write_in_one_place(units: list[str]) -> None:
    assert len(units) == 2
    for unit in map(_parsed, units):
        assert unit["Unit"]["StartLimitIntervalSec"] == "0", "in [Service] systemd ignores it"
        service = unit["Service"]
        assert service["Restart"] == "always"
        assert service["User"] == "beaconfire"
        assert service["ReadWritePaths"] == service["WorkingDirectory"]
        assert service["NoNewPrivileges"] == "true"


def test_command_of_the_unit_is_one_that_runs_every_role(units: list[str]) -> None:
    words = _parsed(units[0])["Service"]["ExecStart"].split()
    assert words[1:] == ["run", "%i", "--config", "/var/lib/beaconfire/KOR/%i.json"]
    for role in RUN_ROLES:
        command = [sys.executable, "-m", "beaconfire.cli.main", "run", role, "--config", "/nowhere.json"]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 2
        assert b"/nowhere.json" in done.stderr, "the role is known; only the file is not there"


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="NOT SHOWN HERE: units as systemd reads them",
)
def test_systemd_finds_nothing_wrong_with_the_units(units: list[str], tmp_path: Path) -> None:
    program = shutil.which("true")
    for name, unit in zip(("beaconfire@.service", "beaconfire-server.service"), units, strict=True):
        text = re.sub(r"ExecStart=\S+", f"ExecStart={program}", unit).replace("User=beaconfire", "User=root")
        (tmp_path / name).write_text(text)
    planted = "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\nStartLimitIntervalSec=0\nNonsense=1\n"
    (tmp_path / "planted.service").write_text(planted)
    for name, is_flawed in (
        ("beaconfire@guard.service", False),
        ("beaconfire-server.service", False),
        ("planted.service", True),
    ):
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        said = [
            line
            for line in done.stderr.decode().splitlines()
            if str(tmp_path) in line or "beaconfire" in line
        ]
        assert bool(said) is is_flawed, said


def test_every_notice_that_the_page_explains_is_one_that_the_program_gives(page: str) -> None:
    codes = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert len(codes) >= 8
    source = "\n".join(one.read_text() for one in (Path(__file__).parents[2] / "src").rglob("*.py"))
    missing = [
        code for code in codes if f'"{code}"' not in source and f'"{code.split("-")[0]}-' not in source
    ]
    assert not missing


@pytest.fixture(params=STEPS, ids=lambda step: step[0].value)
def step(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Mode, Installation]:
    mode, sharing = request.param
    options = Options(mode=mode, hubs=(HUB,))
    made = make_installation(tmp_path / mode.value, nations=NATIONS, sharing=sharing, options=options)
    if mode is Mode.REAL:
        _agree_for_live(made)
    return mode, made


def _agree_for_live(made: Installation) -> None:
    """Put an arrangement of the parties' own in the place of the shipped ones, which forbid live data."""
    folder = made.directory / "arrangements"
    for old in folder.iterdir():
        old.unlink()
    seeds = {
        party: (made.directory / party / "keys" / "signing.hex").read_text() for party in (*NATIONS, HUB)
    }
    keys = [SigningKey(party, KeyClass.LIVE, bytes.fromhex(seed)) for party, seed in seeds.items()]
    shipped = shipped_templates()["trilateral"]
    modes = '["SIMULATED", "EXERCISE", "TEST"]'
    assert modes in shipped.policies
    own = msgspec.structs.replace(shipped, policies=shipped.policies.replace(modes, '["REAL"]'))
    now_us = wall_now_us()
    bundle = make_bundle(own, keys, valid_from_us=now_us - 10**9, valid_until_us=now_us + 10**12)
    (folder / "trilateral.bundle.json").write_bytes(msgspec.json.encode(bundle))


def _lived(mode: Mode, made: Installation) -> Outcome:
    maker = partial(notional_report, mode=mode)
    return Ordeal(made, Loopback(made, ROLES), maker, SOON).run([], lambda _: None)


@pytest.mark.real
@pytest.mark.timeout(200)
def test_shadow_releases_nothing_exercise_and_live_reach_both_partners(
    step: tuple[Mode, Installation],
) -> None:
    mode, made = step
    doctor = ["doctor", "--server-configuration", str(made.servers[0].config)]
    program = [sys.executable, "-m", "beaconfire.cli.main"]
    done = subprocess.run([*program, *doctor], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()[-800:] + done.stderr.decode()[-800:]
    outcome = _lived(mode, made)
    assert outcome.given > 20
    assert outcome.lost == outcome.doubled == 0
    if mode is Mode.TEST:
        assert outcome.arrived == 0, "no partner stands in any arrangement"
    elif mode is Mode.EXERCISE:
        assert outcome.arrived == 2 * outcome.given
    else:
        assert outcome.arrived == outcome.acknowledged > 20, "the own arrangement joins two of the three"
    for journal in (made.journal(role, party) for role, party in _audited(made)):
        command = [sys.executable, "-m", "beaconfire.cli.main", "audit", "verify", str(journal)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode()[-800:] + done.stderr.decode()[-800:]


def _audited(made: Installation) -> list[tuple[Role, str]]:
    return [(one.role, one.party) for one in made.processes if one.role.value in {"hub", "guard"}]
