"""Every request, whoever answers it: its id, its line in the log, its place in the figures.

It stands in front of everything, the short ways to locate and tiles included. What a short way answers is counted,
and every so many of them gets a line.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIFlask
from flask import Response, g, request

from api.errors import error_response
from api.gate import ALWAYS_IN
from api.logs import tell_request
from api.measures import METHODS, Measures
from gisgrid.tracing import REQUEST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER: Final = "X-Request-Id"
ROUTE: Final = "gisgrid.route"
"""Where the route template is noted in a request's environment, by the application or a short way."""
FROM_MEMORY: Final = "gisgrid.short"
"""Set when the answer came a short way."""
_PRINCIPAL: Final = "gisgrid.principal"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NO_ROUTE: Final = "(none)"
log = logging.getLogger("gisgrid.api")


class Observed:
    """The application with every request told and counted."""

    def __init__(self, app: WSGIApplication, measures: Measures, *, sample: int) -> None:
        """``sample``: of answers that came a short way one in so many gets a line."""
        self._app, self._measures, self._sample = app, measures, sample
        self._start, self._numbers = secrets.token_hex(6), itertools.count(1)
        self._short = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer with the id of the request in its headers."""
        begun = perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID")
        if given is None or _ID.fullmatch(given) is None:
            given = environ["HTTP_X_REQUEST_ID"] = f"{self._start}-{next(self._numbers):x}"
        status = "500"

        def started(code: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = code
            return start_response(code, [*headers, (HEADER, given)], exc_info)

        try:
            body = self._app(environ, started)
        except Exception as error:
            log.exception("unforeseen error outside of the application", exc_info=error)
            failed = error_response(500, "internal_error", "the service failed on this request; its log has the reason")
            body = failed(environ, started)
        if isinstance(body, list):
            self._done(environ, status, perf_counter() - begun, sum(map(len, body)))
            return body
        return _Counted(body, lambda size: self._done(environ, status, perf_counter() - begun, size))

    def _done(self, environ: WSGIEnvironment, status: str, seconds: float, size: int) -> None:
        route, code, method = environ.get(ROUTE, _NO_ROUTE), int(status[:3]), environ["REQUEST_METHOD"]
        if method not in METHODS:
            method = "OTHER"
        self._measures.request(method, route, code, seconds)
        if route in ALWAYS_IN and code == 200:
            return  # asked every few seconds, for ever
        every = 1
        if FROM_MEMORY in environ:
            self._short += 1  # threads may lose one to another: a sample
            every = self._sample
            if self._short % every:
                return
        who = environ.get(_PRINCIPAL, "")
        tell_request(method, route, code, seconds, size, who, environ["HTTP_X_REQUEST_ID"], every)


class _Counted:
    """A body whose bytes are counted; ``done`` is told their number once, when it is closed or at its end."""

    def __init__(self, body: Iterable[bytes], done: Any) -> None:
        self._body, self._done, self._size, self._told = body, done, 0, threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            self._size += len(part)
            yield part
        self._tell()

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._tell()

    def _tell(self) -> None:
        if self._told.acquire(blocking=False):
            self._done(self._size)


def init_app(app: APIFlask) -> None:
    """Have the application note what its requests are about; register before everything that may refuse one."""
    app.before_request(_begin)
    app.after_request(_note)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)  # without `Observed` in front: in tests
    REQUEST.set(g.request_id)
    rule = request.url_rule
    if rule is not None:
        request.environ[ROUTE] = rule.rule


def _note(response: Response) -> Response:
    principal = getattr(g.get("principal"), "key", None)
    if principal is not None:
        request.environ[_PRINCIPAL] = str(principal)
    return response
