"""A short way to the plain locate: most requests are ``?lon=…&lat=…``, and Flask's dispatch costs ten times the answer.

What is plainly right is answered here, byte for byte as the view would; everything else, every fault included, goes
on to the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from api.access.known import Known
from api.access.shortcuts import kept_private, may_see
from api.json import json_bytes
from api.locate.answers import Asked
from api.locate.single import answer_body, stored_point
from api.observing import FROM_MEMORY, ROUTE
from api.state import State
from gisgrid.errors import GisgridError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH: Final = "/api/v1/locate"
_PLAIN: Final = re.compile(
    r"lon=(-?[0-9]{1,3}(?:\.[0-9]{1,17})?)&lat=(-?[0-9]{1,2}(?:\.[0-9]{1,17})?)"
    r"(?:&crs=(wgs84|cgcs2000|gcj02|bd09))?(?:&accuracy=([1-9][0-9]{0,3}(?:\.[0-9]{1,6})?))?"
)


class Shortcut:
    """The application with the short way in front of it."""

    def __init__(self, app: WSGIApplication, state: State, headers: dict[str, str], known: Known) -> None:
        """``headers`` are sent with every answer, as the application sends them."""
        self._app, self._state, self._known = app, state, known
        self._headers = [("Content-Type", "application/json"), *kept_private(known, headers.items())]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the application do it."""
        if environ["PATH_INFO"] == PATH and environ["REQUEST_METHOD"] == "GET" and may_see(self._known, environ):
            body = self._answer(environ.get("QUERY_STRING", ""))
            if body is not None:
                environ[ROUTE], environ[FROM_MEMORY] = PATH, True
                start_response("200 OK", [*self._headers, ("Content-Length", str(len(body)))])
                return [body]
        return self._app(environ, start_response)

    def _answer(self, query: str) -> bytes | None:
        plain = _PLAIN.fullmatch(query)
        if plain is None:
            return None
        crs, accuracy = plain[3] or "wgs84", float(plain[4]) if plain[4] else None
        given: dict[str, Any] = {"lon": float(plain[1]), "lat": float(plain[2]), "crs": crs}
        try:
            found = self._state.current.need()
            lon, lat = stored_point(given["lon"], given["lat"], crs)
            return json_bytes(answer_body(found, given, lon, lat, Asked(accuracy)))
        except (GisgridError, SQLAlchemyError):
            return None  # the application says what is wrong
