"""The snap raster: for a fine lattice of points, which street segment is nearest.

It depends on the streets alone, so it is made once and serves every facility, category, limit and speed; the
polygons of `planning.circles.isochrones` are drawn on it.

Points lie `SAMPLES` to a cell (5 m apart for cells of 10 m), in square *blocks* of `BLOCK` × `BLOCK` points. A block
keeps the few segments that are nearest to any of its points, and of each street the stretch and the distances at
which that happens: they bound what any point of the block can cost, so that a block wholly inside or outside a limit
is settled without looking at its points. Blocks out of reach of every street are not
stored: a byte a point and some hundred bytes a block near streets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import RASTER_CELLS_MAX, SNAP_METRES_MAX
from planning.network import Network
from planning.reach import SegmentIndex, Snapped, segment_index

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

CELL_RANGE: Final = (0.1, 1000.0)
"""Narrowest and widest cells that may be asked for, in metres."""
SAMPLES: Final = 2
"""Points along the side of a cell."""
BLOCK: Final = 8
"""Points along the side of a block; its square fits a byte, and so does the number of a segment within a block."""
NONE: Final = 255
"""Number of the segment of a point that has none in reach."""


class Segments(NamedTuple):
    """Street segments as the kernels read them: beginning, extent and length (metres), edge, metres along it."""

    start: Any
    extent: Any
    length: Any
    edge: Any
    along: Any


class Blocks(NamedTuple):
    """Points by block. ``row[i, j]``: place of a block in the arrays, -1 where no street is near.

    Block ``b`` knows the segments ``first[b]:first[b + 1]`` of ``segment``; ``nearest[b, r, c]`` is the number of one
    of them (`NONE`: no street in reach). It is about the edges ``begin[b]:begin[b + 1]`` of ``edge``: its points lie on
    ``low[e]`` to ``high[e]`` of that edge (metres from its beginning), ``near[e]`` to ``far[e]`` metres away.
    """

    row: Any
    first: Any
    segment: Any
    nearest: Any
    begin: Any
    edge: Any
    low: Any
    high: Any
    near: Any
    far: Any


@dataclass(frozen=True)
class SnapRaster:
    """Nearest street segment of each point of a lattice; rows go north.

    Point (0, 0) is (``x``, ``y``) in the network's CRS, points are ``step`` metres apart, `SAMPLES` to a cell of
    ``cell`` metres. Beyond ``snap_metres`` from a street nobody lives "on" it.
    """

    x: float
    y: float
    cell: float
    step: float
    snap_metres: float
    segments: Segments
    blocks: Blocks

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of points."""
        rows, columns = self.blocks.row.shape
        return rows * BLOCK, columns * BLOCK

    def on_streets(self, network: Network) -> tuple[Snapped, tuple[int, int]]:
        """The points on the lattice of whole cells, `SAMPLES` apart, put on their streets; with the rows and columns.

        Row by row from the south-west, the first at (``x``, ``y``). Points further than ``snap_metres`` from every
        street are on none.
        """
        blocks, segments = self.blocks, self.segments
        none = blocks.nearest == NONE
        entry = blocks.first[:-1, None, None] + np.where(none, 0, blocks.nearest)
        of_block = np.where(none, -1, np.append(blocks.segment, -1)[entry])
        lattice = np.full((*blocks.row.shape, BLOCK, BLOCK), -1, np.int64)
        lattice[blocks.row >= 0] = of_block[blocks.row[blocks.row >= 0]]
        nearest = lattice.transpose(0, 2, 1, 3).reshape(self.shape)[::SAMPLES, ::SAMPLES]
        row, column = np.nonzero(nearest >= 0)
        found = nearest[row, column]
        offset = np.column_stack([self.x + self.cell * column, self.y + self.cell * row]) - segments.start[found]
        extent = segments.extent[found]
        share = np.clip((offset * extent).sum(axis=1) / np.maximum((extent**2).sum(axis=1), 1e-300), 0.0, 1.0)
        metres = np.hypot(*(offset - share[:, None] * extent).T)
        near = metres <= self.snap_metres
        place = np.flatnonzero((nearest >= 0).ravel())[near]
        on = segments.edge[found[near]]
        along = np.rint((segments.along[found] + share * segments.length[found])[near] * 100)
        out = Snapped(
            np.full(nearest.size, -1, np.int32), np.zeros(nearest.size, np.int32), np.zeros(nearest.size, np.int32),
            np.zeros(nearest.size, bool),
        )  # fmt: skip
        out.edge[place] = on
        out.offset[place] = np.clip(along, 0, network.edge_cm[on])
        out.access[place] = np.rint(metres[near] * 100)
        return out, nearest.shape

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(array.nbytes for array in (*self.segments, *self.blocks))


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

    ``cell`` is doubled until there are at most `RASTER_CELLS_MAX` cells; the raster says which it used. Raises BadInput
    for a cell that is not between 0.1 and 1000 metres.
    """
    low_cell, high_cell = CELL_RANGE
    if not low_cell <= cell <= high_cell:
        raise BadInput(f"cell {cell} m is not between {low_cell:g} and {high_cell:g} metres; give metres, such as 10")
    index = index or segment_index(network)
    a, b = network.coords[index.start], network.coords[index.start + 1]
    low, high = np.minimum(a, b), np.maximum(a, b)
    box = np.asarray(bounds, np.float64)
    margin = snap_metres + 2 * cell
    near = ((low <= box[2:] + margin) & (high >= box[:2] - margin)).all(axis=1)
    if near.any():
        box[:2] = np.maximum(box[:2], low[near].min(axis=0) - margin)
        box[2:] = np.minimum(box[2:], high[near].max(axis=0) + margin)
    else:
        box[2:] = box[:2]
    span = np.maximum(box[2:] - box[:2], 0.0)
    while (span[0] / cell + 2) * (span[1] / cell + 2) > RASTER_CELLS_MAX:
        cell *= 2
    step = cell / SAMPLES
    # the lattice is the same wherever the box lies, so that a point's polygon does not depend on its neighbours
    first = np.floor(box[:2] / (step * BLOCK))
    columns, rows = (np.floor(box[2:] / (step * BLOCK)) - first).astype(np.int64) + 1
    x, y = first * step * BLOCK
    extent = (b - a)[near]
    segments = Segments(a[near], extent, np.hypot(*extent.T), index.edge[near], index.along[near])
    # a little further than the limit, so that the limit itself can be drawn
    blocks = _fill(segments, float(x), float(y), step, int(rows), int(columns), snap_metres + 1.5 * step)
    return SnapRaster(float(x), float(y), float(cell), float(step), snap_metres, segments, Blocks(*blocks))


@njit(cache=True, nogil=True, inline="always")
def project(segments: Segments, s: int, x: float, y: float) -> Any:
    """(metres along segment ``s``, metres from it) of a point."""
    px, py = x - segments.start[s, 0], y - segments.start[s, 1]
    dx, dy = segments.extent[s, 0], segments.extent[s, 1]
    # a segment so short that its square underflows is a point
    share = min(1.0, max(0.0, (px * dx + py * dy) / max(dx * dx + dy * dy, 1e-300)))
    ex, ey = px - share * dx, py - share * dy
    return share * segments.length[s], np.sqrt(ex * ex + ey * ey)


@njit(cache=True, nogil=True)
def _fill(segments: Segments, x: float, y: float, step: float, rows: int, columns: int, reach: float) -> Any:
    """The arrays of `Blocks`; of equally near segments the first."""
    first, candidates = _candidates(segments, x, y, step, rows, columns, reach)
    row = np.full((rows, columns), -1, np.int32)
    count = 0
    for i in range(rows):
        for j in range(columns):
            if first[i * columns + j + 1] > first[i * columns + j]:
                row[i, j] = count
                count += 1
    nearest = np.full((count, BLOCK, BLOCK), NONE, np.uint8)
    start, begin = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    room = min(len(candidates), BLOCK * BLOCK * count)
    segment, edge = np.empty(room, np.int32), np.empty(room, np.int32)
    low, high = np.full(room, np.inf, np.float32), np.full(room, -np.inf, np.float32)
    near, far = np.full(room, np.inf, np.float32), np.full(room, -np.inf, np.float32)
    owner = np.empty((BLOCK, BLOCK), np.int32)
    best, at = np.empty((BLOCK, BLOCK)), np.empty((BLOCK, BLOCK))
    used, edges = 0, 0
    for i in range(rows):
        for j in range(columns):
            b = row[i, j]
            if b < 0:
                continue
            best[:] = reach
            owner[:] = -1
            for k in range(first[i * columns + j], first[i * columns + j + 1]):
                for r in range(BLOCK):
                    for c in range(BLOCK):
                        t, d = project(segments, candidates[k], x + step * (j * BLOCK + c), y + step * (i * BLOCK + r))
                        if d < best[r, c]:
                            best[r, c], at[r, c], owner[r, c] = d, t, k
            one = used
            for r in range(BLOCK):
                for c in range(BLOCK):
                    if owner[r, c] < 0:
                        continue
                    s = candidates[owner[r, c]]
                    e = one
                    while e < used and segment[e] != s:
                        e += 1
                    if e == used:
                        segment[e] = s
                        used += 1
                    nearest[b, r, c] = e - one
                    e = begin[b]
                    while e < edges and edge[e] != segments.edge[s]:
                        e += 1
                    if e == edges:
                        edge[e] = segments.edge[s]
                        edges += 1
                    along = segments.along[s] + at[r, c]
                    low[e], high[e] = min(low[e], along), max(high[e], along)
                    near[e], far[e] = min(near[e], best[r, c]), max(far[e], best[r, c])
            start[b + 1], begin[b + 1] = used, edges
    return (
        row, start, segment[:used].copy(), nearest, begin, edge[:edges].copy(),
        low[:edges].copy(), high[:edges].copy(), near[:edges].copy(), far[:edges].copy(),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _candidates(segments: Segments, x: float, y: float, step: float, rows: int, columns: int, reach: float) -> Any:
    """(first, segments) that may be nearest to a point of each block, block by block in the order of segments.

    A segment is further from every point of a block than another if its distance from the block's centre is larger by
    the block's diagonal.
    """
    side = step * BLOCK
    half = step * (BLOCK - 1) / 2
    radius = half * np.sqrt(2.0) * (1 + 1e-9)
    closest = np.full(rows * columns, reach + radius)
    first = np.zeros(rows * columns + 1, np.int64)
    out = np.empty(0, np.int32)
    for task in range(3):  # nearest segment of each centre, number of candidates, candidates
        if task == 2:
            for b in range(rows * columns):
                first[b + 1] += first[b]
            out = np.empty(first[-1], np.int32)
            filled = first[:-1].copy()
        for s in range(len(segments.start)):
            ax, ay = segments.start[s, 0] - x - half, segments.start[s, 1] - y - half
            bx, by = ax + segments.extent[s, 0], ay + segments.extent[s, 1]
            away = reach + radius
            for i in range(
                max(0, int(np.ceil((min(ay, by) - away) / side))), min(rows, int((max(ay, by) + away) / side) + 1)
            ):
                for j in range(
                    max(0, int(np.ceil((min(ax, bx) - away) / side))),
                    min(columns, int((max(ax, bx) + away) / side) + 1),
                ):
                    _, d = project(segments, s, x + half + j * side, y + half + i * side)
                    b = i * columns + j
                    if task == 0:
                        closest[b] = min(closest[b], d)
                    elif d <= min(closest[b] + 2 * radius, away):
                        if task == 1:
                            first[b + 1] += 1
                        else:
                            out[filled[b]] = s
                            filled[b] += 1
    return first, out
