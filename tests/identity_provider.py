"""A small identity provider that speaks OpenID Connect as the standards say, over real HTTP, and can be told to lie.

Discovery 1.0, authorization code flow with PKCE S256 (RFC 7636), client_secret_basic, codes that work once, ID tokens
signed with RS256 by a key of its own. It signs everybody in at once as whoever the test set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "gisgrid-test", "a secret: with % and ünïcode"
Claims = dict[str, Any]


class IdentityProvider:
    """What it knows; tests change ``person`` and ``lie``."""

    def __init__(self, base: str) -> None:
        self.issuer = base + "/realms/city"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.other = RSAKey.generate_key(2048, {"kid": "one"})
        self.person: Claims = {"sub": "u-1", "preferred_username": "Wang.Gong", "name": "网格办一号"}
        self.lie: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.codes: dict[str, dict[str, str]] = {}
        self.redeemed: list[str] = []

    def signed(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def by_another_key(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.other)

    def unsigned(self, claims: Claims) -> str:
        return _joined({"alg": "none"}, claims) + "."

    def by_the_public_key(self, claims: Claims) -> str:
        """HS256 with the published key as the secret: the confusion of algorithms."""
        text = _joined({"alg": "HS256", "kid": self.key.kid}, claims)
        return f"{text}.{_coded(hmac.digest(self.key.as_pem(private=False), text.encode(), 'sha256'))}"

    def turn_keys(self) -> None:
        """A new key, under a new name."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})

    def document(self) -> Claims:
        return {
            "issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token", "jwks_uri": self.issuer + "/keys",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }  # fmt: skip

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to. A request that breaks the standard is refused with ValueError."""
        if asked.get("response_type") != "code" or asked.get("client_id") != CLIENT:
            raise ValueError("response_type or client_id")
        if "openid" not in asked["scope"].split() or asked["code_challenge_method"] != "S256":
            raise ValueError("scope or PKCE")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if [unquote(part) for part in given.split(":")] != [CLIENT, SECRET]:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        sound = asked is not None and form["grant_type"] == "authorization_code"
        if not sound or asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if challenge.decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        self.redeemed.append(form["code"])
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = self.sign(self.lie(claims | self.person))
        return 200, {"access_token": "unused", "token_type": "Bearer", "expires_in": 300, "id_token": token}


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _joined(header: Claims, claims: Claims) -> str:
    return ".".join(_coded(json.dumps(part).encode()) for part in (header, claims))


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider at a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path.endswith("/.well-known/openid-configuration"):
                self._answer(200, made.document())
            elif url.path.endswith("/keys"):
                self._answer(200, {"keys": [made.key.as_dict(private=False, use="sig", alg="RS256")]})
            elif url.path.endswith("/authorize"):
                try:
                    self.send_response(302)
                    self.send_header("Location", made.authorize(asked))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except (KeyError, ValueError) as error:
                    self._answer(400, {"error": "invalid_request", "error_description": str(error)})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*made.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = IdentityProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
