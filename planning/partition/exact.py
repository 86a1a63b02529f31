"""Small cells solved for good: every connected grid in band is listed, and the best choice of them proven.

The energy of a division is a sum over its grids (`planning.partition.pool`), so the best division is the cheapest exact
cover by listed sets. For a free number of grids the energy *per grid* is made least by Dinkelbach's method (1967).
Covers are searched with prices made by dual ascent; where these are too weak, with those of the linear program, whose
columns are priced out of the whole list (Garfinkel & Nemhauser 1969; reduced-cost fixing after Nemhauser & Wolsey
1988). That there is no division in band is proven the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gisgrid.limits import ATOMS_MAX, EXACT_NODES_MAX
from planning.partition.atoms import Atoms, atoms_of, closure_of, loads_of
from planning.partition.cover import Ints, least_cover, leaves_room, simple_prices
from planning.partition.energy import energy_of, outside_of
from planning.partition.enumerate import CAP, Sets, connected_sets, near_words
from planning.partition.prices import Columns, least_share, linear_prices
from planning.partition.state import Cell, Floats, Int32s, Rates, division

NODES = 200_000
"""Sets tried with the first, simple prices."""
_DIRECT = 50_000
"""Sets up to which units without load are not absorbed."""
SIMPLE = 20_000
"""Sets above which simple prices are not worth their time."""
_ALWAYS = 20
_GAP = 1e-9
_ROUNDS = 60
_FIRST = 0.002


@dataclass(frozen=True, slots=True)
class Exact:
    """What is known of a cell for certain.

    ``label`` (units) and ``k`` the best division in band, ``energy`` its energy; None, 0, inf when there is none.
    ``proven``: nothing is better (less energy per grid; less energy when the number was forced) or, without a label,
    nothing is in band. With ``absorbed`` > 0 units without load, better is proven among the divisions that keep these
    with their neighbours; that nothing is in band holds for all. ``feasible`` None: not decided. ``sets`` in all.
    """

    label: Int32s | None
    k: int
    energy: float
    proven: bool
    feasible: bool | None
    sets: int
    absorbed: int


def solve_exactly(
    cell: Cell,
    rates: Rates,
    forced: int | None = None,
    upper: tuple[Int32s, int] | None = None,
    *,
    cap: int = CAP,
    nodes: int = EXACT_NODES_MAX,
    simple: int = SIMPLE,
) -> Exact | None:
    """The division of a connected cell in band with the least energy per grid; `forced`: of that many grids.

    `rates` at full weights. `upper`: a division known (labels 0…k-1); it helps, and is the answer when nothing beats
    it. None when the cell has more than `cap` sets in band, or more atoms than bits: too large to be solved so.
    Above `simple` sets prices come from the linear program from the start. The work is bounded by `cap` and `nodes`,
    counts and not seconds, so the answer is the same on every run.
    """
    load, more = loads_of(cell)
    empty = ~((load > 0.0) | (more > 0.0).any(axis=1))
    if empty.all():
        # nobody lives here: no grid can reach the band, unless the band asks for nobody
        return Exact(None, 0, np.inf, True, False, 0, 0) if rates.low > 0.0 else None
    listed = _listed(cell, rates, empty, cap)
    if listed is None:
        return None
    atoms, atom, sets = listed
    absorbed = int(len(atom) - len(atoms.load))
    known = _known(cell, rates, forced, upper)
    constant = float(cell.split[np.unique(cell.compound[cell.compound >= 0])].sum())
    task = _Task(atoms, sets, rates, forced, constant, simple)
    share = None if known is None else known.energy / known.k
    chosen, finished = _best(task, share, nodes)
    total = len(sets.cost)
    if chosen is None and known is None:
        if finished and absorbed:
            finished = _closure_infeasible(atoms_of(cell, absorb=False)[0], rates, forced, cap, nodes)
        return Exact(None, 0, np.inf, finished, False if finished else None, total, absorbed)
    if chosen is not None:
        label = _labels(sets, chosen, len(atoms.load))[atom]
        found = _measured(cell, rates, label, len(chosen))
        if known is None or found.energy / found.k < known.energy / known.k:
            known = found
    assert known is not None
    return Exact(known.label, known.k, known.energy, finished, True, total, absorbed)


def worth_trying(cell: Cell, rates: Rates, cap: int) -> bool:
    """Whether a cell is likely to have at most `cap` sets in band, by a rule of thumb that costs nothing.

    Sets of m units number about g^m for every unit they may begin with, where m is what the band holds and g grows
    with the mean number of neighbours (measured: 2.5 on a lattice of squares, 3.2 on Voronoi cells).
    """
    load, more = loads_of(cell)
    n = int(((load > 0.0) | (more > 0.0).any(axis=1)).sum())
    total = float(load.sum())
    if not 0 < n <= ATOMS_MAX or total <= 0.0:
        return False
    growth = 0.95 + 0.42 * len(cell.indices) / len(load)
    return n <= _ALWAYS or math.log(n) + n * rates.high / total * math.log(growth) <= math.log(cap)


@dataclass(frozen=True, slots=True)
class _Measured:
    label: Int32s
    k: int
    energy: float


@dataclass(frozen=True, slots=True)
class _Task:
    """Sets to cover the atoms with; ``constant``: what the sum of their costs counts too much."""

    atoms: Atoms
    sets: Sets
    rates: Rates
    forced: int | None
    constant: float
    simple: int

    @property
    def total(self) -> float:
        return float(self.atoms.load.sum())


def _listed(cell: Cell, rates: Rates, empty: npt.NDArray[np.bool_], cap: int) -> tuple[Atoms, Int32s, Sets] | None:
    """Atoms, the atom of every unit, all sets; `empty` units are absorbed when there are too many sets otherwise."""
    for absorb in (False, True) if empty.any() else (False,):
        atoms, atom = atoms_of(cell, absorb=absorb)
        sets = connected_sets(atoms, rates, min(cap, _DIRECT) if empty.any() and not absorb else cap)
        if sets is not None:
            near = near_words(atoms)
            room = leaves_room(sets, atoms.load, *near, rates.low, rates.high)
            return atoms, atom, Sets(sets.low[room], sets.high[room], sets.load[room], sets.cost[room])
    return None


def _known(cell: Cell, rates: Rates, forced: int | None, upper: tuple[Int32s, int] | None) -> _Measured | None:
    """The division known, when it is in band and of the number forced."""
    if upper is None or forced not in (None, upper[1]):
        return None
    div = division(cell, upper[0], upper[1])
    return _measured(cell, rates, *upper) if outside_of(div, rates) <= 1e-9 else None


def _measured(cell: Cell, rates: Rates, label: Int32s, k: int) -> _Measured:
    div = division(cell, label, k)
    return _Measured(div.label.copy(), k, float(energy_of(cell, div, rates)))


def _labels(sets: Sets, chosen: Ints, n: int) -> Int32s:
    """Grid of every atom."""
    label = np.empty(n, dtype=np.int32)
    place = np.arange(64, dtype=np.uint64)
    for grid, s in enumerate(chosen.tolist()):
        for shift, words in ((0, sets.low), (64, sets.high)):
            label[shift + np.flatnonzero((words[s] >> place) & np.uint64(1))] = grid
    return label


def _best(task: _Task, share: float | None, nodes: int) -> tuple[Ints | None, bool]:
    """Rows of the best cover, better than `share` energy per grid (None: no better one), and whether that is proven."""
    if not len(task.sets.cost):
        return None, True
    best: Ints | None = None
    finished = True
    columns = Columns()
    if share is None and task.forced is None and len(task.sets.cost) > task.simple:
        bound = least_share(task.sets, len(task.atoms.load), task.constant, columns)
        if bound is None:
            return None, True
        best, finished = _improved(task, bound, nodes, columns, beat=False)
        if best is None or not finished:
            return best, finished
        share = _share_of(task, best)
    for _ in range(_ROUNDS):
        found, finished = _improved(task, share, nodes, columns, beat=share is not None)
        if found is None:
            return best, finished
        value = _share_of(task, found)
        if share is not None and value >= share - _GAP:
            return best, finished
        best, share = found, value
        if not finished or task.forced is not None:
            break
    return best, finished and task.forced is not None


def _share_of(task: _Task, chosen: Ints) -> float:
    """Energy per grid of a cover."""
    return (float(task.sets.cost[chosen].sum()) - task.constant) / len(chosen)


def _improved(
    task: _Task, share: float | None, nodes: int, columns: Columns, *, beat: bool
) -> tuple[Ints | None, bool]:
    """The cover of least Σ (cost - `share`), when `beat` only below what `share` itself makes."""
    n = len(task.atoms.load)
    if len(task.sets.cost) <= task.simple:
        weight = task.atoms.load + task.total / n
        prices, left = simple_prices(task.sets, weight, share or 0.0)
        found, finished = _below(task, left, float(prices.sum()), min(nodes, NODES), beat=beat)
        if finished:
            return found, True
    priced = linear_prices(task.sets, n, share or 0.0, task.forced, columns)
    if priced is None:
        return None, True
    return _below(task, priced.left, priced.bound, nodes, beat=beat)


def _below(task: _Task, left: Floats, bound: float, nodes: int, *, beat: bool) -> tuple[Ints | None, bool]:
    """`_improved` by reduced costs `left` and the `bound` they belong to; sets are let in by and by."""
    n = len(task.atoms.load)
    slack = n * max(0.0, -float(left.min()))
    whole = task.constant - bound + slack if beat else np.inf
    if whole <= 0.0:
        return None, True
    budget = min(whole, slack + max(_FIRST * abs(bound), 1e-6))
    while True:
        found, finished = least_cover(
            task.sets, left, n, task.total, task.rates.low, task.rates.high, task.forced, budget, nodes
        )
        if found is not None or not finished or budget >= whole:
            return found, finished
        budget = whole if budget > float(left.max()) else min(2.0 * budget, whole)


def _closure_infeasible(atoms: Atoms, rates: Rates, forced: int | None, cap: int, nodes: int) -> bool:
    """Whether nothing is in band even when units without load may serve several grids as a bridge."""
    joined = closure_of(atoms)
    sets = connected_sets(joined, rates, cap)
    if sets is None:
        return False
    sets = sets._replace(cost=np.zeros(len(sets.cost)))
    found, finished = _best(_Task(joined, sets, rates, forced, 0.0, SIMPLE), None, nodes)
    return found is None and finished
