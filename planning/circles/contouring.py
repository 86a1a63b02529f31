"""Polygons from a lattice: rings along its edges, thinned, holes in their outer rings.

Marching squares (Lorensen & Cline 1987, in two dimensions) walks with the inside on its left from lattice edge to
lattice edge; each edge between a point inside and a point outside is crossed once, at the place `field.crossing`
finds. In a square whose inside points lie across from each other the middle decides.

*Thinning* is ordered stabbing (Guibas et al. 1993): a chord replaces as many crossings as it passes within
``tolerance`` of, through their own lattice edges. Because the chords still cross the same edges in the same order,
and two chords of one square never cross, rings neither cross nor touch whatever is thinned: polygons are valid by
construction. Crossings keep `MARGIN` away from the lattice points for the same reason.

*Nesting*: limits are drawn from the largest down, and a crossing never passes the one of the next larger limit on the
same lattice edge. A square's inside is the hull of its inside corners and crossings, so the polygon of a smaller
limit lies strictly inside.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from planning.circles.field import Field, crossing, excess, foot, side_of
from planning.circles.raster import BLOCK

MARGIN: Final = 0.01
"""Nearest a crossing comes to a lattice point, as a share of their distance."""
APART: Final = 1e-5
"""How much the line of a smaller limit stays inside that of a larger one, as a share of the distance of points."""


@njit(cache=True, nogil=True)
def rings(field: Field, limits: Any, level: Any, settled: Any, tolerance: float, least: float) -> Any:
    """Rings of the polygons of all limits from the ``level`` of each point (`field.levels`).

    Returns (coordinates (n, 2), first coordinate of each ring, ring of the outer ring it belongs to (itself for an
    outer ring), limit of each ring). Rings are closed, inside on their left, outer rings of each limit in order.
    Rings of less than ``least`` square metres are left out, the limits in ``limits`` are ascending, ``tolerance`` is
    a share of ``step``.
    """
    rows, columns = level.shape
    count, step = len(limits), field.step
    seen = np.zeros((rows, columns), np.uint8)  # last limit (from the end) with a ring from a point to its right
    many = count > 1
    across = np.empty((rows, columns) if many else (1, 1), np.float32)  # where the last limit's ring crosses that edge
    upward = np.empty((rows, columns) if many else (1, 1), np.float32)  # ... and the one to the point above
    hits = np.empty((1024, 2), np.int64)  # those edges, row by row, and their rings
    coords = np.empty((4096, 2))
    walk = np.empty((4096, 5), np.int32)
    where = np.empty((4096, 3))
    starts = [np.int64(0)]
    parents = [np.int64(0) for _ in range(0)]
    of_limit = [np.int64(0) for _ in range(0)]
    filled = 0
    for k in range(count - 1, -1, -1):
        met = 0
        leftmost = [np.int64(0) for _ in range(0)]
        areas = [0.0 for _ in range(0)]
        kept = [np.int64(0) for _ in range(0)]
        for i in range(settled.shape[0]):
            for j in range(settled.shape[1]):
                alike = j + 1 == settled.shape[1] or settled[i, j + 1] == settled[i, j]
                # a window's first block looks at the border on its left as well
                if settled[i, j] >= 0 and alike and not (j == 0 and settled[i, j] <= k):
                    continue
                for r in range(1 + i * BLOCK, 1 + (i + 1) * BLOCK):
                    for c in range(0 if j == 0 else 1 + j * BLOCK, 1 + (j + 1) * BLOCK):
                        if (level[r, c] <= k) == (level[r, c + 1] <= k) or seen[r, c] == count - k:
                            continue
                        size, walk, where = _trace(field, limits, k, level, r, c, walk, where, across, upward)
                        if met + size > len(hits):
                            more = np.empty((2 * (met + size), 2), np.int64)
                            more[:met] = hits[:met]
                            hits = more
                        left = columns
                        for n in range(size):
                            if walk[n, 2] == 0:
                                r_hit, c_hit = walk[n, 0], min(walk[n, 1], walk[n, 1] + walk[n, 3])
                                seen[r_hit, c_hit] = count - k
                                hits[met, 0], hits[met, 1] = r_hit * columns + c_hit, len(areas)
                                met += 1
                                if c_hit < left:
                                    left = c_hit
                                    begin = r_hit * columns + c_hit
                        leftmost.append(begin)
                        if filled + size + 1 > len(coords):
                            grown = np.empty((2 * (filled + size + 1), 2))
                            grown[:filled] = coords[:filled]
                            coords = grown
                        thin = _thin(walk, where, size, tolerance, count > 1, coords[filled:], across, upward)
                        area = _area(coords[filled:], thin) * step * step
                        areas.append(area)
                        if abs(area) < least or thin < 3:
                            kept.append(np.int64(-1))
                            continue
                        kept.append(np.int64(len(parents)))
                        coords[filled + thin] = coords[filled]
                        filled += thin + 1
                        starts.append(filled)
                        parents.append(np.int64(len(parents)))
                        of_limit.append(np.int64(k))
        _adopt(np.array(areas), np.array(kept), np.array(leftmost), hits[:met], parents)
    out = np.empty((filled, 2))
    for n in range(filled):
        out[n, 0] = field.x + step * (coords[n, 0] - 1)
        out[n, 1] = field.y + step * (coords[n, 1] - 1)
    return out, np.array(starts), np.array(parents), np.array(of_limit)


@njit(cache=True, nogil=True)
def _adopt(areas: Any, kept: Any, leftmost: Any, hits: Any, parents: Any) -> None:
    """Give the holes kept (negative ``areas``) their outer rings.

    Left of a ring's leftmost edge comes the ring it lies in, or another hole of that.
    """
    order = np.empty(0, np.int64)
    for n in range(len(areas)):
        if kept[n] < 0 or areas[n] > 0:
            continue
        if not len(order):
            order = np.argsort(hits[:, 0])
            edges = hits[order, 0]
        m = n
        while areas[m] <= 0:
            m = hits[order[np.searchsorted(edges, leftmost[m]) - 1], 1]
        parents[kept[n]] = kept[m]


@njit(cache=True, nogil=True)
def _trace(
    field: Field, limits: Any, k: int, level: Any, r: int, c: int, walk: Any, where: Any, across: Any, upward: Any
) -> Any:  # fmt: skip
    """Walk the ring through the edge from point (r, c) to its right neighbour.

    Fills ``walk`` with (row, column) of the inside point, the step (rows, columns) to the outside point, and
    ``where`` with the crossing's share of the way and the least and largest it may become. Returns the number of
    crossings and the two arrays, grown when too small.
    """
    row, source, first, block, nearest = field.row, field.source, field.first, field.block, field.nearest
    x, y, step, pace, furthest = field.x, field.y, field.step, field.pace, field.furthest
    count, limit = len(limits), limits[k]
    low = MARGIN + APART * k
    high = 1.0 - MARGIN - APART * (count - 1 - k)
    if level[r, c] <= k:
        pr, pc, dr, dc = r, c, 0, 1
    else:
        pr, pc, dr, dc = r, c + 1, 0, -1
    first_r, first_c, first_d = pr, pc, dc
    size = 0
    while True:
        if size == len(walk):
            grown = np.empty((2 * size, 5), np.int32)
            grown[:size] = walk
            walk = grown
            wide = np.empty((2 * size, 3))
            wide[:size] = where
            where = wide
        qr, qc = pr + dr, pc + dc
        # ``level`` has a border: its point (1, 1) is the window's first
        s = side_of(first, block, nearest, pr - 1, pc - 1)
        u = side_of(first, block, nearest, qr - 1, qc - 1)
        share = low  # a raster may end before the streets do: there the line runs along its last points
        if u >= 0:
            px, py = x + step * (pc - 1), y + step * (pr - 1)
            share = crossing(row, source, s, u, limit, pace, furthest, px, py, px + step * dc, py + step * dr)
        most = high
        er, ec = min(pr, qr), min(pc, qc)
        if level[qr, qc] > k + 1:
            # the next larger limit's line crosses here too
            most = min(most, (across[er, ec] if dr == 0 else upward[er, ec]) - APART)
        walk[size, 0], walk[size, 1], walk[size, 2], walk[size, 3] = pr, pc, dr, dc
        where[size, 0], where[size, 1], where[size, 2] = min(most, max(low, share)), low, most
        size += 1
        # ahead, the inside point on the left: (-dc, dr) turned is (dc, -dr) in rows and columns
        ar, ac = dc, -dr
        left_in, right_in = level[pr + ar, pc + ac] <= k, level[qr + ar, qc + ac] <= k
        if right_in and not left_in:
            r, c = min(pr, qr, pr + ar) - 1, min(pc, qc, pc + ac) - 1
            right_in = left_in = _middle_in(field, limit, r, c)
        if right_in and left_in:
            pr, pc, dr, dc = qr + ar, qc + ac, -ar, -ac
        elif left_in:
            pr, pc = pr + ar, pc + ac
        else:
            dr, dc = ar, ac
        if dr == 0 and dc == first_d and pr == first_r and pc == first_c:
            return size, walk, where


@njit(cache=True, nogil=True)
def _middle_in(field: Field, limit: float, r: int, c: int) -> Any:
    """Whether the middle of the square from point (r, c) on is inside, by its corners' nearest segment."""
    row, first, block, nearest = field.row, field.first, field.block, field.nearest
    mx, my = field.x + field.step * (c + 0.5), field.y + field.step * (r + 0.5)
    best, over = np.inf, np.inf
    for corner in range(4):
        s = side_of(first, block, nearest, r + (corner >> 1), c + (corner & 1))
        if s >= 0:
            d = foot(row, s, mx, my)[1]
            if d < best:
                best, over = d, excess(row, field.source, s, limit, field.pace, field.furthest, mx, my)
    return over <= 0


