"""Units, plans and generations in PostGIS: saving drafts, publishing, what is in force when."""

from __future__ import annotations

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
from gisgrid.codes import grid_codes
from gisgrid.errors import Conflict, NotFound
from gisgrid.models import Band

_PUBLISH_LOCK = 44900001


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as stored."""

    id: int
    name: str
    area: str
    unit_set: int | None
    status: str
    band: Band
    feasible: bool
    reasons: list[dict[str, Any]]
    stats: dict[str, Any]
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Generation:
    """A published state of all grids."""

    id: int
    plan: int
    published_at: datetime
    is_current: bool
    note: str


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


def codes_ever_published(connection: sa.Connection, communities: list[str]) -> list[str]:
    """Grid codes that some generation of these communities used; none of them may name another grid."""
    used = sa.and_(t.grids.c.community.in_(communities), t.grids.c.generations.is_not(None))
    return list(connection.scalars(sa.select(t.grids.c.code).where(used).distinct().order_by(t.grids.c.code)))


def save_plan(
    connection: sa.Connection,
    *,
    area: str,
    name: str,
    band: Band,
    grids: gpd.GeoDataFrame,
    unit_set: int | None = None,
    units: gpd.GeoDataFrame | None = None,
    assignment: npt.NDArray[np.int32] | None = None,
    **about: Any,
) -> int:
    """Store a draft plan with its grids; with units, who owns each (``assignment``: row of ``grids`` per unit)."""
    plan = insert_one(
        connection, t.plans, area=area, name=name, band_low=band.low, band_high=band.high, unit_set=unit_set, **about
    )
    copy_rows(connection, t.grids, grids.assign(plan=plan))
    if units is not None and assignment is not None:
        ids = {row.code: row.id for row in connection.execute(_ids_by_code(plan))}
        keys = np.array([ids[code] for code in grids["code"]])
        owners = pd.DataFrame({"plan": plan, "level": 1, "unit": units["id"].to_numpy(), "grid": keys[assignment]})
        copy_rows(connection, t.owners, owners)
    return plan


def _ids_by_code(plan: int) -> sa.Select[tuple[int, str]]:
    return sa.select(t.grids.c.id, t.grids.c.code).where(t.grids.c.plan == plan, t.grids.c.level == 1)


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


def in_force(generation: int) -> sa.ColumnElement[bool]:
    """Condition on ``grids``: in force in that generation."""
    return t.grids.c.generations.contains(generation)


def grids_in_force(connection: sa.Connection, generation: int) -> gpd.GeoDataFrame:
    """Grids of a generation, EPSG:4490."""
    return read_rows(connection, t.grids, where=[in_force(generation)])


def publish_plan(connection: sa.Connection, plan: int, *, note: str = "") -> Generation:
    """Make a plan's grids the ones in force in its communities: a new generation, in the caller's transaction.

    Grids of other communities stay in force. A code that an earlier generation gave to another grid is replaced by a
    fresh one: a retired code is never reused. Raises NotFound, and Conflict when the plan is published already.
    """
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PUBLISH_LOCK)))
    row = connection.execute(sa.select(t.plans).where(t.plans.c.id == plan).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"plan {plan} does not exist; 'gisgrid plans' lists those that do")
    if row["status"] != "draft":
        raise Conflict(f"plan {plan} is published already; make a new plan to change grids")
    _renumber_taken(connection, plan)
    connection.execute(sa.update(t.generations).where(t.generations.c.is_current).values(is_current=False))
    made = connection.execute(
        sa.insert(t.generations).values(plan=plan, is_current=True, note=note).returning(t.generations)
    ).mappings().one()  # fmt: skip
    communities = sa.select(t.grids.c.community).where(t.grids.c.plan == plan)
    replaced = sa.and_(
        sa.func.upper_inf(t.grids.c.generations), t.grids.c.community.in_(communities), t.grids.c.system == "综合"
    )
    first = sa.func.lower(t.grids.c.generations)
    connection.execute(
        sa.update(t.grids).where(replaced).values(generations=sa.func.int4range(first, made["id"], "[)"))
    )
    still = sa.func.int4range(made["id"], None, "[)")
    connection.execute(sa.update(t.grids).where(t.grids.c.plan == plan).values(generations=still))
    connection.execute(
        sa.update(t.plans).where(t.plans.c.id == plan).values(status="published", version=t.plans.c.version + 1)
    )
    return Generation(**made)


def _renumber_taken(connection: sa.Connection, plan: int) -> None:
    """Give new codes to grids of a draft whose codes were published for other grids since it was made."""
    grids = grids_of_plan(connection, plan)
    taken = codes_ever_published(connection, sorted(set(grids["community"])))
    clash = grids[grids["code"].isin(taken)]
    if clash.empty:
        return
    centres = clash.geometry.representative_point()
    codes = grid_codes(
        clash["community"].to_numpy(), centres.x.to_numpy(), centres.y.to_numpy(), taken=[*taken, *grids["code"]]
    )
    for key, code in zip(clash["id"], codes, strict=True):
        connection.execute(sa.update(t.grids).where(t.grids.c.id == int(key)).values(code=str(code)))
