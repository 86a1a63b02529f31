"""Units, plans and generations in PostGIS: saving drafts, what is in force when. Publishing is in `data.publishing`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from data import tables as t
from data.loading import copy_rows, insert_one, read_rows
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, NotFound
from gisgrid.models import Band


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as stored."""

    id: int
    name: str
    area: str
    system: str
    unit_set: int | None
    status: str
    band: Band
    seed: int
    feasible: bool
    reasons: list[dict[str, Any]]
    stats: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    author: str
    source: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A published state of all grids."""

    id: int
    plan: int
    published_at: datetime
    is_current: bool
    note: str
    author: str = ""
    restored: int | None = None
    """The generation whose grids this one brought back."""
    override: str = ""
    """Why an administrator published it though the check failed; empty where it passed."""
    problems: dict[str, Any] | None = None
    """What the check failed on then."""


def communities_of(connection: sa.Connection, area: str) -> gpd.GeoDataFrame:
    """Communities inside an area of any level (itself when it is one), by code. Raises NotFound."""
    known = connection.scalar(sa.select(t.areas.c.level).where(t.areas.c.code == area))
    if known is None:
        raise NotFound(f"area {area!r} is not known here; 'gisgrid export areas --out areas.csv' lists those that are")
    inside = sa.and_(t.areas.c.level == "community", t.areas.c.code.startswith(area, autoescape=True))
    found = read_rows(connection, t.areas, where=[inside])
    if found.empty:
        raise NotFound(f"area {area} has no community below it; import its communities with --as areas")
    return found


def area_names(connection: sa.Connection) -> dict[str, str]:
    """Name of every stored area by code."""
    return {row.code: row.name for row in connection.execute(sa.select(t.areas.c.code, t.areas.c.name))}


def save_units(connection: sa.Connection, area: str, units: gpd.GeoDataFrame, *, params: dict[str, Any]) -> int:
    """Store a set of units of an area; its id."""
    unit_set = insert_one(connection, t.unit_sets, area=area, params=params)
    copy_rows(connection, t.units, units.assign(unit_set=unit_set))
    return unit_set


def latest_unit_set(connection: sa.Connection, area: str) -> int:
    """The newest set of units of an area. Raises NotFound."""
    query = sa.select(t.unit_sets.c.id).where(t.unit_sets.c.area == area).order_by(t.unit_sets.c.id.desc()).limit(1)
    found = connection.scalar(query)
    if found is None:
        raise NotFound(f"area {area} has no units yet; run 'gisgrid units --area {area}' first")
    return int(found)


def units_of(connection: sa.Connection, unit_set: int) -> gpd.GeoDataFrame:
    """Units of a set in id order, EPSG:4490."""
    return read_rows(connection, t.units, where=[t.units.c.unit_set == unit_set])


def codes_ever_published(
    connection: sa.Connection, communities: Sequence[str], *, system: str = COMPREHENSIVE
) -> list[str]:
    """Grid codes that some generation of these communities used; none of them may name another grid.

    Professional grids may reach over communities: for their systems, the codes of all of them.
    """
    return _codes(connection, t.grids.c.generations.is_not(None), _ours(communities, system))


def codes_in_force(connection: sa.Connection, communities: Sequence[str], *, system: str = COMPREHENSIVE) -> list[str]:
    """Codes of the grids in force now in these communities, every level; of a professional system, all of its codes."""
    same = t.grids.c.system == system
    return _codes(connection, sa.func.upper_inf(t.grids.c.generations), same, _ours(communities, system))


def _ours(communities: Sequence[str], system: str) -> sa.ColumnElement[bool]:
    if system != COMPREHENSIVE:
        return t.grids.c.system != COMPREHENSIVE
    return sa.and_(t.grids.c.system == COMPREHENSIVE, t.grids.c.community.in_(communities))


def _codes(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[str]:
    return list(connection.scalars(sa.select(t.grids.c.code).where(*where).distinct().order_by(t.grids.c.code)))


def save_plan(
    connection: sa.Connection,
    *,
    area: str,
    name: str,
    band: Band,
    grids: gpd.GeoDataFrame,
    system: str = COMPREHENSIVE,
    unit_set: int | None = None,
    units: gpd.GeoDataFrame | None = None,
    assignment: npt.NDArray[np.integer[Any]] | None = None,
    continues: Collection[str] = (),
    **about: Any,
) -> int:
    """Store a draft plan with its grids, of one level or several; its id.

    ``grids``: a ``level`` column says which is which, ``parent`` the grid one level up. With ``units``, ``assignment``
    says who owns each: the row of ``grids``, shape (n,) for the first level or (n, L) for levels 1 to L, −1 where a
    unit has no grid of that level. ``continues``: codes whose grids are published ones drawn anew and keep their code.
    Raises BadInput when a code is repeated in a level, a parent is not in the plan, or an owner does not fit its level.
    """
    levels = check_nesting(grids)
    plan = insert_one(
        connection, t.plans, area=area, name=name, system=system, band_low=band.low, band_high=band.high,
        unit_set=unit_set, **about,
    )  # fmt: skip
    going_on = grids["code"].isin(list(continues))
    copy_rows(connection, t.grids, grids.assign(plan=plan, system=system, level=levels, continues=going_on))
    if units is not None and assignment is not None:
        table = _owner_rows(grids, levels, np.asarray(assignment))
        keys = {(row.level, row.code): row.id for row in connection.execute(_ids_by_code(plan))}
        ids = np.array([keys[level, code] for level, code in zip(levels.tolist(), grids["code"], strict=True)])
        owners = {
            "plan": plan, "level": levels[table["grid"]], "unit": units["id"].to_numpy()[table["unit"]],
            "grid": ids[table["grid"]],
        }  # fmt: skip
        copy_rows(connection, t.owners, pd.DataFrame(owners))
    return plan


def check_nesting(grids: gpd.GeoDataFrame) -> npt.NDArray[np.int64]:
    """Level of every grid, shape (n,), 1 where none is given.

    Raises BadInput when a code is used twice in a level, or the parent of a deeper grid is no grid one level up.
    """
    given = pd.to_numeric(grids["level"], errors="coerce") if "level" in grids else pd.Series(1, index=grids.index)
    levels = np.asarray(given.fillna(1), dtype=np.int64)
    codes = grids["code"].astype(str).to_numpy(object)
    names = pd.Series(zip(levels.tolist(), codes, strict=True), dtype=object)
    twice = names[names.duplicated()]
    if len(twice):
        level, code = twice.iloc[0]
        raise BadInput(f"grid code {code} is used twice on level {level}; give every grid its own")
    present = set(names)
    parents = grids["parent"].to_numpy(object) if "parent" in grids else np.full(len(grids), None, object)
    for level, code, parent in zip(levels.tolist(), codes, parents, strict=True):
        if level > 1 and (pd.isna(parent) or (level - 1, str(parent)) not in present):
            named = "no parent" if pd.isna(parent) else f"the parent {parent}"
            raise BadInput(f"grid {code} of level {level} has {named}; name a grid of level {level - 1} of this plan")
    return levels


def _owner_rows(
    grids: gpd.GeoDataFrame, levels: npt.NDArray[np.int64], assignment: npt.NDArray[Any]
) -> dict[str, npt.NDArray[np.int64]]:
    """Row of the unit and of the grid of each ownership. Raises BadInput when a grid is not of its column's level."""
    columns = assignment.reshape(len(assignment), -1).astype(np.int64)
    unit, column = np.nonzero(columns >= 0)
    grid = columns[unit, column]
    wrong = np.flatnonzero(levels[grid] != column + 1)
    if wrong.size:
        at = int(wrong[0])
        raise BadInput(
            f"unit in row {unit[at]}: its level {column[at] + 1} grid {grids['code'].iloc[grid[at]]} is of level "
            f"{levels[grid[at]]}"
        )
    deep = np.flatnonzero(column > 0)
    if deep.size:
        codes = grids["code"].astype(str).to_numpy(object)
        above = columns[unit[deep], column[deep] - 1]
        parents = grids["parent"].to_numpy(object)[grid[deep]]
        outside = np.flatnonzero((above < 0) | (codes[above] != parents))
        if outside.size:
            at = deep[int(outside[0])]
            code = codes[grid[at]]
            raise BadInput(f"unit in row {unit[at]}: it is in grid {code} but not in that grid's parent")
    return {"unit": unit, "grid": grid}


