"""Who may send reports (``GISGRID_OPEN311_KEYS``), see drafts, work on plans, edit (``GISGRID_EDITOR_KEYS``)."""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import unquote, urlsplit

from flask import request
from werkzeug.exceptions import Forbidden

from api.state import state

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
AUTHOR_LENGTH: Final = 60


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


def planner() -> str:
    """The name of the caller, who may make, edit and publish plans.

    With a key of ``GISGRID_EDITOR_KEYS``, or, where ``GISGRID_OPEN_EDITING`` is set, from this machine by the name the
    header ``X-Gisgrid-Author`` gives (percent-encoded UTF-8). Raises Forbidden (403) for everybody else, and for pages
    of other sites.
    """
    _check_same_site()
    if not given_key() and _from_here():
        given = unquote(request.headers.get("X-Gisgrid-Author", "")).replace("\x00", "")
        return given[:AUTHOR_LENGTH].strip()
    return editor()


def is_planner() -> bool:
    """Whether the caller may make, edit and publish plans."""
    try:
        planner()
    except Forbidden:
        return False
    return True


def _from_here() -> bool:
    """Whether open editing is on and the request was sent to this machine's own name: none that a page elsewhere, or a
    name that was made to lead here, can use."""
    host = urlsplit(f"//{request.host}").hostname or ""
    peer = request.remote_addr or ""
    return state().settings.open_editing and host in LOOPBACK and (not peer or peer in LOOPBACK)


def _check_same_site() -> None:
    """Refuse what another site's page makes a browser send."""
    origin = request.headers.get("Origin")
    same = origin is None or urlsplit(origin).netloc == request.host
    if not same or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise Forbidden("plans are worked on from this service's own pages, or by programs; not from other sites")


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
