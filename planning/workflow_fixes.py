"""Problems of a stored plan and their mending: the draft as it is, the editor's unsaved edits on top, the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import tables as t
from data.loading import read_rows
from data.plans import PlanRow
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.limits import FIX_SECONDS
from gisgrid.models import Band
from planning.edits import Assign, Create, Operation, Sheet, apply, operation_json, parse_operations
from planning.fixes import Bench, fix, told
from planning.ground import Ground
from planning.partition.resolve import draft_of, resolve
from planning.problems import Shown, problem_json, problems_of
from planning.workflow import stored_lines
from planning.workflow_edits import (
    StoredAssignment,
    band_of_level,
    code_rules,
    edits_after,
    refuse,
    renamed,
    rules_for,
)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be mended. ``operations`` (JSON): unsaved edits the editor has on top of version ``base``."""

    kind: str
    level: int
    grids: Sequence[str]
    units: Sequence[int]
    operations: Any = None
    base: int | None = None


def shown_level(ground: Ground, plan: PlanRow, sheet: Sheet, level: int) -> Shown:
    """One level of a plan as problems are looked for. Raises BadInput when the plan has no such level."""
    if not 1 <= level <= len(sheet.levels):
        raise BadInput(f"level={level}: the plan has levels 1 to {len(sheet.levels)}")
    one = sheet.levels[level - 1]
    home = ground.community.astype(np.int64)
    if level > 1:
        above = sheet.levels[level - 2].owner.astype(np.int64)
        divided = {facts.parent for facts in one.grids if facts is not None}
        home = np.where(np.isin(above, sorted(divided)), above, -1)
    return Shown(
        ground, level, one.owner.astype(np.int64),
        [facts.code if facts else "" for facts in one.grids],
        np.array([facts is not None and facts.kind == "ordinary" for facts in one.grids], dtype=bool),
        home, band_of_level(plan, level),
    )  # fmt: skip


def stored_problems(found: StoredAssignment, ground: Ground) -> list[dict[str, Any]]:
    """Every problem of a plan, level by level, as answers tell it."""
    sheet = found.sheet()
    return [
        problem_json(shown, problem)
        for level in range(1, len(sheet.levels) + 1)
        for shown in [shown_level(ground, found.plan, sheet, level)]
        for problem in problems_of(shown)
    ]


def proposed_fix(
    connection: sa.Connection, found: StoredAssignment, ground: Ground, keys: npt.NDArray[np.int64], wish: Wish
) -> dict[str, Any]:
    """Operations that mend a problem, with the figures before and after; nothing is stored.

    Raises BadInput, and Conflict: ``locked``, ``nothing_better``, and ``conflicts`` for unsaved edits that clash.
    """
    sheet, names = _with_unsaved(connection, found, ground, wish)
    shown = shown_level(ground, found.plan, sheet, wish.level)
    level = sheet.levels[wish.level - 1]
    codes = {names.get(facts.code, facts.code): slot for slot, facts in enumerate(level.grids) if facts is not None}
    grids = [_slot(codes, code, wish.level) for code in wish.grids]
    if wish.units and not 0 <= min(wish.units) <= max(wish.units) < ground.count:
        raise BadInput(f"units: they go from 0 to {ground.count - 1}")
    units = np.unique(np.array(wish.units, dtype=np.int64))
    locked = np.array([facts is not None and facts.locked for facts in level.grids], dtype=bool)

    def engine(rows: Ints, label: Ints) -> Ints:
        assert shown.band is not None
        return _divided(connection, keys[rows], shown.home[rows], label, shown.band)

    owner = fix(Bench(shown, locked, engine), wish.kind, grids, units)
    more = _new_names(wish.operations, int(owner.max(initial=-1)) + 1 - len(level.grids))
    plain = [names.get(code, code) for code in shown.codes] + more
    touched = np.unique(np.concatenate([grids, shown.owner[owner != shown.owner], owner[owner != shown.owner]]))
    touched = touched[touched >= 0].astype(np.int64)
    operations = [operation_json(one) for one in _operations(sheet, shown, owner, plain, wish.level, names)]
    return {
        "version": found.plan.version,
        "operations": operations,
        "before": told(shown, shown.owner, [slot for slot in touched.tolist() if slot < len(level.grids)], plain),
        "after": told(shown, owner, touched.tolist(), plain),
    }


