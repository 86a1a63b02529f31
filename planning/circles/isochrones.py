"""Isochrone polygons: everywhere one reaches a facility from within so many minutes.

A *snap raster* knows for each cell (10 m by default) the nearest point of the nearest street, as
`planning.reach.snapping` does for a place. One search per set of facilities then gives every cell its distance by two
look-ups, and marching squares (`contourpy`) draws the line, holes included. Coverage figures never come from these
polygons; they are for maps.

The line is drawn where max(distance - limit, access leg - snap limit) crosses zero. That field is cut off at one
and a half cells on both sides: where it jumps (two streets on the two banks of a river) the line then runs half way
between the cells instead of being pulled to one side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import contourpy
import geopandas as gpd
import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import SNAP_METRES_MAX
from planning.network import Network, build_network
from planning.reach import Costs, Profile, SegmentIndex, Snapped, nearest_metres, search_from, segment_index, snap
from planning.reach.dial import finish_cells
from planning.reach.profiles import PROFILES

Float64 = NDArray[np.float64]
Geometries = NDArray[np.object_]

CELLS_MAX: Final = 12_000_000
"""Most cells of a snap raster; larger places get larger cells."""
SPECK_CELLS: Final = 2.0
"""Islands and holes smaller than this many cells are left out of the polygons."""


@dataclass(frozen=True)
class SnapRaster:
    """Nearest street point of each cell: ``edge`` (-1 none), ``offset`` cm along it, ``access`` metres to it; rows
    go north.

    The centre of cell (0, 0) is (``x``, ``y``) in the network's CRS; cells are ``cell`` metres wide.
    """

    x: float
    y: float
    cell: float
    snap_metres: float
    edge: NDArray[np.int32]
    offset: NDArray[np.int32]
    access: NDArray[np.float32]


def snap_raster(
    network: Network,
    bounds: tuple[float, float, float, float],
    *,
    cell: float = 10.0,
    snap_metres: float = SNAP_METRES_MAX,
    index: SegmentIndex | None = None,
) -> SnapRaster:
    """The snap raster over ``bounds`` (minx, miny, maxx, maxy in metres of the network's CRS), or the part of it
    near streets.

    ``cell`` is doubled until there are at most `CELLS_MAX` cells; the raster says which it used. Raises BadInput
    for a cell that is not positive.
    """
    if not 0 < cell <= 1000:
        raise BadInput(f"cell {cell} m is not between 0 and 1000 metres; give metres, for example 10")
    index = index or segment_index(network)
    a, b = network.coords[index.start], network.coords[index.start + 1]
    low, high = np.minimum(a, b), np.maximum(a, b)
    box = np.asarray(bounds, np.float64)
    margin = snap_metres + 2 * cell
    near = ((low <= box[2:] + margin) & (high >= box[:2] - margin)).all(axis=1)
    if near.any():
        box[:2] = np.maximum(box[:2], low[near].min(axis=0) - margin)
        box[2:] = np.minimum(box[2:], high[near].max(axis=0) + margin)
    span = np.maximum(box[2:] - box[:2], 0.0)
    while (span[0] / cell + 2) * (span[1] / cell + 2) > CELLS_MAX:
        cell *= 2
    first = np.floor(box[:2] / cell)
    columns, rows = (np.floor(box[2:] / cell) - first).astype(np.int64) + 1
    x, y = (first + 0.5) * cell
    reach = snap_metres + 1.5 * cell  # a little further, so that the snap limit itself can be contoured
    segment, access = _rasterise(a[near], b[near], float(x), float(y), cell, int(rows), int(columns), reach)
    edge, offset = _on_edges(
        segment,
        a[near],
        b[near],
        index.edge[near],
        index.along[near],
        network.edge_cm,
        float(x),
        float(y),
        cell,
    )
    return SnapRaster(float(x), float(y), cell, snap_metres, edge, offset, access)


def isochrones(
    network: Network,
    facilities: Float64 | Snapped,
    *,
    minutes: Sequence[float] = (5.0, 10.0, 15.0),
    profile: Profile = PROFILES["adult"],
    raster: SnapRaster | None = None,
    cell: float = 10.0,
) -> Geometries:
    """One MultiPolygon per entry of ``minutes``: where the nearest of ``facilities`` is within that walk.

    ``facilities`` are (n, 2) metres in the network's CRS or already snapped; give one of them for the isochrone of
    a single facility. None where the area is empty (no facility on the network). Reuse one ``raster`` for many
    calls. Raises BadInput for bad minutes.
    """
    limits = [profile.limit(value) for value in minutes]
    snapped = facilities if isinstance(facilities, Snapped) else snap(network, facilities)
    costs = search_from(network, snapped, limit=max(limits))
    if raster is None:
        raster = snap_raster(network, _around(network, costs, furthest_metres(network, max(limits))), cell=cell)
    return contour(network, costs, raster, limits)


def furthest_metres(network: Network, limit: int) -> float:
    """How far, as the crow flies, anybody gets for a cost of ``limit``."""
    if network.unit == "cm":
        return limit / 100
    cost = np.maximum(network.edge_forward, network.edge_backward)
    quickest = (network.edge_cm / np.maximum(cost, 1)).max(initial=0.0)
    return float(limit * max(quickest, 1 / network.access_pace) / 100)


def warm() -> None:
    """Compile (or load from the cache) every kernel of reach and isochrones on a toy network."""
    lines = shapely.linestrings([[[0, 0], [0, 50]], [[0, 50], [80, 50]], [[80, 50], [80, 0]]])
    network = build_network(gpd.GeoDataFrame(geometry=lines, crs="EPSG:4548"))
    place = np.array([[1.0, 10.0], [70.0, 50.0]])
    nearest_metres(network, place, place, limit_metres=500)
    isochrones(network, place, minutes=(5.0,))


def contour(network: Network, costs: Costs, raster: SnapRaster, limits: Sequence[int]) -> Geometries:
    """Polygons of a finished search, one MultiPolygon (or None) per limit in the network's unit."""
    out = np.full(len(limits), None, object)
    if not len(costs.labels):
        return out
    window = _window(raster, _around(network, costs, furthest_metres(network, max(limits))))
    if window is None:
        return out
    row, column, rows, columns = window
    metres = finish_cells(
        costs.reached(network), raster.edge, raster.offset, raster.access, network.access_pace, *window
    )
    x: Float64 = raster.x + raster.cell * np.arange(column - 1, column + columns + 1, dtype=np.float64)
    y: Float64 = raster.y + raster.cell * np.arange(row - 1, row + rows + 1, dtype=np.float64)
    for i, limit in enumerate(limits):
        field = _level_set(
            metres,
            raster.access,
            row,
            column,
            limit / (100 * network.access_pace),
            raster.snap_metres,
            1.5 * raster.cell,
        )
        out[i] = _polygons(x, y, field, raster.cell)
    return out


def _polygons(x: Float64, y: Float64, field: Float64, cell: float) -> Any:
    """The MultiPolygon where ``field`` is below zero, specks dropped and lines thinned to a quarter of a cell."""
    generator = contourpy.contour_generator(
        x, y, field, name="serial", fill_type=contourpy.FillType.ChunkCombinedOffsetOffset
    )
    chunks: Any = generator.filled(-1e9, 0.0)
    if chunks[0][0] is None:
        return None
    points, rings, outers = chunks[0][0], chunks[1][0].astype(np.int64), chunks[2][0].astype(np.int64)
    points, rings, outers = _without_specks(points, rings, outers, SPECK_CELLS * cell * cell)
    if len(outers) < 2:
        return None
    whole = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, points, (rings, outers, np.array([0, len(outers) - 1]))
    )[0]
    # the plain way is ten times faster and right but for rings that come to cross, which cost area
    thin = shapely.simplify(whole, cell / 4, preserve_topology=False)
    if abs(thin.area - whole.area) > 0.002 * whole.area:
        thin = shapely.simplify(whole, cell / 4, preserve_topology=True)
    # two rings may touch along a line after thinning; mending keeps the area
    if not shapely.is_valid(thin):
        thin = shapely.buffer(shapely.make_valid(whole), 0)
    return shapely.multipolygons([thin]) if thin.geom_type == "Polygon" else thin


