"""What a request says of who sends it, read from the WSGI environment: cookie, key, or that it comes from here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from werkzeug.http import parse_cookie

from gisgrid.limits import SECRET_CHARS_MAX

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
COOKIE: Final = "gisgrid_session"
AUTHOR_LENGTH: Final = 60
OWN: Final = ("none", "same-origin")
"""What ``Sec-Fetch-Site`` says of the service's own pages, and of addresses that people type."""
_FORWARDED: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST")

Environ = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """Credentials: at most one of them is set. ``unreadable``: an ``Authorization`` that is none we know."""

    cookie: str | None = None
    key: str | None = None
    unreadable: bool = False

    @property
    def none(self) -> bool:
        """Whether nothing was sent."""
        return self.cookie is None and self.key is None and not self.unreadable


NOTHING: Final = Given()


def credentials(environ: Environ) -> Given:
    """The session's cookie, or else the key of ``Authorization``: Bearer, or the password of Basic."""
    cookies = environ.get("HTTP_COOKIE", "")
    if COOKIE in cookies and (secret := parse_cookie(cookies).get(COOKIE)):
        return Given(cookie=secret[:SECRET_CHARS_MAX])
    header = environ.get("HTTP_AUTHORIZATION", "")
    if not header:
        return NOTHING
    kind, _, rest = header.partition(" ")
    key = _password(rest) if kind.lower() == "basic" else rest.strip() if kind.lower() == "bearer" else ""
    return Given(key=key[:SECRET_CHARS_MAX]) if key else Given(unreadable=True)


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def from_here(environ: Environ) -> bool:
    """Whether a request was sent by this machine to its own name: by no page elsewhere, by no name made to lead here,
    and through no proxy, whose own address says nothing of who asks."""
    host = urlsplit(f"//{environ.get('HTTP_HOST') or environ.get('SERVER_NAME', '')}").hostname or ""
    peer = environ.get("REMOTE_ADDR") or ""
    near = host in LOOPBACK and (not peer or peer in LOOPBACK) and not any(name in environ for name in _FORWARDED)
    return near and from_own_page(environ)


def from_own_page(environ: Environ) -> bool:
    """Whether no other site's page made a browser send this."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and urlsplit(origin).netloc != environ.get("HTTP_HOST"):
        return False
    return environ.get("HTTP_SEC_FETCH_SITE", "none") in OWN


def author(environ: Environ) -> str:
    """The name that whoever sits at this machine goes by (``X-Gisgrid-Author``, percent-encoded UTF-8)."""
    given = unquote(environ.get("HTTP_X_GISGRID_AUTHOR", "")).replace("\x00", "")
    return given[:AUTHOR_LENGTH].strip()
