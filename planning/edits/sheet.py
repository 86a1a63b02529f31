"""Who owns what in a plan, in a form operations work on: grids by slot, per level the slot of every unit.

A slot is a grid's place in the list of its level and never changes; a grid that ends leaves its slot empty of units, a
new one gets the next. So a renumbered grid is still the same, and an array of slots needs no rewriting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Owners = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class GridFacts:
    """A grid but for its ground. ``key``: id in the database, 0 for a new one; ``parent``: slot one level up, −1."""

    code: str
    name: str
    kind: str
    parent: int
    community: str
    locked: bool = False
    key: int = 0


@dataclass
class Level:
    """Grids of one level (None: ended) and the slot of every unit, int32 (n), −1 for none."""

    grids: list[GridFacts | None]
    owner: Owners

    def slot(self, code: str | None) -> int:
        """Slot of a code; −1 for None. Raises KeyError for one that is not there."""
        if code is None:
            return -1
        return self.slots()[code]

    def slots(self) -> dict[str, int]:
        """Slot of every code."""
        return {grid.code: slot for slot, grid in enumerate(self.grids) if grid is not None}

    def code(self, slot: int) -> str | None:
        """Code of a slot, None for −1."""
        grid = self.grids[slot] if slot >= 0 else None
        return None if grid is None else grid.code

    def facts(self, slot: int) -> GridFacts:
        """The grid in a slot. Raises LookupError for one that has ended."""
        grid = self.grids[slot] if slot >= 0 else None
        if grid is None:
            raise LookupError(f"slot {slot} holds no grid")
        return grid

    def change(self, slot: int, **facts: Any) -> None:
        """Put other facts in place of a grid's."""
        self.grids[slot] = replace(self.facts(slot), **facts)


@dataclass
class Sheet:
    """Levels 1 … L of a plan."""

    levels: list[Level] = field(default_factory=list)

    def copy(self) -> Sheet:
        """One to work on."""
        return Sheet([Level(list(level.grids), level.owner.copy()) for level in self.levels])


def sheet_of(levels: Sequence[tuple[Iterable[tuple[GridFacts, str | None]], npt.ArrayLike]]) -> Sheet:
    """A sheet from, per level, its grids with the code of their parents, and the place of every unit's among them."""
    made: list[Level] = []
    for grids, owner in levels:
        above = made[-1].slots() if made else {}
        facts = [replace(one, parent=above.get(parent, -1) if parent else -1) for one, parent in grids]
        made.append(Level(list(facts), np.array(owner, dtype=np.int32)))
    return Sheet(made)
