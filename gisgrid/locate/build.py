"""Compiled building of the point index: which cells an edge meets, what a mixed cell must remember.

Array names are those of `gisgrid.locate.kernels`; ``u, v`` are the vertices in cell units.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

from gisgrid.limits import LOCATE_MATCH_MAX
from gisgrid.locate.kernels import (
    MARGIN,
    TICK_FAR,
    TICK_SHIFT,
    TICKS,
    UNSURE_TICKS,
    covers,
    parity,
    tick,
)

CHUNK_EDGES: Final = 32
"""Edges in one run that is skipped at once by its y-span."""
_REFERENCES: Final = 24  # places tried for a cell's reference point before it is left to the exact road
_SLOP: Final = 1e-9  # cell units; above the rounding of u, v and of the clip below


@njit(cache=True, nogil=True)
def chunk_rings(ring_start: Any, ys: Any) -> tuple[Any, Any, Any]:
    """Cut every ring into runs of `CHUNK_EDGES` edges → (ring_chunks, chunk_span, chunk_y)."""
    rings = ring_start.size - 1
    ring_chunks = np.zeros(rings + 1, np.int32)
    for r in range(rings):
        edges = ring_start[r + 1] - ring_start[r] - 1
        ring_chunks[r + 1] = ring_chunks[r] + (edges + CHUNK_EDGES - 1) // CHUNK_EDGES
    chunk_span = np.empty((ring_chunks[rings], 2), np.int32)
    chunk_y = np.empty((ring_chunks[rings], 2), np.float64)
    for r in range(rings):
        for n in range(ring_chunks[r + 1] - ring_chunks[r]):
            c = ring_chunks[r] + n
            first = ring_start[r] + n * CHUNK_EDGES
            last = min(first + CHUNK_EDGES, ring_start[r + 1] - 1)
            chunk_span[c, 0], chunk_span[c, 1] = first, last
            low = high = ys[first]
            for k in range(first + 1, last + 1):
                low, high = min(low, ys[k]), max(high, ys[k])
            chunk_y[c, 0], chunk_y[c, 1] = low, high
    return ring_chunks, chunk_span, chunk_y


@njit(cache=True, nogil=True, inline="always")
def _columns_met(u0: float, v0: float, u1: float, v1: float, j: int, columns: int) -> tuple[int, int]:
    """First and last column whose widened cell in row j the edge may meet (a superset is harmless)."""
    low, high = j - MARGIN, j + 1.0 + MARGIN
    t0, t1 = 0.0, 1.0
    rise = v1 - v0
    if abs(rise) > 1e-12:
        a, b = (low - v0) / rise, (high - v0) / rise
        t0, t1 = max(t0, min(a, b)), min(t1, max(a, b))
    a, b = u0 + t0 * (u1 - u0), u0 + t1 * (u1 - u0)
    left, right = min(a, b) - MARGIN - _SLOP, max(a, b) + MARGIN + _SLOP
    return max(math.floor(left), 0), min(math.floor(right), columns - 1)


@njit(cache=True, nogil=True, inline="always")
def _rows_met(v0: float, v1: float, rows: int) -> tuple[int, int]:
    low, high = min(v0, v1) - MARGIN - _SLOP, max(v0, v1) + MARGIN + _SLOP
    return max(math.floor(low), 0), min(math.floor(high), rows - 1)


@njit(cache=True, nogil=True)
def mark(order: Any, u: Any, v: Any, frame: Any, rings: Any) -> tuple[Any, Any]:
    """Edges met per cell and the row of the smallest code that fills it whole without an edge near → (counts, full).

    Rows come in ``order`` of their codes, so the first to fill a cell is the smallest.
    """
    _, ring_chunks, part_rings, row_parts, chunk_span, _ = rings
    columns, rows = int(frame[6]), int(frame[7])
    counts = np.zeros(columns * rows + 1, np.int32)
    full = np.full(columns * rows, -1, np.int32)
    touched_by = np.full(columns * rows, -1, np.int32)
    for row in order:
        left, right, bottom, top = np.inf, -np.inf, np.inf, -np.inf
        first, last = part_rings[row_parts[row]], part_rings[row_parts[row + 1]]
        for c in range(ring_chunks[first], ring_chunks[last]):
            for k in range(chunk_span[c, 0], chunk_span[c, 1]):
                left, right = min(left, u[k]), max(right, u[k])
                bottom, top = min(bottom, v[k]), max(top, v[k])
                j0, j1 = _rows_met(v[k], v[k + 1], rows)
                for j in range(j0, j1 + 1):
                    i0, i1 = _columns_met(u[k], v[k], u[k + 1], v[k + 1], j, columns)
                    for i in range(i0, i1 + 1):
                        counts[j * columns + i] += 1
                        touched_by[j * columns + i] = row
        for j in range(max(int(bottom), 0), min(int(top), rows - 1) + 1):
            inside, known = False, False
            for i in range(max(int(left), 0), min(int(right), columns - 1) + 1):
                cell = j * columns + i
                if touched_by[cell] == row:
                    known = False
                    continue
                if not known:  # constant until the next touched cell
                    x, y = frame[0] + (i + 0.5) / frame[4], frame[1] + (j + 0.5) / frame[5]
                    inside = covers(row, x, y, rings)
                    known = True
                if inside and full[cell] < 0:
                    full[cell] = row
    return counts, full


@njit(cache=True, nogil=True)
def collect(order: Any, u: Any, v: Any, frame: Any, starts: Any, rings: Any) -> tuple[Any, Any]:
    """Edges of every cell, grouped by row in code order → (edges, edge_rows); ``starts`` moves to the cells' ends."""
    _, ring_chunks, part_rings, row_parts, chunk_span, _ = rings
    columns, rows = int(frame[6]), int(frame[7])
    edges = np.empty(starts[-1], np.int32)
    edge_rows = np.empty(starts[-1], np.int32)
    for row in order:
        first, last = part_rings[row_parts[row]], part_rings[row_parts[row + 1]]
        for c in range(ring_chunks[first], ring_chunks[last]):
            for k in range(chunk_span[c, 0], chunk_span[c, 1]):
                j0, j1 = _rows_met(v[k], v[k + 1], rows)
                for j in range(j0, j1 + 1):
                    i0, i1 = _columns_met(u[k], v[k], u[k + 1], v[k + 1], j, columns)
                    for i in range(i0, i1 + 1):
                        at = starts[j * columns + i]
                        edges[at], edge_rows[at] = k, row
                        starts[j * columns + i] = at + 1
    return edges, edge_rows


