"""Whoever asks, as keys and this machine tell it."""

from __future__ import annotations

from flask import g
from werkzeug.exceptions import Forbidden, Unauthorized

from api.keys import bearer, planner
from api.state import state
from gisgrid.access import NOBODY, Grant, Principal


def caller() -> Principal:
    """Who asks, kept for the request."""
    if "principal" not in g:
        g.principal = _found()
    found: Principal = g.principal
    return found


def may(permission: str, place: str | None = None) -> bool:
    """Whether the caller may do something at a place, or anywhere at all."""
    return caller().may(permission, place)


def require(permission: str, place: str | None = None) -> Principal:
    """The caller, who may. Raises Unauthorized (401) for nobody, Forbidden (403) for those who may not."""
    found = caller()
    if not found.may(permission, place):
        if found.kind == "nobody":
            raise Unauthorized("sign in, or send Authorization: Bearer KEY")
        raise Forbidden(f"{found.name or 'the caller'} may not {permission} here")
    return found


def _found() -> Principal:
    try:
        name = planner()
    except Forbidden:
        known = {key: name for name, key in state().settings.open311_keys}
        sender = known.get(bearer() or "", "")
        return Principal("key", f"key:{sender}", sender, (Grant("reporter"),)) if sender else NOBODY
    roles = tuple(Grant(role) for role in ("planner", "dispatcher", "analyst"))
    if state().settings.open_editing:
        return Principal("machine", "machine", name, (Grant("admin"),))
    return Principal("key", f"key:{name}", name, roles)
