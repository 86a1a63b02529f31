"""The owner of every point of a layer, with what is to be said of those that have none."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from gisgrid.crs import STORAGE_CRS, normalise, points_to_storage
from gisgrid.errors import BadInput
from gisgrid.limits import OUTSIDE_METRES_MAX
from gisgrid.locate.index import GridIndex

Floats = npt.NDArray[np.float64]

_LONLAT: Final = ("EPSG:4326", STORAGE_CRS)


def locate_points(
    points: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    *,
    crs: str | int | None = None,
    max_metres: float = OUTSIDE_METRES_MAX,
    index: GridIndex | None = None,
) -> pd.DataFrame:
    """Owner of every point of a layer; the file form of locate.

    ``points``: in their own CRS or in ``crs`` (gcj02 and bd09 too); ``grids``: column ``code`` and polygons
    in any CRS. Points are brought to the CRS of the grids, so grids in EPSG:4490 compare in lon/lat exactly as the
    SQL rule does. ``index`` spares building one anew from the grids.

    Returns one row a point, with the index of ``points``: ``grid`` (code or None), ``outside`` (a usable point in no
    grid), ``nearest`` and ``metres`` (nearest grid within ``max_metres`` of an outside point, and how far; None and
    NaN otherwise), ``reason`` (why a row could not be used, or None). Raises BadInput when a layer has no CRS or the
    grids cannot be indexed.
    """
    source = crs if crs is not None else points.crs
    for which, system in (("points", source), ("grids", grids.crs)):
        if system is None:
            raise BadInput(f"the {which} layer has no coordinate system; give one with --crs", code="no_crs")
    if "code" not in grids.columns:
        raise BadInput(f"the grids layer has no column code, only {', '.join(map(str, grids.columns))}; rename one")
    if index is None:
        index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].to_numpy())
    shapes = points.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    reason = np.full(len(points), None, dtype=object)
    reason[kinds != shapely.GeometryType.POINT] = "geometry is no point"
    reason[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = "no geometry"
    shapes = np.where(reason == None, shapes, None)  # noqa: E711 - elementwise
    x, y = _moved(shapely.get_x(shapes), shapely.get_y(shapes), normalise(source), normalise(grids.crs))
    usable = np.isfinite(x) & np.isfinite(y)
    reason[~usable & (reason == None)] = "coordinates do not fit the coordinate system"  # noqa: E711
    rows = index.rows(x, y)
    outside = usable & (rows < 0)
    turned = _turned(shapes, outside, normalise(source), normalise(grids.crs), index)
    reason[turned] = "longitude and latitude are swapped: the point lies in a grid when they are exchanged"
    outside &= ~turned
    degrees = grids.crs.is_geographic
    unit = 1.0 if degrees else float(grids.crs.axis_info[0].unit_conversion_factor)
    near_rows = np.full(len(points), -1, np.int32)
    metres = np.full(len(points), np.nan)
    near_rows[outside], metres[outside] = index.nearest(x[outside], y[outside], max_metres / unit, metres=degrees)
    metres *= unit
    columns = {
        "grid": index.codes_of(rows),
        "outside": outside,
        "nearest": index.codes_of(near_rows),
        "metres": metres,
        "reason": reason,
    }
    # each column keeps its type: pandas would make NaN of the Nones
    series = {name: pd.Series(values, points.index, dtype=values.dtype) for name, values in columns.items()}
    return pd.DataFrame(series, index=points.index)


def _turned(
    shapes: Any, outside: npt.NDArray[np.bool_], source: str, target: str, index: GridIndex
) -> npt.NDArray[np.bool_]:
    """Points in no grid that lie in one once x and y are exchanged."""
    turned = np.zeros(len(shapes), dtype=bool)
    rows = np.flatnonzero(outside)
    if len(rows):
        x, y = _moved(shapely.get_y(shapes[rows]), shapely.get_x(shapes[rows]), source, target)
        turned[rows] = index.rows(x, y) >= 0
    return turned


def _moved(x: Floats, y: Floats, source: str, target: str) -> tuple[Floats, Floats]:
    """Coordinates from one named system to another; where that fails, infinite or NaN."""
    if source == target or (source in _LONLAT and target in _LONLAT):
        return x, y  # the same numbers, to the last bit
    if target in _LONLAT or source in ("gcj02", "bd09"):
        x, y = points_to_storage(x, y, source)
        source = STORAGE_CRS
    if target in _LONLAT:
        return x, y
    moved_x, moved_y = pyproj.Transformer.from_crs(source, target, always_xy=True).transform(x, y)
    return np.asarray(moved_x, np.float64), np.asarray(moved_y, np.float64)
