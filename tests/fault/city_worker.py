"""A job worker of a city: the service's own, all kinds of work, that notices soon."""

from __future__ import annotations

import logging

from api.worker import Beat, work
from data import db
from gisgrid.settings import Settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s.%(msecs)03d %(process)d %(name)s %(message)s")
    for name in ("procrastinate", "psycopg.pool", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    given = Settings.from_env()
    with db.database(given) as engine:
        work(given, engine.url, beat=Beat(heartbeat=0.3, silent=1.5, look=0.3, again=0.2))
