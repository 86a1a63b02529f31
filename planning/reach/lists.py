"""Search for the several nearest, compiled: every node keeps a short sorted list of keys in place of one.

A list holds at most ``k`` keys ``cost << 32 | label`` of different labels, the smallest first. A key that enters a
node's list is passed on once to the node's neighbours, in the order of `planning.reach.dial`; one that a full list of
smaller keys turns away is passed on no further, because none of the nodes behind could keep it either.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from planning.reach.dial import LABEL, UNREACHED, WINDOW, Reached, along, longer, part, ring

LIST_BLOCK_SHIFT: Final = 12
"""Nodes in a neighbourhood as a power of two: fewer than for one key, as a node is longer."""


@njit(cache=True, nogil=True)
def search_lists(
    indptr: Any, neighbours: Any, weights: Any, seed_nodes: Any, seed_costs: Any, seed_labels: Any, k: int, limit: int,
    block_shift: int = LIST_BLOCK_SHIFT,
) -> Any:  # fmt: skip
    """Keys (n, ``k``) of the nearest sources of every node within ``limit``, ascending, then `UNREACHED`."""
    keys = np.full((len(indptr) - 1, k), UNREACHED, np.int64)
    longest = 0
    for w in weights:
        longest = max(longest, w)
    shift, size = ring(longest, seed_costs, limit)
    blocks = (len(keys) >> block_shift) + 1
    head = np.full(blocks * size, -1, np.int32)
    inside = np.zeros(blocks, np.int32)
    entry_next = np.empty(max(1024, 2 * len(seed_nodes)), np.int32)
    entry_node = np.empty(len(entry_next), np.int32)
    entry_key = np.empty(len(entry_next), np.int64)
    used = np.int64(0)
    free = np.int64(-1)
    waiting = 0
    for i in range(len(seed_nodes)):
        key: Any = (np.int64(seed_costs[i]) << 32) | np.int64(seed_labels[i])
        if key >> 32 > limit or not offer(keys, seed_nodes[i], key):
            continue
        there = np.int64(seed_nodes[i]) >> block_shift
        slot = there * size + ((key >> 32 >> shift) & (size - 1))
        entry_node[used], entry_key[used], entry_next[used] = seed_nodes[i], key, head[slot]
        head[slot] = used
        inside[there] += 1
        used += 1
        waiting += 1
    first = 0
    while waiting > 0:
        behind = True
        while behind:
            behind = False
            for block in range(blocks):
                if inside[block] == 0:
                    continue
                for bucket in range(first, first + WINDOW):
                    here = block * size + (bucket & (size - 1))
                    while head[here] >= 0:
                        e = np.int64(head[here])
                        head[here] = entry_next[e]
                        entry_next[e] = free
                        free = e
                        waiting -= 1
                        inside[block] -= 1
                        u, key = entry_node[e], entry_key[e]
                        if not _holds(keys, u, key):
                            continue  # a smaller key has taken its place
                        for j in range(indptr[u], indptr[u + 1]):
                            v = np.int64(neighbours[j])
                            new = key + (np.int64(weights[j]) << 32)
                            if new >> 32 > limit or not offer(keys, v, new):
                                continue
                            if free >= 0:
                                e = free
                                free = np.int64(entry_next[e])
                            else:
                                if used == len(entry_next):
                                    entry_node, entry_next = longer(entry_node), longer(entry_next)
                                    entry_key = longer(entry_key)
                                e = used
                                used += 1
                            there, b = v >> block_shift, new >> 32 >> shift
                            slot = there * size + (b & (size - 1))
                            entry_node[e], entry_key[e], entry_next[e] = v, new, head[slot]
                            head[slot] = e
                            inside[there] += 1
                            waiting += 1
                            if there < block and b < first + WINDOW:
                                behind = True
        first += WINDOW
    return keys


@njit(cache=True, nogil=True)
def offer(keys: Any, row: Any, new: Any) -> bool:
    """Take a key into a row's list unless the list is full of smaller ones or has its label already as near."""
    k = keys.shape[1]
    if new >= keys[row, k - 1]:
        return False
    # counted without branches, four at a time by the processor: most keys come back to where they have been
    mine = keys[row]
    at, same = 0, 0
    for i in range(k):
        at += mine[i] < new
        same += (i + 1) * ((mine[i] ^ new) & LABEL == 0)
    if same > 0 and mine[same - 1] <= new:
        return False
    last = same - 1 if same > 0 else k - 1
    for i in range(last, at, -1):
        mine[i] = mine[i - 1]
    mine[at] = new
    return True


@njit(cache=True, nogil=True)
def _holds(keys: Any, row: int, key: Any) -> bool:
    low, high = 0, keys.shape[1]
    while low < high:
        middle = (low + high) // 2
        if keys[row, middle] < key:
            low = middle + 1
        else:
            high = middle
    return bool(low < keys.shape[1] and keys[row, low] == key)


@njit(cache=True, nogil=True)
def finish_lists(reached: Reached, edge: Any, offset: Any, access: Any, limit: int) -> Any:
    """Keys (places, ``k``) of points on edges from the node keys of `search_lists` (``reached.key``).

    As `planning.reach.dial.finish`: over either end of the edge, or straight along it.
    """
    k = reached.key.shape[1]
    out = np.full((len(edge), k), UNREACHED, np.int64)
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        cm, leg = reached.edge_cm[e], np.int64(access[i])
        forward, backward = reached.edge_forward[e], reached.edge_backward[e]
        if forward >= 0:
            more = leg + part(forward, offset[i], cm)
            _pass_on(reached.key, reached.edge_from[e], more, limit, out, i)
        if backward >= 0:
            more = leg + backward - part(backward, offset[i], cm)
            _pass_on(reached.key, reached.edge_to[e], more, limit, out, i)
        at = np.searchsorted(reached.source_edge, e)
        while at < len(reached.source_edge) and reached.source_edge[at] == e:
            c = along(cm, forward, backward, reached.source_offset[at], offset[i])
            if c >= 0:
                c += leg + reached.source_access[at]
                if c <= limit:
                    offer(out, i, (c << 32) | np.int64(reached.source_label[at]))
            at += 1
    return out


@njit(cache=True, nogil=True)
def _pass_on(keys: Any, row: int, cost: int, limit: int, out: Any, to: int) -> None:
    """Offer a row's whole list, ``cost`` further on, to a row of another table."""
    for i in range(keys.shape[1]):
        key = keys[row, i]
        if key == UNREACHED:
            return
        key += cost << 32
        if key >> 32 > limit or key >= out[to, out.shape[1] - 1]:
            return
        offer(out, to, key)
