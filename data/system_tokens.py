"""Tokens of systems: listed, made under the caps, noted as used. Their secrets are never kept (`data.accounts`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from data import tables as t
from data.accounts import Secret, add_token
from data.people import checked_grants, checked_name, one_at_a_time
from gisgrid.access import Grant
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import TOKEN_DAYS_MAX, TOKENS_MAX

k, g = t.tokens.c, t.grants.c
USED_EVERY: Final = 60.0
"""Seconds between two notes that a token is used."""


def listing(connection: sa.Connection) -> list[dict[str, Any]]:
    """All tokens, newest first: ``id name hint author state created_at expires_at revoked_at used_at grants``.

    ``state``: active, expired or revoked.
    """
    state = sa.case((k.revoked_at.is_not(None), "revoked"), (k.expires_at <= sa.func.now(), "expired"), else_="active")
    held: dict[int, list[Grant]] = {}
    given = sa.select(g.token, g.role, g.area).where(g.token.is_not(None)).order_by(g.area, g.role)
    for row in connection.execute(given):
        held.setdefault(row.token, []).append(Grant(row.role, row.area))
    columns = (k.id, k.name, k.hint, k.author, k.created_at, k.expires_at, k.revoked_at, k.used_at)
    rows = connection.execute(sa.select(*columns, state.label("state")).order_by(k.id.desc()))
    return [dict(row._mapping) | {"grants": tuple(held.get(row.id, ()))} for row in rows]


def token(connection: sa.Connection, number: int) -> dict[str, Any]:
    """One of `listing`. Raises NotFound."""
    found = next((row for row in listing(connection) if row["id"] == number), None)
    if found is None:
        raise NotFound(f"token {number} does not exist; 'gisgrid token list' lists those that do")
    return found


def add(connection: sa.Connection, name: str, *, grants: Iterable[Grant], days: int | None, author: str = "") -> Secret:
    """A new token; ``days``: how long it lasts, None: for ever. Raises BadInput; Conflict when there are too many."""
    if days is not None and not 1 <= days <= TOKEN_DAYS_MAX:
        raise BadInput(f"days={days} cannot be used; give 1 to {TOKEN_DAYS_MAX}, or say that the token never expires")
    one_at_a_time(connection)
    live = sa.and_(k.revoked_at.is_(None), sa.or_(k.expires_at.is_(None), k.expires_at > sa.func.now()))
    if (connection.scalar(sa.select(sa.func.count()).select_from(t.tokens).where(live)) or 0) >= TOKENS_MAX:
        raise Conflict(f"there are {TOKENS_MAX} tokens already; revoke one first")
    lasts = None if days is None else dt.timedelta(days=days)
    return add_token(connection, checked_name(name), grants=checked_grants(grants), lasts=lasts, author=author)


def note_use(connection: sa.Connection, number: int) -> None:
    """Note that a token is used, at most once in `USED_EVERY` seconds whoever asks."""
    before = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY)
    due = sa.or_(k.used_at.is_(None), k.used_at < before)
    connection.execute(sa.update(t.tokens).where(k.id == number, due).values(used_at=sa.func.now()))
