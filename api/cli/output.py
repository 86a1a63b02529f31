"""What a command shows: progress bars with an ETA on stderr, results on stdout, JSON for scripts."""

from __future__ import annotations

import functools
import os
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
from gisgrid.errors import BadInput


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
    """A file to be written; refused before any work when its folder or ending will not do.

    ``layers``: what a command writes; formats of one layer get a file for each, which may be no input either.
    ``long_names``: the layers have columns a shapefile would cut to ten letters. ``replaces``: inputs (parameter
    names) whose successor this is, so that it may take their place.
    """

    name = "file"

    def __init__(
        self, *endings: str, layers: Sequence[str] = (), long_names: bool = False, replaces: Sequence[str] = ()
    ) -> None:
        super().__init__(path_type=Path)
        self.endings = endings
        self.layers = tuple(layers)
        self.long_names = long_names
        self.replaces = tuple(replaces)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path. Raises BadInput."""
        path = Path(str(super().convert(value, param, ctx)))
        if self.long_names and path.suffix.lower() in (".shp", ".zip"):
            raise BadInput(
                f"{path}: a shapefile cuts column names to ten letters, and several here would be one; "
                "give .gpkg, .geojson, .fgb, .parquet or .csv"
            )
        check_target(path, **({"endings": self.endings} if self.endings else {}))
        return path

    def written(self, path: Path) -> list[Path]:
        """Every file that may be made for ``path``."""
        several = [] if path.suffix.lower() == ".gpkg" else self.layers
        return [path, *(path.with_name(f"{path.stem}_{layer}{path.suffix}") for layer in several)]


def refuse_inputs(context: click.Context) -> None:
    """Raise BadInput when a file to be written is one that is read, or is written twice: nothing given is lost."""
    params = {str(param.name): param for param in context.command.params}
    taken: list[tuple[str, str, Path]] = []
    for name, param in params.items():
        if not isinstance(param.type, MapFile):
            taken += [(name, _called(param), path) for path in _files_of(context.params.get(name))]
    for name, param in params.items():
        target = context.params.get(name)
        if not isinstance(param.type, MapFile) or target is None:
            continue
        made = param.type.written(target)
        for path in made:
            for source, owner, given in taken:
                if source not in param.type.replaces and _same(path, given):
                    does = "is" if path == target else f"{target} also writes {path.name},"
                    raise BadInput(f"{_called(param)} {does} the file of {owner}; name another", path=str(path))
        taken += [(name, _called(param), path) for path in made]


def _called(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else str(param.name).upper()


def _files_of(value: object) -> list[Path]:
    """Files a value may name: ``FILE``, ``FILE:layer`` or ``KIND:FILE``."""
    if isinstance(value, (tuple, list)):
        return [path for one in value for path in _files_of(one)]
    if not isinstance(value, (str, Path)):
        return []
    text = str(value)
    names = {text: None, text.rpartition(":")[0]: None, text.partition(":")[2]: None}
    # os.path.isfile: no text is too long or too odd to be told it is no file
    return [Path(name) for name in names if name and os.path.isfile(name)]  # noqa: PTH113


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def arrows(written: Sequence[Path]) -> list[str]:
    """A line for every file made; the parts of a shapefile are one."""
    return [f"→ {path}" for path in written if path.suffix.lower() not in (".shx", ".dbf", ".prj", ".cpg")]


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``-q`` and ``--json`` and pass it the `Output`; its files may not replace what it reads."""

    @click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object for scripts.")
    @functools.wraps(command)
    def wrapped(quiet: bool, as_json: bool, **arguments: Any) -> Any:
        refuse_inputs(click.get_current_context())
        return command(output=Output(quiet, as_json), **arguments)

    return wrapped


def table_lines(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows as aligned columns; wide characters count double."""
    cells = [[str(value) for value in row] for row in [header, *rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(header))]
    return ["  ".join(text + " " * (widths[i] - _width(text)) for i, text in enumerate(row)).rstrip() for row in cells]


def _width(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
