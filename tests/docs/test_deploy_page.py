"""`docs/deploy-one-nation.md` is walked: its commands run as they stand there, its units what they made.

Two nations and two instances of the hub are set up, in folders that share nothing but the cards handed over,
and taken through shadow and exercise to live, all on mutual TLS, and back; what was released is read from the
journals. What starts the units is a stand-in for systemd, which itself is only asked whether it takes them.
"""

import configparser
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import pytest

from beaconfire.adapters.bundles import shipped_templates
from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.configuration import key_class_of, read_config
from beaconfire.adapters.fault_turns import ROLES, Fault
from beaconfire.adapters.ordeal import Ordeal, Outcome, Pace
from beaconfire.adapters.units import unit_files
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.cli.run import ROLES as RUN_ROLES
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode, Nation
from beaconfire.release.arrangements import make_bundle
from beaconfire.release.keys import SigningKey
from docs.walk import NATIONS, STEPS, Program, Step, run

PAGE: Final = Path(__file__).parents[2] / "docs" / "deploy-one-nation.md"
KOR: Final = Nation("KOR")
SOON: Final = Pace(2.5, 1.0, 3.0)


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


@pytest.fixture(scope="module")
def units() -> dict[str, str]:
    return unit_files(
        Path("/var/lib/beaconfire/KOR"), "KOR", "beaconfire", "/opt/beaconfire/current", ("server",)
    )


def _parsed(unit: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit)
    return parser


def test_units_restart_without_end_as_a_user_of_their_own_and_write_in_one_place(
    units: dict[str, str],
) -> None:
    assert len(units) == 2
    for unit in map(_parsed, units.values()):
        assert unit["Unit"]["StartLimitIntervalSec"] == "0", "in [Service] systemd ignores it"
        service = unit["Service"]
        assert service["Restart"] == "always"
        assert service["User"] == "beaconfire"
        assert service["ReadWritePaths"] == service["WorkingDirectory"]
        assert service["NoNewPrivileges"] == "true"


def test_command_of_the_unit_is_one_that_runs_every_role(units: dict[str, str]) -> None:
    words = _parsed(units["beaconfire@.service"])["Service"]["ExecStart"].split()
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
def test_systemd_finds_nothing_wrong_with_the_units(units: dict[str, str], tmp_path: Path) -> None:
    program = shutil.which("true")
    for name, unit in units.items():
        text = re.sub(r"(Exec\w+)=\S+", rf"\1={program}", unit).replace("User=beaconfire", "User=root")
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


def _agree(step: Step) -> None:
    """Have all sign an arrangement, with keys that stay where they are, and hand the bundle to everybody."""
    template = shipped_templates()["trilateral"]
    modes = '["SIMULATED", "EXERCISE", "TEST"]'
    assert modes in template.policies, "what ships forbids live data"
    policies = template.policies.replace(modes, f'["{step.mode.value}"]')
    template = msgspec.structs.replace(template, policies=policies, parties=NATIONS, required_signers=NATIONS)
    keys = []
    for party, end in ((HUB, HUB_INSTANCES[0]), *zip(NATIONS, NATIONS, strict=True)):
        seed = (step.end(end) / "keys" / "signing.hex").read_text()
        keys.append(SigningKey(party, key_class_of(step.mode), bytes.fromhex(seed)))
    now_us = wall_now_us()
    bundle = make_bundle(template, keys, valid_from_us=now_us - 10**9, valid_until_us=now_us + 10**12)
    for party in (HUB, *NATIONS):
        place = step.side(party) / "arrangements"
        place.mkdir()
        (place / "trilateral.bundle.json").write_bytes(msgspec.json.encode(bundle))


def _lived(step: Step, faults: list[Fault], program: Program | None = None) -> Outcome:
    """Start all units, feed the guards for a while and end; at the first fault take the version before."""
    made = step.installation()

    def before(_fault: Fault) -> None:
        """Point `current` back."""
        if program is not None:
            program.use("0.0")

    maker = partial(notional_report, mode=step.mode)
    every = KOR if step.mode is Mode.REAL else None
    return Ordeal(made, step.started(ROLES, every), maker, SOON).run(faults, before)


def _is_encrypted_everywhere(step: Step) -> bool:
    configs = [read_config(one.config).config for one in step.installation().processes]
    return all(
        url.startswith("tls://") for one in configs for end in one.endpoints for url in (end.url, *end.also)
    )


@pytest.mark.real
@pytest.mark.timeout(280)
def test_the_page_leads_from_shadow_through_exercise_to_live_and_back(page: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "opt")
    steps = {
        mode: Step(page, mode, tmp_path / name, tmp_path / "opt/current") for mode, name in STEPS.items()
    }
    for mode, step in steps.items():
        step.set_up()
        assert _is_encrypted_everywhere(step)
        if mode is not Mode.TEST:
            _agree(step)
            step.write_again()
        restarts = [Fault("restart", f"picture/{KOR}"), Fault("restart", f"guard/{KOR}")]
        outcome = _lived(step, restarts if mode is Mode.REAL else [], program)
        assert outcome.given > 20
        assert outcome.lost == outcome.missing == outcome.doubled == 0
        left = 0 if mode is Mode.TEST else outcome.given
        assert outcome.acknowledged == left, "nothing leaves, or everything does"
        assert outcome.arrived + outcome.replaced == left, "and gets to the one partner"
        assert outcome.replaced <= left // 10
        _audit(step)
    assert [one.split()[0] for one in program.ran("0.0")] == ["picture", "guard"], "taken back in live"
    assert not any("live" in one for one in program.ran("0.1")[:8]), "shadow came first"
    again = _lived(steps[Mode.EXERCISE], [])
    assert again.lost == again.missing == again.doubled == 0
    assert again.arrived + again.replaced == again.given > 40, "back in the exercise, where it was left"


def _audit(step: Step) -> None:
    for end in (*HUB_INSTANCES, *NATIONS):
        name = "hub.journal" if end in HUB_INSTANCES else "guard.journal"
        run(["audit", "verify", str(step.end(end) / name)])
