"""Reads Mapbox vector tiles (specification 2.1) with nothing but the standard library: what tests compare with."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import shapely


@dataclass(frozen=True)
class Feature:
    """A feature: its number (None: none), properties, geometry in the units of the tile (y down)."""

    id: int | None
    properties: dict[str, Any]
    shape: shapely.Geometry


@dataclass(frozen=True)
class TileLayer:
    """One layer of a tile."""

    name: str
    extent: int
    version: int
    features: list[Feature]


def read_tile(content: bytes) -> dict[str, TileLayer]:
    """The layers of a tile by name; a name that comes twice is a fault."""
    layers = [_layer(value) for number, value in _fields(content) if number == 3]
    assert len({layer.name for layer in layers}) == len(layers), "two layers of one name"
    return {layer.name: layer for layer in layers}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif kind == 2:
            size, at = _varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            size = {1: 8, 5: 4}[kind]
            yield tag >> 3, data[at : at + size]
            at += size


def _packed(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _layer(data: bytes) -> TileLayer:
    name, extent, version = "", 4096, 1
    keys: list[str] = []
    values: list[Any] = []
    raw: list[bytes] = []
    for number, value in _fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            raw.append(value)
        elif number == 3:
            keys.append(value.decode())
        elif number == 4:
            values.append(_value(value))
        elif number == 5:
            extent = value
        elif number == 15:
            version = value
    return TileLayer(name, extent, version, [_feature(item, keys, values) for item in raw])


def _value(data: bytes) -> Any:
    number, value = next(_fields(data))
    if number == 1:
        return value.decode()
    if number == 2:
        return struct.unpack("<f", value)[0]
    if number == 3:
        return struct.unpack("<d", value)[0]
    if number == 4:
        return value - (1 << 64) if value >> 63 else value
    return {5: value, 6: _signed(value), 7: bool(value)}[number]


def _feature(data: bytes, keys: list[str], values: list[Any]) -> Feature:
    found, kind, tags, commands = None, 0, [], []
    for number, value in _fields(data):
        if number == 1:
            found = value
        elif number == 2:
            tags = _packed(value)
        elif number == 3:
            kind = value
        elif number == 4:
            commands = _packed(value)
    properties = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    return Feature(found, properties, _shape(kind, commands))


def _shape(kind: int, commands: list[int]) -> shapely.Geometry:
    runs: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            runs[-1].append(runs[-1][0])
            continue
        for _ in range(count):
            x, y = x + _signed(commands[at]), y + _signed(commands[at + 1])
            at += 2
            if command == 1:
                runs.append([])
            runs[-1].append((x, y))
    if kind == 1:
        return shapely.MultiPoint([run[0] for run in runs]) if len(runs) > 1 else shapely.Point(runs[0][0])
    if kind == 2:
        return shapely.MultiLineString(runs)
    rings = [shapely.LinearRing(run) for run in runs]
    outer = [ring for ring in rings if ring.is_ccw == rings[0].is_ccw]
    made = [shapely.Polygon(ring) for ring in outer]
    for hole in (ring for ring in rings if ring.is_ccw != rings[0].is_ccw):
        inside = shapely.Polygon(hole)
        place = next(i for i, part in enumerate(made) if part.covers(inside.representative_point()))
        made[place] = shapely.Polygon(made[place].exterior, [*made[place].interiors, hole])
    return shapely.MultiPolygon(made)
