"""Make a sound division out of a layer drawn by hand: shared vertices, no overlap, no sliver gap.

All outlines are noded together into faces, each face gets one owner, and the faces of an owner are joined again. So
two grids that meet share every vertex of their border.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import topology
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput

GAP_M2: Final = 10.0
"""Enclosed gaps up to so many square metres are filled."""
GAP_WIDTH: Final = 1.0
"""Enclosed gaps with a mean width (2A/P) up to so many metres are filled, whatever their area."""


def clean(
    grids: gpd.GeoDataFrame, *, gap_m2: float = GAP_M2, gap_width: float = GAP_WIDTH, precision: float = 1e-3
) -> gpd.GeoDataFrame:
    """The layer as a coverage that passes `shapely.coverage_is_valid`, level by level.

    Ground claimed by several grids goes to the smallest code (column ``code``, ``unit_id`` or ``grid``; else the first
    row), the rule by which locate breaks ties. Enclosed gaps of at most ``gap_m2`` or a mean width of ``gap_width``
    metres, and crumbs as small that were cut off their grid, go to the neighbour with the longest shared border.
    Larger gaps and pieces stay: they are decisions, not rounding. ``precision``: grid of the noding in metres.

    Same columns and CRS as given; all levels share vertices. Grids left without any ground (doubles) are dropped.
    Raises BadInput for an empty layer or no coordinate system.
    """
    if not len(grids):
        raise BadInput("the grid layer is empty: nothing to clean")
    metric = to_metric(grids)
    wrong = ~topology.finite(metric.geometry)
    if wrong.any():
        raise BadInput(f"the grid in row {int(np.flatnonzero(wrong)[0]) + 1} has a coordinate that is no number")
    parts, rows = topology.polygon_parts(shapely.force_2d(np.asarray(metric.geometry)))
    if not len(parts):
        raise BadInput("the grid layer has no polygon: nothing to clean")
    found = topology.faces(shapely.boundary(parts), precision=precision)
    shared = topology.borders(topology.edges(found))
    face, part = _claims(found, parts)
    rank = _priority(grids)
    levels = grids["level"].fillna(1).to_numpy() if "level" in grids else np.ones(len(grids))
    crumb = (shapely.area(found) <= gap_m2) | (2 * shapely.area(found) <= gap_width * shapely.length(found))
    geoms = np.full(len(grids), None, dtype=object)
    for level in sorted(set(levels.tolist())):
        of_level = levels[rows[part]] == level
        owner = _owners(len(found), face[of_level], rows[part[of_level]], rank)
        owner = _settle(owner, found, shared, crumb, gap_m2)
        mine = topology.dissolve(found, owner, len(grids))
        geoms = np.where(levels == level, mine, geoms)
    kept = ~shapely.is_missing(geoms)
    series = gpd.GeoSeries(geoms[kept], index=grids.index[kept], crs=metric.crs)
    cleaned = grids[kept].set_geometry(series)
    return cleaned.to_crs(grids.crs)


def node_coverage(geometries: Any, *, precision: float = topology.PRECISION) -> NDArray[np.object_]:
    """The polygons with shared vertices wherever they meet; ground claimed twice goes to the first. Metric CRS.

    No gap is filled. shape (n,), None where nothing is left of a polygon.
    """
    geoms = np.asarray(geometries, dtype=object)
    parts, rows = topology.polygon_parts(geoms)
    found = topology.faces(shapely.boundary(parts), precision=precision)
    face, part = _claims(found, parts)
    owner = _owners(len(found), face, rows[part], np.arange(len(geoms)))
    return topology.dissolve(found, owner, len(geoms))


def _claims(found: NDArray[np.object_], parts: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # a face is wholly inside or wholly outside each polygon, so one point of it decides
    face, part = shapely.STRtree(parts).query(shapely.point_on_surface(found), predicate="intersects")
    return face, part


def _priority(grids: gpd.GeoDataFrame) -> NDArray[np.int64]:
    column = next((name for name in ("code", "unit_id", "grid") if name in grids), None)
    if column is None:
        return np.arange(len(grids))
    null = grids[column].isna().to_numpy()
    text = grids[column].astype(str).to_numpy().astype(str)
    rank = np.empty(len(grids), np.int64)
    rank[np.lexsort((np.arange(len(grids)), text, null))] = np.arange(len(grids))
    return rank


def _owners(count: int, face: NDArray[np.int64], row: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row with the smallest rank among those that claim each face; −1 where none does."""
    owner = np.full(count, -1, np.int64)
    order = np.lexsort((rank[row], face))
    first = order[np.unique(face[order], return_index=True)[1]]
    owner[face[first]] = row[first]
    return owner


def _settle(
    owner: NDArray[np.int64],
    found: NDArray[np.object_],
    shared: topology.Borders,
    crumb: NDArray[np.bool_],
    crumb_m2: float,
) -> NDArray[np.int64]:
    cut = topology.fragments(owner, found, shared)
    loose = ((owner < 0) & crumb) | (cut.cut_off & (cut.piece_m2 <= crumb_m2))
    settled, still = topology.absorb(owner, loose, shared)
    # a crumb no settled grid touches keeps what it had: its own grid, or nobody
    return np.where(still, owner, settled)
