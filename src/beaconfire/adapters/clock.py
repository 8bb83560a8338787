"""The time as a node is told it: the wall clock, or an event clock that runs at a stated speed."""

import time
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.errors import UsageError
from beaconfire.nodes.commands import Now

MAXIMUM_CLOCK_BYTES: Final = 4_096
SPEED_MAX: Final = 1_000.0


class ClockSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event clock: at `wall_start_us` it shows `event_start_us`, and runs `speed` times as fast.

    Attributes:
        event_start_us: event time at the start, microseconds UTC.
        wall_start_us: wall time at the start, microseconds UTC.
        speed: event seconds per wall second, above 0.
    """

    event_start_us: int
    wall_start_us: int
    speed: float


class Clock:
    """Gives `Now`; UTC never runs back, even when the wall clock is set back: it stands still meanwhile.

    Attributes:
        set_back_us: by how much the wall clock was behind its latest when it was last looked at.
    """

    def __init__(self, settings: ClockSettings | None = None) -> None:
        """Take an event clock's settings, or None for the wall clock."""
        self._settings = settings
        self._latest_wall_us = 0
        self.set_back_us = 0

    @property
    def speed(self) -> float:
        """Event seconds per wall second."""
        return self._settings.speed if self._settings else 1.0

    def utc_at(self, wall_us: int) -> int:
        """Return what the clock shows when the wall clock shows `wall_us`, both microseconds UTC."""
        if self._settings is None:
            return wall_us
        passed_us = wall_us - self._settings.wall_start_us
        return self._settings.event_start_us + round(passed_us * self._settings.speed)

    def now(self) -> Now:
        """Return the time; the monotonic part is never scaled."""
        wall_us = time.time_ns() // 1_000
        self._latest_wall_us = max(self._latest_wall_us, wall_us)
        self.set_back_us = self._latest_wall_us - wall_us
        return Now(utc_us=self.utc_at(self._latest_wall_us), monotonic_us=time.monotonic_ns() // 1_000)


def read_clock(path: Path) -> Clock:
    """Return the event clock that a file states.

    Raises:
        UsageError: unreadable, or not a clock.
    """
    try:
        with path.open("rb") as stream:
            settings = msgspec.json.decode(stream.read(MAXIMUM_CLOCK_BYTES), type=ClockSettings)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(path), "a clock file") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        wanted = "JSON with event_start_us, wall_start_us, speed"
        raise UsageError(f"not a clock: {error}", str(path), wanted) from error
    if not 0.0 < settings.speed <= SPEED_MAX:
        raise UsageError(f"speed {settings.speed:g}", f"{path}: speed", f"above 0, at most {SPEED_MAX:g}")
    return Clock(settings)


def write_clock(path: Path, settings: ClockSettings) -> None:
    """Write a clock file whole: a reader sees all of it or none."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(settings))
    draft.replace(path)


def wall_now_us() -> int:
    """Return the wall clock, microseconds UTC."""
    return time.time_ns() // 1_000


def wall_minus_monotonic_us() -> int:
    """Return the wall clock less the monotonic clock, which all processes of a machine share."""
    return (time.time_ns() - time.monotonic_ns()) // 1_000
