"""The drill: a backup is restored beside the database, and looked at as the service would."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data import db, embedded
from data.backup import contents
from data.backup.archive import Archive
from data.backup.put_back import restore
from gisgrid.models import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill found."""

    tables: int
    rows: int
    points: int
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether the backup brings back what was backed up."""
        return not self.problems


def drill(engine: sa.Engine, archive: Archive, home: Path, *, progress: Progress = no_progress) -> Drill:
    """Restore into a database made for it and dropped again; compare with the manifest what came of it.

    Rows and digests of all tables are compared by the restore itself, before it is kept; then the generation, the
    coverage of its grids computed anew, and the owner of 1,000 places asked of a fresh index. Where no database may
    be made on the server, a private cluster is started for it. Raises Broken when the restore fails.
    """
    manifest = archive.manifest
    with tempfile.TemporaryDirectory(prefix="gisgrid-drill-") as folder, _beside(engine) as scratch:
        place = Path(folder)
        done = restore(scratch, archive, place, progress=lambda share, note: progress(0.8 * share, note))
        progress(0.85, "generation, coverage, owners")
        with scratch.connect() as connection:
            found = contents.grids_state(connection)
        problems = [
            f"{what}: {found.get(what)} where the backup has {manifest[what]}"
            for what in ("generation", "coverage")
            if found.get(what) != manifest[what]
        ]
        if done.other_owners:
            problems.append(f"{done.other_owners} of {len(manifest['owners'])} places have another owner by the index")
        if (found.get("owners") or []) != manifest["owners"]:
            problems.append("places have another owner by PostGIS")
        problems += _missing_files(manifest, place)
    rows = sum(table["rows"] for table in manifest["tables"].values())
    return Drill(len(manifest["tables"]), rows, len(manifest["owners"]), problems)


def _missing_files(manifest: dict[str, Any], home: Path) -> list[str]:
    names = [name for name in manifest["members"] if name.startswith("jobs/")]
    return [f"{name} did not come back" for name in names if not (home / name).is_file()]


@contextmanager
def _beside(engine: sa.Engine) -> Iterator[sa.Engine]:
    """An engine on an empty database of the same server, or of a private cluster made for it."""
    name = f"gisgrid_drill_{os.getpid()}"
    with ExitStack() as stack:
        try:
            _alone(engine, f'CREATE DATABASE "{name}"')
        except sa.exc.ProgrammingError:  # not allowed
            home = Path(tempfile.mkdtemp(prefix="gisgrid-drill-"))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            cluster = stack.enter_context(embedded.running(embedded.cluster_at(home)))
            made = db.make_engine(cluster.url)
        else:
            stack.callback(_alone, engine, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            made = db.make_engine(engine.url.set(database=name).render_as_string(hide_password=False))
        stack.callback(made.dispose)
        yield made


def _alone(engine: sa.Engine, statement: str) -> None:
    """A statement outside of any transaction."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
