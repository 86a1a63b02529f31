"""Exact cover by connected sets at the least cost: set partitioning by reduced costs and depth-first search.

Prices π per atom with Σ_{atom of s} π ≤ cost of s for every set bound the cost of any cover from below by Σ π. What a
cover costs above that is the sum of its sets' reduced costs, so with a cover of cost U known, only covers of reduced
cost below U − Σ π matter, and sets above that are out (reduced-cost fixing). The search fills the first free atom
again and again; a set of covered atoms met before at no higher cost is not searched twice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from planning.partition.enumerate import Sets, Words, atoms_in, contains, lowest
from planning.partition.state import Floats, Int32s

Ints = npt.NDArray[np.int64]

_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_SLACK = 1e-9


@njit(cache=True, nogil=True)
def fits_count(load: float, low: float, high: float, forced: int) -> bool:
    """Whether so much load can be shared out in band by arithmetic, over `forced` grids (any number when below 0)."""
    if forced >= 0:
        return bool(forced * low - _SLACK <= load <= forced * high + _SLACK)
    if load <= 0.0:
        return True
    fewest = np.ceil(load / high - _SLACK)
    return bool(fewest * low <= load + _SLACK)


@njit(cache=True, nogil=True)
def leaves_room(
    sets: Sets, loads: Floats, near_low: Words, near_high: Words, low: float, high: float
) -> npt.NDArray[np.bool_]:
    """Which sets leave only connected parts that arithmetic allows to be in band (s); no cover has another."""
    n = loads.shape[0]
    room = np.ones(sets.cost.shape[0], np.bool_)
    all_low = ~_ZERO if n >= 64 else (_ONE << np.uint64(n)) - _ONE
    all_high = _ZERO
    if n > 64:
        all_high = ~_ZERO if n >= 128 else (_ONE << np.uint64(n - 64)) - _ONE
    for s in range(sets.cost.shape[0]):
        free_low = all_low & ~sets.low[s]
        free_high = all_high & ~sets.high[s]
        while free_low != _ZERO or free_high != _ZERO:
            wave_low = free_low & (~free_low + _ONE)
            wave_high = _ZERO if wave_low != _ZERO else free_high & (~free_high + _ONE)
            free_low ^= wave_low
            free_high ^= wave_high
            load = 0.0
            while wave_low != _ZERO or wave_high != _ZERO:
                if wave_low != _ZERO:
                    atom = lowest(wave_low)
                    wave_low &= wave_low - _ONE
                else:
                    atom = 64 + lowest(wave_high)
                    wave_high &= wave_high - _ONE
                load += loads[atom]
                new_low = near_low[atom] & free_low
                new_high = near_high[atom] & free_high
                free_low ^= new_low
                free_high ^= new_high
                wave_low |= new_low
                wave_high |= new_high
            if (load == 0.0 and low > 0.0) or not fits_count(load, low, high, -1):
                room[s] = False
                break
    return room


@njit(cache=True, nogil=True)
def reduced_costs(sets: Sets, prices: Floats, share: float) -> Floats:
    """Cost less `share` less the prices of its atoms, for every set (s)."""
    member = np.empty(prices.shape[0], np.int32)
    out = np.empty(sets.cost.shape[0])
    for s in range(sets.cost.shape[0]):
        value = sets.cost[s] - share
        for i in range(atoms_in(sets.low[s], sets.high[s], member)):
            value -= prices[member[i]]
        out[s] = value
    return out


@njit(cache=True, nogil=True)
def simple_prices(sets: Sets, weight: Floats, share: float) -> tuple[Floats, Floats]:
    """Valid prices without a linear program, and the reduced costs they leave.

    First the least share of cost, by `weight` (n, above 0), among the sets an atom is in; then each atom's price is
    raised by what its cheapest set has left (dual ascent).
    """
    n = weight.shape[0]
    member = np.empty(n, np.int32)
    prices = np.full(n, np.inf)
    for s in range(sets.cost.shape[0]):
        count = atoms_in(sets.low[s], sets.high[s], member)
        whole = 0.0
        for i in range(count):
            whole += weight[member[i]]
        for i in range(count):
            value = (sets.cost[s] - share) * weight[member[i]] / whole
            prices[member[i]] = min(prices[member[i]], value)
    for atom in range(n):
        if prices[atom] == np.inf:
            prices[atom] = 0.0  # in no set at all: there is no cover
    left = reduced_costs(sets, prices, share)
    for atom in range(n):
        least = np.inf
        for s in range(sets.cost.shape[0]):
            if left[s] < least and contains(sets.low[s], sets.high[s], atom):
                least = left[s]
        if least == np.inf:
            continue
        prices[atom] += least
        for s in range(sets.cost.shape[0]):
            if contains(sets.low[s], sets.high[s], atom):
                left[s] -= least
    return prices, left


@njit(cache=True, nogil=True)
def cheapest_by_atom(sets: Sets, reduced: Floats, n: int, below: float) -> Ints:
    """For every atom the set of it with the least reduced cost below `below`, or -1 (n)."""
    member = np.empty(n, np.int32)
    best = np.full(n, below)
    choice = np.full(n, -1, np.int64)
    for s in range(reduced.shape[0]):
        if reduced[s] >= below:
            continue
        for i in range(atoms_in(sets.low[s], sets.high[s], member)):
            if reduced[s] < best[member[i]]:
                best[member[i]] = reduced[s]
                choice[member[i]] = s
    return choice


@njit(cache=True, nogil=True)
def _search(
    low: Words, high: Words, load: Floats, left: Floats, start: Ints, n: int, total: float, band_low: float,
    band_high: float, forced: int, budget: float, nodes: int, memory: int,
) -> tuple[Int32s, float, bool]:  # fmt: skip
    """The cover of least reduced cost below `budget` (positions; none when empty), its cost, and whether that is all.

    Sets come by first atom (``start``, n + 1), cheapest first within; `nodes` sets are tried at most.
    """
    state_low = np.zeros(memory, np.uint64)
    state_high = np.zeros(memory, np.uint64)
    state_count = np.full(memory, -1, np.int32)
    state_cost = np.empty(memory)
    done_low = np.zeros(n + 1, np.uint64)
    done_high = np.zeros(n + 1, np.uint64)
    cost = np.zeros(n + 1)
    rest = np.zeros(n + 1)
    at = np.zeros(n + 1, np.int64)
    chosen = np.empty(n + 1, np.int32)
    best = np.empty(0, np.int32)
    all_low = ~_ZERO if n >= 64 else (_ONE << np.uint64(n)) - _ONE
    all_high = _ZERO
    if n > 64:
        all_high = ~_ZERO if n >= 128 else (_ONE << np.uint64(n - 64)) - _ONE
    rest[0] = total
    at[0] = start[0]
    first = np.zeros(n + 1, np.int32)
    depth = 0
    tried = 0
    while depth >= 0:
        s = at[depth]
        if s >= start[first[depth] + 1] or cost[depth] + left[s] >= budget:
            depth -= 1
            continue
        at[depth] = s + 1
        tried += 1
        if tried > nodes:
            return best, budget, False
        if (low[s] & done_low[depth]) != _ZERO or (high[s] & done_high[depth]) != _ZERO:
            continue
        now_low = done_low[depth] | low[s]
        now_high = done_high[depth] | high[s]
        now = cost[depth] + left[s]
        chosen[depth] = s
        if now_low == all_low and now_high == all_high:
            if forced < 0 or depth + 1 == forced:
                best = chosen[: depth + 1].copy()
                budget = now
            continue
        if forced >= 0 and depth + 1 >= forced:
            continue
        if not fits_count(rest[depth] - load[s], band_low, band_high, forced - depth - 1 if forced >= 0 else -1):
            continue
        count = depth + 1 if forced >= 0 else 0
        mixed = (now_low ^ (now_high * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xD6E8FEB86659FD93)
        slot = int((mixed >> np.uint64(33)) & np.uint64(memory - 1))
        if (
            state_low[slot] == now_low and state_high[slot] == now_high and state_count[slot] == count
            and state_cost[slot] <= now
        ):  # fmt: skip
            continue
        state_low[slot] = now_low
        state_high[slot] = now_high
        state_count[slot] = count
        state_cost[slot] = now
        depth += 1
        done_low[depth] = now_low
        done_high[depth] = now_high
        cost[depth] = now
        rest[depth] = rest[depth - 1] - load[s]
        free = ~now_low
        if now_low != all_low:
            first[depth] = lowest(free)
        else:
            first[depth] = 64 + lowest(~now_high)
        at[depth] = start[first[depth]]
    return best, budget, True


def least_cover(
    sets: Sets, left: Floats, n: int, total: float, low: float, high: float, forced: int | None, budget: float,
    nodes: int,
) -> tuple[Ints | None, bool]:  # fmt: skip
    """Rows of the sets that cover every atom once at the least sum of reduced costs `left`, which is below `budget`.

    None when there is no such cover; the second value says whether the search was finished.
    """
    rows = np.flatnonzero(left < budget)
    chosen_low, chosen_high = sets.low[rows], sets.high[rows]
    first = _firsts(chosen_low, chosen_high)
    order = np.lexsort((rows, left[rows], first))
    rows = rows[order]
    start = np.searchsorted(first[order], np.arange(n + 1)).astype(np.int64)
    if (np.diff(start) == 0).all() or not len(rows):
        return None, True
    memory = 1 << (8 if len(rows) < 500 else 13 if len(rows) < 10_000 else 18)
    found, _, finished = _search(
        sets.low[rows], sets.high[rows], sets.load[rows], np.maximum(left[rows], 0.0), start, n, total, low, high,
        -1 if forced is None else forced, budget, nodes, memory,
    )  # fmt: skip
    return (np.sort(rows[found]) if len(found) else None), finished


@njit(cache=True, nogil=True)
def _firsts(low: Words, high: Words) -> Int32s:
    """First atom of every set."""
    out = np.empty(low.shape[0], np.int32)
    for s in range(low.shape[0]):
        out[s] = lowest(low[s]) if low[s] != _ZERO else 64 + lowest(high[s])
    return out
