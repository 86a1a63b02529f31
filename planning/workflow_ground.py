"""The ground of a stored unit set: made from its units, streets and water; what is counted on it; who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import plans
from data import tables as t
from data.layer_changes import revisions
from gisgrid.errors import NotFound
from planning.ground import Ground, ground_of
from planning.workflow import stored_lines

GROUND_TABLES: Final = ("areas", "streets", "units", "walls", "water")
"""What a ground is made from."""
COUNT_TABLES: Final = ("components", "reports", "units")
MONTHS: Final = 12
"""Months reports are counted over."""


@dataclass(frozen=True, slots=True)
class UnitSet:
    """A stored set of units. ``revision`` differs whenever what a ground is made from may differ, ``counted`` whenever
    the counts may."""

    id: int
    area: str
    made_at: datetime
    published: bool
    revision: str
    counted: str


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """Per unit in id order: components, and reports a month from ``since`` to ``until``."""

    components: npt.NDArray[np.int32]
    reports_per_month: npt.NDArray[np.float32]
    since: datetime | None
    until: datetime | None


def unit_set_of(connection: sa.Connection, unit_set: int) -> UnitSet:
    """A stored unit set; published: a published plan is made of it. Raises NotFound."""
    row = connection.execute(sa.select(t.unit_sets).where(t.unit_sets.c.id == unit_set)).first()
    if row is None:
        raise NotFound(f"unit set {unit_set} does not exist; a plan names the one it is made of")
    published = sa.exists().where(t.plans.c.unit_set == unit_set, t.plans.c.status == "published")
    tables = revisions(connection, (*GROUND_TABLES, *COUNT_TABLES))
    stamp = f"{unit_set}/{row.made_at.timestamp():.6f}/"
    return UnitSet(
        unit_set, row.area, row.made_at, bool(connection.scalar(sa.select(published))),
        stamp + ".".join(tables[name] for name in GROUND_TABLES),
        stamp + ".".join(tables[name] for name in COUNT_TABLES),
    )  # fmt: skip


def stored_ground(connection: sa.Connection, unit_set: UnitSet) -> Ground:
    """The ground of a unit set, its units in id order."""
    communities = plans.communities_of(connection, unit_set.area)
    units = plans.units_of(connection, unit_set.id)
    names = dict(zip(communities["code"], communities["name"], strict=True))
    return ground_of(units, stored_lines(connection, communities, units), names)


def unit_keys(connection: sa.Connection, unit_set: int) -> npt.NDArray[np.int64]:
    """Database ids of a set's units, ascending."""
    found = connection.scalars(sa.select(t.units.c.id).where(t.units.c.unit_set == unit_set).order_by(t.units.c.id))
    return np.fromiter(found, dtype=np.int64)


def stored_counts(connection: sa.Connection, unit_set: int) -> UnitCounts:
    """Components and reports in every unit of a set; on a common border they count for the first.

    Reports are counted over the twelve months before the newest one: a service whose reports come from a file has no
    empty year.
    """
    keys = unit_keys(connection, unit_set)
    until = connection.scalar(sa.select(sa.func.max(t.reports.c.reported_at)))
    since = until - timedelta(days=365) if until else None
    recent = t.reports.c.reported_at > since if since else sa.false()
    return UnitCounts(
        _inside(connection, unit_set, keys, t.components).astype(np.int32),
        (_inside(connection, unit_set, keys, t.reports, recent) / MONTHS).astype(np.float32),
        since,
        until,
    )


def _inside(
    connection: sa.Connection, unit_set: int, keys: npt.NDArray[np.int64], table: sa.Table, *where: Any
) -> npt.NDArray[np.int64]:
    """How many rows of a layer lie in each unit."""
    place: Any = sa.func.ST_PointOnSurface(table.c.geometry)
    shape = t.units.c.geometry
    owner = (
        sa.select(sa.func.min(t.units.c.id).label("unit"))
        .join(t.units, sa.and_(shape.bool_op("&&")(place), sa.func.ST_Covers(shape, place)))
        .where(t.units.c.unit_set == unit_set, *where)
        .select_from(table)
        .group_by(table.c.id)
        .subquery()
    )
    counted = connection.execute(sa.select(owner.c.unit, sa.func.count()).group_by(owner.c.unit)).all()
    out = np.zeros(len(keys), dtype=np.int64)
    if counted:
        unit, number = np.array(counted, dtype=np.int64).T
        out[np.searchsorted(keys, unit)] = number
    return out
