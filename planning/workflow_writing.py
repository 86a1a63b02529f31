"""An edit put into the tables: owners, the grids' ground and figures, the plan's version; in the caller's transaction.

Geometry is derived: the union of a grid's units, which share every vertex, so that no edit can make a gap or overlap.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.plans import PlanRow
from data.tables import COMPREHENSIVE
from gisgrid.models import Band
from planning.edits import Sheet
from planning.edits.sheet import GridFacts, Level
from planning.figures import plan_stats, sums_of
from planning.ground import Ground, grid_shape

Keys = npt.NDArray[np.int64]
SLIVER_SHARE: Final = 1e-7
"""Units whose union differs from their sum by more of its area were no coverage: they are joined the slow way."""

TOLD: Final = (
    "code", "level", "name", "kind", "parent", "community", "locked", "continues", "households", "population",
    "compactness", "version",
)  # fmt: skip

_RENUMBER = """
UPDATE grids SET code = v.code FROM (
  SELECT unnest(CAST(:ids AS bigint[])) AS id, unnest(CAST(:codes AS text[])) AS code
) AS v WHERE grids.id = v.id
"""
_FACTS = """
UPDATE grids SET name = v.name, kind = v.kind, locked = v.locked, parent = v.parent, continues = v.continues,
  version = version + 1
FROM (
  SELECT unnest(CAST(:ids AS bigint[])) AS id, unnest(CAST(:names AS text[])) AS name,
    unnest(CAST(:kinds AS text[])) AS kind, unnest(CAST(:locked AS boolean[])) AS locked,
    unnest(CAST(:parents AS text[])) AS parent, unnest(CAST(:continues AS boolean[])) AS continues
) AS v WHERE grids.id = v.id
"""
_GROUND = """
UPDATE grids SET geometry = ST_SetSRID(ST_GeomFromWKB(v.shape), 4490), households = v.households,
  population = v.population, compactness = v.compactness, version = version + CAST(v.step AS integer)
