"""Guard, hub and picture, as processes on real servers, take a keyring that is moved in place of another."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.installation import Installation
from beaconfire.messages.arrangement import TrustedKey
from beaconfire.messages.words import Nation
from real_servers import RealServers

pytestmark = pytest.mark.real
WITHIN_S = 60.0
"""Long: what is waited for comes within seconds on a machine that has nothing else to do."""


@contextmanager
def process(made: Installation, name: str, said: Path) -> Iterator[None]:
    """Run one process of an installation; what it has to say goes to a file."""
    entry = next(one for one in made.processes if one.name == name)
    command = [sys.executable, "-m", "beaconfire", "run", entry.role.value, "--config", str(entry.config)]
    with said.open("wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as running:
        try:
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=WITHIN_S)


def wait_for(said: Path, words: str) -> str:
    deadline_s = time.monotonic() + WITHIN_S
    while words not in (text := said.read_text(errors="replace")):
        assert time.monotonic() < deadline_s, text[-2_000:]
        time.sleep(0.05)
    return text


def wait_until_held(journal: Path) -> None:
    """Wait until a node has written down which versions it holds: it has read its files, then."""
    deadline_s = time.monotonic() + WITHIN_S
    count = 0
    while not count:
        assert time.monotonic() < deadline_s, journal
        connection = sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)
        try:
            count = connection.execute("SELECT count(*) FROM state WHERE key LIKE 'version/%'").fetchone()[0]
        except sqlite3.OperationalError:
            time.sleep(0.05)
        finally:
            connection.close()


def test_processes_that_run_take_a_revocation_and_go_on(servers: RealServers, tmp_path: Path) -> None:
    made = servers.installation
    ring = made.directory / "keyring.json"
    keys = msgspec.json.decode(ring.read_bytes(), type=list[TrustedKey])
    guard, hub, picture = (tmp_path / f"{name}.txt" for name in ("guard", "hub", "picture"))
    with (
        process(made, "guard/KOR", guard),
        process(made, "hub/HUB", hub),
        process(made, "picture/KOR", picture),
    ):
        for said in (guard, hub, picture):
            wait_for(said, "ready")
        time.sleep(1.0)
        revoked = [
            msgspec.structs.replace(one, revoked_from_us=1) if one.party == Nation("JPN") else one
            for one in keys
        ]
        new = tmp_path / "next.json"
        new.write_bytes(msgspec.json.encode(revoked))
        new.replace(ring)
        for said in (guard, hub, picture):
            text = wait_for(said, "trust-renewed: 3 keys trusted, 1 revoked")
            assert "arrangements: bilateral-usa-kor version 1" in text
            assert "arrangement-gone: trilateral" in text
        ring.write_bytes(b"[")
        for said in (guard, hub):
            wait_for(said, "the keys before stay trusted")
