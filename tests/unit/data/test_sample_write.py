"""A written sample reads back as it was made."""

from __future__ import annotations

import json
from pathlib import Path

import pyogrio
import pytest

from data.sample import LAYERS, write_sample
from gisgrid.errors import BadInput


def test_package_and_manifest(tmp_path: Path) -> None:
    target = tmp_path / "new" / "sample"
    sample = write_sample(target, "mingfeng", seed=3)
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["scenario"], manifest["seed"]) == ("mingfeng", 3)
    assert manifest["counts"] == {name: len(layer) for name, layer in sample.layers.items()}
    names = {row[0] for row in pyogrio.list_layers(target / "district.gpkg")}
    assert names == set(LAYERS)
    for name in LAYERS:
        info = pyogrio.read_info(target / "district.gpkg", layer=name)
        assert info["features"] == manifest["counts"][name]
        assert info["crs"] == "EPSG:4490"
    assert [p.name for p in sorted(target.iterdir())] == ["district.gpkg", "manifest.json"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    blocked = tmp_path / "taken"
    blocked.write_text("here")
    with pytest.raises(BadInput, match="is a file"):
        write_sample(blocked, "mingfeng")
    assert blocked.read_text() == "here"
