"""``gisgrid locate`` on files: what it says, what it refuses, and Ctrl-C in the middle."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from pyarrow import csv

from tests.integration.cli.conftest import Run
from tests.processes import command


@pytest.fixture
def grids(tmp_path: Path) -> Path:
    layer = gpd.GeoDataFrame(
        {"code": ["b", "a"]}, geometry=[shapely.box(116, 39, 117, 40), shapely.box(117, 39, 118, 40)], crs=4490
    )
    layer.to_file(tmp_path / "grids.gpkg", layer="grids")
    return tmp_path / "grids.gpkg"


@pytest.fixture
def points(tmp_path: Path) -> Path:
    rows = [(116.5, 39.5), (117, 39.5), (118.001, 39.5), ("here", 39.5), (39.5, 116.5), ("there", 1), (None, 39.5)]
    pd.DataFrame(rows, columns=["x", "y"]).to_csv(tmp_path / "points.csv", index=False)
    return tmp_path / "points.csv"


def test_counts_and_reasons_are_told(run: Run, grids: Path, points: Path, tmp_path: Path) -> None:
    done = run("locate", points, "--grids", grids, "--crs", "wgs84", "--out", tmp_path / "o.csv")
    assert done.code == 0
    assert "7 points: 2 located, 1 outside every grid, 4 unusable" in done.out
    assert "2 × coordinates are no numbers" in done.out
    assert "1 × no coordinates" in done.out
    told = run("locate", points, "--grids", grids, "--crs", "wgs84", "--out", tmp_path / "o.parquet", "--json").json
    assert (told["points"], told["located"], told["outside"], told["unusable"]) == (7, 2, 1, 4)
    assert told["reasons"]["coordinates are no numbers"] == 2
    found = pd.read_csv(tmp_path / "o.csv")
    assert found.columns.tolist() == ["x", "y", "grid", "outside", "nearest", "metres", "reason"]
    assert found["grid"].fillna("").tolist() == ["b", "a", "", "", "", "", ""]
    assert found["metres"][2] == pytest.approx(86, abs=0.5)
    assert found["x"].fillna("").tolist()[3:] == ["here", "39.5", "there", ""]


def test_columns_and_distance_can_be_set(run: Run, grids: Path, tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [0.0], "y": [0.0], "东": [118.001], "北": [39.5]})
    table.to_csv(tmp_path / "p.csv", index=False)
    args = (
        "locate",
        tmp_path / "p.csv",
        "--grids",
        grids,
        "--crs",
        "wgs84",
        "--columns",
        "东,北",
        "--out",
        tmp_path / "o.csv",
    )
    assert run(*args).code == 0
    assert pd.read_csv(tmp_path / "o.csv")["nearest"].tolist() == ["a"]
    assert run(*args, "--max-metres", "50").code == 0
    assert pd.read_csv(tmp_path / "o.csv")["nearest"].isna().all()
    assert run(*args, "--max-metres", "0", "--batch-rows", "1000").code == 0
    assert pd.read_csv(tmp_path / "o.csv")["outside"].tolist() == [True]


REFUSED: dict[str, tuple[list[str], str]] = {
    "the input as output": (["POINTS", "--out", "POINTS"], "--out is the file of POINTS"),
    "the grids as output": (["POINTS", "--out", "GRIDS"], "--out is the file of --grids"),
    "an unknown system": (["POINTS", "--out", "OUT", "--crs", "mars"], "mars"),
    "an unknown ending": (["POINTS", "--out", "o.docx"], "cannot write this format"),
    "one column": (["POINTS", "--out", "OUT", "--columns", "lon"], "two column names"),
    "a column that is not there": (["POINTS", "--out", "OUT", "--columns", "lon,lat"], "'lon'"),
    "a distance below zero": (["POINTS", "--out", "OUT", "--max-metres", "-1"], "max-metres"),
    "a distance that is none": (["POINTS", "--out", "OUT", "--max-metres", "nan"], "nan"),
    "two kinds of grids": (["POINTS", "--out", "OUT", "--at", "1"], "leave --grids out"),
    "no points": (["nowhere.csv", "--out", "OUT"], "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_at_once(case: str, run: Run, grids: Path, points: Path, tmp_path: Path) -> None:
    words, says = REFUSED[case]
    places = {"POINTS": str(points), "GRIDS": str(grids), "OUT": str(tmp_path / "out.csv")}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    crs = [] if "--crs" in words else ["--crs", "wgs84"]
    done = run("locate", *[places.get(word, word) for word in words], "--grids", grids, *crs)
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More points than are located before Ctrl-C comes."""
    path, rows = tmp_path_factory.mktemp("long") / "long.csv", 3_000_000
    rng = np.random.default_rng(0)
    csv.write_csv(pa.table({"lon": rng.uniform(116, 118, rows), "lat": rng.uniform(39, 40, rows)}), path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".gpkg"])
def test_ctrl_c_leaves_no_half_file(
    grids: Path, long: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    arguments = ["-m", "api.cli", "locate", str(long), "--grids", str(grids), "--crs", "wgs84", "--out", str(out)]
    elsewhere = tmp_path_factory.mktemp("log")
    with command(arguments, elsewhere / "log", {"GISGRID_HOME": str(elsewhere)}) as located:
        located.until(lambda: bool(list(tmp_path.glob(".out*/*"))))  # the hidden file is there: writing has begun
        located.press()
        assert located.end() == 130, located.said
    assert "Traceback" not in located.said
    assert [path.name for path in tmp_path.iterdir()] == ["grids.gpkg"]
