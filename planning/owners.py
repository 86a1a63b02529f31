"""Which grid of another plan each unit lies in: by the other plan's units where they are the same, else by place."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gisgrid.coverage import row_names
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.nesting import finest_column
from gisgrid.overlay import Geometries, largest, overlaps, sound_polygons

SAME_METRES: Final = 1.0
"""Units of one id whose centroids are farther apart are two units."""
SAME_AREA: Final = 0.01
"""Units of one id whose areas differ by a larger share are two units."""
LEAST_SHARE: Final = 1e-6
"""A unit that shares less of its area with a grid only touches it."""


def owners(
    units: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, other_units: gpd.GeoDataFrame | None = None
) -> npt.NDArray[np.object_]:
    """Code of the finest grid each unit lies in, "" for none, object (n,).

    units: polygons, any CRS; grids: polygons with ``code`` (and ``level``: the finest is taken); other_units: the
    units ``grids`` were made of, with ``unit_id`` and ``grid`` (``grid_2`` …). When every unit is among them,
    unchanged, their grid is taken; otherwise the grid that covers most of the unit (ties: the smaller code). Raises
    BadInput for layers without a coordinate system and for two grids of a level with one code.
    """
    if other_units is not None and "grid" in other_units:
        other_units = other_units.assign(grid=other_units[finest_column(other_units, grids)])
        if (known := _by_identity(units, other_units)) is not None:
            return known
    metric = to_metric(units)
    target = to_metric(finest(grids), metric.crs)
    names = row_names(target)
    if len(set(names)) < len(names):
        twice = pd.Series(names)[pd.Series(names).duplicated()].iloc[0]
        raise BadInput(f"grid code {twice} is on two grids of a level; give every grid its own")
    return holders(metric.geometry.to_numpy(), target.geometry.to_numpy(), names)


def holders(units: Geometries, grids: Geometries, codes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Code of the grid that covers most of each unit, "" where none does more than touch it, object (n,).

    units (n,), grids (m,): polygons in one metric CRS, invalid ones repaired here; codes (m,): the smaller wins a tie.
    """
    shapes = sound_polygons(units)
    found = overlaps(shapes, sound_polygons(grids))
    unit, grid, m2 = found.row, found.at, found.m2
    first = largest(found, codes[grid].astype(str))
    first = first[m2[first] > LEAST_SHARE * shapely.area(shapes)[unit[first]]]
    owner = np.full(len(shapes), "", dtype=object)
    owner[unit[first]] = codes[grid[first]]
    return owner


def finest(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of the deepest level of a grid layer."""
    if "level" not in grids or grids["level"].isna().all():
        return grids
    level = grids["level"].fillna(1)
    return grids[level == level.max()]


def pieces(grids: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Units for two plans of which only grids are known: the parts their finest grids cut each other into.

    Columns ``unit_id``, ``grid`` (code of ``grids``), ``households`` and ``population`` (those of the grid spread
    evenly over its ground: an estimate), ``geometry`` in the metric CRS. Ground outside ``others`` is a part too.
    """
    mine = to_metric(finest(grids)).reset_index(drop=True)
    theirs = to_metric(finest(others), mine.crs).geometry.to_numpy()
    shapes, names = mine.geometry.to_numpy(), row_names(mine)
    at, other = shapely.STRtree(theirs).query(shapes, predicate="intersects")
    common = shapely.intersection(shapes[at], theirs[other])
    rest = shapely.difference(shapes, shapely.union_all(theirs))
    row = np.concatenate([at, np.arange(len(shapes))])
    parts = np.concatenate([common, rest])
    share = shapely.area(parts) / np.maximum(shapely.area(shapes)[row], 1e-9)
    keep = np.flatnonzero(share > LEAST_SHARE)
    row, parts, share = row[keep], parts[keep], share[keep]
    share /= np.bincount(row, share, minlength=len(shapes))[row]
    columns: dict[str, Any] = {
        column: share * pd.to_numeric(mine[column], errors="coerce").fillna(0).to_numpy(float)[row]
        for column in ("households", "population")
        if column in mine
    }
    ids = [f"part {number + 1}" for number in range(len(row))]
    return gpd.GeoDataFrame({"unit_id": ids, "grid": names[row], **columns}, geometry=parts, crs=mine.crs)


def _by_identity(units: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> npt.NDArray[np.object_] | None:
    """Grid by unit_id; None unless all units are there with the same place and size."""
    wanted = {"unit_id", "grid"}
    if "unit_id" not in units or not wanted <= set(others.columns) or others["unit_id"].duplicated().any():
        return None
    ids = pd.Index(others["unit_id"].astype(str))
    row = ids.get_indexer(units["unit_id"].astype(str))
    if (row < 0).any():
        return None
    here = to_metric(units)
    there = to_metric(others, here.crs).iloc[row]
    apart = shapely.distance(shapely.centroid(here.geometry.to_numpy()), shapely.centroid(there.geometry.to_numpy()))
    area, other = here.area.to_numpy(), there.area.to_numpy()
    if (apart > SAME_METRES).any() or (np.abs(area - other) > SAME_AREA * np.maximum(area, 1.0)).any():
        return None
    grid = others["grid"].astype(object).where(others["grid"].notna(), "").astype(str)
    return np.asarray(grid.to_numpy(object)[row], dtype=object)
