"""``gisgrid isochrones``: files in, polygons out, bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result

from api.cli.commands import cli
from gisgrid.errors import BadInput


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    lines = [[(0, 60 * k), (480, 60 * k)] for k in range(9)] + [[(60 * k, 0), (60 * k, 480)] for k in range(9)]
    vertices = [shapely.segmentize(shapely.LineString(line), 60) for line in lines]
    oneway = ["yes" if k % 2 else "no" for k in range(len(lines))]
    shift = [500_000, 3_900_000]
    streets = gpd.GeoDataFrame(
        {"highway": "residential", "oneway": oneway},
        geometry=shapely.transform(np.array(vertices), lambda xy: xy + shift),
        crs="EPSG:4548",
    )
    places = gpd.GeoDataFrame(
        {"name": ["a", "b", "far"], "category": ["shop", "shop", "bank"]},
        geometry=gpd.points_from_xy([500_100, 500_400, 509_000], [3_900_125, 3_900_365, 3_900_000]),
        crs="EPSG:4548",
    )
    streets.to_file(tmp_path / "streets.gpkg", layer="streets")
    places.to_file(tmp_path / "places.gpkg", layer="facilities")
    return str(tmp_path / "streets.gpkg"), str(tmp_path / "places.gpkg")


def run(files: tuple[str, str], *options: str, places: str | None = None) -> Result:
    given = ["isochrones", "--streets", files[0], "--from", places or files[1], *options]
    return CliRunner().invoke(cli, given, catch_exceptions=True)


def test_per_facility_and_merged(files: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "i.gpkg"
    done = run(files, "--minutes", "1,2.5", "--out", str(out), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert (told["polygons"], told["places"], told["off_network"]) == (4, 3, 1)
    found = gpd.read_file(out, layer="isochrones")
    assert found["name"].tolist() == ["a", "a", "b", "b"]
    assert found["minutes"].tolist() == [1, 2.5, 1, 2.5]
    # |x| + |y| within 66 m of a place 5 m from a corner of a 60 m grid, access legs included
    assert 0.5 * 66**2 < found.area[0] < 2 * 66**2 * 1.01
    assert run(files, "--minutes", "1,2.5", "--merged", "--bands", "--out", str(out)).exit_code == 0
    bands = gpd.read_file(out, layer="isochrones")
    assert bands[["category", "facilities", "minutes_from", "minutes"]].to_numpy().tolist() == [
        ["shop", 2, 0, 1],
        ["shop", 2, 1, 2.5],
    ]
    assert abs(bands.area.sum() - shapely.union_all(found.geometry).area) < 0.01 * bands.area.sum()


def test_direction_speed_and_geojson(files: tuple[str, str], tmp_path: Path) -> None:
    """One-way streets: to a place is not from it. GeoJSON is in WGS 84. Half the speed is half as far."""
    area: dict[str, float] = {}
    for name, options in {
        "from": ("--profile", "car", "--minutes", "0.4"),
        "to": ("--profile", "car", "--minutes", "0.4", "--direction", "to"),
        "walk": ("--minutes", "2"),
        "slow": ("--minutes", "4", "--factor", "0.5"),
    }.items():
        out = tmp_path / f"{name}.geojson"
        done = run(files, *options, "--out", str(out))
        assert done.exit_code == 0, done.output
        shapes = gpd.read_file(out)
        assert shapes.crs.to_epsg() == 4326
        assert shapes.total_bounds[0] > 100
        area[name] = shapes.to_crs("EPSG:4548").area.sum()
    assert abs(area["from"] - area["to"]) > 100
    assert area["walk"] == pytest.approx(area["slow"], rel=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--minutes", "5,x"), "--minutes"),
        (("--minutes", "0"), "minutes"),
        (("--minutes", "600"), "120"),
        (("--speed", "-1"), "speed"),
        (("--profile", "bus"), "bus"),
        (("--cell", "0"), "cell"),
    ],
)
def test_bad_options(files: tuple[str, str], tmp_path: Path, options: tuple[str, str], said: str) -> None:
    done = run(files, *options, "--out", str(tmp_path / "i.gpkg"))
    assert isinstance(done.exception, BadInput)
    assert said in str(done.exception)
    assert not (tmp_path / "i.gpkg").exists()


@pytest.mark.parametrize(("place", "said"), [("0,0", "near a street"), ("500,0", "degrees"), ("x.gpkg", "x.gpkg")])
def test_bad_places(files: tuple[str, str], tmp_path: Path, place: str, said: str) -> None:
    done = run(files, "--out", str(tmp_path / "i.gpkg"), places=place)
    assert isinstance(done.exception, BadInput)
    assert said in str(done.exception)
