"""Idempotency-Key: sent again, a POST is answered again and done once, whatever happened to the first answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api import idempotency
from api.app import create_app
from data import idempotency as kept

pytestmark = pytest.mark.postgis
PLANS = "/api/v1/plans"


@pytest.fixture
def service(planned_copy: Any) -> FlaskClient:
    return create_app(replace(planned_copy.settings, open_editing=True), planned_copy.engine).test_client()


def count(planned: Any, table: str) -> int:
    with planned.engine.connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")))


def headers(key: str, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **more}


def test_sent_again_it_is_answered_again_and_done_once(service: FlaskClient, planned_copy: Any) -> None:
    body = {"area": planned_copy.area, "from": "empty", "name": "甲"}
    first = service.post(PLANS, json=body, headers=headers("a"))
    assert (first.status_code, first.headers.get("Idempotency-Replayed")) == (201, None)
    plans = count(planned_copy, "plans")
    again = service.post(PLANS, json=body, headers=headers("a"))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    for name in ("Location", "ETag", "Content-Type", "Cache-Control"):
        assert again.headers[name] == first.headers[name]
    assert count(planned_copy, "plans") == plans
    assert service.post(PLANS, json=body, headers=headers("b")).get_json()["id"] != first.get_json()["id"]
    assert service.post(PLANS, json=body).status_code == 201  # without a key it is another one


def test_a_key_names_one_request(service: FlaskClient, planned_copy: Any) -> None:
    body = {"area": planned_copy.area, "from": "empty"}
    assert service.post(PLANS, json=body, headers=headers("a")).status_code == 201
    plans = count(planned_copy, "plans")
    for other in (
        service.post(PLANS, json=body | {"name": "乙"}, headers=headers("a")),
        service.post(f"{PLANS}/1/duplicate", json={}, headers=headers("a")),
    ):
        assert (other.status_code, other.get_json()["error"]["code"]) == (422, "key_reused")
    assert count(planned_copy, "plans") == plans
    for wrong in ("", "x" * 201, "键"):
        assert service.post(PLANS, json=body, headers=[("Idempotency-Key", wrong)]).status_code == 400, wrong


def test_refusals_are_kept_but_not_those_about_the_caller(service: FlaskClient, planned_copy: Any) -> None:
    refused = service.post(PLANS, json={"area": "370000", "from": "empty"}, headers=headers("a"))
    assert refused.status_code == 404
    again = service.post(PLANS, json={"area": "370000", "from": "empty"}, headers=headers("a"))
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (404, "true")
    draft = service.post(PLANS, json={"area": planned_copy.area, "from": "published"}).get_json()["id"]
    url = f"{PLANS}/{draft}/publication"
    assert service.post(url, json={}, headers=headers("b", **{"If-Match": '"9"'})).status_code == 412
    done = service.post(url, json={}, headers=headers("b", **{"If-Match": '"1"'}))
    assert done.status_code == 200
    again = service.post(url, json={}, headers=headers("b", **{"If-Match": '"1"'}))
    assert (again.data, again.headers["Idempotency-Replayed"]) == (done.data, "true")
    assert count(planned_copy, "generations") == 2


def test_a_failure_of_the_service_takes_its_work_back(
    service: FlaskClient, planned_copy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies after the work and before the answer leaves what an error there leaves: nothing."""
    body = {"area": planned_copy.area, "from": "empty"}
    plans = count(planned_copy, "plans")
    with monkeypatch.context() as patch:
        patch.setattr(kept, "keep", lambda *_: 1 / 0)
        service.application.config["PROPAGATE_EXCEPTIONS"] = False
        assert service.post(PLANS, json=body, headers=headers("a")).status_code == 500
    assert count(planned_copy, "plans") == plans
    done = service.post(PLANS, json=body, headers=headers("a"))
    assert (done.status_code, done.headers.get("Idempotency-Replayed")) == (201, None)
    assert count(planned_copy, "plans") == plans + 1


def test_the_answer_to_a_lost_connection_is_there_or_nothing_was_done(service: FlaskClient, planned_copy: Any) -> None:
    """The backend is ended before the commit: 503, nothing stored, and the key is free at once."""
    body = {"area": planned_copy.area, "from": "empty"}
    plans = count(planned_copy, "plans")
    real = kept.keep

    def cut(connection: sa.Connection, *rest: Any) -> None:
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with planned_copy.engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:p)"), {"p": pid})
        real(connection, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "keep", cut)
        assert service.post(PLANS, json=body, headers=headers("a")).status_code == 503
    assert count(planned_copy, "plans") == plans
    assert service.post(PLANS, json=body, headers=headers("a")).status_code == 201
    assert count(planned_copy, "plans") == plans + 1


