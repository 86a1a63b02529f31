"""Answers kept for those who ask twice: by principal and key, in the transaction of the work they tell of.

While a request is worked on, its transaction holds an advisory lock of its key. That ends with the transaction, however
it ends: there is no mark that a dead process could leave behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t
from gisgrid.limits import IDEMPOTENCY_HOURS

k = t.idempotency_keys.c
_LOCK_SPACE = 44900006
_YOUNG = sa.text(f"interval '{IDEMPOTENCY_HOURS} hours'")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given. ``request``: SHA-256 of what was asked; ``body``: None where it was not to be kept."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: bytes | None


def take(connection: sa.Connection, principal: str, key: str) -> bool:
    """Claim a key to the end of the transaction; False while another transaction has it."""
    number = sa.func.hashtextextended(sa.func.concat(principal, "\x1f", key), _LOCK_SPACE)
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(number))))


def find(connection: sa.Connection, principal: str, key: str) -> Kept | None:
    """The answer kept under a key, unless its day is over."""
    query = sa.select(k.request, k.status, k.headers, k.body).where(
        k.principal == principal, k.key == key, k.at > sa.func.now() - _YOUNG
    )
    row = connection.execute(query).first()
    if row is None or row.status is None:
        return None
    return Kept(bytes(row.request), row.status, dict(row.headers), None if row.body is None else bytes(row.body))


def keep(connection: sa.Connection, principal: str, key: str, answer: Kept) -> None:
    """Keep an answer, in the transaction that `take` s the key and did the work."""
    values = {"request": answer.request, "status": answer.status, "headers": answer.headers, "body": answer.body}
    made = pg.insert(t.idempotency_keys).values(principal=principal, key=key, **values)
    connection.execute(
        made.on_conflict_do_update(index_elements=[k.principal, k.key], set_=values | {"at": sa.func.now()})
    )


def changed(connection: sa.Connection) -> bool:
    """Whether the transaction has changed or locked anything so far."""
    return bool(connection.scalar(sa.text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")))


def sweep(connection: sa.Connection) -> int:
    """Remove answers whose day is over; how many."""
    return int(connection.execute(sa.delete(t.idempotency_keys).where(k.at <= sa.func.now() - _YOUNG)).rowcount)
