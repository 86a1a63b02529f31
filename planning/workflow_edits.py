"""Plans being edited, in PostGIS: who owns what, and edits stored one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from data import tables as t
from data.plans import PlanRow
from gisgrid.models import Band

GRID_FACTS = ("id", "level", "code", "name", "kind", "parent", "community", "locked", "continues", "version")


@dataclass(frozen=True, slots=True)
class StoredAssignment:
    """A plan's grids by level and code (`GRID_FACTS` each), and per level the row among that level's grids of every
    unit of its set in id order, −1 for none. Levels 1 … L, the first there even without grids."""

    plan: PlanRow
    grids: tuple[tuple[sa.RowMapping, ...], ...]
    owner: tuple[npt.NDArray[np.int32], ...]


def stored_assignment(connection: sa.Connection, plan: PlanRow, keys: npt.NDArray[np.int64]) -> StoredAssignment:
    """Who owns what in a plan. ``keys``: database ids of the units of its set, ascending.

    To be read in one snapshot with the plan's row.
    """
    g = t.grids.c
    facts = sa.select(*[g[name] for name in GRID_FACTS]).where(g.plan == plan.id).order_by(g.level, g.code)
    rows = connection.execute(facts).mappings().all()
    deep = max([1, *[row["level"] for row in rows], len(plan.stats.get("levels", ()))])
    grids = tuple(tuple(row for row in rows if row["level"] == level) for level in range(1, deep + 1))
    o = t.owners.c
    owned = sa.select(
        sa.func.array_agg(o.level), sa.func.array_agg(o.unit), sa.func.array_agg(o.grid)
    ).where(o.plan == plan.id)  # fmt: skip
    columns = connection.execute(owned).one()
    level, unit, grid = (np.array(column if column is not None else [], dtype=np.int64) for column in columns)
    at = np.searchsorted(keys, unit)
    owners = []
    for number, members in enumerate(grids, start=1):
        column = np.full(len(keys), -1, dtype=np.int32)
        here = level == number
        ids = np.array([row["id"] for row in members], dtype=np.int64)
        order = np.argsort(ids)
        if here.any():
            column[at[here]] = order[np.searchsorted(ids[order], grid[here])]
        owners.append(column)
    return StoredAssignment(plan, grids, tuple(owners))


def band_of_level(plan: PlanRow, level: int) -> Band | None:
    """The band grids of a level are held to; None where the level has none."""
    told: Any = plan.stats.get("levels", ())
    if level <= len(told) and (text := told[level - 1].get("band")):
        return Band.parse(str(text))
    return plan.band if level == 1 else None
