"""Large grounds nobody lives on (parks, scenic areas, works, campuses) divided along their own paths.

Such ground is one unit by default. When it is to be divided further (a scenic special grid into micro-grids, say), it
is cut along the service ways, footpaths and shores on it; faces are joined, smallest first, while they stay below the
wanted area. What has no paths is cut into compact parts: Lloyd's algorithm ("Least squares quantization in PCM", IEEE
Transactions on Information Theory 28, 1982) on a lattice of points, whose Voronoi borders become the cuts. A cut that
meets a building gives way to its outline.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid import topology
from planning.units.blocks import spare
from planning.units.cutting import cut, inside
from planning.units.tessellation import Cells, group_buildings

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_SHARE: Final = 0.1
"""Parts below this share of the wanted area join a neighbour even if the two are above it."""
LEAST_WIDTH: Final = 15.0
"""So do parts of a smaller mean width (2A/P), in metres."""
PATHS: Final = 0.006
"""Metres of path a square metre of park has at least: 60 m a hectare."""
BUILT_SHARE: Final = 0.1
"""Part of a park that is built on at most."""
LAKE_M2: Final = 20_000.0
"""A lake from this size makes a park by it a scenic area."""
LATTICE: Final = 400
"""Points a part of the wanted area is measured by."""
LEAST_COMPACT: Final = 0.3
"""Least mean compactness (Polsby–Popper, weighted by area) of parts made by paths; else the ground is cut anew."""
ROUNDS: Final = 60
"""Rounds of Lloyd's algorithm; it has settled long before."""


def divide_grounds(
    shapes: Geometries, ground: Bools, paths: Geometries, outlines: Geometries, most_m2: float
) -> tuple[Geometries, Ints]:
    """Polygons with every ground above ``most_m2`` divided, and the given polygon each is part of.

    shapes: an exactly noded coverage, and so is the answer; ground: which of them may be divided; paths: lines;
    outlines: building polygons. A part may be above ``most_m2`` only where a building larger than the rest allows is.
    """
    source = np.arange(len(shapes))
    large = ground & (shapely.area(shapes) > most_m2)
    if not large.any():
        return shapes, source
    # along paths
    rows = np.flatnonzero(large)
    faces, source = _cut(shapes, rows, inside(paths, shapes[rows]), outlines)
    label = _grouped(faces, source, large[source], most_m2)
    label = _without_thin(faces, label, source, large)
    shapes = topology.dissolve(faces, label, int(label.max()) + 1)
    source = source[np.unique(label, return_index=True)[1]]
    # across what is still too large
    rows = np.flatnonzero(large[source] & (shapely.area(shapes) > most_m2))
    if not rows.size:
        return shapes, source
    centres, of = _centres(shapes[rows], most_m2)
    faces, part = _cut(shapes, rows, _borders(shapes[rows], centres, of), outlines)
    label = part.copy()
    spots = shapely.get_coordinates(shapely.point_on_surface(faces))
    for number, row in enumerate(rows.tolist()):
        mine, own = np.flatnonzero(part == row), np.flatnonzero(of == number)
        label[mine] = len(shapes) + own[cKDTree(centres[own]).query(spots[mine])[1]]
    label = _settled(faces, label, part, most_m2, np.isin(part, rows))
    first = np.unique(label, return_index=True)[1]
    return topology.dissolve(faces, label, int(label.max()) + 1), source[part[first]]


def open_grounds(
    shapes: Geometries, ground: Bools, paths: Geometries, lakes: Geometries, outlines: Geometries
) -> NDArray[np.object_]:
    """park or scenic for grounds with many paths and hardly a building (scenic where a large lake is), else other."""
    out = np.full(len(shapes), "other", dtype=object)
    rows = np.flatnonzero(ground)
    if not rows.size:
        return out
    metres, built = np.zeros(rows.size), np.zeros(rows.size)
    tree = shapely.STRtree(shapes[rows])
    path, at = tree.query(paths, predicate="intersects")
    np.add.at(metres, at, shapely.length(shapely.intersection(paths[path], shapes[rows[at]])))
    house, at = tree.query(outlines, predicate="intersects")
    np.add.at(built, at, shapely.area(shapely.intersection(outlines[house], shapes[rows[at]])))
    m2 = shapely.area(shapes[rows])
    green = (metres >= PATHS * m2) & (built <= BUILT_SHARE * m2)
    out[rows[green]] = "park"
    large = lakes[shapely.area(lakes) >= LAKE_M2]
    beside = np.unique(tree.query(large, predicate="dwithin", distance=1.0)[1])
    out[rows[beside[green[beside]]]] = "scenic"
    return out


def _cut(shapes: Geometries, rows: Ints, lines: Geometries, outlines: Geometries) -> tuple[Geometries, Ints]:
    """Faces after some polygons were cut along lines inside them, buildings spared, and the polygon each lies in."""
    solid = spare(outlines[np.unique(shapely.STRtree(shapes[rows]).query(outlines, predicate="intersects")[0])], lines)
    if len(solid):
        lines = shapely.get_parts(shapely.difference(lines, shapely.union_all(solid)))
        lines = np.concatenate([lines, inside(shapely.boundary(solid), shapes[rows])])
    return cut(shapes, rows, lines)


