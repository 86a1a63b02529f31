"""The one energy every plan is judged by, and the weights a user may set.

For a division of a cell into grids g::

    E =  λ · Σ_g  outside(H_g) / mid                         households outside the band
      + major · Σ_g  min(1, M_g / 60 m)                      river or main road inside a grid
      + split · Σ_c  (grids of c − least(c)) · share(c)      compounds cut apart
      + street · Σ_cut  Σ_class metres · class_cost / L      boundary off the streets
      + compact · Σ_g  (1 − 4πA_g / P_g²)                    Polsby–Popper compactness
      + balance · Σ_g  ((H_g − target) / target)²            even loads inside the band
      + churn · Σ_u  H_u / mid, u not in its grid's heir     households that change grid
      + border · Σ_old  metres / L                           old boundary given up

``mid`` is the middle of the band; further weights with limits of their own add to the first term, in shares of theirs.
``target`` is the households per grid of the cell, ``L`` the perimeter of a square of the mean grid area (so the street
term does not depend on scale), ``least(c)`` the fewest grids a compound of that many households can lie in,
``share(c)`` 1 for compounds that fit in one grid, ¼ for larger ones and 0 for those that a river or main road runs
through. The last two terms count where a plan is made against old grids: each old grid has at most one heir, chosen so
that fewest households change. λ is ramped up to `Weights.band` while the search cools, so that the band in the end
outweighs everything else.
Compactness is Polsby & Popper (1991).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numba import njit

from gisgrid.errors import BadInput
from planning.graph import CLASSES
from planning.partition.limits import Limits
from planning.partition.state import Cell, Division, Floats, Rates

MAJOR_METRES = 60.0
"""A main road inside a grid over this many metres counts as fully crossed."""
_STREET, _COMPACT = 4.8, 3.3


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the energy terms; `class_cost` per street class, strongest first, ``none`` last (0 free … 1 dear)."""

    band: float = 4000.0
    major: float = 2.5
    split: float = 2.75
    street: float = _STREET
    compact: float = _COMPACT
    balance: float = 0.05
    churn: float = 4.0
    border: float = 2.0
    class_cost: tuple[float, ...] = (0.0, 0.001, 0.002, 0.005, 0.01, 0.95, 1.0)

    def __post_init__(self) -> None:
        if len(self.class_cost) != len(CLASSES):
            raise BadInput(f"weights: class_cost has {len(self.class_cost)} values; give {len(CLASSES)}: {CLASSES}")
        values = [
            value for field in fields(self) if field.name != "class_cost" for value in [getattr(self, field.name)]
        ]
        if not all(math.isfinite(value) and value >= 0 for value in (*values, *self.class_cost)):
            raise BadInput("weights: every weight must be a finite number of at least 0")
        if self.band <= 0:
            raise BadInput("weights: the band weight must be above 0")

    @property
    def heat(self) -> float:
        """What temperatures are scaled by: the size of the energy's usual differences, at least the default's."""
        return max(1.0, (self.street + self.compact) / (_STREET + _COMPACT))

    def rates(self, limits: Limits, target: float, ramp: float = 1.0) -> Rates:
        """The energy's weights for a cell whose grids should have a load of `target`, λ scaled by `ramp`."""
        return Rates(
            limits.low, limits.high, max(target, 1e-9), self.band * ramp / limits.middle,
            self.major, self.compact, self.balance, limits.more_low, limits.more_high,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def outside(load: float, low: float, high: float) -> float:
    """Load missing below or too much above the limits."""
    if load < low:
        return low - load
    if load > high:
        return load - high
    return 0.0


@njit(cache=True, nogil=True)
def grid_energy(rates: Rates, load: float, area: float, perimeter: float, major: float) -> float:
    """The terms of one grid alone (everything but further weights, street, compounds and churn)."""
    energy = rates.band * outside(load, rates.low, rates.high)
    energy += rates.major * min(1.0, max(major, 0.0) / MAJOR_METRES)
    if perimeter > 0.0:
        energy += rates.compact * (1.0 - 4.0 * np.pi * area / (perimeter * perimeter))
    off = (load - rates.target) / rates.target
    return energy + rates.balance * off * off


@njit(cache=True, nogil=True)
def more_energy(rates: Rates, more: Floats) -> float:
    """The band term of the further weights of one grid (w)."""
    energy = 0.0
    for w in range(more.shape[0]):
        energy += outside(more[w], rates.more_low[w], rates.more_high[w])
    return energy * rates.band


@njit(cache=True, nogil=True)
def moved_energy(cell: Cell, unit: int, heir: int) -> float:
    """The churn term of one unit in a grid that goes on as `heir`."""
    return cell.stay[unit] if cell.old[unit] >= 0 and cell.old[unit] != heir else 0.0


@njit(cache=True, nogil=True)
def energy_of(cell: Cell, div: Division, rates: Rates) -> float:
    """Total energy of a division, from its sums (compound term counts grids beyond the first)."""
    total = 0.0
    for grid in range(div.size.shape[0]):
        total += grid_energy(rates, div.load[grid], div.area[grid], div.perimeter[grid], div.major[grid])
        total += more_energy(rates, div.more[grid])
    for unit in range(div.label.shape[0]):
        total += moved_energy(cell, unit, div.heir[div.label[unit]])
        for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
            if div.label[cell.indices[e]] != div.label[unit]:
                total += 0.5 * cell.cost[e]
    for compound in range(cell.split.shape[0]):
        if div.slots[compound] > 1:
            total += cell.split[compound] * (div.slots[compound] - 1)
    return total


@njit(cache=True, nogil=True)
def outside_of(div: Division, rates: Rates) -> float:
    """Load outside the limits over all grids, further weights included."""
    total = 0.0
    for grid in range(div.size.shape[0]):
        total += outside(div.load[grid], rates.low, rates.high)
        for w in range(div.more.shape[1]):
            total += outside(div.more[grid, w], rates.more_low[w], rates.more_high[w])
    return total