def test_while_the_first_is_worked_on_the_second_waits(
    service: FlaskClient, planned_copy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, heard = {"area": planned_copy.area, "from": "empty"}, []
    inside, leave = threading.Event(), threading.Event()
    real = kept.keep

    def slow(*rest: Any) -> None:
        inside.set()
        assert leave.wait(30)
        real(*rest)

    monkeypatch.setattr(kept, "keep", slow)
    first = threading.Thread(
        target=lambda: heard.append(
            service.application.test_client().post(PLANS, json=body, headers=headers("a")).status_code
        )
    )
    first.start()
    try:
        assert inside.wait(30)
        second = service.post(PLANS, json=body, headers=headers("a"))
        assert (second.status_code, second.get_json()["error"]["code"]) == (409, "in_progress")
        assert int(second.headers["Retry-After"]) >= 1
    finally:
        leave.set()
        first.join(30)
    assert heard == [201]
    assert service.post(PLANS, json=body, headers=headers("a")).headers["Idempotency-Replayed"] == "true"


def test_sixteen_at_once_do_it_once(service: FlaskClient, planned_copy: Any) -> None:
    body = {"area": planned_copy.area, "from": "published", "name": "十六"}
    ready, heard = threading.Barrier(16), []

    def send() -> None:
        client = service.application.test_client()
        ready.wait()
        heard.append(client.post(PLANS, json=body, headers=headers("a")))

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {answer.status_code for answer in heard} <= {201, 409}
    assert len({answer.data for answer in heard if answer.status_code == 201}) == 1
    with planned_copy.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM plans WHERE name = '十六'")) == 1


def test_large_and_secret_answers_are_not_kept_and_say_so(
    service: FlaskClient, planned_copy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "IDEMPOTENCY_ANSWER_BYTES_MAX", 10)
    body = {"area": planned_copy.area, "from": "empty"}
    first = service.post(PLANS, json=body, headers=headers("a"))
    assert (first.status_code, first.headers["Idempotency-Not-Kept"]) == (201, "too-large")
    again = service.post(PLANS, json=body, headers=headers("a"))
    error = again.get_json()["error"]
    assert (again.status_code, error["code"]) == (409, "answer_not_kept")
    assert error["details"] == {"status": 201, "location": first.headers["Location"]}
    table = {"points": [[112.8, 35.5]]}
    for _ in range(2):  # nothing is changed by it, so it may be asked again
        asked = service.post("/api/v1/locate", json=table, headers=headers("b"))
        assert (asked.status_code, asked.headers.get("Idempotency-Replayed")) == (200, None), asked.text
    monkeypatch.setattr(idempotency, "IDEMPOTENCY_ANSWER_BYTES_MAX", 1_000_000)
    monkeypatch.setattr(idempotency, "SECRETS", (PLANS,))
    secret = service.post(PLANS, json=body, headers=headers("c"))
    assert secret.headers["Idempotency-Not-Kept"] == "secret"
    with planned_copy.engine.connect() as connection:
        bodies = connection.scalars(sa.text("SELECT body FROM idempotency_keys WHERE key = 'c'")).all()
    assert bodies == [None]


def test_a_day_later_the_key_is_free_and_the_row_is_swept(service: FlaskClient, planned_copy: Any) -> None:
    body = {"area": planned_copy.area, "from": "empty"}
    first = service.post(PLANS, json=body, headers=headers("a")).get_json()["id"]
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.text("UPDATE idempotency_keys SET at = now() - interval '25 hours'"))
    second = service.post(PLANS, json=body, headers=headers("a")).get_json()["id"]
    assert first != second
    with planned_copy.engine.begin() as connection:
        assert kept.sweep(connection) == 0
        connection.execute(sa.text("UPDATE idempotency_keys SET at = now() - interval '25 hours'"))
        assert kept.sweep(connection) == 1


def test_every_inlet_takes_keys(service: FlaskClient, planned_copy: Any) -> None:
    grid = service.get("/api/v1/grids?limit=1").get_json(force=True)["features"][0]["properties"]
    lon, lat = grid["label_point"]
    reports = count(planned_copy, "reports")
    form = {"service_code": "0101", "lat": lat, "long": lon, "description": "路面"}
    first, again = (service.post("/open311/v2/requests.json", data=form, headers=headers("a")) for _ in range(2))
    assert first.status_code in (200, 201), first.text
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert count(planned_copy, "reports") == reports + 1
    number = first.get_json()[0]["service_request_id"]
    url, body = f"/api/v1/reports/{number}/updates", {"note": "看过"}
    match = {"If-Match": service.get(f"/api/v1/reports/{number}").headers["ETag"]}
    first, again = (service.post(url, json=body, headers=headers("a", **match)) for _ in range(2))
    assert first.status_code == 422  # the same caller used that key for the report
    first, again = (service.post(url, json=body, headers=headers("b", **match)) for _ in range(2))
    assert first.status_code == 201, first.text
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert len(again.get_json(force=True)["properties"]["updates"]) == 1
    table = service.post("/api/v1/locate", data=b"lon,lat\n112.8,35.5\n", content_type="text/csv", headers=headers("c"))
    assert table.status_code == 200, table.text
