"""``gisgrid history``: who changed what, when and why."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

import click

from api.cli.output import Output, output_options
from data import db, history
from gisgrid.errors import BadInput
from gisgrid.moments import parse_moment
from gisgrid.settings import Settings

CHARS = 60
"""Of a value that is shown."""


@click.command("history")
@click.option("--subject", default="", help="What was changed: grids, plans, components …; several split by commas.")
@click.option("--id", "row", default="", help="One row of the subject.")
@click.option("--area", default="", help="Code of an area: changes in it and inside it.")
@click.option("--since", metavar="WHEN", help="2026-12-01 or 2026-12-01T06:00+08:00.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries at most.")
@output_options
def command(output: Output, subject: str, row: str, area: str, since: str | None, limit: int) -> None:
    """Tell what was changed, newest first: when, by whom, what before and after, why."""
    settings = Settings.from_env()
    if area and not re.fullmatch(r"[0-9]{6,12}", area, re.ASCII):
        raise BadInput(f"--area {area!r} is no area code; give 6, 9 or 12 digits")
    begin = f"{since}T00:00:00" if since and re.fullmatch(r"\d{4}-\d\d-\d\d", since) else since
    wanted = history.Wanted(
        subjects=tuple(subject.split(",")) if subject else (),
        id=row or None,
        area=area,
        since=parse_moment(begin, name="--since", zone=settings.timezone) if begin else None,
    )
    with db.database(settings) as engine, engine.connect() as connection:
        rows, _ = history.page(connection, wanted, limit=limit)
    told = [one | {"at": one["at"].astimezone(UTC).isoformat()} for one in rows]
    lines = [line for one in rows for line in _lines(one, settings)] or ["nothing was changed"]
    output.result({"entries": told}, lines)


def _lines(one: history.Entry, settings: Settings) -> list[str]:
    at = one["at"].astimezone(settings.timezone).isoformat(sep=" ", timespec="seconds")
    who = f"{one['name']} ({one['principal']})" if one["name"] else one["principal"]
    why = f": {one['reason']}" if one["reason"] else ""
    lines = [f"{one['seq']}  {at}  {who}  {one['action']} {one['rows']} {one['subject']}{why}"]
    lines += [f"    {change['label'] or change['id']}  {_difference(change)}" for change in one["changes"]]
    more = one["rows"] - len(one["changes"])
    return [*lines, f"    and {more} more"] if more and one["changes"] else lines


def _difference(change: dict[str, Any]) -> str:
    before, after = change["before"], change["after"]
    if before is None or after is None:
        return ""
    return ", ".join(f"{name} {_short(before[name])} → {_short(after.get(name))}" for name in sorted(before))


def _short(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"bytes", "sha256"}:
        return f"shape {value['sha256'][:8]}"
    text = "–" if value is None else str(value)
    return text if len(text) <= CHARS else text[: CHARS - 1] + "…"


COMMANDS = (command,)
