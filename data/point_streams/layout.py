"""How an answered batch is laid out in a format: which columns, which geometry, in which system."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyproj

from data.point_streams import coordinates
from data.point_streams.answers import Grids, answer_columns
from data.point_streams.csv_text import unique_names
from data.point_streams.stream import PointBatch, PointStream
from gisgrid.crs import STORAGE_CRS, points_to_storage
from gisgrid.locate import Located
from gisgrid.locate.points import NO_FAULT, SWAPPED

Floats = npt.NDArray[np.float64]

DEGREES: Final = ("EPSG:4326", STORAGE_CRS)
_BENT: Final = ("gcj02", "bd09")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is written for every batch.

    ``kept`` are the input's columns (index, name), ``shapes`` the name of the geometry column or empty, ``same`` says
    that the input's own geometry is written again; ``lonlat`` adds the columns lon and lat. ``crs`` is the system of
    what is written, ``schema`` all of it.
    """

    stream: PointStream
    grids: Grids
    kept: tuple[int, ...]
    shapes: str
    same: bool
    lonlat: bool
    crs: str
    simple: bool
    schema: pa.Schema


def layout_for(stream: PointStream, grids: Grids, suffix: str) -> Layout:
    """The layout of a stream's answers in the format of a file ending.

    The answer's columns replace columns of the same name. A CSV file gets the input's columns as they are, and lon and
    lat when it had a geometry; Parquet gets a geometry unless it came as plain columns; all other formats have one.
    GCJ-02 and BD-09 have no name a map file could carry: such geometry is written in EPSG:4490.
    """
    text = suffix in (".csv", ".tsv")
    shaped = not text and not (suffix == ".parquet" and stream.plain)
    lonlat = text and stream.shapes is not None
    crs = _written_crs(str(stream.crs), suffix)
    taken = {field.name for field in grids.fields} | ({"lon", "lat"} if lonlat else set())
    taken |= set(stream.derived) if shaped else set()
    kept = tuple(
        at for at, field in enumerate(stream.schema) if field.name not in taken and field.name != stream.shapes
    )
    fields = [stream.schema.field(at) for at in kept]
    if suffix != ".parquet":
        fields = [pa.field(field.name, simple_type(field.type)) for field in fields]
    if lonlat:
        fields += [pa.field("lon", pa.float64()), pa.field("lat", pa.float64())]
    fields += [pa.field(f.name, f.type if suffix == ".parquet" else simple_type(f.type)) for f in grids.fields]
    same = shaped and stream.shapes is not None and (crs == stream.crs or {crs, stream.crs} <= set(DEGREES))
    same &= suffix == ".parquet" or (stream.encoding == "WKB" and suffix not in (".shp", ".zip"))
    if not text:
        folded = suffix != ".parquet"
        shapes = stream.shapes or "geometry" if shaped else ""
        names = unique_names([shapes, *(field.name for field in fields)], fold=folded)[1:]
        fields = [field.with_name(name) for field, name in zip(fields, names, strict=True)]
    else:
        shapes = ""
    if shapes:
        own = stream.schema.field(str(stream.shapes)) if same else pa.field(shapes, pa.binary())
        fields.append(own if suffix == ".parquet" else pa.field(shapes, pa.binary()))
    metadata = _geo_metadata(stream, shapes, crs, same=same) if shapes and suffix == ".parquet" else None
    schema = pa.schema(fields, metadata)
    return Layout(stream, grids, kept, shapes, same, lonlat, crs, suffix != ".parquet", schema)


def fill(layout: Layout, batch: PointBatch, found: Located) -> pa.RecordBatch:
    """One answered batch in the layout."""
    columns: list[Any] = [batch.table.column(at) for at in layout.kept]
    answers: list[Any] = answer_columns(layout.grids, found)
    if layout.simple:
        columns, answers = [simple(column) for column in columns], [simple(column) for column in answers]
    if layout.lonlat:
        lon, lat = _written(layout, batch, found, STORAGE_CRS)
        columns += [pa.array(lon, mask=~np.isfinite(lon)), pa.array(lat, mask=~np.isfinite(lat))]
    columns += answers
    if layout.same:
        columns.append(batch.table.column(str(layout.stream.shapes)))
    elif layout.shapes:
        columns.append(coordinates.to_wkb(*_written(layout, batch, found, layout.crs)))
    return pa.RecordBatch.from_arrays(columns, schema=layout.schema)


def _written(layout: Layout, batch: PointBatch, found: Located, crs: str) -> tuple[Floats, Floats]:
    """The points in the system to be written; NaN for rows whose coordinates mean nothing."""
    source = str(layout.stream.crs)
    if source == crs or (source in DEGREES and crs in DEGREES):
        x, y = batch.x, batch.y
    elif layout.grids.crs in DEGREES:
        x, y = found.x, found.y
    else:
        x, y = points_to_storage(batch.x, batch.y, source)
    useless = (found.faults != NO_FAULT) & (found.faults != SWAPPED)
    return (np.where(useless, np.nan, x), np.where(useless, np.nan, y)) if useless.any() else (x, y)


def _written_crs(source: str, suffix: str) -> str:
    if suffix in (".geojson", ".json"):  # RFC 7946 knows no degrees but these; projected layers name their system
        geographic = source in _BENT or pyproj.CRS.from_user_input(source).is_geographic
        return "EPSG:4326" if geographic else source
    if suffix in (".geojsonl", ".geojsons", ".ndjson"):
        return "EPSG:4326"
    return STORAGE_CRS if source in _BENT else source


def _geo_metadata(stream: PointStream, shapes: str, crs: str, *, same: bool) -> dict[bytes, bytes]:
    """GeoParquet 1.1 metadata: the input's own, with the system said for it, or new."""
    projjson = pyproj.CRS.from_user_input(crs).to_json_dict()
    known = (stream.schema.metadata or {}).get(b"geo")
    if same and known:
        geo = json.loads(known)
        geo["columns"][shapes]["crs"] = projjson
    else:
        encoding = "point" if same and stream.encoding == "point" else "WKB"
        column: dict[str, Any] = {"encoding": encoding, "geometry_types": ["Point"] if not same else []}
        geo = {"version": "1.1.0", "primary_column": shapes, "columns": {shapes: column | {"crs": projjson}}}
    return {b"geo": json.dumps(geo).encode()}


# --- columns every format takes ---------------------------------------------------------


def simple_type(kind: pa.DataType) -> pa.DataType:
    """The type a column has in formats that know numbers, text, dates and bytes only."""
    types = pa.types
    if types.is_dictionary(kind):
        return simple_type(kind.value_type)
    if types.is_decimal(kind) or types.is_float16(kind):
        return pa.float64()
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return kind
    if types.is_date(kind) or types.is_timestamp(kind) or types.is_time(kind):
        return kind
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    return pa.string()


def simple(column: pa.Array) -> pa.Array:
    """The column in its `simple_type`; lists, structs and maps become JSON text."""
    wanted = simple_type(column.type)
    if column.type == wanted:
        return column
    if pa.types.is_dictionary(column.type):
        return simple(pc.take(column.dictionary, column.indices))
    if pa.types.is_nested(column.type) or isinstance(column, pa.ExtensionArray):
        texts = [None if value is None else _json_text(value) for value in column.to_pylist()]
        return pa.array(texts, pa.string())
    return column.cast(wanted, safe=False)


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
