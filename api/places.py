"""GET /api/v1/places/{code}: all a phone shows of a grid or a community, in one answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response

from api.circles.figures import share
from api.json import json_response
from api.moments import moment, reading
from api.pages import AtQuery
from api.state import state
from data import tables as t
from data.circles import current_run
from data.in_force import link_of, with_places
from data.plans import in_force
from data.posts import Posts
from data.tables import COMPREHENSIVE
from gisgrid.errors import NotFound
from gisgrid.limits import PLACE_NEIGHBOURS_MAX

bp = APIBlueprint("places", __name__, url_prefix="/api/v1/places", tag="Places")

MONTHS: Final = 12
CLOSED: Final = "结案归档"
FINE: Final = 5e-6
"""Detail of the shapes in degrees, about half a metre."""

Json = dict[str, Any]
Row = sa.RowMapping


@bp.get("/<code>")
@bp.input(AtQuery, location="query", unknown=None)
def one_place(code: str, query_data: dict[str, Any]) -> Response:
    """A grid in force or a community: chain, posts, counts, reports by month, 15-minute shares, shape and neighbours.

    ``posts``: roles and names of posts, never of people. ``reports``: by where they lie now, the last twelve months
    in order, those of this month so far, and those not closed. With ``at`` as it was then, but for buildings.
    """
    at = query_data.get("at")
    when = None if at is None else moment(at)
    current = state().current.need() if when is None else state().current.at(when)
    with reading(when) as connection:
        current = current if when is None else with_places(current, connection)
        generation = current.generation
        found = _grid(connection, code, generation.id) or _community(connection, code)
        if found is None:
            raise NotFound(f"{code!r} is no grid in force and no community; search for its name on the map")
        is_grid = found["place"] == "grid"
        shape = _shape(code, generation.id, is_grid=is_grid)
        chain = current.above(found["community"])
        told: Json = {
            "code": code, "place": found["place"], "name": found["name"], "name_en": found["name_en"],
            "level": found["level"], "kind": found["kind"],
            "generation": {"id": generation.id, "published_at": generation.published_at},
            "chain": [link_of("grid", found), *chain] if is_grid else chain,
            "posts": _posts(current.posts, found),
            "numbers": _numbers(connection, code, shape, generation.id, is_grid=is_grid),
            "components": _components(connection, shape), "facilities": _facilities(connection, shape),
            "reports": _reports(connection, shape, when or datetime.now(UTC)),
            "circles": _circles(connection, code, found["place"], until=when),
            "point": orjson.loads(found["point"])["coordinates"], "geometry": orjson.loads(found["shape"]),
            "neighbours": _neighbours(connection, code, shape, generation.id, is_grid=is_grid),
        }  # fmt: skip
    return json_response(told)


def _drawn(column: Any) -> Any:
    return sa.func.ST_AsGeoJSON(sa.func.ST_SimplifyPreserveTopology(column, FINE), 6, 0)


def _grid(connection: sa.Connection, code: str, generation: int) -> Json | None:
    g = t.grids.c
    row = connection.execute(
        sa.select(
            g.code, g.name, g.level, g.kind, g.community, g.system, _drawn(g.geometry).label("shape"),
            sa.func.ST_AsGeoJSON(sa.func.ST_PointOnSurface(g.geometry), 6, 0).label("point"),
        ).where(g.code == code, in_force(generation, system=COMPREHENSIVE))
    ).mappings().first()  # fmt: skip
    return {**row, "place": "grid", "name_en": ""} if row else None


def _community(connection: sa.Connection, code: str) -> Json | None:
    a = t.areas.c
    row = connection.execute(
        sa.select(
            a.code, a.name, a.name_en, _drawn(a.geometry).label("shape"),
            sa.func.ST_AsGeoJSON(sa.func.ST_PointOnSurface(a.geometry), 6, 0).label("point"),
        ).where(a.code == code, a.level == "community")
    ).mappings().first()  # fmt: skip
    return {**row, "place": "community", "level": 0, "kind": "community", "community": code} if row else None


def _shape(code: str, generation: int, *, is_grid: bool) -> Any:
    """The place's outline as a scalar subquery."""
    if is_grid:
        where = sa.and_(t.grids.c.code == code, in_force(generation, system=COMPREHENSIVE))
        return sa.select(t.grids.c.geometry).where(where).scalar_subquery()
    return sa.select(t.areas.c.geometry).where(t.areas.c.code == code).scalar_subquery()


def _posts(posts: Posts, found: Json) -> list[Json]:
    level = "community" if found["place"] == "community" else "grid" if found["level"] == 1 else "micro-grid"
    return posts.of(level, found["code"], found["name"])


