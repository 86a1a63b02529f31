"""The one exception tree of gisgrid.

Every error a user can cause or meet is a `GisgridError`. The class says what kind of trouble it is; `EXIT_CODES`
turns it into a process exit code and `api.errors` into an HTTP status. Messages are one line, name the row, field
and value at fault, and say what to do.
"""

from __future__ import annotations

from typing import Any


class GisgridError(Exception):
    """Root of the tree. ``code`` is a stable machine-readable word, ``details`` JSON-ready facts."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class BadInput(GisgridError):
    """What the caller gave cannot be used: a file, a row, a parameter."""

    code = "bad_input"


class NotFound(GisgridError):
    """The thing named does not exist here: a plan, an area, a grid."""

    code = "not_found"


class Conflict(GisgridError):
    """The request clashes with what is stored: a code in use, a plan already published."""

    code = "conflict"


class Unseen(BadInput):
    """A change that does not say which state it was made from."""

    code = "precondition_required"


class Stale(Conflict):
    """A change of something that is no longer as its maker saw it; ``details["current"]`` is how it is now."""

    code = "precondition_failed"


class Refused(GisgridError):
    """Whoever asks may not do this."""

    code = "forbidden"


class TooMany(GisgridError):
    """Asked too often; ``retry_after`` seconds later it is worth another try."""

    code = "too_many_requests"


class Broken(GisgridError):
    """The machine or the database cannot serve: PostgreSQL missing or down, disk full."""

    code = "broken_environment"


EXIT_DONE = 0
EXIT_CHECK_FAILED = 1
EXIT_CODES: tuple[tuple[type[GisgridError], int], ...] = ((Broken, 3), (GisgridError, 2))


def exit_code(error: GisgridError) -> int:
    """Process exit code of an error: 2 bad input, 3 broken environment."""
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
