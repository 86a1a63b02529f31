"""Where the label or symbol of a feature stands: inside polygons, in the middle of lines, on points."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit

_CELLS: Final = 2_500
"""Most places tried in one polygon: thin and long ones take many."""
_NEAR: Final = 0.03
"""How far from the widest place a label may stand, as a share of the half width found."""


@njit(cache=True, nogil=True)
def simple_anchors(coords: Any, parts: Any, features: Any, kinds: Any, rows: Any) -> Any:
    """A place (k, 2) on each feature: the middle of the widest cut through polygons, halfway along the longest line,
    the first point; NaN for a feature without coordinates. Costs one pass."""
    out = np.full((rows.size, 2), np.nan)
    for i in range(rows.size):
        first, last = features[rows[i]], features[rows[i] + 1]
        highest = -1
        for part in range(first, last):
            highest = max(highest, kinds[part])
        if highest == 2:
            _widest(coords, parts, kinds, first, last, out[i])
        if highest == 1 or (highest == 2 and math.isnan(out[i, 0])):
            _halfway(coords, parts, kinds, first, last, out[i])
        elif highest == 0:
            out[i] = coords[parts[first]]
    return out


@njit(cache=True, nogil=True)
def _widest(coords: Any, parts: Any, kinds: Any, first: int, last: int, out: Any) -> None:
    """Middle of the widest stretch inside, on the line halfway up; on others when that one has none."""
    low, high = math.inf, -math.inf
    for k in range(parts[first], parts[last]):
        low, high = min(low, coords[k, 1]), max(high, coords[k, 1])
    crossings = np.empty(64)
    for share in (0.5, 0.4375, 0.5625, 0.25, 0.75, 0.1, 0.9):
        y, n = low + share * (high - low), 0
        for part in range(first, last):
            if kinds[part] != 2:
                continue
            for k in range(parts[part], parts[part + 1] - 1):
                y0, y1 = coords[k, 1], coords[k + 1, 1]
                if (y0 <= y) != (y1 <= y):
                    if n == crossings.size:
                        crossings = np.concatenate((crossings, crossings))
                    crossings[n] = coords[k, 0] + (y - y0) / (y1 - y0) * (coords[k + 1, 0] - coords[k, 0])
                    n += 1
        found = np.sort(crossings[:n])
        widest = 0.0
        for k in range(0, n - 1, 2):
            if found[k + 1] - found[k] > widest:
                widest = found[k + 1] - found[k]
                out[0], out[1] = (found[k] + found[k + 1]) / 2.0, y
        if widest > 0.0:
            return


@njit(cache=True, nogil=True)
def _halfway(coords: Any, parts: Any, kinds: Any, first: int, last: int, out: Any) -> None:
    longest, best = -1.0, first
    for part in range(first, last):
        if kinds[part] == 0:
            continue
        length = 0.0
        for k in range(parts[part], parts[part + 1] - 1):
            length += math.hypot(coords[k + 1, 0] - coords[k, 0], coords[k + 1, 1] - coords[k, 1])
        if length > longest:
            longest, best = length, part
    left = longest / 2.0
    for k in range(parts[best], parts[best + 1] - 1):
        step = math.hypot(coords[k + 1, 0] - coords[k, 0], coords[k + 1, 1] - coords[k, 1])
        if step > 0.0 and step >= left:
            t = left / step
            out[0] = coords[k, 0] + t * (coords[k + 1, 0] - coords[k, 0])
            out[1] = coords[k, 1] + t * (coords[k + 1, 1] - coords[k, 1])
            return
        left -= step
    out[:] = coords[parts[best]]


@njit(cache=True, nogil=True)
def widest_places(coords: Any, parts: Any, features: Any, kinds: Any, rows: Any, start: Any) -> Any:
    """Pole of inaccessibility of every polygon, nearly (V. Agafonkin's polylabel, cells by what they may hold);
    ``start`` (k, 2) a place inside, kept for what is no polygon. Degrees of longitude are taken as long as they are."""
    out = start.copy()
    cell = np.empty((_CELLS + 1100, 4))  # x, y, half side, what it may hold at most
    for i in range(rows.size):
        first, last = features[rows[i]], features[rows[i] + 1]
        if first == last or kinds[first] != 2 or math.isnan(start[i, 0]):
            continue
        narrow = math.cos(math.radians(start[i, 1]))
        west, south, east, north = math.inf, math.inf, -math.inf, -math.inf
        for k in range(parts[first], parts[last]):
            west, east = min(west, coords[k, 0]), max(east, coords[k, 0])
            south, north = min(south, coords[k, 1]), max(north, coords[k, 1])
        wide, tall = (east - west) * narrow, north - south
        side = max(min(wide, tall), max(wide, tall) / 32.0)
        if not side > 0.0:
            continue
        best = _inside(coords, parts, kinds, first, last, start[i, 0], start[i, 1], narrow)
        n, half = 0, side / 2.0
        for a in range(int(wide / side) + 1):
            for b in range(int(tall / side) + 1):
                x, y = west + (a * side + half) / narrow, south + b * side + half
                d = _inside(coords, parts, kinds, first, last, x, y, narrow)
                cell[n, 0], cell[n, 1], cell[n, 2], cell[n, 3] = x, y, half, d + half * 1.4142135623730951
                n += 1
                if d > best:
                    best, out[i, 0], out[i, 1] = d, x, y
        tried = 0
        while n > 0 and tried < _CELLS:
            k = 0
            for m in range(1, n):
                if cell[m, 3] > cell[k, 3]:
                    k = m
            if cell[k, 3] - best <= max(best, 0.0) * _NEAR:
                break
            cx, cy, half = cell[k, 0], cell[k, 1], cell[k, 2] / 2.0
            n -= 1
            cell[k] = cell[n]
            for quarter in range(4):
                x = cx + (half if quarter & 1 else -half) / narrow
                y = cy + (half if quarter & 2 else -half)
                d = _inside(coords, parts, kinds, first, last, x, y, narrow)
                tried += 1
                if d > best:
                    best, out[i, 0], out[i, 1] = d, x, y
                if d + half * 1.4142135623730951 > best * (1.0 + _NEAR) and n < len(cell):
                    cell[n, 0], cell[n, 1], cell[n, 2], cell[n, 3] = x, y, half, d + half * 1.4142135623730951
                    n += 1
    return out


@njit(cache=True, nogil=True)
def _inside(coords: Any, parts: Any, kinds: Any, first: int, last: int, x: float, y: float, narrow: float) -> float:
    """Distance to the boundary, below zero outside (rings fill even-odd)."""
    inside, nearest = False, math.inf
    for part in range(first, last):
        if kinds[part] != 2:
            continue
        for k in range(parts[part], parts[part + 1] - 1):
            ax, ay = (coords[k, 0] - x) * narrow, coords[k, 1] - y
            bx, by = (coords[k + 1, 0] - x) * narrow, coords[k + 1, 1] - y
            if (ay > 0.0) != (by > 0.0) and ax - ay / (by - ay) * (bx - ax) > 0.0:
                inside = not inside
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            t = 0.0 if square == 0.0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / square))
            px, py = ax + t * dx, ay + t * dy
            nearest = min(nearest, px * px + py * py)
    return math.sqrt(nearest) if inside else -math.sqrt(nearest)
