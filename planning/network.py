"""The walking network: streets turned into a compact routable graph.

How streets connect is the one decision that matters. With ``nodes='shared'`` (the rule of OpenStreetMap) two
streets connect where they have a vertex with exactly equal coordinates, and nowhere else: a bridge stays apart from
what it crosses. With ``nodes='crossings'`` lines of one level are split where they cross or nearly touch
(`planning.noding`).

What may be walked: what the ``foot`` column says; where it is silent, every line but railways, rivers, walls,
motorways and streets not built yet. One-way does not bind walkers. Nobody steps off a bridge or out of a tunnel
half way, so such edges carry walkers between their ends but nothing snaps to them (``edge_open``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.hilbert import hilbert_order
from planning.contract_chains import contract
from planning.noding import split_at_crossings

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

NOT_STREETS = frozenset({"rail", "river", "wall"})
NOT_ON_FOOT = frozenset({"motorway", "motorway_link", "raceway", "construction", "proposed", "bus_guideway"})
MODES = ("walk",)
NODINGS = ("shared", "crossings")
NO_WORDS = frozenset({"", "no", "n", "false", "f", "0", "none", "private", "use_sidepath", "discouraged"})
"""OSM words that deny a thing; every other word (yes, designated, viaduct, movable …) affirms it."""


@dataclass(frozen=True)
class Network:
    """A street graph in flat arrays; lengths in centimetres, coordinates in metres of ``crs``.

    Nodes 0..n-1 lie at ``x``, ``y`` in Hilbert order. Node ``v`` has half-edges ``indptr[v]:indptr[v + 1]`` leading
    to ``neighbours`` at ``weights`` cm, each part of edge ``half_edge``. Edge ``e`` runs from ``edge_from`` to
    ``edge_to`` along ``coords[offsets[e]:offsets[e + 1]]``, is ``edge_cm`` long and begins on row ``edge_street``
    of the street layer. ``edge_open`` says that one may enter or leave it between its ends. ``edge_component``
    labels connected pieces, 0 the longest; ``component_used`` says which pieces are large enough to be snapped to.
    """

    crs: str
    mode: str
    x: Float64
    y: Float64
    indptr: Int32
    neighbours: Int32
    weights: Int32
    half_edge: Int32
    edge_from: Int32
    edge_to: Int32
    edge_cm: Int32
    edge_street: Int32
    edge_open: Bool
    edge_component: Int32
    coords: Float64
    offsets: Int64
    component_cm: Int64
    component_used: Bool
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.x)

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self.edge_cm)


def build_network(
    streets: gpd.GeoDataFrame,
    *,
    mode: str = "walk",
    nodes: str = "shared",
    tolerance: float = 0.5,
    min_component_share: float = 0.01,
) -> Network:
    """Build the network of a street layer (LineStrings in any CRS; columns foot, cls, highway, bridge, tunnel,
    layer read when there).

    ``nodes`` is 'shared' (streets connect at equal vertices) or 'crossings' (split at crossings of one level, ends
    joined within ``tolerance`` metres). Connected pieces shorter than ``min_component_share`` of the whole length
    are kept in the graph, counted in ``stats``, and not snapped to; the longest piece always is. Raises BadInput
    when nothing walkable is left, or for an unknown mode or noding.
    """
    _check_options(mode, nodes, tolerance, min_component_share)
    if not len(streets):
        raise BadInput("the street layer is empty; give streets as lines")
    walkable = walkable_rows(streets)
    metric = to_metric(streets[["geometry"]] if "geometry" in streets else streets)
    geometry = np.asarray(metric.geometry.values)
    is_line = np.isin(shapely.get_type_id(geometry), (1, 2, 5)) & ~shapely.is_empty(geometry)
    rows = np.flatnonzero(walkable & is_line)
    if not len(rows):
        raise BadInput(
            f"none of the {len(streets)} streets is a line one may walk; "
            "check the layer and its foot, cls and highway columns"
        )
    parts, part_of = shapely.get_parts(geometry[rows], return_index=True)
    coords, line = shapely.get_coordinates(parts, return_index=True)
    finite = np.isfinite(coords).all(axis=1)
    coords, line = coords[finite], line[finite].astype(np.int64)
    if nodes == "crossings":
        level = levels(streets)[rows][part_of]
        coords, line = split_at_crossings(coords, line, level, tolerance=tolerance)
    structure = _flag(streets, "bridge") | _flag(streets, "tunnel")
    return _assemble(
        coords,
        rows[part_of[line]].astype(np.int32),
        line,
        ~structure,
        crs=str(metric.crs.to_string()),
        mode=mode,
        min_component_share=min_component_share,
        stats={
            "streets": len(streets),
            "streets_walkable": len(rows),
            "streets_not_lines": int((~is_line).sum()),
            "noding": nodes,
        },
    )


def walkable_rows(streets: gpd.GeoDataFrame) -> Bool:
    """Which rows may be walked: by ``foot`` where it is given, else by ``cls`` and ``highway``.

    Raw OSM layers say ``foot`` on few streets only, so a null there is no answer, not a no.
    """
    walkable = np.ones(len(streets), bool)
    if "cls" in streets:
        walkable &= ~streets["cls"].isin(NOT_STREETS).to_numpy(bool)
    if "highway" in streets:
        walkable &= ~streets["highway"].isin(NOT_ON_FOOT).to_numpy(bool)
    if "foot" in streets:
        said = streets["foot"].notna().to_numpy(bool)
        walkable = np.where(said, _flag(streets, "foot"), walkable)
    return walkable


def levels(streets: gpd.GeoDataFrame) -> Int64:
    """The level each street runs on: ``layer``, else +1 for a bridge and -1 for a tunnel."""
    level = np.zeros(len(streets), np.int64)
    if "layer" in streets:
        level = pd.to_numeric(streets["layer"], errors="coerce").fillna(0).to_numpy(np.float64).astype(np.int64)
    raised, sunk = _flag(streets, "bridge"), _flag(streets, "tunnel")
    return np.where((level == 0) & raised, 1, np.where((level == 0) & sunk, -1, level)).astype(np.int64)


def _check_options(mode: str, nodes: str, tolerance: float, share: float) -> None:
    if mode not in MODES:
        raise BadInput(f"unknown network mode {mode!r}; give one of {', '.join(MODES)}")
    if nodes not in NODINGS:
        raise BadInput(f"unknown noding {nodes!r}; give one of {', '.join(NODINGS)}")
    if not 0 <= tolerance <= 10:
        raise BadInput(f"noding tolerance {tolerance} m is not between 0 and 10 metres")
    if not 0 <= share <= 1:
        raise BadInput(f"least share of a connected piece {share} is not between 0 and 1")


def _flag(streets: gpd.GeoDataFrame, column: str) -> Bool:
    """A yes/no column as booleans: files bring true booleans, 0/1 and OSM words alike; absent or null is no."""
    if column not in streets:
        return np.zeros(len(streets), bool)
    values = streets[column]
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        flags: Bool = np.nan_to_num(values.to_numpy(np.float64, na_value=np.nan)).astype(bool)
    else:
        words = values.astype("string").str.strip().str.lower().fillna("")
        flags = ~words.isin(NO_WORDS).to_numpy(bool)
    return flags


def _assemble(
    coords: Float64,
    street: Int32,
    line: Int64,
    street_open: Bool,
    *,
    crs: str,
    mode: str,
    min_component_share: float,
    stats: dict[str, Any],
) -> Network:
    # equal coordinates, equal vertex: a hash over the exact bits, numbered by first appearance
    vertex = pd.factorize(coords[:, 0] + 1j * coords[:, 1])[0].astype(np.int32)
    start = np.flatnonzero((line[:-1] == line[1:]) & (vertex[:-1] != vertex[1:]))
    if not len(start):
        raise BadInput("no street has any length; check the layer's coordinates")
    tail, head, segment_street = vertex[start], vertex[start + 1], street[start]
    count = int(vertex.max()) + 1
    place = np.empty((count, 2))
    place[vertex] = coords
    chains = contract(tail, head, street_open[segment_street].astype(np.int32), count)
    ends_from = chains.path[chains.offsets[:-1]]
    ends_to = chains.path[chains.offsets[1:] - 1]

    used = np.unique(np.concatenate([ends_from, ends_to]))
    used = used[hilbert_order(place[used, 0], place[used, 1])]
    number = np.full(count, -1, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    edge_from, edge_to = number[ends_from], number[ends_to]
    order = np.lexsort((np.maximum(edge_from, edge_to), np.minimum(edge_from, edge_to)))
    offsets, path = _reorder(chains.offsets, chains.path, order)
    edge_from, edge_to, first = edge_from[order], edge_to[order], chains.first_segment[order]
    shape = place[path]
    edge_cm = np.rint(lengths(shape, offsets) * 100).astype(np.int32)
    indptr, neighbours, weights, half_edge = half_edges(edge_from, edge_to, edge_cm, len(used))
    edge_component, component_cm = _components(edge_from, edge_to, edge_cm, len(used))
    total = max(int(component_cm.sum()), 1)
    component_used = component_cm >= min_component_share * total
    component_used[0] = True
    return Network(
        crs=crs,
        mode=mode,
        x=np.ascontiguousarray(place[used, 0]),
        y=np.ascontiguousarray(place[used, 1]),
        indptr=indptr,
        neighbours=neighbours,
        weights=weights,
        half_edge=half_edge,
        edge_from=edge_from,
        edge_to=edge_to,
        edge_cm=edge_cm,
        edge_street=segment_street[first],
        edge_open=street_open[segment_street[first]],
        edge_component=edge_component,
        coords=shape,
        offsets=offsets,
        component_cm=component_cm,
        component_used=component_used,
        stats=stats
        | {
            "nodes": len(used),
            "edges": len(edge_cm),
            "metres": round(total / 100, 1),
            "pieces": len(component_cm),
            "pieces_not_used": int((~component_used).sum()),
            "metres_not_used": round(int(component_cm[~component_used].sum()) / 100, 1),
        },
    )


def lengths(coords: Float64, offsets: Int64) -> Float64:
    """Length in metres of each edge given flat."""
    along = along_edges(coords, offsets)
    out: Float64 = along[offsets[1:] - 1]
    return out


def along_edges(coords: Float64, offsets: Int64) -> Float64:
    """Distance in metres of every vertex from the beginning of its edge."""
    step = np.zeros(len(coords))
    step[1:] = np.hypot(np.diff(coords[:, 0]), np.diff(coords[:, 1]))
    step[offsets[:-1]] = 0.0
    total = np.cumsum(step)
    out: Float64 = total - np.repeat(total[offsets[:-1]], np.diff(offsets))
    return out


def half_edges(edge_from: Int32, edge_to: Int32, edge_cm: Int32, nodes: int) -> tuple[Int32, Int32, Int32, Int32]:
    """CSR adjacency of edges walked both ways: (indptr, neighbours, weights, edge of each half-edge).

    Loops lead nowhere and are left out.
    """
    edge = np.flatnonzero(edge_from != edge_to).astype(np.int32)
    source = np.concatenate([edge_from[edge], edge_to[edge]])
    target = np.concatenate([edge_to[edge], edge_from[edge]])
    both = np.concatenate([edge, edge])
    order = np.lexsort((both, target, source))
    indptr = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(source, minlength=nodes), out=indptr[1:])
    return indptr, target[order].astype(np.int32), edge_cm[both[order]], both[order]


def _reorder(offsets: Int64, path: Int32, order: Int64) -> tuple[Int64, Int32]:
    sizes = np.diff(offsets)[order]
    new = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=new[1:])
    take = np.arange(new[-1]) + np.repeat(offsets[:-1][order] - new[:-1], sizes)
    return new, path[take]


def _components(edge_from: Int32, edge_to: Int32, edge_cm: Int32, nodes: int) -> tuple[Int32, Int64]:
    """(piece of each edge, length of each piece in cm), pieces numbered from the longest down."""
    graph = coo_matrix((np.ones(len(edge_from), np.int8), (edge_from, edge_to)), shape=(nodes, nodes))
    label = connected_components(graph, directed=False)[1]
    piece = label[edge_from]
    length = np.bincount(piece, weights=edge_cm.astype(np.float64)).astype(np.int64)
    rank = np.argsort(-length, kind="stable")
    number = np.empty(len(rank), np.int32)
    number[rank] = np.arange(len(rank), dtype=np.int32)
    return number[piece], length[rank]
