"""Who asks, for the views: the caller, whether it may do something, and being refused."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from flask import current_app, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized

from api.access.credentials import LOOPBACK, Given, credentials, from_here, from_own_page
from api.access.known import Known
from gisgrid.access import EVERYWHERE, PERMISSIONS, Principal
from gisgrid.limits import FORM_BYTES_MAX, FORM_FIELDS_MAX

__all__ = ["LOOPBACK", "areas", "caller", "check_same_site", "everywhere", "may", "refused", "require"]
EXTENSION: Final = "gisgrid.access"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MAP_CLIENTS: Final = ("/ogc", "/wms", "/api/v1/layers")
"""Where clients ask that know passwords only."""


def known() -> Known:
    """Those whose credentials this service knows."""
    found: Known = current_app.extensions[EXTENSION]
    return found


def caller() -> Principal:
    """Whoever asks, kept for the request. Raises Unauthorized (401) for credentials that are unknown or have ended."""
    if "principal" not in g:
        found = known().find(request.environ, _given()) or _keyless()
        if found is None:
            raise unauthorized(
                "what you signed in with is not known, or has ended; sign in again, or send a valid token"
            )
        g.principal = found
    principal: Principal = g.principal
    return principal


def may(permission: str, place: str | None = None) -> bool:
    """Whether the caller may do something at a place (code of an area or grid; empty: none known), or anywhere."""
    return caller().may(permission, place)


def areas(permission: str) -> tuple[str, ...]:
    """Codes of the areas where the caller may do something, ``("",)`` when that is everywhere."""
    return caller().areas(permission)


def everywhere(permission: str) -> bool:
    """Whether the caller may do something in the whole city."""
    return caller().areas(permission) == (EVERYWHERE,)


def require(permission: str, place: str | None = None) -> Principal:
    """The caller, who may. Raises Unauthorized (401) when nobody is signed in, Forbidden (403) for all others."""
    principal = caller()
    if not principal.may(permission, place):
        raise refused(permission, place)
    return principal


def refused(permission: str, place: str | None = None) -> HTTPException:
    """What to raise where the caller may not."""
    needed = f"the right to {permission} ({PERMISSIONS.get(permission, permission)})"
    if caller().kind == "nobody":
        return unauthorized(f"this needs {needed}; sign in, or send Authorization: Bearer TOKEN")
    where = f" in area {place}" if place and may(permission) else ""
    return Forbidden(f"this needs {needed}{where}; ask an administrator for it")


def unauthorized(message: str) -> Unauthorized:
    """401 with the ways to sign in. Basic is told to map clients only: browsers would ask for it in a box of theirs."""
    ways = [WWWAuthenticate("bearer", {"realm": "gisgrid"})]
    if request.path.startswith(_MAP_CLIENTS) and "Sec-Fetch-Mode" not in request.headers:
        ways.insert(0, WWWAuthenticate("basic", {"realm": "gisgrid"}))
    return Unauthorized(message, www_authenticate=ways)


def check_same_site() -> None:
    """Refuse what another site's page makes a browser change with its reader's rights. Raises Forbidden (403)."""
    by_browser = caller().kind == "person" or (caller().kind == "nobody" and _open_here())
    if request.method not in SAFE and by_browser and not from_own_page(request.environ):
        raise Forbidden("changes are made from this service's own pages, or by programs; not from other sites")


def is_here() -> bool:
    """Whether this machine asks."""
    return from_here(request.environ)


def _open_here() -> bool:
    settings: Any = current_app.extensions["gisgrid"].settings
    return bool(settings.open_editing)


def _given() -> Given:
    given = credentials(request.environ)
    if given.none and request.path.startswith("/open311"):
        key = request.args.get("api_key") or _posted_key()
        return Given(key=key) if key else given
    return given


def _keyless() -> Principal | None:
    """Nobody, for an api_key that is unknown where none is asked for: GeoReport clients send one all the same."""
    free = request.path.startswith("/open311") and credentials(request.environ).none and known().nobody.may("report")
    return known().nobody if free else None


def _posted_key() -> str | None:
    """The api_key of a posted form; the body stays there to be read. A form at fault is told of by its reader."""
    form = request.mimetype == "application/x-www-form-urlencoded" and (request.content_length or 0) <= FORM_BYTES_MAX
    if request.method != "POST" or not form:
        return None
    body = request.get_data()
    if len(body) > FORM_BYTES_MAX:
        return None
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        return None
    return next((value for name, value in pairs if name == "api_key"), None)
