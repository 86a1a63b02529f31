"""What a command shows: progress bars with an ETA on stderr, results on stdout, JSON for scripts."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.cli import stopping
from api.json import json_bytes
from data.exporters import check_target
from gisgrid import models


@dataclass(frozen=True, slots=True)
class Output:
    """How this run talks."""

    quiet: bool = False
    as_json: bool = False

    def say(self, *lines: str) -> None:
        """Lines for people; silent with ``-q`` and ``--json``."""
        if not (self.quiet or self.as_json):
            for line in lines:
                click.echo(line)

    def result(self, value: dict[str, Any], lines: Sequence[str] = ()) -> None:
        """The outcome: one JSON object with ``--json``, else the lines."""
        if self.as_json:
            click.echo(json_bytes(value).decode())
        else:
            self.say(*lines)

    @contextmanager
    def stage(self, title: str) -> Iterator[models.Progress]:
        """A progress bar for one piece of long work; yields the function to report to."""
        stopping.check()
        if self.quiet or self.as_json or not sys.stderr.isatty():
            begun = time.monotonic()
            yield models.no_progress
            if not (self.quiet or self.as_json):
                click.echo(f"{title}: {time.monotonic() - begun:.1f} s", err=True)
            return
        bar = Progress(
            TextColumn("{task.description:<28}"), BarColumn(bar_width=32), TaskProgressColumn(), TimeElapsedColumn(),
            TextColumn("ETA"), TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=Console(stderr=True),
        )  # fmt: skip
        with bar:
            task = bar.add_task(title, total=1.0, note="")
            yield lambda share, note: bar.update(task, completed=min(share, 1.0), note=note)
            bar.update(task, completed=1.0, note="")


class MapFile(click.Path):
    """A file to be written; refused before any work when its folder or ending will not do."""

    name = "file"

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path. Raises BadInput."""
        path = Path(str(super().convert(value, param, ctx)))
        check_target(path, **({"endings": self.endings} if self.endings else {}))
        return path


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``-q`` and ``--json`` and pass it the `Output`."""

    @click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object for scripts.")
    @functools.wraps(command)
    def wrapped(quiet: bool, as_json: bool, **arguments: Any) -> Any:
        return command(output=Output(quiet, as_json), **arguments)

    return wrapped


def table_lines(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows as aligned columns; wide characters count double."""
    cells = [[str(value) for value in row] for row in [header, *rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]
    return ["  ".join(text + " " * (widths[i] - _width(text)) for i, text in enumerate(row)).rstrip() for row in cells]


def _width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
