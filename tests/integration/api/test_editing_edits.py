"""Edits over HTTP: stored whole or not at all, merged or refused, undone to the byte; many at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from data import plans
from planning import workflow
from planning.edits import inverse, operation_json
from planning.ground import Ground, read_ground
from planning.levels import parse_levels
from tests.conftest import BAND, Planned
from tests.desks import Desk, Json, assert_nested, assert_sound, border, copied, moves, opened, stored

pytestmark = pytest.mark.postgis


@pytest.fixture
def draft(planned_copy: Planned) -> Iterator[tuple[Planned, int]]:
    """A draft with the published plan's grids."""
    return planned_copy, copied(planned_copy)


@pytest.fixture
def desk(draft: tuple[Planned, int]) -> Desk:
    return Desk(opened(draft[0]), draft[1])


@pytest.fixture
def ground(desk: Desk) -> Ground:
    return read_ground(desk.client.get(f"/api/v1/unit-sets/{desk.seen['unit_set']}/topology").data)


def test_a_unit_moves_and_everything_follows(desk: Desk, ground: Ground, draft: tuple[Planned, int]) -> None:
    unit, here, there = border(desk, ground)
    before = {code: desk.grid(code) for code in (here, there)}
    answer = desk.paint([unit], there, note="河边的楼")
    assert answer.status_code == 200, answer.get_json()
    made = answer.get_json()
    assert made["version"] == desk.version + 1
    assert {grid["code"] for grid in made["grids"]} == {here, there}
    assert all(grid["version"] == before[grid["code"]]["version"] + 1 for grid in made["grids"])
    assert made["merged"] == []
    assert desk.read()["version"] == made["version"]
    assert desk.owners()[unit] == there
    assert_sound(*draft)
    (told,) = desk.client.get(f"/api/v1/plans/{desk.plan}/edits?after={made['version'] - 1}").get_json()["edits"]
    assert (told["author"], told["note"], told["version"]) == ("甲", "河边的楼", made["version"])
    assert told["operations"] == made["operations"]
    later = desk.client.get(f"/api/v1/plans/{desk.plan}/edits?after={10**30}")
    assert (later.status_code, later.get_json()["edits"]) == (200, [])