def _ids_by_code(plan: int) -> sa.Select[tuple[int, int, str]]:
    return sa.select(t.grids.c.id, t.grids.c.level, t.grids.c.code).where(t.grids.c.plan == plan)


def plan_row(connection: sa.Connection, plan: int) -> PlanRow:
    """A stored plan. Raises NotFound."""
    row = connection.execute(sa.select(t.plans).where(t.plans.c.id == plan)).mappings().first()
    if row is None:
        raise NotFound(f"plan {plan} does not exist; 'gisgrid plans' lists those that do")
    return _plan(row)


def all_plans(connection: sa.Connection) -> list[PlanRow]:
    """Every stored plan, oldest first."""
    return [_plan(row) for row in connection.execute(sa.select(t.plans).order_by(t.plans.c.id)).mappings()]


def _plan(row: sa.RowMapping) -> PlanRow:
    band = Band(row["band_low"], row["band_high"])
    kept = {name: row[name] for name in PlanRow.__dataclass_fields__ if name != "band"}
    return PlanRow(band=band, **kept)


def grids_of_plan(connection: sa.Connection, plan: int) -> gpd.GeoDataFrame:
    """Grids of a plan, draft or published, EPSG:4490."""
    return read_rows(connection, t.grids, where=[t.grids.c.plan == plan])


