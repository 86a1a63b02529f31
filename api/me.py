"""GET /api/v1/me: who the caller is and what it may do here."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api.access.principal import caller
from api.json import json_response
from api.pages import no_parameters
from api.state import state
from gisgrid.access import PERMISSIONS

bp = APIBlueprint("me", __name__, url_prefix="/api/v1/me", tag="Service")


@bp.get("")
@no_parameters
def me() -> Response:
    """Who the caller is, the roles it has and where, and what they permit anywhere.

    ``open``: everything without a password, from this machine (``GISGRID_OPEN_EDITING``); ``keys``: the operator gave
    out keys; ``with_key``: the caller sent one, or a token; ``planner``: whether it may work on plans anywhere.
    """
    found, settings = caller(), state().settings
    answer = {
        "name": found.name, "kind": found.kind, "roles": found.roles,
        "grants": [{"role": grant.role, "area": grant.area} for grant in found.grants],
        "permissions": [permission for permission in PERMISSIONS if found.may(permission)],
        "planner": found.may("plan"), "open": settings.open_editing,
        "keys": bool(settings.editor_keys), "with_key": found.kind in ("key", "token"),
    }  # fmt: skip
    response = json_response(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