def test_split_merge_and_undo_bring_back_the_same_bytes(desk: Desk, ground: Ground, draft: tuple[Planned, int]) -> None:
    def bytes_of() -> Any:
        told = desk.read()
        return [(level["owner"], [{k: v for k, v in grid.items() if k != "version"} for grid in level["grids"]])
                for level in told["levels"]]  # fmt: skip

    before = bytes_of()
    _, here, there = border(desk, ground)
    all_of = [unit for unit, owner in enumerate(desk.owners()) if owner == here]
    new = {"op": "create", "code": "new:1", "level": 1, "community": here[:12], "parent": None, "kind": "ordinary"}
    half = all_of[: len(all_of) // 2]
    split = desk.send(new, *moves(desk.owners(), half, "new:1")).get_json()
    code = split["codes"]["new:1"]
    desk.read()
    assert {desk.owners()[unit] for unit in half} == {code}
    assert_sound(*draft)
    merged = desk.send(*moves(desk.owners(), all_of, there), {"op": "remove", "level": 1, "grid": here}).get_json()
    assert {"code": here, "level": 1} in merged["removed"]
    desk.read()
    assert_sound(*draft)
    for made in (merged, split):
        back = [operation_json(one) for one in inverse(stored(made["operations"], ground.count))]
        answer = desk.send(*back)
        assert answer.status_code == 200, answer.get_json()
        desk.read()
    assert bytes_of() == before
    assert_sound(*draft)


def test_two_editors_merge_or_are_told(draft: tuple[Planned, int], ground: Ground) -> None:
    client = opened(draft[0])
    one, two = Desk(client, draft[1], "甲"), Desk(client, draft[1], "乙")
    unit, here, there = border(one, ground)
    others = [u for u, owner in enumerate(two.owners()) if owner == there and u != unit]
    first = one.paint([unit], there).get_json()
    merged = two.paint([others[0]], None)
    assert merged.status_code == 200
    assert merged.get_json()["merged"] == [first["version"]]
    clash = two.paint([unit, others[1]], None)
    assert clash.status_code == 409
    error = clash.get_json()["error"]
    assert error["code"] == "conflicts"
    (conflict,) = error["details"]["conflicts"]
    assert conflict | {"at": None} == {
        "level": 1, "unit": unit, "yours": {"from": here, "to": None}, "theirs": there, "author": "甲", "at": None,
        "version": first["version"],
    }  # fmt: skip
    assert error["details"]["version"] == merged.get_json()["version"]
    two.read()
    assert two.owners()[others[1]] == there, "nothing of a refused edit is stored"
    assert_sound(*draft)


def test_a_renumbered_grid_is_still_the_same(draft: tuple[Planned, int], ground: Ground) -> None:
    client = opened(draft[0])
    one, two = Desk(client, draft[1]), Desk(client, draft[1])
    unit, _here, there = border(one, ground)
    free = f"{there[:12]}901"
    answer = one.send({"op": "renumber", "level": 1, "grid": there, "to": free})
    assert answer.status_code == 200, answer.get_json()
    assert two.paint([unit], there).status_code == 200
    two.read()
    assert two.owners()[unit] == free
    assert two.grid(free)["continues"] is False


def test_sent_twice_is_stored_once(desk: Desk, ground: Ground) -> None:
    unit, _, there = border(desk, ground)
    once = desk.paint([unit], there, key="a-1").get_json()
    again = desk.paint([unit], there, key="a-1")
    assert again.status_code == 200
    assert again.get_json() == once | {"repeated": True}
    new = {"op": "create", "code": "new:7", "level": 1, "community": there[:12], "parent": None, "kind": "park"}
    desk.read()
    made = desk.send(new, *moves(desk.owners(), [unit], "new:7"), key="a-2").get_json()
    assert desk.send(new, key="a-2", base=1).get_json()["codes"] == made["codes"]


def test_locks_hold_and_show(desk: Desk, ground: Ground) -> None:
    unit, _here, there = border(desk, ground)
    lock: Json = {"op": "set", "level": 1, "grid": there, "locked": {"from": False, "to": True}}
    desk.send(lock)
    desk.read()
    assert desk.grid(there)["locked"]
    refused = desk.paint([unit], there)
    assert refused.status_code == 409
    assert refused.get_json()["error"]["code"] == "locked"
    assert refused.get_json()["error"]["details"]["grids"] == [{"level": 1, "code": there}]
    again = desk.send(lock)
    assert again.status_code == 409
    (found,) = again.get_json()["error"]["details"]["grids"]
    assert (found["what"], found["field"], found["theirs"]) == ("changed", "locked", True)
    assert (
        desk.send(lock | {"locked": {"from": True, "to": False}}, *moves(desk.owners(), [unit], there)).status_code
        == 200
    )


def test_swapped_codes_are_stored(desk: Desk, draft: tuple[Planned, int], ground: Ground) -> None:
    _, here, there = border(desk, ground)
    before = desk.owners()
    swap = [
        {"op": "renumber", "level": 1, "grid": here, "to": there},
        {"op": "renumber", "level": 1, "grid": there, "to": here},
    ]
    assert desk.send(*swap).status_code == 200
    desk.read()
    other = {here: there, there: here}
    assert desk.owners() == [other.get(str(code), code) for code in before]
    told = desk.client.get(f"/api/v1/plans/{desk.plan}/numbering").get_json()
    assert told["operations"] == [], "grids that go on keep their codes"


def test_numbering_is_west_to_east_once_it_is_done(desk: Desk, ground: Ground) -> None:
    codes = sorted({code for code in desk.owners() if code})
    away = [{"op": "renumber", "level": 1, "grid": code, "to": f"{code[:12]}9{number:02d}"}
            for number, code in enumerate(reversed(codes))]  # fmt: skip
    assert desk.send(*away).status_code == 200
    desk.read()
    told = desk.client.get(f"/api/v1/plans/{desk.plan}/numbering").get_json()["operations"]
    assert len(told) == len(codes)
    assert desk.send(*told).status_code == 200
    assert desk.client.get(f"/api/v1/plans/{desk.plan}/numbering").get_json()["operations"] == []


def test_the_plan_counts_its_versions_and_figures(desk: Desk, ground: Ground, draft: tuple[Planned, int]) -> None:
    unit, _, _ = border(desk, ground)
    desk.paint([unit], None)
    with draft[0].engine.connect() as connection:
        row = plans.plan_row(connection, desk.plan)
    assert row.version == desk.version + 1
    assert row.stats["units_unassigned"] == 1
    assert row.stats["households_unassigned"] == ground.households[unit]
    assert not row.feasible
    assert row.updated_at > row.created_at


BAD: list[tuple[Json, int, str]] = [
    ({"operations": []}, 428, "precondition_required"),
    ({"base": 1, "operations": []}, 400, "bad_input"),
    ({"base": 99, "operations": [{"op": "remove", "level": 1, "grid": "370811001001001"}]}, 400, "bad_input"),
    ({"base": 1, "operations": [{"op": "paint"}]}, 400, "bad_input"),
    ({"base": "1", "operations": [{}]}, 400, "bad_input"),
    ({"base": 1, "operations": [{}], "why": 1}, 400, "bad_input"),
    (
        {"base": 1, "operations": [{"op": "assign", "level": 1, "from": None, "to": None, "units": [10**30]}]},
        400, "bad_input",
    ),
]  # fmt: skip


HALF: Json = {"op": "set", "level": 1, "grid": "379903001001001", "name": {"from": "", "to": "\ud800"}}
BAD += [
    ({"base": 1, "operations": [HALF]}, 400, "bad_input"),
    ({"base": 1, "note": "a\x00b", "operations": [{"op": "remove", "level": 1, "grid": "379903001001001"}]}, 400,
     "bad_input"),
    ({"base": 1, "key": "\ud800", "operations": [{"op": "remove", "level": 1, "grid": "379903001001001"}]}, 400,
     "bad_input"),
    ({"base": 10**40, "operations": [{"op": "remove", "level": 1, "grid": "379903001001001"}]}, 400, "bad_input"),
]  # fmt: skip


def test_bad_edits_change_nothing(desk: Desk) -> None:
    before = desk.seen
    for body, status, code in BAD:
        answer = desk.client.post(f"/api/v1/plans/{desk.plan}/edits", json=body)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code), body
    assert desk.read() == before


