"""Where labels go: inside their polygon, along their line, beside their point; none on another, none cut off."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

CELL: Final = 2
"""Side of the squares that are noted as taken, in pixels."""


class Taken:
    """Which places of a picture carry a label or a marker already. ``cells`` (rows, columns) of ``CELL`` pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = np.zeros((height // CELL + 1, width // CELL + 1), np.uint8)
        self.width, self.height = width, height

    def free(self, boxes: NDArray[np.float64]) -> bool:
        """Whether boxes (k, 4) lie wholly in the picture and on nothing taken."""
        return all(_free(self.cells, self.width, self.height, *box) for box in boxes.tolist())

    def take(self, boxes: NDArray[np.float64]) -> None:
        """Note boxes as taken, as far as they lie in the picture."""
        for box in boxes.tolist():
            _take(self.cells, *box)


@njit(cache=True, nogil=True)
def _free(cells: Any, width: int, height: int, x0: float, y0: float, x1: float, y1: float) -> bool:
    if not (x0 >= 0.0 and y0 >= 0.0 and x1 <= width and y1 <= height):
        return False
    for row in range(int(y0) // CELL, int(y1) // CELL + 1):
        for column in range(int(x0) // CELL, int(x1) // CELL + 1):
            if cells[row, column]:
                return False
    return True


@njit(cache=True, nogil=True)
def _take(cells: Any, x0: float, y0: float, x1: float, y1: float) -> None:
    for row in range(max(0, int(y0 // CELL)), min(cells.shape[0], int(y1 // CELL) + 1)):
        for column in range(max(0, int(x0 // CELL)), min(cells.shape[1], int(x1 // CELL) + 1)):
            cells[row, column] = 1


@njit(cache=True, nogil=True)
def _bounds(coords: Any, first: int, last: int) -> Any:
    west = east = coords[first, 0]
    north = south = coords[first, 1]
    for i in range(first + 1, last):
        west, east = min(west, coords[i, 0]), max(east, coords[i, 0])
        north, south = min(north, coords[i, 1]), max(south, coords[i, 1])
    return west, north, east, south


@njit(cache=True, nogil=True)
def roomy(coords: Any, parts: Any, features: Any, kinds: Any, anchors: Any, mask: Any, size: float) -> Any:
    """(k,) the features of the mask a label may fit: rings at least as tall and wide as a letter, lines of two letters,
    whose anchor lies where it is known; points."""
    fits = np.zeros(len(mask), np.bool_)
    for feature in range(len(mask)):
        first, last = parts[features[feature]], parts[features[feature + 1]]
        if not mask[feature] or first == last:
            continue
        kind = kinds[features[feature]]
        if kind != 1 and not (np.isfinite(anchors[feature, 0]) and np.isfinite(anchors[feature, 1])):
            continue
        if kind == 0:
            fits[feature] = True
            continue
        west, north, east, south = _bounds(coords, first, last)
        wide, tall = east - west, south - north
        fits[feature] = max(wide, tall) >= 2.0 * size if kind == 1 else (wide >= size and tall >= size)
    return fits


_STEPS = np.array(
    sorted(
        ((dx, dy) for dx in (-1.0, -0.5, 0.0, 0.5, 1.0) for dy in (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)),
        key=lambda step: (4.0 * abs(step[0]) + abs(step[1]), step[1], step[0]),
    )
)
"""Where a label in a polygon is tried, from its anchor on: in widths and heights of it, the nearest first."""


@njit(cache=True, nogil=True)
def place_inside(
    coords: Any, parts: Any, features: Any, which: Any, anchors: Any, sizes: Any, pad: int, gap: float, cells: Any,
    width: int, height: int,
) -> Any:  # fmt: skip
    """(k, 3) left, top and lines (0: no place) of labels inside the polygons ``which`` (k,).

    ``sizes`` (k, 4): width and height in one line and in two (0: not to be had). On the anchor in one line, there in
    two, then about it. ``pad``: pixels of a word's picture around its letters.
    """
    places = np.zeros((len(which), 3), np.int64)
    for i in range(len(which)):
        feature = which[i]
        x, y = float(anchors[feature, 0]), float(anchors[feature, 1])
        west, north, east, south = _bounds(coords, parts[features[feature]], parts[features[feature + 1]])
        for attempt in range(2 * len(_STEPS)):
            lines = attempt % 2 + 1
            wide, tall = sizes[i, 2 * lines - 2], sizes[i, 2 * lines - 1]
            if wide <= 0.0 or wide > east - west or tall > south - north:
                continue
            step = _STEPS[attempt // 2]
            left, top, cx, cy = _on_pixels(x + step[0] * wide, y + step[1] * tall, wide, tall, pad)
            if not _in_picture(left, top, wide, tall, pad, width, height):
                continue
            x0, y0, x1, y1 = cx - wide / 2, cy - tall / 2, cx + wide / 2, cy + tall / 2
            if x0 < west or y0 < north or x1 > east or y1 > south:
                continue
            if not _free(cells, width, height, x0 - gap, y0 - gap, x1 + gap, y1 + gap):
                continue
            if box_in_rings(coords, parts, features[feature], features[feature + 1], x0, y0, x1, y1):
                _take(cells, x0 - gap, y0 - gap, x1 + gap, y1 + gap)
                places[i, 0], places[i, 1], places[i, 2] = left, top, lines
                break
    return places


@njit(cache=True, nogil=True)
def place_beside(
    points: Any, sizes: Any, beside: float, pad: int, gap: float, cells: Any, width: int, height: int
) -> Any:
    """(k, 3) left, top and lines (0: no place) of labels right, left, above or below points (k, 2)."""
    places = np.zeros((len(points), 3), np.int64)
    for i in range(len(points)):
        wide, tall = sizes[i, 0], sizes[i, 1]
        if wide <= 0.0:
            continue
        for side in range(4):
            x, y = points[i, 0], points[i, 1]
            if side < 2:
                x += (beside + wide / 2) * (1 - 2 * side)
            else:
                y += (beside + tall / 2) * (2 * side - 5)
            left, top, cx, cy = _on_pixels(x, y, wide, tall, pad)
            if not _in_picture(left, top, wide, tall, pad, width, height):
                continue
            x0, y0, x1, y1 = cx - wide / 2 - gap, cy - tall / 2 - gap, cx + wide / 2 + gap, cy + tall / 2 + gap
            if _free(cells, width, height, x0, y0, x1, y1):
                _take(cells, x0, y0, x1, y1)
                places[i, 0], places[i, 1], places[i, 2] = left, top, 1
                break
    return places


@njit(cache=True, nogil=True)
def _on_pixels(x: float, y: float, wide: float, tall: float, pad: int) -> Any:
    """Left and top of a word's picture on whole pixels, and where its middle then is."""
    across, down = np.ceil(wide) + 2 * pad, np.ceil(tall) + 2 * pad
    left, top = np.floor(x - across / 2 + 0.5), np.floor(y - down / 2 + 0.5)
    return int(left), int(top), left + across / 2, top + down / 2


@njit(cache=True, nogil=True)
def _in_picture(left: int, top: int, wide: float, tall: float, pad: int, width: int, height: int) -> bool:
    return (
        left >= 0 and top >= 0 and left + np.ceil(wide) + 2 * pad <= width and top + np.ceil(tall) + 2 * pad <= height
    )


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
def length_of(coords: Any, start: int, end: int) -> float:
    """Length of a line in pixels."""
    total = 0.0
    for i in range(start + 1, end):
        total += np.hypot(float(coords[i, 0] - coords[i - 1, 0]), float(coords[i, 1] - coords[i - 1, 1]))
    return total


@njit(cache=True, nogil=True)
def straight_place(
    coords: Any, start: int, end: int, length: float, since: float, until: float, width: float, height: float
) -> tuple[bool, float, float, float, float]:
    """Where a text ``length`` pixels long lies along a line: (found, x, y, cosine, sine) of its middle.

    The straightest stretch of that length whose ends lie in the picture: at most a twentieth longer than the way
    between its ends; of equal ones the one nearest the middle of ``since`` to ``until`` (pixels along the line), where
    its own middle lies. Stretches begin at every corner and every quarter text.
    """
    best, bx, by, bc, bs = np.inf, 0.0, 0.0, 1.0, 0.0
    found = False
    gone = 0.0
    for i in range(start, end - 1):
        x0, y0 = np.float64(coords[i, 0]), np.float64(coords[i, 1])
        x1, y1 = np.float64(coords[i + 1, 0]), np.float64(coords[i + 1, 1])
        piece = np.hypot(x1 - x0, y1 - y0)
        before = gone
        gone += piece
        if piece == 0.0 or gone + length / 2 < since or before + length / 2 > until:
            continue
        steps = min(256, int(piece / (0.25 * length)) + 1)
        for step in range(steps + 1):
            share = step / steps
            if step == steps:  # with its middle in the middle
                share = (0.5 * (since + until - length) - before) / piece
                if not 0.0 <= share < 1.0:
                    continue
            middle = before + piece * share + length / 2
            if middle < since or middle > until:
                continue
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
            if bend > 1.05:
                continue
            # a bend of one percent counts as much as a tenth of the stretch off its middle
            worse = 10.0 * (bend - 1.0) + abs(middle - 0.5 * (since + until)) / (until - since)
            if worse < best - 1e-9:
                best, found = worse, True
                bx, by = (px + qx) * 0.5, (py + qy) * 0.5
                bc, bs = (qx - px) / chord, (qy - py) / chord
    if bc < 0.0 or (bc == 0.0 and bs < 0.0):
        bc, bs = -bc, -bs  # read from left to right
    return found, bx, by, bc, bs