def _numbers(connection: sa.Connection, code: str, shape: Any, generation: int, *, is_grid: bool) -> Json:
    b, g = t.buildings.c, t.grids.c
    sums = [sa.func.coalesce(sa.func.sum(column), 0).label(column.name) for column in
            (b.households, b.population, b.elderly)]  # fmt: skip
    inside = sa.func.ST_Covers(shape, sa.func.ST_PointOnSurface(b.geometry))
    row = connection.execute(sa.select(*sums, sa.func.count().label("buildings")).where(inside)).mappings().one()
    told = {name: int(value) for name, value in row.items()}
    metres = sa.func.ST_Area(sa.func.geography(shape))
    told["square_metres"] = round(float(connection.scalar(sa.select(metres)) or 0.0))
    under = g.parent == code if is_grid else sa.and_(g.community == code, g.level == 1)
    own = sa.select(sa.func.count(), sa.func.sum(g.households), sa.func.sum(g.population))
    told["grids"] = int(connection.scalar(
        sa.select(sa.func.count()).where(under, in_force(generation, system=COMPREHENSIVE))
    ) or 0)  # fmt: skip
    which = g.code == code if is_grid else under
    _, households, people = connection.execute(own.where(which, in_force(generation, system=COMPREHENSIVE))).one()
    # the grid's own figures are those its plan was judged by
    return told | ({"households": int(households), "population": int(people)} if households is not None else {})


def _components(connection: sa.Connection, shape: Any) -> list[Json]:
    c, k = t.components, t.component_classes
    major = sa.select(k.c.standard, k.c.major, sa.func.min(k.c.major_name).label("name"),
                      sa.func.min(k.c.major_name_en).label("name_en"))  # fmt: skip
    names = major.group_by(k.c.standard, k.c.major).subquery()
    query = (
        sa.select(names.c.name, names.c.name_en, sa.func.count().label("count"))
        .select_from(c.join(names, sa.and_(names.c.standard == c.c.standard, names.c.major == c.c.major)))
        .where(sa.func.ST_Covers(shape, c.c.geometry))
        .group_by(names.c.name, names.c.name_en)
        .order_by(sa.func.count().desc(), names.c.name)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _facilities(connection: sa.Connection, shape: Any) -> list[Json]:
    f, k = t.facilities, t.facility_categories
    query = (
        sa.select(k.c.category, k.c.name_zh, k.c.name_en, sa.func.count().label("count"))
        .select_from(f.join(k, k.c.category == f.c.category))
        .where(sa.func.ST_Covers(shape, f.c.geometry))
        .group_by(k.c.category, k.c.name_zh, k.c.name_en)
        .order_by(sa.func.count().desc(), k.c.category)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _reports(connection: sa.Connection, shape: Any, now: datetime) -> Json:
    r, zone = t.reports.c, state().settings.timezone
    month = sa.func.to_char(sa.func.timezone(str(zone), r.reported_at), "YYYY-MM").label("month")
    names = _last_months(now.astimezone(zone))
    inside = sa.func.ST_Covers(shape, r.geometry)
    since = datetime(int(names[0][:4]), int(names[0][5:]), 1, tzinfo=zone)
    query = sa.select(month, sa.func.count().label("count")).where(inside, r.reported_at >= since).group_by(month)
    counts = {row["month"]: int(row["count"]) for row in connection.execute(query).mappings()}
    open_ = sa.select(sa.func.count()).select_from(t.reports).where(inside, r.stage != CLOSED)
    return {
        "this_month": counts.get(names[-1], 0), "open": int(connection.scalar(open_) or 0),
        "months": [{"month": name, "count": counts.get(name, 0)} for name in names],
    }  # fmt: skip


def _last_months(now: datetime) -> list[str]:
    """The last twelve months as 2026-01, this one last."""
    last = now.year * 12 + now.month - 1
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(last - MONTHS + 1, last + 1)]


def _circles(connection: sa.Connection, code: str, place: str, *, until: datetime | None) -> list[Json]:
    run = current_run(connection, until=until)
    if run is None:
        return []
    c, k = t.circle_coverage.c, t.facility_categories.c
    query = (
        sa.select(k.category, k.name_zh, k.name_en, k.minutes, c.residents_covered, c.residents_assessed)
        .join_from(t.circle_coverage, t.facility_categories, k.category == c.category)
        .where(c.run == run["id"], c.place == place, c.code == code)
        .order_by(k.minutes.desc(), k.category)
    )
    return [
        {
            "category": row["category"], "name_zh": row["name_zh"], "name_en": row["name_en"],
            "minutes": row["minutes"], "residents_share": share(row["residents_covered"], row["residents_assessed"]),
        }
        for row in connection.execute(query).mappings()
    ]  # fmt: skip


def _neighbours(connection: sa.Connection, code: str, shape: Any, generation: int, *, is_grid: bool) -> list[Json]:
    """Grids beside a grid (of its level), or the grids of a community; code, name, kind, households, outline."""
    g = t.grids.c
    now = in_force(generation, system=COMPREHENSIVE)
    if is_grid:
        level = sa.select(g.level).where(g.code == code, now).scalar_subquery()
        which = sa.and_(g.code != code, g.level == level, sa.func.ST_Intersects(g.geometry, shape))
    else:
        which = sa.and_(g.community == code, g.level == 1)
    query = (
        sa.select(g.code, g.name, g.kind, g.households, _drawn(g.geometry).label("geometry"))
        .where(now, which)
        .order_by(g.code)
        .limit(PLACE_NEIGHBOURS_MAX)
    )
    return [{**row, "geometry": orjson.loads(row["geometry"])} for row in connection.execute(query).mappings()]
