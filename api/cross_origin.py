"""Pages of other origins may read the maps (CORS, the Fetch standard): any origin, reading only, never with cookies.

What the maps tell is told to everybody who reaches the service, so any page may ask for it. Changing anything from
another origin's page stays closed. A page that has been given an editor's key may send it and read drafts.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

PATHS: Final = ("/wms", "/ogc", "/api/v1/", "/openapi.json")
HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Crs, Link, Content-Disposition",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Accept-Language, Authorization, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def init_app(app: Flask) -> None:
    """Say on what may be read that every page may read it."""
    app.after_request(_opened)


def _opened(response: Response) -> Response:
    if not request.path.startswith(PATHS) or request.method not in ("GET", "HEAD", "OPTIONS"):
        return response
    response.headers.update(HEADERS)
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers.update(_PREFLIGHT)
    return response
