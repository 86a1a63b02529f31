"""Layers → the arrays a gazetteer searches. Loops run over distinct names and numbers, never over addresses.

Coordinates come in degrees (EPSG:4490) and are kept so; distances while searching are in metres on a plane about the
middle of the addresses, good to a few parts in a thousand inside a district.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gisgrid.address.names import Name, NameIndex
from gisgrid.address.numbers import NONE, code_of, door_of, plain_number
from gisgrid.address.parse import parse_plain
from gisgrid.address.text import numerals, simplified
from gisgrid.address.words import AREA, COMPOUND, FACILITY, ROAD
from gisgrid.crs import to_storage
from gisgrid.errors import BadInput

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
METRES: Final = 111_320.0
"""Metres a degree of latitude."""
CELL: Final = 400.0
"""Side of the cells by which parts of one name are joined, in metres."""
_REACH: Final = 2
"""Cells apart that still belong together: what is further off is another road of that name."""
LEVELS: Final = ("district", "street", "community")


@dataclass(frozen=True, slots=True)
class Area:
    """A district, street or community: its code, level (place in `LEVELS`), name, middle and radius in metres."""

    code: str
    level: int
    name: str
    lon: float
    lat: float
    radius: float


@dataclass(frozen=True, slots=True)
class Rows:
    """The addresses, one array a column; names and places are given by number."""

    lon: Floats
    lat: Floats
    x: Floats
    y: Floats
    address_id: npt.NDArray[np.object_]
    full: npt.NDArray[np.object_]
    road: Ints
    compound: Ints
    road_place: Ints
    compound_place: Ints
    area: Ints
    door: Ints
    sub: Ints
    building: Ints
    unit: Ints


@dataclass(frozen=True, slots=True)
class Groups:
    """Which rows belong to which key: rows[start[k]:start[k+1]]."""

    start: npt.NDArray[np.int64]
    rows: Ints

    def of(self, key: int) -> Ints:
        """Rows of one key."""
        return self.rows[self.start[key] : self.start[key + 1]]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a gazetteer is made of."""

    rows: Rows
    names: NameIndex
    shown: list[str]
    kinds: npt.NDArray[np.int8]
    areas: list[Area]
    areas_of: dict[int, list[int]]
    by_name: Groups
    by_place: Groups
    place_name: Ints
    place_area: Ints
    places_of: Groups
    lines: Groups
    line_shapes: npt.NDArray[np.object_]
    facilities: Groups
    facility_lon: Floats
    facility_lat: Floats
    replaced: list[tuple[str, str]]
    middle: tuple[float, float]


def plain_name(text: str) -> str:
    """A stored name in the form names are compared in: half width, simplified, lower case, no spaces (Latin: single)."""
    plain = simplified(unicodedata.normalize("NFKC", text)).lower().strip()
    return " ".join(plain.split()) if plain.isascii() else "".join(plain.split())


def group(keys: npt.NDArray[Any], count: int) -> Groups:
    """Rows by key 0..count-1; negative keys belong nowhere."""
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    start = np.searchsorted(keys[order], np.arange(count + 1))
    return Groups(start.astype(np.int64), order.astype(np.int32))


class _Names:
    """Names being collected, with a number each."""

    def __init__(self) -> None:
        self.number: dict[tuple[int, str], int] = {}
        self.shown: list[str] = []
        self.more: list[list[str]] = []

    def add(self, kind: int, text: str) -> int:
        """Number of a name, made when new; -1 for an empty one."""
        plain = plain_name(text)
        if not plain:
            return -1
        key = (kind, plain)
        if key not in self.number:
            self.number[key] = len(self.shown)
            self.shown.append(text.strip())
            self.more.append([])
        return self.number[key]

    def column(self, kind: int, values: pd.Series[Any]) -> Ints:
        """Numbers of a column of names."""
        codes, distinct = pd.factorize(values.fillna("").astype(str))
        numbers = np.array([self.add(kind, text) for text in distinct], np.int32)
        return numbers[codes] if len(distinct) else np.empty(0, np.int32)

    def spell(self, number: int, text: str) -> None:
        """One more spelling of a name."""
        plain = plain_name(text)
        if number >= 0 and plain and plain not in self.more[number]:
            self.more[number].append(plain)

    def index(self) -> NameIndex:
        return NameIndex([Name(k, t, tuple(self.more[n])) for (k, t), n in self.number.items()])


