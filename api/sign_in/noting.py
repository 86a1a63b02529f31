"""What is noted of whoever was let in: for the rate limit, and when a token was last used."""

from __future__ import annotations

import logging
import time
from typing import Final

import sqlalchemy as sa
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from api.access.principal import caller
from api.rate import PRINCIPAL
from api.sign_in import cookie
from api.state import state
from data import system_tokens
from gisgrid.access import Principal
from gisgrid.errors import GisgridError

_USES: Final = "gisgrid_token_uses"
log = logging.getLogger("gisgrid.api")


def init_app(app: Flask) -> None:
    """Note, after each request that was signed, who it was."""
    app.extensions[_USES] = {}
    app.after_request(_note)


def _note(response: Response) -> Response:
    if response.status_code == 401 or not (cookie.session_secret() or "Authorization" in request.headers):
        return response
    try:
        who = caller()
        if who.key:
            request.environ[PRINCIPAL] = who.key
        if who.kind == "token":
            _note_use(who)
    except (HTTPException, GisgridError):
        pass  # not let in
    except sa.exc.SQLAlchemyError as error:  # the answer is right all the same
        log.warning("the use of a token is not noted: %s", type(error).__name__)
    return response


def _note_use(who: Principal) -> None:
    """Once a minute, whatever the number of requests and processes; each process looks once a minute at most."""
    noted: dict[str, float] = current_app.extensions[_USES]
    now = time.monotonic()
    if now - noted.get(who.key, -system_tokens.USED_EVERY) < system_tokens.USED_EVERY:
        return
    with state().engine.begin() as connection:
        system_tokens.note_use(connection, int(who.key.partition(":")[2]))
    noted[who.key] = now
