"""Scratch databases: copied from the newest schema once, emptied after a test and lent to the next one.

A copy takes longer than most tests do. A database whose schema or given rows a test has changed is dropped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from data import embedded

_OURS = """
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""
_SCHEMA = f"""
    WITH ours AS (SELECT c.oid, c.relname, c.relkind, n.nspname {_OURS})
    SELECT md5(string_agg(what, ';' ORDER BY what)) FROM (
        SELECT format('%s.%s %s', nspname, relname, relkind) AS what FROM ours
        UNION ALL SELECT format('%s.%s %s %s %s', relname, attname, atttypid, atttypmod, attnotnull)
            FROM ours JOIN pg_attribute ON attrelid = oid WHERE attnum > 0 AND NOT attisdropped
        UNION ALL SELECT format('%s %s', relname, pg_get_constraintdef(k.oid))
            FROM ours JOIN pg_constraint k ON conrelid = ours.oid
        UNION ALL SELECT pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = oid
        UNION ALL SELECT pg_get_triggerdef(t.oid) || tgenabled::text FROM ours JOIN pg_trigger t ON tgrelid = ours.oid
        UNION ALL SELECT pg_get_viewdef(oid) FROM ours WHERE relkind = 'v'
        UNION ALL SELECT format('%s functions %s', count(*), sum(hashtext(prosrc)::bigint)) FROM pg_proc
        UNION ALL SELECT extname || extversion FROM pg_extension
        UNION ALL SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
            WHERE datname = current_database()
    ) parts"""


@dataclass(frozen=True)
class State:
    """What a database holds: a digest of its schema, of each table's rows (None: no rows), the sequences' values."""

    schema: str
    rows: dict[tuple[str, str], str | None]
    sequences: dict[tuple[str, str], int | None]


class Scratch:
    """The scratch databases of one cluster."""

    def __init__(self, cluster: embedded.Cluster) -> None:
        self._cluster = cluster
        self._numbers = itertools.count()
        self._free: list[str] = []
        with self._to(embedded.DATABASE) as connection:
            self._new = _state(connection)
            self._notes = connection.execute("SELECT coalesce(max(id), 0) FROM layer_changes").fetchone()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """SQLAlchemy URL of a database with the newest, empty schema."""
        name = self._free.pop() if self._free else self._made()
        try:
            yield self._cluster.url_of(name)
        finally:
            if self._emptied(name):
                self._free.append(name)
            else:
                with self._to("postgres") as admin:
                    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _to(self, database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self._cluster.socket), user=embedded.ROLE, dbname=database, autocommit=True)

    def _made(self) -> str:
        name = f"scratch_{next(self._numbers)}"
        with self._to("postgres") as admin:
            source, copy = sql.Identifier(embedded.DATABASE), sql.Identifier(name)
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, source))
        return name

    def _emptied(self, name: str) -> bool:
        """Whether the database is as new again."""
        with self._to("postgres") as admin:
            admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))
        with self._to(name) as connection:
            connection.execute("SET session_replication_role = replica")  # no trigger, no order among the tables
            if not self._given_again(connection):
                return False
            found = _state(connection)
            changed = [table for table, digest in self._new.rows.items() if found.rows.get(table) != digest]
            if found.schema != self._new.schema or any(self._new.rows[table] for table in changed):
                return False
            for table in changed:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
            for sequence, value in self._new.sequences.items():
                if found.sequences[sequence] != value:
                    quoted = sql.Identifier(*sequence)
                    connection.execute(
                        sql.SQL("ALTER SEQUENCE {} RESTART").format(quoted)
                        if value is None
                        else sql.SQL("SELECT setval({}, {})").format(sql.Literal(quoted.as_string()), value)
                    )
        return True

    def _given_again(self, connection: psycopg.Connection[Any]) -> bool:
        """Take back what every test adds to rows that were given; False where their tables are gone."""
        try:
            connection.execute("UPDATE audit_head SET seq = 0, hash = sha256('gisgrid')")
            connection.execute("DELETE FROM layer_changes WHERE id > %s", self._notes)
        except psycopg.errors.UndefinedTable:
            return False
        return True


def _state(connection: psycopg.Connection[Any]) -> State:
    def one(query: Any) -> Any:
        row = connection.execute(query).fetchone()
        return row[0] if row else None

    tables = connection.execute(
        f"SELECT n.nspname, c.relname {_OURS} AND c.relkind IN ('r', 'm') ORDER BY 1, 2"
    ).fetchall()
    digests = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, {}, (SELECT md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))) FROM {} r)").format(
            schema, table, sql.Identifier(schema, table)
        )
        for schema, table in tables
    )
    sequences = connection.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences").fetchall()
    return State(
        str(one(_SCHEMA)),
        {(schema, table): digest for schema, table, digest in connection.execute(digests)},
        {(schema, name): value for schema, name, value in sequences},
    )
