"""Requests that other sites' pages make a signed-in browser send are refused (CSRF).

A page reads its token from ``GET /api/v1/session``, which no other site's page can do, and sends it back in the header
``X-CSRF-Token`` with everything that changes something. The token is made from the session's own secret: nothing of it
is stored, and it ends with the session.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from flask import request

from api.sign_in.cookie import session_secret
from gisgrid.errors import Refused

HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ENTRANCES: Final = frozenset({"sign_in.open_session"})
"""Endpoints that ask for a password: whoever knows it needs no token, and a cookie that ended is not in the way."""


def token_of(secret: str) -> str:
    """The token of the session whose cookie holds the secret: 43 letters."""
    made = hmac.new(secret.encode("utf-8", "surrogatepass"), b"gisgrid csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def check() -> None:
    """Refuse an unsafe request that is authenticated by cookie and lacks the token of its session.

    Without effect for requests that carry no session cookie. Raises Refused (403, code ``csrf``).
    """
    if request.method in SAFE or request.endpoint in ENTRANCES or (secret := session_secret()) is None:
        return
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token_of(secret).encode()):
        told = f"{HEADER} is missing or not this session's; read it from /api/v1/session and send it"
        raise Refused(told, code="csrf")


def check_own_pages() -> None:
    """Refuse what another site's page sends: it could sign a reader in as somebody else. Raises Refused (403)."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Refused("people sign in on this service's own pages")
