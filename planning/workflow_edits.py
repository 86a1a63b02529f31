"""Plans being edited, in PostGIS: who owns what, and edits stored one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import drafts, plans
from data import tables as t
from data.plans import PlanRow
from data.retrying import retried
from gisgrid import topology
from gisgrid.errors import BadInput, Conflict
from gisgrid.models import Band
from gisgrid.nesting import layer_scheme
from planning.edits import (
    Assign,
    Create,
    GridFacts,
    Operation,
    Outcome,
    Remove,
    Renumber,
    Rules,
    Set,
    Sheet,
    apply,
    operation_json,
    parse_operations,
    sheet_of,
)
from planning.edits.operations import storable
from planning.ground import Ground
from planning.workflow_seen import check_seen, state_of, touched_by
from planning.workflow_writing import told_grids, write_edit

GRID_FACTS: Final = ("id", "level", "code", "name", "kind", "parent", "community", "locked", "continues", "version")

LARGEST: Final = 2**31 - 1
"""Largest version the tables can hold."""
_CODES_BEFORE = """
SELECT DISTINCT one ->> 'grid' FROM plan_edits, jsonb_array_elements(operations) AS one
WHERE plan = :plan AND one ->> 'op' IN ('remove', 'renumber')
"""


@dataclass(frozen=True, slots=True)
class StoredAssignment:
    """A plan's grids by level and code (`GRID_FACTS` each), and per level the row among that level's grids of every
    unit of its set in id order, −1 for none. Levels 1 … L, the first there even without grids."""

    plan: PlanRow
    grids: tuple[tuple[sa.RowMapping, ...], ...]
    owner: tuple[npt.NDArray[np.int32], ...]

    def sheet(self) -> Sheet:
        """The same to work on."""
        return sheet_of([
            ([(_facts(row), row["parent"]) for row in grids], owner)
            for grids, owner in zip(self.grids, self.owner, strict=True)
        ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """A stored edit."""

    version: int
    at: datetime
    author: str
    note: str
    operations: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EditMade:
    """What storing an edit came to. ``codes`` of the grids it began, by their names in it; ``grids`` what touched
    grids are now; ``merged`` versions others made since the editor looked; ``repeated``: it was stored before."""

    version: int
    codes: dict[str, str]
    operations: list[dict[str, Any]]
    grids: list[dict[str, Any]]
    removed: list[dict[str, Any]] = field(default_factory=list)
    merged: list[int] = field(default_factory=list)
    repeated: bool = False


def _facts(row: sa.RowMapping) -> GridFacts:
    return GridFacts(row["code"], row["name"], row["kind"], -1, row["community"], row["locked"], row["id"])


def stored_assignment(connection: sa.Connection, plan: PlanRow, keys: npt.NDArray[np.int64]) -> StoredAssignment:
    """Who owns what in a plan. ``keys``: database ids of the units of its set, ascending.

    To be read in one snapshot with the plan's row.
    """
    g = t.grids.c
    facts = sa.select(*[g[name] for name in GRID_FACTS]).where(g.plan == plan.id).order_by(g.level, g.code)
    rows = connection.execute(facts).mappings().all()
    deep = max([1, *[row["level"] for row in rows], len(plan.stats.get("levels", ()))])
    grids = tuple(tuple(row for row in rows if row["level"] == level) for level in range(1, deep + 1))
    o = t.owners.c
    owned = sa.select(
        sa.func.array_agg(o.level), sa.func.array_agg(o.unit), sa.func.array_agg(o.grid)
    ).where(o.plan == plan.id)  # fmt: skip
    columns = connection.execute(owned).one()
    level, unit, grid = (np.array(column if column is not None else [], dtype=np.int64) for column in columns)
    at = np.searchsorted(keys, unit)
    owners = []
    for number, members in enumerate(grids, start=1):
        column = np.full(len(keys), -1, dtype=np.int32)
        here = level == number
        ids = np.array([row["id"] for row in members], dtype=np.int64)
        order = np.argsort(ids)
        if here.any():
            column[at[here]] = order[np.searchsorted(ids[order], grid[here])]
        owners.append(column)
    return StoredAssignment(plan, grids, tuple(owners))


def band_of_level(plan: PlanRow, level: int) -> Band | None:
    """The band grids of a level are held to; None where the level has none."""
    told: Any = plan.stats.get("levels", ())
    if level <= len(told) and (text := told[level - 1].get("band")):
        return Band.parse(str(text))
    return plan.band if level == 1 else None


def edits_after(connection: sa.Connection, plan: int, version: int, limit: int | None = None) -> list[Edit]:
    """Edits of a plan newer than a version, oldest first."""
    e = t.plan_edits.c
    known = min(max(version, 0), LARGEST)
    query = sa.select(e.version, e.at, e.author, e.note, e.operations).where(e.plan == plan, e.version > known)
    return [Edit(*row) for row in connection.execute(query.order_by(e.version).limit(limit))]


def rules_for(ground: Ground) -> Rules:
    """What edits on a ground are held to, codes aside."""
    borders = ground.borders
    once = borders.of < borders.to
    return Rules(
        community=ground.community, communities=ground.communities, point=ground.point, area=ground.arcs.area,
        borders=topology.Borders(borders.of[once], borders.to[once], borders.metres[once]),
        names=dict(zip(ground.communities, ground.community_names, strict=True)),
    )  # fmt: skip


def code_rules(connection: sa.Connection, found: StoredAssignment, rules: Rules, *, anew: bool = False) -> Rules:
    """The same with the codes that must not be given: those a generation used, and, but for numbering ``anew``, those
    of grids of this plan that ended or were renumbered, as an editor may bring them back."""
    communities = list(rules.communities)
    ever = set(plans.codes_ever_published(connection, communities))
    now = set(plans.codes_in_force(connection, communities))
    had = set() if anew else set(connection.execute(sa.text(_CODES_BEFORE), {"plan": found.plan.id}).scalars())
    facts = [(row["code"], row["level"]) for grids in found.grids for row in grids]
    scheme = layer_scheme(gpd.GeoDataFrame(facts, columns=["code", "level"]))
    return replace(rules, taken=ever | had, retired=ever - now, scheme=scheme)


@retried
def store_edit(
    engine: sa.Engine,
    plan: int,
    ground: Ground,
    keys: npt.NDArray[np.int64],
    *,
    base: int | None = None,
    operations: Any,
    author: str = "",
    note: str = "",
    key: str | None = None,
    versions: Mapping[str, int] | None = None,
) -> EditMade:
    """Apply operations (JSON) to a draft and store it, whole or not at all, in one transaction.

    ``base``: the version the editor saw; edits of others since are merged where they are about other units and grids.
    ``key``: a word of the editor's own for this edit: sent again, it is answered as before and stored once.
    ``versions``: of the grids the editor saw, by code; then no grid that the edit touches may have changed.
    Raises NotFound, BadInput for what no plan allows, Unseen and Stale where ``versions`` leaves a touched grid out or
    names another version than it has, and Conflict: code ``published``, ``conflicts`` (details name every unit and grid
    that is not as the editor saw it, who changed it, when) or ``locked``.
    """
    for name, text in (("note", note), ("key", key or ""), ("author", author)):
        if not storable(text):
            raise BadInput(f"{name} is {text[:40]!r}; give a text without NUL or half characters")
    with engine.begin() as connection:
        row = drafts.locked_plan(connection, plan)  # edits of a plan are stored one after another
        if key is not None and (before := _stored_under(connection, plan, key)) is not None:
            return _again(connection, plan, before)
        return store_within(
            connection, row, ground, keys, base=base, operations=operations, author=author, note=note, key=key,
            versions=versions,
        )  # fmt: skip


def store_within(
    connection: sa.Connection,
    row: PlanRow,
    ground: Ground,
    keys: npt.NDArray[np.int64],
    *,
    base: int | None,
    operations: Any,
    author: str = "",
    note: str = "",
    key: str | None = None,
    versions: Mapping[str, int] | None = None,
) -> EditMade:
    """`store_edit` in the caller's transaction, which holds the plan's row. Raises as `store_edit`."""
    plan = row.id
    check_draft(row)
    base = row.version if base is None else base
    if base > row.version:
        raise BadInput(f"base is {base}, but plan {plan} is at version {row.version}; read its assignment first")
    found = stored_assignment(connection, row, keys)
    asked = parse_operations(operations, ground.count)
    between = edits_after(connection, plan, base) if base < row.version else []
    asked = renamed(asked, between)
    touched = touched_by(asked)
    if versions is not None:
        check_seen(connection, found, touched, versions)
    rules = rules_for(ground)
    if any(isinstance(one, Create | Renumber) for one in asked):
        rules = code_rules(connection, found, rules)
    sheet = found.sheet()
    outcome = apply(sheet, asked, rules)
    try:
        refuse(row, outcome, between)
    except Conflict as error:
        error.details["current"] = state_of(connection, row, touched)
        raise
    told = [operation_json(one) for one in outcome.operations]
    names = {code: name for name, code in outcome.codes.items()}
    stored = [one | {"as": names[one["code"]]} if one.get("code") in names else one for one in told]
    grids = write_edit(connection, row, ground, keys, sheet, outcome.sheet)
    version = row.version + 1
    connection.execute(
        sa.insert(t.plan_edits).values(
            plan=plan,
            version=version,
            at=sa.func.clock_timestamp(),
            author=author,
            note=note,
            key=key,
            operations=stored,
        )
    )
    removed = [{"code": one.grid, "level": one.level} for one in outcome.operations if isinstance(one, Remove)]
    return EditMade(version, outcome.codes, told, grids, removed, [edit.version for edit in between])


def check_draft(row: PlanRow) -> None:
    """Raise Conflict for a published plan."""
    if row.status != "draft":
        raise Conflict(
            f"plan {row.id} is published and stays as it is; duplicate it and edit the copy", code="published"
        )


def _stored_under(connection: sa.Connection, plan: int, key: str) -> Edit | None:
    e = t.plan_edits.c
    query = sa.select(e.version, e.at, e.author, e.note, e.operations).where(e.plan == plan, e.key == key)
    row = connection.execute(query).first()
    return None if row is None else Edit(*row)


def _again(connection: sa.Connection, plan: int, edit: Edit) -> EditMade:
    """The answer to an edit that was stored before."""
    codes = {one["as"]: one["code"] for one in edit.operations if "as" in one}
    plain = [{name: value for name, value in one.items() if name != "as"} for one in edit.operations]
    named = sorted({
        str(one[name]) for one in plain for name in ("from", "to", "grid", "code") if isinstance(one.get(name), str)
    })  # fmt: skip
    return EditMade(
        edit.version, codes, plain, told_grids(connection, sa.and_(t.grids.c.plan == plan, t.grids.c.code.in_(named))),
        [{"code": one["grid"], "level": one["level"]} for one in plain if one["op"] == "remove"], repeated=True,
    )  # fmt: skip


def renamed(operations: Sequence[Operation], between: Sequence[Edit]) -> list[Operation]:
    """Operations under the codes grids got since the editor looked: a renumbered grid is still the same."""
    names: dict[tuple[int, str], str] = {}
    for edit in between:
        batch = {(one["level"], one["grid"]): one["to"] for one in edit.operations if one["op"] == "renumber"}
        for seen, now in list(names.items()):
            names[seen] = batch.get((seen[0], now), now)
        for seen, to in batch.items():
            names.setdefault(seen, to)
    if not names:
        return list(operations)
    return [_under(one, names) for one in operations]


def _under(one: Operation, names: Mapping[tuple[int, str], str]) -> Operation:
    if isinstance(one, Assign):
        source, target = (
            code if code is None else names.get((one.level, code), code) for code in (one.source, one.target)
        )
        return replace(one, source=source, target=target)
    if isinstance(one, Create):
        parent = one.parent if one.parent is None else names.get((one.level - 1, one.parent), one.parent)
        return replace(one, parent=parent)
    assert isinstance(one, Remove | Renumber | Set)
    return replace(one, grid=names.get((one.level, one.grid), one.grid))


def refuse(row: PlanRow, outcome: Outcome, between: Sequence[Edit]) -> None:
    """Raise Conflict where something stands against an edit: whose it is now, who made it so, when."""
    if outcome.units or outcome.grids:
        last = _last_touched(between)
        nobody = {"author": "", "at": row.updated_at, "version": row.version}
        units = [
            {
                "level": one.level, "unit": one.unit, "yours": {"from": one.source, "to": one.target},
                "theirs": one.theirs, **last.get((one.level, one.unit), nobody),
            }
            for one in outcome.units
        ]  # fmt: skip
        grids = [
            {
                "level": one.level, "grid": one.grid, "what": one.what, "field": one.field, "yours": one.yours,
                "theirs": one.theirs, **last.get((one.level, one.grid), nobody),
            }
            for one in outcome.grids
        ]  # fmt: skip
        what = f"{len(units)} unit{'s' if len(units) > 1 else ''}" if units else f"grid {grids[0]['grid']}"
        raise Conflict(
            f"{what} of plan {row.id} changed since you looked; nothing was stored, take theirs or yours for each",
            code="conflicts", version=row.version, conflicts=units, grids=grids,
        )  # fmt: skip
    if outcome.locked:
        raise Conflict(
            f"grid {outcome.locked[0][1]} is locked; unlock it first, or leave it as it is",
            code="locked", version=row.version,
            grids=[{"level": level, "code": code} for level, code in outcome.locked],
        )  # fmt: skip


def _last_touched(between: Sequence[Edit]) -> dict[tuple[int, int | str], dict[str, Any]]:
    """Who touched each unit and grid last, by level and unit or code."""
    last: dict[tuple[int, int | str], dict[str, Any]] = {}
    for edit in between:
        who = {"author": edit.author, "at": edit.at, "version": edit.version}
        for one in edit.operations:
            for unit in one.get("units", ()):
                last[one["level"], unit] = who
            for name in ("grid", "code", "to"):
                if isinstance(one.get(name), str):
                    last[one["level"], one[name]] = who
    return last