@njit(cache=True, nogil=True)
def _clip(a: float, b: float, c: float, d: float) -> tuple[float, float, bool, bool]:
    """Liang–Barsky: parameters at which (a, b)–(c, d) is in the widened cell, and whether it enters or leaves right.

    Whether an end is cut is decided by comparing that end with the border, never by a quotient, so both edges of a
    vertex agree on it; an edge with an end inside is never missed, for its quotients are rounded monotonically.
    Misses return t0 > t1.
    """
    low, high = -MARGIN, 1.0 + MARGIN
    t0, t1 = 0.0, 1.0
    enters_right = leaves_right = False
    for axis in range(2):
        start, end = (a, c) if axis == 0 else (b, d)
        if max(start, end) < low or min(start, end) > high:
            return 1.0, 0.0, False, False
        rising = start < end
        if (start < low) if rising else (start > high):
            enter = ((low if rising else high) - start) / (end - start)
            if enter >= t0:
                t0, enters_right = min(enter, 1.0), axis == 0 and not rising
        if (end > high) if rising else (end < low):
            leave = ((high if rising else low) - start) / (end - start)
            if leave <= t1 or t1 == 1.0:
                t1, leaves_right = min(leave, 1.0), axis == 0 and rising
    return t0, t1, enters_right, leaves_right


@njit(cache=True, nogil=True, inline="always")
def _put(words: Any, at: int, ax: int, ay: int, bx: int, by: int) -> int:
    words[at] = np.uint32((ax << 16) | ay)
    words[at + 1] = np.uint32((bx << 16) | by)
    return at + 2


@njit(cache=True, nogil=True)
def _put_edge(words: Any, at: int, a: float, b: float, c: float, d: float) -> int:
    """Append the part of an edge (cell-local coordinates) in the widened cell, and what closes it on the right.

    Where the shape's outline runs out on the right, a piece far right, from there upwards, takes over its crossings;
    outlines that run out on the other sides need none: no ray from the cell to the right meets what follows.
    """
    t0, t1, enters_right, leaves_right = _clip(a, b, c, d)
    if t0 > t1:
        return at
    ax, ay = (tick(a), tick(b)) if t0 == 0.0 else (tick(a + t0 * (c - a)), tick(b + t0 * (d - b)))
    bx, by = (tick(c), tick(d)) if t1 == 1.0 else (tick(a + t1 * (c - a)), tick(b + t1 * (d - b)))
    at = _put(words, at, ax, ay, bx, by)
    if enters_right:
        at = _put(words, at, TICK_FAR, ay, TICK_FAR, TICK_FAR)
    if leaves_right:
        at = _put(words, at, TICK_FAR, by, TICK_FAR, TICK_FAR)
    return at


