"""Settings, read once from the environment and passed on as a value; nothing here is global or mutable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import user_data_path

from gisgrid.errors import BadInput


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
    address_aliases: Path | None = None
    """``GISGRID_ADDRESS_ALIASES``: CSV of nicknames of roads, compounds and places, read by the address search."""

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
            address_aliases=_file(env, "GISGRID_ADDRESS_ALIASES"),
        )


def _default_home() -> Path:
    # root's own home is closed to the unprivileged account PostgreSQL must run as
    if os.geteuid() == 0:
        return Path("/var/lib/gisgrid")
    return user_data_path("gisgrid", appauthor=False)


def _file(env: Mapping[str, str], name: str) -> Path | None:
    value = env.get(name)
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise BadInput(f"{name}={value!r}: no such file")
    return path
