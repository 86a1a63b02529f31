"""Lines blocks are cut along, read from the layers: streets by class, rivers and banks, railways, walls."""

from __future__ import annotations

from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid import topology

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BORDER_CLASSES: Final = ("river", "primary", "secondary", "tertiary", "residential", "rail", "wall")
"""Street classes (column cls) blocks are cut along; service ways and footpaths are not."""
PATH_CLASSES: Final = ("service", "foot")
"""Street classes large grounds without households are divided along when asked for."""
HIGHWAY_CLASSES: Final = {
    **dict.fromkeys(("motorway", "trunk", "primary"), "primary"),
    "secondary": "secondary",
    "tertiary": "tertiary",
    **dict.fromkeys(("residential", "living_street", "unclassified", "road"), "residential"),
    **dict.fromkeys(("service", "track"), "service"),
    **dict.fromkeys(("footway", "path", "steps", "pedestrian", "cycleway"), "foot"),
}
"""Class of an OSM highway value (links like their road), used when a street layer has no cls."""
RIVER_KINDS: Final = ("river", "canal")
WATER_M2: Final = 5_000.0
"""Smaller ponds cut no block."""

STRENGTH: Final = {
    "river": 20, "rail": 14, "primary": 12, "secondary": 10, "tertiary": 8, "residential": 6, "wall": 2,
}  # fmt: skip
"""How much a line of a class divides; 0 is no line."""
RIVER: Final = STRENGTH["river"]
WALL: Final = STRENGTH["wall"]
LINK: Final = 5
"""Strength of slip roads and other links of any class: what they part from a road belongs to the corner."""


class Barriers(NamedTuple):
    """Border lines, all arrays (n,)."""

    lines: Geometries
    strength: Ints
    """Value of `STRENGTH`, or `LINK`."""
    oneway: NDArray[np.int8]
    """1: one way along the line, −1: against it, 0: both ways or no street."""
    link: Bools
    """Slip roads and other links between roads."""
    road: Ints
    """Same number: lines of one road (of one name; nameless ones of one class, numbered below 0)."""

    @property
    def rivers(self) -> Geometries:
        """Lines of rivers and banks of lakes."""
        return np.asarray(self.lines[self.strength == RIVER], dtype=object)


def barriers(
    streets: gpd.GeoDataFrame | None,
    water: gpd.GeoDataFrame | None,
    walls: gpd.GeoDataFrame | None,
    bounds: tuple[float, float, float, float],
    *,
    classes: tuple[str, ...] = BORDER_CLASSES,
) -> Barriers:
    """Border lines inside ``bounds`` of layers in one metric CRS. Tunnels bound nothing on the ground.

    A river mapped as an area with its centreline inside is cut along the centreline; lakes, and rivers without one,
    along their banks.
    """
    roads = _streets(streets, bounds, classes)
    river_lines, banks = _water_lines(water, bounds)
    fences = clipped(walls, bounds)[0] if walls is not None else _nothing()
    return joined([roads, plain(np.concatenate([river_lines, banks]), RIVER), plain(fences, WALL)])


def joined(several: list[Barriers]) -> Barriers:
    """Lines of all, in order."""
    return Barriers(*(np.concatenate(values) for values in zip(*several, strict=True)))


def plain(lines: Geometries, strength: int) -> Barriers:
    """Lines that are no streets."""
    n = len(lines)
    return Barriers(
        lines, np.full(n, strength, np.int64), np.zeros(n, np.int8), np.zeros(n, bool), np.full(n, -strength - 100)
    )


def path_lines(
    streets: gpd.GeoDataFrame | None, water: gpd.GeoDataFrame | None, bounds: tuple[float, float, float, float]
) -> Geometries:
    """Service ways and footpaths on the ground, and shores: what large grounds are divided along."""
    paths = _nothing()
    if streets is not None and len(streets):
        paths = clipped(streets[_wanted(streets, _classes(streets), PATH_CLASSES)], bounds)[0]
    if water is None or not len(water):
        return paths
    return np.concatenate([paths, clipped(water, bounds)[0]])


