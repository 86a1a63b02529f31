"""Tables as they were at a moment: the rows of now, with what the audit log says was changed since taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from data import tables as t
from data.tables.audit import AUDITED
from gisgrid.errors import NotFound


def read_past(connection: sa.Connection, when: datetime) -> None:
    """From now on every SELECT of this connection reads the audited tables as they were at a moment.

    Statements need not know: what is made of them (counts, joins, subqueries) is made of the rows of then. Other tables
    are read as they are now. Statements written as text cannot be looked into and are refused. Raises NotFound for a
    moment before the log began.
    """
    since = connection.scalar(sa.select(t.audit_head.c.since))
    if since is not None and when < since:
        raise NotFound(
            f"at={when.isoformat()} is before changes were written down; what was can be told since "
            f"{since.isoformat(timespec='seconds')}"
        )

    def taken_back(_: sa.Connection, statement: Any, many: Any, values: Any, __: Any) -> tuple[Any, Any, Any]:
        if not isinstance(statement, sa.SelectBase) or isinstance(statement, sa.TextualSelect):
            raise TypeError(f"only selects are read as of a moment, not {type(statement).__name__}")
        named = {one.name: one for one in visitors.iterate(statement) if isinstance(one, sa.Table)}
        past = [rows_at(table, when) for name, table in sorted(named.items()) if name in AUDITED]
        return statement.add_cte(*past), many, values

    sa.event.listen(connection, "before_execute", taken_back, retval=True)


def rows_at(table: sa.Table, when: datetime) -> sa.CTE:
    """A table as it was at a moment, as a CTE of the same name: in a statement that carries it, the name means it.

    Every committed change after the moment is undone: of each column the value before its first change since, rows
    inserted since left out, rows deleted since brought back. Computed columns are computed anew. Columns the log
    does not know (`data.tables.NOT_TOLD`) are as they are now, empty in rows that are gone.
    """
    name = table.name
    key = next(iter(table.primary_key.columns)).name
    kind = "text" if key == "code" else "bigint"
    given = [column.name for column in table.columns if column.computed is None]
    columns = []
    for column in table.columns:
        if column.computed is not None:
            columns.append(f"{column.computed.sqltext} AS {column.name}")
        else:
            columns.append(f'"{column.name}"')
    listed = ", ".join(f'w."{column}"' for column in given)
    # rows with a code for a key are never inserted as a digest
    inserted = "AND NOT coalesce((SELECT ids @> standing.key FROM bulk), false)" if kind == "bigint" else ""
    body = sa.text(
        f"""
        WITH later AS (
          SELECT c.seq, c.action, c.changes #>> '{{digest,ids}}' AS many,
            CASE jsonb_typeof(c.changes) WHEN 'array' THEN c.changes ELSE '[]' END AS changes
          FROM audit_log AS c WHERE c.subject = '{name}' AND c.at > :moment),
        born AS (
          SELECT DISTINCT (one ->> 'id')\\:\\:{kind} AS id FROM later, jsonb_array_elements(later.changes) AS one
          WHERE action = 'insert'),
        bulk AS (
          SELECT range_agg(part) AS ids FROM later, unnest(later.many\\:\\:int8multirange) AS part),
        undone AS (
          SELECT (one ->> 'id')\\:\\:{kind} AS id,
            jsonb_object_agg(field.key, field.value ORDER BY later.seq DESC) AS was
          FROM later, jsonb_array_elements(later.changes) AS one, jsonb_each(one -> 'before') AS field
          WHERE action <> 'insert' AND jsonb_typeof(one -> 'before') = 'object' GROUP BY 1),
        standing AS (
          SELECT coalesce(n.{key}, u.id) AS key, n AS now, u.was
          FROM {name} AS n FULL JOIN undone AS u ON u.id = n.{key}),
        there AS (
          SELECT w.* FROM standing, jsonb_populate_record(standing.now, standing.was) AS w
          WHERE standing.was IS NOT NULL AND NOT EXISTS (SELECT FROM born WHERE born.id = standing.key)
            {inserted}
          UNION ALL
          SELECT (standing.now).* FROM standing
          WHERE standing.was IS NULL AND NOT EXISTS (SELECT FROM born WHERE born.id = standing.key)
            {inserted})
        SELECT {", ".join(columns)} FROM (SELECT {listed} FROM there AS w) AS w
        """
    ).bindparams(moment=when)
    return body.columns(*[sa.column(column.name, column.type) for column in table.columns]).cte(name)
