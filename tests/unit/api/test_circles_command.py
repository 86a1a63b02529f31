"""``gisgrid circles`` on files: everything asked for is written, and what cannot be used is one line and exit 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner, Result

from api.cli.circles import circles
from data.exporters import write_layers
from data.facility_categories import read_facility_categories
from gisgrid.errors import BadInput

CRS = "EPSG:4548"
HEAD = "category,tier,minutes,metres,name_zh,name_en"
Run = Callable[..., Result]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A crossing with three homes, two shops and a bank."""
    path = tmp_path / "town.gpkg"
    ways = [shapely.LineString([(0, 0), (500, 0), (1000, 0)]), shapely.LineString([(500, 0), (500, 800)])]
    homes = gpd.GeoDataFrame(
        {"building_id": list("abc"), "population": [10, 20, 30], "elderly": [1, 2, 3], "households": [0, 0, 0]},
        geometry=shapely.points([0, 900, 500], [5, 5, 790]), crs=CRS,
    )  # fmt: skip
    shops = {"facility_id": ["s1", "s2", "b"], "category": ["convenience_store"] * 2 + ["bank"]}
    layers = {
        "streets": gpd.GeoDataFrame({"cls": ["primary", "residential"]}, geometry=ways, crs=CRS),
        "facilities": gpd.GeoDataFrame(shops, geometry=shapely.points([0, 950, 500], [0, 0, 0]), crs=CRS),
        "buildings": homes,
        "grids": gpd.GeoDataFrame({"code": ["g1"]}, geometry=[shapely.box(-9, -9, 999, 999)], crs=CRS),
        "areas": gpd.GeoDataFrame(
            {"code": ["370000001001"], "name": ["甲社区"], "level": ["community"]},
            geometry=[shapely.box(-9, -9, 999, 999)], crs=CRS,
        ),
    }  # fmt: skip
    write_layers(path, layers)
    return path


@pytest.fixture
def run(town: Path, tmp_path: Path) -> Run:
    def call(*more: str | Path, **changes: str | Path) -> Result:
        given = {"streets": town, "facilities": town, "residences": town} | changes
        words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
        out = [] if "--out" in more or "--report" in more else ["--out", str(tmp_path / "out.gpkg")]
        return CliRunner().invoke(circles, [*words, *map(str, more), *out, "-q"])

    return call


