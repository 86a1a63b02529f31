"""Cells a spreadsheet would compute: harmless in every table we write, and themselves again when we read them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.cli import moving, systems
from data.csv_cells import harmless, harmless_column, harmless_frame, restored, restored_column, restored_frame
from data.files import read_layer, write_layers
from tests.conftest import Cli, Planned

FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    '=HYPERLINK("http://a","b")',
]
PLAIN = ["甲", "a=1", "", "-12.5", "+3", "-1e-5", ".5", "'quoted'", "1-2", "柳荫里-3", "'"]
BEGIN = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def dangerous(cell: str) -> bool:
    """Whether a spreadsheet would compute it: said again here, apart from what is tested."""
    try:
        float(cell)
    except ValueError:
        return bool(BEGIN.match(cell))
    return cell.strip() != cell


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


texts = st.text(st.sampled_from("=+-@\t\r\n'\", a1.e＝－甲"), max_size=8)


@given(texts)
def test_every_text_is_harmless_and_comes_back(text: str) -> None:
    assert not dangerous(harmless(text))
    assert restored(harmless(text)) == text


@given(st.lists(st.none() | texts, max_size=20))
def test_columns_and_frames_do_the_same(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    wanted = [None if value is None else harmless(value) for value in values]
    assert harmless_column(column).to_pylist() == wanted
    assert harmless_column(pa.concat_arrays([pa.array(["="]), column]).slice(1)).to_pylist() == wanted
    assert restored_column(harmless_column(column)).to_pylist() == values
    frame = pd.DataFrame({"a": pd.Series(values, dtype=object), "n": range(len(values))})
    assert harmless_frame(frame)["a"].tolist() == wanted
    pd.testing.assert_frame_equal(restored_frame(harmless_frame(frame)), frame)


def test_numbers_and_usual_texts_stay_as_they_are() -> None:
    assert [harmless(text) for text in PLAIN] == PLAIN
    assert pa.array([1.5, -2.0]).equals(harmless_column(pa.array([1.5, -2.0])))


def test_layers(tmp_path: Path) -> None:
    names = FORMULAS + PLAIN[:2]
    points = shapely.points([112.9 + 0.001 * k for k in range(len(names))], 35.5)
    frame = gpd.GeoDataFrame({"=name": names, "depth": -1.5}, geometry=points, crs=4490)
    (made,) = write_layers(tmp_path / "a.csv", {"places": frame})
    rows = cells(made)
    assert not any(dangerous(cell) for row in rows for cell in row)
    assert rows[1][1] == "-1.5"
    back = read_layer(made, crs="cgcs2000")
    assert back["=name"].tolist() == names
    assert back["depth"].tolist() == [-1.5] * len(names)


def test_located_batches(planned: Planned, tmp_path: Path) -> None:
    client = create_app(planned.settings, planned.engine).test_client()
    points = [{"id": f"{text}#{k}", "lon": 112.9, "lat": 35.5} for k, text in enumerate(FORMULAS)]
    answer = client.post("/api/v1/locate?format=csv", json={"points": points})
    assert answer.status_code == 200
    path = tmp_path / "a.csv"
    path.write_bytes(answer.data)
    rows = cells(path)
    assert not any(dangerous(cell) for row in rows for cell in row)
    again = client.post("/api/v1/locate?format=json", data=answer.data, content_type="text/csv")
    assert [point["id"] for point in again.get_json()["points"]] == [point["id"] for point in points]
    twice = client.post("/api/v1/locate?format=csv", data=answer.data, content_type="text/csv")
    path.write_bytes(twice.data)
    assert [row[0] for row in cells(path)] == [row[0] for row in rows]


def test_downloads_and_exports(planned_copy: Planned, tmp_path: Path, cli: Cli) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE facilities SET name = :name"), {"name": "=1+1"})
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    path = tmp_path / "a.csv"
    path.write_bytes(client.get("/api/v1/layers/facilities/download?format=csv").data)
    told = cells(path)
    assert "'=1+1" in told[1]
    assert not any(dangerous(cell) for row in told for cell in row)
    out = tmp_path / "b.csv"
    done = cli(
        "export", "facilities", "--out", out, env={
            "GISGRID_DATABASE_URL": str(planned_copy.settings.database_url), "GISGRID_HOME": str(tmp_path)
        }
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert cells(out) == told
    assert set(read_layer(out, crs="cgcs2000")["name"]) == {"=1+1"}


def test_tables_of_commands(tmp_path: Path) -> None:
    crosswalk = gpd.GeoDataFrame({"old": ["=1+1"], "share": [-0.5]}, geometry=shapely.points([1.0], [1.0]), crs=4490)
    systems._write_rows(tmp_path / "a.csv", crosswalk)
    assert cells(tmp_path / "a.csv") == [["old", "share"], ["'=1+1", "-0.5"]]
    told: dict[str, Any] = dict.fromkeys(moving.COLUMNS, "@a")
    with moving._csv_file(tmp_path / "b.csv") as write:
        write(type("Row", (), told)())  # type: ignore[arg-type]
    assert set(cells(tmp_path / "b.csv")[1]) == {"'@a"}


def test_the_browser_writes_by_the_same_rule() -> None:
    """web/src/compare/rows.ts has the rule once more; its own test runs it."""
    source = (Path(__file__).resolve().parents[2] / "web/src/compare/rows.ts").read_text(encoding="utf-8")
    assert "/^'*[=+\\-@\\t\\r\\n＝＋－＠]/" in source


@pytest.mark.parametrize("text", FORMULAS)
def test_the_judge_of_this_file_knows_formulas(text: str) -> None:
    assert dangerous(text)
