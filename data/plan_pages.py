"""Plans and generations as lists show them: with names of places, counts, what made what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from data import tables as t
from data.plans import PlanRow, plan_row

ORDINARY = ("ordinary", "residential", "")
"""Kinds of grids the household band is about."""
p, g, n = t.plans.c, t.grids.c, t.generations.c
Row = dict[str, Any]


def page(
    connection: sa.Connection,
    *,
    limit: int,
    before: int | None = None,
    area: str | None = None,
    status: str | None = None,
    drafts: Sequence[str] = (),
) -> tuple[list[Row], int | None]:
    """Plans, newest first, and the key to go on from (None: that was the last page).

    ``area``: plans of it and of areas inside it; ``drafts``: areas whose drafts are among them ("" for all).
    """
    query = sa.select(p.id).order_by(p.id.desc()).limit(limit + 1)
    for wanted in (
        p.id < before if before is not None else None,
        p.area.startswith(area, autoescape=True) if area else None,
        p.status == status if status else None,
        None if "" in drafts else sa.or_(p.status == "published", *(p.area.startswith(code) for code in drafts)),
    ):
        query = query if wanted is None else query.where(wanted)
    ids = list(connection.scalars(query))
    rows = described(connection, ids[:limit])
    return rows, ids[limit - 1] if len(ids) > limit else None


def described(connection: sa.Connection, ids: list[int]) -> list[Row]:
    """Plans of those numbers, in that order: their columns with ``area_name area_name_en levels counts generation
    publication`` (the one asked for last, while it waits and once it was refused)."""
    if not ids:
        return []
    query = sa.select(t.plans, t.areas.c.name.label("area_name"), t.areas.c.name_en.label("area_name_en")).join(
        t.areas, t.areas.c.code == p.area
    )
    rows = {row["id"]: dict(row) for row in connection.execute(query.where(p.id.in_(ids))).mappings()}
    counts = _counts(connection, ids)
    made: dict[int, int] = {
        row.plan: row.id
        for row in connection.execute(
            sa.select(n.plan, sa.func.max(n.id).label("id")).where(n.plan.in_(ids)).group_by(n.plan)
        )
    }
    asked = t.publications.c
    newest = sa.select(sa.func.max(asked.id)).where(asked.plan.in_(ids)).group_by(asked.plan)
    publication = {
        row["plan"]: dict(row)
        for row in connection.execute(
            sa.select(t.publications).where(asked.id.in_(newest), asked.state.in_(("waiting", "refused")))
        ).mappings()
    }
    return [
        rows[key]
        | {
            "counts": counts.get(key, _NOTHING), "levels": counts.get(key, _NOTHING)["levels"],
            "generation": made.get(key), "publication": publication.get(key),
        }
        for key in ids if key in rows
    ]  # fmt: skip


_NOTHING: Row = {
    "levels": 0, "grids": 0, "ordinary_grids": 0, "special_grids": 0, "locked_grids": 0, "households": 0,
    "population": 0, "in_band_grids": 0, "in_band": None,
}  # fmt: skip


def _counts(connection: sa.Connection, ids: list[int]) -> dict[int, Row]:
    """Figures of the first level of each plan as its grids are now."""
    first = g.level == 1
    ordinary = sa.and_(first, g.kind.in_(ORDINARY))
    inside = sa.and_(ordinary, g.households.between(p.band_low, p.band_high))

    def number(of: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(of)

    def total(of: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(sa.func.coalesce(sa.func.sum(of).filter(first), 0), sa.BigInteger)

    query = (
        sa.select(
            g.plan, sa.func.max(g.level).label("levels"), number(first).label("grids"),
            number(ordinary).label("ordinary_grids"), number(sa.and_(first, g.locked)).label("locked_grids"),
            total(g.households).label("households"), total(g.population).label("population"),
            number(inside).label("in_band_grids"),
        )
        .join(t.plans, p.id == g.plan)
        .where(g.plan.in_(ids))
        .group_by(g.plan)
    )  # fmt: skip
    found = {}
    for row in connection.execute(query).mappings():
        facts = dict(row)
        plan = facts.pop("plan")
        grids, judged = facts["grids"], facts["ordinary_grids"]
        share = round(facts["in_band_grids"] / judged, 6) if judged else None
        found[plan] = facts | {"special_grids": grids - judged, "in_band": share}
    return found


def one(connection: sa.Connection, plan: int) -> tuple[PlanRow, Row]:
    """A plan and what lists show of it. Raises NotFound."""
    return plan_row(connection, plan), described(connection, [plan])[0]


def units_left(connection: sa.Connection, plan: PlanRow) -> tuple[int, int] | None:
    """How many units of a plan are in no grid of the first level, and their households; None for one without units."""
    if plan.unit_set is None:
        return None
    owned = sa.exists().where(t.owners.c.plan == plan.id, t.owners.c.level == 1, t.owners.c.unit == t.units.c.id)
    households = sa.func.coalesce(sa.func.sum(t.units.c.households), 0)
    count, total = connection.execute(
        sa.select(sa.func.count(), households).where(t.units.c.unit_set == plan.unit_set, ~owned)
    ).one()
    return int(count), int(total)


def generations(connection: sa.Connection, *, limit: int, before: int | None = None) -> tuple[list[Row], int | None]:
    """Generations, newest first, with plan, area, system and how many grids of the first level were born and ended with
    each; and the key to go on from."""
    known = sa.and_(g.generations.is_not(None), g.level == 1)
    came = sa.select(sa.func.lower(g.generations).label("id"), g.code, sa.literal(1).label("side")).where(known)
    went = sa.select(sa.func.upper(g.generations), g.code, sa.literal(-1)).where(known)
    both = sa.union_all(came, went).subquery()
    # a grid that goes on ends and comes in one generation
    turn = (
        sa.select(both.c.id, sa.func.sum(both.c.side).label("side"))
        .where(both.c.id.is_not(None))
        .group_by(both.c.id, both.c.code)
        .subquery()
    )
    turns = (
        sa.select(
            turn.c.id, sa.func.count().filter(turn.c.side > 0).label("born"),
            sa.func.count().filter(turn.c.side < 0).label("ended"),
        )
        .group_by(turn.c.id)
        .subquery()
    )  # fmt: skip
    query = (
        sa.select(
            t.generations, p.name.label("plan_name"), p.area, p.system, t.areas.c.name.label("area_name"),
            t.areas.c.name_en.label("area_name_en"), sa.func.coalesce(turns.c.born, 0).label("born"),
            sa.func.coalesce(turns.c.ended, 0).label("ended"),
        )
        .join(t.plans, p.id == n.plan)
        .join(t.areas, t.areas.c.code == p.area)
        .outerjoin(turns, turns.c.id == n.id)
        .order_by(n.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    query = query if before is None else query.where(n.id < before)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


def grids_text(connection: sa.Connection, plan: int, level: int | None) -> str:
    """Grids of a plan as GeoJSON features split by commas, by level and code."""
    judged = sa.and_(g.level == 1, g.kind.in_(ORDINARY))
    properties: dict[str, Any] = {
        "code": g.code, "name": g.name, "level": g.level, "parent": g.parent, "community": g.community, "kind": g.kind,
        "households": g.households, "population": g.population,
        "compactness": sa.cast(sa.func.round(sa.cast(g.compactness, sa.Numeric), 4), sa.Double),
        "version": g.version, "continues": g.continues, "locked": g.locked,
        "in_band": sa.case((judged, g.households.between(p.band_low, p.band_high))),
        "label_point": sa.func.json_build_array(sa.func.ST_X(g.label_point), sa.func.ST_Y(g.label_point)),
    }  # fmt: skip
    named = [part for name, value in properties.items() for part in (sa.literal(name, sa.Text), value)]
    feature = sa.func.concat(
        '{"type":"Feature","id":', sa.func.to_json(g.code), ',"geometry":', sa.func.ST_AsGeoJSON(g.geometry, 8, 0),
        ',"properties":', sa.func.json_build_object(*named), "}", type_=sa.Text,
    )  # fmt: skip
    query = sa.select(feature).join(t.plans, p.id == g.plan).where(g.plan == plan)
    query = query if level is None else query.where(g.level == level)
    return ",".join(connection.scalars(query.order_by(g.level, sa.collate(g.code, "C"))))
