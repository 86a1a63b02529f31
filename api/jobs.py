"""Jobs over HTTP: what there is, how far it is, what it made, and asking it to stop."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Boolean, Integer, String
from flask import Response, request, send_file

from api.access.principal import caller, may, require
from api.json import json_bytes, json_response
from api.pages import Strict, no_parameters
from api.plans.job import PLAN, keep_best
from api.state import State, state
from data import job_files, jobs
from data.retrying import retried
from data.tables import JOB_STATES
from gisgrid.access import EVERYWHERE
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import JOB_EVENTS_SECONDS, PAGE_DEFAULT, PAGE_MAX

bp = APIBlueprint("jobs", __name__, tag="Jobs")
EVENT_STREAM = "text/event-stream"
MEDIA = {
    ".csv": "text/csv", ".json": "application/json", ".geojson": "application/geo+json", ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet", ".gpkg": "application/geopackage+sqlite3",
    ".fgb": "application/vnd.flatgeobuf", ".html": "text/html",
}  # fmt: skip
BYTES = "application/octet-stream"
LOOK_SECONDS = 0.25
AGAIN_MILLISECONDS = 1_000
_waiting = threading.Semaphore(1)
"""One request of a process may wait for events: the others' threads are for everybody else."""


class JobsQuery(Strict):
    """Parameters of the list of jobs."""

    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"jobs a page, 1 to {PAGE_MAX}"})
    before = Integer(metadata={"description": "id of the last job of the page before; take it from the next link"})
    state = String(metadata={"description": "queued, running, done, failed, cancelled; several split by commas"})
    kind = String(metadata={"description": "kind of work; several split by commas"})


class CancelQuery(Strict):
    """Parameters of stopping a job."""

    keep = Boolean(load_default=False, metadata={"description": "of a plan: keep the best so far as a draft"})


class EventsQuery(Strict):
    """Parameters of a job's events."""

    after = Integer(metadata={"description": "last revision seen, where the header Last-Event-ID cannot be sent"})


@bp.get("/api/v1/jobs")
@bp.input(JobsQuery, location="query", unknown=None)
def listing(query_data: dict[str, Any]) -> Response:
    """Jobs, newest first."""
    limit = query_data["limit"]
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit={limit}: give a number from 1 to {PAGE_MAX}")
    states, kinds = (query_data[name].split(",") if query_data.get(name) else [] for name in ("state", "kind"))
    if unknown := sorted(set(states) - set(JOB_STATES)):
        raise BadInput(f"state={unknown[0]!r} is not known; give some of {', '.join(JOB_STATES)}")
    with state().engine.connect() as connection:
        rows, last = jobs.page(
            connection, limit=limit, before=query_data.get("before"), states=states, kinds=kinds, owner=_whose()
        )
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": "application/json"}]
    if last is not None:
        parameters = urlencode({**request.args.to_dict(), "before": last})
        links.append({"rel": "next", "href": f"{request.path}?{parameters}", "type": "application/json"})
    return json_response({"jobs": [job_json(row) | _asked(row) for row in rows], "links": links})


@bp.get("/api/v1/jobs/<job>")
@no_parameters
def detail(job: str) -> Response:
    """One job: its state, how far it is, seconds still needed, its result or its error."""
    row = _find(state(), number_of_job(job))
    return json_response(job_json(row) | _asked(row))


@bp.delete("/api/v1/jobs/<job>")
@bp.input(CancelQuery, location="query", unknown=None)
@retried
def cancel(job: str, query_data: dict[str, Any]) -> Response:
    """Ask a job to stop. 204: it had not begun and is cancelled; 202: it stops in a moment; 409: it has ended.

    Jobs of kind plan are stopped by planners. With ``keep`` the best plan such a job has so far becomes a draft, which
    the job's ``result`` names; there is none where it had found nothing yet.
    """
    number, keep = number_of_job(job), query_data["keep"]
    row = _find(state(), number)
    kind = row["kind"]
    if not row["owner"] and caller().kind in ("person", "token", "key"):
        require("admin", EVERYWHERE)  # nobody's: of a command, or of those without credentials
    if kind == PLAN:
        require("plan", row["area"])
    elif keep:
        raise BadInput(f"keep: job {number} is of kind {kind}; what is kept is the plan of a job of kind {PLAN}")
    with state().engine.begin() as connection:
        now = jobs.ask_cancel(connection, number)
        if keep:
            keep_best(connection, number)
    if now == "cancelled":
        return Response(status=204)
    return json_response(job_json(_find(state(), number)), status=202)


