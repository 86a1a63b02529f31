"""First divisions for the search: METIS k-way, made contiguous; or random growth, to start from somewhere else."""

from __future__ import annotations

import threading

import numpy as np
import pymetis
import scipy.sparse as sp
from numba import njit
from scipy.sparse.csgraph import connected_components

from planning.partition.state import Cell, Int32s, Scratch, next_below, scratch_for

_METIS = threading.Lock()  # METIS draws from the C library's one random state


def metis_labels(cell: Cell, k: int, seed: int) -> Int32s:
    """Connected division of `cell` into `k` non-empty grids by METIS (contiguous k-way), repaired where it is not."""
    n = len(cell.load)
    if k <= 1 or n < 4 * k:
        return grown_labels(cell, k, seed)
    weight = 1 + np.round(10.0 * cell.load).astype(np.int64)
    scale = 100.0 / max(float(np.maximum(cell.cost, 0.0).mean()), 1e-12) if len(cell.cost) else 0.0
    source = np.repeat(np.arange(n), np.diff(cell.indptr))
    together = (cell.compound[source] >= 0) & (cell.compound[source] == cell.compound[cell.indices])
    edge = 1 + np.round(scale * np.maximum(cell.cost, 0.0) * np.where(together, 3.0, 1.0)).astype(np.int64)
    options = pymetis.Options(seed=seed % (2**31 - 1), contig=1, ncuts=2, ufactor=100)
    graph = pymetis.CSRAdjacency(cell.indptr, cell.indices)
    with _METIS:
        _, parts = pymetis.part_graph(
            k, graph, vweights=weight.tolist(), eweights=edge.tolist(), recursive=False, options=options
        )
    return repaired(cell, np.asarray(parts, dtype=np.int32), k)


def grown_labels(cell: Cell, k: int, seed: int) -> Int32s:
    """Connected division into `k` non-empty grids grown from random units, the lightest grid taking the next unit."""
    n = len(cell.load)
    label = np.full(n, -1, dtype=np.int32)
    if k <= 1:
        label[:] = 0
        return label
    order = np.random.default_rng(seed).permutation(n)[:k]
    label[order] = np.arange(k)
    _grow(cell, label, k, scratch_for(n, seed))
    return label


def repaired(cell: Cell, label: Int32s, k: int) -> Int32s:
    """Make every one of `k` grids connected and non-empty: loose parts join the lightest grid they touch."""
    n = len(label)
    source = np.repeat(np.arange(n), np.diff(cell.indptr))
    same = label[source] == label[cell.indices]
    inside = sp.csr_matrix((np.ones(same.sum()), (source[same], cell.indices[same])), shape=(n, n))
    count, part = connected_components(inside, directed=False)
    weight = np.bincount(part, cell.load + 1e-6, minlength=count)
    first = np.full(count, n)
    np.minimum.at(first, part, np.arange(n))
    grid = label[first]
    heaviest = np.lexsort((first, -weight, grid))
    keep = heaviest[np.r_[True, grid[heaviest][1:] != grid[heaviest][:-1]]]
    label = np.where(np.isin(part, keep), label, -1).astype(np.int32)
    _grow(cell, label, k, scratch_for(n, 0))
    _fill_empty(cell, label, k)
    return label


@njit(cache=True, nogil=True)
def _grow(cell: Cell, label: Int32s, k: int, scratch: Scratch) -> None:
    """Give every unit labelled -1 to a neighbouring grid, the lightest first; one front unit a step."""
    n = label.shape[0]
    load = np.zeros(k)
    front = np.empty(cell.indices.shape[0] + n, np.int32)
    waiting = 0
    for unit in range(n):
        if label[unit] >= 0:
            load[label[unit]] += cell.load[unit] + 1e-3
    for unit in range(n):
        if label[unit] < 0:
            for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
                if label[cell.indices[e]] >= 0:
                    front[waiting] = unit
                    waiting += 1
                    break
    while waiting > 0:
        # of a few random units of the front take the one whose lightest neighbour is lightest
        chosen = -1
        chosen_grid = -1
        least = np.inf
        tries = min(waiting, 16)
        for _ in range(tries):
            at = next_below(scratch.random, waiting) if waiting > 16 else _
            unit = front[at]
            for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
                grid = label[cell.indices[e]]
                if grid >= 0 and load[grid] < least:
                    least = load[grid]
                    chosen = at
                    chosen_grid = grid
        unit = front[chosen]
        waiting -= 1
        front[chosen] = front[waiting]
        if label[unit] >= 0:
            continue
        label[unit] = chosen_grid
        load[chosen_grid] += cell.load[unit] + 1e-3
        for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
            if label[cell.indices[e]] < 0:
                front[waiting] = cell.indices[e]
                waiting += 1


@njit(cache=True, nogil=True)
def _fill_empty(cell: Cell, label: Int32s, k: int) -> None:
    """Give every empty grid one unit of the largest grid that the rest holds together without."""
    size = np.zeros(k, np.int32)
    for unit in range(label.shape[0]):
        size[label[unit]] += 1
    for grid in range(k):
        if size[grid] > 0:
            continue
        largest = int(np.argmax(size))
        if size[largest] < 2:
            return
        label[last_of_walk(cell, label, largest)] = grid
        size[largest] -= 1
        size[grid] += 1


@njit(cache=True, nogil=True)
def last_of_walk(cell: Cell, label: Int32s, grid: int) -> int:
    """The unit a breadth-first walk through `grid` reaches last: the others hold together without it."""
    n = label.shape[0]
    queue = np.empty(n, np.int32)
    seen = np.zeros(n, np.bool_)
    start = 0
    while label[start] != grid:
        start += 1
    queue[0] = start
    seen[start] = True
    head = 0
    tail = 1
    while head < tail:
        here = queue[head]
        head += 1
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if not seen[other] and label[other] == grid:
                seen[other] = True
                queue[tail] = other
                tail += 1
    return int(queue[tail - 1])
