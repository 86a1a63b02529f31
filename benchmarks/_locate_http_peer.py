"""The peer of the HTTP benchmark: the least Flask endpoint that asks PostGIS for the owner of each point.

    python benchmarks/_locate_http_peer.py PORT WORKERS THREADS

One prepared statement on a pooled psycopg connection, no set-up of a transaction, parameters checked no further than
their conversion to numbers, an answer of two members. It runs under the server `gisgrid serve` uses.
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
    threads = int(os.environ["PEER_THREADS"])
    pool = ConnectionPool(address, min_size=2, max_size=threads, open=True, kwargs={"autocommit": True})

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

    port, workers, threads = map(int, sys.argv[1:])
    os.environ["PEER_THREADS"] = str(threads)
    Granian(
        "benchmarks._locate_http_peer:create", factory=True, address="127.0.0.1", port=port, workers=workers,
        interface=Interfaces.WSGI, blocking_threads=threads, backpressure=2 * threads, log_level=LogLevels.error,
    ).serve()  # fmt: skip
