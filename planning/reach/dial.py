"""The bounded shortest-path search, compiled.

Dial's bucket queue (Dial 1969, CACM Algorithm 360) from many sources at once, made for the caches. Nodes lie in
Hilbert order, so 2^`BLOCK_SHIFT` of them in a row are a neighbourhood. Costs are taken a window at a time, and within
the window one neighbourhood after the other is emptied, bucket by bucket, until none has anything left; what leads
across a border waits in the other's buckets. A node found nearer after it was taken is simply taken again, so the
answer is exact whatever the widths and the order of nodes, zero-length edges included. Cost and source sit in one
64-bit key (``cost << 32 | source``): one memory access a relaxation, and of two equally near sources the lower number
wins, so results do not depend on the order of the queue.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit

from gisgrid.limits import DIAL_BUCKETS_MAX

BUCKET_SHIFT: Final = 11
"""Bucket width as a power of two: 20 m, so that one node in ten is taken twice."""
WINDOW: Final = 64
"""Buckets in a window. Measured on a million nodes, 16 to 128 are alike; without neighbourhoods it takes 1.6 times as
long."""
BLOCK_SHIFT: Final = 13
"""Nodes in a neighbourhood as a power of two: what a search reads of 8,192 nodes fits into a processor's own cache."""
UNREACHED: Final = np.iinfo(np.int64).max
"""Key of a node not reached within the limit."""
FAR: Final = 2**31 - 1
"""The same where costs are kept alone, in 32 bits."""
LABEL: Final = 0xFFFFFFFF
"""Bits of a key that are its label."""
NO_LIMIT: Final = 2**31 - 2
"""Largest limit in cm: 21,474 km."""


class Graph(NamedTuple):
    """A network as `search` reads it: half-edges of node ``v`` are ``arcs[indptr[v]:indptr[v + 1]]``, each
    ``cost << 32 | neighbour``, so that one memory access brings both; ``longest`` is the greatest cost; 2^
    ``block_shift`` nodes are a neighbourhood."""

    indptr: Any
    arcs: Any
    longest: int
    block_shift: int


class Reached(NamedTuple):
    """A finished search as the kernels read it: node keys, edges (ends, cm, cost each way or -1) and sources, these
    sorted by edge and with access legs as costs."""

    key: Any
    edge_from: Any
    edge_to: Any
    edge_cm: Any
    edge_forward: Any
    edge_backward: Any
    source_edge: Any
    source_offset: Any
    source_access: Any
    source_label: Any


def pack(indptr: Any, neighbours: Any, weights: Any, block_shift: int = BLOCK_SHIFT) -> Graph:
    """Arrays of a network as `search` reads them."""
    arcs = weights.astype(np.int64)
    arcs <<= 32
    arcs |= neighbours
    return Graph(indptr, arcs, int(weights.max(initial=0)), block_shift)


@njit(cache=True, nogil=True)
def ring(longest: int, seed_costs: Any, limit: int) -> Any:
    """(bucket width as a power of two, buckets of a neighbourhood): as many as waiting costs can be apart."""
    reach = longest
    for c in seed_costs:
        reach = max(reach, c)
    reach = min(reach, limit)
    shift = BUCKET_SHIFT
    while reach >> shift > DIAL_BUCKETS_MAX:
        shift += 1
    size = 2 * WINDOW
    while size < (reach >> shift) + WINDOW + 2:
        size *= 2
    return shift, size


