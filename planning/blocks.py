"""Blocks: the faces between streets, railways, rivers, walls and community outlines.

Boundaries run on the lines as mapped, and on the centreline where a road is mapped as several lines
(`planning.centrelines`). A line that runs through a building gives way: the building's outline becomes the boundary and
the whole building stays in one block. Nothing joins across a river but what is no ground at all.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import metrics, topology
from planning.barriers import Barriers
from planning.centrelines import FOUND, Shared, road_space, share_out

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

CRACK_M2: Final = 1.0
"""Faces up to so many m² may join a neighbour across a river."""
SLIVER_M2: Final = 0.01
"""Faces up to so many m² may join a neighbour in another community."""
CUT_M2: Final = 0.05
"""A building with less than this beyond a line is not cut by it."""


class Blocks(NamedTuple):
    """Blocks as an exactly noded coverage of the zone, and the zone row (community) of each."""

    polygons: Geometries
    community: Ints


def make_blocks(zone: Geometries, found: Barriers, outlines: Geometries) -> Blocks:
    """Divide the zone along barriers.

    zone: outlines of communities, an exactly noded coverage; outlines: building polygons. All in one metric CRS.
    Every block is one polygon inside one community.
    """
    spared = spare(outlines, found.lines)
    faces = topology.faces(np.concatenate([shapely.boundary(zone), found.lines, shapely.boundary(spared)]))
    inside = shapely.point_on_surface(faces)
    community = first_hit(zone, inside)
    faces, inside, community = faces[community >= 0], inside[community >= 0], community[community >= 0]
    building = first_hit(spared, inside)
    built = np.zeros(len(faces), bool)
    owner = largest_part(outlines, faces)
    built[owner[owner >= 0]] = True
    loose = road_space(faces, ~built & (building < 0), found)
    shared = share_out(faces, community, loose, ~loose & (building < 0), found)
    faces, community, building = shared.polygons, community[shared.source], building[shared.source]
    labels = _join_rest(faces, shared, building, community, found.rivers)
    polygons = topology.dissolve(faces, labels, int(labels.max(initial=-1)) + 1)
    block_community = np.zeros(len(polygons), np.int64)
    by_size = np.argsort(shapely.area(faces), kind="stable")  # the largest face of a block speaks for it
    block_community[labels[by_size]] = community[by_size]
    return Blocks(polygons, block_community)


def spare(outlines: Geometries, lines: Geometries) -> Geometries:
    """Building outlines (holes filled, overlapping ones joined) that must become borders so that no line cuts one.

    Starts from the buildings a line meets and takes up, in turn, every building the joined outline would cut.
    """
    if not len(outlines) or not len(lines):
        return np.empty(0, dtype=object)
    whole = filled(outlines)
    tree = shapely.STRtree(whole)
    met = np.zeros(len(whole), bool)
    met[tree.query(metrics.segments(lines), predicate="intersects")[1]] = True
    while True:
        joined = shapely.get_parts(shapely.union_all(whole[met]))
        part, row = tree.query(joined, predicate="intersects")
        new = ~met[row]
        part, row = part[new], row[new]
        cut = shapely.area(shapely.intersection(joined[part], whole[row])) > CUT_M2
        if not cut.any():
            return np.asarray(filled(joined[shapely.get_type_id(joined) == 3]), dtype=object)
        met[row[cut]] = True


def filled(polygons: Any) -> Geometries:
    """Polygons and multipolygons without their holes."""
    geoms = np.asarray(polygons, dtype=object)
    parts, row = shapely.get_parts(geoms, return_index=True)
    solid = shapely.polygons(shapely.get_exterior_ring(parts))
    several = np.bincount(row, minlength=len(geoms)) > 1
    out = np.empty(len(geoms), dtype=object)
    out[row] = solid
    for i in np.flatnonzero(several).tolist():
        out[i] = shapely.union_all(solid[row == i])
    return out


def first_hit(polygons: Geometries, points: Geometries) -> Ints:
    """Row of the first polygon each point lies in, −1 for none."""
    hit = np.full(len(points), len(polygons), np.int64)
    if len(polygons) and len(points):
        point, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
        np.minimum.at(hit, point, polygon)
    hit[hit == len(polygons)] = -1
    return hit


def largest_part(outlines: Geometries, polygons: Geometries) -> Ints:
    """Row of the polygon that holds the largest part of each outline; −1 when more than half lies in none of them.

    Equal parts go to the smaller row.
    """
    owner = np.full(len(outlines), -1, np.int64)
    if not len(outlines) or not len(polygons):
        return owner
    tree = shapely.STRtree(polygons)
    whole, at = tree.query(outlines, predicate="covered_by")
    owner[whole[::-1]] = at[::-1]
    rest = np.flatnonzero(owner < 0)
    row, at = tree.query(outlines[rest], predicate="intersects")
    m2 = shapely.area(shapely.intersection(outlines[rest[row]], polygons[at]))
    inside = 2 * np.bincount(row, m2, minlength=rest.size) >= shapely.area(outlines[rest])
    order = np.lexsort((at, -m2, row))
    first = order[np.unique(row[order], return_index=True)[1]]
    first = first[inside[row[first]] & (m2[first] > 0)]
    owner[rest[row[first]]] = at[first]
    return owner


def _join_rest(faces: Geometries, shared: Shared, building: Ints, community: Ints, rivers: Geometries) -> Ints:
    """Block of each face: road space with the block it went to; spared buildings, what is cut off and crumbs nobody got
    with the neighbour they share most border with, crumbs never across a river."""
    edges = topology.edges(faces)
    borders = topology.borders(edges)
    n = len(faces)
    spared = building >= 0
    whole = np.where(shared.label >= 0, shared.label, n + shared.source)
    whole[spared] = 2 * n + (community * (building.max(initial=0) + 1) + building)[spared]
    piece = topology.components(np.unique(whole, return_inverse=True)[1], borders)
    count = int(piece.max(initial=-1)) + 1
    loose = np.ones(count, bool)
    loose[piece[shared.label == shared.source]] = False
    solid = np.zeros(count, bool)
    solid[piece[spared]] = True
    of_community = np.zeros(count, np.int64)
    of_community[piece] = community
    pairs = _between_labels(piece, borders)
    dry = _between_labels(piece, _dry(edges, loose[piece], rivers))
    labels, still = topology.absorb(np.arange(count), loose & solid, pairs, groups=of_community)
    loose &= ~solid | still
    labels, still = topology.absorb(labels, loose & ~solid, dry, groups=of_community)
    loose &= solid | still
    labels, still = topology.absorb(labels, loose & solid, pairs, groups=of_community)
    loose &= ~solid | still
    labels = join_cracks(labels, loose, np.bincount(piece, shapely.area(faces), minlength=count), pairs, of_community)
    return topology.components(labels[piece], borders)


def _dry(edges: topology.Edges, loose: NDArray[np.bool_], rivers: Geometries) -> topology.Borders:
    """Borders of loose faces that are no river."""
    near = np.flatnonzero(loose[edges.left] | loose[edges.right])
    rows = near[~metrics.near_lines(edges.middle[near], rivers, FOUND)]
    return topology.borders(topology.Edges(*(values[rows] for values in edges)))


def join_cracks(
    labels: Ints, loose: NDArray[np.bool_], m2: NDArray[np.float64], shared: topology.Borders, community: Ints
) -> Ints:
    """Labels after tiny loose polygons joined whatever neighbour their community offers, rivers or not.

    What is left of two lines drawn almost alike may even lie on the wrong side of a community outline: slivers below
    SLIVER_M2 may cross it.
    """
    labels, loose = topology.absorb(labels, loose & (m2 <= CRACK_M2), shared, groups=community)
    return topology.absorb(labels, loose & (m2 <= SLIVER_M2), shared)[0]


def _between_labels(labels: Ints, shared: topology.Borders) -> topology.Borders:
    """Borders between labels instead of faces; each label stands for itself as a face number."""
    left, right = labels[shared.left], labels[shared.right]
    differ = left != right
    low, high = np.minimum(left, right)[differ], np.maximum(left, right)[differ]
    order = np.lexsort((high, low))
    metres = shared.metres[differ][order]
    empty = np.empty((0, 2))
    return topology.borders(topology.Edges(low[order], high[order], metres, empty, empty))
