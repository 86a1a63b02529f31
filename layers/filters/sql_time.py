"""Times in filters: everything is a span with both ends in it, an instant one whose ends are the same.

The relations are Allen's, as CQL2 (OGC 21-065r2, 7.6) defines them on the ends. A date by itself is a day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, Protocol

import sqlalchemy as sa
from pygeofilter import ast

from gisgrid.errors import BadInput

Sql = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Span:
    """First and last moment (timestamp with time zone)."""

    start: Sql
    end: Sql


class Dated(Protocol):
    """A value that may be a time."""

    @property
    def kind(self) -> str:
        """text, number, date, time and so on."""

    @property
    def sql(self) -> Sql:
        """The value in SQL."""

    @property
    def told(self) -> str:
        """What it is called in messages."""


def span_of(term: Dated, zone: tzinfo) -> Span:
    """The span of a time or a day; days begin at midnight in ``zone``. Raises BadInput for anything else."""
    if term.kind == "time":
        return Span(term.sql, term.sql)
    if term.kind != "date":
        raise BadInput(f"filter: {term.told} is no date or time")
    midnight = sa.func.timezone(str(zone), sa.cast(term.sql, sa.TIMESTAMP), type_=sa.TIMESTAMP(timezone=True))
    last = sa.cast(term.sql, sa.TIMESTAMP).op("+")(sa.text("(interval '1 day' - interval '1 microsecond')"))
    return Span(midnight, sa.func.timezone(str(zone), last, type_=sa.TIMESTAMP(timezone=True)))


_RELATIONS: Final[dict[type[Any], Callable[[Span, Span], sa.ColumnElement[bool]]]] = {
    ast.TimeAfter: lambda a, b: a.start > b.end,
    ast.TimeBefore: lambda a, b: a.end < b.start,
    ast.TimeContains: lambda a, b: sa.and_(a.start < b.start, a.end > b.end),
    ast.TimeDisjoint: lambda a, b: sa.or_(a.end < b.start, a.start > b.end),
    ast.TimeDuring: lambda a, b: sa.and_(a.start > b.start, a.end < b.end),
    ast.TimeEquals: lambda a, b: sa.and_(a.start == b.start, a.end == b.end),
    ast.TimeEndedBy: lambda a, b: sa.and_(a.start < b.start, a.end == b.end),
    ast.TimeEnds: lambda a, b: sa.and_(a.start > b.start, a.end == b.end),
    ast.TimeMeets: lambda a, b: a.end == b.start,
    ast.TimeMetBy: lambda a, b: a.start == b.end,
    ast.TimeOverlappedBy: lambda a, b: sa.and_(a.start > b.start, a.start < b.end, a.end > b.end),
    ast.TimeOverlaps: lambda a, b: sa.and_(a.start < b.start, a.end > b.start, a.end < b.end),
    ast.TimeBegunBy: lambda a, b: sa.and_(a.start == b.start, a.end > b.end),
    ast.TimeBegins: lambda a, b: sa.and_(a.start == b.start, a.end < b.end),
}


def related_in_time(kind: type[Any], a: Span, b: Span) -> sa.ColumnElement[bool]:
    """The condition that two spans stand in that relation."""
    return _RELATIONS[kind](a, b)
