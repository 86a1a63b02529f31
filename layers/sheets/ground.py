"""The ground of a sheet: water, buildings, streets, and their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import shapely

from layers.render.fonts import width_of
from layers.sheets.data import Ground
from layers.sheets.frame import Frame
from layers.sheets.pen import Pen
from layers.sheets.placing import Taken, along, inside, name_shape


class Street(NamedTuple):
    """How a class of street is drawn: metres wide, and its width on paper in mm of letters at least and at most."""

    metres: float
    least: float
    most: float


STREETS: Final = {
    "residential": Street(7.0, 0.45, 2.6),
    "service": Street(4.0, 0.3, 1.6),
    "tertiary": Street(14.0, 0.75, 3.4),
    "secondary": Street(22.0, 1.0, 4.2),
    "primary": Street(30.0, 1.3, 5.0),
}
ORDER: Final = ("service", "residential", "tertiary", "secondary", "primary")
NAMED: Final = ("primary", "secondary", "tertiary", "residential", "service")


@dataclass(frozen=True, slots=True)
class Tones:
    """Colours of the ground."""

    land: str
    water: str
    bank: str
    building: str
    wall: str
    street: str
    kerb: str
    foot: str
    rail: str


OWN: Final = Tones("#fbf9f3", "#a9cfe8", "#6fa6c9", "#d8c7b2", "#a08b72", "#ffffff", "#8f8a80", "#8f8a80", "#6b6b6b")
GREY: Final = Tones(
    "#f1f2f3", "#dde6ec", "#c4d2dc", "#e3e4e6", "#cfd1d4", "#fafafa", "#d3d5d8", "#d3d5d8", "#c9cbce"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """The ground in page coordinates: shapes by kind, and the classes that occur (for the legend)."""

    water: Any
    rivers: Any
    buildings: Any
    streets: dict[str, Any]
    kinds: set[str]


def drawn_ground(ground: Ground, frame: Frame) -> Drawn:
    """Everything in the map's box, moved onto the page."""
    streets = {
        str(cls): _kept(frame.drawn(rows.geometry.to_numpy(), cut=12.0))
        for cls, rows in ground.streets.groupby("cls", sort=True)
    }
    water = _kept(frame.drawn(ground.water.geometry.to_numpy(), cut=20.0))
    areal = shapely.get_dimensions(water) == 2
    made = Drawn(
        water[areal], water[shapely.get_dimensions(water) == 1],
        _kept(frame.drawn(ground.buildings.geometry.to_numpy(), cut=12.0)),
        {cls: shapes for cls, shapes in streets.items() if len(shapes)}, set(),
    )  # fmt: skip
    made.kinds.update(made.streets)
    if len(water):
        made.kinds.add("water")
    if len(made.buildings):
        made.kinds.add("building")
    return made


def _kept(shapes: Any) -> Any:
    return shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]


def width_on_paper(cls: str, frame: Frame, unit: float) -> float:
    """Width of a street on paper in points."""
    rule = STREETS[cls]
    return min(max(rule.metres * frame.factor, rule.least * unit), rule.most * unit)


def draw_ground(pen: Pen, drawn: Drawn, frame: Frame, unit: float, tones: Tones) -> None:
    """Water, then buildings, then streets by class, kerbs below all of them."""
    pen.fill(drawn.water, tones.water)
    pen.line(drawn.water, tones.bank, 0.15 * unit)
    pen.line(drawn.rivers, tones.water, min(max(8.0 * frame.factor, 0.6 * unit), 4.0 * unit))
    pen.line(drawn.streets.get("foot", np.empty(0, object)), tones.foot, 0.2 * unit, dash=(0.9 * unit, 0.6 * unit))
    classes = [cls for cls in ORDER if cls in drawn.streets]
    for cls in classes:
        pen.line(drawn.streets[cls], tones.kerb, width_on_paper(cls, frame, unit) + 0.25 * unit)
    for cls in classes:
        pen.line(drawn.streets[cls], tones.street, width_on_paper(cls, frame, unit))
    if "rail" in drawn.streets:
        pen.line(drawn.streets["rail"], tones.rail, 0.8 * unit, round_ends=False)
        pen.line(drawn.streets["rail"], "#ffffff", 0.5 * unit, dash=(1.6 * unit, 1.6 * unit))
    pen.fill(drawn.buildings, tones.building)
    pen.line(drawn.buildings, tones.wall, 0.12 * unit)


