from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.configuration import (
    EndpointConfig,
    ProcessConfig,
    key_class_of,
    read_config,
    read_hex,
    write_config,
)
from beaconfire.adapters.wiring import Line, Role, Server
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.words import HUB, Lane, Mode

CONFIG = ProcessConfig(
    role=Role.GUARD,
    party="KOR",
    mode=Mode.SIMULATED,
    endpoints=(
        EndpointConfig(Server.HOME, "nats://127.0.0.1:1", "keys/home.seed"),
        EndpointConfig(Server.HUB, "nats://127.0.0.1:2", "keys/link.seed", HUB, Lane.FLASH),
    ),
    secret="keys/secret",
)


def test_a_configuration_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_config(tmp_path / "KOR" / "guard.json", CONFIG)
    assert read_config(tmp_path / "KOR" / "guard.json").config == CONFIG


def test_toml_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "guard.toml").write_text(
        'role = "guard"\nparty = "KOR"\nmode = "SIMULATED"\nsecret = "keys/secret"\n'
        '[[endpoints]]\nserver = "home"\nurl = "nats://127.0.0.1:1"\nseed_file = "keys/home.seed"\n'
        '[[endpoints]]\nserver = "hub"\nurl = "nats://127.0.0.1:2"\nseed_file = "keys/link.seed"\n'
        'peer = "HUB"\nlane = "FLASH"\n'
    )
    assert read_config(tmp_path / "guard.toml").config == CONFIG


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    write_config(tmp_path / "guard.json", CONFIG)
    loaded = read_config(tmp_path / "guard.json")
    assert loaded.file("secret") == tmp_path.resolve() / "keys" / "secret"
    home, link = loaded.endpoints()
    assert home.line == Line(Server.HOME, "KOR", None)
    assert link.line == Line(Server.HUB, HUB, Lane.FLASH)
    assert link.seed_file == tmp_path.resolve() / "keys" / "link.seed"


def test_a_path_that_a_role_needs_is_named_when_it_is_empty(tmp_path: Path) -> None:
    write_config(tmp_path / "guard.json", CONFIG)
    with pytest.raises(UsageError, match=r"guard\.json: journal: missing field"):
        read_config(tmp_path / "guard.json").file("journal")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not a configuration"),
        ("[]", "not a configuration"),
        ("{", "not a configuration"),
        ("\xff", "not a configuration"),
        ('{"role":"guard"}', "party"),
        ('{"role":"cook","party":"KOR","mode":"SIMULATED","endpoints":[]}', "$.role"),
        ('{"role":"guard","party":"KOR","mode":"PLAY","endpoints":[]}', "$.mode"),
        ('{"role":"guard","party":"KOR","mode":"SIMULATED","endpoints":[{"server":"home"}]}', "$.endpoints"),
        ('{"role":"guard","party":"KOR","mode":"SIMULATED","endpoints":[],"more":1}', "more"),
        ('{"role":"guard","party":"KOR","mode":"SIMULATED","endpoints":[],"record":"yes"}', "$.record"),
    ],
)
@pytest.mark.parametrize("name", ["guard.json"])
def test_what_is_malformed_is_named_with_its_file_and_field(
    tmp_path: Path, name: str, text: str, part: str
) -> None:
    (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(UsageError) as caught:
        read_config(tmp_path / name)
    assert caught.value.where.endswith(name)
    assert part in str(caught.value)


@pytest.mark.parametrize("text", ["role = ", "role = 1", "\x00"])
def test_malformed_toml_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "guard.toml").write_text(text)
    with pytest.raises(UsageError, match=r"guard\.toml"):
        read_config(tmp_path / "guard.toml")


def test_a_missing_and_an_oversize_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read it"):
        read_config(tmp_path / "nothing.json")
    (tmp_path / "big.json").write_bytes(bytes(1_000_001))
    with pytest.raises(UsageError, match="too large"):
        read_config(tmp_path / "big.json")


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "00" * 33, "\xff"])
def test_what_is_no_key_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="secret"):
        read_hex(tmp_path / "secret")


def test_a_malformed_keyring_is_named(tmp_path: Path) -> None:
    write_config(tmp_path / "guard.json", msgspec.structs.replace(CONFIG, keyring="ring.json"))
    (tmp_path / "ring.json").write_text("{}")
    with pytest.raises(UsageError, match=r"ring\.json: not a keyring"):
        read_config(tmp_path / "guard.json").keyring()


def test_keys_of_simulation_and_of_live_operation_are_different_classes() -> None:
    assert key_class_of(Mode.REAL) is KeyClass.LIVE
    assert key_class_of(Mode.EXERCISE) is KeyClass.EXERCISE
    assert key_class_of(Mode.SIMULATED) is key_class_of(Mode.TEST) is KeyClass.SIMULATION
