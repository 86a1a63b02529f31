"""``/metrics``: figures of the service in Prometheus' text form, of all processes of this server and of the database.

Labels are few and bounded: methods, route templates, statuses, states. Nothing here is about a person.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, current_app

from api.measures import BUCKETS, Measures, Timed, Totals
from api.pages import no_parameters
from api.state import State, state
from gisgrid import __version__

FORM: Final = "text/plain; version=0.0.4; charset=utf-8"
JOB_STATES: Final = ("queued", "running", "done", "failed", "cancelled")
bp = APIBlueprint("metrics", __name__, tag="Overview")
Sample = tuple[dict[str, str], float]
_DATABASE: Final = (
    ("gisgrid_jobs", "Jobs by state.", "state", "SELECT state, count(*) FROM jobs GROUP BY state"),
    (
        "gisgrid_job_oldest_seconds", "Age of the oldest job that waits or runs.", "state",
        "SELECT state, extract(epoch FROM now() - min(coalesce(started_at, created_at))) FROM jobs "
        "WHERE state IN ('queued', 'running') GROUP BY state",
    ),
    (
        "gisgrid_webhook_deliveries_waiting", "Deliveries to webhooks that are to be sent.", "",
        "SELECT '', count(*) FROM webhook_deliveries WHERE state = 'waiting'",
    ),
    ("gisgrid_publications", "Plans asked to come into force at a time, by state.", "state",
     "SELECT state, count(*) FROM publications GROUP BY state"),
    ("gisgrid_generations_published", "Generations published so far.", "", "SELECT '', count(*) FROM generations"),
    (
        "gisgrid_sign_in_failures_recent", "Failed sign-ins kept for throttling within the last hour.", "",
        "SELECT '', count(*) FROM sign_in_failures WHERE at > now() - interval '1 hour'",
    ),
    (
        "gisgrid_workers_alive", "Job workers that gave a sign of life within 30 seconds.", "",
        "SELECT '', count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'",
    ),
    ("gisgrid_database_bytes", "Size of the database.", "", "SELECT '', pg_database_size(current_database())"),
)  # fmt: skip
"""Gauges read from the database: name, help, label, query of (label's value, number)."""


@bp.get("/metrics")
@bp.doc(hide=True)
@no_parameters
def metrics() -> Response:
    """Figures in Prometheus' text form."""
    measures: Measures = current_app.extensions["gisgrid.measures"]
    lines = [*_requests(measures.totals()), *_of_the_database(state()), *_of_the_grids(state())]
    return Response("\n".join(lines) + "\n", content_type=FORM)


def own_figures(held: State) -> dict[str, float]:
    """What a process tells of itself: memory, database connections, the generation it answers from."""
    pool = held.engine.pool
    figures = {"memory": float(_resident()), "started": _STARTED}
    if isinstance(pool, sa.pool.QueuePool):
        figures |= {"used": float(pool.checkedout()), "idle": float(pool.checkedin()), "most": float(pool.size())}
    return figures


_STARTED: Final = time.time()


def _requests(totals: Totals) -> Iterator[str]:
    counted = [({"method": m, "route": r, "status": str(s)}, float(t.number)) for (m, r, s), t in _in_order(totals)]
    yield from _family("gisgrid_http_requests_total", "counter", "Requests answered.", counted)
    yield from _histogram(totals)
    processes = totals.processes
    sums = {name: sum(one.get(name, 0.0) for one in processes) for name in ("used", "idle", "most")}
    pool = [({"state": name}, sums[name]) for name in ("used", "idle")]
    yield from _family("gisgrid_build_info", "gauge", "The version at work.", [({"version": __version__}, 1.0)])
    yield from _one("gisgrid_processes", "Processes of this server that answer requests.", len(processes))
    memory = [one.get("memory", 0.0) for one in processes]
    yield from _one("gisgrid_memory_bytes", "Memory all of them hold.", sum(memory))
    yield from _one("gisgrid_memory_largest_bytes", "Memory the largest of them holds.", max(memory, default=0.0))
    yield from _family("gisgrid_database_connections", "gauge", "Database connections of all of them.", pool)
    yield from _one("gisgrid_database_connections_kept", "Connections the pools keep at most when idle.", sums["most"])
    started = min((one["started"] for one in processes if "started" in one), default=_STARTED)
    yield from _one("gisgrid_start_time_seconds", "When the oldest of them began, in Unix time.", started)


def _in_order(totals: Totals) -> list[tuple[tuple[str, str, int], Timed]]:
    return sorted(totals.requests.items(), key=lambda item: item[0])


def _histogram(totals: Totals) -> Iterator[str]:
    """Seconds by method and route; the statuses together, which keeps the series few."""
    name = "gisgrid_http_request_seconds"
    by_route: dict[tuple[str, str], Timed] = {}
    for (method, route, _), timed in _in_order(totals):
        by_route.setdefault((method, route), Timed()).add(timed)
    yield f"# HELP {name} Seconds from a request to the end of its answer."
    yield f"# TYPE {name} histogram"
    for (method, route), timed in by_route.items():
        labels = {"method": method, "route": route}
        below = 0
        for end, number in zip((*map(str, BUCKETS), "+Inf"), timed.classes, strict=True):
            below += number
            yield _line(f"{name}_bucket", labels | {"le": end}, below)
        yield _line(f"{name}_sum", labels, timed.seconds)
        yield _line(f"{name}_count", labels, below)


def _of_the_database(held: State) -> Iterator[str]:
    """Gauges out of the database; while it is away there is one only, that it is."""
    found: list[tuple[str, str, list[Sample]]] = []
    up = 1.0
    try:
        with held.engine.connect() as connection:
            for name, about, label, query in _DATABASE:
                rows = connection.exec_driver_sql(query).all()
                samples = [({label: str(value)} if label else {}, float(number)) for value, number in rows]
                found.append((name, about, _all_states(samples) if name == "gisgrid_jobs" else samples))
    except sa.exc.SQLAlchemyError:
        up = 0.0
    yield from _one("gisgrid_database_up", "Whether the database answers.", up)
    for name, about, samples in found:
        yield from _family(name, "gauge", about, samples)


def _all_states(samples: list[Sample]) -> list[Sample]:
    known = {labels["state"]: number for labels, number in samples}
    return [({"state": word}, known.get(word, 0.0)) for word in JOB_STATES]


def _of_the_grids(held: State) -> Iterator[str]:
    loaded = None
    with contextlib.suppress(Exception):  # nothing is published, or it cannot be loaded: readyz tells which
        loaded = held.current.get()
    if loaded is None:
        return
    published = loaded.generation.published_at.timestamp()
    yield from _one("gisgrid_locate_generation", "Generation that locate answers from.", loaded.generation.id)
    yield from _one("gisgrid_locate_generation_age_seconds", "Since when it is in force.", time.time() - published)
    yield from _one("gisgrid_locate_grids", "Grids of the first level in it.", len(loaded.grids))


def _one(name: str, about: str, value: float) -> Iterator[str]:
    return _family(name, "gauge", about, [({}, value)])


def _family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield _line(name, labels, value)


def _line(name: str, labels: dict[str, Any], value: float) -> str:
    told = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    number = repr(int(value)) if float(value).is_integer() else repr(float(value))
    return f"{name}{{{told}}} {number}" if told else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _resident() -> int:
    """Bytes of memory this process holds; 0 where that is not told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
