"""Arrays the numba search works on: the cell (never changes) and the division of it (changes with every move).

A *cell* is one connected part of a community solved on its own. Both are named tuples of typed arrays, which numba
takes by reference and whose compiled code it can cache on disk. That cache looks at the file of each function alone:
after a change here or in `energy` delete ``planning/partition/__pycache__``, or callers keep the old code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.optimize import linear_sum_assignment

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


_MULTIPLIER = np.uint64(2685821657736338717)


class Cell(NamedTuple):
    """n units, m CSR entries, c compounds, w further weights.

    ``cost`` (m) energy of cutting the entry's pair (below 0 where an old boundary is worth keeping); ``major`` (m)
    metres of river or main road between the pair; ``street`` (m) 0 for nothing … 1 for a river, biases spanning trees;
    ``load`` (n) the weight the band is about; ``more`` (n, w) further weights, scaled like the load;
    ``compound`` (n) row or -1 (units without load count for no compound); ``split`` (c) energy of each further grid a
    compound lies in; ``member_ptr`` (c+1), ``member`` units of each compound; ``slot_ptr`` (c+1) room for its grids;
    ``old`` (n) number of the grid the unit was in, or -1; ``stay`` (n) energy of the unit leaving it.
    """

    indptr: Int32s
    indices: Int32s
    border: Floats
    cost: Floats
    major: Floats
    street: Floats
    load: Floats
    more: Floats
    area: Floats
    perimeter: Floats
    compound: Int32s
    split: Floats
    member_ptr: Int32s
    member: Int32s
    slot_ptr: Int32s
    old: Int32s
    stay: Floats


class Division(NamedTuple):
    """Labels (n) and what is known of each of the k grids and of each compound's grids.

    ``more`` (k, w) sums of the further weights; ``heir`` (k) the old grid a grid goes on as, or -1.
    """

    label: Int32s
    load: Floats
    more: Floats
    area: Floats
    perimeter: Floats
    major: Floats
    size: Int32s
    slot_grid: Int32s
    slot_units: Int32s
    slots: Int32s
    heir: Int32s


class Rates(NamedTuple):
    """Weights of the energy, see `planning.partition.energy`; ``more_low``, ``more_high`` (w) in scaled units."""

    low: float
    high: float
    target: float
    band: float
    major: float
    compact: float
    balance: float
    more_low: Floats
    more_high: Floats


class Scratch(NamedTuple):
    """Work space for one cell (n units).

    ``mark`` and ``member`` hold the number (``clock``) of the search that last saw a unit, ``position`` its place in
    a list.
    """

    mark: Int32s
    clock: Int32s
    queue: Int32s
    member: Int32s
    position: Int32s
    random: npt.NDArray[np.uint64]


def scratch_for(n: int, seed: int) -> Scratch:
    """Fresh work space, its random state from `seed`."""
    state = np.random.SeedSequence(seed).generate_state(1, np.uint64).astype(np.uint64)
    state |= np.uint64(1)  # xorshift never leaves zero
    return Scratch(
        np.zeros(n, np.int32), np.zeros(1, np.int32), np.empty(n, np.int32),
        np.zeros(n, np.int32), np.zeros(n, np.int32), state,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def next_uniform(random: npt.NDArray[np.uint64]) -> float:
    """Uniform float in [0, 1) by xorshift64* (Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * _MULTIPLIER) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def next_below(random: npt.NDArray[np.uint64], stop: int) -> int:
    """Uniform integer in [0, stop)."""
    return int(next_uniform(random) * stop)


@njit(cache=True, nogil=True)
def find_slot(cell: Cell, div: Division, compound: int, grid: int) -> int:
    """Slot of `grid` among the grids of `compound`, -1 when it has none there."""
    first = cell.slot_ptr[compound]
    for slot in range(first, first + div.slots[compound]):
        if div.slot_grid[slot] == grid:
            return slot
    return -1


@njit(cache=True, nogil=True)
def units_in(cell: Cell, div: Division, compound: int, grid: int) -> int:
    """How many populated units of `compound` lie in `grid`."""
    slot = find_slot(cell, div, compound, grid)
    return div.slot_units[slot] if slot >= 0 else 0


