"""GDAL and OGR as they come with Debian: every layer by WMS, OGC API Features and vector tiles, held against SQL."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from tests.clients.conftest import Service
from tests.clients.pictures import misses, read

pytestmark = [pytest.mark.postgis, pytest.mark.timeout(600)]
Gdal = Callable[..., str]
SIZE = (400, 300)


def around(frame: gpd.GeoDataFrame, share: float = 0.08) -> tuple[float, float, float, float]:
    """A box in degrees around features with some room, never empty, in the shape of the pictures."""
    west, south, east, north = frame.total_bounds
    half = max((east - west) / 4, (north - south) / 3, 0.0004) * (1 + 2 * share) / 2
    x, y = (west + east) / 2, (south + north) / 2
    return x - 4 * half, y - 3 * half, x + 4 * half, y + 3 * half


@pytest.fixture(scope="module")
def taken(service: Service, gdal: Gdal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every collection copied by one ogr2ogr."""
    made = tmp_path_factory.mktemp("oapif") / "all.gpkg"
    gdal("ogr2ogr", "-q", made, f"OAPIF:{service.url}/ogc", "-oo", "PAGE_SIZE=400", "-lco", "FID=row_")
    return made


def test_oapif_lists_every_collection(service: Service, gdal: Gdal) -> None:
    told = gdal("ogrinfo", "-q", f"OAPIF:{service.url}/ogc")
    assert set(re.findall(r"^\d+: (.*?)(?: \(title: .*)?(?: \([A-Za-z ]+\))?$", told, re.MULTILINE)) == set(
        service.layers
    )


def test_oapif_hands_out_what_is_stored(service: Service, taken: Path) -> None:
    for name in service.filled:
        want, got = service.frames[name], gpd.read_file(taken, layer=name)
        assert len(got) == len(want), name
        assert np.allclose(got.total_bounds, want.total_bounds, atol=2e-7), name
        # the features, whatever their order, to a centimetre and attribute by attribute
        own = next(
            (
                a.name
                for a in service.layers[name].attributes
                if want[a.name].dropna().is_unique and want[a.name].notna().all()
            ),
            None,
        )
        got = got.iloc[_order(got, own)].reset_index(drop=True)
        expected = want.iloc[_order(want, own)].reset_index(drop=True)
        apart = shapely.hausdorff_distance(got.geometry.to_numpy(), expected.geometry.to_numpy())
        assert apart.max() < 2e-7, name
        for attribute in service.layers[name].attributes:
            if expected[attribute.name].isna().all():
                continue  # OGR learns attributes from the first page
            _same(got[attribute.name], expected[attribute.name], f"{name}.{attribute.name}", attribute.kind)


def _order(frame: gpd.GeoDataFrame, own: str | None) -> Any:
    """Rows by an attribute that tells them apart, else by the place and size of their shapes: the same on both sides."""
    if own is not None:
        return np.argsort(frame[own].astype(str).to_numpy(), kind="stable")
    shapes = frame.geometry.to_numpy()
    return np.lexsort(
        [np.round(shapely.area(shapes), 9), *(np.round(column, 5) for column in shapely.bounds(shapes).T)]
    )


def _same(got: pd.Series, want: pd.Series, where: str, kind: str) -> None:
    missing = want.isna().to_numpy()
    assert (got.isna().to_numpy() == missing).all(), where
    got, want = got[~missing], want[~missing]
    if kind in ("integer", "number", "boolean"):
        assert np.allclose(got.astype(float), want.astype(float), rtol=1e-6), where
    elif kind == "date-time" or isinstance(got.dtype, pd.DatetimeTZDtype):  # GDAL takes texts that are times for times
        apart = (pd.to_datetime(got, utc=True) - pd.to_datetime(want, utc=True)).abs()
        assert (apart < pd.Timedelta(seconds=1)).all(), where
    elif kind == "array":
        assert [json.loads(value) if isinstance(value, str) else list(value) for value in got] == list(want), where
    else:
        assert (got.astype(str).to_numpy() == want.astype(str).to_numpy()).all(), where


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_wms_draws_every_layer_where_it_lies(
    service: Service, gdal: Gdal, pictures: Path, tmp_path: Path, version: str
) -> None:
    """In EPSG:4326: north first in 1.3.0, east first in 1.1.1. The picture is held against the features, filled plainly."""
    poor = []
    for name in service.filled:
        frame, box = service.frames[name], around(service.frames[name])
        if not _drawn_at(service, name, box):
            continue
        made = pictures / f"gdal-{version}-{name.replace(':', '_')}.png"
        system = "SRS" if version == "1.1.1" else "CRS"
        west, south, east, north = box
        ends = (west, south, east, north) if version == "1.1.1" else (south, west, north, east)
        source = (
            f"WMS:{service.url}/wms?SERVICE=WMS&VERSION={version}&REQUEST=GetMap&LAYERS={name}&STYLES=&{system}=EPSG:4326"
            f"&BBOX={','.join(map(str, ends))}&FORMAT=image/png&TRANSPARENT=TRUE"
        )
        gdal(
            "gdal_translate", "-q", "-of", "PNG", "-outsize", *SIZE, "-projwin", west, north, east, south, source, made
        )
        if wrong := misses(read(made), frame, box, labelled=service.layers[name].label is not None):
            poor.append(f"{name}: {wrong} ({made})")
    assert not poor, "\n".join(poor)


