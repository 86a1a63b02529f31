"""Title, north arrow, scale bar, legend and foot of a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from layers.render.fonts import width_of
from layers.sheets import words as w
from layers.sheets.data import Community
from layers.sheets.frame import Frame, degrees_minutes
from layers.sheets.grids import BORDER, FILLS, HATCH, OUTER, Cell, hatch
from layers.sheets.ground import GREY as GREY_TONES
from layers.sheets.ground import OWN, Drawn
from layers.sheets.paper import Box, Layout, round_length
from layers.sheets.pen import GREY, INK, Pen, fitted, turn
from layers.sheets.words import Language, filled

COLUMN: Final[dict[str, float]] = {"zh": 40.0, "en": 41.0, "both": 58.0}
"""Width of a column of the legend, in mm of letters."""
HEAD: Final = 17.0
"""Height of north arrow and scale bar above legend and table, in mm of letters."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The scale bar: where it begins, its length in points and in metres."""

    left: float
    top: float
    length: float
    metres: float


def draw_title(pen: Pen, plan: Layout, community: Community, lang: Language) -> None:
    """Community and kind of map; above it district and street."""
    box, unit = plan.title, plan.unit
    zh, en = community.name, community.name_en
    middle = (box.left + box.right) / 2
    main = w.Words(f"{zh or en}{w.TITLE.zh}", f"{en or zh} {w.TITLE.en}")
    above = w.Words(
        "".join(name for name, _ in community.above), ", ".join(e or z for z, e in reversed(community.above))
    )
    lines = [(main.said("en" if lang == "en" else "zh"), 7.0 * unit, True, INK)]
    under = main.en + (f" · {above.en}" if above.en else "") if lang == "both" else above.said(lang)
    if lang == "both" and above.zh:
        lines[0] = (f"{above.zh}{lines[0][0]}", lines[0][1], True, INK)
    if under:
        lines.append((under, 2.9 * unit, False, GREY))
    y = box.top + 4.2 * unit
    for text, size, bold, color in lines:
        text, size = fitted(text, size, box.width, bold=bold, least=0.5)
        pen.text(text, middle, y, size, bold=bold, color=color, align="middle")
        y += 6.6 * unit


def draw_scale_and_north(
    pen: Pen, plan: Layout, box: Box, frame: Frame, scale: int, north: float, lang: Language
) -> Bar:
    """The north arrow on the left of a box, ratio and scale bar beside it."""
    unit = plan.unit
    _north(pen, box.left + 6.5 * unit, box.top + 9.5 * unit, unit, north, lang)
    left, right = box.left + 17.0 * unit, box.left + min(box.width, 82.0 * unit) - 6.0 * unit
    metres = round_length((right - left) / frame.factor)
    bar = Bar(left, box.top + 9.0 * unit, metres * frame.factor, metres)
    pen.text(f"1:{scale:,}", left, box.top + 5.2 * unit, 4.2 * unit, bold=True)
    parts = 4 if str(int(metres) or metres).lstrip("0.")[:1] in "24" else 5
    high = 1.3 * unit
    for part in range(parts):
        step = bar.length / parts
        one = Box(left + part * step, bar.top, left + (part + 1) * step, bar.top + high)
        pen.box(one, INK if part % 2 == 0 else "#ffffff")
    pen.box(Box(left, bar.top, left + bar.length, bar.top + high), edge=INK, width=0.18 * unit)
    middle = (0.5 if parts == 4 else 0.4,) if bar.length > 24.0 * unit else ()
    for share in (0.0, *middle, 1.0):
        told = _length(metres * share, last=share == 1.0)
        pen.text(told, left + share * bar.length, bar.top + high + 1.8 * unit, 2.2 * unit, align="middle")
    return bar


def _length(metres: float, *, last: bool) -> str:
    if not last:
        return f"{metres:g}"
    return f"{metres:g} m"


