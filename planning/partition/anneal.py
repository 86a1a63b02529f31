"""The search: simulated annealing over a schedule of falling temperature and rising band weight."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numba import njit

from planning.partition.moves import move_compound, move_unit, random_neighbour_grid
from planning.partition.recombine import recombine
from planning.partition.state import Cell, Division, Rates, Scratch, next_below, next_uniform


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how hot: `stages` temperatures from `hot` down to `cold` (geometric), then one at zero.

    Each stage tries `unit_tries` small moves per unit and `split_tries` recombinations per grid. The band weight starts
    at `ramp` of its final value and reaches it half way. Every cell is solved from `starts` starts, the best kept.
    With `soft_major` rivers and main roads may be crossed while it is hot.
    """

    stages: int = 50
    hot: float = 0.5
    cold: float = 0.006
    unit_tries: float = 40.0
    split_tries: float = 40.0
    ramp: float = 0.002
    starts: int = 2
    soft_major: bool = False

    def temperature(self, stage: int) -> float:
        """Temperature of a stage; 0 after the last."""
        if stage >= self.stages:
            return 0.0
        return float(self.hot * (self.cold / self.hot) ** (stage / max(self.stages - 1, 1)))

    def band_share(self, stage: int) -> float:
        """Share of the final band weight in a stage."""
        return min(1.0, self.ramp ** (1.0 - stage / (0.5 * self.stages))) if stage < 0.5 * self.stages else 1.0

    def major_share(self, stage: int) -> float:
        """Share of the final weight of crossings; with `soft_major` they are nearly free at first."""
        return min(1.0, 0.1 + stage / (0.5 * self.stages)) if self.soft_major else 1.0

    def steps(self, units: int, grids: int) -> tuple[int, float]:
        """Moves in a stage and the share of them that are recombinations."""
        small = self.unit_tries * units
        big = self.split_tries * grids
        return math.ceil(small + big), big / (small + big)


@njit(cache=True, nogil=True)
def run_stage(
    cell: Cell, div: Division, rates: Rates, scratch: Scratch, temperature: float, steps: int, split_share: float
) -> float:
    """`steps` random moves at one temperature; the change of energy made."""
    n = div.label.shape[0]
    change: float = 0.0
    for _ in range(steps):
        unit = next_below(scratch.random, n)
        grid = random_neighbour_grid(cell, div, scratch, unit)
        if grid < 0:
            continue
        kind = next_uniform(scratch.random)
        if kind < split_share:
            change += recombine(cell, div, rates, scratch, unit, grid, temperature)
        elif kind < split_share + 0.1 and cell.compound[unit] >= 0:
            change += move_compound(cell, div, rates, scratch, unit, grid, temperature)
        else:
            change += move_unit(cell, div, rates, scratch, unit, grid, temperature)
    return change
