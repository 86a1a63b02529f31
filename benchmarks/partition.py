"""Partition: ours beside METIS on a made city, judged by the same figures.

    python benchmarks/partition.py [--units 20000] [--seed 0] [--effort 1.0] [--out plan.gpkg]

The city is made here: a jittered lattice of blocks, streets of four classes, a river, walled compounds, towers,
old lanes and parks. `--out` writes layers units (with column grid), grids and roads, for a look in QGIS.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pymetis
import shapely

from gisgrid.models import Band
from planning.graph import UnitGraph, unit_graph
from planning.partition import partition, warm

Floats = npt.NDArray[np.float64]
CRS = "EPSG:4547"
CELL = 34.0


def made_city(units: int = 20_000, seed: int = 0) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """About `units` units (an exactly noded coverage) and their streets, in a metric CRS."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(units / 9.0)))
    per_column, per_row = rng.integers(2, 5, side), rng.integers(2, 5, side)
    x, column = _fine_axis(per_column)
    y, row = _fine_axis(per_row)
    corner = rng.normal(0.0, 11.0, (2, side + 1, side + 1))
    px, py = _positions(x, y, corner)
    unit_column, unit_row = (part.ravel() for part in np.meshgrid(column, row))
    i, j = (part.ravel() for part in np.meshgrid(np.arange(len(column)), np.arange(len(row))))
    ring = np.stack([_at(px, py, i + a, j + b) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))], axis=1)
    block = unit_row * side + unit_column
    kind = rng.choice(5, side * side, p=[0.34, 0.34, 0.14, 0.11, 0.07])[block]
    compound = np.where(kind == 4, -1 - np.arange(len(block)), block)
    low, high = np.array([4, 8, 40, 0, 0])[kind], np.array([18, 34, 120, 12, 1])[kind]
    households = rng.integers(low, np.maximum(high, low + 1))
    # towers stand apart: most cells of a tower compound are green
    households = np.where((kind == 2) & (rng.random(len(kind)) < 0.5), 0, households)
    table = gpd.GeoDataFrame(
        {
            "unit_id": np.arange(len(block)).astype(str),
            "households": households,
            "compound_id": compound.astype(str),
            "kind": np.array(["walkup", "oldtown", "highrise", "commercial", "park"], dtype=object)[kind],
        },
        geometry=shapely.polygons(ring),
        crs=CRS,
    )
    return table, _streets(px, py, per_column, per_row, side)


def _fine_axis(parts: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Positions along one axis in block units, and the block of every interval."""
    block = np.repeat(np.arange(len(parts)), parts)
    within = np.concatenate([np.arange(count) for count in parts]) / np.repeat(parts, parts)
    return np.append(block + within, float(len(parts))), block


def _positions(x: Floats, y: Floats, corner: npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Fine lattice points: block corners are jittered, points between them interpolated."""
    side = corner.shape[1] - 1
    gx, gy = np.meshgrid(x, y)
    cx, cy = np.minimum(gx.astype(int), side - 1), np.minimum(gy.astype(int), side - 1)
    fx, fy = gx - cx, gy - cy
    shift = (
        corner[:, cy, cx] * (1 - fx) * (1 - fy) + corner[:, cy, cx + 1] * fx * (1 - fy)
        + corner[:, cy + 1, cx] * (1 - fx) * fy + corner[:, cy + 1, cx + 1] * fx * fy
    )  # fmt: skip
    pitch = CELL * 3.0
    wave = 60.0 * np.sin(gy / 9.0), 60.0 * np.sin(gx / 11.0)
    px: Floats = np.round(500_000.0 + pitch * gx + wave[0] + shift[0], 3)
    py: Floats = np.round(4_400_000.0 + pitch * gy + wave[1] + shift[1], 3)
    return px, py


def _at(px: Floats, py: Floats, i: Any, j: Any) -> Floats:
    return np.stack([px[j, i], py[j, i]], axis=-1)


def _streets(
    px: Floats, py: Floats, per_column: npt.NDArray[np.int64], per_row: npt.NDArray[np.int64], side: int
) -> gpd.GeoDataFrame:
    lines, classes = [], []
    river = side // 2 + 1
    for axis, parts in ((0, per_column), (1, per_row)):
        starts = np.concatenate([[0], np.cumsum(parts)])
        for line, start in enumerate(starts.tolist()):
            cls = next(
                (name for step, name in ((16, "primary"), (8, "secondary"), (4, "tertiary"), (2, "residential"))
                 if line % step == 0),
                "residential" if line % 3 else "wall",
            )  # fmt: skip
            if axis == 1 and line == river:
                cls = "river"
            points = (px[:, start], py[:, start]) if axis == 0 else (px[start], py[start])
            lines.append(shapely.linestrings(np.stack(points, axis=1)))
            classes.append(cls)
    return gpd.GeoDataFrame({"cls": classes}, geometry=lines, crs=CRS)


def metis_alone(graph: UnitGraph, households: Floats, k: int, seed: int) -> npt.NDArray[np.int64]:
    """What METIS gives by itself: contiguous k-way, street classes as edge weights."""
    cost = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.7, 1.0])
    edge = 1 + np.round(10.0 * graph.by_class @ cost).astype(np.int64)
    _, parts = pymetis.part_graph(
        k, pymetis.CSRAdjacency(graph.indptr, graph.indices), vweights=(1 + 10 * households).astype(int).tolist(),
        eweights=edge.tolist(), recursive=False, options=pymetis.Options(seed=seed, contig=1, ufactor=50),
    )  # fmt: skip
    return np.asarray(parts, dtype=np.int64)


