"""pg_dump, pg_restore and psql that fit a server, and how they are told where it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

from data.embedded import session_name
from gisgrid.errors import Broken

NAMES = ("pg_dump", "pg_restore", "psql")


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs of one version, and the environment that leads them to the database."""

    folder: Path
    version: int
    env: dict[str, str]

    def command(self, name: str, *arguments: str) -> list[str]:
        """A program with its arguments."""
        return [str(self.folder / name), *arguments]


def programs_for(engine: sa.Engine) -> Programs:
    """The programs for the server of an engine: of its own version, else the oldest that is newer.

    Raises Broken when there are none: an older pg_dump refuses a newer server.
    """
    raw = engine.raw_connection()
    try:
        driver = raw.driver_connection
        assert isinstance(driver, psycopg.Connection)
        server, env = driver.info.server_version // 10_000, _environment(driver.info)
    finally:
        raw.close()
    fit = sorted((version, str(folder)) for version, folder in _found() if version >= server)
    if not fit:
        raise Broken(
            f"the server is PostgreSQL {server}, and no pg_dump and psql of that version are here; "
            f"install postgresql-client-{server}"
        )
    return Programs(Path(fit[0][1]), fit[0][0], env)


def _environment(info: psycopg.ConnectionInfo) -> dict[str, str]:
    """Where the database is, as variables: arguments, the password among them, are seen by all of a machine."""
    given = info.get_parameters() | {"application_name": session_name()}
    if info.password:
        given["password"] = info.password
    variables = {
        option.keyword.decode(): option.envvar.decode()
        for option in psycopg.pq.Conninfo.get_defaults()
        if option.envvar is not None
    }
    told = {variables[name]: value for name, value in given.items() if name in variables}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"} | told


def _found() -> Iterator[tuple[int, Path]]:
    """Versions and folders in which all three programs are."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if tool := shutil.which("pg_config"):
        told = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        folders.append(Path(told or "/nonexistent"))
    if tool := shutil.which("pg_dump"):
        folders.append(Path(tool).parent)
    for folder in folders:
        if all((folder / name).exists() for name in NAMES):
            asked = [str(folder / "pg_dump"), "--version"]
            said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
            if version := re.search(r"\) (\d+)", said):
                yield int(version[1]), folder
