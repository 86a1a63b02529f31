"""GeoJSON as a stream of points: a FeatureCollection, or one feature a line.

Not read by GDAL: its GeoJSON reader in one thread while numba compiles in another brought the process down when tried;
and a row it cannot read ends the file there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from data.files import not_a_map
from data.point_streams.features import column_of, from_features, is_odd, kind_of, kinds_of, shapes_of, type_of
from data.point_streams.records import scan_objects
from data.point_streams.stream import PointBatch, PointStream
from data.point_streams.text import Text, look_at_text, utf8_blocks
from gisgrid.crs import normalise
from gisgrid.errors import BadInput
from gisgrid.limits import POINTS_HEAD_BYTES_MAX, POINTS_ROW_BYTES_MAX
from gisgrid.locate.points import UNREADABLE

BLOCK_BYTES: Final = 4 << 20
SHAPES: Final = "geometry"
_OBJECTS: Final = 1 << 16
_FEATURES: Final = re.compile(rb'"features"\s*:\s*\[')


@dataclass(frozen=True, slots=True)
class _Source:
    """A GeoJSON text: ``start`` is where the features begin in its UTF-8 form, None when there is one on each line."""

    text: Text
    start: int | None
    crs: str | None


def open_geojson(path: Path, crs: str | None, *, batch_rows: int | None = None) -> PointStream:
    """A FeatureCollection or a sequence of features; read twice, since any feature may bring a new property.

    Properties become columns, the feature's own id the column ``id`` unless a property has that name. Raises BadInput:
    no GeoJSON, no features.
    """
    source = _look_at(path)
    size = min(max(batch_rows * 200, 1 << 16), BLOCK_BYTES * 8) if batch_rows else BLOCK_BYTES
    kinds: dict[str, set[type]] = defaultdict(set)
    rows, plain, named = 0, True, False
    for features, _ in _features(source, size):
        rows += len(features)
        for feature in filter(None, features):
            for name, value in _properties(feature).items():
                kinds[name].add(kind_of(value))
            named |= feature.get("id") is not None
            plain &= not is_odd(feature)
    if rows == 0:
        raise BadInput(f"{path}: the layer is empty", path=str(path), code="empty_layer")
    own_id = named and "id" not in kinds
    if own_id:
        ids = (feature.get("id") for features, _ in _features(source, size) for feature in features if feature)
        kinds = defaultdict(set, {"id": kinds_of(ids)} | kinds)  # first, as people write it
    schema = pa.schema([
        *(pa.field(name, type_of(kind - {type(None)})) for name, kind in kinds.items() if name != SHAPES),
        pa.field(SHAPES, pa.binary()),
    ])  # fmt: skip
    return PointStream(
        path, schema, crs or source.crs, lambda: _batches(source, size, schema, own_id=own_id), rows, SHAPES,
        geometry_type="Point" if plain else "Unknown",
    )  # fmt: skip


def _look_at(path: Path) -> _Source:
    """Where the features are. Raises BadInput when there is no sign of them."""
    text = look_at_text(path)
    head = next(utf8_blocks(text, POINTS_HEAD_BYTES_MAX), b"")
    found = _FEATURES.search(head)
    before = head[: found.start()].rstrip().rstrip(b",") + b"}" if found else b""
    try:
        members = orjson.loads(before) if found else None
    except orjson.JSONDecodeError:
        members = None  # the word stood inside a feature
    if found and isinstance(members, dict):
        return _Source(text, found.end(), _crs_of(members, path))
    line = head.lstrip(b"\x1e \r\n\t").split(b"\n", 1)[0].strip()
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        first = None
    if not isinstance(first, dict) or first.get("type") not in ("Feature", "FeatureCollection"):
        raise not_a_map(path)
    if first["type"] == "FeatureCollection":
        raise BadInput(f"{path}: the layer has no features", path=str(path), code="empty_layer")
    return _Source(text, None, "EPSG:4326")


def _crs_of(members: dict[str, Any], path: Path) -> str:
    """The system an old GeoJSON file names; WGS84 degrees otherwise, as RFC 7946 says."""
    if members.get("type") not in ("FeatureCollection", None):
        raise not_a_map(path)
    named = members.get("crs")
    properties = named.get("properties") if isinstance(named, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return normalise(name) if isinstance(name, str) else "EPSG:4326"


def _features(source: _Source, size: int) -> Iterator[tuple[list[Any], float]]:
    """Features block by block, None for one that cannot be read, and the share of the file read so far."""
    return _of_lines(source, size) if source.start is None else _of_array(source, source.start, size)


def _of_lines(source: _Source, size: int) -> Iterator[tuple[list[Any], float]]:
    rest, read = b"", 0
    for block in utf8_blocks(source.text, size):
        read += len(block)
        *lines, rest = (rest + block).split(b"\n")
        _check_length(rest, source)
        if features := _loaded([line for line in map(_bare, lines) if line]):
            yield features, min(read / max(source.text.size, 1), 1.0)
    if last := _bare(rest):
        yield _loaded([last]), 1.0


def _of_array(source: _Source, start: int, size: int) -> Iterator[tuple[list[Any], float]]:
    starts, ends = np.empty(_OBJECTS, np.int64), np.empty(_OBJECTS, np.int64)
    rest, read, skip, state = b"", 0, start, 0
    for block in utf8_blocks(source.text, size):
        read += len(block)
        rest += block[skip:] if skip else block
        skip = max(0, skip - len(block))
        while True:
            count, behind, state = scan_objects(np.frombuffer(rest, np.uint8), starts, ends)
            if count:
                places = zip(starts[:count].tolist(), ends[:count].tolist(), strict=True)
                yield _loaded([rest[a:b] for a, b in places]), min(read / max(source.text.size, 1), 1.0)
            rest = rest[behind:]
            if state or count < _OBJECTS:
                break
        if state == 1:
            return
        if state == 2:
            raise BadInput(f"{source.text.path}: among the features there is something that is no object; {_LOOK}")
        _check_length(rest, source)
    raise BadInput(f"{source.text.path}: the list of features is cut off; {_LOOK}")


_LOOK: Final = "the file is damaged or no GeoJSON"


def _check_length(rest: bytes, source: _Source) -> None:
    if len(rest) > POINTS_ROW_BYTES_MAX:
        raise BadInput(
            f"{source.text.path}: a feature is longer than {POINTS_ROW_BYTES_MAX >> 20} MB; this is no file of points"
        )


def _bare(line: bytes) -> bytes:
    return line.strip(b"\x1e \r\t")


def _loaded(texts: list[bytes]) -> list[Any]:
    """All features at once; one by one when there is one that cannot be read (None)."""
    if not texts:
        return []
    try:
        found: list[Any] = orjson.loads(b"[" + b",".join(texts) + b"]")
    except orjson.JSONDecodeError:
        found = [_one(text) for text in texts]
    if len(found) != len(texts):  # a line that is several values
        found = [_one(text) for text in texts]
    return [feature if isinstance(feature, dict) else None for feature in found]


def _one(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, dict) else {}


def _batches(source: _Source, size: int, schema: pa.Schema, *, own_id: bool) -> Iterator[PointBatch]:
    for features, share in _features(source, size):
        x, y, faults = from_features(features)
        faults[[row for row, feature in enumerate(features) if feature is None]] = UNREADABLE
        tables = [_properties(feature) if feature else {} for feature in features]
        columns = [column_of([table.get(f.name) for table in tables], f.type) for f in schema if f.name != SHAPES]
        if own_id:
            columns[0] = column_of(
                [feature.get("id") if feature else None for feature in features], schema.field(0).type
            )
        columns.append(shapes_of(features, x, y)[0])
        yield PointBatch(pa.RecordBatch.from_arrays(columns, schema=schema), x, y, faults, share)
