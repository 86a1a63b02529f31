"""The blueprint of signing in and what its views share."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response
from marshmallow import pre_load

from api.json import json_response
from api.pages import Strict
from api.sign_in import cookie, csrf
from api.state import state
from data.accounts import close_session, open_session
from gisgrid.access import Grant, Principal
from gisgrid.errors import BadInput

HERE: Final = "/api/v1/session"
bp = APIBlueprint("sign_in", __name__, tag="Sign-in")


class Body(Strict):
    """What is sent as JSON; text that cannot be stored is refused."""

    @pre_load
    def check_texts(self, data: Any, **_: Any) -> Any:
        """Raises BadInput for a NUL character, and for half of a pair of surrogates."""
        texts = data.values() if isinstance(data, dict) else ()
        if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for text in map(str, texts) for letter in text):
            raise BadInput("the body holds a character that is none (NUL, or half of a surrogate pair); leave it out")
        return data


def grants_told(grants: tuple[Grant, ...]) -> list[dict[str, str]]:
    """Roles and their areas as answers have them."""
    return [{"role": one.role, "area": one.area} for one in grants]


def session_of(who: Principal, secret: str | None, *, password: bool = False) -> dict[str, Any]:
    """The answer about who asks; ``secret``: what their cookie holds, ``password``: whether they have one here."""
    settings = state().settings
    return {
        "signed_in": who.kind not in ("nobody", "machine"), "kind": who.kind, "key": who.key, "name": who.name,
        "grants": grants_told(who.grants), "csrf": csrf.token_of(secret) if secret else "", "password": password,
        "provider": None if settings.oidc_issuer is None else f"{HERE}/provider",
    }  # fmt: skip


def private(value: Any, *, status: int = 200) -> Response:
    """An answer nobody keeps."""
    response = json_response(value, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def begin_session(connection: sa.Connection, user: int) -> str:
    """Sign somebody in anew; what this browser's cookie held before ends. What the new cookie is to hold."""
    if (old := cookie.session_secret()) is not None:
        close_session(connection, old)
    return open_session(connection, user, lasts=dt.timedelta(hours=state().settings.session_hours))


def hand_over(response: Response, secret: str) -> Response:
    """The same answer with the session's cookie."""
    cookie.keep(response, cookie.SESSION, secret, state().settings.session_hours * 3600)
    return response
