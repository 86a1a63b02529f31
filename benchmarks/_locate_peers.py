"""Whose grid a point lies in, as others find it: geopandas, shapely, DuckDB spatial, PostGIS; all by the owner rule."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely

from data import db
from gisgrid.errors import GisgridError
from gisgrid.settings import Settings

POSTGIS_POINTS = 100_000  # PostGIS and DuckDB get a share of the points, or they would take most of the run
DUCKDB_POINTS = 200_000


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


@contextmanager
def postgis(url: str | None) -> Iterator[str | None]:
    """Address of a PostGIS: the one given, none for "none", else a private cluster that is gone afterwards."""
    if url:
        yield None if url == "none" else url
        return
    with tempfile.TemporaryDirectory(prefix="gisgrid-bench-", ignore_cleanup_errors=True) as home:
        try:
            with db.database(Settings(home=Path(home))) as engine:
                yield engine.url.render_as_string(hide_password=False)
        except GisgridError as error:
            print(f"PostGIS does not take part: {error}")
            yield None


def by_duckdb(shapes: Any, codes: list[str], x: Any, y: Any) -> tuple[Callable[[], Any] | None, str]:
    """DuckDB's spatial join of points and grids in tables of its own → (work or None, why not)."""
    try:
        import duckdb
    except ImportError:
        return None, "the package duckdb is not there"
    db_ = duckdb.connect()
    try:
        db_.execute("INSTALL spatial")
        db_.execute("LOAD spatial")
    except duckdb.Error as error:
        return None, str(error).splitlines()[0][:120]
    grids = pa.table({"row": np.arange(len(codes)), "code": codes, "wkb": shapely.to_wkb(shapes)})
    points = pa.table({"id": np.arange(len(x)), "x": x, "y": y})
    db_.register("given_grids", grids)
    db_.register("given_points", points)
    db_.execute("CREATE TABLE grids AS SELECT row, code, ST_GeomFromWKB(wkb) AS geom FROM given_grids")
    db_.execute("CREATE TABLE points AS SELECT id, ST_Point(x, y) AS geom FROM given_points")
    rule = "SELECT p.id, min(g.code) FROM points p JOIN grids g ON ST_Covers(g.geom, p.geom) GROUP BY p.id"
    row_of = {code: row for row, code in enumerate(codes)}

    def answer() -> Any:
        found = db_.execute(rule).fetchnumpy()
        owners = next(value for name, value in found.items() if name != "id")
        rows = np.full(len(x), -1)
        rows[found["id"]] = [row_of[code] for code in owners]
        return rows

    return answer, ""
