"""Labels of all layers of a map: gathered, put in order, placed without touching, drawn last.

A label is drawn where all of it lies in the picture, never in part: so no tile shows half a name, and a tile needs to
know nothing of its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.limits import PICTURE_LABELS_MAX
from layers.held.view import Window
from layers.render.canvas import blit, canvas_on, words
from layers.render.fonts import write
from layers.render.placing import Taken, length_of, place_beside, place_inside, roomy, straight_place
from layers.render.words import ASCENT, brushes, pad_of, size_of, sizes_of, text_of, word
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


def worth_trying(label: Label, window: Window, mask: NDArray[np.bool_], ratio: float) -> NDArray[np.int64]:
    """Features of a mask (k,) that are large enough for two letters, or points; at most so many as a picture tries."""
    size = label.size * ratio
    fits = roomy(window.coords, window.parts, window.features, window.kinds, window.anchors, mask, size)
    return np.flatnonzero(fits)[:PICTURE_LABELS_MAX]


def wanted(label: Label, window: Window, features: NDArray[np.int64], values: NDArray[Any], beside: float) -> Wanted:
    """The labels of features with something to write."""
    texts = [text_of(value) for value in values.tolist()]
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
        _paint_group(picture, asked[group], taken, ratio)


def _paint_group(picture: NDArray[np.uint8], asked: Wanted, taken: Taken, ratio: float) -> None:
    """One label symbol of one layer: names of lines first, as they have the fewest places."""
    if not asked.texts:
        return
    window = asked.window
    kinds = window.kinds[window.features[asked.features]]
    along = [i for i, kind in enumerate(kinds.tolist()) if kind == 1]
    if along:
        _write_along(picture, asked, along, taken, ratio)
    for kind, place in ((2, _inside), (0, _beside)):
        which = np.flatnonzero(kinds == kind)
        if len(which):
            _lay(picture, asked, which, place(asked, which, taken, ratio), ratio)


def _sizes(asked: Wanted, which: NDArray[np.int64], ratio: float, lines: int) -> NDArray[np.float64]:
    return sizes_of([asked.texts[i] for i in which.tolist()], asked.label, ratio, lines)


def _inside(asked: Wanted, which: NDArray[np.int64], taken: Taken, ratio: float) -> NDArray[np.int64]:
    window = asked.window
    sizes = np.concatenate([_sizes(asked, which, ratio, 1), _sizes(asked, which, ratio, 2)], axis=1)
    found: NDArray[np.int64] = place_inside(
        window.coords, window.parts, window.features, asked.features[which], window.anchors, sizes,
        pad_of(asked.label, ratio), GAP * ratio, taken.cells, taken.width, taken.height,
    )  # fmt: skip
    return found


def _beside(asked: Wanted, which: NDArray[np.int64], taken: Taken, ratio: float) -> NDArray[np.int64]:
    found: NDArray[np.int64] = place_beside(
        asked.window.anchors[asked.features[which]].astype(np.float64), _sizes(asked, which, ratio, 1),
        asked.beside + 2.0 * ratio, pad_of(asked.label, ratio), GAP * ratio, taken.cells, taken.width, taken.height,
    )  # fmt: skip
    return found


def _lay(
    picture: NDArray[np.uint8], asked: Wanted, which: NDArray[np.int64], places: NDArray[np.int64], ratio: float
) -> None:
    """Lay the words that found a place: ``places`` (k, 3) left, top, lines (0: none)."""
    pixels = words(picture)
    for i, (left, top, lines) in zip(which.tolist(), places.tolist(), strict=True):
        if lines:
            blit(pixels, words(word(asked.texts[i], asked.label, ratio, lines).picture), left, top)


def _write_along(picture: NDArray[np.uint8], asked: Wanted, which: list[int], taken: Taken, ratio: float) -> None:
    """Along the straightest stretch of each line, again on long ones, each name once in a neighbourhood."""
    window, label = asked.window, asked.label
    size, reach = label.size * ratio, APART * ratio
    said: dict[str, list[tuple[float, float]]] = {}
    for i in which:
        text = asked.texts[i]
        width, height = size_of(text, label, ratio)
        first, last = window.features[asked.features[i]], window.features[asked.features[i] + 1]
        for part in range(int(first), int(last)):
            ends = int(window.parts[part]), int(window.parts[part + 1])
            whole = length_of(window.coords, *ends)
            if width == 0.0 or whole < width + size:
                continue
            pieces = max(1, int(whole / max(2.0 * reach, 2.0 * width)))
            for piece in range(pieces):
                found, x, y, cosine, sine = straight_place(
                    window.coords, *ends, width + size, whole * piece / pieces, whole * (piece + 1) / pieces,
                    float(taken.width), float(taken.height),
                )  # fmt: skip
                near = said.setdefault(text, [])
                if not found or any(math.hypot(x - a, y - b) < reach for a, b in near):
                    continue
                boxes = np.array(list(_along_boxes(x, y, cosine, sine, width, height)))
                if taken.free(boxes):
                    taken.take(boxes)
                    near.append((x, y))
                    _write_turned(picture, text, label, ratio, (x, y), math.degrees(math.atan2(sine, cosine)))


def _write_turned(
    picture: NDArray[np.uint8], text: str, label: Label, ratio: float, middle: tuple[float, float], degrees: float
) -> None:
    size = label.size * ratio
    canvas = canvas_on(picture)
    canvas.translate(*middle)
    canvas.rotate(degrees)
    for brush in brushes(label, ratio):
        write(canvas, text, -size_of(text, label, ratio)[0] / 2.0, size * (ASCENT - 0.5), size, brush, bold=label.bold)


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
