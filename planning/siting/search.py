"""Good choices quickly: greedy, then exchanges of one open column for a closed one (Teitz & Bart 1968).

All exchanges are weighed at once from every place's best and second best open column (Whitaker 1983; Resende &
Werneck 2007), one pass over the values an exchange. Of equally good ones the lower column number wins, so that the
outcome depends on nothing but the input.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from gisgrid.limits import SITING_ROUNDS_MAX
from planning.siting.problem import EXACT, Float64, Int64, Problem, best_values

SLACK: Final = 1e-9
"""Share of a limit by which sums of costs may pass it: rounding."""


def room(problem: Problem) -> Float64:
    """Limits with room for rounding."""
    return problem.limit + SLACK * np.maximum(np.abs(problem.limit), 1.0)


def worth(problem: Problem, columns: Int64) -> float:
    """What a choice is worth."""
    return float(best_values(problem.value, columns).sum())


def greedy(problem: Problem) -> Int64:
    """A choice made column by column, by what each adds, and again by what it adds for its share of the limits; the
    better of the two, sorted.
    """
    plain = np.ones(problem.columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(problem.use / problem.limit[:, None], nan=0.0, posinf=1.0).sum(axis=0)
    found = [_greedy(problem, plain)]
    if np.ptp(share) > 0:
        found.append(_greedy(problem, np.maximum(share, 1e-12)))
    return max(found, key=lambda columns: worth(problem, columns))


def improve(problem: Problem, columns: Int64) -> Int64:
    """The choice after all exchanges and additions that make it better, sorted."""
    value = problem.value
    return np.sort(
        _exchange(
            value.indptr, value.indices, value.data, value.shape[1], problem.use, room(problem), _sites(problem),
            columns.astype(np.int64), SITING_ROUNDS_MAX, EXACT,
        )
    )  # fmt: skip


def canonical(problem: Problem, columns: Int64) -> Int64:
    """An equally good choice with the lowest numbers that single exchanges lead to, sorted; columns that add nothing
    are left out.

    Which of several best choices a solver meets first depends on its version; this takes most of that away.
    """
    value = problem.value
    tolerance = 0.0 if problem.whole else 1e-12 * max(1.0, worth(problem, columns))
    return np.sort(
        _lower(
            value.indptr, value.indices, value.data, value.shape[1], problem.use, room(problem), _sites(problem),
            np.sort(columns).astype(np.int64), tolerance,
        )
    )  # fmt: skip


def _sites(problem: Problem) -> Int64:
    return np.arange(problem.columns) if problem.site is None else problem.site


def _greedy(problem: Problem, price: Float64) -> Int64:
    value = problem.value
    return np.sort(
        _grow(
            value.indptr, value.indices, value.data, value.shape[1], problem.use, room(problem), _sites(problem), price
        )
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _grow(indptr: Any, indices: Any, data: Any, places: int, use: Any, limit: Any, site: Any, price: Any) -> Any:
    """Columns taken one after the other by what they add for their ``price`` (lazily: what one adds only falls)."""
    count = len(indptr) - 1
    have = np.zeros(places)
    adds = np.zeros(count)
    fresh = np.zeros(count, np.int64)
    for c in range(count):
        for k in range(indptr[c], indptr[c + 1]):
            adds[c] += data[k]
    used = np.zeros(len(limit))
    taken = np.zeros(count, np.bool_)
    occupied = np.zeros(site.max() + 1 if count else 1, np.bool_)
    out = np.empty(count, np.int64)
    size = 0
    while True:
        best = -1
        while True:
            best = -1
            for c in range(count):
                if taken[c] or occupied[site[c]] or adds[c] <= 0.0:
                    continue
                if best >= 0 and adds[c] / price[c] <= adds[best] / price[best]:
                    continue
                fits = True
                for r in range(len(limit)):
                    if used[r] + use[r, c] > limit[r]:
                        fits = False
                        break
                if fits:
                    best = c
            if best < 0 or fresh[best] == size:
                break
            total = 0.0
            for k in range(indptr[best], indptr[best + 1]):
                total += max(0.0, data[k] - have[indices[k]])
            adds[best] = total
            fresh[best] = size
        if best < 0:
            return out[:size]
        taken[best] = True
        occupied[site[best]] = True
        out[size] = best
        size += 1
        for r in range(len(limit)):
            used[r] += use[r, best]
        for k in range(indptr[best], indptr[best + 1]):
            have[indices[k]] = max(have[indices[k]], data[k])


@njit(cache=True, nogil=True)
def _two_best(indptr: Any, indices: Any, data: Any, places: int, chosen: Any) -> Any:
    """(best value, second best, position in ``chosen`` of the best) of every place."""
    first = np.zeros(places)
    second = np.zeros(places)
    who = np.full(places, -1, np.int64)
    for position in range(len(chosen)):
        c = chosen[position]
        for k in range(indptr[c], indptr[c + 1]):
            i = indices[k]
            if data[k] > first[i]:
                second[i] = first[i]
                first[i] = data[k]
                who[i] = position
            elif data[k] > second[i]:
                second[i] = data[k]
    return first, second, who


@njit(cache=True, nogil=True)
def _changes(indptr: Any, indices: Any, data: Any, first: Any, second: Any, who: Any, c: int, kept: Any) -> float:
    """What opening ``c`` adds; ``kept[position]``: what it also saves when that open column closes."""
    adds = 0.0
    kept[:] = 0.0
    for k in range(indptr[c], indptr[c + 1]):
        i = indices[k]
        v = data[k]
        if v > first[i]:
            adds += v - first[i]
        if who[i] >= 0 and v > second[i]:
            kept[who[i]] += min(v, first[i]) - second[i]
    return adds


@njit(cache=True, nogil=True)
def _fits(use: Any, limit: Any, used: Any, add: int, drop: int) -> bool:
    for r in range(len(limit)):
        total = used[r] + use[r, add]
        if drop >= 0:
            total -= use[r, drop]
        if total > limit[r]:
            return False
    return True


@njit(cache=True, nogil=True)
def _exchange(
    indptr: Any, indices: Any, data: Any, places: int, use: Any, limit: Any, site: Any, chosen: Any, rounds: int,
    exact: float,
) -> Any:  # fmt: skip
    count = len(indptr) - 1
    for _ in range(rounds):
        size = len(chosen)
        first, second, who = _two_best(indptr, indices, data, places, chosen)
        taken = np.zeros(count, np.bool_)
        holder = np.full(site.max() + 1 if count else 1, -1, np.int64)
        used = np.zeros(len(limit))
        loss = np.zeros(size)
        for position in range(size):
            taken[chosen[position]] = True
            holder[site[chosen[position]]] = position
            for r in range(len(limit)):
                used[r] += use[r, chosen[position]]
        total = 0.0
        for i in range(places):
            total += first[i]
            if who[i] >= 0:
                loss[who[i]] += first[i] - second[i]
        kept = np.zeros(size)
        best = exact * max(1.0, total)
        add = -1
        drop = -1
        for c in range(count):
            if taken[c]:
                continue
            adds = _changes(indptr, indices, data, first, second, who, c, kept)
            only = holder[site[c]]
            if only < 0 and adds > best and _fits(use, limit, used, c, -1):
                best = adds
                add = c
                drop = -1
            for position in range(size):
                if only >= 0 and only != position:
                    continue
                change = adds - loss[position] + kept[position]
                if change > best and _fits(use, limit, used, c, chosen[position]):
                    best = change
                    add = c
                    drop = position
        if add < 0:
            break
        if drop < 0:
            chosen = np.append(chosen, add)
        else:
            chosen[drop] = add
    return chosen


@njit(cache=True, nogil=True)
def _lower(
    indptr: Any, indices: Any, data: Any, places: int, use: Any, limit: Any, site: Any, chosen: Any, tolerance: float
) -> Any:
    """Exchanges that keep the worth, use no more of any limit, and lower a number; idle columns close first."""
    count = len(indptr) - 1
    moved = True
    while moved:
        moved = False
        size = len(chosen)
        first, second, who = _two_best(indptr, indices, data, places, chosen)
        loss = np.zeros(size)
        for i in range(places):
            if who[i] >= 0:
                loss[who[i]] += first[i] - second[i]
        for position in range(size - 1, -1, -1):
            if loss[position] <= tolerance:
                chosen = np.concatenate((chosen[:position], chosen[position + 1 :]))
                moved = True
                break
        if moved:
            continue
        taken = np.zeros(count, np.bool_)
        holder = np.full(site.max() + 1 if count else 1, -1, np.int64)
        for position in range(size):
            taken[chosen[position]] = True
            holder[site[chosen[position]]] = position
        kept = np.zeros(size)
        top = chosen.max() if size else 0
        for c in range(top):
            if taken[c]:
                continue
            adds = _changes(indptr, indices, data, first, second, who, c, kept)
            only = holder[site[c]]
            for position in range(size - 1, -1, -1):
                if chosen[position] <= c or (only >= 0 and only != position):
                    continue
                if adds - loss[position] + kept[position] < -tolerance:
                    continue
                cheaper = True
                for r in range(len(limit)):
                    if use[r, c] > use[r, chosen[position]]:
                        cheaper = False
                        break
                if cheaper:
                    chosen[position] = c
                    chosen = np.sort(chosen)
                    moved = True
                    break
            if moved:
                break
    return chosen
