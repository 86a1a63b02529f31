"""Answers in JSON or XML, errors included, in the shapes of GeoReport v2."""

from __future__ import annotations

import logging
from collections.abc import Callable
from traceback import format_tb
from typing import Any, Final

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from api.errors import status_of
from api.json import json_bytes
from api.open311.xml import xml_bytes
from api.outage import outage, told
from gisgrid.errors import GisgridError

JSON: Final = "application/json; charset=utf-8"
XML: Final = "text/xml; charset=utf-8"
ENDINGS: Final = ("", ".<any(json, xml):ending>")
ALL_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
log = logging.getLogger("gisgrid.api")

View = Callable[..., Response]


def serve(bp: Blueprint, rule: str, view: View, method: str = "GET") -> None:
    """Serve a view under a rule: bare, as ``.json`` and as ``.xml``."""
    for ending in ENDINGS:
        name = f"{view.__name__}{rule}{ending}".replace(".", "-")
        bp.add_url_rule(rule + ending, name, view, methods=[method])


def answer(root: str, value: Any, *, status: int = 200) -> Response:
    """The value in the wanted form: the ending of the address, else the Accept header, else JSON.

    ``root`` names the root element in XML; JSON has no such wrapping.
    """
    if _wants_xml():
        return Response(xml_bytes(root, value), status=status, content_type=XML)
    return Response(json_bytes(value), status=status, content_type=JSON)


def _wants_xml() -> bool:
    ending = g.get("open311_ending") or next((end for end in ("json", "xml") if request.path.endswith(f".{end}")), None)
    if ending is not None:
        return bool(ending == "xml")
    best = request.accept_mimetypes.best_match(["application/json", "text/xml", "application/xml"])
    return best is not None and best.endswith("xml")


def take_ending(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Keep the ending of the address for `answer`; views do not get it."""
    g.open311_ending = values.pop("ending", None) if values else None


def refuse(status: int, code: str, message: str, details: Any = None) -> Response:
    """``errors`` as GeoReport v2 has them, each with our stable word for programs, and facts where there are any."""
    error = {"code": status, "description": message, "word": code} | ({"details": details} if details else {})
    response = answer("errors", [error], status=status)
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def handle_errors(bp: Blueprint) -> None:
    """Turn every error of the blueprint's addresses into that shape."""
    bp.register_error_handler(GisgridError, _ours)
    bp.register_error_handler(HTTPException, _http)
    bp.register_error_handler(Exception, _unforeseen)


def _ours(raised: GisgridError) -> Response:
    error = told(raised)
    return refuse(status_of(error), error.code, error.message, error.details)


def _http(error: HTTPException) -> Response:
    status = 403 if error.code == 401 else error.code or 500  # GeoReport v2 has one status for keys: 403
    told = {404: f"there is nothing at {request.path}", 405: f"{request.path} does not take {request.method}"}
    word = error.name.lower().replace(" ", "_").replace("-", "_")
    response = refuse(status, word, told.get(status) or error.description or error.name)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _unforeseen(error: Exception) -> Response:
    if (away := outage(error)) is not None:
        return refuse(503, away.code, away.message)
    # kind and place only: an exception's text may hold what a resident wrote
    log.error("unforeseen %s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
    return refuse(500, "internal_error", "the service failed on this request; its log has the reason")


def nothing_here(**_: str) -> Response:
    """The answer of every other address below /open311: 405 where another method would do, else 404."""
    adapter = current_app.url_map.bind_to_environ(request.environ)
    taken = [
        name for name in ("GET", "POST") if adapter.match(method=name, return_rule=True)[0].endpoint != request.endpoint
    ]
    if taken:
        raise MethodNotAllowed(taken)
    raise NotFound
