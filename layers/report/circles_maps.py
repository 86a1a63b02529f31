"""The maps of a circles report: buildings by score, and for each category its isochrones and blind spots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.report.circles_data import CirclesData
from layers.report.maps import Fill, legend, line_legend, map_of, street_paths, use
from layers.report.plates import SLIDE
from layers.report.shapes import (
    FINE,
    SIMPLE,
    STRIP,
    WIDTH,
    Frame,
    Geometries,
    frame_of,
    merged_lines,
    path_of,
    place_labels,
)
from layers.report.words import Words, both, count, said

SCORE_STEPS: Final = (0.3, 0.45, 0.6, 0.75, 0.9)
"""Upper ends of the score classes; the last class is what lies above."""
NUMBERED: Final = 15
"""Blind spots of a category that have a number on the map and a row in its table."""
PATHS_MOST: Final = 6_000
"""Footpaths are drawn while there are at most so many."""
NAMES_MOST: Final = 120
"""Communities that are named on the map of scores, unless there is only one."""
PART: Final = 250.0
"""Smallest part of a blind spot that has the number too, in square map units; the largest always has it."""
PARTS_MOST: Final = 4
"""Numbers a blind spot has at most."""
SPECK: Final = 120.0
"""Smallest hole of a blind spot that is drawn, in square map units."""
BADGE: Final = 11.0
"""Radius of a blind spot's number in map units."""
ISO_CLASSES: Final = ("iso-a", "iso-b", "iso-c", "iso-d")


