"""Labels as pictures: a text with its halo is drawn once and laid on maps from then on."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import Any, Final
from unicodedata import east_asian_width

import numpy as np
import skia
from numpy.typing import NDArray

from gisgrid.limits import LABEL_DRAWN_CHARS_MAX
from layers.render.canvas import canvas_on, skia_color
from layers.render.fonts import width_of, write
from layers.styles.model import Label

LINE: Final = 1.2
"""Distance of base lines, in letter heights."""
ASCENT: Final = 0.88
"""Height of the letters above the base line, in letter heights (an ideograph's)."""
CLOSING: Final = "）)】》」』，。、；：！？”’"
"""Signs no line begins with."""
KEPT_BYTES: Final = 32 * 1024 * 1024
"""Memory for drawn texts."""
SIZES_KEPT: Final = 50_000
"""Sizes of texts kept of one look."""


@dataclass(frozen=True, slots=True)
class Word:
    """A label drawn: (h, w, 4) premultiplied, and the size of its letters without halo."""

    picture: NDArray[np.uint8]
    width: float
    height: float


def text_of(value: Any) -> str:
    """What is written for an attribute's value; empty for none."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else f"{value:.6g}"
    text = " ".join(str(value).split())
    return text if len(text) <= LABEL_DRAWN_CHARS_MAX else text[: LABEL_DRAWN_CHARS_MAX - 1] + "…"


@lru_cache(maxsize=8_192)
def lines_of(text: str, count: int) -> tuple[str, ...]:
    """The text in up to ``count`` lines about equally long: at a blank where it has any, else between ideographs,
    else beside one; never within a number or a Latin word."""
    if count == 1 or len(text) < 4:
        return (text,)
    wide = [east_asian_width(letter) in "WF" for letter in text]
    breaks = [i for i in range(1, len(text) - 1) if text[i] == " "]
    breaks = breaks or [i for i in range(2, len(text) - 1) if (wide[i - 1] and wide[i]) and text[i] not in CLOSING]
    breaks = breaks or [i for i in range(2, len(text) - 1) if (wide[i - 1] or wide[i]) and text[i] not in CLOSING]
    if not breaks:
        return (text,)
    heaped = list(accumulate(2 if is_wide else 1 for is_wide in wide))
    best = min(breaks, key=lambda i: (abs(2 * heaped[i - 1] - heaped[-1]), i))
    return text[:best].strip(), text[best:].strip()


_kept: OrderedDict[tuple[str, Label, float, int], Word] = OrderedDict()
_lock = Lock()


def size_of(text: str, label: Label, ratio: float, lines: int = 1) -> tuple[float, float]:
    """Width and height in pixels of the text's letters; (0, 0) where it has nothing to write or fewer lines."""
    size = label.size * ratio
    written = lines_of(text, lines)
    if len(written) < lines:
        return 0.0, 0.0
    width = max(width_of(line, size, label.bold) for line in written)
    return (width, size * (1.0 + LINE * (lines - 1))) if width >= 1.0 else (0.0, 0.0)


@lru_cache(maxsize=256)
def _known_sizes(label: Label, ratio: float, lines: int) -> dict[str, tuple[float, float]]:
    """Sizes measured before of one look: looking up the look once is half the cost of asking for a size."""
    return {}


def sizes_of(texts: Sequence[str], label: Label, ratio: float, lines: int = 1) -> NDArray[np.float64]:
    """(k, 2) `size_of` of many texts."""
    known = _known_sizes(label, ratio, lines)
    if len(known) > SIZES_KEPT:
        known.clear()
    made = np.empty((len(texts), 2))
    for i, text in enumerate(texts):
        size = known.get(text)
        if size is None:
            size = known[text] = size_of(text, label, ratio, lines)
        made[i] = size
    return made


def pad_of(label: Label, ratio: float) -> int:
    """Pixels of a word's picture around its letters: the halo, and one for letters that reach out."""
    return math.ceil(label.halo_width * ratio if label.halo else 0.0) + 1


def word(text: str, label: Label, ratio: float, lines: int = 1) -> Word:
    """The text drawn as the label says: kept from map to map, the ones last used longest."""
    key = (text, label, ratio, lines)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = _drawn(text, label, ratio, lines)
    with _lock:
        _kept[key] = made
        held = sum(kept.picture.nbytes for kept in _kept.values()) if len(_kept) % 256 == 0 else 0
        while held > KEPT_BYTES:
            held -= _kept.popitem(last=False)[1].picture.nbytes
    return made


def _drawn(text: str, label: Label, ratio: float, lines: int) -> Word:
    size = label.size * ratio
    written = lines_of(text, lines)
    widths = [width_of(line, size, label.bold) for line in written]
    pad = pad_of(label, ratio)
    width, height = max(widths), size * (1.0 + LINE * (len(written) - 1))
    picture = np.zeros((math.ceil(height) + 2 * pad, math.ceil(width) + 2 * pad, 4), np.uint8)
    canvas = canvas_on(picture)
    for brush in brushes(label, ratio):
        for number, (line, wide) in enumerate(zip(written, widths, strict=True)):
            x = pad + (width - wide) / 2.0
            y = pad + size * (ASCENT + LINE * number)
            write(canvas, line, x, y, size, brush, bold=label.bold)
    picture.flags.writeable = False
    return Word(picture, width, height)


def brushes(label: Label, ratio: float) -> list[Any]:
    """The halo's brush, where there is one, and the letters'."""
    made = []
    if label.halo and label.halo_width > 0:
        made.append(
            skia.Paint(
                AntiAlias=True, Color=skia_color(label.halo), Style=skia.Paint.kStroke_Style,
                StrokeWidth=2.0 * label.halo_width * ratio, StrokeJoin=skia.Paint.kRound_Join,
            )
        )  # fmt: skip
    made.append(skia.Paint(AntiAlias=True, Color=skia_color(label.color)))
    return made
