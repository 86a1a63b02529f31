"""Every transaction of a request that changes things carries who asked: one place, before the views."""

from __future__ import annotations

from typing import Final

from apiflask import APIFlask
from flask import g, request

from gisgrid.access import NOBODY, Principal
from gisgrid.actors import Actor, set_at_work

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REASONS: Final = ("reason", "note")
"""Where a JSON body says why."""
SMALL: Final = 65_536
"""Bytes of a body that is looked into for a reason; larger ones are files."""


def init_app(app: APIFlask) -> None:
    """Have it said at the beginning of a request, and taken back at its end."""
    app.before_request(_begin)
    app.teardown_request(_end)


def _begin() -> None:
    set_at_work(None)
    if request.method in READING:
        return
    who: Principal = g.get("principal") or NOBODY  # where anybody may ask, nobody was looked up
    origin = " ".join(filter(None, (request.method, request.path, g.get("request_id", ""))))
    set_at_work(Actor(who.key, who.name, _reason(), origin))


def _end(_error: BaseException | None) -> None:
    set_at_work(None)


def _reason() -> str:
    if not request.is_json or not 0 < (request.content_length or 0) <= SMALL:
        return ""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return ""
    return next((body[name].strip() for name in REASONS if isinstance(body.get(name), str) and body[name].strip()), "")
