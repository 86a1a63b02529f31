"""Water, railway and the warped street lattice of a sample district, before the blocks are cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from data.sample.base import (
    CANAL,
    PRIMARY,
    RAIL,
    RESIDENTIAL,
    RIVER,
    SECONDARY,
    TERTIARY,
    Bools,
    Floats,
    LineBook,
    Name,
    Rng,
    lines_only,
)
from data.sample.names import STREET_ENDS, stems, with_end
from data.sample.scenarios import Scenario

Warp = Callable[[Floats], Floats]
CROSSING_CHANCE = {RIVER: 0.5, CANAL: 0.75, RAIL: 0.7}
"""Share of secondary streets that cross a corridor of each kind; primary streets always do."""


@dataclass(frozen=True)
class Corridor:
    """A river, canal or railway: centreline, water surface (None for rail) and the strip up to its side roads."""

    cls: int
    name: Name
    centre: Any
    surface: Any
    strip: Any


@dataclass(frozen=True)
class Terrain:
    """The ground plan. Coordinates are metres east and north of the district's centre."""

    outline: Any
    corridors: tuple[Corridor, ...]
    lake: Any
    lake_zone: Any
    ring: Any
    core: Floats
    lines: LineBook


def make_warp(sc: Scenario, rng: Rng) -> Warp:
    """A smooth displacement that bends the lattice: waves, a slight turn, and a shear east of the river."""
    size = min(sc.width, sc.height)
    waves = [
        (rng.uniform(1.1, 2.4) * 2 * np.pi / size, rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi), amp * size)
        for amp in (0.020, 0.013, 0.008)
    ]
    turn = np.deg2rad(rng.uniform(2.0, 5.0))

    def warp(xy: Floats) -> Floats:
        x, y = xy[:, 0], xy[:, 1]
        dx, dy = np.zeros_like(x), np.zeros_like(y)
        for k, phase, heading, amp in waves:
            along = np.cos(heading) * x + np.sin(heading) * y
            dx += amp * np.sin(k * along + phase)
            dy += amp * np.cos(k * 0.8 * along + 1.7 * phase)
        dy += 0.07 * size * np.tanh((x - 0.15 * sc.width) / (0.25 * sc.width))
        return np.column_stack([np.cos(turn) * x - np.sin(turn) * y + dx, np.sin(turn) * x + np.cos(turn) * y + dy])

    return warp


def _positions(length: float, spacing: float, rng: Rng) -> Floats:
    n = max(2, round(length / spacing))
    at = np.linspace(-length / 2, length / 2, n + 1)
    at[1:-1] += rng.uniform(-0.17, 0.17, n - 1) * (length / n)
    return at


def _stretch(warp: Warp, start: Floats, stop: Floats) -> Floats:
    """Vertices of one lattice edge after the warp, the last one left out. Run the other way it has the same ones."""
    back = (start[0], start[1]) > (stop[0], stop[1])
    a, b = (stop, start) if back else (start, stop)
    t = np.linspace(0, 1, 25)[:, None]
    line = shapely.simplify(shapely.linestrings(warp(a + t * (b - a))), 0.3)
    coords = shapely.get_coordinates(line)
    kept: Floats = coords[::-1][:-1] if back else coords[:-1]
    return kept


def _curve(warp: Warp, corners: Floats, us: Floats, vs: Floats) -> Any:
    """Warped polyline along lattice lines; every lattice edge has the same vertices in every curve it is part of."""
    out = []
    for a, b in pairwise(corners):
        axis = 0 if a[0] != b[0] else 1
        at = us if axis == 0 else vs
        low, high = min(a[axis], b[axis]), max(a[axis], b[axis])
        stops = at[(at >= low) & (at <= high)]
        if a[axis] > b[axis]:
            stops = stops[::-1]
        nodes = np.tile(a, (len(stops), 1))
        nodes[:, axis] = stops
        out += [_stretch(warp, p, q) for p, q in pairwise(nodes)]
    return shapely.linestrings(np.concatenate([*out, warp(corners[-1:])]))


def _outline(us: Floats, vs: Floats) -> Floats:
    """Corners of the district in the lattice; a large one loses two corners."""
    u0, u1, v0, v1 = us[0], us[-1], vs[0], vs[-1]
    if len(us) < 6 or len(vs) < 6:
        return np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1], [u0, v0]])
    return np.array(
        [[u0, v0], [us[-3], v0], [us[-3], vs[1]], [u1, vs[1]], [u1, v1], [us[2], v1], [us[2], vs[-2]],
         [us[1], vs[-2]], [us[1], vs[-3]], [u0, vs[-3]], [u0, v0]]
    )  # fmt: skip


