"""Hot and cold spots among grids: Getis-Ord Gi* of reports per 1,000 households (PySAL esda).

Gi* (Ord and Getis 1995) asks whether a grid and those it touches have together higher or lower rates than so many grids
drawn at random. The p-value is two-sided, from conditional permutations with a seed; as every grid is a test, grids are
called hot or cold by their q (Benjamini and Hochberg 1995; Caldas de Castro and Singer 2006).

Rates of small grids jump: a report more or less changes them most. ``smooth`` draws each rate towards the mean of all,
the more so the fewer households it has (empirical Bayes, Marshall 1991). Grids without households have no rate: they
are not rated and no neighbours of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from numba import njit

from gisgrid.errors import BadInput
from planning.heat.events import Floats, Ints, Span
from planning.heat.fdr import adjusted

LEVELS: Final = ((0.01, "99"), (0.05, "95"), (0.1, "90"))
"""q at most this, and the name it gives: hot99, cold95 …"""
LEAST: Final = 8
"""Fewer rated grids are not tested: there are too few ways to draw neighbours."""
TOUCH_METRES: Final = 0.05
"""Borders this near are shared."""
PERMUTATIONS: Final = (99, 99_999)
MANY: Final = 5_000
MARSHALL: Final = "empirical Bayes towards the mean of all grids (Marshall 1991)"


@dataclass(frozen=True, slots=True)
class HotSpots:
    """``rows``: one a grid, in the order given: reports, households, rate (per 1,000 households and month), smoothed
    (or None), z, p, q, spot (hot99 … cold90, none, or not_rated), neighbours. ``facts``: how it was tested."""

    rows: pd.DataFrame
    facts: dict[str, Any]


def hot_spots(
    shapes: npt.NDArray[np.object_],
    households: Ints,
    reports: Ints,
    span: Span,
    *,
    smooth: bool = False,
    permutations: int | None = None,
    seed: int = 1,
) -> HotSpots:
    """Gi* of every grid. ``shapes``: polygons in metres, a coverage. ``permutations``: 9,999, of more than
    `MANY` grids 999, when not given. Raises BadInput for a number out of range."""
    if permutations is not None and not PERMUTATIONS[0] <= permutations <= PERMUTATIONS[1]:
        raise BadInput(f"permutations={permutations}: give {PERMUTATIONS[0]} to {PERMUTATIONS[1]}")
    count = len(shapes)
    rated = np.flatnonzero(households > 0)
    rate = np.full(count, np.nan)
    rate[rated] = 1000.0 * reports[rated] / households[rated] / span.months
    smoothed = np.full(count, np.nan)
    if smooth and len(rated):
        smoothed[rated] = _smoothed(reports[rated], households[rated]) * 1000.0 / span.months
    neighbours = touching(shapes[rated])
    z, p = (np.full(count, np.nan) for _ in range(2))
    used = (smoothed if smooth else rate)[rated]
    permutations = permutations or (9_999 if len(rated) <= MANY else 999)
    reason = _untestable(used)
    if reason is None:
        z[rated], p[rated] = _gi_star(used, neighbours, permutations, seed)
    q = adjusted(p)
    degree = np.zeros(count, np.int64)
    degree[rated] = [len(neighbours[k]) for k in range(len(rated))]
    rows = pd.DataFrame({
        "reports": reports, "households": households, "rate": rate, "smoothed": smoothed, "z": z, "p": p, "q": q,
        "spot": _names(z, q, households > 0), "neighbours": degree,
    })  # fmt: skip
    facts = {
        "statistic": "Getis-Ord Gi*", "weights": "queen: grids that touch, and the grid itself; binary",
        "rates": MARSHALL if smooth else "as counted", "p": "two-sided, rates drawn at random from all rated grids",
        "permutations": permutations, "seed": seed, "correction": "Benjamini-Hochberg", "rated": len(rated),
        "not_rated": count - len(rated), "reason": reason, "mean_rate": _mean_rate(reports, households, span),
    }  # fmt: skip
    return HotSpots(rows, facts)


def touching(shapes: npt.NDArray[np.object_]) -> dict[int, list[int]]:
    """Which polygons share a border or a corner (queen), by their row; borders within `TOUCH_METRES` are shared."""
    found: dict[int, list[int]] = {row: [] for row in range(len(shapes))}
    if not len(shapes):
        return found
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_METRES)
    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        if a != b:
            found[a].append(b)
    return {row: sorted(near) for row, near in found.items()}


def _gi_star(rates: Floats, neighbours: Mapping[int, list[int]], permutations: int, seed: int) -> tuple[Floats, Floats]:
    """(z by the formula, two-sided p by permutation)."""
    from esda.getisord import G_Local  # takes seconds to import: only who asks for hot spots waits
    from libpysal.weights import W

    weights = W(dict(neighbours), id_order=list(range(len(rates))), silence_warnings=True)
    # its permutations compile for half a minute in every process: ours do the same and are kept compiled
    found = G_Local(rates, weights, transform="B", star=True, permutations=0)
    z = np.asarray(found.Zs, dtype=np.float64)
    z[~np.isfinite(z)] = 0.0  # a grid that touches all others is neither hot nor cold
    return z, permuted(rates, neighbours, permutations, seed)


def permuted(rates: Floats, neighbours: Mapping[int, list[int]], permutations: int, seed: int) -> Floats:
    """Two-sided pseudo p of the sum over each grid and its neighbours, against as many grids drawn from all.

    The null hypothesis of Gi*, whose statistic holds the grid itself: rates lie anywhere. (esda's own permutations hold
    the grid's rate fixed and so ask of its neighbours only.) The same draws serve every grid, as in esda.
    """
    degree = np.array([len(neighbours[row]) for row in range(len(rates))], dtype=np.int64)
    near = np.array([other for row in range(len(rates)) for other in neighbours[row]], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(degree)]).astype(np.int64)
    most = int(degree.max(initial=0)) + 1
    rng = np.random.default_rng(seed)
    drawn = _draws(len(rates), most, rng.random((permutations, most)))
    larger, smaller = _compared(rates, start, near, drawn)
    found: Floats = np.minimum(2 * (np.minimum(larger, smaller) + 1) / (permutations + 1), 1.0)
    return found


@njit(cache=True, nogil=True)
def _draws(count: int, most: int, chance: Any) -> Any:
    """(permutations, most): so many different ones of 0 … ``count`` - 1, by Fisher and Yates' shuffle broken off."""
    order = np.arange(count)
    out = np.empty(chance.shape, np.int64)
    for k in range(len(chance)):
        for j in range(most):
            other = j + int(chance[k, j] * (count - j))
            order[j], order[other] = order[other], order[j]
            out[k, j] = order[j]
    return out


@njit(cache=True, nogil=True)
def _compared(rates: Any, start: Any, near: Any, drawn: Any) -> Any:
    """How often as many grids drawn at random sum up to at least, and to at most, what a grid and its neighbours do."""
    larger, smaller = np.zeros(len(rates), np.int64), np.zeros(len(rates), np.int64)
    for row in range(len(rates)):
        degree = start[row + 1] - start[row]
        true = rates[row]
        for k in range(start[row], start[row + 1]):
            true += rates[near[k]]
        slack = 1e-12 * abs(true)  # the same rates in another order are no other sum
        for draw in drawn:
            total = 0.0
            for j in range(degree + 1):
                total += rates[draw[j]]
            larger[row] += total >= true - slack
            smaller[row] += total <= true + slack
    return larger, smaller


def _smoothed(reports: Ints, households: Ints) -> Floats:
    """Reports per household, drawn towards the mean where households are few."""
    from esda.smoothing import Empirical_Bayes

    mean = reports.sum() / households.sum()
    spread = (households * (reports / households - mean) ** 2).sum() / households.sum()
    if spread <= mean / households.mean():  # no more than chance: Marshall's estimate of the variance is not positive
        return np.full(len(reports), mean)
    found: Floats = np.asarray(Empirical_Bayes(reports, households).r, dtype=np.float64).ravel()
    return found


def _untestable(rates: Floats) -> str | None:
    if len(rates) < LEAST:
        return f"{len(rates)} grids have households; hot spots are told from {LEAST} on"
    if np.ptp(rates) == 0:
        return "all grids have the same rate"
    return None


def _names(z: Floats, q: Floats, rated: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    found = np.full(len(z), "none", dtype=object)
    for limit, name in reversed(LEVELS):
        within = np.nan_to_num(q, nan=1.0) <= limit
        found[within & (z > 0)], found[within & (z < 0)] = f"hot{name}", f"cold{name}"
    found[~rated] = "not_rated"
    return found


def _mean_rate(reports: Ints, households: Ints, span: Span) -> float | None:
    lived = households > 0
    return float(1000.0 * reports[lived].sum() / households[lived].sum() / span.months) if lived.any() else None
