"""Plans over HTTP: who sees what, making, naming, comparing, publishing and going back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from flask import g
from flask.testing import FlaskClient

from api.app import create_app
from api.plans.job import PLAN, plan_job
from api.plans.preview import Ground, preview_text
from data import job_files, jobs, ownership, plans, previews, publications
from data import tables as t
from data.in_force import read_current
from gisgrid.access import Grant, Principal
from gisgrid.jobs import JobFiles
from gisgrid.models import Band, no_progress
from planning.workflow_publishing import publish_due

pytestmark = pytest.mark.postgis
HERE = "/api/v1/plans"
NAME = "规划员李工"
AS_PLANNER = {"X-Gisgrid-Author": quote(NAME)}


@pytest.fixture
def service(planned_copy: Any) -> FlaskClient:
    """A service whose planners need no key; requests of others say another host."""
    opened = replace(planned_copy.settings, open_editing=True)
    client = create_app(opened, planned_copy.engine).test_client()
    client.environ_base.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in AS_PLANNER.items()})
    return client


def make(service: FlaskClient, area: str, begin: Any, **more: Any) -> dict[str, Any]:
    answer = service.post(HERE, json={"area": area, "from": begin, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"{HERE}/{told['id']}"
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    return told


def rows(planned: Any, statement: str, **values: Any) -> list[Any]:
    with planned.engine.connect() as connection:
        return list(connection.execute(sa.text(statement), values))


def split_grid(planned: Any, plan: int, version: int) -> tuple[str, str]:
    """Give half of the units of the most lived-in grid of a draft to a new one, as an edit would; both codes."""
    with planned.engine.begin() as connection:
        row = plans.plan_row(connection, plan)
        units = ownership.units_of_plan(connection, row)
        assert units is not None
        code = str(units.groupby("grid")["households"].sum().idxmax())
        mine = units[units["grid"] == code].sort_values("id")
        part = mine.iloc[: len(mine) // 2]
        fresh = code[:12] + "901"
        rest = mine.drop(part.index)
        g = t.grids
        old = connection.execute(sa.select(g.c.id, g.c.kind).where(g.c.plan == plan, g.c.code == code)).one()
        shape = [
            f"SRID=4490;{shapely.MultiPolygon(shapely.get_parts(one.union_all())).wkt}"
            for one in (part.geometry, rest.geometry)
        ]
        made = connection.execute(
            sa.insert(g).values(
                plan=plan, code=fresh, community=code[:12], kind=old.kind, geometry=shape[0],
                households=int(part["households"].sum()), population=int(part["population"].sum()),
            ).returning(g.c.id)
        ).scalar_one()  # fmt: skip
        values = {
            "geometry": shape[1],
            "households": int(rest["households"].sum()),
            "population": int(rest["population"].sum()),
        }
        connection.execute(sa.update(g).where(g.c.id == old.id).values(**values))
        connection.execute(
            sa.update(t.owners)
            .where(t.owners.c.plan == plan, t.owners.c.unit.in_(part["id"].tolist()))
            .values(grid=made)
        )
        connection.execute(sa.update(t.plans).where(t.plans.c.id == plan).values(version=version + 1))
    return code, fresh


def test_drafts_are_for_planners(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "published", name="试一试", note="先看看")
    assert (draft["name"], draft["note"], draft["author"], draft["editable"]) == ("试一试", "先看看", NAME, True)
    assert draft["stats"]["units_left"] == 0
    ours = service.get(HERE).get_json()["plans"]
    assert [plan["id"] for plan in ours] == [draft["id"], planned_copy.plan]
    stranger = create_app(planned_copy.settings, planned_copy.engine).test_client()
    assert [plan["id"] for plan in stranger.get(HERE).get_json()["plans"]] == [planned_copy.plan]
    for what in ("", "/grids", "/comments", "/compare", "/publication"):
        refused = 401 if what in ("/comments", "/publication") else 404  # of no plan would they be shown
        assert stranger.get(f"{HERE}/{draft['id']}{what}").status_code == refused
        assert service.get(f"{HERE}/{draft['id']}{what}").status_code == 200
    assert stranger.get(f"{HERE}/{planned_copy.plan}/grids").status_code == 200
    published = stranger.get(f"{HERE}/{planned_copy.plan}").get_json()
    assert (published["editable"], published["generation"]) == (False, 1)
    for method, path in (
        ("POST", HERE), ("PATCH", f"{HERE}/{draft['id']}"), ("DELETE", f"{HERE}/{draft['id']}"),
        ("POST", f"{HERE}/1/duplicate"), ("POST", f"{HERE}/1/comments"), ("POST", f"{HERE}/1/publication"),
        ("POST", "/api/v1/generations/1/restore"),
    ):  # fmt: skip
        body = (
            {"area": planned_copy.area, "from": "empty"}
            if path == HERE
            else {"body": "x"}
            if "comments" in path
            else {}
        )
        assert stranger.open(path, method=method, json=body).status_code == 401, path


def test_lists_are_filtered_and_paged(service: FlaskClient, planned_copy: Any) -> None:
    made = [make(service, planned_copy.area, "empty")["id"] for _ in range(3)]
    assert [p["id"] for p in service.get(f"{HERE}?status=draft").get_json()["plans"]] == made[::-1]
    assert [p["id"] for p in service.get(f"{HERE}?status=published").get_json()["plans"]] == [planned_copy.plan]
    assert service.get(f"{HERE}?area=110000").get_json()["plans"] == []
    seen: list[int] = []
    url = f"{HERE}?limit=2&area={planned_copy.area}"
    while url:
        page = service.get(url).get_json()
        seen += [plan["id"] for plan in page["plans"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert seen == [*made[::-1], planned_copy.plan]
    assert service.get(f"{HERE}?colour=red").status_code == 400
    assert service.get(f"{HERE}?limit=0").status_code == 400


def test_counts_are_those_of_the_stored_grids(service: FlaskClient, planned_copy: Any) -> None:
    stats = service.get(f"{HERE}/{planned_copy.plan}").get_json()["stats"]
    with planned_copy.engine.connect() as connection:
        grids = plans.grids_of_plan(connection, planned_copy.plan)
    ordinary = grids[grids["kind"] == "ordinary"]
    assert stats["grids"] == len(grids)
    assert stats["ordinary_grids"] == len(ordinary)
    assert stats["households"] == grids["households"].sum()
    assert stats["in_band_grids"] == ordinary["households"].between(300, 500).sum()
    empty = make(service, planned_copy.area, "empty")
    assert (empty["levels"], empty["stats"]["grids"], empty["stats"]["in_band"]) == (0, 0, None)
    units = rows(planned_copy, "SELECT count(*), sum(households) FROM units WHERE unit_set = :s", s=empty["unit_set"])[
        0
    ]
    assert (empty["stats"]["units_left"], empty["stats"]["households_left"]) == tuple(units)


def test_names_are_changed_only_as_seen(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "empty")
    url = f"{HERE}/{draft['id']}"
    assert service.patch(url, json={"name": "乙"}).status_code == 428
    assert service.patch(url, json={"name": "乙"}, headers={"If-Match": '"7"'}).status_code == 412
    done = service.patch(url, json={"name": "乙", "note": "新"}, headers={"If-Match": '"1"'})
    assert done.status_code == 200
    assert done.headers["ETag"] == '"2"'
    assert done.get_json()["name"] == "乙"
    assert done.get_json()["updated_at"] > done.get_json()["created_at"]
    assert service.patch(url, json={"name": "丙"}, headers={"If-Match": '"1"'}).status_code == 412
    same = service.patch(url, json={"name": "乙"}, headers={"If-Match": '"2"'})
    assert same.headers["ETag"] == '"2"'  # nothing changed
    assert service.patch(url, json={"name": "  "}, headers={"If-Match": '"2"'}).status_code == 400
    assert service.delete(url, headers={"If-Match": '"1"'}).status_code == 412
    stale = service.delete(url, headers={"If-Match": '"1"'})
    assert (stale.headers["ETag"], stale.get_json()["error"]["details"]["current"]["name"]) == ('"2"', "乙")
    assert service.delete(url).status_code == 428
    assert service.delete(url, headers={"If-Match": '"2"'}).status_code == 204
    assert service.get(url).status_code == 404
    assert service.delete(f"{HERE}/{planned_copy.plan}", headers={"If-Match": "*"}).status_code == 409


def test_copies(service: FlaskClient, planned_copy: Any) -> None:
    first = make(service, planned_copy.area, "published", name="甲")
    service.post(f"{HERE}/{first['id']}/comments", json={"body": "留在原处"})
    copy = service.post(f"{HERE}/{first['id']}/duplicate", json={"name": "乙"})
    assert copy.status_code == 201
    told = copy.get_json()
    assert (told["name"], told["source"], told["status"]) == ("乙", first["id"], "draft")
    assert service.get(f"{HERE}/{told['id']}/comments").get_json()["comments"] == []
    other = make(service, planned_copy.area, {"plan": first["id"]})
    assert (other["name"], other["source"]) == ("甲", first["id"])
    grids = [
        service.get(f"{HERE}/{key}/grids").get_json(force=True)["features"]
        for key in (first["id"], told["id"], other["id"])
    ]
    assert grids[0] == grids[1] == grids[2]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"from": "nowhere"}, "from='nowhere'"),
        ({"from": {"plan": "x"}}, "give empty, published"),
        ({"from": "empty", "area": "110000"}, "not known"),
        ({"from": "empty", "engine": {}}, "leave engine out"),
        ({"from": "empty", "households": "9"}, "9"),
        ({"from": "engine", "engine": {"weights": {"street": -1}}}, "factor from 0 to 10"),
        ({"from": "engine", "engine": {"weights": {"street": float("inf")}}}, "street"),
        ({"from": "engine", "engine": {"levels": "much"}}, "is no level"),
        ({"from": "engine", "engine": {"preset": "best"}}, "preset"),
        ({"from": "engine", "engine": {"time_limit": 1e9}}, "time_limit"),
        ({"from": "engine", "engine": {"plan": 1}}, "published"),
        ({"from": "engine", "engine": {"colour": 1}}, "colour"),
        ({}, "from"),
        ({"from": "empty", "name": "a\x00b"}, "NUL"),
        ({"from": "empty", "note": "\ud800"}, "surrogate"),
        ({"from": "engine", "engine": {"plan": 10**20}}, "plan"),
    ],
)  # fmt: skip
def test_what_cannot_be_made(service: FlaskClient, planned_copy: Any, body: dict[str, Any], said: str) -> None:
    answer = service.post(HERE, json={"area": planned_copy.area} | body)
    assert answer.status_code in (400, 404, 409)
    assert said in answer.get_json()["error"]["message"]
    assert rows(planned_copy, "SELECT count(*) FROM plans")[0][0] == 1
    assert rows(planned_copy, "SELECT count(*) FROM jobs")[0][0] == 0


def test_comments(service: FlaskClient, planned_copy: Any) -> None:
    url = f"{HERE}/{make(service, planned_copy.area, 'published')['id']}/comments"
    code = rows(planned_copy, "SELECT min(code) FROM grids")[0][0]
    made = service.post(url, json={"body": " 这里应沿路划分 ", "grid": code, "place": [112.8, 35.5]})
    assert made.status_code == 201
    told = made.get_json()
    assert (told["body"], told["grid"], told["place"], told["resolved"]) == (
        "这里应沿路划分",
        code,
        [112.8, 35.5],
        False,
    )
    assert told["author"] == NAME
    assert made.headers["Location"] == f"{url}/{told['id']}"
    service.post(url, json={"body": "second"})
    assert [one["body"] for one in service.get(url).get_json()["comments"]] == ["这里应沿路划分", "second"]
    one = f"{url}/{told['id']}"
    match = {"If-Match": made.headers["ETag"]}
    assert service.get(one).headers["ETag"] == told["etag"] == made.headers["ETag"]
    assert service.patch(one, json={"resolved": True}).status_code == 428
    done = service.patch(one, json={"resolved": True}, headers=match)
    assert done.get_json() == told | {"resolved": True, "etag": done.headers["ETag"]}
    for stale in (service.patch(one, json={"body": "x"}, headers=match), service.delete(one, headers=match)):
        assert (stale.status_code, stale.headers["ETag"]) == (412, done.headers["ETag"])
        assert stale.get_json()["error"]["details"]["current"] == done.get_json()
    assert service.delete(one).status_code == 428
    assert service.delete(one, headers={"If-Match": done.headers["ETag"]}).status_code == 204
    assert service.patch(f"{url}/{told['id']}", json={"resolved": True}).status_code == 404
    for wrong in ({"body": " "}, {"body": "x" * 4001}, {"body": "x", "grid": "nothing"}, {"body": "x", "place": [1]},
                  {"body": "x", "place": [200.0, 0.0]}, {}):  # fmt: skip
        assert service.post(url, json=wrong).status_code == 400, wrong


def test_comparing_equals_a_recomputation(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "published")
    old, fresh = split_grid(planned_copy, draft["id"], 1)
    told = service.get(f"{HERE}/{draft['id']}/compare?with=published").get_json()
    with planned_copy.engine.connect() as connection:
        now, before = (ownership.units_of_plan(connection, plans.plan_row(connection, key)) for key in (draft["id"], 1))
        labels = {
            row.code: (row.x, row.y) for row in connection.execute(sa.text(
                "SELECT code, ST_X(label_point) x, ST_Y(label_point) y FROM grids WHERE plan = :p"), {"p": draft["id"]})
        }  # fmt: skip
    assert now is not None
    assert before is not None
    both = pd.DataFrame(
        {"old": before["grid"], "new": now["grid"], "households": now["households"], "population": now["population"]}
    )
    moved = both[both["old"] != both["new"]].groupby(["old", "new"]).agg(
        units=("households", "size"), households=("households", "sum"), population=("population", "sum"))  # fmt: skip
    assert list(moved.index) == [(old, fresh)]
    assert [
        {name: move[name] for name in ("old", "new", "units", "households", "population")} for move in told["moves"]
    ] == [{"old": old, "new": fresh, **{name: int(value) for name, value in moved.iloc[0].items()}}]
    assert told["moves"][0]["to"] == pytest.approx(labels[fresh])
    assert told["changes"]["moved_households"] == moved["households"].sum()
    assert told["changes"]["births"] == [fresh]
    assert told["grids"]["now"][old]["households"] == now[now["grid"] == old]["households"].sum()
    assert told["grids"]["now"][old]["households_before"] == before[before["grid"] == old]["households"].sum()
    assert told["grids"]["now"][fresh]["before"] is None
    assert told["figures"]["overall"]["grids"] == told["before"]["overall"]["grids"] + 1
    other = service.get(f"{HERE}/{draft['id']}/compare?with=1").get_json()
    assert other["changes"]["moved_households"] == told["changes"]["moved_households"]
    back = service.get(f"{HERE}/1/compare?with={draft['id']}").get_json()
    assert back["changes"]["merges"]
    assert service.get(f"{HERE}/{draft['id']}/compare?with=999").status_code == 404
    empty = make(service, planned_copy.area, "empty")
    assert service.get(f"{HERE}/{empty['id']}/compare").status_code == 400
    assert service.get(f"{HERE}/{draft['id']}/compare?with={empty['id']}").status_code == 400


def test_a_draft_half_done_is_compared_and_looked_at(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "published")
    with planned_copy.engine.begin() as connection:
        code = plans.grids_of_plan(connection, draft["id"])["code"].iloc[0]
        connection.execute(sa.delete(t.grids).where(t.grids.c.plan == draft["id"], t.grids.c.code == code))
        gone = int(plans.grids_of_plan(connection, 1).set_index("code")["households"][code])
    told = service.get(f"{HERE}/{draft['id']}/compare").get_json()
    assert told["changes"]["moved_households"] == gone
    assert {move["new"] for move in told["moves"]} == {None}
    assert list(told["grids"]["gone"]) == [code]
    look = service.get(f"{HERE}/{draft['id']}/publication").get_json()
    assert not look["ok"]
    assert look["check"]["problems"][0]["kind"] == "gap"
    assert [grid["code"] for grid in look["gone"]] == [code]
    assert look["moving"]["households"] == gone
    refused = service.post(f"{HERE}/{draft['id']}/publication", json={}, headers={"If-Match": '"1"'})
    assert refused.status_code == 409
    assert refused.get_json()["error"]["details"]["problems"]["problems"]
    empty = make(service, planned_copy.area, "empty")
    look = service.get(f"{HERE}/{empty['id']}/publication").get_json()
    assert [problem["kind"] for problem in look["check"]["problems"]] == ["no_grids"]
    assert (
        service.get(f"{HERE}/{planned_copy.plan}/publication").get_json()["check"]["problems"][0]["kind"] == "published"
    )


def owners_now(planned: Any, seed: int = 3) -> np.ndarray:
    with planned.engine.connect() as connection:
        found = read_current(connection, planned.settings.home)
        box = shapely.total_bounds(plans.grids_of_plan(connection, 1).geometry.to_numpy())
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(box[0], box[2], 2_000), rng.uniform(box[1], box[3], 2_000)
    return np.array([str(code) for code in found.index.codes(lon, lat)])


def test_publishing_does_what_was_shown_and_is_rolled_back(service: FlaskClient, planned_copy: Any) -> None:
    before = owners_now(planned_copy)
    draft = make(service, planned_copy.area, "published")
    other = make(service, planned_copy.area, "empty", name="别的草案")
    _, fresh = split_grid(planned_copy, draft["id"], 1)
    url = f"{HERE}/{draft['id']}/publication"
    look = service.get(url).get_json()
    assert look["ok"]
    assert [grid["code"] for grid in look["born"]] == [fresh]
    assert look["gone"] == []
    assert [one["id"] for one in look["outdated"]] == [other["id"]]
    reports = rows(planned_copy, """
        SELECT count(*) FROM reports r JOIN grids g ON g.plan = :p AND g.code = :c AND ST_Covers(g.geometry, r.geometry)
        WHERE r.stage <> '结案归档' AND NOT EXISTS (
            SELECT FROM grids o WHERE o.plan = :p AND o.code < g.code AND ST_Covers(o.geometry, r.geometry))
    """, p=draft["id"], c=fresh)[0][0]  # fmt: skip
    assert look["moving"]["reports_open"] == reports
    with planned_copy.engine.begin() as connection:
        kept = sorted(set(before))[0]
        for number, located in enumerate(("{}", '{"by_hand": true}')):  # what a dispatcher gave away stays
            connection.execute(sa.text("""
                INSERT INTO reports (source, report_id, reported_at, grid_code, generation, located, geometry)
                SELECT 'test', :n, now(), :kept, 1, CAST(:located AS jsonb), label_point
                FROM grids WHERE plan = :p AND code = :c
            """), {"n": str(number), "kept": kept, "located": located, "p": draft["id"], "c": fresh})  # fmt: skip
    assert service.get(url).get_json()["moving"]["reports_open"] == reports + 1
    moved = rows(
        planned_copy, "SELECT households, population FROM grids WHERE plan = :p AND code = :c", p=draft["id"], c=fresh
    )[0]
    assert (look["moving"]["households"], look["moving"]["population"]) == tuple(moved)
    assert service.post(url, json={}).status_code == 428
    assert service.post(url, json={}, headers={"If-Match": '"1"'}).status_code == 412
    done = service.post(url, json={"note": "换届"}, headers={"If-Match": '"2"'})
    assert done.status_code == 200, done.text
    made = done.get_json()["generation"]
    assert (made["id"], made["plan"], made["note"], made["author"]) == (2, draft["id"], "换届", NAME)
    after = owners_now(planned_copy)
    assert set(after[after != before]) == {fresh}
    assert service.post(url, json={}, headers={"If-Match": '"3"'}).status_code == 409
    preview = service.get("/api/v1/generations/1/restore")
    told, match = preview.get_json(), {"If-Match": preview.headers["ETag"]}
    assert told["communities"] == look["communities"]
    assert service.post("/api/v1/generations/1/restore", json={"note": "退回"}).status_code == 428
    back = service.post("/api/v1/generations/1/restore", json={"note": "退回"}, headers=match)
    assert back.status_code == 200
    assert back.get_json()["generation"]["restored"] == 1
    assert (owners_now(planned_copy) == before).all()
    listed = service.get("/api/v1/generations").get_json()["generations"]
    assert [(one["id"], one["restored"], one["is_current"]) for one in listed] == [
        (3, 1, True),
        (2, None, False),
        (1, None, False),
    ]
    assert [(one["born"], one["ended"]) for one in listed] == [(0, 1), (1, 0), (len(set(before) - {"None"}), 0)]
    stale = service.post("/api/v1/generations/1/restore", json={}, headers=match)
    assert (stale.status_code, stale.headers["ETag"]) == (412, back.headers["ETag"])
    assert stale.get_json()["error"]["details"]["current"] == back.get_json()
    again = service.post("/api/v1/generations/1/restore", json={}, headers={"If-Match": back.headers["ETag"]})
    assert again.status_code == 409
    assert service.post("/api/v1/generations/77/restore", json={}).status_code == 404


def test_publishing_at_a_time_to_come(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "published")
    url = f"{HERE}/{draft['id']}/publication"
    when = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    match = {"If-Match": '"1"'}
    waits = service.post(url, json={"effective_at": when, "note": "元旦"}, headers=match)
    assert waits.status_code == 202, waits.text
    told = waits.get_json()["publication"]
    assert (told["state"], told["version"], told["author"], told["note"]) == ("waiting", 1, NAME, "元旦")
    assert service.get(f"{HERE}/{draft['id']}").get_json()["publication"]["id"] == told["id"]
    assert service.post(url, json={"effective_at": when}, headers=match).status_code == 409
    assert service.post(url, json={}, headers=match).status_code == 409
    assert service.delete(f"{HERE}/{draft['id']}", headers=match).status_code == 409
    assert publish_due(planned_copy.engine) == []
    assert service.delete(url).status_code == 428
    assert service.delete(url, headers=match).status_code == 204
    assert service.delete(url, headers=match).status_code == 404
    for wrong in ("tomorrow", "2999-01-01"):
        assert service.post(url, json={"effective_at": wrong}, headers=match).status_code == 400
    service.post(url, json={"effective_at": when}, headers=match)
    come_due(planned_copy)
    assert [one["generation"] for one in publish_due(planned_copy.engine)] == [2]
    look = service.get(url).get_json()
    assert [one["state"] for one in look["history"]] == ["done", "cancelled"]
    assert service.get(f"{HERE}/{draft['id']}").get_json()["generation"] == 2


def come_due(planned: Any) -> None:
    with planned.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE publications SET effective_at = now() - interval '1 second' WHERE state = 'waiting'")
        )


def test_a_plan_changed_since_or_broken_is_refused_when_its_time_comes(service: FlaskClient, planned_copy: Any) -> None:
    when = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    drafts = [make(service, planned_copy.area, "published") for _ in range(2)]
    for draft in drafts:
        answer = service.post(
            f"{HERE}/{draft['id']}/publication", json={"effective_at": when}, headers={"If-Match": '"1"'}
        )
        assert answer.status_code == 202
    split_grid(planned_copy, drafts[0]["id"], 1)
    with planned_copy.engine.begin() as connection:
        code = plans.grids_of_plan(connection, drafts[1]["id"])["code"].iloc[0]
        connection.execute(sa.delete(t.grids).where(t.grids.c.plan == drafts[1]["id"], t.grids.c.code == code))
    come_due(planned_copy)
    assert [one["generation"] for one in publish_due(planned_copy.engine)] == [None, None]
    faults = [service.get(f"{HERE}/{draft['id']}/publication").get_json()["history"][0] for draft in drafts]
    assert [fault["state"] for fault in faults] == ["refused", "refused"]
    assert "changed (version 2)" in faults[0]["fault"]
    assert "cannot be published" in faults[1]["fault"]
    assert rows(planned_copy, "SELECT count(*) FROM generations")[0][0] == 1


def test_two_workers_publish_once(service: FlaskClient, planned_copy: Any) -> None:
    when = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for _ in range(2):
        draft = make(service, planned_copy.area, "published")
        service.post(f"{HERE}/{draft['id']}/publication", json={"effective_at": when}, headers={"If-Match": '"1"'})
    come_due(planned_copy)
    done: list[dict[str, Any]] = []
    workers = [threading.Thread(target=lambda: done.extend(publish_due(planned_copy.engine))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(one["generation"] for one in done) == [2, 3]
    with planned_copy.engine.connect() as connection:
        assert {
            row["state"] for draft in {one["plan"] for one in done} for row in publications.of_plan(connection, draft)
        } == {"done"}


def run_job(
    planned: Any, number: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, progress: Any = no_progress
) -> dict[str, Any]:
    monkeypatch.setenv("GISGRID_DATABASE_URL", str(planned.settings.database_url))
    monkeypatch.setenv("GISGRID_HOME", str(planned.settings.home))
    with planned.engine.connect() as connection:
        params = jobs.params_of(connection, number)
    return plan_job(params, JobFiles(None, tmp_path, number), progress)


def test_the_engine_as_a_job_with_previews(
    service: FlaskClient, planned_copy: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = {"households": "250:450", "preset": "quick", "seed": 2, "weights": {"street": 2, "churn": 0.5}}
    asked = service.post(HERE, json={"area": planned_copy.area, "from": "engine", "name": "引擎", "engine": engine})
    assert asked.status_code == 202, asked.text
    number = asked.get_json()["id"]
    assert asked.headers["Location"] == f"/api/v1/jobs/{number}"
    url = f"/api/v1/jobs/{number}/preview"
    assert service.get(url).status_code == 204
    assert any(link["rel"] == "preview" for link in service.get(f"/api/v1/jobs/{number}").get_json()["links"])
    facts = run_job(planned_copy, number, tmp_path, monkeypatch)
    plan = service.get(f"{HERE}/{facts['plan']}").get_json()
    assert (plan["name"], plan["author"], plan["band"], plan["seed"]) == ("引擎", NAME, {"low": 250, "high": 450}, 2)
    shown = service.get(url)
    assert shown.mimetype == "application/geo+json"
    told = shown.get_json(force=True)
    with planned_copy.engine.connect() as connection:
        kept = previews.read(connection, number)
        units = plans.units_of(connection, plan["unit_set"])
    assert kept is not None
    assert told["revision"] == kept.revision
    assert [f["properties"]["households"] for f in told["features"]] == (
        units.groupby(kept.label)["households"].sum().loc[lambda s: s.index >= 0].tolist()
    )
    for feature in told["features"]:
        facts = feature["properties"]
        inside = 250 <= facts["households"] <= 450 if facts["kind"] == "ordinary" else None
        assert facts["in_band"] is inside
    assert service.get(f"{url}?after={told['revision']}").status_code == 204
    assert service.get(f"{url}?after={told['revision'] - 1}").status_code == 200
    assert service.get(url, headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    stranger = create_app(planned_copy.settings, planned_copy.engine).test_client()
    assert stranger.get(url).status_code == 401


def test_a_stopped_run_is_kept_when_asked(service: FlaskClient, planned_copy: Any) -> None:
    body = {"area": planned_copy.area, "from": "engine", "engine": {"preset": "quick"}}
    number, unseen = (service.post(HERE, json=body).get_json()["id"] for _ in range(2))
    with planned_copy.engine.begin() as connection:
        row = plans.plan_row(connection, planned_copy.plan)
        units = ownership.units_of_plan(connection, row)
        assert units is not None
        assert row.unit_set is not None
        label = pd.factorize(units["grid"])[0].astype(np.int32)
        previews.keep(connection, number, row.unit_set, label, {"grids": 3})
        connection.execute(sa.update(t.jobs).where(t.jobs.c.id == number).values(state="running", attempts=1))
    stopped = service.delete(f"/api/v1/jobs/{number}?keep=true")
    assert stopped.status_code == 202
    result = stopped.get_json()["result"]
    assert result["stopped"]
    plan = service.get(f"{HERE}/{result['plan']}").get_json()
    assert not plan["feasible"]
    assert plan["reasons"][0]["code"] == "stopped"
    with planned_copy.engine.connect() as connection:
        again = ownership.units_of_plan(connection, plans.plan_row(connection, plan["id"]))
        assert again is not None
        assert (pd.factorize(again["grid"])[0] == label).all()
        assert not jobs.may_go_on(connection, jobs.Run(number, PLAN, {}, 1))
        assert jobs.end(connection, jobs.Run(number, PLAN, {}, 1), "cancelled")
        assert jobs.find(connection, number)["result"]["plan"] == plan["id"]
    assert service.delete(f"/api/v1/jobs/{unseen}?keep=true").status_code == 204
    assert rows(planned_copy, "SELECT count(*) FROM plans")[0][0] == 2
    stranger = create_app(planned_copy.settings, planned_copy.engine).test_client()
    third = service.post(HERE, json=body).get_json()["id"]
    assert stranger.delete(f"/api/v1/jobs/{third}").status_code == 404
    job_files.drop(planned_copy.settings.home, third)


def test_a_preview_is_quick_and_whole(planned: Any) -> None:
    """Grids drawn from units cover the same ground, each once."""
    with planned.engine.connect() as connection:
        row = plans.plan_row(connection, planned.plan)
        units = ownership.units_of_plan(connection, row)
        assert units is not None
        grids = plans.grids_of_plan(connection, planned.plan)
    label = pd.factorize(units["grid"], sort=True)[0].astype(np.int32)
    found = previews.Preview(4, 1, {}, label)
    ground = Ground(*(units[name].to_numpy() for name in ("geometry", "households", "kind")))
    text = preview_text(found, ground, Band(300, 500))
    told = [one["properties"] for one in json.loads(text)["features"]]
    kinds = grids.sort_values("code")["kind"].tolist()
    assert [one["kind"] for one in told] == kinds
    assert {one["in_band"] for one, kind in zip(told, kinds, strict=True) if kind != "ordinary"} == {None}
    assert len(set(kinds)) > 2
    shapes = shapely.from_geojson(text)
    for shape, grid in zip(shapes.geoms, grids.sort_values("code").geometry, strict=True):
        assert shapely.symmetric_difference(shape, grid).area < 1e-4 * grid.area


@contextmanager
def as_principal(client: FlaskClient, who: Principal) -> Iterator[None]:
    """Requests of a client as somebody's."""
    before = client.application.before_request_funcs.setdefault(None, [])
    before.insert(0, lambda: setattr(g, "principal", who))
    try:
        yield
    finally:
        before.pop(0)


