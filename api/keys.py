"""Who may send reports (``GISGRID_OPEN311_KEYS``), see drafts and edit features (``GISGRID_EDITOR_KEYS``)."""

from __future__ import annotations

import hmac

from flask import request
from werkzeug.exceptions import Forbidden

from api.state import state


def caller(key: str | None) -> str:
    """The name of who has the key, empty for a key without a name and where no keys are set.

    Raises Forbidden (403) for a missing or unknown key.
    """
    keys = state().settings.open311_keys
    if not keys:
        return ""
    if not key:
        raise Forbidden("this needs a key: send api_key (Open311) or the header Authorization: Bearer KEY")
    return _owner(keys, key)


def editor() -> str:
    """The name of the caller, who may see drafts and edit features. Raises Forbidden (403) for everybody else."""
    keys = state().settings.editor_keys
    if not keys:
        raise Forbidden("drafts and editing are closed here; the operator opens them with GISGRID_EDITOR_KEYS")
    key = given_key()
    if not key:
        raise Forbidden("this needs a key: send Authorization: Bearer KEY, or the key as the password of basic access")
    return _owner(keys, key)


def is_editor() -> bool:
    """Whether the caller may see drafts."""
    try:
        editor()
    except Forbidden:
        return False
    return True


def bearer() -> str | None:
    """The key of an ``Authorization: Bearer`` header."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else None


def given_key() -> str | None:
    """The key of an ``Authorization`` header: Bearer, or the password of Basic, which map clients can send."""
    given = request.authorization
    return given.password if given is not None and given.type == "basic" else bearer()


def _owner(keys: tuple[tuple[str, str], ...], key: str) -> str:
    """The name a key has. Every key is compared to its end, so that the time taken tells nothing."""
    given = key.encode("utf-8", "replace")
    names = [name for name, known in keys if hmac.compare_digest(known.encode(), given)]
    if not names:
        raise Forbidden("the key is not known here; ask the operator of the service for one")
    return names[0]
