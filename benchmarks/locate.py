"""Locate: ours beside geopandas sjoin, shapely STRtree and PostGIS, on layers and points made here.

    python benchmarks/locate.py [--grids 900,105000] [--points 1000000] [--postgis postgresql://…] [--seed 0]

Layers are jagged coverages: every grid has 40 corners, all shared exactly with its neighbours. Every peer answers by
the owner rule (smallest code among the grids that cover the point), so all answers are compared, one by one. PostGIS
takes part when a URL is given (or stands in GISGRID_DATABASE_URL); its tables are temporary.
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

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.locate import GridIndex, hilbert_order

WEST, SOUTH, CELL = 116.0, 35.0, 0.003  # degrees; a grid is about 300 m wide
POSTGIS_POINTS = 100_000  # PostGIS gets a share of the points, or it would take most of the run


def jagged_layer(count: int, rng: np.random.Generator, sub: int = 10) -> Any:
    """About `count` polygons of 4·sub corners over a square; neighbours share every vertex exactly."""
    columns = round(np.sqrt(count))
    rows = -(-count // columns)
    base = np.stack(np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0), indexing="ij"), -1)
    base += rng.uniform(-0.2, 0.2, base.shape)
    steps = (np.arange(sub) / sub)[:, None]

    def wavy(a: Any, b: Any) -> Any:
        line = a[..., None, :] * (1 - steps) + b[..., None, :] * steps
        line[..., 1:, :] += rng.uniform(-0.02, 0.02, line[..., 1:, :].shape)
        return line

    across, along = wavy(base[:-1], base[1:]), wavy(base[:, :-1], base[:, 1:])
    parts = [across[:, :-1], along[1:], base[1:, 1:, None], across[:, 1:, :0:-1], base[:-1, 1:, None]]
    rings = np.concatenate([*parts, along[:-1, :, :0:-1]], axis=2).reshape(columns * rows, -1, 2)
    return shapely.polygons(rings[:count] * CELL + (WEST, SOUTH))


def smallest(count: int, who: Any, row: Any, rank: Any) -> Any:
    """Row of the smallest code per point, from (point, row) pairs; -1 for none."""
    best = np.full(count, len(rank))
    np.minimum.at(best, who, rank[row])
    return np.append(np.argsort(rank), -1)[best]


def by_sjoin(shapes: Any, codes: list[str], x: Any, y: Any) -> Callable[[], Any]:
    """geopandas as documented: points joined to grids, smallest code kept."""
    grids = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=4490)
    grids.sindex  # noqa: B018 - built beforehand, as ours is
    row_of = {code: row for row, code in enumerate(codes)}

    def answer() -> Any:
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=4490)
        joined = gpd.sjoin(points, grids, how="inner", predicate="intersects")
        owner = joined.groupby(level=0)["code"].min()
        rows = np.full(len(x), -1)
        rows[owner.index] = owner.map(row_of)
        return rows

    return answer


def by_strtree(shapes: Any, rank: Any, x: Any, y: Any) -> Callable[[], Any]:
    tree = shapely.STRtree(shapes)
    return lambda: smallest(len(x), *tree.query(shapely.points(x, y), "covered_by"), rank)


def by_postgis(url: str, shapes: Any, codes: list[str], x: Any, y: Any) -> Callable[[], Any]:
    """The specification itself, points already in a table, GiST on the grids."""
    import psycopg

    db = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    db.execute("CREATE TEMP TABLE bench_grids (row int, code text, geom geometry(Polygon, 4490))")
    db.execute("CREATE TEMP TABLE bench_points (id int, geom geometry(Point, 4490))")
    with db.cursor().copy("COPY bench_grids FROM STDIN") as copy:
        for row, wkb in enumerate(shapely.to_wkb(shapely.set_srid(shapes, 4490), hex=True, include_srid=True)):
            copy.write_row((row, codes[row], wkb))
    points = shapely.to_wkb(shapely.set_srid(shapely.points(x, y), 4490), hex=True, include_srid=True)
    with db.cursor().copy("COPY bench_points FROM STDIN") as copy:
        for number, wkb in enumerate(points):
            copy.write_row((number, wkb))
    db.execute("CREATE INDEX ON bench_grids USING gist (geom)")
    db.execute("ANALYZE bench_grids, bench_points")
    row_of = {code: row for row, code in enumerate(codes)} | {None: -1}
    rule = """SELECT p.id, min(g.code COLLATE "C") FROM bench_points p
              LEFT JOIN bench_grids g ON ST_Covers(g.geom, p.geom) GROUP BY p.id ORDER BY p.id"""
    return lambda: np.array([row_of[code] for _, code in db.execute(rule).fetchall()])


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
    codes = [f"370811{n:09d}" for n in rng.permutation(len(shapes))]
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
    if url:
        part = min(points, POSTGIS_POINTS)
        note(f"PostGIS ({part:,} points)", *timed(by_postgis(url, shapes, codes, x[:part], y[:part])))
    ours = figures[1]
    for name, rate, rows in figures:
        same = int((rows == ours[2][: len(rows)]).sum())
        ratio = f"ours ×{ours[1] / rate:7.1f}"
        print(f"  {name:<32} {rate / 1e6:9.3f} M points/s   {ratio}   same owner {same:,}/{len(rows):,}")

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
    parser.add_argument("--postgis", default=os.environ.get("GISGRID_DATABASE_URL"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for count in map(int, asked.grids.split(",")):
        bench(count, asked.points, asked.postgis, asked.seed)


if __name__ == "__main__":
    main()
