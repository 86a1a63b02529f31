"""Whatever stands in the rows of a batch: none is dropped, the order stays, and the owner is the rule's or a reason's."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.locate import rows as locate_rows
from data.csv_cells import restored
from data.point_streams import Grids, locate_file, open_points
from gisgrid.errors import BadInput
from gisgrid.locate import GridIndex

BOXES = {"b": shapely.box(0, 0, 1, 1), "a": shapely.box(1, 0, 2, 1), "c": shapely.box(0, 1, 1.5, 2)}
GRIDS = Grids.of_index(GridIndex.build(list(BOXES.values()), list(BOXES)), "EPSG:4490")
FEW = hypothesis_settings(max_examples=60)

near = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.001, -0.1, 89.0, 116.0])
odd = st.sampled_from(
    ["", " ", "nan", "-inf", "1e308", "1e999", "x", "１．５", "+1", "1,5", '1"', "0x1", "\ufffd", "1 2"]
)
cell = st.one_of(
    near.map(str), odd, st.floats().map(str), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
)
value = st.one_of(
    near,
    odd,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.just([]),
    st.just({}),
)


def rule(x: float, y: float) -> str | None:
    return min((code for code, box in BOXES.items() if box.covers(shapely.Point(x, y))), default=None)


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@FEW
@given(st.lists(st.tuples(cell, cell, st.text(max_size=8)), min_size=1, max_size=30), st.sampled_from(["\n", "\r\n"]))
def test_csv_rows_of_any_content(rows: list[tuple[str, str, str]], end: str) -> None:
    rows = [tuple(text.replace("\0", "").encode("utf-8", "replace").decode() for text in row) for row in rows]  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            bare = any("\r" in text for row in rows for text in row)  # ends a row unless it is quoted
            quoting = csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL
            writer = csv.writer(out, lineterminator=end, quoting=quoting)
            writer.writerow(["lon", "lat", "note"])
            writer.writerows([*rows, ("0.5", "0.5", "end")])
        tally = locate_file(open_points(path, crs="wgs84", typed=True), Path(folder) / "o.parquet", GRIDS)
        found = pq.read_table(Path(folder) / "o.parquet").to_pylist()
        locate_file(open_points(path, crs="wgs84"), Path(folder) / "o.csv", GRIDS)
        with (Path(folder) / "o.csv").open(encoding="utf-8", newline="") as made:
            again = list(csv.DictReader(made))
    assert len(found) == len(again) == tally.points == len(rows) + 1
    assert tally.located + tally.outside + tally.unusable == tally.points
    for row, told, text in zip([*rows, ("0.5", "0.5", "end")], found, again, strict=True):
        assert (told["grid"] or "") == text["grid"]
        back = tuple(restored(text[name]) for name in ("lon", "lat", "note"))
        assert back == tuple(map(restored, row)), "cells come back as they were, but for the mark that keeps them texts"
        x, y = number(row[0]), number(row[1])
        plain = x is not None and y is not None and row[0].isascii() and row[1].isascii() and "_" not in row[0] + row[1]
        if plain:
            assert x is not None
            assert y is not None
            if told["reason"] is None:
                assert told["grid"] == rule(x, y)
            else:
                assert rule(x, y) is None
        elif told["grid"] is None and not told["outside"]:
            assert told["reason"] is not None


@FEW
@given(st.lists(st.tuples(value, value), min_size=1, max_size=30))
def test_json_points_of_any_content(pairs: list[tuple[Any, Any]]) -> None:
    body = json.dumps({"points": [{"lon": x, "lat": y} for x, y in pairs]}).encode()
    try:
        rows = locate_rows.parse_json(body, "EPSG:4326")
    except BadInput as error:
        if "JSON" in error.message:  # half a letter, for one
            return
        raise
    found = locate_rows.locate_rows(rows, GRIDS, 500.0)
    told = json.loads(locate_rows.as_json(rows, found, GRIDS))["points"]
    assert [row["row"] for row in told] == list(range(1, len(pairs) + 1))
    for (x, y), row in zip(pairs, told, strict=True):
        plain = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (x, y))
        if plain and row["reason"] is None:
            assert row["grid"] == rule(x, y)
        elif plain:
            assert rule(x, y) is None
        assert (row["grid"] is not None) + row["outside"] + (row["reason"] is not None) == 1


@FEW
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
def test_any_bytes_are_refused_or_answered(body: bytes) -> None:
    for parse in (locate_rows.parse_json, locate_rows.parse_geojson):
        with contextlib.suppress(BadInput):
            assert len(parse(body, "EPSG:4326").ids) > 0
    with tempfile.TemporaryDirectory() as folder:
        for name, head in (
            ("a.csv", b"lon,lat\n"),
            ("a.geojson", b'{"features":['),
            ("a.parquet", b"PAR1"),
            ("a.ndjson", b""),
        ):
            path = Path(folder) / name
            path.write_bytes(head + body)
            try:
                stream = open_points(path, crs="wgs84")
                rows = sum(len(batch.x) for batch in stream.batches())
            except BadInput:
                continue
            assert rows > 0


def test_a_row_of_each_reader_is_the_same() -> None:
    """CSV by Arrow and by Python's reader, block by block, cell by cell."""
    rng = np.random.default_rng(2)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["lon", "lat", "note"])
    words = ["a", 'q"q', "l\nl", ",", "", " ", "路"]
    rows = [[f"{rng.random()}", f"{rng.random()}", "".join(rng.choice(words, 3))] for _ in range(3_000)]
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        for tail in ("", "1,2,3,4\n" * 5):  # rows too long send their block down the slow road
            path.write_bytes((text.getvalue() + tail).encode())
            for size in (700, 1_000_000):
                stream = open_points(path, crs="wgs84", batch_rows=size)
                notes = [note or "" for batch in stream.batches() for note in batch.table.column("note").to_pylist()]
                assert notes[: len(rows)] == [row[2] for row in rows]
                assert len(notes) == len(rows) + (5 if tail else 0)
