"""Whether this process can do its work: each thing it needs looked at and told by itself."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from api.current import CurrentGrids
from data.db import known_schemas
from gisgrid.errors import GisgridError

SILENT_SECONDS: Final = 30.0
"""A worker whose last sign of life is older does not count."""
Check = dict[str, Any]


def look(engine: sa.Engine, current: CurrentGrids, leaving: Path | None) -> tuple[bool, list[Check]]:
    """Whether requests may come, and what was found: ``name``, ``status`` (ok, warning, failed), ``detail``."""
    checks = [_told_to_stop(leaving)] if leaving is not None and leaving.exists() else []
    try:
        with engine.connect() as connection:
            connection.execute(sa.select(1))
            checks += [_check("database", "ok", "answers"), _schema(connection), _worker(connection)]
    except sa.exc.SQLAlchemyError:
        checks.append(_check("database", "failed", "does not answer"))
    checks.append(_grids(current))
    return all(check["status"] != "failed" for check in checks), checks


@functools.cache
def newest_schema() -> str:
    """The schema version this program works with."""
    return known_schemas()[-1]


def _check(name: str, status: str, detail: str) -> Check:
    return {"name": name, "status": status, "detail": detail}


def _told_to_stop(leaving: Path) -> Check:
    return _check("server", "failed", "was told to stop; it answers what it has and takes no more soon")


def _schema(connection: sa.Connection) -> Check:
    found, wanted = MigrationContext.configure(connection).get_current_revision(), newest_schema()
    if found == wanted:
        return _check("schema", "ok", f"version {found}")
    what = "run 'gisgrid db upgrade'" if found is None or found < wanted else "run the newer gisgrid"
    return _check("schema", "failed", f"version {found}, not {wanted}; {what}")


def _worker(connection: sa.Connection) -> Check:
    """Jobs wait without a worker; questions are answered all the same, so that is a warning."""
    query = sa.text(
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
    )
    try:
        alive = connection.scalar(query, {"seconds": SILENT_SECONDS})
    except sa.exc.ProgrammingError:
        connection.rollback()
        alive = 0
    if alive:
        return _check("worker", "ok", f"{alive} alive")
    return _check("worker", "warning", f"none gave a sign of life for {SILENT_SECONDS:.0f} s; jobs and webhooks wait")


def _grids(current: CurrentGrids) -> Check:
    try:
        loaded = current.get()
    except (GisgridError, sa.exc.SQLAlchemyError, OSError) as error:
        return _check("grids", "failed", f"cannot be loaded: {type(error).__name__}")
    if loaded is None:
        return _check("grids", "ok", "no plan is published yet")
    return _check("grids", "ok", f"generation {loaded.generation.id}, {len(loaded.grids)} grids")
