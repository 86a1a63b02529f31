"""Rolling back: a new generation with the grids that were in force in an earlier one, under their codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t
from data.drafts import copy_grids
from data.loading import insert_one
from data.plans import Generation, generation_by_id, plan_row
from data.publishing import alone, end_grids, open_generation
from data.tables import COMPREHENSIVE
from gisgrid.errors import Conflict

g = t.grids.c


@dataclass(frozen=True, slots=True)
class Rollback:
    """What going back to a generation changes: grids of the first level that end and that come back, households of
    the latter, and communities (comprehensive grids) or systems (all others) whose grids are then others than now."""

    generation: int
    ended: int
    back: int
    households: int
    communities: list[str]
    systems: list[str]


def rollback(connection: sa.Connection, generation: int) -> Rollback:
    """What `restore` of a generation would change now. Raises NotFound."""
    generation_by_id(connection, generation)
    ended, back = _differing(generation)
    first = g.level == 1
    counts = sa.func.count().filter(first)
    gone = connection.execute(sa.select(counts).where(ended)).scalar_one()
    comes, households = connection.execute(
        sa.select(
            counts, sa.func.coalesce(sa.func.sum(g.households).filter(first, g.system == COMPREHENSIVE), 0)
        ).where(back)
    ).one()
    other = sa.or_(ended, back)
    own = g.system == COMPREHENSIVE
    communities = connection.scalars(sa.select(g.community).where(other, own).distinct().order_by(g.community)).all()
    systems = connection.scalars(sa.select(g.system).where(other, ~own).distinct().order_by(g.system)).all()
    return Rollback(generation, gone, comes, int(households), [str(code) for code in communities], list(systems))


def restore(connection: sa.Connection, generation: int, *, note: str = "", author: str = "") -> Generation:
    """Bring back the grids that were in force in a generation wherever they have changed since; the new generation.

    In the caller's transaction, held against other publishing. A grid brought back is the same grid: its code is not
    taken as retired, and its units are its units. Grids that came since end. Where systems changed, each gets a
    generation of its own, the comprehensive grids the last: at no moment is there half of it. Raises NotFound for an
    unknown generation, and Conflict when its grids are in force as they are.
    """
    alone(connection)
    generation_by_id(connection, generation)
    ended, back = _differing(generation)
    changed = connection.scalars(sa.select(g.system).where(sa.or_(ended, back)).distinct()).all()
    if not changed:
        raise Conflict(f"the grids of generation {generation} are in force as they are; there is nothing to restore")
    order = sorted(changed, key=lambda system: (system == COMPREHENSIVE, system))
    found = [_one_system(connection, generation, system, note=note, author=author) for system in order]
    return found[-1]


def _differing(generation: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Grids in force now that were not then, and grids in force then that are not now."""
    then, now = g.generations.contains(generation), sa.func.upper_inf(g.generations)
    known = g.generations.is_not(None)
    return sa.and_(known, now, ~then), sa.and_(known, then, ~now)


def _one_system(connection: sa.Connection, generation: int, system: str, *, note: str, author: str) -> Generation:
    ended, back = _differing(generation)
    same = g.system == system
    going = connection.scalars(sa.select(g.id).where(ended, same)).all()
    coming = connection.scalars(sa.select(g.id).where(back, same)).all()
    plan = _plan_of(connection, generation, system, coming or going, author=author, note=note)
    made = open_generation(connection, plan=plan, note=note, author=author, restored=generation)
    end_grids(connection, _among(going), made.id)
    copy_grids(connection, plan, _among(coming), continues=sa.true())
    still = sa.func.int4range(made.id, None, "[)")
    connection.execute(sa.update(t.grids).where(g.plan == plan).values(generations=still))
    return made


def _among(grids: Sequence[int]) -> sa.ColumnElement[bool]:
    """One array, however many there are: parameters of a statement are few."""
    return g.id == sa.any_(sa.literal(list(grids), pg.ARRAY(sa.BigInteger)))


def _plan_of(
    connection: sa.Connection, generation: int, system: str, grids: Sequence[int], *, author: str, note: str
) -> int:
    """A published plan, without grids so far, for those that come back; it tells what the plans they were of told."""
    number = sa.func.count()
    of = connection.execute(
        sa.select(g.plan, number).where(_among(grids)).group_by(g.plan).order_by(number.desc(), g.plan)
    ).all()
    rows = [plan_row(connection, plan) for plan, _ in of]
    sets = {row.unit_set for row in rows}
    first = rows[0]
    return insert_one(
        connection, t.plans, area=_common_area(connection, [row.area for row in rows]), system=system,
        name=f"恢复第{generation}代网格", unit_set=first.unit_set if len(sets) == 1 else None, status="published",
        band_low=first.band.low, band_high=first.band.high, seed=first.seed, feasible=all(row.feasible for row in rows),
        reasons=first.reasons if len(rows) == 1 else [], stats=first.stats if len(rows) == 1 else {}, author=author,
        note=note, source=first.id if len(rows) == 1 else None,
    )  # fmt: skip


def _common_area(connection: sa.Connection, areas: Sequence[str]) -> str:
    """The smallest stored area that holds all of some areas; the largest of them where none does."""
    prefix = areas[0]
    for area in areas:
        while not area.startswith(prefix):
            prefix = prefix[:-1]
    code = t.areas.c.code
    known = sa.select(code).where(sa.func.starts_with(prefix, code)).order_by(sa.func.length(code).desc()).limit(1)
    return connection.scalar(known) or min(areas, key=len)
