"""The simulated clock: actions in order of their time, those of one time in order of their scheduling."""

import heapq
from collections.abc import Callable
from typing import Final

from beaconfire.messages.words import TimeUs

PENDING_MAX: Final = 2_000_000
"""More actions than this waiting at once is a runaway, and an error of ours."""

Action = Callable[[], None]


class Scheduler:
    """Discrete events on one clock.

    Attributes:
        now_us: the simulated time, microseconds; never runs back.
    """

    def __init__(self, start_us: TimeUs) -> None:
        """Start the clock."""
        self.now_us = start_us
        self._start_us = start_us
        self._order = 0
        self._pending: list[tuple[TimeUs, int, Action]] = []

    def at(self, time_us: TimeUs, action: Action) -> None:
        """Have an action done at a time, or now if that is past."""
        assert len(self._pending) < PENDING_MAX, "too many actions pending"
        self._order += 1
        heapq.heappush(self._pending, (max(time_us, self.now_us), self._order, action))

    def elapsed_us(self) -> int:
        """Return the simulated time since the start."""
        return self.now_us - self._start_us

    def next_us(self) -> TimeUs | None:
        """Return the time of the next action, None if there is none."""
        return self._pending[0][0] if self._pending else None

    def step(self) -> None:
        """Do the next action."""
        time_us, _, action = heapq.heappop(self._pending)
        self.now_us = time_us
        action()

    def run_until(self, time_us: TimeUs) -> None:
        """Do everything up to and at a time, and leave the clock there."""
        while self._pending and self._pending[0][0] <= time_us:
            self.step()
        self.now_us = max(self.now_us, time_us)

    def skip_to(self, time_us: TimeUs) -> None:
        """Let the clock jump as if the machine had slept: what was due meanwhile is done afterwards."""
        self.now_us = max(self.now_us, time_us)
        late = [(max(due_us, self.now_us), order, action) for due_us, order, action in self._pending]
        heapq.heapify(late)
        self._pending = late
