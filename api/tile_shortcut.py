"""A short way to tiles held in memory: Flask's dispatch would cost many times what sending one does.

Only what is plainly right is answered here; everything else, every fault included, goes on to the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from api.access.known import Known
from api.access.layers import holds_reports
from api.access.shortcuts import kept_private, may_see
from api.catalogue import Offer
from api.observing import FROM_MEMORY, ROUTE
from api.tile_source import Tiles, revision_word
from gisgrid.errors import GisgridError
from layers.catalog import Layer
from layers.tiles import MATRIX_SETS
from layers.tiles.cache import Tile
from layers.tiles.describe import MVT, zooms

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHORT: Final = "public, max-age=30"
"""For addresses that stay the same when the layer changes."""
FOREVER: Final = "public, max-age=31536000, immutable"
"""For addresses that name the revision."""
PRIVATE: Final = "private, no-cache"
"""For layers that not everybody may see."""
_PREFIX: Final = "/ogc/collections/"
_PATH: Final = re.compile(
    r"/ogc/collections/([A-Za-z][A-Za-z0-9_.:-]{0,79})/tiles/(WebMercatorQuad|WorldCRS84Quad|CGCS2000Quad)"
    r"/([0-9]{1,2})/([0-9]{1,9})/([0-9]{1,9})(?:\.mvt|\.pbf)?"
)
TEMPLATE: Final = "/ogc/collections/<collection>/tiles/<tms>/<zoom>/<row>/<column>"
"""How requests for tiles are told, the same as when the application answers."""
_QUERY: Final = re.compile(r"(?:f=mvt)?|v=([0-9a-f]{1,40})")


class TileShortcut:
    """The application with the short way in front of it."""

    def __init__(self, app: WSGIApplication, tiles: Tiles, headers: dict[str, str], known: Known) -> None:
        """``headers`` are sent with every answer, as the application sends them."""
        self._app, self._tiles, self._known = app, tiles, known
        self._headers = [(name, value) for name, value in headers.items() if name != "Cache-Control"]
        self._words: dict[tuple[str, str], str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the application do it."""
        path = environ["PATH_INFO"]
        if path.startswith(_PREFIX) and environ["REQUEST_METHOD"] == "GET" and may_see(self._known, environ):
            answer = self._answer(path, environ)
            if answer is not None:
                status, headers, body = answer
                environ[ROUTE], environ[FROM_MEMORY] = TEMPLATE, True
                start_response(status, [*self._headers, *kept_private(self._known, headers)])
                return [body]
        return self._app(environ, start_response)

    def _answer(self, path: str, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes] | None:
        asked, query = _PATH.fullmatch(path), _QUERY.fullmatch(environ.get("QUERY_STRING", ""))
        if asked is None or query is None:
            return None
        try:
            offer = self._tiles.offer()
        except (GisgridError, SQLAlchemyError):
            return None  # the application says what is wrong
        layer = offer.layers.get(asked[1])
        if layer is None or layer.restricted or layer.picture_only:
            return None
        if holds_reports(layer) and not may_see(self._known, environ, everywhere=True):
            return None
        tiles = MATRIX_SETS[asked[2]]
        zoom = int(asked[3])
        if zoom < zooms(layer, tiles)[0]:
            return None
        tile = self._tiles.held(layer, offer, tiles, (zoom, int(asked[4]), int(asked[5])))
        if tile is None:
            return None
        named = query[1]
        cache = FOREVER if named is not None and named == self._word(offer, layer) else SHORT
        return answered(tile, cache, environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH", ""))

    def _word(self, offer: Offer, layer: Layer) -> str:
        key = (layer.name, offer.revision(layer))
        found = self._words.get(key)
        if found is None:
            if len(self._words) > 1000:
                self._words.clear()
            found = self._words[key] = revision_word(offer, layer)
        return found


def answered(tile: Tile, cache: str, accepted: str, known: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body that hand out a tile. ``accepted``: Accept-Encoding; ``known``: If-None-Match."""
    headers = [
        ("ETag", tile.etag), ("Cache-Control", cache), ("Vary", "Accept-Encoding"),
        ("Access-Control-Allow-Origin", "*"),
    ]  # fmt: skip
    if known and (known == "*" or tile.etag.removeprefix("W/") in known):
        return "304 Not Modified", headers, b""
    if not tile.body:
        return "204 No Content", headers, b""
    headers.append(("Content-Type", MVT))
    body = tile.body
    if tile.packed:
        if takes_gzip(accepted):
            headers.append(("Content-Encoding", "gzip"))
        else:
            body = tile.plain()
    headers.append(("Content-Length", str(len(body))))
    return "200 OK", headers, body


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip."""
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
