"""Whether the configuration of a message server keeps parties apart: what an operator's own must not have.

The configuration is read as the server reads it, as far as it matters here: maps, lists, words and texts,
with `:`, `=` or a space between a name and its value. What can't be read is not safe.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from beaconfire.adapters.servers import MAXIMUM_PAYLOAD_BYTES
from beaconfire.errors import UsageError

MAXIMUM_BYTES: Final = 4_000_000
DEPTH_MAX: Final = 32
_WORD: Final = re.compile(
    r""""(?:[^"\\]|\\.)*"|'[^']*'|[{}\[\],]|\#[^\n]*|//[^\n]*|\n|[:=]"""
    r"""|[^\s{}\[\],:=\#"'][^\s{}\[\],\#"']*"""
)
_SECTIONS: Final = {
    "websocket": "a listener that browsers can reach",
    "mqtt": "another protocol, with rights of its own",
    "leafnodes": "a way across a border that no allow-list sees",
    "leaf": "a way across a border that no allow-list sees",
    "gateway": "a way to other clusters",
    "jetstream": "a second store, which loses what it has acknowledged in a power cut",
    "no_auth_user": "whoever shows no key is let in",
    "http": "monitoring on every address",
    "https_port": "monitoring on every address",
    "http_port": "monitoring on every address",
    "mappings": "subjects that become other subjects behind the allow-lists",
    "authorization": "users outside the accounts of the parties",
}
_SECRETS: Final = ("password", "pass", "token", "user", "username")

Value = str | list["Value"] | dict[str, "Value"]


def read_server_configuration(path: Path) -> dict[str, Value]:
    """Return what a server's configuration file holds.

    Raises:
        UsageError: unreadable, too large, too deep, or not such a file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read it: {error.strerror}", str(path), "a server's configuration"
        ) from error
    if len(data) > MAXIMUM_BYTES:
        raise UsageError("too large", str(path), f"at most {MAXIMUM_BYTES} bytes")
    words = [one for one in _WORD.findall(data.decode(errors="replace")) if not one.startswith(("#", "//"))]
    words = [one for one in words if one not in {"\n", ",", ":", "="}]
    try:
        return _map(iter(words), 0, closed=False)
    except (StopIteration, ValueError) as error:
        raise UsageError(f"not a server's configuration: {error}", str(path)) from error


def _map(words: Iterator[str], depth: int, *, closed: bool) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if depth > DEPTH_MAX:
        raise ValueError("nested too deep")
    for word in words:
        if word == "}":
            if not closed:
                raise ValueError("a } too many")
            return found
        if word in {"{", "[", "]"}:
            raise ValueError(f"{word} where a name was expected")
        name = word.strip("\"'").rstrip(":=").lower()
        found[name] = _value(words, next(words), depth)
    if closed:
        raise ValueError("a } is missing")
    return found


def _value(words: Iterator[str], word: str, depth: int) -> Value:
    if word == "{":
        return _map(words, depth + 1, closed=True)
    if word != "[":
        return word.strip("\"'")
    found: list[Value] = []
    while (one := next(words)) != "]":
        found.append(_value(words, one, depth + 1))
    return found


def flaws_in(configuration: dict[str, Value]) -> list[str]:
    """Return what is unsafe about a server's configuration, each in one line; empty if nothing is."""
    flaws = [f"{name}: {why}" for name, why in _SECTIONS.items() if name in configuration]
    flaws += _flaws_of_listening(configuration)
    flaws += _flaws_of_limits(configuration)
    accounts = configuration.get("accounts")
    if not isinstance(accounts, dict) or not accounts:
        return [*flaws, "accounts: none, so everybody hears everybody"]
    for name, account in accounts.items():
        flaws += _flaws_of_account(name, account)
    return [*flaws, *_flaws_of_cluster(configuration)]


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]") or address
    return host in {"127.0.0.1", "localhost", "::1"}


