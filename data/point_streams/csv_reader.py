"""CSV as a stream of points: Arrow's parser for good blocks, Python's for blocks that hold a bad row."""

from __future__ import annotations

import csv
import io
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from data.csv_cells import restored_column
from data.point_streams.columns import Position, position_columns
from data.point_streams.csv_text import CsvText, Piece, blocks, look_at
from data.point_streams.stream import PointBatch, PointStream
from data.point_streams.text import BLOCK_BYTES
from gisgrid.errors import BadInput
from gisgrid.locate.points import NO_FAULT, TOO_LONG, UNREADABLE

Faults = npt.NDArray[np.int8]

_INTEGER: Final = r"^-?(0|[1-9][0-9]{0,14})$"
_NUMBER: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"
_KEPT_TEXT: Final = ("code", "id", "编码", "代码")


@dataclass(frozen=True, slots=True)
class _Parser:
    """What the parsing of every block needs."""

    text: CsvText
    schema: pa.Schema
    position: Position
    block_bytes: int


def open_csv(
    path: Path, crs: str | None, columns: tuple[str, str] | None, *, typed: bool, block_bytes: int = BLOCK_BYTES
) -> PointStream:
    """A CSV file; columns stay text, or with ``typed`` become numbers where every value of the file plainly is one.

    Raises BadInput: no text, no rows, no coordinate columns.
    """
    text = look_at(path)
    position = position_columns(text.names, columns, path)
    if next(blocks(text, 1 << 16), None) is None:
        raise BadInput(f"{path}: the layer is empty", path=str(path), code="empty_layer")
    schema = pa.schema([pa.field(name, pa.string()) for name in text.names])
    parser = _Parser(text, schema, position, block_bytes)
    if typed:
        parser = _Parser(text, _typed_schema(parser), position, block_bytes)
    derived = (position.wkt,) if position.wkt else ()
    return PointStream(path, parser.schema, crs, lambda: _batches(parser), derived=derived, bom=text.text.bom > 0)


def _batches(parser: _Parser) -> Iterator[PointBatch]:
    for pieces, share in blocks(parser.text, parser.block_bytes):
        table, faults = _parsed(pieces, parser.text, parser.schema)
        if table.num_rows == 0:
            continue
        x, y, own = parser.position.read(table)
        yield PointBatch(table, x, y, np.where(faults != NO_FAULT, faults, own).astype(np.int8), share)


def _parsed(pieces: list[Piece], text: CsvText, schema: pa.Schema) -> tuple[pa.RecordBatch, Faults]:
    """Columns and faults of the rows of one block."""
    data = pieces[0].text if len(pieces) == 1 and not pieces[0].broken else b""
    if data and not data.startswith(BOM_UTF8):  # Arrow would take one for the file's and leave it out
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(data),
                read_options=pa_csv.ReadOptions(column_names=text.names, block_size=len(data) + 1, use_threads=False),
                parse_options=pa_csv.ParseOptions(delimiter=text.separator, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
                ),
            )
        except pa.ArrowInvalid:
            pass  # a row too short or too long: read one by one below
        else:
            columns = [restored_column(_whole(column)) for column in table.columns]
            batch = pa.RecordBatch.from_arrays(columns, schema=schema)
            return batch, np.zeros(len(batch), np.int8)
    return _one_by_one(pieces, text, schema)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _one_by_one(pieces: list[Piece], text: CsvText, schema: pa.Schema) -> tuple[pa.RecordBatch, Faults]:
    """The slow road: short rows are filled up, long ones cut with a fault, broken lines kept in the first columns."""
    csv.field_size_limit(sys.maxsize)
    width = len(text.names)
    rows: list[list[str]] = []
    faults: list[int] = []
    for piece in pieces:
        lines = piece.text.decode("utf-8", "replace")
        if piece.broken:
            rows.append(_filled(lines.split(text.separator), width))
            faults.append(UNREADABLE)
            continue
        for row in csv.reader(io.StringIO(lines, newline=""), delimiter=text.separator):
            if row:
                rows.append(_filled(row, width))
                faults.append(TOO_LONG if any(row[width:]) else NO_FAULT)
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * width
    arrays = [_cast(restored_column(pa.array([value or None for value in column], pa.string())), field.type)
              for column, field in zip(columns, schema, strict=True)]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, schema=schema), np.array(faults, np.int8)


def _filled(row: list[str], width: int) -> list[str]:
    return row[:width] + [""] * (width - len(row))


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column if column.type == kind else column.cast(kind)


# --- what is a number -------------------------------------------------------------------


def _typed_schema(parser: _Parser) -> pa.Schema:
    """Types after a look at every value: as `data.files.read_layer` decides, but block by block."""
    text = parser.text
    whole = {name for name in text.names if not name.lower().endswith(_KEPT_TEXT)}
    real, filled = set(whole), set[str]()
    for pieces, _ in blocks(text, parser.block_bytes):
        if not real:
            break
        table = _parsed(pieces, text, parser.schema)[0]
        for name in list(real):
            column = table.column(name)
            if len(column) > column.null_count:
                filled.add(name)
            if not _all_match(column, _NUMBER):
                real.discard(name)
            if not _all_match(column, _INTEGER):
                whole.discard(name)
    return pa.schema([
        pa.field(name, pa.string() if name not in real & filled else pa.int64() if name in whole else pa.float64())
        for name in text.names
    ])  # fmt: skip


def _all_match(column: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(column, pattern), skip_nulls=True, min_count=0).as_py() is not False
