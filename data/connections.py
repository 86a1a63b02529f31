"""Connections that do not wait for ever: to a database that went away, and for those who went away from it.

A machine that vanishes, a firewall that forgets and a proxy that swallows send no goodbye. The kernel gives up where
nothing is acknowledged (``tcp_user_timeout``) and where nobody answers (keepalives), on both sides, so that a lost
client's locks fall too. Where something in between goes on acknowledging, only the wait itself can end.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, Final

import psycopg
import sqlalchemy as sa

CONNECT_SECONDS: Final = 5
PING_SECONDS: Final = 3.0
"""How long a connection taken from the pool may take to show that it lives, or to roll back when it is given back."""
LOST_SECONDS: Final = 20
"""What was sent must be acknowledged within this; also the first keepalive of a connection that is silent."""
TCP: Final[dict[str, int]] = {
    "connect_timeout": CONNECT_SECONDS, "keepalives": 1, "keepalives_idle": LOST_SECONDS, "keepalives_interval": 5,
    "keepalives_count": 4, "tcp_user_timeout": 1000 * LOST_SECONDS,
}  # fmt: skip
"""Of libpq; without meaning on a Unix socket."""
_SESSION: Final = "; ".join(
    [
        # one plan for any box reads ten times as much as needed
        "SET plan_cache_mode = force_custom_plan",
        f"SET tcp_keepalives_idle = {LOST_SECONDS}",
        "SET tcp_keepalives_interval = 5",
        "SET tcp_keepalives_count = 4",
        f"SET tcp_user_timeout = {1000 * LOST_SECONDS}",
    ]
)


class Answering(psycopg.Connection[Any]):
    """A connection that gives up on a server which says nothing for ``patience`` seconds (None: it waits)."""

    patience: float | None = None

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's. Raises OperationalError, the connection closed, when the patience is over."""
        seconds = self.patience
        if seconds is None:
            return super().wait(gen, *args, **kwargs)
        return super().wait(self._within(gen, seconds), *args, **kwargs)

    def _within(self, gen: Any, seconds: float) -> Generator[Any, Any, Any]:
        deadline = time.monotonic() + seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    deadline = time.monotonic() + seconds
                elif time.monotonic() > deadline:
                    self.pgconn.finish()  # in the middle of something: no use to anybody
                    raise psycopg.OperationalError(f"the database said nothing for {seconds:g} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def watched(engine: sa.Engine, patience: float | None) -> None:
    """Have an engine's connections be `Answering`: ``patience`` seconds while in use, `PING_SECONDS` between uses."""

    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Any:
        return Answering.connect(*arguments, **parameters)

    def given_out(connection: Any, *_: Any) -> None:
        connection.patience = patience

    def given_back(connection: Any, *_: Any) -> None:
        if connection is not None:
            connection.patience = PING_SECONDS

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "checkout", given_out)
    sa.event.listen(engine, "reset", given_back)


def _prepare(connection: Any, _record: Any) -> None:
    """Set up a session: by statements and no start parameters, which pgbouncer refuses."""
    before, connection.autocommit = connection.autocommit, True
    connection.execute(_SESSION)
    connection.autocommit = before
