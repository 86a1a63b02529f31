"""Restoring a backup: all of it in one transaction that is kept only when the content is what the manifest says."""

from __future__ import annotations

import collections
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from data import db, embedded
from data.backup import contents
from data.backup.archive import DUMP, Archive
from data.backup.programs import Programs, programs_for
from data.in_force import forget_indexes, read_current
from data.tables import NOTES, RESTORED, audit_head
from gisgrid import __version__
from gisgrid.errors import BadInput, Broken, Conflict, NotFound
from gisgrid.models import Progress, no_progress

ROOM_SHARE = 1.4
"""A restore takes so much of the size the database had: rows, indexes, and the log they are written through."""
_JOB_FILE = re.compile(r"jobs/[0-9]{1,18}/(input|output/[^/\x00]{1,255})")
_DROP = f"""
DO $gisgrid$
DECLARE one record;
BEGIN
  FOR one IN SELECT n.nspname, c.relname, c.relkind {contents.OURS} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    ORDER BY c.relkind <> 'r' LOOP
    EXECUTE format('DROP %s IF EXISTS %I.%I CASCADE', CASE one.relkind WHEN 'v' THEN 'VIEW'
      WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
      one.nspname, one.relname);
  END LOOP;
  FOR one IN SELECT p.oid::regprocedure AS name, p.prokind FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE',
      CASE one.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, one.name);
  END LOOP;
  FOR one IN SELECT y.oid::regtype AS name FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace
    WHERE n.nspname !~ '^pg_|^information_schema$' AND y.typtype IN ('e', 'c', 'd', 'r') AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = y.oid AND d.deptype IN ('e', 'i'))
  LOOP
    EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', one.name);
  END LOOP;
END $gisgrid$;
"""
"""Empties the database of all but what extensions made, which the next owner may not be allowed to make again."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the manifest, the schema it is at now, how many of the kept places have another owner."""

    manifest: dict[str, Any]
    schema: str | None
    other_owners: int


def check_fits(engine: sa.Engine, archive: Archive, *, known: Iterable[str], data: Path | None) -> None:
    """Raise BadInput or Broken when this program, server or disk cannot take the backup.

    ``known``: schema versions of this program; ``data``: folder of the database's files, where it is of this machine.
    """
    manifest = archive.manifest
    if manifest["schema"] not in known:
        raise BadInput(
            f"{archive.path} has schema {manifest['schema']}, made by gisgrid {manifest['gisgrid']}; "
            f"this is {__version__}, restore with that version or a newer one"
        )
    with engine.connect() as connection:
        server = int(connection.exec_driver_sql("SHOW server_version_num").scalar() or 0) // 10_000
    if server < manifest["server_version"]:
        raise BadInput(
            f"{archive.path} is of PostgreSQL {manifest['server_version']}, this server is {server}; "
            "restore into the same version or a newer one"
        )
    needed = int(manifest["database_bytes"] * ROOM_SHARE)
    if data is not None and (free := shutil.disk_usage(data).free) < needed:
        raise Broken(f"{data} has {free / 1e6:,.0f} MB free, the database may need {needed / 1e6:,.0f}; make room")


