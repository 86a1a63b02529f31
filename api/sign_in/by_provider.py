"""Sign in by the city's identity provider: the way there and the way back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from apiflask import Schema
from apiflask.fields import String
from flask import Response, current_app, redirect, request
from marshmallow import EXCLUDE

from api.client_address import base_url
from api.pages import Strict
from api.sign_in import cookie
from api.sign_in.blueprint import HERE, begin_session, bp, hand_over
from api.sign_in.provided import person_for
from api.sign_in.provider import Provider
from api.state import state
from gisgrid.errors import BadInput, GisgridError, NotFound, Refused

TRIP_SECONDS: Final = 600
_PAGE: Final = re.compile(r"[a-z]{0,20}(\?[A-Za-z0-9._~%=&,:+-]{0,500})?")
log = logging.getLogger("gisgrid.api")


class ThereQuery(Strict):
    """Where to go on afterwards."""

    next = String(load_default="", metadata={"description": "page of this service to show afterwards, with its query"})


class BackQuery(Schema):
    """What the provider sends; it may send more."""

    class Meta:
        unknown = EXCLUDE

    code = String(load_default="")
    state = String(load_default="")
    iss = String(load_default=None)
    error = String(load_default="")


def provider() -> Provider:
    """The provider of this service. Raises NotFound where there is none."""
    if state().settings.oidc_issuer is None:
        raise NotFound("no identity provider is set here (GISGRID_OIDC_ISSUER); sign in with a password")
    held: Provider = current_app.extensions.setdefault("gisgrid_provider", Provider(state().settings))
    return held


@bp.get(f"{HERE}/provider")
@bp.input(ThereQuery, location="query")
@bp.doc(hide=True)
def to_provider(query_data: dict[str, Any]) -> Response:
    """Send the browser to the identity provider, which sends it back to the callback."""
    if not _PAGE.fullmatch(query_data["next"]):
        raise BadInput("next is no page of this service; give for example plans?new")
    there = provider().addresses()["authorization_endpoint"]
    trip = {"next": query_data["next"]} | {
        key: secrets.token_urlsafe(32) for key in ("state", "nonce", "verifier")
    }  # fmt: skip
    challenge = base64.urlsafe_b64encode(hashlib.sha256(trip["verifier"].encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": state().settings.oidc_client_id, "redirect_uri": _back(),
        "scope": "openid profile", "state": trip["state"], "nonce": trip["nonce"], "code_challenge": challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    response = redirect(f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}", 302)
    packed = base64.urlsafe_b64encode(orjson.dumps(trip)).decode()
    cookie.keep(response, cookie.TRIP, packed, TRIP_SECONDS)  # type: ignore[arg-type]
    return response  # type: ignore[return-value]


@bp.get(f"{HERE}/provider/callback")
@bp.input(BackQuery, location="query")
@bp.doc(hide=True)
def from_provider(query_data: dict[str, Any]) -> Response:
    """Where the identity provider sends the browser back to: sign in whom it vouches for."""
    trip = _trip()
    try:
        response = _sign_in(query_data, trip)
    except GisgridError as error:
        log.warning("sign-in by the identity provider failed: %s", error.message)
        if not request.accept_mimetypes.accept_html or request.accept_mimetypes.best in (None, "*/*"):
            raise
        told = "refused" if isinstance(error, Refused) else "failed"
        response = redirect(f"{base_url()}/?sign-in={told}", 303)  # type: ignore[assignment]
    cookie.drop(response, cookie.TRIP)
    return response


def _sign_in(given: dict[str, Any], trip: dict[str, str]) -> Response:
    settings = state().settings
    known = provider()
    if not trip or not hmac.compare_digest(given["state"].encode(), trip["state"].encode()):
        raise Refused(
            "this sign-in was not begun in this browser, or too long ago; begin again", code="provider_refused"
        )
    if given["error"] or not given["code"] or given["iss"] not in (None, settings.oidc_issuer):  # iss: RFC 9207
        raise Refused("the identity provider did not sign you in; begin again", code="provider_refused")
    token = known.exchange(given["code"], trip["verifier"], _back())
    claims = known.claims(token, trip["nonce"])
    with state().engine.begin() as connection:
        user = person_for(connection, str(settings.oidc_issuer), claims, settings.oidc_roles)
        secret = begin_session(connection, user)
    return hand_over(redirect(f"{base_url()}/{trip['next']}", 303), secret)  # type: ignore[arg-type]


def _trip() -> dict[str, str]:
    """What was asked for when the browser was sent there; empty when nothing was."""
    try:
        held = orjson.loads(base64.urlsafe_b64decode(request.cookies.get(cookie.TRIP, "")))
    except ValueError:
        return {}
    names = ("state", "nonce", "verifier", "next")
    sound = isinstance(held, dict) and all(isinstance(held.get(name), str) and held[name] for name in names[:3])
    if not sound or not _PAGE.fullmatch(str(held.get("next", ""))):
        return {}
    return {name: str(held.get(name, "")) for name in names}


def _back() -> str:
    return f"{base_url()}{HERE}/provider/callback"
