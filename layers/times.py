"""``datetime`` of features, tiles, downloads (OGC API Features Part 1, 7.15.4): an instant or an interval, open with ..

TIME of the map service knows years, months and lists besides: `layers.wms.times`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import sqlalchemy as sa

from gisgrid.errors import BadInput
from layers.catalog import Layer

DATED: Final = {"components": "changed_date"}
"""The attribute the time of a feature is told by, for layers that are not drawn by time."""


@dataclass(frozen=True, slots=True)
class Period:
    """First and last moment, both in it; None: open."""

    start: datetime | None
    end: datetime | None


def time_name(layer: Layer) -> str | None:
    """``generation``, the name of a date or time attribute, or None for a layer without time."""
    return layer.time or DATED.get(layer.base or layer.name)


def parse_datetime(text: str, zone: tzinfo) -> Period:
    """A period. A date is a whole day in ``zone``. Raises BadInput."""
    parts = text.split("/")
    if len(parts) > 2 or all(part in ("", "..") for part in parts):
        raise BadInput(f"datetime={text[:80]!r}: give a time or START/END, one end may be ..")
    spans = [None if part in ("", "..") else _moment(part, zone) for part in parts]
    if len(parts) == 1:
        only = spans[0]
        assert only is not None
        return Period(*only)
    start, end = spans[0] and spans[0][0], spans[1] and spans[1][1]
    if start and end and start > end:
        raise BadInput(f"datetime={text[:80]!r} ends before it starts")
    return Period(start, end)


def _moment(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    try:
        if len(text) == 10:
            first = datetime.combine(date.fromisoformat(text), time(), zone)
            return first.astimezone(UTC), (first + timedelta(days=1, microseconds=-1)).astimezone(UTC)
        found = datetime.fromisoformat(text.replace(" ", "+"))  # a + that was not escaped
        if found.tzinfo is None:
            raise ValueError
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        told = "an RFC 3339 date or time with its zone, such as 2026-05-01T08:00:00Z"
        raise BadInput(f"datetime: {text[:60]!r} is no time; give {told}") from None
    return found, found


def during(layer: Layer, period: Period, zone: tzinfo) -> list[sa.ColumnElement[bool]]:
    """The condition on a layer's time attribute. What has no time always matches, as the standard wants."""
    name = time_name(layer)
    found = layer.attribute(name) if name and name != "generation" else None
    if found is None:
        return []
    column, ends = found.column, (period.start, period.end)
    plain = found.kind == "date"
    start, end = (value.astimezone(zone).date() if plain and value else value for value in ends)
    kind: Any = sa.Date() if plain else sa.TIMESTAMP(timezone=True)
    inside = [column >= sa.literal(start, kind)] if start else []
    inside += [column <= sa.literal(end, kind)] if end else []
    return [sa.or_(sa.and_(*inside), column.is_(None))]
