"""What is not the request's fault: a database that is away, a disk that is full. Said the same by every way in."""

from __future__ import annotations

import logging

import psycopg
import sqlalchemy as sa

from gisgrid.disk import FULL, chain, disk_full
from gisgrid.errors import Broken, GisgridError

AWAY = "the database does not answer; try again in a moment"
BUSY = "the service is busy; try again in a moment"
CROWDED = "too many change this at the same time; try again in a moment"
_TOO_LONG = "57014"
_GAVE_WAY = {"40001", "40P01", "55P03"}
"""SQLSTATE of a transaction that could not be put in order, of a deadlock, and of a lock that was not to be had."""
log = logging.getLogger("gisgrid.api")


def outage(error: Exception) -> Broken | None:
    """The `Broken` that an error nobody foresaw amounts to, noted in the log in one line; None when it is a fault of
    ours."""
    found = _outage(error)
    if found is not None:
        log.error("%s: %s", found.code, _first_line(error))
    return found


def told(error: GisgridError) -> GisgridError:
    """An error of ours as it is answered: one that a full disk led to says so."""
    cause = error.__cause__
    return Broken(FULL, code="disk_full") if cause is not None and disk_full(cause) else error


def _outage(error: Exception) -> Broken | None:
    if disk_full(error):
        return Broken(FULL, code="disk_full")
    met = list(chain(error))
    states = {getattr(one, "sqlstate", None) for one in met}
    if states & _GAVE_WAY:
        return Broken(CROWDED, code="busy")
    if _TOO_LONG in states:
        return Broken("the database took too long over this; ask for less, or try again in a moment", code="busy")
    if any(isinstance(one, sa.exc.TimeoutError) for one in met):  # no connection came free
        return Broken(BUSY, code="busy")
    return Broken(AWAY, code="database_down") if any(map(_lost, met)) else None


def _lost(error: BaseException) -> bool:
    """Whether the database went away, or could not be reached."""
    if isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError)):
        return True
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated


def _first_line(error: Exception) -> str:
    """What the driver or the system said, without statements and values."""
    plain = [one for one in chain(error) if not isinstance(one, sa.exc.SQLAlchemyError)]
    lines = str(plain[0] if plain else type(error).__name__).strip().splitlines()
    return lines[0] if lines else type(error).__name__