class CircleMaps:
    """The maps of one report; buildings and streets are written once and drawn by both."""

    def __init__(self, data: CirclesData) -> None:
        self.data = data
        known = data.shapes[~shapely.is_missing(data.shapes)]
        self.frame = frame_of([known])
        self.streets = _paths(data.streets, self.frame) + street_paths(data.streets, self.frame)

    def defs(self) -> str:
        """Shapes both maps share."""
        return (
            '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
            '<pattern id="blind" width="60" height="60" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<path d="M0 0V60" stroke="#b3261e" stroke-width="22" opacity=".5"/></pattern>'
            f'<g id="homes">{self._homes()}</g><g id="ways" pointer-events="none">{self.streets}</g></defs></svg>'
        )

    def score(self) -> str:
        """Every building by the share of categories it reaches."""
        lines, labels = self._outlines()
        picture = map_of(self.frame, [use("ways"), use("homes"), lines, labels])
        keys = legend([Fill(f"sc{at}", words) for at, words in enumerate(_score_words())])
        limits = self._limits() if lines else None
        return (
            f'<figure><div class="wide">{picture}</div>{SLIDE}{keys}'
            f"{line_legend(bool(self.streets), limits=limits, drawn=self.streets)}</figure>"
        )

    def category(self) -> str:
        """One category at a time: its isochrones, facilities and numbered blind spots, with a list to choose from."""
        data, chosen = self.data, self.data.shown()
        groups, options = [], []
        for name, words in data.names().items():
            on = " on" if name == chosen else ""
            groups.append(f'<g class="cat{on}" data-category="{escape(name)}">{self._one(name)}</g>')
            picked = " selected" if name == chosen else ""
            options.append(
                f'<option value="{escape(name)}"{picked} data-zh="{escape(words.zh)}" data-en="{escape(words.en)}">'
                f"{escape(words.zh)}</option>"
            )
        below = f'<g style="--home:#9aa4ae">{use("homes")}</g>'
        picture = map_of(self.frame, ["".join(self._areas()), use("ways"), below, *groups])
        picker = (
            f'<p class="pick"><label>{both("设施类别：", "Category: ")}<select id="category">'
            f"{''.join(options)}</select></label></p>"
        )
        return f'{picker}<figure><div class="wide">{picture}</div>{SLIDE}{self._keys()}</figure>'

    def _limits(self) -> Words:
        """What the outlines are."""
        outlines = self.data.outlines
        communities = outlines is not None and "level" in outlines and (outlines["level"] == "community").all()
        return Words("社区界", "community limits") if communities else Words("网格界", "grid limits")

    def _keys(self) -> str:
        minutes = self.data.report["minutes"]
        fills = [
            Fill(css, Words(f"{value:g} 分钟以内", f"within {value:g} min"))
            for css, value in zip(ISO_CLASSES, minutes, strict=False)
        ]
        if not len(self.data.isochrones):
            fills = []
        marks = (
            '<li><svg class="key" viewBox="0 0 26 16"><rect class="spot" width="26" height="16"/></svg>'
            f"{both('盲区（编号见下表）', 'blind spot (numbers: table below)')}</li>"
            '<li><svg class="key" viewBox="0 0 26 16"><circle class="facility" cx="13" cy="8" r="5"/></svg>'
            f"{both('设施', 'facility')}</li>"
            '<li><svg class="key" viewBox="0 0 26 16"><rect fill="#9aa4ae" width="26" height="16"/></svg>'
            f"{both('建筑', 'building')}</li>"
        )
        return legend(fills) + f'<ul class="legend">{marks}</ul>'

    def _areas(self) -> list[str]:
        """Isochrones of every category, widest first, below the buildings."""
        chosen, parts = self.data.shown(), []
        order = {value: css for css, value in zip(ISO_CLASSES, self.data.report["minutes"], strict=False)}
        for name in self.data.names():
            rows = self.data.isochrones[self.data.isochrones["category"] == name]
            rows = rows.sort_values("minutes", ascending=False)
            shapes = self._clipped(rows.geometry.to_numpy())
            drawn = [
                f'<path class="{order[minutes]}" d="{path_of(shape)}"/>'
                for minutes, shape in zip(rows["minutes"].tolist(), shapes, strict=True)
                if minutes in order
            ]
            on = " on" if name == chosen else ""
            parts.append(f'<g class="cat{on}" data-category="{escape(name)}">{"".join(drawn)}</g>')
        return parts

    def _one(self, name: str) -> str:
        """Blind spots and facilities of a category, above the buildings."""
        rows = self.data.blind_spots[self.data.blind_spots["category"] == name]
        shapes = _without_specks(shapely.simplify(self.frame.drawn(rows.geometry.to_numpy()), SIMPLE))
        parts = []
        for row, shape in zip(rows.itertuples(index=False), shapes, strict=True):
            told = f"{row.rank}. {count(row.residents)} 人 residents"
            parts.append(f'<path class="spot" d="{path_of(shape)}"><title>{escape(told)}</title></path>')
        places = self.data.facilities[self.data.facilities["category"] == name].geometry.to_numpy()
        xy = self.frame.xy(shapely.get_coordinates(places)) if len(places) else np.empty((0, 2))
        inside = (xy >= 0).all(axis=1) & (xy[:, 0] <= WIDTH) & (xy[:, 1] <= self.frame.height - STRIP)
        parts += [
            f'<circle class="facility" cx="{x * FINE:.0f}" cy="{y * FINE:.0f}" r="38"/>' for x, y in xy[inside].tolist()
        ]
        return "".join(parts) + badges(shapes[:NUMBERED], self.frame)

    def _clipped(self, geometries: Geometries) -> Geometries:
        drawn = shapely.make_valid(shapely.simplify(self.frame.drawn(geometries), SIMPLE))
        return np.asarray(
            [
                shapely.union_all([p for p in shapely.get_parts(shape) if shapely.get_dimensions(p) == 2])
                for shape in shapely.clip_by_rect(drawn, 0, 0, WIDTH, self.frame.height - STRIP)
            ],
            dtype=object,
        )

    def _homes(self) -> str:
        """Buildings in one path a class; those too small to see as squares."""
        data, frame = self.data, self.frame
        css = score_class(data.residences["score"].to_numpy(np.float64), data.residences["assessable"].to_numpy(bool))
        known = ~shapely.is_missing(data.shapes)
        drawn = frame.drawn(shapely.force_2d(data.shapes[known]))
        css = css[known]
        box = shapely.bounds(drawn)
        wide = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
        small = (wide < 3.0) | (shapely.get_dimensions(drawn) < 2)
        thin = shapely.simplify(drawn, 0.25)
        middle = np.rint((box[:, :2] + box[:, 2:]) / 2 * FINE).astype(np.int64)
        side = np.clip(np.rint(wide * FINE), 14, 30).astype(np.int64)
        parts = []
        for number in range(len(SCORE_STEPS) + 2):
            mine = np.flatnonzero(css == number)
            path = [path_of(thin[row]) for row in mine[~small[mine]].tolist()]
            path += [
                f"M{x - s // 2} {y - s // 2}h{s}v{s}h-{s}z"
                for (x, y), s in zip(middle[mine[small[mine]]].tolist(), side[mine[small[mine]]].tolist(), strict=True)
            ]
            parts.append(f'<path class="sc{number}" d="{"".join(path)}"/>' if path else "")
        return "".join(parts)

    def _outlines(self) -> tuple[str, str]:
        """Limits and names of communities (or grids)."""
        outlines = self.data.outlines
        if outlines is None or not len(outlines):
            return "", ""
        shapes = shapely.simplify(self.frame.drawn(shapely.force_2d(outlines.geometry.to_numpy())), SIMPLE / 2)
        lines = f'<path class="g-out" pointer-events="none" d="{"".join(path_of(shape) for shape in shapes)}"/>'
        if "name" not in outlines or not 1 < len(outlines) <= NAMES_MOST:
            return lines, ""  # the name of the only one is in the tables
        texts = [[str(name)] if isinstance(name, str) else [""] for name in outlines["name"]]
        placed = place_labels(shapes, texts, size=15, least=9)
        labels = "".join(
            f'<text class="number" x="{label.x * FINE:.0f}" y="{(label.y + 0.35 * label.size) * FINE:.0f}" '
            f'font-size="{label.size * FINE:.0f}">{escape(label.lines[0])}</text>'
            for label in placed
        )
        return lines, f'<g class="labels">{labels}</g>'


