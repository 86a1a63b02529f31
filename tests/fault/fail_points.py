"""Moments amid a transaction, before and after each of its writes, at which it can be held and its makers killed.

Triggers of the test count the statements of a transaction that publishes; at the one that is wanted the transaction waits for an
advisory lock that the test has. Two more moments: within the commit, before it counts (a deferred trigger), and right
after it counts, before anybody knows (PostgreSQL waits for a stand-by that is not there).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from data.publishing import _PUBLISH_LOCK
from tests.fault.city import City

LOCK = 4242
_SETUP = f"""
CREATE SCHEMA faults;
CREATE TABLE faults.wanted (mode text NOT NULL, point integer NOT NULL, apps text[] NOT NULL);
CREATE TABLE faults.seen (point integer, what text);
CREATE FUNCTION faults.pass() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked faults.wanted;
    number integer;
BEGIN
    SELECT * INTO asked FROM faults.wanted WHERE current_setting('application_name') = ANY (apps) AND EXISTS (
        SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objid = {_PUBLISH_LOCK});
    IF FOUND THEN
        number := coalesce(nullif(current_setting('faults.number', true), ''), '0')::integer + 1;
        PERFORM set_config('faults.number', number::text, true);
        IF asked.mode = 'record' THEN
            INSERT INTO faults.seen VALUES (number, format('%s %s of %s', lower(TG_WHEN), lower(TG_OP), TG_TABLE_NAME)
                || CASE TG_LEVEL WHEN 'ROW' THEN ', at the commit' ELSE '' END);
        ELSIF asked.mode = 'committed' THEN
            PERFORM set_config('synchronous_commit', 'on', true);
        ELSIF number = asked.point THEN
            PERFORM pg_advisory_xact_lock_shared({LOCK});
        END IF;
    END IF;
    RETURN CASE WHEN TG_LEVEL = 'ROW' THEN NEW END;
END $$;
DO $$
DECLARE one text; side text;
BEGIN
    FOR one IN SELECT c.relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname !~ '^procrastinate|^alembic|^spatial_ref' LOOP
        FOREACH side IN ARRAY ARRAY['BEFORE', 'AFTER'] LOOP
            EXECUTE format('CREATE TRIGGER %I %s INSERT OR UPDATE OR DELETE ON public.%I FOR EACH STATEMENT '
                'EXECUTE FUNCTION faults.pass()', 'zz_fault_' || lower(side), side, one);
        END LOOP;
    END LOOP;
    CREATE CONSTRAINT TRIGGER zz_fault_commit AFTER INSERT ON generations DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION faults.pass();
END $$;
"""


@dataclass(frozen=True)
class Held:
    """A transaction that waits at its fail point: the server's process, and ours that it works for."""

    backend: int
    process: int


def install(city: City) -> None:
    """Make the triggers."""
    city.sql(_SETUP)


def wanted(city: City, mode: str, point: int, pids: list[int]) -> None:
    """Which point of whose transactions is waited at; mode ``off``, ``record``, ``stop``, ``committed``."""
    city.sql("DELETE FROM faults.wanted")
    if mode != "off":
        apps = [f"gisgrid {pid}" for pid in pids]
        city.sql("INSERT INTO faults.wanted VALUES (%s, %s, %s)", mode, point, apps)


def seen(city: City) -> list[str]:
    """The points of the transaction that was recorded, in order; then it is forgotten."""
    rows = city.sql("SELECT what FROM faults.seen ORDER BY point")
    city.sql("DELETE FROM faults.seen")
    return [row[0] for row in rows]


@contextmanager
def lock(city: City) -> Iterator[None]:
    """Hold what a transaction at its fail point waits for; a cluster that recovers has forgotten it."""
    with city.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        try:
            yield
        finally:
            try:
                holder.execute("SELECT pg_advisory_unlock_all()")
            except psycopg.OperationalError:
                holder.close()


def until_held(city: City, seconds: float = 60) -> Held:
    """The transaction at its fail point, once it is there."""
    query = """
        SELECT a.pid, substring(a.application_name FROM 9)::integer FROM pg_stat_activity a
        WHERE a.wait_event = 'SyncRep'
           OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND NOT l.granted
                      AND l.objid = %s AND l.classid = 0)"""
    deadline = time.monotonic() + seconds
    with city.connect() as connection:
        while True:
            row: Any = connection.execute(query, (LOCK,)).fetchone()
            if row is not None:
                return Held(*row)
            assert time.monotonic() < deadline, f"the fail point was not reached\n{city.said()}"
            time.sleep(0.01)
