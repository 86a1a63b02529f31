"""Areas and grids as MapIt knows them: numbered, typed, each in force over a span of generations.

An area of MapIt is an administrative area or a published grid, of any level and system. Its number belongs to its code
(`mapit_ids`), so a grid that goes on under its code over several generations is one area, whose span reaches from the
first to the last of them; its outline is that of the generation asked for. Administrative areas are in force always.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from data.grid_systems import grid_systems
from data.mapit_types import Types
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, Broken

SAME_PLACE = 1e-7
"""Degrees (1 cm) within which two borders are one: grids are noded anew and seldom equal areas to the last bit."""
QUERY_SECONDS = 10.0
"""How long a question about neighbouring areas may take."""
ANY_GENERATION = -1
CHUNK = 1_000
"""Areas fetched at a time."""

# every way in which ``x`` can lie to the target; ``grown`` and ``shrunk`` are the target give or take SAME_PLACE
RELATIONS = {
    "intersects": "ST_Intersects(grown, x)",
    "covers": "ST_Covers(grown, x)",
    "covered": "ST_CoveredBy(shrunk, x)",
    "touches": "ST_Intersects(grown, x) AND NOT ST_Intersects(shrunk, x)",
    "overlaps": "ST_Intersects(shrunk, x) AND NOT ST_Covers(grown, x) AND NOT ST_CoveredBy(shrunk, x)",
    "coverlaps": "ST_Covers(grown, x) OR (ST_Intersects(shrunk, x) AND NOT ST_CoveredBy(shrunk, x))",
}
"""``covers``: x is covered by the target; ``covered``: x covers it; MapIt's words."""


@dataclass(frozen=True, slots=True)
class Span:
    """The generations a question is about: areas in force in any of ``since`` … ``until``; and the current one."""

    current: int
    until: int
    since: int

    @property
    def one(self) -> bool:
        """Whether it is a single generation, in which every place has one owner."""
        return self.since == self.until


@dataclass(frozen=True, slots=True)
class Row:
    """One area."""

    id: int
    code: str
    name: str
    name_en: str
    level: str | int
    system: str
    parent: int | None
    parent_code: str | None
    low: int
    high: int


# --- generations ----------------------------------------------------------------------------


