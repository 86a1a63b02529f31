"""The table of grids: as many rows as fit, the others on further pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from layers.sheets import words as w
from layers.sheets.furniture import heading
from layers.sheets.grids import FILLS, Cell
from layers.sheets.paper import Box
from layers.sheets.pen import GREY, Pen, fitted, wrapped
from layers.sheets.words import Language, filled, kind_words, short_name

WIDTHS: Final = (0.28, 0.20, 0.22, 0.14, 0.16)
"""Parts of a column of the table that code, name, kind, households and population take."""
COLUMN: Final = 74.0
"""Least width of a column of rows, in mm of letters."""
TEXT: Final = 2.3
ROW: Final = 3.7
POST_LINE: Final = 2.7
TOP: Final = 6.0
"""Height of the heading, in mm of letters."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, with the posts under it. ``height`` in mm of letters; ``color``: a `FILLS` number."""

    cells: tuple[str, str, str, str, str]
    posts: tuple[str, ...]
    deep: bool
    color: int | None
    strong: bool = False

    @property
    def height(self) -> float:
        """Height in mm of letters."""
        return ROW + POST_LINE * len(self.posts) + (0.5 if self.posts else 0.0)


def rows_of(cells: list[Cell], posts: Mapping[str, list[dict[str, Any]]], lang: Language, unit: float) -> list[Row]:
    """A row a grid, micro-grids under theirs, and the sum of the first level."""
    made = []
    for cell in cells:
        stored = posts.get(cell.code, [])
        told = "；".join(_post(post) for post in stored)
        lines = wrapped(filled(w.POSTS, posts=told).said("zh" if lang == "both" else lang), 2.0 * unit,
                        (COLUMN - 5.0) * unit, 3) if told else []  # fmt: skip
        deep = cell.level > 1
        made.append(
            Row(
                (cell.code, short_name(cell.code, cell.name, cell.above, lang),
                 kind_words(cell.kind, cell.level).said(lang), f"{cell.households:,}", f"{cell.population:,}"),
                tuple(lines), deep, None if deep else cell.color,
            )
        )  # fmt: skip
    first = [cell for cell in cells if cell.level == 1]
    total = (
        w.TOTAL.said(lang), str(len(first)), "", f"{sum(cell.households for cell in first):,}",
        f"{sum(cell.population for cell in first):,}",
    )  # fmt: skip
    return [*made, Row(total, (), False, None, strong=True)]


def _post(post: Mapping[str, Any]) -> str:
    """Role and name of a post, once where the name says the role."""
    role, name = str(post["role"]), str(post["post"])
    return name if role in name else f"{role} {name}"


def columns_in(box: Box, unit: float) -> int:
    """How many columns of rows stand beside each other."""
    return max(1, int((box.width + 4.0 * unit) / ((COLUMN + 4.0) * unit)))


def head_height(lang: Language) -> float:
    """Height of a column's head, in mm of letters."""
    return 7.4 if lang == "both" else 4.6


def draw_table(
    pen: Pen, box: Box, rows: list[Row], lang: Language, unit: float, *, further: int | None, on: bool
) -> list[Row]:
    """Draw as many rows as the box takes; the rows left over.

    ``further``: the page the rest would go to, said at the foot; ``on``: whether this goes on from a page before.
    """
    if box.height < (TOP + head_height(lang) + ROW + 3.0) * unit:
        return rows
    heading(pen, box, (w.GOES_ON if on else w.TABLE).said(lang), unit)
    columns = columns_in(box, unit)
    gap = 4.0 * unit
    wide = (box.width - gap * (columns - 1)) / columns
    top, floor = box.top + TOP * unit, box.bottom
    needs = sum(row.height for row in rows)
    if needs > columns * ((floor - top) / unit - head_height(lang)) - (columns - 1) * 8.0:
        floor -= 4.0 * unit  # room to say where it goes on
    left_over = list(rows)
    # columns of about one height read better than a full one beside a short one
    fair = max(needs / columns + 6.0, 8 * ROW) if needs <= columns * ((floor - top) / unit - head_height(lang)) else 1e9
    for column in range(columns):
        if not left_over:
            break
        place = Box(box.left + column * (wide + gap), top, box.left + column * (wide + gap) + wide, floor)
        last = column == columns - 1
        left_over = _column(pen, place, left_over, lang, unit, 1e9 if last else fair)
    if left_over and further is not None:
        told = filled(w.TURN_OVER, page=further).said(lang)
        pen.text(told, box.right, box.bottom - 1.4 * unit, 2.2 * unit, color=GREY, align="right")
    return left_over


def _edges(left: float, wide: float) -> list[float]:
    edges = [left]
    for part in WIDTHS:
        edges.append(edges[-1] + part * wide)
    return edges


def _column(pen: Pen, box: Box, rows: list[Row], lang: Language, unit: float, most: float) -> list[Row]:
    edges = _edges(box.left, box.width)
    high = head_height(lang) * unit
    pen.box(Box(box.left, box.top, box.right, box.top + high), "#e9ecef")
    for at, words in enumerate(w.HEADS):
        lines = words.lines(lang)
        for number, text in enumerate(lines):
            y = box.top + high * (number + 0.5) / len(lines) + (0.25 - 0.5 * number) * unit * (len(lines) - 1)
            _cell(pen, text, edges, at, y, TEXT * unit, unit, bold=number == 0, color=GREY if number else "#1f2730")
    y, used = box.top + high, 0.0
    for number, row in enumerate(rows):
        tall = row.height * unit
        if y + tall > box.bottom + 1e-6 or (used >= most and not row.strong and not row.deep):
            pen.rule(box.left, y, box.right, y, "#1f2730", 0.15 * unit)
            return rows[number:]
        _row(pen, row, Box(box.left, y, box.right, y + tall), edges, unit)
        y, used = y + tall, used + row.height
    pen.rule(box.left, y, box.right, y, "#1f2730", 0.15 * unit)
    return []


def _row(pen: Pen, row: Row, box: Box, edges: list[float], unit: float) -> None:
    if row.color is not None:
        pen.box(Box(box.left, box.top, box.left + 1.2 * unit, box.bottom), FILLS[row.color])
    y = box.top + ROW * unit / 2
    for at, text in enumerate(row.cells):
        small = TEXT * unit * (0.9 if row.deep else 1.0)
        _cell(pen, text, edges, at, y, small, unit, bold=row.strong, color="#4a5765" if row.deep else "#1f2730")
    for number, line in enumerate(row.posts):
        under = box.top + (ROW + POST_LINE * (number + 0.4)) * unit
        pen.text(line, box.left + 2.4 * unit, under, 2.0 * unit, color=GREY)
    pen.rule(box.left, box.bottom, box.right, box.bottom, "#d5dae0", 0.1 * unit)


def _cell(
    pen: Pen, text: str, edges: list[float], at: int, y: float, size: float, unit: float, *, bold: bool, color: str
) -> None:
    left, right = edges[at] + (2.0 if at == 0 else 0.6) * unit, edges[at + 1] - 0.6 * unit
    shown, size = fitted(text, size, right - left, bold=bold, least=0.6)
    if at >= 3:
        pen.text(shown, right, y, size, bold=bold, color=color, align="right")
    else:
        pen.text(shown, left, y, size, bold=bold, color=color)