FROM (
  SELECT unnest(CAST(:ids AS bigint[])) AS id, unnest(CAST(:shapes AS bytea[])) AS shape,
    unnest(CAST(:households AS integer[])) AS households, unnest(CAST(:population AS integer[])) AS population,
    unnest(CAST(:compactness AS double precision[])) AS compactness, unnest(CAST(:steps AS integer[])) AS step
) AS v WHERE grids.id = v.id
"""
_OWN = """
INSERT INTO owners (plan, level, unit, grid)
SELECT :plan, :level, unnest(CAST(:units AS bigint[])), unnest(CAST(:grids AS bigint[]))
ON CONFLICT (plan, level, unit) DO UPDATE SET grid = EXCLUDED.grid
"""


def write_edit(
    connection: sa.Connection, plan: PlanRow, ground: Ground, keys: Keys, before: Sheet, after: Sheet
) -> list[dict[str, Any]]:
    """Store the way from one sheet of a plan to the next; what touched grids are now. The plan's row is locked.

    Raises nothing of its own: ``after`` keeps every rule (`planning.edits.apply`).
    """
    old_levels = [*before.levels, *([Level([], np.full(len(keys), -1, np.int32))] * len(after.levels))]
    pairs = list(zip(old_levels, after.levels, strict=False))
    moved = [np.flatnonzero(old.owner != new.owner) for old, new in pairs]
    touched = [
        np.setdiff1d(np.unique(np.concatenate([old.owner[rows], new.owner[rows]])), [-1])
        for (old, new), rows in zip(pairs, moved, strict=True)
    ]
    other = [_other_facts(pairs, number) for number in range(len(pairs))]
    known = [
        key for number, (old, _) in enumerate(pairs)
        for slot in sorted({*touched[number].tolist(), *other[number]}) if slot < len(old.grids)
        and (key := _key(old, slot))
    ]  # fmt: skip
    connection.execute(sa.select(t.grids.c.id).where(t.grids.c.id.in_(known)).order_by(t.grids.c.id).with_for_update())
    _end(connection, pairs)
    _change_facts(connection, pairs, other, ground)
    ids = []
    for number, (_old, new) in enumerate(pairs):
        alive = np.array([slot for slot in touched[number].tolist() if new.grids[slot] is not None], dtype=np.int64)
        ids += _put_ground(connection, plan, ground, keys, after, number, alive, other[number])
        _put_owners(connection, plan.id, keys, new, number + 1, moved[number])
        ids += [new.facts(slot).key for slot in other[number] if new.grids[slot] is not None]
    _update_plan(connection, plan, ground, after)
    return told_grids(connection, t.grids.c.id.in_(ids))


def told_grids(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    """What answers say of grids."""
    g = t.grids.c
    query = sa.select(*[g[name] for name in TOLD]).where(where).order_by(g.level, g.code)
    return [dict(row) for row in connection.execute(query).mappings()]


def _key(level: Level, slot: int) -> int:
    facts = level.grids[slot]
    return facts.key if facts else 0


def _other_facts(pairs: list[tuple[Level, Level]], number: int) -> list[int]:
    """Slots of stored grids whose code, name, kind, lock or parent differs."""
    old, new = pairs[number]
    above = pairs[number - 1] if number else None

    def all_of(facts: GridFacts, side: int) -> tuple[Any, ...]:
        parent = above[side].code(facts.parent) if above else None
        return (facts.code, facts.name, facts.kind, facts.locked, parent)

    return [
        slot for slot, (one, two) in enumerate(zip(old.grids, new.grids, strict=False))
        if one is not None and two is not None and all_of(one, 0) != all_of(two, 1)
    ]  # fmt: skip


def _end(connection: sa.Connection, pairs: list[tuple[Level, Level]]) -> None:
    """Grids that end take their rows of owners with them; units that moved get theirs afterwards."""
    gone = [
        one.key for old, new in pairs
        for one, two in zip(old.grids, new.grids, strict=False) if one is not None and two is None
    ]  # fmt: skip
    if gone:
        connection.execute(sa.delete(t.grids).where(t.grids.c.id.in_(gone)))


def _change_facts(
    connection: sa.Connection, pairs: list[tuple[Level, Level]], other: list[list[int]], ground: Ground
) -> None:
    """Codes first to numbers nobody has, as grids may swap them; then the rest."""
    rows = [
        (new.facts(slot), old.facts(slot), pairs[number - 1][1].code(new.facts(slot).parent) if number else None)
        for number, (old, new) in enumerate(pairs) for slot in other[number]
    ]  # fmt: skip
    if not rows:
        return
    coded = [(new.key, new.community, new.code) for new, old, _ in rows if new.code != old.code]
    if coded:
        ids = [key for key, _, _ in coded]
        aside = [f"{community}{key:018d}" for key, community, _ in coded]
        for codes in (aside, [code for _, _, code in coded]):
            connection.execute(sa.text(_RENUMBER), {"ids": ids, "codes": codes})
    in_force = set(plans.codes_in_force(connection, list(ground.communities)))
    values = {
        "ids": [new.key for new, _, _ in rows], "names": [new.name for new, _, _ in rows],
        "kinds": [new.kind for new, _, _ in rows], "locked": [new.locked for new, _, _ in rows],
        "parents": [parent for _, _, parent in rows], "continues": [new.code in in_force for new, _, _ in rows],
    }  # fmt: skip
    connection.execute(sa.text(_FACTS), values)


def _put_ground(
    connection: sa.Connection, plan: PlanRow, ground: Ground, keys: Keys, after: Sheet, number: int, slots: Keys,
    counted: list[int],
) -> list[int]:  # fmt: skip
    """Geometry and figures of the grids in some slots; new ones get their rows. Ids of all."""
    if not slots.size:
        return []
    level = after.levels[number]
    place = np.full(len(level.grids) + 1, -1, dtype=np.int64)
    place[slots] = np.arange(len(slots))
    owner = place[level.owner]
    sums = sums_of(ground, owner, len(slots))
    _, _, compactness = grid_shape(ground, owner, len(slots))
    shapes = _shapes(connection, keys, owner, len(slots))
    new = np.array([level.facts(slot).key == 0 for slot in slots.tolist()])
    if new.any():
        upper = after.levels[number - 1] if number else None
        in_force = set(plans.codes_in_force(connection, list(ground.communities)))
        for row in np.flatnonzero(new).tolist():
            facts = level.facts(int(slots[row]))
            made = sa.insert(t.grids).values(
                plan=plan.id, system=COMPREHENSIVE, code=facts.code, level=number + 1, name=facts.name,
                parent=upper.code(facts.parent) if upper else None, community=facts.community, kind=facts.kind,
                households=int(sums["households"][row]), population=int(sums["population"][row]),
                compactness=float(compactness[row]), continues=facts.code in in_force, locked=facts.locked,
                version=plan.version + 1,  # above all that a grid of this code had before it was removed
                geometry=sa.func.ST_SetSRID(sa.func.ST_GeomFromWKB(shapes[row]), t.SRID),
            )  # fmt: skip
            key = connection.execute(made.returning(t.grids.c.id)).scalar_one()
            level.change(int(slots[row]), key=int(key))
    old = np.flatnonzero(~new)
    if old.size:
        values = {
            "ids": [level.facts(slot).key for slot in slots[old].tolist()],
            "shapes": [shapes[row] for row in old.tolist()],
            "households": sums["households"][old].tolist(), "population": sums["population"][old].tolist(),
            "compactness": compactness[old].tolist(),
            "steps": [0 if slot in counted else 1 for slot in slots[old].tolist()],
        }  # fmt: skip
        connection.execute(sa.text(_GROUND), values)
    return [level.facts(slot).key for slot in slots.tolist()]


def _shapes(connection: sa.Connection, keys: Keys, owner: npt.NDArray[np.int64], count: int) -> list[bytes]:
    """WKB of the union of each grid's units, MultiPolygons in EPSG:4490."""
    rows = np.flatnonzero(owner >= 0)
    asked = sa.select(t.units.c.id, sa.func.ST_AsBinary(t.units.c.geometry)).where(
        t.units.c.id == sa.any_(sa.literal(keys[rows].tolist(), sa.ARRAY(sa.BigInteger)))
    )
    found = connection.execute(asked.order_by(t.units.c.id)).all()
    units = shapely.from_wkb(np.array([bytes(shape) for _, shape in found], dtype=object))
    made = []
    for grid in range(count):
        mine = units[owner[rows] == grid]
        union = shapely.coverage_union_all(mine)
        whole = float(shapely.area(mine).sum())
        if not union.is_valid or abs(union.area - whole) > SLIVER_SHARE * whole:
            union = shapely.union_all(mine)
        made.append(shapely.to_wkb(shapely.multipolygons(shapely.get_parts(union))))
    return made


