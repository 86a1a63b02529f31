"""Operations on a plan: what each does, what follows on deeper levels, what stands against it."""

from __future__ import annotations

from typing import Any

import pytest

from gisgrid.errors import BadInput
from planning.edits import Outcome, Sheet, apply, inverse, parse_operations, proposed
from planning.edits.apply import GridConflict, UnitConflict
from tests.plan_sheets import COLUMNS, COMMUNITIES, UNITS, one_level, rules_of, told, two_levels

ONE, TWO, THREE, FOUR = (f"{community}00{number}" for community in COMMUNITIES for number in (1, 2))


def edit(sheet: Sheet, *operations: dict[str, Any], **rules: object) -> Outcome:
    return apply(sheet, parse_operations(list(operations), UNITS), rules_of(**rules))


def assign(units: list[int], source: str | None, target: str | None, level: int = 1) -> dict[str, Any]:
    return {"op": "assign", "level": level, "from": source, "to": target, "units": units}


def create(code: str = "new:1", community: str = COMMUNITIES[0], **more: Any) -> dict[str, Any]:
    return {"op": "create", "code": code, "level": 1, "community": community, "parent": None, "kind": "ordinary"} | more


def owner(sheet: Sheet, unit: int, level: int = 1) -> str | None:
    return sheet.levels[level - 1].code(int(sheet.levels[level - 1].owner[unit]))


def test_a_moved_unit_joins_the_neighbouring_micro_grid() -> None:
    before = two_levels()
    unit = COLUMNS * 2 + 3  # the lower right one of the upper grid of the left community
    done = edit(before, assign([unit], TWO, ONE))
    assert done.ok
    assert owner(done.sheet, unit) == ONE
    assert owner(done.sheet, unit, 2) == f"{ONE}02"  # below it, along one side; the other would touch at a corner
    assert owner(before, unit) == TWO, "the plan before is left as it is"
    assert [type(one).__name__ for one in done.operations] == ["Assign", "Assign"]


def test_deep_units_join_after_those_around_them() -> None:
    done = edit(two_levels(), assign([COLUMNS * 2, COLUMNS * 3], TWO, ONE))
    assert [owner(done.sheet, unit, 2) for unit in (COLUMNS * 2, COLUMNS * 3)] == [f"{ONE}01", f"{ONE}01"]


def test_units_without_a_grid_have_none_below() -> None:
    done = edit(two_levels(), assign([0, 1], ONE, None))
    assert owner(done.sheet, 0) is None
    assert owner(done.sheet, 0, 2) is None


def test_split_and_merge() -> None:
    before = one_level()
    half = [unit for unit in range(UNITS) if owner(before, unit) == ONE and unit % COLUMNS < 2]
    split = edit(before, create(), assign(half, ONE, "new:1"))
    code = split.codes["new:1"]
    assert code == f"{COMMUNITIES[0]}003"
    assert {owner(split.sheet, unit) for unit in half} == {code}
    assert split.sheet.levels[0].facts(split.sheet.levels[0].slot(code)).name == "甲第3网格"
    merged = edit(split.sheet, assign(half, code, ONE), {"op": "remove", "level": 1, "grid": code})
    assert told(merged.sheet) == told(before)


def test_new_codes_run_west_to_east_and_north_to_south_around_taken_ones() -> None:
    before = one_level()
    left = [unit for unit in range(UNITS) if owner(before, unit) == ONE]
    east, west = [unit for unit in left if unit % COLUMNS == 3], [unit for unit in left if unit % COLUMNS == 0]
    done = edit(
        before, create("new:1"), create("new:2"), assign(east, ONE, "new:1"), assign(west, ONE, "new:2"),
        taken=[f"{COMMUNITIES[0]}003"],
    )  # fmt: skip
    assert done.codes == {"new:2": f"{COMMUNITIES[0]}004", "new:1": f"{COMMUNITIES[0]}005"}


def test_a_grid_left_without_units_ends_and_its_micro_grids_with_it() -> None:
    before = two_levels()
    all_of_it = [unit for unit in range(UNITS) if owner(before, unit) == TWO]
    done = edit(before, assign(all_of_it, TWO, ONE))
    assert set(told(done.sheet)[0]["grids"]) == {ONE, THREE, FOUR}  # type: ignore[call-overload]
    assert not any(code.startswith(TWO) for code in told(done.sheet)[1]["grids"])  # type: ignore[attr-defined]
    back = apply(done.sheet, inverse(done.operations), rules_of())
    assert back.ok
    assert told(back.sheet) == told(before)


def test_a_unit_elsewhere_is_a_conflict_and_nothing_is_done() -> None:
    theirs = edit(two_levels(), assign([5], THREE, FOUR)).sheet
    done = edit(theirs, assign([4, 5], THREE, None))
    assert done.units == [UnitConflict(1, 5, THREE, None, FOUR)]
    assert not done.operations


def test_of_several_moves_of_a_unit_the_last_counts_in_the_conflict() -> None:
    theirs = edit(one_level(), assign([5], THREE, FOUR)).sheet
    done = edit(theirs, assign([5], THREE, None), assign([5], None, THREE))
    assert done.units == [UnitConflict(1, 5, THREE, THREE, FOUR)]


