"""Buildings, lanes, walls and gates inside the blocks, one table of parameters for each use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from data.sample.base import FOOT, SERVICE, Floats, Geoms, Ints, Rng
from data.sample.rows import Frame, fill, frames, scan, scan_up
from data.sample.shapes import AITCH, COURT, CROSS, ELL, RECT, SLAB_1, place
from data.sample.uses import USE

Range = tuple[float, float]


@dataclass(frozen=True)
class Fabric:
    """How a use is built. Lengths in metres; ``between`` is the free width between two bands of rows."""

    kind: str
    shapes: tuple[int, ...]
    depth: Range
    length: Range
    gap: Range
    between: Range
    levels: tuple[int, int]
    rows: int = 1
    drop: float = 0.04
    loose: float = 0.0
    wall: str | None = None
    through: bool = False
    lane: int = FOOT
    spine: int = SERVICE
    inset: float = 5.0
    south_open: float = 0.0
    compound: bool = False


FABRICS: Final[dict[str, Fabric]] = {
    "slab": Fabric("residential", (SLAB_1,), (11, 13.5), (36, 62), (7, 11), (17, 22), (4, 6), wall="wall",
                   compound=True),
    "tower": Fabric("apartments", (CROSS, CROSS, AITCH, RECT), (16, 21), (27, 40), (17, 27), (32, 42), (11, 26),
                    drop=0.1, loose=3.0, wall="fence", inset=13.0, compound=True),
    "old": Fabric("house", (RECT, RECT, ELL, COURT), (7.5, 10), (7.5, 12), (0.5, 1.2), (3.6, 4.4), (1, 2), rows=2,
                  drop=0.05, loose=0.6, through=True, spine=FOOT, inset=0.8),
    "village": Fabric("house", (RECT, ELL, RECT), (9, 12), (10, 15), (1.5, 4), (7, 10), (1, 3), rows=2, drop=0.16,
                      loose=0.8, through=True, lane=SERVICE, inset=1.5),
    "industrial": Fabric("industrial", (RECT, RECT, ELL), (34, 58), (55, 105), (13, 20), (16, 24), (1, 2), drop=0.1,
                         wall="wall", lane=SERVICE, inset=8.0),
    "dorm": Fabric("dormitory", (SLAB_1,), (12, 14), (44, 62), (9, 12), (16, 20), (5, 6), wall="wall", compound=True),
    "commercial": Fabric("commercial", (RECT, ELL, AITCH, RECT), (24, 38), (36, 80), (9, 14), (14, 20), (3, 6),
                         drop=0.06, through=True, inset=4.0),
    "office": Fabric("office", (RECT, CROSS, AITCH), (22, 28), (30, 46), (22, 34), (28, 38), (9, 26), drop=0.1,
                     loose=2.0, inset=6.0),
    "public": Fabric("public", (RECT, AITCH, COURT), (18, 26), (44, 72), (18, 26), (22, 32), (3, 8), drop=0.05,
                     wall="fence", inset=8.0),
    "school": Fabric("school", (RECT, COURT, ELL), (11, 14), (38, 58), (11, 15), (15, 19), (3, 5), drop=0.03,
                     wall="wall", inset=6.0, south_open=0.42),
    "hospital": Fabric("hospital", (AITCH, RECT, CROSS), (20, 30), (54, 82), (13, 18), (20, 28), (5, 15), drop=0.05,
                       wall="fence", inset=8.0),
    "site": Fabric("other", (RECT,), (5, 6), (14, 22), (4, 8), (24, 34), (1, 2), drop=0.82, wall="fence", inset=8.0),
}  # fmt: skip
FABRICS["middle_school"] = FABRICS["school"]


@dataclass
class Stock:
    """Buildings so far: arrays of equal length, one row a building."""

    geometry: Geoms
    face: Ints
    kind: Geoms
    levels: Ints
    stairs: Ints
    rank: Ints
    """Smaller ranks win where footprints conflict, and are kept longer when there are too many."""


def stack(stocks: list[Stock]) -> Stock:
    """Several stocks under one another."""
    return Stock(*(np.concatenate([getattr(s, f) for s in stocks]) for f in Stock.__dataclass_fields__))


def take(stock: Stock, rows: Ints) -> Stock:
    """The given rows of a stock."""
    return Stock(*(getattr(stock, f)[rows] for f in Stock.__dataclass_fields__))


@dataclass
class Paths:
    """Lanes and drives inside blocks, with their class and block."""

    geometry: Geoms
    cls: Ints
    face: Ints
    serial: Ints


def _bands(low: Floats, high: Floats, band: Floats, depth: Floats) -> tuple[Ints, Floats, Ints]:
    """Middle heights of the bands that fit between ``low`` and ``high``: (block, height, number in the block)."""
    count = np.maximum(np.floor((high - low - depth) / band).astype(np.int64) + 1, 1)
    row = np.repeat(np.arange(len(low)), count)
    start = np.concatenate([[0], np.cumsum(count)])[:-1]
    k = np.arange(len(row)) - start[row]
    middle = (low + high) / 2 - (count - 1) * band / 2
    return row, middle[row] + k * band[row], k


def build_use(use: str, faces: Ints, blocks: Geoms, land: Geoms, rng: Rng) -> tuple[Stock, Paths, Geoms]:
    """Fill all blocks of one use: their buildings, their lanes and their wall rings.

    ``faces`` are block rows, ``blocks`` their outlines (street centrelines), ``land`` what may be built on.
    """
    spec = FABRICS[use]
    frame = frames(land, rng)
    inner = frame.local(shapely.buffer(land, -spec.inset, join_style="mitre"))
    outer, plot = frame.local(blocks), frame.local(land)
    n = len(faces)
    depth, length = rng.uniform(*spec.depth, n), rng.uniform(*spec.length, n)
    gap, between = rng.uniform(*spec.gap, n), rng.uniform(*spec.between, n)
    pair = depth * spec.rows + (1.2 if spec.rows == 2 else 0.0)
    bounds = shapely.bounds(inner)
    low = bounds[:, 1] + spec.south_open * (bounds[:, 3] - bounds[:, 1])
    wide = bounds[:, 2] - bounds[:, 0]
    spines = np.column_stack([bounds[:, 0] + wide * rng.uniform(0.42, 0.58, n), np.full(n, np.nan)])
    two = wide > (170 if spec.rows == 1 else 120)
    spines[two, 0] = bounds[two, 0] + wide[two] * rng.uniform(0.3, 0.36, int(two.sum()))
    spines[two, 1] = bounds[two, 0] + wide[two] * rng.uniform(0.64, 0.7, int(two.sum()))
    block, middle, _ = _bands(low, bounds[:, 3], pair + between, pair)
    stock = _fill_rows(spec, frame, inner, faces, block, middle, spines, depth, length, gap, rng)
    paths = _lanes(spec, frame, inner, plot, outer, faces, block, middle, pair + between, spines, rng)
    rings: Geoms = np.empty(0, dtype=object)
    if spec.wall:
        rings = shapely.boundary(shapely.buffer(land, -0.4, join_style="mitre"))
    return stock, paths, rings


def _fill_rows(
    spec: Fabric,
    frame: Frame,
    inner: Geoms,
    faces: Ints,
    block: Ints,
    middle: Floats,
    spines: Floats,
    depth: Floats,
    length: Floats,
    gap: Floats,
    rng: Rng,
) -> Stock:
    if spec.rows == 2:
        off = (depth + 1.2) / 2
        block, middle = np.repeat(block, 2), np.repeat(middle, 2)
        middle = middle + np.tile([-1.0, 1.0], len(block) // 2) * off[block]
    left, right = scan(inner, block, middle, depth[block] / 2)
    clear = 5.0 if spec.rows == 1 else 3.0
    cuts = np.column_stack(
        [
            left,
            spines[block, 0] - clear,
            spines[block, 0] + clear,
            spines[block, 1] - clear,
            spines[block, 1] + clear,
            right,
        ]
    )
    one = np.isnan(cuts[:, 3])
    starts = np.column_stack([cuts[:, 0], cuts[:, 2], cuts[:, 4]])
    stops = np.column_stack([cuts[:, 1], np.where(one, right, cuts[:, 3]), cuts[:, 5]])
    starts = np.maximum(starts, left[:, None]).ravel()
    stops = np.minimum(stops, right[:, None]).ravel()
    at = np.repeat(np.arange(len(block)), 3)
    want = length[block[at]] * rng.uniform(0.82, 1.18, len(at))
    least = 0.45 * spec.length[0]
    seg, u, size = fill(starts, stops, want, gap[block[at]], least, 1.25 * spec.length[1])
    row = at[seg]
    keep = rng.random(len(seg)) > spec.drop
    row, u, size = row[keep], u[keep], size[keep]
    face, v = block[row], middle[row]
    deep = depth[face].copy()
    turn = frame.angle[face].copy()
    if spec.loose:
        small = spec.rows == 2
        u = u + rng.uniform(-0.3, 0.3, len(u)) * spec.loose
        v = v + (0.0 if small else rng.uniform(-2.0, 2.0, len(v)) * spec.loose)
        shrink = rng.uniform(0.78, 1.0, len(u)) if small else np.ones(len(u))
        side = np.where(v > middle[row], 1.0, -1.0) if not small else np.tile([-1.0, 1.0], len(block) // 2)[row]
        v = v + side * deep * (1 - shrink) / 2 * rng.choice([-1.0, 1.0], len(u), p=[0.7, 0.3]) * small
        deep *= shrink
        size = size * rng.uniform(0.9, 1.0, len(u))
        turn += np.deg2rad(rng.normal(0, 0.8, len(u)))
    stairs = np.clip(np.round(size / 13.5), 1, 6).astype(np.int64)
    shape = np.asarray(spec.shapes)[rng.integers(0, len(spec.shapes), len(u))]
    shape = np.where(shape == SLAB_1, SLAB_1 + stairs - 1, shape)
    if spec.compound and spec.loose:
        shape = np.asarray(spec.shapes)[face % len(spec.shapes)]
    x, y = frame.world(face, u, v)
    low, high = spec.levels
    per_block = rng.integers(low, high + 1, len(faces))
    levels = np.clip(per_block[face] + rng.integers(-1, 2, len(u)), low, high)
    return Stock(
        place(shape, x, y, size, deep, turn),
        faces[face],
        np.full(len(u), spec.kind, dtype=object),
        levels.astype(np.int64),
        stairs,
        np.full(len(u), 3 if spec.kind == "house" else 1, dtype=np.int64),
    )


def _lanes(
    spec: Fabric,
    frame: Frame,
    inner: Geoms,
    plot: Geoms,
    outer: Geoms,
    faces: Ints,
    block: Ints,
    middle: Floats,
    pitch: Floats,
    spines: Floats,
    rng: Rng,
) -> Paths:
    """Lanes between the bands, spines across them; ends reach the street where there is a gate."""
    first = np.flatnonzero(np.diff(np.concatenate([[-1], block])) > 0)
    v = np.concatenate([middle + pitch[block] / 2, middle[first] - pitch[block[first]] / 2])
    row = np.concatenate([block, block[first]])
    a, b = scan(inner, row, v)
    reach_a, reach_b = scan(outer, row, v)
    ok = (b - a) > 14
    if spec.through:
        a, b = np.where(ok, reach_a, a), np.where(ok, reach_b, b)
    else:  # one lane in five has a side gate
        west, east = rng.random(len(v)) < 0.1, rng.random(len(v)) < 0.1
        a, b = np.where(west, reach_a, a + 1), np.where(east, reach_b, b - 1)
    row, v, a, b = row[ok], v[ok], a[ok], b[ok]
    x0, y0 = frame.world(row, a, v)
    x1, y1 = frame.world(row, b, v)
    lanes = shapely.linestrings(np.stack([np.column_stack([x0, y0]), np.column_stack([x1, y1])], axis=1))
    parts, cls, face, serial = [lanes], [np.full(len(row), spec.lane)], [faces[row]], [np.arange(len(row))]
    gate = rng.random(len(faces))
    for k in (0, 1):
        has = np.flatnonzero(~np.isnan(spines[:, k]))
        low_in, high_in = scan_up(plot[has], spines[has, k])
        low_out, high_out = scan_up(outer[has], spines[has, k])
        south = spec.through | ((gate[has] < 0.8) & (k == 0))
        north = spec.through | (gate[has] > 0.45) & (k == 0) | (gate[has] >= 0.8) | ((gate[has] < 0.1) & (k == 1))
        low, high = np.where(south, low_out, low_in + 8), np.where(north, high_out, high_in - 8)
        fine = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & (high - low > 20))
        x0, y0 = frame.world(has[fine], spines[has[fine], k], low[fine])
        x1, y1 = frame.world(has[fine], spines[has[fine], k], high[fine])
        parts.append(shapely.linestrings(np.stack([np.column_stack([x0, y0]), np.column_stack([x1, y1])], axis=1)))
        cls.append(np.full(len(fine), spec.spine))
        face.append(faces[has[fine]])
        serial.append(np.full(len(fine), -1 - k))
    if spec.compound and spec.loose:
        loop = shapely.boundary(shapely.buffer(inner, 5.0, join_style="mitre"))
        xy, at = shapely.get_coordinates(loop, return_index=True)
        wx, wy = frame.world(at, xy[:, 0], xy[:, 1])
        parts.append(shapely.set_coordinates(loop.copy(), np.column_stack([wx, wy])))
        cls.append(np.full(len(faces), SERVICE))
        face.append(faces)
        serial.append(np.full(len(faces), -9))
    return Paths(np.concatenate(parts), np.concatenate(cls), np.concatenate(face), np.concatenate(serial))


def use_rows(use: Ints, name: str) -> Ints:
    """Blocks of that use."""
    return np.flatnonzero(use == USE[name])
