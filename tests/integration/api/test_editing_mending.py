"""Problems of a stored plan and fixes over HTTP: proposed with the engine, stored as any edit, better or honest."""

from __future__ import annotations

import pytest

from planning.ground import Ground, read_ground
from tests.conftest import Planned
from tests.desks import Desk, Json, border, copied, moves, opened

pytestmark = pytest.mark.postgis


@pytest.fixture
def desk(planned_copy: Planned) -> Desk:
    return Desk(opened(planned_copy), copied(planned_copy))


@pytest.fixture
def ground(desk: Desk) -> Ground:
    return read_ground(desk.client.get(f"/api/v1/unit-sets/{desk.seen['unit_set']}/topology").data)


def problems(desk: Desk, kind: str) -> list[Json]:
    told = desk.client.get(f"/api/v1/plans/{desk.plan}/problems").get_json()
    assert told["version"] == desk.read()["version"]
    return [one for one in told["problems"] if one["kind"] == kind]


def asked(desk: Desk, **body: object) -> tuple[int, Json]:
    answer = desk.client.post(f"/api/v1/plans/{desk.plan}/fix", json=body)
    return answer.status_code, answer.get_json()


def test_unassigned_units_are_found_and_assigned(desk: Desk, ground: Ground) -> None:
    unit, here, _ = border(desk, ground)
    desk.paint([unit], None)
    (problem,) = problems(desk, "unassigned")
    assert problem["units"] == [unit]
    status, made = asked(desk, kind="assign_neighbour", units=problem["units"])
    assert status == 200, made
    assert (made["before"]["unassigned"], made["after"]["unassigned"]) == (1, 0)
    desk.read()
    assert desk.owners()[unit] is None, "nothing is stored"
    assert desk.send(*made["operations"]).status_code == 200
    assert not problems(desk, "unassigned")
    assert str(desk.owners()[unit])[:12] == here[:12]


def test_two_grids_are_evened_out_by_the_engine(desk: Desk, ground: Ground) -> None:
    _, here, there = border(desk, ground)
    owners = desk.owners()
    mine = [unit for unit, owner in enumerate(owners) if owner == here]
    desk.paint(mine[: len(mine) * 2 // 3], there)
    wrong = {one["grids"][0] for one in problems(desk, "out_of_band")}
    assert wrong & {here, there}
    status, made = asked(desk, kind="rebalance", grids=[here, there])
    assert status == 200, made
    assert made["after"]["outside_band"] < made["before"]["outside_band"]
    answer = desk.send(*made["operations"])
    assert answer.status_code == 200, answer.get_json()
    after = {one["grids"][0]: one["amount"] for one in problems(desk, "out_of_band")}
    assert sum(after.values()) == made["after"]["outside_band"]
    stored = {grid["code"]: grid["households"] for grid in answer.get_json()["grids"]}
    codes = answer.get_json()["codes"]
    assert {codes.get(one["code"], one["code"]): one["households"] for one in made["after"]["grids"]} == stored
    assert not {one["grids"][0] for one in problems(desk, "broken")} & {here, there}


def test_unsaved_edits_count(desk: Desk, ground: Ground) -> None:
    _, here, there = border(desk, ground)
    mine = [unit for unit, owner in enumerate(desk.owners()) if owner == here]
    new = {"op": "create", "code": "new:3", "level": 1, "community": here[:12], "parent": None, "kind": "ordinary"}
    unsaved = [new, *moves(desk.owners(), mine[: len(mine) * 2 // 3], "new:3")]
    status, made = asked(desk, kind="rebalance", grids=["new:4", there], operations=unsaved)
    assert status == 400
    status, made = asked(desk, kind="rebalance", grids=["new:3", here], operations=unsaved, base=desk.version)
    assert status in (200, 409), made
    if status == 200:
        answer = desk.send(*unsaved, *made["operations"])
        assert answer.status_code == 200, answer.get_json()
    else:
        assert made["error"]["code"] == "nothing_better"


def test_a_fix_that_would_touch_a_locked_grid_is_refused(desk: Desk, ground: Ground) -> None:
    _, here, there = border(desk, ground)
    desk.send({"op": "set", "level": 1, "grid": there, "locked": {"from": False, "to": True}})
    status, made = asked(desk, kind="rebalance", grids=[here, there])
    assert (status, made["error"]["code"]) == (409, "locked")


def test_bad_wishes_are_refused_in_words(desk: Desk) -> None:
    for body in (
        {"kind": "paint"}, {}, {"kind": "rebalance", "grids": ["1"]}, {"kind": "rebalance", "level": 9, "grids": []},
        {"kind": "assign_neighbour", "units": [10**30]},
        {"kind": "reconnect", "grids": ["\ud800"]}, {"kind": "reconnect", "level": 10**30, "grids": []}, {"kind": "reconnect", "grids": [], "why": 1},
        {"kind": "rebalance", "grids": [desk.seen["levels"][0]["grids"][0]["code"]]},
    ):  # fmt: skip
        status, made = asked(desk, **body)
        assert (status, made["error"]["code"]) == (400, "bad_input"), (body, made)


def test_published_plans_have_problems_but_no_fixes(desk: Desk, planned_copy: Planned) -> None:
    published = Desk(desk.client, planned_copy.plan)
    answer = desk.client.get(f"/api/v1/plans/{published.plan}/problems")
    assert answer.status_code == 200
    again = desk.client.get(
        f"/api/v1/plans/{published.plan}/problems", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    status, made = asked(published, kind="reconnect", grids=[published.seen["levels"][0]["grids"][0]["code"]])
    assert (status, made["error"]["code"]) == (409, "published")
