"""Publishing a plan while processes are killed, and what must be so afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from data import publications
from planning import workflow_plans
from tests.fault import fail_points
from tests.fault.city import Answer, City
from tests.fault.wholeness import faults_of

WAYS = ("process", "backend", "session")
"""kill -9 of the process that works, kill -9 of PostgreSQL's own process, pg_terminate_backend."""


@dataclass
class Figures:
    """What came of the strikes."""

    strikes: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    ready: list[float] = field(default_factory=list)
    edits: int = 0
    reports: int = 0

    def lines(self) -> list[str]:
        times = sorted(self.ready) or [0.0]
        told = [
            f"{sum(self.strikes.values())} strikes: " + ", ".join(f"{n} {what}" for what, n in sorted(self.strikes.items())),
            "the publish was " + ", ".join(f"{what} {n}×" for what, n in sorted(self.kept.items())) + " when it was struck",
            f"ready again after {times[len(times) // 2]:.2f} s (median), {times[-1]:.2f} s at most",
        ]  # fmt: skip
        if self.edits or self.reports:
            told.append(
                f"{self.edits:,} edits and {self.reports:,} reports were answered with success; all of them are there"
            )
        return told


@dataclass
class Request:
    """A publish that may be sent again: always the same bytes."""

    city: City
    plan: int
    version: int = 1
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def send(self, *, insist: bool = False) -> Answer:
        ask = self.city.insist if insist else self.city.ask
        headers = {"If_Match": f'"{self.version}"', "Idempotency_Key": self.key}
        return ask("POST", f"/api/v1/plans/{self.plan}/publication", {"note": "struck"}, **headers)


def draft(city: City) -> int:
    """A draft of the grids in force."""
    with city.engine.begin() as connection:
        return workflow_plans.draft_in_force(connection, city.area, author="planner")


def ask_soon(city: City) -> int:
    """A draft that is to be published now, by a job worker."""
    plan = draft(city)
    with city.engine.begin() as connection:
        publications.ask(connection, plan, 1, connection.scalar(sa.select(sa.func.now())))
    return plan


def kill(city: City, way: str, backend: int, process: int) -> None:
    """Strike; what is gone already cannot be struck."""
    with contextlib.suppress(ProcessLookupError, psycopg.OperationalError):
        if way == "process":
            os.kill(process, signal.SIGKILL)
        elif way == "backend":
            os.kill(backend, signal.SIGKILL)
        else:
            city.sql("SELECT pg_terminate_backend(%s)", backend)  # none of that number is left: false


def generation_of(city: City, plan: int) -> int | None:
    """The generation a plan made."""
    rows = city.sql("SELECT id FROM generations WHERE plan = %s AND restored IS NULL", plan)
    return rows[0][0] if rows else None


def check(city: City) -> None:
    """Everything is as it must be."""
    found = faults_of(city.engine, city.area)
    assert not found, found


def settled(city: City, figures: Figures) -> None:
    """Everything is as it must be, and the service says the same as the database."""
    figures.ready.append(city.ready())
    city.connect().close()
    city.engine.dispose()
    check(city)


def located(city: City) -> None:
    """Within a moment every web process answers from the generation in force."""
    newest = city.sql("SELECT id FROM generations WHERE is_current")[0][0]
    lon, lat = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM grids "
                        "WHERE upper_inf(generations) AND level = 1 ORDER BY id LIMIT 1) g")[0]  # fmt: skip
    deadline = time.monotonic() + 30
    while True:
        got = [city.ask("GET", f"/api/v1/locate?lon={lon:.9f}&lat={lat:.9f}") for _ in range(4)]
        if all(one.status == 200 and one.body["generation"] == newest and one.body["owner"] for one in got):
            return
        assert time.monotonic() < deadline, got[0]
        time.sleep(0.1)


def told_generation(answer: Answer) -> int:
    assert answer.status == 200, answer
    return int(answer.body["generation"]["id"])


def strike_web(city: City, figures: Figures, way: str, point: int | None) -> None:
    """Hold a publish over HTTP at a fail point (None: after its commit), strike, and look."""
    request = Request(city, draft(city))
    fail_points.wanted(city, "committed" if point is None else "stop", point or 0, city.web_pids())
    answers: list[Answer] = []
    with fail_points.lock(city):
        thread = threading.Thread(target=lambda: answers.append(request.send()))
        thread.start()
        held = fail_points.until_held(city)
        kill(city, way, held.backend, held.process)
        release(city, way, held)
    thread.join(60)
    fail_points.wanted(city, "off", 0, [])
    assert answers[0].status in (0, 503) or point is None, answers
    settled(city, figures)
    made = generation_of(city, request.plan)
    assert (made is not None) == (point is None), "a publish counts from its commit on, not before"
    figures.kept["whole" if made else "undone"] += 1
    figures.strikes[f"web {way}"] += 1
    again = told_generation(request.send(insist=True))
    assert made in (None, again)
    assert told_generation(request.send(insist=True)) == again == generation_of(city, request.plan)
    check(city)


def strike_worker(city: City, figures: Figures, way: str, point: int | None) -> None:
    """The same with a publication whose time has come: another worker, or the same, does it, once."""
    city.work()
    fail_points.wanted(city, "committed" if point is None else "stop", point or 0, [one.pid for one in city.workers])
    with fail_points.lock(city):
        plan = ask_soon(city)
        held = fail_points.until_held(city)
        kill(city, way, held.backend, held.process)
        fail_points.wanted(city, "off", 0, [])
        release(city, way, held)
    settled(city, figures)
    figures.strikes[f"job worker {way}"] += 1
    figures.kept["whole" if point is None else "undone"] += 1
    city.work()
    done(city, plan)
    check(city)


