"""Drawing on a page with skia: shapes, lines and texts in points. The same calls make PDF vectors and pixels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import numpy as np
import shapely
import skia
from numpy.typing import NDArray

from layers.render.canvas import skia_color
from layers.render.fonts import runs, width_of
from layers.render.paths import path_of
from layers.sheets.paper import Box

INK: Final = "#1f2730"
GREY: Final = "#5d6a77"
ASCENT: Final = 0.36
"""From the middle of a line of text down to its base line, in letter heights."""
Align = Literal["left", "middle", "right"]


def path(shapes: Any) -> Any:
    """One skia path of polygons or lines (numpy array or one geometry) in page coordinates; even-odd."""
    parts = np.atleast_1d(np.asarray(shapes, dtype=object))
    polygons = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])
    rings = shapely.get_rings(polygons) if len(polygons) else polygons
    lines = shapely.get_parts(parts[shapely.get_dimensions(parts) == 1])
    lines = lines[shapely.get_type_id(lines) <= 2]
    both = np.concatenate([rings, lines])
    if not len(both):
        return skia.Path()
    coords = shapely.get_coordinates(both).astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(both))]).astype(np.int64)
    closed = np.arange(len(both)) < len(rings)
    return path_of(coords, ends, closed)


class Pen:
    """A canvas with lengths in points."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas

    def fill(self, shapes: Any, color: str, opacity: float = 1.0) -> None:
        """Fill polygons."""
        self.canvas.drawPath(path(shapes), skia.Paint(AntiAlias=True, Color=skia_color(color, opacity)))

    def line(
        self, shapes: Any, color: str, width: float, *, dash: Iterable[float] = (), round_ends: bool = True,
        opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw lines, or the outlines of polygons."""
        paint = skia.Paint(
            AntiAlias=True, Color=skia_color(color, opacity), Style=skia.Paint.kStroke_Style, StrokeWidth=width,
            StrokeJoin=skia.Paint.kRound_Join,
            StrokeCap=skia.Paint.kRound_Cap if round_ends and not dash else skia.Paint.kButt_Cap,
        )  # fmt: skip
        steps = list(dash)
        if steps:
            paint.setPathEffect(skia.DashPathEffect.Make(steps, 0.0))
        self.canvas.drawPath(path(shapes), paint)

    def box(self, box: Box, color: str | None = None, *, edge: str | None = None, width: float = 0.5) -> None:
        """A rectangle, filled, edged or both."""
        shape = skia.Rect.MakeLTRB(*box)
        if color is not None:
            self.canvas.drawRect(shape, skia.Paint(AntiAlias=True, Color=skia_color(color)))
        if edge is not None:
            style = skia.Paint.kStroke_Style
            self.canvas.drawRect(
                shape, skia.Paint(AntiAlias=True, Color=skia_color(edge), Style=style, StrokeWidth=width)
            )

    def rule(self, x1: float, y1: float, x2: float, y2: float, color: str = INK, width: float = 0.5) -> None:
        """A straight line."""
        self.canvas.drawLine(
            x1, y1, x2, y2, skia.Paint(AntiAlias=True, Color=skia_color(color), Style=skia.Paint.kStroke_Style,
                                       StrokeWidth=width),
        )  # fmt: skip

    def text(
        self, text: str, x: float, y: float, size: float, *, color: str = INK, bold: bool = False,
        align: Align = "left", halo: float = 0.0, turned: float = 0.0, opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """A line of text whose middle line runs through ``y``; ``turned`` in degrees clockwise around (x, y)."""
        wide = width_of(text, size, bold)
        left = {"left": 0.0, "middle": -wide / 2, "right": -wide}[align]
        self.canvas.save()
        self.canvas.translate(x, y)
        if turned:
            self.canvas.rotate(turned)
        if halo:
            style, join = skia.Paint.kStroke_Style, skia.Paint.kRound_Join
            edge = skia.Paint(
                AntiAlias=True, Color=skia_color("#ffffff", 0.85), Style=style, StrokeWidth=2 * halo, StrokeJoin=join
            )
            for used, piece, x in _pieces_at(text, left, size, bold=bold):
                # as shapes: a reader that searches or copies finds each letter once
                self.canvas.drawPath(_outline(used, piece, x, ASCENT * size), edge)
        paint = skia.Paint(AntiAlias=True, Color=skia_color(color, opacity))
        for used, piece, x in _pieces_at(text, left, size, bold=bold):
            # shaped text carries its characters into a PDF; glyphs alone may be read as others that look the same
            right_to_left = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in piece)
            blob = skia.TextBlob.MakeFromShapedText(piece, used, not right_to_left)
            # a shaped line hangs from its top, so that its letters stand one ascent (negative) below
            self.canvas.drawTextBlob(blob, x, ASCENT * size + used.getMetrics().fAscent, paint)
        self.canvas.restore()


def _pieces_at(text: str, left: float, size: float, *, bold: bool) -> Iterator[tuple[Any, str, float]]:
    """Font, piece and left edge of every run of a line that begins at ``left``."""
    for used, piece in runs(text, size, bold):
        yield used, piece, left
        left += used.measureText(piece)


def _outline(used: Any, piece: str, x: float, y: float) -> Any:
    """The shapes of a piece's letters."""
    whole = skia.Path()
    glyphs = used.textToGlyphs(piece)
    for glyph, wide in zip(glyphs, used.getWidths(glyphs), strict=True):
        shape = used.getPath(glyph)
        if shape is not None:
            whole.addPath(shape, x, y)
        x += wide
    return whole


def fitted(text: str, size: float, wide: float, *, bold: bool = False, least: float = 0.75) -> tuple[str, float]:
    """The text and size that fit a width: smaller down to ``least`` of the size, then cut with an ellipsis."""
    natural = width_of(text, size, bold)
    if natural <= wide:
        return text, size
    size = max(size * wide / natural, size * least)
    while len(text) > 1 and width_of(text, size, bold) > wide:
        text = text[:-2].rstrip() + "…"
    return text, size


def wrapped(text: str, size: float, wide: float, most: int) -> list[str]:
    """The text in at most ``most`` lines of a width, broken at blanks or between ideographs; the last may be cut."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and width_of(line + piece.rstrip(), size) > wide:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    lines.append(line.rstrip())
    if len(lines) > most:
        lines = [*lines[: most - 1], "".join(lines[most - 1 :])]
    return [fitted(line, size, wide, least=1.0)[0] for line in lines if line]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for letter in text:
        together = pieces and letter not in " " and ord(letter) < 0x2E80 and ord(pieces[-1][-1]) < 0x2E80
        if pieces and (letter == " " or (together and pieces[-1][-1] != " ") or letter in "，。；：、）》"):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


def oriented(x: float, y: float, wide: float, high: float, turned: float = 0.0) -> Any:
    """The rectangle of a text around its middle, turned by degrees clockwise, as a polygon."""
    corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2.0
    return shapely.polygons(turn(corners, turned) + np.array([x, y]))


def turn(corners: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Points (n, 2) turned clockwise on the page around the origin."""
    angle = np.deg2rad(degrees)
    spun: NDArray[np.float64] = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return spun
