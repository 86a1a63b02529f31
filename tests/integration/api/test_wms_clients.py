"""The map service as clients of others use it: OWSLib in both versions, GDAL's WMS driver."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from owslib.wms import WebMapService
from PIL import Image
from werkzeug.serving import make_server

from api.app import create_app

pytestmark = pytest.mark.postgis


@pytest.fixture(scope="module")
def address(planned: Any) -> Iterator[str]:
    app = create_app(planned.settings, planned.engine)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/wms"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_opens_every_layer(address: str, planned: Any, version: str) -> None:
    wms = WebMapService(address, version=version)
    assert {"image/png", "image/jpeg", "image/webp"} <= set(wms.getOperationByName("GetMap").formatOptions)
    assert len(wms.contents) > 20
    told = 0
    for name, layer in wms.contents.items():
        west, south, east, north = layer.boundingBoxWGS84
        assert -180 <= west <= east <= 180
        assert layer.title
        assert layer.styles
        margin = 1e-4
        box = (west - margin, south - margin, east + margin, north + margin)
        asked = {
            "layers": [name], "styles": [""], "srs": "EPSG:4326", "bbox": box, "size": (64, 64), "format": "image/png",
            "transparent": True,
        }  # fmt: skip
        image = np.asarray(Image.open(io.BytesIO(wms.getmap(**asked).read())).convert("RGBA"))
        assert image.shape == (64, 64, 4), name
        if layer.queryable:
            answer = wms.getfeatureinfo(
                **asked, query_layers=[name], info_format="application/json", xy=(32, 32), feature_count=3
            )
            told += b'"Feature"' in answer.read()
    assert told > 3, "the middle of the district lies in areas and grids"


def test_owslib_finds_the_extent_of_the_data(address: str, planned: Any) -> None:
    with planned.engine.connect() as connection:
        row = connection.execute(sa.text(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geometry) e FROM streets) t"
        )).one()  # fmt: skip
    for version in ("1.1.1", "1.3.0"):
        layer = WebMapService(address, version=version)["streets"]
        assert layer.boundingBoxWGS84 == pytest.approx(tuple(row), abs=1e-6)


def test_gdal_reads_the_layers_and_a_picture(address: str, tmp_path: Any) -> None:
    if shutil.which("gdalinfo") is None:
        pytest.skip("gdalinfo (Debian's gdal-bin) is not here")
    listed = subprocess.run(["gdalinfo", f"WMS:{address}?SERVICE=WMS&REQUEST=GetCapabilities"],
                            capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    names = [line.split("=", 1)[1] for line in listed.stdout.splitlines() if "_NAME=" in line]
    found = next(name for name in names if "LAYERS=grids&" in name)
    out = tmp_path / "grids.png"
    subprocess.run(["gdal_translate", "-q", "-of", "PNG", "-outsize", "200", "0", found, str(out)], timeout=60,
                   check=True, capture_output=True)  # fmt: skip
    assert len(np.unique(np.asarray(Image.open(out).convert("RGB")).reshape(-1, 3), axis=0)) > 3
