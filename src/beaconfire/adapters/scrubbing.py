"""Look for damage in a journal: in its write-ahead log before it is opened, in its records all the time.

SQLite stops reading a write-ahead log at the first frame whose checksum is wrong and says nothing, so all
that was committed after a flipped bit is gone without a word. The log is read here first.

Source: SQLite, "Database File Format", section 4, "The Write-Ahead Log".
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_BIG_ENDIAN: Final = 0x377F0683
_LITTLE_ENDIAN: Final = 0x377F0682
_WORD: Final = 0xFFFFFFFF
WAL_BYTES_MAX: Final = 512 * 1_048_576


def flaw_in_wal(path: Path) -> str:
    """Return what is wrong with a journal's write-ahead log, empty if nothing is.

    A log that ends inside a write, as after a power cut, is told of too: what was being written is not there.

    Args:
        path: of the journal, not of the log beside it.
    """
    wal = path.with_name(path.name + "-wal")
    try:
        if not wal.is_file() or wal.stat().st_size == 0:
            return ""
        if wal.stat().st_size > WAL_BYTES_MAX:
            return f"its write-ahead log is larger than {WAL_BYTES_MAX} bytes"
        return _flaw(wal.read_bytes())
    except OSError as error:
        return f"its write-ahead log can't be read: {error.strerror}"


def _flaw(data: bytes) -> str:
    if len(data) < _HEADER.size:
        return "its write-ahead log ends inside its header"
    magic, _, page, _, *salts_and_sum = _HEADER.unpack_from(data)
    if magic not in {_BIG_ENDIAN, _LITTLE_ENDIAN} or not 512 <= page <= 65_536:
        return "the header of its write-ahead log is damaged"
    order = ">" if magic == _BIG_ENDIAN else "<"
    total = _summed(data[: _HEADER.size - 8], order, (0, 0))
    if total != tuple(salts_and_sum[2:]):
        return "the header of its write-ahead log is damaged"
    return _flaw_in_frames(data, page, order, (salts_and_sum[0], salts_and_sum[1], *total))


def _flaw_in_frames(data: bytes, page: int, order: str, start: tuple[int, ...]) -> str:
    salts, total = start[:2], (start[2], start[3])
    size = _FRAME.size + page
    for at in range(_HEADER.size, len(data) - size + 1, size):
        _, _, *marks = _FRAME.unpack_from(data, at)
        if tuple(marks[:2]) != salts:
            return "" if not any(_later(data, at, size, salts)) else _DAMAGED.format(at)
        total = _summed(data[at : at + 8], order, total)
        total = _summed(data[at + _FRAME.size : at + size], order, total)
        if total != tuple(marks[2:]):
            return _DAMAGED.format(at)
    left = (len(data) - _HEADER.size) % size
    return "its write-ahead log ends inside a write" if left else ""


_DAMAGED: Final = "its write-ahead log is damaged at byte {}: what was written after it is not there"


def _later(data: bytes, after: int, size: int, salts: tuple[int, ...]) -> Iterator[bool]:
    """Yield, for each place of a frame after one, whether a frame of this log stands there."""
    for at in range(after + size, len(data) - size + 1, size):
        yield _FRAME.unpack_from(data, at)[2:4] == salts


def _summed(data: bytes, order: str, start: tuple[int, int]) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second
