"""Real message servers of one installation, ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.installation import Options, make_installation
from beaconfire.messages.words import HUB, Nation
from real_servers import RealServers


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RealServers]:
    nations = [Nation("JPN"), Nation("KOR"), Nation("USA")]
    held = RealServers(
        make_installation(tmp_path / "installation", nations=nations, options=Options(hubs=(HUB,)))
    )
    try:
        for party in (HUB, "KOR"):
            held.start(party)
        yield held
    finally:
        held.stop()
