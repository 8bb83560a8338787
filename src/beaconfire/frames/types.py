"""Frames as types: a position in one frame can't be passed for a position in another."""

from typing import NewType

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

PositionEcef = NewType("PositionEcef", Vector)
"""Position, ECEF (WGS-84), metres, shape (3,) or (n, 3)."""

VelocityEcef = NewType("VelocityEcef", Vector)
"""Rate of change of the ECEF coordinates, metres per second, shape (3,) or (n, 3)."""

PositionEnu = NewType("PositionEnu", Vector)
"""Position east, north, up of a stated origin, metres, shape (3,) or (n, 3)."""

RotationEnuFromEcef = NewType("RotationEnuFromEcef", Vector)
"""Matrix that turns ECEF components into east, north, up components, shape (3, 3)."""
