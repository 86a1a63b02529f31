"""Circles on the ground: true metres on the ellipsoid, drawn as polygons of exactly the circle's area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import RADIUS_METRES_MAX

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Geometries = NDArray[np.object_]

CORNERS_MIN: Final = 64
TOLERANCE_RANGE: Final = (0.0001, 10.0)
"""How far, in metres, a drawn circle may leave the true one."""


def radii_of(facilities: gpd.GeoDataFrame, radius: float | str | Mapping[str, float]) -> Float64:
    """Metres each facility reaches: one number for all, a column's name, or a number by ``category``.

    Raises BadInput, naming the row, where a radius is missing, no number, or not above 0 and at most
    `RADIUS_METRES_MAX`.
    """
    if isinstance(radius, Mapping):
        if "category" not in facilities:
            raise BadInput("radii by category need facilities with a column category")
        given = facilities["category"].map(dict(radius)).astype(object)
        absent = facilities["category"][given.isna().to_numpy(bool)]
        if len(absent):
            raise BadInput(f"facility category {absent.iloc[0]!s} has no radius; give one, or leave it out")
    elif isinstance(radius, str):
        if radius not in facilities:
            raise BadInput(
                f"the facilities have no column {radius} for the radius, only {', '.join(map(str, facilities.columns))}"
            )
        given = facilities[radius]
    else:
        _radius(radius, "radius")
        return np.full(len(facilities), float(radius))
    metres: Float64 = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~((metres > 0) & (metres <= RADIUS_METRES_MAX)))
    if len(wrong):
        _radius(given.iloc[int(wrong[0])], f"facilities row {int(wrong[0]) + 1}: radius")
    return metres


def _radius(value: Any, what: str) -> float:
    """``value`` as a radius. Raises BadInput."""
    try:
        metres = float(value)
    except (TypeError, ValueError):
        metres = float("nan")
    if not 0 < metres <= RADIUS_METRES_MAX:
        raise BadInput(f"{what} {value} is not above 0 and at most {RADIUS_METRES_MAX:g} metres; give for example 150")
    return metres


def radius_of(value: Any) -> float:
    """The radius of new facilities, checked. Raises BadInput."""
    return _radius(value, "radius of new facilities")


def scale_at(xy: Float64, crs: pyproj.CRS) -> Float64:
    """Metres of a conformal ``crs`` in a true metre on the ellipsoid, at each of ``xy`` (n, 2).

    Up to 1.0004 at the edge of a Gauss-Krueger zone: 15 cm in 400 m.
    """
    if not len(xy):
        return np.ones(0)
    lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(xy[:, 0], xy[:, 1])
    scale: Float64 = np.asarray(pyproj.Proj(crs).get_factors(lon, lat).meridional_scale, np.float64)
    return scale


def discs(xy: Float64, radius: Float64, *, tolerance: float = 0.01) -> Geometries:
    """Circles about ``xy`` (n, 2) as polygons that leave them by less than ``tolerance`` metres and have their area.

    The corners lie a little outside, the sides a little inside, so that areas are true (a polygon of n corners drawn
    *on* the circle lacks 6.6 / n² of it).
    """
    corners = np.ceil(np.pi / np.arccos(1 - np.minimum(tolerance / radius, 0.5)) / 4).astype(np.int64) * 4
    corners = np.maximum(corners, CORNERS_MIN)
    out = np.empty(len(xy), object)
    for count in np.unique(corners):
        rows = np.flatnonzero(corners == count)
        angle = 2 * np.pi * np.arange(count) / count
        long = radius[rows] * np.sqrt(2 * np.pi / (count * np.sin(2 * np.pi / count)))
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        out[rows] = shapely.polygons(xy[rows, None, :] + long[:, None, None] * ring)
    return out


def union(xy: Float64, radius: Float64, *, tolerance: float = 0.01) -> shapely.Geometry:
    """What circles cover together; those inside another one are left out first."""
    if not len(xy):
        return shapely.MultiPolygon()
    order = np.lexsort((xy[:, 1], xy[:, 0], -radius))
    xy, radius = xy[order], radius[order]
    inner, outer = shapely.STRtree(shapely.points(xy)).query(
        shapely.points(xy), predicate="dwithin", distance=float(radius.max() - radius.min())
    )
    apart = np.hypot(*(xy[inner] - xy[outer]).T)
    hidden = np.zeros(len(xy), bool)
    hidden[inner[(outer < inner) & (apart + radius[inner] <= radius[outer])]] = True
    return shapely.union_all(discs(xy[~hidden], radius[~hidden], tolerance=tolerance))


def pairs_within(xy: Float64, radius: Float64, places: Float64) -> tuple[Int64, Int64]:
    """(facility, place) for every one of ``places`` (m, 2) within the ``radius`` of a facility ``xy`` (n, 2).

    Exact, not by the drawn circles; a place on the circle is inside.
    """
    rows = np.flatnonzero(np.isfinite(places).all(axis=1))
    tree = shapely.STRtree(shapely.points(places[rows]))
    facility, place = tree.query(shapely.points(xy), predicate="dwithin", distance=radius + 1e-6)
    return facility, rows[place]
