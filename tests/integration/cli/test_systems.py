"""``gisgrid fuse``, ``crosswalk``, ``systems`` and grids with a system, from files and on stored data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data.exporters import write_layers
from tests.integration.cli.conftest import Run

STREET = "370811001"
CRS = "EPSG:4548"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A plan file: 6 × 4 grids of 400 households in two communities, units of a quarter grid."""
    codes, shapes, owners, units = [], [], [], []
    for row in range(4):
        for column in range(6):
            home = f"{STREET}00{1 + column // 3}"
            codes.append(f"{home}{row * 3 + column % 3 + 1:03d}")
            west, south = 500_000 + column * 200, 4_000_000 - row * 200
            shapes.append(shapely.box(west, south, west + 200, south + 200))
            for dx, dy in ((0, 0), (100, 0), (0, 100), (100, 100)):
                owners.append(codes[-1])
                units.append(shapely.box(west + dx, south + dy, west + dx + 100, south + dy + 100))
    grids = gpd.GeoDataFrame(
        {"code": codes, "name": "", "level": 1, "community": [code[:12] for code in codes], "households": 400},
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    cells = gpd.GeoDataFrame({"unit_id": range(len(units)), "households": 100, "grid": owners}, geometry=units, crs=CRS)
    target = tmp_path / "plan.gpkg"
    write_layers(target, {"grids": grids, "units": cells})
    return target


def saved(path: Path, frame: gpd.GeoDataFrame, name: str = "layer") -> Path:
    write_layers(path, {name: frame})
    return path


def test_fused_grids_nest_and_their_crosswalk_says_so(run: Run, plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "fire.gpkg"
    done = run("fuse", plan, "--system", "fire", "--households", "1200:2000", "--out", out, "--json")
    assert done.code == 0, done.err
    assert done.json["system"] == "消防"
    assert done.json["in_band"] == done.json["grids"] >= 5
    made, grids = gpd.read_file(out, layer="professional"), gpd.read_file(out, layer="grids")
    assert set(grids["professional"]) == set(made["code"])
    assert (made["system"] == "消防").all()
    found = run("crosswalk", plan, out, "--out", tmp_path / "x.csv", "--report", tmp_path / "x.json", "--json")
    assert found.code == 0, found.err
    (one,) = found.json["systems"]
    assert (one["system"], one["whole"], one["households"], one["conflicts"]) == ("消防", 24, 9600, [])
    table = pd.read_csv(tmp_path / "x.csv", dtype={"grid": str, "professional": str})
    joined = table.merge(grids[["code", "professional"]], left_on="grid", right_on="code")
    assert (joined["professional_x"] == joined["professional_y"]).all()
    assert not {"geometry", "lon", "wkt"} & set(table)
    assert json.loads((tmp_path / "x.json").read_text())["systems"] == [one]


def test_several_files_are_several_systems_and_split_grids_are_told(run: Run, plan: Path, tmp_path: Path) -> None:
    whole = shapely.box(500_000, 3_999_400, 501_200, 4_000_200)
    west, south, east, north = whole.bounds
    middle = west + 350
    halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
    both = gpd.GeoDataFrame({"code": ["w", "e"]}, geometry=halves, crs=CRS)
    one = gpd.GeoDataFrame({"code": ["all"]}, geometry=[whole], crs=CRS)
    files = saved(tmp_path / "fire.geojson", both.to_crs(4490)), saved(tmp_path / "police.fgb", one)
    done = run("crosswalk", plan, *files, "--out", tmp_path / "x.gpkg", "--json")
    assert done.code == 0, done.err
    found = {one["system"]: one for one in done.json["systems"]}
    assert set(found) == {"消防", "公安"}, "the files' names say which"
    assert (found["公安"]["whole"], found["消防"]["whole"]) == (24, 20)
    assert len(found["消防"]["conflicts"]) == 4
    assert {part["household_share"] for part in found["消防"]["conflicts"][0]["parts"]} == {0.5}
    assert {part["area_share"] for part in found["消防"]["conflicts"][0]["parts"]} == {0.75, 0.25}
    rows = gpd.read_file(tmp_path / "x.gpkg", layer="crosswalk")
    assert rows.geometry.area.sum() == pytest.approx(2 * whole.area, rel=1e-6)
    named = run("crosswalk", plan, *files, "--system", "环卫", "--system", "河长", "--json")
    assert {one["system"] for one in named.json["systems"]} == {"环卫", "河长"}
    text = run("crosswalk", plan, *files)
    assert "is split" in text.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fuse", "PLAN", "--system", "fire"], "--out is missing"),
        (["fuse", "--system", "fire"], "give a GRIDS file, or --area"),
        (["fuse", "PLAN", "--system", "河长", "--out", "OUT"], "not in the code table"),
        (["fuse", "PLAN", "--system", "综合", "--out", "OUT"], "the comprehensive one"),
        (["fuse", "PLAN", "--system", "fire", "--households", "9", "--out", "OUT"], "MIN:MAX"),
        (["crosswalk", "PLAN"], "at least one PROFESSIONAL file"),
        (["crosswalk", "PLAN", "PLAN", "--area", "370811"], "--area goes with stored grids"),
        (["crosswalk", "PLAN", "PLAN", "--system", "a", "--system", "b"], "2 --system for 1 PROFESSIONAL"),
        (["crosswalk", "PLAN", "nothing.gpkg"], "no such file"),
        (["import", "layer", "PLAN", "--as", "buildings", "--system", "fire"], "--system goes with --as grids"),
        (["import", "layer", "PLAN", "--as", "grids", "--object-code", "123456"], "goes with --system"),
        (["import", "layer", "PLAN", "--as", "grids", "--system", "fire", "--out", "OUT"], "no 20-digit code"),
        (["export", "areas", "--system", "fire", "--out", "OUT"], "--system goes with grids"),
    ],
)
def test_bad_input_is_one_line(run: Run, plan: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    names = {"PLAN": plan, "OUT": tmp_path / "out.gpkg"}
    done = run(*[names.get(word, word) for word in arguments])
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") <= 2
    assert not (tmp_path / "out.gpkg").exists()


def test_a_band_that_cannot_be_met_is_exit_1(run: Run, plan: Path, tmp_path: Path) -> None:
    done = run("fuse", plan, "--system", "fire", "--households", "500:600", "--out", tmp_path / "f.gpkg", "--json")
    assert done.code == 1
    assert done.json["reasons"]


def test_across_reaches_over_communities(run: Run, plan: Path, tmp_path: Path) -> None:
    common = ("--households", "9600:9600", "--json", "--out", tmp_path / "f.gpkg")
    assert run("fuse", plan, "--system", "fire", *common).code == 1
    done = run("fuse", plan, "--system", "fire", "--across", *common)
    assert done.code == 0, done.err
    assert gpd.read_file(tmp_path / "f.gpkg", layer="professional")["code"].tolist() == [f"990200{STREET}60100"]


def test_an_area_file_names_the_grids_and_across_is_hinted_at(run: Run, plan: Path, tmp_path: Path) -> None:
    outline = shapely.box(500_000, 3_999_400, 501_200, 4_000_200)
    areas = gpd.GeoDataFrame({"code": [f"{STREET}001"], "name": ["甲社区"]}, geometry=[outline], crs=CRS)
    file, out = saved(tmp_path / "areas.gpkg", areas, "areas"), tmp_path / "f.gpkg"
    done = run("fuse", plan, "--system", "fire", "--households", "4800:4800", "--area", file, "--out", out)
    assert done.code == 0, done.err
    assert gpd.read_file(out, layer="professional")["name"].tolist() == ["甲社区消防网格", "消防网格"]
    done = run("fuse", plan, "--system", "fire", "--households", "9600:9600", "--out", out)
    assert "--across lets grids reach over" in done.out


def test_known_systems_need_no_database(run: Run) -> None:
    done = run("systems", "--known", "--json")
    assert done.code == 0
    assert {
        "system": "fire",
        "name": "消防",
        "name_en": "Fire",
        "object_code": "990200",
        "made": True,
        "band": "2000:4000",
    } in done.json["known"]
    assert "made" in run("systems", "--known").out


@pytest.mark.postgis
def test_systems_on_stored_data(run: Run, planned_copy: Any, tmp_path: Path) -> None:
    settings, area = planned_copy.settings, planned_copy.area
    old = saved(tmp_path / "old.gpkg", planned_copy.district.layers["grids"][["name", "geometry"]], "grids")
    done = run("import", "layer", old, "--as", "grids", "--system", "环卫", "--json", settings=settings)
    assert done.code == 0, done.err
    assert done.json["system"] == "环卫"
    assert run("publish", str(done.json["plan"]), settings=settings).code == 0
    made = run("fuse", "--area", area, "--system", "fire", "--households", "1500:2200", "--json", settings=settings)
    assert made.code == 0, made.err
    assert run("publish", str(made.json["plan"]), settings=settings).code == 0
    listed = run("systems", "--json", settings=settings).json["systems"]
    assert [one["system"] for one in listed] == ["综合", "消防", "环卫"]
    assert "Sanitation" in run("systems", settings=settings).out
    found = run("crosswalk", "--json", settings=settings)
    assert found.code == 0, found.err
    wholes = {one["system"]: one["whole_share"] for one in found.json["systems"]}
    assert wholes["消防"] == 1.0 > wholes["环卫"]
    only = run(
        "crosswalk", "--area", area, "--system", "fire", "--out", tmp_path / "x.parquet", "--json", settings=settings
    )
    assert [one["system"] for one in only.json["systems"]] == ["消防"]
    assert set(gpd.read_parquet(tmp_path / "x.parquet")["system"]) == {"消防"}
    assert run("export", "grids", "--system", "fire", "--out", tmp_path / "f.gpkg", settings=settings).code == 0
    fire = gpd.read_file(tmp_path / "f.gpkg")
    assert (fire["system"] == "消防").all()
    assert run("export", "grids", "--out", tmp_path / "g.gpkg", settings=settings).code == 0
    assert (gpd.read_file(tmp_path / "g.gpkg")["system"] == "综合").all()
    # edited and brought again they are the same grids
    again = run(
        "import", "layer", tmp_path / "f.gpkg", "--as", "grids", "--system", "fire", "--json", settings=settings
    )
    assert run("publish", str(again.json["plan"]), settings=settings).code == 0
    run("export", "grids", "--system", "fire", "--out", tmp_path / "f2.gpkg", settings=settings)
    assert set(gpd.read_file(tmp_path / "f2.gpkg")["code"]) == set(fire["code"])
    assert run("check", settings=settings).code == 0
    assert run("crosswalk", "--system", "河长", settings=settings).code == 2
