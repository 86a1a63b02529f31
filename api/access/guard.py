"""Stands before every view: what its policy does not allow is refused before anything is read."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from apiflask import APIFlask
from flask import Response, request

from api.access import principal
from api.access.known import Known
from api.access.policies import ANYONE, METRICS, OPEN, REPORTS, policy_of
from gisgrid.errors import Broken
from gisgrid.settings import Settings

RIGHTS: Final = frozenset({"sign_in", "users", "tokens"})
"""Blueprints that change who is who: what was remembered is forgotten behind them."""


def init_app(app: APIFlask, settings: Settings, engine: sa.Engine) -> Known:
    """Have every request checked. To be called before anything else that looks at requests."""
    app.extensions[principal.EXTENSION] = known = Known(settings, engine)
    app.before_request(check)
    app.after_request(_keep_to_oneself)
    return known


def check_complete(app: APIFlask) -> None:
    """Raises Broken when an endpoint has no policy: what nobody has thought of is not served."""
    without = sorted({rule.endpoint for rule in app.url_map.iter_rules() if policy_of(rule.endpoint) is None})
    if without:
        raise Broken(f"no policy of access for {', '.join(without)}; give each one in api/access/policies.py")


def check() -> None:
    """Raises Unauthorized (401) and Forbidden (403) for callers that the endpoint's policy does not allow.

    Addresses that do not exist are answered as such, by whoever asked.
    """
    if request.endpoint is None or request.routing_exception is not None:
        return
    policy = policy_of(request.endpoint)
    if policy == OPEN:
        return
    principal.caller()
    principal.check_same_site()
    if policy == ANYONE or (request.method == "OPTIONS" and request.endpoint.endswith("options")):
        return
    permissions = (policy,) if isinstance(policy, str) else policy or ("admin",)
    if not any(_allowed(permission) for permission in permissions):
        word = permissions[0]
        raise principal.refused({REPORTS: "see", METRICS: "admin"}.get(word, word), "" if word == REPORTS else None)


def _allowed(permission: str) -> bool:
    if permission == REPORTS:
        return principal.everywhere("see")
    if permission == METRICS:
        return principal.is_here() or principal.may("admin")
    return principal.may(permission)


def _keep_to_oneself(response: Response) -> Response:
    """What not everybody may see is kept by nobody's cache but the reader's own."""
    known = principal.known()
    endpoint = request.endpoint or ""
    if request.method not in principal.SAFE and endpoint.partition(".")[0] in RIGHTS:
        known.forget()
    if known.open_to_see or policy_of(endpoint) in (None, OPEN):
        return response
    rule = response.headers.get("Cache-Control", "")
    if "no-store" not in rule:
        kept = [part.strip() for part in rule.split(",") if part.strip() not in ("", "public", "private", "immutable")]
        response.headers["Cache-Control"] = ", ".join(["private", *kept])
    response.vary.update(("Authorization", "Cookie"))
    return response
