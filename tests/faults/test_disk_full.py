"""A full disk under a hub: its senders are told, what is new still flows, and it recovers by itself."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.clock import wall_now_us
from beaconfire.adapters.installation import Installation, Options, make_installation
from beaconfire.adapters.journal import Journal
from beaconfire.adapters.wiring import Heard, Role
from beaconfire.cli.campaign_faults import notional_report
from beaconfire.messages.codec import decode, encode
from beaconfire.messages.transfer import Delivery
from beaconfire.messages.words import HUB, Lane, Nation
from beaconfire.nodes.commands import Channel, Table
from real_processes import WITHIN_S, Process, bus_of, until
from real_servers import RealServers

KOR, JPN = Nation("KOR"), Nation("JPN")
SIZE = "3M"

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT SHOWN HERE: full disks (not root, so no small disk)"),
]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(filler: Path) -> None:
    """Write until there is no room for another byte."""
    handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, bytes(4_096))
    except OSError:
        os.close(handle)


def test_the_sender_is_told_what_is_new_still_flows_and_it_recovers(small: Path, tmp_path: Path) -> None:
    made = make_installation(
        tmp_path / "here", nations=(JPN, KOR, Nation("USA")), options=Options(hubs=(HUB,))
    )
    servers = RealServers(made)
    try:
        for party in (HUB, KOR, JPN):
            servers.start(party)
        asyncio.run(_fill_and_empty(made, small, tmp_path))
    finally:
        servers.stop()


async def _fill_and_empty(made: Installation, small: Path, tmp_path: Path) -> None:
    hub = Process(made, Role.HUB, HUB, small / "hub.journal")
    guard = Process(made, Role.GUARD, KOR, tmp_path / "guard.journal")
    feed, picture = bus_of(made, Role.FEED, KOR), bus_of(made, Role.PICTURE, JPN)
    arrived: dict[str, float] = {}

    def hear(_heard: Heard, body: bytes) -> None:
        message = decode(body)
        if isinstance(message, Delivery):
            arrived.setdefault(message.report_id, time.monotonic())

    def give(number: int) -> str:
        report = notional_report(KOR, number, wall_now_us())
        assert feed.publish(Channel.OWN_REPORT, KOR, Lane.FLASH, ("report", encode(report)))
        return report.report_id

    def open_rows() -> list[str]:
        return [key for key, _ in guard.journal.rows(Table.OUTBOX) if not key.endswith("next")]

    await hub.start()
    await guard.start()
    await picture.open(hear, within_s=WITHIN_S)
    await feed.open(lambda _heard, _body: None, within_s=WITHIN_S)
    first = give(1)
    await until(lambda: first in arrived and not open_rows())

    filler = small / "filler"
    _fill(filler)
    full_s = time.monotonic()
    given: list[str] = []
    while not {"journal-unwritable"} <= hub.codes():
        given.append(give(2 + len(given)))
        await asyncio.sleep(0.05)
        assert len(given) < 1_000, "the disk never filled"
    await until(lambda: "unreceipted" in guard.codes())
    during = give(2 + len(given))
    await until(lambda: during in arrived)

    assert open_rows(), "nothing is receipted that is not on the disk"

    filler.unlink()
    await until(lambda: "journal-written-again" in hub.codes() and not open_rows())
    await until(lambda: "receipted-again" in guard.codes())
    assert set(given) <= arrived.keys()
    told_s = guard.said_s("unreceipted") - hub.said_s("journal-unwritable")
    print(f"full after {hub.said_s('journal-unwritable') - full_s:.2f} s; sender told {told_s:.2f} s later")
    for one in (guard, hub):
        await one.stop()
    await feed.close()
    await picture.close()
    records = Journal(small / "hub.journal").log(f"gave/{KOR}")
    assert len(records) == 2 * (len(given) + 2), "one record of each towards each other nation"
