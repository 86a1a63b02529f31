"""The city's identity provider, by OpenID Connect: its addresses and keys, and what its ID tokens say.

Authorization code flow with PKCE (RFC 7636), state and nonce; OpenID Connect Core 1.0 §3.1 and Discovery 1.0 §4.
Signatures are checked by joserfc, with the provider's published keys and asymmetric algorithms only: neither ``none``
nor one that would take the published key for a shared secret.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gisgrid.errors import BadInput, Broken, Refused
from gisgrid.limits import PROVIDER_BYTES_MAX, PROVIDER_SECONDS
from gisgrid.settings import Settings
from gisgrid.settings_sign_in import check_provider_url

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEPT_SECONDS: Final = 3600.0
"""How long the provider's addresses and keys are taken to be the same."""
ANEW_SECONDS: Final = 30.0
"""Keys are asked for anew at most this often when a token names one that is not known."""
LEEWAY_SECONDS: Final = 60
"""How far the clocks of two machines may be apart."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the provider publishes."""

    addresses: dict[str, Any]
    keys: KeySet
    at: float


class Provider:
    """The provider the settings name. Shared by the threads of a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._known: Known | None = None

    def addresses(self) -> dict[str, Any]:
        """The discovery document. Raises Broken when the provider cannot be asked or says what it may not."""
        return self._read().addresses

    def exchange(self, code: str, verifier: str, back: str) -> str:
        """The ID token for a code. Raises Refused for a code the provider does not take, Broken when it cannot tell."""
        addresses, held = self.addresses(), self._settings
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        basic = None
        methods = addresses.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if held.oidc_client_secret and "client_secret_basic" in methods:
            # RFC 6749 §2.3.1: both are form-encoded before they are joined
            basic = (quote(held.oidc_client_id, safe=""), quote(held.oidc_client_secret, safe=""))
        else:
            sent["client_id"] = held.oidc_client_id
            if held.oidc_client_secret:
                sent["client_secret"] = held.oidc_client_secret
        status, answer = _ask("POST", addresses["token_endpoint"], data=sent, auth=basic)
        token = answer.get("id_token")
        if 400 <= status < 500:
            raise Refused("the identity provider does not accept this sign-in; begin again", code="provider_refused")
        if status != 200 or not isinstance(token, str):
            raise Broken(f"the identity provider answers {status} without an ID token", code="provider_down")
        return token

    def claims(self, token: str, nonce: str) -> dict[str, Any]:
        """What an ID token says, once it is proven to be the provider's, for this service and this very sign-in.

        Raises Refused.
        """
        try:
            known = self._read()
            try:
                claims = jwt.decode(token, known.keys, algorithms=list(ALGORITHMS)).claims
            except (JoseError, ValueError):  # perhaps signed by a key that is newer than what is known
                claims = jwt.decode(token, self._read(newer_than=known).keys, algorithms=list(ALGORITHMS)).claims
            self._rules(nonce).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            told = f"the identity provider's answer cannot be trusted: {type(error).__name__}"
            raise Refused(told, code="provider_refused") from None
        audience, party = claims["aud"], claims.get("azp")
        several = isinstance(audience, list) and len(audience) > 1
        if (several and party is None) or party not in (None, self._settings.oidc_client_id) or not claims["sub"]:
            raise Refused("the identity provider's answer is for another service", code="provider_refused")
        return dict(claims)

    def _rules(self, nonce: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS, iss={"essential": True, "value": str(self._settings.oidc_issuer)},
            aud={"essential": True, "value": self._settings.oidc_client_id}, sub={"essential": True},
            exp={"essential": True}, iat={"essential": True}, nonce={"essential": True, "value": nonce},
        )  # fmt: skip

    def _read(self, *, newer_than: Known | None = None) -> Known:
        with self._lock:
            known, now = self._known, time.monotonic()
            if known is not None and now - known.at < (KEPT_SECONDS if known is not newer_than else ANEW_SECONDS):
                return known
            self._known = found = self._ask_anew(now)
            return found

    def _ask_anew(self, now: float) -> Known:
        issuer = self._settings.oidc_issuer or ""
        status, told = _ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if status != 200 or told.get("issuer") != issuer or not all(isinstance(told.get(key), str) for key in needed):
            raise Broken(
                "the identity provider's discovery document is not its own, or not whole", code="provider_down"
            )
        try:
            for key in needed:
                check_provider_url(told[key], key)
            status, keys = _ask("GET", told["jwks_uri"])
            return Known(told, KeySet.import_key_set(keys), now)  # type: ignore[arg-type]
        except (BadInput, JoseError, ValueError, KeyError, TypeError) as error:
            raise Broken(f"the identity provider's keys cannot be used: {error}", code="provider_down") from None


def _ask(method: str, url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer; nothing is followed elsewhere. Raises Broken."""
    try:
        with requests.request(
            method, url, timeout=PROVIDER_SECONDS, allow_redirects=False, stream=True,
            headers={"Accept": "application/json"}, **sent,
        ) as answer:  # fmt: skip
            body = answer.raw.read(PROVIDER_BYTES_MAX + 1, decode_content=True)
            if len(body) > PROVIDER_BYTES_MAX:
                raise Broken("the identity provider's answer is too long", code="provider_down")
            told = json.loads(body) if body else {}
            return answer.status_code, told if isinstance(told, dict) else {}
    except (requests.RequestException, OSError, ValueError) as error:
        raise Broken(f"the identity provider does not answer: {type(error).__name__}", code="provider_down") from None
