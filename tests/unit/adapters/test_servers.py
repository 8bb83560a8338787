import socket
from pathlib import Path

import pytest

from beaconfire.adapters.servers import (
    Account,
    ServerUser,
    check_port_is_free,
    check_server,
    free_ports,
    reason_in_log,
    server_configuration,
    server_version,
    wait_until_served,
)
from beaconfire.adapters.wiring import Allowed
from beaconfire.errors import EnvironmentFault, UsageError


def binary(tmp_path: Path, says: str) -> Path:
    path = tmp_path / "nats-server"
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def test_the_installed_server_is_new_enough() -> None:
    assert server_version(check_server()) >= (2, 14, 0)


@pytest.mark.parametrize(
    ("stated", "taken"),
    [("v2.13.9", False), ("v2.9.99", False), ("v1.99.0", False), ("v2.14.0", True), ("v3.0.0", True)],
)
def test_a_server_too_old_is_refused_with_one_clear_line(tmp_path: Path, stated: str, *, taken: bool) -> None:
    path = binary(tmp_path, f"echo nats-server: {stated}")
    if taken:
        assert check_server(path) == path
        return
    with pytest.raises(UsageError) as caught:
        check_server(path)
    assert str(caught.value) == f"{path}: nats-server {stated[1:]} is too old (expected 2.14.0 or newer)"


def test_a_named_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such server binary"):
        check_server(tmp_path / "nothing")


@pytest.mark.parametrize("says", ["echo hello", "exit 3"])
def test_a_binary_that_states_no_version_is_refused(tmp_path: Path, says: str) -> None:
    with pytest.raises(EnvironmentFault, match="states no version"):
        check_server(binary(tmp_path, says))


def test_a_file_that_does_not_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nats-server"
    path.write_text("no program")
    with pytest.raises(EnvironmentFault, match="does not run"):
        check_server(path)


def test_ports_are_free_different_and_never_the_default() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert 4222 not in ports
    for port in ports:
        check_port_is_free(port, "test")


def test_a_taken_port_gives_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(UsageError, match=f"server.conf: port {port} is taken by another program"):
            check_port_is_free(port, "server.conf")
        assert not wait_until_served(port, within_s=0.05)


def test_the_configuration_states_every_limit_and_no_way_between_accounts() -> None:
    key = "U" + "A" * 55
    user = ServerUser(key, Allowed(("to-hub.delivery",), ()), "guard of KOR")
    text = server_configuration(
        "hub", "127.0.0.1:40001", [Account("KOR_FLASH", (user,))], Path("/somewhere/log")
    )
    for line in (
        'listen: "127.0.0.1:40001"',
        "max_payload: 65536",
        'write_deadline: "2s"',
        'ping_interval: "2s"',
        "ping_max: 2",
        f"nkey: {key}",
        'publish: { allow: ["to-hub.delivery"] }',
        'subscribe: { deny: [">"] }',
        "max_subscriptions: 64",
    ):
        assert line in text
    for word in (
        "import",
        "export",
        "jetstream",
        "no_auth_user",
        "websocket",
        "mqtt",
        "gateway",
        "leafnode",
        "cluster",
    ):
        assert f"{word} " not in text.replace("no imports, no exports.", "")


def test_the_last_fatal_line_of_a_log_is_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert reason_in_log(log) == ""
    log.write_text("[1] [INF] hello\n[1] [FTL] first\n[1] [FTL] address already in use\n[1] [INF] bye\n")
    assert reason_in_log(log) == "address already in use"
