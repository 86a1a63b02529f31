"""What planners say of a plan: of a grid of it, of a place, or of the whole."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data import tables as t
from data.loading import insert_one
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import COMMENT_CHARS_MAX, COMMENTS_MAX

c = t.plan_comments.c
_COLUMNS = (
    c.id, c.at, c.author, c.body, c.grid_code.label("grid"), c.resolved,
    sa.func.ST_X(c.place).label("lon"), sa.func.ST_Y(c.place).label("lat"),
)  # fmt: skip


def of_plan(connection: sa.Connection, plan: int) -> list[dict[str, Any]]:
    """Comments of a plan, oldest first."""
    rows = connection.execute(sa.select(*_COLUMNS).where(c.plan == plan).order_by(c.id)).mappings()
    return [_told(row) for row in rows]


def add(
    connection: sa.Connection,
    plan: int,
    body: str,
    *,
    author: str = "",
    grid: str | None = None,
    place: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Store a comment. ``place``: lon, lat (EPSG:4490).

    Raises BadInput for an empty or long text, a grid the plan does not have, a place that is none; Conflict when the
    plan has very many already.
    """
    text = _checked(body)
    if grid is not None:
        known = sa.select(sa.func.count()).where(t.grids.c.plan == plan, t.grids.c.code == grid)
        if not connection.scalar(known):
            raise BadInput(f"grid={grid!r}: plan {plan} has no grid of that code; comment on one it has, or on a place")
    if place is not None and not (-180 <= place[0] <= 180 and -90 <= place[1] <= 90):
        raise BadInput(f"place={list(place)}: give longitude and latitude in degrees")
    count = connection.scalar(sa.select(sa.func.count()).where(c.plan == plan)) or 0
    if count >= COMMENTS_MAX:
        raise Conflict(f"plan {plan} has {count} comments already; delete some, or continue in a duplicate of the plan")
    point = None if place is None else sa.func.ST_SetSRID(sa.func.ST_MakePoint(*place), t.SRID)
    made = insert_one(
        connection, t.plan_comments, plan=plan, author=author, body=text, grid_code=grid, place=point
    )  # fmt: skip
    return find(connection, plan, made)


def find(connection: sa.Connection, plan: int, comment: int, *, lock: bool = False) -> dict[str, Any]:
    """One comment of a plan; ``lock`` keeps others from changing it. Raises NotFound."""
    query = sa.select(*_COLUMNS).where(c.plan == plan, c.id == comment)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound(f"plan {plan} has no comment {comment}")
    return _told(row)


def change(
    connection: sa.Connection, plan: int, comment: int, *, body: str | None = None, resolved: bool | None = None
) -> dict[str, Any]:
    """Set a comment's text or whether it is settled. Raises NotFound, BadInput."""
    values: dict[str, Any] = {} if body is None else {"body": _checked(body)}
    values |= {} if resolved is None else {"resolved": resolved}
    if values:
        connection.execute(sa.update(t.plan_comments).where(c.plan == plan, c.id == comment).values(**values))
    return find(connection, plan, comment)


def remove(connection: sa.Connection, plan: int, comment: int) -> None:
    """Delete a comment. Raises NotFound."""
    find(connection, plan, comment)
    connection.execute(sa.delete(t.plan_comments).where(c.plan == plan, c.id == comment))


def _checked(body: str) -> str:
    text = body.strip()
    if not text:
        raise BadInput("body is empty; write what is to be said")
    if len(text) > COMMENT_CHARS_MAX:
        raise BadInput(f"body has {len(text)} characters; write at most {COMMENT_CHARS_MAX}")
    return text


def _told(row: sa.RowMapping) -> dict[str, Any]:
    found = dict(row)
    lon, lat = found.pop("lon"), found.pop("lat")
    return found | {"place": None if lon is None else [lon, lat]}