def _with_unsaved(
    connection: sa.Connection, found: StoredAssignment, ground: Ground, wish: Wish
) -> tuple[Sheet, dict[str, str]]:
    """The sheet with the unsaved edits applied, and the editor's names of the grids they begin, by code."""
    sheet = found.sheet()
    if not wish.operations:
        return sheet, {}
    base = found.plan.version if wish.base is None else wish.base
    between = edits_after(connection, found.plan.id, base) if base < found.plan.version else []
    asked = renamed(parse_operations(wish.operations, ground.count), between)
    outcome = apply(sheet, asked, code_rules(connection, found, rules_for(ground)))
    refuse(found.plan, outcome, between)
    return outcome.sheet, {code: name for name, code in outcome.codes.items()}


def _slot(codes: dict[str, int], code: str, level: int) -> int:
    if code not in codes:
        raise BadInput(f"grids: there is no grid {code[:40]!r} on level {level} of this plan")
    return codes[code]


def _new_names(unsaved: Any, count: int) -> list[str]:
    """Names for new grids that no unsaved one has."""
    used = [one.get("code") for one in unsaved or [] if isinstance(one, dict) and one.get("op") == "create"]
    numbers = [int(code[4:]) for code in used if isinstance(code, str) and code.startswith("new:")]
    first = max(numbers, default=0) + 1
    return [f"new:{first + number}" for number in range(count)]


def _operations(
    sheet: Sheet, shown: Shown, owner: Ints, codes: Sequence[str], level: int, names: dict[str, str]
) -> list[Operation]:
    """The way from the level as it is to other owners."""
    made: list[Operation] = []
    facts = sheet.levels[level - 1]
    upper = sheet.levels[level - 2] if level > 1 else None
    for grid in range(len(facts.grids), int(owner.max(initial=-1)) + 1):
        first = int(np.flatnonzero(owner == grid)[0])
        parent = None if upper is None else str(upper.code(int(upper.owner[first])))
        community = shown.ground.communities[int(shown.ground.community[first])]
        parent = None if parent is None else names.get(parent, parent)
        made.append(Create(level, codes[grid], community, parent, "ordinary"))
    moved = np.flatnonzero(owner != shown.owner)
    pairs = np.stack([shown.owner[moved], owner[moved]], axis=1)
    kinds, which = np.unique(pairs, axis=0, return_inverse=True)
    for row, (one, two) in enumerate(kinds.tolist()):
        source, target = (codes[grid] if grid >= 0 else None for grid in (one, two))
        made.append(Assign(level, source, target, moved[which.ravel() == row]))
    return made


def _divided(connection: sa.Connection, keys: Ints, home: Ints, label: Ints, band: Band) -> Ints:
    """Units of a few grids divided anew by the engine, the grids around them left as they are."""
    units = read_rows(connection, t.units, where=[t.units.c.id == sa.any_(sa.literal(keys.tolist(), _IDS))])
    lines = stored_lines(connection, units, units)
    metric = to_metric(units).assign(community=[f"{number + 1:012d}" for number in home.tolist()])
    draft = draft_of(metric, lines, np.array([f"{grid:09d}" for grid in label.tolist()]), band=band, special_kinds=())
    old = np.unique(label)
    best = resolve(draft, np.arange(len(label)), time_limit=FIX_SECONDS).label
    fresh = best >= len(old)
    return np.where(fresh, int(label.max()) + 1 + best, old[np.minimum(best, len(old) - 1)])


_IDS = sa.ARRAY(sa.BigInteger)
