"""/wms: the Web Map Service, versions 1.1.1 (OGC 01-068r3) and 1.3.0 (06-042), by GET and POST.

Errors are service exceptions with the HTTP status of their kind (docs/wms.md tells why), or pictures with status 200
where EXCEPTIONS asks for that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from apiflask import APIBlueprint
from flask import Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException

from api.errors import status_of
from api.outage import outage
from api.wms import documents, operations
from api.wms.known import Known
from api.wms.question import Question, question
from gisgrid.errors import BadInput, GisgridError
from layers.wms import faults
from layers.wms.asked import MISSING, Asked, background_of, manner_of, size_of, version_of
from layers.wms.formats import SENT_AS, picture_form
from layers.wms.notice import notice
from layers.wms.systems import Version

bp = APIBlueprint("wms", __name__, url_prefix="/wms", enable_openapi=False)
log = logging.getLogger("gisgrid.api")

OPERATIONS: Final[dict[str, Callable[[Question], Response]]] = {
    "getcapabilities": documents.get_capabilities,
    "getmap": operations.get_map,
    "map": operations.get_map,  # as 1.0.0 called it, and some clients of 1.1.1 still do
    "getfeatureinfo": operations.get_feature_info,
    "feature_info": operations.get_feature_info,
    "getlegendgraphic": documents.get_legend_graphic,
}


@bp.route("", methods=["GET", "POST"])
@bp.route("/", methods=["GET", "POST"])
def answer() -> Response:
    """Any operation."""
    q = question()
    service = q.asked.text("SERVICE")
    if service and service.upper() != "WMS":
        raise BadInput(f"SERVICE={service[:40]!r} is not offered here; ask WMS", code="InvalidParameterValue")
    name = q.asked.needed("REQUEST")
    operation = OPERATIONS.get(name.lower())
    if operation is None:
        raise BadInput(f"REQUEST={name[:40]!r} is not offered here; ask GetCapabilities, GetMap, GetFeatureInfo or "
                       "GetLegendGraphic", code="OperationNotSupported")  # fmt: skip
    if operation is documents.get_capabilities and not service and not q.asked.text("WMTVER"):
        raise BadInput("the parameter SERVICE is missing; give SERVICE=WMS", code=MISSING)
    manner_of(q.asked)
    return operation(q)


@bp.record_once
def _hold(setup: BlueprintSetupState) -> None:
    held = setup.app.extensions["gisgrid"]
    setup.app.extensions["gisgrid.wms"] = Known(held.engine, held.settings.timezone)


# --- errors -----------------------------------------------------------------------------------


def fault(status: int, message: str, code: str) -> Response:
    """A service exception in the version and manner asked for, as far as those can be made out."""
    asked = _asked()
    try:
        version: Version = version_of(asked)
    except GisgridError:
        version = "1.3.0"
    drawn = _drawn(asked, message) if status < 500 else None
    if drawn is not None:
        return drawn
    text = faults.report(message, code, version)
    response = Response(text, status, content_type=f"{faults.SENT_AS[version]}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def _asked() -> Asked:
    """The parameters, the first of those given twice; of a posted document only its address's."""
    given: dict[str, str] = {}
    form = request.form if request.mimetype == "application/x-www-form-urlencoded" else {}
    for name, value in [*request.args.items(), *form.items()]:
        given.setdefault(name.upper(), value)
    return Asked(given)


def _drawn(asked: Asked, message: str) -> Response | None:
    """The picture EXCEPTIONS=INIMAGE and BLANK ask for; None when no picture can be made of the request."""
    try:
        manner = manner_of(asked)
        if manner == "XML" or asked.text("REQUEST").lower() not in ("getmap", "map"):
            return None
        form = picture_form(asked.needed("FORMAT"))
        width, height = size_of(asked)
        clear = asked.flag("TRANSPARENT") and form != "jpeg"
        color = None if clear else background_of(asked)
    except GisgridError:
        return None
    drawn = notice(message if manner == "INIMAGE" else "", width, height, background=color, form=form)
    response = Response(drawn, content_type=SENT_AS[form])
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.errorhandler(GisgridError)
def _ours(error: GisgridError) -> Response:
    return fault(status_of(error), error.message, error.code)


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    response = fault(error.code or 500, error.description or error.name, "NoApplicableCode")
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


@bp.errorhandler(Exception)
def _unforeseen(error: Exception) -> Response:
    if (away := outage(error)) is not None:
        return fault(503, away.message, "NoApplicableCode")
    log.exception("unforeseen error", exc_info=error)
    return fault(500, "the service failed on this request; its log has the reason", "NoApplicableCode")
