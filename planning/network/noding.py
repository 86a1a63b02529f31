"""Split a plain street layer where its lines cross or touch.

OpenStreetMap ways share a vertex where they connect, so they need none of this. A layer drawn by hand or exported
from CAD often has no common vertices: lines cross, or end a few centimetres beside the street they join.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

EXACT_METRES = 1e-6
"""Points closer than this are one point: the noise of a computed crossing."""


def split_at_crossings(coords: Float64, line: Int64, level: Int64, *, tolerance: float = 0.5) -> tuple[Float64, Int64]:
    """Insert shared vertices into lines given flat: ``coords`` (k, 2) in metres, ``line`` (k,) the line of each
    vertex.

    ``level`` (one per line) is the layer the line runs on. Three rules, in metres:

    - lines of one level that cross or overlap get a common vertex there; lines of different levels never do, so a
      bridge stays apart from what it crosses;
    - an end within ``tolerance`` of a line of its own level joins that line (a T-junction);
    - an end within ``tolerance`` of another line's end joins it whatever the levels (where a bridge meets the
      ground).

    Returns the longer ``coords`` and ``line``. The line an end joins is bent to the end, by ``tolerance`` at most.
    """
    start = np.flatnonzero(line[:-1] == line[1:])
    if not len(start):
        return coords, line
    segments = shapely.linestrings(np.stack([coords[start], coords[start + 1]], axis=1))
    tree = shapely.STRtree(segments)
    segment_level = level[line[start]]
    cuts = [
        _crossings(segments, tree, segment_level),
        _touching_ends(coords, line, level, start, tree, segment_level, tolerance),
    ]
    where = np.concatenate([cut[0] for cut in cuts])
    points = np.concatenate([cut[1] for cut in cuts])
    if not len(where):
        return coords, line
    a, b = coords[start[where]], coords[start[where] + 1]
    along = np.einsum("ij,ij->i", points - a, b - a)
    share = np.clip(along / np.maximum(np.einsum("ij,ij->i", b - a, b - a), 1e-18), 0.0, 1.0)
    position = np.concatenate([np.arange(len(coords), dtype=np.float64), start[where] + share])
    # a cut at the end of a segment goes behind its vertex, so that joining two ends never doubles back
    inserted = np.concatenate([np.ones(len(coords), np.int8), np.where(share == 1.0, 2, 0).astype(np.int8)])
    order = np.lexsort((inserted, position))
    all_coords = np.concatenate([coords, points])[order]
    all_lines = np.concatenate([line, line[start[where]]])[order]
    return all_coords, all_lines


def _crossings(segments: NDArray[np.object_], tree: shapely.STRtree, level: Int64) -> tuple[Int64, Float64]:
    """(segment, point) for every pair of one level that meets, the point given to both with the same bits."""
    one, other = tree.query(segments, predicate="intersects")
    keep = (one < other) & (level[one] == level[other])
    one, other = one[keep], other[keep]
    shared = shapely.intersection(segments[one], segments[other])
    # a point gives one vertex, an overlap its two ends
    points, pair = shapely.get_coordinates(shared, return_index=True)
    pair_ends = np.concatenate(
        [
            shapely.get_coordinates(segments[one[pair]]).reshape(-1, 2, 2),
            shapely.get_coordinates(segments[other[pair]]).reshape(-1, 2, 2),
        ],
        axis=1,
    )
    gap = np.linalg.norm(pair_ends - points[:, None, :], axis=2)
    nearest = gap.argmin(axis=1)
    at_end = gap[np.arange(len(points)), nearest] <= EXACT_METRES
    points[at_end] = pair_ends[np.flatnonzero(at_end), nearest[at_end]]
    where = np.concatenate([one[pair], other[pair]]).astype(np.int64)
    return where, np.concatenate([points, points])


def _touching_ends(
    coords: Float64,
    line: Int64,
    level: Int64,
    start: Int64,
    tree: shapely.STRtree,
    segment_level: Int64,
    tolerance: float,
) -> tuple[Int64, Float64]:
    """(segment, line end) for every end that stops within ``tolerance`` of a segment it should join."""
    is_end = np.ones(len(coords), bool)
    inner = np.flatnonzero((line[:-2] == line[1:-1]) & (line[1:-1] == line[2:])) + 1
    is_end[inner] = False
    ends = np.flatnonzero(is_end)
    which, segment = tree.query(shapely.points(coords[ends]), predicate="dwithin", distance=tolerance)
    end = ends[which]
    own = (start[segment] == end) | (start[segment] + 1 == end)
    same_level = segment_level[segment] == level[line[end]]
    near_end = np.zeros(len(end), bool)
    for corner in (start[segment], start[segment] + 1):
        near_end |= is_end[corner] & (np.linalg.norm(coords[corner] - coords[end], axis=1) <= tolerance)
    keep = ~own & (same_level | near_end)
    return segment[keep].astype(np.int64), coords[end[keep]]
