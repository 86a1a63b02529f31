"""/api/v1/layers over HTTP: the catalogue, files, who may have drafts, what is left behind."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import geopandas as gpd
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from api.downloads import disposition
from gisgrid.limits import DOWNLOADS_AT_ONCE
from layers.downloads import FORMS
from tests.conftest import Planned

EDITOR = {"Authorization": "Bearer sesame"}


@pytest.fixture
def keyed(planned: Planned) -> FlaskClient:
    settings = dataclasses.replace(planned.settings, editor_keys=(("anna", "sesame"),))
    return create_app(settings, planned.engine).test_client()


def layers(client: FlaskClient, headers: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    return {layer["name"]: layer for layer in client.get("/api/v1/layers", headers=headers).get_json()["layers"]}


def idle(planned: Planned) -> bool:
    return planned.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_every_listed_download_is_a_file(client: FlaskClient, planned: Planned) -> None:
    listed = layers(client)
    assert {"grids", "circles", "blind_spots", "components_01"} <= set(listed)
    for name, layer in listed.items():
        assert set(layer["downloads"]) == (set() if layer["picture_only"] else set(FORMS)), name
        if layer["downloads"]:
            answer = client.get(layer["downloads"]["geojson"])
            assert answer.status_code == 200, name
            assert answer.get_json(force=True)["type"] == "FeatureCollection"
    for form, url in listed["grids"]["downloads"].items():
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.mimetype == FORMS[form].media
        assert answer.get_data()
    assert idle(planned)
    assert client.get("/api/v1/layers/grids").get_json() == listed["grids"]


def test_the_catalogue_is_asked_again_for_nothing(client: FlaskClient) -> None:
    first = client.get("/api/v1/layers")
    again = client.get("/api/v1/layers", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    tag = client.get("/api/v1/layers/grids/download?format=csv").headers["ETag"]
    same = {"If-None-Match": tag}
    assert client.get("/api/v1/layers/grids/download?format=csv", headers=same).status_code == 304
    assert client.get("/api/v1/layers/grids/download?format=fgb", headers=same).status_code == 200


def test_drafts_are_there_for_editors_only(keyed: FlaskClient) -> None:
    assert "drafts" not in layers(keyed)
    assert "drafts" in layers(keyed, EDITOR)
    for path in ("/api/v1/layers/drafts", "/api/v1/layers/drafts/download"):
        assert keyed.get(path).status_code == 404
        answer = keyed.get(path, headers=EDITOR)
        assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("format=dwg", "format"), ("bbox=1,2,3", "bbox"), ("bbox=nan,0,1,1", "bbox"), ("crs=mars", "coordinate"),
        ("crs=gcj02&format=gpkg", "gcj02"), ("crs=EPSG:3857&format=kml", "KML"), ("datetime=never", "datetime"),
        ("properties=secret", "properties"), ("filter=households+%3E", "filter"), ("filter-lang=sql", "filter"),
        ("limit=3", "limit"), ("lang=fr", "lang"), ("bom=maybe", "bom"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(client: FlaskClient, planned: Planned, query: str, told: str) -> None:
    answer = client.get(f"/api/v1/layers/grids/download?{query}")
    assert answer.status_code == 400, answer.get_data()
    assert told.lower() in answer.get_json()["error"]["message"].lower()
    assert idle(planned)


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc%2Fpasswd", "%00", "grids%27--", "reports_heat", "x" * 5000])
def test_names_that_are_no_layers(client: FlaskClient, name: str) -> None:
    assert client.get(f"/api/v1/layers/{name}/download").status_code in (400, 404)


def test_files_are_named_in_any_script(client: FlaskClient) -> None:
    told = client.get("/api/v1/layers/grids/download?format=gpkg&lang=zh").headers["Content-Disposition"]
    assert told.isascii()
    assert unquote(told.split("UTF-8''")[1]) == "网格.gpkg"
    told = client.get("/api/v1/layers/grids/download?format=csv&crs=EPSG:4549").headers["Content-Disposition"]
    assert 'filename="grids-EPSG4549.csv"' in told
    assert '"' not in disposition('a"b\r\n', ".csv").split("filename*")[0].removeprefix('attachment; filename="')[:-3]


def test_tables_open_in_excel(client: FlaskClient) -> None:
    plain = client.get("/api/v1/layers/facilities/download?format=csv").get_data()
    marked = client.get("/api/v1/layers/facilities/download?format=csv&bom=true").get_data()
    assert marked == b"\xef\xbb\xbf" + plain
    rows = list(csv.DictReader(io.StringIO(plain.decode())))
    assert {"facility_id", "lon", "lat"} <= set(rows[0])


def test_text_is_compressed_on_its_way(client: FlaskClient) -> None:
    url = "/api/v1/layers/grids/download"
    answer = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.get_data())) == client.get(url).get_json(force=True)


def test_a_client_that_goes_away_leaves_nothing(client: FlaskClient, planned: Planned) -> None:
    shelf = planned.settings.home / "downloads"
    for _ in range(2 * DOWNLOADS_AT_ONCE + 1):  # turns that were not given back would be missing
        for form in ("gpkg", "geojson", "csv", "shp"):
            for read in (0, 1):
                answer = client.get(f"/api/v1/layers/buildings/download?format={form}", buffered=False)
                assert answer.status_code == 200
                for _ in range(read):
                    next(iter(answer.response))
                answer.close()
                assert idle(planned), form
    assert list(shelf.iterdir()) == []
    with planned.engine.connect() as connection:
        open_cursors = connection.scalar(sa.text("SELECT count(*) FROM pg_cursors"))
        assert not open_cursors


def test_who_comes_when_all_turns_are_taken_is_told_to_wait(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.downloads.WAIT_SECONDS", 0.05)
    url = "/api/v1/layers/buildings/download?format=csv"
    running = [client.get(url, buffered=False) for _ in range(DOWNLOADS_AT_ONCE)]
    refused = client.get(url)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert refused.get_json()["error"]["code"] == "busy"
    for answer in running:
        answer.close()
    assert client.get(url).status_code == 200


def test_head_makes_nothing(client: FlaskClient, planned: Planned) -> None:
    answer = client.head("/api/v1/layers/grids/download?format=gpkg")
    assert answer.status_code == 200
    assert answer.mimetype == FORMS["gpkg"].media
    assert idle(planned)


def test_a_filter_and_a_box_over_http(client: FlaskClient, tmp_path: Path) -> None:
    url = "/api/v1/layers/grids/download?format=gpkg&filter=households+%3E+300+AND+level=1&properties=code,households"
    (tmp_path / "g.gpkg").write_bytes(client.get(url).get_data())
    found = gpd.read_file(tmp_path / "g.gpkg")
    assert (found["households"] > 300).all()
    assert list(found.columns) == ["code", "households", "geometry"]
