"""Pages of GeoJSON features: chosen by key, written by PostGIS, never by OFFSET.

A page costs the same at any depth: it starts behind the last key of the one before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data.tables import SRID
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import KEY_CHARS_MAX, PAGE_MAX
from layers.catalog import Layer

COORDINATE_DIGITS = 7
"""Decimals of a degree written: 1 cm."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """Features as GeoJSON texts, how many match in all, and the key the next page starts behind (None: last page)."""

    features: list[str]
    matched: int
    after: str | None


def parse_bbox(text: str) -> Box:
    """``minx,miny,maxx,maxy`` in degrees, longitude first. Raises BadInput."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 4 or not all(math.isfinite(value) for value in values):
        raise BadInput(f"bbox={text!r} is not four numbers minx,miny,maxx,maxy in degrees")
    west, south, east, north = values
    if west > east or south > north:
        raise BadInput(f"bbox={text!r} is turned round: give minx,miny,maxx,maxy with the smaller values first")
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise BadInput(f"bbox={text!r} leaves the world: longitude -180..180, latitude -90..90, longitude first")
    return west, south, east, north


def page(
    connection: sa.Connection,
    layer: Layer,
    *,
    limit: int,
    after: str | None = None,
    bbox: Box | None = None,
    filters: Mapping[str, Sequence[str]] | None = None,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> Page:
    """One page of a layer in key order.

    ``filters``: accepted values per filter of the layer; ``where``: further conditions of the caller's;
    Raises BadInput for a limit, key or filter value that cannot be.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit={limit}: give 1 to {PAGE_MAX}")
    wanted = [*where, *_filtered(layer, filters or {})]
    if bbox is not None:
        wanted.append(sa.func.ST_Intersects(layer.table.c.geometry, _envelope(bbox)))
    number = sa.select(sa.func.count()).select_from(layer.table).where(*wanted)
    matched = connection.scalar(number) or 0
    if after is not None:
        wanted.append(layer.key > _value(layer.key, "after", after))
    query = sa.select(layer.key, _feature(layer)).where(*wanted).order_by(layer.key).limit(limit + 1)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    return Page([row[1] for row in rows[:limit]], matched, str(rows[limit - 1][0]) if more else None)


def feature(
    connection: sa.Connection,
    layer: Layer,
    key: str,
    *,
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> str:
    """One feature as GeoJSON text. Raises NotFound, and BadInput for a key that cannot be one."""
    if len(key) > KEY_CHARS_MAX:
        raise BadInput(f"{layer.name}: an identifier has at most {KEY_CHARS_MAX} characters")
    query = sa.select(_feature(layer)).where(layer.key == _value(layer.key, "id", key), *where)
    found = connection.scalar(query)
    if found is None:
        raise NotFound(f"{layer.name} has no feature {key!r}")
    return str(found)


def _feature(layer: Layer) -> sa.ColumnElement[str]:
    pairs = [part for name, column in layer.properties.items() for part in (sa.literal(name, sa.Text), column)]
    return sa.func.concat(
        '{"type":"Feature","id":', sa.func.to_json(layer.key),
        ',"geometry":', sa.func.ST_AsGeoJSON(layer.table.c.geometry, COORDINATE_DIGITS, 0),
        ',"properties":', sa.func.json_build_object(*pairs),
        "}", type_=sa.Text,
    )  # fmt: skip


def _envelope(bbox: Box) -> sa.ColumnElement[Any]:
    return sa.func.ST_MakeEnvelope(*bbox, SRID)


def _filtered(layer: Layer, filters: Mapping[str, Sequence[str]]) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    for name, values in filters.items():
        column = layer.filters.get(name)
        if column is None:
            known = ", ".join(layer.filters) or "none"
            raise BadInput(f"{layer.name} has no filter {name!r}; filters: {known}")
        conditions.append(column.in_([_value(column, name, value) for value in values]))
    return conditions


def _value(column: sa.ColumnElement[Any], name: str, text: str) -> Any:
    """A parameter's text as the column's type. Raises BadInput."""
    if "\x00" in text:
        raise BadInput(f"{name} holds a NUL character")
    if not isinstance(column.type, sa.Integer):
        return text
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise BadInput(f"{name}={text!r} is not a whole number")
    value = int(text)
    if isinstance(column.type, sa.SmallInteger) and not -(2**15) <= value < 2**15:
        raise BadInput(f"{name}={text} is out of range: give -32768 to 32767")
    return value