def test_published_plans_stay(desk: Desk, draft: tuple[Planned, int]) -> None:
    published = Desk(desk.client, draft[0].plan)
    answer = published.paint([0], None)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "published")


def test_only_planners_edit(draft: tuple[Planned, int]) -> None:
    planned, plan = draft
    client = create_app(planned.settings, planned.engine).test_client()
    body = {"base": 1, "operations": [{"op": "remove", "level": 1, "grid": "370811001001001"}]}
    assert client.post(f"/api/v1/plans/{plan}/edits", json=body).status_code == 401
    assert client.get(f"/api/v1/plans/{plan}/edits").status_code == 404
    assert client.get(f"/api/v1/plans/{plan}/numbering").status_code == 404


def test_eight_at_the_same_time(draft: tuple[Planned, int], ground: Ground) -> None:
    """Every edit is stored once or refused with a reason; what is stored is the sum of those stored, in order."""
    planned, plan = draft
    start = Desk(opened(planned), plan)
    first = start.owners()
    codes = sorted({code for code in first if code})
    answers: list[Any] = []
    lock = threading.Lock()

    desks = [Desk(opened(planned), plan, f"人{number}") for number in range(8)]  # applications are made one by one

    def work(number: int) -> None:
        desk = desks[number]
        generator = np.random.default_rng(number)
        for turn in range(6):
            unit = int(generator.integers(ground.count))
            home = ground.communities[int(ground.community[unit])]
            target = str(generator.choice([code for code in codes if code.startswith(home)]))
            answer = desk.paint([unit], target, key=f"{number}-{turn}")
            with lock:
                answers.append((answer.status_code, answer.get_json()))
            if answer.status_code == 409:
                desk.read()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 48
    assert {status for status, _ in answers} <= {200, 409}
    stored_versions = sorted(body["version"] for status, body in answers if status == 200)
    assert stored_versions == list(range(start.version + 1, start.version + 1 + len(stored_versions)))
    told = start.client.get(f"/api/v1/plans/{plan}/edits?after={start.version}&limit=500").get_json()["edits"]
    assert [one["version"] for one in told] == stored_versions
    owners = list(first)
    for one in told:
        for operation in one["operations"]:
            for unit in operation.get("units", ()):
                assert owners[unit] == operation["from"]
                owners[unit] = operation["to"]
    start.read()
    assert start.owners() == owners
    assert_sound(planned, plan)


