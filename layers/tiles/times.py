"""The time a tile is asked for: ``datetime`` of the OGC API standards, an instant or an interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

import sqlalchemy as sa

from gisgrid.errors import BadInput
from layers.catalog import Layer


@dataclass(frozen=True, slots=True)
class Moment:
    """What of a layer is asked for: a generation, or features of a time (both ends included; None: open)."""

    generation: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, layer: Layer) -> list[sa.ColumnElement[bool]]:
        """What holds for the features of that time; a generation is chosen otherwise."""
        column = layer.attribute(layer.time or "")
        if column is None:
            return []
        made: list[sa.ColumnElement[bool]] = []
        if self.since is not None:
            made.append(column.column >= self.since)
        if self.until is not None:
            made.append(column.column <= self.until)
        return made


def parse_datetime(text: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Begin and end of ``2026-03-01``, ``2026-03-01T08:00:00Z``, ``A/B``, ``A/..`` or ``../B`` (None: open).

    A day is whole, in ``zone``, as is a time without one. Raises BadInput.
    """
    first, slash, last = text.partition("/")
    if not slash:
        return _ends(first, zone, text)
    since = None if first in ("", "..") else _ends(first, zone, text)[0]
    until = None if last in ("", "..") else _ends(last, zone, text)[1]
    if (since is None and until is None) or (since is not None and until is not None and since > until):
        raise BadInput(f"datetime={text[:80]!r} is no interval; give BEGIN/END, BEGIN/.. or ../END, the earlier first")
    return since, until


def _ends(text: str, zone: tzinfo, whole: str) -> tuple[datetime, datetime]:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        begun = found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"datetime={whole[:80]!r} is no time; give 2026-03-01, 2026-03-01T08:00:00Z, or two of them with / between"
        ) from error
    if len(text) <= len("2026-03-01") and found.time() == time():
        return begun, begun + timedelta(days=1) - timedelta(microseconds=1)
    return begun, begun
