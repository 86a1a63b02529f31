"""The person an identity provider vouches for: made at the first sign-in, given roles by what is claimed of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from data import people
from data import tables as t
from data.accounts import add_user
from gisgrid.access import Grant
from gisgrid.errors import Refused
from gisgrid.limits import LABEL_CHARS_MAX
from gisgrid.settings_sign_in import ClaimRole

_LOGIN_CHARS: Final = 64
u = t.users.c


def person_for(connection: sa.Connection, issuer: str, claims: dict[str, Any], roles: Sequence[ClaimRole]) -> int:
    """The person with this issuer and subject, and nobody else: an account here is never taken over by its login.

    Where roles go by claims they are set anew at each sign-in, so that what the provider takes away is gone here too.
    Raises Refused for somebody who is disabled here.
    """
    people.one_at_a_time(connection)
    subject = str(claims["sub"])
    row = connection.execute(
        sa.select(u.id, u.name, u.disabled).where(u.issuer == issuer, u.subject == subject)
    ).first()
    name = " ".join(str(claims.get("name") or claims.get("preferred_username") or "").split())[:LABEL_CHARS_MAX]
    name = name.replace("\x00", "")
    if row is not None and row.disabled:
        raise Refused("this account is disabled here; ask an administrator", code="disabled")
    if row is None:
        user = add_user(connection, _free_login(connection, claims), name=name, identity=(issuer, subject))
    else:
        user = int(row.id)
        if name and name != row.name:
            connection.execute(sa.update(t.users).where(u.id == user).values(name=name))
    if roles:
        people.set_grants(connection, user, granted(claims, roles))
    return user


def granted(claims: dict[str, Any], roles: Sequence[ClaimRole]) -> list[Grant]:
    """The roles that go with what is claimed."""
    return [one.grant for one in roles if one.value in _values(claims, one.claim)]


def _values(claims: dict[str, Any], name: str) -> list[str]:
    """A claim's values; dots in its name lead into objects, unless a claim has that very name."""
    found: Any = claims
    for part in (name,) if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return [found]
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _free_login(connection: sa.Connection, claims: dict[str, Any]) -> str:
    """A login near what the provider calls the person, that nobody has."""
    wanted = str(claims.get("preferred_username") or claims["sub"]).lower()
    base = re.sub(r"[^a-z0-9._@-]+", "-", wanted).lstrip("._@-")[:_LOGIN_CHARS] or "person"
    taken = set(
        connection.scalars(sa.select(u.login).where(u.login.startswith(base[: _LOGIN_CHARS - 6], autoescape=True)))
    )
    if base not in taken:
        return base
    return next(login for n in range(2, 10**5) if (login := f"{base[: _LOGIN_CHARS - 6]}-{n}") not in taken)
