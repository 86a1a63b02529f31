"""QGIS as it comes with Debian, headless: every layer by WMS, OGC API Features, vector tiles and in the project file.

Features drawn from the service are held against the same features drawn by QGIS from a GeoPackage of what SQL says;
pictures of WMS against what the features cover. Pictures are kept where the ``pictures`` fixture says.
"""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Service
from tests.clients.pictures import differing, misses, painted, read
from tests.clients.test_gdal import SIZE, _drawn_at, around

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(600)]
Qgis = Callable[[dict[str, Any]], dict[str, Any]]
NEAR = 2e-7
"""Degrees: what GeoJSON of seven decimals may lose."""


@pytest.fixture(scope="module")
def stored(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GeoPackage of what SQL says, layer by layer."""
    made = tmp_path_factory.mktemp("stored") / "stored.gpkg"
    for name in service.filled:
        plain = service.frames[name].copy()
        for column in plain.columns.drop("geometry"):
            if plain[column].map(lambda value: isinstance(value, list | dict)).any():
                plain[column] = plain[column].map(json.dumps)
        plain.to_file(made, layer=name, driver="GPKG", layer_options={"FID": "row_"})
    return made


def _file(pictures: Path, kind: str, name: str) -> str:
    return str(pictures / f"qgis-{kind}-{name.replace(':', '_')}.png")


def test_features_of_every_collection(service: Service, qgis: Qgis, stored: Path, pictures: Path) -> None:
    sources, orders = [], []
    for name in service.filled:
        uri = f"url='{service.url}/ogc' typename='{name}' restrictToRequestBBOX='0' pageSize='400'"
        sources.append({"name": f"oapif:{name}", "provider": "OAPIF", "uri": uri})
        sources.append({"name": f"gpkg:{name}", "provider": "ogr", "uri": f"{stored}|layername={name}"})
        box = around(service.frames[name])
        orders += [
            {
                "layers": [f"{kind}:{name}"], "box": box, "crs": "OGC:CRS84", "size": SIZE,
                "file": _file(pictures, kind, name),
            }
            for kind in ("oapif", "gpkg")
        ]  # fmt: skip
    told = qgis({"sources": sources, "pictures": orders})
    poor = []
    for name in service.filled:
        answer, frame = told[f"oapif:{name}"], service.frames[name]
        assert answer["valid"], name
        assert answer["count"] == len(frame), name
        assert np.allclose(answer["features"], frame.total_bounds, atol=NEAR), name
        assert {attribute.name for attribute in service.layers[name].attributes} <= set(answer["fields"]), name
        away = differing(read(Path(_file(pictures, "oapif", name))), read(Path(_file(pictures, "gpkg", name))))
        if service.layers[name].shape != "mixed" and away > 0.005:
            poor.append(f"{name}: {away:.4f} of the picture differs from the stored features drawn alike")
    assert not poor, "\n".join(poor)


def test_empty_collections_open_too(service: Service, qgis: Qgis) -> None:
    empty = [name for name in service.layers if name not in service.filled]
    uri = "url='{}/ogc' typename='{}'"
    told = qgis({"sources": [{"name": n, "provider": "OAPIF", "uri": uri.format(service.url, n)} for n in empty]})
    assert {name: answer["count"] for name, answer in told.items()} == dict.fromkeys(empty, 0)


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_wms_pictures_of_every_layer(service: Service, qgis: Qgis, pictures: Path, version: str) -> None:
    """In EPSG:4490, whose axes QGIS turns in 1.3.0."""
    sources, orders = [], []
    names = [name for name in service.pictured if _drawn_at(service, name, around(service.frames[name]))]
    for name in names:
        address = urllib.parse.quote(f"{service.url}/wms?VERSION={version}", safe=":/?=")
        uri = f"contextualWMSLegend=0&crs=EPSG:4490&dpiMode=7&format=image/png&layers={name}&styles=&url={urllib.parse.quote(address, safe='')}"
        sources.append({"name": name, "provider": "wms", "uri": uri})
        box = around(service.frames[name])
        file = _file(pictures, f"wms{version}", name)
        orders.append({"layers": [name], "box": box, "crs": "EPSG:4490", "size": SIZE, "file": file})
    told = qgis({"sources": sources, "pictures": orders})
    poor = []
    for name, order in zip(names, orders, strict=True):
        frame = service.frames[name]
        assert told[name]["valid"], name
        west, south, east, north = told[name]["extent"]
        bounds = frame.total_bounds
        assert west <= bounds[0] + 1e-6, name
        assert south <= bounds[1] + 1e-6, name
        assert east >= bounds[2] - 1e-6, name
        assert north >= bounds[3] - 1e-6, name
        picture = read(Path(order["file"]))
        if wrong := misses(picture, frame, order["box"], labelled=service.layers[name].label is not None):
            poor.append(f"{name}: {wrong} ({order['file']})")
    assert not poor, "\n".join(poor)


def test_vector_tiles_of_every_layer(service: Service, qgis: Qgis, stored: Path, pictures: Path) -> None:
    """Tiles at a zoom that thins nothing, held against the stored features drawn alike."""
    sources, orders = [], []
    names = [name for name in service.pictured if service.layers[name].shape != "mixed"]
    for name in names:
        about = f"{service.url}/ogc/collections/{urllib.parse.quote(name)}/tiles/WebMercatorQuad/tilejson.json"
        with urllib.request.urlopen(about, timeout=30) as answer:
            told = json.load(answer)
        address = urllib.parse.quote(told["tiles"][0], safe=":/?={}&")
        uri = f"type=xyz&url={address}&zmin={max(told['minzoom'], 13)}&zmax={max(told['minzoom'], 16)}"
        sources.append({"name": f"mvt:{name}", "provider": "vectortile", "uri": uri, "layer": name})
        sources.append({"name": f"gpkg:{name}", "provider": "ogr", "uri": f"{stored}|layername={name}"})
        frame = service.frames[name].to_crs("EPSG:3857")
        x, y = np.array(frame.total_bounds).reshape(2, 2).mean(axis=0)
        half = 600.0
        box = (x - 4 * half / 3, y - half, x + 4 * half / 3, y + half)
        orders += [
            {
                "layers": [f"{kind}:{name}"], "box": box, "crs": "EPSG:3857", "size": SIZE,
                "file": _file(pictures, f"tiles-{kind}", name),
            }
            for kind in ("mvt", "gpkg")
        ]  # fmt: skip
    told = qgis({"sources": sources, "pictures": orders})
    poor = []
    for name in names:
        assert told[f"mvt:{name}"]["valid"], name
        tiles = read(Path(_file(pictures, "tiles-mvt", name)))
        drawn = read(Path(_file(pictures, "tiles-gpkg", name)))
        if (away := differing(tiles, drawn)) > 0.02 or painted(tiles).any() != painted(drawn).any():
            poor.append(f"{name}: {away:.4f} of the picture differs from the stored features drawn alike")
    assert not poor, "\n".join(poor)


def test_the_project_opens_every_layer(
    service: Service, qgis: Qgis, stored: Path, pictures: Path, tmp_path: Path
) -> None:
    """Every layer with its style; drawn from the service as from the stored features."""
    project = tmp_path / "city.qgs"
    with urllib.request.urlopen(f"{service.url}/api/v1/layers/qgis?lang=en", timeout=60) as answer:
        project.write_bytes(answer.read())
    told = qgis({"project": str(project)})
    assert told["project"]["valid"]
    layers = {key: answer for key, answer in told.items() if key.startswith("project:")}
    found = {}
    for key, answer in layers.items():
        assert answer["valid"], f"{key} ({answer['source']})"
        for name in service.layers:
            if f"typename='{name}'" in answer["source"]:
                found[name] = key
    assert set(found) >= set(service.filled)
    orders, swapped = [], []
    for name, key in found.items():
        assert layers[key]["count"] == len(service.frames[name]), name
        if name in service.filled and service.layers[name].shape != "mixed":
            order = {"box": around(service.frames[name]), "crs": "EPSG:4490", "size": SIZE}
            orders.append(order | {"layers": [key], "file": _file(pictures, "project", name)})
            file = _file(pictures, "project-stored", name)
            swapped.append(order | {"layer": key, "uri": f"{stored}|layername={name}", "file": file})
    box = around(service.frames["grids"])
    orders.append(
        {
            "layers": list(found.values())[::-1],
            "box": box,
            "crs": "EPSG:4490",
            "size": (1200, 900),
            "file": _file(pictures, "project", "all"),
        }
    )
    qgis({"project": str(project), "pictures": orders, "swapped": swapped})
    poor = []
    for order, swap in zip(orders, swapped, strict=False):
        away = differing(read(Path(order["file"])), read(Path(swap["file"])))
        if away > 0.01:
            poor.append(f"{order['file']}: {away:.4f} differs from the stored features in the same style")
    assert not poor, "\n".join(poor)
    assert painted(read(Path(_file(pictures, "project", "all")))).mean() > 0.2
