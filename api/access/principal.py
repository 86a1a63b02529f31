"""Who asks: by cookie, by token, at this machine, or nobody."""

from __future__ import annotations

from flask import g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from api.keys import LOOPBACK, given_key
from api.state import state
from data.accounts import person_of, system_of
from gisgrid.access import NOBODY, Grant, Principal


def caller() -> Principal:
    """Whoever asks. Raises Unauthorized (401) for credentials that are not known, or not any more."""
    if "principal" not in g:
        g.principal = _found()
    found: Principal = g.principal
    return found


def require(permission: str, place: str | None = None) -> Principal:
    """Whoever asks, who may do that there. Raises Unauthorized (401) for nobody, Forbidden (403) for everybody else."""
    principal = caller()
    if principal.may(permission, place):
        return principal
    if principal.kind == "nobody":
        raise _unknown()
    raise Forbidden(f"{principal.name} may not do this here; it needs the permission {permission!r}")


def may(permission: str, place: str | None = None) -> bool:
    """Whether the caller may do something."""
    return caller().may(permission, place)


def _found() -> Principal:
    cookie, key = request.cookies.get("gisgrid_session"), given_key()
    if cookie or key:
        with state().engine.connect() as connection:
            known = person_of(connection, cookie) if cookie else system_of(connection, key or "")
        if known is None:
            raise _unknown()
        return known
    if state().settings.open_editing and (request.remote_addr or "127.0.0.1") in LOOPBACK:
        return Principal("machine", "machine", "", (Grant("admin"),))
    return NOBODY


def _unknown() -> Unauthorized:
    return Unauthorized("sign in, or send a token that is valid", www_authenticate=WWWAuthenticate("bearer"))
