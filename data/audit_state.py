"""Rows held against their history: what stands in the audited tables is what the log says became of them.

The chain shows every hand laid on the log; this shows changes that went past it, made where triggers were switched off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from data.tables import AUDITED, NOT_TOLD, metadata

FAULTS_TOLD = 100


@dataclass(slots=True)
class Agreement:
    """Rows that were compared, and those that are not as the log says; the first `FAULTS_TOLD` of these are told."""

    rows: int = 0
    broken: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)
    """``subject``, ``id`` and ``message``."""

    @property
    def ok(self) -> bool:
        """Whether every row is as the log says."""
        return not self.broken


def compare(connection: sa.Connection) -> Agreement:
    """Fold the log's entries into the newest known value of every column, and compare the audited tables with them.

    Told are rows that differ, that are gone though no entry deleted them, that are there though one did, and rows with
    a number that came in past the log. Of rows inserted in thousands, of which the log has a digest, and of those from
    before it began, only what was changed since is compared. One statement a table, run in the caller's transaction.
    """
    found = Agreement()
    connection.execute(sa.text("SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)"))
    for name in AUDITED:
        for row in connection.execute(_statement(metadata.tables[name])).mappings():
            if row["fault"] is None:
                found.rows += int(row["id"])
                continue
            found.broken += 1
            if len(found.faults) < FAULTS_TOLD:
                message = f"{name} {row['id']}: {TOLD[row['fault']]}"
                if row["columns"]:
                    message += f" in {', '.join(sorted(row['columns']))}"
                found.faults.append({"subject": name, "id": row["id"], "message": message})
    return found


TOLD = {
    "differs": "is not as the log says",
    "gone": "is gone, and no entry of the log deleted it",
    "back": "is there, and the log says it was deleted",
    "unknown": "came in past the log",
}


def _statement(table: sa.Table) -> sa.TextClause:
    """The rows at fault as ``(fault, id, columns)``, and one with fault NULL that counts the rows compared."""
    name, key = table.name, next(iter(table.primary_key.columns)).name
    left_out = NOT_TOLD.get(name, ())
    given = ", ".join(
        f"encode(ST_AsBinary(r.{column.name}), 'hex') AS {column.name}"
        if type(column.type).__name__ == "Geometry"
        else f'r."{column.name}"'
        for column in table.columns
        if column.computed is None and column.name not in left_out
    )
    numbered = key == "id"
    unknown = """
        UNION ALL SELECT 'unknown', r.id, NULL::text[] FROM now AS r
        WHERE r.id::bigint > (SELECT min(id) FROM numbers) AND NOT EXISTS (SELECT FROM born WHERE born.id = r.id)
          AND NOT coalesce((SELECT ids @> r.id::bigint FROM bulk), false)
        UNION ALL SELECT 'gone', n::text, NULL::text[]
        FROM bulk, unnest(bulk.ids) AS part, generate_series(lower(part), upper(part) - 1) AS n
        WHERE NOT EXISTS (SELECT FROM now WHERE now.id = n::text)
          AND NOT EXISTS (SELECT FROM last WHERE last.id = n::text)"""
    return sa.text(
        f"""
        WITH entries AS MATERIALIZED (
          SELECT seq, action, changes #>> '{{digest,ids}}' AS many,
            CASE jsonb_typeof(changes) WHEN 'array' THEN changes ELSE '[]' END AS changes
          FROM audit_log WHERE subject = '{name}' AND seq IS NOT NULL),
        one AS MATERIALIZED (
          SELECT e.seq, e.action, c ->> 'id' AS id, c -> 'after' AS after
          FROM entries AS e, jsonb_array_elements(e.changes) AS c),
        born AS (SELECT DISTINCT id FROM one WHERE action = 'insert'),
        bulk AS (SELECT range_agg(part) AS ids FROM entries, unnest(many\\:\\:int8multirange) AS part),
        numbers AS (
          SELECT id\\:\\:bigint FROM born WHERE {str(numbered).lower()} AND id ~ '^[0-9]+$'
          UNION ALL SELECT lower(part) FROM bulk, unnest(bulk.ids) AS part),
        last AS (SELECT DISTINCT ON (id) id, action FROM one ORDER BY id, seq DESC),
        begun AS (SELECT id, max(seq) AS seq FROM one WHERE action <> 'update' GROUP BY id),
        known AS (
          SELECT o.id, f.key, (array_agg(f.value ORDER BY o.seq DESC))[1] AS value
          FROM one AS o LEFT JOIN begun AS b ON b.id = o.id,
            jsonb_each(CASE jsonb_typeof(o.after) WHEN 'object' THEN o.after ELSE '{{}}' END) AS f
          WHERE o.seq >= coalesce(b.seq, 0) GROUP BY o.id, f.key),
        now AS MATERIALIZED (
          SELECT r.{key}\\:\\:text AS id, to_jsonb((SELECT x FROM (SELECT {given}) AS x)) AS j FROM {name} AS r)
        SELECT NULL AS fault, count(*)\\:\\:text AS id, NULL\\:\\:text[] AS columns FROM now
        UNION ALL
        SELECT 'differs', k.id, array_agg(k.key) FROM known AS k JOIN now ON now.id = k.id
        JOIN last ON last.id = k.id AND last.action <> 'delete'
        WHERE now.j ? k.key AND now.j -> k.key IS DISTINCT FROM k.value GROUP BY k.id
        UNION ALL
        SELECT 'gone', l.id, NULL FROM last AS l LEFT JOIN now ON now.id = l.id
        WHERE l.action <> 'delete' AND now.id IS NULL
        UNION ALL
        SELECT 'back', l.id, NULL FROM last AS l JOIN now ON now.id = l.id WHERE l.action = 'delete'
        {unknown.replace("::", chr(92) + ":" + chr(92) + ":") if numbered else ""}
        """
    )
