"""What it costs to reach any point, by its nearest segment, and where on a lattice that falls below limits.

Within the region nearest to one segment the cost of a point is the cost of its foot along the street, the cheaper of
two straight lines, and the leg from there: a smooth field. On the border between two regions it jumps, as between the
two banks of a river. Both are followed exactly: see `crossing`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planning.circles.raster import BLOCK, NONE, Blocks, Segments
from planning.network import Network
from planning.reach import Costs
from planning.reach.dial import UNREACHED, Reached

Float64 = NDArray[np.float64]

STEPS: Final = 3
"""Steps of false position to a crossing; the field is all but straight between two points, the error millimetres."""


class Field(NamedTuple):
    """A search on a window of a raster, as the kernels read it.

    Point (0, 0) of the window is (``x``, ``y``), points are ``step`` metres apart. A metre of access leg costs
    ``pace`` and none is longer than ``furthest``. ``row`` holds segments with what they cost, block by block, those of
    block (i, j) from ``first[i, j]`` on (-1: the block is far from every line). Its columns: beginning x, y; extent x,
    y; length in metres; cost at the beginning and a metre onwards; cost at the beginning coming back from the other
    end and what a metre saves; metres along the edge; first and last source on it; number of the segment. ``source``:
    metres along the edge, cost, cost a metre onwards and back. ``block`` and ``nearest`` are the window's part of
    `raster.Blocks`. One flat table, because a point's cost is asked for a thousand times a polygon.
    """

    x: float
    y: float
    step: float
    pace: float
    furthest: float
    row: Any
    first: Any
    source: Any
    block: Any
    nearest: Any


def sources(network: Network, costs: Costs) -> Float64:
    """Sources as `Field` holds them; a direction that is closed costs infinitely much."""
    places, reached = costs.sources, costs.reached(network)
    cm = np.maximum(network.edge_cm[places.edge], 1)
    rates = [
        np.where(cost[places.edge] >= 0, 100.0 * cost[places.edge] / cm, np.inf)
        for cost in (network.edge_forward, network.edge_backward)
    ]
    return np.column_stack([places.offset / 100.0, reached.source_access, *rates])


@njit(cache=True, nogil=True)
def settle(
    reached: Reached, segments: Segments, blocks: Blocks, limits: Any, top: int, left: int, rows: int, columns: int,
    step: float, pace: float, furthest: float,
) -> Any:  # fmt: skip
    """Which blocks of a window lie wholly between two limits: (settled, first, row).

    ``settled`` is the number of the smallest limit (ascending; their count for none) that all points of a block are
    within, -1 where they differ or may. ``first`` and ``row`` are those of `Field`, for all blocks a line can touch.
    """
    key, edge_from, edge_to, edge_cm = reached.key, reached.edge_from, reached.edge_to, reached.edge_cm
    forward, backward, source_edge = reached.edge_forward, reached.edge_backward, reached.source_edge
    edge, along = segments.edge, segments.along
    count = len(limits)
    settled = np.full((rows, columns), count, np.int16)
    slack = 0.01 * pace  # the stretches are kept in single precision
    for i in range(rows):
        for j in range(columns):
            b = blocks.row[top + i, left + j]
            if b < 0:
                continue
            least, most, near, far = np.inf, 0.0, np.inf, 0.0
            for e in range(blocks.begin[b], blocks.begin[b + 1]):
                there, onwards, back, saving, one, last = _ways(
                    key, edge_from, edge_to, edge_cm, forward, backward, source_edge, blocks.edge[e], 0.0
                )
                low, high = float(blocks.low[e]), float(blocks.high[e])
                nearer, further = float(blocks.near[e]), float(blocks.far[e])
                near, far = min(near, nearer), max(far, further)
                # the cheaper of two straight lines is cheapest at an end, and no point costs more than over one line
                lower = min(there + onwards * low, back - saving * high)
                upper = min(there + onwards * high, back - saving * low)
                if last > one:
                    lower, upper = 0.0, np.inf
                least, most = min(least, lower + pace * nearer), max(most, upper + pace * further)
            if least - slack > limits[count - 1] or near > furthest + 0.01:
                continue
            level = level_of(limits, least - slack)
            # further out a block may have points without a segment
            whole = level == level_of(limits, most + slack) and far <= furthest - 1.5 * step
            settled[i, j] = level if whole else -1
    first = np.full((rows, columns), -1, np.int32)
    used = 0
    for i in range(rows):
        for j in range(columns):
            b = blocks.row[top + i, left + j]
            if b >= 0 and _on_a_line(settled, i, j):
                first[i, j] = used
                used += blocks.first[b + 1] - blocks.first[b]
    row = np.empty((used, 13))
    for i in range(rows):
        for j in range(columns):
            if first[i, j] < 0:
                continue
            b = blocks.row[top + i, left + j]
            for e in range(blocks.first[b], blocks.first[b + 1]):
                s = blocks.segment[e]
                r = first[i, j] + e - blocks.first[b]
                row[r, 0], row[r, 1] = segments.start[s, 0], segments.start[s, 1]
                row[r, 2], row[r, 3] = segments.extent[s, 0], segments.extent[s, 1]
                row[r, 4], row[r, 9], row[r, 12] = segments.length[s], along[s], s
                row[r, 5], row[r, 6], row[r, 7], row[r, 8], row[r, 10], row[r, 11] = _ways(
                    key, edge_from, edge_to, edge_cm, forward, backward, source_edge, edge[s], along[s]
                )
    return settled, first, row


@njit(cache=True, nogil=True, inline="always")
def _on_a_line(settled: Any, i: int, j: int) -> Any:
    """Whether a block or one of the eight around it is not settled, or settled otherwise."""
    here = settled[i, j]
    found = here < 0
    for r in range(max(0, i - 1), min(settled.shape[0], i + 2)):
        for c in range(max(0, j - 1), min(settled.shape[1], j + 2)):
            found = found or settled[r, c] != here
    return found


@njit(cache=True, nogil=True, inline="always")
def _ways(
    key: Any, edge_from: Any, edge_to: Any, edge_cm: Any, forward: Any, backward: Any, source_edge: Any, e: int,
    along: float,
) -> Any:  # fmt: skip
    """(cost at a place, cost a metre onwards, cost there coming back, saving a metre, first source, last source) of a
    place ``along`` metres from the beginning of edge ``e``.

    Costs are those over the ends of the edge, infinite where no way leads; sources ``first:last`` lie on it.
    """
    cm = max(edge_cm[e], 1)
    begin = min(along * 100.0, float(cm))
    there, onwards, back, saving = np.inf, 0.0, np.inf, 0.0
    k = key[edge_from[e]]
    if k != UNREACHED and forward[e] >= 0:
        onwards = 100.0 * forward[e] / cm
        there = (k >> 32) + forward[e] * begin / cm
    k = key[edge_to[e]]
    if k != UNREACHED and backward[e] >= 0:
        saving = 100.0 * backward[e] / cm
        back = (k >> 32) + backward[e] * (cm - begin) / cm
    first = 0
    last = 0
    if len(source_edge) and source_edge[0] <= e <= source_edge[-1]:
        first = int(np.searchsorted(source_edge, e))
        last = first
        while last < len(source_edge) and source_edge[last] == e:
            last += 1
    return there, onwards, back, saving, first, last


@njit(cache=True, nogil=True)
def levels(field: Field, limits: Any, settled: Any) -> Any:
    """Number of the smallest limit (ascending) each point of the window is within, ``len(limits)`` for none.

    With a border of one point all round that is within none.
    """
    row, source, first, block, nearest = field.row, field.source, field.first, field.block, field.nearest
    x, y, step, pace, furthest = field.x, field.y, field.step, field.pace, field.furthest
    rows, columns = settled.shape
    out = np.full((rows * BLOCK + 2, columns * BLOCK + 2), len(limits), np.uint8)
    for i in range(rows):
        for j in range(columns):
            r0, c0 = i * BLOCK, j * BLOCK
            if settled[i, j] >= 0:
                if settled[i, j] < len(limits):
                    out[r0 + 1 : r0 + BLOCK + 1, c0 + 1 : c0 + BLOCK + 1] = settled[i, j]
                continue
            b = block[i, j]
            for r in range(BLOCK):
                for c in range(BLOCK):
                    k = nearest[b, r, c]
                    if k == NONE:
                        continue
                    cost, d = cost_by(row, source, first[i, j] + k, x + step * (c0 + c), y + step * (r0 + r), pace)
                    if d <= furthest:
                        out[r0 + r + 1, c0 + c + 1] = level_of(limits, cost)
    return out


@njit(cache=True, nogil=True, inline="always")
def level_of(limits: Any, cost: float) -> Any:
    """Number of the smallest limit not below ``cost``."""
    level = 0
    while level < len(limits) and cost > limits[level]:
        level += 1
    return level


@njit(cache=True, nogil=True, inline="always")
def side_of(first: Any, block: Any, nearest: Any, r: int, c: int) -> Any:
    """Row of the segment nearest to point (r, c) of a window, -1 for none."""
    i, j = r // BLOCK, c // BLOCK
    side = -1
    if r >= 0 and c >= 0 and i < first.shape[0] and j < first.shape[1] and first[i, j] >= 0:
        k = nearest[block[i, j], r % BLOCK, c % BLOCK]
        if k != NONE:
            side = first[i, j] + k
    return side


@njit(cache=True, nogil=True, inline="always")
def foot(row: Any, s: int, x: float, y: float) -> Any:
    """(metres along the segment of row ``s``, metres from it) of a point, as `raster.project`."""
    px, py = x - row[s, 0], y - row[s, 1]
    dx, dy = row[s, 2], row[s, 3]
    share = min(1.0, max(0.0, (px * dx + py * dy) / max(dx * dx + dy * dy, 1e-300)))
    ex, ey = px - share * dx, py - share * dy
    return share * row[s, 4], np.sqrt(ex * ex + ey * ey)


@njit(cache=True, nogil=True)
def cost_by(row: Any, source: Any, s: int, x: float, y: float, pace: float) -> Any:
    """(cost of a point put on the segment of row ``s``, metres to it)."""
    t, d = foot(row, s, x, y)
    cost = min(row[s, 5] + row[s, 6] * t, row[s, 7] - row[s, 8] * t)
    for i in range(int(row[s, 10]), int(row[s, 11])):
        gone = row[s, 9] + t - source[i, 0]
        leg = source[i, 2] * gone if gone > 0 else -source[i, 3] * gone if gone < 0 else 0.0
        cost = min(cost, source[i, 1] + leg)
    return cost + pace * d, d


@njit(cache=True, nogil=True)
def excess(row: Any, source: Any, s: int, limit: float, pace: float, furthest: float, x: float, y: float) -> Any:
    """Cost over the limit, or of metres over the longest leg, of a point put on the segment of row ``s``; at most zero
    inside."""
    cost, d = cost_by(row, source, s, x, y, pace)
    return max(cost - limit, (d - furthest) * pace)


@njit(cache=True, nogil=True)
def crossing(
    row: Any, source: Any, s: int, u: int, limit: float, pace: float, furthest: float, px: float, py: float, qx: float,
    qy: float,
) -> Any:  # fmt: skip
    """Share of the way from ``p``, inside with the nearest segment of row ``s``, to ``q``, outside with that of row
    ``u``, that is inside.

    Where both are nearest to one segment it is the zero of a smooth function. Else the border between the regions of
    ``s`` and ``u`` comes between: the line is where the cost by ``s`` passes the limit before that border, or on the
    border, where the cost jumps over the limit, or where the cost by ``u`` passes it beyond. A third segment between
    the two points is not seen.
    """
    dx, dy = qx - px, qy - py
    low, value_low, high, by = 0.0, 0.0, 1.0, s
    if row[s, 12] == row[u, 12]:
        value_low = excess(row, source, s, limit, pace, furthest, px, py)
        value_high = excess(row, source, s, limit, pace, furthest, qx, qy)
    else:
        border = _border(row, s, u, px, py, qx, qy)
        mx, my = px + border * dx, py + border * dy
        value_high = excess(row, source, s, limit, pace, furthest, mx, my)
        if value_high > 0:
            high, value_low = border, excess(row, source, s, limit, pace, furthest, px, py)
        else:
            value_low = excess(row, source, u, limit, pace, furthest, mx, my)
            if value_low > 0:
                return border
            low, by, value_high = border, u, excess(row, source, u, limit, pace, furthest, qx, qy)
    at = low
    for _ in range(STEPS):
        if np.isfinite(value_high):
            at = low + (high - low) * (-value_low / max(value_high - value_low, 1e-12))
        else:
            at = (low + high) / 2
        value = excess(row, source, by, limit, pace, furthest, px + at * dx, py + at * dy)
        if abs(value) < 0.01 * pace:
            break
        if value <= 0:
            low, value_low = at, value
        else:
            high, value_high = at, value
    return at


@njit(cache=True, nogil=True)
def _border(row: Any, s: int, u: int, px: float, py: float, qx: float, qy: float) -> Any:
    """Share of the way from p to q that is nearer to the segment of row ``s`` than to that of ``u``."""
    dx, dy = qx - px, qy - py
    before = min(foot(row, s, px, py)[1] - foot(row, u, px, py)[1], 0.0)
    after = max(foot(row, s, qx, qy)[1] - foot(row, u, qx, qy)[1], 0.0)
    low, high, at = 0.0, 1.0, 0.5
    for _ in range(STEPS):
        at = low + (high - low) * (-before / max(after - before, 1e-12))
        x, y = px + at * dx, py + at * dy
        value = foot(row, s, x, y)[1] - foot(row, u, x, y)[1]
        if abs(value) < 0.01:
            break
        if value <= 0:
            low, before = at, value
        else:
            high, after = at, value
    return at
