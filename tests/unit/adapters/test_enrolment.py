"""A party's own side: what a card may say, what is accepted, what is written and what is left alone."""

import binascii
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beaconfire.adapters.cards import Card, encode_card, fingerprint_of, flaw_in, read_card
from beaconfire.adapters.certificates import make_identity
from beaconfire.adapters.configuration import read_config
from beaconfire.adapters.enrolment import Setup, accept_card, make_side
from beaconfire.adapters.own_side import write_side
from beaconfire.adapters.server_safety import flaws_in, read_server_configuration
from beaconfire.adapters.wiring import Role
from beaconfire.cli.main import main
from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB, HUB_INSTANCES, Mode

HUB_SERVERS: dict[str, tuple[str, ...]] = {"HUB-1": ("hub1.example:4300",), "HUB-2": ("192.0.2.2:4300",)}


def setup_for(party: str, mode: Mode = Mode.EXERCISE) -> Setup:
    exercise = "" if mode is Mode.REAL else "one"
    servers: dict[str, tuple[str, ...]] = {party: ("127.0.0.1:4301",)}
    servers = HUB_SERVERS if party == HUB else servers
    return Setup(party=party, mode=mode, servers=servers, exercise=exercise)


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, Path]:
    """The hub and two nations, who have accepted each other."""
    held = {party: tmp_path / party for party in (HUB, "JPN", "KOR")}
    marks = {party: make_side(folder, setup_for(party)) for party, folder in held.items()}
    for party, folder in held.items():
        for other in held:
            if other != party:
                accept_card(folder, *marks[other])
    return held


def card_of(folder: Path) -> Card:
    return read_card(folder / f"{folder.name}.card.json")[0]


def test_a_card_holds_no_private_half(sides: dict[str, Path]) -> None:
    for folder in sides.values():
        data = next(folder.glob("*.card.json")).read_bytes()
        private = [
            one.read_text().strip()
            for one in folder.rglob("keys/*")
            if one.suffix in {".seed", ".hex", ".key", ".secret"}
        ]
        assert len(private) >= 6
        for text in private:
            assert not any(line.encode() in data for line in text.splitlines() if len(line) > 40)


def test_keys_are_for_their_owner_alone(sides: dict[str, Path]) -> None:
    for folder in sides.values():
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for one in folder.rglob("keys/*"):
            assert one.suffix == ".crt" or stat.S_IMODE(one.stat().st_mode) == 0o600


def test_what_is_written_is_safe_and_knows_every_party(sides: dict[str, Path]) -> None:
    for folder in sides.values():
        for path in write_side(folder):
            if path.name == "server.conf":
                assert flaws_in(read_server_configuration(path)) == []
            elif path.suffix == ".json" and path.name != "keyring.json":
                loaded = read_config(path)
                assert loaded.config.mode is Mode.EXERCISE
                assert all(one.url.startswith("tls://") for one in loaded.config.endpoints)
                if loaded.config.role in {Role.HUB, Role.GUARD, Role.PICTURE}:
                    ring = loaded.keyring()
                    assert {ring.party_of(card_of(one).signing_id) for one in sides.values()} == set(sides)


def test_a_nation_trusts_the_hub_but_no_other_nation(sides: dict[str, Path]) -> None:
    for folder in sides.values():
        write_side(folder)
    theirs = card_of(sides["JPN"]).authority("JPN")
    assert theirs not in (sides["KOR"] / "keys" / "authorities.crt").read_bytes()
    assert theirs not in (sides["KOR"] / "keys" / "clients.crt").read_bytes()
    hub = sides[HUB] / "HUB-1" / "keys"
    assert theirs in (hub / "clients.crt").read_bytes()
    assert theirs not in (hub / "own.crt").read_bytes()
    assert theirs not in (hub / "authorities.crt").read_bytes()


def test_written_again_it_keeps_keys_and_what_an_officer_did_to_the_keyring(sides: dict[str, Path]) -> None:
    folder = sides["KOR"]
    write_side(folder)
    keys = {one: one.read_bytes() for one in folder.rglob("keys/*")}
    ring = folder / "keyring.json"
    held = msgspec.json.decode(ring.read_bytes())
    for one in held:
        one["revoked_from_us"] = 1
    ring.write_bytes(msgspec.json.encode(held))
    before = ring.read_bytes()
    write_side(folder)
    assert ring.read_bytes() == before, "a revoked key does not come back by itself"
    assert {one: one.read_bytes() for one in folder.rglob("keys/*")} == keys


def test_a_bundle_put_in_place_is_named_when_it_is_written_again(sides: dict[str, Path]) -> None:
    write_side(sides[HUB])
    assert read_config(sides[HUB] / "HUB-2" / "hub.json").config.arrangements == ""
    (sides[HUB] / "arrangements").mkdir()
    (sides[HUB] / "arrangements" / "own.bundle.json").write_text("{}")
    write_side(sides[HUB])
    for instance in HUB_INSTANCES:
        assert read_config(sides[HUB] / instance / "hub.json").config.arrangements == "arrangements"
        assert (sides[HUB] / instance / "arrangements" / "own.bundle.json").exists()


