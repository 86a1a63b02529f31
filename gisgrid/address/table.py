"""The arrays a gazetteer is made of.

Coordinates come in degrees (EPSG:4490) and are kept so; distances while searching are in metres on a plane about the
middle of the addresses, good to a few parts in a thousand inside a district.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gisgrid.address.names import NameIndex
from gisgrid.address.text import simplified

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
METRES: Final = 111_320.0
"""Metres a degree of latitude."""
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
    address_id: pa.StringArray
    full: pa.StringArray
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
    outer: frozenset[str]
    """Provinces and cities the registered addresses themselves begin with."""


def plain_name(text: str) -> str:
    """A stored name in the form names are compared in: half width, simplified, lower case, no spaces."""
    plain = simplified(unicodedata.normalize("NFKC", text)).lower().strip()
    return " ".join(plain.split()) if plain.isascii() else "".join(plain.split())


def group(keys: npt.NDArray[Any], count: int) -> Groups:
    """Rows by key 0..count-1; negative keys belong nowhere."""
    order = np.argsort(keys, kind="stable")
    order = order[np.searchsorted(keys[order], 0) :]
    start = np.searchsorted(keys[order], np.arange(count + 1))
    return Groups(start.astype(np.int64), order.astype(np.int32))


def to_plane(lon: npt.ArrayLike, lat: npt.ArrayLike, middle: tuple[float, float]) -> tuple[Floats, Floats]:
    """Degrees to metres about a middle point."""
    scale = METRES * np.cos(np.radians(middle[1]))
    return (np.asarray(lon, float) - middle[0]) * scale, (np.asarray(lat, float) - middle[1]) * METRES


def from_plane(x: float, y: float, middle: tuple[float, float]) -> tuple[float, float]:
    """Metres about a middle point to degrees."""
    return middle[0] + x / (METRES * float(np.cos(np.radians(middle[1])))), middle[1] + y / METRES
