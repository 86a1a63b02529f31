"""Many change one thing: one is first and the others are told what is there; borders stay whole; locks never deadlock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from data.retrying import TRIES
from planning.ground import Ground, read_ground
from tests.conftest import Planned
from tests.desks import Desk, assert_sound, border, copied, moves, opened
from tests.fault.conftest import until

pytestmark = pytest.mark.postgis
THREADS = 16
SECONDS = 4.0
QUICK = "50ms"
"""How soon a server process that waits looks for a deadlock; 1 s is usual."""


@pytest.fixture
def draft(planned_copy: Planned) -> int:
    return copied(planned_copy)


@pytest.fixture
def desk(planned_copy: Planned, draft: int) -> Desk:
    return Desk(opened(planned_copy), draft)


@pytest.fixture
def ground(desk: Desk) -> Ground:
    return read_ground(desk.client.get(f"/api/v1/unit-sets/{desk.seen['unit_set']}/topology").data)


def all_at_once(desk: Desk, send: Callable[[Any, int], Any]) -> list[Any]:
    """What so many clients heard who sent at the same moment."""
    ready, heard = threading.Barrier(THREADS), [None] * THREADS

    def one(number: int) -> None:
        client = desk.client.application.test_client()
        ready.wait(30)
        heard[number] = send(client, number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return heard


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_one_of_sixteen_changes_the_grid(desk: Desk, method: str) -> None:
    code = desk.seen["levels"][0]["grids"][0]["code"]
    url = f"/api/v1/plans/{desk.plan}/grids/{code}"
    seen = desk.client.get(url)
    tag, kind = seen.headers["ETag"], seen.get_json()["kind"]

    def send(client: Any, number: int) -> Any:
        body = {"name": f"第{number}人"} | ({"kind": kind, "locked": False} if method == "PUT" else {})
        return client.open(url, method=method, json=body, headers={"If-Match": tag})

    heard = all_at_once(desk, send)
    statuses = sorted(answer.status_code for answer in heard)
    assert statuses == [200] + [412] * 15
    print(f"{THREADS} threads from one version: {statuses}")
    (won,) = [answer for answer in heard if answer.status_code == 200]
    now = desk.client.get(url)
    assert (now.get_json(), now.headers["ETag"]) == (won.get_json(), won.headers["ETag"])
    assert won.get_json()["version"] == seen.get_json()["version"] + 1
    for lost in heard:
        if lost is not won:
            assert lost.headers["ETag"] == won.headers["ETag"]
            assert lost.get_json()["error"]["details"]["current"] == won.get_json()
    assert desk.client.patch(url, json={"name": "x"}).status_code == 428
    again = desk.client.patch(url, json={"locked": True}, headers={"If-Match": now.headers["ETag"]})
    assert (again.status_code, again.get_json()["locked"]) == (200, True)
    refused = desk.client.patch(url, json={"name": "y"}, headers={"If-Match": again.headers["ETag"]})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "locked")


def test_one_of_sixteen_moves_the_border(planned_copy: Planned, desk: Desk, ground: Ground) -> None:
    unit, here, there = border(desk, ground)
    others = [one for one, owner in enumerate(desk.owners()) if owner == here and one != unit]
    versions = {code: desk.grid(code)["version"] for code in (here, there)}

    def send(client: Any, number: int) -> Any:
        mine = unit if number == 0 else others[number % len(others)]
        body = {"versions": versions, "operations": moves(desk.owners(), [mine], there)}
        return client.post(f"/api/v1/plans/{desk.plan}/edits", json=body)

    heard = all_at_once(desk, send)
    statuses = sorted(answer.status_code for answer in heard)
    assert statuses == [200] + [412] * 15
    print(f"{THREADS} threads from one version: {statuses}")
    (won,) = [answer.get_json() for answer in heard if answer.status_code == 200]
    assert {grid["code"] for grid in won["grids"]} == {here, there}, "a border names the grids on both sides"
    for lost in heard:
        if lost.status_code == 412:
            told = lost.get_json()["error"]["details"]
            assert told["stale"] == sorted((here, there))
            assert told["current"] == {"version": won["version"], "grids": won["grids"]}
    half = {"versions": {here: versions[here] + 1}, "operations": moves(desk.owners(), [others[0]], there)}
    missing = desk.client.post(f"/api/v1/plans/{desk.plan}/edits", json=half)
    assert (missing.status_code, missing.get_json()["error"]["details"]["missing"]) == (428, [there])
    assert_sound(planned_copy, desk.plan)


def test_a_grid_that_comes_back_has_a_version_it_never_had(desk: Desk, ground: Ground) -> None:
    """Else the tag of one that was removed would pass for that of its follower."""
    _, here, there = border(desk, ground)
    mine = [unit for unit, owner in enumerate(desk.owners()) if owner == here]
    before = desk.grid(here)["version"]
    gone = desk.send(*moves(desk.owners(), mine, there), {"op": "remove", "level": 1, "grid": here})
    assert gone.status_code == 200, gone.text
    desk.read()
    new = {"op": "create", "code": here, "level": 1, "community": here[:12], "parent": None, "kind": "ordinary"}
    assert desk.send(new, *moves(desk.owners(), mine, here)).status_code == 200
    desk.read()
    assert desk.grid(here)["version"] > before
    stale = desk.client.patch(
        f"/api/v1/plans/{desk.plan}/grids/{here}", json={"name": "x"}, headers={"If-Match": f'"{before}"'}
    )
    assert stale.status_code == 412


def test_two_editors_on_one_border(planned_copy: Planned, desk: Desk, ground: Ground) -> None:
    """One goes by the plan's version and is merged, the other by the grids'; whatever is refused, nothing is torn."""
    _, here, there = border(desk, ground)
    pair = [unit for unit, owner in enumerate(desk.owners()) if owner in (here, there)]
    until_ = time.monotonic() + SECONDS
    heard: dict[int, int] = {}
    faults: list[Any] = []
    guard = threading.Lock()

    def editor(number: int) -> None:
        rng = np.random.default_rng(number)
        mine = Desk(desk.client.application.test_client(), desk.plan, f"编辑{number}")
        while time.monotonic() < until_:
            owners = mine.owners()
            kept = {code: [unit for unit in pair if owners[unit] == code] for code in (here, there)}
            source, target = (here, there) if rng.random() < 0.5 else (there, here)
            if len(kept[source]) < 3:
                source, target = target, source
            units = sorted(rng.choice(kept[source], size=int(rng.integers(1, 3)), replace=False).tolist())
            body: dict[str, Any] = {"operations": moves(owners, units, target)}
            if number % 2:
                body["versions"] = {code: mine.grid(code)["version"] for code in (here, there)}
            else:
                body["base"] = mine.version
            answer = mine.client.post(f"/api/v1/plans/{mine.plan}/edits", json=body)
            with guard:
                heard[answer.status_code] = heard.get(answer.status_code, 0) + 1
                if answer.status_code not in (200, 409, 412):
                    faults.append(answer.text)
            if answer.status_code == 200:
                assert {grid["code"] for grid in answer.get_json()["grids"]} == {here, there}
            if answer.status_code != 200 or rng.random() < 0.5:
                mine.read()

    threads = [threading.Thread(target=editor, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults[:2]
    assert heard.get(200, 0) > 10, heard
    assert heard.get(412, 0) + heard.get(409, 0) > 0, heard
    print(f"two pairs of editors on one border: {heard}")
    assert_sound(planned_copy, desk.plan)
    with planned_copy.engine.connect() as connection:  # what was stored, edit by edit, is what there is
        versions = connection.scalars(
            sa.text("SELECT version FROM plan_edits WHERE plan = :p ORDER BY version"), {"p": desk.plan}
        ).all()
    assert len(versions) == heard[200]


# --- opposite lock orders ---


class Adversary:
    """Somebody who locks two rows the other way round, and has time: the server process of the request gives way."""

    def __init__(self, engine: sa.Engine, rows: tuple[int, int]) -> None:
        self._engine, self.rows = engine, rows
        self.met = 0

    def stand_in_the_way(self, stop: threading.Event | None = None) -> None:
        """Lock the later row, wait until a request waits for it, lock the earlier one, leave."""
        lock = sa.text("SELECT id FROM grids WHERE id = :id FOR UPDATE")
        with self._engine.connect() as connection, connection.begin():
            connection.execute(sa.text("SET LOCAL deadlock_timeout = '60s'"))
            connection.execute(lock, {"id": max(self.rows)})
            until(lambda: (stop is not None and stop.is_set()) or self._request_waits(), 30, "no request waits")
            if stop is not None and stop.is_set():
                return
            connection.execute(lock, {"id": min(self.rows)})
            self.met += 1

    def _request_waits(self) -> bool:
        waits = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                AND query LIKE '%ORDER BY%FOR UPDATE%'
        """
        with self._engine.connect() as connection:
            return bool(connection.scalar(sa.text(waits)))


