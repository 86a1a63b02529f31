"""Make a covering problem smaller without changing its answer.

Places that the same columns reach become one (their weights added). A column that reaches nothing more than another
and costs no less is left out (column dominance), in full covering also a place that is reached whenever another one
is (row dominance); of equals the lower number stays (Toregas & ReVelle 1972; Beasley 1987).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy.sparse import csr_array

from planning.siting.problem import Bool, Float64, Int64, Problem, lean

_MIX = np.uint64(0x9E3779B97F4A7C15)


def same_places(reach: csr_array) -> Int64:
    """For every place (column of ``reach``) the first place with exactly the same entries, perhaps itself."""
    across = lean(reach.T.tocsr())
    count = across.shape[0]
    if not across.nnz:
        return np.zeros(count, np.int64)
    bits = np.ascontiguousarray(across.data, np.float64).view(np.uint64)
    key = _scatter(_scatter(across.indices.astype(np.uint64) + np.uint64(1)) ^ bits)
    total = np.concatenate([[np.uint64(0)], np.cumsum(key, dtype=np.uint64)])
    word = total[across.indptr[1:]] - total[across.indptr[:-1]]
    _, first, group = np.unique(word, return_index=True, return_inverse=True)
    candidate = first[group]
    # equal words are equal places but for an accident, which is looked for
    head: Int64 = _confirmed(across.indptr, across.indices, across.data, candidate.astype(np.int64))
    return head


def merge_places(problem: Problem) -> Problem:
    """A covering problem (one value a place, whoever covers it) with equally reached places made one."""
    value = problem.value
    weight = np.zeros(value.shape[1])
    weight[value.indices] = value.data
    pattern = csr_array((np.ones(value.nnz), value.indices, value.indptr), shape=value.shape)
    head = same_places(pattern)
    total = np.bincount(head, weight, minlength=len(head))
    kept = np.flatnonzero((head == np.arange(len(head))) & (total > 0))
    merged = pattern[:, kept].tocsr()
    merged.data = total[kept][merged.indices]
    return Problem(merged, problem.use, problem.limit, problem.site)


def undominated(problem: Problem) -> Int64:
    """Columns of a covering problem worth looking at: none that reaches a part of another's places for as much.

    Where a site takes one column only, columns give way to those of their own site, or to sites with a single column.
    """
    value = problem.value
    across = lean(value.T.tocsr())
    site = np.arange(problem.columns) if problem.site is None else problem.site
    alone = np.bincount(site, minlength=problem.columns + 1)[site] == 1 if len(site) else np.zeros(0, bool)
    beaten: Bool = _beaten(
        value.indptr, value.indices, across.indptr, across.indices, np.ascontiguousarray(problem.use.T), site, alone
    )
    return np.flatnonzero(~beaten)


def cover_core(reach: csr_array, cost: Float64) -> tuple[Int64, Int64, Int64]:
    """What is left of covering every place of ``reach`` at least cost: (columns that must open, columns still to
    choose from, places still to cover).

    Every place must be reached by some column.
    """
    must: list[int] = []
    columns, places = np.arange(reach.shape[0]), np.arange(reach.shape[1])
    pattern = csr_array((np.ones(reach.nnz), reach.indices, reach.indptr), shape=reach.shape)
    while len(places):
        before = len(columns), len(places)
        part = lean(pattern[columns][:, places].tocsr())
        across = lean(part.T.tocsr())
        only = np.flatnonzero(np.diff(across.indptr) == 1)
        essential = np.unique(across.indices[across.indptr[only]])
        if len(essential):
            must += columns[essential].tolist()
            served = np.zeros(len(places), bool)
            served[part[essential].tocsr().indices] = True
            columns, places = np.delete(columns, essential), places[~served]
            continue
        # a place all of whose columns another place shares is covered with it: sets the other way round
        implied = _contains(across.indptr, across.indices, part.indptr, part.indices)
        places = places[~implied]
        part = lean(pattern[columns][:, places].tocsr())
        across = lean(part.T.tocsr())
        sites = np.arange(len(columns))
        beaten = _beaten(
            part.indptr, part.indices, across.indptr, across.indices, np.ascontiguousarray(cost[columns][:, None]),
            sites, np.ones(len(sites), bool),
        )  # fmt: skip
        columns = columns[~beaten]
        if before == (len(columns), len(places)):
            break
    return np.array(sorted(must), np.int64), columns if len(places) else columns[:0], places


def _scatter(words: Any) -> Any:
    """64-bit words mixed so that sums of different sets differ."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9) + _MIX
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@njit(cache=True, nogil=True)
def _confirmed(indptr: Any, indices: Any, data: Any, head: Any) -> Any:
    """``head`` where a row equals its head entry by entry, the row itself elsewhere."""
    out = head.copy()
    for i in range(len(head)):
        a, b = indptr[i], indptr[head[i]]
        size = indptr[i + 1] - a
        same = size == indptr[head[i] + 1] - b
        k = 0
        while same and k < size:
            same = indices[a + k] == indices[b + k] and data[a + k] == data[b + k]
            k += 1
        if not same:
            out[i] = i
    return out