def _north(pen: Pen, x: float, y: float, unit: float, angle: float, lang: Language) -> None:
    """An arrow that points to true north: half black, half white."""
    tip, tail, wing = (0.0, -5.2), (0.0, 2.6), 3.0
    for side, color in ((-1.0, INK), (1.0, "#ffffff")):
        corners = np.array([tip, (side * wing, 5.0), tail]) * unit
        shape = shapely.polygons(turn(corners, angle) + np.array([x, y]))
        pen.fill(shape, color)
        pen.line(shape, INK, 0.2 * unit)
    letter = turn(np.array([(0.0, -7.2)]) * unit, angle)[0] + np.array([x, y])
    pen.text("北" if lang == "zh" else "N", float(letter[0]), float(letter[1]), 2.8 * unit, bold=True, align="middle")


def draw_foot(
    pen: Pen, plan: Layout, community: Community, scale: int, north: float, page: tuple[int, int], lang: Language
) -> None:
    """Date, what grids these are, system and convergence, owners of the data, page."""
    box, unit = plan.foot, plan.unit
    source = community.source
    if source.plan is not None:
        state = filled(w.DRAFT, plan=source.plan.id) if source.draft else w.Words(
            f"方案 {source.plan.id}（{source.plan.name}）", f"plan {source.plan.id} ({source.plan.name})"
        )  # fmt: skip
    else:
        assert source.generation is not None
        published = source.generation.published_at.date().isoformat()
        state = filled(w.IN_FORCE, generation=source.generation.id, date=published)
    made = filled(w.MADE, date=community.made.isoformat())
    # convergence is counted from true north to the grid's, the arrow from the grid's north to the true one
    system = filled(
        w.SYSTEM, crs=f"{community.crs.name} (EPSG:{community.crs.to_epsg()})", angle=degrees_minutes(-north)
    )
    size = 2.05 * unit
    right = [filled(w.PAGE, page=page[0], pages=page[1]).said(lang)]
    room = box.width - width_of(right[0], size) - 6 * unit
    first = f"{state.said(lang, ' / ')} · {made.said(lang)}"
    owners = filled(w.SOURCE, owners=community.attribution).said(lang, " ") if community.attribution else ""
    if lang == "both" and community.attribution:
        owners = f"数据 Data: {community.attribution}"
    y = box.top + 1.8 * unit
    pen.rule(box.left, box.top, box.right, box.top, "#b9c0c8", 0.15 * unit)
    for text in (first, " · ".join(part for part in (owners, system.said("zh" if lang == "both" else lang)) if part)):
        line, shown = fitted(text, size, room if text == first else box.width, least=0.7)
        pen.text(line, box.left, y, shown, color=GREY)
        y += 3.0 * unit
    pen.text(right[0], box.right, box.top + 1.8 * unit, size, color=GREY, align="right")


def watermark(pen: Pen, box: Box, community: Community, lang: Language, unit: float) -> None:
    """Says over the whole map that the grids are a draft."""
    if community.source.plan is None or not community.source.draft:
        return
    text = filled(w.DRAFT, plan=community.source.plan.id).said("both" if lang == "both" else lang, "  ")
    angle = -np.rad2deg(np.arctan2(box.height, box.width))
    size = min(24.0, 0.6 * np.hypot(box.width, box.height) / width_of(text, unit, True)) * unit
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    pen.text(text, *middle, float(size), bold=True, align="middle", turned=float(angle), color="#a3231b", opacity=0.17)


# --- legend -----------------------------------------------------------------------------


