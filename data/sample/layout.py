"""Blocks of a sample district: the terrain is noded, thin slivers are removed, large blocks are cut by streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.spatial import cKDTree

from data.sample.base import (
    CANAL,
    RAIL,
    RESIDENTIAL,
    RIVER,
    SECONDARY,
    TERTIARY,
    Bools,
    Floats,
    Geoms,
    Ints,
    LineBook,
    Name,
    Rng,
    longest_parts,
)
from data.sample.names import STREET_ENDS, stems, with_end
from data.sample.planar import PlanarMap, build, end_nodes
from data.sample.scenarios import Scenario
from data.sample.terrain import Terrain, make_terrain

ZONES: Final = ("old", "inner", "new", "industrial", "village", "strip", "lake")
OLD, INNER, NEW, INDUSTRIAL, VILLAGE, STRIP, LAKE = range(7)
_BLOCK_M2: Final = np.array([15_000.0, 42_000.0, 46_000.0, 85_000.0, 36_000.0, np.inf, np.inf])
_TURN_DEG: Final = np.array([9.0, 4.0, 5.0, 2.5, 9.0, 0.0, 0.0])


@dataclass(frozen=True)
class Layout:
    """Blocks and the streets around them. ``names`` has one name an edge of ``map``; ``zone`` one zone a face."""

    terrain: Terrain
    map: PlanarMap
    names: list[Name]
    zone: Ints


def mean_width(polygons: Geoms) -> Floats:
    """Twice the area over the perimeter: the width of a long strip, in metres."""
    width: Floats = 2 * shapely.area(polygons) / np.maximum(shapely.length(polygons), 1e-9)
    return width


def touches(pm: PlanarMap, cls: tuple[int, ...]) -> Bools:
    """Mask of faces with an edge of one of the classes."""
    out = np.zeros(len(pm.faces) + 1, dtype=np.bool_)
    pick = np.isin(pm.cls, cls)
    out[pm.left[pick]] = True
    out[pm.right[pick]] = True
    return out[:-1]


def _rebuild(pm: PlanarMap, names: list[Name], keep: Bools) -> tuple[PlanarMap, list[Name]]:
    new = build(pm.edges[keep], pm.cls[keep])
    kept = [name for name, k in zip(names, keep, strict=True) if k]
    return new, [kept[i] for i in new.src]


def _drop_slivers(pm: PlanarMap, names: list[Name], narrow: float) -> tuple[PlanarMap, list[Name]]:
    """Remove the longest minor street beside each block too thin to build on."""
    for _ in range(4):
        thin = (mean_width(pm.faces) < narrow) & ~touches(pm, (RIVER, CANAL, RAIL))
        if not thin.any():
            break
        inner = (pm.left >= 0) & (pm.right >= 0) & (pm.cls >= SECONDARY) & (pm.cls <= RESIDENTIAL)
        beside = inner & (thin[pm.left] | thin[pm.right])
        rows = np.flatnonzero(beside)
        if not len(rows):
            break
        face = np.where(thin[pm.left[rows]], pm.left[rows], pm.right[rows])
        order = np.lexsort((-shapely.length(pm.edges[rows]), -pm.cls[rows], face))
        _, first = np.unique(face[order], return_index=True)
        keep = np.ones(len(pm.edges), dtype=np.bool_)
        keep[rows[order][first]] = False
        pm, names = _rebuild(pm, names, keep)
    return pm, names


def _zones(sc: Scenario, terrain: Terrain, pm: PlanarMap, rng: Rng) -> Ints:
    """One zone for each superblock: old lanes round the core, towers by the lake, industry beyond the railway,
    villages at the fringe, by the scenario's shares of the land."""
    zone = np.full(len(pm.faces), INNER, dtype=np.int64)
    strip = touches(pm, (RIVER, CANAL, RAIL)) & (mean_width(pm.faces) < 90)
    centre = shapely.get_coordinates(shapely.centroid(pm.faces))
    size = np.array([sc.width, sc.height])
    from_core = np.hypot(*((centre - terrain.core) / size).T)
    noise = rng.uniform(-1, 1, len(zone))
    if terrain.lake is not None:
        strip_or_lake = strip | shapely.within(shapely.point_on_surface(pm.faces), terrain.lake_zone)
        zone[strip_or_lake & ~strip] = LAKE
        from_lake = shapely.distance(pm.faces, terrain.lake) / sc.width
    else:
        strip_or_lake = strip
        from_lake = 1 - from_core
    zone[strip] = STRIP
    free = ~strip_or_lake
    land = shapely.area(pm.faces[free]).sum()
    northeast = -(centre[:, 0] / sc.width + 0.5 * centre[:, 1] / sc.height) + 0.06 * noise
    fringe = -np.abs(centre / size).max(axis=1) + 0.11 * noise
    scores = {OLD: from_core + 0.03 * noise, INDUSTRIAL: northeast, VILLAGE: fringe, NEW: from_lake + 0.16 * noise}
    for kind, share in ((OLD, sc.mix[0]), (INDUSTRIAL, sc.mix[2]), (VILLAGE, sc.mix[3]), (NEW, sc.mix[1])):
        left = share * land
        rows = np.flatnonzero(free & (zone == INNER))
        for row in rows[np.argsort(scores[kind][rows], kind="stable")]:
            area = float(shapely.area(pm.faces[row]))
            if left < area / 2:
                break
            zone[row] = kind
            left -= area
    return zone