def build(
    addresses: gpd.GeoDataFrame,
    *,
    streets: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    facilities: gpd.GeoDataFrame | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Parts:
    """Arrays of a gazetteer from layers in any CRS. Raises BadInput where the addresses cannot be used."""
    table = _usable(addresses)
    lon, lat = shapely.get_x(table.geometry.to_numpy()), shapely.get_y(table.geometry.to_numpy())
    middle = (float(np.mean(lon)), float(np.mean(lat))) if len(lon) else (0.0, 0.0)
    x, y = to_plane(lon, lat, middle)
    names = _Names()
    table = _filled(table)
    road, compound = names.column(ROAD, table["road"]), names.column(COMPOUND, table["compound"])
    _english_names(names, table, road, compound)
    listed, area, areas_of = _areas(names, table, areas, x, y, middle)
    lines = _street_lines(streets)
    line_name = names.column(ROAD, lines["name"]) if len(lines) else np.empty(0, np.int32)
    shapes = _planar(lines, middle)
    facility_name, f_lon, f_lat = _facilities(names, facilities)
    replaced = _take_aliases(names, aliases or {})
    index = names.index()
    count = len(names.shown)
    place, line_place, place_name = _places(road, compound, line_name, x, y, shapes)
    door, sub = _doors(table["door_number"])
    rows = Rows(
        lon, lat, x, y, table["address_id"].astype(str).to_numpy(object), table["full"].astype(str).to_numpy(object),
        road, compound, place[0], place[1], area, door, sub, _codes(table["building"]), _codes(table["unit"]),
    )  # fmt: skip
    return Parts(
        rows, index, names.shown, np.array([kind for kind, _ in names.number], np.int8), listed, areas_of, _both(road, compound, count),
        _both(place[0], place[1], len(place_name)), place_name, _usual_areas(place, area, len(place_name)),
        group(place_name, count),
        group(line_place, len(place_name)), shapes, group(facility_name, count), f_lon, f_lat, replaced, middle,
    )  # fmt: skip


def to_plane(lon: npt.ArrayLike, lat: npt.ArrayLike, middle: tuple[float, float]) -> tuple[Floats, Floats]:
    """Degrees to metres about a middle point."""
    scale = METRES * np.cos(np.radians(middle[1]))
    return (np.asarray(lon, float) - middle[0]) * scale, (np.asarray(lat, float) - middle[1]) * METRES


def from_plane(x: float, y: float, middle: tuple[float, float]) -> tuple[float, float]:
    """Metres about a middle point to degrees."""
    return middle[0] + x / (METRES * float(np.cos(np.radians(middle[1])))), middle[1] + y / METRES


def _usable(addresses: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if not ({"full", "road"} & set(addresses.columns)):
        raise BadInput("the address layer has neither a column full nor road; give the addresses as text in full")
    table = to_storage(addresses)
    kind = shapely.get_type_id(table.geometry.to_numpy())
    sound = (kind == 0) & ~shapely.is_empty(table.geometry.to_numpy())
    if len(table) and not sound.any():
        raise BadInput("the address layer holds no points; give one point for each address")
    return table[sound].reset_index(drop=True)


def _filled(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """All columns present; where neither road nor compound is told they are read from the full text."""
    plain = pd.DataFrame(table.drop(columns="geometry"))
    for column in ("full", "road", "door_number", "compound", "building", "unit", "name_en", "address_id", "community"):
        given = plain[column] if column in plain else pd.Series("", index=plain.index)
        plain[column] = given.astype(object).where(given.notna(), "").astype(str)
    bare = np.flatnonzero((plain["road"].str.strip() == "") & (plain["compound"].str.strip() == ""))
    for row in bare:  # an address that is text only has to be read one by one
        parsed = parse_plain(numerals(plain_name(plain["full"].iat[row]))) if plain["full"].iat[row].strip() else None
        if parsed is not None:
            for column, value in (
                ("road", parsed.road), ("door_number", parsed.door), ("compound", parsed.compound or parsed.facility),
                ("building", parsed.building), ("unit", parsed.unit),
            ):  # fmt: skip
                if not plain[column].iat[row]:
                    plain.iat[row, plain.columns.get_loc(column)] = value
    joined = plain["road"] + plain["door_number"] + plain["compound"] + plain["building"] + plain["unit"]
    plain["full"] = plain["full"].where(plain["full"].str.strip() != "", joined)
    return plain


def _doors(values: pd.Series[Any]) -> tuple[Ints, Ints]:
    codes, distinct = pd.factorize(values)
    doors = [door_of(numerals(plain_name(text))) for text in distinct]
    main = np.array([NONE if d is None else d.main for d in doors], np.int32)
    sub = np.array([0 if d is None else d.code for d in doors], np.int32)
    return (main[codes], sub[codes]) if len(distinct) else (main, sub)


def _codes(values: pd.Series[Any]) -> Ints:
    codes, distinct = pd.factorize(values)
    numbers = np.array([code_of(plain_number(numerals(plain_name(text)))) for text in distinct], np.int32)
    return numbers[codes] if len(distinct) else numbers


_COUNT_EN: Final = re.compile(r"^(?:unit|building|block|room|floor|no\.?|number)\b", re.IGNORECASE)


def _english_names(names: _Names, table: pd.DataFrame, road: Ints, compound: Ints) -> None:
    """English names of roads and compounds from the English addresses: … , Yunxi Garden, 12 Wenquan Road."""
    sample = table.assign(r=road, c=compound)
    for column, number in (("road", "r"), ("compound", "c")):
        some = sample[(sample[number] >= 0) & (sample["name_en"] != "")].drop_duplicates(number)
        for key, text in zip(some[number], some["name_en"], strict=True):
            parts = [p.strip() for p in text.split(",") if p.strip() and not _COUNT_EN.match(p.strip())]
            numbered = [p for p in parts if re.match(r"\d+\S*\s", p)]
            if column == "road" and numbered:
                names.spell(int(key), re.sub(r"^\d+\S*\s+", "", numbered[-1]))
            elif column == "compound" and (plain := [p for p in parts if p not in numbered]):
                names.spell(int(key), plain[0])


def _areas(
    names: _Names, table: pd.DataFrame, areas: gpd.GeoDataFrame | None, x: Floats, y: Floats, middle: tuple[float, float]
) -> tuple[list[Area], Ints, dict[int, list[int]]]:
    """Areas, the district, street and community of each row (-1 unknown), and the areas of each name."""
    of = np.full((len(table), 3), -1, np.int32)
    listed: list[Area] = []
    by_code: dict[str, int] = {}
    if areas is not None and len(areas):
        known = to_storage(areas)
        for code, level, name, shape, english in zip(
            known["code"].astype(str), known["level"], known["name"].fillna("").astype(str), known.geometry,
            known["name_en"].fillna("").astype(str) if "name_en" in known else [""] * len(known), strict=True,
        ):  # fmt: skip
            if level not in LEVELS or shape is None or shape.is_empty:
                continue
            inner = shape.representative_point()
            px, py = to_plane(shapely.get_coordinates(shape)[:, 0], shapely.get_coordinates(shape)[:, 1], middle)
            cx, cy = to_plane(inner.x, inner.y, middle)
            by_code[code] = len(listed)
            listed.append(Area(code, LEVELS.index(level), name, inner.x, inner.y, float(np.hypot(px - cx, py - cy).max())))
            names.spell(names.add(AREA, name), english)
    codes, distinct = pd.factorize(table["community"])
    for column, digits in enumerate((6, 9, 12)):
        rows = np.array([by_code.get(c[:digits], -1) if len(c) >= digits else -1 for c in distinct], np.int32)
        of[:, column] = rows[codes] if len(distinct) else of[:, column]
    if not listed:
        _areas_of_text(names, table, x, y, middle, listed, of)
    areas_of: dict[int, list[int]] = {}
    for number, area in enumerate(listed):
        areas_of.setdefault(names.add(AREA, area.name), []).append(number)
    areas_of.pop(-1, None)
    return listed, of, areas_of


def _areas_of_text(
    names: _Names, table: pd.DataFrame, x: Floats, y: Floats, middle: tuple[float, float], listed: list[Area], of: Ints
) -> None:
    """Without an area layer: districts, streets and communities as the addresses themselves begin."""
    road = table["road"].where(table["road"] != "", table["compound"])
    heads = [f[: f.find(r)] if r and f.find(r) > 0 else "" for f, r in zip(table["full"], road, strict=True)]
    codes, distinct = pd.factorize(np.array(heads, object))
    known: dict[tuple[str, ...], int] = {}
    for number, head in enumerate(distinct):
        if not head:
            continue
        parsed, above = parse_plain(plain_name(head)), ()
        for level, name in enumerate((parsed.district, parsed.street, parsed.community)):
            if not name:
                continue
            above = (*above, name)
            key = known.setdefault(above, len(listed))
            if key == len(listed):
                listed.append(Area("", level, name, 0.0, 0.0, 0.0))
                names.add(AREA, name)
            of[codes == number, level] = key
    for key, area in enumerate(listed):
        mine = np.flatnonzero(of[:, area.level] == key)
        cx, cy = float(np.median(x[mine])), float(np.median(y[mine]))
        lon, lat = from_plane(cx, cy, middle)
        listed[key] = Area("", area.level, area.name, lon, lat, float(np.hypot(x[mine] - cx, y[mine] - cy).max()))


def _street_lines(streets: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    if streets is None or "name" not in streets:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs="EPSG:4490")
    named = to_storage(streets)
    named = named[named["name"].fillna("").astype(str).str.strip() != ""]
    return named[shapely.get_dimensions(named.geometry.to_numpy()) == 1].reset_index(drop=True)


def _planar(lines: gpd.GeoDataFrame, middle: tuple[float, float]) -> npt.NDArray[np.object_]:
    return np.asarray(
        shapely.transform(lines.geometry.to_numpy(), lambda xy: np.column_stack(to_plane(xy[:, 0], xy[:, 1], middle))),
        dtype=object,
    )


def _facilities(names: _Names, facilities: gpd.GeoDataFrame | None) -> tuple[Ints, Floats, Floats]:
    if facilities is None or "name" not in facilities or not len(facilities):
        return np.empty(0, np.int32), np.empty(0), np.empty(0)
    known = to_storage(facilities)
    number = names.column(FACILITY, known["name"])
    if "name_en" in known:
        for key, english in zip(number, known["name_en"].fillna("").astype(str), strict=True):
            names.spell(int(key), english)
    point = shapely.point_on_surface(known.geometry.to_numpy())
    return number, shapely.get_x(point), shapely.get_y(point)


def _take_aliases(names: _Names, aliases: Mapping[str, str]) -> list[tuple[str, str]]:
    """Nicknames of names join their patterns; others (of whole addresses) are replaced in the text."""
    replaced = []
    for alias, canonical in aliases.items():
        plain = plain_name(str(canonical))
        hits = [n for (_, text), n in names.number.items() if text == plain]
        for number in hits:
            names.spell(number, str(alias))
        if not hits and plain_name(str(alias)):
            replaced.append((numerals(plain_name(str(alias))), numerals(plain)))
    return sorted(replaced, key=lambda pair: (-len(pair[0]), pair))


def _both(a: Ints, b: Ints, count: int) -> Groups:
    """Rows by either of two keys."""
    keys = np.concatenate([a, np.where(b == a, -1, b)])
    found = group(keys, count)
    return Groups(found.start, (found.rows % max(len(a), 1)).astype(np.int32))


def _places(
    road: Ints, compound: Ints, line_name: Ints, x: Floats, y: Floats, shapes: npt.NDArray[np.object_]
) -> tuple[tuple[Ints, Ints], Ints, Ints]:
    """Places: parts of a name that lie together. (place of each row's road and compound, of each line, name by place).

    Two roads of one name in different parts of a city are two places.
    """
    dense = shapely.segmentize(shapes, CELL) if len(shapes) else shapes
    xy, line = shapely.get_coordinates(dense, return_index=True)
    name = np.concatenate([road, compound, line_name[line] if len(line) else np.empty(0, np.int32)]).astype(np.int64)
    px, py = np.concatenate([x, x, xy[:, 0]]), np.concatenate([y, y, xy[:, 1]])
    label, place_name = _clusters(name, px, py)
    n = len(road)
    line_place = np.full(len(shapes), -1, np.int32)
    line_place[line] = label[2 * n :]
    return (label[:n], label[n : 2 * n]), line_place, place_name


def _usual_areas(place: tuple[Ints, Ints], area: Ints, count: int) -> Ints:
    """The commonest district, street and community of each place, -1 where unknown."""
    out = np.full((count, 3), -1, np.int32)
    for level in range(3):
        keys = np.concatenate([p.astype(np.int64) << 32 | area[:, level] for p in place])
        keys, size = np.unique(keys[np.concatenate([(p >= 0) & (area[:, level] >= 0) for p in place])], return_counts=True)
        order = np.lexsort((-keys, size))  # the largest last, of equals the smallest area
        out[(keys[order] >> 32), level] = keys[order] & 0xFFFFFFFF
    return out


def _clusters(name: npt.NDArray[np.int64], x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Label points of one name that hang together by cells; -1 for points without a name. (labels, name by label)."""
    told = np.flatnonzero(name >= 0)
    label = np.full(len(name), -1, np.int32)
    if not len(told):
        return label, np.empty(0, np.int32)
    cx = np.floor((x[told] - x[told].min()) / CELL).astype(np.int64) + _REACH
    cy = np.floor((y[told] - y[told].min()) / CELL).astype(np.int64) + _REACH
    if max(cx.max(), cy.max()) >= 1 << 20:
        raise BadInput("the addresses are spread over more than 400,000 km; check their coordinate system")
    key = (name[told] << 41) | (cx << 20) | cy
    cells, where = np.unique(key, return_inverse=True)
    a, b = [], []
    for dx in range(_REACH + 1):
        for dy in range(-_REACH, _REACH + 1):
            if dx or dy > 0:
                other = cells + (dx << 20) + dy
                at = np.minimum(np.searchsorted(cells, other), len(cells) - 1)
                hit = np.flatnonzero(cells[at] == other)
                a.append(hit)
                b.append(at[hit])
    i, j = np.concatenate(a), np.concatenate(b)
    links = coo_matrix((np.ones(len(i), np.int8), (i, j)), shape=(len(cells), len(cells)))
    _, of_cell = connected_components(links, directed=False)
    label[told] = of_cell[where]
    place_name = np.zeros(of_cell.max() + 1, np.int32)
    place_name[of_cell] = (cells >> 41).astype(np.int32)
    return label, place_name
