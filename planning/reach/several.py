"""Nearest facilities of all categories at once, and the several nearest of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import NEAREST_MAX
from planning.network.model import Network
from planning.reach.dial import LABEL, NO_LIMIT, UNREACHED
from planning.reach.lists import finish_lists, search_lists
from planning.reach.nearest import Costs, at_places, graph_of, search_from
from planning.reach.places import access_cost, departures, whole_limit
from planning.reach.snapping import Snapped

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


def nearest_by_category(
    network: Network,
    facilities: Snapped,
    category: Int32,
    count: int,
    residences: Snapped,
    limit: int = NO_LIMIT,
) -> tuple[Int32, Int32]:
    """Cost to each residence of its nearest facility of every category, and that facility's row.

    ``category``: code of every facility, 0 to ``count`` - 1; other codes take no part. Returns costs and rows of
    ``facilities``, both (residences, ``count``), -1 where none is within ``limit`` or the residence is off the
    network. Of equally near facilities the lower row wins. The search runs on the network as it is given, from
    facilities to residences: give `planning.network.reverse` of it for people who go *to* facilities. Raises
    BadInput for a limit that is not positive or category codes that do not match the facilities.
    """
    limit = whole_limit(limit)
    members = _by_category(facilities, category, count)
    costs = np.full((len(residences), count), -1, np.int32)
    rows = np.full((len(residences), count), -1, np.int32)
    graph = graph_of(network)

    def one(code: int) -> None:
        of = members[code]
        found = search_from(network, facilities.take(of), limit=limit, graph=graph)
        _unpack(at_places(network, found, residences), of, costs[:, code], rows[:, code])

    in_threads(one, count)
    return costs, rows


def nearest_several(
    network: Network,
    facilities: Snapped,
    category: Int32,
    residences: Snapped,
    k: int,
    limit: int = NO_LIMIT,
) -> tuple[Int32, Int32]:
    """Costs to each residence of its ``k`` nearest facilities of every category, and their rows.

    As `nearest_by_category`; both are (residences, categories, ``k``), the nearest first, each facility at most
    once, -1 after the last one within reach. There are as many categories as the highest code + 1. A category a
    thread, in 8 ``k`` bytes a node each. Raises BadInput as `nearest_by_category`, and for ``k`` outside
    1 to `NEAREST_MAX`.
    """
    limit = whole_limit(limit)
    if not 1 <= k <= NEAREST_MAX:
        raise BadInput(f"k={k} nearest facilities is not between 1 and {NEAREST_MAX}")
    count = int(np.max(category, initial=-1)) + 1
    members = _by_category(facilities, category, count)
    costs = np.full((len(residences), count, k), -1, np.int32)
    rows = np.full((len(residences), count, k), -1, np.int32)
    access = access_cost(network, residences)

    def one(code: int) -> None:
        of = members[code]
        sources = facilities.take(of)
        start = departures(network, sources)
        key = search_lists(
            network.indptr, network.neighbours, network.weights, start.node, start.cost, start.row, k, limit
        )
        on_edges = np.flatnonzero(sources.ok)
        on_edges = on_edges[np.argsort(sources.edge[on_edges], kind="stable")]
        found = Costs(key, sources.take(on_edges), on_edges.astype(np.int32), limit)
        keys = finish_lists(found.reached(network), residences.edge, residences.offset, access, limit)
        _unpack(keys, of, costs[:, code], rows[:, code])

    in_threads(one, count)
    return costs, rows


def in_threads(job: Callable[[int], None], count: int) -> None:
    """Run ``job(0)`` to ``job(count - 1)``, as many at a time as there are processors: the kernels hold no lock."""
    with ThreadPoolExecutor(max(1, min(count, os.cpu_count() or 1))) as pool:
        list(pool.map(job, range(count)))


def _by_category(facilities: Snapped, category: Int32, count: int) -> list[Int64]:
    """Rows of the facilities of every category, in order."""
    if len(category) != len(facilities):
        raise BadInput(f"{len(category)} category codes are given for {len(facilities)} facilities; give one each")
    return [np.flatnonzero(category == code) for code in range(count)]


def _unpack(key: Int64, of: Int64, costs: Int32, rows: Int32) -> None:
    """Write the costs and facility rows of keys whose labels are places in ``of``; the rest stays as it is."""
    if key.ndim == 1:  # views, never copies: the answer is written through them
        key, costs, rows = key[:, None], costs[:, None], rows[:, None]
    _unpack_table(key, of, costs, rows)


@njit(cache=True, nogil=True)
def _unpack_table(key: Any, of: Any, costs: Any, rows: Any) -> None:
    for i in range(key.shape[0]):
        for j in range(key.shape[1]):
            if key[i, j] != UNREACHED:
                costs[i, j], rows[i, j] = key[i, j] >> 32, of[key[i, j] & LABEL]
