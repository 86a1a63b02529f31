"""Rows taken apart from PostgreSQL's binary COPY are the rows put into it."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.errors import Broken
from layers.held.copying import HEADER, dictionary, taken_apart

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.floats(allow_nan=False), st.none() | st.booleans(),
    st.none() | TEXT, st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
)  # fmt: skip


def field(form: str, value: object) -> bytes:
    return struct.pack(">i", -1) if value is None else struct.pack(f">i{form}", struct.calcsize(f">{form}"), value)


def sent(row: tuple[int | None, float | None, bool | None, str | None, tuple[float, float]]) -> bytes:
    number, real, truth, text, place = row
    body = struct.pack(">h", 5) + field("q", number) + field("d", real) + field("?", truth)
    content = None if text is None else text.encode()
    body += field(f"{len(content or b'')}s", content)
    return body + field("21s", shapely.to_wkb(shapely.Point(place)))


@given(st.lists(ROW, max_size=40), st.booleans())
def test_rows_come_back(
    rows: list[tuple[int | None, float | None, bool | None, str | None, tuple[float, float]]], last: bool
) -> None:
    pieces = [HEADER, *map(sent, rows), *([struct.pack(">h", -1)] if last else [])]
    found = list(taken_apart(pieces, 5, first=True))
    assert len(found) == bool(rows)
    for got in found:
        for k, kind in enumerate(("int64", "float64", "bool")):
            assert got.nulls(k).tolist() == [row[k] is None for row in rows]
            assert got.numbers(k, kind).tolist() == [row[k] or 0 for row in rows]
        assert got.texts(3).to_pylist() == [row[3] for row in rows]
        codes, values = dictionary([got.texts(3), got.texts(3)])
        assert values.tolist() == sorted({row[3] for row in rows if row[3] is not None})
        assert [None if code < 0 else values[code] for code in codes] == [row[3] for row in rows] * 2
        points = got.points(4)
        assert points is not None
        assert points.tolist() == [list(row[4]) for row in rows]
        assert shapely.get_coordinates(shapely.from_wkb(got.blobs(4))).tolist() == points.tolist()
        assert got.points(0) is None, "numbers are no points"


@given(st.binary(max_size=200), st.integers(1, 6))
def test_anything_else_is_refused_or_is_rows(content: bytes, fields: int) -> None:
    try:
        for rows in taken_apart([HEADER, content], fields, first=True):
            assert (rows.starts + np.maximum(rows.lengths, 0) <= len(rows.data)).all()
    except Broken:
        pass


def test_another_header_is_refused() -> None:
    with pytest.raises(Broken):
        list(taken_apart([b"PGCOPY of something else altogether"], 1, first=True))
