"""Bulk locate from Parquet to Parquet: 137 million points, 105,000 jagged grids.

    python benchmarks/locate_parquet.py [--points 137000000] [--grids 105000] [--case uniform,crowds] [--seed 0]

The input is made here: float64 columns lon and lat in row groups of a million points, uncompressed, uniform over the
layer's box (some lie just outside its jagged rim and are told their nearest grid) or crowded around 2,000 centres. The
run itself is `data.point_streams` as ``gisgrid locate`` uses it, in a process of its own, whose peak memory is what is
printed beside that of the whole benchmark; reading, locating, writing, closing and syncing the file count, loading
Python and mapping the index (built before) do not. A million rows of the answer are compared with the index, and
some of them with STRtree by the owner rule.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from _locate_cases import codes_for, jagged_layer, points_in

from data.point_streams import Grids, locate_file, open_points
from gisgrid.locate import GridIndex

CHECKED = 20_000


def run_child(folder: Path) -> None:
    """The measured process: prints one JSON line."""
    grids = Grids.of_index(GridIndex.load(folder / "grids.loc"), "EPSG:4490")
    grids.index.nearest([0.0], [0.0], 1.0, metres=True)  # compiled code read from the cache, not timed
    grids.index.rows([0.0], [0.0])
    before = peak_mb()
    start, processor = time.perf_counter(), time.process_time()
    stream = open_points(folder / "points.parquet", crs="wgs84")
    tally = locate_file(stream, folder / "located.parquet", grids)
    seconds = time.perf_counter() - start
    told = {
        "seconds": seconds,
        "processor": time.process_time() - processor,
        "before": before,
        "peak": peak_mb(),
        **tally.facts(),
    }
    print(json.dumps(told))


def peak_mb() -> float:
    """Most resident memory of this process since it began; getrusage would count what its parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def write_points(path: Path, bounds: Any, count: int, rng: np.random.Generator, crowds: int) -> None:
    schema = pa.schema([("lon", pa.float64()), ("lat", pa.float64())])
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    with pq.ParquetWriter(path, schema, **options) as writer:
        for x, y in points_in(bounds, count, rng, crowds):
            writer.write_batch(pa.record_batch([x, y], schema=schema))


def right(folder: Path, shapes: Any, codes: list[str], count: int) -> tuple[int, int, int]:
    """Rows in order and complete; owners equal to the index and to STRtree → (rows, equal to index, to STRtree)."""
    file = pq.ParquetFile(folder / "located.parquet")
    index = GridIndex.load(folder / "grids.loc")
    middle = file.metadata.num_row_groups // 2
    given = pq.ParquetFile(folder / "points.parquet").read_row_group(middle)
    found = file.read_row_group(middle)
    assert found["lon"].equals(given["lon"]), "rows in the order they came"
    x, y = (given[axis].to_numpy() for axis in ("lon", "lat"))
    owners = np.array(found["grid"].to_pylist(), dtype=object)
    same = int((owners == index.codes(x, y)).sum())
    tree = shapely.STRtree(shapes)
    who, row = tree.query(shapely.points(x[:CHECKED], y[:CHECKED]), "covered_by")
    best: list[str | None] = [None] * min(CHECKED, len(x))
    for k, grid in zip(who.tolist(), row.tolist(), strict=True):
        best[k] = codes[grid] if best[k] is None else min(best[k], codes[grid])  # type: ignore[type-var]
    brute = int((owners[:CHECKED] == np.array(best, dtype=object)).sum())
    assert file.metadata.num_rows == count, "every row is there"
    return len(x), same, brute


def bench(case: str, count: int, folder: Path, shapes: Any, codes: list[str], rng: np.random.Generator) -> None:
    bounds = shapely.total_bounds(shapes)
    start = time.perf_counter()
    write_points(folder / "points.parquet", bounds, count, rng, 2_000 if case == "crowds" else 0)
    made = time.perf_counter() - start
    size = (folder / "points.parquet").stat().st_size / 1e9
    print(f"  {case}: {count:,} points made in {made:.1f} s, {size:.2f} GB")
    done = subprocess.run(
        [sys.executable, __file__, "--child", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout)
    wrote = (folder / "located.parquet").stat().st_size / 1e9
    rate = f"{count / told['seconds'] / 1e6:.2f} M points/s, {told['processor']:.1f} s of processor time"
    print(f"    located in {told['seconds']:.1f} s: {rate}; {wrote:.2f} GB written")
    print(f"    {told['located']:,} in a grid, {told['outside']:,} outside, {told['unusable']:,} unusable")
    print(
        f"    peak memory of the process {told['peak']:.0f} MB, of which {told['before']:.0f} MB before the first point"
    )
    rows, same, brute = right(folder, shapes, codes, count)
    print(
        f"    one row group checked: {same:,}/{rows:,} as the index says, {brute:,}/{min(CHECKED, rows):,} as STRtree"
    )
    for name in ("points.parquet", "located.parquet"):
        (folder / name).unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=137_000_000)
    parser.add_argument("--grids", type=int, default=105_000)
    parser.add_argument("--case", default="uniform,crowds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the files go for the time of the run")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        run_child(asked.child)
        return
    rng = np.random.default_rng(asked.seed)
    shapes = jagged_layer(asked.grids, rng)
    codes = codes_for(len(shapes), rng)
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        folder = Path(made)
        GridIndex.build(shapes, codes).save(folder / "grids.loc")
        print(f"{len(shapes):,} grids of {shapely.get_num_coordinates(shapes[0]) - 1} corners, Parquet to Parquet")
        for case in asked.case.split(","):
            bench(case, asked.points, folder, shapes, codes, rng)
    print(f"  peak memory of the benchmark itself {peak_mb():.0f} MB")


if __name__ == "__main__":
    main()
