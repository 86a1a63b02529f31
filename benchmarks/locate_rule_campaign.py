"""The point index held to its specification, point by point: min(code) over ST_Covers, asked of PostGIS.

    python benchmarks/locate_rule_campaign.py [--grids 900,105000] [--points 1000000] [--seed 0]

Random points, every vertex and every edge midpoint of jagged coverages, and of the same layer with overlaps, gaps and
holes. The private PostGIS of a temporary home answers. Prints how many answers are equal; ends with 1 when one is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import shapely
from _locate_cases import jagged_layer

from data import embedded
from gisgrid.locate import GridIndex

RULE = """SELECT (SELECT min(g.code COLLATE "C") FROM rule_grids g WHERE ST_Covers(g.geom, p.geom))
FROM rule_points p ORDER BY p.id"""
CHUNK = 200_000


def spoiled(shapes: Any, rng: np.random.Generator) -> Any:
    """The layer with every seventh grid grown over its neighbours, every ninth away, every eleventh with a hole."""
    number = np.arange(len(shapes))
    out = shapes.copy()
    grown = number % 7 == 0
    out[grown] = shapely.buffer(out[grown], 0.0007, quad_segs=2)
    holed = (number % 11 == 0) & ~grown
    middle = shapely.buffer(shapely.centroid(out[holed]), 0.0004, quad_segs=2)
    out[holed] = shapely.difference(out[holed], middle)
    return out[number % 9 != 0]


def corners_and_middles(shapes: Any) -> tuple[Any, Any]:
    """Every vertex and every edge midpoint, each once."""
    at, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    return np.unique(at, axis=0), np.unique(((at[1:] + at[:-1]) / 2)[ring[1:] == ring[:-1]], axis=0)


def load(db: psycopg.Connection[Any], shapes: Any, codes: list[str]) -> None:
    db.execute("DROP TABLE IF EXISTS rule_grids")
    db.execute("CREATE TABLE rule_grids (code text, geom geometry(Geometry, 4490))")
    with db.cursor().copy("COPY rule_grids FROM STDIN") as copy:
        for code, wkb in zip(
            codes, shapely.to_wkb(shapely.set_srid(shapes, 4490), hex=True, include_srid=True), strict=True
        ):
            copy.write_row((code, wkb))
    db.execute("CREATE INDEX ON rule_grids USING gist (geom)")
    db.execute("ANALYZE rule_grids")


def by_rule(db: psycopg.Connection[Any], points: Any) -> list[str | None]:
    db.execute("DROP TABLE IF EXISTS rule_points")
    db.execute("CREATE TABLE rule_points (id int, geom geometry(Point, 4490))")
    wkb = shapely.to_wkb(shapely.set_srid(shapely.points(points), 4490), hex=True, include_srid=True)
    with db.cursor().copy("COPY rule_points FROM STDIN") as copy:
        for number, one in enumerate(wkb):
            copy.write_row((number, one))
    return [code for (code,) in db.execute(RULE).fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grids", default="900,105000")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    wrong = 0
    with (
        tempfile.TemporaryDirectory(prefix="gisgrid-rule-") as home,
        embedded.running(embedded.cluster_at(Path(home))) as cluster,
        psycopg.connect(host=str(cluster.socket), user=embedded.ROLE, dbname=embedded.DATABASE, autocommit=True) as db,
    ):
        db.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        for count in map(int, asked.grids.split(",")):
            rng = np.random.default_rng(asked.seed)
            plain = jagged_layer(count, rng)
            for name, shapes in (("coverage", plain), ("overlaps, gaps, holes", spoiled(plain, rng))):
                codes = [f"370811{n:09d}" for n in rng.permutation(len(shapes))]
                index = GridIndex.build(shapes, codes)
                load(db, shapes, codes)
                low, high = np.array(index.bounds).reshape(2, 2)
                corners, middles = corners_and_middles(shapes)
                for kind, points in (
                    ("random", rng.uniform(low - 1e-3, high + 1e-3, (asked.points, 2))), ("vertices", corners),
                    ("edge midpoints", middles),
                ):  # fmt: skip
                    begun, equal = time.perf_counter(), 0
                    for at in range(0, len(points), CHUNK):
                        part = points[at : at + CHUNK]
                        ours = index.codes(part[:, 0], part[:, 1]).tolist()
                        equal += sum(a == b for a, b in zip(ours, by_rule(db, part), strict=True))
                    wrong += len(points) - equal
                    print(
                        f"{len(shapes):>7,} grids, {name:<22} {kind:<15} {equal:>9,} of {len(points):>9,} equal"
                        f"  ({time.perf_counter() - begun:.0f} s)", flush=True,
                    )  # fmt: skip
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
