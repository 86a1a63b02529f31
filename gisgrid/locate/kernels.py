"""The compiled questions of the point index: which grid owns a point, how far is an edge.

See `gisgrid.locate` for the rule these answer by and why the fast road never differs from the exact one. Units in
this module: *cell units* are a point's place in the uniform cells, (x - x0) · inv_x; *ticks* are whole
1/16384 of a cell, shifted by `TICK_SHIFT` so that all stored values are positive and fit 16 bits.

Array names (all C-contiguous, read-only):

- ``frame`` float64 (8): x0, y0, x1, y1 of the indexed box, inv_x, inv_y (cells per unit), columns, rows
- ``cells`` int32 (columns · rows): ≥ 0 the row that owns the whole cell, -1 nobody, ≤ -2 a record at -(value + 2)
- ``records`` int32: per mixed cell ``else_row, candidates`` and per candidate ``row, pieces·4 + unsure·2 + inside``,
  then two words a piece (x, y of both ends in ticks, 16 bits each)
- ``coords`` float64 (vertices, 2), ``ring_chunks``, ``part_rings``, ``row_parts`` int32 offsets, ``chunk_span`` int32
  (chunks, 2) first and last vertex of a run of edges, ``chunk_y`` float64 (chunks, 2) its lowest and highest y
- ``rings``: the tuple of those named in `RINGS`; plain, for a named one would cost every call from Python 2 µs
- ``rank`` int32 (rows): position of the row's code in text order
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

RINGS: Final = ("coords", "ring_chunks", "part_rings", "row_parts", "chunk_span", "chunk_y")
"""The arrays that hold the grids' outlines."""
TICKS: Final = 16384
"""Ticks a cell side is divided into."""
TICK_SHIFT: Final = 4096
TICK_FAR: Final = 65535
"""A tick beyond every cell: where the pieces that close a shape on its right side stand."""
UNSURE_TICKS: Final = 4
"""Nearer than this to a stored piece, a point goes the exact road: 0.71 (rounded piece) + 1.42 (point) + room."""
BLOCK: Final = 512
"""Points located together by `rows_of`."""
MARGIN: Final = 1.0 / 64.0
"""Pieces are kept to this far outside their cell, in cell units: far more than any rounding."""


@njit(cache=True, nogil=True, inline="always")
def tick(u: float) -> int:
    """Cell-local coordinate → nearest tick."""
    return math.floor(u * TICKS + 0.5) + TICK_SHIFT


@njit(cache=True, nogil=True)
def parity(records: Any, start: int, pieces: int, qx: int, qy: int, tolerance: int) -> int:
    """Crossings, modulo 2, of the ray from tick (qx, qy) to the right with ``pieces`` at ``start``; -1: too near one.

    Integers throughout, so exact: products stay below 2**33.
    """
    odd = 0
    for k in range(start, start + 2 * pieces, 2):
        first, second = np.int64(records[k]), np.int64(records[k + 1])
        ax, ay = (first >> 16) & 0xFFFF, first & 0xFFFF
        bx, by = (second >> 16) & 0xFFFF, second & 0xFFFF
        if (
            max(ay, by) + tolerance < qy or min(ay, by) - tolerance > qy or max(ax, bx) + tolerance < qx
        ):  # neither near the point nor on its ray
            continue
        side = (bx - ax) * (qy - ay) - (qx - ax) * (by - ay)
        if qx >= min(ax, bx) - tolerance and abs(side) <= tolerance * (abs(bx - ax) + abs(by - ay)):
            return -1
        if (ay <= qy) != (by <= qy) and (side > 0) == (by > ay):
            odd ^= 1
    return odd


@njit(cache=True, nogil=True, inline="always")
def cell_of(x: float, y: float, frame: Any) -> int:
    """Number of the cell a point lies in; -1 outside the box and for NaN."""
    if not (frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3]):
        return -1
    columns, rows = int(frame[6]), int(frame[7])
    i, j = int((x - frame[0]) * frame[4]), int((y - frame[1]) * frame[5])
    return min(j, rows - 1) * columns + min(i, columns - 1)


