"""The queue under the jobs: procrastinate's tables, at the version of the installed package.

procrastinate ships its schema and numbered migrations and leaves it to the user which are applied. `keep_in_step`
does that whenever the database is opened: the table ``queue_migrations`` says what has been applied (see ADR 9).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import psycopg
import sqlalchemy as sa

from data import tables as t
from gisgrid.errors import Broken

TASK = "gisgrid.job"
QUEUE = "gisgrid"
_UPGRADE_LOCK = 44901
_OWN = (
    "SELECT 'TABLE ' || oid::regclass FROM pg_class "
    "WHERE relkind = 'r' AND starts_with(relname, 'procrastinate_') AND pg_table_is_visible(oid)",
    "SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc "
    "WHERE starts_with(proname, 'procrastinate_') AND pg_function_is_visible(oid)",
    "SELECT 'TYPE ' || oid::regtype FROM pg_type "
    "WHERE typtype IN ('e', 'c') AND starts_with(typname, 'procrastinate_') AND pg_type_is_visible(oid)",
)


def keep_in_step(engine: sa.Engine) -> None:
    """Make the queue's tables, or bring them to the installed procrastinate.

    Raises Broken when the database was used with a newer procrastinate, or holds one that is not ours.
    """
    shipped = _shipped()
    with engine.connect() as connection:
        known = _known(connection)
    if known and max(known) == shipped[-1]:
        return
    if known and max(known) > shipped[-1]:
        raise Broken(
            f"the job queue of this database is at {max(known)}, the installed procrastinate at {shipped[-1]}; "
            "install the newer procrastinate again"
        )
    if not known:
        _make(engine, shipped)
        return
    for name in shipped:
        if name > max(known):
            _apply(engine, name)


def put(connection: sa.Connection, job: int) -> None:
    """Queue a job in the caller's transaction: workers see it when, and only if, the transaction is kept."""
    from procrastinate import App, SyncPsycopgConnector  # a third of a second most commands need not wait

    app = App(connector=SyncPsycopgConnector())
    own = connection.connection.driver_connection
    app.configure_task(TASK, queue=QUEUE, lock=f"gisgrid job {job}", connection=own).defer(job=job)


def drop_queue(connection: sa.Connection) -> None:
    """Remove everything procrastinate made."""
    for listed in _OWN:  # tables first: functions hang on their triggers, types on both
        for name in connection.exec_driver_sql(listed).scalars().all():
            connection.exec_driver_sql(f"DROP {name} CASCADE")


def _make(engine: sa.Engine, shipped: list[str]) -> None:
    from procrastinate.schema import SchemaManager

    with engine.begin() as connection:
        if _locked(connection):  # another process made them meanwhile
            return
        if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar():
            raise Broken(
                "this database holds procrastinate tables gisgrid did not make; give gisgrid a database of its own"
            )
        _run(connection, SchemaManager.get_schema())
        connection.execute(sa.insert(t.queue_migrations), [{"name": name} for name in shipped])


def _apply(engine: sa.Engine, name: str) -> None:
    """One shipped migration in a transaction of its own, exactly once."""
    with engine.begin() as connection:
        if name not in _locked(connection):
            _run(connection, (_folder() / name).read_text(encoding="utf-8"))
            connection.execute(sa.insert(t.queue_migrations), {"name": name})


def _locked(connection: sa.Connection) -> set[str]:
    """What has been applied, with other processes kept from applying until the transaction ends."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    return _known(connection)


def _known(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.select(t.queue_migrations.c.name)))


def _run(connection: sa.Connection, script: str) -> None:
    """A script of several statements; per cent signs in it mean themselves."""
    own = connection.connection.driver_connection
    assert isinstance(own, psycopg.Connection)
    own.execute(script.encode())


def _folder() -> Path:
    """Where the package keeps its migrations, found without importing it: every command comes by here."""
    spec = importlib.util.find_spec("procrastinate")
    if spec is None or not spec.submodule_search_locations:
        raise Broken("the package procrastinate is not installed; run 'make setup'")
    return Path(spec.submodule_search_locations[0]) / "sql" / "migrations"


def _shipped() -> list[str]:
    return sorted(path.name for path in _folder().glob("*.sql"))
