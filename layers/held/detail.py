"""Levels of detail: fewer vertices for small scales, the same ones on both sides of a shared border.

Every vertex gets the tolerance up to which it is kept (D. Douglas and T. Peucker, "Algorithms for the reduction of the
number of points", 1973, run once for all tolerances). Borders are cut into arcs where three or more edges meet and each
arc is simplified in one direction whichever feature it is read from, so that neighbours keep the same vertices.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from layers.held.shapes import Shapes

DETAIL_FROM: Final = 100_000
"""Layers with fewer coordinates are drawn as they are."""
PIXELS: Final = 0.4
"""Farthest a simplified line may be from the original, in pixels."""
STEP: Final = 2.0
"""From one level to the next coarser one."""
WORTH: Final = 0.7
"""A level that keeps more than this share of the coordinates is not made."""


def level_of(pixel: float) -> int:
    """Number of the coarsest level good enough for pixels of a size in degrees: its tolerance is ``STEP ** level``."""
    return math.floor(math.log(max(pixel, 1e-12) * PIXELS, STEP))


def simplified(shapes: Shapes, kept_to: NDArray[np.float32], level: int) -> Shapes | None:
    """The geometries with the vertices a level keeps; None when leaving out the others saves little."""
    kept = kept_to > np.float32(STEP**level)
    if np.count_nonzero(kept) > WORTH * len(kept):
        return None
    coords, parts = _packed(shapes.coords, shapes.parts, shapes.kinds, kept)
    return Shapes(coords, parts, shapes.features, shapes.kinds, shapes.boxes)


@njit(cache=True, nogil=True)
def _packed(coords: Any, parts: Any, kinds: Any, kept: Any) -> tuple[Any, Any]:
    """The coordinates that are kept; a ring whose first one is not closes at the next."""
    to, to_parts, n = np.empty((np.sum(kept) + kinds.size, 2), np.float64), np.zeros(parts.size, np.int64), 0
    for part in range(kinds.size):
        start = n
        for k in range(parts[part], parts[part + 1]):
            if kept[k]:
                to[n] = coords[k]
                n += 1
        if kinds[part] == 2 and n > start and not kept[parts[part]]:
            to[n] = to[start]
            n += 1
        to_parts[part + 1] = n
    return to[:n].copy(), to_parts


def kept_to(shapes: Shapes) -> NDArray[np.float32]:
    """Tolerance (n,) in degrees of latitude up to which each coordinate is kept; infinite for ends, meeting places,
    points, and four places of a ring that meets nothing, so that nothing vanishes."""
    lat = shapes.coords[:, 1]
    narrow = math.cos(math.radians(min(89.0, abs(float(np.median(lat[:: max(1, len(lat) // 1000)]))))))
    vertex = _numbered(shapes.coords)
    meeting = _meeting(vertex, shapes.parts, shapes.kinds)
    out: NDArray[np.float32] = _tolerances(shapes.coords, shapes.parts, shapes.kinds, meeting[vertex], narrow)
    return out


@njit(cache=True, nogil=True)
def _numbered(coords: Any) -> Any:
    """A number for every different place: open addressing over the bits of the coordinates."""
    n = len(coords)
    size = 16
    while size < 2 * n:
        size *= 2
    slots = np.full(size, -1, np.int32)
    firsts, numbers = np.empty(n, np.int32), np.empty(n, np.int32)
    bits = coords.view(np.uint64)
    found = 0
    for k in range(n):
        mixed = (bits[k, 0] * np.uint64(0x9E3779B97F4A7C15)) ^ (bits[k, 1] * np.uint64(0xC2B2AE3D27D4EB4F))
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        at = np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1)) if size <= 1 << 32 else 0
        while True:
            number = slots[at]
            if number < 0:
                slots[at] = found
                firsts[found], numbers[k] = k, found
                found += 1
                break
            first = firsts[number]
            if coords[first, 0] == coords[k, 0] and coords[first, 1] == coords[k, 1]:
                numbers[k] = number
                break
            at = (at + 1) & (size - 1)
    return numbers


@njit(cache=True, nogil=True)
def _meeting(vertex: Any, parts: Any, kinds: Any) -> Any:
    """Mask over places: a line ends there, or edges lead to more than two others."""
    places = 0
    for k in range(vertex.size):
        places = max(places, vertex[k] + 1)
    one, two = np.full(places, -1, np.int32), np.full(places, -1, np.int32)
    meeting = np.zeros(places, np.bool_)
    for part in range(kinds.size):
        first, last = parts[part], parts[part + 1]
        if kinds[part] == 1:
            meeting[vertex[first]] = meeting[vertex[last - 1]] = True
        if kinds[part] == 0:
            continue
        for k in range(first, last - 1):
            for turn in range(2):
                a, b = vertex[k + turn], vertex[k + 1 - turn]
                if a == b or one[a] == b or two[a] == b:
                    continue
                if one[a] < 0:
                    one[a] = b
                elif two[a] < 0:
                    two[a] = b
                else:
                    meeting[a] = True
    return meeting


@njit(cache=True, nogil=True)
def _tolerances(coords: Any, parts: Any, kinds: Any, fixed: Any, narrow: float) -> Any:
    out = np.full(len(coords), np.float32(np.inf), np.float32)
    for part in range(kinds.size):
        first, last = parts[part], parts[part + 1]
        if kinds[part] == 0 or last - first < 3:
            continue
        run = np.arange(first, last) if kinds[part] == 1 else _turned(coords, fixed, first, last)
        start = 0
        for k in range(1, run.size):
            if fixed[run[k]] or k == run.size - 1:
                _arc(coords, run[start : k + 1], narrow, out)
                start = k
        if kinds[part] == 2:
            out[last - 1] = out[first]
    return out


@njit(cache=True, nogil=True)
def _turned(coords: Any, fixed: Any, first: int, last: int) -> Any:
    """Positions of a ring from a meeting place on (the least coordinate when there is none), closed."""
    m = last - 1 - first
    begin = -1
    for k in range(m):
        if fixed[first + k]:
            begin = k
            break
    if begin < 0:
        begin = 0
        for k in range(1, m):
            if _less(coords, first + k, first + begin):
                begin = k
    run = np.empty(m + 1, np.int64)
    for k in range(m + 1):
        run[k] = first + (begin + k) % m
    return run


@njit(cache=True, nogil=True, inline="always")
def _less(coords: Any, a: int, b: int) -> Any:
    return coords[a, 0] < coords[b, 0] or (coords[a, 0] == coords[b, 0] and coords[a, 1] < coords[b, 1])


@njit(cache=True, nogil=True)
def _arc(coords: Any, run: Any, narrow: float, out: Any) -> None:
    """Tolerances along an arc whose ends stay; one that comes back to its start also keeps the farthest place and what
    is farthest on either way."""
    m = run.size
    if m < 3:
        return
    closed = coords[run[0], 0] == coords[run[m - 1], 0] and coords[run[0], 1] == coords[run[m - 1], 1]
    if _less(coords, run[m - 1], run[0]) or (closed and _less(coords, run[m - 2], run[1])):
        run = run[::-1]
    stack = np.zeros((m + 1, 3), np.int64)  # first, last, how often split
    limits = np.empty(m + 1)
    stack[0, 0], stack[0, 1], limits[0] = 0, m - 1, math.inf
    depth = 1
    while depth > 0:
        depth -= 1
        low, high, splits, limit = stack[depth, 0], stack[depth, 1], stack[depth, 2], limits[depth]
        if high - low < 2:
            continue
        ax, ay = coords[run[low], 0], coords[run[low], 1]
        dx, dy = (coords[run[high], 0] - ax) * narrow, coords[run[high], 1] - ay
        length = dx * dx + dy * dy
        farthest, at = -1.0, low + 1
        for k in range(low + 1, high):
            px, py = (coords[run[k], 0] - ax) * narrow, coords[run[k], 1] - ay
            t = 0.0 if length == 0.0 else min(1.0, max(0.0, (px * dx + py * dy) / length))
            px, py = px - t * dx, py - t * dy
            square = px * px + py * py
            if square > farthest:
                farthest, at = square, k
        height = math.inf if closed and splits < 2 else min(limit, math.sqrt(farthest))
        out[run[at]] = np.float32(height)
        for k in range(2):
            stack[depth + k, 0], stack[depth + k, 1] = (low, at) if k == 0 else (at, high)
            stack[depth + k, 2], limits[depth + k] = splits + 1, height
        depth += 2


@njit(cache=True, nogil=True)
def gathered_values(values: Any, parts: Any, features: Any, rows: Any) -> Any:
    """What stands beside the coordinates of some rows, in their order."""
    n = 0
    for row in rows:
        n += parts[features[row + 1]] - parts[features[row]]
    out, n = np.empty(n, values.dtype), 0
    for row in rows:
        for k in range(parts[features[row]], parts[features[row + 1]]):
            out[n] = values[k]
            n += 1
    return out