def _chords(faces: Geoms, zone: Ints, nodes: Floats, rng: Rng) -> Geoms:
    """A slightly bent cut across the short side of each block, its ends snapped to junctions close by."""
    box = shapely.get_coordinates(shapely.oriented_envelope(faces)).reshape(-1, 5, 2)
    one, two = box[:, 1] - box[:, 0], box[:, 2] - box[:, 1]
    flip = np.hypot(*one.T) < np.hypot(*two.T)
    long = np.where(flip[:, None], two, one)
    length = np.hypot(*long.T)
    axis = long / length[:, None]
    short = np.where(flip, np.hypot(*one.T), np.hypot(*two.T))
    turn = np.deg2rad(rng.normal(0, 1, len(faces)) * _TURN_DEG[zone])
    across = np.column_stack(
        [-axis[:, 1] * np.cos(turn) - axis[:, 0] * np.sin(turn), axis[:, 0] * np.cos(turn) - axis[:, 1] * np.sin(turn)]
    )
    middle = (
        shapely.get_coordinates(shapely.centroid(faces)) + axis * (rng.uniform(-0.1, 0.1, len(faces)) * length)[:, None]
    )
    t = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    bend = rng.normal(0, 0.035, len(faces)) * short
    points = (
        middle[:, None, :]
        + across[:, None, :] * (t[None, :] * length[:, None])[:, :, None]
        + axis[:, None, :] * (bend[:, None] * (1 - (2 * t[None, :]) ** 2))[:, :, None]
    )
    cut = longest_parts(shapely.intersection(shapely.linestrings(points), faces))
    found = np.flatnonzero([line is not None for line in cut])
    return _snap(cut[found], faces[found], np.where(zone[found] == OLD, 12.0, 26.0), nodes)


def _snap(lines: Geoms, faces: Geoms, reach: Floats, nodes: Floats) -> Geoms:
    coords, row = shapely.get_coordinates(lines, return_index=True)
    first = np.searchsorted(row, np.arange(len(lines)))
    last = np.concatenate([first[1:], [len(row)]]) - 1
    moved = coords.copy()
    tree = cKDTree(nodes)
    for at in (first, last):
        gap, which = tree.query(coords[at], distance_upper_bound=40.0)
        near = gap < reach
        moved[at[near]] = nodes[which[near]]
    snapped = shapely.set_coordinates(lines.copy(), moved)
    fine = shapely.covered_by(snapped, shapely.buffer(faces, 0.5)) & (shapely.length(snapped) > 30)
    return np.where(fine, snapped, lines)


def _junctions(pm: PlanarMap) -> Floats:
    a, b = end_nodes(pm.edges)
    ends = np.concatenate(
        [
            shapely.get_coordinates(shapely.get_point(pm.edges, 0)),
            shapely.get_coordinates(shapely.get_point(pm.edges, -1)),
        ]
    )
    number = np.concatenate([a, b])
    degree = np.bincount(number)
    _, first = np.unique(number, return_index=True)
    return ends[first[degree >= 3]]


def _subdivide(
    sc: Scenario, terrain: Terrain, pm: PlanarMap, names: list[Name], rng: Rng
) -> tuple[PlanarMap, list[Name], Ints]:
    superblocks, superzone = pm.faces, _zones(sc, terrain, pm, rng)
    tree = shapely.STRtree(superblocks)
    pool = iter(stems(rng, 6000))
    scale = min(1.0, sc.spacing / 560)
    for _ in range(9):
        at, block = tree.query(shapely.point_on_surface(pm.faces), predicate="within")
        zone = np.full(len(pm.faces), INNER, dtype=np.int64)
        zone[at] = superzone[block]
        area = shapely.area(pm.faces)
        limit = _BLOCK_M2[zone] * rng.uniform(0.75, 1.45, len(zone)) * scale
        farm = (zone == VILLAGE) & (rng.random(len(zone)) < 0.12)
        large = (area > limit) & ~farm
        if not large.any():
            break
        cuts = _chords(pm.faces[large], zone[large], _junctions(pm), rng)
        book = LineBook()
        book.add(pm.edges, pm.cls, names)
        book.add(
            cuts,
            np.where(area[large][: len(cuts)] > 150_000, TERTIARY, RESIDENTIAL),
            [with_end(next(pool), STREET_ENDS[int(k)]) for k in rng.integers(0, 2, len(cuts))],
        )
        lines, cls = book.arrays()
        pm = build(lines, cls)
        names = [book.names[i] for i in pm.src]
    pm, names = _drop_slivers(pm, names, 22.0)
    at, block = tree.query(shapely.point_on_surface(pm.faces), predicate="within")
    zone = np.full(len(pm.faces), INNER, dtype=np.int64)
    zone[at] = superzone[block]
    return pm, names, zone


def make_layout(sc: Scenario, rng: Rng) -> Layout:
    """Terrain, blocks and zones of a scenario."""
    terrain = make_terrain(sc, rng)
    lines, cls = terrain.lines.arrays()
    pm = build(lines, cls)
    names = [terrain.lines.names[i] for i in pm.src]
    pm, names = _drop_slivers(pm, names, 34.0)
    pm, names, zone = _subdivide(sc, terrain, pm, names, rng)
    return Layout(terrain, pm, names, zone)
