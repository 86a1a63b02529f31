"""What a picture shows, and what of a layer lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

PIXEL_METRES: Final = 0.00028
"""Side of the standard pixel (OGC 06-042, 7.2.4.6.9)."""
STANDARD_DPI: Final = 0.0254 / PIXEL_METRES
"""Dots an inch of the standard pixel: 90.714."""
DEGREE_METRES: Final = 6_378_137.0 * 3.141592653589793 / 180.0
"""A degree along the equator, in metres."""


@dataclass(frozen=True)
class View:
    """Frame of a picture. ``box``: min x, min y, max x, max y in ``crs`` (``EPSG:n`` or ``CRS:84``), x always the
    axis to the east whatever the CRS's own order; ``width`` and ``height`` in pixels."""

    crs: str
    box: tuple[float, float, float, float]
    width: int
    height: int
    dpi: float = STANDARD_DPI

    @property
    def ratio(self) -> float:
        """Pixels of this picture a standard pixel takes: what sizes and widths of styles are multiplied by."""
        return self.dpi / STANDARD_DPI

    @cached_property
    def scale(self) -> float:
        """Scale denominator (OGC 06-042): standard pixels, degrees counted as along the equator."""
        metres = DEGREE_METRES if self.geographic else 1.0
        return (self.box[2] - self.box[0]) * metres / (self.width / self.ratio) / PIXEL_METRES

    @cached_property
    def geographic(self) -> bool:
        """Whether the box is in degrees."""
        return self.crs == "CRS:84" or CRS.from_user_input(self.crs).is_geographic


@dataclass(frozen=True, slots=True)
class Window:
    """Features of a layer within a view, in drawing order, in its pixels (x right, y down from the upper left corner).

    ``rows`` (k,) row numbers in the held layer; ``coords`` (n, 2) float32; ``parts`` (p + 1,) first coordinate of
    every ring, line or run of points; ``features`` (k + 1,) first part of every feature; ``kinds`` (p,) 0 points, 1
    line, 2 ring (rings of a feature together fill even-odd); ``anchors`` (k, 2) where a label or symbol stands: inside
    polygons, on lines, the point itself (NaN where that is outside the margin).
    """

    rows: NDArray[np.int64]
    coords: NDArray[np.float32]
    parts: NDArray[np.int64]
    features: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    anchors: NDArray[np.float32]
