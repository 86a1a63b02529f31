"""What is a full disk or a lost database is told as such, whoever noticed; a fault of ours stays one."""

from __future__ import annotations

import errno
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from api.outage import outage, told
from gisgrid.errors import BadInput, Broken


def wrapped(error: psycopg.Error) -> sa.exc.DBAPIError:
    """As SQLAlchemy raises it."""
    made: Any = sa.exc.DBAPIError.instance("SELECT 'secret'", None, error, psycopg.Error)
    return made


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (wrapped(psycopg.errors.DiskFull("could not extend file")), "disk_full"),
        (psycopg.errors.DiskFull("could not extend file"), "disk_full"),
        (RuntimeError("sqlite3_exec failed: database or disk is full"), "disk_full"),
        (caused(RuntimeError("writing failed"), OSError(errno.ENOSPC, "full")), "disk_full"),
        (wrapped(psycopg.OperationalError("server closed the connection")), "database_down"),
        (wrapped(psycopg.errors.AdminShutdown("terminating connection")), "database_down"),
        (wrapped(psycopg.InterfaceError("the connection is closed")), "database_down"),
        (psycopg.OperationalError("consuming input failed"), "database_down"),
        (caused(sa.exc.PendingRollbackError("invalid"), wrapped(psycopg.OperationalError("gone"))), "database_down"),
        (sa.exc.TimeoutError("QueuePool limit"), "busy"),
        (wrapped(psycopg.errors.DeadlockDetected("deadlock")), "busy"),
        (wrapped(psycopg.errors.QueryCanceled("statement timeout")), "busy"),
    ],
)
def test_outages(error: Exception, code: str, caplog: pytest.LogCaptureFixture) -> None:
    found = outage(error)
    assert found is not None
    assert found.code == code
    assert "secret" not in caplog.text, "no statement in the log"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), OSError(errno.ENOENT, "none"), wrapped(psycopg.errors.SyntaxError("x"))]
)
def test_faults_of_ours(error: Exception) -> None:
    assert outage(error) is None


def test_an_error_of_ours_tells_of_the_full_disk_behind_it() -> None:
    full = caused(BadInput("points.csv: cannot be written"), OSError(errno.ENOSPC, "full"))
    assert isinstance(full, BadInput)
    assert told(full).code == "disk_full"
    plain = Broken("something else")
    assert told(plain) is plain