def _flaws_of_listening(configuration: dict[str, Value]) -> list[str]:
    address = configuration.get("listen", configuration.get("net", configuration.get("host", "")))
    if isinstance(address, str) and _is_loopback(address):
        return []
    return _flaws_of_tls(configuration.get("tls"), "tls")


def _flaws_of_tls(
    tls: Value | None, where: str, why: str = "on an address that others can reach"
) -> list[str]:
    if not isinstance(tls, dict):
        return [f"{where}: none, {why}"]
    flaws = []
    if tls.get("verify") != "true":
        flaws.append(f"{where}: verify is not true, so a client without a certificate may speak")
    if tls.get("min_version") != "1.3":
        flaws.append(f"{where}: min_version is not 1.3")
    if tls.get("insecure") == "true":
        flaws.append(f"{where}: insecure is true, so nothing is verified")
    return flaws + [f"{where}: no {name}" for name in ("cert_file", "key_file", "ca_file") if name not in tls]


def _flaws_of_limits(configuration: dict[str, Value]) -> list[str]:
    most = configuration.get("max_payload", "1048576")
    large = not isinstance(most, str) or not most.isdigit() or int(most) > MAXIMUM_PAYLOAD_BYTES
    flaws = [f"max_payload: more than {MAXIMUM_PAYLOAD_BYTES} bytes"] if large else []
    needed = ("max_connections", "max_subscriptions", "write_deadline")
    return flaws + [f"{name}: no bound is stated" for name in needed if name not in configuration]


def _flaws_of_account(name: str, account: Value) -> list[str]:
    if not isinstance(account, dict):
        return [f"account {name}: not a map"]
    flaws = [
        f"account {name}: {one}, a way to another account"
        for one in ("imports", "exports")
        if account.get(one)
    ]
    if account.get("jetstream"):
        flaws.append(f"account {name}: jetstream")
    users = account.get("users", [])
    for user in users if isinstance(users, list) else [users]:
        flaws += _flaws_of_user(name, user)
    return flaws


def _flaws_of_user(account: str, user: Value) -> list[str]:
    if not isinstance(user, dict) or any(one in user for one in _SECRETS) or "nkey" not in user:
        return [f"account {account}: a user without an nkey"]
    who = f"account {account}, {str(user['nkey'])[:8]}…"
    permissions = user.get("permissions")
    if not isinstance(permissions, dict):
        return [f"{who}: no allow-list, so it may say and hear everything"]
    return [
        f"{who}: {verb} {flaw}"
        for verb in ("publish", "subscribe")
        if (flaw := _flaw_of_list(permissions.get(verb)))
    ]


def _flaw_of_list(rule: Value | None) -> str:
    if rule is None:
        return "has no allow-list"
    allowed: Value = rule
    if isinstance(rule, dict):
        allowed = rule.get("allow", [] if rule.get("deny") else ">")
    subjects = allowed if isinstance(allowed, list) else [allowed]
    wild = [one for one in subjects if isinstance(one, str) and one.split(".")[0] in {">", "*", "$SYS"}]
    return f"allows {wild[0]}" if wild else ""


def _flaws_of_cluster(configuration: dict[str, Value]) -> list[str]:
    cluster = configuration.get("cluster")
    if cluster is None:
        return []
    if not isinstance(cluster, dict):
        return ["cluster: not a map"]
    tls = cluster.get("tls")
    flaws = _flaws_of_tls(tls, "cluster tls", "though whoever opens a route hears every account")
    clients = configuration.get("tls")
    if isinstance(tls, dict) and isinstance(clients, dict) and tls.get("ca_file") == clients.get("ca_file"):
        flaws.append("cluster tls: ca_file is that of the clients, so a partner's certificate opens a route")
    if cluster.get("no_advertise") != "true":
        flaws.append("cluster: no_advertise is not true, so clients are told of addresses past the guard")
    return flaws
