"""The fewest candidates that reach every demand: set covering, reduced, split and solved exactly.

The reductions are the classic ones (Toregas and ReVelle 1973): a candidate that reaches no more than another is
dropped, a demand that is reached whenever another one is, is dropped, and what falls apart is solved apart. What
remains goes to HiGHS; where its time runs out the answer is the best cover known and the lower bound says how far
from the best it may be.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import connected_components

from gisgrid.errors import BadInput

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PAIRS_MAX: Final = 300_000_000
"""Pairs of sets compared by one reduction; beyond, it is left out."""
BLOCK_PAIRS: Final = 10_000_000
"""Pairs of sets held at one time."""


@dataclass(frozen=True)
class Cover:
    """Rows of the candidates chosen, ascending, and the fewest there can be."""

    rows: Int64
    lower_bound: int

    @property
    def proven(self) -> bool:
        """Whether no smaller cover exists."""
        return len(self.rows) == self.lower_bound


def fewest_points(reaches: csr_array, *, seconds: float = 60.0) -> Cover:
    """The fewest rows of ``reaches`` (candidates × demands, any nonzero) that reach every column.

    HiGHS gets ``seconds`` in all. Raises BadInput when a demand is reached by nobody.
    """
    sets = csr_array((np.ones(reaches.nnz, np.int32), reaches.indices, reaches.indptr), shape=reaches.shape)
    sets.sum_duplicates()
    sets.data[:] = 1
    alone = np.flatnonzero(np.bincount(sets.indices, minlength=sets.shape[1]) == 0)
    if len(alone):
        raise BadInput(f"demand {int(alone[0]) + 1} is reached by no candidate; {len(alone)} such")
    if not sets.shape[1]:
        return Cover(np.empty(0, np.int64), 0)
    rows = np.arange(sets.shape[0], dtype=np.int64)
    sets, rows = _reduced(sets, rows)
    count, label = connected_components(block_array([[None, sets], [sets.T, None]]), directed=False)
    of_set, of_demand = label[: sets.shape[0]], label[sets.shape[0] :]
    order = np.argsort(np.bincount(of_demand, minlength=count), kind="stable")
    by_set, by_demand = _groups(of_set, count), _groups(of_demand, count)
    chosen: list[Int64] = []
    bound = 0
    end = time.monotonic() + seconds
    for number, piece in enumerate(order):
        mine = by_set[piece]
        part = sets[mine][:, by_demand[piece]]
        # later pieces are larger: an equal share of what is left, what a small one leaves goes on to the next
        found, least = _solve(part, max(end - time.monotonic(), 0.0) / (count - number))
        chosen.append(rows[mine[found]])
        bound += least
    return Cover(np.sort(np.concatenate(chosen)), bound)


def _groups(label: Int64, count: int) -> list[Int64]:
    order = np.argsort(label, kind="stable")
    return np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])


def _reduced(sets: csr_array, rows: Int64) -> tuple[csr_array, Int64]:
    """The smaller problem with the same optimum: fewer sets, fewer demands."""
    fresh = _first_of_equals(sets)
    sets, rows = sets[fresh], rows[fresh]
    while True:
        before = sets.shape
        keep = ~_within_another(sets) & (np.diff(sets.indptr) > 0)
        sets, rows = sets[keep], rows[keep]
        columns = csr_array(sets.T)
        columns = columns[_first_of_equals(columns)]
        sets = csr_array(columns[~_holds_another(columns)].T)
        if sets.shape == before:
            return sets, rows


def _first_of_equals(sets: csr_array) -> Int64:
    """Rows that differ from all earlier ones, told by 128-bit sums of random numbers."""
    random = np.random.default_rng(0).integers(0, 2**64, (2, sets.shape[1]), np.uint64)
    sums = np.zeros((2, sets.nnz + 1), np.uint64)
    np.cumsum(random[:, sets.indices], axis=1, out=sums[:, 1:])  # wraps round, as sums of a hash may
    keys = (sums[:, sets.indptr[1:]] - sums[:, sets.indptr[:-1]]).T
    return np.sort(np.unique(keys, axis=0, return_index=True)[1])


def _within_another(sets: csr_array) -> Bool:
    """Sets that are part of another one."""
    return _compared(sets, outer=False)


def _holds_another(sets: csr_array) -> Bool:
    """Sets that another one is part of."""
    return _compared(sets, outer=True)


def _compared(sets: csr_array, *, outer: bool) -> Bool:
    out = np.zeros(sets.shape[0], bool)
    across = csr_array(sets.T)
    pairs_of = sets.astype(np.float64) @ np.diff(across.indptr)
    if float(pairs_of.sum()) > PAIRS_MAX:
        return out
    size = np.diff(sets.indptr)
    ends = np.flatnonzero(np.diff(np.cumsum(pairs_of) // BLOCK_PAIRS, append=-1))
    start = 0
    for end in ends + 1:
        common = (sets[start:end] @ across).tocoo()
        one, other = common.row + start, common.col
        inside = (one != other) & (common.data == size[one])
        # of equal sets the first stays
        inside &= (size[other] > size[one]) | ((other < one) != outer)
        out[(other if outer else one)[inside]] = True
        start = int(end)
    return out


def _solve(sets: csr_array, seconds: float) -> tuple[Int64, int]:
    """(rows chosen, lower bound) of one piece."""
    if (np.diff(sets.indptr) == sets.shape[1]).any():
        return np.flatnonzero(np.diff(sets.indptr) == sets.shape[1])[:1], 1
    across = csr_array(sets.T)
    greedy = np.flatnonzero(_greedy(sets.indptr, sets.indices, across.indptr, across.indices))
    apart = int(_apart(sets.indptr, sets.indices, across.indptr, across.indices))
    least = max(apart, 2)  # no single candidate reaches them all
    if len(greedy) == least or seconds <= 0:
        return greedy, least
    found: Any = milp(
        np.ones(sets.shape[0]),
        integrality=np.ones(sets.shape[0]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(across.astype(np.float64), lb=1.0),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
        least = max(least, int(np.ceil(found.mip_dual_bound - 1e-6)))
    if found.x is not None:
        rows = np.flatnonzero(found.x > 0.5)
        reached = np.bincount(sets[rows].indices, minlength=sets.shape[1]) > 0
        if reached.all() and len(rows) < len(greedy):
            return rows, least
    return greedy, min(least, len(greedy))


@njit(cache=True, nogil=True)
def _greedy(indptr: Any, indices: Any, across_ptr: Any, across: Any) -> Any:
    """A cover: always the set that reaches most of what is left, then those that prove needless taken out again."""
    sets, demands = len(indptr) - 1, len(across_ptr) - 1
    gain = np.empty(sets, np.int64)
    for s in range(sets):
        gain[s] = indptr[s + 1] - indptr[s]
    reached = np.zeros(demands, np.int64)
    taken = np.zeros(sets, np.bool_)
    order = np.empty(sets, np.int64)
    used = 0
    left = demands
    while left > 0:
        best = 0
        for s in range(1, sets):
            if gain[s] > gain[best]:
                best = s
        taken[best] = True
        order[used] = best
        used += 1
        for k in range(indptr[best], indptr[best + 1]):
            d = indices[k]
            reached[d] += 1
            if reached[d] == 1:
                left -= 1
                for m in range(across_ptr[d], across_ptr[d + 1]):
                    gain[across[m]] -= 1
    for i in range(used):
        s = order[i]
        needless = True
        for k in range(indptr[s], indptr[s + 1]):
            if reached[indices[k]] == 1:
                needless = False
                break
        if needless:
            taken[s] = False
            for k in range(indptr[s], indptr[s + 1]):
                reached[indices[k]] -= 1
    return taken


@njit(cache=True, nogil=True)
def _apart(indptr: Any, indices: Any, across_ptr: Any, across: Any) -> int:
    """How many demands can be found no two of which one set reaches: a lower bound."""
    demands = len(across_ptr) - 1
    size = np.empty(demands, np.int64)
    for d in range(demands):
        size[d] = across_ptr[d + 1] - across_ptr[d]
    blocked = np.zeros(demands, np.bool_)
    count = 0
    for d in np.argsort(size, kind="mergesort"):
        if blocked[d]:
            continue
        count += 1
        for k in range(across_ptr[d], across_ptr[d + 1]):
            s = across[k]
            for m in range(indptr[s], indptr[s + 1]):
                blocked[indices[m]] = True
    return count
