"""OGC API Features Part 4: components and facilities made, replaced, changed and deleted, safely, with a key."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from data import tables as t

pytestmark = pytest.mark.postgis
KEY = {"Authorization": "Bearer secret-key-1"}
GEOJSON = {"Content-Type": "application/geo+json"}
ITEMS = "/ogc/collections/components/items"
PLACE = [112.84, 35.5]
NEW = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": PLACE},
    "properties": {"major": "01", "minor": "02", "name": "井盖", "first_date": "2026-05-01"},
}


@pytest.fixture(scope="module")
def app(planned: Any, cluster: Any) -> Iterator[Flask]:
    """The service with a key, on a copy of the district all tests of this file share."""
    from data import db
    from tests.conftest import _admin

    planned.engine.dispose()
    _admin(cluster, "CREATE DATABASE ogc_edited TEMPLATE planned")
    url = cluster.url_of("ogc_edited")
    settings = dataclasses.replace(planned.settings, database_url=url, editor_keys=(("anna", "secret-key-1"),))
    engine = db.make_engine(url)
    yield create_app(settings, engine)
    engine.dispose()
    _admin(cluster, "DROP DATABASE ogc_edited WITH (FORCE)")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def feature(**properties: Any) -> dict[str, Any]:
    return NEW | {"properties": NEW["properties"] | properties}  # type: ignore[operator]


def made(client: FlaskClient, **properties: Any) -> tuple[str, str]:
    """Address and tag of a new component."""
    answer = client.post(ITEMS, json=feature(**properties), headers=KEY)
    assert answer.status_code == 201, answer.get_json()
    return answer.headers["Location"].removeprefix("http://localhost"), answer.headers["ETag"]


def number_of(app: Flask) -> int:
    with app.extensions["gisgrid"].engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(t.components)))


def test_a_component_lives_and_dies(client: FlaskClient) -> None:
    address, tag = made(client)
    first = client.get(address)
    assert first.headers["ETag"] == tag
    stored = first.get_json(force=True)
    assert stored["geometry"]["coordinates"] == PLACE
    assert stored["properties"]["state"] == "完好"
    assert stored["id"][6:10] == "0102"
    patch = {"properties": {"state": "破损", "name": None}}
    kind = {"Content-Type": "application/merge-patch+json"}
    changed = client.patch(address, json=patch, headers=KEY | kind | {"If-Match": tag})
    assert changed.status_code == 204
    now = client.get(address).get_json(force=True)
    assert (now["properties"]["state"], now["properties"]["name"]) == ("破损", "")
    assert now["geometry"] == stored["geometry"]
    assert changed.headers["ETag"] != tag
    put = client.put(address, json=stored, headers=KEY | {"If-Match": changed.headers["ETag"]})
    assert put.status_code == 204, put.get_json()
    assert client.get(address).get_json(force=True)["properties"] == stored["properties"]
    assert client.delete(address, headers=KEY | {"If-Match": put.headers["ETag"]}).status_code == 204
    assert client.get(address).status_code == 404


def test_codes_are_numbered_and_never_used_twice(client: FlaskClient) -> None:
    one, _ = made(client, minor="07")
    two, _ = made(client, minor="07")
    assert int(two[-6:]) == int(one[-6:]) + 1
    again = client.post(ITEMS, json=feature(minor="07", component_code=two[-16:]), headers=KEY)
    assert again.status_code == 409


def test_changes_need_what_was_read(client: FlaskClient) -> None:
    address, tag = made(client)
    for call in (client.put, client.delete, client.patch):
        kwargs = {} if call == client.delete else {"json": feature()}
        assert call(address, headers=KEY, **kwargs).status_code == 428
        assert call(address, headers=KEY | {"If-Match": '"old"'}, **kwargs).status_code == 412
    assert client.delete(address, headers=KEY | {"If-Match": tag}).status_code == 204
    assert client.delete(address, headers=KEY | {"If-Match": tag}).status_code == 404


def test_only_with_a_key_and_only_what_may_be_edited(client: FlaskClient) -> None:
    address, tag = made(client)
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401)):
        assert client.post(ITEMS, json=NEW, headers=headers).status_code == status
        assert client.delete(address, headers=headers | {"If-Match": tag}).status_code == status
    assert client.post("/ogc/collections/buildings/items", json=NEW, headers=KEY).status_code == 405
    assert client.options(ITEMS).headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert set(client.options(address).headers["Allow"].split(", ")) >= {"PUT", "PATCH", "DELETE"}
    assert "PUT" not in client.options("/ogc/collections/buildings/items/1").headers["Allow"]


BAD: list[tuple[Any, int]] = [
    ([], 400), ("x", 400), ({}, 400), (NEW | {"geometry": None}, 400), (NEW | {"type": "Thing"}, 400),
    (NEW | {"geometry": {"type": "Point", "coordinates": [400, 1]}}, 400),
    (NEW | {"geometry": {"type": "Point", "coordinates": ["a", 1]}}, 400),
    (NEW | {"geometry": {"type": "Point", "coordinates": []}}, 400),
    (NEW | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, 400),
    (NEW | {"geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, 400),
    (NEW | {"geometry": {"type": "Circle", "coordinates": PLACE}}, 400),
    (NEW | {"properties": []}, 400), (feature(nothing="x"), 400), (feature(name=3), 400), (feature(state="gone"), 400),
    (feature(major="xx"), 400), (feature(major="99"), 400), (feature(first_date="soon"), 400),
    (feature(component_code="12"), 400), (feature(component_code="3799030303000001"), 400),
    (feature(note="x" * 100_000), 400), (feature(note="a\x00b"), 400), (feature(standard="none"), 400),
    (NEW | {"geometry": {"type": "Point", "coordinates": [10, 10]}}, 400),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BAD)
def test_bad_features_change_nothing(app: Flask, client: FlaskClient, body: Any, status: int) -> None:
    before = number_of(app)
    answer = client.post(ITEMS, json=body, headers=KEY)
    assert answer.status_code == status, answer.get_json()
    assert "\n" not in answer.get_json()["error"]["message"]
    assert number_of(app) == before


def test_bodies_that_are_no_feature_at_all(client: FlaskClient) -> None:
    assert client.post(ITEMS, data=b"{", headers=KEY | GEOJSON).status_code == 400
    assert client.post(ITEMS, data=b"\xff", headers=KEY | GEOJSON).status_code == 400
    assert client.post(ITEMS, data=b"[" * 100_000, headers=KEY | GEOJSON).status_code == 400
    assert client.post(ITEMS, data=b"a,b", headers=KEY | {"Content-Type": "text/csv"}).status_code == 415
    assert client.post(ITEMS + "?x=1", json=NEW, headers=KEY).status_code == 400


def test_a_part_takes_only_its_own(app: Flask, client: FlaskClient) -> None:
    before = number_of(app)
    answer = client.post("/ogc/collections/components_02/items", json=NEW, headers=KEY)
    assert (answer.status_code, number_of(app)) == (400, before)
    assert client.post("/ogc/collections/components_01/items", json=NEW, headers=KEY).status_code == 201


def test_the_body_may_be_in_another_crs(client: FlaskClient) -> None:
    swapped = NEW | {"geometry": {"type": "Point", "coordinates": PLACE[::-1]}}
    crs = {"Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4490>"}
    answer = client.post(ITEMS, json=swapped, headers=KEY | crs)
    assert answer.status_code == 201
    found = client.get(answer.headers["Location"].removeprefix("http://localhost")).get_json(force=True)
    assert found["geometry"]["coordinates"] == PLACE
    assert client.post(ITEMS, json=NEW, headers=KEY | {"Content-Crs": "EPSG:1"}).status_code == 400


def test_facilities_follow_the_facility_table(client: FlaskClient) -> None:
    items = "/ogc/collections/facilities/items"
    shape = {"type": "Feature", "geometry": {"type": "Point", "coordinates": PLACE}}
    answer = client.post(items, json=shape | {"properties": {"category": "小学", "name": "新"}}, headers=KEY)
    assert answer.status_code == 201, answer.get_json()
    found = client.get(answer.headers["Location"].removeprefix("http://localhost")).get_json(force=True)
    assert found["properties"]["category"] == "primary_school"
    assert found["properties"]["tier"] == 10
    whole = client.put(
        answer.headers["Location"].removeprefix("http://localhost"), json=found,
        headers=KEY | {"If-Match": answer.headers["ETag"]},
    )  # fmt: skip
    assert whole.status_code == 204
    assert client.post(items, json=shape | {"properties": {"category": "castle"}}, headers=KEY).status_code == 400


def test_a_change_is_seen_at_once(client: FlaskClient) -> None:
    page = client.get(f"{ITEMS}?limit=1")
    before = page.get_json(force=True)["numberMatched"]
    made(client)
    after = client.get(f"{ITEMS}?limit=1", headers={"If-None-Match": page.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json(force=True)["numberMatched"] == before + 1


def test_of_sixteen_writers_with_one_tag_one_wins(app: Flask) -> None:
    address, tag = made(app.test_client())
    statuses: list[int] = []
    ready = threading.Barrier(16)

    def write(number: int) -> None:
        mine = app.test_client()
        ready.wait(30)
        body = feature(name=f"writer {number}", component_code=address[-16:])
        statuses.append(mine.put(address, json=body, headers=KEY | {"If-Match": tag}).status_code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204] + [412] * 15


def test_drafts_are_collections_only_with_a_key(client: FlaskClient) -> None:
    for path in ("", "/items", "/schema", "/queryables", "/items/1"):
        assert client.get(f"/ogc/collections/drafts{path}").status_code == 404
    answer = client.get("/ogc/collections/drafts/items", headers=KEY)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("private")
    listed = client.get("/ogc/collections", headers=KEY).get_json()["collections"]
    assert "drafts" in {one["id"] for one in listed}
