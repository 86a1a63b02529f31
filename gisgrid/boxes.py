"""Boxes in degrees (west, south, east, north) and metres around them."""

from __future__ import annotations

import math
from typing import Final

from gisgrid.errors import BadInput

Box = tuple[float, float, float, float]

_METRES_OF_LATITUDE: Final = 110_574.0
"""The shortest degree of latitude (at the equator): a box grown by it never falls short."""
_METRES_OF_LONGITUDE: Final = 111_319.0


def grown(box: Box, metres: float) -> Box:
    """The box with at least ``metres`` more on every side, held to the globe.

    Raises BadInput for metres below zero or not finite, and for a box that is none.
    """
    if not (math.isfinite(metres) and metres >= 0):
        raise BadInput(f"{metres} m around a box is not zero or more; give metres, for example 1250")
    west, south, east, north = box
    if not all(map(math.isfinite, box)) or west > east or south > north:
        raise BadInput(f"{box} is no box; give west, south, east, north in degrees")
    high = metres / _METRES_OF_LATITUDE
    south, north = max(-90.0, south - high), min(90.0, north + high)
    narrowest = math.cos(math.radians(min(89.0, max(abs(south), abs(north)))))
    wide = metres / (_METRES_OF_LONGITUDE * narrowest)
    return (max(-180.0, west - wide), south, min(180.0, east + wide), north)
