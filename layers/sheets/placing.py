"""Where names go so that no two touch and none leaves the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.render.fonts import width_of
from layers.sheets.paper import Box
from layers.sheets.pen import oriented

BEND: Final = 0.3
"""How far a line may swing from under its name, in letter heights."""
LEADING: Final = 1.22
"""Distance of the lines of a name, in letter heights."""


class Line(NamedTuple):
    """A line of a name."""

    text: str
    size: float
    bold: bool


class Taken:
    """Ground of the map that names stand on."""

    def __init__(self, box: Box) -> None:
        self._box = shapely.box(*box)
        shapely.prepare(self._box)
        self._shapes: list[Any] = []

    def free(self, shape: Any) -> bool:
        """Whether a shape lies wholly on the map and touches no name."""
        if not self._box.contains(shape):
            return False
        return not self._shapes or not shapely.intersects(np.array(self._shapes, dtype=object), shape).any()

    def take(self, shape: Any) -> None:
        """A name stands here from now on."""
        self._shapes.append(shape)

    def try_take(self, shape: Any) -> bool:
        """Take the ground where it is free."""
        free = self.free(shape)
        if free:
            self.take(shape)
        return free


def size_of(lines: Sequence[Line]) -> tuple[float, float]:
    """Width and height of a name."""
    wide = max(width_of(line.text, line.size, line.bold) for line in lines)
    return wide, sum(LEADING * line.size for line in lines)


def middle_of(shape: Any) -> tuple[float, float]:
    """The middle of the largest circle inside a polygon."""
    circle = shapely.maximum_inscribed_circle(shape, tolerance=1.0)
    x, y = shapely.get_coordinates(shapely.get_point(circle, 0))[0]
    return float(x), float(y)


def inside(shape: Any, wide: float, high: float, taken: Taken, *, room: float) -> tuple[float, float] | None:
    """A place for a name of that size inside a polygon: its middle, else near it."""
    x0, y0 = middle_of(shape)
    shapely.prepare(shape)
    for x, y in _around(x0, y0, high * 0.8, 4):
        box = shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        if shape.contains(box) and taken.free(box.buffer(room, join_style="mitre")):
            return x, y
    return None


def beside(shape: Any, wide: float, high: float, taken: Taken, *, step: float) -> tuple[float, float] | None:
    """A free place near a polygon too small for its name; a line leads there."""
    x0, y0 = middle_of(shape)
    for x, y in _around(x0, y0, step, 14):
        if abs(x - x0) < 0.6 * wide and abs(y - y0) < high:
            continue  # off the grid it stands for
        if taken.free(shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)):
            return x, y
    return None


def _around(x: float, y: float, step: float, rings: int) -> Iterator[tuple[float, float]]:
    yield x, y
    for ring in range(1, rings + 1):
        for number in range(8 * ring):
            angle = 2 * np.pi * number / (8 * ring)
            yield x + float(step * ring * np.cos(angle)), y + float(step * ring * np.sin(angle))


def along(line: Any, wide: float, high: float, *, every: float) -> list[tuple[float, float, float]]:
    """Places (x, y, degrees clockwise) where a name of that width can stand on a line, straight and readable; each
    stretch of ``every`` points offers its straightest."""
    length = float(line.length)
    if length < wide * 1.15:
        return []
    starts = np.arange(0.0, length - wide + 1e-9, max(high, (length - wide) / 400.0, 1e-6))
    steps = np.linspace(0.0, wide, 9)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, (starts[:, None] + steps).ravel()))
    points = points.reshape(len(starts), len(steps), 2)
    chord = points[:, -1] - points[:, 0]
    span = np.hypot(chord[:, 0], chord[:, 1])
    swing = _swing(points, chord, span)
    good = (span > 0.97 * wide) & (swing < BEND * high)
    found = []
    pieces = max(1, round(length / every))
    stretch = np.minimum((starts / max(length - wide, 1e-9) * pieces).astype(int), pieces - 1)
    for piece in range(pieces):
        rows = np.flatnonzero(good & (stretch == piece))
        if not len(rows):
            continue
        centre = (piece + 0.5) / pieces * (length - wide)
        for row in rows[np.argsort(swing[rows] + 0.02 * np.abs(starts[rows] - centre))][:12].tolist():
            middle = points[row, 0] + chord[row] / 2
            angle = float(np.rad2deg(np.arctan2(chord[row, 1], chord[row, 0])))
            angle = angle - 180.0 if angle > 90.0 else angle + 180.0 if angle <= -90.0 else angle
            found.append((float(middle[0]), float(middle[1]), angle))
    return found


def _swing(points: NDArray[np.float64], chord: NDArray[np.float64], span: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each stretch of points (n, m, 2) swings from its chord (n, 2)."""
    from_start = points - points[:, :1]
    cross = np.abs(from_start[:, :, 0] * chord[:, None, 1] - from_start[:, :, 1] * chord[:, None, 0])
    swing: NDArray[np.float64] = cross.max(axis=1) / np.maximum(span, 1e-9)
    return swing


def name_shape(text: str, size: float, x: float, y: float, turned: float, *, bold: bool = False) -> Any:
    """The ground a line of text stands on, with a little room."""
    return oriented(x, y, width_of(text, size, bold) + 0.5 * size, 1.25 * size, turned)
