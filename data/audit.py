"""Who is at work, told to the audit log: whatever a transaction changes is written down under that name.

The database writes the log by itself (triggers of migration 0012); all it must be told is who, why and from where, by
four settings that hold for one transaction. `heeding` tells it at the start of every transaction of an engine.
"""

from __future__ import annotations

import sqlalchemy as sa

from gisgrid.actors import at_work
from gisgrid.limits import ACTOR_CHARS_MAX

NOBODY = "nobody"
"""Principal of those who came in without a name; an empty one is for the database client of the operator."""


def acting(connection: sa.Connection, principal: str, name: str, reason: str = "", origin: str = "") -> None:
    """Say who makes the changes of this transaction, from here to its end."""
    given = {"principal": principal or NOBODY, "name": name, "reason": reason, "origin": origin}
    connection.exec_driver_sql(_TELL, {key: _kept(value) for key, value in given.items()})


_TELL = """
SELECT set_config('gisgrid.principal', %(principal)s, true), set_config('gisgrid.name', %(name)s, true),
  set_config('gisgrid.reason', %(reason)s, true), set_config('gisgrid.origin', %(origin)s, true)
"""


def _kept(value: str) -> str:
    return value.replace("\x00", "")[:ACTOR_CHARS_MAX]


def heeding(engine: sa.Engine) -> None:
    """Have every transaction of an engine begin with who is at work; nothing is said, nor asked, where nobody is."""
    sa.event.listen(engine, "begin", _tell)


def _tell(connection: sa.Connection) -> None:
    actor = at_work()
    # nothing holds for a transaction where every statement is one
    if actor is not None and connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        acting(connection, actor.principal, actor.name, actor.reason, actor.origin)
