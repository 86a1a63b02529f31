"""Who may send reports and change them: the keys of ``GISGRID_OPEN311_KEYS``."""

from __future__ import annotations

import hmac

from flask import request
from werkzeug.exceptions import Forbidden

from api.state import state


def caller(key: str | None) -> str:
    """The name of who has the key, empty for a key without a name and where no keys are set.

    Raises Forbidden (403) for a missing or unknown key. Every key is compared to its end, so that the time taken
    tells nothing.
    """
    keys = state().settings.open311_keys
    if not keys:
        return ""
    if not key:
        raise Forbidden("this needs a key: send api_key (Open311) or the header Authorization: Bearer KEY")
    given = key.encode("utf-8", "replace")
    names = [name for name, known in keys if hmac.compare_digest(known.encode(), given)]
    if not names:
        raise Forbidden("the key is not known here; ask the operator of the service for one")
    return names[0]


def bearer() -> str | None:
    """The key of an ``Authorization: Bearer`` header."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else None