@njit(cache=True, nogil=True)
def _thin(
    walk: Any, where: Any, size: int, tolerance: float, remember: bool, out: Any, across: Any, upward: Any
) -> Any:
    """Write the vertices of a ring's chords to ``out`` (columns, rows of the window) and return their number.

    From each vertex the chord goes on as long as one line passes all crossings on the way within ``tolerance``; the
    next vertex is the last crossing that lies on such a line itself. Where the chords cross the edges is kept in
    ``across`` and ``upward`` for the next smaller limit.
    """
    count = 0
    at = 0
    while at < size:
        ax, ay = _place(walk, where, at, where[at, 0])
        out[count, 0], out[count, 1] = ax, ay
        count += 1
        best = at + 1
        lx, ly, rx, ry = 0.0, 0.0, 0.0, 0.0  # the cone of lines that pass all crossings so far
        j = at + 1
        while j <= size and j - at < 64:
            i = j if j < size else 0
            px, py = _place(walk, where, i, where[i, 0])
            px, py = px - ax, py - ay
            if j == at + 1 or (lx * py - ly * px <= 0 and rx * py - ry * px >= 0):
                best = j
            inner, outer = max(where[i, 1], where[i, 0] - tolerance), min(where[i, 2], where[i, 0] + tolerance)
            gx, gy = _place(walk, where, i, inner)
            hx, hy = _place(walk, where, i, outer)
            gx, gy, hx, hy = gx - ax, gy - ay, hx - ax, hy - ay
            if hx * gy - hy * gx <= 0:
                break  # the ring comes back through this edge
            if j == at + 1:
                lx, ly, rx, ry = gx, gy, hx, hy
            else:
                if lx * gy - ly * gx < 0:
                    lx, ly = gx, gy
                if rx * hy - ry * hx > 0:
                    rx, ry = hx, hy
                if lx * ry - ly * rx > 0:
                    break
            j += 1
        if remember:
            i = best if best < size else 0
            bx, by = _place(walk, where, i, where[i, 0])
            for m in range(at, best):
                share = where[m, 0] if m == at else _cut(walk, where, m, ax, ay, bx, by)
                r, c = walk[m, 0], walk[m, 1]
                if walk[m, 2] == 0:
                    across[r, min(c, c + walk[m, 3])] = share
                else:
                    upward[min(r, r + walk[m, 2]), c] = share
        at = best
    return count