def generations(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every generation, oldest first: id, active, created, description."""
    rows = connection.execute(sa.text("SELECT id, published_at, note FROM generations ORDER BY id"))
    return [{"id": row.id, "active": True, "created": row.published_at, "description": row.note} for row in rows]


def span(
    connection: sa.Connection, *, current: int | None, generation: int | None = None, since: int | None = None
) -> Span:
    """The span of a question. ``current``: the generation in force, when the caller knows it.

    ``generation`` None or 0: the current one; ``since`` None or 0: that very generation, −1: however old. Raises
    BadInput for a generation that does not exist or a ``since`` after it.
    """
    if current is None:
        current = connection.scalar(sa.text("SELECT max(id) FROM generations")) or 0
    until = generation or current
    if until != current and not connection.scalar(
        sa.text("SELECT count(*) FROM generations WHERE id = :id"), {"id": fitting(until, "generation")}
    ):
        raise BadInput(f"generation {until} does not exist; /mapit/generations lists those that do")
    if since and since != ANY_GENERATION and not 1 <= since <= until:
        raise BadInput(f"min_generation {since} is not -1 nor one of 1 to {until}")
    return Span(current, until, since or until)


def revision(connection: sa.Connection) -> int:
    """A number that changes whenever areas are imported anew."""
    return connection.scalar(sa.text("SELECT max(id) FROM imports")) or 0


def fitting(number: int, what: str) -> int:
    """The number, when PostgreSQL's integer holds it. Raises BadInput."""
    if not -(2**31) <= number < 2**31:
        raise BadInput(f"{what} {number} is out of range")
    return number


# --- areas ----------------------------------------------------------------------------------


def numbers(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Codes of the numbers that exist."""
    rows = connection.execute(sa.text("SELECT id, code FROM mapit_ids WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {row.id: row.code for row in rows}


def number_of(connection: sa.Connection, code: str) -> int | None:
    """Number of a code."""
    found: int | None = connection.scalar(sa.text("SELECT id FROM mapit_ids WHERE code = :code"), {"code": code})
    return found


def by_ids(connection: sa.Connection, ids: Sequence[int], current: int) -> Iterator[Row]:
    """Areas by number, whatever generation they belong to; numbers nobody has are left out."""
    ever = Span(current, current, ANY_GENERATION)
    return _rows(connection, [_areas("i.id = ANY(:ids)"), _grids("i.id = ANY(:ids)", ever)], ever, ids=list(ids))


def by_type(connection: sa.Connection, types: Types | None, when: Span) -> Iterator[Row]:
    """All areas of some types."""
    return _matching(connection, types, when, "true", "true")


def by_name(connection: sa.Connection, start: str, types: Types | None, when: Span) -> Iterator[Row]:
    """Areas whose name begins with a text, in either case."""
    pattern = start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return _matching(connection, types, when, "a.name ILIKE :start", "g.name ILIKE :start", start=pattern)


def children(connection: sa.Connection, code: str, types: Types | None, when: Span) -> Iterator[Row]:
    """Areas right below one."""
    grids = "coalesce(g.parent, g.community) = :parent"
    return _matching(connection, types, when, "a.parent = :parent", grids, parent=code)


def related(connection: sa.Connection, code: str, relation: str, types: Types | None, when: Span) -> Iterator[Row]:
    """Areas that lie to one as a word of `RELATIONS` says, itself left out. Raises Broken when
    that takes too long."""
    connection.execute(sa.text(f"SET LOCAL statement_timeout = {round(QUERY_SECONDS * 1000)}"))
    grown, shrunk = "(SELECT grown FROM target)", "(SELECT shrunk FROM target)"
    lies = RELATIONS[relation].replace("x)", "{0}.geometry)").replace("grown", grown).replace("shrunk", shrunk)
    where = f"{{0}}.code <> :code AND {{0}}.geometry && {grown} AND ({lies})"
    target = f"""target AS MATERIALIZED (
        SELECT ST_Buffer(geometry, {SAME_PLACE}, 'join=mitre') AS grown, ST_Buffer(geometry, -{SAME_PLACE}) AS shrunk
        FROM ({_one_shape(when)}) shape)"""
    try:
        yield from _matching(connection, types, when, where.format("a"), where.format("g"), ahead=target, code=code)
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "57014":
            raise Broken(
                f"areas with {relation!r} to {code} take over {QUERY_SECONDS:g} s to find; restrict them with type=",
                code="too_slow",
            ) from error
        raise


def at_point(
    connection: sa.Connection, lon: float, lat: float, types: Types | None, when: Span, *, owner: str | None = None,
    box: bool = False,
) -> list[Row]:  # fmt: skip
    """Areas that cover a point (``box``: whose bounding box does), EPSG:4490.

    In one generation there is one of each type, as `/api/v1/locate` tells them: the owning grid, the areas above it,
    its micro-grid of every level, and of every professional system the grid of the smallest code. Outside all grids,
    the areas of the smallest codes. ``owner``: the owning grid, when an index has told it already.
    """
    place: dict[str, Any] = {"lon": lon, "lat": lat}
    covers = "{}.geometry && " + POINT if box else "ST_Covers({}.geometry, " + POINT + ")"
    if box or not when.one:
        return list(_matching(connection, types, when, covers.format("a"), covers.format("g"), **place))
    if owner is None:
        owner = _owner_at(connection, when, place)
    parts = [_grids(f"NOT ({FIRST_LEVEL}) AND " + covers.format("g"), when)]
    if owner is None:
        parts.append(_areas(covers.format("a")))
    else:
        parts += [_grids(f"{FIRST_LEVEL} AND g.code = :owner", when), _areas("a.code IN (SELECT code FROM above)")]
    rows = _rows(connection, parts, when, ahead=f"RECURSIVE {_above(when)}", owner=owner, **place)
    chosen = _one_of_each(list(rows), owner)
    return [row for row in chosen if types is None or types.hold(row.level, row.system, row.code)]


def _owner_at(connection: sa.Connection, when: Span, place: dict[str, Any]) -> str | None:
    """The specification itself: the smallest code among the first-level grids that cover the point."""
    query = f"""SELECT min(g.code COLLATE "C") FROM grids g
                WHERE {FIRST_LEVEL} AND {_in_force(when)} AND ST_Covers(g.geometry, {POINT})"""
    found: str | None = connection.scalar(sa.text(query), {"since": when.since, "until": when.until, **place})
    return found


def _one_of_each(rows: list[Row], owner: str | None) -> list[Row]:
    """One row of each level and system: rows come in code order, so the first; micro-grids only inside each other."""
    chosen: dict[tuple[str | int, str], Row] = {}
    inside = owner
    for row in sorted(rows, key=lambda row: row.level if isinstance(row.level, int) else 0):
        if row.system == COMPREHENSIVE and isinstance(row.level, int) and row.level > 1:
            if row.parent_code != inside or (row.level, row.system) in chosen:
                continue  # on a common border, a neighbour's
            inside = row.code
        chosen.setdefault((row.level, row.system), row)
    return list(chosen.values())


# --- the SQL --------------------------------------------------------------------------------

POINT = "ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)"
FIRST_LEVEL = f"g.system = '{COMPREHENSIVE}' AND g.level = 1"
_KNOWN = ", ".join(f"'{system.name}'" for system in grid_systems().values())


def _areas(where: str) -> str:
    return f"""SELECT i.id, a.code, a.name, a.name_en, a.level, '' AS system, a.parent, 0 AS since
               FROM areas a JOIN mapit_ids i ON i.code = a.code WHERE {where}"""


def _grids(where: str, when: Span) -> str:
    return f"""SELECT i.id, g.code, g.name, '' AS name_en, CAST(g.level AS text) AS level, g.system,
                      coalesce(g.parent, g.community) AS parent, lower(g.generations) AS since
               FROM grids g JOIN mapit_ids i ON i.code = g.code WHERE {_in_force(when)} AND ({where})"""


def _in_force(when: Span) -> str:
    if when.since == ANY_GENERATION:
        return "g.generations IS NOT NULL"
    return "g.generations && int4range(:since, :until, '[]')"


def _one_shape(when: Span) -> str:
    """Outline of the area with a code: the newest one of the span, or the newest of all."""
    return f"""SELECT geometry FROM (
                   SELECT geometry, 0 AS since, true AS wanted FROM areas WHERE code = :code
                   UNION ALL SELECT geometry, lower(generations), {_in_force(when)} FROM grids g
                   WHERE code = :code AND generations IS NOT NULL
               ) drawn ORDER BY wanted DESC, since DESC LIMIT 1"""


def _chosen(types: Types | None, when: Span, areas: str, grids: str) -> Iterator[str]:
    """The parts of a query: areas and grids of the types that meet a condition each."""
    if types is None:
        yield _areas(areas)
        yield _grids(grids, when)
        return
    if types.areas:
        yield _areas(f"a.level = ANY(:areas) AND ({areas})")
    kinds = []
    if types.levels:
        kinds.append(f"(g.system = '{COMPREHENSIVE}' AND g.level = ANY(:levels))")
    if types.systems:
        kinds.append("g.system = ANY(:systems)")
    if types.objects:
        kinds.append(f"(g.system NOT IN ('{COMPREHENSIVE}', {_KNOWN}) AND left(g.code, 6) = ANY(:objects))")
    if kinds:
        yield _grids(f"({' OR '.join(kinds)}) AND ({grids})", when)


def _lists(types: Types | None) -> dict[str, list[Any]]:
    return {} if types is None else {name: getattr(types, name) for name in Types.__dataclass_fields__}


def _above(when: Span) -> str:
    """Codes of the areas above a grid, as part of a query."""
    return f"""above AS (
        SELECT g.community AS code FROM grids g WHERE g.code = :owner AND {_in_force(when)}
        UNION SELECT a.parent FROM areas a JOIN above ON a.code = above.code WHERE a.parent IS NOT NULL)"""


def _matching(
    connection: sa.Connection,
    types: Types | None,
    when: Span,
    areas: str,
    grids: str,
    *,
    ahead: str = "",
    **values: Any,
) -> Iterator[Row]:
    parts = list(_chosen(types, when, areas, grids))
    if not parts:
        return iter(())
    return _rows(connection, parts, when, ahead=ahead, many=True, **values, **_lists(types))


def _rows(
    connection: sa.Connection, parts: Sequence[str], when: Span, *, ahead: str = "", many: bool = False, **values: Any
) -> Iterator[Row]:
    """Areas in code order, each once, in its newest shape of the span; ``many``: fetched piece by piece."""
    query = f"""
        WITH {ahead + ", " if ahead else ""}found AS ({" UNION ALL ".join(parts)}),
        lives AS (
            SELECT code, min(lower(generations)) AS low, max(upper(generations)) - 1 AS high,
                   bool_or(upper_inf(generations)) AS on_and_on
            FROM grids WHERE generations IS NOT NULL AND code = ANY(ARRAY(SELECT code FROM found WHERE system <> ''))
            GROUP BY code
        )
        SELECT DISTINCT ON (f.code COLLATE "C")
               f.id, f.code, f.name, f.name_en, f.level, f.system, p.id AS parent, f.parent AS parent_code,
               CASE WHEN f.system = '' THEN (SELECT coalesce(min(id), 0) FROM generations) ELSE lives.low END AS low,
               CASE WHEN f.system = '' OR lives.on_and_on THEN :current ELSE lives.high END AS high
        FROM found f LEFT JOIN mapit_ids p ON p.code = f.parent LEFT JOIN lives ON lives.code = f.code
        ORDER BY f.code COLLATE "C", f.since DESC"""
    given = {"since": when.since, "until": when.until, "current": when.current, **values}
    found = connection.execute(sa.text(query), given)
    for row in found.yield_per(CHUNK) if many else found:
        about = dict(row._mapping)
        yield Row(**about | {"level": int(row.level) if row.system else row.level})
