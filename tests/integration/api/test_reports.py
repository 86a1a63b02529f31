"""/api/v1/reports: pages, one report, sending one as JSON, what happens to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from data.intake import clean_layers, store_layers
from data.tables import STAGES
from gisgrid.errors import BadInput

pytestmark = pytest.mark.postgis
URL = "/api/v1/reports"


def post(client: Any, url: str, body: Any, status: int = 201, **more: Any) -> Any:
    headers = {"If-Match": "*"} | more.pop("headers", {})
    answer = client.post(url, json=body, headers=headers, **more)
    assert answer.status_code == status, answer.text
    return answer.get_json(force=True)


def read(client: Any, url: str, status: int = 200) -> Any:
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return answer.get_json(force=True)


@pytest.fixture
def made(inlet: Any) -> dict[str, Any]:
    code, lon, lat = inlet.grid(1)
    body = {"service_code": "0406", "lon": lon, "lat": lat, "description": "广场舞音响声音大", "channel": "12345热线"}
    found = dict(post(inlet.client, URL, body))
    assert found["properties"]["grid_code"] == code
    return found


def test_a_report_is_located_and_read_back(inlet: Any, made: dict[str, Any]) -> None:
    assert read(inlet.client, f"{URL}/{made['id']}") == made
    properties = made["properties"]
    assert (properties["source"], properties["report_id"]) == ("api", str(made["id"]))
    assert (properties["major"], properties["minor"], properties["channel"]) == ("街面秩序", "噪声扰民", "12345热线")
    assert properties["stage"] == STAGES[0]
    assert properties["updates"] == []
    assert properties["located"]["given"]["crs"] == "wgs84"
    over_open311 = read(inlet.client, f"/open311/v2/requests/{made['id']}.json")[0]
    assert (over_open311["grid"], over_open311["service_code"]) == (properties["grid_code"], "0406")


def test_a_token_stores_once(inlet: Any) -> None:
    _, lon, lat = inlet.grid()
    body = {"service_code": "0101", "lon": lon, "lat": lat, "token": "7f9c", "accuracy": 12.5}
    first = inlet.client.post(URL, json=body)
    again = inlet.client.post(URL, json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json(force=True) == again.get_json(force=True)
    assert first.headers["Location"] == f"{URL}/{first.get_json(force=True)['id']}"
    assert first.get_json(force=True)["properties"]["accuracy"] == 12.5


def test_pages_filter_by_time_stage_grid_and_class(inlet: Any, made: dict[str, Any]) -> None:
    whole = read(inlet.client, f"{URL}?limit=1")["numberMatched"]
    assert whole == inlet.scalar("SELECT count(*) FROM reports")
    now = datetime.now(UTC)
    since = (now - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    recent = read(inlet.client, f"{URL}?reported_since={since}&limit=5000")
    assert recent["numberMatched"] == inlet.scalar("SELECT count(*) FROM reports WHERE source <> 'sample'") > 0
    later = (now + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert read(inlet.client, f"{URL}?since={later}")["numberMatched"] == 0
    grid = made["properties"]["grid_code"]
    query = f"{URL}?grid_code={grid}&stage={STAGES[0]}&major=街面秩序&minor=噪声扰民,店外经营&limit=5000"
    assert made["id"] in [feature["id"] for feature in read(inlet.client, query)["features"]]
    assert read(inlet.client, f"{URL}?source=sample")["numberMatched"] == len(inlet.district.layers["reports"])


def test_the_five_stages_and_back(inlet: Any, made: dict[str, Any]) -> None:
    url = f"{URL}/{made['id']}/updates"
    for number, stage in enumerate(STAGES[1:]):
        found = post(inlet.client, url, {"stage": stage, "note": f"{stage}了", "channel": "指挥中心"})
        assert found["properties"]["stage"] == stage
        assert found["properties"]["status_notes"] == f"{stage}了"
        assert len(found["properties"]["updates"]) == number + 1
    error = post(inlet.client, url, {"stage": STAGES[1]}, 409)["error"]
    assert error["code"] == "conflict"
    assert "reopen=true" in error["message"]
    post(inlet.client, url, {"note": "补充材料"})
    assert read(inlet.client, f"{URL}/{made['id']}")["properties"]["stage"] == STAGES[4]
    assert post(inlet.client, url, {"reopen": True, "note": "复查"})["properties"]["stage"] == STAGES[1]
    post(inlet.client, url, {"stage": STAGES[3]})
    assert post(inlet.client, url, {"stage": STAGES[2]})["properties"]["stage"] == STAGES[2], "staff may send it back"
    rows = read(inlet.client, url)["updates"]
    assert [row["stage"] for row in rows] == [*STAGES[1:], STAGES[4], STAGES[1], STAGES[3], STAGES[2]]
    assert all(row["moved"] is None for row in rows)


def test_an_expected_time_is_kept_and_told(inlet: Any, made: dict[str, Any]) -> None:
    body = {"expected_at": "2026-12-31T18:00:00+08:00", "update_id": "a1", "media_urls": ["https://example.org/1.jpg"]}
    url = f"{URL}/{made['id']}/updates"
    post(inlet.client, url, body)
    assert len(post(inlet.client, url, body, 200)["properties"]["updates"]) == 1
    (told,) = read(inlet.client, f"/open311/v2/requests/{made['id']}.json")
    assert told["expected_datetime"] == "2026-12-31T10:00:00Z"
    (row,) = read(inlet.client, url)["updates"]
    assert row["media_urls"] == ["https://example.org/1.jpg"]


def test_answers_of_posts_have_the_declared_body(inlet: Any, made: dict[str, Any]) -> None:
    spec = read(inlet.client, "/openapi.json")
    operations = [spec["paths"][path]["post"] for path in (URL, f"{URL}/{{report}}/updates")]
    updated = post(inlet.client, f"{URL}/{made['id']}/updates", {"stage": STAGES[1]})
    for operation, answer in zip(operations, (made, updated), strict=True):
        assert {"200", "201", "400", "403", "404", "409", "503"} == set(operation["responses"]) - {"412", "428"}
        schema = operation["responses"]["201"]["content"]["application/geo+json"]["schema"]
        assert set(answer["properties"]) == set(schema["properties"]["properties"]["properties"])
        body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        fields = spec["components"]["schemas"][body]["properties"]
        assert all(field["description"] for field in fields.values())


def test_keys_are_asked_for_when_set(inlet: Any, made: dict[str, Any]) -> None:
    client = inlet.with_keys(("desk", "sesame"))
    _, lon, lat = inlet.grid()
    body = {"service_code": "0101", "lon": lon, "lat": lat}
    before = inlet.stored()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic sesame"}):
        assert post(client, URL, body, 401, headers=headers)["error"]["code"] == "unauthorized"
        assert (
            post(client, f"{URL}/{made['id']}/updates", {"note": "x"}, 401, headers=headers)["error"]["status"] == 401
        )
    assert inlet.stored() == before
    found = post(client, URL, body, headers={"Authorization": "Bearer sesame"})
    assert found["properties"]["channel"] == "desk"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"service_code": None}, 400, "service_code"),
        ({"service_code": "9999"}, 404, "9999"),
        ({"lon": None, "lat": None}, 400, "lon"),
        ({"lon": "x"}, 400, "lon"),
        ({"lon": 1e308}, 400, "degrees"),
        ({"lat": 112.84, "lon": 35.49}, 400, "swapped"),
        ({"lat": 0, "lon": 0}, 400, "outside"),
        ({"crs": "mars"}, 400, "mars"),
        ({"description": "x" * 4001}, 400, "4001"),
        ({"description": "x" * 10_000_000}, 400, "10000000"),
        ({"description": "a\x00b"}, 400, "NUL"),
        ({"description": "\ud800"}, 400, "Unicode"),
        ({"accuracy": -3}, 400, "accuracy"),
        ({"media_urls": ["javascript:1"]}, 400, "media_url"),
        ({"media_urls": "http://x"}, 400, "media_urls"),
        ({"reporter": "王"}, 400, "reporter"),
        ({"component_code": "1"}, 400, "component_code"),
    ],
)
def test_bad_reports_are_refused(inlet: Any, change: dict[str, Any], status: int, says: str) -> None:
    _, lon, lat = inlet.grid()
    before = inlet.stored()
    error = post(inlet.client, URL, {"service_code": "0101", "lon": lon, "lat": lat} | change, status)["error"]
    assert says in error["message"]
    assert inlet.stored() == before


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "says nothing"),
        ({"stage": "做完了"}, 400, "stage"),
        ({"note": "x" * 4001}, 400, "note"),
        ({"note": "\x00"}, 400, "NUL"),
        ({"expected_at": "2026-01-01T00:00:00"}, 400, "expected_at"),
        ({"expected_at": "9999-12-31T23:59:59-12:00"}, 400, "year"),
        ({"reopen": "perhaps"}, 400, "reopen"),
        ({"name": "王"}, 400, "name"),
        ([], 400, ""),
    ],
)
def test_bad_updates_are_refused(inlet: Any, made: dict[str, Any], body: Any, status: int, says: str) -> None:
    before = inlet.stored()
    assert says in post(inlet.client, f"{URL}/{made['id']}/updates", body, status)["error"]["message"]
    assert inlet.stored() == before


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        (f"{URL}/abc", 404, "abc"),
        (f"{URL}/99999999", 404, "99999999"),
        (f"{URL}/99999999/updates", 404, "99999999"),
        (f"{URL}?since=yesterday", 400, "since"),
        (f"{URL}?since=2026-01-01T00:00:00", 400, "since"),
        (f"{URL}?colour=red", 400, "colour"),
        (f"{URL}/1?x=1", 400, "x: Unknown field"),
    ],
)
def test_bad_questions_are_refused(inlet: Any, url: str, status: int, says: str) -> None:
    assert says in read(inlet.client, url, status)["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_bodies_that_are_no_json_are_refused(inlet: Any, kind: str) -> None:
    before = inlet.stored()
    for body in (b"{", b"\xff", b""):
        answer = inlet.client.post(URL, data=body, content_type=kind)
        assert 400 <= answer.status_code < 500
        assert set(answer.get_json()["error"]) == {"status", "code", "message", "details"}
    assert inlet.stored() == before


def test_importing_reports_again_leaves_those_sent_alone(inlet: Any, made: dict[str, Any]) -> None:
    before = inlet.scalar("SELECT count(*) FROM reports")
    store_layers(inlet.engine, *clean_layers({"reports": inlet.district.layers["reports"]}), source="sample")
    assert inlet.scalar("SELECT count(*) FROM reports") == before
    assert read(inlet.client, f"{URL}/{made['id']}") == made
    with inlet.engine.connect() as connection:
        imported = connection.execute(sa.text("SELECT * FROM reports WHERE source = 'sample' LIMIT 1")).mappings().one()
    assert (imported["grid_code"], imported["generation"], imported["located"]) == (None, None, {})


@pytest.mark.parametrize("source", ["open311", "api"])
def test_no_import_takes_the_place_of_reports_sent(inlet: Any, made: dict[str, Any], source: str) -> None:
    before = inlet.stored()
    with pytest.raises(BadInput, match="another name"):
        store_layers(inlet.engine, *clean_layers({"reports": inlet.district.layers["reports"]}), source=source)
    assert inlet.stored() == before
