"""Parks, ponds, the lake shore and the river banks: their paths, pavilions and embankments."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from data.sample.base import CANAL, FOOT, RIVER, Floats, Geoms, Ints, Rng, lines_only
from data.sample.fabric import Paths, Stock
from data.sample.layout import LAKE, Layout
from data.sample.shapes import COURT, OCTAGON, RECT, place
from data.sample.terrain import Corridor, Terrain


def _bent(start: Floats, stop: Floats, bend: Floats) -> Geoms:
    """Curved lines between point pairs; ``bend`` is the sag in metres."""
    t = np.linspace(0, 1, 9)
    run = stop - start
    normal = np.column_stack([-run[:, 1], run[:, 0]]) / np.maximum(np.hypot(*run.T), 1e-9)[:, None]
    points = start[:, None, :] + run[:, None, :] * t[None, :, None]
    points += normal[:, None, :] * (bend[:, None] * np.sin(np.pi * t)[None, :])[:, :, None]
    lines: Geoms = shapely.linestrings(points)
    return lines


def _pavilions(points: Floats, face: Ints, rng: Rng, size: tuple[float, float], kind: str) -> Stock:
    n = len(points)
    shape = np.array([OCTAGON, RECT, COURT])[rng.choice(3, n, p=[0.4, 0.4, 0.2])]
    side = rng.uniform(*size, n)
    polygons = place(
        shape, points[:, 0], points[:, 1], side, side * rng.uniform(0.7, 1.0, n), rng.uniform(-0.3, 0.3, n)
    )
    names = np.full(n, kind, dtype=object)
    return Stock(polygons, face, names, rng.integers(1, 3, n), np.ones(n, np.int64), np.full(n, 1, np.int64))


def parks(faces: Ints, blocks: Geoms, land: Geoms, rng: Rng) -> tuple[Stock, Paths, Geoms, Geoms]:
    """Parks: a pond with a path round it, bent paths to the streets, pavilions, a hedge. Returns also ponds, hedges."""
    n = len(faces)
    centre = shapely.get_coordinates(shapely.point_on_surface(land))
    radius = np.sqrt(shapely.area(land)) * rng.uniform(0.13, 0.22, n)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = 1 + 0.22 * np.sin(2 * angle[None, :] + rng.uniform(0, 6.3, n)[:, None])
    wobble += 0.12 * np.sin(3 * angle[None, :] + rng.uniform(0, 6.3, n)[:, None])
    ring = centre[:, None, :] + (radius[:, None] * wobble)[:, :, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    pond = shapely.polygons(ring)
    shore = shapely.simplify(shapely.buffer(pond, 7.0, quad_segs=2), 0.3)
    fits = shapely.covered_by(shore, shapely.buffer(land, -4.0)) & (radius > 12)
    base = rng.uniform(0, np.pi, n)
    reach = np.sqrt(shapely.area(land)) * 2
    parts, owner = [], []
    for turn in (0.0, 0.9, 1.9):
        heading = np.column_stack([np.cos(base + turn), np.sin(base + turn)]) * reach[:, None]
        path = _bent(centre - heading, centre + heading, rng.uniform(-0.06, 0.06, n) * reach)
        path = shapely.intersection(path, blocks)
        path = np.where(fits, shapely.difference(path, shore), path)
        got, at = shapely.get_parts(path, return_index=True)
        keep = shapely.length(got) > 3
        parts.append(got[keep])
        owner.append(at[keep])
    rows = np.flatnonzero(fits)
    parts.append(shapely.boundary(shore[rows]))
    owner.append(rows)
    at = np.concatenate(owner)
    paths = Paths(np.concatenate(parts), np.full(len(at), FOOT), faces[at], np.full(len(at), -5))
    spots = np.repeat(np.arange(n), 3)
    away = rng.uniform(0, 2 * np.pi, len(spots))
    points = centre[spots] + (radius[spots] * rng.uniform(1.6, 2.2, len(spots)))[:, None] * np.column_stack(
        [np.cos(away), np.sin(away)]
    )
    inside = shapely.contains_xy(shapely.buffer(land[spots], -12), points)
    stock = _pavilions(points[inside], faces[spots[inside]], rng, (6, 13), "other")
    return stock, paths, pond[rows], shapely.boundary(shapely.buffer(land, 0.0))


def lake_shore(layout: Layout, waters: Any, rng: Rng) -> tuple[Stock, Paths, Geoms]:
    """The lake's scenic belt: shore path, links to the ring road, a causeway, temples and pavilions; piers none."""
    terrain: Terrain = layout.terrain
    faces = np.flatnonzero(layout.zone == LAKE)
    face = int(faces[np.argmax(shapely.area(layout.map.faces[faces]))])
    lake, zone = terrain.lake, layout.map.faces[face]
    loop = shapely.boundary(shapely.simplify(shapely.buffer(lake, 14, quad_segs=4), 0.5))
    others = shapely.buffer(waters, 3.0)
    rim = shapely.boundary(zone)
    at = np.arange(60.0, shapely.length(rim), 260.0)
    links = shapely.shortest_line(shapely.line_interpolate_point(rim, at), loop)
    links = links[~shapely.intersects(links, others)]
    box = shapely.bounds(lake)
    mid = (box[1] + box[3]) / 2
    across = _bent(np.array([[box[0] - 99, mid - 60]]), np.array([[box[2] + 99, mid + 90]]), np.array([60.0]))
    causeway = shapely.intersection(across, shapely.polygons(shapely.get_coordinates(loop)))
    lines = lines_only(np.concatenate([[shapely.difference(loop, others)], links, causeway]))
    paths = Paths(lines, np.full(len(lines), FOOT), np.full(len(lines), face), np.full(len(lines), -6))
    small = shapely.area(lake) < 300_000
    belt = shapely.boundary(shapely.buffer(lake, 23 if small else 38))
    at = np.arange(20.0, shapely.length(belt), 55.0)
    points = shapely.get_coordinates(shapely.line_interpolate_point(belt, at))
    points = points[rng.random(len(points)) < 0.62] + 0.0
    stock = _pavilions(points, np.full(len(points), face), rng, (6, 10) if small else (9, 22), "public")
    return stock, paths, lines_only(shapely.difference(shapely.boundary(shapely.buffer(lake, 2.0)), others))


