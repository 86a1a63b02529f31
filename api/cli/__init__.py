"""The ``gisgrid`` command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from api.cli import stopping


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 a check failed or the plan is infeasible, 2 bad input, 3 broken environment.

    Every error of ours is one line on stderr. After Ctrl-C the line is ``stopped`` and the code 130.
    """
    code, message = 1, ""
    try:
        stopping.heed()
        from api.cli import commands  # takes a while; from here on Ctrl-C is heeded

        code = commands.run(arguments)
        stopping.check()
    except BaseException as error:
        try:
            code, message = _end_of(error)
        finally:
            stopping.finish(code, process=arguments is None)
    else:
        stopping.finish(code, process=arguments is None)
    if message:
        print(f"gisgrid: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _end_of(error: BaseException) -> tuple[int, str]:
    """Exit code and line of what ended the command; a mistake of our own is raised again."""
    from api.cli import commands

    if number := stopping.asked(error):
        return 128 + number, "stopped" if number == signal.SIGINT else ""
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return error.code, ""
    if (said := commands.explained(error)) is None:
        raise error
    return said


__all__ = ["main"]
