"""Blocks: the faces between streets, railways, rivers, walls and community outlines.

Boundaries run on the lines as mapped. A line that runs through a building gives way: the building's outline becomes
the boundary and the whole building stays in one block. Strips between the carriageways of one road, traffic islands
and other crumbs without buildings join a neighbour, never across a river.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid import metrics, topology

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

BORDER_CLASSES: Final = ("river", "primary", "secondary", "tertiary", "residential", "rail", "wall")
"""Street classes (column cls) blocks are cut along; service ways and footpaths are not."""
BORDER_HIGHWAYS: Final = frozenset(
    {"motorway", "trunk", "primary", "secondary", "tertiary", "residential", "living_street", "unclassified", "road"}
    | {f"{name}_link" for name in ("motorway", "trunk", "primary", "secondary", "tertiary")}
)
"""OSM highway values that count when a street layer has no cls."""
RIVER_KINDS: Final = ("river", "canal")
WATER_M2: Final = 5_000.0
"""Smaller ponds cut no block."""
CRUMB_M2: Final = 800.0
"""Faces without buildings up to so many m² join a neighbour."""
CRUMB_WIDTH: Final = 15.0
"""Faces without buildings with a mean width (2A/P) up to so many metres join a neighbour."""
CRACK_M2: Final = 1.0
"""Faces up to so many m² may join a neighbour across a river."""
SLIVER_M2: Final = 0.01
"""Faces up to so many m² may join a neighbour in another community."""
CUT_M2: Final = 0.05
"""A building with less than this beyond a line is not cut by it."""


class Barriers(NamedTuple):
    """Lines blocks are cut along, and which of them are rivers."""

    lines: Geometries
    rivers: Geometries


class Blocks(NamedTuple):
    """Blocks as an exactly noded coverage of the zone, and the zone row (community) of each."""

    polygons: Geometries
    community: Ints


def barriers(
    streets: gpd.GeoDataFrame | None,
    water: gpd.GeoDataFrame | None,
    walls: gpd.GeoDataFrame | None,
    bounds: tuple[float, float, float, float],
    *,
    classes: tuple[str, ...] = BORDER_CLASSES,
) -> Barriers:
    """Border lines inside ``bounds`` of layers in one metric CRS. Tunnels bound nothing on the ground.

    A river mapped as an area with its centreline inside is cut along the centreline; lakes, and rivers without one,
    along their banks.
    """
    roads, street_rivers = _street_lines(streets, bounds, classes)
    river_lines, banks = _water_lines(water, bounds)
    rivers = np.concatenate([street_rivers, river_lines, banks])
    fences = _clipped(walls, bounds) if walls is not None else _nothing()
    return Barriers(np.concatenate([roads, rivers, fences]), rivers)


def make_blocks(zone: Geometries, found: Barriers, outlines: Geometries) -> Blocks:
    """Divide the zone along barriers.

    zone: outlines of communities, an exactly noded coverage; outlines: building polygons. All in one metric CRS.
    Every block is one polygon inside one community.
    """
    spared = spare(outlines, found.lines)
    borders = np.concatenate([shapely.boundary(zone), found.lines, shapely.boundary(spared)])
    faces = topology.faces(borders)
    inside = shapely.point_on_surface(faces)
    community = first_hit(zone, inside)
    faces, inside, community = faces[community >= 0], inside[community >= 0], community[community >= 0]
    shared = topology.edges(faces)
    labels = _join_spared(faces, first_hit(spared, inside), community, topology.borders(shared))
    labels = _join_crumbs(faces, labels, community, shared, outlines, found.rivers)
    labels = topology.components(labels, topology.borders(shared))
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
        return _nothing()
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


def _join_spared(faces: Geometries, building: Ints, community: Ints, shared: topology.Borders) -> Ints:
    """Labels of faces: those inside one spared building (in one community) go together to one neighbour."""
    key = np.where(building >= 0, community * (building.max(initial=0) + 1) + building, -1)
    labels = np.arange(len(faces))
    in_building = np.flatnonzero(building >= 0)
    _, first, which = np.unique(key[in_building], return_index=True, return_inverse=True)
    labels[in_building] = in_building[first][which]
    pairs = _between_labels(labels, shared)
    loose = np.zeros(len(faces), bool)
    loose[labels[in_building]] = True
    merged, _ = topology.absorb(np.arange(len(faces)), loose, pairs, groups=community)
    return merged[labels]


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


def _join_crumbs(
    faces: Geometries,
    labels: Ints,
    community: Ints,
    shared: topology.Edges,
    outlines: Geometries,
    rivers: Geometries,
) -> Ints:
    """Labels after strips, islands and crumbs without buildings joined the neighbour with the longest border."""
    values, dense = np.unique(labels, return_inverse=True)
    blocks = topology.dissolve(faces, dense, values.size)
    m2, metres = shapely.area(blocks), shapely.length(blocks)
    built = np.zeros(values.size, bool)
    owner = largest_part(outlines, blocks)
    built[owner[owner >= 0]] = True
    crumb = ~built & ((m2 <= CRUMB_M2) | (2 * m2 <= CRUMB_WIDTH * metres))
    left, right = dense[shared.left], dense[shared.right]
    near = (left != right) & (crumb[left] | crumb[right])
    edge = topology.Edges(left[near], right[near], shared.metres[near], shared.start[near], shared.end[near])
    dry = ~metrics.near_lines(edge.middle, rivers, 0.05)
    low, high = np.minimum(edge.left, edge.right)[dry], np.maximum(edge.left, edge.right)[dry]
    order = np.lexsort((high, low))
    pairs = topology.borders(
        topology.Edges(low[order], high[order], edge.metres[dry][order], edge.start[:0], edge.end[:0])
    )
    block_community = np.zeros(values.size, np.int64)
    block_community[dense] = community
    merged, still = topology.absorb(np.arange(values.size), crumb, pairs, groups=block_community)
    merged = join_cracks(merged, still, m2, _between_labels(dense, topology.borders(shared)), block_community)
    return merged[dense]


def _street_lines(
    streets: gpd.GeoDataFrame | None, bounds: tuple[float, float, float, float], classes: tuple[str, ...]
) -> tuple[Geometries, Geometries]:
    if streets is None or not len(streets):
        return _nothing(), _nothing()
    if "cls" in streets:
        wanted = streets["cls"].isin(classes)
        river = streets["cls"] == "river"
    else:
        named = streets["highway"] if "highway" in streets else pd.Series("road", index=streets.index)
        wanted = named.isin(BORDER_HIGHWAYS)
        river = pd.Series(False, index=streets.index)
    if "tunnel" in streets:
        wanted &= ~streets["tunnel"].fillna(False).astype(bool)
    return _clipped(streets[wanted & ~river], bounds), _clipped(streets[wanted & river], bounds)


def _water_lines(
    water: gpd.GeoDataFrame | None, bounds: tuple[float, float, float, float]
) -> tuple[Geometries, Geometries]:
    if water is None or not len(water):
        return _nothing(), _nothing()
    kind = water["kind"] if "kind" in water else pd.Series("river", index=water.index)
    lines = _clipped(water[kind.isin(RIVER_KINDS) & _is_line(water)], bounds)
    bodies, _ = topology.polygon_parts(np.asarray(water.geometry[~_is_line(water)]))
    bodies = shapely.get_parts(shapely.clip_by_rect(bodies, *bounds))
    bodies = bodies[shapely.area(bodies) >= WATER_M2]
    if not len(bodies):
        return lines, _nothing()
    # a river's area is long: half its outline is about its length, which a centreline would run through
    inside = np.zeros(len(bodies))
    if len(lines):
        body, line = shapely.STRtree(lines).query(bodies, predicate="intersects")
        np.add.at(inside, body, shapely.length(shapely.intersection(bodies[body], lines[line])))
    centred = inside >= 0.25 * shapely.length(bodies)
    return lines, shapely.get_parts(shapely.boundary(bodies[~centred]))


def _is_line(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    return np.isin(shapely.get_type_id(np.asarray(frame.geometry)), (1, 2, 5))


def _clipped(frame: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> Geometries:
    """Line strings of a layer inside the bounds; outlines of polygons count as lines, points as nothing."""
    geoms = np.asarray(frame.geometry)
    geoms = shapely.force_2d(geoms[~(shapely.is_missing(geoms) | shapely.is_empty(geoms))])
    area = np.isin(shapely.get_type_id(geoms), (3, 6))
    geoms[area] = shapely.boundary(geoms[area])
    parts = shapely.get_parts(shapely.clip_by_rect(geoms, *bounds))
    parts = parts[np.isin(shapely.get_type_id(parts), (1, 2)) & ~shapely.is_empty(parts)]
    return np.asarray(parts, dtype=object)


def _nothing() -> Geometries:
    return np.empty(0, dtype=object)
