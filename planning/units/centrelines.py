"""Road space: strips between carriageways, roundabouts, islands, junction triangles, divided along their centrelines.

Streets are drawn for traffic: a road with a median is two lines, a roundabout a ring, a slip road a line of its own.
Cut along those lines, the ground between them makes sliver blocks. Here such *faces* are recognised, and every point of
them goes to the nearest block around: the border runs on the medial axis of the road space, side streets are carried on
to it, roundabouts are shared out by sector. Working on faces of the noded lines, not on matched pairs of lines, keeps
the coverage exact and every block closed.

Recognising faces by shape follows M. Fleischmann and A. Vybornova, "A shape-based heuristic for the detection of urban
block artifacts in street networks", Journal of Spatial Information Science 28 (2024); the medial axis as an
approximation by the Voronoi diagram of boundary points is J. W. Brandt's, "Convergence and continuity criteria for
discrete approximations of the continuous planar skeleton", CVGIP 59 (1994). See docs/adr/0006-centrelines.md.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gisgrid import topology
from planning.units import tessellation
from planning.units.barriers import RIVER, STRENGTH, WALL, Barriers
from planning.units.cutting import cut

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CRUMB_M2: Final = 800.0
"""Faces without buildings up to so many m² are shared out among their neighbours."""
CRUMB_WIDTH: Final = 15.0
"""Faces without buildings with a mean width (2A/P) up to so many metres are shared out among their neighbours."""
MEDIAN_WIDTH: Final = 40.0
"""Greatest mean width of the strip between two carriageways of one named road."""
NAMELESS_WIDTH: Final = 30.0
"""The same when the road has no name and could be two."""
RING_M2: Final = 8_000.0
"""Greatest island of a roundabout (50 m in radius)."""
ROUND_M2: Final = 3_000.0
"""Greatest island of a roundabout not mapped as one-way (31 m in radius)."""
LINK_M2: Final = 40_000.0
"""Greatest face between slip roads and carriageways."""
FOUND: Final = 0.05
"""An edge within so many metres of a line came from it."""
STEP: Final = 2.0
"""Distance of the points the medial axis is computed from."""
SNAP: Final = 3.0
"""A centreline that ends so near to a junction ends in it."""
WEAK_SHARE: Final = 0.2
"""Part of its outline a stretch must share across weak lines (a wall, a frontage road) to be given out from there."""


class Sides(NamedTuple):
    """Edges of loose faces towards a neighbour, each once per loose side."""

    face: Ints
    other: Ints
    strength: Ints
    """Of the line on it, 0 for none."""
    soft: Bools
    """Whether road space goes on beyond it: one-way lines, links, rails, walls and mere outlines do not end it."""
    metres: Floats
    start: Floats
    end: Floats


class Stretches(NamedTuple):
    """Connected road space taken up together, and the points its centrelines are computed from."""

    cluster: Ints
    """Stretch of each polygon, −1 for none."""
    points: Floats
    owner: Ints
    """Owner of each point: a pair of stretch and settled polygon."""
    of_cluster: Ints
    """Stretch of each owner."""
    label: Ints
    """Settled polygon of each owner."""
    junctions: Floats
    """Where centrelines should end: vertices where one neighbour ends and another begins."""


class Shared(NamedTuple):
    """What became of polygons with road space in them."""

    polygons: Geometries
    label: Ints
    """Row of the given polygon each belongs to now; −1 where nothing around may take it."""
    source: Ints
    """Row of the given polygon each is part of."""


def road_space(polygons: Geometries, free: Bools, found: Barriers) -> Bools:
    """Which of the polygons are no land of their own: strips between carriageways, islands, crumbs.

    polygons: an exactly noded coverage; free: those without buildings; found: the lines they were cut along.
    """
    m2, metres = shapely.area(polygons), shapely.length(polygons)
    width = 2 * m2 / np.maximum(metres, 1e-9)
    loose = free & ((m2 <= CRUMB_M2) | (width <= CRUMB_WIDTH))
    round_ = 4 * np.pi * m2 / np.maximum(metres, 1e-9) ** 2 >= 0.88
    maybe = free & ~loose & (m2 <= ROUND_M2) & round_
    if found.oneway.any() or found.link.any():
        maybe |= free & ~loose & ((width <= MEDIAN_WIDTH) | (m2 <= LINK_M2))
    rows = np.flatnonzero(maybe)
    if not rows.size or not len(found.lines):
        return np.asarray(loose, bool)
    rings, ring = shapely.get_parts(shapely.boundary(shapely.orient_polygons(polygons[rows])), return_index=True)
    start, end, at = _ring_segments(rings, ring)
    line, along = _lines_at(start, end, found)
    length = np.hypot(*(end - start).T)

    def share(of: Any) -> Floats:
        return np.asarray(np.bincount(at, length * of, minlength=rows.size) / metres[rows], np.float64)

    known = line >= 0
    street = share(known & (found.strength[line] > WALL) & (found.strength[line] < RIVER))
    oneway = found.oneway[line] * along * known
    one, turning = share(oneway != 0), np.abs(share(oneway))
    named, most = _main_road(at, np.where(oneway != 0, length, 0.0), found.road[line], rows.size)
    # a median, and the island of a roundabout, lies on the same hand of every carriageway round it
    around = (one >= 0.4) & (turning >= 0.7 * one) & (street >= 0.75)
    # and there is one on either side: their directions, taken round the face, cancel
    lean = np.hypot(*(np.bincount(at, (end - start)[:, i] * (oneway != 0), minlength=rows.size) for i in (0, 1)))
    around &= lean <= 0.5 * one * metres[rows]
    median = around & (most >= 0.7 * one * metres[rows])
    median &= width[rows] <= np.where(named, MEDIAN_WIDTH, NAMELESS_WIDTH)
    ring_road = around & (one >= 0.9) & round_[rows] & (m2[rows] <= RING_M2)
    ring_road |= (street >= 0.95) & round_[rows] & (m2[rows] <= ROUND_M2)
    # the ground of an interchange: much of its limits links, or some and carriageways of both directions
    link = share(known & found.link[line])
    links = (link >= 0.25) | ((link >= 0.05) & (one >= 0.8) & (turning <= 0.6 * one))
    links &= (street >= 0.9) & (m2[rows] <= LINK_M2)
    loose[rows[median | ring_road | links]] = True
    return np.asarray(loose, bool)


def share_out(polygons: Geometries, community: Ints, loose: Bools, settled: Bools, found: Barriers) -> Shared:
    """Divide loose polygons among the settled ones around, every place to the nearest.

    polygons: an exactly noded coverage; nothing goes across a river or to another community. Weak lines give way first,
    like in a flood: what lies between a wall and a street goes to the wall's side, between a frontage road and its main
    road to the frontage, an island at a slip road to the corner; the median of the main road is divided last.
    """
    whole = np.where(settled, np.arange(len(polygons)), -1)
    sides = _sides(polygons, community, loose, found)
    stretches = _stretches(sides, loose, settled)
    if not stretches.label.size:
        return Shared(polygons, whole, np.arange(len(polygons)))
    cluster, of_cluster, label = stretches.cluster, stretches.of_cluster, stretches.label
    count = int(cluster.max()) + 1
    several = np.bincount(of_cluster, minlength=count) > 1
    one = np.full(count, -1, np.int64)
    one[of_cluster] = label  # only read where a cluster has a single neighbour
    held = np.flatnonzero(cluster >= 0)
    whole[held] = np.where(several, -1, one)[cluster[held]]
    if not several.any():
        return Shared(polygons, whole, np.arange(len(polygons)))
    areas = topology.dissolve(polygons, cluster, count)
    use = several[of_cluster[stretches.owner]]
    points, owner = stretches.points[use], stretches.owner[use]
    seeds = tessellation.lay_out(areas, points, owner, of_cluster[owner])
    lines = _split_lines(areas, of_cluster, seeds, stretches.junctions)
    return _cut(polygons, whole, cluster, several, lines, seeds, label)


def _stretches(sides: Sides, loose: Bools, settled: Bools) -> Stretches:
    """Take up road space stretch by stretch, across the weakest lines first."""
    cluster = np.full(len(loose), -1, np.int64)
    points, label, of = [np.empty((0, 2))], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    junctions = [np.empty((0, 2))]
    count = 0
    levels = np.unique(sides.strength).tolist()
    for level in [*levels, RIVER, RIVER + 1]:
        low = sides.strength <= level
        open_ = loose & (cluster < 0)
        if not open_.any():
            break
        inner = open_[sides.face] & open_[sides.other] & low & (sides.soft | (level > RIVER))
        graph = coo_matrix(
            (np.ones(int(inner.sum())), (sides.face[inner], sides.other[inner])), shape=(len(loose),) * 2
        )
        piece = np.asarray(connected_components(graph, directed=False)[1], np.int64)
        bank = open_[sides.face] & low & (settled[sides.other] | (cluster[sides.other] >= 0))
        outer = open_[sides.face] & (piece[sides.face] != piece[sides.other])
        share = np.bincount(piece[sides.face[bank]], sides.metres[bank], minlength=len(loose))
        total = np.bincount(piece[sides.face[outer]], sides.metres[outer], minlength=len(loose))
        taken = (share > 0) & ((share >= WEAK_SHARE * total) | (level >= RIVER))
        bank &= taken[piece[sides.face]]
        if not bank.any():
            continue
        at, row = _along(sides, np.flatnonzero(bank))
        of_piece = piece[sides.face[row]]
        got = _labels(at, sides.other[row], cluster, settled, points, label, of)
        known = got >= 0
        number = np.full(len(loose), -1, np.int64)
        held = np.unique(of_piece[known])
        number[held] = count + np.arange(held.size)
        junctions.append(_junctions(sides, bank & settled[sides.other], number[piece[sides.face]]))
        points.append(at[known])
        label.append(got[known])
        of.append(number[of_piece[known]])
        cluster[open_] = number[piece[open_]]
        count += held.size
    pairs, owner = np.unique(np.column_stack([np.concatenate(of), np.concatenate(label)]), axis=0, return_inverse=True)
    owner = np.asarray(owner, np.int64).ravel()
    return Stretches(cluster, np.concatenate(points), owner, pairs[:, 0], pairs[:, 1], np.concatenate(junctions))


def _labels(
    at: Floats, other: Ints, cluster: Ints, settled: Bools, points: list[Floats], label: list[Ints], of: list[Ints]
) -> Ints:
    """Settled polygon beyond each bank point; beyond ground given out before, whoever got the place next to it."""
    got = np.where(settled[other], other, -1)
    ask = np.flatnonzero(got < 0)
    if not ask.size:
        return got
    known, names, places = np.concatenate(points), np.concatenate(label), np.concatenate(of)
    order = np.argsort(places, kind="stable")
    behind = cluster[other[ask]]
    for c in np.unique(behind).tolist():
        own = order[np.searchsorted(places[order], c) : np.searchsorted(places[order], c, side="right")]
        rows = ask[behind == c]
        got[rows] = names[own][cKDTree(known[own]).query(at[rows])[1]]
    return got


def _ring_segments(rings: Geometries, ring: Ints) -> tuple[Floats, Floats, Ints]:
    xy, at = shapely.get_coordinates(rings, return_index=True)
    joined = at[1:] == at[:-1]
    return xy[:-1][joined], xy[1:][joined], ring[at[:-1][joined]]


def _lines_at(start: Floats, end: Floats, found: Barriers) -> tuple[Ints, NDArray[np.int8]]:
    """Strongest line each segment runs on (−1: none), and whether they point the same way (1) or not (−1)."""
    line, along = np.full(len(start), -1, np.int64), np.zeros(len(start), np.int8)
    if not len(found.lines) or not len(start):
        return line, along
    parts, of_part = shapely.get_parts(found.lines, return_index=True)
    xy, at = shapely.get_coordinates(parts, return_index=True)
    joined = at[1:] == at[:-1]
    first, second, owner = xy[:-1][joined], xy[1:][joined], of_part[at[:-1][joined]]
    pieces = shapely.linestrings(np.stack([first, second], axis=1))
    middle = shapely.points((start + end) / 2)
    near, piece = shapely.STRtree(pieces).query(middle, predicate="dwithin", distance=FOUND)
    order = np.lexsort((piece, -found.strength[owner[piece]], near))
    near, piece = near[order], piece[order]
    best = np.unique(near, return_index=True)[1]
    near, piece = near[best], piece[best]
    line[near] = owner[piece]
    dot = ((second[piece] - first[piece]) * (end[near] - start[near])).sum(axis=1)
    along[near] = np.sign(dot)
    return line, along


def _main_road(at: Ints, metres: Floats, road: Ints, count: int) -> tuple[Bools, Floats]:
    """Whether the road with most metres round each face has a name, and these metres."""
    order = np.lexsort((road, at))
    at, metres, road = at[order], metres[order], road[order]
    named, most = np.zeros(count, bool), np.zeros(count)
    if at.size:
        first = np.flatnonzero(np.r_[True, (np.diff(at) != 0) | (np.diff(road) != 0)])
        total, face, number = np.add.reduceat(metres, first), at[first], road[first]
        order = np.lexsort((number, -total, face))
        best = order[np.unique(face[order], return_index=True)[1]]
        most[face[best]], named[face[best]] = total[best], number[best] >= 0
    return named, most


def _sides(polygons: Geometries, community: Ints, loose: Bools, found: Barriers) -> Sides:
    shared = topology.edges(polygons)
    near = (loose[shared.left] | loose[shared.right]) & (community[shared.left] == community[shared.right])
    left, right = shared.left[near], shared.right[near]
    start, end, metres = shared.start[near], shared.end[near], shared.metres[near]
    line = _lines_at(start, end, found)[0]
    strength, soft = np.zeros(len(line), np.int64), np.ones(len(line), bool)
    if len(found.lines):
        strength = np.where(line >= 0, found.strength[line], 0)
        soft = (strength <= WALL) | (strength == STRENGTH["rail"]) | (found.oneway[line] != 0) | found.link[line]
    dry = strength != RIVER
    out = []
    for face, other in ((left, right), (right, left)):
        use = dry & loose[face]
        out.append(Sides(*(v[use] for v in (face, other, strength, soft, metres, start, end))))
    return Sides(*(np.concatenate(values) for values in zip(*out, strict=True)))


def _along(sides: Sides, rows: Ints) -> tuple[Floats, Ints]:
    """Points at most STEP apart along some sides, half a step away from their ends, and the side of each."""
    number = np.maximum(np.ceil(sides.metres[rows] / STEP), 1).astype(np.int64)
    row = np.repeat(rows, number)
    place = np.arange(row.size) - np.repeat(np.cumsum(number) - number, number)
    part = ((place + 0.5) / np.repeat(number, number))[:, None]
    return sides.start[row] * (1 - part) + sides.end[row] * part, row


def _split_lines(areas: Geometries, of_cluster: Ints, seeds: Any, nodes: Floats) -> Geometries:
    """Centrelines inside the stretches, their ends in the junctions."""
    cells = tessellation.cell_borders(areas, of_cluster, seeds)
    lines = tessellation.group_borders(areas, of_cluster, cells, np.arange(of_cluster.size))
    if not len(lines):
        return lines
    xy, at = shapely.get_coordinates(lines, return_index=True)
    last = np.r_[np.flatnonzero(np.diff(at)), len(at) - 1]
    first = np.r_[0, last[:-1] + 1]
    ends = np.concatenate([first, last])
    _, same, count = np.unique(xy[ends], axis=0, return_inverse=True, return_counts=True)
    open_ = ends[count[same.ravel()] == 1]  # not where three centrelines meet
    if len(nodes) and open_.size:
        metres, node = cKDTree(nodes).query(xy[open_], distance_upper_bound=SNAP)
        near = np.isfinite(metres)
        xy[open_[near]] = nodes[node[near]]
        open_ = open_[~near]
    if open_.size > 1:  # centrelines that reach a crossing street from both sides meet on it
        for a, b in sorted(cKDTree(xy[open_]).query_pairs(SNAP)):
            if at[open_[a]] != at[open_[b]]:
                xy[open_[b]] = xy[open_[a]]
    snapped = shapely.linestrings(xy, indices=at)
    return np.asarray(snapped[shapely.length(snapped) > 0], dtype=object)


def _connected(sides: Sides, link: Bools, count: int) -> Ints:
    graph = coo_matrix((np.ones(int(link.sum())), (sides.face[link], sides.other[link])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _junctions(sides: Sides, bank: Bools, cluster: Ints) -> Floats:
    """Vertices of banks where one neighbour ends and another begins."""
    rows = np.flatnonzero(bank & (cluster >= 0))
    xy = np.concatenate([sides.start[rows], sides.end[rows]])
    of, beyond = np.tile(cluster[rows], 2), np.tile(sides.other[rows], 2)
    order = np.lexsort((beyond, xy[:, 1], xy[:, 0], of))
    xy, of, beyond = xy[order], of[order], beyond[order]
    change = (of[1:] == of[:-1]) & (xy[1:] == xy[:-1]).all(axis=1) & (beyond[1:] != beyond[:-1])
    return np.asarray(xy[1:][change], np.float64)


def _cut(
    polygons: Geometries,
    whole: Ints,
    cluster: Ints,
    several: Bools,
    lines: Geometries,
    seeds: Any,
    label: Ints,
) -> Shared:
    """Polygons after the stretches with several neighbours were cut along their centrelines."""
    pieces, source = cut(polygons, np.flatnonzero((cluster >= 0) & several[cluster]), lines)
    new = whole[source]
    open_ = np.flatnonzero((cluster[source] >= 0) & several[cluster[source]])
    spots = shapely.point_on_surface(pieces[open_])
    new[open_] = label[tessellation.nearest_building(seeds, spots, cluster[source[open_]])]
    return Shared(pieces, new, source)
