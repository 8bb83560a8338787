"""Power cuts and full disks: a journal on a disk of its own, whose power goes while it is written.

Source of the cut: ext4's own shutdown, EXT4_IOC_SHUTDOWN without a flush (linux/fs/ext4/ext4.h).
"""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beaconfire.adapters.journal import Journal
from beaconfire.nodes.commands import Table

CUTS = int(os.environ.get("BEACONFIRE_CUTS", "2"))
SHUTDOWN = 0x8004587D
WITHOUT_FLUSH = 2
WRITES_S = 0.4


def _can() -> str:
    if os.geteuid() != 0:
        return "not root"
    done = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return "" if done.returncode == 0 else "no loop devices"


pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(_can()), reason=f"NOT SHOWN HERE: power cuts and full disks ({_can()})"),
]

WRITER = """
import sys
from pathlib import Path
from beaconfire.adapters.journal import Journal
from beaconfire.nodes.commands import Append, Keep, Table
journal = Journal(Path(sys.argv[1]))
if sys.argv[2] == "careless":
    journal._connection.execute("PRAGMA synchronous=OFF")
number = int(sys.argv[3])
while True:
    number += 1
    key = f"{number:08d}"
    journal.commit([Keep(Table.OUTBOX, key, b"x" * 700), Append("log", key.encode())])
    print(number, flush=True)
"""


class Disk:
    """An ext4 file system in a file, mounted."""

    def __init__(self, folder: Path) -> None:
        self.image, self.at = folder / "image", folder / "disk"
        self.at.mkdir()
        with self.image.open("wb") as image:
            image.truncate(48 * 1_048_576)
        _run("mkfs.ext4", "-q", "-F", str(self.image))
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self.image), str(self.at))

    def cut_power(self) -> None:
        handle = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(handle)

    def unmount(self) -> None:
        for _ in range(50):
            if subprocess.run(["umount", str(self.at)], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path)
    yield made
    made.unmount()


def cut_while_writing(disk: Disk, how: str, start: int) -> int:
    """Return the last number that the writer was told is on the disk before the power went.

    A write that is under way then may be told of afterwards: ext4 lets a sync that meets its shutdown return
    as if nothing were wrong, which no power cut does. So what comes later is not counted.
    """
    command = [sys.executable, "-c", WRITER, str(disk.at / "node.journal"), how, str(start)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    assert writer.stdout is not None
    said = writer.stdout.read(16)
    os.set_blocking(writer.stdout.fileno(), False)
    time.sleep(WRITES_S)
    while piece := writer.stdout.read(65_536):
        said += piece
    disk.cut_power()
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=20)
    disk.unmount()
    disk.mount()
    whole, _, _ = said.rpartition(b"\n")
    return int(whole.split()[-1])


def found(disk: Disk) -> tuple[set[int], set[int]]:
    journal = Journal(disk.at / "node.journal")
    rows = {int(key) for key, _ in journal.rows(Table.OUTBOX)}
    log = {int(body) for body in journal.log("log")}
    journal.close()
    return rows, log


@pytest.mark.timeout(60 + 10 * CUTS)
def test_what_a_commit_returned_for_is_there_after_every_power_cut(disk: Disk) -> None:
    told: set[int] = set()
    last = 0
    for _ in range(CUTS):
        newest = cut_while_writing(disk, "sound", last)
        told |= set(range(last + 1, newest + 1))
        rows, log = found(disk)
        assert told <= rows, f"{len(told - rows)} of {len(told)} commits are gone"
        assert told <= log
        last = max(rows)
        told |= rows
    print(f"{CUTS} cuts, {len(told)} commits, none lost")


def test_a_journal_without_sync_loses_and_is_found_out(disk: Disk) -> None:
    """Known bad: the same harness must see what is lost without the sync."""
    for _ in range(4):
        newest = cut_while_writing(disk, "careless", 0)
        if len(set(range(1, newest + 1)) - found(disk)[0]) > 0:
            return
        (disk.at / "node.journal").unlink()
    pytest.fail("nothing was lost: this harness would miss a journal that does not sync")
