"""Connected pieces of a network, and which of them places may be put on.

A *piece* is a set of streets within which every place is reached from every other: a strongly connected piece (Tarjan
1972), for walkers simply a connected one. What is left are *one-way ends*: streets that lead out of a piece, or into
it, and not back, such as the carriageways a map's border cuts off. Somebody put on one could start where no way leads
on, or arrive where nobody comes, so nothing is put on them; ways through them are still found.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gisgrid.crs import STORAGE_CRS
from planning.network.model import CLOSED, Bool, Float64, Int32, Int64, Network

LARGEST: Final = 5
"""How many of the unused pieces the figures name."""


class Pieces(NamedTuple):
    """Piece of each edge, cm of each piece, which are used; the first ``strong`` of them are no one-way ends."""

    edge: Int32
    cm: Int64
    used: Bool
    strong: int

    def figures(self, edge_cm: Int32, coords: Float64, offsets: Int64, crs: str) -> dict[str, Any]:
        """What the report says: pieces and metres used and not, one-way ends, and where the largest unused ones lie."""
        number = np.arange(len(self.cm))
        ends = number >= self.strong
        unused = ~self.used
        return {
            "metres": round(int(self.cm.sum()) / 100, 1),
            "pieces": int((~ends).sum()),
            "pieces_not_used": int((unused & ~ends).sum()),
            "metres_not_used": round(int(self.cm[unused & ~ends].sum()) / 100, 1),
            "one_way_ends": int(ends.sum()),
            "metres_one_way_ends": round(int(self.cm[ends].sum()) / 100, 1),
            "largest_not_used": self._largest(edge_cm, coords, offsets, crs),
        }

    def _largest(self, edge_cm: Int32, coords: Float64, offsets: Int64, crs: str) -> list[dict[str, Any]]:
        rows = np.flatnonzero(~self.used)
        rows = rows[np.lexsort((rows, -self.cm[rows]))][:LARGEST]
        if not len(rows):
            return []
        places = _middles(self.edge, edge_cm, coords, offsets)[rows]
        lon, lat = Transformer.from_crs(crs, STORAGE_CRS, always_xy=True).transform(places[:, 0], places[:, 1])
        return [
            {
                "metres": round(int(self.cm[row]) / 100, 1),
                "kind": "one-way end" if row >= self.strong else "piece",
                "lon": round(float(x), 6),
                "lat": round(float(y), 6),
            }
            for row, x, y in zip(rows, lon, lat, strict=True)
        ]


def find_pieces(
    edge_from: Int32, edge_to: Int32, forward: Int32, backward: Int32, edge_cm: Int32, nodes: int, least_share: float
) -> Pieces:
    """Pieces of edges, numbered from the longest down, one-way ends after them.

    Used are pieces of at least ``least_share`` of the whole length, and the longest in any case; one-way ends only
    with a share of 0, or where there is nothing else (then the longest of them).
    """
    there, back = forward != CLOSED, backward != CLOSED
    source = np.concatenate([edge_from[there], edge_to[back]])
    target = np.concatenate([edge_to[there], edge_from[back]])
    label = _connected(source, target, nodes, "strong")
    inside = label[edge_from] == label[edge_to]
    # one-way ends that meet at a node of no piece are one
    in_piece = np.zeros(nodes, bool)
    in_piece[edge_from[inside]] = True
    in_piece[edge_to[inside]] = True
    own = nodes + np.arange(len(edge_from), dtype=np.int64)
    links = [np.flatnonzero(~inside & ~in_piece[end]) for end in (edge_from, edge_to)]
    group = _connected(
        np.concatenate([own[link] for link in links]),
        np.concatenate([edge_from[links[0]], edge_to[links[1]]]).astype(np.int64),
        nodes + len(edge_from),
        "weak",
    )
    piece = np.where(inside, label[edge_from], nodes + group[nodes:])
    piece = np.unique(piece, return_inverse=True)[1].ravel()
    cm = np.zeros(int(piece.max()) + 1, np.int64)
    np.add.at(cm, piece, edge_cm.astype(np.int64))
    ends = np.zeros(len(cm), bool)
    ends[piece[~inside]] = True
    rank = np.lexsort((np.arange(len(cm)), -cm, ends))
    number = np.empty(len(rank), np.int32)
    number[rank] = np.arange(len(rank), dtype=np.int32)
    cm, strong = cm[rank], int((~ends).sum())
    used = cm >= least_share * max(int(cm.sum()), 1)
    if least_share > 0:
        used[strong:] = False
    used[0] = True
    return Pieces(number[piece], cm, used, strong)


def pieces_of(network: Network) -> gpd.GeoDataFrame:
    """A row a piece, in metres of ``network.crs``: piece, kind (piece | one-way end), used, edges, metres, and as
    geometry the middle of its longest street.
    """
    strong = int(network.stats.get("pieces", len(network.component_cm)))
    count = len(network.component_cm)
    return gpd.GeoDataFrame(
        {
            "piece": np.arange(count),
            "kind": np.where(np.arange(count) < strong, "piece", "one-way end").astype(object),
            "used": network.component_used,
            "edges": np.bincount(network.edge_component, minlength=count),
            "metres": network.component_cm / 100,
        },
        geometry=shapely.points(_middles(network.edge_component, network.edge_cm, network.coords, network.offsets)),
        crs=network.crs,
    )


def edges_of(network: Network) -> gpd.GeoDataFrame:
    """A row an edge, in metres of ``network.crs``: edge, street (row of the street layer), metres, forward and
    backward (cost in the network's unit, -1 closed), open (places may be put on it), piece, used.
    """
    line = np.repeat(np.arange(network.edges), np.diff(network.offsets))
    return gpd.GeoDataFrame(
        {
            "edge": np.arange(network.edges),
            "street": network.edge_street,
            "metres": network.edge_cm / 100,
            "forward": network.edge_forward,
            "backward": network.edge_backward,
            "open": network.edge_open,
            "piece": network.edge_component,
            "used": network.component_used[network.edge_component],
        },
        geometry=shapely.linestrings(network.coords, indices=line),
        crs=network.crs,
    )


def _connected(source: NDArray[Any], target: NDArray[Any], count: int, connection: str) -> Int64:
    graph = coo_matrix((np.ones(len(source), np.int8), (source, target)), shape=(count, count))
    out: Int64 = connected_components(graph, directed=True, connection=connection)[1].astype(np.int64)
    return out


def _middles(piece: Int32, edge_cm: Int32, coords: Float64, offsets: Int64) -> Float64:
    """The middle, by vertices, of each piece's longest edge, (pieces, 2)."""
    size = np.diff(offsets)
    order = np.lexsort((np.arange(len(piece)), -edge_cm, piece))
    first = order[np.unique(piece[order], return_index=True)[1]]
    middle = (coords[offsets[first] + (size[first] - 1) // 2] + coords[offsets[first] + size[first] // 2]) / 2
    return np.asarray(middle, np.float64)