def test_an_administrator_publishes_against_the_check_with_a_reason(service: FlaskClient, planned_copy: Any) -> None:
    draft = make(service, planned_copy.area, "published")
    url, match = f"{HERE}/{draft['id']}/publication", {"If-Match": '"1"'}
    code = rows(planned_copy, "SELECT min(code) FROM grids WHERE plan = :p", p=draft["id"])[0][0]
    with planned_copy.engine.begin() as connection:
        connection.execute(sa.delete(t.grids).where(t.grids.c.plan == draft["id"], t.grids.c.code == code))
    refused = service.post(url, json={"override": "  "}, headers=match)
    assert refused.status_code == 409
    problems = refused.get_json()["error"]["details"]["problems"]
    assert problems["counts"]["gap"] > 0
    assert rows(planned_copy, "SELECT count(*) FROM generations")[0][0] == 1
    with as_principal(service, Principal("person", "user:1", "规划员", (Grant("planner"), Grant("admin", "370000")))):
        elsewhere = service.post(url, json={"override": "先用后改"}, headers=match)
    assert elsewhere.status_code == 403, "an administrator of another district"
    with as_principal(service, Principal("person", "user:2", "管理员", (Grant("admin", planned_copy.area[:6]),))):
        done = service.post(url, json={"note": "试行", "override": "先用后改"}, headers=match)
    assert done.status_code == 200, done.text
    made = done.get_json()["generation"]
    assert (made["override"], made["note"], made["problems"]) == ("先用后改", "试行; 先用后改", problems)
    stored = rows(planned_copy, "SELECT override, problems FROM generations WHERE is_current")[0]
    assert (stored.override, stored.problems) == ("先用后改", problems)
    hole = rows(planned_copy, "SELECT ST_X(label_point) AS x, ST_Y(label_point) AS y FROM grids WHERE plan = 1 AND code = :c",
                c=code)[0]  # fmt: skip
    told = service.get(f"/api/v1/locate?lon={hole.x}&lat={hole.y}&crs=cgcs2000")
    assert told.status_code == 404 or told.get_json()["owner"] is None
