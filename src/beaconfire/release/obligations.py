"""Obligations: what must be done to a group before it may pass. A closed list; anything else withholds."""

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from beaconfire.messages.words import Group

MAXIMUM_GRID_KM: Final = 1_000.0
MAXIMUM_ROUND_TIME_S: Final = 3_600.0
MAXIMUM_DELAY_S: Final = 300.0
"""Half the life of a report: after that nothing would be left to release."""
INFORMATIVE: Final = frozenset({"id", "note"})
"""Annotations of a policy that oblige to nothing."""


class Obligations(msgspec.Struct, frozen=True):
    """What one or several permits demand. The default demands nothing.

    Attributes:
        drop: take the group out.
        grid_m: snap places to a grid of this size; 0 leaves them.
        round_time_s: round times to this step; 0 leaves them.
        coast_only: take the group out while the object is still boosted.
        opaque_sensor: replace sensor ids by opaque names.
        delay_s: the hub keeps the whole report for so long before it passes; 0 does not. Never of a FLASH.
    """

    drop: bool = False
    grid_m: float = 0.0
    round_time_s: float = 0.0
    coast_only: bool = False
    opaque_sensor: bool = False
    delay_s: float = 0.0

    def join(self, other: "Obligations") -> "Obligations":
        """Return the least that satisfies both: the lattice join."""
        return Obligations(
            drop=self.drop or other.drop,
            grid_m=max(self.grid_m, other.grid_m),
            round_time_s=max(self.round_time_s, other.round_time_s),
            coast_only=self.coast_only or other.coast_only,
            opaque_sensor=self.opaque_sensor or other.opaque_sensor,
            delay_s=max(self.delay_s, other.delay_s),
        )

    def can_apply_to(self, group: Group) -> bool:
        """Return whether every demand has a meaning for the group; if not, the group is withheld."""
        return self.drop or all(
            group in groups
            for demanded, groups in (
                (self.grid_m > 0.0, _PLACED),
                (self.round_time_s > 0.0, _TIMED),
                (self.coast_only, _MOVING),
                (self.opaque_sensor, _SENSING),
            )
            if demanded
        )


_PLACED: Final = frozenset({Group.LAUNCH_POINT, Group.IMPACT})
_TIMED: Final = frozenset({Group.LAUNCH_POINT, Group.IMPACT, Group.TIMING})
_MOVING: Final = frozenset({Group.TRAJECTORY, Group.COVARIANCE})
_SENSING: Final = frozenset({Group.SENSOR})


def obligations_from(annotations: Mapping[str, str | None]) -> Obligations | None:
    """Return the obligations in a policy's annotations, or None if one is unknown or malformed."""
    joined = Obligations()
    for name, value in annotations.items():
        if name in INFORMATIVE:
            continue
        one = _obligation(name, value or "")
        if one is None:
            return None
        joined = joined.join(one)
    return joined


def _obligation(name: str, value: str) -> Obligations | None:
    match name, value:
        case "drop", ("" | "yes"):
            return Obligations(drop=True)
        case "opaque_sensor", ("" | "yes"):
            return Obligations(opaque_sensor=True)
        case "truncate_before", "burnout":
            return Obligations(coast_only=True)
        case "grid", _:
            grid_km = _number(value, MAXIMUM_GRID_KM)
            return None if grid_km is None else Obligations(grid_m=1_000.0 * grid_km)
        case "round_time", _:
            step_s = _number(value, MAXIMUM_ROUND_TIME_S)
            return None if step_s is None else Obligations(round_time_s=step_s)
        case "delay", _:
            delay_s = _number(value, MAXIMUM_DELAY_S)
            return None if delay_s is None else Obligations(delay_s=delay_s)
        case _:
            return None


def _number(text: str, maximum: float) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0.0 < number <= maximum else None
