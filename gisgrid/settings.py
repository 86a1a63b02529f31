"""Settings, read once from the environment and passed on as a value; nothing here is global or mutable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path

from gisgrid.access import ROLES
from gisgrid.errors import BadInput
from gisgrid.limits import RATE_PER_SECOND
from gisgrid.settings_sign_in import ClaimRole, Network, hours_from, networks_from, provider_from

CHINA_TIME = ZoneInfo("Asia/Shanghai")
NAMED_ROLES = ("planner", "admin")
"""Roles that change things for good: whoever has them is known by name."""
WEBHOOK_WAITS = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 43200.0, 86400.0, 86400.0)
"""Seconds between the tries of a webhook delivery: fourteen tries over three days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides. Each field names its variable."""

    home: Path
    """``GISGRID_HOME``: folder of the private database and of refused rows."""
    database_url: str | None = None
    """``GISGRID_DATABASE_URL``: another PostGIS instead of the private one (``postgresql://user@host/db``)."""
    household_factors: Path | None = None
    """``GISGRID_HOUSEHOLD_FACTORS``: CSV that replaces the built-in area per household by building kind."""
    facility_categories: Path | None = None
    """``GISGRID_FACILITY_CATEGORIES``: CSV that replaces the built-in life-circle facility table."""
    open311_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """``GISGRID_OPEN311_KEYS``: (name, key) of systems that send reports and follow them (roles reporter, viewer)."""
    editor_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """``GISGRID_EDITOR_KEYS``: (name, key) of those who plan, dispatch and analyse everywhere."""
    open_editing: bool = False
    """``GISGRID_OPEN_EDITING``: 1: all is allowed without a password, from this machine only (for trying out)."""
    anonymous: tuple[str, ...] = ()
    """``GISGRID_ANONYMOUS``: roles of those who send no credentials, split by commas; empty: nobody gets in."""
    timezone: tzinfo = CHINA_TIME
    """``GISGRID_TIMEZONE``: zone of times given without one, and of days (``Asia/Shanghai``)."""
    keep_days: float = 14.0
    """``GISGRID_KEEP_DAYS``: days that ended jobs, their files and told webhook deliveries are kept."""
    webhook_waits: tuple[float, ...] = WEBHOOK_WAITS
    """``GISGRID_WEBHOOK_WAITS``: seconds before each further try of a webhook delivery, split by commas."""
    address_aliases: Path | None = None
    """``GISGRID_ADDRESS_ALIASES``: CSV of nicknames of roads, compounds and places, read by the address search."""
    map_memory: float = 1024.0
    """``GISGRID_MAP_MEMORY``: MiB of layers that one process may hold in memory for drawing maps."""
    drawers: int = 0
    """``GISGRID_DRAWERS``: processes that draw the server's pictures; 0: each worker draws its own."""
    session_hours: float = 12.0
    """``GISGRID_SESSION_HOURS``: how long somebody stays signed in."""
    secure_cookies: bool = False
    """``GISGRID_SECURE_COOKIES``: 1: cookies are Secure even where requests do not look like https."""
    oidc_issuer: str | None = None
    """``GISGRID_OIDC_ISSUER``: the city's identity provider (OpenID Connect); None: people sign in with passwords."""
    oidc_client_id: str = ""
    """``GISGRID_OIDC_CLIENT_ID``: the name this service has there."""
    oidc_client_secret: str = field(default="", repr=False)
    """``GISGRID_OIDC_CLIENT_SECRET``: its secret there, or ``@FILE``; empty: a public client (PKCE alone)."""
    oidc_roles: tuple[ClaimRole, ...] = ()
    """``GISGRID_OIDC_ROLES``: roles given by a claim's values; empty: administrators give them here."""
    rate_limit: float = RATE_PER_SECOND
    """``GISGRID_RATE_LIMIT``: requests a second of one principal or address, in one process; 0: no limit."""
    proxies: tuple[Network, ...] = ()
    """``GISGRID_PROXIES``: addresses and networks whose X-Forwarded-… headers are believed."""
    log: str = ""
    """``GISGRID_LOG``: ``json`` or ``text``, what lines of the log are; empty: text on a terminal, else JSON."""
    log_level: str = ""
    """``GISGRID_LOG_LEVEL``: ``error``, ``warning``, ``info`` (a line a request) ``debug``; empty: as fits."""
    log_sample: int = 100
    """``GISGRID_LOG_SAMPLE``: of answers given from memory (locate, tiles) one in so many gets its line."""
    drain_seconds: float = 1.0
    """``GISGRID_DRAIN_SECONDS``: so long a server told to stop still takes requests while ``/readyz`` says 503."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the settings. Raises BadInput when a value cannot be used."""
        url = env.get("GISGRID_DATABASE_URL", "").strip() or None
        if url and not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            raise BadInput(
                "GISGRID_DATABASE_URL is no PostgreSQL address (not repeated here: it may hold a password); "
                "give postgresql://user:password@host/database"
            )
        home = Path(env["GISGRID_HOME"]).expanduser() if env.get("GISGRID_HOME") else _default_home()
        return cls(
            home=home.absolute(),
            database_url=url,
            household_factors=_file(env, "GISGRID_HOUSEHOLD_FACTORS"),
            facility_categories=_file(env, "GISGRID_FACILITY_CATEGORIES"),
            timezone=_zone(env.get("GISGRID_TIMEZONE")),
            open311_keys=_keys(env, "GISGRID_OPEN311_KEYS"),
            editor_keys=_keys(env, "GISGRID_EDITOR_KEYS"),
            open_editing=bool(_whole(env, "GISGRID_OPEN_EDITING", 0, most=1)),
            anonymous=_roles(env, "GISGRID_ANONYMOUS"),
            keep_days=_numbers(env, "GISGRID_KEEP_DAYS", (14.0,), most=1)[0],
            webhook_waits=_numbers(env, "GISGRID_WEBHOOK_WAITS", WEBHOOK_WAITS, most=100),
            address_aliases=_file(env, "GISGRID_ADDRESS_ALIASES"),
            map_memory=_numbers(env, "GISGRID_MAP_MEMORY", (1024.0,), most=1)[0],
            drawers=_whole(env, "GISGRID_DRAWERS", min(2, os.cpu_count() or 1), most=64),
            session_hours=hours_from(env, "GISGRID_SESSION_HOURS", 12.0),
            secure_cookies=bool(_whole(env, "GISGRID_SECURE_COOKIES", 0, most=1)),
            **provider_from(env),
            rate_limit=_numbers(env, "GISGRID_RATE_LIMIT", (RATE_PER_SECOND,), most=1)[0],
            proxies=networks_from(env, "GISGRID_PROXIES"),
            log=_word(env, "GISGRID_LOG", "", ("json", "text")),
            log_level=_word(env, "GISGRID_LOG_LEVEL", "", ("error", "warning", "info", "debug")),
            log_sample=max(1, _whole(env, "GISGRID_LOG_SAMPLE", 100, most=1_000_000)),
            drain_seconds=_drain(env),
        )


def _drain(env: Mapping[str, str]) -> float:
    seconds = _numbers(env, "GISGRID_DRAIN_SECONDS", (1.0,), most=1)[0]
    if seconds > 60:
        raise BadInput(f"GISGRID_DRAIN_SECONDS={seconds:g} is over 60; give 0 to 60 seconds")
    return seconds


def _default_home() -> Path:
    # root's own home is closed to the unprivileged account PostgreSQL must run as
    if os.geteuid() == 0:
        return Path("/var/lib/gisgrid")
    return user_data_path("gisgrid", appauthor=False)


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else CHINA_TIME
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"GISGRID_TIMEZONE={name!r} is no time zone; give for example Asia/Shanghai") from error


