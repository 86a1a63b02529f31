"""Addresses over HTTP: search, suggest, reverse, parse; bad input in the one error shape."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api.app import create_app
from data import tables as t
from data.gazetteer import CHECK_SECONDS
from data.intake import clean_layers, store_layers
from gisgrid.shifted import wgs84_to_gcj02

pytestmark = pytest.mark.postgis
BASE = "/api/v1/addresses"


def read(client: FlaskClient, path: str, status: int = 200, **query: Any) -> Any:
    answer = client.get(f"{BASE}/{path}", query_string=query)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_json(force=True)


def test_search_tells_the_place_and_the_grid_in_force(client: FlaskClient, planned: Any) -> None:
    rows = planned.district.layers["addresses"]
    for row in range(0, len(rows), 40):
        body = read(client, "search", text=rows["full"].iloc[row], limit=3)
        match = body["matches"][0]
        assert match["address_id"] == rows["address_id"].iloc[row]
        assert match["confident"]
        owner = client.get(f"/api/v1/locate?lon={match['lon']}&lat={match['lat']}").get_json()["owner"]
        assert match["grid"] == owner["code"]
        assert body["generation"] == 1


def test_search_by_plate_and_in_english(client: FlaskClient, planned: Any) -> None:
    row = planned.district.layers["addresses"].iloc[7]
    assert read(client, "search", text=f"https://qr.example.cn/?id={row['address_id']}")["matches"][0]["how"] == "plate"
    assert read(client, "search", text=row["name_en"])["matches"][0]["address_id"] == row["address_id"]


def test_suggest(client: FlaskClient, planned: Any) -> None:
    road = planned.district.layers["addresses"]["road"].iloc[0]
    body = read(client, "suggest", text=road[:2], limit=20)
    assert road in [s["text"] for s in body["suggestions"]]
    assert len(read(client, "suggest", text=road[:1], limit=2)["suggestions"]) <= 2


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "EPSG:4490"])
def test_reverse(client: FlaskClient, planned: Any, crs: str) -> None:
    row = planned.district.layers["addresses"].iloc[30]
    x, y = row.geometry.x, row.geometry.y
    if crs == "gcj02":
        gx, gy = wgs84_to_gcj02([x], [y])
        x, y = float(gx[0]), float(gy[0])
    found = read(client, "reverse", lon=x, lat=y, crs=crs)["addresses"]
    assert found[0]["address_id"] == row["address_id"]
    assert found[0]["metres"] < 0.1
    assert len(found) == 5


def test_parse(client: FlaskClient) -> None:
    body = read(client, "parse", text="云溪街９号枫波新村四栋2单元斜对面")
    assert body["parts"] == {
        "road": "云溪街",
        "door": "9号",
        "compound": "枫波新村",
        "building": "4栋",
        "unit": "2单元",
    }
    assert body["near"] is True


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("search", {}, "text"),
        ("search", {"text": ""}, "empty"),
        ("search", {"text": "。，！"}, "no letter"),
        ("search", {"text": "😀"}, "no letter"),
        ("search", {"text": "文\x07泉路"}, "U+0007"),
        ("search", {"text": "路" * 501}, "501 characters"),
        ("search", {"text": "a" * 60_000}, "60,000 characters"),
        ("search", {"text": "文泉路", "limit": 0}, "limit"),
        ("search", {"text": "文泉路", "limit": 101}, "limit"),
        ("search", {"text": "文泉路", "limit": "x"}, "limit"),
        ("search", {"text": "文泉路", "q": 1}, "q"),
        ("suggest", {"text": "路" * 501}, "501 characters"),
        ("suggest", {"text": " "}, "empty"),
        ("parse", {"text": "13800000000"}, "remarks"),
        ("reverse", {"lon": 112.8}, "lat"),
        ("reverse", {"lon": "nan", "lat": 35}, "lon"),
        ("reverse", {"lon": 1e308, "lat": 35}, "lon"),
        ("reverse", {"lon": 112, "lat": 35, "crs": "mars"}, "mars"),
        ("reverse", {"lon": 112, "lat": 35, "within": -1}, "within"),
    ],
)
def test_bad_input(client: FlaskClient, path: str, query: dict[str, Any], told: str) -> None:
    error = read(client, path, 400, **query)["error"]
    assert error["status"] == 400
    assert told in error["message"]
    assert "\n" not in error["message"]
    assert client.get("/healthz").status_code == 200


def test_without_addresses_it_is_said_so(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.delete(t.addresses))
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    for path, query in (
        ("search", {"text": "文泉路"}),
        ("suggest", {"text": "文"}),
        ("reverse", {"lon": 112, "lat": 35}),
    ):
        assert "no addresses" in read(client, path, 404, **query)["error"]["message"]


def test_an_import_is_noticed_while_clients_ask(planned_copy: Any) -> None:
    """Addresses imported while four clients search: no error, no half-read gazetteer, then the new ones are found."""
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    old = planned_copy.district.layers["addresses"]
    text = str(old["full"].iloc[5])
    assert read(client, "search", text=text)["matches"][0]["how"] in ("unit", "door")
    more = old.iloc[:20].copy()
    more["address_id"] = [f"NEW{n:05d}" for n in range(20)]
    more["full"], more["road"] = "鸣凤示范区新修路" + more["door_number"], "新修路"
    more["compound"] = more["building"] = more["unit"] = more["name_en"] = ""
    stop, faults = threading.Event(), []

    def keep_asking() -> None:
        mine = create_app(planned_copy.settings, planned_copy.engine).test_client()
        while not stop.is_set():
            answer = mine.get(f"{BASE}/search", query_string={"text": text})
            if answer.status_code != 200 or answer.get_json()["matches"][0]["address_id"] != old["address_id"].iloc[5]:
                faults.append(answer.get_data(as_text=True)[:200])

    askers = [threading.Thread(target=keep_asking) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        store_layers(planned_copy.engine, *clean_layers({"addresses": more}), source="more")
        threading.Event().wait(CHECK_SECONDS + 0.2)
        found = read(client, "search", text=str(more["full"].iloc[0]))["matches"]
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert not faults
    assert found[0]["full"].startswith("鸣凤示范区新修路")


def test_a_posted_search_is_the_same_and_its_faults_have_the_one_shape(client: FlaskClient, planned: Any) -> None:
    text = planned.district.layers["addresses"]["full"].iloc[10]
    posted = client.post("/api/v1/addresses/search", json={"text": text, "limit": 2})
    assert (
        posted.get_json() == client.get("/api/v1/addresses/search", query_string={"text": text, "limit": 2}).get_json()
    )
    for body in ({"text": "路" * 1_000_000}, {"text": ""}, {}, {"text": text, "limit": 0}, {"text": text, "more": 1}):
        refused = client.post("/api/v1/addresses/search", json=body)
        assert refused.status_code == 400
        assert refused.get_json()["error"]["status"] == 400
        assert len(refused.data) < 1_000