def test_random_edits_keep_the_plan_sound(draft: tuple[Planned, int], ground: Ground) -> None:
    """Whatever two people do in turns: stored geometry is the union of the units, conflicts are where owners differ."""
    planned, plan = draft
    client = opened(planned)

    @settings(max_examples=6, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, ground.count - 1), min_size=1, max_size=5),
                              st.integers(0, 30)), min_size=3, max_size=8))  # fmt: skip
    def story(steps: list[tuple[bool, set[int], int]]) -> None:
        desks = [Desk(client, plan, "甲"), Desk(client, plan, "乙")]
        for second, units, choice in steps:
            desk = desks[second]
            home = ground.communities[int(ground.community[min(units)])]
            mine = sorted(u for u in units if ground.communities[int(ground.community[u])] == home)
            codes = [None, *sorted({code for code in desk.owners() if code and code.startswith(home)})]
            target = codes[choice % len(codes)]
            seen = desk.owners()
            now = Desk(client, plan).owners()
            answer = desk.paint(mine, target)
            body = answer.get_json()
            differ = {unit for unit in mine if now[unit] != seen[unit]}
            if answer.status_code == 409:
                conflicts = body["error"]["details"]["conflicts"]
                assert {one["unit"] for one in conflicts} == differ
                assert differ or target not in now
                desk.read()
            else:
                assert answer.status_code == 200, body
                assert not differ
        assert_sound(planned, plan)

    story()


def test_deeper_levels_follow_in_the_tables(planned_copy: Planned) -> None:
    """Micro-grids after edits of the first level: inside their parents, unions of their units; undone to the byte."""
    plan, _, _ = workflow.plan_for_area(
        planned_copy.engine, planned_copy.area, band=BAND, levels=parse_levels("300:500/60:250"), time_limit=2.0
    )
    desk = Desk(opened(planned_copy), plan)
    ground = read_ground(desk.client.get(f"/api/v1/unit-sets/{desk.seen['unit_set']}/topology").data)
    first = [(desk.owners(1), desk.owners(2))]
    made = []
    for turn in range(3):
        owners = desk.owners()
        unit, _here, there = border(desk, ground)
        mine = [unit] if turn < 2 else [u for u, owner in enumerate(owners) if owner == owners[unit]]
        answer = desk.paint(mine, there)
        assert answer.status_code == 200, answer.get_json()
        made.append(answer.get_json()["operations"])
        desk.read()
        assert_nested(planned_copy, plan)
        first.append((desk.owners(1), desk.owners(2)))
    assert any(one["op"] == "assign" and one["level"] == 2 for operations in made for one in operations)
    for operations, before in zip(reversed(made), reversed(first[:-1]), strict=True):
        answer = desk.send(*[operation_json(one) for one in inverse(stored(operations, ground.count))])
        assert answer.status_code == 200, answer.get_json()
        desk.read()
        assert (desk.owners(1), desk.owners(2)) == before
    assert_nested(planned_copy, plan)
