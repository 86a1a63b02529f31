"""The compiled search on random graphs given edge by edge: one-way, zero-length, parallel, loops, islands, long hauls."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planning.reach.dial import NO_LIMIT, UNREACHED, pack, search
from planning.reach.lists import search_lists

NODES = 9
node = st.integers(0, NODES - 1)
# none, within one bucket, about a bucket, many buckets, across the country
weight = st.one_of(st.just(0), st.integers(0, 300), st.integers(7_000, 9_000), st.integers(0, 200_000), st.just(10**8))
edges = st.lists(st.tuples(node, node, weight, st.booleans()), max_size=30)
limits = st.one_of(st.just(NO_LIMIT), st.integers(1, 300_000))
blocks = st.sampled_from([0, 1, 2, 13])
seeds = st.lists(st.tuples(node, weight), max_size=5)


def floyd_warshall(arcs: list[tuple[int, int, int]]) -> list[list[float]]:
    """All distances in whole numbers, by the book."""
    far = [[0.0 if a == b else np.inf for b in range(NODES)] for a in range(NODES)]
    for a, b, w in arcs:
        far[a][b] = min(far[a][b], w)
    for k in range(NODES):
        for a in range(NODES):
            for b in range(NODES):
                far[a][b] = min(far[a][b], far[a][k] + far[k][b])
    return far


@settings(max_examples=300, deadline=None)
@given(streets=edges, sources=seeds, limit=limits, block=blocks)
@example(streets=[(0, 1, 0, False), (1, 2, 0, False)], sources=[(2, 0), (0, 0)], limit=NO_LIMIT, block=0)
@example(streets=[(0, 1, 100, True), (0, 1, 90, True), (3, 3, 5, False)], sources=[(1, 0)], limit=NO_LIMIT, block=1)
def test_costs_and_labels_equal_floyd_warshall(
    streets: list[tuple[int, int, int, bool]], sources: list[tuple[int, int]], limit: int, block: int
) -> None:
    """A one-way street is an arc in one direction only; ties go to the lower label, over zero-length streets too.

    ``block``: neighbourhoods of one, two or four nodes, so that ways lead to and fro between them, or one of all.
    """
    arcs = [(a, b, w) for a, b, w, _ in streets] + [(b, a, w) for a, b, w, one_way in streets if not one_way]
    order = sorted(range(len(arcs)), key=lambda i: arcs[i][0])
    tail, head, cm = (np.array([arcs[i][part] for i in order], np.int32) for part in range(3))
    indptr = np.searchsorted(tail, np.arange(NODES + 1)).astype(np.int32)
    nodes, costs = (np.array([source[part] for source in sources], np.int32) for part in range(2))
    labels = np.arange(len(sources), dtype=np.int32)
    key = search(pack(indptr, head, cm, block), nodes, costs, labels, limit)
    keys = search_lists(indptr, head, cm, nodes, costs, labels, 3, limit, block)
    far = floyd_warshall(arcs)
    for v in range(NODES):
        ways = [(cost + far[u][v], label) for label, (u, cost) in enumerate(sources)]
        nearest = sorted(way for way in ways if way[0] <= limit)[:3]
        assert [(k >> 32, k & 0xFFFFFFFF) for k in keys[v] if k != UNREACHED] == nearest
        best = min(ways, default=(np.inf, -1))
        if best[0] <= limit:
            assert (key[v] >> 32, key[v] & 0xFFFFFFFF) == best
        else:
            assert key[v] == UNREACHED
