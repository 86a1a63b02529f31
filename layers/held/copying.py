"""Rows of a query as arrays: PostgreSQL's binary COPY, taken apart by compiled code and not value by value.

The form is that of the PostgreSQL manual, COPY, "Binary Format": a header of 19 bytes, then of every row the number of
its fields and of every field its length (-1: null) and its bytes, numbers with their highest byte first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numba import njit
from numpy.typing import NDArray
from sqlalchemy.dialects.postgresql import psycopg as dialects

from gisgrid.errors import Broken

CHUNK_BYTES: Final = 16 * 1024 * 1024
"""Bytes taken apart at a time."""
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
POINT: Final = np.frombuffer(b"\x01\x01\0\0\0", np.uint8)
"""What the WKB of a point begins with."""
POINT_BYTES: Final = 21
_DIALECT: Final = dialects.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a query: ``data`` their bytes, ``starts`` and ``lengths`` (k, f) of every field in it (-1: null)."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts)

    def nulls(self, field: int) -> NDArray[np.bool_]:
        """Which rows have nothing there."""
        found: NDArray[np.bool_] = self.lengths[:, field] < 0
        return found

    def numbers(self, field: int, kind: str) -> NDArray[Any]:
        """A field of fixed length (``kind``: int64, float64 or bool; cast to bigint, double precision or boolean in
        the query); 0 where it is null."""
        size = np.dtype(kind).itemsize
        raw: NDArray[np.uint8] = _fixed(self.data, self.starts[:, field], self.lengths[:, field], size)
        return raw.view(np.dtype(kind).newbyteorder(">") if size > 1 else kind).ravel().astype(kind)

    def texts(self, field: int) -> pa.Array:
        """A field of text, as an Arrow array of UTF-8."""
        offsets, content = _packed(self.data, self.starts[:, field], self.lengths[:, field])
        nulls = self.nulls(field)
        valid = pa.py_buffer(np.packbits(~nulls, bitorder="little")) if nulls.any() else None
        parts = [valid, pa.py_buffer(offsets), pa.py_buffer(content)]
        return pa.Array.from_buffers(pa.large_string(), len(self), parts)

    def points(self, field: int) -> NDArray[np.float64] | None:
        """Coordinates (k, 2) of a field of WKB; None when not all are plain points."""
        starts, lengths = self.starts[:, field], self.lengths[:, field]
        if not len(self) or (lengths != POINT_BYTES).any() or not _begin_with(self.data, starts, POINT):
            return None
        raw = _fixed(self.data, starts + len(POINT), lengths - len(POINT), 16)
        coords: NDArray[np.float64] = raw.view("<f8").astype(np.float64)
        return coords if np.isfinite(coords).all() else None

    def blobs(self, field: int) -> NDArray[np.object_]:
        """A field of bytes, as objects (None: null)."""
        whole = self.data.tobytes()
        starts, ends = self.starts[:, field], self.starts[:, field] + self.lengths[:, field]
        found = np.empty(len(self), object)
        found[:] = [whole[a:b] if b >= a else None for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        return found


def copied(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Rows]:
    """The rows of a query in pieces of about `CHUNK_BYTES`; none for no rows. Raises what the database raises."""
    compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    given = dict(compiled.params)
    raw: Any = connection.connection.driver_connection
    fields = len(query.selected_columns)
    pending: list[Any] = []
    size, begun = 0, False
    try:
        with raw.cursor() as cursor, cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT BINARY)", given) as copy:
            for piece in copy:
                pending.append(piece)
                size += len(piece)
                if size >= CHUNK_BYTES:
                    yield from taken_apart(pending, fields, first=not begun)
                    pending, size, begun = [], 0, True
        yield from taken_apart(pending, fields, first=not begun)
    except psycopg.Error as error:
        raise sa.exc.DBAPIError.instance(str(compiled), None, error, psycopg.Error) from error


def nothing(fields: int) -> Rows:
    """No rows of so many fields."""
    return Rows(np.zeros(0, np.uint8), np.zeros((0, fields), np.int64), np.zeros((0, fields), np.int32))


def taken_apart(pieces: Sequence[bytes | memoryview], fields: int, *, first: bool) -> Iterator[Rows]:
    """Rows of what the server sent: whole rows in every message, the first begins with the header, the last ends the
    copy. Raises Broken for anything else."""
    content = b"".join(pieces)
    if first and content[: len(HEADER)] != HEADER:
        raise Broken("the database sends rows in a form that is not known here; it must be PostgreSQL 15 or newer")
    data = np.frombuffer(content, np.uint8)
    count, starts, lengths = _fields(data, len(HEADER) if first else 0, fields)
    if count < 0:
        raise Broken("the database sent rows that end before their time; ask again")
    if count:
        yield Rows(data, starts, lengths)


def dictionary(texts: Sequence[pa.Array]) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Codes (-1: null) of texts into the different ones, which are sorted by code point."""
    encoded = pa.chunked_array(texts, pa.large_string()).combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)  # UTF-8 sorts as code points do
    rank = np.empty(len(order) + 1, np.int32)
    rank[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    rank[-1] = -1  # the code of null is -1: the last
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return rank[codes], np.asarray(encoded.dictionary.take(order).to_numpy(zero_copy_only=False), object)


@njit(cache=True, nogil=True)
def _int(data: Any, at: int, size: int) -> Any:
    found = np.int64(0)
    for k in range(size):
        found = (found << 8) | np.int64(data[at + k])
    return found


@njit(cache=True, nogil=True)
def _fields(data: Any, at: int, fields: int) -> tuple[int, Any, Any]:
    """Where the fields of every row begin and how long they are; -1 rows when the bytes are no whole rows."""
    most = (len(data) - at) // (2 + 4 * fields) + 1
    starts = np.empty((most, fields), np.int64)
    lengths = np.empty((most, fields), np.int32)
    n = 0
    while at + 2 <= len(data):
        number = _int(data, at, 2)
        at += 2
        if number == 0xFFFF:  # the end of the copy
            break
        if number != fields:
            return -1, starts[:0], lengths[:0]
        for field in range(fields):
            if at + 4 > len(data):
                return -1, starts[:0], lengths[:0]
            length = _int(data, at, 4)
            at += 4
            starts[n, field] = at
            if length == 0xFFFFFFFF:
                lengths[n, field] = -1
                continue
            lengths[n, field] = length
            at += length
        if at > len(data):
            return -1, starts[:0], lengths[:0]
        n += 1
    return n, starts[:n].copy(), lengths[:n].copy()


@njit(cache=True, nogil=True)
def _fixed(data: Any, starts: Any, lengths: Any, size: int) -> Any:
    found = np.zeros((len(starts), size), np.uint8)
    for k in range(len(starts)):
        if lengths[k] == size:
            for i in range(size):
                found[k, i] = data[starts[k] + i]
    return found


@njit(cache=True, nogil=True)
def _packed(data: Any, starts: Any, lengths: Any) -> tuple[Any, Any]:
    offsets = np.zeros(len(starts) + 1, np.int64)
    for k in range(len(starts)):
        offsets[k + 1] = offsets[k] + max(lengths[k], 0)
    content = np.empty(offsets[-1], np.uint8)
    for k in range(len(starts)):
        at = offsets[k]
        for i in range(lengths[k]):
            content[at + i] = data[starts[k] + i]
    return offsets, content


@njit(cache=True, nogil=True)
def _begin_with(data: Any, starts: Any, head: Any) -> bool:
    for start in starts:
        for i in range(len(head)):
            if data[start + i] != head[i]:
                return False
    return True