def legend_height(drawn: Drawn, cells: list[Cell], plan: Layout, wide: float, lang: Language) -> float:
    """How high the legend becomes at a width."""
    columns = _columns(plan, wide, lang)
    rows = -(-len(_entries(drawn, cells)) // columns)
    return (6.0 + 4.3 * rows) * plan.unit


def _columns(plan: Layout, wide: float, lang: Language) -> int:
    return max(1, int(wide / (COLUMN[lang] * plan.unit - 1e-6)))


def _entries(drawn: Drawn, cells: list[Cell]) -> list[tuple[str, w.Words]]:
    entries = [("grid", w.GRID), ("community", w.COMMUNITY), ("fill", w.GROUND)]
    if any(cell.level > 1 for cell in cells):
        entries.insert(1, ("micro", w.MICRO))
    if any(cell.kind != "ordinary" for cell in cells):
        entries.append(("special", w.SPECIAL))
    kinds = drawn.kinds
    if kinds & {"primary", "secondary"}:
        entries.append(("main", w.MAIN))
    if kinds & {"tertiary", "residential", "service"}:
        entries.append(("minor", w.MINOR))
    for kind, words in (("foot", w.FOOT), ("rail", w.RAIL), ("building", w.BUILDING), ("water", w.WATER)):
        if kind in kinds:
            entries.append((kind, words))
    return [*entries, ("outside", w.OUTSIDE)]


def draw_legend(pen: Pen, plan: Layout, box: Box, drawn: Drawn, cells: list[Cell], lang: Language) -> None:
    """What the signs of the map mean; only those that occur."""
    unit = plan.unit
    heading(pen, box, w.LEGEND.said(lang), unit)
    entries, columns = _entries(drawn, cells), _columns(plan, box.width, lang)
    rows = -(-len(entries) // columns)
    for at, (key, words) in enumerate(entries):
        left = box.left + (at // rows) * box.width / columns
        y = box.top + (7.4 + 4.3 * (at % rows)) * unit
        sign = Box(left, y - 1.5 * unit, left + 7.5 * unit, y + 1.5 * unit)
        _sign(pen, key, sign, unit)
        text, size = fitted(words.said(lang), 2.35 * unit, box.width / columns - 9.6 * unit)
        pen.text(text, sign.right + 1.6 * unit, y, size)


def heading(pen: Pen, box: Box, text: str, unit: float) -> None:
    """A heading over a part of the sheet, with a line under it."""
    pen.text(text, box.left, box.top + 2.2 * unit, 3.1 * unit, bold=True)
    pen.rule(box.left, box.top + 4.6 * unit, box.right, box.top + 4.6 * unit, INK, 0.25 * unit)


def _sign(pen: Pen, key: str, box: Box, unit: float) -> None:
    y = (box.top + box.bottom) / 2
    line: Any = shapely.linestrings([(box.left, y), (box.right, y)])
    shape = shapely.box(*box)
    fills = {
        "building": (OWN.building, OWN.wall),
        "water": (OWN.water, OWN.bank),
        "outside": (GREY_TONES.land, "#b9bdc2"),
    }
    if key in fills:
        pen.fill(shape, fills[key][0])
        pen.line(shape, fills[key][1], 0.15 * unit)
    elif key == "fill":
        step = box.width / 4
        for part in range(4):
            pen.box(Box(box.left + part * step, box.top, box.left + (part + 1) * step, box.bottom), FILLS[part])
    elif key == "special":
        pen.fill(shape, FILLS[0])
        pen.line(hatch(shape, 1.8 * unit), HATCH, 0.16 * unit, opacity=0.55)
    elif key == "grid":
        pen.line(line, BORDER, 0.6 * unit, round_ends=False)
    elif key == "micro":
        pen.line(line, BORDER, 0.3 * unit, dash=(1.4 * unit, 0.8 * unit))
    elif key == "community":
        pen.line(line, OUTER, 0.95 * unit, dash=(3.0 * unit, 0.8 * unit, 0.9 * unit, 0.8 * unit))
    elif key == "foot":
        pen.line(line, OWN.foot, 0.25 * unit, dash=(0.9 * unit, 0.6 * unit))
    elif key == "rail":
        pen.line(line, OWN.rail, 0.8 * unit, round_ends=False)
        pen.line(line, "#ffffff", 0.5 * unit, dash=(1.6 * unit, 1.6 * unit))
    else:
        wide = (2.4 if key == "main" else 1.1) * unit
        pen.line(line, OWN.kerb, wide + 0.25 * unit, round_ends=False)
        pen.line(line, OWN.street, wide, round_ends=False)
