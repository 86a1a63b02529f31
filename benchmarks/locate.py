"""Locate: ours beside geopandas sjoin, shapely STRtree, DuckDB spatial and PostGIS, on layers and points made here.

    python benchmarks/locate.py [--grids 900,105000] [--points 1000000] [--postgis postgresql://…|none] [--seed 0]

Layers are jagged coverages: every grid has 40 corners, all shared exactly with its neighbours. Every peer answers by
the owner rule (smallest code among the grids that cover the point), so all answers are compared, one by one. PostGIS
is a private cluster in a temporary folder unless another is named; its tables are temporary. DuckDB takes part where
its spatial extension is there or can be fetched.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from _locate_cases import codes_for, jagged_layer
from _locate_peers import DUCKDB_POINTS, POSTGIS_POINTS, by_duckdb, by_postgis, by_sjoin, by_strtree, postgis

from gisgrid.locate import GridIndex, hilbert_order

BAR = 40
"""Times sjoin's speed that bulk locate is to reach."""


def timed(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def resident_mb() -> float:
    return float(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def single_microseconds(index: GridIndex, x: Any, y: Any) -> tuple[float, float]:
    """Median and 99th percentile over batches of 100 calls of `GridIndex.row`, microseconds a call."""
    pairs = list(zip(x[:50_000].tolist(), y[:50_000].tolist(), strict=True))
    took = []
    for begin in range(0, len(pairs), 100):
        start = time.perf_counter()
        for a, b in pairs[begin : begin + 100]:
            index.row(a, b)
        took.append((time.perf_counter() - start) * 1e4)
    return float(np.median(took)), float(np.percentile(took, 99))


def bench(count: int, points: int, url: str | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = jagged_layer(count, rng)
    codes = codes_for(len(shapes), rng)
    rank = np.argsort(np.argsort(codes))
    minx, miny, maxx, maxy = shapely.total_bounds(shapes)
    x, y = rng.uniform(minx, maxx, points), rng.uniform(miny, maxy, points)
    print(f"\n{len(shapes):,} grids of {shapely.get_num_coordinates(shapes[0]) - 1} corners, {points:,} random points")

    GridIndex.build(shapes[:4], codes[:4]).rows(x[:2], y[:2])  # compiled code read from the cache, not timed
    before = resident_mb()
    built, index = timed(lambda: GridIndex.build(shapes, codes))
    print(f"  build {built:.2f} s; index {index.nbytes / 1e6:.0f} MB; process grew by {resident_mb() - before:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        saved, _ = timed(lambda: index.save(Path(folder) / "grids.loc"))
        loaded, again = timed(lambda: GridIndex.load(Path(folder) / "grids.loc"))
        print(f"  save {saved:.2f} s, load (mapped) {loaded:.3f} s")
        index = again  # what follows runs on the mapped file, as workers do

    figures: list[tuple[str, float, Any]] = []

    def note(name: str, seconds: float, rows: Any) -> None:
        figures.append((name, len(rows) / seconds, rows))

    index.rows(x, y)
    note("ours, one thread", *timed(lambda: index.rows(x, y, threads=1), 3))
    note("ours", *timed(lambda: index.rows(x, y), 3))
    order = hilbert_order(x, y)
    sorted_x, sorted_y = x[order], y[order]
    seconds, rows = timed(lambda: index.rows(sorted_x, sorted_y), 3)
    note("ours, points in Hilbert order", seconds, rows[np.argsort(order)])
    note("geopandas sjoin", *timed(by_sjoin(shapes, codes, x, y)))
    note("shapely STRtree", *timed(by_strtree(shapes, rank, x, y)))
    part = min(points, DUCKDB_POINTS)
    duckdb, missing = by_duckdb(shapes, codes, x[:part], y[:part])
    if duckdb is not None:
        note(f"DuckDB spatial ({part:,} points)", *timed(duckdb))
    if url:
        part = min(points, POSTGIS_POINTS)
        note(f"PostGIS ({part:,} points)", *timed(by_postgis(url, shapes, codes, x[:part], y[:part])))
    ours = figures[1]
    for name, rate, rows in figures:
        same = int((rows == ours[2][: len(rows)]).sum())
        ratio = f"ours ×{ours[1] / rate:7.1f}"
        print(f"  {name:<32} {rate / 1e6:9.3f} M points/s   {ratio}   same owner {same:,}/{len(rows):,}")
    if missing:
        print(f"  {'DuckDB spatial':<32} not installable here: {missing}")
    sjoin = next(rate for name, rate, _ in figures if name == "geopandas sjoin")
    print(f"  bulk: ours ×{ours[1] / sjoin:.0f} sjoin (to reach: ×{BAR})")

    at, ring = shapely.get_coordinates(shapes, return_index=True)
    middles = ((at[1:] + at[:-1]) / 2)[ring[1:] == ring[:-1]]
    for name, tied in (("vertices", at), ("edge midpoints", middles)):
        tied = np.unique(tied, axis=0)[:points]
        seconds, rows = timed(lambda tied=tied: index.rows(tied[:, 0], tied[:, 1]))
        wanted = by_strtree(shapes, rank, tied[:, 0], tied[:, 1])()
        rate = len(tied) / seconds / 1e6
        equal = f"equal to covers {np.mean(rows == wanted):.4%} of {len(tied):,}"
        print(f"  ties: {name:<26} {rate:9.3f} M points/s   {equal}")
    median, slow = single_microseconds(index, x, y)
    tree = shapely.STRtree(shapes)
    few = list(zip(x[:3000].tolist(), y[:3000].tolist(), strict=True))
    seconds, _ = timed(lambda: [tree.query(shapely.Point(a, b), "covered_by") for a, b in few])
    print(f"  single: ours {median:.2f} µs (p99 {slow:.2f}), STRtree {seconds / len(few) * 1e6:.1f} µs")
    print(f"  peak memory of this process so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", default="900,105000")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--postgis", default=os.environ.get("GISGRID_DATABASE_URL"), help="URL, or none")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with postgis(asked.postgis) as url:
        for count in map(int, asked.grids.split(",")):
            bench(count, asked.points, url, asked.seed)


if __name__ == "__main__":
    main()