def name_streets(pen: Pen, ground: Ground, frame: Frame, unit: float, taken: Taken, own: Any) -> None:
    """Names of streets and rivers along them, larger ones first; a name is repeated on a long street.

    ``own``: the community on the page: names outside it are grey, and those of small streets left out.
    """
    for cls in (*NAMED, "water"):
        rows = ground.water if cls == "water" else ground.streets[ground.streets["cls"] == cls]
        rows = rows[rows["name"].fillna("").str.strip() != ""]
        size = unit * {"primary": 2.9, "secondary": 2.7, "tertiary": 2.5, "water": 2.6}.get(cls, 2.2)
        for name, shapes in rows.groupby("name", sort=True).geometry:
            written: list[tuple[float, float]] = []
            for line in _lines(frame.drawn(shapes.to_numpy(), cut=0.0)):
                inside_only = cls in ("residential", "service")
                _name_line(
                    pen, str(name).strip(), line, size, taken, own, unit, written, water=cls == "water",
                    inside_only=inside_only,
                )  # fmt: skip


def _lines(shapes: Any) -> list[Any]:
    """Lines joined end to end, the longest first; water areas give none."""
    lines = shapely.get_parts(shapes[shapely.get_dimensions(shapes) == 1])
    lines = lines[(shapely.get_type_id(lines) == 1) & ~shapely.is_empty(lines)]
    if not len(lines):
        return []
    joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return sorted(joined.tolist(), key=lambda line: -line.length)


def _name_line(
    pen: Pen, name: str, line: Any, size: float, taken: Taken, own: Any, unit: float,
    written: list[tuple[float, float]], *, water: bool, inside_only: bool,
) -> None:  # fmt: skip
    """``written``: where the name stands already; it is not repeated near by (roads have two carriageways)."""
    for x, y, turned in along(line, width_of(name, size), size, every=70.0 * unit):
        if any((x - at) ** 2 + (y - up) ** 2 < (45.0 * unit) ** 2 for at, up in written):
            continue
        outside = not shapely.intersects_xy(own, x, y)
        if (outside and inside_only) or not taken.try_take(name_shape(name, size, x, y, turned)):
            continue
        color = "#2d6a94" if water else "#4c463d"
        pen.text(
            name, x, y, size, color="#6f757c" if outside else color, align="middle", halo=0.35 * unit, turned=turned
        )
        written.append((x, y))


def name_buildings(pen: Pen, ground: Ground, frame: Frame, unit: float, taken: Taken, own: Any) -> None:
    """Names of public buildings of the community that are large enough for them, and of lakes, the largest first."""
    for rows, size, color in (
        (ground.water, 2.5 * unit, "#2d6a94"),
        (ground.buildings[ground.buildings["kind"] != "residential"], 1.8 * unit, "#5b4a36"),
    ):
        named = rows[rows["name"].fillna("").str.strip() != ""]
        shapes = frame.drawn(named.geometry.to_numpy(), cut=0.0)
        names = pd.Series(named["name"].to_numpy(str)).str.strip().to_numpy(str)
        order = np.argsort(-shapely.area(shapes), kind="stable")
        for row in order.tolist():
            wide = width_of(str(names[row]), size)
            if shapes[row].area < wide * size * 0.9 or not shapely.intersects(shapes[row], own):
                continue
            _name_area(pen, str(names[row]), shapes[row], size, color, taken, unit)


def _name_area(pen: Pen, name: str, shape: Any, size: float, color: str, taken: Taken, unit: float) -> None:
    largest = max(shapely.get_parts(shape).tolist(), key=lambda part: part.area)
    place = inside(largest.buffer(0.3 * size), width_of(name, size), 1.1 * size, taken, room=0.3 * unit)
    if place is not None and taken.try_take(name_shape(name, size, *place, 0.0)):
        pen.text(name, *place, size, color=color, align="middle", halo=0.25 * unit)
