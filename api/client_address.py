"""Where a request comes from and how it reached the first proxy, in words nobody can make up.

``X-Forwarded-…`` headers can be sent by anybody; they are believed only where the peer itself is one of the proxies the
operator named (``GISGRID_PROXIES``). Of ``X-Forwarded-For`` the last address that is no such proxy counts: what
stands before it was written by the client.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

from flask import request

from api.state import state
from gisgrid.settings_sign_in import Network

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


@lru_cache(maxsize=4096)
def trusted(peer: str, proxies: tuple[Network, ...]) -> bool:
    """Whether an address is one of the operator's proxies."""
    try:
        known = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return any(known in network for network in proxies if network.version == known.version)


@lru_cache(maxsize=4096)
def client_of(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """The client's address: the peer's, or the one the operator's proxies say they were asked from."""
    client = peer
    for hop in reversed([part.strip() for part in forwarded.split(",")] if forwarded else []):
        if not trusted(client, proxies):
            break
        given = _address(hop)
        if given is None:
            break
        client = given
    return client


def _address(text: str) -> str | None:
    """``192.0.2.1``, ``192.0.2.1:8080``, ``[2001:db8::1]:80`` or ``2001:db8::1`` as an address."""
    bare = text.strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _forwarded(name: str) -> str:
    """A header of the proxy in front; empty when it is not believed."""
    peer = request.remote_addr or ""
    given = request.headers.get(f"X-Forwarded-{name}", "") if trusted(peer, state().settings.proxies) else ""
    return given.rpartition(",")[2].strip()  # the nearest proxy's


def client_address() -> str:
    """The address this request comes from."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return client_of(request.remote_addr or "", forwarded, state().settings.proxies)


def is_secure() -> bool:
    """Whether the client sent the request by https, or the operator says that all do."""
    return state().settings.secure_cookies or request.scheme == "https" or _forwarded("Proto").lower() == "https"


def prefix() -> str:
    """The path under which a proxy shows the service: ``/grids`` or empty."""
    given = _forwarded("Prefix").rstrip("/")
    return request.script_root + (given if _PREFIX.fullmatch(given) else "")


def base_url() -> str:
    """The service's address as the client knows it, without a slash at its end."""
    given = _forwarded("Host")
    host = given if _HOST.fullmatch(given) else request.host
    return f"{'https' if is_secure() else request.scheme}://{host}{prefix()}"
