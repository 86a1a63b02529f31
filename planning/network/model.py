"""The street network of one way of moving, as flat arrays."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

Unit = Literal["cm", "ms"]
CLOSED: Final = -1
"""Cost of a direction of an edge that may not be gone."""


@dataclass(frozen=True)
class Network:
    """A street graph in flat arrays; costs in whole ``unit``, lengths in cm, coordinates in metres of ``crs``.

    The cost of walking and cycling is length (``unit`` 'cm'), divided by a speed afterwards; that of driving is time
    ('ms'), because streets have speeds of their own.

    Nodes 0..n-1 lie at ``x``, ``y`` in Hilbert order. Node ``v`` has half-edges ``indptr[v]:indptr[v + 1]`` leading
    to ``neighbours`` at cost ``weights``, each part of edge ``half_edge``. Edge ``e`` runs from ``edge_from`` to
    ``edge_to`` along ``coords[offsets[e]:offsets[e + 1]]``, is ``edge_cm`` long, costs ``edge_forward`` that way and
    ``edge_backward`` the other (`CLOSED`: not allowed), evenly along it, and begins on row ``edge_street`` of the
    street layer. ``edge_open`` says that one may enter or leave it between its ends. ``edge_component`` labels
    connected pieces, 0 the longest within which every place is reached from every other; ``component_used`` says which
    of them places are put on (`planning.network.pieces`). ``access_pace`` is the cost of a cm of the straight leg
    between a place and its street.
    """

    crs: str
    mode: str
    unit: Unit
    x: Float64
    y: Float64
    indptr: Int32
    neighbours: Int32
    weights: Int32
    half_edge: Int32
    edge_from: Int32
    edge_to: Int32
    edge_cm: Int32
    edge_forward: Int32
    edge_backward: Int32
    edge_street: Int32
    edge_open: Bool
    edge_component: Int32
    coords: Float64
    offsets: Int64
    component_cm: Int64
    component_used: Bool
    access_pace: float = 1.0
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.x)

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self.edge_cm)

    @property
    def two_way(self) -> bool:
        """Whether every edge costs the same both ways, so that going there and coming back are one question."""
        return bool((self.edge_forward == self.edge_backward).all())


def reverse(network: Network) -> Network:
    """The network with every direction turned round: a search from facilities on it is the way *to* them.

    The same object when all streets go both ways.
    """
    if network.two_way:
        return network
    forward, backward = network.edge_backward, network.edge_forward
    indptr, neighbours, weights, half_edge = half_edges(
        network.edge_from, network.edge_to, forward, backward, network.nodes
    )
    return dataclasses.replace(
        network,
        indptr=indptr,
        neighbours=neighbours,
        weights=weights,
        half_edge=half_edge,
        edge_forward=forward,
        edge_backward=backward,
    )


def half_edges(
    edge_from: Int32, edge_to: Int32, forward: Int32, backward: Int32, nodes: int
) -> tuple[Int32, Int32, Int32, Int32]:
    """CSR adjacency of edges and what they cost each way: (indptr, neighbours, weights, edge of each half-edge).

    Closed directions are left out, and loops, which lead nowhere.
    """
    leads = edge_from != edge_to
    there, back = np.flatnonzero(leads & (forward != CLOSED)), np.flatnonzero(leads & (backward != CLOSED))
    edge = np.concatenate([there, back]).astype(np.int32)
    source = np.concatenate([edge_from[there], edge_to[back]])
    target = np.concatenate([edge_to[there], edge_from[back]])
    cost = np.concatenate([forward[there], backward[back]])
    order = np.lexsort((edge, target, source))
    indptr = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(source, minlength=nodes), out=indptr[1:])
    return indptr, target[order].astype(np.int32), cost[order].astype(np.int32), edge[order]


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