def current_generation(connection: sa.Connection) -> Generation | None:
    """The generation in force, None before the first publish."""
    row = connection.execute(sa.select(t.generations).where(t.generations.c.is_current)).mappings().first()
    return Generation(**row) if row else None


def generation_by_id(connection: sa.Connection, number: int) -> Generation:
    """The generation of that number. Raises NotFound."""
    row = connection.execute(sa.select(t.generations).where(t.generations.c.id == number)).mappings().first()
    if row is None:
        raise NotFound(f"generation {number} does not exist")
    return Generation(**row)


def generation_made_of(connection: sa.Connection, plan: int) -> Generation | None:
    """The generation that publishing a plan made, None for a draft."""
    g = t.generations
    query = sa.select(g).where(g.c.plan == plan, g.c.restored.is_(None)).order_by(g.c.id).limit(1)
    row = connection.execute(query).mappings().first()
    return Generation(**row) if row else None


def generation_at(connection: sa.Connection, when: datetime) -> Generation:
    """The generation in force at a time (with zone). Raises NotFound when none was published by then."""
    g = t.generations
    query = sa.select(g).where(g.c.published_at <= when).order_by(g.c.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no plan was in force at {when.isoformat()}; the first was published later")
    return Generation(**row)


def generation_then(connection: sa.Connection, when: datetime | int) -> Generation:
    """The generation of that number, or the one in force at that time. Raises NotFound."""
    return generation_by_id(connection, when) if isinstance(when, int) else generation_at(connection, when)


def generation_of(
    connection: sa.Connection, system: str = COMPREHENSIVE, *, until: int | None = None
) -> Generation | None:
    """The generation that last changed the grids of a system (up to generation ``until``), None before the first.

    What was computed for comprehensive grids stays right from it on: publishing another system leaves them as they are.
    """
    g = t.generations
    query = sa.select(g).join(t.plans, t.plans.c.id == g.c.plan).where(t.plans.c.system == system)
    query = query if until is None else query.where(g.c.id <= until)
    row = connection.execute(query.order_by(g.c.id.desc()).limit(1)).mappings().first()
    return Generation(**row) if row else None


def in_force(generation: int, *, system: str | None = None, level: int | None = None) -> sa.ColumnElement[bool]:
    """Condition on ``grids``: in force in that generation; of one system, of one level."""
    wanted = [t.grids.c.generations.contains(generation)]
    if system is not None:
        wanted.append(t.grids.c.system == system)
    if level is not None:
        wanted.append(t.grids.c.level == level)
    return sa.and_(*wanted)


def grids_in_force(
    connection: sa.Connection, generation: int, *, system: str | None = COMPREHENSIVE, level: int | None = 1
) -> gpd.GeoDataFrame:
    """Grids of a generation, EPSG:4490. The comprehensive ones of the first level when not told otherwise.

    ``system``, ``level`` None: of every system, of every level.
    """
    return read_rows(connection, t.grids, where=[in_force(generation, system=system, level=level)])


def stored_systems(connection: sa.Connection, generation: int) -> list[dict[str, Any]]:
    """Systems with grids in force in a generation, the comprehensive one first: name, grids, levels, households of the
    first level, the plans they come from and the generation that last changed them."""
    g = t.grids.c
    first = g.level == 1
    query = (
        sa.select(
            g.system, sa.func.count().filter(first).label("grids"), sa.func.max(g.level).label("levels"),
            sa.func.coalesce(sa.func.sum(g.households).filter(first), 0).label("households"),
            sa.func.array_agg(g.plan.distinct()).label("plans"),
        )
        .where(in_force(generation))
        .group_by(g.system)
        .order_by(g.system != COMPREHENSIVE, g.system)
    )  # fmt: skip
    found = [dict(row) for row in connection.execute(query).mappings()]
    for row in found:
        since = generation_of(connection, row["system"], until=generation)
        row |= {"households": int(row["households"]), "generation": since.id if since else None}
    return found


def owned_units(connection: sa.Connection, generation: int) -> gpd.GeoDataFrame:
    """Units of the comprehensive grids in force, with the code of their first-level grid as ``grid``; EPSG:4490.

    Empty when the grids in force were imported without units.
    """
    owner = (
        sa.select(t.owners.c.unit, t.grids.c.code)
        .join(t.grids, t.grids.c.id == t.owners.c.grid)
        .where(in_force(generation, system=COMPREHENSIVE, level=1))
    )
    codes = {row.unit: row.code for row in connection.execute(owner)}
    units = read_rows(connection, t.units, where=[t.units.c.id.in_(sa.select(owner.subquery().c.unit))])
    return units.assign(grid=units["id"].map(codes))
