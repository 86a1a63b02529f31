"""What children do: list a file's layers, read one, look a Parquet table through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from data.bounded.archives import unpack
from gisgrid.errors import BadInput

_SIGNS: Final = {".gpkg": b"SQLite format 3\x00", ".fgb": b"fgb", ".shp": b"\x00\x00\x27\x0a"}
_HEAD_BYTES: Final = 1 << 16
_NO_NETWORK: Final = {"GDAL_HTTP_PROXY": "127.0.0.1:9", "GDAL_HTTP_MAX_RETRY": "0", "CPL_CURL_ENABLE_VSIMEM": "NO"}
_BATCH_ROWS: Final = 1 << 16
_ERRORS: Final = (DataSourceError, DataLayerError, UnicodeDecodeError, pa.ArrowException, ValueError, OSError)


def layers(path: str, folder: str, about: str) -> list[list[Any]]:
    """[file, layer, geometry type or None] of a map file, or of the map files in a zip, inflated into ``folder``.

    Raises BadInput as `unpack`, and with the code ``no_map`` for what cannot be opened.
    """
    _without_network()
    files = unpack(Path(path), Path(folder), about=about) if path.lower().endswith(".zip") else [Path(path)]
    found: list[list[Any]] = []
    for file in files:
        _check_sign(file, about)
        try:
            named = pyogrio.list_layers(file)
        except _ERRORS as error:
            raise _no_map(about) from error
        found += [[str(file), str(name), kind] for name, kind in named]
    return found


def read(file: str, options: dict[str, str], out: str, about: str) -> dict[str, Any]:
    """Write a layer as an Arrow file ``out``; what pyogrio tells of it. Raises BadInput with the code ``no_map``."""
    _without_network()
    _check_sign(Path(file), about)
    try:
        told, table = pyogrio.raw.read_arrow(file, datetime_as_string=True, **options)
        with pa.OSFile(out, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    except MemoryError:
        raise
    except _ERRORS as error:
        raise _no_map(about) from error
    return {
        "crs": told["crs"], "geometry_name": told["geometry_name"], "fields": [str(name) for name in told["fields"]],
        "dtypes": [None if kind is None else str(kind) for kind in told["dtypes"]],
        "subtypes": [str(kind) for kind in told["ogr_subtypes"]],
    }  # fmt: skip


def parquet(path: str, out: str, about: str, rows_max: int, bytes_max: int) -> dict[str, Any]:
    """Look a Parquet table through, and write it anew as ``out`` with a footer of our own making.

    ``{"rows": n}``: its rows; more than ``rows_max`` are not looked through. Raises BadInput: no Parquet, not the rows
    its footer says, over ``bytes_max`` decoded.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as about_file:
            schema, rows = about_file.schema_arrow, about_file.metadata.num_rows
        if rows > rows_max:
            return {"rows": rows}
        texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)]
        with pq.ParquetFile(path, pre_buffer=False, read_dictionary=texts) as file:
            done, size = 0, 0
            with pq.ParquetWriter(out, file.schema_arrow, compression="NONE", write_statistics=False) as writer:
                for batch in file.iter_batches(_BATCH_ROWS):
                    done += batch.num_rows
                    size += sum(decoded_bytes(column) for column in batch.columns)
                    if size > bytes_max:
                        most = f"{bytes_max >> 20} MB"
                        raise BadInput(f"{about}: the rows are larger than {most}; send fewer or shorter ones")
                    writer.write_batch(batch)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _no_map(about) from error
    if done != rows:
        raise _no_map(about)
    return {"rows": rows}


def decoded_bytes(column: pa.Array) -> int:
    """Bytes of a column written out in full."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0) + 4 * len(column)


def _check_sign(file: Path, about: str) -> None:
    """Raise BadInput when a file is not of the kind its ending says: other kinds may name files and hosts to read."""
    with file.open("rb") as source:
        head = source.read(_HEAD_BYTES)
    ending = file.suffix.lower()
    if ending in _SIGNS:
        sound = head.startswith(_SIGNS[ending])
    else:
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n\x1e")
        sound = text.startswith(b"{") and b"gdal_streamed_alg" not in head
    if not sound:
        raise _no_map(about)


def _without_network() -> None:
    pyogrio.set_gdal_config_options(_NO_NETWORK)


def _no_map(about: str) -> BadInput:
    return BadInput(f"{about}: cannot be opened", code="no_map")


TASKS: Final[dict[str, Callable[..., Any]]] = {"layers": layers, "read": read, "parquet": parquet}