def _without_specks(
    points: Float64, rings: NDArray[np.int64], outers: NDArray[np.int64], least: float
) -> tuple[Float64, NDArray[np.int64], NDArray[np.int64]]:
    """Drop rings of less than ``least`` m², and the holes of a dropped outer ring with it."""
    origin = points[0]
    p = points - origin
    cross = np.zeros(len(p))
    cross[:-1] = p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]
    cross[rings[1:] - 1] = 0.0
    area = np.abs(np.add.reduceat(cross, rings[:-1])) / 2
    polygon = np.repeat(np.arange(len(outers) - 1), np.diff(outers))
    keep = (area >= least) & (area[outers[:-1]] >= least)[polygon]
    sizes = np.diff(rings)
    left = np.concatenate([[0], np.cumsum(sizes[keep])])
    count = np.bincount(polygon[keep], minlength=len(outers) - 1)
    return points[np.repeat(keep, sizes)], left, np.concatenate([[0], np.cumsum(count[count > 0])])


def _around(network: Network, costs: Costs, metres: float) -> tuple[float, float, float, float]:
    """A box that holds every place within ``metres`` of the sources: no walk is shorter than the straight line."""
    edges = costs.sources.edge
    if not len(edges):
        return (0.0, 0.0, 0.0, 0.0)
    # an edge's own extent bounds where along it the facility sits
    rows = np.repeat(network.offsets[edges], np.diff(network.offsets)[edges])
    sizes = np.diff(network.offsets)[edges]
    rows = rows + np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    xy = network.coords[rows]
    (minx, miny), (maxx, maxy) = xy.min(axis=0) - metres, xy.max(axis=0) + metres
    return (float(minx), float(miny), float(maxx), float(maxy))


