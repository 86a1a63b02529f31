"""``gisgrid plan`` with old grids, locks, further weights, levels and reports, on a sample district's files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from data.exporters import write_layers
from data.sample import SampleDistrict
from planning.partition.toy import toy_units
from tests.integration.cli.conftest import Run
from tests.processes import command

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan")


@pytest.fixture
def district(folder: Path, small_district: SampleDistrict, run: Run) -> Path:
    """One file with the layers of the sample, its old grids, and units of at most 25 households."""
    path, units = folder / "district.gpkg", folder / "units.gpkg"
    if not path.exists():
        write_layers(path, small_district.layers)
        arguments = ("--streets", path, "--area", path, "--max-households", "25", "--out", units)
        assert run("units", path, *arguments).code == 0
    return path


def planned(run: Run, district: Path, folder: Path, *options: str | Path, codes: tuple[int, ...] = (0,)) -> Any:
    arguments = ("plan", folder / "units.gpkg", "--streets", district, "--out", folder / "plan.gpkg", "--json")
    done = run(*arguments, *options)
    assert done.code in codes, done.err
    return done.json


def test_old_grids_go_on(run: Run, district: Path, folder: Path) -> None:
    told = planned(run, district, folder, "--keep", district, "--grids", "11")
    stats, changes = told["stats"], told["changes"]
    assert told["in_band"] == told["ordinary"] == 11
    assert stats["preset"] == "stable"
    assert stats["moved_share_least"] <= stats["moved_share"] < stats["moved_share_least"] + 0.05
    old, new = (set(gpd.read_file(path, layer="grids")["code"]) for path in (district, folder / "plan.gpkg"))
    assert set(changes["births"]) == new - old
    assert set(changes["ends"]) == old - new
    assert changes["moved_households"] == sum(move["households"] for move in changes["moves"])
    moves = gpd.read_file(folder / "plan.gpkg", layer="moves")
    assert moves["households"].sum() == changes["moved_households"]
    again = planned(run, district, folder, "--keep", folder / "plan.gpkg", "--grids", "11")
    assert again["changes"]["moved_households"] == 0
    column = planned(run, district, folder, "--keep-column", "community", codes=(0, 1))
    assert column["stats"]["old_grids"] == 1


def test_locks_and_further_weights(run: Run, district: Path, folder: Path) -> None:
    old = gpd.read_file(district, layer="grids")
    lock = old.loc[old["households"].between(300, 500), "code"].iloc[0]
    told = planned(
        run, district, folder, "--keep", district, "--lock", lock, "--weight", "population=:1550",
        "--weight", "households=280:480",
    )  # fmt: skip
    grids = gpd.read_file(folder / "plan.gpkg", layer="grids").set_index("code")
    ordinary = grids[(grids["kind"] == "ordinary") & (grids.index != lock)]
    assert told["feasible"] or told["reasons"]
    assert ordinary["population"].le(1550).all()
    assert ordinary["households"].between(280, 480).all()
    before = old.set_index("code").geometry.to_crs(grids.crs)[lock]
    assert before.symmetric_difference(grids.geometry[lock]).area < 0.01 * before.area


def test_levels_are_written_and_check(run: Run, district: Path, folder: Path) -> None:
    told = planned(run, district, folder, "--levels", "300:500/60", codes=(0, 1))
    assert [level["level"] for level in told["stats"]["levels"]] == [1, 2]
    grids = gpd.read_file(folder / "plan.gpkg", layer="grids")
    assert (grids["level"] == 2).sum() == 60
    units = gpd.read_file(folder / "plan.gpkg", layer="units")
    assert (units["grid_2"].str[:15] == units["grid"]).all()
    sums = grids[grids["level"] == 2].groupby("parent")["households"].sum()
    assert sums.to_dict() == grids[grids["level"] == 1].set_index("code")["households"].loc[sums.index].to_dict()
    assert run("check", folder / "plan.gpkg", "--area", district).code == 0


def test_a_nested_plan_is_reported_and_compared(run: Run, district: Path, folder: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat.gpkg"
    done = run("plan", folder / "units.gpkg", "--streets", district, "--out", flat, "--preset", "quick", "--json")
    assert done.code in (0, 1), done.err
    report = tmp_path / "next.json"
    options = ("--keep", flat, "--levels", "300:500/60:100", "--report", report)
    made = planned(run, district, folder, *options, codes=(0, 1))
    told = json.loads(report.read_text(encoding="utf-8"))["figures"]
    assert told["overall"]["problems"] == 0
    assert told["band"] == {"1": "300:500", "2": "60:100"}
    beside = run("compare", folder / "plan.gpkg", flat, "--json")
    assert beside.code == 0, beside.err
    assert beside.json["changes"]["moved_households"] == made["changes"]["moved_households"]
    assert beside.json["figures"]["overall"]["problems"] == 0
    again = planned(run, district, folder, codes=(0, 1))
    assert again["grids"]
    assert "grid_2" not in gpd.read_file(folder / "plan.gpkg", layer="units")


def test_units_without_communities_and_old_grids_elsewhere(run: Run, district: Path, tmp_path: Path) -> None:
    units, plan, far = tmp_path / "units.gpkg", tmp_path / "plan.gpkg", tmp_path / "far.gpkg"
    whole = gpd.read_file(district.parent / "units.gpkg")
    write_layers(units, {"units": whole.drop(columns="community")})
    assert run("plan", units, "--streets", district, "--preset", "quick", "--out", plan).code in (0, 1)
    old = gpd.read_file(district, layer="grids")
    old = old.to_crs(whole.crs)
    write_layers(far, {"grids": old.set_geometry(old.translate(50_000))})
    done = run("plan", units, "--keep", far, "--out", plan)
    assert done.code == 2
    assert "no unit lies in any of these grids" in done.err


def test_buildings_and_entrances_are_the_lowest_levels(run: Run, district: Path, tmp_path: Path) -> None:
    units, plan = tmp_path / "units.gpkg", tmp_path / "plan.gpkg"
    made = run(
        "units", district, "--streets", district, "--area", district, "--max-households", "1", "--entrances",
        "--out", units, "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert made.json["entrances"] > made.json["units"]
    done = run(
        "plan", units, "--streets", district, "--levels", "300:500/60:100/building/entrance", "--out", plan, "--json"
    )
    assert done.code in (0, 1), done.err
    levels = done.json["stats"]["levels"]
    assert [level["kind"] for level in levels] == ["households", "households", "building", "entrance"]
    counts = [level["grids"] for level in levels]
    assert counts == sorted(counts)
    grids = gpd.read_file(plan, layer="grids")
    homes = gpd.read_file(district, layer="buildings")
    assert set(grids.groupby("level")["households"].sum()) == {homes["households"].sum()}
    assert run("check", plan, "--area", district).code == 0


@pytest.mark.parametrize("ending", ["html", "json"])
def test_a_report_is_written(run: Run, district: Path, folder: Path, ending: str) -> None:
    planned(run, district, folder, "--keep", district, "--report", folder / f"r.{ending}")
    text = (folder / f"r.{ending}").read_text(encoding="utf-8")
    assert ("<svg" in text) == (ending == "html")
    assert ("moved_households" in text) == (ending == "json")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--weight", "population"), "not COLUMN=MIN:MAX"),
        (("--weight", "population=:9", "--weight", "population=:8"), "given twice"),
        (("--weight", "shops=:9"), "no shops column"),
        (("--lock", "379903001001001"), "no old grids are given"),
        (("--keep-column", "old"), "no column 'old'"),
        (("--levels", "much"), "'much' is no level"),
        (("--levels", "300:500", "--grids", "4"), "leave --grids out"),
        (("--levels", "300:500/entrance"), "no layer entrances"),
        (("--special", "zoo"), "no kind of special grid"),
    ],
)
def test_wrong_options_are_refused(run: Run, district: Path, folder: Path, options: tuple[str, ...], said: str) -> None:
    out = folder / "never.gpkg"
    done = run("plan", folder / "units.gpkg", "--streets", district, "--out", out, *options)
    assert done.code == 2
    assert said in done.err
    assert not out.exists()


def test_ctrl_c_writes_the_best_plan_so_far(tmp_path: Path) -> None:
    units, out = tmp_path / "units.gpkg", tmp_path / "plan.gpkg"
    write_layers(units, {"units": toy_units(70, 70, households=20)})
    for seconds in (1.5, 4.0, 12.0):  # on a busy machine the search may not have begun yet
        arguments = ["-m", "api.cli", "plan", str(units), "--out", str(out)]
        with command(arguments, tmp_path / "log", {"GISGRID_HOME": str(tmp_path / "home")}) as plan:
            plan.until_said("reading")
            time.sleep(seconds)
            plan.press()
            code, said = plan.end(), plan.said
        if code != 130:
            break
    assert code in (0, 1), said
    assert "best plan so far" in said
    assert gpd.read_file(out, layer="units")["grid"].notna().all()
