"""Settings of the identity provider and of the proxies in front, read from their texts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gisgrid.access import Grant, read_grant
from gisgrid.errors import BadInput

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class ClaimRole:
    """A role for those of whom the provider claims something: ``groups/grid-office=planner:370811``."""

    claim: str
    """Name of the claim; dots lead into objects (``realm_access.roles``)."""
    value: str
    """Its value, or one of them."""
    grant: Grant


def provider_from(env: Mapping[str, str]) -> dict[str, Any]:
    """The ``oidc_…`` settings. Raises BadInput for what cannot be used, and for a half of it."""
    names = {
        "issuer": "GISGRID_OIDC_ISSUER", "client_id": "GISGRID_OIDC_CLIENT_ID",
        "client_secret": "GISGRID_OIDC_CLIENT_SECRET", "roles": "GISGRID_OIDC_ROLES",
    }  # fmt: skip
    given = {key: env.get(name, "").strip() for key, name in names.items()}
    if not given["issuer"]:
        if left := [names[key] for key, value in given.items() if value]:
            raise BadInput(f"{left[0]} is set without {names['issuer']}; set both or none")
        return {}
    if not given["client_id"]:
        raise BadInput(f"{names['issuer']} is set without {names['client_id']}; give the name this service has there")
    check_provider_url(given["issuer"], names["issuer"])
    return {
        "oidc_issuer": given["issuer"], "oidc_client_id": given["client_id"],
        "oidc_client_secret": "".join(_lines(given["client_secret"], names["client_secret"], split=None)),
        "oidc_roles": tuple(_role(entry, names["roles"]) for entry in _lines(given["roles"], names["roles"])),
    }  # fmt: skip


def check_provider_url(url: str, what: str) -> None:
    """Raise BadInput for an address that could be listened to on the way: http beyond this machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("https", "http") or parts.query or parts.fragment or parts.username:
        raise BadInput(f"{what}={url!r} is no address; give https://HOST/PATH")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadInput(f"{what}={url!r} is not encrypted; give an https address")


def _lines(text: str, name: str, *, split: str | None = ",") -> list[str]:
    """Entries of a setting, or of the file it names after ``@``, one a line there; what they are is never told."""
    if text.startswith("@"):
        try:
            found = Path(text[1:]).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{name}={text!r}: the file cannot be read; give @FILE with one entry a line") from error
        found = [line for line in found if split is None or not line.lstrip().startswith("#")]
    else:
        found = text.split(split) if split else [text]
    return [entry.strip() for entry in found if entry.strip()]


def _role(entry: str, name: str) -> ClaimRole:
    left, equals, role = entry.rpartition("=")
    claim, slash, value = left.partition("/")
    if not (equals and slash and claim and value):
        raise BadInput(f"{name}: {entry!r} cannot be read; give CLAIM/VALUE=ROLE or CLAIM/VALUE=ROLE:AREA")
    return ClaimRole(claim, value, read_grant(role))


def networks_from(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    """Addresses and networks split by commas. Raises BadInput."""
    found = []
    for text in (part.strip() for part in env.get(name, "").split(",")):
        if not text:
            continue
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise BadInput(f"{name}: {text!r} is no address or network; give 10.0.0.5,10.1.0.0/16") from None
    return tuple(found)


def hours_from(env: Mapping[str, str], name: str, default: float) -> float:
    """Hours from a minute to a year. Raises BadInput."""
    text = env.get(name, "").strip()
    try:
        hours = float(text) if text else default
    except ValueError:
        hours = 0.0
    if not 1 / 60 <= hours <= 24 * 366:
        raise BadInput(f"{name}={text!r} cannot be used; give hours, 0.02 to 8784")
    return hours
