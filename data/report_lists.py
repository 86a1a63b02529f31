"""Lists of reports and of their updates, found in PostGIS by indexed columns; who answers for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from data import tables as t
from data.posts import Posts
from data.reports import COLUMNS, Row
from data.tables import SRID
from gisgrid.errors import BadInput

Span = tuple[datetime | None, datetime | None]
METRES_PER_DEGREE: Final = 110_574.0
"""Shortest metres of a degree of latitude, so that a box of degrees never cuts a circle of metres."""
AREA_DIGITS_MIN: Final = 6
ORDERS: Final = ("reported_at", "updated_at")

r, u, p = t.reports.c, t.report_updates.c, t.posts.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which reports, in which order. ``near``: lon, lat (EPSG:4490), metres. Spans hold both their ends.

    ``classes``: pairs of (major, minor) as stored. ``order``: one of `ORDERS`; newest first unless ``oldest_first``.
    """

    ids: Sequence[int] | None = None
    classes: Sequence[tuple[str, str]] | None = None
    stages: Sequence[str] | None = None
    grids: Sequence[str] | None = None
    reported: Span = (None, None)
    updated: Span = (None, None)
    near: tuple[float, float, float] | None = None
    text: str = ""
    order: str = "reported_at"
    oldest_first: bool = False
    limit: int
    offset: int = 0


def find_reports(connection: sa.Connection, search: Search) -> list[Row]:
    """One page of reports (`data.reports.COLUMNS`)."""
    where = [*_within(r.reported_at, search.reported), *_within(r.updated_at, search.updated)]
    if search.ids is not None:
        where.append(r.id.in_(search.ids))
    if search.classes is not None:
        where.append(sa.tuple_(r.major, r.minor).in_(search.classes))
    if search.stages is not None:
        where.append(r.stage.in_(search.stages))
    if search.grids is not None:
        where.append(r.grid_code.in_(search.grids))
    if search.near is not None:
        where += _near(*search.near)
    if search.text:
        said = [column.icontains(search.text, autoescape=True) for column in (r.description, r.address)]
        where.append(sa.or_(*said))
    order = [r[search.order], r.id]
    ordered = order if search.oldest_first else [column.desc() for column in order]
    query = sa.select(*COLUMNS).where(*where).order_by(*ordered).limit(search.limit).offset(search.offset)
    return [dict(row) for row in connection.execute(query).mappings()]


def _within(column: sa.ColumnElement[datetime], span: Span) -> list[sa.ColumnElement[bool]]:
    first, last = span
    return ([] if first is None else [column >= first]) + ([] if last is None else [column <= last])


def _near(lon: float, lat: float, metres: float) -> list[sa.ColumnElement[bool]]:
    """Inside the circle; the box of degrees around it is what the spatial index can answer."""
    up = metres / METRES_PER_DEGREE * 1.01
    widest = math.cos(math.radians(min(abs(lat) + up, 89.9)))
    side = min(up / widest, 180.0)
    box = sa.func.ST_MakeEnvelope(lon - side, lat - up, lon + side, lat + up, SRID)
    here = sa.func.geography(sa.func.ST_SetSRID(sa.func.ST_MakePoint(lon, lat), 4326))
    there = sa.func.geography(sa.func.ST_SetSRID(r.geometry, 4326))
    return [sa.func.ST_Intersects(r.geometry, box), sa.func.ST_DWithin(there, here, metres)]


def updates_of(connection: sa.Connection, report: int, *, limit: int, until: datetime | None = None) -> list[Row]:
    """Updates of one report, oldest first; ``until``: those there were at that moment."""
    query = sa.select(t.report_updates).where(u.report == report).order_by(u.at, u.id).limit(limit)
    if until is not None:
        query = query.where(u.at <= until)
    return [dict(row) for row in connection.execute(query).mappings()]


def find_updates(
    connection: sa.Connection, span: Span, *, reports: Sequence[int] | None = None, limit: int, offset: int = 0
) -> list[Row]:
    """Updates of all reports, oldest first, but not those that only tell a new owner."""
    where = [*_within(u.at, span), u.generation.is_(None)]
    if reports is not None:
        where.append(u.report.in_(reports))
    query = sa.select(t.report_updates).where(*where).order_by(u.at, u.id).limit(limit).offset(offset)
    return [dict(row) for row in connection.execute(query).mappings()]


def responsible(connection: sa.Connection, rows: Sequence[Row]) -> list[str]:
    """Who answers for each report: the component's department, else the stored post of the grid or the nearest area
    above, else the usual post of its grid.

    Posts are names of posts, never of people; empty where nobody is known.
    """
    codes = {row["grid_code"] or row["located"].get("community") or "" for row in rows if not row["department"]}
    posts = _posts(connection, {part for code in codes for part in _upwards(code)})
    return [
        row["department"]
        or next(
            (
                posts[part]
                for part in _upwards(row["grid_code"] or row["located"].get("community") or "")
                if part in posts
            ),
            _usual(row),
        )
        for row in rows
    ]


def _usual(row: Row) -> str:
    code = row["grid_code"]
    level = "professional" if row["located"].get("system") else "grid"
    usual = Posts({}).of(level, code, row["located"].get("grid_name") or code) if code else []
    return usual[0]["post"] if usual else ""


def _upwards(code: str) -> list[str]:
    """A code and everything that may lie above it: what it begins with."""
    return [code[:size] for size in range(len(code), AREA_DIGITS_MIN - 1, -1)]


def _posts(connection: sa.Connection, places: set[str]) -> dict[str, str]:
    """The first post of each place that has one, with its department."""
    if not places:
        return {}
    query = sa.select(p.place, p.post, p.department).where(p.place.in_(sorted(places)))
    found: dict[str, str] = {}
    for row in connection.execute(query.order_by(p.place, p.first.desc(), p.role, p.post)):
        found.setdefault(row.place, " ".join(filter(None, (row.department, row.post))))
    return found


def address_point(connection: sa.Connection, address_id: str) -> tuple[float, float, str]:
    """lon, lat (EPSG:4490) and full text of a stored address.

    Raises BadInput when nothing has that id, or addresses of several sources do.
    """
    a = t.addresses.c
    query = sa.select(sa.func.ST_X(a.geometry), sa.func.ST_Y(a.geometry), a.full).where(a.address_id == address_id)
    found = connection.execute(query.limit(2)).all()
    if len(found) != 1:
        fault = "several addresses have it" if found else "no address has it"
        raise BadInput(f"address_id {address_id!r}: {fault}; send lat and long")
    return found[0][0], found[0][1], found[0][2]


def area_of(connection: sa.Connection, lon: float, lat: float) -> dict[str, Any] | None:
    """Code and name of the smallest stored area that covers a point (EPSG:4490), None outside all."""
    a = t.areas.c
    point = sa.func.ST_SetSRID(sa.func.ST_MakePoint(lon, lat), SRID)
    query = sa.select(a.code, a.name).where(sa.func.ST_Covers(a.geometry, point))
    found = connection.execute(query.order_by(sa.func.length(a.code).desc(), a.code).limit(1)).mappings().first()
    return dict(found) if found else None
