"""The big move: two neighbouring grids are joined and cut again along a random spanning tree.

The tree is a minimum spanning tree with random edge weights, raised across streets and compound limits, so that cutting
one tree edge tends to cut along them. The energy of *every* cut of the tree is exact and cheap: sums over subtrees,
with each border inside a subtree booked at the lowest common ancestor of its two units. The best cut is proposed.
(The recombination idea is ReCom: DeFord, Duchin & Solomon 2021; the weighting and the exact choice of cut are ours.)
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gisgrid.limits import RECOMBINE_UNITS_MAX
from planning.partition.energy import grid_energy, more_energy, moved_energy
from planning.partition.moves import accepts
from planning.partition.state import Cell, Division, Int32s, Rates, Scratch, next_below, next_uniform, relabel


@njit(cache=True, nogil=True)
def _gather(cell: Cell, div: Division, scratch: Scratch, unit: int, a: int, b: int) -> int:
    """Units of grids a and b into ``scratch.queue``, their positions into ``scratch.position``; how many."""
    scratch.clock[0] += 1
    now = scratch.clock[0]
    scratch.mark[unit] = now
    scratch.queue[0] = unit
    scratch.position[unit] = 0
    head = 0
    tail = 1
    while head < tail:
        here = scratch.queue[head]
        head += 1
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if scratch.mark[other] != now and (div.label[other] == a or div.label[other] == b):
                scratch.mark[other] = now
                scratch.position[other] = tail
                scratch.queue[tail] = other
                tail += 1
    return tail


@njit(cache=True, nogil=True)
def _random_tree(
    cell: Cell, scratch: Scratch, nodes: Int32s, by_street: float, by_compound: float, order: Int32s, parent: Int32s
) -> None:
    """Prim's tree over `nodes` (marked, positions in ``scratch.position``): `order` of joining, `parent` positions."""
    n = nodes.shape[0]
    now = scratch.clock[0]
    key = np.empty(n)
    state = np.zeros(n, np.int8)  # 0 unseen, 1 in the frontier, 2 in the tree
    frontier = np.empty(n, np.int32)
    first = next_below(scratch.random, n)
    frontier[0] = first
    key[first] = 0.0
    state[first] = 1
    parent[first] = -1
    open_count = 1
    for step in range(n):
        best = 0
        for i in range(1, open_count):
            if key[frontier[i]] < key[frontier[best]]:
                best = i
        here = frontier[best]
        open_count -= 1
        frontier[best] = frontier[open_count]
        state[here] = 2
        order[step] = here
        unit = nodes[here]
        for e in range(cell.indptr[unit], cell.indptr[unit + 1]):
            other = cell.indices[e]
            if scratch.mark[other] != now:
                continue
            there = scratch.position[other]
            if state[there] == 2:
                continue
            weight = next_uniform(scratch.random) + by_street * cell.street[e]
            if cell.compound[other] != cell.compound[unit]:
                weight += by_compound
            if state[there] == 0:
                state[there] = 1
                frontier[open_count] = there
                open_count += 1
                key[there] = weight
                parent[there] = here
            elif weight < key[there]:
                key[there] = weight
                parent[there] = here


@njit(cache=True, nogil=True)
def _mark_subtree(order: Int32s, parent: Int32s, top: int, inside: Int32s) -> None:
    for i in range(order.shape[0]):
        here = order[i]
        up = parent[here]
        inside[here] = 1 if here == top or (up >= 0 and inside[up] == 1) else 0


@njit(cache=True, nogil=True)
def _split_energy(cell: Cell, nodes: Int32s, side: Int32s, group: Int32s, seen: Int32s) -> float:
    """Σ over compounds of split weight x number of the two sides they touch. `group`: local compound or -1."""
    seen[:] = 0
    total = 0.0
    for i in range(nodes.shape[0]):
        if group[i] >= 0:
            bit = 1 << side[i]
            if seen[group[i]] & bit == 0:
                seen[group[i]] |= bit
                total += cell.split[cell.compound[nodes[i]]]
    return total


@njit(cache=True, nogil=True)
def _local_compounds(cell: Cell, nodes: Int32s, scratch: Scratch, group: Int32s) -> int:
    """Number the compounds of `nodes` 0…; returns how many."""
    count = 0
    known = np.empty(nodes.shape[0], np.int32)
    for i in range(nodes.shape[0]):
        compound = cell.compound[nodes[i]]
        group[i] = -1
        if compound >= 0:
            for j in range(count):
                if known[j] == compound:
                    group[i] = j
                    break
            if group[i] < 0:
                known[count] = compound
                group[i] = count
                count += 1
    return count