def refused(result: Result, *words: str) -> None:
    assert isinstance(result.exception, BadInput), result.output
    message = str(result.exception)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_every_layer_is_written(run: Run, town: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.gpkg"
    done = run("--out", out, "--grids", town, "--areas", town, "--nearest", "2", "--minutes", "5,15")
    assert done.exception is None
    assert {str(name) for name, _ in pyogrio.list_layers(out)} == {
        "residences", "isochrones", "blind_spots", "grids", "communities", "facilities", "coverage",
        "district_coverage", "community_coverage", "grid_coverage", "tiers", "community_scores",
    }  # fmt: skip
    homes = gpd.read_file(out, layer="residences")
    assert homes["facility_convenience_store_1"].fillna("").tolist() == ["s1", "s2", "s2"]
    # c walks 790 m to the crossing and 450 m to a shop: over 15 minutes, and told all the same
    near, far = homes["seconds_convenience_store_1"].to_numpy()[:2], homes["seconds_convenience_store_1"].iloc[2]
    assert near.round().tolist() == [5.0, 50.0]
    assert 1240 / 1.1 <= far < 1300 / 1.1
    coverage = gpd.read_file(out, layer="coverage", ignore_geometry=True).set_index("category")
    assert json.loads(coverage.loc["bank", "opportunity"]) == {"0": 0, "1": 60, "2-4": 0, "5-10": 0, "11+": 0}


def test_options_change_the_figures(run: Run, tmp_path: Path) -> None:
    def covered(*more: str) -> Any:
        path = tmp_path / "r.json"
        done = run("--report", path, *more)
        assert done.exception is None, done.exception
        told = json.loads(path.read_text())
        return {row["category"]: row["residents_covered"] for row in told["categories"]}, told

    plain, told = covered()
    assert (plain["convenience_store"], told["metres_per_second"]) == (30, 1.1)
    assert covered("--speed", "5")[0]["convenience_store"] == 60
    assert covered("--factor", "0.05", "--profile", "frail")[0]["bank"] == 0
    assert covered("--profile", "bicycle")[0]["convenience_store"] == 60
    own = tmp_path / "own.csv"
    own.write_text(f"{HEAD}\nbank,10,10,500,银行,Bank\npool,5,5,300,泳池,Pool\n", encoding="gb18030")
    mine, told = covered("--categories", str(own), "--isochrones", "none", "--network-nodes", "crossings")
    assert mine == {"bank": 30, "pool": 0}
    assert "no facility of category pool: nobody is covered" in told["notes"]


BAD: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("--speed", "-1"), ("speed -1",)),
    (("--speed", "0"), ("speed 0",)),
    (("--speed", "nan"), ("speed nan",)),
    (("--factor", "0"), ("factor 0",)),
    (("--profile", "runner"), ("runner", "adult")),
    (("--profile", "car", "--speed", "9"), ("factor",)),
    (("--minutes", "0"), ("0 minutes",)),
    (("--minutes", "600"), ("600 minutes", "120")),
    (("--minutes", "five"), ("five",)),
    (("--nearest", "-1"), ("nearest -1",)),
    (("--nearest", "99"), ("nearest 99",)),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_numbers_that_cannot_be(words: tuple[str, ...], says: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    refused(run(*words), *says)
    assert not (tmp_path / "out.gpkg").exists()


@pytest.mark.parametrize("name", ["broken.osm", "broken.osm.pbf"])
@pytest.mark.parametrize("content", [b"", b"<osm><way", b"\x00\x00\x00\x0d\x0a\x09OSMHeader rubbish"])
def test_broken_extracts(run: Run, tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for option in ("streets", "facilities", "residences"):
        refused(run(**{option: path}), name)


def test_layers_that_hold_nothing_of_use(run: Run, town: Path, tmp_path: Path) -> None:
    shapes = {
        "empty": gpd.GeoDataFrame({"cls": []}, geometry=[], crs=CRS),
        "points": gpd.GeoDataFrame({"cls": ["primary"]}, geometry=[shapely.Point(0, 0)], crs=CRS),
        "far": gpd.GeoDataFrame({"category": ["bank"]}, geometry=[shapely.Point(0, 9000)], crs=CRS),
    }
    for name, frame in shapes.items():
        write_layers(tmp_path / f"{name}.gpkg", {name: frame})
    refused(run(streets=tmp_path / "empty.gpkg"), "empty.gpkg", "layer is empty")
    refused(run(streets=tmp_path / "points.gpkg"), "none of the 1 streets")
    refused(run(facilities=tmp_path / "far.gpkg"), "none of the 1 facilities lies within 100 m")
    refused(run(residences=tmp_path / "far.gpkg"), "none of the 1 residences lies within 100 m")
    refused(run("--grids", f"{town}:streets"), "no column code")
    refused(CliRunner().invoke(circles, ["--nearest", "3", "-q"]), "--nearest needs --streets")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("bank,5,121,300,银行,Bank", "row 1: minutes='121' is above 120"),
        ("bank,5,5,90000,银行,Bank", "row 1: metres='90000' is above 20000"),
        (",5,5,300,银行,Bank", "row 1: category is empty"),
        ("bank,5,5,300,,Bank", "row 1: name_zh is empty"),
        ("the bank,5,5,300,银行,Bank", "row 1: category='the bank'"),
        ("bank,5,5,300,银行,Bank\nbank,5,5,300,银行,Bank", "row 2: category='bank' is given twice"),
    ],
)
def test_tables_that_cannot_be_used(row: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_facility_categories(path)
    assert says in caught.value.message


def test_osm_rules_of_a_table_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        f"{HEAD},osm\nbank,5,5,300,银行,Bank,amenity=bank\npark,5,5,300,园,Park,leisure\n", encoding="utf-8"
    )
    with pytest.raises(BadInput, match=r"row 2: osm: .*leisure"):
        read_facility_categories(path)
    for content in (b"", b"\xff\xfe\x00\xff", b'a,b\n"x'):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"own\.csv"):
            read_facility_categories(path)
