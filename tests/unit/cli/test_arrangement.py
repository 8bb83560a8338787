"""The verb `arrangement`: read, change, prove, compare, negotiate, sign and stop."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beaconfire.adapters.installation import make_installation
from beaconfire.adapters.journal import InputKind, Journal, RecordedInput
from beaconfire.adapters.wiring import Role
from beaconfire.cli.main import main
from beaconfire.formats.label_xml import label_to_xml
from beaconfire.messages.codec import encode
from beaconfire.messages.label import Label
from beaconfire.messages.words import HUB, Level, Phase
from beaconfire.nodes.commands import Channel
from release_world import JPN, KOR, T0_US, USA, report

PARTIES = ("USA", "JPN", "KOR", HUB)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a way to run an action: status, and what was printed on either stream."""

    def run(*words: object) -> tuple[int, str]:
        status = main(["arrangement", *map(str, words)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    for party in PARTIES:
        assert main(["keys", "make", party, "--out", str(tmp_path / "keys")]) == 0
    capsys.readouterr()
    return tmp_path / "keys"


def public(keys: Path) -> list[Path]:
    return [keys / f"{party}.public.json" for party in PARTIES]


def by(keys: Path, party: str) -> list[object]:
    return ["--party", party, "--key", keys / f"{party}.seed"]


def rows(printed: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed.strip().splitlines()[-1])
    return found


def changed(run: Run, folder: Path, old: str, new: str) -> Path:
    """Write the shipped trilateral one as a template with a piece of its policies replaced."""
    assert run("show", "trilateral", "--write", folder)[0] == 0
    cedar = folder / "trilateral.cedar"
    assert old in cedar.read_text()
    cedar.write_text(cedar.read_text().replace(old, new))
    return folder / "trilateral.toml"


def test_from_a_proposal_to_force_to_its_end(run: Run, keys: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.bundle.json", tmp_path / "2.bundle.json"
    proposal = ["propose", "trilateral", "--public", *public(keys), *by(keys, "USA"), "--out", first]
    assert run(*proposal)[0] == 0
    status, printed = run("status", first, "--json")
    assert status == 1
    assert [(one["stage"], one["open"]) for one in rows(printed)] == [("proposed", ["JPN", "KOR"])]
    counter = run("counter", first, *by(keys, "JPN"), "--days", 10, "--out", second)
    assert counter == (0, f"{second}: trilateral version 2, counters version 1 by JPN\n")
    for party in ("USA", "KOR"):
        assert run("sign", second, *by(keys, party))[0] == 0
    status, printed = run("status", first, second, "--json")
    assert status == 0
    assert [one["stage"] for one in rows(printed)] == ["countered", "in force"]
    assert run("check", second, "--after", first)[0] == 0
    assert "would roll back" in run("check", first, "--after", second)[1]
    word = tmp_path / "kor.word.json"
    assert run("suspend", "trilateral", *by(keys, "KOR"), "--out", word)[0] == 0
    (stopped,) = [one for one in rows(run("status", tmp_path, "--json")[1]) if one["version"] == 2]
    assert (stopped["stage"], stopped["because"]) == ("suspended", "by KOR")
    leaving = run("withdraw", second, *by(keys, "JPN"), "--out", tmp_path / "jpn.word.json")
    assert leaving[0] == 0
    (ended,) = [one for one in rows(run("status", tmp_path, "--json")[1]) if one["version"] == 2]
    assert (ended["stage"], ended["because"]) == ("withdrawn", "by JPN")


def test_what_can_not_be_proved_is_neither_proposed_nor_countered(
    run: Run, keys: Path, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.bundle.json", tmp_path / "bad.bundle.json"
    terms = changed(run, tmp_path / "terms", "context.releasable_to.contains(principal) &&", "")
    proposal = ["--public", *public(keys), *by(keys, "USA"), "--out"]
    status, printed = run("propose", terms, *proposal, bad)
    assert status == 1
    assert "not signed: releasable_to" in printed
    assert not bad.exists()
    assert run("propose", "trilateral", *proposal, good)[0] == 0
    assert run("counter", good, "--terms", terms, *by(keys, "JPN"), "--out", bad)[0] == 1
    assert not bad.exists()


def test_a_key_of_somebody_else_and_a_file_that_is_there(run: Run, keys: Path, tmp_path: Path) -> None:
    draft = tmp_path / "1.bundle.json"
    proposal = ["propose", "trilateral", "--public", *public(keys), "--out", draft]
    assert run(*proposal, "--party", "USA", "--key", keys / "KOR.seed")[0] == 2
    assert run(*proposal, *by(keys, "USA"))[0] == 0
    status, printed = run(*proposal, *by(keys, "USA"))
    assert status == 2
    assert "there is a file already" in printed


def test_prove_tells_each_invariant_and_fails_with_words(run: Run, tmp_path: Path) -> None:
    status, printed = run("prove", "--json")
    assert status == 0
    assert {one["arrangement"] for one in rows(printed)} == {
        "bilateral-usa-jpn",
        "bilateral-usa-kor",
        "trilateral",
    }
    status, printed = run("prove", changed(run, tmp_path, '@grid("10")', '@grid("5")'))
    assert status == 1
    assert "FAILED  the launch point of a report of" in printed
    assert "finer than the 10 km grid" in printed
    assert run("prove", "nowhere")[0] == 2


def test_diff_says_who_gains_and_who_loses(run: Run, tmp_path: Path) -> None:
    terms = changed(run, tmp_path, '["impact", "timing", "classification", "provenance"]', '["impact"]')
    cedar = terms.with_suffix(".cedar")
    cedar.write_text(cedar.read_text().replace('@grid("10")', '@grid("5")'))
    status, printed = run("diff", "trilateral", terms, "--json")
    assert status == 0
    told = {(one["partner"], one["change"], one["group"], one["what"]) for one in rows(printed)}
    assert ("JPN", "gains", "launch_point", "a finer grid (5 km rather than 10 km)") in told
    assert ("KOR", "loses", "timing", "the group") in told
    assert not [one for one in told if one[2] == "impact"]
    assert run("diff", "trilateral", "trilateral") == (0, "no partner gains or loses anything\n")


def test_show_is_a_table_of_what_happens(run: Run) -> None:
    status, printed = run("show", "trilateral")
    assert status == 0
    assert "coarsened to a 10 km grid" in printed
    assert "trilateral/no-raw-measurement" in printed
    (described,) = rows(run("show", "trilateral", "--json")[1])
    assert {one["fate"] for one in described["flows"]} == {"released", "coarsened", "withheld"}


def message(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "message"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(report(), **changes)))
    return path


def test_explain_says_which_rule_and_why(run: Run, tmp_path: Path) -> None:
    status, printed = run("explain", message(tmp_path), "JPN", "--json")
    assert status == 0
    fates = {one["group"]: (one["what happens"], one["by"]) for one in rows(printed)}
    assert fates["launch_point"] == ("coarsened to a 10 km grid", "trilateral/launch-point")
    assert fates["trajectory"] == ("released", "trilateral/trajectory")
    assert fates["raw_measurement"] == ("withheld: the label keeps it", "label")
    boosting = report(phase=Phase.BOOST)
    boost = message(tmp_path, trajectory=boosting.trajectory, timing=boosting.timing, sensor=None)
    told = {one["group"]: one["what happens"] for one in rows(run("explain", boost, "JPN", "--json")[1])}
    assert told["trajectory"] == "withheld: the boost is not over"
    assert told["sensor"] == "withheld: not stated by the originator"
    only = run("explain", boost, "JPN", "--arrangements", "bilateral-usa-jpn", "--json")
    assert {one["what happens"] for one in rows(only[1])} == {"withheld: no-arrangement"}


def test_explain_takes_a_label_in_xml_and_never_a_default(run: Run, tmp_path: Path) -> None:
    empty: frozenset[str] = frozenset()
    label = Label("beaconfire-1", Level.SECRET, frozenset({JPN}), frozenset({"ORCON"}), empty, KOR)
    file = tmp_path / "label.xml"
    file.write_text(label_to_xml(label, T0_US))
    status, printed = run("explain", message(tmp_path), "JPN", "--label", file, "--json")
    assert status == 0
    assert {one["what happens"] for one in rows(printed)} == {"withheld: forbidden: no group may pass"}
    file.write_text(file.read_text().replace("SECRET", "WHATEVER"))
    status, printed = run("explain", message(tmp_path), "JPN", "--label", file)
    assert status == 2
    assert "an unknown classification WHATEVER" in printed


def test_explain_refuses_what_is_no_message_and_no_partner(run: Run, tmp_path: Path) -> None:
    assert run("explain", message(tmp_path), "AUS")[0] == 2
    (tmp_path / "message").write_bytes(b"\x00\x01")
    assert run("explain", tmp_path / "message", "JPN")[0] == 2
    assert run("explain", tmp_path / "nowhere", "JPN")[0] == 2


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return a recording whose Korean guard was given three reports, and the last of them twice."""
    made = make_installation(tmp_path / "recording", nations=[JPN, KOR, USA])
    journals = {nation: Journal(made.journal(Role.GUARD, nation)) for nation in made.nations}
    for number in (1, 2, 3, 3):
        given = RecordedInput(
            kind=InputKind.RECEIVE,
            utc_us=T0_US + number,
            monotonic_us=number,
            channel=Channel.OWN_REPORT.value,
            sender=KOR,
            lane="FLASH",
            body=encode(report(number)),
        )
        journals[KOR].commit([], [given])
    for journal in journals.values():
        journal.close()
    return made.directory


def test_a_draft_in_shadow_says_what_it_would_release_and_releases_nothing(
    run: Run, keys: Path, tmp_path: Path, recording: Path
) -> None:
    draft = tmp_path / "1.bundle.json"
    run("propose", "trilateral", "--public", *public(keys), *by(keys, "USA"), "--out", draft)
    before = {path: path.read_bytes() for path in recording.rglob("*.journal")}
    status, printed = run("status", draft, "--shadow", recording, "--json")
    assert status == 0
    told = {(one["from → to"], one["group"]): (one["would be"], one["reports"]) for one in rows(printed)}
    assert told["KOR → JPN", "launch_point"] == ("coarsened to a 10 km grid", 3)
    assert told["KOR → JPN", "raw_measurement"] == ("withheld: the label keeps it", 3)
    assert {pair for pair, _ in told} == {"KOR → JPN"}
    assert {path: path.read_bytes() for path in recording.rglob("*.journal")} == before


def test_explain_finds_a_message_in_a_recording(run: Run, recording: Path) -> None:
    status, printed = run("explain", "KOR-7F3A", "JPN", "--recording", recording, "--json")
    assert status == 0
    assert len(rows(printed)) == 9
    assert run("explain", "KOR-0000", "JPN", "--recording", recording)[0] == 2


def test_a_word_needs_a_speaker_and_somewhere_to_go(run: Run, keys: Path, tmp_path: Path) -> None:
    assert run("suspend", "trilateral", *by(keys, "KOR"))[0] == 2
    assert run("suspend", "trilateral", "--out", tmp_path / "x.word.json")[0] == 2
    assert run("suspend", "trilateral", *by(keys, "KOR"), "--out", tmp_path / "x.json")[0] == 2
    assert run("suspend", "trilateral", "--config", tmp_path / "nowhere.json")[0] == 2
