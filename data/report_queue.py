"""The queue of reports a dispatcher works through: which ones, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from data import tables as t
from data.reports import BY_HAND, CLOSED
from data.tables import STAGES
from gisgrid.errors import BadInput

EXCERPT_CHARS: Final = 120
"""Characters of a description told in the queue."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

r = t.reports.c
Condition = sa.ColumnElement[bool]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reports; None and False ask nothing. ``text``: part of description, address, report number or grid code."""

    open: bool | None = None
    stages: Sequence[str] = ()
    majors: Sequence[str] = ()
    area: str | None = None
    grids: Sequence[str] = ()
    near_border: bool | None = None
    unassigned: bool | None = None
    by_hand: bool | None = None
    since: datetime | None = None
    text: str = ""


def conditions(wanted: Wanted) -> list[Condition]:
    """The conditions on ``reports``. Raises BadInput for a stage or area that cannot be."""
    found: list[Condition] = []
    for given, condition in (
        (wanted.open, r.stage != CLOSED),
        (wanted.near_border, r.located["near_border"].as_boolean().is_(True)),
        (wanted.unassigned, r.grid_code.is_(None)),
        (wanted.by_hand, r.located.has_key(BY_HAND)),
    ):
        if given is not None:
            found.append(condition if given else ~condition)
    if unknown := [stage for stage in wanted.stages if stage not in STAGES]:
        raise BadInput(f"stage {unknown[0]!r} is none of {', '.join(STAGES)}")
    if wanted.stages:
        found.append(r.stage.in_(wanted.stages))
    if wanted.majors:
        found.append(r.major.in_(wanted.majors))
    if wanted.grids:
        found.append(r.grid_code.in_(wanted.grids))
    if wanted.since is not None:
        found.append(r.updated_at >= wanted.since)
    if wanted.area is not None:
        found.append(in_area(wanted.area))
    if wanted.text:
        found.append(_says(wanted.text))
    return found


def in_area(area: str) -> Condition:
    """Owned by a grid of the area; of reports without such an owner those that lie in it."""
    if not (area.isascii() and area.isdigit() and len(area) in (6, 9, 12)):
        raise BadInput(f"area {area[:40]!r} is no code of a district, street or community (6, 9 or 12 digits)")
    outline = sa.select(t.areas.c.geometry).where(t.areas.c.code == area).scalar_subquery()
    elsewhere = sa.or_(r.grid_code.is_(None), r.located.has_key("system"))
    return sa.or_(
        sa.and_(r.grid_code.startswith(area), ~r.located.has_key("system")),
        sa.and_(elsewhere, sa.func.ST_Covers(outline, r.geometry)),
    )


def _says(text: str) -> Condition:
    columns = (r.description, r.address, r.report_id, r.component_code)
    said = [column.icontains(text, autoescape=True) for column in columns]
    return sa.or_(*said, sa.cast(r.id, sa.Text) == text, r.grid_code.endswith(text, autoescape=True))


def queue_page(
    connection: sa.Connection, where: Sequence[Condition], *, limit: int, after: str | None = None
) -> tuple[list[Row], str | None]:
    """Reports newest first, and the key the next page starts behind (None: it was the last). Raises BadInput."""
    wanted = list(where)
    if after is not None:
        wanted.append(sa.tuple_(r.reported_at, r.id) < sa.tuple_(*_position(after)))
    query = (
        sa.select(
            *(r.id, r.reported_at, r.updated_at, r.expected_at, r.stage, r.major, r.minor, r.channel, r.accuracy),
            sa.func.left(r.description, EXCERPT_CHARS).label("description"),
            *(r.address, r.grid_code.label("grid"), r.located["grid_name"].astext.label("grid_name")),
            *(r.located["community"].astext.label("community"), r.located["system"].astext.label("system")),
            sa.func.coalesce(r.located["near_border"].as_boolean(), False).label("near_border"),
            r.located.has_key(BY_HAND).label("by_hand"),
            *(sa.func.ST_X(r.geometry).label("lon"), sa.func.ST_Y(r.geometry).label("lat")),
        )
        .where(*wanted)
        .order_by(r.reported_at.desc(), r.id.desc())
        .limit(limit + 1)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, f"{_microseconds(rows[-1]['reported_at'])}.{rows[-1]['id']}" if more else None


def stage_counts(connection: sa.Connection, where: Sequence[Condition]) -> dict[str, int]:
    """How many reports are in each stage, in the order of the loop."""
    query = sa.select(r.stage, sa.func.count()).where(*where).group_by(r.stage)
    found = {stage: int(number) for stage, number in connection.execute(query)}
    return {stage: found.get(stage, 0) for stage in STAGES}


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _position(after: str) -> tuple[datetime, int]:
    when, _, number = after.partition(".")
    try:
        if len(after) > 40 or not (number.isascii() and number.isdigit()) or int(number) >= 2**63:
            raise ValueError
        return _EPOCH + timedelta(microseconds=int(when)), int(number)
    except (ValueError, OverflowError):
        raise BadInput(f"after={after[:40]!r} is no key of a page; take it from the answer before") from None
