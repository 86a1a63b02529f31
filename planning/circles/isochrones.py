"""Isochrone polygons: everywhere one reaches a facility from within so many minutes.

Coverage figures never come from these polygons; they are for maps. A place is inside when its own way, over the
nearest point of its nearest street as `planning.reach.snapping` puts it there, is within the limit.

Three steps, each a module:

- `planning.circles.raster`: once for the streets, the nearest segment of every point of a 5 m lattice;
- `planning.circles.field`: after a search, the cost of the points, whole blocks at a time where the limit is far
  away, and the exact crossing of the line with a lattice edge, also where the cost jumps between two streets;
- `planning.circles.contouring`: rings along the lattice, thinned, nested and valid by construction.

**Error.** The points of the lattice are exact, and between two of them the line is where the cost passes the limit;
within a lattice square it is a chord, moved by `THIN_CELLS` of a cell at most. So *every point the polygon is wrong
about lies within a lattice square's diagonal, 7.1 m with cells of 10 m, of the true line* (islands and holes of less
than `SPECK_CELLS` cells aside, which are left out). What is lost are corners where a line meets the border between two
streets' regions, and strips narrower than 5 m. On real streets the wrong area either way is at most 0.25 % of the area
inside at 5 minutes' walk, 0.12 % at 10 and 0.08 % at 15 (`benchmarks/isochrones.py`).

Where streets are one-way the network's direction is the direction of the search: pass `planning.network.reverse` of
it for the way *to* the facilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from planning.circles.contouring import rings
from planning.circles.field import Field, levels, settle, sources
from planning.circles.raster import BLOCK, SAMPLES, SnapRaster, snap_raster
from planning.network import Network, build_network
from planning.reach import Costs, Profile, Snapped, nearest_metres, search_from, snap
from planning.reach.profiles import PROFILES

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Geometries = NDArray[np.object_]

SPECK_CELLS: Final = 2.0
"""Islands and holes smaller than this many cells are left out of the polygons."""
THIN_CELLS: Final = 0.04
"""How far thinning may move a line, as a share of a cell."""


def isochrones(
    network: Network,
    facilities: Float64 | Snapped,
    *,
    minutes: Sequence[float] = (5.0, 10.0, 15.0),
    profile: Profile = PROFILES["adult"],
    raster: SnapRaster | None = None,
    cell: float = 10.0,
) -> Geometries:
    """One MultiPolygon per entry of ``minutes``: where the nearest of ``facilities`` is within that time.

    ``facilities`` are (n, 2) metres in the network's CRS or already snapped; give one of them for the isochrone of
    a single facility. None where the area is empty (no facility on the network). Of two entries the polygon of the
    smaller lies inside that of the larger. Reuse one ``raster`` for many calls. Raises BadInput for bad minutes.
    """
    limits = [profile.limit(value) for value in minutes]
    snapped = facilities if isinstance(facilities, Snapped) else snap(network, facilities)
    costs = search_from(network, snapped, limit=max(limits, default=0))
    if raster is None:
        raster = snap_raster(network, around(network, snapped, furthest_metres(network, costs.limit)), cell=cell)
    return contour(network, costs, raster, limits)


def contour(network: Network, costs: Costs, raster: SnapRaster, limits: Sequence[int]) -> Geometries:
    """Polygons of a finished search, one MultiPolygon (or None) per limit in the network's unit, nested."""
    ascending, place = np.unique(np.asarray(limits, np.int64), return_inverse=True)
    return assemble([lines(network, costs, raster, ascending)], len(ascending))[place]


Lines = tuple[Float64, Int64, Int64, Int64]
"""Coordinates, first coordinate of each ring, the ring of its outer ring, its limit."""


