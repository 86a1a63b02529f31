"""People, systems' tokens and what they were given: kept so that no secret can be read back.

Passwords are kept as argon2id, secrets of tokens and sessions as SHA-256: they are 256 random bits, which nobody tries
out. Every function works in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import argon2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from data import tables as t
from gisgrid.access import Grant, Principal
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import SESSIONS_MAX

TOKEN_PREFIX: Final = "ggt_"
"""Begins every token, so that one left in a file or a log is found."""
HINT_CHARS: Final = 8
PASSWORD_CHARS: Final = (10, 200)
_HASHER: Final = argon2.PasswordHasher()  # the library's defaults follow RFC 9106
_NO_ONE: Final = _HASHER.hash("nobody has this password")
u, k, g, s = t.users.c, t.tokens.c, t.grants.c, t.sessions.c


@dataclass(frozen=True, slots=True)
class Secret:
    """What is shown once, and the row it belongs to."""

    id: int
    secret: str


def hash_of(secret: str) -> bytes:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def add_user(
    connection: sa.Connection,
    login: str,
    *,
    name: str = "",
    password: str | None = None,
    identity: tuple[str, str] | None = None,
    grants: Iterable[Grant] = (),
) -> int:
    """A new person; ``identity``: issuer and subject of the identity provider that vouches for them.

    Raises BadInput for a login or password that cannot be used, Conflict for a login that is taken.
    """
    issuer, subject = identity or (None, None)
    values = {
        "login": login.lower(), "name": name, "issuer": issuer, "subject": subject,
        "password_hash": None if password is None else hashed(password),
    }  # fmt: skip
    try:
        with connection.begin_nested():
            made = connection.execute(sa.insert(t.users).values(**values).returning(u.id)).scalar_one()
            give(connection, grants, user=made)
    except sa.exc.IntegrityError as error:
        if "login_form" in str(error.orig):
            raise BadInput(
                f"login {login!r} cannot be used; give up to 64 of a-z, 0-9 . _ @ -, a letter or digit first"
            ) from None
        if "users_" not in str(error.orig):
            raise
        raise Conflict(f"login {login!r} is taken; choose another") from None
    return int(made)


def hashed(password: str) -> str:
    """A password as it is kept. Raises BadInput for one that is too short or too long."""
    low, high = PASSWORD_CHARS
    if not low <= len(password) <= high:
        raise BadInput(f"the password has {len(password)} characters; give {low} to {high}")
    return _HASHER.hash(password)


def check_password(connection: sa.Connection, login: str, password: str) -> int | None:
    """The person who signs in so, None when login or password is wrong: both take the same time to tell."""
    row = connection.execute(
        sa.select(u.id, u.password_hash).where(u.login == login.lower(), sa.not_(u.disabled))
    ).first()
    known = row.password_hash if row is not None and row.password_hash else _NO_ONE
    try:
        _HASHER.verify(known, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return None
    if row is None or known is _NO_ONE:
        return None
    if _HASHER.check_needs_rehash(known):
        connection.execute(sa.update(t.users).where(u.id == row.id).values(password_hash=_HASHER.hash(password)))
    return int(row.id)


def give(connection: sa.Connection, grants: Iterable[Grant], **holder: int) -> None:
    """Give roles to ``user=ID`` or ``token=ID``; what it has already stays."""
    rows = [{"role": one.role, "area": one.area, **holder} for one in grants]
    if rows:
        connection.execute(insert(t.grants).on_conflict_do_nothing(), rows)


def grants_of(connection: sa.Connection, **holder: int) -> tuple[Grant, ...]:
    """What ``user=ID`` or ``token=ID`` was given."""
    where = [g[name] == value for name, value in holder.items()]
    rows = connection.execute(sa.select(g.role, g.area).where(*where).order_by(g.role, g.area))
    return tuple(Grant(row.role, row.area) for row in rows)


def open_session(connection: sa.Connection, user: int, *, lasts: dt.timedelta) -> str:
    """A person is signed in for so long; what their cookie holds."""
    secret = secrets.token_urlsafe(32)
    expires = sa.func.now() + lasts
    kept = sa.select(s.secret_hash).where(s.user == user).order_by(s.created_at.desc()).limit(SESSIONS_MAX - 1)
    over = sa.or_(s.expires_at <= sa.func.now(), sa.and_(s.user == user, s.secret_hash.not_in(kept)))
    connection.execute(sa.delete(t.sessions).where(over))
    connection.execute(sa.insert(t.sessions).values(secret_hash=hash_of(secret), user=user, expires_at=expires))
    return secret


def close_session(connection: sa.Connection, secret: str) -> None:
    """Sign out."""
    connection.execute(sa.delete(t.sessions).where(s.secret_hash == hash_of(secret)))


def person_of(connection: sa.Connection, secret: str) -> Principal | None:
    """Who is signed in with what a cookie holds."""
    query = (
        sa.select(u.id, u.login, u.name)
        .select_from(t.sessions.join(t.users, s.user == u.id))
        .where(s.secret_hash == hash_of(secret), s.expires_at > sa.func.now(), sa.not_(u.disabled))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Principal("person", f"user:{row.id}", row.name or row.login, grants_of(connection, user=row.id))


def add_token(
    connection: sa.Connection,
    name: str,
    *,
    grants: Iterable[Grant],
    lasts: dt.timedelta | None = None,
    author: str = "",
) -> Secret:
    """A new token for a system; its secret is shown now and never again. Raises BadInput without a name or a role."""
    given = tuple(grants)
    if not name.strip() or not given:
        raise BadInput("a token needs a name and at least one role; give them")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    values: dict[str, Any] = {
        "name": name.strip(), "secret_hash": hash_of(secret), "hint": secret[: len(TOKEN_PREFIX) + HINT_CHARS],
        "author": author, "expires_at": None if lasts is None else sa.func.now() + lasts,
    }  # fmt: skip
    made = int(connection.execute(sa.insert(t.tokens).values(**values).returning(k.id)).scalar_one())
    give(connection, given, token=made)
    return Secret(made, secret)


def revoke_token(connection: sa.Connection, token: int) -> None:
    """End a token for good. Raises NotFound."""
    change = sa.update(t.tokens).where(k.id == token).values(revoked_at=sa.func.coalesce(k.revoked_at, sa.func.now()))
    if not connection.execute(change).rowcount:
        raise NotFound(f"token {token} does not exist; 'gisgrid token list' lists those that do")


def system_of(connection: sa.Connection, secret: str) -> Principal | None:
    """Which system has a token, while it is neither revoked nor over."""
    live = sa.and_(k.revoked_at.is_(None), sa.or_(k.expires_at.is_(None), k.expires_at > sa.func.now()))
    row = connection.execute(sa.select(k.id, k.name).where(k.secret_hash == hash_of(secret), live)).first()
    if row is None:
        return None
    return Principal("token", f"token:{row.id}", row.name, grants_of(connection, token=row.id))
