"""Reach sets: from every origin, all the targets it reaches within a limit, and at what cost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from gisgrid.limits import REACH_PAIRS_MAX
from planning.network.model import Network
from planning.reach.dial import FAR, LABEL, UNREACHED, along, longer
from planning.reach.places import access_cost, arrivals, by_node, counted, departures, whole_limit
from planning.reach.snapping import Snapped

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


def reach_sets(network: Network, origins: Snapped, targets: Snapped, limit: int) -> csr_array:
    """Costs from every origin to every target within ``limit``: a sparse (origins, targets) matrix of int32.

    What is stored is reached and nothing else is: a target at the very place of its origin is stored with an
    explicit cost of 0, so count with ``indptr`` or ``.nnz`` and never call ``eliminate_zeros``. Columns ascend
    within a row. Costs are in the network's unit, access legs included, the way the streets of ``network`` go:
    `planning.network.reverse` turns them round. Places off the network reach nothing and are not reached. Two
    threads or more share the origins; each works in 8 bytes a node and a target. Raises BadInput for a limit that is
    not positive and for more than `REACH_PAIRS_MAX` pairs.
    """
    limit = whole_limit(limit)
    start, streets, leaves = _starts(network, origins), _streets(network), _leaves(network, targets)
    threads = os.cpu_count() or 1
    cuts = np.linspace(0, len(origins), 4 * threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(_sets, streets, start, leaves, low, high, limit, REACH_PAIRS_MAX)
            for low, high in pairwise(cuts)
        ]
        found = [job.result() for job in jobs]
    indptr = np.zeros(len(origins) + 1, np.int64)
    np.cumsum(np.concatenate([sizes for sizes, _, _ in found]), out=indptr[1:])
    if indptr[-1] > REACH_PAIRS_MAX or any(len(sizes) and sizes[-1] < 0 for sizes, _, _ in found):
        raise BadInput(
            f"more than {REACH_PAIRS_MAX:,} pairs of places lie within the limit of {limit} {network.unit}; "
            "ask for fewer origins or a smaller limit"
        )
    columns, costs = (np.concatenate([part[which] for part in found]) for which in (1, 2))
    return csr_array((costs, columns, indptr.astype(np.int32)), shape=(len(origins), len(targets)))


class _Streets(NamedTuple):
    """The network as the kernel reads it."""

    indptr: Any
    neighbours: Any
    weights: Any
    edge_cm: Any
    forward: Any
    backward: Any


class _Starts(NamedTuple):
    """Origins: where each begins (nodes ``indptr[o]:indptr[o + 1]``), and where it is on its edge."""

    indptr: Any
    node: Any
    cost: Any
    edge: Any
    offset: Any
    access: Any


class _Leaves(NamedTuple):
    """Targets, hanging on nodes like leaves (``indptr`` by node), and sorted by edge with ``edge_row``."""

    indptr: Any
    cost: Any
    row: Any
    edge: Any
    edge_row: Any
    offset: Any
    access: Any


def _streets(network: Network) -> _Streets:
    return _Streets(
        network.indptr, network.neighbours, network.weights,
        network.edge_cm, network.edge_forward, network.edge_backward,
    )  # fmt: skip


def _starts(network: Network, origins: Snapped) -> _Starts:
    ends = departures(network, origins)
    order = np.argsort(ends.row, kind="stable")
    indptr = np.searchsorted(ends.row[order], np.arange(len(origins) + 1))
    access = access_cost(network, origins)
    return _Starts(indptr, ends.node[order], ends.cost[order], origins.edge, origins.offset, access)


def _leaves(network: Network, targets: Snapped) -> _Leaves:
    ends = by_node(arrivals(network, targets), network.nodes)
    indptr = np.zeros(network.nodes + 1, np.int32)
    np.cumsum(np.bincount(ends.node, minlength=network.nodes), out=indptr[1:])
    rows = np.flatnonzero(targets.ok)
    rows = rows[counted(targets.edge[rows], network.edges)]
    return _Leaves(
        indptr, ends.cost, ends.row.astype(np.int32), targets.edge[rows], rows,
        targets.offset[rows], access_cost(network, targets.take(rows)),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _sets(streets: Any, start: Any, leaves: Any, first: int, last: int, limit: int, pairs_max: int) -> Any:
    """(targets of each origin, their rows, costs) of the origins from ``first`` to before ``last``.

    Costs lie in arrays over all nodes and all targets that are filled once and, after each origin, wiped where it
    wrote. The last count is negative when there are over ``pairs_max`` pairs.
    """
    cost = np.full(len(streets.indptr) - 1, FAR, np.int32)
    best = np.full(int(leaves.row.max()) + 1 if len(leaves.row) else 0, FAR, np.int32)
    sizes = np.zeros(last - first, np.int64)
    rows, costs = np.empty(1024, np.int32), np.empty(1024, np.int32)
    total = 0
    for origin in range(first, last):
        if start.edge[origin] < 0:
            continue
        low, high = start.indptr[origin], start.indptr[origin + 1]
        touched = _spread(streets, start.node[low:high], start.cost[low:high], limit, cost)
        hit = _gather(streets, start, leaves, origin, limit, cost, touched, best)
        for u in touched:
            cost[u] = FAR
        while total + len(hit) > len(rows):
            rows, costs = longer(rows), longer(costs)
        for t in np.sort(hit):
            rows[total], costs[total] = t, best[t]
            best[t] = FAR
            total += 1
        sizes[origin - first] = len(hit)
        if total > pairs_max:
            sizes[-1] = -1
            break
    return sizes, rows[:total], costs[:total]


@njit(cache=True, nogil=True)
def _spread(streets: Any, nodes: Any, costs: Any, limit: int, cost: Any) -> Any:
    """Dijkstra's search from a few nodes into ``cost``, all `FAR` before; returns the nodes it wrote to.

    A binary heap of ``cost << 32 | node``: a search of a neighbourhood is too small for buckets to pay.
    """
    heap = [UNREACHED]  # tells the compiler the type, and is never taken
    touched = np.empty(256, np.int32)
    count = 0
    for i in range(len(nodes)):
        v, c = nodes[i], costs[i]
        if c <= limit and c < cost[v]:
            if cost[v] == FAR:
                touched[count] = v
                count += 1
            cost[v] = c
            heappush(heap, (np.int64(c) << 32) | v)
    while len(heap) > 1:
        entry = heappop(heap)
        u, base = entry & LABEL, entry >> 32
        if base > cost[u]:
            continue  # found nearer since
        for j in range(streets.indptr[u], streets.indptr[u + 1]):
            v, c = streets.neighbours[j], base + streets.weights[j]
            if c > limit or c >= cost[v]:
                continue
            if cost[v] == FAR:
                if count == len(touched):
                    touched = longer(touched)
                touched[count] = v
                count += 1
            cost[v] = c
            heappush(heap, (c << 32) | v)
    return touched[:count]


@njit(cache=True, nogil=True)
def _gather(streets: Any, start: Any, leaves: Any, origin: int, limit: int, cost: Any, touched: Any, best: Any) -> Any:
    """Bring costs of nodes to the targets that hang on them, into ``best``; returns the targets reached."""
    hit = np.empty(64, np.int32)
    count = 0
    for u in touched:
        for j in range(leaves.indptr[u], leaves.indptr[u + 1]):
            c, t = cost[u] + leaves.cost[j], leaves.row[j]
            if c > limit or c >= best[t]:
                continue
            if best[t] == FAR:
                if count == len(hit):
                    hit = longer(hit)
                hit[count] = t
                count += 1
            best[t] = c
    e = start.edge[origin]
    at = np.searchsorted(leaves.edge, e)
    while at < len(leaves.edge) and leaves.edge[at] == e:
        t = leaves.edge_row[at]
        c = along(streets.edge_cm[e], streets.forward[e], streets.backward[e], start.offset[origin], leaves.offset[at])
        if c >= 0:
            c += start.access[origin] + leaves.access[at]
            if c <= limit and c < best[t]:
                if best[t] == FAR:
                    if count == len(hit):
                        hit = longer(hit)
                    hit[count] = t
                    count += 1
                best[t] = c
        at += 1
    return hit[:count]
