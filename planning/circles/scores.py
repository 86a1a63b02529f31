"""One figure a building: how many of the life circle's categories it reaches, how even that is, and how much choice.

The *score* is the share of the table's categories with a facility within 15 minutes' walk; a category without any
facility counts as not reached. The *own score* asks each category within its own tier's minutes (5, 10 or 15). Both
are unknown (NaN) for buildings that cannot be assessed.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planning.circles.inputs import Members, People

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

SCORE_MINUTES: Final = 15.0
"""Minutes within which a category counts for the score."""
LEVELS: Final = (("0", 0, 0), ("1", 1, 1), ("2-4", 2, 4), ("5-10", 5, 10), ("11+", 11, None))
"""Levels of choice: name, fewest and most facilities reached."""
BINS: Final = 11


def gini(values: Float64, weights: Float64) -> float | None:
    """Gini coefficient of ``values`` (0 or more) held by ``weights`` people each: 0 all have the same.

    G = Σᵢ Σⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 W² x̄), half the mean difference between two people over their mean (Gini 1912; with
    weights as Lerman & Yitzhaki 1989), here in order of x as G = Σᵢ wᵢ xᵢ (2 Fᵢ + wᵢ − W) / (W² x̄), Fᵢ the weight of
    those with less. 0 where nobody has anything; None without people.
    """
    held = weights > 0
    x, w = values[held], weights[held]
    if not len(x):
        return None
    order = np.argsort(x, kind="stable")
    x, w = x[order], w[order]
    total, sum_x = w.sum(), (w * x).sum()
    if sum_x <= 0:
        return 0.0
    below = np.cumsum(w) - w
    return float(max((w * x * (2 * below + w - total)).sum() / (total * sum_x), 0.0))


def scores(reached: Bool, assessed: Bool) -> Float64:
    """Share of the categories (columns) each residence reaches, NaN where it cannot be assessed."""
    return np.where(assessed, reached.mean(axis=1), np.nan)


def summary(score: Float64, own: Float64, people: People) -> dict[str, Any]:
    """Mean, Gini and histogram of the scores of assessed people, JSON-ready.

    The histogram has 11 bins: from 0 to under 0.1, … from 0.9 to under 1, and all categories reached.
    """
    told = np.isfinite(score)
    weight = np.where(told, people.weight, 0.0)
    tenths = np.minimum(np.floor(score[told] * 10 + 1e-9).astype(np.int64), BINS - 1)
    histogram = np.bincount(tenths, weights=weight[told], minlength=BINS)
    return {
        "minutes": SCORE_MINUTES,
        "weighted_by": people.weighted_by,
        "mean": _mean(score, weight),
        "mean_own": _mean(own, weight),
        "gini": gini(score[told], weight[told]),
        "gini_own": gini(own[told], weight[told]),
        "histogram": np.rint(histogram).astype(np.int64).tolist(),
    }


def by_place(members: Members, score: Float64, own: Float64, people: People) -> pd.DataFrame:
    """One row a place: ``code``, ``buildings_assessed``, ``residents_assessed``, mean ``score`` and ``score_own``,
    ``gini``; NaN where nobody is assessed.
    """
    told = np.isfinite(score)
    weight = np.where(told, people.weight, 0.0)
    matrix = members.matrix
    rows = []
    for place, code in enumerate(members.codes):
        mine = matrix.indices[matrix.indptr[place] : matrix.indptr[place + 1]]
        w = weight[mine]
        rows.append(
            {
                "code": code,
                "buildings_assessed": int(told[mine].sum()),
                "residents_assessed": round(float(people.residents[mine][told[mine]].sum())),
                "score": _mean(score[mine], w),
                "score_own": _mean(own[mine], w),
                "gini": gini(score[mine], w),
            }
        )
    columns = ["code", "buildings_assessed", "residents_assessed", "score", "score_own", "gini"]
    numbers = dict.fromkeys(columns[3:], np.float64)
    return pd.DataFrame(rows, columns=columns).astype(numbers)


def opportunity(found: Int32, assessed: Bool, weight: Float64) -> dict[str, int]:
    """How many of the assessed have how many facilities to choose from: counts by the names of `LEVELS`."""
    return {
        name: round(float(weight[assessed & (found >= least) & (True if most is None else found <= most)].sum()))
        for name, least, most in LEVELS
    }


def _mean(values: Float64, weight: Float64) -> float | None:
    held = weight > 0
    return float(np.average(values[held], weights=weight[held])) if held.any() else None