def _footbridges(corridor: Corridor, terrain: Terrain) -> Geoms:
    """Footbridges over a canal every 240 m, from one side road to the other."""
    out = []
    for part in lines_only(corridor.centre):
        at = np.arange(110.0, shapely.length(part) - 60.0, 240.0)
        a = shapely.get_coordinates(shapely.line_interpolate_point(part, at - 1))
        b = shapely.get_coordinates(shapely.line_interpolate_point(part, at + 1))
        normal = np.column_stack([a[:, 1] - b[:, 1], b[:, 0] - a[:, 0]]) * 40.0
        across = shapely.linestrings(np.stack([(a + b) / 2 - normal, (a + b) / 2 + normal], axis=1))
        across = shapely.intersection(across, corridor.strip)
        whole = shapely.get_type_id(across) == 1
        for other in terrain.corridors:
            if other is not corridor:
                whole &= ~shapely.intersects(across, other.strip)
        whole &= shapely.covered_by(across, shapely.buffer(terrain.outline, -5.0))
        if terrain.lake_zone is not None:
            whole &= ~shapely.intersects(across, terrain.lake_zone)
        out.append(across[whole])
    return np.concatenate(out) if out else np.empty(0, dtype=object)


def river_banks(layout: Layout, waters: Any) -> tuple[Paths, Geoms]:
    """Promenades along rivers with links to the riverside roads, and the retaining walls of the banks."""
    terrain = layout.terrain
    lines, walls = [], []
    for corridor in terrain.corridors:
        if corridor.cls not in (RIVER, CANAL):
            continue
        own = shapely.buffer(corridor.surface, 0.5)
        foreign = shapely.buffer(shapely.difference(waters, own), 3.0)
        inside = (
            terrain.outline if terrain.lake_zone is None else shapely.difference(terrain.outline, terrain.lake_zone)
        )
        bank = lines_only(shapely.boundary(shapely.buffer(corridor.surface, 2.5, join_style="mitre")))
        near_end = shapely.buffer(shapely.boundary(inside), 9.0)
        walls += list(
            lines_only(shapely.difference(shapely.intersection(bank, inside), shapely.union(foreign, near_end)))
        )
        if corridor.cls != RIVER:
            lines += list(_footbridges(corridor, terrain))
            continue
        path = shapely.boundary(shapely.simplify(shapely.buffer(corridor.surface, 14, quad_segs=3), 0.3))
        path = lines_only(shapely.line_merge(shapely.difference(shapely.intersection(path, inside), foreign)))
        path = path[shapely.distance(shapely.line_interpolate_point(path, 0.5, normalized=True), corridor.surface) > 5]
        lines += list(path)
        rim = shapely.boundary(corridor.strip)
        for part in path:
            at = np.arange(90.0, shapely.length(part), 310.0)
            points = shapely.line_interpolate_point(part, at)
            link = shapely.shortest_line(points, rim)
            fine = shapely.covered_by(link, terrain.outline) & ~shapely.intersects(link, foreign)
            lines += list(link[fine])
    flat = lines_only(lines) if lines else np.empty(0, dtype=object)
    paths = Paths(flat, np.full(len(flat), FOOT), np.full(len(flat), -1), np.full(len(flat), -7))
    out: Geoms = np.empty(len(walls), dtype=object)
    out[:] = walls
    return paths, out
