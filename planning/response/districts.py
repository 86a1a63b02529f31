"""The stations' districts by time: who is first where, as polygons without gap or overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from gisgrid.limits import RESPONSE_CELLS_MAX
from planning.circles.raster import SnapRaster
from planning.network import Network
from planning.reach import Costs, at_places, key_labels

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Geometries = NDArray[np.object_]


def cell_for(bounds: tuple[float, float, float, float], cell: float) -> float:
    """``cell`` metres, doubled until a raster over ``bounds`` has at most `RESPONSE_CELLS_MAX` cells."""
    while ((bounds[2] - bounds[0]) / cell + 2) * ((bounds[3] - bounds[1]) / cell + 2) > RESPONSE_CELLS_MAX:
        cell *= 2
    return cell


def first_by_cell(network: Network, costs: Costs, raster: SnapRaster) -> Int32:
    """Row of the station that is first at each cell of a snap raster, -1 where none comes: one look-up a cell."""
    cells, shape = raster.on_streets(network)
    return key_labels(at_places(network, costs, cells)).reshape(shape)


def raster_districts(labels: Int32, raster: SnapRaster, outline: Any | None) -> tuple[Int64, Geometries]:
    """(station rows, their districts) from the station of each cell, lines smoothed together so that they still meet.

    With an ``outline`` polygon the districts fill it: cells no street is near go to the nearest cell that has a
    station. Without one they end where streets do.
    """
    labels, x, y = _filled(labels, raster, outline)
    faces, owner = _faces(labels)
    if not len(faces):
        return np.empty(0, np.int64), np.empty(0, object)
    faces = shapely.transform(faces, lambda xy: xy * raster.cell + [x, y])
    rows = np.unique(owner)
    whole = np.array([shapely.coverage_union_all(faces[owner == row]) for row in rows], object)
    whole = shapely.coverage_simplify(whole, raster.cell * 1.5, simplify_boundary=outline is not None)
    if outline is None:
        return rows.astype(np.int64), whole
    return _cut(rows.astype(np.int64), whole, outline)


def _filled(labels: Int32, raster: SnapRaster, outline: Any | None) -> tuple[Int32, float, float]:
    """The labels over the whole outline and the corner of cell (0, 0)."""
    x, y = raster.x - raster.cell / 2, raster.y - raster.cell / 2
    if outline is None or not (labels >= 0).any():
        return labels, x, y
    west, south, east, north = outline.bounds
    left, below = (max(int(np.ceil((low - edge) / raster.cell)) + 1, 0) for low, edge in ((x, west), (y, south)))
    rows, columns = labels.shape
    right = max(int(np.ceil((east - x) / raster.cell)) - columns + 1, 0)
    above = max(int(np.ceil((north - y) / raster.cell)) - rows + 1, 0)
    wide = np.pad(labels, ((below, above), (left, right)), constant_values=-1)
    nearest = distance_transform_edt(wide < 0, return_distances=False, return_indices=True)
    return wide[tuple(nearest)], x - left * raster.cell, y - below * raster.cell


def _faces(labels: Int32) -> tuple[Geometries, Int32]:
    """Polygons of cells that share a label, in cell units, -1 left out; neighbours share every vertex."""
    wide = np.pad(labels, 1, constant_values=-1)
    down, across = np.nonzero(wide[1:-1, 1:] != wide[1:-1, :-1])
    upright = np.stack([np.column_stack([across, down]), np.column_stack([across, down + 1])], axis=1)
    down, across = np.nonzero(wide[1:, 1:-1] != wide[:-1, 1:-1])
    level = np.stack([np.column_stack([across, down]), np.column_stack([across + 1, down])], axis=1)
    steps = shapely.linestrings(np.concatenate([upright, level]).astype(np.float64))
    lines = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(steps)))
    faces = shapely.get_parts(shapely.polygonize(lines))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    column, row = (
        np.clip(np.floor(inside[:, axis]).astype(np.int64), 0, labels.shape[1 - axis] - 1) for axis in (0, 1)
    )
    owner = labels[row, column]
    return faces[owner >= 0], owner[owner >= 0]


def _cut(rows: Int64, districts: Geometries, outline: Any) -> tuple[Int64, Geometries]:
    """The districts inside an outline, noded with it once for all, so that neighbours still share every vertex."""
    lines = shapely.union_all([*shapely.boundary(districts), shapely.boundary(outline)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    spots = shapely.point_on_surface(faces)
    shapely.prepare(outline)
    keep = shapely.intersects(outline, spots)
    faces, spots = faces[keep], spots[keep]
    owner = shapely.STRtree(districts).nearest(spots)
    present = np.unique(owner)
    shapes = np.array([shapely.coverage_union_all(faces[owner == one]) for one in present], object)
    return rows[present], shapes


def dissolved(station: Int64, shapes: Geometries) -> tuple[Int64, Geometries]:
    """(station rows, districts): grids put together by their station, -1 (nobody) included as one district."""
    rows = np.unique(station)
    valid = shapely.coverage_is_valid(shapes)
    join = shapely.coverage_union_all if valid else shapely.union_all
    return rows, np.array([join(shapes[station == row]) for row in rows], object)
