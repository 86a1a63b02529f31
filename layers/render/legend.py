"""Legends: what each rule of a style draws, beside what it stands for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, Literal

import numpy as np
import skia
from numpy.typing import NDArray

from layers.held.view import STANDARD_DPI, View, Window
from layers.render.canvas import canvas_on, new_picture, skia_color
from layers.render.drawing import paint_layer
from layers.render.fonts import need_font, width_of, write
from layers.render.shapes import anchor_of
from layers.styles.model import Heat, Label, Marker, Rule, Stroke, Style

Language = Literal["zh", "en", "both"]
SWATCH: Final = (28.0, 18.0)
"""Width and height of a symbol, in standard pixels."""
LINE: Final = 24.0
TEXT: Final = 12.0
PAD: Final = 6.0
TEXT_LEFT: Final = PAD + SWATCH[0] + PAD
COLUMN_LINES: Final = 32
"""Most lines of a column; a longer legend has several, all about equally long."""
_Line = tuple[str, Rule | None]


def legend(
    styles: Sequence[Style], *, language: Language = "zh", dpi: float = STANDARD_DPI, scale: float | None = None
) -> NDArray[np.uint8]:
    """(h, w, 4) legend of styles, not premultiplied, on white: a title each, a line a rule.

    ``language`` ``both``: Chinese, then English. ``scale``: only what is drawn at that denominator. As wide and tall
    as its texts need, in columns where it is long. Raises BadInput past the caps of pictures, Broken without a font.
    """
    need_font()
    ratio = dpi / STANDARD_DPI
    lines: list[_Line] = []
    for style in styles:
        shown = [rule for rule in style.rules if rule.in_legend and (scale is None or rule.drawn_at(scale))]
        title = _said(style.title_zh, style.title_en, language)
        if len(shown) != 1 or _said(shown[0].title_zh, shown[0].title_en, language) != title:
            lines.append((title, None))
        lines += [(_said(rule.title_zh, rule.title_en, language), rule) for rule in shown]
    count = max(1, math.ceil(len(lines) / COLUMN_LINES))
    tall = max(1, math.ceil(len(lines) / count))
    columns = [lines[start : start + tall] for start in range(0, len(lines), tall)]
    starts = [0.0, *accumulate(_width(column, ratio) for column in columns)]
    width = math.ceil(max(starts[-1], PAD + SWATCH[0] + PAD) * ratio)
    picture = new_picture(width, math.ceil((LINE * tall + PAD) * ratio), "#ffffff")
    for left, column in zip(starts[:-1], columns, strict=True):
        _paint_column(picture, column, left, ratio)
    return picture


def _width(column: list[_Line], ratio: float) -> float:
    """Standard pixels a column of lines takes."""
    return PAD + max(
        width_of(text, TEXT * ratio, rule is None) / ratio + (PAD if rule is None else TEXT_LEFT)
        for text, rule in column
    )


def _paint_column(picture: NDArray[np.uint8], column: list[_Line], left: float, ratio: float) -> None:
    ink = skia.Paint(AntiAlias=True, Color=skia_color("#222222"))
    for number, (text, rule) in enumerate(column):
        top = PAD / 2.0 + LINE * number
        if rule is not None:
            _paint_swatch(picture, rule, left + PAD, top + (LINE - SWATCH[1]) / 2.0, ratio)
        x = left + (PAD if rule is None else TEXT_LEFT)
        base = (top + LINE / 2.0 + TEXT * 0.36) * ratio
        write(canvas_on(picture), text, x * ratio, base, TEXT * ratio, ink, bold=rule is None)


def _said(zh: str, en: str, language: Language) -> str:
    if language == "both" and zh != en:
        return f"{zh} {en}"
    return en if language == "en" else zh


def _paint_swatch(picture: NDArray[np.uint8], rule: Rule, left: float, top: float, ratio: float) -> None:
    """The rule's symbols in a small picture of their own, laid into the legend."""
    wide, tall = (math.ceil(side * ratio) for side in SWATCH)
    x, y = round(left * ratio), round(top * ratio)
    target = picture[y : y + tall, x : x + wide]
    swatch = np.ascontiguousarray(target)
    heat = next((symbol for symbol in rule.symbols if isinstance(symbol, Heat)), None)
    if heat is not None:
        _paint_ramp(swatch, heat)
    for symbol in rule.symbols:
        if isinstance(symbol, Label) and len(rule.symbols) == 1:
            ink = skia.Paint(AntiAlias=True, Color=skia_color(symbol.color))
            write(canvas_on(swatch), "Aa", 5.0 * ratio, 13.0 * ratio, TEXT * ratio, ink, bold=symbol.bold)
    drawn = tuple(symbol for symbol in rule.symbols if not isinstance(symbol, (Heat, Label)))
    marks = tuple(symbol for symbol in drawn if isinstance(symbol, Marker))
    rest = tuple(symbol for symbol in drawn if not isinstance(symbol, Marker))
    view = View("EPSG:3857", (0.0, 0.0, float(wide), float(tall)), wide, tall, ratio * STANDARD_DPI)
    if rest:
        only_lines = all(isinstance(symbol, Stroke) for symbol in rest)
        window = _line(wide, tall) if only_lines else _box(wide, tall, ratio)
        paint_layer(swatch, window, [Rule("", "", rest)], [np.ones(1, bool)], view)
    if marks:
        paint_layer(swatch, _point(wide, tall, marks[0], ratio), [Rule("", "", marks)], [np.ones(1, bool)], view)
    target[:] = swatch[: target.shape[0], : target.shape[1]]


def _paint_ramp(swatch: NDArray[np.uint8], heat: Heat) -> None:
    height, width = swatch.shape[:2]
    colors = [skia_color(color, heat.opacity) for color in heat.ramp]
    ends = [skia.Point(0, 0), skia.Point(width, 0)]
    paint = skia.Paint(Shader=skia.GradientShader.MakeLinear(points=ends, colors=colors))
    canvas_on(swatch).drawRect(skia.Rect.MakeWH(width, height), paint)


def _window(coords: list[tuple[float, float]], kind: int) -> Window:
    middle = np.mean(coords, axis=0).astype(np.float32)[None, :]
    return Window(
        np.zeros(1, np.int64), np.array(coords, np.float32), np.array([0, len(coords)]), np.array([0, 1]),
        np.array([kind], np.uint8), middle,
    )  # fmt: skip


def _box(wide: int, tall: int, ratio: float) -> Window:
    a, x1, y1 = 1.5 * ratio, wide - 1.5 * ratio, tall - 1.5 * ratio
    return _window([(a, a), (x1, a), (x1, y1), (a, y1)], 2)


def _line(wide: int, tall: int) -> Window:
    return _window(
        [(0.08 * wide, 0.75 * tall), (0.36 * wide, 0.3 * tall), (0.64 * wide, 0.7 * tall), (0.92 * wide, 0.25 * tall)],
        1,
    )


def _point(wide: int, tall: int, marker: Marker, ratio: float) -> Window:
    """Where a marker has to stand for its middle to be the swatch's."""
    across, down = anchor_of(marker.shape)
    size = marker.size * ratio
    return _window([(wide / 2.0 + (across - 0.5) * size, tall / 2.0 + (down - 0.5) * size)], 0)
