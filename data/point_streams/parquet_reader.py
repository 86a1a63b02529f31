"""Parquet and GeoParquet as streams of points: row groups read column by column, without copies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from data.files import not_a_map
from data.point_streams import coordinates
from data.point_streams.columns import position_columns
from data.point_streams.stream import PointBatch, PointStream
from gisgrid.crs import normalise
from gisgrid.errors import BadInput

Floats = npt.NDArray[np.float64]
Faults = npt.NDArray[np.int8]
Read = Callable[[pa.RecordBatch], tuple[Floats, Floats, Faults]]

BATCH_BYTES: Final = 64 << 20
"""Decoded bytes a batch should have when the caller does not say how many rows."""
BATCH_ROWS: Final = 1 << 20
_BUFFER_BYTES: Final = 1 << 20  # a column chunk is streamed through it, however long the row group


def open_parquet(
    path: Path,
    crs: str | None,
    columns: tuple[str, str] | None,
    *,
    batch_rows: int | None = None,
    coded: bool = False,
) -> PointStream:
    """A Parquet file: GeoParquet (WKB or GeoArrow points), or a table with coordinate columns.

    ``coded`` keeps text and bytes as a number a row and the values once, as they lie in the file: a small file cannot
    become large in memory then. Raises BadInput: no Parquet, no rows, no coordinates.
    """
    file = _opened(path)
    if coded:
        texts = tuple(field.name for field in file.schema_arrow if _is_bytes(field.type))
        file.close()
        file = _opened(path, texts)
    else:
        texts = ()
    schema, rows = file.schema_arrow, file.metadata.num_rows
    if rows == 0:
        raise BadInput(f"{path}: the layer is empty", path=str(path), code="empty_layer")
    asked = batch_rows or _batch_rows(file.metadata)
    file.close()
    shapes, encoding, own_crs, kind = (None, "WKB", None, "Point") if columns else _geometry(schema, path)
    if shapes is None:
        position = position_columns(schema.names, columns, path)
        read: Read = position.read
        derived = (position.wkt,) if position.wkt else ()
    else:
        convert = coordinates.from_wkb if encoding == "WKB" else coordinates.from_geoarrow
        derived = ()

        def read(table: pa.RecordBatch) -> tuple[Floats, Floats, Faults]:
            return convert(table.column(shapes))

    return PointStream(
        path, schema, crs or own_crs, lambda: _batches(path, asked, rows, read, texts), rows, shapes, encoding, kind,
        derived, plain=shapes is None,
    )  # fmt: skip


def _batch_rows(about: pq.FileMetaData) -> int:
    """As many rows as make a batch of a good size; whole row groups where they are about that, which spares copies."""
    size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    rows = int(np.clip(BATCH_BYTES * about.num_rows // max(size, 1), 1024, BATCH_ROWS))
    group = int(about.row_group(0).num_rows)
    return group if rows // 2 <= group <= rows else rows


def _opened(path: Path, coded: tuple[str, ...] = ()) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False, read_dictionary=list(coded))
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_a_map(path) from error


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _batches(path: Path, size: int, rows: int, read: Read, coded: tuple[str, ...]) -> Iterator[PointBatch]:
    done = 0
    try:
        with _opened(path, coded) as file:
            for table in file.iter_batches(size):
                done += table.num_rows
                yield PointBatch(table, *read(table), done / rows)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: damaged after row {done}: {' '.join(str(error).split())[:200]}") from error


def _geometry(schema: pa.Schema, path: Path) -> tuple[str | None, str, str | None, str]:
    """The geometry column by GeoParquet's metadata or GeoArrow's field names → (name, encoding, crs, geometry type).

    The encoding is ``WKB`` or ``point``; without a geometry column the name is None.
    """
    kinds: Any = None
    geo = _json((schema.metadata or {}).get(b"geo"))
    name = geo.get("primary_column")
    if isinstance(name, str) and name in schema.names:
        told = _object(_object(geo.get("columns")).get(name))
        encoding = str(told.get("encoding", "WKB"))
        crs = told.get("crs", "OGC:CRS84")  # left out means this, null means unknown
        kinds = told.get("geometry_types")
    else:
        found = next((field for field in schema if _extension(field).startswith("geoarrow.")), None)
        if found is None:
            return None, "WKB", None, "Point"
        name, encoding = found.name, _extension(found).removeprefix("geoarrow.")
        crs = _extension_crs(found)
    if encoding.lower() not in ("wkb", "point"):
        raise BadInput(f"{path}: geometry is encoded as {encoding}; points are read as WKB or point", path=str(path))
    wkb = encoding.lower() == "wkb"
    return name, "WKB" if wkb else "point", _crs_name(crs), "Point" if kinds == ["Point"] or not wkb else "Unknown"


def _crs_name(crs: Any) -> str | None:
    if not crs:
        return None
    return normalise(json.dumps(crs) if isinstance(crs, dict) else str(crs))


def _extension(field: pa.Field) -> str:
    if isinstance(field.type, pa.BaseExtensionType):
        return str(field.type.extension_name)
    return str((field.metadata or {}).get(b"ARROW:extension:name", b""), "utf-8", "replace")


def _extension_crs(field: pa.Field) -> Any:
    told = (field.metadata or {}).get(b"ARROW:extension:metadata")
    if isinstance(field.type, pa.BaseExtensionType):
        told = field.type.__arrow_ext_serialize__()
    return _json(told).get("crs")


def _json(text: bytes | None) -> dict[str, Any]:
    try:
        return _object(json.loads(text or b"{}"))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
