"""``gisgrid locate`` on files: what it says, what it refuses, and Ctrl-C in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from pyarrow import csv

from tests.integration.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[3]


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
    "the input as output": (["POINTS", "--out", "POINTS"], "is the input"),
    "the grids as output": (["POINTS", "--out", "GRIDS"], "is the input"),
    "an unknown system": (["POINTS", "--out", "OUT", "--crs", "mars"], "mars"),
    "an unknown ending": (["POINTS", "--out", "o.docx"], "cannot write this format"),
    "one column": (["POINTS", "--out", "OUT", "--columns", "lon"], "two column names"),
    "a column that is not there": (["POINTS", "--out", "OUT", "--columns", "lon,lat"], "'lon'"),
    "a distance below zero": (["POINTS", "--out", "OUT", "--max-metres", "-1"], "max-metres"),
    "a distance that is none": (["POINTS", "--out", "OUT", "--max-metres", "nan"], "nan"),
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


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".gpkg"])
def test_ctrl_c_leaves_no_half_file(grids: Path, tmp_path: Path, suffix: str) -> None:
    rows = 3_000_000
    rng = np.random.default_rng(0)
    table = pa.table({"lon": rng.uniform(116, 118, rows), "lat": rng.uniform(39, 40, rows)})
    csv.write_csv(table, tmp_path / "long.csv")
    out = tmp_path / f"out{suffix}"
    command = [sys.executable, "-m", "api.cli", "locate", str(tmp_path / "long.csv"), "--grids", str(grids)]
    process = subprocess.Popen(
        [*command, "--crs", "wgs84", "--out", str(out)], cwd=ROOT, stderr=subprocess.PIPE, text=True,
        stdout=subprocess.PIPE, env=os.environ | {"GISGRID_HOME": str(tmp_path / "home")}, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out*/*")):  # the hidden file is there: writing has begun
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grids.gpkg", "long.csv"]
