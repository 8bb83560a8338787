"""The verbs `keys`, `arrangement` and `audit`, from making keys to finding an altered record."""

import json
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.journal import Journal
from beaconfire.audit.checkpoint import Checkpoint
from beaconfire.audit.merkle import Tree
from beaconfire.cli.audit import flaw_in_proof, read_logs, verify_logs
from beaconfire.cli.main import main
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.words import HUB
from beaconfire.nodes.commands import Append, Command, Deliver, Forget, Keep
from beaconfire.nodes.hub import HubNode
from beaconfire.release.attest import sign_checkpoint
from release_world import JPN, MemoryRows, guard, hub_config, key_of, keys_of, now, own, report, to_hub

PARTIES = ("USA", "JPN", "KOR", HUB)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for party in PARTIES:
        assert main(["keys", "make", party, "--out", str(tmp_path / "keys")]) == 0
    publics = [str(tmp_path / "keys" / f"{party}.public.json") for party in PARTIES]
    assert main(["keys", "ring", *publics, "--out", str(tmp_path / "keys" / "keyring.json")]) == 0
    return tmp_path / "keys"


def test_private_keys_are_private_and_never_overwritten(keys: Path) -> None:
    assert (keys / "JPN.seed").stat().st_mode & 0o077 == 0
    before = (keys / "JPN.seed").read_bytes()
    assert main(["keys", "make", "JPN", "--out", str(keys)]) == 2
    assert (keys / "JPN.seed").read_bytes() == before


def test_a_party_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "make", "../x", "--out", str(tmp_path)]) == 2
    assert "not a party" in capsys.readouterr().err


def test_keys_of_two_classes_make_no_keyring(keys: Path, tmp_path: Path) -> None:
    main(["keys", "make", "JPN", "--class", "live", "--out", str(tmp_path / "live")])
    files = [str(keys / "USA.public.json"), str(tmp_path / "live" / "JPN.public.json")]
    assert main(["keys", "ring", *files, "--out", str(tmp_path / "mixed.json")]) == 2
    assert not (tmp_path / "mixed.json").exists()


def test_install_check_status_and_sign(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = tmp_path / "arrangements"
    assert main(["arrangement", "install", "--keys", str(keys), "--out", str(held)]) == 0
    files = [str(one) for one in sorted(held.iterdir())]
    assert len(files) == 3
    ring = ["--keyring", str(keys / "keyring.json")]
    assert main(["arrangement", "check", *files, *ring]) == 0
    trilateral = held / "trilateral.bundle.json"
    stored = json.loads(trilateral.read_text())
    stored["signatures"] = [one for one in stored["signatures"] if one["party"] != JPN]
    trilateral.write_text(json.dumps(stored))
    assert main(["arrangement", "check", str(trilateral), *ring]) == 1
    capsys.readouterr()
    assert main(["arrangement", "status", str(trilateral), "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["open"] == [JPN]
    sign = ["arrangement", "sign", str(trilateral), "--party", JPN, "--key"]
    assert main([*sign, str(keys / "USA.seed")]) == 2
    assert main([*sign, str(keys / "JPN.seed")]) == 0
    assert main(["arrangement", "check", str(trilateral), *ring]) == 0


def journal_of_a_hub(path: Path) -> Path:
    """Return a journal in which a hub released two reports and signed checkpoints."""
    node, korea = HubNode(hub_config(), MemoryRows()), guard()
    journal = Journal(path)
    commands: list[Command] = []
    for number in (1, 2):
        for one in korea.receive(own(report(number)), now(number)):
            if isinstance(one, Deliver):
                commands += node.receive(to_hub(decode(one.body), "KOR", one.lane), now(number))
    commands += node.tick(now(10))
    journal.commit([one for one in commands if isinstance(one, Append | Keep | Forget)])
    journal.close()
    return path


def test_audit_of_a_hub_is_whole_and_shows_what_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = journal_of_a_hub(tmp_path / "hub.sqlite")
    assert main(["audit", "verify", str(journal), "--json"]) == 0
    rows = {row["log"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["gave/KOR"]["records"] == 4
    assert rows["given/JPN"]["records"] == 2
    assert rows["given/JPN"]["checkpoints"] == 1
    assert main(["audit", "show", str(journal), "--log", "given/JPN"]) == 0
    assert capsys.readouterr().out.count("DEGRADED KOR->JPN") == 2


def test_cut_off_end_and_forged_checkpoint_are_found(tmp_path: Path) -> None:
    logs = read_logs(journal_of_a_hub(tmp_path / "hub.sqlite"))
    keys = [msgspec.to_builtins(key.public, builtin_types=(bytes,)) for key in keys_of().values()]
    name = "gave/KOR"

    def flaw() -> str:
        return next(one.flaw for one in verify_logs(logs, keys, []) if one.log == name)

    records = logs[name]
    assert not flaw()
    hub = next(one for one in keys if one["party"] == HUB)
    for revoked_us, is_false in ((1, True), (2**62, False)):
        hub["revoked_from_us"] = revoked_us
        assert ("is false" in flaw()) is is_false, "signed after its key was revoked, or before"
    logs[name] = records[:3]
    assert "counts 4" in flaw()
    del logs[name]
    assert "counts 4" in flaw(), "a log that is gone leaves its checkpoints"
    logs[name] = records
    said = Checkpoint(log=name, size=4, root=Tree(records).root(), at_us=1)
    logs[f"checkpoint/{name}"] = [encode(sign_checkpoint(said, key_of(JPN)))]
    assert "not signed by the hub" in flaw()


def test_a_decision_is_proved_to_stand_in_the_log(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = journal_of_a_hub(tmp_path / "hub.sqlite")
    prove = ["audit", "prove-inclusion", str(journal), "--log", "gave/KOR", "--index"]
    capsys.readouterr()
    assert main([*prove, "2"]) == 0
    proof = json.loads(capsys.readouterr().out)
    ring = [msgspec.to_builtins(key.public, builtin_types=(bytes,)) for key in keys_of().values()]
    assert flaw_in_proof(proof, ring) == ""
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert main(["audit", "check-inclusion", str(file)]) == 0
    assert main(["audit", "check-inclusion", str(file), "--keyring", str(keys / "keyring.json")]) == 1
    for change in ({"index": 1}, {"size": 3}, {"log": "gave/JPN"}, {"path": proof["path"][:-1]}):
        assert flaw_in_proof({**proof, **change}, ring)
    assert main([*prove, "9"]) == 2


@pytest.mark.parametrize("text", ["", "not a database at all" * 300])
def test_what_is_no_journal(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x"
    file.write_text(text)
    assert main(["audit", "verify", str(file)]) == 2
    assert main(["audit", "verify", str(tmp_path / "nowhere")]) == 2
