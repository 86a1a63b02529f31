"""What each block is used for, and the land on it that may be built."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from data.sample.base import CANAL, RAIL, RIVER, SETBACK, TERTIARY, Bools, Floats, Geoms, Ints, Rng, largest_parts
from data.sample.layout import INDUSTRIAL, LAKE, STRIP, VILLAGE, Layout, mean_width, touches
from data.sample.planar import PlanarMap, per_face
from data.sample.scenarios import Scenario

USES: Final = (
    "slab", "tower", "old", "village", "industrial", "dorm", "commercial", "office", "public", "school", "hospital",
    "park", "green", "vacant", "farm", "scenic", "middle_school", "site",
)  # fmt: skip
USE: Final = {name: row for row, name in enumerate(USES)}
_ODDS: Final = {
    0: {"old": 0.7, "slab": 0.15, "commercial": 0.07, "public": 0.04, "park": 0.04},
    1: {"slab": 0.56, "tower": 0.09, "commercial": 0.1, "public": 0.03, "office": 0.03, "park": 0.05, "old": 0.1,
        "vacant": 0.02, "site": 0.02},
    2: {"tower": 0.46, "slab": 0.17, "commercial": 0.08, "office": 0.07, "park": 0.07, "public": 0.02, "vacant": 0.07,
        "site": 0.04},
    3: {"industrial": 0.74, "dorm": 0.06, "office": 0.04, "vacant": 0.1, "site": 0.04, "green": 0.02},
    4: {"village": 0.52, "farm": 0.32, "industrial": 0.04, "park": 0.05, "vacant": 0.07},
}  # fmt: skip


def _spread(rows: Ints, centre: Floats, count: int, apart: float) -> Ints:
    """Up to ``count`` rows in the given order, no two closer than ``apart`` metres."""
    taken: list[int] = []
    for row in rows:
        if len(taken) == count:
            break
        if not taken or np.hypot(*(centre[taken] - centre[row]).T).min() > apart:
            taken.append(int(row))
    return np.array(taken, dtype=np.int64)


def assign_uses(sc: Scenario, layout: Layout, rng: Rng) -> Ints:
    """One use a block: drawn by zone, then schools, hospitals and parks where their size fits, well apart."""
    pm, zone = layout.map, layout.zone
    faces = pm.faces
    use = np.full(len(faces), USE["green"], dtype=np.int64)
    for code, odds in _ODDS.items():
        rows = np.flatnonzero(zone == code)
        names = list(odds)
        weights = np.array([odds[n] for n in names])
        use[rows] = np.array([USE[n] for n in names])[rng.choice(len(names), len(rows), p=weights / weights.sum())]
    area, width = shapely.area(faces), mean_width(faces)
    centre = shapely.get_coordinates(shapely.centroid(faces))
    use[(zone == VILLAGE) & (area > 70_000)] = USE["farm"]
    small = (area < 4_000) | (width < 26) | (zone == STRIP) | touches(pm, (RIVER, CANAL, RAIL))
    use[small] = USE["green"]
    use[zone == LAKE] = USE["scenic"]
    lived = ~small & (zone <= VILLAGE) & (zone != INDUSTRIAL)
    order = rng.permutation(len(faces))
    apart = min(1.0, sc.spacing / 620)
    wants = (
        ("school", sc.population / 9_500, 15_000, 42_000, 480.0),
        ("middle_school", sc.population / 21_000, 24_000, 65_000, 700.0),
        ("hospital", sc.population / 48_000, 20_000, 60_000, 900.0),
        ("park", sc.population / 14_000, 12_000, 60_000, 500.0),
    )
    # narrow blocks cannot take the large buildings
    use[np.isin(use, [USE["tower"], USE["office"]]) & ((width < 67) | (area < 15_000))] = USE["slab"]
    use[np.isin(use, [USE["commercial"], USE["public"]]) & (width < 48)] = USE["slab"]
    use[(use == USE["slab"]) & (width < 38)] = USE["old"]
    free = lived & (use != USE["farm"])
    for name, count, least, most, distance in wants:
        fits = free & (area > least) & (area < most) & (width > (78 if name == "hospital" else 58))
        rows = order[fits[order]]
        picked = _spread(rows, centre, max(1, round(count)), distance * apart)
        use[picked] = USE[name]
        free[picked] = False
    return use


def parcels(layout: Layout, extra: float = 0.0, strong: float = 0.0, strong_rows: Bools | None = None) -> Geoms:
    """Land inside the property lines of each block: the block less its streets, water and railway strips.

    ``extra`` widens every set-back; ``strong`` widens that of tertiary and larger streets of ``strong_rows``.
    """
    pm: PlanarMap = layout.map
    land = pm.faces.copy()
    for cls in range(CANAL + 1):
        lines = per_face(pm, (cls,))
        rows = np.flatnonzero(~shapely.is_empty(lines))
        if not len(rows):
            continue
        reach = np.full(len(rows), SETBACK[cls] + extra)
        if strong_rows is not None and cls <= TERTIARY:
            reach += strong * strong_rows[rows]
        land[rows] = shapely.difference(land[rows], shapely.buffer(lines[rows], reach, quad_segs=2, join_style="mitre"))
    if layout.terrain.lake is not None:
        rows = np.flatnonzero(layout.zone == LAKE)
        land[rows] = shapely.difference(land[rows], shapely.buffer(layout.terrain.lake, 6.0))
    return largest_parts(land)
