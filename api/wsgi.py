"""The application as a WSGI server's workers load it: one engine a process, settings from the environment."""

from __future__ import annotations

from pathlib import Path

from apiflask import APIFlask

from api import logs
from api.app import create_app
from data import embedded
from data.db import make_engine
from gisgrid.limits import DATABASE_SECONDS_MAX
from gisgrid.settings import Settings


def create(drawers: Path | None = None, shared: Path | None = None, level: str | None = None) -> APIFlask:
    """The service of this process. The database is up and migrated already (`gisgrid serve` sees to it).

    ``shared``: folder of all processes of a server; ``level`` of the log, where the settings name none.
    """
    settings = Settings.from_env()
    logs.configure(settings, level=level)
    url = settings.database_url or embedded.cluster_at(settings.home).url
    engine = make_engine(url, pool=4, patience=DATABASE_SECONDS_MAX)
    return create_app(settings, engine, drawers=drawers, shared=shared)
