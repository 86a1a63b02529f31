"""The grids of a sheet: fills that differ between neighbours, borders, and names that never touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.sheets.data import Community
from layers.sheets.frame import Frame
from layers.sheets.pen import Pen
from layers.sheets.placing import LEADING, Line, Taken, beside, inside, middle_of, size_of
from layers.sheets.words import Language, short_name

FILLS: Final = ("#f8d5bd", "#cfe5bd", "#c6dcf2", "#f7ecaa", "#dfcdec", "#bfe5df", "#f4c6d0", "#dcd9c3")
"""Fills of the grids: light enough for black letters, apart from each other in hue (also for most colour-blind)."""
HATCH: Final = "#7a6a58"
BORDER: Final = "#b3261e"
OUTER: Final = "#6d1f5e"
TOUCH: Final = 1.0
"""Metres of shared border that make two grids neighbours."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A grid on the page. ``color``: its number in `FILLS`; ``above``: code and name of its parent."""

    code: str
    name: str
    kind: str
    level: int
    households: int
    population: int
    above: tuple[str, str]
    shape: Any
    color: int


def cells_of(community: Community, frame: Frame) -> list[Cell]:
    """The grids in order of their codes, micro-grids behind their parents."""
    grids = community.grids
    shapes = frame.drawn(grids.geometry.to_numpy())
    first = (grids["level"] == 1).to_numpy()
    colors = np.zeros(len(grids), np.int64)
    colors[first] = colors_of(grids.geometry.to_numpy()[first])
    names = dict(zip(grids["code"].astype(str), grids["name"].astype(str), strict=True))
    names[community.code] = community.name
    return [
        Cell(
            str(row.code), str(row.name or ""), str(row.kind), int(row.level), int(row.households),
            int(row.population), _above(row, names, community.code), shapes[at], int(colors[at]),
        )
        for at, row in enumerate(grids.drop(columns="geometry").rename_axis("at").itertuples(index=False))
    ]  # fmt: skip


def _above(row: Any, names: dict[str, str], community: str) -> tuple[str, str]:
    parent = row.parent if isinstance(row.parent, str) and row.parent else community
    return str(parent), names.get(str(parent), "")


def colors_of(shapes: Any) -> NDArray[np.int64]:
    """(n,) a colour number for every polygon (metres), none the same as a neighbour's while `FILLS` last.

    Greedy colouring by saturation (Brélaz 1979, DSATUR): of the colours free, the one least used so far.
    """
    near = gpd.GeoSeries(shapes).sindex.query(shapes, predicate="intersects")
    pairs = near[:, near[0] < near[1]]
    border = shapely.length(
        shapely.intersection(shapely.boundary(shapes[pairs[0]]), shapely.boundary(shapes[pairs[1]]))
    )
    around: list[set[int]] = [set() for _ in shapes]
    for one, other in pairs[:, border > TOUCH].T.tolist():
        around[one].add(other)
        around[other].add(one)
    colors = np.full(len(shapes), -1, np.int64)
    used = np.zeros(len(FILLS), np.int64)
    for _ in range(len(shapes)):
        seen = [len({int(colors[other]) for other in around[row]} - {-1}) for row in range(len(shapes))]
        row = max(
            (row for row in range(len(shapes)) if colors[row] < 0), key=lambda row: (seen[row], len(around[row]), -row)
        )
        busy = {int(colors[other]) for other in around[row]}
        free = [color for color in range(len(FILLS)) if color not in busy] or list(range(len(FILLS)))
        colors[row] = min(free, key=lambda color: (used[color], color))
        used[colors[row]] += 1
    return colors


def draw_fills(pen: Pen, cells: list[Cell], unit: float) -> None:
    """Fills of the first level, hatched where a grid is of a special kind."""
    for cell in cells:
        if cell.level == 1:
            pen.fill(cell.shape, FILLS[cell.color])
    for cell in cells:
        if cell.kind != "ordinary":
            pen.line(hatch(cell.shape, 1.8 * unit), HATCH, 0.16 * unit, opacity=0.55)


def hatch(shape: Any, apart: float) -> Any:
    """Slanted lines inside a polygon, on one raster for the whole page."""
    left, top, right, bottom = shapely.bounds(shape).tolist()
    high = bottom - top
    step = apart * np.sqrt(2.0)
    first = np.ceil((left + top) / step)
    sums = np.arange(first, np.ceil((right + bottom) / step)) * step
    lines = shapely.linestrings([[(s - top, top), (s - top - high, bottom)] for s in sums]) if len(sums) else []
    inner = shapely.intersection(np.asarray(lines, dtype=object), shape)
    return inner[~shapely.is_empty(inner)] if len(inner) else np.empty(0, object)


