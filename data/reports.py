"""Reports 事件/诉求 as they are kept: taking one in, what happens to it, which got another owner by a publish.

Every change is one transaction of the caller's: the report, a row of ``report_updates`` and the webhook event are
stored together or not at all. Nobody's name is stored. Lists of reports are in `data.report_lists`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t
from data.plans import current_generation, grids_in_force
from data.tables import SRID, STAGES
from data.webhooks import queue_event
from gisgrid.errors import Conflict, NotFound
from gisgrid.limits import NEAR_BORDER_METRES
from gisgrid.locate import GridIndex

CLOSED: Final = STAGES[-1]
"""The stage of a report that is done with; in all others it is open."""
INLETS: Final = ("open311", "api")
"""Sources of reports that are sent, not imported: no import may take their place."""
REOPENED: Final = STAGES[1]
"""Where a report goes on when it is opened again and no stage is named."""
_MOVED_CHUNK: Final = 10_000
_APPLIED_CHUNK: Final = 1_000
_MOVE_LOCK: Final = 44900311
BY_HAND: Final = "by_hand"
"""Marks, in ``located``, a report that a dispatcher gave to its grid."""
_STALE: Final = [
    *("nearest", "area", "chain", "distance_to_boundary", "near_border", "candidates", "outside_probability"),
    *(BY_HAND, "system"),
]
"""What is kept of how a report was located that a new owner makes untrue."""
_MOVE_COLUMNS: Final = (
    *("id", "stage", "old", "new", "generation", "now", "grid_name", "community"),
    *("distance_to_boundary", "near_border"),
)

r, u = t.reports.c, t.report_updates.c
COLUMNS: Final = [
    *[column for column in t.reports.columns if column.name not in ("geometry", "token")],
    sa.func.ST_X(r.geometry).label("lon"),
    sa.func.ST_Y(r.geometry).label("lat"),
]
"""What a report's row is read as: all but the token, with the point as ``lon``, ``lat`` (EPSG:4490)."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """A located report about to be stored; ``lon``, ``lat`` in EPSG:4490, ``accuracy`` in metres.

    ``located``: facts of how it was located, JSON-ready. ``token``: the caller's own word for it, by which sending it
    twice stores it once.
    """

    source: str
    lon: float
    lat: float
    major: str
    minor: str
    description: str = ""
    channel: str = ""
    accuracy: float | None = None
    grid_code: str | None = None
    generation: int | None = None
    address: str = ""
    address_id: str = ""
    media_url: str = ""
    component_code: str = ""
    department: str = ""
    located: dict[str, Any] = field(default_factory=dict)
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a report. ``update_id``: the sender's own number of it, by which sending twice stores once.

    ``forward``: the stage is what the sender last knew, so it never takes the report back or opens it again.
    ``notes_status``: the note explains the report's state, also when the stage stays.
    """

    stage: str | None = None
    note: str = ""
    media_url: str = ""
    channel: str = ""
    update_id: str | None = None
    expected_at: datetime | None = None
    reopen: bool = False
    forward: bool = False
    notes_status: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """An open report whose owner is another than the stored one; codes are None outside every grid."""

    id: int
    source: str
    report_id: str
    stage: str
    old: str | None
    new: str | None
    generation: int | None
    """The generation it was located in; None: it never was."""
    now: int
    """The generation ``new`` is in force in."""
    grid_name: str = ""
    community: str = ""
    distance_to_boundary: float | None = None
    near_border: bool | None = None
    """True, or None where the boundary is far."""


# the number is drawn first because the report's own id is made of it
_INSERT = sa.text(
    """
    WITH numbered AS (SELECT nextval(pg_get_serial_sequence('reports', 'id')) AS id)
    INSERT INTO reports (
        id, source, report_id, reported_at, major, minor, description, channel, accuracy, grid_code, generation,
        address, address_id, media_url, component_code, department, located, token, geometry
    )
    OVERRIDING SYSTEM VALUE
    SELECT
        id, :source, CAST(id AS text), now(), :major, :minor, :description, :channel, CAST(:accuracy AS float8),
        :grid_code, CAST(:generation AS integer), :address, :address_id, :media_url, :component_code, :department,
        CAST(:located AS jsonb), :token,
        ST_SetSRID(ST_MakePoint(:lon, :lat), :srid)
    FROM numbered
    ON CONFLICT (token) DO NOTHING
    RETURNING id
    """
).bindparams(sa.bindparam("located", type_=pg.JSONB))


