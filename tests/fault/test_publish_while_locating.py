"""Plans are published while clients keep asking: no error, and every answer is of one generation, whole."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from data.in_force import read_in_force
from data.plans import generation_by_id
from data.tables import COMPREHENSIVE
from gisgrid.models import Band
from planning import workflow
from planning.workflow_publishing import restore

pytestmark = pytest.mark.postgis
CLIENTS = 8
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(planned_copy: Any) -> Iterator[tuple[str, int]]:
    """Two workers of the real server on the district's database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = os.environ | {
        "GISGRID_HOME": str(planned_copy.settings.home),
        "GISGRID_DATABASE_URL": planned_copy.settings.database_url,
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--workers", "2"]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            try:
                if ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/readyz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the server did not get ready")
        yield "127.0.0.1", port
    finally:
        server.terminate()
        server.wait(120)


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_no_error_and_no_mixed_generation(served: tuple[str, int], planned_copy: Any) -> None:
    west, south, east, north = planned_copy.district.layers["areas"].total_bounds
    stop = threading.Event()
    heard: list[list[tuple[float, float, bytes]]] = [[] for _ in range(CLIENTS)]
    faults: list[str] = []

    def client(number: int) -> None:
        rng = np.random.default_rng(number)
        connection = http.client.HTTPConnection(*served, timeout=90)
        while not stop.is_set():
            lon, lat = rng.uniform(west, east), rng.uniform(south, north)
            # plain questions take the short way, the others go through the whole application
            point = f"lon={lon:.9f}&lat={lat:.9f}" if rng.random() < 0.5 else f"lat={lat:.9f}&lon={lon:.9f}"
            try:
                status, body = ask(connection, f"/api/v1/locate?{point}")
            except (OSError, http.client.HTTPException) as error:
                faults.append(f"{type(error).__name__}: {error}")
                return
            if status != 200:
                faults.append(f"{status}: {body[:200]!r}")
                return
            heard[number].append((float(f"{lon:.9f}"), float(f"{lat:.9f}"), body))
            time.sleep(0.015)  # as many questions as leave the machine time to publish

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    published = [1]
    try:
        for seed, band in enumerate((Band(200, 400), Band(300, 500), Band(150, 300))):
            plan, _, _ = workflow.plan_for_area(planned_copy.engine, planned_copy.area, band=band, seed=seed)
            published.append(workflow.publish(planned_copy.engine, plan).generation.id)
            time.sleep(1.6)  # longer than a generation may go unnoticed
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not faults, faults[:3]
    with planned_copy.engine.connect() as connection:
        whole = {
            number: read_in_force(connection, generation_by_id(connection, number), planned_copy.settings.home)
            for number in published
        }
        assert connection.scalar(sa.text("SELECT count(*) FROM generations WHERE is_current")) == 1
    seen: set[int] = set()
    for client_heard in heard:
        assert len(client_heard) > 50
        order = []
        for lon, lat, body in client_heard:
            told = json.loads(body)
            number = told["generation"]
            order.append(number)
            row = whole[number].index.row(lon, lat)
            assert told["owner"] == (whole[number].grids[row] if row >= 0 else None)
            if row >= 0:
                assert told["chain"] == whole[number].chain(row)
        seen |= set(order)
    assert seen == set(published), "every generation was in force for a while"


TURNS = 10


def code_of(told: Any) -> str | None:
    """The owner an answer names."""
    return told["owner"]["code"] if told["owner"] else None


def test_ten_generations_and_every_answer_is_that_of_sql(served: tuple[str, int], planned_copy: Any) -> None:
    """Four clients ask on, while plans come into force and are rolled back: each answer is one generation's, as the
    specification in SQL has it for that generation."""
    west, south, east, north = planned_copy.district.layers["areas"].total_bounds
    stop = threading.Event()
    heard: list[list[tuple[float, float, Any]]] = [[] for _ in range(4)]
    faults: list[str] = []

    def client(number: int) -> None:
        rng = np.random.default_rng(100 + number)
        connection = http.client.HTTPConnection(*served, timeout=90)
        while not stop.is_set():
            lon, lat = round(rng.uniform(west, east), 9), round(rng.uniform(south, north), 9)
            status, body = ask(connection, f"/api/v1/locate?lon={lon:.9f}&lat={lat:.9f}&crs=cgcs2000")
            if status != 200:
                faults.append(f"{status}: {body[:200]!r}")
                return
            heard[number].append((lon, lat, json.loads(body)))
            time.sleep(0.02)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    plan, _, _ = workflow.plan_for_area(planned_copy.engine, planned_copy.area, band=Band(150, 300), seed=3)
    published = [1]
    try:
        for turn in range(TURNS):
            if turn == 0:
                published.append(workflow.publish(planned_copy.engine, plan).generation.id)
            else:  # there and back again
                published.append(restore(planned_copy.engine, published[turn - 1]).id)
            time.sleep(1.1)  # a moment longer than a generation may go unnoticed
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not faults, faults[:3]
    answers = [answer for client_heard in heard for answer in client_heard]
    owner = sa.text(
        "SELECT min(code) FROM grids WHERE system = :s AND level = 1 AND generations @> CAST(:g AS integer) "
        "AND ST_Covers(geometry, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
    )
    with planned_copy.engine.connect() as connection:
        for lon, lat, told in answers:
            assert code_of(told) == connection.scalar(
                owner, {"g": told["generation"], "lon": lon, "lat": lat, "s": COMPREHENSIVE}
            )
    seen = {told["generation"] for _, _, told in answers}
    assert seen <= set(published)
    assert len(seen) > TURNS // 2, seen
    print(f"{len(answers)} answers over {len(seen)} of {len(published)} generations, all as SQL has them")
