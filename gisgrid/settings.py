"""Settings, read once from the environment and passed on as a value; nothing here is global or mutable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import user_data_path

from gisgrid.errors import BadInput

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

    keep_days: float = 14.0
    """``GISGRID_KEEP_DAYS``: days that ended jobs, their files and told webhook deliveries are kept."""
    webhook_waits: tuple[float, ...] = WEBHOOK_WAITS
    """``GISGRID_WEBHOOK_WAITS``: seconds before each further try of a webhook delivery, split by commas."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the settings. Raises BadInput when a value cannot be used."""
        url = env.get("GISGRID_DATABASE_URL", "").strip() or None
        if url and not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            raise BadInput(
                f"GISGRID_DATABASE_URL={url!r} is no PostgreSQL address; give postgresql://user:password@host/database"
            )
        home = Path(env["GISGRID_HOME"]).expanduser() if env.get("GISGRID_HOME") else _default_home()
        return cls(
            home=home.absolute(),
            database_url=url,
            household_factors=_file(env, "GISGRID_HOUSEHOLD_FACTORS"),
            facility_categories=_file(env, "GISGRID_FACILITY_CATEGORIES"),
            keep_days=_numbers(env, "GISGRID_KEEP_DAYS", (14.0,), most=1)[0],
            webhook_waits=_numbers(env, "GISGRID_WEBHOOK_WAITS", WEBHOOK_WAITS, most=100),
        )


def _default_home() -> Path:
    # root's own home is closed to the unprivileged account PostgreSQL must run as
    if os.geteuid() == 0:
        return Path("/var/lib/gisgrid")
    return user_data_path("gisgrid", appauthor=False)


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


def _file(env: Mapping[str, str], name: str) -> Path | None:
    value = env.get(name)
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise BadInput(f"{name}={value!r}: no such file")
    return path