@njit(cache=True, nogil=True)
def add_to_slot(cell: Cell, div: Division, compound: int, grid: int, change: int) -> None:
    """Book `change` more units of `compound` in `grid`, dropping the slot at zero."""
    slot = find_slot(cell, div, compound, grid)
    if slot < 0:
        slot = cell.slot_ptr[compound] + div.slots[compound]
        div.slot_grid[slot] = grid
        div.slot_units[slot] = 0
        div.slots[compound] += 1
    div.slot_units[slot] += change
    if div.slot_units[slot] == 0:
        last = cell.slot_ptr[compound] + div.slots[compound] - 1
        div.slot_grid[slot] = div.slot_grid[last]
        div.slot_units[slot] = div.slot_units[last]
        div.slots[compound] -= 1


@njit(cache=True, nogil=True)
def relabel(cell: Cell, div: Division, unit: int, grid: int) -> None:
    """Move one unit to `grid` and keep every sum right."""
    old = div.label[unit]
    to_old = 0.0
    to_new = 0.0
    major_old = 0.0
    major_new = 0.0
    for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
        other = div.label[cell.indices[e]]
        if other == old:
            to_old += cell.border[e]
            major_old += cell.major[e]
        elif other == grid:
            to_new += cell.border[e]
            major_new += cell.major[e]
    div.load[old] -= cell.load[unit]
    div.load[grid] += cell.load[unit]
    for w in range(cell.more.shape[1]):
        div.more[old, w] -= cell.more[unit, w]
        div.more[grid, w] += cell.more[unit, w]
    div.area[old] -= cell.area[unit]
    div.area[grid] += cell.area[unit]
    div.perimeter[old] += 2.0 * to_old - cell.perimeter[unit]
    div.perimeter[grid] += cell.perimeter[unit] - 2.0 * to_new
    div.major[old] -= major_old
    div.major[grid] += major_new
    div.size[old] -= 1
    div.size[grid] += 1
    if cell.compound[unit] >= 0:
        add_to_slot(cell, div, cell.compound[unit], old, -1)
        add_to_slot(cell, div, cell.compound[unit], grid, 1)
    div.label[unit] = grid


@njit(cache=True, nogil=True)
def recount(cell: Cell, div: Division) -> None:
    """Fill every sum of `div` from its labels."""
    div.load[:] = 0.0
    div.more[:] = 0.0
    div.area[:] = 0.0
    div.perimeter[:] = 0.0
    div.major[:] = 0.0
    div.size[:] = 0
    div.slots[:] = 0
    for unit in range(div.label.shape[0]):
        grid = div.label[unit]
        div.load[grid] += cell.load[unit]
        for w in range(cell.more.shape[1]):
            div.more[grid, w] += cell.more[unit, w]
        div.area[grid] += cell.area[unit]
        div.perimeter[grid] += cell.perimeter[unit]
        div.size[grid] += 1
        for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
            if div.label[cell.indices[e]] == grid:
                div.perimeter[grid] -= cell.border[e]
                div.major[grid] += 0.5 * cell.major[e]
        if cell.compound[unit] >= 0:
            add_to_slot(cell, div, cell.compound[unit], grid, 1)


def division(cell: Cell, label: Int32s, k: int) -> Division:
    """The division of `cell` by `label` (grids 0…k-1), all sums made, each old grid's heir the best there is."""
    label = np.ascontiguousarray(label, dtype=np.int32)
    div = Division(
        label,
        np.zeros(k),
        np.zeros((k, cell.more.shape[1])),
        np.zeros(k),
        np.zeros(k),
        np.zeros(k),
        np.zeros(k, np.int32),
        np.zeros(cell.slot_ptr[-1], np.int32),
        np.zeros(cell.slot_ptr[-1], np.int32),
        np.zeros(len(cell.split), np.int32),
        np.full(k, -1, np.int32),
    )
    recount(cell, div)
    choose_heirs(cell, div)
    return div


def choose_heirs(cell: Cell, div: Division) -> None:
    """Let every old grid go on as the grid that makes fewest leave it, one old grid a grid, in place."""
    stays = cell.old >= 0
    div.heir[:] = -1
    if not stays.any():
        return
    shape = (int(cell.old.max()) + 1, len(div.heir))
    place = cell.old[stays].astype(np.int64) * shape[1] + div.label[stays]
    kept = np.bincount(place, cell.stay[stays], minlength=shape[0] * shape[1]).reshape(shape)
    before, after = linear_sum_assignment(kept, maximize=True)
    goes_on = kept[before, after] > 0.0
    div.heir[after[goes_on]] = before[goes_on]
