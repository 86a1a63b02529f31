"""Geometries cut to a box: what lies far outside a picture is not handed on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def cut(
    coords: Any, parts: Any, features: Any, kinds: Any, rows: Any, boxes: Any, box: Any
) -> tuple[Any, Any, Any, Any]:
    """Coordinates, parts, features and kinds of some rows, cut to ``box`` (4,) where they leave it.

    Rings are cut after I. Sutherland and G. Hodgman, "Reentrant polygon clipping" (1974): one ring each, right for
    filling even-odd, with edges along the box. Lines fall apart into what lies inside; points outside go.
    """
    n, p = 0, 0
    to, to_parts = np.empty((1024, 2), np.float64), np.zeros(257, np.int64)
    to_kinds, to_features = np.empty(256, np.uint8), np.zeros(rows.size + 1, np.int64)
    for i in range(rows.size):
        row = rows[i]
        within = (
            boxes[row, 0] >= box[0] and boxes[row, 1] >= box[1] and boxes[row, 2] <= box[2] and boxes[row, 3] <= box[3]
        )
        for part in range(features[row], features[row + 1]):
            run, ends = coords[parts[part] : parts[part + 1]], np.array([0, parts[part + 1] - parts[part]])
            if not within:
                if kinds[part] == 2:
                    run = _ring(run, box)
                    ends = np.array([0, len(run)])
                elif kinds[part] == 1:
                    run, ends = _line(run, box)
                else:
                    run = _points(run, box)
                    ends = np.array([0, len(run)])
            while n + len(run) > len(to):
                to = np.concatenate((to, np.empty_like(to)))
            to[n : n + len(run)] = run
            for e in range(1, ends.size):
                if ends[e] == ends[e - 1]:
                    continue
                if p == to_kinds.size:
                    to_kinds = np.concatenate((to_kinds, np.empty_like(to_kinds)))
                    to_parts = np.concatenate((to_parts, np.empty(p, np.int64)))
                to_kinds[p] = kinds[part]
                p += 1
                to_parts[p] = n + ends[e]
            n += len(run)
        to_features[i + 1] = p
    return to[:n].copy(), to_parts[: p + 1].copy(), to_features, to_kinds[:p].copy()


@njit(cache=True, nogil=True)
def _points(run: Any, box: Any) -> Any:
    found, n = np.empty_like(run), 0
    for k in range(len(run)):
        if box[0] <= run[k, 0] <= box[2] and box[1] <= run[k, 1] <= box[3]:
            found[n] = run[k]
            n += 1
    return found[:n]


@njit(cache=True, nogil=True)
def _ring(run: Any, box: Any) -> Any:
    """What a closed ring leaves inside the box, closed; empty when nothing."""
    now = run[:-1].copy()
    for side in range(4):
        axis, limit, sign = side % 2, box[side], 1.0 if side < 2 else -1.0
        m = len(now)
        found, n = np.empty((2 * m + 1, 2), np.float64), 0
        for k in range(m):
            a, b = now[k - 1 if k else m - 1], now[k]
            inner_a, inner_b = (a[axis] - limit) * sign >= 0.0, (b[axis] - limit) * sign >= 0.0
            if inner_a != inner_b:
                # the same two ends, whichever way round: neighbours are cut at the same place
                c, d = (a, b) if inner_a else (b, a)
                t = (limit - c[axis]) / (d[axis] - c[axis])
                found[n, axis] = limit
                found[n, 1 - axis] = c[1 - axis] + t * (d[1 - axis] - c[1 - axis])
                n += 1
            if inner_b:
                found[n] = b
                n += 1
        now = found[:n]
    m = len(now)
    if m < 3:
        return np.empty((0, 2), np.float64)
    closed = np.empty((m + 1, 2), np.float64)
    closed[:m] = now
    closed[m] = now[0]
    return closed


@njit(cache=True, nogil=True)
def _line(run: Any, box: Any) -> tuple[Any, Any]:
    """The pieces of a line inside the box, one behind the other, and where each ends (first 0)."""
    found, n = np.empty((2 * len(run) + 2, 2), np.float64), 0
    ends, e = np.zeros(len(run) + 2, np.int64), 1
    going = False
    for k in range(len(run) - 1):
        a, b = run[k], run[k + 1]
        t0, t1 = 0.0, 1.0
        for axis in range(2):
            d = b[axis] - a[axis]
            if d == 0.0:
                if a[axis] < box[axis] or a[axis] > box[axis + 2]:
                    t0, t1 = 1.0, 0.0
            else:
                near, far = (box[axis] - a[axis]) / d, (box[axis + 2] - a[axis]) / d
                t0, t1 = max(t0, min(near, far)), min(t1, max(near, far))
        if t0 > t1:
            if going:
                ends[e] = n
                e += 1
                going = False
            continue
        if not going or t0 > 0.0:
            if going:
                ends[e] = n
                e += 1
            found[n] = a + t0 * (b - a)
            n += 1
            going = True
        found[n] = a + t1 * (b - a) if t1 < 1.0 else b
        n += 1
        if t1 < 1.0:
            ends[e] = n
            e += 1
            going = False
    if going:
        ends[e] = n
        e += 1
    return found[:n], ends[:e]
