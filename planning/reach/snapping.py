"""Put places on the network: the nearest point of the nearest street, not the nearest junction.

A place snaps to the nearest segment of an edge that one may enter half way (not a bridge, not a tunnel) in a
connected piece large enough to be used. The straight line there is walked too. A place further than the limit from
every such street is not snapped: it cannot be assessed, which is not the same as being blind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.limits import SNAP_METRES_MAX
from planning.network.model import Network, along_edges

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class SegmentIndex:
    """Segments one may snap to, with a spatial index.

    ``start`` indexes ``Network.coords``; ``along`` is metres from the edge's beginning.
    """

    edge: Int32
    start: Int64
    along: Float64
    tree: shapely.STRtree
    detached: shapely.STRtree
    """Segments of the small connected pieces that are not used."""


@dataclass(frozen=True)
class Snapped:
    """Places on edges. ``edge`` is -1 where none is near; ``offset`` and ``access`` are cm along the edge and cm to
    it.

    ``detached`` marks places nearer to a street of a small disconnected piece than to the street they were put on.
    """

    edge: Int32
    offset: Int32
    access: Int32
    detached: Bool

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def ok(self) -> Bool:
        """Which places are on the network."""
        out: Bool = self.edge >= 0
        return out

    def take(self, rows: NDArray[np.integer] | Bool) -> Snapped:
        """The places of some rows."""
        return Snapped(self.edge[rows], self.offset[rows], self.access[rows], self.detached[rows])


def segment_index(network: Network) -> SegmentIndex:
    """Index the segments of a network that places may snap to."""
    edge_of = np.repeat(np.arange(network.edges, dtype=np.int32), np.diff(network.offsets))
    start = np.flatnonzero(edge_of[:-1] == edge_of[1:])
    edge = edge_of[start]
    used = network.component_used[network.edge_component[edge]]
    open_edge = network.edge_open[edge]
    along = along_edges(network.coords, network.offsets)
    keep = start[used & open_edge]
    return SegmentIndex(
        edge=edge_of[keep],
        start=keep,
        along=along[keep],
        tree=shapely.STRtree(_segments(network, keep)),
        detached=shapely.STRtree(_segments(network, start[~used & open_edge])),
    )


def snap(
    network: Network, xy: Float64, *, index: SegmentIndex | None = None, max_metres: float = SNAP_METRES_MAX
) -> Snapped:
    """Snap points ``xy`` (n, 2), metres in the network's CRS, to the nearest segment within ``max_metres``; of
    equally near ones the first.
    """
    index = index or segment_index(network)
    count = len(xy)
    edge = np.full(count, -1, np.int32)
    offset = np.zeros(count, np.int32)
    access = np.zeros(count, np.int32)
    detached = np.zeros(count, bool)
    rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
    points = shapely.points(xy[rows])
    which, segment = _nearest(index.tree, points, max_metres)
    rows_hit = rows[which]
    share, metres = project(network.coords, index.start[segment], xy[rows_hit])
    hit = index.edge[segment]
    step = np.linalg.norm(network.coords[index.start[segment] + 1] - network.coords[index.start[segment]], axis=1)
    edge[rows_hit] = hit
    offset[rows_hit] = np.clip(np.rint((index.along[segment] + share * step) * 100), 0, network.edge_cm[hit])
    access[rows_hit] = np.rint(metres * 100)

    near = np.full(count, np.inf)
    near[rows_hit] = metres
    if len(index.detached):
        pair, away = index.detached.query_nearest(
            points, max_distance=max_metres, return_distance=True, all_matches=False
        )
        detached[rows[pair[0]]] = away < near[rows[pair[0]]]
    return Snapped(edge, offset, access, detached)


def project(coords: Float64, start: Int64, xy: Float64) -> tuple[Float64, Float64]:
    """(share along, distance in metres) of points projected on the segments that begin at ``coords[start]``."""
    a = coords[start]
    d = coords[start + 1] - a
    # a segment so short that its square underflows is a point
    share = np.clip(np.einsum("ij,ij->i", xy - a, d) / np.maximum(np.einsum("ij,ij->i", d, d), 1e-300), 0.0, 1.0)
    return share, np.linalg.norm(a + share[:, None] * d - xy, axis=1)


def _segments(network: Network, start: Int64) -> NDArray[np.object_]:
    out: NDArray[np.object_] = shapely.linestrings(np.stack([network.coords[start], network.coords[start + 1]], axis=1))
    return out


def _nearest(tree: shapely.STRtree, points: NDArray[np.object_], max_metres: float) -> tuple[Int64, Int64]:
    """(point, segment) once per point that has a segment in reach; ties go to the lowest segment."""
    if not len(tree) or not len(points):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    which, segment = tree.query_nearest(points, max_distance=max_metres, all_matches=True)
    order = np.lexsort((segment, which))
    which, segment = which[order], segment[order]
    first = np.ones(len(which), bool)
    first[1:] = which[1:] != which[:-1]
    return which[first], segment[first]