@njit(cache=True, nogil=True)
def search(graph: Graph, seed_nodes: Any, seed_costs: Any, seed_labels: Any, limit: int) -> Any:
    """Keys ``cost << 32 | label`` (int64) of every node within ``limit`` cm of a seed, `UNREACHED` elsewhere."""
    indptr, arcs = graph.indptr, graph.arcs
    n = len(indptr) - 1
    key = np.full(n, UNREACHED, np.int64)
    queued = np.full(n, -1, np.int32)  # the bucket a node waits in
    shift, size = ring(graph.longest, seed_costs, limit)
    blocks = (n >> graph.block_shift) + 1
    head = np.full(blocks * size, -1, np.int32)
    inside = np.zeros(blocks, np.int32)  # how many entries wait in a neighbourhood
    entry_node = np.empty(max(1024, 2 * len(seed_nodes)), np.int32)
    entry_next = np.empty(len(entry_node), np.int32)
    used = 0
    free = -1
    waiting = 0
    for i in range(len(seed_nodes)):
        c = np.int64(seed_costs[i])
        if c > limit:
            continue
        v = np.int64(seed_nodes[i])
        k = (c << 32) | np.int64(seed_labels[i])
        if k >= key[v]:
            continue
        key[v] = k
        b = np.int32(c >> shift)
        if queued[v] == b:
            continue
        queued[v] = b
        slot = (v >> graph.block_shift) * size + (b & (size - 1))
        entry_node[used] = v
        entry_next[used] = head[slot]
        head[slot] = used
        inside[v >> graph.block_shift] += 1
        used += 1
        waiting += 1
    first = 0
    while waiting > 0:
        behind = True
        while behind:  # until nothing of this window waits in a neighbourhood already passed
            behind = False
            for block in range(blocks):
                if inside[block] == 0:
                    continue
                for bucket in range(first, first + WINDOW):
                    here = block * size + (bucket & (size - 1))
                    while head[here] >= 0:
                        e = head[here]
                        head[here] = entry_next[e]
                        entry_next[e] = free
                        free = e
                        waiting -= 1
                        inside[block] -= 1
                        u = entry_node[e]
                        if queued[u] != bucket:
                            continue  # moved to an earlier bucket and done there
                        queued[u] = -1
                        ku = key[u]
                        for j in range(indptr[u], indptr[u + 1]):
                            v = arcs[j] & LABEL
                            k = ku + (arcs[j] - v)
                            if k >= key[v]:
                                continue
                            c = k >> 32
                            if c > limit:
                                continue
                            key[v] = k
                            b = np.int32(c >> shift)
                            if queued[v] == b:
                                continue
                            queued[v] = b
                            if free >= 0:
                                e = free
                                free = entry_next[e]
                            else:
                                if used == len(entry_node):
                                    entry_node, entry_next = longer(entry_node), longer(entry_next)
                                e = used
                                used += 1
                            there = v >> graph.block_shift
                            slot = there * size + (b & (size - 1))
                            entry_node[e] = v
                            entry_next[e] = head[slot]
                            head[slot] = e
                            inside[there] += 1
                            waiting += 1
                            if there < block and b < first + WINDOW:
                                behind = True
        first += WINDOW
    return key


@njit(cache=True, nogil=True)
def costs_of(key: Any, costs: Any) -> None:
    """Write the costs of keys to an int32 array, -1 where not reached, without another array between."""
    for i in range(len(key)):
        costs[i] = -1 if key[i] == UNREACHED else key[i] >> 32


@njit(cache=True, nogil=True)
def finish(reached: Reached, edge: Any, offset: Any, access: Any, limit: int) -> Any:
    """Keys of points on edges from the node keys of `search`.

    A point is ``offset`` cm along ``edge`` (-1: nowhere) after an access leg that costs ``access``. It is reached over
    either end of its edge or straight along it from a source on the same edge. Keys over ``limit`` become
    `UNREACHED`.
    """
    out = np.full(len(edge), UNREACHED, np.int64)
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        best = _place_key(reached, e, offset[i])
        if best == UNREACHED:
            continue
        best += np.int64(access[i]) << 32
        if best >> 32 <= limit:
            out[i] = best
    return out


@njit(cache=True, nogil=True, inline="always")
def part(cost: int, cm: int, whole: int) -> Any:
    """Cost of the first ``cm`` of an edge that is ``whole`` cm long and costs ``cost``, rounded to the nearest unit.

    Both directions are measured from the edge's beginning (`planning.reach.places` says why)."""
    if cost == whole or whole == 0:
        return np.int64(cm)
    return (np.int64(cost) * cm + whole // 2) // whole


@njit(cache=True, nogil=True, inline="always")
def along(cm: int, forward: int, backward: int, start: int, stop: int) -> Any:
    """Cost from one point of an edge straight along it to another, -1 where that direction is closed."""
    c = np.int64(-1)
    if start == stop:
        c = np.int64(0)
    elif start < stop and forward >= 0:
        c = part(forward, stop, cm) - part(forward, start, cm)
    elif start > stop and backward >= 0:
        c = part(backward, start, cm) - part(backward, stop, cm)
    return c


@njit(cache=True, nogil=True)
def longer(values: Any) -> Any:
    """An array of twice the length that begins with the same values."""
    grown = np.empty(2 * len(values), values.dtype)
    grown[: len(values)] = values
    return grown


@njit(cache=True, nogil=True)
def _place_key(reached: Reached, e: int, offset: int) -> Any:
    """Key of the point ``offset`` cm along edge ``e``."""
    best = np.int64(UNREACHED)
    cm = reached.edge_cm[e]
    forward = reached.edge_forward[e]
    backward = reached.edge_backward[e]
    k = reached.key[reached.edge_from[e]]
    if k != UNREACHED and forward >= 0:
        best = k + (part(forward, offset, cm) << 32)
    k = reached.key[reached.edge_to[e]]
    if k != UNREACHED and backward >= 0:
        best = min(best, k + ((backward - part(backward, offset, cm)) << 32))
    source_edge = reached.source_edge
    low = 0
    high = len(source_edge)
    while low < high:
        middle = (low + high) // 2
        if source_edge[middle] < e:
            low = middle + 1
        else:
            high = middle
    while low < len(source_edge) and source_edge[low] == e:
        c = along(cm, forward, backward, reached.source_offset[low], offset)
        if c >= 0:
            c += reached.source_access[low]
            best = min(best, (c << 32) | np.int64(reached.source_label[low]))
        low += 1
    return best
