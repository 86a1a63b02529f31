"""How much better a choice could be at most: Lagrangian bounds, and the columns they rule out.

That a place takes one column only is relaxed with a price for every place (Cornuéjols, Fisher & Nemhauser 1977); the
prices follow subgradients (Held, Wolfe & Crowder 1974). What is left picks the columns of most worth over the prices
within one limit, a knapsack whose linear relaxation is solved at sight. A column that the bound shows to be in no
choice better than the one known is closed for good, one that is in all of them opened for good (Beasley 1993). What
remains for the solver is small.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from planning.siting.problem import EXACT, Bool, Float64, Int64, Problem, best_values
from planning.siting.search import improve, room, worth

ROUNDS: Final = 1_500
"""Steps at most; a count and not seconds, so that every run does the same."""
PATIENCE: Final = 20
"""Steps without a better bound after which they get shorter."""
ROUNDING: Final = 25
"""Steps between two choices made from the averaged solution."""


class Bound(NamedTuple):
    """``bound``: no choice better than ``columns`` is worth more. ``opened`` and ``closed``: columns in all, in none
    of the choices that are better.
    """

    bound: float
    opened: Bool
    closed: Bool
    columns: Int64


def lagrange(problem: Problem, columns: Int64, *, rounds: int = ROUNDS) -> Bound | None:
    """Bound a problem with one limit from a known choice ``columns``, and better it; None with several limits.

    Where a site takes one column only, the bound leaves that rule out and stays a bound.
    """
    if len(problem.limit) != 1 or not problem.columns:
        return None
    value = problem.value
    use, limit = problem.use[0], float(problem.limit[0])
    known = worth(problem, columns)
    centre = best_values(value, columns)  # the prices of the best bound
    opened, closed = np.zeros(problem.columns, bool), np.zeros(problem.columns, bool)
    best, step, still, mean_takers, mean_share = np.inf, 0.5, 0, None, np.zeros(problem.columns)
    prices = centre
    for turn in range(rounds):
        rho = _over_prices(value.indptr, value.indices, value.data, prices, closed)
        share, last, following = _knapsack(rho, use, limit)
        bound = float(prices.sum() + rho @ share)
        target = _target(problem, known)
        for rate in {last, following}:
            rest = rho - rate * use
            over = float(prices.sum() + rate * limit + np.maximum(rest, 0.0).sum())
            closed |= over + np.minimum(rest, 0.0) < target
            opened |= over - np.maximum(rest, 0.0) < target
        takers = _takers(value.indptr, value.indices, value.data, prices, share)
        if mean_takers is None:
            mean_takers, mean_share = takers, share
        mean_takers, mean_share = 0.9 * mean_takers + 0.1 * takers, 0.9 * mean_share + 0.1 * share
        if bound < best:
            still = still + 1 if best - bound < 1e-5 * max(best - known, 1e-12) else 0
            step = min(step * 1.1, 2.0) if ((1.0 - mean_takers) @ (1.0 - takers)) > 0 else step
            best, centre = bound, prices
        else:
            still += 1
        if still >= PATIENCE:
            step, still = step * 0.66, 0
        if turn % ROUNDING == ROUNDING - 1:
            tried = improve(problem, _rounded(problem, mean_share))
            if worth(problem, tried) > known:
                columns, known = tried, worth(problem, tried)
        if best < target or step < 1e-3 or closed.all() or (opened & closed).any():
            break
        slope = 1.0 - mean_takers
        slope[(centre <= 0.0) & (slope > 0)] = 0.0  # prices are never below zero
        size = float(slope @ slope)
        if size == 0.0:
            break
        prices = np.maximum(centre - step * (best - known) / size * slope, 0.0)
    if (opened & closed).any():  # needed and impossible: nothing is better
        closed[:] = True
    return Bound(max(best, known), opened & ~closed, closed, columns)


def _target(problem: Problem, known: float) -> float:
    """A choice that is worth less than this is no better than the known one."""
    return known + (1.0 - 1e-6 if problem.whole else EXACT * max(1.0, known))


def _rounded(problem: Problem, share: Float64) -> Int64:
    """A choice of the columns with the largest shares, as many as fit."""
    left, taken, spots = room(problem).copy(), [], set()
    for column in np.argsort(-share, kind="stable"):
        if share[column] <= 0 or (problem.use[:, column] > left).any():
            continue
        if problem.site is not None:
            if int(problem.site[column]) in spots:
                continue
            spots.add(int(problem.site[column]))
        left = left - problem.use[:, column]
        taken.append(int(column))
    return np.array(sorted(taken), np.int64)


def _knapsack(worth: Float64, use: Float64, limit: float) -> tuple[Float64, float, float]:
    """(share of each column, worth per use of the last column taken, of the next) of the relaxed knapsack."""
    share = np.zeros(len(worth))
    free = use <= 0
    share[free] = worth[free] > 0
    rows = np.flatnonzero(~free & (worth > 0))
    rows = rows[np.argsort(-worth[rows] / use[rows], kind="stable")]
    total = np.cumsum(use[rows])
    share[rows] = np.clip((limit - (total - use[rows])) / use[rows], 0.0, 1.0)
    cut = int(np.searchsorted(total, limit, side="left"))
    rates = worth[rows] / use[rows]
    last = float(rates[cut]) if cut < len(rows) else 0.0
    full = cut < len(rows) and total[cut] <= limit
    after = (float(rates[cut + 1]) if cut + 1 < len(rows) else 0.0) if full else last
    return share, last, after


@njit(cache=True, nogil=True)
def _over_prices(indptr: Any, indices: Any, data: Any, prices: Any, closed: Any) -> Any:
    """What every column brings over the prices of its places, 0 for closed ones."""
    out = np.zeros(len(indptr) - 1)
    for c in range(len(out)):
        if closed[c]:
            continue
        total = 0.0
        for k in range(indptr[c], indptr[c + 1]):
            over = data[k] - prices[indices[k]]
            if over > 0.0:
                total += over
        out[c] = total
    return out


@njit(cache=True, nogil=True)
def _takers(indptr: Any, indices: Any, data: Any, prices: Any, share: Any) -> Any:
    """How many columns of the relaxed choice every place takes."""
    out = np.zeros(len(prices))
    for c in range(len(share)):
        if share[c] > 0.0:
            for k in range(indptr[c], indptr[c + 1]):
                if data[k] > prices[indices[k]]:
                    out[indices[k]] += share[c]
    return out
