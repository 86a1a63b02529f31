"""Open reports whose owner changed by a publish: the part of ``gisgrid locate`` behind ``--moved``."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from api.cli.output import Output, table_lines
from data import db
from data.csv_cells import harmless
from data.exporters import check_target
from data.reports import Move, apply_moves, moved_reports
from gisgrid.errors import BadInput, Broken
from gisgrid.limits import MOVED_LISTED_MAX
from gisgrid.settings import Settings

COLUMNS: Final = ("id", "source", "report_id", "stage", "old", "new", "generation", "now")
CHANNEL: Final = "gisgrid locate --moved"
SHOWN: Final = 20


def moved_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--moved``, ``--apply`` and ``--unlocated``."""
    for option in (
        click.option("--unlocated", is_flag=True, help="With --moved: also reports that were never located."),
        click.option("--apply", is_flag=True, help="With --moved: give the reports their new owners, tell webhooks."),
        click.option("--moved", is_flag=True, help="List open reports whose owner changed by a publish, from PostGIS."),
    ):
        command = option(command)
    return command


def moved(output: Output, *, out: Path | None = None, apply: bool = False, unlocated: bool = False) -> None:
    """List open reports whose owner is another now than when they were located; with ``apply`` change the owners.

    ``out``: a CSV file for all of them. Everything is done in one transaction, and the file appears only with it.
    """
    if out is not None:
        check_target(out, endings=(".csv",))
    count, listed = 0, []
    with (
        output.stage("looking for moved reports"),
        db.database(Settings.from_env()) as engine,
        _csv_file(out) as write,
        engine.begin() as connection,
    ):
        moves = moved_reports(connection, unlocated=unlocated)
        for move in apply_moves(connection, moves, channel=CHANNEL) if apply else moves:
            count += 1
            write(move)
            if count <= MOVED_LISTED_MAX:
                listed.append(move)
    output.result(
        {
            "moved": count, "applied": apply, "out": str(out) if out else None,
            "reports": [{name: asdict(move)[name] for name in COLUMNS} for move in listed],
        },
        _lines(count, listed, out, apply=apply),
    )  # fmt: skip


def _lines(count: int, listed: list[Move], out: Path | None, *, apply: bool) -> list[str]:
    done = "have a new owner now" if apply else "have another owner now; --apply gives it to them"
    lines = [f"{count} open reports {done}{f' → {out}' if out else ''}"]
    if count:
        header = ("report", "source", "source's id", "stage", "owner then", "owner now", "located in", "now")
        rows = [
            tuple("–" if value is None else value for value in (getattr(move, name) for name in COLUMNS))
            for move in listed[:SHOWN]
        ]
        lines += table_lines(header, rows)
    if count > SHOWN:
        lines.append(f"… and {count - SHOWN} more{'' if out else '; --out FILE.csv lists all'}")
    return lines


@contextmanager
def _csv_file(out: Path | None) -> Iterator[Callable[[Move], None]]:
    """A function that writes a line; the file takes its place at the end, or not at all."""
    if out is None:
        yield lambda move: None
        return
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.stem}-", suffix=".csv")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            yield lambda move: writer.writerow([_cell(getattr(move, name)) for name in COLUMNS])
        part.chmod(0o644)
        part.replace(out)
    except PermissionError as error:
        raise BadInput(f"{out}: may not be written: {error.strerror}") from error
    except OSError as error:
        raise Broken(f"{out}: could not be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value
