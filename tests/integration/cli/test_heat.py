"""``gisgrid heat`` on files and on PostGIS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

from api.cli.commands import cli

pytestmark = pytest.mark.postgis


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["heat", *map(str, arguments)])
    said = result.output + str(result.exception or "")
    assert (result.exit_code == 0) == (code == 0), said
    return said


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heat")
    cells = [(c, r) for r in range(4) for c in range(4)]
    grids = gpd.GeoDataFrame(
        {"code": [f"370811001001{k:03d}" for k in range(16)], "households": [300] * 15 + [0]},
        geometry=[shapely.box(116.5 + c / 100, 35.4 + r / 100, 116.51 + c / 100, 35.41 + r / 100) for c, r in cells],
        crs="EPSG:4490",
    )
    grids.to_file(folder / "grids.gpkg", layer="grids")
    rows = [
        {"上报时间": f"2025-0{1 + k % 8}-{1 + k % 27:02d} 0{k % 10}:30", "大类": "街面秩序", "小类": "占道经营",
         "geometry": shapely.Point(116.501 + 0.0371 * (k * 7 % 100) / 100, 35.401 + 0.037 * (k * 13 % 100) / 100)}
        for k in range(600)
    ]  # fmt: skip
    gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4490").to_file(folder / "reports.geojson")
    return folder


def test_files_in_and_out(files: Path) -> None:
    out, page, facts = files / "heat.gpkg", files / "heat.html", files / "heat.json"
    said = run(files / "reports.geojson", "--grids", files / "grids.gpkg", "--out", out, "--report", page)
    assert "600 reports" in said
    grids = gpd.read_file(out, layer="grids")
    assert grids["reports"].sum() == 600
    assert (grids["spot"] == "not_rated").sum() == 1
    hours = gpd.read_file(out, layer="hour")
    assert hours["reports"].tolist() == [60] * 10 + [0] * 14  # times without a zone are local
    assert gpd.read_file(out, layer="surface").geometry.is_valid.all()
    html = page.read_text()
    assert "Getis-Ord" in html
    assert not [word for word in ("http://", "https://", "<link") if word in html.replace("http://www.w3.org", "")]
    run(files / "reports.geojson", "--grids", files / "grids.gpkg", "--report", facts, "--class", "占道经营")
    assert json.loads(facts.read_text())["reports"] == 600


def test_what_is_missing_is_said(files: Path) -> None:
    assert "go together" in run(files / "reports.geojson", code=2)
    assert "--out is missing" in run(files / "reports.geojson", "--grids", files / "grids.gpkg", code=2)
    assert "is not known" in run(
        files / "reports.geojson", "--grids", files / "grids.gpkg", "--out", files / "x.gpkg", "--class", "none", code=2
    )


def test_postgis_as_the_service_tells_it(planned: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GISGRID_DATABASE_URL", planned.settings.database_url)
    monkeypatch.setenv("GISGRID_HOME", str(planned.settings.home))
    told = json.loads(run("--json", "-q").splitlines()[-1])
    assert told["reports"] == 900
    assert told["rises"]["tests"] > 0