def _without_specks(shapes: Geometries) -> Geometries:
    """Areas without holes too small to be read on the map."""

    def filled(part: Any) -> Any:
        holes = [ring for ring in part.interiors if shapely.area(shapely.polygons(ring)) > SPECK]
        return shapely.Polygon(part.exterior, holes)

    return np.array(
        [shapely.multipolygons([filled(part) for part in shapely.get_parts(shape)]) for shape in shapes], dtype=object
    )


def score_class(score: NDArray[np.float64], assessable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Class of each building: 0 the lowest scores …, the last: cannot be assessed."""
    number = np.searchsorted(np.array(SCORE_STEPS) - 1e-6, np.nan_to_num(score), side="right")
    return np.where(assessable, number, len(SCORE_STEPS) + 1)


def _score_words() -> list[Words]:
    ends = [f"{100 * step:.0f}" for step in SCORE_STEPS]
    first = Words(f"不足 {ends[0]} %", f"below {ends[0]} %")
    middle = [Words(f"{a}–{b} %", f"{a}–{b} %") for a, b in pairwise(ends)]
    last = Words(f"{ends[-1]} % 以上", f"{ends[-1]} % and above")
    return [first, *middle, last, Words("无法评估", "cannot be assessed")]


def _paths(streets: gpd.GeoDataFrame | None, frame: Frame) -> str:
    """Footpaths and lanes, which belong to the walk as much as streets."""
    if streets is None:
        return ""
    lines = streets.geometry[streets["cls"].isin(("foot", "service", "wall", "none"))].to_numpy()
    if not 0 < len(lines) <= PATHS_MOST:
        return ""
    path = merged_lines(lines, frame)
    return f'<path class="s-foot" d="{path}"/>' if path else ""


def badges(shapes: Geometries, frame: Frame) -> str:
    """Numbers 1, 2, … on the parts of some shapes, moved aside with a line where they would meet.

    The largest part of each is numbered first; its other parts have the number too where they are large enough and it
    finds a free place.
    """
    placed: list[tuple[float, float]] = []
    middles = [_middles(shape) for shape in shapes]
    wanted = [(number, spots[0], True) for number, spots in enumerate(middles, start=1)]
    wanted += [(number, spot, False) for number, spots in enumerate(middles, start=1) for spot in spots[1:]]
    parts = []
    for number, (x, y), needed in wanted:
        free = next((spot for spot in _around(x, y) if _free(spot, placed, frame)), None)
        if free is None and not needed:
            continue
        at = free or (x, y)
        placed.append(at)
        if at != (x, y):
            parts.append(
                f'<path class="leader" d="M{x * FINE:.0f} {y * FINE:.0f}L{at[0] * FINE:.0f} {at[1] * FINE:.0f}"/>'
            )
        css = "badge-text" if needed else "badge-text again"
        parts.append(
            f'<circle class="badge" cx="{at[0] * FINE:.0f}" cy="{at[1] * FINE:.0f}" r="{BADGE * FINE:.0f}"/>'
            f'<text class="{css}" x="{at[0] * FINE:.0f}" y="{(at[1] + 4.4) * FINE:.0f}" '
            f'font-size="{(13 if number < 10 else 11.5) * FINE:.0f}">{number}</text>'
        )
    return f'<g pointer-events="none">{"".join(parts)}</g>'


def _middles(shape: Any) -> list[tuple[float, float]]:
    """Inside the largest part of a shape, far from its edge, and so inside its other parts that are large enough."""
    parts = shapely.get_parts(shape)
    area = shapely.area(parts)
    order = np.argsort(-area, kind="stable")
    chosen = [row for row in order[:PARTS_MOST].tolist() if row == order[0] or area[row] >= PART]
    circles = shapely.maximum_inscribed_circle(parts[chosen], tolerance=1.0)
    return [(float(x), float(y)) for x, y in shapely.get_coordinates(shapely.get_point(circles, 0))]


def _around(x: float, y: float) -> Sequence[tuple[float, float]]:
    turns = [k * math.pi / 6 for k in range(12)]
    rings = (2.2 * BADGE, 3.4 * BADGE, 4.8 * BADGE, 6.5 * BADGE)
    return [(x, y), *((x + r * math.cos(turn), y + r * math.sin(turn)) for r in rings for turn in turns)]


def _free(spot: tuple[float, float], placed: Sequence[tuple[float, float]], frame: Frame) -> bool:
    x, y = spot
    within = BADGE <= x <= WIDTH - BADGE and BADGE <= y <= frame.height - STRIP - BADGE
    return within and all(math.hypot(x - a, y - b) > 2.1 * BADGE for a, b in placed)


def caption(words: Words) -> str:
    """A line below a map or chart."""
    return f'<p class="note">{said(words)}</p>'
