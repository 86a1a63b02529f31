"""Which reports belong to which areas: who may see and change them depends on it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from data import tables as t
from data.report_queue import Condition, in_area
from gisgrid.access import EVERYWHERE
from gisgrid.errors import NotFound

g, a, r = t.grids.c, t.areas.c, t.reports.c


def inside(areas: Sequence[str]) -> list[Condition]:
    """The conditions on ``reports`` of these areas: owned by a grid there or, without such an owner, lying there.

    None for everywhere; reports that lie nowhere are those of nobody else.
    """
    if EVERYWHERE in areas:
        return []
    return [sa.or_(sa.false(), *(in_area(code) for code in areas))]


def check_inside(connection: sa.Connection, report: int, areas: Sequence[str]) -> None:
    """Raises NotFound for a report that is in none of the areas, as for one that does not exist."""
    where = inside(areas)
    if where and connection.scalar(sa.select(r.id).where(r.id == report, *where)) is None:
        raise NotFound(f"report {report} does not exist")


def community_of_grid(connection: sa.Connection, code: str) -> str | None:
    """The community a grid in force is of, empty for one of several communities; None: there is no such grid."""
    query = sa.select(sa.func.coalesce(g.community, EVERYWHERE)).where(
        g.code == code, g.generations.is_not(None), sa.func.upper_inf(g.generations)
    )
    found: str | None = connection.scalar(query.limit(1))
    return found


def community_at(connection: sa.Connection, geometry: sa.ScalarSelect[object]) -> str:
    """The community a stored geometry lies in, by a point of it; empty outside of all."""
    covers = sa.func.ST_Covers(a.geometry, sa.func.ST_PointOnSurface(geometry))
    query = sa.select(sa.func.min(a.code)).where(a.level == "community", covers)
    return connection.scalar(query) or EVERYWHERE
