"""Blind spots: connected areas of residents who do not reach a category within its minutes, largest first.

Only buildings that can be assessed and somebody lives in make a blind spot. Two of them belong together when the walk
along the streets between where each comes out is `LINK_METRES` at most, or when a chain of such neighbours joins
them. A river without a bridge, a railway or a long wall parts two spots that touch on the map, a street joins them.
On streets with one-way rules the walk is taken as possible both ways.

The chains are found with one search from all blind buildings at once: each node learns its nearest building, and
buildings are linked over the edges where two such neighbourhoods meet (Mehlhorn 1988, Information Processing Letters
27). Every link is a walk of at most that length, and along the shortest walk between any two buildings so near each
meeting edge is a link, so that the groups are exactly those of all pairs.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planning.circles.grounds import Grounds
from planning.circles.inputs import People
from planning.network import Network
from planning.network.model import half_edges
from planning.reach import Snapped, key_labels, search_from

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Objects = NDArray[np.object_]

LINK_METRES: Final = 300.0
"""Longest walk along the streets between two neighbours in one blind spot: the radius of a 5-minute circle, so that one
new facility could be near to both (GB 50180-2018)."""
COLUMNS: Final = (
    "category", "rank", "buildings", "residents", "elderly", "square_metres", "nearest", "nearest_name", "seconds",
    "extra_seconds", "communities",
)  # fmt: skip


class Homes(NamedTuple):
    """What blind spots are told of residences: where they snap, who lives there, their community ('' for none)."""

    snapped: Snapped
    people: People
    community: Objects


class Facilities(NamedTuple):
    """Id and name (None where there is none) of each facility."""

    id: Objects
    name: Objects


class Nearest(NamedTuple):
    """Of one category: the minutes in seconds, and for each residence the nearest facility's seconds (NaN: none is
    reached) and row (-1).
    """

    category: str
    limit_seconds: float
    seconds: Float64
    row: Int64


def walked_both_ways(network: Network) -> Network:
    """The network by length, every street both ways: neighbours are neighbours whichever way one may go."""
    if network.unit == "cm" and network.two_way:
        return network
    cm = network.edge_cm
    indptr, neighbours, weights, half_edge = half_edges(network.edge_from, network.edge_to, cm, cm, network.nodes)
    return dataclasses.replace(
        network, unit="cm", indptr=indptr, neighbours=neighbours, weights=weights, half_edge=half_edge,
        edge_forward=cm, edge_backward=cm, access_pace=1.0,
    )  # fmt: skip


def groups(network: Network, snapped: Snapped, *, metres: float = LINK_METRES) -> Int64:
    """Number of the group of each place, all on the network (`walked_both_ways`): within ``metres`` of each other
    along the streets, or joined by a chain of such. Numbered by first row.
    """
    n, limit = len(snapped), round(metres * 100)
    if not n:
        return np.empty(0, np.int64)
    on_street = Snapped(snapped.edge, snapped.offset, np.zeros_like(snapped.access), snapped.detached)
    found = search_from(network, on_street, limit=limit)
    label = key_labels(found.key).astype(np.int64)
    cost = np.where(label >= 0, found.key >> 32, limit + 1)

    order = np.lexsort((np.arange(n), snapped.offset, snapped.edge))
    edge, offset = snapped.edge[order].astype(np.int64), snapped.offset[order].astype(np.int64)
    same = edge[1:] == edge[:-1]
    links = [_close(order[:-1], order[1:], np.where(same, offset[1:] - offset[:-1], limit + 1), limit)]
    first, last = np.append(True, ~same), np.append(~same, True)
    tail, head = network.edge_from[edge], network.edge_to[edge]
    links.append(_close(order[first], label[tail[first]], offset[first] + cost[tail[first]], limit))
    rest = network.edge_cm[edge].astype(np.int64) - offset
    links.append(_close(order[last], label[head[last]], rest[last] + cost[head[last]], limit))
    bare = np.ones(network.edges, bool)
    bare[edge] = False
    tail, head = network.edge_from[bare], network.edge_to[bare]
    links.append(
        _close(label[tail], label[head], cost[tail] + network.edge_cm[bare].astype(np.int64) + cost[head], limit)
    )

    a, b = np.concatenate([link[0] for link in links]), np.concatenate([link[1] for link in links])
    number = connected_components(coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n)), directed=False)[1]
    return np.asarray(pd.factorize(number)[0], np.int64)


def _close(a: Int64, b: Int64, walk: Int64, limit: int) -> tuple[Int64, Int64]:
    near = walk <= limit
    return a[near], b[near]


def blind_spots(
    network: Network, homes: Homes, nearest: Nearest, blind: Bool, grounds: Grounds, facilities: Facilities
) -> list[dict[str, Any]]:
    """Rows of `COLUMNS` and ``geometry`` for the residences marked ``blind``, by residents, then buildings and 60+.

    ``network``: `walked_both_ways`. ``seconds`` is the residents' mean way to their nearest facility and
    ``extra_seconds`` the mean they lack, of those who reach one at all; ``nearest`` the facility nearest to most.
    """
    rows = np.flatnonzero(blind & homes.people.home)
    if not len(rows):
        return []
    group = groups(network, homes.snapped.take(rows))
    count, people = int(group.max()) + 1, homes.people

    def total(weight: Float64) -> Int64:
        return np.rint(np.bincount(group, weights=weight[rows], minlength=count)).astype(np.int64)

    buildings, residents, elderly = np.bincount(group), total(people.residents), total(people.elderly)
    seconds, facility = _nearest_of(group, count, nearest.row[rows], nearest.seconds[rows], people.weight[rows])
    places = np.split(rows[np.argsort(group, kind="stable")], np.cumsum(buildings)[:-1])
    ranked = []
    # groups are numbered by their first building, which decides between equals
    for rank, at in enumerate(np.lexsort((-elderly, -buildings, -residents)).tolist(), start=1):
        shape, known = grounds.joined(places[at]), np.isfinite(seconds[at])
        ranked.append(
            {
                "category": nearest.category,
                "rank": rank,
                "buildings": int(buildings[at]),
                "residents": int(residents[at]),
                "elderly": int(elderly[at]),
                "square_metres": round(shape.area),
                "nearest": facilities.id[facility[at]] if known else None,
                "nearest_name": facilities.name[facility[at]] if known else None,
                "seconds": round(seconds[at]) if known else None,
                "extra_seconds": round(seconds[at] - nearest.limit_seconds) if known else None,
                "communities": sorted(set(homes.community[places[at]].tolist()) - {""}),
                "geometry": shape,
            }
        )
    return ranked


def _nearest_of(group: Int64, count: int, facility: Int64, seconds: Float64, weight: Float64) -> tuple[Float64, Int64]:
    """Mean seconds of each group (NaN: none of it reaches a facility) and the facility nearest to most of it."""
    reach = np.isfinite(seconds)
    group, facility, weight, seconds = group[reach], facility[reach].astype(np.int64), weight[reach], seconds[reach]
    whole = np.bincount(group, weights=weight, minlength=count)
    mean = np.full(count, np.nan)
    np.divide(np.bincount(group, weights=weight * seconds, minlength=count), whole, out=mean, where=whole > 0)
    pairs, of = np.unique(np.column_stack([group, facility]), axis=0, return_inverse=True)
    votes = np.bincount(of.ravel(), weights=weight, minlength=len(pairs))
    best = np.full(count, -1, np.int64)
    order = np.lexsort((-pairs[:, 1], votes, pairs[:, 0]))  # the most votes, then the lowest row, is written last
    best[pairs[order, 0]] = pairs[order, 1]
    return mean, best


def spots_frame(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    """The rows of all categories as one layer, in `COLUMNS`."""
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "geometry"])
    whole: dict[str, Any] = dict.fromkeys(("rank", "buildings", "residents", "elderly", "square_metres"), np.int64)
    timed = dict.fromkeys(("seconds", "extra_seconds"), "Int64")
    return gpd.GeoDataFrame(frame.astype(whole | timed), geometry="geometry", crs=crs)
