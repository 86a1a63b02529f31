"""The header Idempotency-Key: a POST that is sent again is answered again, and done once.

The request's transactions are joined to one (`api.joined`), which also stores the answer: work and answer are committed
together. Whatever dies before that has done nothing; whoever asks after it is given the answer that was stored.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import UnprocessableEntity

from api.asking import principal_key
from api.joined import JoinedEngine
from api.state import State
from data import idempotency
from data.idempotency import Kept
from gisgrid.errors import BadInput, Conflict
from gisgrid.limits import BODY_BYTES_MAX, IDEMPOTENCY_ANSWER_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
NOT_KEPT: Final = "Idempotency-Not-Kept"
PLACES: Final = ("/api/v1/", "/open311/", "/ogc/")
SECRETS: Final = ("/api/v1/tokens", "/api/v1/session", "/api/v1/users")
"""Where answers hold secrets that are shown once."""
HEADERS: Final = (
    "Content-Type", "Location", "ETag", "Cache-Control", "Content-Disposition", "Content-Language", "Content-Crs",
)  # fmt: skip
"""What is kept of an answer's headers: never a cookie."""
ABOUT_THE_CALLER: Final = (401, 403, 408, 412, 425, 428, 429)
"""Answers that say nothing of the work: asked again, once the caller has done its part, there may be another."""


@dataclass
class _Held:
    """A request being worked on under a key."""

    connection: sa.Connection
    principal: str
    key: str
    request: bytes
    secret: bool = False


def init_app(app: Flask) -> None:
    """Let every POST under `PLACES` be sent with a key. To be called last: callers are checked before, and answers
    are kept before anything makes them smaller."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_drop)


def answer_is_secret() -> None:
    """Have the body of this request's answer kept by nobody: a secret that is shown once."""
    held: _Held | None = g.get("idempotency")
    if held is not None:
        held.secret = True


def _begin() -> Response | None:
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST" or request.url_rule is None or not request.path.startswith(PLACES):
        return None
    if not (1 <= len(key) <= IDEMPOTENCY_KEY_CHARS_MAX and key.isascii() and key.isprintable()):
        raise BadInput(f"{HEADER}: give 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters, such as a UUID")
    asked = _asked()
    found: State = current_app.extensions["gisgrid"]
    connection = found.engine.connect()
    held = _Held(connection, principal_key(), key, asked)
    g.idempotency = held
    connection.begin()
    if not idempotency.take(connection, held.principal, key):
        _drop()
        raise Conflict(
            f"the first request with {HEADER} {key} is still worked on; ask again in a moment",
            code="in_progress", retry_after=1,
        )  # fmt: skip
    known = idempotency.find(connection, held.principal, key)
    if known is not None:
        _drop()
        return _again(known, key, asked)
    g.joined_state = replace(found, engine=JoinedEngine(found.engine, connection))
    return None


def _asked() -> bytes:
    """SHA-256 of the request: where it goes, what it is, its body. Raises BadInput for a table too large to compare."""
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise BadInput(f"{HEADER} goes with bodies of at most {BODY_BYTES_MAX} bytes; send this one without it")
    body = request.get_data(cache=True)
    request.__dict__["stream"] = io.BytesIO(body)  # for views that read it themselves
    about = "\x1f".join((request.method, request.full_path, request.headers.get("Content-Type", "")))
    return hashlib.sha256(about.encode("utf-8", "surrogatepass") + b"\x1f" + body).digest()


def _again(known: Kept, key: str, asked: bytes) -> Response:
    if known.request != asked:
        error = UnprocessableEntity(f"{HEADER} {key} was sent with another request; take a new key for a new one")
        error.word = "key_reused"  # type: ignore[attr-defined]
        raise error
    if known.body is None:
        raise Conflict(
            f"the request with {HEADER} {key} was done (status {known.status}), but its answer was not kept; "
            "read what it made where it is",
            code="answer_not_kept", status=known.status, location=known.headers.get("Location"),
        )  # fmt: skip
    response = Response(known.body, status=known.status)
    response.headers.update(known.headers)
    response.headers[REPLAYED] = "true"
    return response


def _end(response: Response) -> Response:
    """Store the answer and commit it with the work; a failure of the service takes all of it back."""
    held: _Held | None = g.get("idempotency")
    if held is None:
        return response
    if response.status_code >= 500:
        _drop()
        return response
    try:
        if response.status_code not in ABOUT_THE_CALLER:
            _keep(held, response)
        held.connection.commit()
    except Exception as error:
        _drop()
        refused: Any = current_app.handle_user_exception(error)
        return current_app.make_response(refused)
    _drop()
    return response


def _keep(held: _Held, response: Response) -> None:
    headers = {name: response.headers[name] for name in HEADERS if name in response.headers}
    secret = held.secret or request.path.startswith(SECRETS) or "Set-Cookie" in response.headers
    if secret or response.is_streamed or (response.content_length or 0) > IDEMPOTENCY_ANSWER_BYTES_MAX:
        response.headers[NOT_KEPT] = "secret" if secret else "too-large"
        if not idempotency.changed(held.connection):
            return  # nothing was done: it may be asked as often as one likes
        body = None
    else:
        body = response.get_data()
    answer = Kept(held.request, response.status_code, headers, body)
    idempotency.keep(held.connection, held.principal, held.key, answer)


def _drop(_error: BaseException | None = None) -> None:
    """End the request's transaction; what was not committed is gone."""
    held: _Held | None = g.pop("idempotency", None)
    g.pop("joined_state", None)
    if held is not None:
        with contextlib.suppress(sa.exc.DBAPIError):
            held.connection.close()
