"""Blocks: the faces between streets, railways, rivers, walls and community outlines.

Boundaries run on the lines as mapped, and on the centreline where a road is mapped as several lines
(`planning.units.centrelines`). A line that runs through a building gives way: the building's outline becomes the
boundary and the whole building stays in one block. Nothing joins across a river but what is no ground at all.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import metrics, topology
from gisgrid.overlay import largest_part
from planning.units.barriers import WALL, Barriers
from planning.units.centrelines import FOUND, WEAK_SHARE, Shared, road_space, share_out

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FRONTAGE_WIDTH: Final = 30.0
"""Ground without homes in front of a wall belongs to the compound behind it up to this mean width (2A/P)."""
WALLED_IN: Final = 0.6
"""Ground with walls round more than this part of it is in front of nothing."""
SCRAP_M2: Final = 200.0
"""Crumbs up to so many m² join a neighbour across a river when there is no other."""
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


def make_blocks(zone: Geometries, found: Barriers, outlines: Geometries, lived: Bools | None = None) -> Blocks:
    """Divide the zone along barriers.

    zone: outlines of communities, an exactly noded coverage; outlines: building polygons; lived: whether a building has
    households (all, when not given). All in one metric CRS. Every block is one polygon inside one community.
    """
    spared = spare(outlines, found.lines)
    faces = topology.faces(np.concatenate([shapely.boundary(zone), found.lines, shapely.boundary(spared)]))
    inside = shapely.point_on_surface(faces)
    community = first_hit(zone, inside)
    faces, inside, community = faces[community >= 0], inside[community >= 0], community[community >= 0]
    building = first_hit(spared, inside)
    built, home = np.zeros(len(faces), bool), np.zeros(len(faces), bool)
    owner = largest_part(outlines, faces)
    built[owner[owner >= 0]] = True
    home[owner[(owner >= 0) & (True if lived is None else lived)]] = True
    loose = road_space(faces, ~built & (building < 0), found)
    frontage = _frontages(faces, ~home & ~loose & (building < 0), found)
    shared = share_out(faces, community, loose, ~loose & (building < 0), found)
    frontage = frontage[shared.source] & (shared.label == shared.source)
    faces, community, building = shared.polygons, community[shared.source], building[shared.source]
    labels = _join_rest(faces, shared, building, frontage, community, found)
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


def _frontages(faces: Geometries, free: Bools, found: Barriers) -> Bools:
    """Strips in front of a wall, shops in them or not: part of the compound behind, not a ring around it.

    free: faces without homes. What is walled in for the most part is a compound itself.
    """
    out = np.zeros(len(faces), bool)
    rows = np.flatnonzero(free & (2 * shapely.area(faces) <= FRONTAGE_WIDTH * shapely.length(faces)))
    walls = found.lines[found.strength == WALL]
    if rows.size and len(walls):
        pieces, at = metrics.segments(shapely.boundary(faces[rows])), shapely.get_num_coordinates(faces[rows])
        rings = shapely.get_num_interior_rings(faces[rows]) + 1
        at = np.repeat(np.arange(rows.size), at - rings)
        middle = shapely.get_coordinates(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
        metres = shapely.length(pieces) * metrics.near_lines(middle, walls, FOUND)
        walled = np.bincount(at, metres, minlength=rows.size) / shapely.length(faces[rows])
        out[rows] = (walled >= WEAK_SHARE) & (walled <= WALLED_IN)
    return out


def _join_rest(
    faces: Geometries, shared: Shared, building: Ints, frontage: Bools, community: Ints, found: Barriers
) -> Ints:
    """Block of each face: road space with the block it went to, frontages with the compound behind their wall; spared
    buildings, what is cut off and crumbs nobody got with the neighbour they share most border with, crumbs never across
    a river."""
    edges = topology.edges(faces)
    borders = topology.borders(edges)
    n = len(faces)
    spared = building >= 0
    whole = np.where(shared.label >= 0, shared.label, n + shared.source)
    whole[spared] = 2 * n + (community * (building.max(initial=0) + 1) + building)[spared]
    piece = topology.components(np.unique(whole, return_inverse=True)[1], borders)
    count = int(piece.max(initial=-1)) + 1
    loose, solid, front = np.ones(count, bool), np.zeros(count, bool), np.zeros(count, bool)
    loose[piece[shared.label == shared.source]] = False
    solid[piece[spared]] = True
    front[piece[frontage]] = True
    of_community = np.zeros(count, np.int64)
    of_community[piece] = community
    pairs = _between_labels(piece, borders)
    walls = _along(edges, front[piece], found.lines[found.strength == WALL], True)
    labels = topology.absorb(np.arange(count), front, _between_labels(piece, walls), groups=of_community)[0]
    dry = _between_labels(piece, _along(edges, loose[piece], found.rivers, False))
    for which, way in ((solid, pairs), (~solid, dry), (solid, pairs)):
        labels, still = topology.absorb(labels, loose & which, way, groups=of_community)
        loose &= ~which | still
    m2 = np.asarray(np.bincount(piece, shapely.area(faces), minlength=count), np.float64)
    scrap = loose & (m2 <= SCRAP_M2)  # a corner of a lake or bank the area outline cut off
    labels, still = topology.absorb(labels, scrap, pairs, groups=of_community)
    loose &= ~scrap | still
    labels = join_cracks(labels, loose, m2, pairs, of_community)
    return topology.components(labels[piece], borders)


def _along(edges: topology.Edges, of: Bools, lines: Geometries, on: bool) -> topology.Borders:
    """Borders of some faces that run on the lines, or that do not."""
    near = np.flatnonzero(of[edges.left] | of[edges.right])
    rows = near[metrics.near_lines(edges.middle[near], lines, FOUND) == on]
    left, right, metres, start, end = edges
    return topology.borders(topology.Edges(left[rows], right[rows], metres[rows], start[rows], end[rows]))


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