def figures(
    graph: UnitGraph, units: gpd.GeoDataFrame, label: npt.NDArray[np.integer[Any]], band: Band
) -> dict[str, float]:
    """In band, compactness, boundary on streets, fitting compounds split, grids crossing rivers and main roads."""
    k = int(label.max()) + 1
    source, target = graph.sources, graph.indices
    same = label[source] == label[target]
    h = units["households"].to_numpy(float)
    loads = np.bincount(label, h, minlength=k)
    area = np.bincount(label, graph.area, minlength=k)
    perimeter = np.bincount(label, graph.perimeter, minlength=k)
    perimeter -= np.bincount(label[source[same]], graph.border[same], minlength=k)
    metres = graph.by_class[~same].sum(axis=0)
    lived = h > 0
    compound = units["compound_id"].to_numpy()[lived]
    totals = units[lived].groupby("compound_id")["households"].sum()
    spread = pd.DataFrame({"c": compound, "g": label[lived]}).groupby("c")["g"].nunique()
    fits = totals <= band.high
    ordinary = loads > 0
    return {
        "grids": k,
        "in_band": float(((loads >= band.low) & (loads <= band.high))[ordinary].mean()),
        "compactness": float((4 * np.pi * area / perimeter**2)[area > 0].mean()),
        "on_streets": float(metres[:5].sum() / metres.sum()),
        "split": float((spread[fits] > 1).mean()),
        "crossing": len(np.unique(label[source[same & (graph.street < 3)]])) / k,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    band = Band(300, 500)
    units, streets = made_city(args.units, args.seed)
    begun = time.perf_counter()
    warm()
    print(f"compile or load {time.perf_counter() - begun:.1f} s")
    begun = time.perf_counter()
    plan = partition(units, streets, band=band, seed=args.seed, effort=args.effort, special_kinds=())
    ours = time.perf_counter() - begun
    begun = time.perf_counter()
    graph = unit_graph(units, streets)
    peer = metis_alone(graph, units["households"].to_numpy(float), len(plan.grids), args.seed)
    theirs = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(units)} units, {units['households'].sum()} households, peak {memory:.0f} MB, {plan.stats['cells']} cells"
    )
    for name, seconds, label in (("METIS", theirs, peer), ("ours", ours, plan.assignment)):
        values = "  ".join(f"{key} {value:.3f}" for key, value in figures(graph, units, label, band).items())
        print(f"{name:6s} {seconds:6.1f} s  {values}")
    for reason in plan.reasons:
        print(reason.code, reason.text)
    if args.out:
        units["grid"] = plan.grids["code"].to_numpy()[plan.assignment]
        units.to_file(args.out, layer="units")
        plan.grids.to_file(args.out, layer="grids")
        streets.to_file(args.out, layer="roads")


if __name__ == "__main__":
    main()
