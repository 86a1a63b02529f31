"""``gisgrid db backup`` and ``db restore``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
import sqlalchemy as sa

from api.cli.output import Output, output_options
from data import backup, db, embedded
from data.backup import contents
from data.backup.put_back import check_fits, check_unused
from gisgrid.errors import BadInput, Broken, Conflict
from gisgrid.settings import Settings

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
files_option = click.option(
    "--files/--no-files", default=True, show_default=True, help="Files that jobs were given and made, too."
)


@click.command("backup")
@file_argument
@files_option
@click.option("--drill", is_flag=True, help="Restore it beside the database afterwards, and compare.")
@output_options
def back_up(output: Output, file: Path, files: bool, drill: bool) -> int:
    """Write the database and the files of its jobs, as of one moment, to one new FILE. The service may go on meanwhile.

    With --drill exit 1 when what comes back differs.
    """
    settings = Settings.from_env()
    backup.check_target(file)  # before any work
    with db.database(settings, upgrade=False) as engine:
        _check_schema(engine)
        with output.stage("backup") as progress:
            taken = backup.back_up(engine, settings.home, file, files=files, progress=progress)
        tables = taken.manifest["tables"]
        rows = sum(table["rows"] for table in tables.values())
        facts = {
            "file": str(file), "bytes": taken.bytes, "schema": taken.manifest["schema"], "tables": len(tables),
            "rows": rows, "generation": taken.manifest["generation"],
        }  # fmt: skip
        lines = [f"{file}: {taken.bytes / 1e6:,.1f} MB, {rows:,} rows of {len(tables)} tables, "
                 f"schema {taken.manifest['schema']}, generation {_generation(taken.manifest)}"]  # fmt: skip
        if not drill:
            output.result(facts, lines)
            return 0
        output.say(*lines)
        return _drill(output, engine, file, settings, facts)


@click.command("restore")
@file_argument
@files_option
@click.option("--replace", is_flag=True, help="Put it in the place of what the database holds, which is kept first.")
@click.option("--drill", is_flag=True, help="Restore beside the database, compare, and leave everything as it is.")
@output_options
def restore(output: Output, file: Path, files: bool, replace: bool, drill: bool) -> int:
    """Bring back what `gisgrid db backup` wrote to FILE, all of it or nothing; the service must be stopped.

    A file that is cut short or was altered is refused before anything is touched.
    """
    settings = Settings.from_env()
    with output.stage("read the backup") as progress:
        archive = backup.Archive.verified(file, progress=progress)
    with db.database(settings, upgrade=False) as engine:
        data = None if settings.database_url else embedded.cluster_at(settings.home).data
        check_fits(engine, archive, known=db.known_schemas(), data=data)
        if drill:
            return _drill(output, engine, file, settings, {"file": str(file)}, archive)
        check_unused(engine)
        kept = _make_room(output, engine, settings, replace)
        settings.home.mkdir(parents=True, exist_ok=True)
        with output.stage("restore") as progress:
            done = backup.restore(engine, archive, settings.home, files=files, progress=progress)
    rows = sum(table["rows"] for table in done.manifest["tables"].values())
    facts = {
        "file": str(file), "rows": rows, "schema": done.schema, "generation": done.manifest["generation"],
        "kept": str(kept) if kept else None, "other_owners": done.other_owners,
    }  # fmt: skip
    lines = [
        f"restored {rows:,} rows of {done.manifest['at']}, schema {done.schema}, "
        f"generation {_generation(done.manifest)}",
        *([f"what was there before is in {kept}"] if kept else []),
        *([f"{done.other_owners} of the kept places have another owner now; do not go on with this"]
          if done.other_owners else []),
        "people sign in again; tokens and grants are as they were then: revoke what was revoked since",
    ]  # fmt: skip
    output.result(facts, lines)
    return 1 if done.other_owners else 0


def _make_room(output: Output, engine: sa.Engine, settings: Settings, replace: bool) -> Path | None:
    """Where what the database holds was kept; None when it holds nothing. Raises Conflict without ``replace``."""
    with engine.connect() as connection:
        held = contents.holds_anything(connection)
    if not held:
        return None
    if not replace:
        raise Conflict(
            f"the database holds something already ({', '.join(held[:4])}); "
            "give --replace to put the backup in its place: what is there is kept in a file first"
        )
    folder = settings.home / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = folder / f"before-restore-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}.gisgrid"
    with output.stage("keep what is there") as progress:
        backup.back_up(engine, settings.home, kept, progress=progress)
    return kept


def _drill(
    output: Output,
    engine: sa.Engine,
    file: Path,
    settings: Settings,
    facts: dict[str, object],
    archive: backup.Archive | None = None,
) -> int:
    if archive is None:
        with output.stage("read the backup") as progress:
            archive = backup.Archive.verified(file, progress=progress)
    with output.stage("drill") as progress:
        try:
            done = backup.drill(engine, archive, settings.home, progress=progress)
        except Broken as error:
            done = backup.Drill(0, 0, 0, [error.message])
    told = {"ok": done.ok, "tables": done.tables, "rows": done.rows, "places": done.points, "problems": done.problems}
    lines = [f"drill: {done.rows:,} rows of {done.tables} tables came back alike, {done.points:,} places their owners"]
    output.result(facts | {"drill": told}, lines if done.ok else [f"drill failed: {one}" for one in done.problems])
    return 0 if done.ok else 1


def _check_schema(engine: sa.Engine) -> None:
    found, newest = db.schema_version(engine), db.known_schemas()[-1]
    if found is None:
        raise BadInput("the database holds nothing yet: there is nothing to back up")
    if found not in db.known_schemas():
        raise BadInput(
            f"the database has schema {found}, newer than this gisgrid's {newest}; back up with the newer one"
        )


def _generation(manifest: dict[str, object]) -> str:
    now = manifest["generation"]
    return str(now["id"]) if isinstance(now, dict) else "none"
