"""The ``gisgrid`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import sqlalchemy as sa

from api.cli import circles, database, importing, locating, planning, serving
from gisgrid import __version__
from gisgrid.errors import GisgridError, exit_code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="gisgrid")
def cli() -> None:
    """Balanced grids, their owners and 15-minute circles, on PostGIS or on plain files."""


for _module in (serving, database, importing, planning, locating, circles):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 a check failed or the plan is infeasible, 2 bad input, 3 broken environment.

    Every error of ours is one line on stderr.
    """
    try:
        code = cli.main(args=arguments, prog_name="gisgrid", standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except GisgridError as error:
        _fail(error.message, exit_code(error))
    except sa.exc.OperationalError as error:
        _fail(f"the database does not answer: {str(error.orig).splitlines()[0]}", 3)
    except MemoryError:
        _fail("out of memory; give a smaller area or file", 3)
    except OSError as error:
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", 3)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    click.echo(f"gisgrid: {' '.join(message.split())}", err=True)
    sys.exit(code)


__all__ = ["cli", "main"]