def draw_borders(pen: Pen, cells: list[Cell], outline: Any, unit: float) -> None:
    """Limits of micro-grids, of grids, and of the community."""
    micro = np.array([cell.shape for cell in cells if cell.level > 1], dtype=object)
    first = np.array([cell.shape for cell in cells if cell.level == 1], dtype=object)
    if len(micro):
        pen.line(_limits(micro), "#ffffff", 0.75 * unit, opacity=0.8)
        pen.line(_limits(micro), BORDER, 0.3 * unit, dash=(1.4 * unit, 0.8 * unit))
    if len(first):
        pen.line(_limits(first), "#ffffff", 1.3 * unit, opacity=0.85)
        pen.line(_limits(first), BORDER, 0.6 * unit)
    pen.line(outline, "#ffffff", 2.1 * unit, opacity=0.8)
    pen.line(outline, OUTER, 0.95 * unit, dash=(4.0 * unit, 1.0 * unit, 0.95 * unit, 1.0 * unit))


def _limits(shapes: Any) -> Any:
    """Every border once, so that dashes on both sides of one do not fill each other's gaps."""
    return shapely.get_parts(shapely.line_merge(shapely.union_all(shapely.boundary(shapes))))


def label_grids(pen: Pen, cells: list[Cell], lang: Language, unit: float, taken: Taken) -> int:
    """Name, code and households of every grid; how many had to stand beside it with a line to it.

    The largest first. A grid too small for its name shows the number alone, or has it beside; micro-grids show their
    numbers only.
    """
    led = 0
    for cell in sorted(cells, key=lambda cell: (cell.level, -float(cell.shape.area), cell.code)):
        if cell.level == 1:
            led += _label_first(pen, cell, lang, unit, taken)
        else:
            _label_micro(pen, cell, unit, taken)
    return led


def _label_first(pen: Pen, cell: Cell, lang: Language, unit: float, taken: Taken) -> int:
    name = short_name(cell.code, cell.name, cell.above, lang)
    number = cell.code[len(cell.above[0]) :] or cell.code[-3:]
    tries = [
        *[[Line(name, size * unit, True), Line(cell.code, 0.56 * size * unit, False)] for size in (4.6, 3.9, 3.3)],
        *[[Line(name, size * unit, True)] for size in (3.3, 2.8)],
        *[[Line(number, size * unit, True)] for size in (2.6, 2.1)],
    ]
    parts = max(shapely.get_parts(cell.shape).tolist(), key=lambda part: part.area)
    for lines in tries:
        wide, high = size_of(lines)
        place = inside(parts, wide + 0.6 * unit, high, taken, room=0.4 * unit)
        if place is not None:
            _write(pen, lines, place, unit, taken)
            return 0
    lines = [Line(number, 2.4 * unit, True)]
    wide, high = size_of(lines)
    place = beside(parts, wide + 1.2 * unit, high + 0.6 * unit, taken, step=1.6 * unit)
    if place is not None:
        x, y = middle_of(parts)
        pen.rule(x, y, place[0], place[1], BORDER, 0.3 * unit)
        pen.fill(shapely.Point(x, y).buffer(0.45 * unit), BORDER)
        _write(pen, lines, place, unit, taken)
    return 1


def _label_micro(pen: Pen, cell: Cell, unit: float, taken: Taken) -> None:
    number = cell.code[len(cell.above[0]) :]
    lines = [Line(number, 2.2 * unit, False)]
    wide, high = size_of(lines)
    parts = max(shapely.get_parts(cell.shape).tolist(), key=lambda part: part.area)
    place = inside(parts, wide, high, taken, room=0.2 * unit)
    if place is not None:
        _write(pen, lines, place, unit, taken, color=BORDER)


def _write(
    pen: Pen, lines: list[Line], place: tuple[float, float], unit: float, taken: Taken, *, color: str = "#15191e"
) -> None:
    wide, high = size_of(lines)
    x, y = place
    taken.take(shapely.box(x - wide / 2 - 0.5 * unit, y - high / 2, x + wide / 2 + 0.5 * unit, y + high / 2))
    top = y - high / 2
    for line in lines:
        pen.text(
            line.text, x, top + LEADING * line.size / 2, line.size, bold=line.bold, align="middle", color=color,
            halo=0.5 * unit,
        )  # fmt: skip
        top += LEADING * line.size


def name_neighbours(
    pen: Pen, neighbours: gpd.GeoDataFrame, frame: Frame, lang: Language, unit: float, taken: Taken
) -> None:
    """Limits and names of the communities around, in grey."""
    if neighbours.empty:
        return
    shapes = frame.drawn(neighbours.geometry.to_numpy(), cut=0.0)
    pen.line(shapely.boundary(frame.drawn(neighbours.geometry.to_numpy(), cut=12.0)), "#9aa0a8", 0.4 * unit,
             dash=(3.0 * unit, 0.9 * unit, 0.8 * unit, 0.9 * unit))  # fmt: skip
    for shape, name, name_en in zip(shapes, neighbours["name"], neighbours["name_en"], strict=True):
        if shapely.is_empty(shape):
            continue
        text = str((name_en or name) if lang == "en" else (name or name_en))
        part = max(shapely.get_parts(shape).tolist(), key=lambda part: part.area)
        lines = [Line(text, 3.0 * unit, True)]
        wide, high = size_of(lines)
        place = inside(part, wide, high, taken, room=0.5 * unit) if part.area > wide * high else None
        if place is not None:
            _write(pen, lines, place, unit, taken, color="#7c838b")
