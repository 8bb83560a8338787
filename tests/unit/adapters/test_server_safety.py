import subprocess
from pathlib import Path

import pytest

from beaconfire.adapters.installation import Options, ServerEntry, make_installation
from beaconfire.adapters.server_safety import flaws_in, read_server_configuration
from beaconfire.adapters.servers import check_server
from beaconfire.errors import UsageError
from beaconfire.messages.words import HUB, Nation

NATIONS = (Nation("JPN"), Nation("KOR"), Nation("USA"))


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("made") / "here"
    addresses = dict.fromkeys((HUB, *NATIONS), "192.0.2.7")
    options = Options(hubs=(HUB,), encrypted=True, addresses=addresses)
    return make_installation(folder, nations=NATIONS, options=options).servers[0].config.read_text()


def flaws(text: str, tmp_path: Path) -> list[str]:
    (tmp_path / "server.conf").write_text(text)
    return flaws_in(read_server_configuration(tmp_path / "server.conf"))


def test_what_the_installation_writes_is_safe(encrypted: str, tmp_path: Path) -> None:
    assert flaws(encrypted, tmp_path) == []
    made = make_installation(tmp_path / "plain", nations=NATIONS)
    for one in made.servers:
        assert flaws_in(read_server_configuration(one.config)) == []


BAD = [
    ("verify: true", "verify: false", "verify is not true"),
    ('min_version: "1.3"', 'min_version: "1.2"', "min_version"),
    ("tls {", "was_tls {", "tls: none"),
    ("max_payload: 65536", "max_payload: 1048576", "max_payload"),
    ("max_connections", "some_connections", "max_connections: no bound"),
    ("write_deadline", "other_deadline", "write_deadline"),
    ("system_account: SYS", "no_auth_user: anyone\nsystem_account: SYS", "no_auth_user"),
    ("system_account: SYS", "websocket { port: 80 }\nsystem_account: SYS", "websocket"),
    ("system_account: SYS", "leafnodes { port: 7422 }\nsystem_account: SYS", "leafnodes"),
    ("system_account: SYS", "jetstream: enabled\nsystem_account: SYS", "jetstream"),
    ("system_account: SYS", "http_port = 8222\nsystem_account: SYS", "http_port"),
    ("  KOR_FLASH {", '  KOR_FLASH {\n exports: [ { stream: ">" } ]', "account kor_flash: exports"),
    ("  JPN_FLASH {", "  JPN_FLASH {\n imports: [ { stream: { account: KOR_FLASH } } ]", "imports"),
    ('"to-hub.delivery"', '">"', "publish allows >"),
    ('"to-nation.delivery"', '"$SYS.>"', "subscribe allows $SYS.>"),
    ("{ nkey: ", "{ password: x, nkey: ", "a user without an nkey"),
    (", permissions: {", ", permitted: {", "no allow-list"),
    ("system_account: SYS", 'cluster { listen: "192.0.2.7:6222" }\nsystem_account: SYS', "cluster tls: none"),
]


@pytest.mark.parametrize(("good", "bad", "said"), BAD, ids=[f"{one[1][:20]}" for one in BAD])
def test_each_unsafe_thing_is_found(encrypted: str, tmp_path: Path, good: str, bad: str, said: str) -> None:
    assert good in encrypted
    found = flaws(encrypted.replace(good, bad), tmp_path)
    assert any(said in one for one in found), found


@pytest.fixture(scope="module")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> list[ServerEntry]:
    options = Options(hubs=(HUB,), encrypted=True, cluster=3)
    made = make_installation(tmp_path_factory.mktemp("clustered") / "here", nations=NATIONS, options=options)
    return [one for one in made.servers if one.party == HUB]


def test_a_cluster_as_it_is_written_is_safe_and_the_server_takes_it(clustered: list[ServerEntry]) -> None:
    assert [one.name for one in clustered] == ["server/HUB", "server/HUB/2", "server/HUB/3"]
    for one in clustered:
        assert flaws_in(read_server_configuration(one.config)) == []
        command = [str(check_server()), "-t", "-c", str(one.config)]
        assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("no_advertise: true", "no_advertise: false", "no_advertise is not true"),
        ("own.crt", "clients.crt", "a partner's certificate opens a route"),
        ("  tls {", "  was_tls {", "cluster tls: none, though"),
    ],
)
def test_a_cluster_that_lets_others_in_is_found(
    clustered: list[ServerEntry], tmp_path: Path, good: str, bad: str, said: str
) -> None:
    text = clustered[0].config.read_text()
    assert good in text
    found = flaws(text.replace(good, bad), tmp_path)
    assert any(said in one for one in found), found


def test_a_cluster_in_clear_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a cluster in clear"):
        make_installation(tmp_path / "here", nations=NATIONS, options=Options(cluster=3))


@pytest.mark.parametrize("text", ["listen: {", "}", "accounts { A { users: [ }", "a: " + "{ b: " * 60])
def test_what_is_no_configuration_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"server\.conf"):
        flaws(text, tmp_path)


def test_nothing_at_all_is_not_safe(tmp_path: Path) -> None:
    assert any("accounts: none" in one for one in flaws("", tmp_path))
