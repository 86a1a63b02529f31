"""Deeper levels follow: a unit whose grid changed joins a grid inside the new one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gisgrid import topology
from planning.edits.sheet import Level, Owners


def parents_of(level: Level) -> npt.NDArray[np.int64]:
    """Slot of the parent of every unit's grid one level up, shape (n,), −1 where the unit has no grid."""
    parent = np.array([-1 if grid is None else grid.parent for grid in level.grids] + [-1], dtype=np.int64)
    return parent[level.owner]


def follow(upper: Level, level: Level, moved: npt.NDArray[np.bool_], borders: topology.Borders) -> Owners:
    """Owners on a level once units ``moved`` (mask) on the level above: each joins the grid inside its new parent that
    it shares most border with (ties: the smallest slot), units deep inside after those around them; none where the
    parent has no grid that it could touch. Units whose grid belongs to their parent stay.
    """
    owner: npt.NDArray[np.int64] = level.owner.astype(np.int64)
    astray = moved & ((owner < 0) | (parents_of(level) != upper.owner))
    owner[astray] = -1
    loose = astray & (upper.owner >= 0)
    if loose.any() and level.grids:
        owner, _ = topology.absorb(owner, loose, borders, groups=upper.owner.astype(np.int64))
    return owner.astype(np.int32)


def misplaced(upper: Level, level: Level) -> int | None:
    """A unit whose grid is not inside the unit's grid one level up; None when all are right."""
    wrong: Any = np.flatnonzero((level.owner >= 0) & (parents_of(level) != upper.owner))
    return int(wrong[0]) if wrong.size else None
