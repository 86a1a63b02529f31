"""``gisgrid network``: figures, files, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner

from api.cli.network import network
from data.files import read_layer, write_layers
from gisgrid.errors import BadInput
from planning.network import load_network

RING = [(0, 0), (900, 0), (900, 900), (0, 900), (0, 0)]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    def layer(shapes: list[Any], **columns: list[Any]) -> gpd.GeoDataFrame:
        moved = [shapely.transform(shape, lambda xy: xy + np.array([440_000.0, 4_420_000.0])) for shape in shapes]
        return gpd.GeoDataFrame(columns, geometry=moved, crs="EPSG:4548")

    path = tmp_path / "town.gpkg"
    ways = [RING, [(900, 0), (1500, 0)], [(0, 450), (-30, 450)], [(0, 2000), (5, 2000)]]
    layers = {
        "streets": layer([shapely.LineString(way) for way in ways], cls=["residential"] * 4, oneway=[0, 1, 0, 0]),
        "barriers": layer([shapely.Point(900, 0)], foot=[True], car=[False]),
        "water": layer([shapely.LineString([(450, -50), (450, 50)])], kind=["river"]),
        "areas": layer([shapely.box(-500, 0, 900, 900)], code=["110108"]),
    }
    write_layers(path, layers)
    return path


def run(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(network, [*map(str, arguments), "--json"], catch_exceptions=False, standalone_mode=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_figures_and_files(town: Path, tmp_path: Path) -> None:
    told = run(town, "--out", tmp_path / "walk.npz", "--area", f"{town}:areas", "--metres", 400)
    made = load_network((tmp_path / "walk.npz").read_bytes())
    figures = told["network"]
    assert (figures["edges"], figures["barriers_closed"]) == (made.edges, 0)
    assert figures["bytes"] == (tmp_path / "walk.npz").stat().st_size
    assert figures["pieces_not_used"] == 2, "the little one, and the lane that touches the ring without a vertex"
    assert any("not marked as bridges" in note for note in told["notes"])
    assert any("ends near the area" in note for note in told["notes"])
    drive = run(town, "--mode", "drive", "--out", tmp_path / "drive.gpkg")
    assert drive["network"]["barriers_closed"] == 1
    assert read_layer(tmp_path / "drive.gpkg", layer="edges").shape[0] == drive["network"]["edges"]
    kinds = read_layer(tmp_path / "drive.gpkg", layer="pieces")["kind"].tolist()
    assert kinds.count("one-way end") == drive["network"]["one_way_ends"] == 1
    assert len(read_layer(tmp_path / "drive.gpkg", layer="crossings")) == 1
    crossings = run(town, "--nodes", "crossings", "--out", tmp_path / "walk.npz")
    assert crossings["network"]["pieces_not_used"] == 1, "the lane is joined"


def test_readable_lines(town: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(network, [str(town), "--out", str(tmp_path / "n.npz")], standalone_mode=False)
    assert "walk: " in done.stdout
    assert "largest not used" in done.stdout


@pytest.mark.parametrize(("name", "content"), [
    ("cut.osm", b'<osm version="0.6"><node id="1"'), ("empty.osm", b""), ("noise.osm.pbf", b"\x00\x01noise" * 50),
    ("none.osm", b'<osm version="0.6"></osm>'), ("hello.graphml", b"hello"),
])  # fmt: skip
def test_broken_files_are_told_in_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=name) as caught:
        run(tmp_path / name, "--out", tmp_path / "n.npz")
    assert "\n" not in caught.value.message
    assert not (tmp_path / "n.npz").exists()


def test_what_cannot_be_is_refused(town: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="below zero"):
        run(town, "--metres", -1, "--out", tmp_path / "n.npz")
    with pytest.raises(BadInput, match="cannot write this format"):
        run(town, "--out", tmp_path / "n.txt")
    with pytest.raises(BadInput, match="no such file"):
        run(tmp_path / "nowhere.osm", "--out", tmp_path / "n.npz")
