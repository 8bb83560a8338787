"""Telemetry of a rocket stage as a public webcast showed it: height, distance and burns, second by second.

Two JSON files of one flight: `NAME__analysed.json` (lists `time` s, `altitude` km, `downrange_distance` km)
and `NAME__events.json` (seconds after launch, null where there was none). What else they hold is left alone.
Source: S. Trifon, Telemetry-Data (public repository), its README.
"""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Annotated, Final

import msgspec
import numpy as np

from beaconfire.errors import UsageError
from beaconfire.formats.tables import read_text
from beaconfire.frames.types import Vector

SAMPLES_MAX: Final = 20_000
_Numbers = Annotated[list[float], msgspec.Meta(min_length=30, max_length=SAMPLES_MAX)]


class _Shown(msgspec.Struct):
    time: _Numbers
    altitude: _Numbers
    downrange_distance: _Numbers


class _Events(msgspec.Struct):
    meco: float
    boostback_start: float | None = None
    boostback_end: float | None = None
    entry_start: float | None = None
    entry_end: float | None = None


@dataclass(frozen=True, eq=False)
class StageFlight:
    """One flight of a stage.

    Attributes:
        name: of the mission.
        times_s: after launch, rising, shape (n,).
        height_m: above the ground, shape (n,), rounded as shown.
        downrange_m: along the ground, shape (n,), rounded as shown.
        burnout_s: end of the ascent.
        burns: name, start and end of each burn after that.
    """

    name: str
    times_s: Vector
    height_m: Vector
    downrange_m: Vector
    burnout_s: float
    burns: tuple[tuple[str, float, float], ...]

    @property
    def free_from_s(self) -> float:
        """Return from when it flies freely to its highest point: after the ascent or a burn back."""
        return max([self.burnout_s, *(end for name, _, end in self.burns if name == "boostback")])


def read_stage_flight(name: str, analysed: Traversable, events: Traversable) -> StageFlight:
    """Return one recorded flight.

    Args:
        name: of the mission.
        analysed: its lists.
        events: its events.

    Raises:
        UsageError: a file is missing, no such JSON, or its lists don't belong together.
    """
    try:
        shown = msgspec.json.decode(read_text(analysed), type=_Shown)
        happened = msgspec.json.decode(read_text(events), type=_Events)
    except msgspec.MsgspecError as error:
        raise UsageError(str(error)[:200], f"{analysed}: {name}", "telemetry of a webcast") from error
    times, height, downrange = (
        np.array(one) for one in (shown.time, shown.altitude, shown.downrange_distance)
    )
    if not times.shape == height.shape == downrange.shape or not np.all(np.diff(times) > 0.0):
        raise UsageError("lists don't belong together", str(analysed), "as many values as rising times")
    spans = (
        ("boostback", happened.boostback_start, happened.boostback_end),
        ("entry", happened.entry_start, happened.entry_end),
    )
    burns = tuple((kind, start, end) for kind, start, end in spans if start is not None and end is not None)
    return StageFlight(name, times, 1e3 * height, 1e3 * downrange, happened.meco, burns)
