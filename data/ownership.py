"""Which unit lies in which grid, level by level, as stored."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import sqlalchemy as sa

from data import tables as t
from data.loading import read_rows
from data.plans import PlanRow, in_force, units_of
from data.tables import COMPREHENSIVE
from gisgrid.nesting import grid_column


def grids_where(connection: sa.Connection, which: sa.ColumnElement[bool]) -> gpd.GeoDataFrame:
    """Grids of a condition, EPSG:4490."""
    return read_rows(connection, t.grids, where=[which])


def units_of_plan(connection: sa.Connection, plan: PlanRow) -> gpd.GeoDataFrame | None:
    """Units of a plan in id order with the code of their grid on each level (``grid``, ``grid_2`` …, None for none),
    EPSG:4490; None for a plan without units."""
    if plan.unit_set is None:
        return None
    return with_codes(connection, units_of(connection, plan.unit_set), t.owners.c.plan == plan.id)


def units_in_force(connection: sa.Connection, generation: int, communities: list[str]) -> gpd.GeoDataFrame:
    """Units, of whatever sets, of the comprehensive grids of a generation in some communities; as `units_of_plan`.

    Empty where grids were imported without units.
    """
    inside = sa.and_(in_force(generation, system=COMPREHENSIVE), t.grids.c.community.in_(communities))
    owned = (
        sa.select(t.owners.c.unit).join(t.grids, t.grids.c.id == t.owners.c.grid).where(inside, t.owners.c.level == 1)
    )
    return with_codes(connection, read_rows(connection, t.units, where=[t.units.c.id.in_(owned)]), inside)


def with_codes(connection: sa.Connection, units: gpd.GeoDataFrame, which: sa.ColumnElement[bool]) -> gpd.GeoDataFrame:
    """Units (column ``id``) with the codes of the grids, among those of a condition, that own them."""
    query = (
        sa.select(t.owners.c.level, t.owners.c.unit, t.grids.c.code)
        .join(t.grids, t.grids.c.id == t.owners.c.grid)
        .where(which)
    )
    rows = pd.DataFrame(connection.execute(query).all(), columns=["level", "unit", "code"])
    found = units.assign(grid=np.full(len(units), None, dtype=object))
    ids = pd.Index(units["id"])
    for level in sorted(rows["level"].unique().tolist()):
        owned = rows[rows["level"] == level]
        at = ids.get_indexer(owned["unit"])
        codes = np.full(len(units), None, dtype=object)
        codes[at[at >= 0]] = owned["code"].to_numpy(object)[at >= 0]
        found[grid_column(level)] = codes
    return found