@njit(cache=True, nogil=True, inline="always")
def row_in_cell(x: float, y: float, cell: int, record: int, frame: Any, records: Any) -> int:
    """Row that owns a point of a mixed cell, -1 for none, -2 when only the exact road may tell."""
    columns = int(frame[6])
    u, v = (x - frame[0]) * frame[4] - cell % columns, (y - frame[1]) * frame[5] - cell // columns
    qx, qy = int(u * TICKS) + TICK_SHIFT, int(v * TICKS) + TICK_SHIFT
    at = record + 2
    for _ in range(records[record + 1]):
        head = records[at + 1]
        if head & 2:
            return -2
        odd = parity(records, at + 2, head >> 2, qx, qy, UNSURE_TICKS)
        if odd < 0:
            return -2
        if odd ^ (head & 1):
            return int(records[at])
        at += 2 + 2 * (head >> 2)
    return int(records[record])


@njit(cache=True, nogil=True)
def quick_row(x: float, y: float, frame: Any, cells: Any, records: Any) -> int:
    """Row that owns (x, y), -1 for none; ≤ -2 when only the exact road may tell: the record is at -(value + 2)."""
    cell = cell_of(x, y, frame)
    if cell < 0:
        return -1
    found = cells[cell]
    if found >= -1:
        return int(found)
    row = row_in_cell(x, y, cell, -(found + 2), frame, records)
    return int(found) if row == -2 else row


@njit(cache=True, nogil=True)
def ring_side(x: float, y: float, ring: int, rings: Any) -> int:
    """Point against ring: 1 inside, 0 on it, -1 outside, by the very arithmetic of ST_Covers.

    PostGIS answers point-in-polygon with Sunday's winding number and a plain double-precision side test, in every
    release of the 3.x line (``lwgeom_rtree.c``, later ``intervaltree.c``); the same operations in the same order
    here give the same sign for every point.
    """
    coords, ring_chunks, _, _, chunk_span, chunk_y = rings
    winding = 0
    for c in range(ring_chunks[ring], ring_chunks[ring + 1]):
        if y < chunk_y[c, 0] or y > chunk_y[c, 1]:
            continue
        for k in range(chunk_span[c, 0], chunk_span[c, 1]):
            ax, ay, bx, by = coords[k, 0], coords[k, 1], coords[k + 1, 0], coords[k + 1, 1]
            if y < min(ay, by) or y > max(ay, by) or (ax == bx and ay == by):
                continue
            side = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
            if side == 0.0 and min(ax, bx) <= x <= max(ax, bx):
                return 0
            if ay <= y < by:
                if side > 0.0:
                    winding += 1
            elif by <= y < ay and side < 0.0:
                winding -= 1
    return 1 if winding != 0 else -1


@njit(cache=True, nogil=True)
def covers(row: int, x: float, y: float, rings: Any) -> bool:
    """ST_Covers of the (multi)polygon ``row`` and the point: inside or on any ring."""
    part_rings, row_parts = rings[2], rings[3]
    for part in range(row_parts[row], row_parts[row + 1]):
        outer = part_rings[part]
        inside = ring_side(x, y, outer, rings)
        if inside == 0:
            return True
        if inside < 0:
            continue
        for hole in range(outer + 1, part_rings[part + 1]):
            in_hole = ring_side(x, y, hole, rings)
            if in_hole == 0:
                return True
            if in_hole > 0:
                inside = -1
                break
        if inside > 0:
            return True
    return False


@njit(cache=True, nogil=True)
def exact_row(x: float, y: float, record: int, records: Any, rank: Any, rings: Any) -> int:
    """Row of the smallest code that covers the point, among all candidates of a record; -1 for none."""
    best = -1
    at = record + 2
    for c in range(records[record + 1] + 1):
        last = c == records[record + 1]
        row = records[record] if last else records[at]
        if row >= 0 and (best < 0 or rank[row] < rank[best]) and covers(row, x, y, rings):
            best = row
        if not last:
            at += 2 + 2 * (records[at + 1] >> 2)
    return int(best)