def test_gone_grids_and_changed_facts_are_conflicts() -> None:
    sheet = one_level()
    gone = f"{COMMUNITIES[0]}009"
    assert edit(sheet, assign([0], ONE, gone)).grids == [GridConflict(1, gone, "gone")]
    assert edit(sheet, {"op": "remove", "level": 1, "grid": gone}).grids == [GridConflict(1, gone, "gone")]
    seen = {"op": "set", "level": 1, "grid": ONE, "name": {"from": "other", "to": "mine"}}
    (found,) = edit(sheet, seen).grids
    assert (found.what, found.field, found.theirs) == ("changed", "name", "甲第1网格")
    assert edit(sheet, {"op": "remove", "level": 1, "grid": ONE}).grids == [
        GridConflict(1, ONE, "not_empty", theirs=8)
    ]  # fmt: skip


def test_locked_grids_stay_as_they_are() -> None:
    lock = {"op": "set", "level": 1, "grid": TWO, "locked": {"from": False, "to": True}}
    sheet = edit(two_levels(), lock).sheet
    for one in (
        assign([16], TWO, ONE), assign([8], ONE, TWO), {"op": "renumber", "level": 1, "grid": TWO, "to": TWO[:12] + "77"},
        {"op": "set", "level": 1, "grid": TWO, "name": {"from": "甲第2网格", "to": "x"}},
    ):  # fmt: skip
        done = edit(sheet, one)
        assert done.locked == [(1, TWO)], one
        assert not done.ok
    free = {"op": "set", "level": 1, "grid": TWO, "locked": {"from": True, "to": False}}
    assert edit(sheet, free, assign([16], TWO, ONE), lock | {"grid": ONE}).ok


def test_a_locked_micro_grid_does_not_follow() -> None:
    sheet = edit(
        two_levels(), {"op": "set", "level": 2, "grid": f"{TWO}01", "locked": {"from": False, "to": True}}
    ).sheet
    assert edit(sheet, assign([16], TWO, ONE)).locked == [(2, f"{TWO}01")]


def test_grids_may_swap_codes_and_what_is_inside_follows() -> None:
    before = two_levels()
    swap = [
        {"op": "renumber", "level": 1, "grid": ONE, "to": TWO},
        {"op": "renumber", "level": 1, "grid": TWO, "to": ONE},
    ]
    done = edit(before, *swap)
    assert done.ok
    assert owner(done.sheet, 0) == TWO
    assert owner(done.sheet, 0, 2) == f"{TWO}01"
    assert done.sheet.levels[0].facts(0).name == "甲第2网格"
    assert told(apply(done.sheet, inverse(done.operations), rules_of()).sheet) == told(before)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (assign([4], THREE, ONE), "one community"),
        (assign([0], ONE, f"{ONE}01", 3), "no level 3"),
        (assign([0], f"{ONE}01", f"{TWO}01", 2), "not in that grid's parent"),
        (create(), "has no units"),
        (create(f"{COMMUNITIES[0]}01x"), "code"),
        (create(f"{COMMUNITIES[0]}009"), "retired"),
        (create(community="370811001009"), "no units in this plan"),
        (assign([0], ONE, "new:1"), "not created in this edit"),
        ({"op": "renumber", "level": 1, "grid": ONE, "to": f"{COMMUNITIES[1]}007"}, "is none for a grid in"),
        ({"op": "renumber", "level": 1, "grid": ONE, "to": f"{COMMUNITIES[0]}009"}, "retired"),
        (create(level=2, parent=None), "parent"),
        (assign([UNITS], ONE, None), "no unit 32"),
        (assign([-1], ONE, None), "no unit -1"),
        (assign([1, 1], ONE, None), "twice"),
        (assign([], ONE, None), "at least one unit"),
        ({"op": "paint"}, "operations\\[0\\].op"),
        ({"op": "remove", "level": True, "grid": ONE}, "level"),
        ({"op": "remove", "level": 1, "grid": ONE, "why": 1}, "takes no 'why'"),
        ({"op": "set", "level": 1, "grid": ONE}, "changes nothing"),
        ({"op": "set", "level": 1, "grid": ONE, "kind": {"from": "ordinary", "to": "castle"}}, "castle"),
        ({"op": "set", "level": 1, "grid": ONE, "name": {"from": "", "to": "x" * 201}}, "201 characters"),
    ],
)
def test_what_no_plan_allows_is_refused_in_words(operation: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        edit(two_levels(), operation, retired=[f"{COMMUNITIES[0]}009"])


def test_numbering_goes_by_place_and_leaves_locked_grids() -> None:
    swap = [
        {"op": "renumber", "level": 1, "grid": ONE, "to": TWO},
        {"op": "renumber", "level": 1, "grid": TWO, "to": ONE},
    ]
    sheet = edit(one_level(), *swap).sheet  # rows count from the south here: slot 1 lies north
    assert proposed(sheet, rules_of()) == [(2, THREE, FOUR), (3, FOUR, THREE)]
    locked = edit(sheet, {"op": "set", "level": 1, "grid": FOUR, "locked": {"from": False, "to": True}}).sheet
    assert proposed(locked, rules_of()) == []
