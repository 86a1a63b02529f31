"""Labels of all layers of a map: gathered, put in order, placed without touching, drawn last."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.limits import PICTURE_LABELS_MAX
from layers.held.view import Window
from layers.render.canvas import blit, canvas_on
from layers.render.fonts import write
from layers.render.placing import Taken, box_in_rings, straight_place
from layers.render.words import ASCENT, Word, brushes, text_of, word
from layers.styles.model import Label

APART: Final = 240.0
"""Labels of one text stand at least so far apart, in standard pixels: the pieces of a street share a name."""
GAP: Final = 1.0
"""Room kept around a label, in standard pixels."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts (k,) that features (k,) of a window want, and how they are written. ``beside``: pixels from a point's
    middle to the edge of its symbol."""

    label: Label
    window: Window
    features: NDArray[np.int64]
    texts: list[str]
    beside: float


def wanted(label: Label, window: Window, features: NDArray[np.int64], values: NDArray[Any], beside: float) -> Wanted:
    """The labels of features with something to write, at most so many as a picture tries."""
    texts = [text_of(value) for value in values[:PICTURE_LABELS_MAX].tolist()]
    keep = [i for i, text in enumerate(texts) if text]
    return Wanted(label, window, features[keep], [texts[i] for i in keep], beside)


def paint_labels(
    picture: NDArray[np.uint8], asked: list[Wanted], ratio: float, symbols: NDArray[np.float64] | None = None
) -> None:
    """Write the labels on ``picture``: higher priorities first, then the upper layers, then in the order of rows.

    ``symbols`` (k, 4): boxes of markers that labels leave free.
    """
    taken = Taken(picture.shape[1], picture.shape[0])
    if symbols is not None:
        taken.take(symbols)
    order = sorted(range(len(asked)), key=lambda i: (-asked[i].label.priority, -i))
    for group in order:
        _Group(asked[group], picture, taken, ratio).paint()


class _Group:
    """One label symbol of one layer, being placed."""

    def __init__(self, asked: Wanted, picture: NDArray[np.uint8], taken: Taken, ratio: float) -> None:
        self._asked, self._picture, self._taken, self._ratio = asked, picture, taken, ratio
        self._places: dict[str, list[tuple[float, float]]] = {}

    def paint(self) -> None:
        window = self._asked.window
        for feature, text in zip(self._asked.features.tolist(), self._asked.texts, strict=True):
            first, last = int(window.features[feature]), int(window.features[feature + 1])
            if last == first:
                continue
            kind = int(window.kinds[first:last].max())
            if kind == 2:
                self._in_polygon(text, feature, first, last)
            elif kind == 1:
                self._along(text, first, last)
            else:
                self._beside(text, feature)

    def _in_polygon(self, text: str, feature: int, first: int, last: int) -> None:
        x, y = (float(value) for value in self._asked.window.anchors[feature])
        if not (math.isfinite(x) and math.isfinite(y)) or not self._near(x, y):
            return
        window = self._asked.window
        for lines in (1, 2):
            made = word(text, self._asked.label, self._ratio, lines)
            if made is None:
                continue
            box = _around(x, y, made, 0.0)
            if not box_in_rings(window.coords, window.parts, first, last, *box[0].tolist()):
                continue
            if self._lay(text, made, x, y):
                return

    def _beside(self, text: str, feature: int) -> None:
        x, y = (float(value) for value in self._asked.window.anchors[feature])
        if not (math.isfinite(x) and math.isfinite(y)) or not self._near(x, y):
            return
        made = word(text, self._asked.label, self._ratio)
        if made is None:
            return
        for right, down in ((1, 0), (-1, 0), (0, -1), (0, 1)):
            dx = right * (self._asked.beside + made.width / 2.0 + 2.0)
            dy = down * (self._asked.beside + made.height / 2.0 + 2.0)
            if self._lay(text, made, x + dx, y + dy):
                return

    def _along(self, text: str, first: int, last: int) -> None:
        """Along the straightest stretch of each part, once in a while."""
        made = word(text, self._asked.label, self._ratio)
        if made is None:
            return
        window, label = self._asked.window, self._asked.label
        size = label.size * self._ratio
        for part in range(first, last):
            found, x, y, cosine, sine = straight_place(
                window.coords, int(window.parts[part]), int(window.parts[part + 1]), made.width + size,
                float(self._taken.width), float(self._taken.height),
            )  # fmt: skip
            if not found or self._said_near(text, x, y):
                continue
            boxes = np.array(list(_along_boxes(x, y, cosine, sine, made.width, made.height)))
            if not self._taken.free(boxes):
                continue
            self._taken.take(boxes)
            self._places.setdefault(text, []).append((x, y))
            canvas = canvas_on(self._picture)
            canvas.translate(x, y)
            canvas.rotate(math.degrees(math.atan2(sine, cosine)))
            for brush in brushes(label, self._ratio):
                write(canvas, text, -made.width / 2.0, size * (ASCENT - 0.5), size, brush, bold=label.bold)

    def _lay(self, text: str, made: Word, x: float, y: float) -> bool:
        """Lay a word with its middle at a place, on whole pixels, where there is room."""
        height, width = made.picture.shape[:2]
        left, top = round(x - width / 2.0), round(y - height / 2.0)
        middle = (left + width / 2.0, top + height / 2.0)
        box = _around(*middle, made, GAP * self._ratio)
        if not self._taken.free(box) or not self._taken.inside(left, top, left + width, top + height):
            return False
        self._taken.take(box)
        self._places.setdefault(text, []).append(middle)
        blit(self._picture, made.picture, left, top)
        return True

    def _near(self, x: float, y: float) -> bool:
        return -50 <= x <= self._taken.width + 50 and -50 <= y <= self._taken.height + 50

    def _said_near(self, text: str, x: float, y: float) -> bool:
        reach = APART * self._ratio
        return any(math.hypot(x - a, y - b) < reach for a, b in self._places.get(text, ()))


def _around(x: float, y: float, made: Word, room: float) -> NDArray[np.float64]:
    """(1, 4) box of a word with its middle at a place."""
    wide, tall = made.width / 2.0 + room, made.height / 2.0 + room
    return np.array([[x - wide, y - tall, x + wide, y + tall]])


def _along_boxes(
    x: float, y: float, cosine: float, sine: float, width: float, height: float
) -> Iterator[tuple[float, float, float, float]]:
    """Squares as tall as the letters along a turned text."""
    half = height * 0.55
    count = max(1, math.ceil(width / height))
    for i in range(count + 1):
        along = -width / 2.0 + width * i / count
        cx, cy = x + along * cosine, y + along * sine
        yield cx - half, cy - half, cx + half, cy + half
