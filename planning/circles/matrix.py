"""Residences against facilities over the network: nearest of every category, and every facility within a limit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from planning.circles.inputs import Places
from planning.circles.isochrones import furthest_metres
from planning.network import Network
from planning.reach import UNREACHED, Snapped, at_places, search_from

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Pairs(NamedTuple):
    """Residences and the facilities they reach: rows of both and the cost of the way."""

    facility: Int64
    home: Int64
    cost: Int64


def nearest_by_category(
    network: Network, facilities: Snapped, category: Int32, count: int, residences: Snapped, limit: int
) -> tuple[Int32, Int32]:
    """Cost and row of the nearest facility of each of ``count`` categories, (residences, count), -1 beyond ``limit``.

    ``category``: the number of each facility's category, -1 for none. ``network`` is the reversed one: people go to
    facilities. One search a category.
    """
    costs = np.full((len(residences), count), -1, np.int32)
    rows = np.full((len(residences), count), -1, np.int32)
    for number in range(count):
        chosen = np.flatnonzero(category == number)
        found = search_from(network, facilities.take(chosen), limit=limit)
        key = at_places(network, found, residences)
        hit = np.flatnonzero(key != UNREACHED)
        costs[hit, number] = key[hit] >> 32
        rows[hit, number] = chosen[key[hit] & 0xFFFFFFFF]
    return costs, rows


def pairs_within(network: Network, facilities: Places, rows: Int64, homes: Places, limit: int) -> Pairs:
    """Every residence within ``limit`` of each facility in ``rows``; ``network`` is the reversed one.

    Only residences that near as the crow flies are looked at. In order of facility, then of residence.
    """
    found: list[Pairs] = []
    usable = np.flatnonzero(homes.ok)
    tree = cKDTree(homes.xy[usable]) if len(usable) else None
    metres = furthest_metres(network, limit) + 0.1
    for row in rows[facilities.ok[rows]].tolist():
        if tree is None:
            break
        near = usable[np.sort(np.asarray(tree.query_ball_point(facilities.xy[row], metres), np.int64))]
        costs = search_from(network, facilities.snapped.take(np.array([row])), limit=limit)
        key = at_places(network, costs, homes.snapped.take(near))
        hit = np.flatnonzero(key != UNREACHED)
        found.append(Pairs(np.full(len(hit), row, np.int64), near[hit], key[hit] >> 32))
    if not found:
        return Pairs(*(np.empty(0, np.int64) for _ in range(3)))
    return Pairs(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def first_of(pairs: Pairs, homes: int, k: int) -> tuple[Int64, Int64]:
    """The ``k`` nearest facilities of each residence: (costs, rows), (homes, k), -1 where there are fewer.

    Of equally near facilities the lower row comes first.
    """
    order = np.lexsort((pairs.facility, pairs.cost, pairs.home))
    home = pairs.home[order]
    start = np.searchsorted(home, np.arange(homes))
    rank = np.arange(len(home)) - start[home]
    take = rank < k
    costs, rows = np.full((homes, k), -1, np.int64), np.full((homes, k), -1, np.int64)
    costs[home[take], rank[take]] = pairs.cost[order][take]
    rows[home[take], rank[take]] = pairs.facility[order][take]
    return costs, rows
