"""Figures, readiness and ids of requests, as Prometheus, balancers and operators read them."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.measures import BUCKETS, Measures
from tests.conftest import Planned

pytestmark = pytest.mark.postgis


def figures(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str, **labels: str) -> float:
    return found[(name, tuple(sorted(labels.items())))]


def test_requests_are_counted_and_timed_short_ways_too(planned: Planned) -> None:
    client = create_app(planned.settings, planned.engine).test_client()
    x, y = planned.district.layers["areas"].union_all().representative_point().coords[0]
    for _ in range(7):
        assert client.get(f"/api/v1/locate?lon={x:.6f}&lat={y:.6f}").status_code == 200
    for path, method in (("grids?limit=1", "GET"), ("grids?limit=x", "GET"), ("nothing", "GET"), ("grids", "BREW")):
        client.open(f"/api/v1/{path}", method=method, buffered=True)
    found = figures(client)
    count = "gisgrid_http_requests_total"
    assert of(found, count, method="GET", route="/api/v1/locate", status="200") == 7
    assert of(found, count, method="GET", route="/api/v1/grids", status="200") == 1
    assert of(found, count, method="GET", route="/api/v1/grids", status="400") == 1
    seconds = "gisgrid_http_request_seconds"
    assert of(found, f"{seconds}_count", method="GET", route="/api/v1/grids") == 2
    assert of(found, f"{seconds}_bucket", method="GET", route="/api/v1/locate", le="+Inf") == 7
    below = [of(found, f"{seconds}_bucket", method="GET", route="/api/v1/locate", le=str(end)) for end in BUCKETS]
    assert below == sorted(below)
    labels = {label for name, pairs in found if name == count for label in pairs}
    assert ("method", "OTHER") in labels
    assert not {value for label, value in labels if label == "route"} & {"/api/v1/nothing"}
    assert of(found, "gisgrid_database_up") == 1
    assert of(found, "gisgrid_locate_generation") == 1
    assert of(found, "gisgrid_memory_bytes") > 1e7
    assert of(found, "gisgrid_jobs", state="queued") == 0
    for name in (
        "gisgrid_webhook_deliveries_waiting",
        "gisgrid_sign_in_failures_recent",
        "gisgrid_generations_published",
    ):
        assert of(found, name) >= 0


def test_made_up_addresses_make_no_labels(planned: Planned) -> None:
    client = create_app(planned.settings, planned.engine).test_client()
    for number in range(40):
        client.get(f"/api/v1/nothing{number}", buffered=True)
        client.get(f"/api/v1/grids/{number}", buffered=True)
        client.open("/healthz", method=f"M{number}", buffered=True)
    routes = {key for key in figures(client) if key[0] == "gisgrid_http_requests_total"}
    assert len(routes) < 10


def test_figures_of_all_processes_are_told(tmp_path: Path) -> None:
    alive, ended = Measures(), Measures()
    for measures, number, pid in ((alive, 3, 1), (ended, 4, 2**22 + 1)):
        for _ in range(number):
            measures.request("GET", "/x", 200, 0.002)
        measures._folder = tmp_path
        measures._own = lambda: {"memory": 5.0}
        (tmp_path / f"{pid}.json").write_text(json.dumps(measures._now()))
    mine = Measures()
    mine._folder = tmp_path
    mine.request("GET", "/x", 200, 0.002)
    totals = mine.totals()
    assert totals.requests["GET", "/x", 200].number == 8, "a process that ended keeps its counts"
    assert totals.processes == [{}, {"memory": 5.0}], "what it told of itself goes with it"


def test_processes_share_their_figures(tmp_path: Path) -> None:
    measures = Measures(tmp_path)
    measures.request("GET", "/x", 200, 0.1)
    path, deadline = tmp_path / f"{os.getpid()}.json", time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert b'"/x"' in path.read_bytes()


def test_readiness_tells_each_thing_by_itself(planned_copy: Planned, tmp_path: Path) -> None:
    app = create_app(planned_copy.settings, planned_copy.engine, shared=tmp_path)
    client = app.test_client()

    def told() -> tuple[int, dict[str, str]]:
        answer = client.get("/readyz")
        assert isinstance(answer.json, dict)
        return answer.status_code, {check["name"]: check["status"] for check in answer.json["checks"]}

    assert told() == (200, {"database": "ok", "schema": "ok", "worker": "warning", "grids": "ok"})
    with planned_copy.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert told()[1]["worker"] == "ok"
    with planned_copy.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert told() == (503, {"database": "ok", "schema": "failed", "worker": "ok", "grids": "ok"})
    (tmp_path / "leaving").touch()
    assert told()[1]["server"] == "failed"
    assert client.get("/healthz").status_code == 200


def test_readiness_without_a_database(planned: Planned) -> None:
    from data.db import make_engine

    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    engine = make_engine(url)
    client = create_app(replace(planned.settings, database_url=url), engine).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert {check["name"]: check["status"] for check in answer.json["checks"]} == {
        "database": "failed",
        "grids": "failed",
    }
    assert "gisgrid_database_up 0" in client.get("/metrics").text
    engine.dispose()
