"""Markers: the outline of every shape in a box of 1 by 1, and the small pictures made from them.

The symbols of the component classes differ in outline first, so that they are told apart at 12 pixels and in grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numpy as np
import skia
from numpy.typing import NDArray

from layers.render.canvas import canvas_on, skia_color
from layers.styles.model import Marker, Shape


def _circle(path: Any) -> None:
    path.addCircle(0.5, 0.5, 0.5)


def _square(path: Any) -> None:
    path.addRect(skia.Rect.MakeLTRB(0.06, 0.06, 0.94, 0.94))


def _polygon(*corners: tuple[float, float]) -> Callable[[Any], None]:
    def draw(path: Any) -> None:
        path.addPoly([skia.Point(x, y) for x, y in corners], True)

    return draw


def _regular(count: int, start: float, inner: float | None = None) -> Callable[[Any], None]:
    """A regular polygon, first corner at ``start`` degrees; ``inner``: a star with that inner radius."""
    steps = count * (2 if inner is not None else 1)
    radii = [inner if inner is not None and i % 2 else 0.5 for i in range(steps)]
    angles = [math.radians(start + 360.0 * i / steps) for i in range(steps)]
    return _polygon(
        *((0.5 + r * math.cos(a), 0.5 + r * math.sin(a)) for r, a in zip(radii, angles, strict=True))
    )  # fmt: skip


def _bars(half: float, turned: bool) -> Callable[[Any], None]:
    """Two crossing bars: a plus, or turned by 45 degrees a cross."""
    low, high = 0.5 - half, 0.5 + half
    corners = [
        (low, 0.0), (high, 0.0), (high, low), (1.0, low), (1.0, high), (high, high),
        (high, 1.0), (low, 1.0), (low, high), (0.0, high), (0.0, low), (low, low),
    ]  # fmt: skip
    if turned:
        c = math.sqrt(0.5)
        corners = [(0.5 + (x - y) * c, 0.5 + (x + y - 1.0) * c) for x, y in corners]
    return _polygon(*corners)


def _drop(path: Any) -> None:
    """A pin: round head, tip at the bottom, a hole in the head."""
    path.moveTo(0.5, 1.0)
    path.cubicTo(0.42, 0.82, 0.12, 0.62, 0.12, 0.37)
    path.cubicTo(0.12, 0.14, 0.30, 0.0, 0.5, 0.0)
    path.cubicTo(0.70, 0.0, 0.88, 0.14, 0.88, 0.37)
    path.cubicTo(0.88, 0.62, 0.58, 0.82, 0.5, 1.0)
    path.close()
    path.addCircle(0.5, 0.37, 0.14)


def _lamp(path: Any) -> None:
    """A street lamp: a post with its head to the right."""
    _polygon(
        (0.30, 1.0), (0.30, 0.0), (0.92, 0.0), (0.92, 0.30), (0.62, 0.30), (0.62, 0.16), (0.46, 0.16), (0.46, 1.0)
    )(path)  # fmt: skip


def _sign(path: Any) -> None:
    """A traffic sign: a round plate on a post."""
    path.addCircle(0.5, 0.33, 0.33)
    path.addRect(skia.Rect.MakeLTRB(0.42, 0.66, 0.58, 1.0))


def _bin(path: Any) -> None:
    """A litter bin: a lid over a body that narrows."""
    path.addRect(skia.Rect.MakeLTRB(0.06, 0.06, 0.94, 0.24))
    _polygon((0.14, 0.34), (0.86, 0.34), (0.76, 1.0), (0.24, 1.0))(path)


def _tree(path: Any) -> None:
    """A conifer: two tiers and a trunk."""
    _polygon(
        (0.5, 0.0), (0.82, 0.42), (0.68, 0.42), (0.96, 0.78), (0.58, 0.78), (0.58, 1.0), (0.42, 1.0), (0.42, 0.78),
        (0.04, 0.78), (0.32, 0.42), (0.18, 0.42),
    )(path)  # fmt: skip


def _building(path: Any) -> None:
    """A house: a gable over a wall with a door."""
    _polygon(
        (0.5, 0.0), (1.0, 0.44), (0.88, 0.44), (0.88, 1.0), (0.60, 1.0), (0.60, 0.66), (0.40, 0.66), (0.40, 1.0),
        (0.12, 1.0), (0.12, 0.44), (0.0, 0.44),
    )(path)  # fmt: skip


def _warning(path: Any) -> None:
    """A triangle with an exclamation mark cut out."""
    _polygon((0.5, 0.02), (1.0, 0.94), (0.0, 0.94))(path)
    path.addRect(skia.Rect.MakeLTRB(0.44, 0.34, 0.56, 0.64))
    path.addRect(skia.Rect.MakeLTRB(0.44, 0.72, 0.56, 0.84))


_DRAW: Final[dict[Shape, Callable[[Any], None]]] = {
    "circle": _circle, "square": _square, "triangle": _polygon((0.5, 0.04), (1.0, 0.92), (0.0, 0.92)),
    "diamond": _polygon((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)), "cross": _bars(0.15, True),
    "star": _regular(5, -90.0, 0.2), "hexagon": _regular(6, 0.0), "drop": _drop, "lamp": _lamp, "sign": _sign,
    "bin": _bin, "tree": _tree, "building": _building, "warning": _warning, "plus": _bars(0.17, False),
}  # fmt: skip


@lru_cache(maxsize=64)
def outline(shape: Shape) -> Any:
    """Path of a shape in the box (0, 0, 1, 1), y down; holes by the even-odd rule."""
    path = skia.Path()
    _DRAW[shape](path)
    path.setFillType(skia.PathFillType.kEvenOdd)
    return path


def anchor_of(shape: Shape) -> tuple[float, float]:
    """Which place of the box stands on the point: the tip of a pin, the middle of all others."""
    return (0.5, 1.0) if shape == "drop" else (0.5, 0.5)


@lru_cache(maxsize=512)
def stamp(marker: Marker, ratio: float) -> tuple[NDArray[np.uint8], int, int]:
    """A marker drawn once: (side, side, 4) premultiplied, and which of its pixels stands on the point's pixel."""
    size = max(1.0, marker.size * ratio)
    edge = marker.outline_width * ratio if marker.outline else 0.0
    # an odd side puts the middle of the shape into the middle of a pixel
    pad = math.ceil(edge + 1.0)
    side = math.ceil(size) + 2 * pad
    side += 1 - side % 2
    picture = np.zeros((side, side, 4), np.uint8)
    canvas = canvas_on(picture)
    start = (side - size) / 2.0
    path = skia.Path(outline(marker.shape))
    path.transform(skia.Matrix().setScale(size, size).postTranslate(start, start))
    layer = skia.Paint(Alphaf=marker.opacity)
    canvas.saveLayer(None, layer)
    if marker.outline and edge > 0:
        canvas.drawPath(path, skia.Paint(
            AntiAlias=True, Color=skia_color(marker.outline), Style=skia.Paint.kStroke_Style, StrokeWidth=2.0 * edge,
            StrokeJoin=skia.Paint.kRound_Join,
        ))  # fmt: skip
    canvas.drawPath(path, skia.Paint(AntiAlias=True, Color=skia_color(marker.color)))
    canvas.restore()
    across, down = anchor_of(marker.shape)
    picture.flags.writeable = False
    return picture, int(start + across * size), int(min(side - 1, start + down * size))
