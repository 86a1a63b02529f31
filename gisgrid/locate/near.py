"""Distances of points to the grids of an index: nearest grid, distance to the owner's boundary."""

from __future__ import annotations

import math
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyproj

from gisgrid.arrays import coordinate_arrays
from gisgrid.errors import BadInput
from gisgrid.locate import around, kernels

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]

_GEOD: Final = pyproj.Geod(ellps="GRS80")  # CGCS2000's ellipsoid to a tenth of a millimetre
_AXIS: Final = 6378137.0
_ECC2: Final = 0.00669438002290
_TIE_METRES: Final = 1e-6
"""Distances nearer to each other than this are ties, decided by the code."""


class Index(Protocol):
    """What the measures need of a `gisgrid.locate.GridIndex`."""

    def rows(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Rows:
        """Owning row per point, -1 outside."""

    def array(self, name: str) -> npt.NDArray[Any]:
        """One of the index's arrays."""

    def rings(self) -> tuple[npt.NDArray[Any], ...]:
        """The outlines, as the compiled functions take them."""

    def geometries_of(self, rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.object_]:
        """Geometries of some rows."""


def nearest(
    index: Index, x: npt.ArrayLike, y: npt.ArrayLike, max_distance: float, *, metres: bool = False
) -> tuple[Rows, Floats]:
    """See `GridIndex.nearest`."""
    if not max_distance >= 0:
        raise BadInput(f"largest distance {max_distance!r} is not zero or more; give a number")
    xs, ys = coordinate_arrays(x, y)
    rows = index.rows(xs, ys)
    distances = np.where(rows >= 0, 0.0, np.nan)
    far = (rows < 0) & np.isfinite(xs) & np.isfinite(ys)
    if metres:
        far &= (np.abs(ys) <= 90.0) & (np.abs(xs) <= 360.0)
    where = np.flatnonzero(far)
    if len(where) == 0 or max_distance == 0:
        return rows, distances
    found, distance = _nearest(index, xs[where], ys[where], float(max_distance), metres=metres)
    rows[where], distances[where] = found, distance
    return rows, distances


def distance_to_boundary(index: Index, x: npt.ArrayLike, y: npt.ArrayLike, *, metres: bool = False) -> Floats:
    """See `GridIndex.distance_to_boundary`."""
    xs, ys = coordinate_arrays(x, y)
    rows = index.rows(xs, ys)
    near_x, near_y, distances = _on_boundaries(index, xs, ys, rows, metres=metres)
    if metres:
        owned = rows >= 0
        distances[owned] = _GEOD.inv(xs[owned], ys[owned], near_x[owned], near_y[owned])[2]
    return distances


def _on_boundaries(index: Index, xs: Floats, ys: Floats, rows: Rows, *, metres: bool) -> tuple[Floats, ...]:
    """Nearest boundary point of one grid per point → (x, y, distance); metres from a plane tangent at the point."""
    scale_x, scale_y = metres_per_degree(ys) if metres else (np.ones(xs.size), np.ones(xs.size))
    near_x, near_y, distances = (np.empty(xs.size) for _ in range(3))
    xs, ys = coordinate_arrays(xs, ys)  # read-only again after a selection: one type for the compiled function
    kernels.nearest_on_rows(xs, ys, rows, scale_x, scale_y, near_x, near_y, distances, index.rings())
    return near_x, near_y, distances


def metres_per_degree(lat: Floats) -> tuple[Floats, Floats]:
    """Metres of one degree of longitude and of latitude there, on the ellipsoid (radii N and M)."""
    sine = np.sin(np.radians(lat))
    bend = 1.0 - _ECC2 * sine * sine
    east = math.pi / 180.0 * _AXIS / np.sqrt(bend) * np.cos(np.radians(lat))
    return east, math.pi / 180.0 * _AXIS * (1.0 - _ECC2) / bend**1.5


def metres_per_degree_at(lat: float) -> tuple[float, float]:
    """`metres_per_degree` of one latitude."""
    sine = math.sin(math.radians(lat))
    bend = 1.0 - _ECC2 * sine * sine
    east = math.pi / 180.0 * _AXIS / math.sqrt(bend) * math.cos(math.radians(lat))
    return east, math.pi / 180.0 * _AXIS * (1.0 - _ECC2) / (bend * math.sqrt(bend))


def _nearest(index: Index, xs: Floats, ys: Floats, limit: float, *, metres: bool) -> tuple[Rows, Floats]:
    """Candidates from boxes that surely hold the nearest grid, then the true distance to each."""
    scale_x, scale_y = metres_per_degree(ys) if metres else (np.ones(xs.size), np.ones(xs.size))
    scale_x = np.maximum(scale_x, 1.0) if metres else scale_x  # at the poles
    xs, ys = coordinate_arrays(xs, ys)
    frame, cells, records = (index.array(name) for name in ("frame", "cells", "records"))
    slack = 0.01 if metres else 0.0
    who, row = around.near_rows(xs, ys, scale_x, scale_y, limit, slack, frame, cells, records, index.rings())
    distance = _true_distances(index, xs[who], ys[who], row, metres=metres)
    near = distance <= limit
    return _smallest(index, xs.size, who[near], row[near], distance[near], tie=_TIE_METRES if metres else 0.0)


def _true_distances(index: Index, xs: Floats, ys: Floats, rows: Rows, *, metres: bool) -> Floats:
    near_x, near_y, planar = _on_boundaries(index, xs, ys, rows, metres=metres)
    return np.asarray(_GEOD.inv(xs, ys, near_x, near_y)[2], np.float64) if metres else planar


def _smallest(
    index: Index,
    count: int,
    who: npt.NDArray[np.intp],
    row: npt.NDArray[np.intp],
    distance: Floats,
    *,
    tie: float = 0.0,
) -> tuple[Rows, Floats]:
    """Per point the nearest row, of equally near ones the smallest code."""
    least = np.full(count, np.inf)
    np.minimum.at(least, who, distance)
    tied = distance <= least[who] + tie
    who, row, distance = who[tied], row[tied], distance[tied]
    order = np.lexsort((index.array("rank")[row], who))
    first, at = np.unique(who[order], return_index=True)
    rows, distances = np.full(count, -1, np.int32), np.full(count, np.nan)
    rows[first], distances[first] = row[order][at], distance[order][at]
    return rows, distances
