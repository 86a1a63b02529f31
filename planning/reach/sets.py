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
from planning.reach.dial import FAR, LABEL, UNREACHED, along, longer, part
from planning.reach.places import access_cost, departures, whole_limit
from planning.reach.snapping import Snapped

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Leaves(NamedTuple):
    """Targets hung on the nodes of a network like leaves: node ``v`` has ``row[indptr[v]:indptr[v + 1]]``, each at
    a ``cost`` (access leg included)."""

    indptr: Any
    row: Any
    cost: Any


def hang(network: Network, targets: Snapped) -> Leaves:
    """Hang targets on the ends of their edges that one may come from, for any number of `reach_sets`."""
    return Leaves(
        *_hang(
            targets.edge, targets.offset, access_cost(network, targets), network.nodes, network.edge_from,
            network.edge_to, network.edge_cm, network.edge_forward, network.edge_backward,
        )
    )  # fmt: skip


def reach_sets(
    network: Network, origins: Snapped, targets: Snapped, limit: int, *, leaves: Leaves | None = None
) -> csr_array:
    """Costs from every origin to every target within ``limit``: a sparse (origins, targets) matrix of int32.

    What is stored is reached and nothing else is: a target at the very place of its origin is stored with an
    explicit cost of 0, so count with ``indptr`` or ``.nnz`` and never call ``eliminate_zeros``. Columns ascend
    within a row. Costs are in the network's unit, access legs included, the way the streets of ``network`` go:
    `planning.network.reverse` turns them round. Places off the network reach nothing and are not reached.
    ``leaves``: the targets' `hang`, made once for many questions. The processors share the origins; each works in 4
    bytes a node and 4 a target. Raises BadInput for a limit that is not positive and for more than
    `REACH_PAIRS_MAX` pairs.
    """
    limit = whole_limit(limit)
    leaves = leaves or hang(network, targets)
    start, streets, beside = _starts(network, origins), _streets(network), _beside(network, origins, targets)
    threads = os.cpu_count() or 1
    cuts = np.linspace(0, len(origins), threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(_sets, streets, start, leaves, beside, len(targets), low, high, limit, REACH_PAIRS_MAX)
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


class _Beside(NamedTuple):
    """The targets that share an edge with an origin, sorted by edge."""

    edge: Any
    row: Any
    offset: Any
    access: Any


def _streets(network: Network) -> _Streets:
    return _Streets(
        network.indptr, network.neighbours, network.weights,
        network.edge_cm, network.edge_forward, network.edge_backward,
    )  # fmt: skip


def _starts(network: Network, origins: Snapped) -> _Starts:
    ends = departures(network, origins)
    indptr = np.searchsorted(ends.row, np.arange(len(origins) + 1))
    access = access_cost(network, origins)
    return _Starts(indptr, ends.node, ends.cost, origins.edge, origins.offset, access)


def _beside(network: Network, origins: Snapped, targets: Snapped) -> _Beside:
    begun = np.zeros(network.edges + 1, bool)  # one more, for places off the network
    begun[origins.edge[origins.ok]] = True
    rows = np.flatnonzero(begun[targets.edge])
    rows = rows[np.argsort(targets.edge[rows], kind="stable")]
    chosen = targets.take(rows)
    return _Beside(chosen.edge, rows, chosen.offset, access_cost(network, chosen))


@njit(cache=True, nogil=True)
def _hang(
    edge: Any, offset: Any, access: Any, nodes: int,
    edge_from: Any, edge_to: Any, edge_cm: Any, forward: Any, backward: Any,
) -> Any:  # fmt: skip
    """As `planning.reach.places.arrivals`, in the order of the nodes."""
    indptr = np.zeros(nodes + 1, np.int32)
    for e in edge:
        if e >= 0 and forward[e] >= 0:
            indptr[edge_from[e] + 1] += 1
        if e >= 0 and backward[e] >= 0:
            indptr[edge_to[e] + 1] += 1
    for v in range(nodes):
        indptr[v + 1] += indptr[v]
    row, cost = np.empty(indptr[nodes], np.int32), np.empty(indptr[nodes], np.int64)
    for i in range(len(edge) - 1, -1, -1):  # filled from behind, so that the starts end up where they belong
        e = edge[i]
        if e >= 0 and forward[e] >= 0:
            at = indptr[edge_from[e] + 1] - 1
            indptr[edge_from[e] + 1] = at
            row[at], cost[at] = i, access[i] + part(forward[e], offset[i], edge_cm[e])
        if e >= 0 and backward[e] >= 0:
            at = indptr[edge_to[e] + 1] - 1
            indptr[edge_to[e] + 1] = at
            row[at], cost[at] = i, access[i] + backward[e] - part(backward[e], offset[i], edge_cm[e])
    return np.append(indptr[1:], np.int32(len(row))), row, cost


@njit(cache=True, nogil=True)
def _sets(
    streets: Any, start: Any, leaves: Any, beside: Any, targets: int, first: int, last: int, limit: int, pairs_max: int
) -> Any:
    """(targets of each origin, their rows, costs) of the origins from ``first`` to before ``last``.

    Costs lie in arrays over all nodes and all targets that are filled once and, after each origin, wiped where it
    wrote. The last count is negative when there are over ``pairs_max`` pairs.
    """
    cost = np.full(len(streets.indptr) - 1, FAR, np.int32)
    best = np.full(targets, FAR, np.int32)
    sizes = np.zeros(last - first, np.int64)
    rows, costs = np.empty(1024, np.int32), np.empty(1024, np.int32)
    total = 0
    for origin in range(first, last):
        if start.edge[origin] < 0:
            continue
        low, high = start.indptr[origin], start.indptr[origin + 1]
        touched = _spread(streets, start.node[low:high], start.cost[low:high], limit, cost)
        hit = _gather(streets, start, leaves, beside, origin, limit, cost, touched, best)
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
def _gather(
    streets: Any, start: Any, leaves: Any, beside: Any, origin: int, limit: int, cost: Any, touched: Any, best: Any
) -> Any:
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
    at = np.searchsorted(beside.edge, e)
    while at < len(beside.edge) and beside.edge[at] == e:
        t = beside.row[at]
        c = along(streets.edge_cm[e], streets.forward[e], streets.backward[e], start.offset[origin], beside.offset[at])
        if c >= 0:
            c += start.access[origin] + beside.access[at]
            if c <= limit and c < best[t]:
                if best[t] == FAR:
                    if count == len(hit):
                        hit = longer(hit)
                    hit[count] = t
                    count += 1
                best[t] = c
        at += 1
    return hit[:count]
