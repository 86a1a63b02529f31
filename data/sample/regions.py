"""Connected regions of blocks: sub-districts, communities and the old grids, cut from random spanning trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from data.sample.base import Bools, Floats, Geoms, Ints, Rng, shares
from data.sample.planar import sides

_BARRIER: Final = np.array([9.0, 5.0, 2.4, 1.0, 0.7, 0.6, 10.0, 16.0, 6.0])
"""How strongly each edge class keeps the two blocks beside it apart."""


@dataclass(frozen=True)
class BlockGraph:
    """Which blocks share a street, bank or wall: pairs, the metres they share and how strongly it parts them."""

    a: Ints
    b: Ints
    metres: Floats
    barrier: Floats
    size: int


def block_graph(faces: Geoms, edges: Geoms, cls: Ints) -> BlockGraph:
    """Adjacency of faces by shared edges (a shared corner does not count).

    A crumb too small to tell which side of its edges it is on is linked to the face it shares most border with, so
    that no region falls apart by it.
    """
    left, right = sides(edges, faces)
    both = (left >= 0) & (right >= 0) & (left != right)
    low, high = np.minimum(left, right)[both], np.maximum(left, right)[both]
    pair, inverse = np.unique(low * len(faces) + high, return_inverse=True)
    length = shapely.length(edges[both])
    metres: Floats = np.bincount(inverse, weights=length).astype(np.float64)
    barrier: Floats = np.bincount(inverse, weights=length * _BARRIER[cls[both]]) / metres
    a, b = pair // len(faces), pair % len(faces)
    crumbs = np.setdiff1d(np.arange(len(faces)), np.concatenate([a, b]))
    if len(crumbs) and len(faces) > 1:
        mine, other = shapely.STRtree(faces).query(faces[crumbs], predicate="touches")
        mine = crumbs[mine]
        shared = shapely.length(shapely.intersection(faces[mine], faces[other]))
        order = np.lexsort((other, -shared, mine))
        first = order[np.unique(mine[order], return_index=True)[1]]
        first = first[shared[first] > 0]
        a, b = np.concatenate([a, mine[first]]), np.concatenate([b, other[first]])
        metres = np.concatenate([metres, shared[first]])
        barrier = np.concatenate([barrier, np.ones(len(first))])
    return BlockGraph(a, b, metres, barrier, len(faces))


def split(
    graph: BlockGraph, nodes: Ints, weight: Floats, parts: Floats, rng: Rng, *, trials: int, loose: float
) -> Ints:
    """Split connected ``nodes`` into ``len(parts)`` connected regions with weights roughly in proportion to ``parts``.

    Each step cuts one tree edge of several random minimum spanning trees; ``loose`` lets the balance slip in
    favour of boundaries along larger streets. Returns one region number a node.
    """
    label = np.full(graph.size, -1, dtype=np.int64)
    inside = np.zeros(graph.size, dtype=np.bool_)
    inside[nodes] = True
    pick = np.flatnonzero(inside[graph.a] & inside[graph.b])
    todo = [(nodes, pick, 0, len(parts))]
    while todo:
        rows, links, first, last = todo.pop()
        if last - first == 1 or len(rows) == 1:
            label[rows] = first
            continue
        middle = (first + last) // 2
        share = float(parts[first:middle].sum() / parts[first:last].sum())
        one, middle = _bisect(graph, rows, links, weight, share, (first, middle, last), rng, trials, loose)
        member = np.zeros(graph.size, dtype=np.bool_)
        member[rows[one]] = True
        a, b = member[graph.a[links]], member[graph.b[links]]
        todo.append((rows[one], links[a & b], first, middle))
        todo.append((rows[~one], links[~a & ~b], middle, last))
    return label[nodes]


def _bisect(
    graph: BlockGraph,
    rows: Ints,
    links: Ints,
    weight: Floats,
    share: float,
    span: tuple[int, int, int],
    rng: Rng,
    trials: int,
    loose: float,
) -> tuple[Bools, int]:
    """Mask of the rows in the first of two connected parts, and the number at which the second part starts."""
    first, middle, last = span
    least = (middle - first, last - middle)
    n = len(rows)
    local = np.zeros(graph.size, dtype=np.int64)
    local[rows] = np.arange(n)
    a, b = local[graph.a[links]], local[graph.b[links]]
    barrier, metres = graph.barrier[links], graph.metres[links]
    own = weight[rows] + 1e-6 * weight[rows].sum() / n + 1e-9
    total = own.sum()
    best, best_score = np.zeros(n, dtype=np.bool_), np.inf
    for _ in range(trials):
        cost = barrier * rng.uniform(0.35, 1.65, len(links)) + 0.1
        tree = minimum_spanning_tree(coo_array((cost, (a, b)), shape=(n, n)).tocsr())
        order, parent = breadth_first_order(tree, int(rng.integers(n)), directed=False)
        below, count = own.copy(), np.ones(n, dtype=np.int64)
        for node in order[:0:-1]:
            below[parent[node]] += below[node]
            count[parent[node]] += count[node]
        off_one, off_two = np.abs(below / total - share), np.abs(below / total - (1 - share))
        off_one[(count < least[0]) | (n - count < least[1])] = np.inf
        off_two[(count < least[1]) | (n - count < least[0])] = np.inf
        off_one[order[0]] = off_two[order[0]] = np.inf
        off = np.minimum(off_one, off_two)
        top = int(np.argmin(off))
        if not np.isfinite(off[top]):
            continue
        under = _subtree(order, parent, top)
        cut = under[a] != under[b]
        minor = (metres[cut] / barrier[cut]).sum() / np.sqrt(n)
        score = off[top] * 4 + loose * minor * 0.004
        if score < best_score:
            best, best_score = (under if off_one[top] <= off_two[top] else ~under), score
    if np.isfinite(best_score):
        return best, middle
    # hardly more blocks than parts: cut where it is most even, and give each side as many parts as it can hold
    top = int(order[1 + np.argmax(np.minimum(count, n - count)[order[1:]])])
    best, size = _subtree(order, parent, top), int(count[top])
    here = min(max(least[0], last - first - (n - size)), size, last - first - 1)
    return best, first + max(here, 1)


def _subtree(order: Ints, parent: Ints, top: int) -> Bools:
    under = np.zeros(len(order), dtype=np.bool_)
    under[top] = True
    for node in order[1:]:
        if under[parent[node]]:
            under[node] = True
    return under


def connected(graph: BlockGraph, nodes: Ints) -> bool:
    """Whether the nodes form one connected region."""
    inside = np.zeros(graph.size, dtype=np.bool_)
    inside[nodes] = True
    pick = inside[graph.a] & inside[graph.b]
    shape = (graph.size, graph.size)
    links = coo_array((np.ones(int(pick.sum())), (graph.a[pick], graph.b[pick])), shape=shape)
    _, label = connected_components(links, directed=False)
    return len(np.unique(label[nodes])) == 1


def apportion(total: int, weights: Floats, most: Ints) -> Ints:
    """Parts for each region in proportion to its weight, at least one and at most ``most`` each."""
    n = len(weights)
    above = np.maximum(weights - weights.sum() / max(total, 1), 0)
    out: Ints = np.ones(n, dtype=np.int64) + shares(max(total - n, 0), above)
    out[:] = np.minimum(out, most)
    while out.sum() < total and (out < most).any():
        room = np.flatnonzero(out < most)
        out[room[np.argmax(weights[room] / out[room])]] += 1
    return out


def unions(faces: Geoms, label: Ints, count: int) -> Geoms:
    """The union of the faces of each label, built from shared vertices only (no overlay, so it stays a coverage)."""
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(count + 1))
    out: Geoms = np.empty(count, dtype=object)
    for k in range(count):
        out[k] = shapely.coverage_union_all(faces[order[bounds[k] : bounds[k + 1]]])
    return out
