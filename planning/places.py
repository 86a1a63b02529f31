"""Buildings, facilities and grids as arrays: inner points in metres, counts, who lies in what."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Geometries = NDArray[np.object_]


def inner_points(rows: gpd.GeoDataFrame, crs: Any) -> Float64:
    """(n, 2) metres of ``crs``: a point inside each row's shape, NaN where it has none. Raises BadInput without CRS."""
    shapes = to_metric(rows[[rows.geometry.name]]).geometry.to_crs(crs)
    points = shapely.point_on_surface(shapes.to_numpy())
    points[shapely.is_empty(points)] = None  # an empty point has no x to ask for
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def counts(rows: gpd.GeoDataFrame, column: str, what: str) -> Float64:
    """A count column as numbers, zero where it is absent or unknown. Raises BadInput for a row that is no count."""
    if column not in rows:
        return np.zeros(len(rows))
    given = rows[column]
    values: Float64 = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = (np.isnan(values) & given.notna().to_numpy(bool)) | (values < 0) | np.isinf(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(f"{what} row {row + 1}: {column}={given.iloc[row]!s} is not a count; give 0 or more")
    return np.nan_to_num(values)


def polygons_of(rows: gpd.GeoDataFrame, crs: Any, what: str) -> Geometries:
    """The polygons of a layer in ``crs``, mended where they cross themselves, None where a row has none.

    Raises BadInput when the layer holds no area.
    """
    shapes = to_metric(rows[[rows.geometry.name]]).geometry.to_crs(crs).to_numpy()
    shapes = shapely.make_valid(shapes)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6, 7)) & (shapely.area(shapes) > 0)
    if not polygonal.any():
        raise BadInput(f"the {what} layer has no polygon with any area; give polygons")
    out: Geometries = np.full(len(shapes), None, object)
    out[polygonal] = shapes[polygonal]
    return out


def members(xy: Float64, grids: gpd.GeoDataFrame, crs: Any) -> tuple[Int64, Int64]:
    """(row of ``xy``, row of ``grids``) for every place and the grid it lies in, once per ``level`` of grids.

    Of several grids of one level that cover a place the smallest code owns it. Raises BadInput for an empty layer, a
    missing or repeated code.
    """
    if not len(grids):
        raise BadInput("the grids layer is empty; leave it out, or give polygons with a column code")
    if "code" not in grids:
        raise BadInput(f"the grids layer has no column code, only {', '.join(map(str, grids.columns))}")
    twice = grids["code"].duplicated().to_numpy(bool)
    if twice.any():
        row = int(twice.argmax())
        raise BadInput(f"grids row {row + 1}: code {grids['code'].iloc[row]} is given twice")
    shapes = polygons_of(grids, crs, "grids")
    rank = np.empty(len(grids), np.int64)
    rank[np.argsort(grids["code"].to_numpy(object), kind="stable")] = np.arange(len(grids))
    level = levels_of(grids)
    place, grid = shapely.STRtree(shapes).query(shapely.points(xy), predicate="intersects")
    order = np.lexsort((rank[grid], level[grid], place))
    place, grid = place[order], grid[order]
    first = np.ones(len(place), bool)
    first[1:] = (place[1:] != place[:-1]) | (level[grid[1:]] != level[grid[:-1]])
    return place[first], grid[first]


def levels_of(grids: gpd.GeoDataFrame) -> Int64:
    """The level of each grid, 0 where the layer has none."""
    if "level" not in grids:
        return np.zeros(len(grids), np.int64)
    levels: Int64 = pd.to_numeric(grids["level"], errors="coerce").fillna(0).to_numpy(np.float64).astype(np.int64)
    return levels


def names_of(rows: gpd.GeoDataFrame, *columns: str) -> list[str]:
    """What to call each row: the first of ``columns`` that is there and filled, else its number from 1."""
    names = pd.Series([None] * len(rows), dtype=object)
    for column in columns:
        if column in rows:
            given = rows[column].astype(object).where(rows[column].notna(), None).reset_index(drop=True)
            names = names.where(names.notna() & (names != ""), given)
    return [str(row + 1) if name is None or name != name or name == "" else str(name) for row, name in enumerate(names)]
