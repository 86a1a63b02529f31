"""The built district: blocks filled, everything noded together, conflicts removed, buildings cut to number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.sample.base import (
    CARRIAGEWAY,
    GRID,
    RAIL,
    SETBACK,
    Bools,
    Geoms,
    Ints,
    LineBook,
    Name,
    Rng,
    lines_only,
)
from data.sample.fabric import FABRICS, Paths, Stock, build_use, stack, take, use_rows
from data.sample.frontage import DEPTH, shops
from data.sample.green import lake_shore, parks, river_banks
from data.sample.layout import INNER, NEW, OLD, Layout
from data.sample.names import numeral
from data.sample.planar import main_component, node, polygonize, without_crumbs
from data.sample.scenarios import Scenario
from data.sample.shapes import RECT, place
from data.sample.uses import USE, USES, assign_uses, parcels

WALL_KINDS = ("wall", "fence", "hedge", "retaining_wall", "city_wall")


@dataclass(frozen=True)
class City:
    """Everything with a place, in metres about the district's centre. Edge arrays have one row an edge."""

    layout: Layout
    use: Ints
    faces: Geoms
    edges: Geoms
    cls: Ints
    names: list[Name]
    bridge: Bools
    skeleton: Bools
    stock: Stock
    walls: Geoms
    wall_kind: Geoms
    ponds: Geoms
    path_block: Ints
    """Block (row of the layout) of each edge that is a path inside one, -1 for streets and promenades."""


def waters_of(layout: Layout, ponds: Geoms) -> Geoms:
    """All water surfaces: rivers, canals, the lake and ponds."""
    found = [c.surface for c in layout.terrain.corridors if c.surface is not None]
    if layout.terrain.lake is not None:
        found.append(layout.terrain.lake)
    out: Geoms = np.empty(len(found) + len(ponds), dtype=object)
    out[:] = [*found, *ponds]
    return out


def build_city(sc: Scenario, layout: Layout, rng: Rng) -> City:
    """Fill the blocks of a layout. Every promise of the sample about geometry is enforced here."""
    pm = layout.map
    use = assign_uses(sc, layout, rng)
    shop_odds = np.select([layout.zone == OLD, layout.zone == INNER, layout.zone == NEW], [0.3, 0.62, 0.4], 0.0)
    with_shops = np.isin(use, [USE["slab"], USE["tower"], USE["dorm"]]) & (rng.random(len(use)) < shop_odds)
    whole = parcels(layout)
    land = parcels(layout, 0.0, DEPTH + 3.0, with_shops)
    stocks, paths = [shops(pm, with_shops, whole, rng)], []
    rings: list[Geoms] = []
    kinds: list[str] = []
    for name in USES:
        rows = use_rows(use, name)
        rows = rows[shapely.area(shapely.buffer(land[rows], -12)) > 250]
        if not len(rows) or (name not in FABRICS and name != "park"):
            continue
        if name == "park":
            stock, lanes, ponds, ring = parks(rows, pm.faces[rows], land[rows], rng)
            kind: str | None = "hedge"
        else:
            stock, lanes, ring = build_use(name, rows, pm.faces[rows], land[rows], rng)
            kind = FABRICS[name].wall
        stocks.append(stock)
        paths.append(lanes)
        if kind:
            rings.append(lines_only(ring))
            kinds.append(kind)
    if not (use == USE["park"]).any():
        ponds = np.empty(0, dtype=object)
    water = waters_of(layout, ponds)
    pool = shapely.union_all(water) if len(water) else shapely.Polygon()
    if layout.terrain.lake is not None:
        stock, lanes, bank = lake_shore(layout, shapely.difference(pool, layout.terrain.lake), rng)
        stocks.append(stock)
        paths.append(lanes)
        rings.append(bank)
        kinds.append("retaining_wall")
    if layout.terrain.corridors:
        lanes, bank = river_banks(layout, pool)
        paths.append(lanes)
        rings.append(bank)
        kinds.append("retaining_wall")
    if layout.terrain.ring is not None:
        inside = shapely.buffer(shapely.polygons(shapely.get_coordinates(layout.terrain.ring)), -(SETBACK[0] - 2.5))
        rings.append(lines_only(shapely.boundary(inside)))
        kinds.append("city_wall")
    edges, cls, names, bridge, skeleton, owner = _network(layout, paths, water, use)
    walls, wall_kind = _walls(rings, kinds, edges, cls, water)
    stock = _fit(stack(stocks), edges, cls, walls, water, layout.terrain.outline)
    if sc.buildings is not None:
        stock = _to_number(stock, sc.buildings, whole, use, edges, cls, walls, water, layout, rng)
    faces = polygonize(edges[skeleton])
    stock = _sorted(stock)
    return City(layout, use, faces, edges, cls, names, bridge, skeleton, stock, walls, wall_kind, ponds, owner)


