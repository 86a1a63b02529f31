"""Routes: the way itself, drawn along the streets, at the very cost the searches find."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planning.network.model import Network
from planning.reach.dial import FAR, LABEL, NO_LIMIT, UNREACHED, along, longer
from planning.reach.places import Ends, access_cost, arrivals, by_node, departures, whole_limit
from planning.reach.snapping import Snapped

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Route:
    """One way from a place to another.

    ``cost`` in the network's unit, access legs included; ``coords`` (k, 2) metres in ``network.crs``; ``streets``:
    ``Network.edge_street`` of the edges in the order they are gone, one row for edges in a row that share it;
    ``metres`` with access legs.
    """

    cost: int
    coords: Float64
    streets: Int32
    metres: float


def route(
    network: Network,
    origin: Snapped,
    destination: Snapped,
    limit: int = NO_LIMIT,
    *,
    origin_xy: Float64 | None = None,
    destination_xy: Float64 | None = None,
) -> Route | None:
    """The cheapest way from one place to one other within ``limit``, None where there is none.

    As `routes`.
    """
    ends = None if destination_xy is None else np.asarray(destination_xy, np.float64).reshape(1, 2)
    return routes(network, origin, destination, limit, origin_xy=origin_xy, destinations_xy=ends)[0]


def routes(
    network: Network,
    origin: Snapped,
    destinations: Snapped,
    limit: int = NO_LIMIT,
    *,
    origin_xy: Float64 | None = None,
    destinations_xy: Float64 | None = None,
) -> list[Route | None]:
    """The cheapest ways from one place (the first of ``origin``) to some others, by one search.

    Goes the way the streets of ``network`` go: give it as it is, not reversed. The line runs from the point of the
    street where the origin snaps to the point where the destination does; with ``origin_xy`` (2,) and
    ``destinations_xy`` (n, 2), metres in ``network.crs``, it begins and ends at the places themselves. Costs equal
    those of `planning.reach.nearest` and `planning.reach.sets`. None for a destination beyond ``limit`` or off the
    network. Raises BadInput for a limit that is not positive.
    """
    limit = whole_limit(limit)
    origin = origin.take(np.array([0]))
    start, ends = departures(network, origin), by_node(arrivals(network, destinations), network.nodes)
    arrival, best, via = _tree(
        network.indptr, network.neighbours, network.weights, start.node, start.cost,
        ends.node, ends.cost, ends.row, len(destinations), limit,
    )  # fmt: skip
    out: list[Route | None] = []
    for row in range(len(destinations)):
        to = destinations.take(np.array([row]))
        straight = _straight(network, origin, to)
        if 0 <= straight <= min(limit, best[row]):
            cost, pieces = straight, _Pieces(origin.edge, origin.offset, to.offset)
        elif arrival[row] >= 0:
            cost, pieces = int(best[row]), _pieces(network, via, start, ends, int(arrival[row]), origin, to)
        else:
            out.append(None)
            continue
        legs = (origin_xy, None if destinations_xy is None else destinations_xy[row])
        out.append(_drawn(network, cost, pieces, legs, int(origin.access[0]) + int(to.access[0])))
    return out


class _Pieces(NamedTuple):
    """A way as pieces of edges, each gone from ``begin`` to ``end`` cm along it."""

    edge: Int32
    begin: Int32
    end: Int32


def _straight(network: Network, origin: Snapped, to: Snapped) -> int:
    """Cost along the one edge both places are on, -1 where they are not or may not."""
    edge = origin.edge[0]
    if edge < 0 or edge != to.edge[0]:
        return -1
    cm, forward, backward = network.edge_cm[edge], network.edge_forward[edge], network.edge_backward[edge]
    cost = int(along(cm, forward, backward, origin.offset[0], to.offset[0]))
    return cost + int(access_cost(network, origin)[0] + access_cost(network, to)[0]) if cost >= 0 else -1


def _pieces(
    network: Network, via: Int32, start: Ends, ends: Ends, arrival: int, origin: Snapped, to: Snapped
) -> _Pieces:
    """The way that comes to a destination by one of its ``ends``, traced back through the search's tree."""
    half, seed = _trace(network.indptr, network.neighbours, via, int(ends.node[arrival]))
    edge = network.half_edge[half]
    source = np.searchsorted(network.indptr, half, side="right") - 1
    cm, ahead = network.edge_cm[edge], network.edge_from[edge] == source
    begin, end = np.where(ahead, 0, cm), np.where(ahead, cm, 0)
    last = network.edge_cm[origin.edge[0]] if start.ahead[seed] else 0
    first = 0 if ends.ahead[arrival] else network.edge_cm[to.edge[0]]
    return _Pieces(
        np.concatenate([origin.edge, edge, to.edge]).astype(np.int32),
        np.concatenate([origin.offset, begin, [first]]).astype(np.int32),
        np.concatenate([[last], end, to.offset]).astype(np.int32),
    )


