"""Divide blocks along their buildings: enclosed tessellation, cells grouped to a household target.

Every point of a block goes to the nearest building (Voronoi diagram of densified outlines, clipped to the block), and
neighbouring buildings of one compound are grouped. Method: M. Fleischmann, A. Feliciotti, O. Romice and S. Porta,
"Morphological tessellation as a way of partitioning space", Computers, Environment and Urban Systems 80 (2020) 101441;
D. Arribas-Bel and M. Fleischmann, "Spatial Signatures", Habitat International 128 (2022) 102641, for the enclosed form.
Ours differs in three things: all blocks are solved in one triangulation, only borders between groups are ever built,
and where such a border would touch a building the building's outline replaces it, so no building is cut.
"""

from __future__ import annotations

import heapq
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid.disjoint import root_of

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHRINK: Final = 0.4
"""Outlines are drawn in by so many metres, so that houses sharing a wall do not share points."""
SPACING: Final = 5.0
"""Longest step between two points of an outline, in metres."""
STEP: Final = 1e-3
"""Grid the points lie on, in metres; at most one point a place."""
SMOOTH: Final = 0.8
"""Group borders are simplified by so many metres (Douglas–Peucker)."""

SMALL_M2: Final = 2_000.0
"""Shops and sheds without households up to this footprint go with the dwellings beside them."""


class Seeds(NamedTuple):
    """Outline points of all blocks, each block moved to a place of its own so that one diagram serves all."""

    points: Floats
    """Moved points, shape (n, 2)."""
    owner: Ints
    """Building of each point; −1 for the far frame that closes the diagram."""
    shift: Floats
    """What to add to a moved point to get it back, per block, shape (blocks, 2)."""


class Cells(NamedTuple):
    """Borders between buildings' cells: segments, the two buildings, and the length inside the block."""

    left: Ints
    right: Ints
    start: Floats
    end: Floats
    metres: Floats


def seed_points(blocks: Geometries, outlines: Geometries, block: Ints) -> Seeds:
    """Points along the drawn-in outlines of buildings, moved block by block.

    blocks: polygons; outlines: what the buildings occupy inside their block, polygonal; block: row of the block of
    each building.
    """
    drawn = shapely.buffer(outlines, -SHRINK, join_style="mitre")
    drawn = np.where(shapely.is_empty(drawn), outlines, drawn)
    points, owner = shapely.get_coordinates(shapely.segmentize(drawn, SPACING), return_index=True)
    return lay_out(blocks, points, owner, block[owner])