def _network(
    layout: Layout, paths: list[Paths], water: Geoms, use: Ints
) -> tuple[Geoms, Ints, list[Name], Bools, Bools, Ints]:
    """Streets, barriers and paths noded together, bridges apart, without stray paths."""
    pm = layout.map
    book = LineBook()
    book.add(pm.edges, pm.cls, layout.names)
    skeleton = [True] * len(book.geoms)
    owner = [-1] * len(book.geoms)
    for group in paths:
        parts, row = shapely.get_parts(group.geometry, return_index=True)
        labels = _lane_names(layout, group, use)
        book.add(parts, group.cls[row], [labels[r] for r in row])
        fine = shapely.length(parts) > GRID
        skeleton += [False] * int(fine.sum())
        owner += [int(f) for f in group.face[row[fine]]]
    lines, cls = book.arrays()
    source = np.arange(len(lines))
    over = np.zeros(len(lines), dtype=np.bool_)
    if len(water):
        wet = shapely.buffer(water, 2.0)
        at = shapely.STRtree(lines).query(wet, predicate="intersects")[1]
        rows = np.unique(at[cls[at] <= RAIL])
        every = shapely.union_all(wet)
        under, ui = shapely.get_parts(shapely.intersection(lines[rows], every), return_index=True)
        beside, bi = shapely.get_parts(shapely.difference(lines[rows], every), return_index=True)
        stay = np.ones(len(lines), dtype=np.bool_)
        stay[rows] = False
        lines = np.concatenate([lines[stay], beside, under])
        source = np.concatenate([source[stay], rows[bi], rows[ui]])
        over = np.concatenate([over[stay], np.zeros(len(beside), np.bool_), np.ones(len(under), np.bool_)])
        fine = shapely.get_dimensions(lines) == 1
        lines, source, over = lines[fine], source[fine], over[fine]
    edges, kinds, src = node(lines, cls[source])
    frame = without_crumbs(edges, np.asarray(skeleton)[source][src], source[src])
    walk = main_component(edges, kinds < RAIL)
    keep = walk | frame
    edges, kinds, src = edges[keep], kinds[keep], src[keep]
    who = np.asarray(owner)[source][src]
    return edges, kinds, [book.names[i] for i in source[src]], over[src], frame[keep], who


def _lane_names(layout: Layout, group: Paths, use: Ints) -> list[Name]:
    """Lanes of old quarters and villages are called after the longest street beside their block, with a number."""
    pm = layout.map
    longest = np.zeros(len(pm.faces), dtype=np.int64)
    order = np.argsort(shapely.length(pm.edges), kind="stable")
    order = order[pm.cls[order] < RAIL]
    for side in (pm.left[order], pm.right[order]):
        longest[side[side >= 0]] = order[side >= 0]
    named = (group.face >= 0) & (group.serial >= 0) & np.isin(use[group.face], [USE["old"], USE["village"]])
    out: list[Name] = [("", "")] * len(group.face)
    taken: dict[str, int] = {}
    for row in np.flatnonzero(named):
        stem = layout.names[int(longest[group.face[row]])]
        number = taken[stem[0]] = taken.get(stem[0], 0) + 1
        out[row] = (f"{stem[0]}{numeral(number)}巷", f"{stem[1]} Lane {number}")
    return out


def _walls(rings: list[Geoms], kinds: list[str], edges: Geoms, cls: Ints, water: Geoms) -> tuple[Geoms, Geoms]:
    """Walls with a gap wherever a street or path goes through."""
    if not rings:
        return np.empty(0, dtype=object), np.empty(0, dtype=object)
    lines = np.concatenate(rings)
    kind = np.repeat(np.array(kinds, dtype=object), [len(r) for r in rings])
    road = cls <= RAIL
    gap = shapely.buffer(edges[road], (CARRIAGEWAY[cls[road]] + 1.4), quad_segs=2)
    at, hit = shapely.STRtree(gap).query(lines, predicate="intersects")
    cut = lines.copy()
    rows = np.unique(at)
    if len(rows):
        first = np.searchsorted(at, rows)
        last = np.append(first[1:], len(at))
        for row, a, b in zip(rows, first, last, strict=True):
            cut[row] = shapely.difference(lines[row], shapely.union_all(gap[hit[a:b]]))
    parts, row = shapely.get_parts(shapely.line_merge(cut), return_index=True)
    fine = (shapely.get_dimensions(parts) == 1) & (shapely.length(parts) > 3)
    parts, row = parts[fine], row[fine]
    if len(water):
        dry = np.ones(len(parts), dtype=np.bool_)
        dry[np.unique(shapely.STRtree(parts).query(water, predicate="intersects")[1])] = False
        parts, row = parts[dry], row[dry]
    return parts, kind[row]


