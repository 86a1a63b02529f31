"""Rolling back: a new generation with the grids that were in force in an earlier one, under their codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t
from data.drafts import copy_grids
from data.loading import insert_one
from data.plans import Generation, current_generation, generation_by_id, plan_row
from data.publishing import alone, end_grids, lock_grids, open_generation
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, Conflict, NotFound

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


class _Grid(NamedTuple):
    """A grid that is in force in one of two generations only; ``back``: in the earlier one. ``content``: all that makes
    it another grid to those who look at it."""

    id: int
    back: bool
    system: str
    community: str | None
    level: int
    households: int
    content: tuple[object, ...]

    @property
    def place(self) -> tuple[object, ...]:
        """What goes back as a whole: a community; of other systems each grid by itself."""
        return (self.system, self.community) if self.system == COMPREHENSIVE else (self.system, self.content[0])


def rollback(connection: sa.Connection, generation: int) -> Rollback:
    """What `restore` of a generation would change now. Raises NotFound."""
    generation_by_id(connection, generation)
    found = _differing(connection, generation)
    first = [grid for grid in found if grid.level == 1]
    own = [grid for grid in found if grid.system == COMPREHENSIVE]
    return Rollback(
        generation,
        ended=sum(not grid.back for grid in first),
        back=sum(grid.back for grid in first),
        households=sum(grid.households for grid in own if grid.back and grid.level == 1),
        communities=sorted({str(grid.community) for grid in own}),
        systems=sorted({grid.system for grid in found} - {COMPREHENSIVE}),
    )


def restore(connection: sa.Connection, generation: int, *, note: str = "", author: str = "") -> Generation:
    """Bring back the grids that were in force in a generation wherever they have changed since; the new generation.

    In the caller's transaction, held against other publishing. A grid brought back is the same grid: its code is not
    taken as retired, and its units are its units. Grids that came since end. Where systems changed, each gets a
    generation of its own, the comprehensive grids the last: at no moment is there half of it. Raises NotFound for an
    unknown generation, and Conflict when its grids are in force as they are.
    """
    alone(connection)
    generation_by_id(connection, generation)
    found = _differing(connection, generation)
    if not found:
        raise Conflict(f"the grids of generation {generation} are in force as they are; there is nothing to restore")
    lock_grids(connection, _among([grid.id for grid in found if not grid.back]))
    order = sorted({grid.system for grid in found}, key=lambda system: (system == COMPREHENSIVE, system))
    made = [
        _one_system(
            connection, generation, [grid for grid in found if grid.system == system], note=note, author=author
        )
        for system in order
    ]  # fmt: skip
    return made[-1]


def undo(connection: sa.Connection, generation: int | None = None, *, note: str, author: str = "") -> Generation:
    """Undo the last publication: bring back the grids that were in force before it; the new generation.

    ``generation``: the one the caller takes for the last. Where systems changed with a restore, which makes a
    generation for each, the last of them is undone. Raises BadInput without a reason, NotFound where nothing is
    published, Conflict when another generation is the last or nothing was in force before.
    """
    if not note.strip():
        raise BadInput("note is empty; say why the publication is undone")
    alone(connection)
    last = current_generation(connection)
    if last is None:
        raise NotFound("no plan is published yet; there is nothing to undo")
    if generation is not None and generation != last.id:
        raise Conflict(
            f"generation {generation} is not the last one; generation {last.id} is: look at it, then undo that one",
            code="changed", current=last.id,
        )  # fmt: skip
    ids = t.generations.c.id
    before = connection.scalar(sa.select(sa.func.max(ids)).where(ids < last.id))
    if before is None:
        raise Conflict(f"generation {last.id} is the first; nothing was in force before it")
    return restore(connection, int(before), note=note, author=author)


def _differing(connection: sa.Connection, generation: int) -> list[_Grid]:
    """Grids in force now and not then, and then and not now, where not all is the same all the same: grids brought back
    before are rows of their own."""
    then, now = g.generations.contains(generation), sa.func.upper_inf(g.generations)
    shape = sa.func.md5(sa.func.ST_AsBinary(g.geometry))
    query = (
        sa.select(
            g.id, (~now).label("back"), g.system, g.community, g.level, g.households, g.code, g.parent, g.name, g.kind,
            g.population, shape.label("shape"),
        )
        .where(g.generations.is_not(None), then != now)
        .order_by(g.id)
    )  # fmt: skip
    found = [
        _Grid(*row[:6], content=(row.code, row.level, row.parent, row.name, row.kind, *row[-2:], row.households))
        for row in connection.execute(query)
    ]
    sides: dict[tuple[object, ...], tuple[set[object], set[object]]] = {}
    for grid in found:
        sides.setdefault(grid.place, (set(), set()))[grid.back].add(grid.content)
    return [grid for grid in found if sides[grid.place][0] != sides[grid.place][1]]


def _one_system(
    connection: sa.Connection, generation: int, grids: Sequence[_Grid], *, note: str, author: str
) -> Generation:
    going, coming = ([grid.id for grid in grids if grid.back is back] for back in (False, True))
    plan = _plan_of(connection, generation, grids[0].system, coming or going, author=author, note=note)
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
