"""Steps of a surface and the areas between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from contourpy import FillType, contour_generator

from planning.heat.surface import Surface

CLASSES: Final = 7
BEND: Final = 1.5
"""Above 1: the lower steps are narrower, as few places have many reports."""


def breaks_of(peak: float) -> tuple[float, ...]:
    """Lower bounds of `CLASSES` steps up to a peak, rounded to two digits; the first is above 0.

    What is below the first is not drawn. Empty where there is no peak.
    """
    if not peak > 0:
        return ()
    found = [_rounded(peak * ((k + 0.6) / (CLASSES + 0.6)) ** BEND) for k in range(CLASSES)]
    return tuple(dict.fromkeys(found))


def _rounded(value: float) -> float:
    digits = 1 - math.floor(math.log10(value))
    return round(value, digits)


def contours(surface: Surface, breaks: Sequence[float], crs: pyproj.CRS | str) -> gpd.GeoDataFrame:
    """Areas from each step up to the next (``low``, ``high``; the last has no ``high``), in ``crs``, metres."""
    raster = surface.raster
    rows, columns = raster.shape
    if rows < 2 or columns < 2 or not breaks:
        return gpd.GeoDataFrame({"low": [], "high": []}, geometry=[], crs=crs)
    x, y = raster.x0 + raster.cell * np.arange(columns), raster.y0 + raster.cell * np.arange(rows)
    made = contour_generator(x, y, np.ma.masked_invalid(surface.values), fill_type=FillType.OuterOffset)
    limits = [*breaks, np.inf]
    low, high, shapes = [], [], []
    for least, most in itertools.pairwise(limits):
        filled: Any = made.filled(least, most)
        points, starts = filled
        parts = [_polygon(p, s) for p, s in zip(points, starts, strict=True)]
        if parts:
            low.append(least)
            high.append(most if math.isfinite(most) else None)
            shapes.append(shapely.union_all(shapely.make_valid(parts)))
    return gpd.GeoDataFrame({"low": low, "high": high}, geometry=shapes, crs=crs)


def _polygon(points: Any, starts: Any) -> shapely.Polygon:
    rings = [points[a:b] for a, b in itertools.pairwise(starts)]
    return shapely.Polygon(rings[0], rings[1:])
