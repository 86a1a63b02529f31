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
from planning.reach.dial import NO_LIMIT, part
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
    """From every place on the network to the ends of its edge that one may go to, in the order of the places."""
    return _ends(network, places, leaving=True)


def arrivals(network: Network, places: Snapped) -> Ends:
    """From the ends of its edge to every place on the network, where one may come from there, in the same order."""
    return _ends(network, places, leaving=False)


def _ends(network: Network, places: Snapped, *, leaving: bool) -> Ends:
    found = _both_ends(
        places.edge, places.offset, access_cost(network, places), network.edge_from, network.edge_to,
        network.edge_cm, network.edge_forward, network.edge_backward, leaving,
    )  # fmt: skip
    return Ends(*found)


@njit(cache=True, nogil=True)
def _both_ends(
    edge: Any, offset: Any, access: Any, edge_from: Any, edge_to: Any, edge_cm: Any, forward: Any, backward: Any,
    leaving: bool,
) -> Any:  # fmt: skip
    room = 2 * len(edge)
    node, cost = np.empty(room, np.int32), np.empty(room, np.int64)
    row, ahead = np.empty(room, np.int64), np.empty(room, np.bool_)
    count = 0
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        if backward[e] >= 0:  # to the beginning, or from the end
            gone = part(backward[e], offset[i], edge_cm[e])
            node[count] = edge_from[e] if leaving else edge_to[e]
            cost[count] = access[i] + (gone if leaving else backward[e] - gone)
            row[count], ahead[count] = i, False
            count += 1
        if forward[e] >= 0:  # to the end, or from the beginning
            gone = part(forward[e], offset[i], edge_cm[e])
            node[count] = edge_to[e] if leaving else edge_from[e]
            cost[count] = access[i] + (forward[e] - gone if leaving else gone)
            row[count], ahead[count] = i, True
            count += 1
    return node[:count], cost[:count], row[:count], ahead[:count]


def by_node(ends: Ends) -> Ends:
    """The same ways in the order of their nodes."""
    order = np.argsort(ends.node, kind="stable")
    return Ends(ends.node[order], ends.cost[order], ends.row[order], ends.ahead[order])


def whole_limit(limit: float) -> int:
    """A limit in the network's unit as a whole number. Raises BadInput unless it is above 0 and at most `NO_LIMIT`."""
    if not (math.isfinite(limit) and 0 < limit <= NO_LIMIT):
        raise BadInput(f"limit {limit} is not above 0 and at most {NO_LIMIT}; give cm, or ms on a drive network")
    return int(limit)
