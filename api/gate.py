"""How many requests the whole application works on at once.

Slow requests would fill every thread of a worker, and questions for owners, which take microseconds, would wait behind
them. So threads are many and the way into the application is narrow; whoever waits too long is told to come back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from api.errors import error_response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AT_ONCE = 4
"""Requests worked on at once: as many as the worker has database connections to hand."""
WAIT_SECONDS = 20.0
"""Longest wait to be let in."""
ALWAYS_IN = frozenset({"/healthz", "/readyz", "/metrics"})
"""Whoever watches over the service must be answered when it is busy too."""


class Gate:
    """An application that works on a few requests at once. A body that is streamed no longer counts."""

    def __init__(self, app: WSGIApplication, *, at_once: int = AT_ONCE, wait: float = WAIT_SECONDS) -> None:
        self._app, self._wait = app, wait
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer, or 503 in the one error shape."""
        if environ["PATH_INFO"] in ALWAYS_IN:
            return self._app(environ, start_response)
        if not self._free.acquire(timeout=self._wait):
            return error_response(503, "busy", "the service is busy; try again in a moment")(environ, start_response)
        try:
            return self._app(environ, start_response)
        finally:
            self._free.release()
