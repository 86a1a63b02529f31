"""The maps of a report as inline SVG: grids against the band, before and after, and the ground that changes grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.models import Band
from layers.report.shapes import (
    FINE,
    MARGIN,
    SIMPLE,
    STRIP,
    WIDTH,
    Frame,
    Geometries,
    box_of,
    merged_lines,
    path_of,
    place_labels,
    simple_coverage,
)
from layers.report.words import Words, count, grid_number, said, svg_text

GRID_LIMITS: Final = Words("网格界", "grid limits")
MINOR_VERTICES: Final = 12_000
"""Small streets are drawn while the map has at most so many of their vertices."""
HATCHED: Final = "special"
GROUP_MOST: Final = 250
"""So many grids get their households under the number."""


class Fill(NamedTuple):
    """A class of the map: its name in the style sheet and what it means."""

    css: str
    words: Words


@dataclass(frozen=True, slots=True)
class Picture:
    """A grid layer ready to draw: shapes in map coordinates, a row of figures each, outlines of the areas above."""

    shapes: Geometries
    rows: list[Mapping[str, Any]]
    above: list[str]


# --- classes ----------------------------------------------------------------------------


def fill_of(row: Mapping[str, Any], band: Band | None) -> str:
    """Style class of a grid by its households against the band; brighter steps inside it by thirds."""
    households = row.get("households")
    if row.get("special"):
        return HATCHED
    if households is None or band is None:
        return "unknown"
    if households < band.low:
        return "low2" if households < band.low / 2 else "low1"
    if households > band.high:
        return "high2" if households > 1.5 * band.high else "high1"
    third = (band.high - band.low) / 3
    return "in1" if households < band.low + third else "in2" if households < band.high - third else "in3"


def fills(band: Band | None) -> list[Fill]:
    """All classes in legend order."""
    if band is None:
        return [Fill("unknown", Words("无户数或户数区间", "no households or no band known")), _special()]
    low, high = band.low, band.high
    third = (high - low) / 3
    cuts = [low, round(low + third), round(high - third), high]
    return [
        Fill("low2", Words(f"▼ 少于 {low // 2} 户", f"▼ below {low // 2} households")),
        Fill("low1", Words(f"▼ {low // 2}–{max(low - 1, 0)} 户", f"▼ {low // 2}–{max(low - 1, 0)}")),
        Fill("in1", Words(f"{cuts[0]}–{cuts[1]} 户", f"{cuts[0]}–{cuts[1]}")),
        Fill("in2", Words(f"{cuts[1]}–{cuts[2]} 户", f"{cuts[1]}–{cuts[2]}")),
        Fill("in3", Words(f"{cuts[2]}–{cuts[3]} 户", f"{cuts[2]}–{cuts[3]}")),
        Fill("high1", Words(f"▲ {high + 1}–{int(1.5 * high)} 户", f"▲ {high + 1}–{int(1.5 * high)}")),
        Fill("high2", Words(f"▲ 超过 {int(1.5 * high)} 户", f"▲ above {int(1.5 * high)}")),
        _special(),
    ]


def _special() -> Fill:
    return Fill(HATCHED, Words("专属网格", "special grid"))


def legend(entries: Sequence[Fill]) -> str:
    """The classes that occur, as HTML."""
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 26 16"><rect class="{entry.css}" width="26" height="16"/>'
        f"{_hatch_key(entry.css)}</svg>{said(entry.words)}</li>"
        for entry in entries
    )
    return f'<ul class="legend">{keys}</ul>'


def _key_ground(css: str) -> str:
    """White lines need a ground to be seen on."""
    return '<rect class="in3" width="26" height="16"/>' if css == "s-minor" else ""


def _hatch_key(css: str) -> str:
    return '<rect width="26" height="16" fill="url(#hatch-key)"/>' if css in (HATCHED, "to-new") else ""


def line_legend(
    with_streets: bool, *, old: bool = False, limits: Words | None = GRID_LIMITS, drawn: str | None = None
) -> str:
    """What the lines mean, as HTML; ``limits``: what the map's outlines are, None where it has none.

    ``drawn``: paths of `street_paths`, so that only what is among them is listed; all kinds without it.
    """
    lines = [("g-out", limits)] if limits is not None else []
    if old:
        lines.append(("g-old", Words("取消的网格界", "limits given up")))
    if with_streets:
        kinds = [
            ("s-river", Words("河流、水岸", "water")),
            ("s-major", Words("主、次干路", "main road")),
            ("s-minor", Words("支路及以下", "other street")),
        ]
        lines += [kind for kind in kinds if drawn is None or f'class="{kind[0]}"' in drawn]
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 26 16">{_key_ground(css)}<path class="{css}" d="M1 8H25"/></svg>'
        f"{said(words)}</li>"
        for css, words in lines
    )
    return f'<ul class="legend lines">{keys}</ul>'


# --- layers -----------------------------------------------------------------------------


def picture_of(grids: gpd.GeoDataFrame, rows: Sequence[Mapping[str, Any]], frame: Frame) -> Picture:
    """The finest level of a grid layer; ``rows`` are its figures by code (`planning.evaluate.figures`, ``grids``)."""
    level = grids["level"].fillna(1).astype(int) if "level" in grids else np.ones(len(grids), int)
    of_level = np.asarray(level) == np.max(level)
    last = grids[of_level]
    known = {str(row["code"]): row for row in rows}
    shapes = simple_coverage(last.geometry.to_numpy(), frame)
    codes = last["code"].astype(str) if "code" in last else [f"row {row + 1}" for row in range(len(last))]
    column = next((name for name in ("parent", "community") if name in last and last[name].notna().all()), None)
    above: list[str] = []
    if column is not None and last[column].nunique() > 1:
        above = [path_of(shape) for shape in _joined(shapes, last[column].astype(str).to_numpy(str))]
    return Picture(shapes, [known.get(code, {"code": code}) for code in codes], above)


def _joined(shapes: Geometries, names: Any) -> list[Any]:
    return [shapely.union_all(shapes[names == name]) for name in np.unique(names)]


def street_paths(streets: gpd.GeoDataFrame | None, frame: Frame) -> str:
    """Rivers, main roads and, where there are not too many, other streets as SVG paths. ``cls`` says which."""
    if streets is None or not len(streets):
        return ""
    groups = {
        "s-minor": ("tertiary", "residential"),
        "s-river": ("river",),
        "s-major": ("primary", "secondary"),
    }
    parts = []
    for css, classes in groups.items():
        lines = streets.geometry[streets["cls"].isin(classes)].to_numpy()
        if css == "s-minor" and shapely.get_num_coordinates(lines).sum() > MINOR_VERTICES:
            lines = streets.geometry[streets["cls"] == "tertiary"].to_numpy()
            if shapely.get_num_coordinates(lines).sum() > MINOR_VERTICES:
                continue
        if css == "s-river":
            banks = shapely.get_parts(lines)
            closed = frame.drawn(banks[shapely.is_closed(banks)])
            water = "".join(path_of(shape) for shape in shapely.simplify(closed, SIMPLE / 2))
            parts.append(f'<path class="s-water" d="{water}"/>' if water else "")
        path = merged_lines(lines, frame) if len(lines) else ""
        parts.append(f'<path class="{css}" d="{path}"/>' if path else "")
    return "".join(parts)


def grid_group(picture: Picture, band: Band | None, key: str) -> str:
    """``<defs>`` of a grid layer: its coloured shapes and its limits, drawn by any map with ``<use>``."""
    shapes, hatched = [], []
    for shape, row in zip(picture.shapes, picture.rows, strict=True):
        path = path_of(shape)
        css = fill_of(row, band)
        shapes.append(f'<path class="{css}" d="{path}"><title>{escape(tooltip(row))}</title></path>')
        if css == HATCHED:
            hatched.append(f'<path fill="url(#hatch)" d="{path}"/>')
    limits = "".join(path_of(shape) for shape in picture.shapes)
    above = f'<path class="g-above" d="{"".join(picture.above)}"/>' if picture.above else ""
    quiet = '<g pointer-events="none">'
    return (
        f'<g id="{key}-fill">{"".join(shapes)}{quiet}{"".join(hatched)}</g></g>'
        f'<g id="{key}-limits">{quiet}<path class="g-out" d="{limits}"/>{above}</g></g>'
    )


def tooltip(row: Mapping[str, Any]) -> str:
    """What a grid says under the pointer, in both languages."""
    lines = [str(row["code"])]
    if row.get("name"):
        lines.append(str(row["name"]))
    if row.get("households") is not None:
        lines.append(f"{count(row['households'])} 户 households")
    if row.get("compactness") is not None:
        lines.append(f"紧凑度 compactness {row['compactness']:.2f}")
    return "\n".join(lines)


def labels(picture: Picture, band: Band | None, *, size: float, least: float, loads: bool = True) -> str:
    """Numbers of the grids, with households below them where there is room; ▲ and ▼ mark those out of band.

    A grid out of band too small for a number still gets its mark.
    """
    texts, marks = [], []
    loads = loads and len(picture.rows) <= GROUP_MOST
    for row in picture.rows:
        css = fill_of(row, band)
        mark = "▼" if css.startswith("low") else "▲" if css.startswith("high") else ""
        number = grid_number(str(row["code"]), row.get("community"))
        second = [count(row["households"])] if loads and row.get("households") else []
        texts.append([mark + number, *second])
        marks.append(mark)
    placed = place_labels(picture.shapes, texts, size=size, least=least)
    parts = [_label(label.x, label.y, label.size, label.lines) for label in placed]
    bare = sorted({row for row, mark in enumerate(marks) if mark} - {label.row for label in placed})
    if bare:
        at = shapely.get_coordinates(shapely.point_on_surface(picture.shapes[bare]))
        parts += [_label(x, y, least, (marks[row],)) for row, (x, y) in zip(bare, at.tolist(), strict=True)]
    return f'<g class="labels">{"".join(parts)}</g>'


def _label(x: float, y: float, size: float, lines: tuple[str, ...]) -> str:
    tall = box_of(lines, size)[1]
    high, parts = y - tall / 2, []
    for at, line in enumerate(lines):
        text = size if at == 0 else 0.72 * size
        high += 1.15 * text
        css = "number" if at == 0 else "load"
        parts.append(
            f'<text class="{css}" x="{x * FINE:.0f}" y="{(high - 0.29 * text) * FINE:.0f}" '
            f'font-size="{text * FINE:.0f}">{escape(line)}</text>'
        )
    return "".join(parts)


def given_up(was: Picture, now: Picture) -> str:
    """Limits of the grids before that are none any more, as one dashed path."""
    old, new = (shapely.union_all(shapely.boundary(picture.shapes)) for picture in (was, now))
    gone = shapely.line_merge(shapely.difference(old, shapely.buffer(new, 2.5 * SIMPLE, quad_segs=2)))
    parts = shapely.get_parts(gone)
    parts = parts[shapely.length(parts) > 4 * SIMPLE]
    return f'<path class="g-old" pointer-events="none" d="{"".join(path_of(part) for part in parts)}"/>'


# --- maps -------------------------------------------------------------------------------


def map_of(frame: Frame, layers: Sequence[str], *, size: float = 13.0, css: str = "") -> str:
    """One map: layers from below to above, with a scale bar and a north arrow (``size`` of their text in map units)."""
    return (
        f'<svg class="map {css}" viewBox="{frame.view_box}" role="img">'
        f'<rect class="ground" width="{WIDTH * FINE:.0f}" height="{(frame.height - STRIP) * FINE:.0f}"/>'
        f"{''.join(layers)}{_furniture(frame, size)}</svg>"
    )


def use(key: str) -> str:
    """A group of `grid_group` drawn again."""
    return f'<use href="#{key}"/>'


def moved_shapes(units: gpd.GeoDataFrame, births: set[str], frame: Frame) -> str:
    """Ground that changes grid, joined by old and new grid: to a grid that goes on, to a new one, to none."""
    moving = units[units["moved"].to_numpy(bool)]
    if not len(moving):
        return ""
    parts = []
    households = moving["households"].to_numpy(float) if "households" in moving else np.zeros(len(moving))
    shapes = frame.drawn(shapely.force_2d(moving.geometry.to_numpy()))
    old, new = moving["old"].astype(str).to_numpy(str), moving["grid"].astype(str).to_numpy(str)
    pairs, group = np.unique(np.stack([old, new], axis=1), axis=0, return_inverse=True)
    for number, (left, right) in enumerate(pairs.tolist()):
        rows = np.flatnonzero(group.ravel() == number)
        shape = shapely.union_all(shapes[rows])
        load = float(households[rows].sum())
        css = "to-none" if not right else "to-new" if right in births else "to-other"
        path = path_of(shapely.simplify(shape, 0.3))
        told = f"{left} → {right or '–'}\n{count(load)} 户 households"
        faint = "" if load else " empty"
        parts.append(f'<path class="{css}{faint}" d="{path}"><title>{escape(told)}</title></path>')
        if css == "to-new":
            parts.append(f'<path class="{faint.strip()}" fill="url(#hatch)" pointer-events="none" d="{path}"/>')
    return "".join(parts)


MOVED_FILLS: Final = (
    Fill("stays", Words("不变", "stays")),
    Fill("to-other", Words("划入原有网格", "to a grid that goes on")),
    Fill("to-new", Words("划入新设网格", "to a new grid")),
    Fill("to-none", Words("不再属于任何网格", "to no grid")),
)
DEFS: Final = (
    '<pattern id="hatch" width="70" height="70" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V70" stroke="#5d6a77" stroke-width="14" opacity=".55"/></pattern>'
    '<pattern id="hatch-key" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V5" stroke="#5d6a77" stroke-width="1.2" opacity=".6"/></pattern>'
)


def _furniture(frame: Frame, size: float) -> str:
    """Scale bar of a round length and a north arrow in the strip below the ground; ``size``: text in map units."""
    middle, left = (frame.height - STRIP / 2) * FINE, MARGIN * FINE
    rounds = [number * 10**power for power in range(7) for number in (1, 2, 5)]
    metres = max([length for length in rounds if length * frame.scale <= WIDTH / 5] or rounds[:1])
    wide, tick, text = metres * frame.scale * FINE, 0.45 * size * FINE, size * FINE
    bar = f'<path class="scale" d="M{left:.0f} {middle - tick:.0f}v{tick:.0f}h{wide:.0f}v{-tick:.0f}"/>'
    told = f"{metres} m" if metres < 1000 else f"{metres / 1000:g} km"
    told = svg_text(left + wide + text, middle + 0.2 * text, told, "furniture", font_size=f"{text:.0f}")
    x = (WIDTH - MARGIN) * FINE - 0.5 * text
    arrow = (
        f'<path class="north" d="M{x:.0f} {middle - text:.0f}l{0.5 * text:.0f} {1.8 * text:.0f}'
        f'l{-0.5 * text:.0f} {-0.45 * text:.0f}l{-0.5 * text:.0f} {0.45 * text:.0f}z"/>'
    )
    letter = svg_text(
        x - 0.9 * text, middle + 0.3 * text, Words("北", "N"), "furniture", text_anchor="end", font_size=f"{text:.0f}"
    )
    top, wide = (frame.height - STRIP) * FINE, WIDTH * FINE
    strip = f'<rect class="strip" y="{top:.0f}" width="{wide:.0f}" height="{STRIP * FINE:.0f}"/>'
    return f'<g pointer-events="none">{strip}{bar}{told}{arrow}{letter}</g>'
