"""Plans that are to come into force at a time to come. A publication waits, and is then done, refused or cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from data import tables as t
from gisgrid.errors import Conflict, NotFound

p = t.publications.c
Row = dict[str, Any]


def ask(
    connection: sa.Connection, plan: int, version: int, effective_at: datetime, *, note: str = "", author: str = "",
    override: str = "",
) -> Row:  # fmt: skip
    """Have a plan published as it is in this version, at a time; the caller holds the plan's row.

    Raises Conflict when the plan waits already.
    """
    check_none_waits(connection, plan)
    values = {"plan": plan, "version": version, "effective_at": effective_at, "note": note, "author": author}
    values["override"] = override
    return dict(
        connection.execute(sa.insert(t.publications).values(**values).returning(*t.publications.c)).mappings().one()
    )


def check_none_waits(connection: sa.Connection, plan: int) -> None:
    """Raises Conflict when the plan is to be published at a time to come."""
    waits = waiting(connection, plan)
    if waits is not None:
        when = waits["effective_at"].isoformat(timespec="minutes")
        raise Conflict(f"plan {plan} is to be published at {when} already; cancel that first", publication=waits["id"])


def waiting(connection: sa.Connection, plan: int) -> Row | None:
    """The publication a plan waits for."""
    query = sa.select(t.publications).where(p.plan == plan, p.state == "waiting")
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def of_plan(connection: sa.Connection, plan: int) -> list[Row]:
    """All that was asked for a plan, newest first."""
    query = sa.select(t.publications).where(p.plan == plan).order_by(p.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def cancel(connection: sa.Connection, plan: int) -> Row:
    """Call off the publication a plan waits for. Raises NotFound when it waits for none (any more)."""
    change = sa.update(t.publications).where(p.plan == plan, p.state == "waiting").values(state="cancelled")
    row = connection.execute(change.returning(*t.publications.c)).mappings().first()
    if row is None:
        raise NotFound(f"plan {plan} is not waiting to be published")
    return dict(row)


def any_due(connection: sa.Connection) -> bool:
    """Whether the time of some publication has come."""
    due = sa.exists().where(p.state == "waiting", p.effective_at <= sa.func.now())
    return bool(connection.scalar(sa.select(due)))


def take_due(connection: sa.Connection) -> Row | None:
    """The publication whose time came first, for this transaction alone; None when there is none.

    The caller is `data.publishing.alone`. The plan's row is locked before the publication's, as by those who call one
    off or delete the plan.
    """
    due = sa.select(p.id, p.plan).where(p.state == "waiting", p.effective_at <= sa.func.now())
    while True:
        first = connection.execute(due.order_by(p.effective_at, p.id).limit(1)).first()
        if first is None:
            return None
        connection.execute(sa.select(t.plans.c.id).where(t.plans.c.id == first.plan).with_for_update())
        still = sa.select(t.publications).where(p.id == first.id, p.state == "waiting").with_for_update()
        row = connection.execute(still).mappings().first()
        if row is not None:  # else it was called off meanwhile
            return dict(row)


def settle(connection: sa.Connection, publication: int, *, generation: int | None = None, fault: str = "") -> None:
    """End a publication taken with `take_due`: done with its generation, or refused with the fault."""
    state = "refused" if generation is None else "done"
    change = sa.update(t.publications).where(p.id == publication)
    connection.execute(change.values(state=state, generation=generation, fault=fault))