def _drawn(
    network: Network, cost: int, pieces: _Pieces, legs: tuple[Float64 | None, Float64 | None], access_cm: int
) -> Route:
    gone = np.abs(pieces.end.astype(np.int64) - pieces.begin)
    line = _draw(network.coords, network.offsets, network.edge_cm, pieces.edge, pieces.begin, pieces.end)
    first, last = (np.empty((0, 2)) if leg is None else np.asarray(leg, np.float64).reshape(1, 2) for leg in legs)
    coords = np.concatenate([first, line, last])
    moves = np.append(True, (np.diff(coords, axis=0) != 0).any(axis=1))
    coords = coords[moves] if moves.sum() > 1 else coords[[0, -1]]  # a line has two points, though they be one
    streets = network.edge_street[pieces.edge[gone > 0] if gone.any() else pieces.edge[:1]]
    turns = np.append(True, np.diff(streets) != 0)
    return Route(cost, coords, streets[turns], (int(gone.sum()) + access_cm) / 100)


@njit(cache=True, nogil=True)
def _tree(
    indptr: Any, neighbours: Any, weights: Any, start_node: Any, start_cost: Any,
    end_node: Any, end_cost: Any, end_row: Any, destinations: int, limit: int,
) -> Any:  # fmt: skip
    """Dijkstra's search until every destination is settled: (arrival of each, -1 for none, its cost, tree).

    ``end_node`` ascends. The tree tells of each node the half-edge it was come by, or -2 less the number of the start.
    """
    cost = np.full(len(indptr) - 1, FAR, np.int32)
    via = np.full(len(indptr) - 1, -1, np.int32)
    arrival = np.full(destinations, -1, np.int64)
    best = np.full(destinations, limit + 1, np.int64)
    worst = np.int64(limit)
    heap = [UNREACHED]  # tells the compiler the type, and is never taken
    for i in range(len(start_node)):
        v, c = start_node[i], start_cost[i]
        if c <= limit and c < cost[v]:
            cost[v], via[v] = c, -2 - i
            heappush(heap, (np.int64(c) << 32) | v)
    while heap[0] >> 32 <= worst:
        entry = heappop(heap)
        u, base = entry & LABEL, entry >> 32
        if base > cost[u]:
            continue  # found nearer since
        at = np.searchsorted(end_node, u)
        while at < len(end_node) and end_node[at] == u:
            row = end_row[at]
            if base + end_cost[at] < best[row]:
                arrival[row], best[row] = at, base + end_cost[at]
                worst = min(np.int64(limit), best.max())
            at += 1
        for j in range(indptr[u], indptr[u + 1]):
            v, c = neighbours[j], base + weights[j]
            if c <= worst and c < cost[v]:
                cost[v], via[v] = c, j
                heappush(heap, (c << 32) | v)
    return arrival, best, via


@njit(cache=True, nogil=True)
def _trace(indptr: Any, neighbours: Any, via: Any, node: int) -> Any:
    """(half-edges gone, in order; number of the start) of the way to a node."""
    back = np.empty(64, np.int32)
    count = 0
    while via[node] >= 0:
        if count == len(back):
            back = longer(back)
        back[count] = via[node]
        node = np.searchsorted(indptr, via[node], side="right") - 1
        count += 1
    return back[:count][::-1].copy(), -2 - via[node]


@njit(cache=True, nogil=True)
def _draw(coords: Any, offsets: Any, edge_cm: Any, edge: Any, begin: Any, end: Any) -> Any:
    """Vertices of pieces of edges one after the other, each from ``begin`` to ``end`` cm along its edge."""
    room = 2 * len(edge)
    for e in edge:
        room += offsets[e + 1] - offsets[e]
    out = np.empty((room, 2))
    count = 0
    for i in range(len(edge)):
        low, high = offsets[edge[i]], offsets[edge[i] + 1]
        near, far = min(begin[i], end[i]), max(begin[i], end[i])
        first = count
        out[count] = _point(coords, low, high, near, edge_cm[edge[i]])
        count += 1
        gone = 0.0
        for p in range(low + 1, high - 1):
            gone += np.hypot(coords[p, 0] - coords[p - 1, 0], coords[p, 1] - coords[p - 1, 1])
            if near < gone * 100 < far:
                out[count] = coords[p]
                count += 1
        out[count] = _point(coords, low, high, far, edge_cm[edge[i]])
        count += 1
        if begin[i] > end[i]:
            out[first:count] = out[first:count][::-1].copy()
    return out[:count]


@njit(cache=True, nogil=True)
def _point(coords: Any, low: int, high: int, cm: int, whole: int) -> Any:
    """The point ``cm`` along an edge, its ends exact."""
    if cm >= whole and whole > 0:
        return coords[high - 1]
    left = cm / 100
    for p in range(low, high - 1):
        step = np.hypot(coords[p + 1, 0] - coords[p, 0], coords[p + 1, 1] - coords[p, 1])
        if left <= step and step > 0:
            return coords[p] + (coords[p + 1] - coords[p]) * (left / step)
        left -= step
    return coords[high - 1]