@njit(cache=True)  # holds the GIL: giving it back for a microsecond's work costs more than the work
def row_of_point(x: float, y: float, frame: Any, cells: Any, records: Any, rank: Any, rings: Any) -> int:
    """Row that owns one point; -1 for none."""
    found = quick_row(x, y, frame, cells, records)
    if found >= -1:
        return int(found)
    return int(exact_row(x, y, -(found + 2), records, rank, rings))


@njit(cache=True, nogil=True)
def rows_of(xs: Any, ys: Any, out: Any, frame: Any, cells: Any, records: Any, rank: Any, rings: Any) -> None:
    """Owner row of every point (float64 arrays) into ``out`` (int32); -1 outside.

    Points go in blocks, in three short loops, so that the memory reads of many points are under way at once.
    """
    cell_at = np.empty(BLOCK, np.int64)
    mixed = np.empty(BLOCK, np.int64)
    for begin in range(0, xs.size, BLOCK):
        end = min(begin + BLOCK, xs.size)
        for k in range(begin, end):
            cell_at[k - begin] = cell_of(xs[k], ys[k], frame)
        found_mixed = 0
        for k in range(begin, end):
            cell = cell_at[k - begin]
            found = cells[max(cell, 0)]
            out[k] = found if cell >= 0 else -1
            mixed[found_mixed] = k
            found_mixed += out[k] < -1
        warm = 0
        for m in range(found_mixed):
            record = -(out[mixed[m]] + 2)
            warm += records[record] ^ records[min(record + 15, records.size - 1)]
        for m in range(found_mixed):
            k = mixed[m]
            record = -(out[k] + 2)
            row = row_in_cell(xs[k], ys[k], cell_at[k - begin], record, frame, records)
            if row == -2:
                row = exact_row(xs[k], ys[k], record, records, rank, rings)
            out[k] = row
        cell_at[0] = warm  # keeps the warming loop from being dropped as useless


@njit(cache=True, nogil=True)
def nearest_on_rows(
    xs: Any, ys: Any, rows: Any, scale_x: Any, scale_y: Any, out_x: Any, out_y: Any, out_d: Any, rings: Any
) -> None:
    """Nearest boundary point of grid ``rows[k]`` to point k and its distance, in a plane stretched by the scales.

    ``scale_x/scale_y`` (per point) turn coordinate differences into the unit of ``out_d``: 1 in a metric CRS, metres
    a degree for lon/lat. Rows < 0 give NaN.
    """
    coords, ring_chunks, part_rings, row_parts, chunk_span, _ = rings
    for k in range(xs.size):
        out_x[k] = out_y[k] = out_d[k] = np.nan
        if rows[k] < 0:
            continue
        sx, sy = scale_x[k], scale_y[k]
        best = np.inf
        first, last = part_rings[row_parts[rows[k]]], part_rings[row_parts[rows[k] + 1]]
        for c in range(ring_chunks[first], ring_chunks[last]):
            for e in range(chunk_span[c, 0], chunk_span[c, 1]):
                ax, ay = coords[e, 0], coords[e, 1]
                dx, dy = (coords[e + 1, 0] - ax) * sx, (coords[e + 1, 1] - ay) * sy
                px, py = (xs[k] - ax) * sx, (ys[k] - ay) * sy
                length2 = dx * dx + dy * dy
                t = 0.0 if length2 == 0.0 else min(1.0, max(0.0, (px * dx + py * dy) / length2))
                off_x, off_y = px - t * dx, py - t * dy
                distance2 = off_x * off_x + off_y * off_y
                if distance2 < best:
                    best = distance2
                    out_x[k] = ax + t * (coords[e + 1, 0] - ax)
                    out_y[k] = ay + t * (coords[e + 1, 1] - ay)
        out_d[k] = math.sqrt(best)
