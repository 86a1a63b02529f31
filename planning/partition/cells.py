"""Barrier cells: parts between rivers and main roads that can be divided on their own.

A cell of H households can be in band only when some count k has ``k·low ≤ H ≤ k·high``: for 300–500, H in [300, 500] or
≥ 600. A cell that cannot joins the neighbour that mends it best. Cells solve in parallel; no grid crosses their limits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from gisgrid.models import Band
from planning.graph import MAJOR_CLASSES, UnitGraph

Ints = npt.NDArray[np.int64]

_LINK = np.array([0.1, 0.3, 0.6, 1.0, 1.0, 1.0, 1.0])
"""How well a metre of border joins two cells, by street class: across a river least."""


def least_outside(households: float, heavy: float, excess: float, band: Band) -> float:
    """Lower bound on the households outside the band for a part of that many households, by arithmetic alone.

    `heavy`: households in single units above the band, each of which fills a grid of its own; `excess`: what those have
    above the band.
    """
    rest = households - heavy
    if rest <= 0:
        # a part without households is one grid of none, unless a heavy unit can take it in
        return excess if heavy > 0 else float(band.low)
    best = rest if heavy > 0 else np.inf
    fewest = int(rest // band.high)
    for k in (max(fewest, 1), fewest + 1):
        best = min(best, max(0.0, k * band.low - rest, rest - k * band.high))
    return excess + float(best)


def components(graph: UnitGraph, allowed: npt.NDArray[np.bool_]) -> Ints:
    """Connected component of every unit over the CSR entries that are `allowed`."""
    n = len(graph.area)
    source, target = graph.sources[allowed], graph.indices[allowed]
    matrix = sp.csr_matrix((np.ones(len(source), np.int8), (source, target)), shape=(n, n))
    labels: Ints = connected_components(matrix, directed=False)[1].astype(np.int64)
    return labels


def barrier_cells(graph: UnitGraph, piece: Ints, households: npt.NDArray[np.float64], band: Band) -> Ints:
    """Cell number of every unit (-1 where ``piece`` is -1); cells lie inside one piece and are connected."""
    source, target = graph.sources, graph.indices
    inside = (piece[source] == piece[target]) & (piece[source] >= 0)
    cell = components(graph, inside & (graph.street >= MAJOR_CLASSES))
    cell[piece < 0] = -1
    used, cell_of = np.unique(cell[cell >= 0], return_inverse=True)
    cell[cell >= 0] = cell_of
    links = _links(graph, cell, inside, len(used))
    heavy_unit = (households > band.high) & (cell >= 0)
    sums = [np.bincount(cell[cell >= 0], households[cell >= 0], minlength=len(used))]
    sums.append(np.bincount(cell[heavy_unit], households[heavy_unit], minlength=len(used)))
    sums.append(np.bincount(cell[heavy_unit], households[heavy_unit] - band.high, minlength=len(used)))
    parent = _merge(np.stack(sums, axis=1), links, band)
    cell[cell >= 0] = parent[cell[cell >= 0]]
    cell[cell >= 0] = np.unique(cell[cell >= 0], return_inverse=True)[1]
    return cell


def _links(graph: UnitGraph, cell: Ints, inside: npt.NDArray[np.bool_], count: int) -> list[dict[int, float]]:
    """For each cell its neighbours in the same piece and how well they are joined."""
    one, two = cell[graph.sources], cell[graph.indices]
    use = inside & (one != two)
    strength = graph.border[use] * _LINK[graph.street[use]]
    matrix = sp.coo_matrix((strength, (one[use], two[use])), shape=(count, count)).tocsr()
    return [
        dict(zip(matrix.indices[a:b].tolist(), matrix.data[a:b].tolist(), strict=True))
        for a, b in zip(matrix.indptr[:-1].tolist(), matrix.indptr[1:].tolist(), strict=True)
    ]


def _merge(sums: npt.NDArray[np.float64], links: list[dict[int, float]], band: Band) -> Ints:
    """Join cells that cannot be in band until all can or nothing helps; the representative of each cell."""
    count = len(sums)
    parent = np.arange(count)

    def lack(total: npt.NDArray[np.float64]) -> float:
        return least_outside(float(total[0]), float(total[1]), float(total[2]), band)

    def pick(here: int) -> int:
        """The neighbour that lowers the lack most, the best joined among equals; -1 when none lowers it."""
        best, choice = (0.0, 0.0), -1
        for other, strength in sorted(links[here].items()):
            gain = lack(sums[here]) + lack(sums[other]) - lack(sums[here] + sums[other])
            if gain > 1e-9 and (gain, strength) > best:
                best, choice = (gain, strength), other
        return choice

    queue = sorted((here for here in range(count) if lack(sums[here]) > 0), key=lambda here: (sums[here, 0], here))
    while queue:
        here = queue.pop(0)
        if parent[here] != here or lack(sums[here]) <= 0:
            continue
        other = pick(here)
        if other < 0:
            continue
        join(parent, links, here, other)
        sums[other] += sums[here]
        queue.append(other)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return parent


def join(parent: Ints, links: list[dict[int, float]], here: int, other: int) -> None:
    """Let cell `other` swallow cell `here`, in place."""
    parent[here] = other
    for far, strength in links[here].items():
        del links[far][here]
        if far != other:
            links[far][other] = links[far].get(other, 0.0) + strength
            links[other][far] = links[other].get(far, 0.0) + strength
    links[here] = {}