def _drawn_at(service: Service, name: str, box: tuple[float, ...]) -> bool:
    """Whether a layer is drawn at the scale of a box."""
    scale = (box[2] - box[0]) * 111319.49 / SIZE[0] / 0.00028
    low, high = service.layers[name].scales
    return (low is None or scale > 1.2 * low) and (high is None or scale < high / 1.2)


def test_wms_is_listed_whole(service: Service, gdal: Gdal) -> None:
    told = gdal("gdalinfo", f"WMS:{service.url}/wms")
    listed = set(re.findall(r"SUBDATASET_\d+_NAME=.*[?&]LAYERS=([^&]*)&", told))
    assert {name.replace(":", "%3A") for name in service.layers} <= {name.replace(":", "%3A") for name in listed}


def test_mvt_tiles_hold_the_features(service: Service, gdal: Gdal, tmp_path: Path) -> None:
    """The tile in the middle of each layer, at the first zoom that thins nothing, clipped features held against shapely."""
    checked = 0
    for name in service.filled:
        about = f"{service.url}/ogc/collections/{urllib.request.quote(name)}/tiles/WebMercatorQuad/tilejson.json"
        with urllib.request.urlopen(about, timeout=30) as answer:
            told = json.load(answer)
        frame = service.frames[name].to_crs("EPSG:3857")
        zoom = max(14, told["minzoom"])
        side = 2 * 20037508.342789244 / 2**zoom
        point = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.iloc[len(frame) // 2]))[0]
        column, row = int((point[0] + 20037508.342789244) // side), int((20037508.342789244 - point[1]) // side)
        west, north = column * side - 20037508.342789244, 20037508.342789244 - row * side
        address = told["tiles"][0].format(z=zoom, x=column, y=row)
        made = tmp_path / f"{name.replace(':', '_')}.geojson"
        gdal("ogr2ogr", "-q", "-f", "GeoJSON", "-a_srs", "EPSG:3857", "-lco", "RFC7946=NO", "-lco", "COORDINATE_PRECISION=3", made,
             f"MVT:{address}", name, "-oo", f"X={column}", "-oo", f"Y={row}", "-oo", f"Z={zoom}")  # fmt: skip
        got = gpd.read_file(made)
        inside = frame[shapely.intersects(frame.geometry, shapely.box(west, north - side, west + side, north))]
        unit = side / 4096
        clear = inside[_large(inside, 3 * unit)]
        assert len(clear) <= len(got), name
        told_of = {column.lower() for column in got}  # OGR tells no ID from an id
        assert not len(got) or {a.name.lower() for a in service.layers[name].attributes} & told_of, name
        # every feature of the tile lies on what is stored, to two units
        tile = shapely.box(west, north - side, west + side, north).buffer(70 * unit)
        stored = shapely.union_all(shapely.intersection(frame.geometry.to_numpy(), tile)).buffer(3 * unit)
        assert shapely.covers(stored, got.geometry.to_numpy()).all(), name
        checked += len(got)
    assert checked > 100


def _large(frame: gpd.GeoDataFrame, size: float) -> Any:
    bounds = frame.bounds
    extent = np.maximum(bounds.maxx - bounds.minx, bounds.maxy - bounds.miny)
    return ((extent > size) | (frame.geom_type == "Point")).to_numpy()
