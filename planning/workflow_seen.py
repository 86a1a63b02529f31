"""Which grids an edit touches, and whether they are as its maker saw them: both sides of every border that moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from data import tables as t
from data.plans import PlanRow
from gisgrid.errors import Stale, Unseen
from planning.edits import Assign, Create, Operation
from planning.edits.operations import NEW
from planning.workflow_writing import told_grids

SHOWN = 8
"""Grids named in a message; the details name all."""


class Stored(Protocol):
    """A plan's row and the grids it has, level by level."""

    @property
    def plan(self) -> PlanRow:
        """The plan."""

    @property
    def grids(self) -> tuple[tuple[sa.RowMapping, ...], ...]:
        """Grids of each level, the coarsest first."""


def touched_by(operations: Iterable[Operation]) -> list[str]:
    """Codes of the stored grids that operations change, in order: those that give units and those that take them."""
    found: set[str] = set()
    for one in operations:
        if isinstance(one, Assign):
            found |= {code for code in (one.source, one.target) if code is not None}
        elif not isinstance(one, Create):
            found.add(one.grid)
    return sorted(code for code in found if not NEW.fullmatch(code))


def check_seen(connection: sa.Connection, stored: Stored, touched: Iterable[str], versions: Mapping[str, int]) -> None:
    """Raises Unseen for touched grids whose version is not named, Stale when a named one has another or has ended."""
    now = {row["code"]: int(row["version"]) for grids in reversed(stored.grids) for row in grids}
    involved = sorted({*touched, *versions})
    missing = [code for code in touched if code in now and code not in versions]
    if missing:
        raise Unseen(
            f"versions leaves out {_named(missing)}, which the edit changes too; name every grid on either side",
            missing=missing, current=state_of(connection, stored.plan, involved),
        )  # fmt: skip
    stale = [code for code, version in sorted(versions.items()) if now.get(code) != version]
    if stale:
        raise Stale(
            f"{_named(stale)} changed since you looked; nothing was stored, look at it again",
            stale=stale, current=state_of(connection, stored.plan, involved),
        )  # fmt: skip


def state_of(connection: sa.Connection, plan: PlanRow, codes: Iterable[str]) -> dict[str, Any]:
    """How grids of a plan are now: the plan's version and the facts of those that exist."""
    which = sa.and_(t.grids.c.plan == plan.id, t.grids.c.code.in_(list(codes)))
    return {"version": plan.version, "grids": told_grids(connection, which)}


def _named(codes: list[str]) -> str:
    more = f" and {len(codes) - SHOWN} more" if len(codes) > SHOWN else ""
    return f"grid{'s' if len(codes) > 1 else ''} {', '.join(codes[:SHOWN])}{more}"
