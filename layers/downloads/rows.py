"""Features from PostGIS in batches of Arrow columns, read through a cursor on the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
import sqlalchemy as sa

from gisgrid.crs import points_from_storage
from gisgrid.errors import BadInput
from layers.catalog import Attribute
from layers.downloads.chosen import Selection

BATCH: Final = 4_000
"""Features read and written at a time."""
GEOMETRY: Final = "geometry"
_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": pa.timestamp("us", tz="UTC"),
    "array": pa.string(),
}


def schema_of(selection: Selection, *, text_times: bool = False) -> pa.Schema:
    """Columns of the batches: the attributes, then ``geometry`` as WKB. ``text_times``: times as ISO 8601 texts, for
    formats that have none.
    """
    fields = [pa.field(a.name, _type(a, text_times)) for a in selection.attributes]
    named = {b"ARROW:extension:name": b"geoarrow.wkb", b"ARROW:extension:metadata": b"{}"}
    return pa.schema([*fields, pa.field(GEOMETRY, pa.binary(), metadata=named)])


def streamed(connection: sa.Connection, query: sa.Select[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    """Rows of a query in lists of ``size``; the database keeps the rest until it is asked for."""
    result = connection.execution_options(stream_results=True, max_row_buffer=size).execute(query)
    try:
        yield from result.partitions(size)
    finally:
        result.close()


def batches(
    connection: sa.Connection, selection: Selection, *, text_times: bool = False, size: int = BATCH
) -> Iterator[pa.RecordBatch]:
    """The features, in the selection's coordinate system."""
    schema = schema_of(selection, text_times=text_times)
    columns = [a.column.label(f"a{i}") for i, a in enumerate(selection.attributes)]
    query = selection.query(*columns, sa.func.ST_AsBinary(selection.layer.geometry).label("shape"))
    for rows in streamed(connection, query, size):
        *values, shapes = zip(*rows, strict=True)
        arrays = [
            pa.array(_converted(column, a.kind, text_times), type=field.type)
            for column, a, field in zip(values, selection.attributes, schema, strict=False)
        ]
        arrays.append(pa.array(moved(shapes, selection), type=pa.binary()))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def moved(shapes: Sequence[Any], selection: Selection) -> Sequence[Any]:
    """Shapes in WKB, from storage to the selection's system. Raises BadInput where that system does not reach."""
    if selection.degrees:
        return [bytes(shape) for shape in shapes]
    return list(shapely.to_wkb(projected(shapes, selection)))


def projected(shapes: Sequence[Any], selection: Selection) -> np.ndarray[Any, Any]:
    """Geometries in the selection's system of shapes in WKB."""
    found = shapely.from_wkb(np.array([bytes(shape) for shape in shapes], dtype=object))
    if selection.degrees:
        return np.asarray(found)

    def move(coordinates: Any) -> Any:
        x, y = points_from_storage(coordinates[:, 0], coordinates[:, 1], selection.crs)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise BadInput(f"crs={selection.crs} does not reach these features; choose the zone they lie in")
        return np.column_stack([x, y])

    return np.asarray(shapely.transform(found, move))


def _type(attribute: Attribute, text_times: bool) -> pa.DataType:
    return pa.string() if text_times and attribute.kind == "date-time" else _TYPES[attribute.kind]


def _converted(column: Sequence[Any], kind: str, text_times: bool) -> Sequence[Any]:
    """Values Arrow does not take as the database gives them."""
    if kind == "array":
        return [None if v is None else json.dumps(v, ensure_ascii=False, sort_keys=True) for v in column]
    if kind == "number":
        return [None if v is None else float(v) for v in column]
    if kind == "date-time" and text_times:
        return [None if v is None else v.isoformat() for v in column]
    return column