@pytest.fixture
def quick(planned_copy: Planned) -> Planned:
    """The district on sessions that look for deadlocks at once."""
    with planned_copy.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.scalar(sa.text("SELECT current_database()"))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET deadlock_timeout = '{QUICK}'"))
    planned_copy.engine.dispose()
    return planned_copy


def deadlocks(planned: Planned) -> int:
    """How many the database has counted; it tells with some delay."""
    with planned.engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        return int(
            connection.scalar(sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")) or 0
        )


def ids_of(planned: Planned, where: str, **values: Any) -> list[int]:
    with planned.engine.connect() as connection:
        return list(connection.scalars(sa.text(f"SELECT id FROM grids WHERE {where} ORDER BY id"), values))


def edit(planned: Planned, draft: int) -> tuple[Callable[[], Any], list[int]]:
    desk = Desk(opened(planned), draft)
    ground = read_ground(desk.client.get(f"/api/v1/unit-sets/{desk.seen['unit_set']}/topology").data)
    unit, here, there = border(desk, ground)
    rows = ids_of(planned, "plan = :p AND code = ANY(:c)", p=draft, c=[here, there])
    return lambda: desk.paint([unit], there), rows


def publish(planned: Planned, draft: int) -> tuple[Callable[[], Any], list[int]]:
    client = opened(planned)
    rows = ids_of(planned, "plan = :p", p=planned.plan)
    url = f"/api/v1/plans/{draft}/publication"
    return lambda: client.post(url, json={}, headers={"If-Match": '"1"', "Idempotency-Key": "one"}), rows


def restore(planned: Planned, draft: int) -> tuple[Callable[[], Any], list[int]]:
    client = opened(planned)
    code = Desk(client, draft).seen["levels"][0]["grids"][0]["code"]
    grid = f"/api/v1/plans/{draft}/grids/{code}"
    named = client.patch(grid, json={"name": "改名"}, headers={"If-Match": client.get(grid).headers["ETag"]})
    assert named.status_code == 200, named.text
    done = client.post(f"/api/v1/plans/{draft}/publication", json={}, headers={"If-Match": '"2"'})
    assert done.status_code == 200, done.text
    rows = ids_of(planned, "plan = :p AND community = :c", p=draft, c=code[:12])
    url = "/api/v1/generations/1/restore"
    return lambda: client.post(url, json={}, headers={"If-Match": client.get(url).headers["ETag"]}), rows


@pytest.mark.parametrize("make", [edit, publish, restore])
def test_opposite_lock_orders_reach_nobody(
    quick: Planned, make: Callable[[Planned, int], tuple[Callable[[], Any], list[int]]]
) -> None:
    act, rows = make(quick, copied(quick))
    before = deadlocks(quick)
    other = Adversary(quick.engine, (rows[0], rows[-1]))
    heard: list[Any] = []
    thread = threading.Thread(target=other.stand_in_the_way)
    thread.start()
    time.sleep(0.2)  # the other one comes first
    heard.append(act())
    thread.join(60)
    assert heard[0].status_code == 200, heard[0].text
    assert other.met == 1
    until(lambda: deadlocks(quick) > before, 20, "the database counted no deadlock")


def test_who_always_has_to_give_way_is_told_to_come_again(quick: Planned) -> None:
    act, rows = edit(quick, copied(quick))
    first, second = (Adversary(quick.engine, (rows[0], rows[-1])) for _ in range(2))
    stop = threading.Event()

    def again_and_again(one: Adversary) -> None:
        while not stop.is_set():  # as one leaves the other stands there already
            one.stand_in_the_way(stop)

    threads = [threading.Thread(target=again_and_again, args=(one,)) for one in (first, second)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    try:
        answer = act()
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert first.met + second.met >= TRIES
    assert act().status_code == 200, "once it is quiet"