def test_another_fingerprint_class_or_second_card_is_refused(sides: dict[str, Path], tmp_path: Path) -> None:
    card = sides["JPN"] / "JPN.card.json"
    with pytest.raises(UsageError, match="its fingerprint is"):
        accept_card(sides["KOR"], card, "0" * 32)
    made, mark = make_side(tmp_path / "again", setup_for("JPN"))
    with pytest.raises(UsageError, match="another card of JPN"):
        accept_card(sides["KOR"], made, mark)
    live, mark = make_side(tmp_path / "live", setup_for("JPN", Mode.REAL))
    with pytest.raises(UsageError, match="class LIVE"):
        accept_card(sides["KOR"], live, mark)
    own = sides["KOR"] / "KOR.card.json"
    with pytest.raises(UsageError, match="the own card"):
        accept_card(sides["KOR"], own, fingerprint_of(own.read_bytes()))


def _with(field: str, value: Any) -> Callable[[Card], Card]:
    return lambda card: msgspec.structs.replace(card, **{field: value})


def _link(field: str, value: Any) -> Callable[[Card], Card]:
    def spoil(card: Card) -> Card:
        first, *rest = card.links
        return msgspec.structs.replace(card, links=(msgspec.structs.replace(first, **{field: value}), *rest))

    return spoil


SPOILT = {
    "party": _with("party", "KOR } SYS"),
    "another's key": _with("party", "USA"),
    "no links": _with("links", ()),
    "servers of a nation": _with("servers", {"HUB-1": ("a:1",)}),
    "no authority": _with("authorities", {}),
    "no certificate": _with("authorities", {"KOR": "x"}),
    "an nkey that ends the list": _link("public", 'U" } ] } } authorization { user: a }'),
    "a role that has no link": _link("role", Role.HUB),
    "an instance that is a path": _link("instance", "HUB/../x"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_card_that_says_what_it_must_not_is_refused(sides: dict[str, Path], name: str) -> None:
    good = card_of(sides["KOR"])
    assert not flaw_in(good)
    bad = SPOILT[name](good)
    path = sides["KOR"] / "bad.card.json"
    path.write_bytes(encode_card(bad))
    with pytest.raises(UsageError, match="not a card"):
        accept_card(sides["JPN"], path, fingerprint_of(path.read_bytes()))


@pytest.mark.parametrize("address", ["a:0", "a:99999", 'a"b:1', "a b:1", "a:1\n", "-a:1", "", "a"])
def test_an_address_that_means_more_is_refused(sides: dict[str, Path], address: str) -> None:
    card = card_of(sides[HUB])
    servers = {**card.servers, "HUB-1": (address,)}
    assert flaw_in(msgspec.structs.replace(card, servers=servers))


def test_two_certificates_or_a_leaf_for_an_authority_are_refused(
    sides: dict[str, Path], tmp_path: Path
) -> None:
    card = card_of(sides["KOR"])
    other = make_identity(tmp_path, "XXX", ["127.0.0.1"]).decode()
    for text in (card.authorities["KOR"] + other, (tmp_path / "link.crt").read_text()):
        assert flaw_in(msgspec.structs.replace(card, authorities={"KOR": text}))


def test_a_certificate_of_a_version_nobody_knows_is_a_flaw_and_no_crash(sides: dict[str, Path]) -> None:
    """Found by fuzzing: what `cryptography` raises for it is no ValueError."""
    card = card_of(sides["KOR"])
    base64 = "".join(card.authorities["KOR"].splitlines()[1:-1])
    version_3, version_7 = bytes.fromhex("a003020102"), bytes.fromhex("a003020106")
    encoded = binascii.a2b_base64(base64)
    assert encoded.count(version_3) == 1
    body = binascii.b2a_base64(encoded.replace(version_3, version_7)).decode()
    text = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    assert "version" in flaw_in(msgspec.structs.replace(card, authorities={"KOR": text}))


def test_a_nation_without_the_hub_s_card_is_told_so(tmp_path: Path) -> None:
    make_side(tmp_path / "KOR", setup_for("KOR"))
    with pytest.raises(UsageError, match="the hub's card was not accepted"):
        write_side(tmp_path / "KOR")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["KOREA"], "not a party"),
        (["HUB"], "--server"),
        (["KOR", "--server", "JPN=127.0.0.1:1"], "no end 'JPN'"),
        (["KOR", "--server", "127.0.0.1"], "no address"),
        (["KOR", "--page", "70000"], "no port"),
        (["KOR", "--user", "a b"], "can't stand in a unit"),
        (["HUB", "--instances", "HUB", "--server", "a:1,b:1"], "0 routes for 2 servers"),
        (["KOR", "--instances", "x"], "no instance"),
    ],
)
def test_wrong_use_is_one_line_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    place = tmp_path / "new"
    assert main(["setup", "make", *words, "--mode", "TEST", "--out", str(place)]) == 2
    assert said in capsys.readouterr().err
    assert not place.exists()
