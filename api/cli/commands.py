"""Which commands there are, and what is said of what goes wrong in them."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence

import click

from api.cli import stopping
from gisgrid import __version__, interrupts
from gisgrid.actors import operator, set_at_work
from gisgrid.errors import GisgridError, exit_code

MODULES: dict[str, str] = {
    "demo": "serving",
    "serve": "serving",
    "worker": "working",
    "webhooks": "webhooks",
    "user": "accounts",
    "token": "accounts",
    "thematic": "thematic",
    "db": "database",
    "sample": "importing",
    "import": "importing",
    "export": "exporting",
    "qgis-project": "exporting",
    "sheet": "sheets",
    "units": "planning",
    "plan": "plan",
    "plans": "planning",
    "check": "planning",
    "compare": "comparing",
    "clean": "planning",
    "publish": "publishing",
    "generations": "publishing",
    "restore": "publishing",
    "undo": "publishing",
    "history": "history",
    "systems": "systems",
    "fuse": "systems",
    "crosswalk": "systems",
    "locate": "locating",
    "index": "locating",
    "posts": "posts",
    "address": "addressing",
    "network": "network",
    "circles": "circles",
    "isochrones": "isochrones",
    "site": "siting",
    "heat": "heat",
    "response": "response",
    "radius": "straight",
    "warm": "serving",
}
"""Which module of `api.cli` holds a command; only that one is imported, so that short commands start quickly."""


class Commands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer meets them."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in MODULES:
            return None
        with interrupts.held():  # some libraries swallow Ctrl-C while they are imported, or tell of it themselves
            module = importlib.import_module(f"api.cli.{MODULES[cmd_name]}")
        stopping.check()
        set_at_work(operator(cmd_name))
        found: click.Command = next(command for command in module.COMMANDS if command.name == cmd_name)
        return found


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="gisgrid")
def cli() -> None:
    """Balanced grids, their owners and 15-minute circles, on PostGIS or on plain files."""


def run(arguments: Sequence[str] | None) -> int:
    """Run the command those arguments (the process's own without any) ask for; its exit code."""
    # the pool tells every connection it could not return; our one line says what matters
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    code = cli.main(args=arguments, prog_name="gisgrid", standalone_mode=False)
    return code if isinstance(code, int) else 0


def explained(error: BaseException) -> tuple[int, str] | None:
    """Exit code and line for an error; None for one that is a mistake of our own."""
    if isinstance(error, click.Abort):
        return 130, "stopped"
    if isinstance(error, click.ClickException):
        return 2, error.format_message()
    if isinstance(error, GisgridError):
        return exit_code(error), error.message
    if isinstance(error, MemoryError):
        return 3, "out of memory; give a smaller area or file"
    if isinstance(error, OSError):
        return 3, f"{error.filename or 'input/output'}: {error.strerror or error}"
    if type(error).__module__.startswith(("sqlalchemy", "psycopg")):
        said = next(iter(str(getattr(error, "orig", None) or error).splitlines()), type(error).__name__)
        return 3, f"the database could not do it: {said}"
    return None