@njit(cache=True, nogil=True, inline="always")
def _place(walk: Any, where: Any, i: int, share: float) -> Any:
    """(column, row) of a share of the way from the inside to the outside point of crossing ``i``."""
    return walk[i, 1] + share * walk[i, 3], walk[i, 0] + share * walk[i, 2]


@njit(cache=True, nogil=True)
def _cut(walk: Any, where: Any, i: int, ax: float, ay: float, bx: float, by: float) -> Any:
    """Share at which the chord from a to b crosses the lattice edge of crossing ``i``."""
    if walk[i, 2] == 0:
        cut = (ax + (bx - ax) * (walk[i, 0] - ay) / (by - ay) - walk[i, 1]) * walk[i, 3] if by != ay else where[i, 0]
    else:
        cut = (ay + (by - ay) * (walk[i, 1] - ax) / (bx - ax) - walk[i, 0]) * walk[i, 2] if bx != ax else where[i, 0]
    return min(where[i, 2], max(where[i, 1], cut))


@njit(cache=True, nogil=True)
def _area(coords: Any, size: int) -> Any:
    """Signed area of an open ring, positive when its inside is on the left."""
    total = 0.0
    for i in range(size):
        j = i + 1 if i + 1 < size else 0
        total += (coords[i, 0] - coords[0, 0]) * (coords[j, 1] - coords[0, 1])
        total -= (coords[j, 0] - coords[0, 0]) * (coords[i, 1] - coords[0, 1])
    return total / 2
