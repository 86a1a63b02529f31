"""A provincial sample: only areas and grids, a warped lattice with jagged shared borders, built from arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from data.sample.base import Floats, Geoms, Ints, Rng, shares
from data.sample.names import stems
from data.sample.scenarios import Scenario
from gisgrid.models import Progress

_POINTS = 9
"""Vertices between two corners of a grid: about 40 a grid."""


def _jagged(start: Floats, stop: Floats, rng: Rng) -> Floats:
    """Edges (n, points, 2) from start to stop, both left in, with a wandering middle that stays near the chord."""
    t = np.linspace(0, 1, _POINTS + 2)
    run = stop - start
    normal = np.column_stack([-run[:, 1], run[:, 0]])
    wander = rng.normal(0, 0.022, (len(start), _POINTS + 2)) + 0.05 * np.sin(np.pi * t) * rng.normal(
        0, 1, (len(start), 1)
    )
    wander *= np.minimum(1.0, 4 * np.minimum(t, 1 - t))
    out: Floats = start[:, None, :] + run[:, None, :] * t[None, :, None] + normal[:, None, :] * wander[:, :, None]
    out[:, 0], out[:, -1] = start, stop
    return np.round(out, 9)


def lattice(columns: int, rows: int, corners: Floats, rng: Rng) -> Geoms:
    """Polygons of a lattice, row by row from the south-west, sharing every border vertex.

    ``corners`` has shape (rows + 1, columns + 1, 2).
    """
    across = _jagged(corners[:, :-1].reshape(-1, 2), corners[:, 1:].reshape(-1, 2), rng)
    across = across.reshape(rows + 1, columns, _POINTS + 2, 2)
    up = _jagged(corners[:-1].reshape(-1, 2), corners[1:].reshape(-1, 2), rng).reshape(
        rows, columns + 1, _POINTS + 2, 2
    )
    ring = np.concatenate(
        [across[:-1, :, :-1], up[:, 1:, :-1], across[1:, :, :0:-1], up[:, :-1, :0:-1], across[:-1, :, :1]], axis=2
    )
    out: Geoms = shapely.polygons(ring.reshape(rows * columns, -1, 2))
    return out


def _cuts(total: int, parts: int, rng: Rng) -> Ints:
    """Part number of each of ``total`` lines cut into uneven runs."""
    edges = np.sort(rng.permutation(np.arange(1, total))[: parts - 1])
    return np.searchsorted(edges, np.arange(total), side="right")


def make_province(sc: Scenario, rng: Rng, progress: Progress) -> dict[str, pd.DataFrame]:
    """Areas (districts, streets, communities) and grids; all nest and none overlap. About 105,000 grids."""
    columns, rows = 300, sc.old_grids[0] // 300
    progress(0.05, "grids")
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, columns + 1), np.linspace(-0.5, 0.5, rows + 1))
    lon = sc.lon + u * 4.6 * (1 + 0.22 * np.sin(2.1 * v + 0.4)) + 0.35 * v + 0.16 * np.sin(5 * v + 1)
    lat = sc.lat + v * 3.9 - 0.55 * u + 0.12 * np.sin(6 * u)
    step = np.array([4.6 / columns, 3.9 / rows])
    corners = np.stack([lon, lat], axis=2) + rng.uniform(-0.16, 0.16, (rows + 1, columns + 1, 2)) * step
    shapes = lattice(columns, rows, corners, rng)
    j, i = np.divmod(np.arange(rows * columns), columns)
    # districts 10 x 10, streets of 12 x 10 cells, communities of 1 x 5 cells: runs of the lattice, so all nest
    district = _cuts(rows, 10, rng)[j] * 10 + _cuts(columns, 10, rng)[i]
    street = pd.factorize(pd.Series(district * 10_000 + (j // 12) * 100 + i // 10))[0].astype(np.int64)
    community = pd.factorize(pd.Series(street * 10_000 + (j % 12) * 10 + (i % 10) // 5))[0].astype(np.int64)
    progress(0.4, "areas")
    codes = _codes(sc, district, street, community)
    weight = rng.lognormal(0, 0.35, len(shapes))
    households = shares(sc.households, weight)
    population = shares(sc.population, households * rng.uniform(0.92, 1.08, len(shapes)))
    order = np.lexsort((i, -j, community))
    serial = np.empty(len(shapes), dtype=np.int64)
    sorted_community = community[order]
    first = np.concatenate([[True], sorted_community[1:] != sorted_community[:-1]])
    begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    serial[order] = np.arange(len(order)) - begin + 1
    community_code = codes[2][community]
    area, length = shapely.area(shapes), shapely.length(shapes)
    grids = pd.DataFrame(
        {
            "code": [f"{c}{s:03d}" for c, s in zip(community_code, serial, strict=True)],
            "name": [f"第{s}网格" for s in serial], "level": 1, "parent": None, "community": community_code,
            "kind": "ordinary", "households": households, "population": population,
            "compactness": np.round(4 * np.pi * area / length**2, 6), "geometry": shapes,
        }
    ).sort_values("code", ignore_index=True)  # fmt: skip
    grids["parent"] = grids["parent"].astype(object)
    return {"areas": _areas(sc, shapes, district, street, community, codes, rng, progress), "grids": grids}


def _codes(sc: Scenario, district: Ints, street: Ints, community: Ints) -> tuple[Geoms, Geoms, Geoms]:
    """Codes of the districts, streets and communities, by their number."""
    districts = np.array(
        [f"{sc.code[:2]}{k // 10 + 1:02d}{k % 10 + 1:02d}" for k in range(district.max() + 1)], dtype=object
    )
    out = [districts]
    parent_of = district
    parents = districts
    for label in (street, community):
        owner = np.zeros(label.max() + 1, dtype=np.int64)
        owner[label] = parent_of
        number = pd.Series(owner).groupby(owner).cumcount().to_numpy() + 1
        codes = np.array([f"{parents[o]}{k:03d}" for o, k in zip(owner, number, strict=True)], dtype=object)
        out.append(codes)
        parent_of, parents = label, codes
    return out[0], out[1], out[2]


def _areas(
    sc: Scenario,
    shapes: Geoms,
    district: Ints,
    street: Ints,
    community: Ints,
    codes: tuple[Geoms, Geoms, Geoms],
    rng: Rng,
    progress: Progress,
) -> pd.DataFrame:
    tables = []
    labels = (community, street, district)
    ends = (("社区", "Community"), ("街道", "Subdistrict"), ("区", "District"))
    levels = ("community", "street", "district")
    below = shapes
    of_below = np.arange(len(shapes))
    for depth, (label, end, level) in enumerate(zip(labels, ends, levels, strict=True)):
        progress(0.5 + 0.15 * depth, f"areas: {level}")
        owner = np.zeros(int(of_below.max()) + 1, dtype=np.int64)
        owner[of_below] = label
        order = np.argsort(owner, kind="stable")
        n = int(label.max()) + 1
        stops = np.searchsorted(owner[order], np.arange(n + 1))
        merged: Geoms = np.empty(n, dtype=object)
        for k in range(n):
            merged[k] = shapely.coverage_union_all(below[order[stops[k] : stops[k + 1]]])
        names = stems(rng, n)
        code = codes[2 - depth]
        cut = {"community": 9, "street": 6}.get(level)
        tables.append(
            pd.DataFrame(
                {
                    "code": code,
                    "name": [s[0] + end[0] for s in names],
                    "name_en": [f"{s[1]} {end[1]}" for s in names],
                    "level": level,
                    "parent": [c[:cut] for c in code] if cut else None,
                    "geometry": merged,
                }
            )
        )
        below, of_below = merged, label
    out = pd.concat([t.astype({"parent": object}) for t in reversed(tables)], ignore_index=True)
    single = shapely.get_type_id(out["geometry"].to_numpy()) == 3
    geometry = out["geometry"].to_numpy().copy()
    geometry[single] = shapely.multipolygons(geometry[single], indices=np.arange(int(single.sum())))
    out["geometry"] = geometry
    return out
