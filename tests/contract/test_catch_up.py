"""After a cut the newest comes first: real servers, guard and hub, and what the hub hears, in order."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.installation import Options, make_installation
from beaconfire.adapters.wiring import Role
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.link import outbox
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.report import Report
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Lane, Nation
from beaconfire.nodes.commands import Channel, Table
from real_processes import WITHIN_S, Process, bus_of, until
from real_servers import RealServers

pytestmark = pytest.mark.real
KOR = Nation("KOR")
TRACKS = 200
ROUNDS = 3
SILENT_S = 3.0
"""Long enough for a guard to hold the link for down, so that it is up anew afterwards."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RealServers]:
    nations = (Nation("JPN"), KOR, Nation("USA"))
    held = RealServers(make_installation(tmp_path / "here", nations=nations, options=Options(hubs=(HUB,))))
    try:
        for party in (HUB, KOR):
            held.start(party)
        yield held
    finally:
        held.stop()


def stated(track: int, number: int) -> Report:
    """Return what is stated of a track: ROUTINE, since its stage stays, but for the first word."""
    report = notional_report(KOR, 1, wall_now_us())
    return msgspec.structs.replace(
        report, track=f"KOR-{track:04X}", report_id=f"{report.report_id[:20]}{track:06x}{number:06x}"
    )


class Cut:
    """A guard that goes on being told while the hub's server is gone, and then is back."""

    def __init__(self, servers: RealServers, folder: Path) -> None:
        made = servers.installation
        self._servers = servers
        self.hub = Process(made, Role.HUB, HUB, folder / "hub.journal")
        self.guard = Process(made, Role.GUARD, KOR, folder / "guard.journal")
        self.feed = bus_of(made, Role.FEED, KOR)
        self.routine: list[str] = []
        self.flash: list[str] = []

    def open_rows(self) -> list[str]:
        rows = (key for key, _ in self.guard.journal.rows(Table.OUTBOX))
        return [key for key in rows if not key.endswith("next")]

    def give(self, report: Report) -> str:
        assert self.feed.publish(Channel.OWN_REPORT, KOR, Lane.ROUTINE, ("report", encode(report)))
        return report.report_id

    async def run(self) -> None:
        """State every track, cut, state each again and again, and some new ones; then mend it."""
        await self.hub.start()
        await self.guard.start()
        await self.feed.open(lambda _heard, _body: None, within_s=WITHIN_S)
        for track in range(TRACKS):
            self.give(stated(track, 0))
        await until(lambda: len(self.taken(Lane.FLASH)) == TRACKS and not self.open_rows())
        self._servers.kill(HUB)
        await asyncio.sleep(SILENT_S)
        for number in range(1, ROUNDS + 1):
            self.routine = [self.give(stated(track, number)) for track in range(TRACKS)]
            await asyncio.sleep(0.3)
        self.flash = [self.give(stated(TRACKS + track, 0)) for track in range(5)]
        await until(lambda: len(self.open_rows()) == TRACKS + len(self.flash))
        before = len(self.hub.heard)
        self._servers.start(HUB)
        await until(lambda: not self.open_rows())
        del self.hub.heard[:before]
        for one in (self.guard, self.hub):
            await one.stop()
        await self.feed.close()

    def taken(self, lane: Lane) -> list[str]:
        """Return the reports that the hub heard on a lane, each where it came first."""
        bodies = [decode(body) for heard, body in self.hub.heard if heard.lane is lane]
        return list(dict.fromkeys(one.report_id for one in bodies if isinstance(one, Delivery)))


def test_after_a_cut_the_newest_of_each_track_comes_newest_first_and_flash_beside_it(
    servers: RealServers, tmp_path: Path
) -> None:
    cut = Cut(servers, tmp_path)
    asyncio.run(cut.run())
    assert cut.taken(Lane.FLASH) == cut.flash, "oldest first, and none missing"
    assert cut.taken(Lane.ROUTINE) == cut.routine[::-1], "only the newest of each track, the last one first"


def test_a_guard_that_sent_the_oldest_first_would_be_found(
    servers: RealServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "reversed", list, raising=False)
    cut = Cut(servers, tmp_path)
    asyncio.run(cut.run())
    assert cut.taken(Lane.ROUTINE) != cut.routine[::-1]
    assert set(cut.taken(Lane.ROUTINE)) == set(cut.routine)