@njit(cache=True, nogil=True)
def _paired(edges: Any, edge_rows: Any, begin: int, end: int, coords: Any) -> bool:
    """Whether every edge of a cell runs there once more, backwards, around another row: no gap, no overlap begins."""
    if end - begin > LOCATE_MATCH_MAX or (end - begin) % 2:
        return False
    for p in range(begin, end):
        k, found = edges[p], 0
        for q in range(begin, end):
            m = edges[q]
            same = coords[k, 0] == coords[m + 1, 0] and coords[k, 1] == coords[m + 1, 1]
            if same and coords[k + 1, 0] == coords[m, 0] and coords[k + 1, 1] == coords[m, 1]:
                if edge_rows[p] == edge_rows[q]:
                    return False
                found += 1
        if found != 1:
            return False
    return True


@njit(cache=True, nogil=True)
def write_records(
    edges: Any, edge_rows: Any, starts: Any, ends: Any, cells: Any, u: Any, v: Any, frame: Any, rank: Any, rings: Any
) -> Any:
    """Records of all cells with edges; ``cells`` comes in as the rows that fill cells whole and leaves finished."""
    columns = int(frame[6])
    most = 0
    for cell in range(cells.size):
        most = max(most, ends[cell] - starts[cell])
    out = np.empty(2 * cells.size + 6 * edges.size, np.int32)  # most of it is never touched, so never paid for
    words = np.empty(4 * most + 4, np.uint32)
    row_of = np.empty(most + 1, np.int32)
    first_of = np.empty(most + 2, np.int64)
    inside_of = np.empty(most + 1, np.int64)
    at = 0
    for cell in range(cells.size):
        begin, end = starts[cell], ends[cell]
        if begin == end:
            continue
        i, j = cell % columns, cell // columns
        filler = cells[cell]
        candidates, used = 0, 0
        for p in range(begin, end):
            row = edge_rows[p]
            if filler >= 0 and rank[row] > rank[filler]:
                break  # rows come in code order: none from here on can own a point of this cell
            if candidates == 0 or row_of[candidates - 1] != row:
                row_of[candidates] = row
                first_of[candidates] = used
                candidates += 1
            k = edges[p]
            used = _put_edge(words, used, u[k] - i, v[k] - j, u[k + 1] - i, v[k + 1] - j)
        first_of[candidates] = used
        # a reference point clear of every piece, whose truth ties the stored crossings to the real insides
        sure, owners = False, 0
        for attempt in range(_REFERENCES):
            px = (0.5 + attempt * 0.7548776662466927) % 1.0
            py = (0.5 + attempt * 0.5698402909980532) % 1.0
            qx, qy = int(px * TICKS) + TICK_SHIFT, int(py * TICKS) + TICK_SHIFT
            sure = parity(words, 0, used // 2, qx, qy, 4 * UNSURE_TICKS) >= 0
            if sure:
                x, y = frame[0] + (i + px) / frame[4], frame[1] + (j + py) / frame[5]
                for c in range(candidates):
                    true = covers(row_of[c], x, y, rings)
                    owners += true
                    size = (first_of[c + 1] - first_of[c]) // 2
                    inside_of[c] = parity(words, first_of[c], size, qx, qy, UNSURE_TICKS) ^ true
                break
        spared = -1  # a candidate that needs no test: it owns whatever the others do not
        if sure and filler < 0 and owners == 1 and _paired(edges, edge_rows, begin, end, rings[0]):
            for c in range(candidates):
                if spared < 0 or first_of[c + 1] - first_of[c] > first_of[spared + 1] - first_of[spared]:
                    spared = c
        record, kept = at, 0
        at += 2
        out[record] = row_of[spared] if spared >= 0 else filler
        for c in range(candidates):
            size = (first_of[c + 1] - first_of[c]) // 2
            if c == spared or (sure and size == 0 and inside_of[c] == 0):
                continue
            if sure and size == 0:  # no edge of it here after all, and it fills the cell: nothing after it counts
                out[record] = row_of[c]
                break
            out[at] = row_of[c]
            out[at + 1] = size * 4 + inside_of[c] if sure else 2
            at += 2
            kept += 1
            if sure:
                for w in range(first_of[c], first_of[c + 1]):
                    out[at] = np.int32(words[w])
                    at += 1
        out[record + 1] = kept
        if kept == 0:
            cells[cell] = out[record]
            at = record
        else:
            cells[cell] = -(record + 2)
    return out[:at].copy()
