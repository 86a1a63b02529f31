"""``gisgrid site`` on the files of the sample district."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.exporters import write_layers
from data.files import layer_names, read_layer
from data.sample import make_sample
from tests.integration.cli.conftest import Run


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "district.gpkg"
    layers = make_sample("mingfeng", seed=1).layers
    write_layers(path, {name: layers[name] for name in ("streets", "facilities", "buildings")})
    return path


def test_before_and_after_in_text_file_and_report(run: Run, district: Path, tmp_path: Path) -> None:
    done = run(
        "site", "--streets", district, "--category", "clinic", "--count", "2", "--minutes", "8", "--curve",
        "--out", tmp_path / "o.gpkg", "--report", tmp_path / "o.json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "proven" in done.out
    assert "门诊部" in done.out
    report = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    row = report["categories"][0]
    sites = read_layer(tmp_path / "o.gpkg", layer="sites")
    homes = read_layer(tmp_path / "o.gpkg", layer="residences")
    for when in ("before", "after"):
        held = homes["population"][homes[f"covered_{when}_clinic"].astype(bool)].sum()
        assert held == row[f"residents_{when}"]
    assert sites["newly_covered_residents"].sum() == row["residents_after"] - row["residents_before"] == row["value"]
    assert [step["newly_covered"] for step in row["curve"]] == sorted(step["newly_covered"] for step in row["curve"])
    assert report["proven"]


def test_full_cover_that_cannot_be_ends_with_one(run: Run, district: Path, tmp_path: Path) -> None:
    arguments = ("site", "--streets", district, "--category", "kindergarten", "--full-cover")
    one = tmp_path / "one.geojson"
    done = run(*arguments, "--out", tmp_path / "all.gpkg", "--json")
    assert done.code == 0, done.err
    sites = read_layer(tmp_path / "all.gpkg", layer="sites")
    assert len(sites) == done.json["report"]["categories"][0]["sites"] > 1
    write_layers(one, {"candidates": sites.iloc[:1]})
    done = run(*arguments, "--candidates", one, "--out", tmp_path / "few.gpkg")
    assert done.code == 1, done.err
    assert "full cover is impossible" in done.out
    assert "unreachable" in layer_names(tmp_path / "few.gpkg")


def test_a_budget_from_a_table(run: Run, district: Path, tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text("category,cost\nclinic,30\nmarket,20\n")
    done = run(
        "site", "--streets", district, "--category", "clinic,market", "--minutes", "5", "--budget", "70", "--costs", costs,
        "--one-per-site", "--weight", "elderly", "--out", tmp_path / "o.gpkg", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    sites = read_layer(tmp_path / "o.gpkg", layer="sites")
    assert 0 < sites["cost"].sum() <= 70
    assert not sites["candidate"].duplicated().any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--category", "school", "--count", "1"), "unknown category 'school'"),
        (("--category", "clinic", "--count", "two"), "--count 'two' is not a whole number"),
        (("--category", "clinic", "--count", "market=1"), "not in --category"),
        (("--category", "clinic", "--budget", "5"), "--budget needs --costs"),
        (("--category", "clinic", "--full-cover", "--method", "median"), "--full-cover is the method least"),
        (("--category", "clinic", "--count", "1", "--candidates", "corners:near"), "'near' is no spacing in metres"),
        (("--category", "clinic", "--count", "1", "--candidates", "nowhere.gpkg"), "nowhere.gpkg"),
        (("--category", "clinic", "--count", "1", "--speed", "-1"), "speed -1"),
        (("--category", "clinic", "--count", "1", "--minutes", "600"), "600 minutes"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, district: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run("site", "--streets", district, *arguments, "--out", tmp_path / "o.gpkg")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) <= 2
    assert not (tmp_path / "o.gpkg").exists()


def test_an_osm_extract_gives_no_candidates(run: Run, district: Path, tmp_path: Path) -> None:
    extract = tmp_path / "corner.osm"
    nodes = "".join(f'<node id="{n}" version="1" lon="{116.3 + n * 1e-4}" lat="39.9"/>' for n in (1, 2))
    way = '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>'
    extract.write_text(
        f'<osm version="0.6"><bounds minlat="39.8" minlon="116.2" maxlat="40" maxlon="116.4"/>{nodes}{way}</osm>'
    )
    done = run(
        "site", "--streets", district, "--category", "clinic", "--count", "1", "--candidates", extract,
        "--out", tmp_path / "o.gpkg",
    )  # fmt: skip
    assert done.code == 2
    assert "an OSM extract gives no candidates" in done.err
