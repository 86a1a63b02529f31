"""Who reaches what: walking distance and time from every residence to the nearest facility.

Distances are whole centimetres inside (no rounding drift, equal on every machine), metres and seconds outside. A
distance has three parts: the straight leg from the residence to its street, the way along the streets, the straight
leg to the facility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PROFILE_MINUTES_MAX, SNAP_METRES_MAX
from planning.network.model import Network, reverse
from planning.reach.dial import NO_LIMIT, UNREACHED, Graph, Reached, finish, pack, search
from planning.reach.places import access_cost, departures, whole_limit
from planning.reach.profiles import profile_of
from planning.reach.snapping import SegmentIndex, Snapped, segment_index, snap

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """A finished search: the facilities it began from, sorted by edge, and one key per node (see
    `planning.reach.dial`).

    Costs are in the network's unit (cm, or ms of driving).
    """

    key: Int64
    sources: Snapped
    labels: Int32
    limit: int

    def reached(self, network: Network) -> Reached:
        """The search on its network, as the kernels of `planning.reach.dial` take it."""
        sources = self.sources
        return Reached(
            self.key, network.edge_from, network.edge_to, network.edge_cm, network.edge_forward, network.edge_backward,
            sources.edge, sources.offset, access_cost(network, sources), self.labels,
        )  # fmt: skip

    def node_costs(self) -> Float64:
        """Cost from the nearest facility to every node, NaN beyond the limit."""
        return key_costs(self.key)

    def node_nearest(self) -> Int32:
        """Row of the nearest facility of every node, -1 beyond the limit."""
        return key_labels(self.key)


def graph_of(network: Network) -> Graph:
    """The network as the search reads it."""
    return pack(network.indptr, network.neighbours, network.weights)


def search_from(network: Network, facilities: Snapped, *, limit: int = NO_LIMIT, graph: Graph | None = None) -> Costs:
    """Cost of every node from its nearest facility, at most ``limit`` (in the network's unit).

    On `planning.network.reverse` of a network it is the cost *to* the facility. Facilities not on the network are left
    out. ``graph``: the network's `graph_of`, made once for many searches. Raises BadInput for a limit that is not
    positive.
    """
    limit = whole_limit(limit)
    graph = graph or graph_of(network)
    rows = np.flatnonzero(facilities.ok)
    rows = rows[np.lexsort((rows, facilities.edge[rows]))]
    sources = facilities.take(rows)
    labels = rows.astype(np.int32)
    start = departures(network, sources)
    key = search(graph, start.node, start.cost, labels[start.row], limit)
    return Costs(key=key, sources=sources, labels=labels, limit=limit)


def at_places(network: Network, costs: Costs, places: Snapped) -> Int64:
    """Keys of places on the network, access legs included, `UNREACHED` beyond the limit or off the network."""
    access = access_cost(network, places)
    out: Int64 = finish(costs.reached(network), places.edge, places.offset, access, costs.limit)
    return out


def key_costs(key: Int64) -> Float64:
    """Costs of keys in the network's unit, NaN where not reached."""
    return np.where(key == UNREACHED, np.nan, (key >> 32).astype(np.float64))


def key_labels(key: Int64) -> Int32:
    """Facility rows of keys, -1 where not reached."""
    return np.where(key == UNREACHED, -1, key & 0xFFFFFFFF).astype(np.int32)


def nearest_metres(
    network: Network,
    facilities_xy: Float64,
    residences_xy: Float64,
    *,
    limit_metres: float | None = None,
    snap_metres: float = SNAP_METRES_MAX,
    index: SegmentIndex | None = None,
) -> tuple[Float64, Int32]:
    """Walking metres from each residence to its nearest facility, and that facility's row.

    Points are (n, 2) metres in ``network.crs``. NaN and -1 where no facility is within ``limit_metres`` or the
    residence is over ``snap_metres`` from every street. Of equally near facilities the lower row wins. Raises
    BadInput for a limit that is not positive.
    """
    index = index or segment_index(network)
    facilities = snap(network, facilities_xy, index=index, max_metres=snap_metres)
    residences = snap(network, residences_xy, index=index, max_metres=snap_metres)
    if network.unit != "cm":
        raise BadInput(f"the cost of the {network.mode} network is time, not metres; ask for seconds")
    costs = search_from(reverse(network), facilities, limit=_limit_cm(limit_metres))
    key = at_places(reverse(network), costs, residences)
    return key_costs(key) / 100, key_labels(key)


def nearest_seconds(
    network: Network,
    facilities_xy: Float64,
    residences_xy: Float64,
    *,
    profile: str = "adult",
    metres_per_second: float | None = None,
    limit_minutes: float = PROFILE_MINUTES_MAX,
    snap_metres: float = SNAP_METRES_MAX,
    index: SegmentIndex | None = None,
) -> tuple[Float64, Int32]:
    """Seconds on the way from each residence to its nearest facility within ``limit_minutes``, and that facility's row.

    As `nearest_metres`, at a profile's speed (or ``metres_per_second``). The profile must be one of the network's mode.
    """
    mover = profile_of(profile, metres_per_second=metres_per_second)
    if mover.mode != network.mode:
        raise BadInput(f"profile {profile} needs the {mover.mode} network, not the {network.mode} network")
    there = reverse(network)
    index = index or segment_index(network)
    facilities = snap(network, facilities_xy, index=index, max_metres=snap_metres)
    residences = snap(network, residences_xy, index=index, max_metres=snap_metres)
    costs = search_from(there, facilities, limit=mover.limit(limit_minutes))
    key = at_places(there, costs, residences)
    return mover.seconds(key_costs(key)), key_labels(key)


def _limit_cm(limit_metres: float | None) -> int:
    if limit_metres is None:
        return NO_LIMIT
    if not limit_metres > 0:
        raise BadInput(f"limit {limit_metres} m is not positive; give metres, for example 1000")
    return int(min(limit_metres * 100 + 1e-6, NO_LIMIT))
