"""Known bad on purpose: exactly the lines that end in `# wrong` mix frames up."""

import numpy as np

from beaconfire.frames.types import PositionEcef, PositionEnu, RotationEnuFromEcef, Vector, VelocityEcef


def height_of(position_ecef_m: PositionEcef) -> float:
    """Take a position in ECEF and nothing else."""
    return float(np.linalg.norm(position_ecef_m))


def turn(rotation: RotationEnuFromEcef, offset: Vector) -> PositionEnu:
    """Take a rotation and any offset."""
    return PositionEnu(rotation @ offset)


numbers: Vector = np.zeros(3)
position = PositionEcef(numbers)
velocity = VelocityEcef(numbers)
local = PositionEnu(numbers)

height_of(position)
height_of(local)  # wrong
height_of(velocity)  # wrong
height_of(numbers)  # wrong
turn(RotationEnuFromEcef(np.eye(3)), position)
turn(np.eye(3), position)  # wrong
back: PositionEcef = turn(RotationEnuFromEcef(np.eye(3)), position)  # wrong
