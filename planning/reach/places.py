"""Places on edges as the searches see them: what it costs to leave one, to arrive at one, and to limit a search.

A point of an edge has one position in cost for each direction, both measured from the edge's beginning. So the cost
between two points is the same to the unit whether the search runs from the one or, on the reversed network, from the
other.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from planning.network.model import Network
from planning.reach.dial import NO_LIMIT
from planning.reach.snapping import Snapped

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


class Ends(NamedTuple):
    """Ways between places and the ends of their edges: node, cost (access leg included), row of the place, and
    whether one goes along the edge as it runs."""

    node: Int32
    cost: Int64
    row: Int64
    ahead: Bool


def access_cost(network: Network, places: Snapped) -> Int64:
    """What the straight legs between places and their streets cost."""
    out: Int64 = np.rint(places.access * network.access_pace).astype(np.int64)
    return out


def departures(network: Network, places: Snapped) -> Ends:
    """From every place on the network to the ends of its edge that one may go to."""
    rows = np.flatnonzero(places.ok)
    edge, access, forward, backward = _costs(network, places, rows)
    to_end, to_start = np.flatnonzero(network.edge_forward[edge] >= 0), np.flatnonzero(network.edge_backward[edge] >= 0)
    return Ends(
        np.concatenate([network.edge_from[edge[to_start]], network.edge_to[edge[to_end]]]),
        np.concatenate([(access + backward)[to_start], (access + network.edge_forward[edge] - forward)[to_end]]),
        np.concatenate([rows[to_start], rows[to_end]]),
        np.repeat([False, True], [len(to_start), len(to_end)]),
    )


def arrivals(network: Network, places: Snapped) -> Ends:
    """From the ends of its edge to every place on the network, where one may come from there."""
    rows = np.flatnonzero(places.ok)
    edge, access, forward, backward = _costs(network, places, rows)
    by_start, by_end = np.flatnonzero(network.edge_forward[edge] >= 0), np.flatnonzero(network.edge_backward[edge] >= 0)
    return Ends(
        np.concatenate([network.edge_from[edge[by_start]], network.edge_to[edge[by_end]]]),
        np.concatenate([(access + forward)[by_start], (access + network.edge_backward[edge] - backward)[by_end]]),
        np.concatenate([rows[by_start], rows[by_end]]),
        np.repeat([True, False], [len(by_start), len(by_end)]),
    )


def by_node(ends: Ends, nodes: int) -> Ends:
    """The same ways in the order of their nodes."""
    order = counted(ends.node, nodes)
    return Ends(ends.node[order], ends.cost[order], ends.row[order], ends.ahead[order])


@njit(cache=True, nogil=True)
def counted(values: Any, count: int) -> Any:
    """Stable order of whole numbers below ``count``, by counting them: a million at a tenth of a sort."""
    place = np.zeros(count + 1, np.int64)
    for value in values:
        place[value + 1] += 1
    place = np.cumsum(place)
    order = np.empty(len(values), np.int64)
    for i in range(len(values)):
        order[place[values[i]]] = i
        place[values[i]] += 1
    return order


def _costs(network: Network, places: Snapped, rows: Int64) -> tuple[Int32, Int64, Int64, Int64]:
    """(edge, cost of the access leg, cost from the edge's beginning forward and backward) of some rows."""
    chosen = places.take(rows)
    cm = network.edge_cm[chosen.edge]
    forward, backward = (
        _part(costs[chosen.edge].astype(np.int64), chosen.offset.astype(np.int64), cm.astype(np.int64))
        for costs in (network.edge_forward, network.edge_backward)
    )
    return chosen.edge, access_cost(network, chosen), forward, backward


def _part(cost: Int64, cm: Int64, whole: Int64) -> Int64:
    """As `dial.part`, on arrays."""
    return np.where((cost == whole) | (whole == 0), cm, (cost * cm + whole // 2) // np.maximum(whole, 1))


def whole_limit(limit: float) -> int:
    """A limit in the network's unit as a whole number. Raises BadInput unless it is above 0 and at most `NO_LIMIT`."""
    if not (math.isfinite(limit) and 0 < limit <= NO_LIMIT):
        raise BadInput(f"limit {limit} is not above 0 and at most {NO_LIMIT}; give cm, or ms on a drive network")
    return int(limit)
