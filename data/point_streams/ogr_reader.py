"""What GDAL reads (GeoPackage, FlatGeobuf, shapefiles) as streams of points, by Arrow batches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from data.files import LayerSpec, not_a_map, ogr_source
from data.point_streams import coordinates
from data.point_streams.stream import PointBatch, PointStream
from gisgrid.crs import normalise
from gisgrid.errors import BadInput

BATCH_ROWS: Final = 1 << 16
GENERAL_READER: Final = "OGR_FLATGEOBUF_STREAM_BASE_IMPL"
SHAPES: Final = "geometry"
"""Name the geometry column has in the batches."""
_ERRORS: Final = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException, ValueError, RuntimeError)


def open_ogr(source: LayerSpec, crs: str | None, *, preferred: str, batch_rows: int | None = None) -> PointStream:
    """A layer of a map file. Raises BadInput: no map, unknown layer, no geometry, no rows."""
    folder = tempfile.TemporaryDirectory(prefix="gisgrid-", ignore_cleanup_errors=True)
    file, options = ogr_source(source, preferred, Path(folder.name))
    try:
        about = pyogrio.read_info(file, force_feature_count=True, **options)
    except _ERRORS as error:
        raise not_a_map(source.path) from error
    if about["geometry_type"] is None:
        raise BadInput(f"{source}: the layer has no geometry", path=str(source.path))
    rows = int(about["features"])
    if rows == 0:
        raise BadInput(f"{source}: the layer is empty", path=str(source.path), code="empty_layer")
    try:
        with _opened(file, 1, options) as (told, reader):
            schema = _renamed(reader.schema, told["geometry_name"])
            reader.close()
    except (*_ERRORS, OSError) as error:
        raise not_a_map(source.path) from error
    own_crs = normalise(about["crs"]) if about["crs"] else None

    def batches(unfolded: Any = folder) -> Iterator[PointBatch]:  # the folder stays as long as the stream
        return _batches(source, file, options, schema, batch_rows or BATCH_ROWS, rows)

    kind = str(about["geometry_type"])
    return PointStream(source.path, schema, crs or own_crs, batches, rows, SHAPES, geometry_type=kind)


def _renamed(schema: pa.Schema, shapes: str) -> pa.Schema:
    """The geometry called `SHAPES` as plain WKB; an attribute of that name gives way."""
    taken = {field.name.lower() for field in schema}
    free = next(name for name in (f"{SHAPES}_{n}" for n in range(2, 1000)) if name not in taken)
    at = schema.get_field_index(shapes or "wkb_geometry")
    fields = [field.with_name(free) if field.name == SHAPES else field for field in schema]
    fields[at] = pa.field(SHAPES, pa.binary())
    return pa.schema(fields)


def _batches(
    source: LayerSpec, file: str, options: dict[str, str], schema: pa.Schema, size: int, rows: int
) -> Iterator[PointBatch]:
    """Opened, read and closed by whoever draws, since GDAL keeps its error handlers by thread."""
    done = 0
    try:
        with _opened(file, size, options) as (_, reader), closing(reader):
            for found in reader:
                table = pa.RecordBatch.from_arrays([_plain(column) for column in found.columns], schema=schema)
                done += table.num_rows
                yield PointBatch(table, *coordinates.from_wkb(table.column(SHAPES)), min(done / rows, 1.0))
    except (*_ERRORS, OSError) as error:
        raise BadInput(f"{source}: damaged after row {done}: {' '.join(str(error).split())[:200]}") from error
    if done < rows:  # GDAL says nothing of a FlatGeobuf that ends too soon
        raise BadInput(f"{source}: cut short after row {done} of {rows}")


@contextmanager
def _opened(file: str, size: int, options: dict[str, str]) -> Iterator[Any]:
    """GDAL's Arrow stream. Its own reader of FlatGeobuf loses its place behind a row without geometry (3.12), the
    general one does not: it is asked for while this stream is read."""
    pyogrio.set_gdal_config_options({GENERAL_READER: True})
    try:
        with pyogrio.raw.open_arrow(file, use_pyarrow=True, batch_size=size, **options) as opened:
            yield opened
    finally:
        pyogrio.set_gdal_config_options({GENERAL_READER: None})


def _plain(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column