def _put_owners(
    connection: sa.Connection, plan: int, keys: Keys, level: Level, number: int, moved: npt.NDArray[np.int64]
) -> None:
    free = moved[level.owner[moved] < 0]
    if free.size:
        o = t.owners.c
        connection.execute(
            sa.delete(t.owners).where(o.plan == plan, o.level == number, o.unit.in_(keys[free].tolist()))
        )
    owned = moved[level.owner[moved] >= 0]
    if owned.size:
        grids = [level.facts(slot).key for slot in level.owner[owned].tolist()]
        values = {"plan": plan, "level": number, "units": keys[owned].tolist(), "grids": grids}
        connection.execute(sa.text(_OWN), values)


def _update_plan(connection: sa.Connection, plan: PlanRow, ground: Ground, after: Sheet) -> None:
    """The next version, with the figures there are now; reasons of the engine fall away once nothing is wrong."""
    first = after.levels[0]
    stats = stats_of_level(ground, first, plan.band)
    feasible = (
        stats["units_unassigned"] == 0 and stats["grids_broken"] == 0 and stats["households_outside_band"] == 0
        and stats["grids"] > 0
    )  # fmt: skip
    connection.execute(
        sa.update(t.plans).where(t.plans.c.id == plan.id).values(
            version=t.plans.c.version + 1, updated_at=sa.func.clock_timestamp(), stats=plan.stats | stats,
            feasible=feasible, reasons=[] if feasible else plan.reasons,
        )
    )  # fmt: skip


def stats_of_level(ground: Ground, level: Level, band: Band) -> dict[str, Any]:
    """`planning.figures.plan_stats` of one level of a sheet."""
    alive = [slot for slot, facts in enumerate(level.grids) if facts is not None]
    place = np.full(len(level.grids) + 1, -1, dtype=np.int64)
    place[alive] = np.arange(len(alive))
    ordinary = np.array([level.facts(slot).kind == "ordinary" for slot in alive], dtype=bool)
    return plan_stats(ground, place[level.owner], ordinary, band)
