"""Which of the features near a place are under it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def under(pixels: Any, parts: Any, features: Any, kinds: Any, x: float, y: float, tolerance: float) -> Any:
    """Mask of the features a place is in (rings, even-odd) or at most ``tolerance`` from (lines, points), in pixels."""
    hit = np.zeros(features.size - 1, np.bool_)
    square = tolerance * tolerance
    for i in range(features.size - 1):
        inside = False
        for part in range(features[i], features[i + 1]):
            first, last = parts[part], parts[part + 1]
            if kinds[part] == 0 or last - first == 1:
                for k in range(first, last):
                    dx, dy = pixels[k, 0] - x, pixels[k, 1] - y
                    hit[i] |= dx * dx + dy * dy <= square
                continue
            for k in range(first, last - 1):
                ax, ay, bx, by = pixels[k, 0] - x, pixels[k, 1] - y, pixels[k + 1, 0] - x, pixels[k + 1, 1] - y
                if kinds[part] == 2:
                    if (ay > 0.0) != (by > 0.0) and ax - ay / (by - ay) * (bx - ax) > 0.0:
                        inside = not inside
                    continue
                dx, dy = bx - ax, by - ay
                length = dx * dx + dy * dy
                t = 0.0 if length == 0.0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length))
                hit[i] |= (ax + t * dx) ** 2 + (ay + t * dy) ** 2 <= square
        hit[i] |= inside
    return hit


@njit(cache=True, nogil=True)
def drawable(pixels: Any, parts: Any, features: Any, far: float) -> Any:
    """Mask of the features that have coordinates, all of them finite and nearer than ``far``."""
    sound = np.ones(features.size - 1, np.bool_)
    for i in range(features.size - 1):
        first, last = parts[features[i]], parts[features[i + 1]]
        sound[i] = first < last
        for k in range(first, last):
            if not (abs(pixels[k, 0]) < far and abs(pixels[k, 1]) < far):
                sound[i] = False
                break
    return sound
