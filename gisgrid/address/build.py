"""Layers → the arrays a gazetteer searches. Loops run over distinct names and numbers, never over addresses.

Coordinates come in degrees (EPSG:4490) and are kept so; distances while searching are in metres on a plane about the
middle of the addresses, good to a few parts in a thousand inside a district.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from gisgrid.address.names import Name, NameIndex
from gisgrid.address.numbers import NONE, code_of, door_of, plain_number
from gisgrid.address.parse import parse_plain
from gisgrid.address.places import places_of, rows_of_either, usual_areas
from gisgrid.address.table import LEVELS, Area, Floats, Ints, Parts, Rows, from_plane, group, plain_name, to_plane
from gisgrid.address.text import numerals
from gisgrid.address.words import AREA, COMPOUND, FACILITY, ROAD
from gisgrid.crs import to_storage
from gisgrid.errors import BadInput

_HEAD: Final = re.compile(r"[^\W\da-zA-Z_]{1,12}?(?:省|自治区|特别行政区|市)(?:[^\W\da-zA-Z_]{1,8}?(?:市|自治州|盟))?")


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
    place, line_place, place_name = places_of(road, compound, line_name, x, y, shapes)
    door, sub = _doors(table["door_number"])
    rows = Rows(
        lon, lat, x, y, _texts(table["address_id"]), _texts(table["full"]), road, compound, place[0], place[1], area,
        door, sub, _codes(table["building"]), _codes(table["unit"]),
    )  # fmt: skip
    kinds = np.array([kind for kind, _ in names.number], np.int8)
    return Parts(
        rows, index, names.shown, kinds, listed, areas_of, rows_of_either(road, compound, count),
        rows_of_either(place[0], place[1], len(place_name)), place_name, usual_areas(place, area, len(place_name)),
        group(place_name, count), group(line_place, len(place_name)), shapes, group(facility_name, count), f_lon, f_lat,
        replaced, middle, _outer(table),
    )  # fmt: skip


def _texts(values: pd.Series[Any]) -> pa.StringArray:
    return pa.array(values.astype(str).to_numpy(object), pa.string())


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
    bare = np.flatnonzero(((plain["road"].str.strip() == "") & (plain["compound"].str.strip() == "")).to_numpy())
    if len(bare):  # an address that is text only has to be read one by one
        read = [_parts_of(str(text)) for text in plain["full"].to_numpy()[bare]]
        for number, column in enumerate(("road", "door_number", "compound", "building", "unit")):
            values = plain[column].to_numpy(object).copy()
            values[bare] = [old or parts[number] for old, parts in zip(values[bare], read, strict=True)]
            plain[column] = values
    joined = plain["road"] + plain["door_number"] + plain["compound"] + plain["building"] + plain["unit"]
    plain["full"] = plain["full"].where(plain["full"].str.strip() != "", joined)
    return plain


def _parts_of(full: str) -> tuple[str, str, str, str, str]:
    """Road, door, compound, building and unit as an address text tells them."""
    if not full.strip():
        return "", "", "", "", ""
    parsed = parse_plain(numerals(plain_name(full)))
    return parsed.road, parsed.door, parsed.compound or parsed.facility, parsed.building, parsed.unit


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
    names: _Names,
    table: pd.DataFrame,
    areas: gpd.GeoDataFrame | None,
    x: Floats,
    y: Floats,
    middle: tuple[float, float],
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
            listed.append(
                Area(code, LEVELS.index(level), name, inner.x, inner.y, float(np.hypot(px - cx, py - cy).max()))
            )
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


def _outer(table: pd.DataFrame) -> frozenset[str]:
    """Provinces and cities in front of the addresses: one address a community, and up to 2,000 in all."""
    some = (
        table.drop_duplicates("community")["full"].tolist()
        + table["full"].iloc[:: -(-len(table) // 2_000) or 1].tolist()
    )
    heads = dict.fromkeys(match[0] for text in some if (match := _HEAD.match(text)))
    parsed = [parse_plain(plain_name(head)) for head in heads]
    return frozenset(name for p in parsed for name in (p.province, p.city) if name)


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
        parsed = parse_plain(plain_name(head))
        above: tuple[str, ...] = ()
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
