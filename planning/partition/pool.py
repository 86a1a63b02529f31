"""A pool of good grids in band, recombined exactly: choose grids that cover every unit once at the least energy.

The energy of a division is a sum over its grids once each border's cost is halved between its two grids and a compound
counts in every grid it lies in, so grids met in different runs can be mixed: a set partitioning problem
(Garfinkel & Nemhauser 1969), solved by HiGHS. The number of grids is free: the energy *per grid* is made least by
Dinkelbach's method (1967): min Σ(e − λ) for λ the ratio of the best division known, until nothing is below 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from gisgrid.limits import POOL_NODES_MAX, POOL_ROUNDS_MAX
from planning.partition.energy import energy_of, grid_energy, more_energy
from planning.partition.limits import Limits
from planning.partition.state import Cell, Division, Floats, Int32s, Rates, division

_GAP = 1e-9


class Pool:
    """Distinct grids in band of one cell, each with its share of the energy; filled from divisions."""

    def __init__(self, cell: Cell, limits: Limits, rates: Rates) -> None:
        self.cell = cell
        self.limits = limits
        self.rates = rates
        self.grids: dict[tuple[bytes, int], tuple[Int32s, float]] = {}
        self._lived = np.unique(cell.compound[cell.compound >= 0])
        self._source = np.repeat(np.arange(len(cell.load)), np.diff(cell.indptr))

    def add(self, label: Int32s, k: int) -> None:
        """Take in the grids of a division (labels 0…k-1, grids connected) that are in band and new."""
        div = division(self.cell, label, k)
        costs = grid_costs(self.cell, div, self.rates, self._source)
        inside = self.limits.inside(div.load, div.more)
        order = np.argsort(label, kind="stable").astype(np.int32)
        ends = np.cumsum(div.size)
        for grid in np.flatnonzero(inside).tolist():
            units = order[ends[grid] - div.size[grid] : ends[grid]]
            key = (units.tobytes(), int(div.heir[grid]))
            self.grids.setdefault(key, (units, float(costs[grid])))

    def mixed(self, label: Int32s, k: int, forced: int | None = None) -> tuple[Int32s, int]:
        """The best division by grids of the pool, least energy per grid; `label` itself when none is better."""
        members = [units for units, _ in self.grids.values()]
        if not members or len(members) == k:
            return label, k
        costs = np.array([cost for _, cost in self.grids.values()])
        covers = columns(members, len(label))
        heirs = np.array([heir for _, heir in self.grids], dtype=np.int64)
        share = float(energy_of(self.cell, division(self.cell, label, k), self.rates)) / k
        chosen, _ = per_grid(covers, costs, float(self.cell.split[self._lived].sum()), share, forced, heirs)
        if chosen is None:
            return label, k
        return labels_of([members[column] for column in chosen.tolist()], len(label)), len(chosen)


def labels_of(grids: list[Int32s], units: int) -> Int32s:
    """Grid number of every unit, from the units of each grid."""
    label = np.empty(units, dtype=np.int32)
    for number, members in enumerate(grids):
        label[members] = number
    return label


def grid_costs(cell: Cell, div: Division, rates: Rates, source: npt.NDArray[np.int64]) -> Floats:
    """Share of every grid in the energy, split terms of compounds counted once for each grid they lie in (k)."""
    k, label = len(div.size), div.label
    cut = label[source] != label[cell.indices]
    costs = np.bincount(label[source[cut]], cell.cost[cut], minlength=k) / 2.0
    for grid in range(k):
        costs[grid] += grid_energy(rates, div.load[grid], div.area[grid], div.perimeter[grid], div.major[grid])
        costs[grid] += more_energy(rates, div.more[grid])
    moved = (cell.old >= 0) & (cell.old != div.heir[label])
    costs += np.bincount(label[moved], cell.stay[moved], minlength=k)
    lived = cell.compound >= 0
    if lived.any():
        pairs = np.unique(label[lived].astype(np.int64) * len(cell.split) + cell.compound[lived])
        costs += np.bincount(pairs // len(cell.split), cell.split[pairs % len(cell.split)], minlength=k)
    return np.asarray(costs, dtype=np.float64)


def columns(members: list[Int32s], units: int) -> Any:
    """CSC matrix (units x grids), 1 where the unit is in the grid."""
    ends = np.concatenate([[0], np.cumsum([len(part) for part in members])])
    rows = np.concatenate(members)
    return sp.csc_matrix((np.ones(len(rows)), rows, ends), shape=(units, len(members)))


def per_grid(
    covers: Any,
    costs: Floats,
    constant: float,
    share: float,
    forced: int | None,
    heirs: npt.NDArray[np.int64] | None = None,
) -> tuple[npt.NDArray[np.int64] | None, bool]:
    """Columns of least energy per grid (of least energy when `forced`), and whether nothing better can be made of them.

    Energy of a choice: sum of its `costs` less `constant`. `share`: the energy per grid to beat; None when none does.
    `heirs`: old grid each column goes on as, or -1; an old grid goes on once.
    """
    best: npt.NDArray[np.int64] | None = None
    for _ in range(POOL_ROUNDS_MAX):
        chosen, proven = least_cover(covers, costs - share, forced, heirs)
        if chosen is None:
            return best, proven
        found = (float(costs[chosen].sum()) - constant) / len(chosen)
        if found >= share - _GAP:
            return best, proven
        best, share = chosen, found
        if forced is not None:
            return best, proven
    return best, False


def least_cover(
    covers: Any, costs: Floats, forced: int | None = None, heirs: npt.NDArray[np.int64] | None = None
) -> tuple[npt.NDArray[np.int64] | None, bool]:
    """Columns that cover every row exactly once at the least cost (`forced`: that many), None when there are none.

    The second value says whether HiGHS proved it.
    """
    rules = [LinearConstraint(covers, 1.0, 1.0)]
    if forced is not None:
        rules.append(LinearConstraint(np.ones((1, len(costs))), forced, forced))
    if heirs is not None and (heirs >= 0).any():
        column = np.flatnonzero(heirs >= 0)
        once = sp.csc_matrix((np.ones(len(column)), (heirs[column], column)), shape=(heirs.max() + 1, len(costs)))
        rules.append(LinearConstraint(once, 0.0, 1.0))
    answer = milp(
        costs, integrality=np.ones(len(costs)), bounds=Bounds(0.0, 1.0), constraints=rules,
        options={"node_limit": POOL_NODES_MAX, "mip_rel_gap": 0.0},
    )  # fmt: skip
    proven = answer.status in (0, 2)
    return (None if answer.x is None else np.flatnonzero(answer.x > 0.5)), proven
