from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.bundles import (
    SUFFIX,
    install_arrangements,
    load_arrangements,
    make_agreements,
    shipped_templates,
)
from beaconfire.errors import UsageError
from beaconfire.messages.arrangement import KeyClass
from beaconfire.messages.words import Group, Sharing
from beaconfire.release.arrangements import ARRANGEMENTS_OF, Arrangements, read_bundle
from beaconfire.release.keys import Keyring
from release_world import FROM_US, JPN, KOR, T0_US, UNTIL_US, USA, keyring, keys_of


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    install_arrangements(keys_of(), tmp_path, valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    return tmp_path


def trilateral(installed: Path) -> Path:
    return installed / f"trilateral{SUFFIX}"


def rewrite(file: Path, **changes: object) -> None:
    signed = read_bundle(file.read_bytes(), "test")
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(signed, **changes)))


def test_install_is_the_same_to_the_byte_and_loads(
    installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("again")
    files = install_arrangements(keys_of(), other, valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    assert [one.read_bytes() for one in files] == [(installed / one.name).read_bytes() for one in files]
    held = load_arrangements(installed, now_us=T0_US, trusted=keyring())
    assert held == make_agreements(
        keys_of(), ARRANGEMENTS_OF[Sharing.TRILATERAL], valid_from_us=FROM_US, valid_until_us=UNTIL_US
    )


def test_shorthands_put_in_force_what_they_say(tmp_path: Path) -> None:
    names = ARRANGEMENTS_OF[Sharing.BILATERAL]
    install_arrangements(keys_of(), tmp_path, valid_from_us=FROM_US, valid_until_us=UNTIL_US, names=names)
    held = Arrangements(load_arrangements(tmp_path, now_us=T0_US, trusted=keyring()))
    assert held.partners(JPN, T0_US) == (USA,)
    assert held.partners(USA, T0_US) == (JPN, KOR)
    assert held.between(KOR, JPN, T0_US) == ()
    assert ARRANGEMENTS_OF[Sharing.ALONE] == ()


def test_suspending_the_trilateral_leaves_both_bilaterals(installed: Path) -> None:
    held = Arrangements(load_arrangements(installed, now_us=T0_US, trusted=keyring()))
    assert held.suspend(KOR, "trilateral", number=1, suspended=True)
    assert held.partners(JPN, T0_US) == (USA,)
    assert held.partners(USA, T0_US) == (JPN, KOR)


def test_no_flow_lets_raw_measurements_pass_and_none_of_the_trilateral_is_american() -> None:
    for template in shipped_templates().values():
        assert all(Group.RAW_MEASUREMENT not in flow.groups for flow in template.flows)
    flows = shipped_templates()["trilateral"].flows
    assert {(one.originator, one.recipient) for one in flows} == {(JPN, KOR), (KOR, JPN)}
    assert all(one.launch_point_grid_m == 10_000.0 and one.coast_only for one in flows)


def refused(directory: Path, match: str, now_us: int = T0_US, ring: Keyring | None = None) -> None:
    with pytest.raises(UsageError, match=match):
        load_arrangements(directory, now_us=now_us, trusted=ring or keyring())


def test_unsigned(installed: Path) -> None:
    rewrite(trilateral(installed), signatures=())
    refused(installed, r"trilateral.*not signed")


def test_signed_by_two_of_three(installed: Path) -> None:
    signed = read_bundle(trilateral(installed).read_bytes(), "test")
    rewrite(trilateral(installed), signatures=signed.signatures[:2])
    refused(installed, r"trilateral.*not signed by")


def test_tampered(installed: Path) -> None:
    signed = read_bundle(trilateral(installed).read_bytes(), "test")
    rewrite(trilateral(installed), bundle=signed.bundle.replace("10000.0", "10.0"))
    refused(installed, r"trilateral.*does not fit the text")


def test_expired_and_not_yet(installed: Path) -> None:
    refused(installed, "expired", now_us=UNTIL_US)
    refused(installed, "not yet in force", now_us=FROM_US - 1)


def test_keys_that_are_not_trusted_here(installed: Path) -> None:
    known = [key.public for party, key in keys_of().items() if party != KOR]
    refused(installed, "a key of KOR that is not trusted", ring=Keyring(KeyClass.SIMULATION, known))


def test_keys_of_another_class(installed: Path) -> None:
    live = [key.public for key in keys_of(KeyClass.LIVE).values()]
    refused(installed, "key class SIMULATION", ring=Keyring(KeyClass.LIVE, live))


def test_missing_empty_and_malformed(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "no such directory")
    refused(tmp_path, "0 arrangements")
    (tmp_path / f"x{SUFFIX}").write_text('{"bundle": 5}')
    refused(tmp_path, "not a signed arrangement")


def test_a_party_without_key_and_an_unknown_name(tmp_path: Path) -> None:
    keys = {party: key for party, key in keys_of().items() if party != JPN}
    with pytest.raises(UsageError, match="no key of JPN"):
        install_arrangements(keys, tmp_path, valid_from_us=FROM_US, valid_until_us=UNTIL_US)
    with pytest.raises(UsageError, match="no shipped arrangement nato"):
        install_arrangements(
            keys_of(), tmp_path, valid_from_us=FROM_US, valid_until_us=UNTIL_US, names=["nato"]
        )
