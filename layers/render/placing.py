"""Where labels go: inside their polygon, along their line, beside their point; none on another, none cut off."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

CELL = 2
"""Side of the squares that are noted as taken, in pixels."""


class Taken:
    """Which places of a picture carry a label already."""

    def __init__(self, width: int, height: int) -> None:
        self._cells = np.zeros((height // CELL + 1, width // CELL + 1), np.uint8)
        self.width, self.height = width, height

    def inside(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """Whether a box lies wholly in the picture."""
        return x0 >= 0 and y0 >= 0 and x1 <= self.width and y1 <= self.height

    def free(self, boxes: NDArray[np.float64]) -> bool:
        """Whether boxes (k, 4) lie wholly in the picture and on no label."""
        return all(
            self.inside(x0, y0, x1, y1)
            and not self._cells[int(y0) // CELL : int(y1) // CELL + 1, int(x0) // CELL : int(x1) // CELL + 1].any()
            for x0, y0, x1, y1 in boxes.tolist()
        )

    def take(self, boxes: NDArray[np.float64]) -> None:
        """Note boxes as taken, as far as they lie in the picture."""
        _note(self._cells, np.floor(boxes / CELL).astype(np.int64))


@njit(cache=True, nogil=True)
def _note(cells: Any, boxes: Any) -> None:
    for i in range(len(boxes)):
        for row in range(max(0, boxes[i, 1]), min(cells.shape[0], boxes[i, 3] + 1)):
            for column in range(max(0, boxes[i, 0]), min(cells.shape[1], boxes[i, 2] + 1)):
                cells[row, column] = 1


@njit(cache=True, nogil=True)
def box_in_rings(coords: Any, parts: Any, first: int, last: int, x0: float, y0: float, x1: float, y1: float) -> bool:
    """Whether a box lies inside the rings ``first`` to ``last`` (even-odd): no edge meets it, its middle is inside."""
    x, y = (x0 + x1) * 0.5, (y0 + y1) * 0.5
    inside = False
    for part in range(first, last):
        start, end = parts[part], parts[part + 1]
        if end - start < 3:
            continue
        ax, ay = np.float64(coords[end - 1, 0]), np.float64(coords[end - 1, 1])
        for i in range(start, end):
            bx, by = np.float64(coords[i, 0]), np.float64(coords[i, 1])
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                inside = not inside
            if min(ax, bx) < x1 and max(ax, bx) > x0 and min(ay, by) < y1 and max(ay, by) > y0:
                # the edge's box meets it; so does the edge unless all corners lie on one side of it
                dx, dy = bx - ax, by - ay
                a = dx * (y0 - ay) - dy * (x0 - ax)
                b = dx * (y0 - ay) - dy * (x1 - ax)
                c = dx * (y1 - ay) - dy * (x0 - ax)
                d = dx * (y1 - ay) - dy * (x1 - ax)
                if min(min(a, b), min(c, d)) <= 0.0 <= max(max(a, b), max(c, d)):
                    return False
            ax, ay = bx, by
    return inside


@njit(cache=True, nogil=True)
def straight_place(
    coords: Any, start: int, end: int, length: float, width: float, height: float
) -> tuple[bool, float, float, float, float]:
    """Where a text ``length`` pixels long lies along a line: (found, x, y, cosine, sine) of its middle.

    The straightest stretch of that length whose ends lie in the picture: at most a tenth longer than the way between
    its ends. Stretches begin at every corner and every half text.
    """
    best, bx, by, bc, bs = 1.1, 0.0, 0.0, 1.0, 0.0
    found = False
    for i in range(start, end - 1):
        x0, y0 = np.float64(coords[i, 0]), np.float64(coords[i, 1])
        x1, y1 = np.float64(coords[i + 1, 0]), np.float64(coords[i + 1, 1])
        piece = np.hypot(x1 - x0, y1 - y0)
        if piece == 0.0:
            continue
        steps = min(64, int(piece / (0.5 * length)) + 1)
        for step in range(steps):
            share = step / steps
            px, py = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
            if not (0.0 <= px <= width and 0.0 <= py <= height):
                continue
            left = length
            qx, qy = px, py
            j = i
            ok = False
            while j < end - 1:
                tx, ty = np.float64(coords[j + 1, 0]), np.float64(coords[j + 1, 1])
                rest = np.hypot(tx - qx, ty - qy)
                if rest >= left:
                    qx += (tx - qx) * left / rest
                    qy += (ty - qy) * left / rest
                    ok = True
                    break
                left -= rest
                qx, qy = tx, ty
                j += 1
            if not ok or not (0.0 <= qx <= width and 0.0 <= qy <= height):
                continue
            chord = np.hypot(qx - px, qy - py)
            if chord <= 0.0:
                continue
            bend = length / chord
            if bend < best - 1e-9:
                best, found = bend, True
                bx, by = (px + qx) * 0.5, (py + qy) * 0.5
                bc, bs = (qx - px) / chord, (qy - py) / chord
    if bc < 0.0 or (bc == 0.0 and bs < 0.0):
        bc, bs = -bc, -bs  # read from left to right
    return found, bx, by, bc, bs