def _blocked(polygons: Geoms, edges: Geoms, cls: Ints, walls: Geoms, water: Geoms) -> Bools:
    """Mask of footprints on a carriageway, on a path, in a wall or in water."""
    tree = shapely.STRtree(polygons)
    out = np.zeros(len(polygons), dtype=np.bool_)
    out[tree.query(edges, predicate="dwithin", distance=np.maximum(CARRIAGEWAY[cls], 0.5))[1]] = True
    if len(walls):
        out[tree.query(walls, predicate="dwithin", distance=0.3)[1]] = True
    if len(water):
        out[tree.query(water, predicate="dwithin", distance=2.0)[1]] = True
    return out


def _fit(stock: Stock, edges: Geoms, cls: Ints, walls: Geoms, water: Geoms, outline: Any) -> Stock:
    """Drop footprints in the way of streets, walls and water, and the weaker of two that meet."""
    bad = _blocked(stock.geometry, edges, cls, walls, water) | ~shapely.is_valid(stock.geometry)
    stock = take(stock, np.flatnonzero(~bad))
    order = np.argsort(stock.rank, kind="stable")
    stock = take(stock, order)
    a, b = shapely.STRtree(stock.geometry).query(stock.geometry, predicate="dwithin", distance=0.25)
    lose = np.zeros(len(stock.geometry), dtype=np.bool_)
    lose[np.maximum(a, b)[a != b]] = True
    return take(stock, np.flatnonzero(~lose))


def _to_number(
    stock: Stock,
    number: int,
    land: Geoms,
    use: Ints,
    edges: Geoms,
    cls: Ints,
    walls: Geoms,
    water: Geoms,
    layout: Layout,
    rng: Rng,
) -> Stock:
    """Exactly ``number`` buildings: the least important are left out, or sheds are put up in the compounds."""
    have = len(stock.geometry)
    if have > number:
        loose = np.flatnonzero(stock.rank == 3)
        drop = rng.permutation(loose)[: have - number]
        if len(drop) < have - number:
            rest = np.setdiff1d(np.arange(have), drop)
            drop = np.concatenate([drop, rng.permutation(rest)[: have - number - len(drop)]])
        return take(stock, np.setdiff1d(np.arange(have), drop))
    rows = np.flatnonzero(np.isin(use, [USE["slab"], USE["tower"], USE["industrial"], USE["dorm"], USE["vacant"]]))
    while have < number and len(rows):
        face = rng.choice(rows, 6 * (number - have) + 50)
        box = shapely.bounds(land[face])
        x, y = rng.uniform(box[:, 0], box[:, 2]), rng.uniform(box[:, 1], box[:, 3])
        sheds = place(np.full(len(face), RECT), x, y, rng.uniform(4, 7, len(face)), rng.uniform(3, 4, len(face)), 0 * x)
        ok = shapely.covered_by(sheds, shapely.buffer(land[face], -1.0)) & ~_blocked(sheds, edges, cls, walls, water)
        extra = Stock(
            sheds, face, np.full(len(face), "other", dtype=object), np.ones(len(face), np.int64),
            np.ones(len(face), np.int64), np.full(len(face), 9, np.int64),
        )  # fmt: skip
        merged = _fit(stack([stock, take(extra, np.flatnonzero(ok))]), edges, cls, walls, water, layout.terrain.outline)
        stock = take(merged, np.arange(min(number, len(merged.geometry))))
        have = len(stock.geometry)
    return stock


def _sorted(stock: Stock) -> Stock:
    """Buildings block by block, north to south and west to east."""
    centre = shapely.get_coordinates(shapely.centroid(stock.geometry))
    return take(stock, np.lexsort((centre[:, 0], -np.round(centre[:, 1] / 6), stock.face)))
