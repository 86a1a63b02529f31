"""The best plan so far of an engine run, kept where the service can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from data import tables as t

p = t.job_previews.c


@dataclass(frozen=True, slots=True)
class Preview:
    """``label``: grid number of each unit of ``unit_set`` in id order, −1 for none yet, int32 (n)."""

    revision: int
    unit_set: int
    figures: dict[str, Any]
    label: npt.NDArray[np.int32]


def keep(
    connection: sa.Connection, job: int, unit_set: int, label: npt.NDArray[np.int32], figures: dict[str, Any]
) -> None:
    """Put a newer plan in place of the one kept for a job."""
    values = {"unit_set": unit_set, "assignment": label.astype("<i4").tobytes(), "figures": figures}
    made = pg.insert(t.job_previews).values(job=job, **values)
    newer = {"revision": p.revision + 1, "at": sa.func.now(), **values}
    connection.execute(made.on_conflict_do_update(index_elements=[p.job], set_=newer))


def revision_of(connection: sa.Connection, job: int) -> int | None:
    """Counts up with every newer plan; None while there is none."""
    return connection.scalar(sa.select(p.revision).where(p.job == job))


def read(connection: sa.Connection, job: int) -> Preview | None:
    """The best plan so far of a job."""
    row = connection.execute(sa.select(p.revision, p.unit_set, p.figures, p.assignment).where(p.job == job)).first()
    if row is None:
        return None
    return Preview(row.revision, row.unit_set, row.figures, np.frombuffer(row.assignment, "<i4").astype(np.int32))
