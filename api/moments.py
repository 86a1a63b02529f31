"""``at=``: a moment in the past, or a generation by its number."""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa

from api.state import state
from data.past import rows_at
from data.plans import Generation, current_generation, generation_at, generation_by_id
from gisgrid.errors import BadInput
from gisgrid.moments import past_moment

AT_GENERATION = "date or time, or the number of a generation: as it was then"
AT_MOMENT = "date or time: as it was then"


def moment(at: str) -> datetime:
    """The moment a parameter names. Raises BadInput for what is none, or lies ahead."""
    with state().engine.connect() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()  # the clock that changes are dated by
    return past_moment(at, name="at", zone=state().settings.timezone, now=now)


def moment_or_generation(at: str) -> datetime | int:
    """A moment, or the number of a generation (at most 7 digits: 8 are a date)."""
    return int(at) if re.fullmatch(r"[0-9]{1,7}", at.strip(), re.ASCII) else moment(at)


def generation_asked(connection: sa.Connection, at: str | None) -> Generation | None:
    """The generation in force then; now without ``at`` (None before the first). Raises NotFound, BadInput."""
    if at is None:
        return current_generation(connection)
    when = moment_or_generation(at)
    return generation_by_id(connection, when) if isinstance(when, int) else generation_at(connection, when)


def as_it_was(connection: sa.Connection, table: sa.Table, at: str | None) -> sa.CTE | None:
    """A table as it was then, for the statements that read it; None for now."""
    if at is None:
        return None
    if not at.strip():
        raise BadInput("at is empty; give a date or time, or leave it out")
    return rows_at(connection, table, moment(at))
