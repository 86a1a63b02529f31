"""``gisgrid compare`` on files: a plan beside the uneven grids there were, in text, JSON and HTML."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from api.cli.reporting import Before, write_report
from data.exporters import write_layers
from data.files import read_layer
from data.sample import make_sample
from gisgrid.models import Band
from planning.partition import Reason, partition
from planning.units import make_units
from planning.workflow import barrier_lines
from tests.integration.cli.conftest import Run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with plan.gpkg (grids, units), old.gpkg (grids) and place.gpkg (streets, areas …) of Mingfeng."""
    folder = tmp_path_factory.mktemp("mingfeng")
    layers = make_sample("mingfeng", seed=0).layers
    units = make_units(layers["buildings"], layers["streets"], layers["areas"], water=layers["water"])
    result = partition(units, barrier_lines(layers["streets"], layers["water"]), band=Band(300, 500), preset="quick")
    owned = units.to_crs(result.grids.crs).assign(grid=result.grids["code"].to_numpy()[result.assignment])
    owned = owned.set_geometry(gpd.GeoSeries(result.geometry, crs=result.grids.crs))
    write_layers(folder / "plan.gpkg", {"grids": result.grids, "units": owned})
    write_layers(folder / "old.gpkg", {"grids": layers["grids"]})
    write_layers(folder / "place.gpkg", {name: layers[name] for name in ("streets", "water", "areas")})
    return folder


def test_text_for_people(run: Run, place: Path) -> None:
    done = run("compare", place / "plan.gpkg", place / "old.gpkg", "--streets", place / "place.gpkg")
    assert done.code == 0, done.err
    assert "1 of 8" in done.out
    assert "households" in done.out
    assert "change grid; with these counts at least" in done.out


def test_json_and_reports_agree(run: Run, place: Path, tmp_path: Path) -> None:
    arguments = ("compare", place / "plan.gpkg", place / "old.gpkg", "--area", f"{place / 'place.gpkg'}:areas")
    facts = run(*arguments, "--json").json
    overall = facts["figures"]["overall"]
    assert overall["households"] == facts["before"]["overall"]["households"] == 3428
    assert overall["in_band"] == 1
    assert facts["before"]["overall"]["in_band_grids"] == 1
    changes = facts["changes"]
    assert changes["moved_households"] + changes["kept_households"] == 3428
    assert changes["least_households"] <= changes["moved_households"]
    assert len(facts["grids"]) == overall["grids"]
    assert run(*arguments, "--report", tmp_path / "r.json").code == 0
    assert json.loads((tmp_path / "r.json").read_text()) == facts
    assert run(*arguments, "--report", tmp_path / "r.html").code == 0
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert f"{changes['moved_households']:,}" in page
    assert [path.name for path in sorted(tmp_path.iterdir()) if path.suffix in (".html", ".json")] == [
        "r.html",
        "r.json",
    ]


def test_a_plan_beside_itself(run: Run, place: Path) -> None:
    facts = run("compare", place / "plan.gpkg", place / "plan.gpkg", "--same-codes", "--json").json
    assert facts["changes"]["moved_units"] == 0
    assert facts["changes"]["boundary_kept"] == 1
    assert facts["figures"] == facts["before"]


def test_grids_without_units(run: Run, place: Path) -> None:
    facts = run("compare", f"{place / 'plan.gpkg'}:grids", place / "old.gpkg", "--json").json
    assert facts["changes"]["estimated"]
    facts = run("compare", place / "old.gpkg", place / "plan.gpkg", "--json").json
    assert not facts["changes"]["estimated"]  # the other plan's units count


def test_a_broken_plan_is_exit_1(run: Run, place: Path, tmp_path: Path) -> None:
    grids = read_layer(place / "plan.gpkg", layer="grids")
    grids.loc[0, "geometry"] = shapely.buffer(grids.geometry[0], 30)
    write_layers(tmp_path / "broken.gpkg", {"grids": grids})
    done = run("compare", tmp_path / "broken.gpkg", place / "plan.gpkg")
    assert done.code == 1
    assert "overlap" in done.out


def test_what_cannot_be_compared(run: Run, place: Path, tmp_path: Path) -> None:
    far = read_layer(place / "old.gpkg").to_crs(4490)
    far = far.set_geometry(far.translate(1.0))
    write_layers(tmp_path / "far.gpkg", {"grids": far})
    done = run("compare", place / "plan.gpkg", tmp_path / "far.gpkg")
    assert (done.code, "no ground" in done.err) == (2, True)
    assert run("compare", place / "plan.gpkg", tmp_path / "none.gpkg").code == 2
    assert run("compare", place / "plan.gpkg", place / "old.gpkg", "--report", tmp_path / "r.pdf").code == 2


def test_write_report_of_a_plan(place: Path, tmp_path: Path) -> None:
    grids, units = (read_layer(f"{place / 'plan.gpkg'}:{name}") for name in ("grids", "units"))
    streets = barrier_lines(read_layer(f"{place / 'place.gpkg'}:streets"))
    before = Before(read_layer(place / "old.gpkg"), ["379903001001001"] * len(units))
    reasons = [Reason("unit_above_band", "unit 7 alone has 900 households", ("7",), "379903001001")]
    told = {"band": Band(300, 500), "grids": grids, "units": units, "streets": streets, "reasons": reasons}
    write_report(tmp_path / "r.json", stats={"seed": 4, "seconds": 1.5}, **told)
    facts = json.loads((tmp_path / "r.json").read_text())
    assert set(facts) == {"feasible", "reasons", "stats", "figures", "grids"}
    assert (facts["feasible"], facts["stats"]["seed"]) == (False, 4)
    assert facts["reasons"] == [
        {
            "code": "unit_above_band",
            "text": reasons[0].text,
            "community": "379903001001",
            "units": ["7"],
            "figures": {},
        }
    ]
    write_report(tmp_path / "r.html", before=before, stats={"seed": 4}, **told)
    page = (tmp_path / "r.html").read_text()
    assert "unit 7 alone has 900 households" in page
    assert "随机种子" in page
    assert "变动" in page
