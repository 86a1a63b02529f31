"""Is what is in force whole? Exactly one current generation, its grids a coverage of the communities they divide."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from data import plans
from data import tables as t
from data.loading import read_rows
from data.tables import COMPREHENSIVE
from planning.checking import check_levels, check_professional

PROBLEMS_TOLD = 20


@dataclass(slots=True)
class Force:
    """What was looked at and what is wrong with it."""

    generation: int | None = None
    grids: int = 0
    communities: int = 0
    systems: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_force(connection: sa.Connection) -> Force:
    """Look at the grids in force of every system; a database where nothing was published yet is whole.

    Grids of communities that never had any are not missed: plans need not be for the whole city.
    """
    found = Force()
    current = connection.scalars(sa.select(t.generations.c.id).where(t.generations.c.is_current)).all()
    newest = connection.scalar(sa.select(sa.func.max(t.generations.c.id)))
    if newest is None:
        return found
    if len(current) != 1:
        found.problems.append(f"{len(current)} generations are current; it must be one")
    elif current[0] != newest:
        found.problems.append(f"generation {current[0]} is current, and {newest} was published after it")
    found.generation = current[0] if current else None
    if found.generation is None:
        return found
    ahead = connection.scalar(
        sa.select(sa.func.count()).where(
            t.grids.c.generations.is_not(None),
            sa.func.upper_inf(t.grids.c.generations) != t.grids.c.generations.contains(found.generation),
        )
    )
    if ahead:
        found.problems.append(f"{ahead} grids begin or end with a generation that is not the current one")
    _check_systems(connection, found, found.generation)
    return found


def _check_systems(connection: sa.Connection, found: Force, generation: int) -> None:
    grids = plans.grids_in_force(connection, generation, system=None, level=None)
    found.grids = len(grids)
    for system, own in grids.groupby("system"):
        found.systems.append(str(system))
        if system == COMPREHENSIVE:
            codes = sorted(set(own["community"]))
            found.communities = len(codes)
            report = check_levels(own, read_rows(connection, t.areas, where=[t.areas.c.code.in_(codes)]))
        else:
            report = check_professional(own)
        found.problems += [f"{system}: {problem.text}" for problem in report.problems[:PROBLEMS_TOLD]]
