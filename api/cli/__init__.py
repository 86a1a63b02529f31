"""The ``gisgrid`` command."""

from __future__ import annotations

import importlib
import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from gisgrid import __version__
from gisgrid.errors import GisgridError, exit_code

MODULES: dict[str, str] = {
    "demo": "serving",
    "serve": "serving",
    "worker": "working",
    "webhooks": "webhooks",
    "db": "database",
    "sample": "importing",
    "import": "importing",
    "export": "importing",
    "units": "planning",
    "plan": "plan",
    "plans": "planning",
    "check": "planning",
    "compare": "comparing",
    "clean": "planning",
    "publish": "planning",
    "systems": "systems",
    "fuse": "systems",
    "crosswalk": "systems",
    "locate": "locating",
    "index": "locating",
    "posts": "posts",
    "address": "addressing",
    "circles": "circles",
    "isochrones": "isochrones",
    "warm": "serving",
}
"""Which module of `api.cli` holds a command; only that one is imported, so that short commands start quickly."""


_stopped: list[int] = []


def _stop(number: int, frame: FrameType | None) -> None:
    """Ctrl-C, remembered."""
    _stopped.append(number)
    signal.default_int_handler(number, frame)


def _terminate(number: int, frame: FrameType | None) -> None:
    """A polite end: what is half done is cleared away on the way out."""
    raise SystemExit(128 + number)


class Commands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer meets them."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in MODULES:
            return None
        module = importlib.import_module(f"api.cli.{MODULES[cmd_name]}")
        if _stopped:  # some libraries swallow Ctrl-C while they are imported
            raise KeyboardInterrupt
        found: click.Command = next(command for command in module.COMMANDS if command.name == cmd_name)
        return found


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="gisgrid")
def cli() -> None:
    """Balanced grids, their owners and 15-minute circles, on PostGIS or on plain files."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 a check failed or the plan is infeasible, 2 bad input, 3 broken environment.

    Every error of ours is one line on stderr.
    """
    # the pool tells every connection it could not return; our one line says what matters
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli.main(args=arguments, prog_name="gisgrid", standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except GisgridError as error:
        _fail(error.message, exit_code(error))
    except MemoryError:
        _fail("out of memory; give a smaller area or file", 3)
    except OSError as error:
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", 3)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except Exception as error:
        if _interrupted(error):
            _fail("stopped", 130)
        if type(error).__module__.startswith(("sqlalchemy", "psycopg")):
            said = next(iter(str(getattr(error, "orig", None) or error).splitlines()), type(error).__name__)
            _fail(f"the database could not do it: {said}", 3)
        raise
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C began the trouble: undoing a half-sent statement may fail in its turn."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _fail(message: str, code: int) -> None:
    click.echo(f"gisgrid: {' '.join(message.split())}", err=True)
    sys.exit(code)


__all__ = ["cli", "main"]
