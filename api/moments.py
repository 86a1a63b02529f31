"""``at=``: a moment in the past, or a generation by its number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from api.state import state
from data.past import read_past
from data.plans import Generation, current_generation, generation_then
from gisgrid.moments import past_moment, past_moment_or_number

AT_GENERATION = "date or time, or the number of a generation: as it was then"
AT_MOMENT = "date or time: as it was then"


def moment(at: str) -> datetime:
    """The moment a parameter names. Raises BadInput for what is none, or lies ahead."""
    return past_moment(at, name="at", zone=state().settings.timezone, now=_now())


def moment_or_generation(at: str) -> datetime | int:
    """A moment, or the number of a generation. Raises BadInput."""
    return past_moment_or_number(at, name="at", zone=state().settings.timezone, now=_now())


def _now() -> datetime:
    """The clock that changes are dated by."""
    with state().engine.connect() as connection:
        return connection.execute(sa.select(sa.func.now())).scalar_one()


def generation_asked(connection: sa.Connection, at: str | None) -> Generation | None:
    """The generation in force then; now without ``at`` (None before the first). Raises NotFound, BadInput."""
    if at is None:
        return current_generation(connection)
    return generation_then(connection, moment_or_generation(at))


@contextmanager
def reading(at: str | datetime | None) -> Iterator[sa.Connection]:
    """A connection that reads things as they were then (`data.past`); without ``at`` as they are now."""
    when = moment(at) if isinstance(at, str) else at
    with state().engine.connect() as connection:
        if when is not None:
            read_past(connection, when)
        yield connection
