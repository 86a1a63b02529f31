"""Jobs over HTTP: the list, one job, its events, its file, asking it to stop."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from api import jobs as blueprint
from api.app import create_app
from data import job_files, jobs
from gisgrid.settings import Settings

pytestmark = pytest.mark.postgis


@pytest.fixture
def asking(settings: Settings, engine: sa.Engine) -> FlaskClient:
    return create_app(settings, engine).test_client()


def submit(settings: Settings, engine: sa.Engine, kind: str = "made up") -> int:
    with engine.begin() as connection:
        return jobs.submit(connection, kind, {}, home=settings.home)


def finish(
    settings: Settings, engine: sa.Engine, job: int, name: str = "points.csv", content: bytes = b"a\n1\n"
) -> None:
    with engine.connect() as connection:
        run = jobs.begin(connection, job)
        assert run is not None
        (job_files.fresh(settings.home, job).folder / name).write_bytes(content)
        assert jobs.end(connection, run, "done", result={"output": name, "points": 1})


def told(text: str) -> list[dict[str, str]]:
    """Events of a stream."""
    blocks = [block for block in text.split("\n\n") if block.strip(":\n")]
    return [dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")) for block in blocks]


def test_a_job_from_queue_to_file(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    job = submit(settings, engine)
    url = f"/api/v1/jobs/{job}"
    body = asking.get(url).get_json()
    assert (body["id"], body["state"], body["eta"], body["result"], body["error"]) == (job, "queued", None, None, None)
    assert [link["rel"] for link in body["links"]] == ["self", "events"]
    early = asking.get(f"{url}/output")
    assert early.status_code == 409
    assert early.get_json()["error"]["details"] == {"state": "queued"}
    finish(settings, engine, job)
    body = asking.get(url).get_json()
    (link,) = [one for one in body["links"] if one["rel"] == "output"]
    assert link["type"] == "text/csv"
    answer = asking.get(link["href"])
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.get_data() == b"a\n1\n"
    assert "points.csv" in answer.headers["Content-Disposition"]
    part = asking.get(link["href"], headers={"Range": "bytes=2-2"})
    assert (part.status_code, part.get_data()) == (206, b"1")


def test_eta_and_note_of_a_running_job(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    job = submit(settings, engine)
    with engine.connect() as connection:
        run = jobs.begin(connection, job)
        assert run is not None
        jobs.report(connection, run, 0.25, "located 1,000,000")
        connection.exec_driver_sql(f"UPDATE jobs SET started_at = now() - interval '10 s' WHERE id = {job}")
        connection.commit()
    body = asking.get(f"/api/v1/jobs/{job}").get_json()
    assert body["eta"] == pytest.approx(30, abs=1)
    assert (body["share"], body["note"]) == (0.25, "located 1,000,000")


def test_pages(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    made = [submit(settings, engine, kind) for kind in ("a", "b", "a", "b", "a")]
    seen, url = [], "/api/v1/jobs?limit=2"
    while url:
        body = asking.get(url).get_json()
        assert body["jobs"]
        seen += [row["id"] for row in body["jobs"]]
        url = next((link["href"] for link in body["links"] if link["rel"] == "next"), "")
    assert seen == made[::-1]
    assert [row["id"] for row in asking.get("/api/v1/jobs?kind=b&state=queued,done").get_json()["jobs"]] == [
        made[3],
        made[1],
    ]


def test_cancelling(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    waiting, running = submit(settings, engine), submit(settings, engine)
    with engine.connect() as connection:
        run = jobs.begin(connection, running)
    assert asking.delete(f"/api/v1/jobs/{waiting}").status_code == 204
    again = asking.delete(f"/api/v1/jobs/{waiting}")
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "conflict")
    answer = asking.delete(f"/api/v1/jobs/{running}")
    assert answer.status_code == 202
    assert answer.get_json()["cancel_asked"] is True
    with engine.connect() as connection:
        assert run is not None
        assert not jobs.may_go_on(connection, run)


def test_events_are_told_until_the_end_and_resumed(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    job = submit(settings, engine)
    url = f"/api/v1/jobs/{job}/events"

    def work() -> None:
        with engine.connect() as connection:
            run = jobs.begin(connection, job)
            assert run is not None
            for share in (0.3, 0.6):
                time.sleep(0.4)
                jobs.report(connection, run, share, "")
            jobs.end(connection, run, "done", result={})

    thread = threading.Thread(target=work)
    thread.start()
    answer = asking.get(url)
    events = told(answer.get_data(as_text=True))
    thread.join()
    assert answer.mimetype == "text/event-stream"
    assert events[0] == {"retry": "1000"}
    numbers = [int(event["id"]) for event in events[1:]]
    assert numbers == sorted(set(numbers))
    assert events[-1]["event"] == "done"
    last = json.loads(events[-1]["data"])
    assert last == asking.get(f"/api/v1/jobs/{job}").get_json()
    assert asking.get(url, headers={"Last-Event-ID": str(numbers[-1])}).status_code == 204
    resumed = told(asking.get(url, headers={"Last-Event-ID": str(numbers[-1] - 1)}).get_data(as_text=True))
    assert [event.get("event") for event in resumed] == [None, "done"]
    assert told(asking.get(f"{url}?after=1").get_data(as_text=True))[-1]["event"] == "done"


def test_waiting_for_events_is_short_and_one_at_a_time(
    asking: FlaskClient, settings: Settings, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blueprint, "JOB_EVENTS_SECONDS", 2.5)
    job = submit(settings, engine)
    took: list[float] = []

    def ask() -> None:
        begun = time.monotonic()
        body = asking.get(f"/api/v1/jobs/{job}/events").get_data(as_text=True)
        assert told(body)[-1]["event"] == "queued"
        took.append(time.monotonic() - begun)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(seconds >= 2.5 for seconds in took) == 1, "one waits, the others are told what is and go"
    assert max(took) < 30
    assert blueprint._waiting.acquire(blocking=False), "the place is free again"
    blueprint._waiting.release()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/jobs/999", 404), ("GET", "/api/v1/jobs/x", 404), ("GET", "/api/v1/jobs/-1", 404),
        ("GET", "/api/v1/jobs/99999999999999999999", 404), ("GET", "/api/v1/jobs/%D9%A1", 404), ("DELETE", "/api/v1/jobs/999", 404),
        ("GET", "/api/v1/jobs/999/events", 404), ("GET", "/api/v1/jobs/999/output", 404),
        ("GET", "/api/v1/jobs?limit=0", 400), ("GET", "/api/v1/jobs?limit=5001", 400), ("GET", "/api/v1/jobs?state=lost", 400),
        ("GET", "/api/v1/jobs?before=x", 400), ("GET", "/api/v1/jobs?page=2", 400), ("GET", "/api/v1/jobs/1?x=1", 400), ("GET", "/api/v1/jobs/1/events?x=1", 400),
        ("DELETE", "/api/v1/jobs", 405), ("POST", "/api/v1/jobs", 405),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_the_one_shape(asking: FlaskClient, method: str, path: str, status: int) -> None:
    answer = asking.open(path, method=method)
    assert answer.status_code == status
    error: dict[str, Any] = answer.get_json()["error"]
    assert error["status"] == status
    assert error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("seen", ["x", "-1", "1.5", "9" * 30])
def test_an_event_id_that_is_none_is_refused(
    asking: FlaskClient, settings: Settings, engine: sa.Engine, seen: str
) -> None:
    job = submit(settings, engine)
    answer = asking.get(f"/api/v1/jobs/{job}/events", headers={"Last-Event-ID": seen})
    assert answer.status_code == 400


def test_a_file_that_is_gone_is_not_found(asking: FlaskClient, settings: Settings, engine: sa.Engine) -> None:
    job = submit(settings, engine)
    finish(settings, engine, job)
    job_files.drop_output(settings.home, job)
    assert asking.get(f"/api/v1/jobs/{job}/output").status_code == 404


def test_failed_jobs_show_their_error_and_have_no_file(
    asking: FlaskClient, settings: Settings, engine: sa.Engine, tmp_path: Path
) -> None:
    job = submit(settings, engine)
    error = {"status": 400, "code": "bad_input", "message": "row 3 …", "details": {"row": 3}}
    with engine.connect() as connection:
        run = jobs.begin(connection, job)
        assert run is not None
        jobs.end(connection, run, "failed", error=error)
    body = asking.get(f"/api/v1/jobs/{job}").get_json()
    assert body["error"] == error
    assert asking.get(f"/api/v1/jobs/{job}/output").status_code == 404
