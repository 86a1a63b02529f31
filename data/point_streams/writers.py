"""Writing answered batches: complete or not at all, one batch in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.csv_cells import harmless, harmless_column
from data.exporters import check_target
from data.point_streams.features import geometries_json
from data.point_streams.layout import Layout
from data.point_streams.ogr_writer import DRIVERS, parts_of, write_ogr
from gisgrid.errors import BadInput, Broken

WRITABLE: Final = (
    ".csv", ".tsv", ".parquet", ".gpkg", ".geojson", ".json", ".geojsonl", ".geojsons", ".ndjson", ".fgb", ".shp",
    ".zip",
)  # fmt: skip


def check_output(path: Path, *inputs: Path) -> None:
    """Raise BadInput when the file cannot be written or is one of the inputs."""
    check_target(path, endings=WRITABLE)
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise BadInput(f"{path}: is the input; give another file for the answer", path=str(path))


def write_batches(path: Path, layout: Layout, batches: Iterator[pa.RecordBatch], layer: str) -> None:
    """Write the batches to ``path`` by its ending; it appears when it is complete and not before.

    Raises BadInput when the format cannot hold the data or the file may not be written, Broken when the disk refuses,
    and whatever the batches raise.
    """
    suffix = path.suffix.lower()
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-", suffix=".part") as folder:
            made = Path(folder) / path.name
            if suffix in (".csv", ".tsv"):
                _write_csv(made, layout, batches)
            elif suffix == ".parquet":
                _write_parquet(made, layout, batches)
            elif suffix not in DRIVERS:
                _write_geojson(made, layout, batches)
            else:
                write_ogr(made, layout, batches, layer)
            for part in parts_of(made):
                _publish(part, path.with_name(part.name))
    except PermissionError as error:
        raise BadInput(f"{path}: may not be written: {error.strerror}", path=str(path)) from error
    except OSError as error:
        raise Broken(f"{path}: could not be written: {error.strerror or error}", path=str(path)) from error


def _publish(made: Path, target: Path) -> None:
    with made.open("rb+") as file:
        os.fsync(file.fileno())
    made.replace(target)


# --- tables -----------------------------------------------------------------------------


def _write_csv(path: Path, layout: Layout, batches: Iterator[pa.RecordBatch]) -> None:
    mark = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open("wb") as out:
        if layout.stream.bom:
            out.write(b"\xef\xbb\xbf")
        out.write(_lines([pa.array([harmless(name)]) for name in layout.schema.names], mark))
        for batch in batches:
            out.write(_lines([harmless_column(_text(column)) for column in batch.columns], mark))


def _lines(columns: list[pa.Array], mark: str) -> memoryview:
    """Text columns as CSV rows: quoted where they must be, null as nothing."""
    quoted = [pc.fill_null(_quoted(column, mark), "") for column in columns]
    rows = pc.binary_join_element_wise(*quoted, mark)
    rows = pc.binary_join_element_wise(rows, "\n", "") if len(rows) else rows
    offsets = memoryview(rows.buffers()[1]).cast("i")
    return memoryview(rows.buffers()[2] or b"")[offsets[rows.offset] : offsets[rows.offset + len(rows)]]


def _quoted(column: pa.Array, mark: str) -> pa.Array:
    if not _holds(column, f'"\r\n{mark}'.encode()):
        return column
    special = pc.match_substring_regex(column, f'["\r\n{mark}]')
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")
    return pc.if_else(special, wrapped, column)


def _holds(column: pa.Array, special: bytes) -> bool:
    """Whether any of the bytes occurs in a text column; a look at its memory is quicker than one at each value."""
    data = column.buffers()[2]
    if data is None:
        return False
    view = np.frombuffer(data, np.uint8)
    return any(bool((view == byte).any()) for byte in special)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if pa.types.is_binary(column.type):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _write_parquet(path: Path, layout: Layout, batches: Iterator[pa.RecordBatch]) -> None:
    coded = [field.name for field in layout.schema if _repeats(field.type)]
    page = 8 * len(layout.grids.codes) + layout.grids.codes.nbytes + (1 << 20)
    options: dict[str, Any] = {"use_dictionary": coded, "dictionary_pagesize_limit": page, "write_statistics": False}
    # numbers hardly shrink: the quickest; text does
    options["compression"] = {
        field.name: "zstd" if pa.types.is_string(field.type) else "snappy" for field in layout.schema
    }
    with pq.ParquetWriter(path, layout.schema, **options) as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=max(len(batch), 1))


def _write_geojson(path: Path, layout: Layout, batches: Iterator[pa.RecordBatch]) -> None:
    """A FeatureCollection, or for other endings one feature a line."""
    whole = path.suffix.lower() in (".geojson", ".json")
    head: dict[str, Any] = {"type": "FeatureCollection", "name": path.stem}
    if layout.crs != "EPSG:4326":  # RFC 7946 has no other; this is how the format said it before
        head["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{layout.crs.replace(':', '::')}"}}
    with path.open("wb") as out:
        if whole:
            out.write(orjson.dumps(head)[:-1] + b',"features":[\n')
        between = b""
        for batch in batches:
            lines = _feature_lines(batch, layout.shapes)
            out.write(between + (b",\n" if whole else b"\n").join(lines))
            between = (b",\n" if whole else b"\n") if lines else between
        out.write(b"\n]}\n" if whole else b"\n")


def _feature_lines(batch: pa.RecordBatch, shapes: str) -> list[bytes]:
    names = [name for name in batch.schema.names if name != shapes]
    columns = [
        (_text(column) if pa.types.is_binary(column.type) else column).to_pylist()
        for column in (batch.column(name) for name in names)
    ]
    rows = zip(*columns, strict=True) if columns else ((),) * len(batch)
    return [
        orjson.dumps({"type": "Feature", "properties": dict(zip(names, row, strict=True)), "geometry": geometry})
        for row, geometry in zip(rows, geometries_json(batch.column(shapes)), strict=True)
    ]


def _repeats(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))