def check_unused(engine: sa.Engine) -> None:
    """Raise Conflict while others are connected: what they hold in memory would be of another database."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND application_name <> :name"
    )
    with engine.connect() as connection:
        others = connection.scalar(query, {"name": embedded.session_name()}) or 0
    if others:
        raise Conflict(f"{others} sessions use the database; stop the service and its workers first, then restore")


def restore(
    engine: sa.Engine, archive: Archive, home: Path, *, files: bool = True, progress: Progress = no_progress
) -> Restored:
    """Put a backup in the place of all the database holds; nothing has changed when this raises.

    Then bring the schema to this program's version, and make the indexes of the generation in force anew. ``files``:
    put the files of jobs under ``home`` in place too. Raises Broken when PostgreSQL refuses it, or content differs.
    """
    programs = programs_for(engine)
    before = _head(engine)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as folder:
        jobs = _job_files(archive, Path(folder)) if files and archive.manifest["files"] else None
        engine.dispose()
        _run(programs, archive, lambda share, note: progress(0.8 * share, note))
        if jobs is not None:
            _swap(jobs, home / "jobs", Path(folder) / "before")
    progress(0.85, "schema")
    db.upgrade_schema(engine)
    _tell(engine, archive, before)
    progress(0.9, "indexes")
    forget_indexes(engine, home)
    for cache in ("grounds", "networks"):
        shutil.rmtree(home / cache, ignore_errors=True)
    with engine.connect() as connection:
        version = db.schema_version(engine)
        try:
            others = contents.differing_owners(read_current(connection, home), archive.manifest["owners"])
        except NotFound:
            others = 0
    return Restored(archive.manifest, version, others)


def _head(engine: sa.Engine) -> str | None:
    """Where the audit log ends, as `gisgrid db verify` prints it; None where there is none."""
    try:
        with engine.connect() as connection:
            row = connection.execute(sa.select(audit_head.c.seq, audit_head.c.hash)).one_or_none()
    except sa.exc.ProgrammingError:
        return None
    return None if row is None else f"{row.seq} {bytes(row.hash).hex()}"


def _tell(engine: sa.Engine, archive: Archive, before: str | None) -> None:
    """Write into the log that was brought back that it was, from what, and where the log ended that it replaced."""
    after = {"file": archive.path.name, "taken_at": archive.manifest["at"], "head": _head(engine)}
    change = {"id": archive.path.name, "area": "", "before": {"head": before}, "after": after}
    statement = sa.text(
        "INSERT INTO audit_log (principal, name, subject, action, rows, reason, origin, changes) "
        "SELECT w.principal, w.name, :subject, 'restore', 1, w.reason, w.origin, CAST(:changes AS jsonb) "
        "FROM audit_who() AS w"
    )
    with engine.begin() as connection:
        connection.execute(statement, {"subject": RESTORED, "changes": json.dumps([change])})


def _job_files(archive: Archive, folder: Path) -> Path:
    made = folder / "jobs"
    made.mkdir(mode=0o700)
    for name in archive.manifest["members"]:
        if _JOB_FILE.fullmatch(name) and ".." not in name.split("/"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with archive.open(name) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
    return made


def _swap(made: Path, place: Path, before: Path) -> None:
    if place.exists():
        place.rename(before)
    made.rename(place)


def _run(programs: Programs, archive: Archive, progress: Progress) -> None:
    """Feed the whole script to one psql in one transaction."""
    psql = programs.command(
        "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-w", "-o", "/dev/null", "-f", "-"
    )
    said: collections.deque[str] = collections.deque(maxlen=20)
    with subprocess.Popen(
        psql, env=programs.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        listener = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        listener.start()
        failed = None
        try:
            for block in _script(programs, archive, progress):
                process.stdin.write(block)
            process.stdin.close()
        except BrokenPipeError:
            failed = "psql ended early"
        except BaseException:
            process.kill()  # the transaction goes with its session
            raise
        listener.join()
    if process.returncode or failed:
        errors = [line for line in said if "ERROR" in line or "FATAL" in line or "error:" in line] or list(said)
        reason = re.sub(r"^.*?(ERROR|FATAL|error):\s*", "", errors[0]) if errors else failed
        raise Broken(f"the backup was not restored, the database is as it was: {reason}")


def _script(programs: Programs, archive: Archive, progress: Progress) -> Iterator[bytes]:
    yield b"SET lock_timeout = '30s'; SET client_min_messages = warning;\n"
    yield _DROP.encode()
    yield from _dumped(programs, archive, progress)
    progress(0.95, "content compared with the manifest")
    yield f"\n{contents.SAME_TEXT};\n{_verify(archive.manifest['tables'])}\n{_RENEW}\n".encode()


def _dumped(programs: Programs, archive: Archive, progress: Progress) -> Iterator[bytes]:
    """The dump as SQL, made by pg_restore. A failure of it raises, and so ends the transaction."""
    command = programs.command("pg_restore", "--no-owner", "--no-privileges", "--no-comments", "-f", "-")
    size = max(archive.manifest["members"][DUMP]["bytes"], 1)
    with subprocess.Popen(
        command, env=programs.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said: collections.deque[str] = collections.deque(maxlen=5)
        feeder = threading.Thread(target=_feed, args=(process.stdin, archive, size, progress), daemon=True)
        listener = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        feeder.start()
        listener.start()
        try:
            while block := process.stdout.read(1 << 16):
                yield block
        except BaseException:
            process.kill()
            raise
        feeder.join()
        listener.join()
    if process.returncode:
        raise Broken(
            f"the backup was not restored, the database is as it was: {said[-1] if said else 'pg_restore failed'}"
        )


def _feed(into: IO[bytes], archive: Archive, size: int, progress: Progress) -> None:
    done = 0
    try:
        for block in archive.blocks(DUMP):
            into.write(block)
            done += len(block)
            progress(0.9 * done / size, f"{done / 1e6:,.0f} of {size / 1e6:,.0f} MB")
        into.close()
    except (BrokenPipeError, ValueError):
        return  # pg_restore ended, and says why


def _listen(lines: IO[bytes], said: collections.deque[str]) -> None:
    for line in lines:
        said.append(line.decode(errors="replace").strip())


def _verify(tables: contents.Figures) -> str:
    """SQL that fails unless every table has the rows and the digest the manifest says."""
    expected = ", ".join(
        f"({_text(schema)}, {_text(name)}, {int(about['rows'])}::bigint, {_text(about['digest'])})"
        for (schema, name), about in ((key.split(".", 1), about) for key, about in tables.items())
    )
    return f"""
DO $gisgrid$
DECLARE one record; found bigint; digest text;
BEGIN
  FOR one IN SELECT * FROM (VALUES {expected}) AS told(s, n, c, d) LOOP
    EXECUTE format($q${contents.DIGEST} %I.%I r$q$, one.s, one.n) INTO found, digest;
    IF found <> one.c OR digest <> one.d THEN
      RAISE EXCEPTION 'table %.% came back with % rows where the manifest has %, or with other content',
        one.s, one.n, found, one.c;
    END IF;
  END LOOP;
END $gisgrid$;
"""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_RENEW = f"""
DO $gisgrid$
BEGIN
  IF to_regclass('public.layer_changes') IS NOT NULL THEN
    DELETE FROM public.layer_changes;
    PERFORM setval(pg_get_serial_sequence('public.layer_changes', 'id'),
      greatest((extract(epoch FROM clock_timestamp()) * 1000)::bigint,
               (SELECT coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'
                AND format('%I.%I', schemaname, sequencename) = pg_get_serial_sequence('public.layer_changes', 'id'))));
    INSERT INTO public.layer_changes (layer)
      SELECT name FROM (VALUES {", ".join(f"({_text(name)}, {_text(table)})" for name, table in NOTES.items())})
        AS known(name, of)
      WHERE to_regclass('public.' || of) IS NOT NULL;
  END IF;
END $gisgrid$;
"""
"""Every layer changed just now, under numbers no cache, here or in a browser, has ever seen: after a restore the
sequence would count through the numbers of what was lost once more."""
