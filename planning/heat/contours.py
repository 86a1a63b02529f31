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
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry

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


def contours(surface: Surface, breaks: Sequence[float], crs: pyproj.CRS | str, area: BaseGeometry) -> gpd.GeoDataFrame:
    """Parts of ``area`` from each step up to the next: ``low``, ``high`` (none for the last), in ``crs``, metres.

    Between the outermost cells and the edge of the area the nearest cell's value goes on.
    """
    raster = surface.raster
    rows, columns = raster.shape
    if rows < 2 or columns < 2 or not breaks or not raster.inside.any():
        return gpd.GeoDataFrame({"low": [], "high": []}, geometry=[], crs=crs)
    nearest = distance_transform_edt(~raster.inside, return_distances=False, return_indices=True)
    values = np.pad(surface.values[tuple(nearest)], 1, mode="edge")
    x = raster.x0 + raster.cell * np.arange(-1, columns + 1)
    y = raster.y0 + raster.cell * np.arange(-1, rows + 1)
    made = contour_generator(x, y, values, fill_type=FillType.OuterOffset)
    limits = [*breaks, np.inf]
    low, high, shapes = [], [], []
    for least, most in itertools.pairwise(limits):
        filled: Any = made.filled(least, most)
        points, starts = filled
        parts = [_polygon(p, s) for p, s in zip(points, starts, strict=True)]
        shape = _surfaces(shapely.intersection(shapely.union_all(shapely.make_valid(parts)), area))
        if not shape.is_empty:
            low.append(least)
            high.append(most if math.isfinite(most) else None)
            shapes.append(shape)
    return gpd.GeoDataFrame({"low": low, "high": high}, geometry=shapes, crs=crs)


def _surfaces(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a shape: where a step touches the edge, lines and points are left over."""
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _polygon(points: Any, starts: Any) -> shapely.Polygon:
    rings = [points[a:b] for a, b in itertools.pairwise(starts)]
    return shapely.Polygon(rings[0], rings[1:])
