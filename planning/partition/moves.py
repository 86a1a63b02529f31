"""Small moves of the search: one unit, or the part of a compound that lies in a grid, to a neighbouring grid.

Every move keeps both grids connected and non-empty. The change of energy is computed first from the units touched only;
connectivity, dearer, is checked for moves that would be accepted.
"""

from __future__ import annotations

import math

from numba import njit

from planning.partition.energy import grid_energy, moved_energy, outside
from planning.partition.state import (
    Cell,
    Division,
    Rates,
    Scratch,
    next_below,
    next_uniform,
    relabel,
    units_in,
)


@njit(cache=True, nogil=True)
def accepts(scratch: Scratch, change: float, temperature: float) -> bool:
    """Metropolis rule; at temperature 0 only what does not get worse."""
    if change <= 0.0:
        return True
    if temperature <= 0.0:
        return False
    return next_uniform(scratch.random) < math.exp(-change / temperature)


@njit(cache=True, nogil=True)
def stays_connected(cell: Cell, div: Division, scratch: Scratch, unit: int) -> bool:
    """Whether the grid of `unit` is connected and not empty without it.

    The unit's neighbours in its grid must reach each other; most do within a step or two, so the search from one of
    them stops as soon as all are seen.
    """
    grid = div.label[unit]
    scratch.clock[0] += 1
    now = scratch.clock[0]
    wanted = 0
    first = -1
    for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
        other = cell.indices[e]
        if div.label[other] == grid:
            wanted += 1
            first = other
            scratch.member[other] = now
    if wanted == 0:
        return False
    if wanted == 1:
        return True
    scratch.mark[unit] = now
    scratch.mark[first] = now
    scratch.queue[0] = first
    seen = 1
    head = 0
    tail = 1
    while head < tail:
        here = scratch.queue[head]
        head += 1
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if scratch.mark[other] != now and div.label[other] == grid:
                scratch.mark[other] = now
                if scratch.member[other] == now:
                    seen += 1
                    if seen == wanted:
                        return True
                scratch.queue[tail] = other
                tail += 1
    return False


@njit(cache=True, nogil=True)
def more_change(div: Division, rates: Rates, w: int, value: float, old: int, grid: int) -> float:
    """Change of the band term when `value` of further weight `w` goes from one grid to another."""
    low, high = rates.more_low[w], rates.more_high[w]
    change = outside(div.more[old, w] - value, low, high) - outside(div.more[old, w], low, high)
    change += outside(div.more[grid, w] + value, low, high) - outside(div.more[grid, w], low, high)
    return change * rates.band


@njit(cache=True, nogil=True)
def unit_change(cell: Cell, div: Division, rates: Rates, unit: int, grid: int) -> float:
    """Change of energy when `unit` goes to `grid`."""
    old = div.label[unit]
    border_old = 0.0
    border_new = 0.0
    cost = 0.0
    major_old = 0.0
    major_new = 0.0
    for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
        other = div.label[cell.indices[e]]
        if other == old:
            border_old += cell.border[e]
            major_old += cell.major[e]
            cost += cell.cost[e]
        elif other == grid:
            border_new += cell.border[e]
            major_new += cell.major[e]
            cost -= cell.cost[e]
    h = cell.load[unit]
    a = cell.area[unit]
    p = cell.perimeter[unit]
    change = float(cost)
    change += moved_energy(cell, unit, div.heir[grid]) - moved_energy(cell, unit, div.heir[old])
    for w in range(cell.more.shape[1]):
        change += more_change(div, rates, w, cell.more[unit, w], old, grid)
    change += grid_energy(
        rates, div.load[old] - h, div.area[old] - a, div.perimeter[old] - p + 2.0 * border_old,
        div.major[old] - major_old,
    )  # fmt: skip
    change += grid_energy(
        rates, div.load[grid] + h, div.area[grid] + a, div.perimeter[grid] + p - 2.0 * border_new,
        div.major[grid] + major_new,
    )  # fmt: skip
    change -= grid_energy(rates, div.load[old], div.area[old], div.perimeter[old], div.major[old])
    change -= grid_energy(rates, div.load[grid], div.area[grid], div.perimeter[grid], div.major[grid])
    compound = cell.compound[unit]
    if compound >= 0:
        if units_in(cell, div, compound, old) == 1:
            change -= cell.split[compound]
        if units_in(cell, div, compound, grid) == 0:
            change += cell.split[compound]
    return change


@njit(cache=True, nogil=True)
def move_unit(
    cell: Cell, div: Division, rates: Rates, scratch: Scratch, unit: int, grid: int, temperature: float
) -> float:
    """Try to move `unit` to the neighbouring `grid`; the change of energy made, 0.0 when refused."""
    if div.size[div.label[unit]] == 1:
        return 0.0
    change = unit_change(cell, div, rates, unit, grid)
    if not accepts(scratch, change, temperature):
        return 0.0
    if not stays_connected(cell, div, scratch, unit):
        return 0.0
    relabel(cell, div, unit, grid)
    return change


