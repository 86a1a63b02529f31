"""The cookies of the service: who is signed in, and what the way to the identity provider and back needs."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from api.client_address import is_secure, prefix
from gisgrid.limits import SECRET_CHARS_MAX

SESSION: Final = "gisgrid_session"
TRIP: Final = "gisgrid_sign_in"
"""What was asked of the identity provider; lives as long as somebody may take to sign in there."""


def session_secret() -> str | None:
    """What the session cookie of this request holds."""
    return request.cookies.get(SESSION, "")[:SECRET_CHARS_MAX] or None


def keep(response: Response, name: str, value: str, seconds: float) -> None:
    """Have the browser keep a cookie that no script reads and no other site's request carries along unsafely."""
    response.set_cookie(
        name, value, max_age=int(seconds), path=f"{prefix()}/", secure=is_secure(), httponly=True, samesite="Lax"
    )
    response.headers["Cache-Control"] = "no-store"


def drop(response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(name, path=f"{prefix()}/", secure=is_secure(), httponly=True, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"
