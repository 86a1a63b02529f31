"""Engines, connections and schema versions of the database in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import as_file, files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from data import audit, embedded, queue
from data.code_tables import sync_code_tables
from data.connections import TCP, watched
from gisgrid.errors import BadInput, Broken
from gisgrid.settings import Settings


def sqlalchemy_url(url: str) -> str:
    """The same address with the psycopg 3 driver named."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


@contextmanager
def database(settings: Settings, *, upgrade: bool = True) -> Iterator[sa.Engine]:
    """An engine on the database the settings name, its schema at the newest version.

    Without ``GISGRID_DATABASE_URL`` the private cluster is started, and stopped afterwards by the one who started it.
    Raises Broken when the database cannot be reached or is not PostGIS.
    """
    if settings.database_url:
        with _engine(settings.database_url, settings, upgrade) as engine:
            yield engine
        return
    with ExitStack() as stack:
        cluster = stack.enter_context(embedded.running(embedded.cluster_at(settings.home)))
        yield stack.enter_context(_engine(cluster.url, settings, upgrade))


def make_engine(url: str, *, pool: int = 8, patience: float | None = None) -> sa.Engine:
    """An engine on a database address; its sessions carry this process's name. The caller disposes of it.

    ``patience``: seconds a statement may go without a word from the server; None: it may take its time, as long as the
    connection stands (`data.connections`).
    """
    about = {**TCP, "application_name": embedded.session_name()}
    engine = sa.create_engine(
        sqlalchemy_url(url),
        pool_pre_ping=True,
        pool_size=pool,
        max_overflow=pool,
        connect_args=about,
        hide_parameters=True,  # what is sent to the database must not stand in a log
    )
    watched(engine, patience)
    audit.heeding(engine)
    return engine


@contextmanager
def _engine(url: str, settings: Settings, upgrade: bool) -> Iterator[sa.Engine]:
    try:
        sa.make_url(url)
    except (ValueError, sa.exc.ArgumentError):  # its text may hold the password
        raise BadInput(
            "GISGRID_DATABASE_URL cannot be read; give postgresql://user:password@host:port/database"
        ) from None
    engine = make_engine(url)
    try:
        if upgrade:
            upgrade_schema(engine)
            queue.keep_in_step(engine)
            with engine.begin() as connection:
                sync_code_tables(connection, settings)
        yield engine
    finally:
        engine.dispose()


def unreachable(engine: sa.Engine, error: sa.exc.OperationalError) -> Broken:
    """The one-line error for a database that does not answer."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    where = engine.url.render_as_string(hide_password=True)
    return Broken(f"cannot reach the database {where}: {lines[0] if lines else error}", code="database_down")


def upgrade_schema(engine: sa.Engine) -> None:
    """Bring the schema to the newest version. Raises Broken when the database is unreachable or has no PostGIS."""
    with as_file(files("data.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        known = ScriptDirectory.from_config(config)
        newest = known.get_current_head()
        try:
            with engine.begin() as connection:
                there = MigrationContext.configure(connection).get_current_revision()
                if there == newest:
                    return
                if there is not None and there not in {script.revision for script in known.walk_revisions()}:
                    raise Broken(
                        f"the database has schema {there}, this program knows {newest} at most; "
                        "use the newer program that made it, or restore a backup of before",
                        code="schema_too_new",
                    )
                # two processes may come here at once on first use
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(4490)"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except sa.exc.OperationalError as error:
            raise unreachable(engine, error) from error
        except (sa.exc.ProgrammingError, sa.exc.NotSupportedError, sa.exc.InternalError) as error:
            first = str(error.orig).splitlines()[0]
            raise Broken(f"cannot prepare the database: {first}; it must offer PostGIS 3.3 or newer") from error


def known_schemas() -> list[str]:
    """The schema versions of this program, oldest first."""
    with as_file(files("data.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def schema_version(engine: sa.Engine) -> str | None:
    """The schema version the database is at, None when it is empty."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        raise unreachable(engine, error) from error
