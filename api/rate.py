"""How often one principal, or one address, may ask: a token bucket each, in the memory of a process.

It stands before everything else, so that a flood costs microseconds a request. Whoever has been let in under a
principal counts under that principal; everybody else under their address, so that made-up ones are no way around. An
IPv6 network of 64 bits counts as one address. This machine's own requests are not counted, unless they were
forwarded: then they are others'. Fields: draft-ietf-httpapi-ratelimit-headers-10, and Retry-After (RFC 9110).
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from api.client_address import client_of
from api.errors import error_response
from data.sign_in_failures import network_of
from gisgrid.limits import RATE_BURST_SECONDS, RATE_HOLDERS_MAX
from gisgrid.settings_sign_in import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PRINCIPAL: Final = "gisgrid.principal"
"""Where the application notes, in the request's environment, under which principal it let somebody in."""
KNOWN_SECONDS: Final = 60.0
"""How long credentials count under the principal they belonged to."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1", ""})
COOKIE: Final = "gisgrid_session="


class RateLimit:
    """An application that answers each principal or address so often and no more."""

    def __init__(
        self,
        app: WSGIApplication,
        per_second: float,
        proxies: tuple[Network, ...] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._rate, self._proxies, self._clock = app, per_second, proxies, clock
        self._burst = max(1.0, per_second * RATE_BURST_SECONDS)
        self._policy = f'"default";q={int(self._burst)};w={math.ceil(self._burst / per_second)}' if per_second else ""
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}  # holder: requests left, when that was
        self._known: dict[bytes, tuple[str, float]] = {}  # digest of credentials: principal, until when

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer, or 429 in the one error shape."""
        if not self._rate:
            return self._app(environ, start_response)
        peer, forwarded = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
        if not forwarded and peer in LOOPBACK:
            return self._app(environ, start_response)
        now, credentials = self._clock(), _credentials(environ)
        known = self._known.get(credentials) if credentials else None
        if known is not None and known[1] > now:
            holder = known[0]
        else:
            holder = network_of(client_of(peer, forwarded, self._proxies) if forwarded else peer)
        left = self._take(holder, now)
        fields = [
            ("RateLimit-Policy", self._policy),
            ("RateLimit", f'"default";r={max(0, int(left))};t={self._full(left)}'),
        ]
        if left < 0:
            wait = max(1, math.ceil(-left / self._rate))
            refusal = error_response(429, "too_many_requests", f"too many requests; try again in {wait} s")
            refusal.headers.extend([*fields, ("Retry-After", str(wait))])
            return refusal(environ, start_response)

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, *fields], *more)

        answer = self._app(environ, begin)
        if credentials and PRINCIPAL in environ and (known is None or known[1] <= now):
            self._note(credentials, environ[PRINCIPAL], now)
        return answer

    def _take(self, holder: str, now: float) -> float:
        """Take one request out of a holder's bucket; what is left, below zero when there was none."""
        with self._lock:
            left, then = self._left.pop(holder, (self._burst, now))
            left = min(self._burst, left + (now - then) * self._rate)
            taken = left - 1.0
            self._left[holder] = (taken if taken >= 0 else left, now)  # at the end: the longest silent stand first
            while len(self._left) > RATE_HOLDERS_MAX:
                del self._left[next(iter(self._left))]
        return taken

    def _full(self, left: float) -> int:
        """Seconds until the bucket is full again."""
        return math.ceil((self._burst - max(left, 0.0)) / self._rate)

    def _note(self, credentials: bytes, principal: str, now: float) -> None:
        with self._lock:
            self._known.pop(credentials, None)
            self._known[credentials] = (principal, now + KNOWN_SECONDS)
            while len(self._known) > RATE_HOLDERS_MAX:
                del self._known[next(iter(self._known))]


def _credentials(environ: WSGIEnvironment) -> bytes | None:
    """A digest of what the request signs itself with."""
    given = environ.get("HTTP_AUTHORIZATION", "")
    cookies = environ.get("HTTP_COOKIE", "")
    if COOKIE in cookies:
        given = cookies.partition(COOKIE)[2].partition(";")[0]
    return hashlib.blake2b(given.encode("latin-1", "replace"), digest_size=16).digest() if given else None
