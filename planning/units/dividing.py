"""Divide crowded blocks into units along their buildings, and put everything back together as one exact coverage."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gisgrid import metrics, topology
from gisgrid.overlay import largest_part
from planning.units import tessellation
from planning.units.blocks import CRACK_M2, CUT_M2, Blocks, filled, first_hit, join_cracks

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

CAMPUS_M2: Final = 2_000.0
"""Footprint a school, hospital or works must have in a block of dwellings to become a unit of its own."""


class Dwellings(NamedTuple):
    """What dividing needs of buildings, all shape (n,)."""

    outlines: Geometries
    households: Ints
    compound: Ints
    """Number of the compound, −1 for none."""
    campus: Ints
    """Number of the special kind (school, hospital …) of a building nobody lives in, −1 for others."""


class Pieces(NamedTuple):
    """Buildings of crowded blocks, overlapping ones joined: what cells are made of."""

    shapes: Geometries
    block: Ints
    """Row of the crowded block."""
    households: Ints
    key: Ints
    """Same number: may share a unit."""
    ground: NDArray[np.float64]
    """Footprint in m², infinite for a campus."""


def divide(blocks: Blocks, known: Dwellings, most: int) -> tuple[Geometries, Ints]:
    """Unit polygons and the block of each: crowded blocks divided, all others whole.

    A block is crowded when its households are above ``most``, or several compounds or a campus and dwellings share it.
    """
    owner = largest_part(known.outlines, blocks.polygons)
    crowded = _crowded(owner, known, len(blocks.polygons), most)
    rows = np.flatnonzero(crowded)
    if not rows.size:
        return blocks.polygons, np.arange(len(blocks.polygons))
    inner = blocks.polygons[rows]
    pieces = _pieces(inner, rows, owner, known)
    seeds = tessellation.seed_points(inner, pieces.shapes, pieces.block)
    cells = tessellation.cell_borders(inner, pieces.block, seeds)
    group = tessellation.group_buildings(cells, pieces.households, pieces.key, pieces.ground, most)
    lines = tessellation.group_borders(inner, pieces.block, cells, group)
    met = np.zeros(len(pieces.shapes), bool)
    met[shapely.STRtree(pieces.shapes).query(metrics.segments(lines), predicate="intersects")[1]] = True
    faces = topology.faces(
        np.concatenate([shapely.boundary(blocks.polygons), lines, shapely.boundary(pieces.shapes[met])])
    )
    inside = shapely.point_on_surface(faces)
    block = first_hit(blocks.polygons, inside)
    faces, inside, block = faces[block >= 0], inside[block >= 0], block[block >= 0]
    return _joined_units(faces, inside, block, blocks.community, rows, pieces, met, group, seeds)


def _crowded(owner: Ints, known: Dwellings, count: int, most: int) -> NDArray[np.bool_]:
    held = owner >= 0
    block, households = owner[held], known.households[held]
    total = np.bincount(block, households, minlength=count)
    buildings = np.bincount(block, minlength=count)
    lived = households > 0
    pairs = np.unique(np.column_stack([block[lived], known.compound[held][lived]]), axis=0)
    compounds = np.bincount(pairs[pairs[:, 1] >= 0, 0], minlength=count)
    campus = np.bincount(block, shapely.area(known.outlines[held]) * (known.campus[held] >= 0), minlength=count)
    mixed = (compounds > 1) | ((campus >= CAMPUS_M2) & (total > 0))
    return ((total > most) | mixed) & (buildings > 1)


def _pieces(inner: Geometries, rows: Ints, owner: Ints, known: Dwellings) -> Pieces:
    member = np.flatnonzero(np.isin(owner, rows))
    block = np.searchsorted(rows, owner[member])
    shapes = _clip(filled(known.outlines[member]), inner[block])
    cluster = _overlapping(shapes, block)
    count = int(cluster.max()) + 1
    first = np.unique(cluster, return_index=True)[1]
    joined = shapes[first]
    several = np.flatnonzero(np.bincount(cluster) > 1)
    order = np.argsort(cluster, kind="stable")
    ends = np.cumsum(np.bincount(cluster))
    for c in several.tolist():
        joined[c] = filled([shapely.union_all(shapes[order[ends[c - 1] if c else 0 : ends[c]]])])[0]
    households = np.bincount(cluster, known.households[member], minlength=count).astype(np.int64)
    # the building with most households, else the largest, speaks for a cluster
    m2 = shapely.area(shapes)
    order = np.lexsort((np.arange(member.size), -m2, -known.households[member], cluster))
    speaker = member[order[np.unique(cluster[order], return_index=True)[1]]]
    block = block[first]
    campus = np.where(households > 0, -1, known.campus[speaker])
    kinds = int(known.campus.max(initial=0)) + 1
    in_campus = np.flatnonzero(campus >= 0)
    where = block[in_campus] * kinds + campus[in_campus]
    large = np.bincount(where, shapely.area(joined[in_campus]), minlength=len(inner) * kinds) >= CAMPUS_M2
    campus[in_campus[~large[where]]] = -1
    key = np.where(campus >= 0, -2 - campus, known.compound[speaker])
    return Pieces(joined, block, households, key, np.where(campus < 0, shapely.area(joined), np.inf))


def _clip(shapes: Geometries, blocks: Geometries) -> Geometries:
    """What of each shape lies in its block (a community outline may run through it)."""
    shapely.prepare(blocks)
    out = shapes.copy()
    across = np.flatnonzero(~shapely.covers(blocks, shapes))
    parts, row = topology.polygon_parts(shapely.intersection(shapes[across], blocks[across]))
    out[across[np.unique(row)]] = shapely.multipolygons(parts, indices=np.unique(row, return_inverse=True)[1])
    return out


def _overlapping(shapes: Geometries, block: Ints) -> Ints:
    """Cluster number of each shape: shapes of one block that overlap go together, numbered as first met."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = (left < right) & (block[left] == block[right])
    left, right = left[pair], right[pair]
    deep = shapely.area(shapely.intersection(shapes[left], shapes[right])) > CUT_M2
    left, right = left[deep], right[deep]
    graph = coo_matrix((np.ones(left.size), (left, right)), shape=(len(shapes),) * 2)
    number = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(number, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _joined_units(
    faces: Geometries,
    inside: Geometries,
    block: Ints,
    community: Ints,
    rows: Ints,
    pieces: Pieces,
    met: NDArray[np.bool_],
    group: Ints,
    seeds: Any,
) -> tuple[Geometries, Ints]:
    labels = len(pieces.shapes) + block
    divided = np.flatnonzero(np.isin(block, rows))
    labels[divided], home = _labels(faces[divided], inside[divided], block[divided], rows, pieces, met, group, seeds)
    shared = topology.borders(topology.edges(faces))
    labels = topology.components(labels, shared, least_metres=0.01)
    m2 = shapely.area(faces)
    settled = np.zeros(int(labels.max()) + 1, bool)
    settled[labels[np.isin(block, rows, invert=True)]] = True
    settled[labels[divided[home]]] = True
    settled &= np.bincount(labels, m2) > CRACK_M2
    labels, still = topology.absorb(labels, ~settled[labels], shared, groups=block)
    labels = join_cracks(labels, still, m2, shared, community[block])
    labels = topology.components(labels, shared)
    count = int(labels.max()) + 1
    unit_block = np.zeros(count, np.int64)
    by_size = np.argsort(m2, kind="stable")  # the largest face of a unit speaks for it
    unit_block[labels[by_size]] = block[by_size]
    return topology.dissolve(faces, labels, count), unit_block


def _labels(
    faces: Geometries,
    inside: Geometries,
    block: Ints,
    rows: Ints,
    pieces: Pieces,
    met: NDArray[np.bool_],
    group: Ints,
    seeds: Any,
) -> tuple[Ints, Ints]:
    """Group of each face of a divided block, and the faces that hold buildings.

    A face inside a building is the building's; one around buildings theirs (most ground decides); an empty one goes
    to the nearest building.
    """
    at = np.searchsorted(rows, block)
    label = group[tessellation.nearest_building(seeds, inside, at)]
    spots = shapely.point_on_surface(pieces.shapes)
    face = first_hit(faces, spots)
    spot = np.flatnonzero(face >= 0)
    ground = shapely.area(pieces.shapes)
    order = spot[np.lexsort((spot, -ground[spot], face[spot]))]
    home, first = np.unique(face[order], return_index=True)
    label[home] = group[order[first]]
    outlined = np.flatnonzero(met)
    within = first_hit(pieces.shapes[outlined], inside)
    label[within >= 0] = group[outlined[within[within >= 0]]]
    return label, home
