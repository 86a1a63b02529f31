"""Blind spots: connected areas of residents who do not reach a category within its minutes, largest first.

Only buildings that can be assessed and somebody lives in make a blind spot. Two of them belong together when the walk
along the streets between where each comes out is `LINK_METRES` at most, or when a chain of such neighbours joins
them: a river without a bridge or a railway parts two spots however near they lie, a street joins them. On streets with
one-way rules the walk is taken as possible both ways.

The chains are found with one search from all blind buildings at once: each node learns its nearest building, and
buildings are linked over the edges where two such neighbourhoods meet (Mehlhorn 1988, Information Processing Letters
27). Every link is a walk of at most that length, and along the shortest walk between any two buildings so near each meeting
edge is a link, so that the groups are exactly those of all pairs.
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

LINK_METRES: Final = 200.0
"""Longest walk along the streets between two neighbours in one blind spot."""
COLUMNS: Final = (
    "category", "rank", "buildings", "residents", "elderly", "square_metres", "nearest", "nearest_name", "seconds",
    "extra_seconds", "communities",
)  # fmt: skip


class Homes(NamedTuple):
    """What blind spots are told of residences: where they snap, who lives there, which community they are of."""

    snapped: Snapped
    people: People
    community: Objects


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
    rest = network.edge_cm[edge] - offset
    links.append(_close(order[last], label[head[last]], rest[last] + cost[head[last]], limit))
    bare = np.ones(network.edges, bool)
    bare[edge] = False
    tail, head = network.edge_from[bare], network.edge_to[bare]
    links.append(_close(label[tail], label[head], cost[tail] + network.edge_cm[bare] + cost[head], limit))

    a, b = np.concatenate([link[0] for link in links]), np.concatenate([link[1] for link in links])
    number = connected_components(coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n, n)), directed=False)[1]
    return np.asarray(pd.factorize(number)[0], np.int64)


def _close(a: Int64, b: Int64, walk: Int64, limit: int) -> tuple[Int64, Int64]:
    near = walk <= limit
    return a[near], b[near]


def blind_spots(
    network: Network, homes: Homes, nearest: Nearest, blind: Bool, grounds: Grounds, facilities: gpd.GeoDataFrame
) -> list[dict[str, Any]]:
    """Rows of `COLUMNS` and ``geometry`` for the residences marked ``blind``, by residents, then buildings and 60+.

    ``network``: `walked_both_ways`. ``seconds`` is the residents' mean way to their nearest facility and
    ``extra_seconds`` the mean they lack, of those who reach one at all; ``nearest`` the facility nearest to most.
    """
    rows = np.flatnonzero(blind & homes.people.home)
    if not len(rows):
        return []
    group = groups(network, homes.snapped.take(rows))
    people = homes.people
    order = np.argsort(group, kind="stable")
    members = np.split(rows[order], np.flatnonzero(np.diff(group[order])) + 1)
    spots = [_spot(mine, people, nearest, homes.community, facilities) for mine in members]
    rank = sorted(
        range(len(spots)),
        key=lambda at: (-spots[at]["residents"], -spots[at]["buildings"], -spots[at]["elderly"], int(members[at][0])),
    )
    ranked = []
    for place, at in enumerate(rank, start=1):
        shape = grounds.joined(members[at])
        ranked.append(spots[at] | {"rank": place, "square_metres": round(shape.area), "geometry": shape})
    return ranked


def _spot(
    mine: Int64, people: People, nearest: Nearest, community: Objects, facilities: gpd.GeoDataFrame
) -> dict[str, Any]:
    """Figures of one blind spot, without rank and shape."""
    weight, seconds, row = people.weight[mine], nearest.seconds[mine], nearest.row[mine]
    reach = np.isfinite(seconds)
    facility, mean = None, None
    if reach.any():
        mean = float(np.average(seconds[reach], weights=weight[reach]))
        votes = np.bincount(row[reach], weights=weight[reach])
        facility = facilities.iloc[int(votes.argmax())]
    known = community[mine]
    return {
        "category": nearest.category,
        "buildings": len(mine),
        "residents": round(float(people.residents[mine].sum())),
        "elderly": round(float(people.elderly[mine].sum())),
        "nearest": None if facility is None else str(facility["facility_id"]),
        "nearest_name": None if facility is None else _text(facility.get("name")),
        "seconds": None if mean is None else round(mean),
        "extra_seconds": None if mean is None else round(mean - nearest.limit_seconds),
        "communities": sorted({str(code) for code in known if code is not None and code == code}),
    }


def _text(value: Any) -> str | None:
    return None if value is None or value != value or not str(value) else str(value)


def spots_frame(rows: list[dict[str, Any]], crs: str) -> gpd.GeoDataFrame:
    """The rows of all categories as one layer, in `COLUMNS`."""
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "geometry"])
    whole = {name: np.int64 for name in ("rank", "buildings", "residents", "elderly", "square_metres")}
    timed = {name: "Int64" for name in ("seconds", "extra_seconds")}
    return gpd.GeoDataFrame(frame.astype(whole | timed), geometry="geometry", crs=crs)
