"""The planar map under a sample district: noded edges with a class, and the faces (blocks) between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.sample.base import GRID, Bools, Geoms, Ints


@dataclass(frozen=True)
class PlanarMap:
    """Edges meet only at their ends. ``left``/``right`` are face rows, -1 outside; ``src`` rows of the source lines."""

    edges: Geoms
    cls: Ints
    src: Ints
    faces: Geoms
    left: Ints
    right: Ints


def node(lines: Geoms, cls: Ints) -> tuple[Geoms, Ints, Ints]:
    """Node lines on a 1 cm grid: edges, their class and their source row.

    Where sources coincide the strongest class (smallest number) wins, then the earliest row. A source that only
    passes close by never wins over one that is nearer by more than rounding.
    """
    edges = shapely.get_parts(shapely.union_all(lines, grid_size=GRID))
    edges = edges[shapely.length(edges) > 0]
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    at, source = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=0.05)
    gap = shapely.distance(middle[at], lines[source])
    least = np.full(len(edges), np.inf)
    np.minimum.at(least, at, gap)
    same = gap <= least[at] + 0.6 * GRID
    at, source = at[same], source[same]
    order = np.lexsort((source, cls[source], at))
    first = np.full(len(edges), -1, dtype=np.int64)
    first[at[order][::-1]] = source[order][::-1]
    return edges, cls[first], first


def end_nodes(edges: Geoms) -> tuple[Ints, Ints]:
    """Node numbers of the first and the last vertex of each edge (equal coordinates, equal number)."""
    first = shapely.get_coordinates(shapely.get_point(edges, 0))
    last = shapely.get_coordinates(shapely.get_point(edges, -1))
    keys = np.round(np.concatenate([first, last]) / GRID).astype(np.int64)
    _, number = np.unique(keys[:, 0] * 1_000_000_007 + keys[:, 1], return_inverse=True)
    return number[: len(edges)], number[len(edges) :]


def without_dangles(edges: Geoms) -> Bools:
    """Mask of edges that are part of some ring: dead ends are peeled off again and again."""
    a, b = end_nodes(edges)
    keep = np.ones(len(edges), dtype=np.bool_)
    while True:
        degree = np.bincount(np.concatenate([a[keep], b[keep]]), minlength=int(max(a.max(), b.max())) + 1)
        dead = keep & ((degree[a] == 1) | (degree[b] == 1))
        if not dead.any():
            return keep
        keep &= ~dead


def main_component(edges: Geoms, walkable: Bools) -> Bools:
    """Mask of the walkable edges that belong to the largest connected network."""
    a, b = end_nodes(edges)
    n = int(max(a.max(), b.max())) + 1
    ones = np.ones(int(walkable.sum()))
    graph = coo_array((ones, (a[walkable], b[walkable])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    weight = np.bincount(label[a[walkable]], weights=shapely.length(edges[walkable]))
    main: Bools = walkable & (label[a] == int(np.argmax(weight)))
    return main


def polygonize(edges: Geoms) -> Geoms:
    """Faces between noded edges, in a stable order (west to east, then south to north)."""
    faces = shapely.get_parts(shapely.polygonize(edges))
    bounds = shapely.bounds(faces)
    ordered: Geoms = faces[np.lexsort((bounds[:, 1], bounds[:, 0]))]
    return ordered


def without_crumbs(edges: Geoms, frame: Bools, rank: Ints) -> Bools:
    """``frame`` less the edges that only enclose crumbs under 1 m² left by rounding: the largest rank goes first."""
    frame = frame.copy()
    for _ in range(5):
        rows = np.flatnonzero(frame)
        faces = polygonize(edges[rows])
        crumbs = faces[shapely.area(faces) < 1.0]
        if not len(crumbs):
            break
        at, hit = shapely.STRtree(edges[rows]).query(shapely.buffer(crumbs, GRID / 4), predicate="contains")
        order = np.lexsort((-rank[rows[hit]], at))
        _, first = np.unique(at[order], return_index=True)
        frame[rows[hit[order][first]]] = False
    return frame


def sides(edges: Geoms, faces: Geoms) -> tuple[Ints, Ints]:
    """Face rows on the left and right of each edge, -1 where there is none."""
    a = shapely.get_coordinates(shapely.line_interpolate_point(edges, 0.49, normalized=True))
    b = shapely.get_coordinates(shapely.line_interpolate_point(edges, 0.51, normalized=True))
    middle = shapely.get_coordinates(shapely.line_interpolate_point(edges, 0.5, normalized=True))
    run = b - a
    normal = np.column_stack([-run[:, 1], run[:, 0]]) / np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)[:, None]
    tree = shapely.STRtree(faces)
    out = []
    for sign in (0.05, -0.05):
        at, face = tree.query(shapely.points(middle + sign * normal), predicate="within")
        rows = np.full(len(edges), -1, dtype=np.int64)
        rows[at[::-1]] = face[::-1]
        out.append(rows)
    return out[0], out[1]


def build(lines: Geoms, cls: Ints) -> PlanarMap:
    """Node, peel dead ends, polygonize and find the faces beside each edge."""
    edges, kinds, src = node(lines, cls)
    keep = without_dangles(edges)
    edges, kinds, src = edges[keep], kinds[keep], src[keep]
    faces = polygonize(edges)
    left, right = sides(edges, faces)
    return PlanarMap(edges, kinds, src, faces, left, right)


def per_face(pm: PlanarMap, cls: tuple[int, ...]) -> Geoms:
    """The edges of the given classes around each face as one MultiLineString a face (empty when none)."""
    pick = np.isin(pm.cls, cls)
    rows = np.concatenate([pm.left[pick], pm.right[pick]])
    lines = np.concatenate([pm.edges[pick], pm.edges[pick]])
    inside = rows >= 0
    rows, lines = rows[inside], lines[inside]
    order = np.argsort(rows, kind="stable")
    out: Geoms = np.full(len(pm.faces), shapely.MultiLineString(), dtype=object)
    if len(order):
        found = np.unique(rows)
        compact = np.searchsorted(found, rows[order])
        out[found] = shapely.multilinestrings(lines[order], indices=compact)
    return out
