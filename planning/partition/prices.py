"""Prices of atoms from the linear program of set partitioning, its columns priced out of the whole list of sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from planning.partition.cover import Ints, cheapest_by_atom, reduced_costs, simple_prices
from planning.partition.enumerate import Sets
from planning.partition.state import Floats

_TOLERANCE = 1e-9
_ROUNDS = 500
_UNCOVERED = 1e-7


@dataclass(slots=True)
class Columns:
    """Sets in the linear program so far; kept while only the share changes."""

    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class Prices(NamedTuple):
    """``left`` (s) what each set costs above the prices of its atoms, ``bound`` what every cover costs at least,
    ``used`` sets in the best cover by shares of sets."""

    left: Floats
    bound: float
    used: float


def least_share(sets: Sets, n: int, constant: float, columns: Columns) -> float | None:
    """The energy per grid of the best cover by shares of sets, which no cover by whole sets undercuts (Dinkelbach).

    None when there is no such cover.
    """
    share = float(np.median(sets.cost))
    for _ in range(_ROUNDS):
        priced = linear_prices(sets, n, share, None, columns)
        if priced is None:
            return None
        change = (priced.bound - constant) / max(priced.used, 1.0)
        share += change
        if abs(change) < 1e-7 * max(1.0, abs(share)):
            break
    return share


def linear_prices(sets: Sets, n: int, share: float, forced: int | None, columns: Columns) -> Prices | None:
    """The best prices when every set costs `share` less; None when not even shares of sets cover every atom.

    Then there is no cover at all.
    """
    cost = sets.cost - share
    if not len(columns.rows):
        _, left = simple_prices(sets, np.ones(n), share)
        columns.rows = _cheapest(sets, left, n, np.inf)
    # what is left uncovered is dear, so that it vanishes where it can
    dear = 10.0 * float(np.abs(cost).max() + 1.0) * n
    priced, uncovered = _priced(sets, cost, n, forced, columns, dear)
    if uncovered > _UNCOVERED:
        zero = np.zeros(len(cost))
        if _priced(sets, zero, n, forced, columns, 1.0)[1] > _UNCOVERED:
            return None
        priced, _ = _priced(sets, cost, n, forced, columns, 1e3 * dear)
    return priced


def _priced(
    sets: Sets, cost: Floats, n: int, forced: int | None, columns: Columns, dear: float
) -> tuple[Prices, float]:
    """Prices no set improves any more, and how much is covered by no set."""
    priced, uncovered = Prices(cost, -np.inf, 0.0), np.inf
    for _ in range(_ROUNDS):
        prices, of_count, bound, used, uncovered = _program(sets, cost, n, forced, columns.rows, dear)
        left = reduced_costs(sets._replace(cost=cost), prices, of_count)
        priced = Prices(left, bound, used)
        fresh = _cheapest(sets, left, n, -_TOLERANCE * max(1.0, abs(bound)))
        fresh = np.setdiff1d(fresh, columns.rows)
        if not len(fresh):
            break
        columns.rows = np.union1d(columns.rows, fresh)
    return priced, uncovered


def _cheapest(sets: Sets, left: Floats, n: int, below: float) -> Ints:
    """Sets worth adding: for every atom the cheapest one, and the cheapest of all."""
    choice = cheapest_by_atom(sets, left, n, below)
    some = min(4 * n, len(left))
    most = np.argpartition(left, some - 1)[:some]
    return np.union1d(choice[choice >= 0], most[left[most] < below]).astype(np.int64)


def _program(
    sets: Sets, cost: Floats, n: int, forced: int | None, rows: Ints, dear: float
) -> tuple[Floats, float, float, float, float]:
    """Prices of the atoms, price of one more grid, value, number of sets and uncovered share of the program."""
    place = np.arange(64, dtype=np.uint64)
    bits = np.concatenate(
        [((words[rows, None] >> place) & np.uint64(1)).astype(bool) for words in (sets.low, sets.high)], axis=1
    )[:, :n]
    matrix = sp.hstack([sp.csc_matrix(bits.T.astype(np.float64)), sp.identity(n, format="csc")], format="csc")
    right = np.ones(n)
    if forced is not None:
        count = np.concatenate([np.ones(len(rows)), np.zeros(n)])
        matrix = sp.vstack([matrix, sp.csc_matrix(count[None, :])], format="csc")
        # grids short of the forced number are as dear as atoms left out
        missing = np.zeros((n + 1, 2))
        missing[n] = (1.0, -1.0)
        matrix = sp.hstack([matrix, sp.csc_matrix(missing)], format="csc")
        right = np.append(right, float(forced))
    extra = matrix.shape[1] - len(rows)
    answer = linprog(
        np.concatenate([cost[rows], np.full(extra, dear)]), A_eq=matrix, b_eq=right, bounds=(0, None), method="highs"
    )
    marginals = np.asarray(answer.eqlin.marginals, dtype=np.float64)
    of_count = float(marginals[n]) if forced is not None else 0.0
    used, unused = float(answer.x[: len(rows)].sum()), float(answer.x[len(rows) :].sum())
    return marginals[:n].copy(), of_count, float(answer.fun), used, unused
