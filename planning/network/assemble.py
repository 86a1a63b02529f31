"""Edges made into a `Network`: adjacency, pieces and figures, whatever the edges came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from planning.network.model import CLOSED, Bool, Float64, Int32, Int64, Network, half_edges
from planning.network.modes import MODES, ms_per_cm
from planning.network.pieces import find_pieces


def assemble(
    *,
    crs: str,
    mode: str,
    x: Float64,
    y: Float64,
    edge_from: Int32,
    edge_to: Int32,
    coords: Float64,
    offsets: Int64,
    edge_cm: Int32,
    forward: Int32,
    backward: Int32,
    street: Int32,
    enterable: Bool,
    min_component_share: float,
    stats: dict[str, Any],
) -> Network:
    """The network of edges that are already in their order; parameters as the fields of `Network`.

    ``stats`` are figures of where the edges came from; those of the network are added.
    """
    indptr, neighbours, weights, half_edge = half_edges(edge_from, edge_to, forward, backward, len(x))
    pieces = find_pieces(edge_from, edge_to, forward, backward, edge_cm, len(x), min_component_share)
    return Network(
        crs=crs,
        mode=mode,
        unit=MODES[mode].unit,
        x=np.ascontiguousarray(x),
        y=np.ascontiguousarray(y),
        indptr=indptr,
        neighbours=neighbours,
        weights=weights,
        half_edge=half_edge,
        edge_from=edge_from,
        edge_to=edge_to,
        edge_cm=edge_cm,
        edge_forward=forward,
        edge_backward=backward,
        edge_street=street,
        edge_open=enterable,
        edge_component=pieces.edge,
        coords=coords,
        offsets=offsets,
        component_cm=pieces.cm,
        component_used=pieces.used,
        access_pace=1.0 if MODES[mode].unit == "cm" else float(ms_per_cm(MODES[mode].access_kmh)),
        stats=stats
        | {
            "nodes": len(x),
            "edges": len(edge_cm),
            "one_way": int(((forward == CLOSED) | (backward == CLOSED)).sum()),
            **pieces.figures(edge_cm, coords, offsets, crs),
        },
    )