def add_report(connection: sa.Connection, new: NewReport) -> tuple[Row, bool]:
    """Store a report under a number of our own and queue ``report.created``; (its row, whether it is new).

    A report with a token already taken is not stored again: the first one is returned.
    """
    number = connection.scalar(_INSERT, asdict(new) | {"srid": SRID})
    if number is None:
        assert new.token is not None  # nothing else can stand in the way of a row
        return report_by_token(connection, new.token), False
    row = report_row(connection, int(number))
    _tell(connection, "report.created", row)
    return row, True


def report_row(connection: sa.Connection, report: int, *, lock: bool = False) -> Row:
    """A report by its number (`COLUMNS`); ``lock`` keeps others from changing it. Raises NotFound."""
    query = sa.select(*COLUMNS).where(r.id == report)
    found = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if found is None:
        raise NotFound(f"there is no report {report}")
    return dict(found)


def report_by_token(connection: sa.Connection, token: str) -> Row:
    """The report its sender calls ``token``. Raises NotFound."""
    found = connection.execute(sa.select(*COLUMNS).where(r.token == token)).mappings().first()
    if found is None:
        raise NotFound(f"no report has the token {token!r}")
    return dict(found)


def add_update(connection: sa.Connection, report: int, change: Change) -> tuple[Row, Row, bool]:
    """Add an update to a report and queue ``report.updated``; (the update, the report after it, whether it is new).

    An update whose ``update_id`` the report has already is not added again. Times are ours: when it was received.
    Raises NotFound; Conflict when an archived report would go back to an open stage without ``reopen``.
    """
    row = report_row(connection, report, lock=True)
    if (known := known_update(connection, report, change)) is not None:
        return known, row, False
    stage = _next_stage(row, change)
    values: Row = {"stage": stage, "updated_at": sa.func.now()}
    if stage != row["stage"] or (change.notes_status and change.note):
        values["status_notes"] = change.note
    if change.expected_at is not None:
        values["expected_at"] = change.expected_at
    connection.execute(sa.update(t.reports).where(r.id == report).values(values))
    update = _insert_update(
        connection, report=report, stage=stage, note=change.note, media_url=change.media_url, channel=change.channel,
        update_id=change.update_id,
    )  # fmt: skip
    row = report_row(connection, report)
    _tell(connection, "report.updated", row, update=update_facts(update))
    return update, row, True


def known_update(connection: sa.Connection, report: int, change: Change) -> Row | None:
    """The update a report has already under the number its sender gave this one."""
    if change.update_id is None:
        return None
    same = sa.select(t.report_updates).where(u.report == report, u.update_id == change.update_id)
    known = connection.execute(same).mappings().first()
    return None if known is None else dict(known)


def _next_stage(row: Row, change: Change) -> str:
    now: str = row["stage"]
    wanted = change.stage
    if now == CLOSED:
        if change.reopen:
            return wanted if wanted not in (None, CLOSED) else REOPENED
        if wanted in (None, CLOSED) or change.forward:
            return now
        raise Conflict(f"report {row['id']} is archived ({CLOSED}); send reopen=true to open it again")
    if wanted is None or (change.forward and STAGES.index(wanted) < STAGES.index(now)):
        return now
    return wanted


def _insert_update(connection: sa.Connection, **values: Any) -> Row:
    made = sa.insert(t.report_updates).values(**values).returning(t.report_updates)
    return dict(connection.execute(made).mappings().one())


def _tell(connection: sa.Connection, event: str, row: Row, *, left: str | None = None, **more: Any) -> None:
    """``left``: the grid it was with before, whose area is told as well."""
    places = [row["grid_code"] or "", row["located"].get("community") or "", left or ""]
    queue_event(connection, event, row["id"], report_facts(row) | more, place=[place for place in places if place])


