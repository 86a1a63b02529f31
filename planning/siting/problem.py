"""The one question behind all siting: which columns to open so that places gain most.

A *column* is a candidate site of one category, a *place* somebody's home. ``value[column, place]`` is what the place
gains when the column is open; of several open columns a place takes the best one. Maximal covering has the place's
weight as its value within the minutes (Church & ReVelle 1974), the p-median the weighted time saved against what the
place has today (Hakimi 1964). Limits are a number of sites, a budget, or both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

EXACT = 1e-9
"""Relative difference below which two totals of weights that are no whole numbers count as equal."""


@dataclass(frozen=True)
class Problem:
    """Maximise the places' gains within limits.

    ``value``: columns × places, stored entries above 0. ``use`` (limits × columns) and ``limit``: what is open uses
    at most that much of each. ``site``: columns of one number stand on one spot, where only one may open (None: no
    such rule).
    """

    value: csr_array
    use: Float64
    limit: Float64
    site: Int64 | None = None

    def __post_init__(self) -> None:
        # one layout, so that every kernel is compiled once
        object.__setattr__(self, "value", lean(self.value))
        object.__setattr__(self, "use", np.ascontiguousarray(self.use, np.float64))
        object.__setattr__(self, "limit", np.ascontiguousarray(self.limit, np.float64))

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return int(self.value.shape[0])

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers, so that a bound may be rounded down."""
        data = self.value.data
        return bool((data == np.rint(data)).all()) and float(data.sum()) < 2**52

    def take(self, columns: Int64) -> Problem:
        """The problem with some columns only."""
        return replace(
            self,
            value=self.value[columns],
            use=self.use[:, columns],
            site=None if self.site is None else self.site[columns],
        )


@dataclass(frozen=True)
class Choice:
    """What was chosen and how sure it is the best.

    ``columns`` in rank order: the first is the one that alone brings most, the next the one that adds most to it, and
    so on; ``gains`` what each adds, in all ``value``. No choice is worth more than ``bound``; ``gap`` is
    (bound - value) / bound, 0 when the choice is proven best. ``status``: 'optimal', 'time limit' or 'stopped'.
    ``work``: how large the problem was before and after reducing it.
    """

    columns: Int64
    gains: Float64
    value: float
    bound: float
    gap: float
    status: str
    work: dict[str, float]

    @property
    def proven(self) -> bool:
        """Whether nothing better exists."""
        return self.status == "optimal"


def lean(matrix: csr_array) -> csr_array:
    """The matrix as the kernels take it: 32-bit indices in order, float64 values."""
    out = csr_array(
        (matrix.data.astype(np.float64), matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)),
        shape=matrix.shape,
    )
    out.sort_indices()
    return out


def gap_of(value: float, bound: float) -> float:
    """Share by which the unknown best may exceed ``value``."""
    return max(0.0, (bound - value) / bound) if bound > 0 else 0.0


def best_values(value: csr_array, columns: Int64) -> Float64:
    """What every place gains from the best of some columns (zero without any)."""
    out = np.zeros(value.shape[1])
    for column in columns:  # a handful of sites, not places
        span = slice(value.indptr[column], value.indptr[column + 1])
        np.maximum.at(out, value.indices[span], value.data[span])
    return out


def ranked(value: csr_array, columns: Int64) -> tuple[Int64, Float64]:
    """Columns in rank order and what each adds; of equal ones the lower number comes first."""
    left = sorted(int(column) for column in columns)
    have = np.zeros(value.shape[1])
    order: list[int] = []
    gains: list[float] = []
    spans = {c: slice(value.indptr[c], value.indptr[c + 1]) for c in left}
    while left:
        adds = [np.maximum(value.data[spans[c]] - have[value.indices[spans[c]]], 0.0).sum() for c in left]
        at = int(np.argmax(adds))
        chosen = left.pop(at)
        order.append(chosen)
        gains.append(float(adds[at]))
        span = spans[chosen]
        np.maximum.at(have, value.indices[span], value.data[span])
    return np.array(order, np.int64), np.array(gains)
