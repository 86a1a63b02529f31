"""People who sign in: listed, changed, removed; their sessions; the last administrator stays.

Every function works in the caller's transaction. Those that could take the last administrator's rights away wait for
each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from data import tables as t
from data.accounts import add_user, give, hash_of, hashed
from gisgrid.access import Grant
from gisgrid.errors import BadInput, Conflict, NotFound
from gisgrid.limits import GRANTS_MAX, LABEL_CHARS_MAX, USERS_MAX

u, g, s = t.users.c, t.grants.c, t.sessions.c
_CHANGES = 4491
"""Number of the lock that changes of people and of their rights take, one after the other."""


def listing(connection: sa.Connection) -> list[dict[str, Any]]:
    """All people by login: ``id login name disabled password provider created_at grants``; no secret."""
    columns = (
        u.id, u.login, u.name, u.disabled, u.created_at, u.password_hash.is_not(None).label("password"),
        u.issuer.is_not(None).label("provider"),
    )  # fmt: skip
    held: dict[int, list[Grant]] = {}
    given = sa.select(g.user, g.role, g.area).where(g.user.is_not(None)).order_by(g.area, g.role)
    for row in connection.execute(given):
        held.setdefault(row.user, []).append(Grant(row.role, row.area))
    rows = connection.execute(sa.select(*columns).order_by(u.login))
    return [dict(row._mapping) | {"grants": tuple(held.get(row.id, ()))} for row in rows]


def person(connection: sa.Connection, user: int) -> dict[str, Any]:
    """One of `listing`. Raises NotFound."""
    found = next((row for row in listing(connection) if row["id"] == user), None)
    if found is None:
        raise NotFound(f"user {user} does not exist; 'gisgrid user list' lists those that do")
    return found


def number_of(connection: sa.Connection, login: str) -> int:
    """The number of whoever has a login. Raises NotFound."""
    found = connection.scalar(sa.select(u.id).where(u.login == login.lower()))
    if found is None:
        raise NotFound(f"user {login!r} does not exist; 'gisgrid user list' lists those that do")
    return int(found)


def add(
    connection: sa.Connection, login: str, *, name: str = "", password: str | None = None, grants: Iterable[Grant] = ()
) -> int:
    """A new person. Raises BadInput, and Conflict for a login that is taken or when there are too many."""
    one_at_a_time(connection)
    if (connection.scalar(sa.select(sa.func.count()).select_from(t.users)) or 0) >= USERS_MAX:
        raise Conflict(f"there are {USERS_MAX} users already; remove one first")
    return add_user(connection, login, name=checked_name(name), password=password, grants=checked_grants(grants))


def change(
    connection: sa.Connection,
    user: int,
    *,
    name: str | None = None,
    password: str | None = None,
    disabled: bool | None = None,
    grants: Iterable[Grant] | None = None,
) -> None:
    """Change what is given; a new password or being disabled ends the person's sessions.

    Raises NotFound, BadInput, and Conflict when no administrator of everything would be left.
    """
    one_at_a_time(connection)
    row, before = person(connection, user), _administrators(connection)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = checked_name(name)
    if disabled is not None:
        values["disabled"] = disabled
    if password is not None:
        if row["provider"]:
            raise BadInput(f"{row['login']} signs in by the identity provider and has no password here")
        values["password_hash"] = hashed(password)
    if values:
        connection.execute(sa.update(t.users).where(u.id == user).values(**values))
    if password is not None or disabled:
        end_sessions(connection, user)
    if grants is not None:
        set_grants(connection, user, grants)
    _check_administrators(connection, before)


def set_grants(connection: sa.Connection, user: int, grants: Iterable[Grant]) -> None:
    """Give a person these roles and no others; rows that stay are not touched."""
    wanted = set(checked_grants(grants))
    for row in connection.execute(sa.select(g.id, g.role, g.area).where(g.user == user)).all():
        if Grant(row.role, row.area) not in wanted:
            connection.execute(sa.delete(t.grants).where(g.id == row.id))
    give(connection, sorted(wanted, key=lambda one: (one.role, one.area)), user=user)


def remove(connection: sa.Connection, user: int) -> None:
    """Forget a person, their sessions and rights. Raises NotFound, and Conflict for the last administrator."""
    one_at_a_time(connection)
    before = _administrators(connection)
    if not connection.execute(sa.delete(t.users).where(u.id == user)).rowcount:
        raise NotFound(f"user {user} does not exist; 'gisgrid user list' lists those that do")
    _check_administrators(connection, before)


def end_sessions(connection: sa.Connection, user: int, *, but: str | None = None) -> None:
    """Sign a person out everywhere; ``but``: not where the cookie holds this."""
    ended = sa.delete(t.sessions).where(s.user == user)
    connection.execute(ended if but is None else ended.where(s.secret_hash != hash_of(but)))


def one_at_a_time(connection: sa.Connection) -> None:
    """Wait for other changes of people until they are stored."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CHANGES)))


def checked_name(name: str) -> str:
    """A name as it is kept. Raises BadInput for one that is too long."""
    if len(name.strip()) > LABEL_CHARS_MAX:
        raise BadInput(f"name has {len(name)} characters; give up to {LABEL_CHARS_MAX}")
    return name.strip()


def checked_grants(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Raises BadInput for more roles than anybody needs."""
    given = tuple(dict.fromkeys(grants))
    if len(given) > GRANTS_MAX:
        raise BadInput(f"{len(given)} roles are given; give up to {GRANTS_MAX}")
    return given


def _administrators(connection: sa.Connection) -> int:
    """How many can sign in and are administrators of everything."""
    can = sa.and_(sa.not_(u.disabled), sa.or_(u.password_hash.is_not(None), u.issuer.is_not(None)))
    query = sa.select(sa.func.count()).select_from(t.users.join(t.grants, g.user == u.id))
    return connection.scalar(query.where(can, g.role == "admin", g.area == "")) or 0


def _check_administrators(connection: sa.Connection, before: int) -> None:
    if before and not _administrators(connection):
        told = "this is the last administrator of everything; make another one first"
        raise Conflict(told, code="last_administrator")