@bp.get("/api/v1/jobs/<job>/output")
@no_parameters
def output(job: str) -> Response:
    """The file a job made."""
    held = state()
    row = _find(held, number_of_job(job))
    if row["state"] in ("queued", "running"):
        raise Conflict(f"job {row['id']} is {row['state']}; its file is there when it is done", state=row["state"])
    name = (row["result"] or {}).get("output")
    if row["state"] != "done" or not name:
        raise NotFound(f"job {row['id']} ({row['state']}) has no file")
    path = job_files.output_of(held.settings.home, row["id"], name)
    return send_file(path, mimetype=media_of(name), as_attachment=True, download_name=name, conditional=True)


@bp.get("/api/v1/jobs/<job>/events")
@bp.input(EventsQuery, location="query", unknown=None)
def events(job: str, query_data: dict[str, Any]) -> Response:
    """Changes of a job as Server-Sent Events named after its state, until it ends; resumable with Last-Event-ID.

    A request is kept open for some seconds only; the client then asks again from where it stopped, as browsers do by
    themselves. 204 means that everything has been told.
    """
    held, number = state(), number_of_job(job)
    row, seen = _find(held, number), _last_seen(query_data)
    if row["state"] in jobs.ENDED and seen >= row["revision"]:
        return Response(status=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(_stream(held, row, seen), mimetype=EVENT_STREAM, headers=headers)


def job_json(row: dict[str, Any]) -> dict[str, Any]:
    """What is told of a job."""
    here = f"/api/v1/jobs/{row['id']}"
    links = [{"rel": "self", "href": here, "type": "application/json"}]
    if row["state"] not in jobs.ENDED:
        links.append({"rel": "events", "href": f"{here}/events", "type": EVENT_STREAM})
    if row["kind"] == PLAN:
        links.append({"rel": "preview", "href": f"{here}/preview", "type": "application/geo+json"})
    name = (row["result"] or {}).get("output") if row["state"] == "done" else None
    if name:
        links.append({"rel": "output", "href": f"{here}/output", "type": media_of(name)})
    eta = jobs.eta(row)
    told = ("id", "kind", "state", "share", "note", "cancel_asked", "attempts", "revision", "result", "error")
    times = {name: _utc(row[name]) for name in ("created_at", "started_at", "finished_at")}
    return {name: row[name] for name in told} | times | {"eta": eta and round(eta, 1), "params": {}, "links": links}


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    """What a plan that is being made is of and called: for planners, as drafts are."""
    if row["kind"] != PLAN or not may("plan", row["area"] or None):
        return {}
    return {"params": {name: row[name] for name in ("area", "name", "band")}}


def media_of(name: str) -> str:
    """Media type of a file by its ending."""
    return MEDIA.get("." + name.rsplit(".", 1)[-1].lower(), BYTES)


def _stream(held: State, row: dict[str, Any], seen: int) -> Iterator[bytes]:
    """Events newer than revision ``seen``. The first are sent at once, so that a proxy knows the stream lives."""
    yield f"retry: {AGAIN_MILLISECONDS}\n\n".encode()
    if row["revision"] > seen:
        yield _event(row)
    if row["state"] in jobs.ENDED or not _waiting.acquire(blocking=False):
        return
    try:
        deadline = time.monotonic() + JOB_EVENTS_SECONDS
        while row["state"] not in jobs.ENDED and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            seen = max(seen, row["revision"])
            try:
                row = _again(held, row["id"])
            except NotFound:
                return
            if row["revision"] > seen:
                yield _event(row)
    finally:
        _waiting.release()


def _again(held: State, job: int) -> dict[str, Any]:
    """The row of a job the caller was let look at."""
    with held.engine.connect() as connection:
        return jobs.find(connection, job)


def _event(row: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (row["revision"], row["state"].encode(), json_bytes(job_json(row)))


def _last_seen(query: dict[str, Any]) -> int:
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        return int(query.get("after", -1))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(
            f"Last-Event-ID {text[:20]!r} is no revision of a job; send the id of the last event, or nothing"
        )
    return int(text)


def number_of_job(text: str) -> int:
    """The number in an address. Raises NotFound for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no job {text[:20]!r}; jobs have numbers")
    return int(text)


def own_job(connection: sa.Connection, job: int) -> dict[str, Any]:
    """A job that is the caller's, or nobody's; administrators see all. Raises NotFound."""
    row = jobs.find(connection, job)
    if row["owner"] and row["owner"] != caller().key and not may("admin", EVERYWHERE):
        raise NotFound(f"there is no job {job}; ended jobs are removed after some days")
    return row


def _whose() -> str | None:
    """The key of the caller, whose jobs are told of; None: everybody's."""
    return None if may("admin", EVERYWHERE) else caller().key


def _find(held: State, job: int) -> dict[str, Any]:
    with held.engine.connect() as connection:
        return own_job(connection, job)


def _utc(value: dt.datetime | None) -> dt.datetime | None:
    return value and value.astimezone(dt.UTC)