def _window(raster: SnapRaster, bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int] | None:
    """(row, column, rows, columns) of the cells that touch ``bounds``; None when there are none."""
    rows, columns = raster.edge.shape
    box = np.array(bounds)
    box[[0, 2]] = (box[[0, 2]] - raster.x) / raster.cell
    box[[1, 3]] = (box[[1, 3]] - raster.y) / raster.cell
    low = np.maximum(np.floor(box[:2]), 0).astype(np.int64)
    high = np.minimum(np.ceil(box[2:]), [columns - 1, rows - 1]).astype(np.int64)
    if (high < low).any():
        return None
    return int(low[1]), int(low[0]), int(high[1] - low[1] + 1), int(high[0] - low[0] + 1)


@njit(cache=True, nogil=True)
def _rasterise(a: Any, b: Any, x: float, y: float, cell: float, rows: int, columns: int, reach: float) -> Any:
    """(segment, metres) nearest to each cell centre within ``reach``; of equally near segments the first."""
    segment = np.full((rows, columns), -1, np.int32)
    best = np.full((rows, columns), np.float32(reach * reach), np.float32)
    for s in range(len(a)):
        ax, ay = a[s, 0], a[s, 1]
        dx, dy = b[s, 0] - ax, b[s, 1] - ay
        inverse = 1.0 / max(dx * dx + dy * dy, 1e-300)
        left, right = min(ax, ax + dx) - reach, max(ax, ax + dx) + reach
        low, high = min(ay, ay + dy) - reach, max(ay, ay + dy) + reach
        for r in range(max(0, int(np.ceil((low - y) / cell))), min(rows, int((high - y) / cell) + 1)):
            py = y + r * cell - ay
            for c in range(max(0, int(np.ceil((left - x) / cell))), min(columns, int((right - x) / cell) + 1)):
                px = x + c * cell - ax
                t = min(1.0, max(0.0, (px * dx + py * dy) * inverse))
                ex, ey = px - t * dx, py - t * dy
                d = np.float32(ex * ex + ey * ey)
                if d < best[r, c]:
                    best[r, c] = d
                    segment[r, c] = s
    for r in range(rows):
        for c in range(columns):
            best[r, c] = np.sqrt(best[r, c])
    return segment, best


@njit(cache=True, nogil=True)
def _on_edges(
    segment: Any, a: Any, b: Any, edge_of: Any, along: Any, edge_cm: Any, x: float, y: float, cell: float
) -> Any:
    rows, columns = segment.shape
    edge = np.full((rows, columns), -1, np.int32)
    offset = np.zeros((rows, columns), np.int32)
    for r in range(rows):
        for c in range(columns):
            s = segment[r, c]
            if s < 0:
                continue
            dx, dy = b[s, 0] - a[s, 0], b[s, 1] - a[s, 1]
            length = max(np.hypot(dx, dy), 1e-150)
            t = ((x + c * cell - a[s, 0]) * dx + (y + r * cell - a[s, 1]) * dy) / length
            t = min(length, max(0.0, t))
            e = edge_of[s]
            edge[r, c] = e
            offset[r, c] = min(edge_cm[e], max(0, int(np.rint((along[s] + t) * 100))))
    return edge, offset


@njit(cache=True, nogil=True)
def _level_set(metres: Any, access: Any, row: int, column: int, limit: float, snap_metres: float, cut: float) -> Any:
    """max(metres - limit, access - snap limit) cut to ±``cut``, with a border of one cell outside."""
    rows, columns = metres.shape
    out = np.full((rows + 2, columns + 2), cut, np.float64)
    for r in range(rows):
        for c in range(columns):
            f = max(metres[r, c] - limit, access[row + r, column + c] - snap_metres)
            f = min(cut, max(-cut, f))
            out[r + 1, c + 1] = f if f != 0.0 else -1e-6
    return out
