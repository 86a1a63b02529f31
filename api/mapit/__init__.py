"""/mapit: areas and grids in the interface of mySociety's MapIt, so that FixMyStreet can use this service as its MapIt.

MapIt's addresses are told apart by regular expressions over what is split by commas, dots and slashes, so they are
kept as such (`ADDRESSES`) below one Flask route, and the errors take MapIt's shape (docs/adr/0012).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.errors import status_of
from api.mapit import answers, views
from api.mapit.asked import parameters
from api.outage import outage
from api.state import state
from data import mapit
from gisgrid.errors import GisgridError, NotFound

bp = APIBlueprint("mapit", __name__, url_prefix="/mapit", enable_openapi=False)
log = logging.getLogger("gisgrid.api")

View = Callable[..., Response]
END = r"(?:\.(?P<format>json|html|map\.html))?"
IDS = r"(?P<ids>[0-9]+(?:,[0-9]*)*)"
AREA = r"(?P<area>[^/.]*)"
PLACE = r"(?P<x>[^/,]+),(?P<y>[^/,]+?)(?:/(?P<box>box))?"
ADDRESSES: tuple[tuple[re.Pattern[str], View], ...] = tuple(
    (re.compile(pattern), view)
    for pattern, view in (
        (rf"generations{END}", views.generations),
        (r"(?:postcode|nearest)/.*|area/[^/]*/example_postcode.*", views.no_postcodes),
        (rf"area/{AREA}{END}", views.area),
        (rf"area/{AREA}/children{END}", views.children),
        (rf"area/{AREA}/(?P<relation>{'|'.join(mapit.RELATIONS)}){END}", views.related),
        (rf"area/{AREA}/geometry{END}", views.geometry),
        (rf"area/{AREA}\.(?P<form>kml|geojson|wkt)", views.outline),
        (rf"area/(?P<srid>[^/]+)/{AREA}\.(?P<form>kml|json|geojson|wkt)", views.outline),
        (r"point/latlon/" + PLACE.replace("<x>", "<lat>").replace("<y>", "<lon>") + END, views.point_latlon),
        (rf"point/(?P<srid>[^/]+)/{PLACE}{END}", views.point),
        (rf"areas/{IDS}{END}", views.areas),
        (rf"areas/{IDS}/geometry{END}", views.geometries),
        (rf"areas/(?:(?P<srid>[0-9]+)/)?{IDS}\.(?P<form>kml|geojson)", views.outlines),
        (rf"areas/(?P<types>[A-Z0-9,-]+){END}", views.by_type),
        (rf"areas/(?P<name>.+?){END}", views.by_name),
        (rf"code/(?P<code_type>[^/]+)/(?P<code>[^/]+?){END}", views.by_code),
    )
)
"""MapIt's addresses in its order: the first that fits is meant."""


@bp.route("/", defaults={"address": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@bp.route("/<path:address>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def answer(address: str) -> Response:
    """Any question in MapIt's interface. A posted form may carry the end of a long address as ``URL``."""
    if request.method not in ("GET", "HEAD", "POST"):
        raise MethodNotAllowed(["GET", "HEAD", "POST"])
    asked = parameters(request)
    if rest := asked.given.get("URL"):
        address = f"{address.rstrip('/')}/{rest}"
    view, groups = _meant(address)
    with state().engine.connect() as connection:
        loaded = state().current.get()
        question = views.Question(asked, connection, loaded.generation.id if loaded else None)
        tag = answers.tag(question.span().current, mapit.revision(connection))
        if request.method == "POST":
            return view(question, **groups)
        known = request.if_none_match.contains(tag)
        response = Response(status=304) if known else view(question, **groups)
    if response.status_code in (200, 304):
        response.set_etag(tag)
    return response


def _meant(address: str) -> tuple[View, dict[str, Any]]:
    for pattern, view in ADDRESSES:
        if fit := pattern.fullmatch(address):
            groups = fit.groupdict()
            if (groups.pop("format", None) or "json") != "json":
                raise NotFound("there are no HTML pages here: leave .html off for JSON; the map is at /")
            return view, groups
    raise NotFound(f"MapIt has no address {request.path[:100]}; see docs/mapit.md for those there are")


@bp.after_request
def _open_to_pages(response: Response) -> Response:
    """Public data: a page of any origin may read it, as MapIt lets it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


# --- errors: every kind in MapIt's shape ------------------------------------------------------


@bp.errorhandler(GisgridError)
def _ours(error: GisgridError) -> Response:
    return answers.error(status_of(error), error.message)


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    response = answers.error(error.code or 500, error.description or error.name)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.valid_methods or ())
    return response


@bp.errorhandler(Exception)
def _unforeseen(error: Exception) -> Response:
    if (away := outage(error)) is not None:
        return answers.error(503, away.message)
    log.exception("unforeseen error", exc_info=error)
    return answers.error(500, "the service failed on this request; its log has the reason")
