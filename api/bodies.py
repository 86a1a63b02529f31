"""What every body sent has to be, before anything reads it: not packed, and as JSON neither of too many parts nor deep.

A byte of JSON may become fifty in memory (``[],[],…``), and one level of it one level of a parser's stack.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from api.errors import error_response
from gisgrid.errors import BadInput
from gisgrid.limits import JSON_VALUES_MAX

_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_PARTS: Final = (b",", b"[", b"{")
log = logging.getLogger("gisgrid.api")


def init_app(app: Flask) -> None:
    """Have every body looked at. Register it behind what decides who may send one."""
    app.before_request(_check)
    app.register_error_handler(RecursionError, _too_deep)


def _check() -> None:
    """Raise UnsupportedMediaType for a packed body, BadInput for JSON of too many parts."""
    if request.method not in _WITH_BODY:
        return
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaType("Content-Encoding is not taken; send the body as it is")
    if request.mimetype.endswith(("/json", "+json")):
        check_values(request.get_data())


def check_values(body: bytes) -> None:
    """Raise BadInput for JSON that would become more than `JSON_VALUES_MAX` values."""
    if len(body) < JSON_VALUES_MAX:
        return
    count = sum(body.count(part) for part in _PARTS)
    if count > JSON_VALUES_MAX:
        raise BadInput(f"the body has {count:,} values; at most {JSON_VALUES_MAX:,} are read, send it in parts")


def _too_deep(error: RecursionError) -> Response:
    log.warning("too deep: %s", error)
    return error_response(400, "bad_input", "what was sent is nested too deep; send it flatter")
