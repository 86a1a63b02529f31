"""What GDAL reads (GeoPackage, GeoJSON, FlatGeobuf, shapefiles) as streams of points, by Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Final, cast

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from data.files import LayerSpec, not_a_map, ogr_source
from data.point_streams import coordinates
from data.point_streams.stream import PointBatch, PointStream, ahead
from gisgrid.crs import normalise
from gisgrid.errors import BadInput, GisgridError

BATCH_ROWS: Final = 1 << 16
SHAPES: Final = "geometry"
"""Name the geometry column has in the batches."""
TEXT_ENDINGS: Final = (".geojson", ".json", ".geojsonl", ".geojsons", ".ndjson")
_ERRORS: Final = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True)
class _Head:
    """What is known of a layer once it is open."""

    schema: pa.Schema
    crs: str | None
    geometry_type: str
    rows: int


def open_ogr(source: LayerSpec, crs: str | None, *, preferred: str, batch_rows: int | None = None) -> PointStream:
    """A layer of a map file, opened once and read once. Raises BadInput: no map, unknown layer, no geometry, no rows.

    GDAL keeps its error handlers by thread, so one thread opens the layer, reads it and closes it.
    """
    parts = ahead(_head_and_batches(source, preferred, batch_rows or BATCH_ROWS))
    try:
        head = next(parts)
    except BaseException:
        parts.close()
        raise
    assert isinstance(head, _Head)
    return PointStream(
        source.path, head.schema, crs or head.crs, lambda: cast(Iterator[PointBatch], parts), head.rows, SHAPES,
        geometry_type=head.geometry_type,
    )  # fmt: skip


def _head_and_batches(source: LayerSpec, preferred: str, size: int) -> Iterator[_Head | PointBatch]:
    # one layer, and GDAL reads a whole GeoJSON file to name it
    text = source.path.suffix.lower() in TEXT_ENDINGS and source.layer is None
    file, options = (str(source.path), {}) if text else ogr_source(source, preferred)
    # GDAL's own Arrow reader of FlatGeobuf loses its place behind a row without geometry (3.12); the general one does not
    pyogrio.set_gdal_config_options({"OGR_FLATGEOBUF_STREAM_BASE_IMPL": True})
    with ExitStack() as opened:
        try:
            about, reader = opened.enter_context(
                pyogrio.raw.open_arrow(file, use_pyarrow=True, batch_size=size, **options)
            )
            opened.callback(reader.close)  # before the data set under it is
            if about["geometry_type"] is None:
                raise BadInput(f"{source}: the layer has no geometry", path=str(source.path))
            schema = _renamed(reader.schema, about["geometry_name"])
            first = next(iter(reader), None)
            rows = _rows_about(source, file, options, text=text)
        except GisgridError:
            raise
        except (*_ERRORS, OSError) as error:
            raise not_a_map(source.path) from error
        if first is None or first.num_rows == 0:
            raise BadInput(f"{source}: the layer is empty", path=str(source.path), code="empty_layer")
        crs = normalise(about["crs"]) if about["crs"] else None
        yield _Head(schema, crs, str(about["geometry_type"]), rows)
        yield from _batches(source, schema, chain([first], reader), rows)


def _rows_about(source: LayerSpec, file: str, options: dict[str, str], *, text: bool) -> int:
    """How many rows there are, as far as that can be told without reading them; for text about."""
    if not text:
        return int(pyogrio.read_info(file, **options)["features"])
    with source.path.open("rb") as opened:
        begin = opened.read(1 << 20)
    features = begin.count(b'"Feature"') or 1
    return max(1, source.path.stat().st_size * features // max(len(begin), 1))


def _renamed(schema: pa.Schema, shapes: str) -> pa.Schema:
    """The geometry called `SHAPES` as plain WKB; an attribute of that name gives way."""
    taken = {field.name.lower() for field in schema}
    free = next(name for name in (f"{SHAPES}_{n}" for n in range(2, 1000)) if name not in taken)
    at = schema.get_field_index(shapes or "wkb_geometry")
    fields = [field.with_name(free) if field.name == SHAPES else field for field in schema]
    fields[at] = pa.field(SHAPES, pa.binary())
    return pa.schema(fields)


def _batches(
    source: LayerSpec, schema: pa.Schema, tables: Iterable[pa.RecordBatch], rows: int
) -> Iterator[PointBatch]:
    done = 0
    try:
        for found in tables:
            table = pa.RecordBatch.from_arrays([_plain(column) for column in found.columns], schema=schema)
            done += table.num_rows
            yield PointBatch(table, *coordinates.from_wkb(table.column(SHAPES)), min(done / max(rows, 1), 1.0))
    except (*_ERRORS, OSError) as error:
        raise BadInput(f"{source}: damaged after row {done}: {' '.join(str(error).split())[:200]}") from error


def _plain(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column
