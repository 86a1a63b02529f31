"""What was changed, as people read it: entries of the audit log, newest first, within the areas they may look at."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t
from data.tables import AUDITED, RESTORED, RIGHTS
from gisgrid.errors import BadInput, NotFound

_a = t.audit_log.c
Entry = dict[str, Any]
ROWS_TOLD = 50
"""Rows of an entry that a list tells; the entry by itself tells all of them."""
EVERYWHERE = ("",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of tables, of one row, of an area and what is inside, of a principal (key or name), of a time."""

    subjects: tuple[str, ...] = ()
    id: str | None = None
    area: str = ""
    principal: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What the reader may see: rows of areas (codes; ``("",)`` everywhere), and of rights."""

    areas: tuple[str, ...] = EVERYWHERE
    rights: bool = True


ALL = Sight()


def page(
    connection: sa.Connection, wanted: Wanted, sight: Sight = ALL, *, limit: int, before: int | None = None
) -> tuple[list[Entry], int | None]:
    """Entries, newest first, and the key to go on from (None: that was the last page).

    Each has ``seq at principal name subject action rows reason origin hash changes``; of ``changes`` those the reader
    may see and asked for, `ROWS_TOLD` at most. Raises BadInput for a subject that is not written down.
    """
    where = [*_conditions(wanted, sight), _a.seq.is_not(None)]
    if before is not None:
        where.append(_a.seq < before)
    query = _query(_shown(wanted, sight, ROWS_TOLD)).where(*where).order_by(_a.seq.desc()).limit(limit + 1)
    rows = [_told(row) for row in connection.execute(query).mappings()]
    _label(connection, rows[:limit])
    return rows[:limit], rows[limit - 1]["seq"] if len(rows) > limit else None


def entry(connection: sa.Connection, seq: int, sight: Sight = ALL) -> Entry:
    """One entry with all its rows, geometry as hexadecimal WKB. Raises NotFound, also for what may not be seen."""
    query = _query(_shown(Wanted(), sight, None)).where(_a.seq == seq, *_conditions(Wanted(), sight))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"the history has no entry {seq}")
    found = dict(row)
    _label(connection, [found])
    return found


def head(connection: sa.Connection) -> Entry:
    """Where the log ends: ``seq`` and ``hash`` of the last entry; ``since``: when writing it began."""
    row = connection.execute(sa.select(t.audit_head.c.seq, t.audit_head.c.hash, t.audit_head.c.since)).mappings().one()
    return dict(row) | {"hash": bytes(row["hash"]).hex()}


def _query(changes: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(
        _a.seq, _a.at, _a.principal, _a.name, _a.subject, _a.action, _a.rows, _a.reason, _a.origin,
        sa.func.encode(_a.hash, "hex").label("hash"), changes.label("changes"),
        sa.case((_digest(), _a.changes["digest"]), else_=sa.null()).label("digest"),
    )  # fmt: skip


def _digest() -> sa.ColumnElement[bool]:
    return sa.func.jsonb_typeof(_a.changes) == "object"


def _conditions(wanted: Wanted, sight: Sight) -> list[sa.ColumnElement[bool]]:
    unknown = sorted(set(wanted.subjects) - {*AUDITED, RESTORED})
    if unknown:
        raise BadInput(f"subject={unknown[0][:60]!r} is not written down; give {', '.join(AUDITED)}")
    found: list[sa.ColumnElement[bool]] = []
    if wanted.subjects:
        found.append(_a.subject.in_(wanted.subjects))
    if not sight.rights:
        found.append(_a.subject.not_in(RIGHTS))
    if wanted.id is not None:
        found.append(_a.ids.contains([wanted.id]))
    found += [_in_areas(areas) for areas in ((wanted.area,), sight.areas) if areas != EVERYWHERE]
    if wanted.principal:
        found.append(sa.or_(_a.principal == wanted.principal, _a.name == wanted.principal))
    if wanted.since is not None:
        found.append(_a.at >= wanted.since)
    if wanted.until is not None:
        found.append(_a.at <= wanted.until)
    return found


def _in_areas(areas: Sequence[str]) -> sa.ColumnElement[bool]:
    one = sa.func.unnest(_a.areas).column_valued("one")
    return sa.select(one).where(_under(one, areas)).correlate(t.audit_log).exists()


def _under(code: sa.ColumnElement[str], areas: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *[sa.func.starts_with(code, area) for area in areas])


def _shown(wanted: Wanted, sight: Sight, most: int | None) -> sa.ColumnElement[Any]:
    """The rows of an entry that are asked for and may be seen."""
    listed = sa.case((_digest(), sa.literal([], pg.JSONB)), else_=_a.changes)
    one = sa.func.jsonb_array_elements(listed, type_=pg.JSONB).column_valued("change")
    area = one.op("->>")("area")
    rows = sa.select(one.label("row"))
    for areas in ((wanted.area,), sight.areas):
        if areas != EVERYWHERE:
            rows = rows.where(_under(area, areas))
    if wanted.id is not None:
        rows = rows.where(one.op("->>")("id") == wanted.id)
    picked = rows.limit(most).correlate(t.audit_log).lateral() if most else rows.correlate(t.audit_log).lateral()
    nothing = sa.literal([], pg.JSONB)
    return sa.select(sa.func.coalesce(sa.func.jsonb_agg(picked.c.row), nothing)).scalar_subquery()


def _told(row: sa.RowMapping) -> Entry:
    found = dict(row)
    for change in found["changes"]:
        for side in ("before", "after"):
            if change[side] and change[side].get("geometry"):
                change[side]["geometry"] = _shape(change[side]["geometry"])
    return found


def _shape(wkb: str) -> dict[str, Any]:
    """What a list tells of a geometry: enough to see whether it is another one."""
    return {"bytes": len(wkb) // 2, "sha256": hashlib.sha256(bytes.fromhex(wkb)).hexdigest()}


LABELS: dict[str, tuple[str, ...]] = {
    "areas": ("code", "name"), "users": ("login", "name"), "tokens": ("name",), "grants": ("role", "area"),
    "plans": ("name",), "grids": ("code", "name"), "components": ("component_code", "name"),
    "facilities": ("facility_id", "name"), "reports": ("report_id", "minor"), "posts": ("place", "post"),
    "webhooks": ("name",), "plan_edits": ("plan", "version"), "publications": ("plan",), "generations": ("plan",),
    "plan_comments": ("plan",), "report_updates": ("report", "stage"), "reassignments": ("report", "to_grid"),
    RESTORED: ("file",),
}  # fmt: skip
"""By what people know a row of a table."""


def _label(connection: sa.Connection, entries: list[Entry]) -> None:
    """Give every row told the ``label`` people know it by: as it is now, else as it was when it went."""
    wanted: defaultdict[str, set[Any]] = defaultdict(set)
    for one in entries:
        wanted[one["subject"]] |= {change["id"] for change in one["changes"]}
    known = {subject: _names(connection, subject, ids) for subject, ids in wanted.items() if ids}
    for one in entries:
        for change in one["changes"]:
            row = known[one["subject"]].get(change["id"]) or {**(change["before"] or {}), **(change["after"] or {})}
            words = [row.get(name) for name in LABELS[one["subject"]]]
            change["label"] = " ".join(str(word) for word in words if word not in (None, ""))


def _names(connection: sa.Connection, subject: str, ids: set[Any]) -> dict[Any, dict[str, Any]]:
    if subject == RESTORED:
        return {}
    table = t.metadata.tables[subject]
    key = next(iter(table.primary_key.columns))
    query = sa.select(key, *[table.c[name] for name in LABELS[subject] if name != key.name]).where(key.in_(ids))
    return {row[key.name]: dict(row) for row in connection.execute(query).mappings()}
