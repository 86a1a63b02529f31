"""Edits of two people against a model that is only a dict: conflicts exactly where owners differ, undo exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planning.edits import Sheet, apply, inverse, operation_json, parse_operations
from planning.edits.follow import misplaced
from tests.plan_sheets import COLUMNS, COMMUNITIES, UNITS, one_level, rules_of, told, two_levels

RULES = rules_of()
UNIT_SETS = st.sets(st.integers(0, UNITS - 1), min_size=1, max_size=12)


def home(unit: int) -> str:
    return COMMUNITIES[int(unit % COLUMNS >= COLUMNS // 2)]


def owners(sheet: Sheet, level: int = 0) -> list[str | None]:
    return [sheet.levels[level].code(slot) for slot in sheet.levels[level].owner.tolist()]


@st.composite
def wishes(draw: st.DrawFn) -> list[tuple[set[int], int | None]]:
    """What an editor paints: units and the number of a grid (None: no grid; 9: a new one)."""
    return draw(st.lists(st.tuples(UNIT_SETS, st.sampled_from([0, 1, 2, 3, 9, None])), min_size=1, max_size=3))


def operations_of(seen: Sheet, wish: list[tuple[set[int], int | None]]) -> tuple[list[dict[str, Any]], dict[int, Any]]:
    """The operations a workbench sends for what its editor painted on what it saw, and the owners meant."""
    now = owners(seen)
    alive = sorted({code for code in now if code})
    ops: list[dict[str, Any]] = []
    meant: dict[int, Any] = {}
    for number, (units, grid) in enumerate(wish, start=1):
        for community in COMMUNITIES:
            mine = sorted(unit for unit in units if home(unit) == community)
            codes = [code for code in alive if code.startswith(community)]
            if not mine or (grid not in (None, 9) and not codes):
                continue
            target = None
            if grid == 9:
                target = f"new:{number}{COMMUNITIES.index(community)}"
                ops.append({
                    "op": "create", "code": target, "level": 1, "community": community, "parent": None,
                    "kind": "ordinary",
                })  # fmt: skip
            elif grid is not None:
                target = codes[grid % len(codes)]
            for source in sorted({now[unit] for unit in mine}, key=str):
                units_of = [unit for unit in mine if now[unit] == source]
                ops.append({"op": "assign", "level": 1, "from": source, "to": target, "units": units_of})
                for unit in units_of:
                    now[unit] = meant[unit] = target
    made = {one["code"] for one in ops if one["op"] == "create"} - set(meant.values())
    left = [one for one in ops if one.get("code") not in made]
    # painted over again in the same edit: a workbench sends the sum only
    if made:
        now = owners(seen)
        left = [one for one in left if one["op"] == "create"]
        pairs = sorted({(now[unit], target) for unit, target in meant.items()}, key=str)
        left += [
            {"op": "assign", "level": 1, "from": source, "to": target,
             "units": sorted(u for u, t in meant.items() if (now[u], t) == (source, target))}
            for source, target in pairs
        ]  # fmt: skip
    return left, meant


def done(sheet: Sheet, ops: list[dict[str, Any]]) -> Any:
    return apply(sheet, parse_operations(ops, UNITS), RULES)


@given(wishes(), wishes(), st.booleans())
def test_two_editors(first: Any, second: Any, deep: bool) -> None:
    start = two_levels() if deep else one_level()
    ops_one, meant_one = operations_of(start, first)
    ops_two, meant_two = operations_of(start, second)
    if not ops_one or not ops_two:
        return
    one = done(start, ops_one)
    assert one.ok
    seen, now = owners(start), owners(one.sheet)
    model = {
        unit: one.codes.get(meant_one[unit], meant_one[unit]) if unit in meant_one else seen[unit]
        for unit in range(UNITS)
    }
    assert dict(enumerate(now)) == model
    two = done(one.sheet, ops_two)
    # exactly the units that are not where the second editor saw them
    wanted = {unit for unit in meant_two if now[unit] != seen[unit]}
    assert {conflict.unit for conflict in two.units} == wanted
    for conflict in two.units:
        assert (conflict.source, conflict.target, conflict.theirs) == (
            seen[conflict.unit], meant_two[conflict.unit], now[conflict.unit],
        )  # fmt: skip
    gone = {target for target in meant_two.values() if target and not target.startswith("new") and target not in now}
    assert {conflict.grid for conflict in two.grids} == gone
    assert two.ok == (not wanted and not gone)
    if two.ok:
        model |= {unit: two.codes.get(target, target) for unit, target in meant_two.items()}
        assert dict(enumerate(owners(two.sheet))) == model
        # the other way round comes to the same division
        other = done(done(start, ops_two).sheet, ops_one)
        if other.ok:
            one_way, other_way = (np.unique([str(code) for code in owners(s)], return_inverse=True)[1]
                                  for s in (two.sheet, other.sheet))  # fmt: skip
            pairs = set(zip(one_way.tolist(), other_way.tolist(), strict=True))
            assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@given(st.lists(wishes(), min_size=1, max_size=5), st.booleans())
def test_undo_and_redo_are_exact(story: list[Any], deep: bool) -> None:
    sheet = two_levels() if deep else one_level()
    past: list[tuple[Any, Any]] = []
    for wish in story:
        ops, _ = operations_of(sheet, wish)
        if not ops:
            continue
        made = done(sheet, ops)
        assert made.ok
        check(made.sheet)
        stored = [operation_json(one) for one in made.operations]
        if not stored:
            continue
        again = done(sheet, [{k: v for k, v in one.items() if k != "was"} for one in stored])
        assert again.ok
        assert told(again.sheet) == told(made.sheet), "what is stored, applied again, does the same"
        past.append((told(sheet), made.operations))
        sheet = made.sheet
    for before, operations in reversed(past):
        back = apply(sheet, inverse(operations), RULES)
        assert back.ok
        assert told(back.sheet) == before
        sheet = back.sheet


def check(sheet: Sheet) -> None:
    """What must always hold: grids have units, of their community, inside their parents."""
    for number, level in enumerate(sheet.levels):
        alive = {slot for slot, facts in enumerate(level.grids) if facts is not None}
        assert set(level.owner.tolist()) - {-1} == alive
        codes = [facts.code for facts in level.grids if facts is not None]
        assert len(codes) == len(set(codes))
        for unit, slot in enumerate(level.owner.tolist()):
            assert slot < 0 or level.facts(slot).community == home(unit)
        if number:
            assert misplaced(sheet.levels[number - 1], level) is None
