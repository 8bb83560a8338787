"""A wall clock that is wrong for one process alone: libfaketime stands before the system's clock.

How far it is off stands in a file for each process, and can be changed while it runs; the monotonic clock
stays as it is.
"""

from functools import cache
from pathlib import Path
from typing import Final

from beaconfire.errors import EnvironmentFault

LIBRARY: Final = "lib*/*/faketime/libfaketimeMT.so.1"
NOTICED_WITHIN_S: Final = 1.0
"""The library looks at the file once a second."""


@cache
def _library() -> Path | None:
    return next(iter(sorted(Path("/usr").glob(LIBRARY))), None)


def why_not() -> str:
    """Return why clocks can't be made wrong here, empty if they can."""
    return "" if _library() else "no libfaketime here (package libfaketime)"


class WrongClocks:
    """The clocks of some processes, each right until it is set."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for the files.

        Raises:
            EnvironmentFault: the library is not there.
        """
        library = _library()
        if library is None:
            raise EnvironmentFault(why_not(), "install it")
        self._library = library
        self._folder = folder

    def _file(self, process: str) -> Path:
        return self._folder / f"{process.replace('/', '-')}.clock"

    def inside(self, process: str) -> tuple[str, ...]:
        """Return what stands before the command of a process such as "hub/HUB-1"; its clock is right."""
        self.set(process, 0.0)
        words = {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": self._file(process),
            "FAKETIME_CACHE_DURATION": round(NOTICED_WITHIN_S),
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
        return ("env", *(f"{name}={value}" for name, value in words.items()))

    def set(self, process: str, off_s: float) -> None:
        """Let the clock of a process be off by so many seconds from now on."""
        draft = self._file(process).with_suffix(".draft")
        draft.write_text(f"{off_s:+f}\n", encoding="ascii")
        draft.replace(self._file(process))
