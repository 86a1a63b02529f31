"""Webhook messages after the Standard Webhooks specification 1.0 (https://www.standardwebhooks.com): pure parts.

A message is signed with HMAC-SHA256 over ``id.timestamp.body``; a delivery that failed waits longer every time.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from random import Random
from urllib.parse import urlsplit

from gisgrid.errors import BadInput
from gisgrid.limits import WEBHOOK_URL_CHARS_MAX, WEBHOOK_WAIT_MAX

SECRET_PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
JITTER = 0.25
"""Waits are stretched by up to this share, so that what failed together does not come back together."""


def new_secret() -> str:
    """A random key of 32 bytes, as receivers are given it: ``whsec_`` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key in a written secret. Raises BadInput, never showing it."""
    low, high = SECRET_BYTES
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not low <= len(key) <= high:
        raise BadInput(f"the secret is not whsec_ followed by {low} to {high} bytes in base64")
    return key


def signature(keys: Sequence[bytes], message: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: a ``v1`` signature for each key, split by spaces."""
    signed = f"{message}.{timestamp}.".encode() + body
    marks = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return " ".join(f"v1,{mark}" for mark in marks)


def message_id(webhook: int, delivery: int, created_at: dt.datetime) -> str:
    """What a receiver knows a repeated delivery by: the same for every try, and never again for another event.

    The time is part of it because numbers start over when a database is restored from a copy.
    """
    text = f"{webhook} {delivery} {created_at.astimezone(dt.UTC).isoformat()}"
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def next_wait(waits: Sequence[float], failed: int, asked: float | None, random: Random) -> float | None:
    """Seconds to wait after the ``failed``-th failed try; None when that was the last one.

    ``asked``: what the receiver asked for (`retry_after`); it is never tried sooner.
    """
    if failed > len(waits):
        return None
    return max(waits[failed - 1] * (1 + JITTER * random.random()), asked or 0.0)


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds a ``Retry-After`` header asks for (a number or an HTTP date), at most a day; None if it says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:10])
    else:
        try:
            when = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp() - now.timestamp()
    return min(max(seconds, 0.0), WEBHOOK_WAIT_MAX)


def check_url(url: str, *, allow_http: bool = False) -> str:
    """An address events may be sent to. Raises BadInput.

    ``http`` is for this machine and private networks; elsewhere the reports would be readable on the way.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not host
        or len(url) > WEBHOOK_URL_CHARS_MAX
        or not url.isprintable()
        or " " in url
    ):
        raise BadInput(f"url {url[:100]!r} is no address to send to; give https://host/path")
    if parts.username is not None or parts.password is not None:
        raise BadInput("the url holds a user name or password; the signature is what tells the receiver who calls")
    if parts.fragment:
        raise BadInput(f"url {url[:100]!r} has a part after #, which is never sent; leave it out")
    if parts.scheme == "http" and not allow_http and not _is_private(host):
        raise BadInput(f"http://{host} is not known to be in a private network; give https, or --allow-http")
    return url


def _is_private(host: str) -> bool:
    """Whether a host is this machine or in a private network, by all of its addresses."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(address.split("%")[0]).is_private for address in found)