def _grouped(faces: Geometries, source: Ints, large: Bools, most_m2: float) -> Ints:
    """Label of each face: those of one ground joined while they stay within the area."""
    edges = topology.edges(faces)
    m2 = np.where(large, np.ceil(shapely.area(faces)), 2 * np.ceil(most_m2)).astype(np.int64)
    cells = Cells(edges.left, edges.right, edges.start, edges.end, edges.metres)
    group = group_buildings(cells, m2, source, np.full(len(faces), np.inf), int(most_m2))
    return _settled(faces, group, source, most_m2, large)


def _settled(faces: Geometries, label: Ints, source: Ints, most_m2: float, large: Bools) -> Ints:
    """Labels 0… of connected parts, the too small and too narrow of the divided ones given to a neighbour."""
    borders = topology.borders(topology.edges(faces))
    piece = topology.components(np.unique(label, return_inverse=True)[1], borders)
    count = int(piece.max()) + 1
    parts = topology.dissolve(faces, piece, count)
    m2 = shapely.area(parts)
    divided, of = np.zeros(count, bool), np.zeros(count, np.int64)
    divided[piece], of[piece] = large, source
    small = divided & ((m2 < LEAST_SHARE * most_m2) | (2 * m2 < LEAST_WIDTH * shapely.length(parts)))
    joined, _ = topology.absorb(np.arange(count), small, topology.borders(topology.edges(parts)), groups=of)
    return np.asarray(np.unique(joined[piece], return_inverse=True)[1], np.int64)


def _without_thin(faces: Geometries, label: Ints, source: Ints, large: Bools) -> Ints:
    """Labels with the division of a ground undone whose parts are but strips, as along the shore of a lake."""
    parts = topology.dissolve(faces, label, int(label.max()) + 1)
    of = source[np.unique(label, return_index=True)[1]]
    m2 = shapely.area(parts)
    compact = 4 * np.pi * m2 / shapely.length(parts) ** 2
    count = len(large)
    mean = np.bincount(of, m2 * compact, minlength=count) / np.maximum(np.bincount(of, m2, minlength=count), 1.0)
    undone = large & (mean < LEAST_COMPACT)
    out = np.where(undone[source], len(faces) + source, label)
    return np.asarray(np.unique(out, return_inverse=True)[1], np.int64)


def _centres(polygons: Geometries, most_m2: float) -> tuple[Floats, Ints]:
    """Centres of compact parts of at most ``most_m2`` each, and the polygon they belong to."""
    centres, of = [], []
    for row, polygon in enumerate(polygons):
        points = _lattice(polygon, np.sqrt(most_m2 / LATTICE))
        count = int(np.ceil(shapely.area(polygon) / most_m2))
        found = _lloyd(points, count)
        while np.bincount(cKDTree(found).query(points)[1]).max() > LATTICE and count < len(points):
            count += 1
            found = _lloyd(points, count)
        centres.append(found)
        of.append(np.full(len(found), row))
    return np.concatenate(centres), np.concatenate(of)


def _lattice(polygon: shapely.Polygon, step: float) -> Floats:
    west, south, east, north = shapely.bounds(polygon)
    x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
    xy = np.column_stack([x.ravel(), y.ravel()])
    shapely.prepare(polygon)
    return np.asarray(xy[shapely.contains_xy(polygon, xy[:, 0], xy[:, 1])], np.float64)


def _lloyd(points: Floats, count: int) -> Floats:
    """Centres of ``count`` clusters, started evenly along the longest axis of the points: no chance in it."""
    middle = points - points.mean(axis=0)
    along = middle @ np.linalg.eigh(middle.T @ middle)[1][:, -1]
    order = np.argsort(along, kind="stable")
    centres = points[order[((np.arange(count) + 0.5) * len(points) / count).astype(np.int64)]]
    for _ in range(ROUNDS):
        own = cKDTree(centres).query(points)[1]
        held = np.bincount(own, minlength=count)
        sums = np.column_stack([np.bincount(own, points[:, i], minlength=count) for i in (0, 1)])
        moved = np.where(held[:, None] > 0, sums / np.maximum(held, 1)[:, None], centres)
        if np.abs(moved - centres).max() < 0.01:
            return moved
        centres = moved
    return centres


def _borders(polygons: Geometries, centres: Floats, of: Ints) -> Geometries:
    """Voronoi borders of each polygon's centres inside it."""
    out = []
    for row, polygon in enumerate(polygons):
        own = shapely.multipoints(centres[of == row])
        ridges = shapely.voronoi_polygons(own, extend_to=polygon, only_edges=True)
        out.append(inside(shapely.get_parts(shapely.get_parts(ridges)), np.array([polygon], dtype=object)))
    return np.concatenate(out)
