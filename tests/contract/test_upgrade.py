"""An installation is upgraded while it works, and half of it back; killed again and again it needs no hand.

Real servers and processes, every one at the link schema before at first. What was acknowledged, lost and
doubled is read from the journals afterwards.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.fault_turns import EVERY_ROLE, hold_back, restarts_for, upgrade_of
from beaconfire.adapters.installation import Installation, make_installation, read_installation
from beaconfire.adapters.journal import recorded_inputs
from beaconfire.adapters.wiring import Role
from beaconfire.messages.codec import decode
from beaconfire.messages.health import Notice
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB_INSTANCES, LINK_SCHEMA, LINK_SCHEMA_BEFORE, ClockQuality, Nation

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))


def _campaign(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "beaconfire.cli.main", "campaign", *words, "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=270)
    assert done.returncode == 0, done.stderr.decode()[-2_000:] + done.stdout.decode()[-500:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _clocks(made: Installation, nation: str) -> list[ClockQuality | None]:
    """Return what each delivery to a nation's picture said of clocks, in order."""
    inputs = recorded_inputs(made.journal(Role.PICTURE, nation))
    messages = [decode(one.body) for one in inputs if one.channel == "to-nation"]
    return [one.clock for one in messages if isinstance(one, Delivery)]


NAMING_A_HUB = frozenset({"hub-instance-down", "unreceipted", "receipted-again"})


def _named(made: Installation, nation: str) -> list[tuple[int, bool]]:
    """Return when a nation's display was told something of one instance of the hub, and whether of which."""
    inputs = recorded_inputs(made.journal(Role.DISPLAY, nation))
    told = [(one.utc_us, decode(one.body)) for one in inputs if one.channel == "notice"]
    return [
        (at_us, one.arguments is not None)
        for at_us, one in told
        if isinstance(one, Notice) and one.code in NAMING_A_HUB
    ]


def _turn_of(found: dict[str, Any], nation: str) -> tuple[int, int]:
    """Return when the first node of a nation that tells its display things was upgraded, and the last."""
    turns = [one for one in found["trials"] if one["place"] in {f"guard/{nation}", f"picture/{nation}"}]
    newer = [one for one in turns if one["kind"] == f"schema {LINK_SCHEMA}"]
    return min(one["began_us"] for one in newer), max(one["ended_us"] for one in newer)


@pytest.mark.real
@pytest.mark.timeout(280)
def test_upgrade_one_process_after_the_other_and_half_back_loses_nothing(tmp_path: Path) -> None:
    found = _campaign("upgrade", "--keep", str(tmp_path / "here"))
    assert found["lost"] == found["missing"] == found["doubled"] == 0
    ways = 2 * found["acknowledged"]
    assert found["arrived"] + found["replaced"] == ways > 200, "each goes to two others, none is missing"
    assert found["replaced"] <= ways // 20, "nearly all go FLASH: a guard that was down never got one between"
    assert all(one["gap_ms"] is not None for one in found["trials"]), "reports went on arriving"
    made = read_installation(tmp_path / "here")
    upgraded, back, behind = (_clocks(made, nation) for nation in NATIONS)
    assert upgraded[0] is None
    assert ClockQuality.GOOD in upgraded[-20:], "upgraded for good: the other instance still speaks the newer"
    assert ClockQuality.GOOD in back
    assert set(back[-20:]) == {None}, "what went back is sent what it reads"
    assert set(behind) == {None}
    first_us, last_us = _turn_of(found, NATIONS[0])
    for at_us, with_name in _named(made, NATIONS[0]):
        assert with_name is (at_us > last_us) or first_us <= at_us <= last_us, "its display went first"
    behind_named = [with_name for _, with_name in _named(made, NATIONS[2])]
    assert not any(behind_named), "it is told without what it would refuse"


@pytest.mark.real
@pytest.mark.timeout(280)
def test_kills_in_a_row_of_a_process_of_every_kind_need_no_hand() -> None:
    nation = [f"{role}/KOR" for role in ("national", "guard", "picture", "warning", "display")]
    places = ["hub/HUB-1", *nation, "server/HUB-2"]
    found = _campaign("restarts", "--count", "2", "--only", *places)
    assert [one["place"] for one in found["trials"]] == places
    assert found["lost"] == found["missing"] == found["doubled"] == 0
    assert found["acknowledged"] > 100
    assert all(one["gap_ms"] is not None for one in found["trials"]), "reports went on arriving"
    backs = {one["place"]: one["comeback"] for one in found["trials"]}
    assert backs.pop("server/HUB-2") is None, "a server keeps no journal; that reports arrived says it"
    assert all(one["after_ms"] is not None and one["goes_on"] for one in backs.values())


def test_every_process_and_server_has_its_restarts_and_an_upgrade_leaves_one_nation_behind(
    tmp_path: Path,
) -> None:
    made = make_installation(tmp_path / "here", nations=NATIONS)
    places = {one.place for one in restarts_for(made, 20)}
    assert places >= {f"{kind}/{hub}" for kind in ("hub", "server") for hub in HUB_INSTANCES}
    assert places >= {f"{kind}/{one}" for kind in (*EVERY_ROLE - {"hub"}, "server") for one in NATIONS}
    hold_back(made)
    assert {read_config(one.config).config.schema for one in made.processes} == {LINK_SCHEMA_BEFORE}
    turns = [one.place for one in upgrade_of(made)]
    assert {one.split("/")[1] for one in turns} == {*HUB_INSTANCES, *NATIONS[:2]}
    for end in (*HUB_INSTANCES, *NATIONS[:2]):
        of_end = [one for one in turns if one.endswith(end) and not one.startswith("server/")]
        assert of_end[0] == f"display/{end}", "it reads what the others will write before they write it"