def lay_out(blocks: Geometries, points: Floats, owner: Ints, block: Ints) -> Seeds:
    """Points (n, 2) with their owner and block, moved block by block to places where blocks do not meet."""
    bounds = shapely.bounds(blocks)
    centre = (bounds[:, :2] + bounds[:, 2:]) / 2
    reach = np.hypot(*(bounds[:, 2:] - bounds[:, :2]).T)
    side = int(np.ceil(np.sqrt(len(blocks))))
    number = np.arange(len(blocks))
    place = np.column_stack([number % side, number // side]) * (reach.max() * 6)
    shift = centre - place
    # any place in the block is within its diagonal of a building and farther than that from the frame
    angle = np.arange(12) * (np.pi / 6) + 0.1
    frame = place[:, None, :] + 2.2 * reach[:, None, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    moved = np.concatenate([points - shift[block], frame.reshape(-1, 2)])
    moved = np.rint(moved / STEP) * STEP
    names = np.concatenate([owner, np.full(frame.shape[0] * 12, -1)])
    first = np.unique(_key(moved), return_index=True)[1]
    return Seeds(moved[first], names[first], shift)


def cell_borders(blocks: Geometries, block: Ints, seeds: Seeds) -> Cells:
    """Voronoi ridges between points of different buildings, back in place; length counts inside the block only.

    A ridge joins the circumcentres of the two Delaunay triangles beside an edge. GEOS triangulates four times faster
    than Qhull makes the whole diagram, most of which would be thrown away.
    """
    corner, centre = _triangles(seeds.points)
    a, b = corner.ravel(), corner[:, [1, 2, 0]].ravel()
    triangle = np.repeat(np.arange(len(corner)), 3)
    keep = (seeds.owner[a] >= 0) & (seeds.owner[b] >= 0) & (seeds.owner[a] != seeds.owner[b])
    keep[keep] = block[seeds.owner[a[keep]]] == block[seeds.owner[b[keep]]]
    a, b, triangle = a[keep], b[keep], triangle[keep]
    edge = np.minimum(a, b) * len(seeds.points) + np.maximum(a, b)
    order = np.argsort(edge, kind="stable")
    twin = np.flatnonzero(edge[order[1:]] == edge[order[:-1]])
    first, second = order[twin], order[twin + 1]
    pair = np.sort(np.column_stack([seeds.owner[a[first]], seeds.owner[b[first]]]), axis=1)
    of_block = block[pair[:, 0]]
    start = centre[triangle[first]] + seeds.shift[of_block]
    end = centre[triangle[second]] + seeds.shift[of_block]
    with np.errstate(invalid="ignore"):  # the centre of a flat triangle is nowhere
        metres = np.hypot(*(end - start).T)
    real = np.isfinite(metres) & (metres > 0)
    pair, of_block, start, end, metres = pair[real], of_block[real], start[real], end[real], metres[real]
    shapely.prepare(blocks)
    middle = (start + end) / 2
    metres[~shapely.contains_xy(blocks[of_block], middle[:, 0], middle[:, 1])] = 0.0
    return Cells(pair[:, 0], pair[:, 1], start, end, metres)


def _triangles(points: Floats) -> tuple[Ints, Floats]:
    """Delaunay triangles as rows of ``points`` (sorted, on a grid of STEP metres), shape (t, 3), and circumcentres."""
    corners = shapely.get_coordinates(shapely.delaunay_triangles(shapely.linestrings(points)))
    corners = corners.reshape(-1, 4, 2)[:, :3]
    corner = np.searchsorted(_key(points), _key(corners.reshape(-1, 2))).reshape(-1, 3)
    b, c = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b**2).sum(1), (c**2).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (c[:, 1] * bb - b[:, 1] * cc) / twice
        y = (b[:, 0] * cc - c[:, 0] * bb) / twice
    return corner, corners[:, 0] + np.column_stack([x, y])


def _key(points: Floats) -> Ints:
    """One number per point that sorts like (x, y)."""
    steps = np.rint(points / STEP).astype(np.int64)
    return (steps[:, 0] << 32) + steps[:, 1]


def group_buildings(cells: Cells, households: Ints, key: Ints, ground: Floats, most: int) -> Ints:
    """Group number of each building: neighbours of one key joined while they stay within ``most`` households.

    Smallest groups first, each to the neighbour with the longest common border (ties: smallest number). Afterwards
    groups without households and with a footprint of at most SMALL_M2 join any neighbour. A building above ``most``
    stays alone. key: compound or campus; buildings of different keys are never grouped but for that last step. ground:
    footprint in m², infinite for a building that must not join others so.
    """
    n = households.size
    inside = cells.metres > 0
    left, right, metres = cells.left[inside], cells.right[inside], cells.metres[inside]
    a, b, length = np.r_[left, right], np.r_[right, left], np.r_[metres, metres]
    order = np.lexsort((b, a))
    a, b, length = a[order], b[order], length[order]
    first = np.ones(a.size, bool)
    first[1:] = (np.diff(a) != 0) | (np.diff(b) != 0)
    at = np.flatnonzero(first)
    length = np.add.reduceat(length, at) if at.size else length
    indptr = np.searchsorted(a[at], np.arange(n + 1)).astype(np.int64)
    return np.asarray(
        _group(indptr, b[at].astype(np.int64), length, households.astype(np.int64), key, ground, most, SMALL_M2),
        np.int64,
    )


@njit(cache=True, nogil=True)
def _best_neighbour(
    r: int,
    indptr: Any,
    indices: Any,
    metres: Any,
    parent: Any,
    following: Any,
    total: Any,
    key: Any,
    most: int,
    length: Any,
    touched: Any,
) -> int:
    """Root with the longest border to root ``r`` among those it may join; −1 for none. most < 0: any may be joined."""
    found = 0
    i = r
    while i >= 0:
        for e in range(indptr[i], indptr[i + 1]):
            other = root_of(parent, indices[e])
            if other == r or (most >= 0 and (key[other] != key[r] or total[other] + total[r] > most)):
                continue
            if length[other] == 0.0:
                touched[found] = other
                found += 1
            length[other] += metres[e]
        i = following[i]
    best = -1
    for k in range(found):
        other = touched[k]
        if best < 0 or length[other] > length[best] or (length[other] == length[best] and other < best):
            best = other
    for k in range(found):
        length[touched[k]] = 0.0
    return best


@njit(cache=True, nogil=True)
def _link(a: int, b: int, parent: Any, following: Any, last: Any, total: Any) -> int:
    low, high = min(a, b), max(a, b)
    parent[high] = low
    following[last[low]] = high
    last[low] = last[high]
    total[low] += total[high]
    return low


@njit(cache=True, nogil=True)
def _group(
    indptr: Any, indices: Any, metres: Any, households: Any, key: Any, ground: Any, most: int, small: float
) -> Any:
    n = households.size
    parent = np.arange(n)
    following = np.full(n, -1, np.int64)
    last = np.arange(n)
    total = households.copy()
    length = np.zeros(n)
    touched = np.empty(n, np.int64)
    heap = [(total[i], i) for i in range(n)]
    heapq.heapify(heap)
    while len(heap) > 0:
        size, r = heapq.heappop(heap)
        if parent[r] != r or total[r] != size:
            continue
        other = _best_neighbour(r, indptr, indices, metres, parent, following, total, key, most, length, touched)
        if other >= 0:
            low = _link(r, other, parent, following, last, total)
            heapq.heappush(heap, (total[low], low))
    taken = np.zeros(n)
    for i in range(n):
        taken[root_of(parent, i)] += ground[i]
    for r in range(n):
        if parent[r] == r and total[r] == 0 and taken[r] <= small:
            other = _best_neighbour(r, indptr, indices, metres, parent, following, total, key, -1, length, touched)
            if other >= 0:
                low = _link(r, other, parent, following, last, total)
                taken[low] = taken[r] + taken[other]
    for i in range(n):
        parent[i] = root_of(parent, i)
    return parent


def group_borders(blocks: Geometries, block: Ints, cells: Cells, group: Ints) -> Geometries:
    """Smoothed lines between groups, clipped to their block."""
    apart = group[cells.left] != group[cells.right]
    of_block = block[cells.left[apart]]
    ridges = shapely.linestrings(np.stack([cells.start[apart], cells.end[apart]], axis=1))
    across = np.flatnonzero(~shapely.contains_properly(blocks[of_block], ridges))
    ridges[across] = shapely.intersection(ridges[across], blocks[of_block[across]])
    parts, at = shapely.get_parts(ridges, return_index=True)
    line = shapely.get_type_id(parts) == 1
    order = np.argsort(of_block[at[line]], kind="stable")
    parts, at = parts[line][order], of_block[at[line]][order]
    if not len(parts):
        return np.asarray(parts, dtype=object)
    merged = shapely.line_merge(shapely.multilinestrings(parts, indices=np.unique(at, return_inverse=True)[1]))
    return np.asarray(shapely.simplify(shapely.get_parts(merged), SMOOTH), dtype=object)


def nearest_building(seeds: Seeds, points: Geometries, block: Ints) -> Ints:
    """Building nearest to each point by outline points of the point's own block."""
    real = seeds.owner >= 0
    xy = shapely.get_coordinates(points) - seeds.shift[block]
    return np.asarray(seeds.owner[real][cKDTree(seeds.points[real]).query(xy)[1]], np.int64)


def warm() -> None:
    """Compile the kernels now, so that the first user does not wait (they are cached on disk)."""
    one = np.array([1, 1])
    cells = Cells(np.array([0]), np.array([1]), np.zeros((1, 2)), np.ones((1, 2)), np.ones(1))
    group_buildings(cells, one, one, one.astype(float), 60)
