"""Turn street segments into graph edges: chains of degree-2 vertices contracted.

A street network has far more vertices than junctions. Walking each chain of vertices that have exactly two segments
gives one edge between two junctions; its shape is kept, so snapping and drawing lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Chains:
    """Contracted edges over vertex ids.

    ``path`` holds the vertex ids of every edge one after another; edge ``e`` is ``path[offsets[e]:offsets[e + 1]]``
    and runs from its first to its last vertex. ``first_segment`` is the input segment each edge begins with.
    """

    offsets: Int64
    path: Int32
    first_segment: Int32


def contract(tail: Int32, head: Int32, kind: Int32, one_way: Bool, vertices: int) -> Chains:
    """Contract segments ``tail[i]``–``head[i]`` over ``vertices`` vertices into edges between junctions.

    A vertex stays a node unless exactly two segments of the same ``kind`` meet there, one going on where the other
    ends when they are ``one_way``; a ring that meets nothing keeps one vertex and becomes a loop. Segments must have
    two different ends. Deterministic: edges come in the order of their lowest node, then of the segments given.
    """
    ends = np.concatenate([tail, head])
    order = np.argsort(ends, kind="stable")
    incident = (order % max(len(tail), 1)).astype(np.int32)
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=vertices), out=indptr[1:])
    offsets, path, first = _walk(indptr, incident, tail, head, kind, one_way)
    return Chains(offsets=offsets, path=path, first_segment=first)


@njit(cache=True, nogil=True)
def _walk(indptr: Any, incident: Any, tail: Any, head: Any, kind: Any, one_way: Any) -> Any:
    vertices = len(indptr) - 1
    segments = len(tail)
    node = np.zeros(vertices, np.bool_)
    for v in range(vertices):
        lo = indptr[v]
        if indptr[v + 1] - lo != 2:
            node[v] = True
            continue
        s, t = incident[lo], incident[lo + 1]
        node[v] = kind[s] != kind[t] or (one_way[s] and (head[s] == v) == (head[t] == v))
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
