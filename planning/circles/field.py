"""What it costs to reach any point, by its nearest segment, and where on a lattice that falls below limits.

Within the region nearest to one segment the cost of a point is the cost of its foot along the street, the cheaper of
two straight lines, and the leg from there: a smooth field. On the border between two regions it jumps, as between the
two banks of a river. Both are followed exactly: see `crossing`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from planning.circles.raster import BLOCK, NONE, Blocks, Segments, project
from planning.reach.dial import UNREACHED, Reached

STEPS: Final = 3
"""Steps of false position to a crossing; the field is all but straight between two points, the error millimetres."""


class Field(NamedTuple):
    """A finished search on a lattice: ``pace`` is the cost of a metre of access leg, ``furthest`` the longest leg in
    metres."""

    reached: Reached
    segments: Segments
    pace: float
    furthest: float


@njit(cache=True, nogil=True)
def ways(reached: Reached, segments: Segments, s: int) -> Any:
    """(cost at the beginning, cost a metre onwards, cost at the beginning coming back, saving a metre, first source,
    last source) of segment ``s``.

    Costs are those over the ends of its edge, infinite where no way leads; sources ``first:last`` lie on the edge.
    """
    e = segments.edge[s]
    cm = max(reached.edge_cm[e], 1)
    begin = min(segments.along[s] * 100.0, float(cm))
    there, onwards, back, saving = np.inf, 0.0, np.inf, 0.0
    forward, backward = reached.edge_forward[e], reached.edge_backward[e]
    key = reached.key[reached.edge_from[e]]
    if key != UNREACHED and forward >= 0:
        onwards = 100.0 * forward / cm
        there = (key >> 32) + forward * begin / cm
    key = reached.key[reached.edge_to[e]]
    if key != UNREACHED and backward >= 0:
        saving = 100.0 * backward / cm
        back = (key >> 32) + backward * (cm - begin) / cm
    source_edge = reached.source_edge
    first = 0
    if len(source_edge) and source_edge[0] <= e <= source_edge[-1]:
        first = np.searchsorted(source_edge, e)
    last = first
    while last < len(source_edge) and source_edge[last] == e:
        last += 1
    return there, onwards, back, saving, first, last


@njit(cache=True, nogil=True, inline="always")
def over_ends(way: Any, t: float) -> Any:
    """Cost ``t`` metres along a segment, over the ends of its edge."""
    return min(way[0] + way[1] * t, way[2] - way[3] * t)


@njit(cache=True, nogil=True)
def cost_along(reached: Reached, segments: Segments, s: int, way: Any, t: float) -> Any:
    """Cost ``t`` metres along segment ``s``, straight from sources on its edge as well."""
    cost = over_ends(way, t)
    if way[5] > way[4]:
        e = segments.edge[s]
        cm = max(reached.edge_cm[e], 1)
        offset = min((segments.along[s] + t) * 100.0, float(cm))
        forward, backward = reached.edge_forward[e], reached.edge_backward[e]
        for i in range(way[4], way[5]):
            gone = offset - reached.source_offset[i]
            if gone >= 0 and forward >= 0:
                cost = min(cost, reached.source_access[i] + forward * gone / cm)
            if gone <= 0 and backward >= 0:
                cost = min(cost, reached.source_access[i] - backward * gone / cm)
    return cost


@njit(cache=True, nogil=True)
def levels(
    field: Field, blocks: Blocks, limits: Any, x: float, y: float, step: float, top: int, left: int, out: Any,
    settled: Any,
) -> None:  # fmt: skip
    """Fill ``out`` with the number of the smallest limit (ascending) each point is within, ``len(limits)`` for none.

    ``out`` has a border of one point all round that stays outside. ``settled`` is the number of a block where it is
    the same for all its points, else -1. The block (``top``, ``left``) of the raster is the first of the window;
    (``x``, ``y``) is the raster's first point.
    """
    reached, segments, pace = field.reached, field.segments, field.pace
    count = len(limits)
    table, sources = np.empty((BLOCK * BLOCK, 4)), np.empty(BLOCK * BLOCK, np.bool_)
    for i in range(settled.shape[0]):
        for j in range(settled.shape[1]):
            settled[i, j] = count
            b = blocks.row[top + i, left + j]
            if b < 0:
                continue
            first = blocks.first[b]
            size = blocks.first[b + 1] - first
            least, most, near, far = np.inf, 0.0, np.inf, 0.0
            for k in range(size):
                e = first + k
                way = ways(reached, segments, blocks.segment[e])
                table[k, 0], table[k, 1], table[k, 2], table[k, 3] = way[0], way[1], way[2], way[3]
                sources[k] = way[5] > way[4]
                low, high = float(blocks.low[e]), float(blocks.high[e])
                one = pace * blocks.near[e]
                if not sources[k]:
                    # the cheaper of two straight lines is cheapest at an end; no point costs more than over one end
                    lower = min(over_ends(way, low), over_ends(way, high)) + one
                    upper = min(way[0] + way[1] * high, way[2] - way[3] * low) + pace * blocks.far[e]
                else:
                    lower, upper = one, np.inf
                least, most = min(least, lower), max(most, upper)
                near, far = min(near, float(blocks.near[e])), max(far, float(blocks.far[e]))
            slack = 0.01 * pace  # the stretches are kept in single precision
            if least - slack > limits[count - 1] or near > field.furthest + 0.01:
                continue
            r0, c0 = 1 + i * BLOCK, 1 + j * BLOCK
            low_level = level_of(limits, least - slack)
            # a block next to nowhere has points without a segment
            whole = far <= field.furthest - 1.5 * step
            if whole and low_level == level_of(limits, most + slack):
                settled[i, j] = low_level
                out[r0 : r0 + BLOCK, c0 : c0 + BLOCK] = low_level
                continue
            settled[i, j] = -1
            for r in range(BLOCK):
                for c in range(BLOCK):
                    k = blocks.nearest[b, r, c]
                    if k == NONE:
                        continue
                    s = blocks.segment[first + k]
                    t, d = project(
                        segments, s, x + step * ((left + j) * BLOCK + c), y + step * ((top + i) * BLOCK + r)
                    )
                    if d > field.furthest:
                        continue
                    if not sources[k]:
                        cost = min(table[k, 0] + table[k, 1] * t, table[k, 2] - table[k, 3] * t)
                    else:
                        cost = cost_along(reached, segments, s, ways(reached, segments, s), t)
                    out[r0 + r, c0 + c] = level_of(limits, cost + pace * d)


@njit(cache=True, nogil=True, inline="always")
def level_of(limits: Any, cost: float) -> Any:
    """Number of the smallest limit not below ``cost``."""
    level = 0
    while level < len(limits) and cost > limits[level]:
        level += 1
    return level


@njit(cache=True, nogil=True, inline="always")
def excess(field: Field, s: int, way: Any, limit: float, x: float, y: float) -> Any:
    """(cost over the limit, metres to segment ``s``) of a point put on segment ``s``; at most zero inside."""
    t, d = project(field.segments, s, x, y)
    over = cost_along(field.reached, field.segments, s, way, t) + field.pace * d - limit
    return max(over, (d - field.furthest) * field.pace), d


@njit(cache=True, nogil=True)
def crossing(field: Field, s: int, u: int, limit: float, px: float, py: float, qx: float, qy: float) -> Any:
    """Share of the way from ``p``, inside with nearest segment ``s``, to ``q``, outside with ``u``, that is inside.

    Where both are nearest to one segment it is the zero of a smooth function. Else the border between the regions of
    ``s`` and ``u`` comes between: the line is where the cost by ``s`` passes the limit before that border, or on the
    border, where the cost jumps over the limit, or where the cost by ``u`` passes it beyond. A third segment between
    the two points is not seen.
    """
    way = ways(field.reached, field.segments, s)
    dx, dy = qx - px, qy - py
    low, value_low = 0.0, excess(field, s, way, limit, px, py)[0]
    high, value_high = 1.0, 0.0
    if s != u:
        other = ways(field.reached, field.segments, u)
        border = _border(field.segments, s, u, px, py, qx, qy)
        value_high = excess(field, s, way, limit, px + border * dx, py + border * dy)[0]
        high = border
        if value_high <= 0:
            value_low = excess(field, u, other, limit, px + border * dx, py + border * dy)[0]
            if value_low > 0:
                return border
            s, way, low, high = u, other, border, 1.0
            value_high = excess(field, u, other, limit, qx, qy)[0]
    else:
        value_high = excess(field, s, way, limit, qx, qy)[0]
    return _zero(field, s, way, limit, px, py, dx, dy, low, value_low, high, value_high)


@njit(cache=True, nogil=True)
def _zero(
    field: Field, s: int, way: Any, limit: float, px: float, py: float, dx: float, dy: float, low: float,
    value_low: float, high: float, value_high: float,
) -> Any:  # fmt: skip
    """Where between shares ``low`` (inside) and ``high`` (outside) the cost by ``s`` passes the limit."""
    at = low
    for _ in range(STEPS):
        if np.isfinite(value_high):
            at = low + (high - low) * (-value_low / max(value_high - value_low, 1e-12))
        else:
            at = (low + high) / 2
        value = excess(field, s, way, limit, px + at * dx, py + at * dy)[0]
        if abs(value) < 0.01 * field.pace:
            break
        if value <= 0:
            low, value_low = at, value
        else:
            high, value_high = at, value
    return at


@njit(cache=True, nogil=True)
def _border(segments: Segments, s: int, u: int, px: float, py: float, qx: float, qy: float) -> Any:
    """Share of the way from p to q that is nearer to ``s`` than to ``u``."""
    dx, dy = qx - px, qy - py
    before = min(project(segments, s, px, py)[1] - project(segments, u, px, py)[1], 0.0)
    after = max(project(segments, s, qx, qy)[1] - project(segments, u, qx, qy)[1], 0.0)
    low, high, at = 0.0, 1.0, 0.5
    for _ in range(STEPS):
        at = low + (high - low) * (-before / max(after - before, 1e-12))
        x, y = px + at * dx, py + at * dy
        value = project(segments, s, x, y)[1] - project(segments, u, x, y)[1]
        if abs(value) < 0.01:
            break
        if value <= 0:
            low, before = at, value
        else:
            high, after = at, value
    return at