def _numbers(env: Mapping[str, str], name: str, default: tuple[float, ...], *, most: int) -> tuple[float, ...]:
    """Up to ``most`` numbers from zero up, split by commas."""
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not 0 < len(values) <= most or not all(0 <= value <= 3_650_000 for value in values):
        wanted = "a number" if most == 1 else "numbers split by commas"
        raise BadInput(f"{name}={text!r} cannot be used; give {wanted} from 0 up")
    return values


def _whole(env: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    """A whole number from 0 to ``most``."""
    text = env.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
        raise BadInput(f"{name}={text!r} cannot be used; give a whole number from 0 to {most}")
    return int(text)


def _roles(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Roles split by commas. Raises BadInput for one that is none, and for rights nobody gets without a name."""
    found = tuple(dict.fromkeys(part.strip() for part in env.get(name, "").split(",") if part.strip()))
    for role in found:
        if role not in ROLES or role in NAMED_ROLES:
            given = ", ".join(known for known in ROLES if known not in NAMED_ROLES)
            raise BadInput(f"{name}: {role[:40]!r} is no role that everybody can have; give some of {given}")
    return found


def _word(env: Mapping[str, str], name: str, default: str, known: tuple[str, ...]) -> str:
    text = env.get(name, "").strip().lower()
    if text and text not in known:
        raise BadInput(f"{name}={text!r} cannot be used; give {', '.join(known[:-1])} or {known[-1]}")
    return text or default


def _file(env: Mapping[str, str], name: str) -> Path | None:
    value = env.get(name)
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise BadInput(f"{name}={value!r}: no such file")
    return path


def _keys(env: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    """``KEY,NAME:KEY``, or ``@FILE`` with one of them a line; the key itself is never told."""
    value = env.get(name, "").strip()
    if not value:
        return ()
    if value.startswith("@"):
        path = Path(value[1:]).expanduser()
        try:
            listed = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{name}={value!r}: the file cannot be read; give @FILE with one key a line") from error
        listed = [line for line in listed if not line.lstrip().startswith("#")]
    else:
        listed = value.split(",")
    found = [_key(entry.strip(), name) for entry in listed if entry.strip()]
    if not found:
        raise BadInput(f"{name} holds no key; leave it unset to let everybody send reports")
    return tuple(found)


def _key(entry: str, variable: str) -> tuple[str, str]:
    name, colon, key = entry.partition(":")
    if not colon:
        return "", entry
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) or not key:
        raise BadInput(f"{variable}: an entry is KEY or NAME:KEY, NAME of letters, digits, - and _")
    return name, key
