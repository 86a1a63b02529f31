"""Compiled questions about what lies around a point: grids of a box, nearest grid, share of a Gaussian in a grid.

Array names are those of `gisgrid.locate.kernels`. ``scale_x, scale_y`` turn differences of coordinates near a point
into metres (or leave them as they are in a metric CRS).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from gisgrid.limits import LOCATE_FOUND_MAX

_NODES, _WEIGHTS = (part.astype(np.float64) for part in np.polynomial.legendre.leggauss(20))


@njit(cache=True, nogil=True)
def rows_in_box(x0: float, y0: float, x1: float, y1: float, frame: Any, cells: Any, records: Any, out: Any) -> int:
    """Rows of grids that may own something in the box, into ``out`` (int32, `LOCATE_FOUND_MAX`), without repeats."""
    if not (x0 <= frame[2] and x1 >= frame[0] and y0 <= frame[3] and y1 >= frame[1]):
        return 0
    columns, rows = int(frame[6]), int(frame[7])
    i0 = int(max((x0 - frame[0]) * frame[4], 0.0))
    i1 = int(min((x1 - frame[0]) * frame[4], columns - 1.0))
    j0 = int(max((y0 - frame[1]) * frame[5], 0.0))
    j1 = int(min((y1 - frame[1]) * frame[5], rows - 1.0))
    count = 0
    last = -1
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            found = cells[j * columns + i]
            if found >= 0:
                if found != last:
                    count = _add(found, out, count)
                    last = found
                continue
            if found == -1:
                continue
            at = -(found + 2)
            if records[at] >= 0:
                count = _add(records[at], out, count)
            candidates = records[at + 1]
            at += 2
            for _ in range(candidates):
                count = _add(records[at], out, count)
                at += 2 + 2 * (records[at + 1] >> 2)
    return count


@njit(cache=True, nogil=True)
def _add(row: int, out: Any, count: int) -> int:
    for k in range(count - 1, -1, -1):  # what was met last is met again first
        if out[k] == row:
            return count
    if count < out.size:
        out[count] = row
        count += 1
    return count


@njit(cache=True)  # asked for one point it holds the GIL, as `gisgrid.locate.kernels.row_of_point` does
def boundary_distance(row: int, x: float, y: float, scale_x: float, scale_y: float, rings: Any) -> float:
    """Distance from the point to the nearest edge of grid ``row``, in the plane of the scales."""
    coords, ring_chunks, part_rings, row_parts, chunk_span, chunk_y = rings
    best = np.inf
    first, last = part_rings[row_parts[row]], part_rings[row_parts[row + 1]]
    for c in range(ring_chunks[first], ring_chunks[last]):
        above = max(chunk_y[c, 0] - y, y - chunk_y[c, 1], 0.0) * scale_y
        if above * above > best:
            continue
        for e in range(chunk_span[c, 0], chunk_span[c, 1]):
            dx, dy = (coords[e + 1, 0] - coords[e, 0]) * scale_x, (coords[e + 1, 1] - coords[e, 1]) * scale_y
            px, py = (x - coords[e, 0]) * scale_x, (y - coords[e, 1]) * scale_y
            length2 = dx * dx + dy * dy
            t = 0.0 if length2 == 0.0 else min(1.0, max(0.0, (px * dx + py * dy) / length2))
            off_x, off_y = px - t * dx, py - t * dy
            best = min(best, off_x * off_x + off_y * off_y)
    return math.sqrt(best)


@njit(cache=True, nogil=True)
def near_rows(
    xs: Any, ys: Any, scale_x: Any, scale_y: Any, limit: float, slack: float, frame: Any, cells: Any, records: Any,
    rings: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Grids nearly as near as the nearest one to points outside all grids → (point, row) pairs (int64, int32).

    Nearly: within 1.01 times the least distance plus ``slack``. Boxes around the point grow until the nearest grid
    cannot lie outside them, or beyond ``limit``.
    """
    who, row_of = np.empty(max(4 * xs.size, 16), np.int64), np.empty(max(4 * xs.size, 16), np.int32)
    found = np.empty(LOCATE_FOUND_MAX, np.int32)
    used = 0
    for k in range(xs.size):
        x, y, sx, sy = xs[k], ys[k], scale_x[k], scale_y[k]
        # how far the frame is, and how far its farthest corner
        gap_x, gap_y = max(frame[0] - x, x - frame[2], 0.0) * sx, max(frame[1] - y, y - frame[3], 0.0) * sy
        far_x, far_y = max(x - frame[0], frame[2] - x) * sx, max(y - frame[1], frame[3] - y) * sy
        least, most = max(gap_x, gap_y), math.hypot(far_x, far_y)
        if least > limit * 1.01:
            continue
        reach = least + max(sx / frame[4], sy / frame[5])
        best = np.inf
        while True:
            count = rows_in_box(
                x - reach / sx, y - reach / sy, x + reach / sx, y + reach / sy, frame, cells, records, found
            )
            best = np.inf
            for m in range(count):
                best = min(best, boundary_distance(found[m], x, y, sx, sy, rings))
            if best <= reach or reach > most or reach > limit * 1.01:
                break
            reach = min(2.0 * reach, best * 1.001) if best < np.inf else 2.0 * reach
        if not best <= limit * 1.01:
            continue
        reach = best * 1.01 + slack
        count = rows_in_box(
            x - reach / sx, y - reach / sy, x + reach / sx, y + reach / sy, frame, cells, records, found
        )
        for m in range(count):
            if boundary_distance(found[m], x, y, sx, sy, rings) <= reach:
                if used == who.size:
                    who, row_of = np.append(who, np.empty_like(who)), np.append(row_of, np.empty_like(row_of))
                who[used], row_of[used] = k, found[m]
                used += 1
    return who[:used].copy(), row_of[:used].copy()