def lines(network: Network, costs: Costs, raster: SnapRaster, limits: Int64) -> Lines:
    """Rings of the polygons of a finished search, as `planning.circles.contouring.rings` gives them, for ascending
    limits."""
    nothing = (np.empty((0, 2)), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    if not len(costs.labels) or not len(limits):
        return nothing
    window = _window(raster, around(network, costs.sources, furthest_metres(network, int(limits[-1]))))
    if window is None:
        return nothing
    field, settled = field_on(network, costs, raster, window, limits)
    coords, first, parent, limit = rings(
        field, limits, levels(field, limits, settled), settled, THIN_CELLS * SAMPLES, SPECK_CELLS * raster.cell**2
    )
    return coords, first, parent, limit


def field_on(
    network: Network, costs: Costs, raster: SnapRaster, window: tuple[int, int, int, int], limits: Int64
) -> tuple[Field, NDArray[np.int16]]:
    """The field of a search on a window (row, column, rows, columns) of blocks, and which blocks are settled."""
    top, left, rows, columns = window
    side, pace = raster.step * BLOCK, 100.0 * network.access_pace
    settled, first, row = settle(
        costs.reached(network), raster.segments, raster.blocks, limits, *window, raster.step, pace, raster.snap_metres
    )
    field = Field(
        raster.x + left * side, raster.y + top * side, raster.step, pace, raster.snap_metres, row, first,
        sources(network, costs), np.ascontiguousarray(raster.blocks.row[top : top + rows, left : left + columns]),
        raster.blocks.nearest,
    )  # fmt: skip
    return field, settled


def assemble(drawn: Sequence[Lines], limits: int) -> Geometries:
    """MultiPolygons (None where nothing is inside) of the rings of several searches, ``limits`` to each."""
    out = np.full(len(drawn) * limits, None, object)
    sizes = np.array([len(rings[2]) for rings in drawn])
    if not sizes.sum():
        return out
    which = np.repeat(np.arange(len(drawn)), sizes) * limits + np.concatenate([rings[3] for rings in drawn])
    before = np.cumsum(sizes) - sizes
    parent = np.concatenate([rings[2] + add for rings, add in zip(drawn, before, strict=True)])
    coords = np.concatenate([rings[0] for rings in drawn])
    length = np.concatenate([np.diff(rings[1]) for rings in drawn])
    hole = parent != np.arange(len(parent))
    order = np.lexsort((hole, parent, which))
    start = np.cumsum(length) - length
    length = length[order]
    rows = np.repeat(start[order] - (np.cumsum(length) - length), length) + np.arange(len(coords))
    outer = np.flatnonzero(~hole[order])
    which = which[order][outer]
    shape, first = np.unique(which, return_index=True)
    out[shape] = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        coords[rows],
        (_offsets(length), np.append(outer, len(order)), np.append(first, len(outer))),
    )
    return out


def _offsets(sizes: Int64) -> Int64:
    return np.concatenate([[0], np.cumsum(sizes)])


def furthest_metres(network: Network, limit: int) -> float:
    """How far, as the crow flies, anybody gets for a cost of ``limit``."""
    if network.unit == "cm":
        return limit / 100
    cost = np.maximum(network.edge_forward, network.edge_backward)
    quickest = (network.edge_cm / np.maximum(cost, 1)).max(initial=0.0)
    return float(limit * max(quickest, 1 / network.access_pace) / 100)


def around(network: Network, places: Snapped, metres: float) -> tuple[float, float, float, float]:
    """A box that holds every point within ``metres`` of the places: no way is shorter than the straight line."""
    edges = places.edge[places.ok]
    if not len(edges):
        return (0.0, 0.0, 0.0, 0.0)
    # an edge's own extent bounds where along it the facility sits
    sizes = np.diff(network.offsets)[edges]
    rows = np.repeat(network.offsets[edges] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    xy = network.coords[rows]
    (minx, miny), (maxx, maxy) = xy.min(axis=0) - metres, xy.max(axis=0) + metres
    return (float(minx), float(miny), float(maxx), float(maxy))


def warm() -> None:
    """Compile (or load from the cache) every kernel of reach and isochrones on a toy network."""
    lines = shapely.linestrings([[[0, 0], [0, 50]], [[0, 50], [80, 50]], [[80, 50], [80, 0]]])
    network = build_network(gpd.GeoDataFrame(geometry=lines, crs="EPSG:4548"))
    place = np.array([[1.0, 10.0], [70.0, 50.0]])
    nearest_metres(network, place, place, limit_metres=500)
    isochrones(network, place, minutes=(5.0,))


def _window(raster: SnapRaster, bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
    """(row, column, rows, columns) of the blocks that touch ``bounds``; None when there are none."""
    rows, columns = raster.blocks.row.shape
    box = (np.array(bounds).reshape(2, 2) - [raster.x, raster.y]) / (raster.step * BLOCK)
    low = np.maximum(np.floor(box[0]), 0).astype(np.int64)
    # points of the last block lie up to a step short of its end: the next one may hold the point beyond
    high = np.minimum(np.ceil(box[1] + 1 / BLOCK), [columns - 1, rows - 1]).astype(np.int64)
    if (high < low).any():
        return None
    return int(low[1]), int(low[0]), int(high[1] - low[1] + 1), int(high[0] - low[0] + 1)
