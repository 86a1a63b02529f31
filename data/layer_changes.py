"""What changed in the tables behind the layers: a revision for caches, the rows for what is held in memory.

A table is asked for by the name its changes are noted under (`data.tables.NOTES`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from data.tables import layer_changes

_c = layer_changes.c


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader has seen of one table: PostgreSQL's snapshot, and the newest note in it."""

    snapshot: str
    newest: int


@dataclass(frozen=True, slots=True)
class Revisions:
    """A revision per table, and PostgreSQL's snapshot they are read in."""

    tables: Mapping[str, str]
    snapshot: str


def revisions(connection: sa.Connection, tables: Collection[str]) -> Mapping[str, str]:
    """A text per table that differs whenever what this connection sees of the table differs."""
    return revisions_since(connection, tables, None).tables


def revisions_since(connection: sa.Connection, tables: Collection[str], before: Revisions | None) -> Revisions:
    """The revisions of tables; ``before``, an earlier answer for the same tables, spares reading the notes again while
    no transaction ended in between: two equal snapshots see the same rows. The connection itself wrote nothing."""
    given = {"tables": sorted(tables), "before": before.snapshot if before else ""}
    snapshot, notes = connection.exec_driver_sql(_REVISIONS, given).one()
    if before is not None and snapshot == before.snapshot:
        return before
    # late transactions may have low numbers: the largest alone would miss them
    found = {
        layer: f"{newest:x}-{number:x}-{int(total) & 0xFFFFFFFF:x}" for layer, newest, number, total in notes or []
    }
    return Revisions({table: found.get(table, "0") for table in tables}, snapshot)


_REVISIONS = """
SELECT pg_current_snapshot()::text,
  CASE WHEN pg_current_snapshot()::text <> %(before)s THEN (
    SELECT json_agg(json_build_array(layer, newest, number, total))
    FROM (
      SELECT layer, max(id) AS newest, count(*) AS number, sum(id) AS total
      FROM layer_changes WHERE layer = ANY(%(tables)s) GROUP BY layer
    ) AS notes
  ) END
"""


def seen(connection: sa.Connection, table: str) -> Seen:
    """What this connection sees now. Ask in the transaction (REPEATABLE READ) that reads the rows."""
    newest = sa.select(sa.func.coalesce(sa.func.max(_c.id), 0)).where(_c.layer == table).scalar_subquery()
    row = connection.execute(sa.select(sa.text("pg_current_snapshot()::text"), newest)).one()
    return Seen(str(row[0]), int(row[1]))


def rows_changed_since(connection: sa.Connection, table: str, before: Seen) -> list[int] | None:
    """Ids of the rows inserted, updated or deleted since; None when all rows must be read anew.

    Exact for transactions that committed in any order: a change counts when the earlier snapshot does not show it.
    """
    oldest = connection.scalar(sa.select(sa.func.min(_c.id)).where(_c.layer == table))
    if oldest is not None and oldest > before.newest:  # notes in between may have been thrown away
        return None
    unseen = sa.text(
        "NOT pg_visible_in_snapshot(CAST(CAST(transaction AS text) AS xid8), CAST(:snapshot AS pg_snapshot))"
    )
    query = sa.select(_c["keys"]).where(_c.layer == table, unseen)
    found: set[int] = set()
    for (keys,) in connection.execute(query, {"snapshot": before.snapshot}):
        if keys is None:
            return None
        found.update(keys)
    return sorted(found)