def change_owner(
    connection: sa.Connection,
    row: Row,
    grid: str,
    generation: int,
    facts: Row,
    *,
    note: str,
    channel: str,
    told: Row,
) -> Row:
    """Give a locked report (`report_row`) to a grid and queue ``report.updated``; the report after it.

    ``facts`` take the place of what ``located`` said of the owner before; ``told`` is added to the event.
    """
    kept = {name: value for name, value in row["located"].items() if name not in _STALE} | facts
    changed = {"grid_code": grid, "generation": generation, "located": kept, "updated_at": sa.func.now()}
    connection.execute(sa.update(t.reports).where(r.id == row["id"]).values(changed))
    after = report_row(connection, row["id"])
    update = _insert_update(
        connection, report=row["id"], stage=after["stage"], note=note, channel=channel, grid_code=grid,
        generation=generation,
    )  # fmt: skip
    moved = {
        "from": {"grid": row["grid_code"], "generation": row["generation"]},
        "to": {"grid": grid, "generation": generation},
    }
    _tell(connection, "report.updated", after, left=row["grid_code"], update=update_facts(update), moved=moved, **told)
    return after


# --- what is told of a report ---------------------------------------------------------------


def stamp(moment: datetime | None) -> str | None:
    """A time as RFC 3339 text in UTC, whole seconds: ``2026-03-01T08:30:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def media_urls(row: Row) -> list[str]:
    """Addresses of the pictures of a report or update."""
    return [url for url in row["media_url"].split("\n") if url]


def report_facts(row: Row) -> Row:
    """What webhooks tell of a report, JSON-ready."""
    located = row["located"]
    names = (
        "id", "source", "report_id", "stage", "major", "minor", "description", "channel", "address", "address_id",
        "accuracy", "lon", "lat", "generation", "component_code", "department", "status_notes",
    )  # fmt: skip
    return {name: row[name] for name in names} | {
        "open": row["stage"] != CLOSED,
        "grid": row["grid_code"],
        "grid_name": located.get("grid_name"),
        "community": located.get("community"),
        "media_urls": media_urls(row),
        **{name: stamp(row[name]) for name in ("reported_at", "updated_at", "expected_at")},
    }


def update_facts(row: Row) -> Row:
    """What is told of one update, JSON-ready; ``moved`` names the new owner where a publish or a dispatcher changed
    it."""
    return {
        "id": row["id"],
        "update_id": row["update_id"],
        "at": stamp(row["at"]),
        "stage": row["stage"],
        "note": row["note"],
        "media_urls": media_urls(row),
        "channel": row["channel"],
        "moved": None if row["generation"] is None else {"grid": row["grid_code"], "generation": row["generation"]},
    }


# --- owners that changed ---------------------------------------------------------------------


def moved_reports(connection: sa.Connection, *, unlocated: bool = False) -> Iterator[Move]:
    """Open reports whose owner among the grids in force is another than the stored one, by number.

    Reports keep the generation they were located in; only those of older generations are looked at, with ``unlocated``
    also those that were never located (imported, or received before the first publish) and now have an owner. Those a
    dispatcher gave to a grid stay there until it ends. Streams: memory holds the point index of the grids in force and
    some thousand reports. Raises NotFound when nothing is published.
    """
    generation = current_generation(connection)
    grids = grids_in_force(connection, generation.id) if generation else None
    if generation is None or grids is None or grids.empty:
        raise NotFound("no plan is published yet, so no report has an owner; publish one first")
    index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].to_numpy())
    codes, names, communities = (grids[name].tolist() for name in ("code", "name", "community"))
    older = r.generation < generation.id
    names_of = [r.id, r.source, r.report_id, r.stage, r.grid_code, r.generation]
    query = (
        sa.select(*names_of, COLUMNS[-2], COLUMNS[-1], r.accuracy)
        .where(r.stage != CLOSED, sa.or_(older, r.generation.is_(None)) if unlocated else older, ~_put_by_hand())
        .order_by(r.id)
    )
    found = connection.execute(query.execution_options(yield_per=_MOVED_CHUNK))
    for chunk in found.partitions():
        rows = index.rows(np.array([one.lon for one in chunk]), np.array([one.lat for one in chunk])).tolist()
        for one, row in zip(chunk, rows, strict=True):
            new = codes[row] if row >= 0 else None
            if new != one.grid_code:
                name, community = (names[row], communities[row] or "") if row >= 0 else ("", "")
                metres = index.border_metres(row, one.lon, one.lat) if row >= 0 else None
                near = metres is not None and metres <= max(one.accuracy or 0.0, NEAR_BORDER_METRES)
                yield Move(
                    *one[:5],
                    new,
                    one.generation,
                    generation.id,
                    name,
                    community,
                    distance_to_boundary=None if metres is None else round(metres, 2),
                    near_border=near or None,
                )


def _put_by_hand() -> sa.ColumnElement[bool]:
    """Given to a grid by a dispatcher, and that grid is in force still."""
    same = sa.and_(t.grids.c.code == r.grid_code, sa.func.upper_inf(t.grids.c.generations))
    return sa.and_(r.located.has_key(BY_HAND), sa.exists().where(same))


# a report whose stage or owner is another by now is left alone
_APPLY = sa.text(
    """
    WITH moves AS (
        SELECT * FROM unnest(
            CAST(:id AS bigint[]), CAST(:stage AS text[]), CAST(:old AS text[]), CAST(:new AS text[]),
            CAST(:generation AS integer[]), CAST(:now AS integer[]), CAST(:grid_name AS text[]),
            CAST(:community AS text[]), CAST(:distance_to_boundary AS float8[]), CAST(:near_border AS boolean[])
        ) AS m (
            id, stage, old, new, generation, now, grid_name, community, distance_to_boundary, near_border
        )
    ),
    moved AS (
        UPDATE reports r
        SET grid_code = m.new, generation = m.now, updated_at = now(),
            located = (r.located - CAST(:stale AS text[]))
                || jsonb_build_object('grid_name', m.grid_name, 'community', m.community)
                || jsonb_strip_nulls(jsonb_build_object(
                    'distance_to_boundary', m.distance_to_boundary, 'near_border', m.near_border
                ))
        FROM moves m
        WHERE r.id = m.id AND r.stage = m.stage AND r.grid_code IS NOT DISTINCT FROM m.old
            AND r.generation IS NOT DISTINCT FROM m.generation
        RETURNING r.id, r.stage, r.grid_code, r.generation
    )
    INSERT INTO report_updates (report, stage, channel, grid_code, generation)
    SELECT id, stage, :channel, grid_code, generation FROM moved ORDER BY id
    RETURNING *
    """
)


def apply_moves(connection: sa.Connection, moves: Iterable[Move], *, channel: str = "publish") -> Iterator[Move]:
    """Give reports their new owners and queue ``report.moved``; yields the moves that were made.

    A report that changed its stage or owner since it was listed is left alone. Two who apply follow each other.
    """
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MOVE_LOCK)))
    waiting = iter(moves)
    while chunk := list(islice(waiting, _APPLIED_CHUNK)):
        columns = {name: [getattr(move, name) for move in chunk] for name in _MOVE_COLUMNS}
        # the rows in the order of their numbers, as whoever locks several of them does
        mine = sa.select(r.id).where(r.id.in_([move.id for move in chunk])).order_by(r.id)
        connection.execute(mine.with_for_update(key_share=True))
        made = connection.execute(_APPLY, columns | {"channel": channel, "stale": _STALE}).mappings()
        updates = {update["report"]: dict(update) for update in made}
        found = connection.execute(sa.select(*COLUMNS).where(r.id.in_(updates))).mappings()
        rows = {row["id"]: dict(row) for row in found}
        for move in chunk:
            if move.id in updates:
                _tell_move(connection, move, rows[move.id], updates[move.id])
                yield move


def _tell_move(connection: sa.Connection, move: Move, row: Row, update: Row) -> None:
    before = {"grid": move.old, "generation": move.generation}
    after = {"grid": move.new, "generation": move.now}
    moved = {"from": before, "to": after}
    _tell(connection, "report.moved", row, left=move.old, update=update_facts(update), moved=moved)