@njit(cache=True, nogil=True)
def move_compound(
    cell: Cell, div: Division, rates: Rates, scratch: Scratch, unit: int, grid: int, temperature: float
) -> float:
    """Try to move all units of `unit`'s compound that lie in its grid to `grid`; the change made, 0.0 when refused."""
    compound = cell.compound[unit]
    old = div.label[unit]
    scratch.clock[0] += 1
    now = scratch.clock[0]
    count = 0
    h = 0.0
    a = 0.0
    p = 0.0
    change = 0.0
    for i in range(cell.member_ptr[compound], cell.member_ptr[compound + 1]):
        other = cell.member[i]
        if div.label[other] == old:
            scratch.member[other] = now
            scratch.queue[count] = other
            count += 1
            change += moved_energy(cell, other, div.heir[grid]) - moved_energy(cell, other, div.heir[old])
            h += cell.load[other]
            a += cell.area[other]
            p += cell.perimeter[other]
    if count == div.size[old]:
        return 0.0
    border_in = 0.0  # inside the part, both directions
    border_old = 0.0
    border_new = 0.0
    major_in = 0.0
    major_old = 0.0
    major_new = 0.0
    cost = 0.0
    start = -1
    for i in range(count):
        here = scratch.queue[i]
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            label = div.label[other]
            if label == old:
                if scratch.member[other] == now:
                    border_in += cell.border[e]
                    major_in += cell.major[e]
                else:
                    start = other
                    border_old += cell.border[e]
                    major_old += cell.major[e]
                    cost += cell.cost[e]
            elif label == grid:
                border_new += cell.border[e]
                major_new += cell.major[e]
                cost -= cell.cost[e]
    if border_new == 0.0:
        return 0.0
    for w in range(cell.more.shape[1]):
        value = 0.0
        for i in range(count):
            value += cell.more[scratch.queue[i], w]
        change += more_change(div, rates, w, value, old, grid)
    change += cost
    change += grid_energy(
        rates, div.load[old] - h, div.area[old] - a, div.perimeter[old] - (p - border_in) + 2.0 * border_old,
        div.major[old] - 0.5 * major_in - major_old,
    )  # fmt: skip
    change += grid_energy(
        rates, div.load[grid] + h, div.area[grid] + a, div.perimeter[grid] + (p - border_in) - 2.0 * border_new,
        div.major[grid] + 0.5 * major_in + major_new,
    )  # fmt: skip
    change -= grid_energy(rates, div.load[old], div.area[old], div.perimeter[old], div.major[old])
    change -= grid_energy(rates, div.load[grid], div.area[grid], div.perimeter[grid], div.major[grid])
    change -= cell.split[compound]
    if units_in(cell, div, compound, grid) == 0:
        change += cell.split[compound]
    if not accepts(scratch, change, temperature):
        return 0.0
    if not _part_moves(cell, div, scratch, old, grid, count, start, now):
        return 0.0
    for i in range(cell.member_ptr[compound], cell.member_ptr[compound + 1]):
        if scratch.member[cell.member[i]] == now and div.label[cell.member[i]] == old:
            relabel(cell, div, cell.member[i], grid)
    return float(change)


@njit(cache=True, nogil=True)
def _part_moves(
    cell: Cell, div: Division, scratch: Scratch, old: int, grid: int, count: int, start: int, now: int
) -> bool:
    """Whether both grids stay connected when the `count` units marked ``member == now`` leave `old` for `grid`."""
    # units of the part reach the new grid through the part; queue[:count] holds the part
    head = 0
    tail = 0
    found = 0
    for i in range(count):
        here = scratch.queue[i]
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            if div.label[cell.indices[e]] == grid:
                scratch.mark[here] = now
                break
    # every unit is written at most where it was read before: at most i units are queued after i were looked at
    for i in range(count):
        here = scratch.queue[i]
        if scratch.mark[here] == now:
            scratch.queue[tail], scratch.queue[i] = here, scratch.queue[tail]
            tail += 1
    while head < tail:
        here = scratch.queue[head]
        head += 1
        found += 1
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if div.label[other] == old and scratch.member[other] == now and scratch.mark[other] != now:
                scratch.mark[other] = now
                scratch.queue[tail] = other
                tail += 1
    if found != count:
        return False
    # what is left of the old grid
    scratch.mark[start] = now
    scratch.queue[0] = start
    head = 0
    tail = 1
    while head < tail:
        here = scratch.queue[head]
        head += 1
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if div.label[other] == old and scratch.mark[other] != now and scratch.member[other] != now:
                scratch.mark[other] = now
                scratch.queue[tail] = other
                tail += 1
    return bool(tail == div.size[old] - count)


@njit(cache=True, nogil=True)
def random_neighbour_grid(cell: Cell, div: Division, scratch: Scratch, unit: int) -> int:
    """Grid of a random neighbour of `unit` when it differs from its own, else -1."""
    first = cell.indptr[unit]
    degree = cell.indptr[unit + 1] - first
    if degree == 0:
        return -1
    grid = div.label[cell.indices[first + next_below(scratch.random, degree)]]
    return grid if grid != div.label[unit] else -1
