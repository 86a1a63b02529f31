"""What GDAL reads (GeoPackage, GeoJSON, FlatGeobuf, shapefiles) as streams of points, by Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from data.files import LayerSpec, not_a_map, ogr_source
from data.point_streams import coordinates
from data.point_streams.stream import PointBatch, PointStream
from gisgrid.crs import normalise
from gisgrid.errors import BadInput

BATCH_ROWS: Final = 1 << 16
SHAPES: Final = "geometry"
"""Name the geometry column has in the batches."""
_ERRORS: Final = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException, ValueError, RuntimeError)


def open_ogr(source: LayerSpec, crs: str | None, *, preferred: str, batch_rows: int | None = None) -> PointStream:
    """A layer of a map file. Raises BadInput: no map, unknown layer, no geometry, no rows."""
    file, options = ogr_source(source, preferred)
    try:
        about = pyogrio.read_info(file, force_feature_count=True, **options)
    except _ERRORS as error:
        raise not_a_map(source.path) from error
    if about["geometry_type"] is None:
        raise BadInput(f"{source}: the layer has no geometry", path=str(source.path))
    rows = int(about["features"])
    if rows == 0:
        raise BadInput(f"{source}: the layer is empty", path=str(source.path), code="empty_layer")
    own_crs = normalise(about["crs"]) if about["crs"] else None
    size = batch_rows or BATCH_ROWS
    return PointStream(
        source.path, _schema(source, file, options), crs or own_crs, lambda: _batches(source, file, options, size, max(rows, 1)),
        rows if rows > 0 else None, SHAPES, geometry_type=str(about["geometry_type"]),
    )  # fmt: skip


def _schema(source: LayerSpec, file: str, options: dict[str, str]) -> pa.Schema:
    try:
        with pyogrio.raw.open_arrow(file, use_pyarrow=True, batch_size=1, **options) as (about, reader):
            return _renamed(reader.schema, about["geometry_name"])
    except (*_ERRORS, OSError) as error:
        raise not_a_map(source.path) from error


def _renamed(schema: pa.Schema, shapes: str) -> pa.Schema:
    """The geometry called `SHAPES` as plain WKB; an attribute of that name gives way."""
    taken = {field.name.lower() for field in schema}
    free = next(name for name in (f"{SHAPES}_{n}" for n in range(2, 1000)) if name not in taken)
    at = schema.get_field_index(shapes or "wkb_geometry")
    fields = [field.with_name(free) if field.name == SHAPES else field for field in schema]
    fields[at] = pa.field(SHAPES, pa.binary())
    return pa.schema(fields)


def _batches(source: LayerSpec, file: str, options: dict[str, str], size: int, rows: int) -> Iterator[PointBatch]:
    done = 0
    try:
        with pyogrio.raw.open_arrow(file, use_pyarrow=True, batch_size=size, **options) as (about, reader):
            schema = _renamed(reader.schema, about["geometry_name"])
            for found in reader:
                table = pa.RecordBatch.from_arrays([_plain(column) for column in found.columns], schema=schema)
                done += table.num_rows
                yield PointBatch(table, *coordinates.from_wkb(table.column(SHAPES)), min(done / rows, 1.0))
    except PermissionError:
        raise
    except (*_ERRORS, OSError) as error:
        raise BadInput(f"{source}: damaged after row {done}: {' '.join(str(error).split())[:200]}") from error


def _plain(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column
