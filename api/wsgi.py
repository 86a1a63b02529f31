"""The application as a WSGI server's workers load it: one engine a process, settings from the environment."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIFlask

from api.app import create_app
from data import embedded
from data.db import sqlalchemy_url
from gisgrid.settings import Settings


def create() -> APIFlask:
    """The service of this process. The database is up and migrated already (`gisgrid serve` sees to it)."""
    settings = Settings.from_env()
    url = sqlalchemy_url(settings.database_url) if settings.database_url else embedded.cluster_at(settings.home).url
    engine = sa.create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=4, connect_args={"connect_timeout": 5})
    return create_app(settings, engine)