def release(city: City, way: str, held: fail_points.Held) -> None:
    """A backend whose client was killed after the commit waits on for its stand-by: end that wait."""
    if way == "process":
        time.sleep(0.05)
        kill(city, "session", held.backend, held.process)


def done(city: City, plan: int, seconds: float = 60) -> None:
    """The publication of a plan is done."""
    deadline = time.monotonic() + seconds
    while (state := city.sql("SELECT state FROM publications WHERE plan = %s", plan)) != [("done",)]:
        assert time.monotonic() < deadline, f"{state}\n{city.said()}"
        time.sleep(0.05)
    assert generation_of(city, plan) is not None


class Editors:
    """People who work meanwhile: every edit and report that was answered with success must be there afterwards."""

    def __init__(self, city: City) -> None:
        self.city, self.plan = city, draft(city)
        self._stop = threading.Event()
        self.version = 1
        self.notes: list[str] = []
        self.tokens: dict[str, int] = {}
        self._threads = [threading.Thread(target=self._edit), threading.Thread(target=self._report)]
        box = city.sql("SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geometry) p FROM grids "
                       "WHERE upper_inf(generations) AND level = 1 ORDER BY id LIMIT 1) g")  # fmt: skip
        self._place = box[0]

    def __enter__(self) -> Editors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _edit(self) -> None:
        here = f"/api/v1/plans/{self.plan}"
        while not self._stop.is_set():
            note = uuid.uuid4().hex
            got = self.city.ask("PATCH", here, {"note": note}, If_Match=f'"{self.version}"')
            if got.status == 200:
                self.version, _ = got.body["version"], self.notes.append(note)
            elif got.status == 412:  # the answer to the one before was lost, not the edit
                self.version = self.city.insist("GET", here).body["version"]
            time.sleep(0.05)

    def _report(self) -> None:
        while not self._stop.is_set():
            token = uuid.uuid4().hex
            lon, lat = self._place
            body = {"service_code": "0101", "lon": lon, "lat": lat, "description": "井盖松动", "token": token}
            got = self.city.insist("POST", "/api/v1/reports", body)
            assert got.status in (200, 201), got
            self.tokens[token] = int(got.headers["location"].rsplit("/", 1)[1])
            time.sleep(0.05)

    def lost(self) -> list[str]:
        """What was promised and is not there."""
        notes, tokens = list(self.notes), dict(self.tokens)
        version, note = self.city.sql("SELECT version, note FROM plans WHERE id = %s", self.plan)[0]
        # every edit counts the version up by one: what is stored is at least what was answered
        missing = [] if version >= len(notes) + 1 else [f"plan at version {version} after {len(notes)} edits"]
        if notes and version == len(notes) + 1 and note != notes[-1]:
            missing.append("the last edit")
        there = dict(self.city.sql("SELECT token, id FROM reports WHERE token = ANY(%s)", list(tokens)))
        return missing + [token for token, number in tokens.items() if there.get(token) != number]


def strike_at_random(city: City, figures: Figures, dice: random.Random, longest: float) -> None:
    """A publish, and a kill at any moment of it."""
    way, by_web = dice.choice(WAYS), dice.random() < 0.5
    if by_web:
        request = Request(city, draft(city))
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(request.send()))
        pids = city.web_pids()
    else:
        city.work()
        pids = [one.pid for one in city.workers]
        plan = draft(city)
        thread = threading.Thread(target=lambda: _ask_now(city, plan))
    thread.start()
    time.sleep(dice.uniform(0, longest))
    backend, process = _at_work(city, pids, dice)
    kill(city, way, backend, process)
    thread.join(90)
    settled(city, figures)
    figures.strikes[("web " if by_web else "job worker ") + way] += 1
    if by_web:
        made = generation_of(city, request.plan)
        figures.kept["whole" if made else "undone"] += 1
        again = told_generation(request.send(insist=True))
        assert made in (None, again)
        assert answers[0].status in (0, 200, 503), answers
        if answers[0].status == 200:
            assert told_generation(answers[0]) == again
    else:
        figures.kept["whole" if generation_of(city, plan) else "undone"] += 1
        city.work()
        done(city, plan)
    check(city)


def _ask_now(city: City, plan: int) -> None:
    with contextlib.suppress(sa.exc.OperationalError), city.engine.begin() as connection:
        publications.ask(connection, plan, 1, connection.scalar(sa.select(sa.func.now())))
        return
    city.engine.dispose()
    if not city.sql("SELECT 1 FROM publications WHERE plan = %s", plan):
        _ask_now(city, plan)


def _at_work(city: City, pids: list[int], dice: random.Random) -> tuple[int, int]:
    """A session amid a transaction and its process; any of theirs when all are idle."""
    rows = city.sql("SELECT pid, substring(application_name FROM 9)::integer, state <> 'idle' FROM pg_stat_activity "
                    "WHERE application_name = ANY(%s)", [f"gisgrid {pid}" for pid in pids])  # fmt: skip
    busy = [row for row in rows if row[2]] or rows
    backend, process, _ = dice.choice(busy) if busy else (0, dice.choice(pids), False)
    return backend, process