@njit(cache=True, nogil=True)
def _subset(indptr: Any, indices: Any, a: int, b: int) -> bool:
    """Whether every entry of row ``a`` is in row ``b`` (entries sorted)."""
    k = indptr[b]
    end = indptr[b + 1]
    for m in range(indptr[a], indptr[a + 1]):
        while k < end and indices[k] < indices[m]:
            k += 1
        if k == end or indices[k] != indices[m]:
            return False
        k += 1
    return True


@njit(cache=True, nogil=True)
def _beaten(indptr: Any, indices: Any, across_ptr: Any, across: Any, use: Any, site: Any, alone: Any) -> Any:
    """Which rows are part of another that uses no more of anything."""
    count = len(indptr) - 1
    out = np.zeros(count, np.bool_)
    for a in range(count):
        size = indptr[a + 1] - indptr[a]
        if size == 0:
            out[a] = True
            continue
        # whoever holds all of the row holds its rarest entry
        rare = indices[indptr[a]]
        for m in range(indptr[a], indptr[a + 1]):
            i = indices[m]
            if across_ptr[i + 1] - across_ptr[i] < across_ptr[rare + 1] - across_ptr[rare]:
                rare = i
        for m in range(across_ptr[rare], across_ptr[rare + 1]):
            b = across[m]
            larger = indptr[b + 1] - indptr[b]
            if b == a or larger < size or not (alone[b] or site[a] == site[b]):
                continue
            worse = False
            equal = larger == size
            for r in range(use.shape[1]):
                if use[b, r] > use[a, r]:
                    worse = True
                    break
                if use[b, r] < use[a, r]:
                    equal = False
            if worse or (equal and b > a and (alone[a] or site[a] == site[b])):
                continue
            if _subset(indptr, indices, a, b):
                out[a] = True
                break
    return out


@njit(cache=True, nogil=True)
def _contains(indptr: Any, indices: Any, across_ptr: Any, across: Any) -> Any:
    """Which rows hold all of another row; of equal rows the first stays."""
    count = len(indptr) - 1
    out = np.zeros(count, np.bool_)
    for b in range(count):
        size = indptr[b + 1] - indptr[b]
        rare = indices[indptr[b]]
        for m in range(indptr[b], indptr[b + 1]):
            i = indices[m]
            if across_ptr[i + 1] - across_ptr[i] < across_ptr[rare + 1] - across_ptr[rare]:
                rare = i
        for m in range(across_ptr[rare], across_ptr[rare + 1]):
            a = across[m]
            larger = indptr[a + 1] - indptr[a]
            if a == b or out[a] or larger < size or (larger == size and a < b):
                continue
            if _subset(indptr, indices, b, a):
                out[a] = True
    return out
