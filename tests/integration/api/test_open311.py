"""Open311 GeoReport v2: a posted report is located, stored, answered with its grid, updated and found again."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from api.app import create_app
from api.open311.discovery import CHANGESET
from api.open311.services import attributes
from data.event_classes import event_classes
from data.tables import STAGES
from gisgrid.shifted import wgs84_to_bd09, wgs84_to_gcj02

pytestmark = pytest.mark.postgis
V2 = "/open311/v2"
Fits = Callable[[bytes, str, Any], bool]


def send(client: Any, form: dict[str, Any], status: int = 200, ending: str = "json") -> Any:
    answer = client.post(f"{V2}/requests.{ending}", data=form)
    assert answer.status_code == status, answer.text
    return answer.get_json()[0] if ending == "json" else answer.data


def read(client: Any, url: str, status: int = 200) -> Any:
    answer = client.get(f"{V2}/{url}")
    assert answer.status_code == status, answer.text
    return answer.get_json()


def one(client: Any, number: str) -> dict[str, Any]:
    (found,) = read(client, f"requests/{number}.json")
    return dict(found)


def update(client: Any, number: str, status: str, note: str = "", **more: str) -> dict[str, Any]:
    form = {
        "service_request_id": number,
        "status": status,
        "description": note,
        "updated_datetime": "2026-03-01T08:00:00Z",
    }
    answer = client.post(f"{V2}/servicerequestupdates.json", data=form | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json()[0])


# --- discovery and services --------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/open311", V2])
def test_discovery_names_the_interface(inlet: Any, fits_json: Fits, base: str) -> None:
    found = inlet.client.get(f"{base}/discovery.json").get_json()
    assert found["endpoints"][0]["url"] == "http://localhost/open311/v2"
    assert found["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    assert "不需要" in found["key_service"]
    keyed = inlet.with_keys(("", "secret")).get(f"{base}/discovery.json").get_json()
    assert "needs an api_key" in keyed["key_service"]
    assert fits_json(inlet.client.get(f"{base}/discovery.xml").data, "discovery", found)


def test_services_are_the_event_classes(inlet: Any, fits_json: Fits) -> None:
    found = read(inlet.client, "services.json")
    assert [service["service_code"] for service in found] == list(event_classes())
    assert found[0]["service_name"] == "暴露垃圾"
    assert found[0]["group"] == "市容环境 City appearance"
    assert {service["type"] for service in found} == {"realtime"}
    answer = inlet.client.get(f"{V2}/services.xml")
    assert answer.content_type == "text/xml; charset=utf-8"
    assert fits_json(answer.data, "services", found)


def test_a_service_definition_lists_attributes(inlet: Any, fits_json: Fits) -> None:
    found = read(inlet.client, "services/0408.json", 404)
    assert found[0]["code"] == 404
    found = read(inlet.client, "services/0407.json")
    assert [attribute["code"] for attribute in found["attributes"]] == [
        "component_code", "crs", "accuracy", "title", "fixmystreet_id",
    ]  # fmt: skip
    assert [attribute["order"] for attribute in found["attributes"]] == [1, 2, 3, 4, 5]
    assert not any(attribute["required"] for attribute in found["attributes"])
    assert fits_json(inlet.client.get(f"{V2}/services/0407.xml").data, "service_definition", found)


def test_the_changeset_moves_on_with_services() -> None:
    """Clients keep the list until the changeset is a new one: when this fails, set CHANGESET and the digest anew."""
    said = attributes(), [(one.code, one.major, one.minor, one.major_en) for one in event_classes().values()]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]
    assert (CHANGESET, digest) == ("2026-11-22T00:00:00Z", "a11ecfc2a6a9")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/xml", "text/xml"),
        ("application/xml;q=0.9, application/json;q=0.1", "text/xml"),
        ("text/html", "application/json"),
    ],
)
def test_without_an_ending_accept_decides(inlet: Any, accept: str | None, kind: str) -> None:
    answer = inlet.client.get(f"{V2}/services", headers={"Accept": accept} if accept else {})
    assert answer.mimetype == kind


# --- sending -----------------------------------------------------------------------------------


def test_the_specification_s_example_is_located_stored_and_found(inlet: Any, fits_json: Fits) -> None:
    """The POST example of the GeoReport v2 specification, at a place of ours."""
    code, lon, lat = inlet.grid()
    sent = send(inlet.client, {
        "api_key": "xyz", "jurisdiction_id": "city.gov", "service_code": "0103", "lat": lat, "long": lon,
        "address_string": "1234 5th street", "email": "smit333@sfgov.edu", "device_id": "tt222111",
        "account_id": "123456", "first_name": "john", "last_name": "smith", "phone": "111111111",
        "description": "A large sinkhole is destroying the street",
        "media_url": "http://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg",
        "attribute[WHISPAWN]": "123456", "attribute[WHISDORN]": "COISL001",
    })  # fmt: skip
    assert sent["grid"] == code
    assert code in sent["service_notice"]
    assert sent["account_id"] is None
    assert sent["generation"] == 1
    found = one(inlet.client, sent["service_request_id"])
    assert found["status"] == "open"
    assert (found["service_code"], found["service_name"]) == ("0103", "道路破损")
    assert found["description"] == "A large sinkhole is destroying the street"
    assert (found["long"], found["lat"]) == (pytest.approx(lon, abs=1e-7), pytest.approx(lat, abs=1e-7))
    assert found["address"] == "1234 5th street"
    assert found["media_url"].endswith(".jpg")
    assert (found["grid"], found["community"]) == (code, code[:12])
    assert datetime.now(UTC) - datetime.fromisoformat(found["requested_datetime"]) < timedelta(minutes=5)
    answer = inlet.client.get(f"{V2}/requests/{sent['service_request_id']}.xml")
    assert fits_json(answer.data, "service_requests", [found])


def test_who_sends_is_stored_nowhere(inlet: Any) -> None:
    _, lon, lat = inlet.grid()
    secrets = ["wang.xiaoming@example.org", "王晓明之名", "13900001111", "device-77aa", "account-88bb"]
    fields = ("email", "first_name", "phone", "device_id", "account_id")
    sent = send(inlet.client, {
        "service_code": "0101", "lat": lat, "long": lon, "description": "垃圾", **dict(zip(fields, secrets, strict=True)),
        "last_name": "王晓明之名", "attribute[email]": secrets[0], "attribute[last_name]": secrets[1],
    })  # fmt: skip
    update(
        inlet.client,
        sent["service_request_id"],
        "OPEN",
        "又来",
        email=secrets[0],
        first_name=secrets[1],
        phone=secrets[2],
    )
    tables = ("reports", "report_updates", "webhook_deliveries")
    for table in tables:
        text = inlet.scalar(f"SELECT string_agg(row_to_json(x)::text, ' ') FROM {table} x")
        assert not any(secret in (text or "") for secret in secrets), table


@pytest.mark.parametrize("crs", ["gcj02", "bd09", "wgs84", "cgcs2000"])
def test_other_coordinate_systems_find_the_same_grid(inlet: Any, crs: str) -> None:
    code, lon, lat = inlet.grid(3)
    bend = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}.get(crs, lambda x, y: (x, y))
    x, y = (float(np.asarray(part)) for part in bend(lon, lat))
    sent = send(inlet.client, {"service_code": "0101", "long": repr(x), "lat": repr(y), "attribute[crs]": crs})
    assert sent["grid"] == code
    found = one(inlet.client, sent["service_request_id"])
    assert (found["long"], found["lat"]) == (pytest.approx(lon, abs=2e-7), pytest.approx(lat, abs=2e-7))


def test_owners_are_those_of_the_rule(inlet: Any) -> None:
    """Every tenth vertex of every grid: the smallest code that ST_Covers the point, as stored."""
    rule = (
        'SELECT min(code COLLATE "C") FROM grids WHERE upper_inf(generations) AND level = 1 AND ST_Covers(geometry, :p)'
    )
    points = """
        SELECT ST_X(geom), ST_Y(geom) FROM (SELECT (ST_DumpPoints(geometry)).geom, row_number() OVER () AS n FROM grids) v
        WHERE n % 10 = 0 ORDER BY n LIMIT 60
    """
    with inlet.engine.connect() as connection:
        corners = connection.execute(sa.text(points)).all()
    for lon, lat in corners:
        sent = send(inlet.client, {"service_code": "0101", "long": repr(lon), "lat": repr(lat)})
        assert sent["grid"] == inlet.scalar(rule, p=f"SRID=4490;POINT({lon!r} {lat!r})")


def test_a_component_s_report_belongs_to_its_department(inlet: Any) -> None:
    code, lon, lat = inlet.grid(2)
    component = inlet.component()
    form = {"service_code": "0103", "lat": lat, "long": lon, "attribute[component_code]": component}
    found = one(inlet.client, send(inlet.client, form)["service_request_id"])
    departments = "SELECT {} FROM components WHERE component_code = :code"
    assert found["department"] == inlet.scalar(departments.format("dept_maintain"), code=component) != ""
    assert found["agency_responsible"] == found["department"]
    assert found["grid"] == code, "the grid is kept beside it"
    # who maintains it, else who owns it, else who supervises
    for column, following in (("dept_maintain", "dept_owner"), ("dept_owner", "dept_supervise")):
        with inlet.engine.begin() as connection:
            connection.execute(
                sa.text(f"UPDATE components SET {column} = '' WHERE component_code = :c"), {"c": component}
            )
        sent = send(inlet.client, form)
        expected = inlet.scalar(departments.format(following), code=component)
        assert expected in sent["service_notice"]
        assert one(inlet.client, sent["service_request_id"])["agency_responsible"] == expected != ""


def test_a_component_or_an_address_id_can_be_the_place(inlet: Any) -> None:
    by_component = send(inlet.client, {"service_code": "0103", "attribute[component_code]": inlet.component()})
    found = one(inlet.client, by_component["service_request_id"])
    where = "SELECT ST_X(geometry) FROM components WHERE component_code = :c"
    assert found["long"] == pytest.approx(inlet.scalar(where, c=inlet.component()), abs=1e-7)
    address = inlet.scalar("SELECT address_id FROM addresses ORDER BY id LIMIT 1")
    found = one(inlet.client, send(inlet.client, {"service_code": "0103", "address_id": address})["service_request_id"])
    assert found["address"] == inlet.scalar('SELECT "full" FROM addresses WHERE address_id = :a', a=address)
    assert found["grid"] is not None


def test_posts_are_found_upwards(inlet: Any) -> None:
    code, lon, lat = inlet.grid(4)
    number = send(inlet.client, {"service_code": "0101", "lat": lat, "long": lon})["service_request_id"]
    assert one(inlet.client, number)["agency_responsible"].endswith(" 网格员"), "the usual post of a grid"
    posts = [(code[:9], "", "街道综治中心", False), (code, "", "03号岗", False), (code, "巡查", "02号岗", True)]
    for known, (place, department, post, first) in enumerate(posts):
        with inlet.engine.begin() as connection:
            row = {"p": place, "d": department, "o": post, "f": first, "r": f"r{known}"}
            connection.execute(
                sa.text("INSERT INTO posts (place, role, post, department, first) VALUES (:p, :r, :o, :d, :f)"), row
            )
        expected = f"{department} {post}".strip()
        assert one(inlet.client, number)["agency_responsible"] == expected


def outside(inlet: Any, metres: float) -> tuple[float, float]:
    """A point that far west of every area and grid, level with the westernmost corner."""
    query = "SELECT ST_X(p), ST_Y(p) FROM (SELECT (ST_DumpPoints(geometry)).geom AS p FROM areas) v ORDER BY 1 LIMIT 1"
    with inlet.engine.connect() as connection:
        lon, lat = connection.execute(sa.text(query)).one()
    return lon - metres / (111_320 * np.cos(np.radians(lat))), lat


def test_just_outside_is_kept_and_far_away_is_an_error(inlet: Any) -> None:
    lon, lat = outside(inlet, 200)
    sent = send(inlet.client, {"service_code": "0101", "lat": lat, "long": lon})
    assert sent["grid"] is None
    assert "200" in sent["service_notice"] or "199" in sent["service_notice"]
    before = inlet.stored()
    lon, lat = outside(inlet, 700)
    (error,) = inlet.client.post(
        f"{V2}/requests.json", data={"service_code": "0101", "lat": lat, "long": lon}
    ).get_json()
    assert (error["code"], error["word"]) == (400, "outside")
    assert inlet.stored() == before


def test_where_no_grid_is_yet_the_area_is_named(planned_copy: Any) -> None:
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE grids SET generations = 'empty' WHERE true"))
        connection.execute(sa.text("DELETE FROM circle_coverage"))
        connection.execute(sa.text("UPDATE generations SET is_current = false"))
        lon, lat = connection.execute(
            sa.text("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM areas) v")
        ).first()
    client = create_app(planned_copy.settings, planned_copy.engine).test_client()
    sent = send(client, {"service_code": "0101", "lat": lat, "long": lon})
    assert (sent["grid"], sent["generation"]) == (None, None)
    assert sent["community"] == "379903001001"
    assert "还没有网格" in sent["service_notice"]
    send(client, {"service_code": "0101", "lat": 39.9, "long": 116.4}, 400)


@pytest.mark.parametrize("field", ["attribute[fixmystreet_id]", "token"])
def test_sending_again_stores_once_even_at_the_same_time(inlet: Any, field: str) -> None:
    _, lon, lat = inlet.grid()
    form = {"service_code": "0101", "lat": lat, "long": lon, field: f"again {field}"}
    before, numbers = inlet.stored()[0], []
    threads = [threading.Thread(target=lambda: numbers.append(sending(inlet, form))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 8
    assert len(set(numbers)) == 1
    assert inlet.stored()[0] == before + 1
    if field == "token":
        assert read(inlet.client, f"tokens/{form[field]}.json") == [
            {"service_request_id": numbers[0], "token": form[field]}
        ]
    other = send(inlet.client, form | {field: "another"})["service_request_id"]
    assert other != numbers[0]


def sending(inlet: Any, form: dict[str, Any]) -> str:
    client = inlet.client.application.test_client()  # a test client is for one thread
    return str(send(client, form)["service_request_id"])


def test_fixmystreet_s_report_under_another_category_is_another_request(inlet: Any) -> None:
    _, lon, lat = inlet.grid()
    form = {"lat": lat, "long": lon, "attribute[fixmystreet_id]": "5150"}
    numbers = [
        send(inlet.client, form | {"service_code": code})["service_request_id"] for code in ("0101", "0102", "0101")
    ]
    assert numbers[0] == numbers[2] != numbers[1]


# --- keys --------------------------------------------------------------------------------------


def test_keys_are_asked_for_when_set(inlet: Any) -> None:
    client = inlet.with_keys(("fms", "sesame"), ("", "plain"))
    code, lon, lat = inlet.grid()
    form = {"service_code": "0101", "lat": lat, "long": lon}
    before = inlet.stored()
    for wrong in ({}, {"api_key": ""}, {"api_key": "sesam"}, {"api_key": "fms:sesame"}, {"api_key": "密钥"}):
        answer = client.post(f"{V2}/requests.json", data=form | wrong)
        assert answer.status_code == 403
        assert answer.get_json()[0]["code"] == 403
        assert "sesame" not in answer.text
        changed = client.post(
            f"{V2}/servicerequestupdates.json", data=wrong | {"service_request_id": "1", "status": "CLOSED"}
        )
        assert changed.status_code == 403
    assert inlet.stored() == before
    sent = send(client, form | {"api_key": "sesame"})
    assert one(client, sent["service_request_id"])["channel"] == "fms"
    # the older Python wrapper puts the key into the address
    answer = client.post(f"{V2}/requests.json?api_key=plain&jurisdiction_id=x", data=form)
    assert answer.status_code == 200
    assert read(client, "requests.json")[0]["grid"] == code, "reading needs no key"


def test_two_senders_may_use_the_same_number(inlet: Any) -> None:
    client = inlet.with_keys(("east", "k1"), ("west", "k2"))
    _, lon, lat = inlet.grid()
    form = {"service_code": "0101", "lat": lat, "long": lon, "attribute[fixmystreet_id]": "1"}
    numbers = {send(client, form | {"api_key": key})["service_request_id"] for key in ("k1", "k2", "k1")}
    assert len(numbers) == 2


# --- updates -----------------------------------------------------------------------------------


@pytest.fixture
def request_id(inlet: Any) -> str:
    _, lon, lat = inlet.grid(1)
    return str(send(inlet.client, {"service_code": "0405", "lat": lat, "long": lon})["service_request_id"])


def stage(inlet: Any, number: str) -> str:
    return str(inlet.scalar("SELECT stage FROM reports WHERE id = :n", n=int(number)))


def test_updates_and_status_go_round(inlet: Any, request_id: str, fits_json: Fits) -> None:
    told = []
    for status, expected in [
        ("OPEN", STAGES[0]), ("INVESTIGATING", STAGES[1]), ("IN_PROGRESS", STAGES[2]), ("FIXED", STAGES[3]),
        ("CLOSED", STAGES[4]),
    ]:  # fmt: skip
        sent = update(inlet.client, request_id, status, f"{status} 备注", update_id=status)
        assert stage(inlet, request_id) == expected
        told.append(sent["update_id"])
        assert one(inlet.client, request_id)["status"] == ("closed" if status == "CLOSED" else "open")
    found = one(inlet.client, request_id)
    assert found["status_notes"] == "CLOSED 备注"
    rows = read(inlet.client, f"servicerequestupdates.json?service_request_id={request_id}")
    assert [row["update_id"] for row in rows] == told, (
        "the number answered is the number listed: a sender knows its own"
    )
    assert [row["status"] for row in rows] == ["open", "action_scheduled", "in_progress", "fixed", "closed"]
    assert [row["external_status_code"] for row in rows] == list(STAGES)
    assert rows[-1]["updated_datetime"] == found["updated_datetime"]
    answer = inlet.client.get(f"{V2}/servicerequestupdates.xml?service_request_id={request_id}")
    assert fits_json(answer.data, "service_request_updates", rows)


@pytest.mark.parametrize(
    "status", ["duplicate", "not_councils_responsibility", "NO_FURTHER_ACTION", "no further action"]
)
def test_fixmystreet_s_ends_archive(inlet: Any, request_id: str, status: str) -> None:
    assert update(inlet.client, request_id, status)["status"] == "closed"
    assert stage(inlet, request_id) == STAGES[4]


def test_a_stale_status_takes_nothing_back(inlet: Any, request_id: str) -> None:
    update(inlet.client, request_id, "IN_PROGRESS")
    for stale in ("OPEN", "FOR_TRIAGE", "INVESTIGATING"):
        assert update(inlet.client, request_id, stale, "居民留言")["status"] == "in_progress"
    update(inlet.client, request_id, "CLOSED")
    assert update(inlet.client, request_id, "IN_PROGRESS", "晚到的留言")["status"] == "closed"
    assert update(inlet.client, request_id, "REOPEN", "还没修好")["status"] == "action_scheduled"
    assert stage(inlet, request_id) == STAGES[1]


def test_an_update_sent_again_is_stored_once(inlet: Any, request_id: str) -> None:
    first = update(inlet.client, request_id, "IN_PROGRESS", "一", update_id="9")
    before = inlet.stored()
    assert update(inlet.client, request_id, "CLOSED", "二", update_id="9")["update_id"] == first["update_id"]
    assert inlet.stored() == before
    assert stage(inlet, request_id) == STAGES[2]


def test_updates_are_found_by_when_they_came(inlet: Any, request_id: str) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=2)
    sent = update(inlet.client, request_id, "IN_PROGRESS", updated_datetime="2020-01-01T00:00:00Z")
    window = f"start_date={begun:%Y-%m-%dT%H:%M:%SZ}&end_date={begun + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    rows = read(inlet.client, f"servicerequestupdates.json?{window}")
    assert sent["update_id"] in [row["update_id"] for row in rows], "a late one is not missed by those who poll"
    old = read(inlet.client, "servicerequestupdates.json?start_date=2020-01-01T00:00:00Z&end_date=2020-02-01T00:00:00Z")
    assert old == []
    pages = [
        read(inlet.client, f"servicerequestupdates.json?{window}&page_size=1&page={page}")
        for page in range(1, len(rows) + 2)
    ]
    assert [row for page in pages for row in page] == rows


def test_every_change_is_queued_for_webhooks(inlet: Any) -> None:
    code, lon, lat = inlet.grid(1)
    with inlet.engine.begin() as connection:
        for name, area in (("all", ""), ("here", code[:12]), ("elsewhere", "110101")):
            values = {"n": name, "a": area}
            connection.execute(
                sa.text("INSERT INTO webhooks (name, url, secret, area) VALUES (:n, 'http://x', 's', :a)"), values
            )
    number = send(inlet.client, {"service_code": "0405", "lat": lat, "long": lon})["service_request_id"]
    update(inlet.client, number, "IN_PROGRESS", "处理中")
    query = """
        SELECT w.name, d.event, d.payload FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook
        WHERE d.report = :r ORDER BY d.id
    """
    with inlet.engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"r": int(number)}).all()
    assert sorted((row.name, row.event) for row in rows) == sorted(
        (name, event) for name in ("all", "here") for event in ("report.created", "report.updated")
    )
    payload = rows[-1].payload
    assert (payload["id"], payload["grid"], payload["stage"], payload["open"]) == (int(number), code, STAGES[2], True)
    assert payload["update"]["note"] == "处理中"
    with inlet.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM webhooks"))


# --- finding -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def some(inlet: Any) -> list[dict[str, Any]]:
    """Reports of several classes, grids and stages, told of as the list tells them."""
    numbers = []
    for number, code in enumerate(["0101", "0102", "0405", "0101", "0601"]):
        _, lon, lat = inlet.grid(number)
        form = {"service_code": code, "lat": lat, "long": lon, "description": f"第{number}件 50%_done"}
        numbers.append(send(inlet.client, form)["service_request_id"])
    update(inlet.client, numbers[1], "CLOSED")
    update(inlet.client, numbers[2], "IN_PROGRESS")
    return [one(inlet.client, number) for number in numbers]


def found(inlet: Any, some: list[dict[str, Any]], query: str) -> list[int]:
    """Which of them a question finds."""
    ids = [row["service_request_id"] for row in read(inlet.client, f"requests.json?{query}")]
    return [place for place, row in enumerate(some) if row["service_request_id"] in ids]


def test_filters_find_what_they_say(inlet: Any, some: list[dict[str, Any]]) -> None:
    everything = [0, 1, 2, 3, 4]
    today = datetime.now(UTC)
    assert found(inlet, some, "") == everything
    assert found(inlet, some, "service_code=0101") == [0, 3]
    assert found(inlet, some, "service_code=0101,0601") == [0, 3, 4]
    assert found(inlet, some, "status=open") == [0, 2, 3, 4]
    assert found(inlet, some, "status=closed") == [1]
    assert found(inlet, some, "status=open,closed") == everything
    assert found(inlet, some, "status=in_progress") == [2]
    assert found(inlet, some, f"grid={some[2]['grid']}") == [2]
    assert found(inlet, some, "q=" + "50%25_done") == everything
    assert found(inlet, some, "q=" + "50_done") == [], "% and _ are letters here"
    assert found(inlet, some, "q=第3件") == [3]
    assert found(inlet, some, f"start_date={today - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}") == everything
    assert found(inlet, some, f"end_date={today - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}") == []
    assert found(inlet, some, f"updated_after={some[1]['updated_datetime']}&status=closed") == [1]
    assert found(inlet, some, f"updated_before={today - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}") == []
    both = f"{some[0]['service_request_id']},{some[4]['service_request_id']}"
    assert found(inlet, some, f"service_request_id={both}&status=closed") == [0, 4], (
        "numbers override all other filters"
    )
    # an unescaped plus sign in the zone is a space by the time it is here
    assert found(inlet, some, f"start_date={today - timedelta(days=1):%Y-%m-%dT%H:%M:%S}+08:00") == everything


def test_circles_are_those_of_postgis(inlet: Any, some: list[dict[str, Any]]) -> None:
    lon, lat = some[0]["long"], some[0]["lat"]
    inside = """
        SELECT array_agg(id) FROM reports WHERE reported_at > now() - interval '90 days'
        AND ST_DistanceSphere(ST_SetSRID(geometry, 4326), ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)) < :metres
    """
    for metres in (1, 150, 400, 1000):
        rows = read(inlet.client, f"requests.json?lat={lat}&long={lon}&radius={metres}")
        near = set(inlet.scalar(inside, lon=lon, lat=lat, metres=metres * 0.99) or [])
        far = set(inlet.scalar(inside, lon=lon, lat=lat, metres=metres * 1.01) or [])
        assert near <= {int(row["service_request_id"]) for row in rows} <= far


def test_pages_give_everything_once_in_order(inlet: Any, some: list[dict[str, Any]]) -> None:
    for order in ("", "&sort=requested_datetime", "&sort=-updated_datetime"):
        whole = [row["service_request_id"] for row in read(inlet.client, f"requests.json?page_size=1000{order}")]
        assert {row["service_request_id"] for row in some} <= set(whole)
        paged: list[str] = []
        for page in range(1, 1000):
            rows = read(inlet.client, f"requests.json?page={page}&page_size=7{order}")
            paged += [row["service_request_id"] for row in rows]
            if len(rows) < 7:
                break
        assert paged == whole
    newest = [row["requested_datetime"] for row in read(inlet.client, "requests.json")]
    assert newest == sorted(newest, reverse=True)


def test_one_request_has_two_addresses_and_a_plain_form(inlet: Any, some: list[dict[str, Any]]) -> None:
    number = some[0]["service_request_id"]
    assert (
        read(inlet.client, f"request/{number}.json")
        == read(inlet.client, f"requests/{number}")
        == [one(inlet.client, number)]
    )
    (plain,) = read(inlet.client, f"requests/{number}.json?extensions=false")
    assert set(plain) == {
        "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
        "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address",
        "address_id", "zipcode", "lat", "long", "media_url",
    }  # fmt: skip


def test_imported_reports_are_found_too(inlet: Any) -> None:
    rows = read(inlet.client, "requests.json?start_date=2025-06-01T00:00:00Z&end_date=2025-08-01T00:00:00Z")
    imported = inlet.district.layers["reports"]
    times = imported["reported_at"].map(datetime.fromisoformat)
    first, last = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC)
    assert len(rows) == int(((times >= first) & (times <= last)).sum()) > 50
    assert all(row["service_code"] in event_classes() for row in rows)
    assert rows[0]["grid"] is None, "not located until asked for"
