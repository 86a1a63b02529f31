"""One JSON error shape from one status table."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, request
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.http import quote_etag

from api.json import json_response
from api.outage import outage, told
from gisgrid.errors import BadInput, Broken, Conflict, GisgridError, NotFound, Refused, Stale, TooMany, Unseen

STATUS: tuple[tuple[type[GisgridError], int], ...] = (
    (Unseen, 428),
    (Stale, 412),
    (BadInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Broken, 503),
    (Refused, 403),
    (TooMany, 429),
    (GisgridError, 500),
)
log = logging.getLogger("gisgrid.api")


def status_of(error: GisgridError) -> int:
    """HTTP status of an error of ours."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def error_response(status: int, code: str, message: str, details: Any = None) -> Response:
    """``{"error": {"status", "code", "message", "details"}}``."""
    line = " ".join(message.split())  # what was sent may be quoted in it
    body = {"error": {"status": status, "code": code, "message": line, "details": details or {}}}
    response = json_response(body, status=status)
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def init_app(app: APIFlask) -> None:
    """Turn every error into the one shape."""
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.error_processor(_refused_parameters)  # first: it also brings a handler of its own for HTTPException
    app.register_error_handler(GisgridError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _ours(raised: GisgridError) -> Response:
    error = told(raised)
    response = error_response(status_of(error), error.code, error.message, error.details)
    if isinstance(error, Stale) and "version" in (now := error.details.get("current", {})):
        response.headers["ETag"] = quote_etag(str(now["version"]))
    if (seconds := error.details.get("retry_after")) is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    known = {404: f"there is nothing at {request.path}", 405: f"{request.path} does not take {request.method}"}
    text = known.get(status) or error.description or error.name
    word = getattr(error, "word", "") or _word(status)
    response = error_response(status, word, text, getattr(error, "told", None))
    if isinstance(error, Unauthorized):
        for way in error.www_authenticate or ():
            response.headers.add("WWW-Authenticate", way.to_header())
    if (tag := getattr(error, "tag", None)) is not None:  # of what could not be changed (`api.etag.refuse`)
        response.headers["ETag"] = tag
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _word(status: int) -> str:
    """``not_found`` for 404 and so on."""
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _refused_parameters(error: HTTPError) -> Response:
    """Each refused parameter named with its fault."""
    faults = [
        f"{name}: {' '.join(map(str, texts)) if isinstance(texts, list) else texts}"
        for fields in dict(error.detail).values()
        for name, texts in (fields.items() if isinstance(fields, dict) else [("body", fields)])
    ]
    return error_response(error.status_code, "bad_input", "; ".join(faults) or error.message or "")


def _unforeseen(error: Exception) -> Response:
    if (away := outage(error)) is not None:
        return _ours(away)
    log.exception("unforeseen error", exc_info=error)
    return error_response(500, "internal_error", "the service failed on this request; its log has the reason")