def clipped(frame: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> tuple[Geometries, Ints]:
    """Line strings of a layer inside the bounds and the row of each; outlines of polygons count as lines."""
    geoms = np.asarray(frame.geometry)
    row = np.flatnonzero(~(shapely.is_missing(geoms) | shapely.is_empty(geoms)))
    geoms = shapely.force_2d(geoms[row])
    area = np.isin(shapely.get_type_id(geoms), (3, 6))
    geoms[area] = shapely.boundary(geoms[area])
    parts, at = shapely.get_parts(shapely.clip_by_rect(geoms, *bounds), return_index=True)
    line = np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)
    return np.asarray(parts[line], dtype=object), row[at[line]]


def _streets(
    streets: gpd.GeoDataFrame | None, bounds: tuple[float, float, float, float], classes: tuple[str, ...]
) -> Barriers:
    if streets is None or not len(streets):
        return plain(_nothing(), 0)
    cls = _classes(streets)
    wanted = np.flatnonzero(_wanted(streets, cls, classes))
    lines, at = clipped(streets.iloc[wanted], bounds)
    row = wanted[at]
    strength = np.array([STRENGTH[value] for value in cls[row]], np.int64)
    link = np.zeros(len(row), bool)
    if "highway" in streets:
        link = streets["highway"].astype("string").str.endswith("_link").fillna(False).to_numpy(dtype=bool)[row]
    road = -strength
    if "name" in streets:
        name = streets["name"].astype("string").fillna("").str.strip()
        number = np.asarray(pd.factorize(name)[0], np.int64)[row]
        road = np.where((name == "").to_numpy(dtype=bool)[row], road, number)
    return Barriers(lines, np.where(link, LINK, strength), _oneway(streets)[row], link, road)


def _classes(streets: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Class of each street, of its highway value when there is no column cls; None for none."""
    if "cls" in streets:
        return np.asarray(streets["cls"].to_numpy(dtype=object))
    if "highway" not in streets:
        return np.full(len(streets), "residential", dtype=object)
    base = streets["highway"].astype("string").str.removesuffix("_link")
    return np.asarray(base.astype(object).map(HIGHWAY_CLASSES).to_numpy(dtype=object))


def _wanted(streets: gpd.GeoDataFrame, cls: NDArray[np.object_], classes: tuple[str, ...]) -> Bools:
    wanted = pd.Series(cls).isin(classes).to_numpy(dtype=bool)
    if "tunnel" in streets:
        wanted = wanted & ~streets["tunnel"].fillna(False).astype(bool).to_numpy()
    return wanted


def _oneway(streets: gpd.GeoDataFrame) -> NDArray[np.int8]:
    """Direction of one-way streets; a column of true and false as well as OSM's yes, no and −1."""
    if "oneway" not in streets:
        return np.zeros(len(streets), np.int8)
    if streets["oneway"].dtype == bool:
        return np.asarray(streets["oneway"].to_numpy(), np.int8)
    text = streets["oneway"].astype("string").fillna("").str.strip().str.lower()
    along, against = text.isin(("yes", "true", "1", "1.0")), text.isin(("-1", "reverse"))
    return np.asarray(along.to_numpy(dtype=bool), np.int8) - np.asarray(against.to_numpy(dtype=bool), np.int8)


def _water_lines(
    water: gpd.GeoDataFrame | None, bounds: tuple[float, float, float, float]
) -> tuple[Geometries, Geometries]:
    if water is None or not len(water):
        return _nothing(), _nothing()
    kind = water["kind"] if "kind" in water else pd.Series("river", index=water.index)
    line = np.isin(shapely.get_type_id(np.asarray(water.geometry)), (1, 2, 5))
    lines = clipped(water[kind.isin(RIVER_KINDS) & line], bounds)[0]
    bodies, _ = topology.polygon_parts(np.asarray(water.geometry[~line]))
    bodies = shapely.get_parts(shapely.clip_by_rect(bodies, *bounds))
    bodies = bodies[shapely.area(bodies) >= WATER_M2]
    if not len(bodies):
        return lines, _nothing()
    # a river's area is long: half its outline is about its length, which a centreline would run through
    inside = np.zeros(len(bodies))
    if len(lines):
        body, at = shapely.STRtree(lines).query(bodies, predicate="intersects")
        np.add.at(inside, body, shapely.length(shapely.intersection(bodies[body], lines[at])))
    centred = inside >= 0.25 * shapely.length(bodies)
    return lines, shapely.get_parts(shapely.boundary(bodies[~centred]))


def _nothing() -> Geometries:
    return np.empty(0, dtype=object)
