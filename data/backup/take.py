"""Taking a backup: everything out of one snapshot, while the service goes on."""

from __future__ import annotations

import collections
import datetime as dt
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from data.backup import contents
from data.backup.archive import DUMP, Writer, writing
from data.backup.programs import Programs, programs_for
from gisgrid import __version__
from gisgrid.errors import Broken
from gisgrid.models import Progress, no_progress

DUMPED_SHARE = 0.7
"""So much of the tables' size (indexes apart) a dump may take; measured 0.2 to 0.5."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was made."""

    path: Path
    bytes: int
    manifest: dict[str, Any]


def back_up(
    engine: sa.Engine, home: Path, path: Path, *, files: bool = True, progress: Progress = no_progress
) -> Taken:
    """Write the database and, with ``files``, what its jobs were given and made, to a new file.

    Raises BadInput when the file is there, Broken when there is no room for it or pg_dump fails; nothing is left then.
    """
    with _snapshot(engine) as (connection, snapshot), _job_files(connection, home if files else None) as job_files:
        sizes = _sizes(connection)
        programs = programs_for(engine)
        with writing(path) as (writer, manifest):
            _check_room(path, sum(sizes.values()), job_files)
            manifest |= {"gisgrid": __version__, "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
            _dump(programs, snapshot, writer, sizes, lambda share, note: progress(0.7 * share, note))
            for number, (name, source) in enumerate(job_files.items()):
                progress(0.7 + 0.05 * number / len(job_files), f"file {number + 1} of {len(job_files)}")
                writer.add(name, source)
            progress(0.75, "rows counted and digested")
            manifest["tables"] = contents.figures(connection)
            progress(0.9, "grids in force")
            manifest |= contents.state_of(connection) | {"left_out": list(contents.LEFT_OUT), "files": files}
    return Taken(path, path.stat().st_size, manifest)


@contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[tuple[sa.Connection, str]]:
    """A read-only transaction and the name under which others see just what it sees."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection, str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar())


@contextmanager
def _job_files(connection: sa.Connection, home: Path | None) -> Iterator[dict[str, Path]]:
    """Files of the jobs the snapshot knows, by their names in the backup.

    They are linked aside at once: a job that ends while the backup is written takes its input away.
    """
    folder = home / "jobs" if home is not None else None
    if folder is None or not folder.is_dir():
        yield {}
        return
    known = {str(number) for number in connection.exec_driver_sql("SELECT id FROM jobs").scalars()}
    aside = Path(tempfile.mkdtemp(prefix=".backup-", dir=home))
    try:
        found: dict[str, Path] = {}
        for job in sorted(known & {path.name for path in folder.iterdir()}):
            for source in (folder / job / "input", *(folder / job / "output").glob("*")):
                name = f"jobs/{source.relative_to(folder).as_posix()}"
                if source.is_file() and not source.is_symlink() and _linked(source, aside / str(len(found))):
                    found[name] = aside / str(len(found))
        yield found
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _linked(source: Path, target: Path) -> bool:
    """Whether the file was still there."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:
        shutil.copyfile(source, target)
    return True


def _sizes(connection: sa.Connection) -> dict[str, int]:
    """Bytes of each table without its indexes."""
    query = f"SELECT n.nspname || '.' || c.relname, pg_table_size(c.oid) {contents.OURS} AND c.relkind = 'r'"
    return {str(name): int(size) for name, size in connection.exec_driver_sql(query)}


def _check_room(path: Path, tables: int, job_files: dict[str, Path]) -> None:
    needed = int(tables * DUMPED_SHARE) + sum(file.stat().st_size for file in job_files.values())
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise Broken(
            f"{path.parent} has {free / 1e6:,.0f} MB free, the backup may need {needed / 1e6:,.0f}; "
            "make room or name a file elsewhere"
        )


def _dump(programs: Programs, snapshot: str, writer: Writer, sizes: dict[str, int], progress: Progress) -> None:
    left_out = [f"--exclude-table-data=public.{name}" for name in contents.LEFT_OUT]
    command = programs.command(
        "pg_dump", "--format=custom", "--compress=3", "--no-owner", "--no-privileges", "--no-comments", "--no-password",
        "--lock-wait-timeout=30s", "--verbose", f"--snapshot={snapshot}", *left_out,
    )  # fmt: skip
    with subprocess.Popen(
        command, env=programs.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said: collections.deque[str] = collections.deque(maxlen=20)
        teller = threading.Thread(target=_follow, args=(process.stderr, sizes, progress, said), daemon=True)
        teller.start()
        try:
            with writer.member(DUMP) as out:
                while block := process.stdout.read(_BLOCK):
                    out.write(block)
        except BaseException:
            process.kill()
            raise
        teller.join()
    if process.returncode:
        errors = [line for line in said if "error" in line.lower() or "fatal" in line.lower()] or list(said)
        raise Broken(f"pg_dump failed: {errors[-1] if errors else 'no message'}")


def _follow(lines: IO[bytes], sizes: dict[str, int], progress: Progress, said: collections.deque[str]) -> None:
    """Tell how far pg_dump is, by the tables it names."""
    whole, done, current = max(sum(sizes.values()), 1), 0, ""
    for line in lines:
        text = line.decode(errors="replace").strip()
        said.append(text)
        if found := re.search(r'dumping contents of table "([^"]+)"', text):
            done += sizes.get(current, 0)
            current = found[1]
            progress(done / whole, current.removeprefix("public."))
