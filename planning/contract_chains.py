"""Turn street segments into graph edges: chains of degree-2 vertices contracted, nodes in Hilbert order.

A street network has far more vertices than junctions. Walking each chain of vertices that have exactly two segments
gives one edge between two junctions; its shape is kept, so snapping and drawing lose nothing. Nodes are numbered
along a Hilbert curve (Skilling 2004, by the bit-twiddling form of Warren's "Hacker's Delight"), which keeps
neighbours near each other in memory and makes the search several times faster than an arbitrary order on large
graphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Chains:
    """Contracted edges over vertex ids.

    ``path`` holds the vertex ids of every edge one after another; edge ``e`` is ``path[offsets[e]:offsets[e + 1]]``
    and runs from its first to its last vertex. ``first_segment`` is the input segment each edge begins with.
    """

    offsets: Int64
    path: Int32
    first_segment: Int32


def contract(tail: Int32, head: Int32, kind: Int32, vertices: int) -> Chains:
    """Contract segments ``tail[i]``–``head[i]`` over ``vertices`` vertices into edges between junctions.

    A vertex stays a node unless exactly two segments of the same ``kind`` meet there; a ring that meets nothing
    keeps one vertex and becomes a loop. Segments must have two different ends. Deterministic: edges come in the
    order of their lowest node, then of the segments given.
    """
    ends = np.concatenate([tail, head])
    order = np.argsort(ends, kind="stable")
    incident = (order % max(len(tail), 1)).astype(np.int32)
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=vertices), out=indptr[1:])
    offsets, path, first = _walk(indptr, incident, tail, head, kind)
    return Chains(offsets=offsets, path=path, first_segment=first)


@njit(cache=True, nogil=True)
def _walk(indptr: Any, incident: Any, tail: Any, head: Any, kind: Any) -> Any:
    vertices = len(indptr) - 1
    segments = len(tail)
    node = np.zeros(vertices, np.bool_)
    for v in range(vertices):
        lo = indptr[v]
        node[v] = indptr[v + 1] - lo != 2 or kind[incident[lo]] != kind[incident[lo + 1]]
    used = np.zeros(segments, np.bool_)
    offsets = np.zeros(segments + 1, np.int64)
    path = np.empty(2 * segments, np.int32)
    first = np.empty(segments, np.int32)
    edges = 0
    size = 0
    # pass 0 starts at every junction; pass 1 takes what is left: rings without a junction
    for ring in range(2):
        for v in range(vertices):
            if node[v] == (ring == 1):
                continue
            for k in range(indptr[v], indptr[v + 1]):
                s = incident[k]
                if used[s]:
                    continue
                first[edges] = s
                path[size] = v
                size += 1
                at = v
                while True:
                    used[s] = True
                    at = head[s] if tail[s] == at else tail[s]
                    path[size] = at
                    size += 1
                    if node[at] or at == v:
                        break
                    lo = indptr[at]
                    s = incident[lo + 1] if incident[lo] == s else incident[lo]
                edges += 1
                offsets[edges] = size
    return offsets[: edges + 1].copy(), path[:size].copy(), first[:edges].copy()


def hilbert_order(x: Float64, y: Float64) -> Int64:
    """The order that sorts points along a Hilbert curve over their bounding box (2^16 cells a side), ties as given."""
    if not len(x):
        return np.empty(0, np.int64)
    side = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    column = ((x - x.min()) * (65535 / side)).astype(np.int64)
    row = ((y - y.min()) * (65535 / side)).astype(np.int64)
    order: Int64 = np.argsort(_hilbert(column, row), kind="stable")
    return order


@njit(cache=True, nogil=True)
def _hilbert(column: Any, row: Any) -> Any:
    out = np.empty(len(column), np.int64)
    for i in range(len(column)):
        x = column[i]
        y = row[i]
        d = 0
        s = 32768
        while s > 0:
            rx = 1 if x & s else 0
            ry = 1 if y & s else 0
            d += s * s * ((3 * rx) ^ ry)
            if ry == 0:
                if rx == 1:
                    x = 65535 - x
                    y = 65535 - y
                x, y = y, x
            s >>= 1
        out[i] = d
    return out
