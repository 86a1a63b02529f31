"""Files commands write: never what they read, and all of them told."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner, Result

from api.cli import commands
from data.exporters import write_layers
from gisgrid.errors import BadInput

CRS = "EPSG:4548"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(commands.cli, [str(word) for word in words])


def refused(result: Result, *said: str) -> None:
    assert isinstance(result.exception, BadInput), result.output
    message = str(result.exception)
    assert "\n" not in message
    for word in said:
        assert word in message


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crossing with homes and shops, each layer a file of its own, GeoJSON and GeoPackage."""
    monkeypatch.chdir(tmp_path)
    ways = [shapely.LineString([(0, 0), (500, 0), (1000, 0)]), shapely.LineString([(500, 0), (500, 800)])]
    layers = {
        "streets": gpd.GeoDataFrame({"highway": ["residential"] * 2}, geometry=ways, crs=CRS),
        "facilities": gpd.GeoDataFrame(
            {"category": ["clinic", "bank"]}, geometry=shapely.points([100, 500], [0, 0]), crs=CRS
        ),
        "buildings": gpd.GeoDataFrame(
            {"building_id": list("abc"), "population": [10, 20, 30], "elderly": [1, 2, 3], "households": [0, 0, 0]},
            geometry=shapely.points([0, 900, 500], [5, 5, 790]), crs=CRS,
        ),
        "areas": gpd.GeoDataFrame({"code": ["1"]}, geometry=[shapely.box(0, 0, 900, 900)], crs=CRS),
    }  # fmt: skip
    for name, rows in layers.items():
        for ending in ("gpkg", "geojson"):
            write_layers(tmp_path / f"{name}.{ending}", {name: rows})
    return tmp_path


STREETS, PLACES, HOMES = ("--streets", "streets.gpkg"), ("--facilities", "facilities.gpkg"), "buildings.gpkg"
COMMANDS = {
    "circles": (*STREETS, *PLACES, "--residences", HOMES),
    "isochrones": (*STREETS, "--from", "facilities.gpkg"),
    "site": (*STREETS, *PLACES, "--residences", HOMES, "--category", "clinic", "--count", "1"),
    "response": (*STREETS, "--stations", "facilities.gpkg", "--residences", HOMES),
    "radius": (*PLACES, "--residences", HOMES, "--radius", "150"),
    "network": ("streets.gpkg",),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_input_is_replaced(name: str, folder: Path) -> None:
    words = COMMANDS[name]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for place, word in enumerate(words):
        if word.endswith(".gpkg"):
            option = words[place - 1] if place else "STREETS"
            refused(run(name, *words, "--out", f"../{folder.name}/{word}"), f"--out is the file of {option}")
            layer = [*words]
            layer[place] = f"{word}:{word[:-5]}"
            refused(run(name, *layer, "--out", word), f"--out is the file of {option}")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_beside_out_and_the_report_count_too(folder: Path) -> None:
    (folder / "o_residences.geojson").write_bytes((folder / "buildings.geojson").read_bytes())
    words = ("circles", *STREETS, *PLACES, "--residences", "o_residences.geojson")
    refused(run(*words, "--out", "o.geojson"), "o.geojson also writes o_residences.geojson", "--residences")
    words = ("radius", "--facilities", "facilities.geojson", "--residences", HOMES, "--radius", "150")
    refused(run(*words, "--out", "o.json", "--report", "o.json"), "--report is the file of --out")
    words = ("site", *COMMANDS["site"], "--candidates", "units:areas.gpkg", "--out", "areas.gpkg")
    refused(run(*words), "--out is the file of --candidates")


@pytest.mark.parametrize("name", ["circles", "site", "response", "radius"])
@pytest.mark.parametrize("ending", ["shp", "zip"])
def test_no_columns_cut_short(name: str, ending: str, folder: Path) -> None:
    refused(run(name, *COMMANDS[name], "--out", f"o.{ending}"), f"o.{ending}", "ten letters", ".gpkg")


def test_files_made_are_told(folder: Path) -> None:
    done = run("circles", *COMMANDS["circles"], "--out", "o.geojson")
    assert done.exception is None, done.exception
    told = [line[2:] for line in done.output.splitlines() if line.startswith("→ ")]
    assert "o_residences.geojson" in told
    assert sorted(told) == sorted(path.name for path in folder.glob("o*.geojson"))
    done = run("radius", *COMMANDS["radius"], "--out", "r.gpkg", "--report", "r.json", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["files"] == ["r.gpkg", "r.json"]


def test_all_profiles_are_for_postgis(folder: Path) -> None:
    refused(run("circles", *COMMANDS["circles"], "--profile", "all", "--out", "o.gpkg"), "all is for PostGIS", "adult")


def test_tables_with_a_coordinate_system_said(folder: Path) -> None:
    """CSV with lon and lat, and a layer that tells no coordinate system; what tells one keeps it."""
    places = gpd.read_file(folder / "facilities.gpkg").to_crs(4326)
    table = places.drop(columns="geometry").assign(lon=places.geometry.x, lat=places.geometry.y)
    table.to_csv(folder / "f.csv", index=False)
    figures = {}
    for name, option in (("circles", "--facilities"), ("site", "--facilities"), ("response", "--stations"),
                         ("radius", "--facilities"), ("isochrones", "--from")):  # fmt: skip
        words = ["f.csv" if word == "facilities.gpkg" else word for word in COMMANDS[name]]
        assert option in words
        refused(run(name, *words, "--out", "o.gpkg"), "f.csv", "--crs")
        done = run(name, *words, "--crs", "wgs84", "--out", "o.gpkg", "--json")
        assert done.exception is None or done.exit_code == 1, done.output
        figures[name] = json.loads(done.stdout.splitlines()[-1])
    assert figures["radius"]["report"]["buildings"]["covered"] == 1
    bare = gpd.read_file(folder / "streets.gpkg").set_crs(None, allow_override=True)
    bare.to_file(folder / "bare.gpkg", layer="streets")
    refused(run("network", "bare.gpkg", "--out", "o.npz"), "bare.gpkg", "--crs")
    assert run("network", "bare.gpkg", "--crs", CRS, "--out", "o.npz").exception is None


def test_a_speed_nobody_moves_at(folder: Path) -> None:
    refused(run("circles", *COMMANDS["circles"], "--speed", "1e-9", "--out", "o.gpkg"), "speed 1e-09 m/s is too small")


def test_nobody_to_site_for(folder: Path) -> None:
    homes = gpd.read_file(folder / "buildings.gpkg").assign(population=0)
    write_layers(folder / "none.gpkg", {"buildings": homes})
    words = ["none.gpkg" if word == HOMES else word for word in COMMANDS["site"]]
    refused(run("site", *words, "--out", "o.gpkg"), "population is 0", "--weight buildings")
    words = [*COMMANDS["site"][:-1], "0"]
    refused(run("site", *words, "--out", "o.gpkg"), "--count 0", "1 or more")


def test_minutes_with_a_fraction(folder: Path) -> None:
    done = run("circles", *COMMANDS["circles"], "--minutes", "2.5,5", "--out", "o.gpkg")
    assert done.exception is None, done.exception
    assert set(gpd.read_file(folder / "o.gpkg", layer="isochrones")["minutes"]) <= {2.5, 5}
    refused(run("circles", "--minutes", "2.5,5"), "2.5,5", "whole minutes")
