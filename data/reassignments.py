"""Reports given to another grid by hand: who did it, from where to where and why, kept for good.

A report moved by hand stays where it was put: `data.reports.moved_reports` leaves it alone as long as its grid is in
force, whatever is published meanwhile, and gives it the owner of its place once that grid has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from data import tables as t
from data.plans import current_generation
from data.reports import BY_HAND, CLOSED, Change, Row, add_update, change_owner, report_row, stamp
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, Conflict
from gisgrid.limits import KEY_CHARS_MAX, REASON_CHARS_MAX

g, a, m = t.grids.c, t.areas.c, t.reassignments.c
UNKNOWN: Final = "unknown_grid"
"""The code of the error for a grid that is not in force and never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Give a report to ``grid`` (code of a grid, or of a professional one) for a ``reason``; ``author`` says so.

    ``stage``: where the report goes on at the same time; None leaves it where it is.
    """

    grid: str
    reason: str
    author: str = ""
    stage: str | None = None


def reassign(connection: sa.Connection, report: int, order: Order) -> Row:
    """Give a report to another grid in force; the report after it.

    The report, a row of ``report_updates``, the audit in ``reassignments`` and the webhook event are one transaction of
    the caller's. The grid is locked until its end, so that no publish ends it meanwhile. Raises NotFound for the
    report; BadInput without a reason and for a grid that is none; Conflict for a grid that has ended, for the grid the
    report has already and for an archived report.
    """
    reason = _checked_reason(order.reason)
    row = report_row(connection, report, lock=True)
    if row["stage"] == CLOSED:
        raise Conflict(f"report {report} is archived ({CLOSED}); open it again before it is given to another grid")
    if row["grid_code"] == order.grid:
        raise Conflict(f"report {report} is with grid {order.grid} already", code="same_grid")
    grid = _grid_in_force(connection, order.grid)
    generation = current_generation(connection)
    assert generation is not None  # a grid is in force
    if order.stage is not None and order.stage != row["stage"]:
        add_update(connection, report, Change(stage=order.stage, channel=order.author))
    facts = {
        "grid_name": grid["name"], "community": grid["community"] or _community_at(connection, report), BY_HAND: True,
        "chain": [grid["code"], *_above(grid["community"])],
        **({} if grid["system"] == COMPREHENSIVE else {"system": grid["system"]}),
    }  # fmt: skip
    values = {
        "report": report, "author": order.author, "from_grid": row["grid_code"], "to_grid": grid["code"],
        "generation": generation.id, "reason": reason,
    }  # fmt: skip
    connection.execute(sa.insert(t.reassignments).values(values))
    why = {"reassignment": {"reason": reason, "author": order.author}}
    return change_owner(
        connection, row, grid["code"], generation.id, facts, note=reason, channel=order.author, told=why
    )


def reassignments_of(connection: sa.Connection, report: int, *, limit: int) -> list[Row]:
    """The audit of one report, oldest first, JSON-ready, with the names of the grids. Raises NotFound."""
    report_row(connection, report)
    query = sa.select(t.reassignments).where(m.report == report).order_by(m.id).limit(limit)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    named = _names(connection, {code for row in rows for code in (row["from_grid"], row["to_grid"]) if code})
    return [_facts(row, named) for row in rows]


def _facts(row: Row, named: dict[str, tuple[str, str]]) -> Row:
    def grid(code: str | None) -> dict[str, str] | None:
        if code is None:
            return None
        name, system = named.get(code, ("", COMPREHENSIVE))
        return {"code": code, "name": name, "system": "" if system == COMPREHENSIVE else system}

    return {
        "id": row["id"], "at": stamp(row["at"]), "author": row["author"], "from": grid(row["from_grid"]),
        "to": grid(row["to_grid"]), "generation": row["generation"], "reason": row["reason"],
    }  # fmt: skip


def _names(connection: sa.Connection, codes: set[str]) -> dict[str, tuple[str, str]]:
    """Name and system of grids ever published, by code; the newest name where it changed."""
    query = (
        sa.select(g.code, g.name, g.system)
        .where(g.code.in_(sorted(codes)), g.generations.is_not(None))
        .order_by(g.code, sa.func.lower(g.generations))
    )
    return {row.code: (row.name, row.system) for row in connection.execute(query)}


def _checked_reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise BadInput("reason is empty; say why the report goes to another grid", code="no_reason")
    if len(reason) > REASON_CHARS_MAX:
        raise BadInput(f"reason has {len(reason)} characters; give at most {REASON_CHARS_MAX}")
    return reason


def _grid_in_force(connection: sa.Connection, code: str) -> Row:
    """The grid of a code that is in force, locked against publishing. Raises BadInput and Conflict."""
    names = (g.code, g.name, g.system, g.level, g.parent, g.community)
    query = sa.select(*names).where(g.code == code, sa.func.upper_inf(g.generations))
    found = connection.execute(query.with_for_update(read=True)).mappings().first()
    if found is None:
        _refuse(connection, code)
    assert found is not None
    if found["system"] == COMPREHENSIVE and found["level"] > 1:
        raise BadInput(
            f"{code} is a micro-grid; reports belong to whole grids, give grid {found['parent']}", code=UNKNOWN
        )
    return dict(found)


def _refuse(connection: sa.Connection, code: str) -> None:
    """Say why a code is no grid's in force."""
    ended = sa.select(sa.func.max(sa.func.upper(g.generations))).where(g.code == code, g.generations.is_not(None))
    last = connection.scalar(ended)
    if last is not None:
        raise Conflict(f"grid {code} ended with generation {last}; give a grid that is in force", code="grid_ended")
    raise BadInput(f"grid {code[:KEY_CHARS_MAX]!r} is not known here; give the code of a grid in force", code=UNKNOWN)


def _community_at(connection: sa.Connection, report: int) -> str | None:
    """The community a report lies in: what a professional grid over several communities does not tell."""
    place = sa.select(t.reports.c.geometry).where(t.reports.c.id == report).scalar_subquery()
    covers = sa.func.ST_Covers(a.geometry, place)
    query = sa.select(sa.func.min(a.code)).where(a.level == "community", covers)
    found: str | None = connection.scalar(query)
    return found


def _above(community: str | None) -> list[Any]:
    """Codes from a community up to its district."""
    return [] if community is None else [community[:size] for size in (12, 9, 6)]
