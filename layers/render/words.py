"""Labels as pictures: a text with its halo is drawn once and laid on maps from then on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import skia
from numpy.typing import NDArray

from layers.render.canvas import canvas_on, skia_color
from layers.render.fonts import readable, width_of, write
from layers.styles.model import Label

LINE: Final = 1.2
"""Distance of base lines, in letter heights."""
ASCENT: Final = 0.88
"""Height of the letters above the base line, in letter heights (an ideograph's)."""
CHARS_MAX: Final = 60
"""Longer texts are cut: a map is no page."""


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
    text = str(value).strip()
    if text.endswith(".0") and isinstance(value, float):
        text = text[:-2]
    return text if len(text) <= CHARS_MAX else text[: CHARS_MAX - 1] + "…"


def lines_of(text: str, count: int) -> tuple[str, ...]:
    """The text in up to ``count`` lines about equally long: between words where it has any, else between letters."""
    if count == 1 or len(text) < 4:
        return (text,)
    pieces = text.split(" ") if " " in text else list(text)
    joint = " " if " " in text else ""
    half, best = len(text) / 2.0, 1
    lengths = np.cumsum([len(piece) + len(joint) for piece in pieces])
    best = int(np.argmin(np.abs(lengths[:-1] - half))) + 1 if len(pieces) > 1 else 0
    if best == 0:
        return (text,)
    return joint.join(pieces[:best]), joint.join(pieces[best:])


@lru_cache(maxsize=20_000)
def word(text: str, label: Label, ratio: float, lines: int = 1) -> Word | None:
    """The text drawn as the label says; None when the system lacks a glyph for it, so that no box is ever shown."""
    if not readable(text, bold=label.bold):
        return None
    size = label.size * ratio
    written = lines_of(text, lines)
    if len(written) < lines:
        return None
    widths = [width_of(line, size, label.bold) for line in written]
    halo = label.halo_width * ratio if label.halo else 0.0
    pad = math.ceil(halo) + 1
    width, height = max(widths), size * (1.0 + LINE * (len(written) - 1))
    if width < 1.0:
        return None
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
