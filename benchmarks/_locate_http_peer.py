"""The peer of the HTTP benchmark: the least Flask endpoint that asks PostGIS for the owner of each point.

One prepared statement on a pooled psycopg connection; parameters are checked no further than their conversion to
numbers, and the answer has two members. Run as a program it serves itself under the server `gisgrid serve` uses.
"""

from __future__ import annotations

import os
import sys

from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

RULE = """
    SELECT min(code COLLATE "C") FROM grids
    WHERE ST_Covers(geometry, ST_SetSRID(ST_MakePoint(%s, %s), 4490))
      AND upper_inf(generations) AND level = 1 AND system = '综合'
"""


def create() -> Flask:
    """The endpoint on the database the environment names."""
    app = Flask("peer")
    address = os.environ["GISGRID_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    pool = ConnectionPool(address, min_size=2, max_size=4, open=True, kwargs={"autocommit": True})

    @app.get("/locate")
    def locate() -> Response:
        lon, lat = float(request.args["lon"]), float(request.args["lat"])
        with pool.connection() as connection:
            row = connection.execute(RULE, (lon, lat), prepare=True).fetchone()
        return app.json.response(owner=row and row[0], generation=1)

    return app


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    port, workers = map(int, sys.argv[1:])
    Granian(
        "benchmarks._locate_http_peer:create", factory=True, address="127.0.0.1", port=port,
        interface=Interfaces.WSGI, workers=workers, blocking_threads=2, backpressure=32, log_level=LogLevels.warning,
    ).serve()