@njit(cache=True, nogil=True)
def recombine(
    cell: Cell, div: Division, rates: Rates, scratch: Scratch, unit: int, grid: int, temperature: float
) -> float:
    """Join the grid of `unit` with its neighbour `grid` and cut again; the change of energy made, 0.0 when refused."""
    a = div.label[unit]
    b = grid
    n = div.size[a] + div.size[b]
    if n > RECOMBINE_UNITS_MAX or n < 3:
        return 0.0
    _gather(cell, div, scratch, unit, a, b)
    nodes = scratch.queue[:n].copy()
    group = np.empty(n, np.int32)
    groups = _local_compounds(cell, nodes, scratch, group)
    seen = np.zeros(groups, np.int32)
    order = np.empty(n, np.int32)
    parent = np.empty(n, np.int32)
    by_street = 3.0 * next_uniform(scratch.random)
    by_compound = 2.0 * next_uniform(scratch.random)
    _random_tree(cell, scratch, nodes, by_street, by_compound, order, parent)

    depth = np.zeros(n, np.int32)
    for i in range(1, n):
        depth[order[i]] = depth[parent[order[i]]] + 1
    weights = cell.more.shape[1]
    more = np.zeros((n, weights))
    # energy of units leaving their old grid when they go to a, or to b
    to_a = np.zeros(n)
    to_b = np.zeros(n)
    moved_now = 0.0
    h = np.empty(n)
    area = np.empty(n)
    perimeter = np.empty(n)
    # border, cost and major of pairs inside the subtree (booked at their lowest common ancestor) and of all pairs
    inner = np.zeros((n, 3))
    total = np.zeros((n, 3))
    side = np.empty(n, np.int32)
    cut_now = 0.0
    now = scratch.clock[0]
    for i in range(n):
        here = nodes[i]
        h[i] = cell.load[here]
        for w in range(weights):
            more[i, w] = cell.more[here, w]
        to_a[i] = moved_energy(cell, here, div.heir[a])
        to_b[i] = moved_energy(cell, here, div.heir[b])
        moved_now += to_b[i] if div.label[here] == b else to_a[i]
        area[i] = cell.area[here]
        perimeter[i] = cell.perimeter[here]
        side[i] = 1 if div.label[here] == b else 0
        for e in range(cell.indptr[here], cell.indptr[here + 1]):
            other = cell.indices[e]
            if scratch.mark[other] != now:
                continue
            total[i, 0] += cell.border[e]
            total[i, 1] += cell.cost[e]
            total[i, 2] += cell.major[e]
            if other < here:
                x = i
                y = scratch.position[other]
                while x != y:
                    if depth[x] >= depth[y]:
                        x = parent[x]
                    else:
                        y = parent[y]
                inner[x, 0] += cell.border[e]
                inner[x, 1] += cell.cost[e]
                inner[x, 2] += cell.major[e]
                if div.label[other] != div.label[here]:
                    cut_now += cell.cost[e]
    for step in range(n - 1, 0, -1):
        i = order[step]
        up = parent[i]
        h[up] += h[i]
        to_a[up] += to_a[i]
        to_b[up] += to_b[i]
        for w in range(weights):
            more[up, w] += more[i, w]
        area[up] += area[i]
        perimeter[up] += perimeter[i]
        for c in range(3):
            inner[up, c] += inner[i, c]
            total[up, c] += total[i, c]

    before = cut_now + moved_now + _split_energy(cell, nodes, side, group, seen)
    before += grid_energy(rates, div.load[a], div.area[a], div.perimeter[a], div.major[a])
    before += grid_energy(rates, div.load[b], div.area[b], div.perimeter[b], div.major[b])
    if weights > 0:
        before += more_energy(rates, div.more[a]) + more_energy(rates, div.more[b])
    least = 0.0
    seen[:] = 0
    for i in range(n):
        if group[i] >= 0 and seen[group[i]] == 0:
            seen[group[i]] = 1
            least += cell.split[cell.compound[nodes[i]]]
    root = order[0]
    best = np.inf
    best_top = -1
    inside = np.empty(n, np.int32)
    keeps = to_a[root] > 0.0 or to_b[root] > 0.0
    for step in range(1, n):
        i = order[step]
        cross = total[i, 0] - 2.0 * inner[i, 0]
        energy = least + total[i, 1] - 2.0 * inner[i, 1]
        energy += min(to_a[i] + to_b[root] - to_b[i], to_b[i] + to_a[root] - to_a[i])
        energy += grid_energy(rates, h[i], area[i], perimeter[i] - 2.0 * inner[i, 0], inner[i, 2])
        if energy >= best:
            continue
        if weights > 0:
            energy += more_energy(rates, more[i]) + more_energy(rates, more[root] - more[i])
        energy += grid_energy(
            rates, h[root] - h[i], area[root] - area[i],
            perimeter[root] - perimeter[i] - 2.0 * (inner[root, 0] - inner[i, 0] - cross),
            inner[root, 2] - inner[i, 2] - (total[i, 2] - 2.0 * inner[i, 2]),
        )  # fmt: skip
        if energy >= best:
            continue
        _mark_subtree(order, parent, i, inside)
        energy += _split_energy(cell, nodes, inside, group, seen) - least
        if energy < best:
            best = energy
            best_top = i
    change = best - before
    if not accepts(scratch, change, temperature):
        return 0.0
    _mark_subtree(order, parent, best_top, inside)
    same = 0
    for i in range(n):
        same += 1 if inside[i] == side[i] else -1
    subtree_is_b = same >= 0
    if keeps:
        as_a = to_a[best_top] + to_b[root] - to_b[best_top]
        as_b = to_b[best_top] + to_a[root] - to_a[best_top]
        subtree_is_b = as_b < as_a or (as_b == as_a and same >= 0)
    for i in range(n):
        label = b if (inside[i] == 1) == subtree_is_b else a
        if div.label[nodes[i]] != label:
            relabel(cell, div, nodes[i], label)
    return change
