"""Draft plans as rows: made empty, copied, renamed, deleted; who may change what when."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data import tables as t
from data.loading import insert_one, stored_names
from data.plans import PlanRow, plan_row
from data.tables import COMPREHENSIVE
from gisgrid.errors import Conflict
from gisgrid.models import Band

_GRIDS_KEPT = ("id", "plan", "generations", "version", "continues")
"""Columns of a grid that a copy does not take over as they are."""


def locked_plan(connection: sa.Connection, plan: int) -> PlanRow:
    """A plan, kept from being changed by others to the end of the transaction. Raises NotFound."""
    connection.execute(sa.select(t.plans.c.id).where(t.plans.c.id == plan).with_for_update())
    return plan_row(connection, plan)


def locked_draft(connection: sa.Connection, plan: int) -> PlanRow:
    """`locked_plan` of a draft. Raises NotFound, and Conflict when the plan is published."""
    row = locked_plan(connection, plan)
    if row.status != "draft":
        raise Conflict(f"plan {plan} is published already and stays as it is; duplicate it to change it")
    return row


def create_empty(
    connection: sa.Connection, *, area: str, unit_set: int, band: Band, name: str, note: str = "", author: str = ""
) -> int:
    """A draft without grids, all units unassigned; its id."""
    return insert_one(
        connection, t.plans, area=area, name=name, system=COMPREHENSIVE, unit_set=unit_set, band_low=band.low,
        band_high=band.high, note=note, author=author,
    )  # fmt: skip


def describe(connection: sa.Connection, plan: int, *, name: str | None = None, note: str | None = None) -> int:
    """Give a plan (`locked_plan`) another name or note; its version then, which counts up when something changed."""
    given = {key: value for key, value in (("name", name), ("note", note)) if value is not None}
    row = plan_row(connection, plan)
    changed = {key: value for key, value in given.items() if getattr(row, key) != value}
    if not changed:
        return row.version
    change = sa.update(t.plans).where(t.plans.c.id == plan).values(**changed, **_touched())
    return int(connection.execute(change.returning(t.plans.c.version)).scalar_one())


def set_about(connection: sa.Connection, plan: int, **values: Any) -> None:
    """Set columns of a plan that was made in this transaction: author, source, note."""
    connection.execute(sa.update(t.plans).where(t.plans.c.id == plan).values(**values))


def _touched() -> dict[str, Any]:
    return {"version": t.plans.c.version + 1, "updated_at": sa.func.now()}


def duplicate(connection: sa.Connection, plan: int, *, name: str, author: str = "", note: str = "") -> int:
    """A draft with the grids, owners and locks of another plan, draft or published; its id. Comments stay behind.

    A grid of the copy goes on under its code where the copied one does: in a draft where it is marked so, in a
    published plan where that code is still in force. Raises NotFound.
    """
    row = plan_row(connection, plan)
    made = insert_one(
        connection, t.plans, area=row.area, name=name, system=row.system, unit_set=row.unit_set,
        band_low=row.band.low, band_high=row.band.high, seed=row.seed, feasible=row.feasible, reasons=row.reasons,
        stats=row.stats, author=author, note=note, source=plan,
    )  # fmt: skip
    now = sa.select(t.grids.c.code).where(sa.func.upper_inf(t.grids.c.generations), t.grids.c.system == row.system)
    goes_on = t.grids.c.continues if row.status == "draft" else t.grids.c.code.in_(now)
    copy_grids(connection, made, t.grids.c.plan == plan, continues=goes_on)
    return made


def copy_grids(
    connection: sa.Connection, plan: int, which: sa.ColumnElement[bool], *, continues: sa.ColumnElement[bool]
) -> int:
    """Copy grids, each code once a level, and who owns what in them into a plan that has none; how many grids."""
    old = t.grids
    names = [name for name in stored_names(old) if name not in _GRIDS_KEPT]
    values = sa.select(sa.literal(plan), continues, *[old.c[name] for name in names]).where(which)
    made = connection.execute(sa.insert(old).from_select(["plan", "continues", *names], values))
    new = old.alias("new")
    pairs = (
        sa.select(sa.literal(plan), t.owners.c.level, t.owners.c.unit, new.c.id)
        .select_from(
            t.owners.join(old, old.c.id == t.owners.c.grid).join(
                new, sa.and_(new.c.plan == plan, new.c.level == old.c.level, new.c.code == old.c.code)
            )
        )
        .where(which)
    )
    connection.execute(sa.insert(t.owners).from_select(["plan", "level", "unit", "grid"], pairs))
    return made.rowcount


def delete(connection: sa.Connection, plan: int) -> None:
    """Remove a draft (`locked_draft`) with its grids, edits and comments. Raises Conflict while it waits to be
    published."""
    p = t.publications.c
    waits = connection.scalar(sa.select(p.effective_at).where(p.plan == plan, p.state == "waiting"))
    if waits is not None:
        raise Conflict(f"plan {plan} is to be published at {waits.isoformat()}; cancel that first")
    connection.execute(sa.delete(t.owners).where(t.owners.c.plan == plan))
    connection.execute(sa.delete(t.grids).where(t.grids.c.plan == plan))
    connection.execute(sa.delete(t.plans).where(t.plans.c.id == plan))