@njit(cache=True, nogil=True, inline="always")
def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@njit(cache=True, nogil=True)
def owens_t(h: float, a: float) -> float:
    """T(h, a) of D. B. Owen, "Tables for computing bivariate normal probabilities" (1956), within 1e-12.

    (1/2π) ∫₀ᵃ exp(-h²(1 + x²)/2) / (1 + x²) dx by Gauss–Legendre for a ≤ 1, beyond by Owen's reflection.
    """
    h, sign = abs(h), 1.0
    if a < 0.0:
        a, sign = -a, -1.0
    if h > 9.0:  # below exp(-40)
        return 0.0
    if a > 1.0:
        low, high = _normal(h), _normal(a * h)
        reflected = owens_t(a * h, 1.0 / a) if a < 1e150 else 0.0
        return sign * (0.5 * low + 0.5 * high - low * high - reflected)
    total = 0.0
    for k in range(_NODES.size):
        x = 0.5 * a * (_NODES[k] + 1.0)
        total += _WEIGHTS[k] * math.exp(-0.5 * h * h * (1.0 + x * x)) / (1.0 + x * x)
    return sign * total * 0.25 * a / math.pi


@njit(cache=True, nogil=True)
def gaussian_share(row: int, x: float, y: float, scale_x: float, scale_y: float, sigma: float, rings: Any) -> float:
    """Probability that a place, Gaussian around the point with ``sigma`` on both axes, lies in grid ``row``.

    Exact: the triangle between the point and an edge at distance d holds
    (θ₂ - θ₁)/2π - T(d/σ, tan θ₂) + T(d/σ, tan θ₁) of it, angles from the edge's normal; triangles add up with the sign
    of their turn, rings with that of their area (A. R. DiDonato and R. K. Hageman, "A method for computing the integral
    of the bivariate normal distribution over an arbitrary polygon", 1982).
    """
    coords, ring_chunks, part_rings, row_parts, chunk_span, _ = rings
    share = 0.0
    for part in range(row_parts[row], row_parts[row + 1]):
        for ring in range(part_rings[part], part_rings[part + 1]):
            inside, area = 0.0, 0.0
            for c in range(ring_chunks[ring], ring_chunks[ring + 1]):
                for e in range(chunk_span[c, 0], chunk_span[c, 1]):
                    ax, ay = (coords[e, 0] - x) * scale_x, (coords[e, 1] - y) * scale_y
                    bx, by = (coords[e + 1, 0] - x) * scale_x, (coords[e + 1, 1] - y) * scale_y
                    turn = ax * by - ay * bx
                    area += turn
                    inside += _triangle(ax, ay, bx, by, turn, sigma)
            inside = inside if area > 0.0 else -inside
            share += inside if ring == part_rings[part] else -inside
    return min(1.0, max(0.0, share))


@njit(cache=True, nogil=True)
def _triangle(ax: float, ay: float, bx: float, by: float, turn: float, sigma: float) -> float:
    length = math.hypot(bx - ax, by - ay)
    if turn == 0.0 or length == 0.0:
        return 0.0
    d = abs(turn) / length
    ux, uy = (bx - ax) / length, (by - ay) / length
    from_normal, to_normal = (ax * ux + ay * uy) / d, (bx * ux + by * uy) / d
    angle = (math.atan(to_normal) - math.atan(from_normal)) / (2.0 * math.pi)
    part = angle - owens_t(d / sigma, to_normal) + owens_t(d / sigma, from_normal)
    return part if turn > 0.0 else -part


@njit(cache=True, nogil=True)
def shares_around(
    xs: Any, ys: Any, scale_x: Any, scale_y: Any, sigma: Any, reach: Any, frame: Any, cells: Any, records: Any,
    rings: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Share of each point's Gaussian in every grid within ``reach`` → (point, row, share), in order of the points."""
    size = max(4 * xs.size, 16)
    who, row_of, share_of = np.empty(size, np.int64), np.empty(size, np.int32), np.empty(size, np.float64)
    found = np.empty(LOCATE_FOUND_MAX, np.int32)
    used = 0
    for k in range(xs.size):
        wide, tall = reach[k] / scale_x[k], reach[k] / scale_y[k]
        count = rows_in_box(xs[k] - wide, ys[k] - tall, xs[k] + wide, ys[k] + tall, frame, cells, records, found)
        for m in range(count):
            if used == who.size:
                who, row_of = np.append(who, np.empty_like(who)), np.append(row_of, np.empty_like(row_of))
                share_of = np.append(share_of, np.empty_like(share_of))
            who[used], row_of[used] = k, found[m]
            share_of[used] = gaussian_share(found[m], xs[k], ys[k], scale_x[k], scale_y[k], sigma[k], rings)
            used += 1
    return who[:used].copy(), row_of[:used].copy(), share_of[:used].copy()