def _blob(centre: Floats, radius: float, rng: Rng) -> Any:
    """A lake: a closed smooth curve of uneven radius, longer from west to east."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    r = np.full_like(angle, radius)
    for k in (2, 3, 4, 5):
        r += radius * rng.uniform(0.03, 0.11) * np.sin(k * angle + rng.uniform(0, 2 * np.pi))
    return shapely.polygons(centre + np.column_stack([1.22 * r * np.cos(angle), 0.9 * r * np.sin(angle)]))


def _river_line(sc: Scenario, rng: Rng) -> Any:
    y = np.arange(-0.8 * sc.height, 0.8 * sc.height, 40.0)
    phase = rng.uniform(0, 2 * np.pi, 2)
    x = 0.13 * sc.width + 0.055 * sc.width * np.sin(2 * np.pi * y / (0.75 * sc.height) + phase[0])
    x += 0.02 * sc.width * np.sin(2 * np.pi * y / (0.31 * sc.height) + phase[1])
    return shapely.linestrings(x, y)


def _corridor(cls: int, name: Name, centre: Any, half: float, bank: float, outline: Any) -> Corridor:
    surface = None if cls == RAIL else shapely.buffer(centre, half, quad_segs=6, cap_style="flat")
    strip = shapely.simplify(shapely.buffer(centre, half + bank, quad_segs=6, cap_style="flat"), 0.3)
    if surface is not None:
        surface = shapely.intersection(surface, outline)
    return Corridor(cls, name, shapely.intersection(centre, outline), surface, strip)


def _corridors(sc: Scenario, rng: Rng, outline: Any, lake: Any, name: Callable[[], Name]) -> list[Corridor]:
    out: list[Corridor] = []
    river = None
    if sc.river:
        river = _river_line(sc, rng)
        out.append(_corridor(RIVER, with_end(name(), ("河", "River")), river, sc.river / 2, 42, outline))
    for i in range(sc.canals):
        start = np.array([0.1 * sc.width, (0.33 if i else -0.2) * sc.height])
        if river is not None:
            start = shapely.get_coordinates(
                shapely.intersection(river, shapely.linestrings([[-sc.width, start[1]], [sc.width, start[1]]]))
            )[0]
        if i == 0 and lake is not None:
            stop = shapely.get_coordinates(shapely.centroid(lake))[0]
        elif river is None:
            start = np.array([-0.8 * sc.width, 0.1 * sc.height])
            stop = np.array([0.8 * sc.width, -0.08 * sc.height])
        else:
            stop = np.array([(-0.8 if i == 0 else 0.8) * sc.width, start[1] + 0.1 * sc.height])
        t = np.linspace(0, 1, 40)[:, None]
        path = start + t * (stop - start)
        path[:, 1] += 0.05 * sc.height * np.sin(2 * np.pi * t[:, 0]) * np.sin(np.pi * t[:, 0])
        centre = shapely.linestrings(path)
        if i == 0 and lake is not None:
            centre = shapely.difference(centre, lake)
        out.append(_corridor(CANAL, with_end(name(), ("渠", "Canal")), centre, 8, 16, outline))
    if sc.rail:
        t = np.linspace(0, 1, 60)
        x = sc.width * (0.18 + 0.5 * t)
        y = sc.height * (0.75 - 1.0 * t**1.6)
        out.append(_corridor(RAIL, ("示范铁路", "Demonstration Railway"), shapely.linestrings(x, y), 8, 18, outline))
    return out


def _lattice(
    sc: Scenario, rng: Rng, warp: Warp, us: Floats, vs: Floats, name: Callable[[], Name]
) -> tuple[LineBook, list[bool]]:
    """Streets of the lattice. Every third line is primary; some spans of secondary streets are left out."""
    book, through = LineBook(), []
    small = len(us) * len(vs) < 25
    for axis, (at, across) in enumerate(((us, vs), (vs, us))):
        offset = int(rng.integers(0, 3))
        for i, position in enumerate(at):
            border = i in (0, len(at) - 1)
            primary = (i % 3 == offset and not border and not small) or (small and border and i == 0)
            cls = PRIMARY if primary else (SECONDARY if border or not small or rng.random() < 0.4 else TERTIARY)
            street = with_end(name(), STREET_ENDS[2 if primary else (0 if axis == 0 else 1)])
            keep = np.ones(len(across) - 1, dtype=np.bool_)
            if not primary and not border:
                keep = rng.random(len(keep)) > (0.12 if not small else 0.0)
            for a, b in _runs(keep):
                ends = np.array([[position, across[a]], [position, across[b]]])
                line = _curve(warp, ends if axis == 0 else ends[:, ::-1], us, vs)
                before = len(book.geoms)
                book.add(line, cls, street)
                through += [primary] * (len(book.geoms) - before)
    return book, through


def _runs(keep: Bools) -> list[tuple[int, int]]:
    """Maximal runs of True as (first, last + 1)."""
    edge = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edge[::2], edge[1::2], strict=True)]


def make_terrain(sc: Scenario, rng: Rng) -> Terrain:
    """Outline, water, railway, ring road, diagonals and lattice, cut where they may not cross each other."""
    warp = make_warp(sc, rng)
    pool = iter(stems(rng, 200))

    def name() -> Name:
        return next(pool)

    us, vs = _positions(sc.width, sc.spacing, rng), _positions(sc.height, sc.spacing, rng)
    border = _curve(warp, _outline(us, vs), us, vs)
    outline = shapely.polygons(shapely.get_coordinates(border))
    core = warp(np.array([[-0.12 * sc.width, 0.17 * sc.height]]))[0]
    lake = zone = ring = None
    if sc.lake:
        centre = np.array([-0.27, -0.24] if sc.width > 2000 else [-0.2, 0.22]) * [sc.width, sc.height]
        lake = _blob(warp(centre[None, :])[0], sc.lake, rng)
        zone = shapely.simplify(shapely.buffer(lake, 85 if sc.lake > 300 else 40, quad_segs=6), 0.5)
    corridors = _corridors(sc, rng, outline, lake, name)
    lattice, through = _lattice(sc, rng, warp, us, vs, name)
    extra = LineBook()
    beside_ring = None
    if sc.ring:
        angle = np.linspace(0, 2 * np.pi, 97)
        power = 0.72  # a rounded square
        unit = np.column_stack(
            [np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power,
             np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power]
        )  # fmt: skip
        ring = shapely.simplify(shapely.linestrings(core + sc.ring * unit * [1.1, 0.9]), 0.3)
        extra.add(ring, PRIMARY, ("环城路", "Ring Road"))
        beside_ring = shapely.buffer(ring, 80)
        for stop in ([0.52 * sc.width, 0.55 * sc.height], [0.55 * sc.width, -0.35 * sc.height]):
            heading = (np.array(stop) - core) / np.hypot(*(np.array(stop) - core))
            t = np.linspace(0, 1, 30)[:, None]
            start = core + heading * 0.55 * sc.ring
            path = start + t * (np.array(stop) * 1.2 - start)
            path += np.array([-heading[1], heading[0]]) * 0.03 * sc.width * np.sin(np.pi * t)
            extra.add(shapely.linestrings(path), SECONDARY, with_end(name(), STREET_ENDS[2]))
    book = LineBook()
    _cut_and_collect(book, lattice, through, extra, corridors, rng, outline, zone, beside_ring)
    book.add(border, SECONDARY, with_end(name(), STREET_ENDS[0]))
    _side_roads(book, corridors, outline, zone, name)
    if zone is not None:
        book.add(shapely.boundary(shapely.intersection(zone, outline)), TERTIARY, ("环湖路", "Lake Ring Road"))
    return Terrain(outline, tuple(corridors), lake, zone, ring, core, book)


def _cut_and_collect(
    book: LineBook,
    lattice: LineBook,
    through: list[bool],
    extra: LineBook,
    corridors: list[Corridor],
    rng: Rng,
    outline: Any,
    zone: Any,
    beside_ring: Any,
) -> None:
    """Clip streets to the outline, end them at the lake road, at the ring road they would run along, and at
    corridors they do not cross."""
    for geom, cls, street, always in zip(lattice.geoms, lattice.cls, lattice.names, through, strict=True):
        line = geom
        for corridor in corridors:
            if not always and rng.random() > CROSSING_CHANCE[corridor.cls]:
                line = shapely.difference(line, corridor.strip)
        if beside_ring is not None:
            near = lines_only(shapely.intersection(line, beside_ring))
            parallel = near[shapely.length(near) > 290]
            if len(parallel):
                line = shapely.difference(line, shapely.union_all(shapely.buffer(parallel, 0.5)))
        book.add(_inside(line, outline, zone), cls, street)
    for geom, cls, street in zip(extra.geoms, extra.cls, extra.names, strict=True):
        book.add(_inside(geom, outline, zone), cls, street)


def _inside(line: Any, outline: Any, zone: Any) -> Any:
    # a street on the outline itself must not be frayed by rounding; what juts out is peeled off as a dead end
    inside = shapely.intersection(line, shapely.buffer(outline, 0.05))
    if zone is not None:
        inside = shapely.difference(inside, zone)
    return lines_only(shapely.line_merge(inside))


def _side_roads(book: LineBook, corridors: list[Corridor], outline: Any, zone: Any, name: Callable[[], Name]) -> None:
    """Centrelines of water and rail, and the roads along both their sides."""
    for row, corridor in enumerate(corridors):
        roads = shapely.boundary(corridor.strip)
        centre = corridor.centre
        for other in corridors[:row]:
            if other.cls in (RIVER, CANAL) and corridor.cls == CANAL:
                roads = shapely.difference(roads, other.strip)
        roads = shapely.intersection(roads, outline)
        if zone is not None:
            roads = shapely.difference(roads, zone)
        book.add(centre, corridor.cls, corridor.name)
        cls = TERTIARY if corridor.cls == RIVER else RESIDENTIAL
        stem = name()
        for part in lines_only(shapely.line_merge(roads)):
            label = ("滨河", "Riverside") if corridor.cls == RIVER else stem
            side = (
                ("东路", "East Road")
                if shapely.centroid(part).x > shapely.centroid(centre).x
                else ("西路", "West Road")
            )
            book.add(part, cls, with_end(label, side))
