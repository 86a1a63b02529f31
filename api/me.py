"""GET /api/v1/me: what the caller may do here."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api.json import json_response
from api.keys import given_key, is_planner, planner
from api.pages import no_parameters
from api.state import state

bp = APIBlueprint("me", __name__, url_prefix="/api/v1/me", tag="Service")


@bp.get("")
@no_parameters
def me() -> Response:
    """Whether the caller may make, edit and publish plans, and under which name.

    ``open``: without a key, from this machine (``GISGRID_OPEN_EDITING``); ``keys``: with a key of the operator.
    """
    allowed, settings = is_planner(), state().settings
    answer = {
        "planner": allowed, "name": planner() if allowed else "", "open": settings.open_editing,
        "keys": bool(settings.editor_keys), "with_key": bool(given_key()) and allowed,
    }  # fmt: skip
    response = json_response(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
