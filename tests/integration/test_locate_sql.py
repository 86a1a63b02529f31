"""The index against its specification, run by a real PostGIS: min(code) over ST_Covers."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
import shapely

from gisgrid.locate import GridIndex

pytestmark = pytest.mark.postgis

SIDE = 30
RULE = """
    SELECT p.id, min(g.code COLLATE "C")
    FROM locate_points p LEFT JOIN locate_grids g ON ST_Covers(g.geom, p.geom)
    GROUP BY p.id ORDER BY p.id
"""


def jagged(rng: np.random.Generator, origin: tuple[float, float], size: float, n: int = SIDE, sub: int = 10) -> Any:
    """n·n polygons of 4·sub corners in a square; neighbours share every vertex exactly."""
    base = np.stack(np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij"), -1)
    base += rng.uniform(-0.25, 0.25, base.shape)
    steps = (np.arange(sub) / sub)[:, None]

    def wavy(a: Any, b: Any) -> Any:
        line = a[..., None, :] * (1 - steps) + b[..., None, :] * steps
        line[..., 1:, :] += rng.uniform(-0.03, 0.03, line[..., 1:, :].shape)
        return line

    across, along = wavy(base[:-1], base[1:]), wavy(base[:, :-1], base[:, 1:])
    ends = base[1:, :-1, None], base[1:, 1:, None], base[:-1, 1:, None]
    rings = np.concatenate(
        [
            across[:, :-1],
            along[1:],
            ends[1],
            across[:, 1:, :0:-1],
            ends[2],
            along[:-1, :, :0:-1],
        ],
        axis=2,
    )
    return shapely.polygons(rings.reshape(n * n, -1, 2) / n * size + origin)


def rule_of(url: str, shapes: Any, codes: list[str], x: Any, y: Any, srid: int) -> list[str | None]:
    """Owner of each point as PostGIS says."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as db, db.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE locate_grids (code text, geom geometry(Geometry, {srid}))")
        with cursor.copy("COPY locate_grids FROM STDIN") as copy:
            for code, wkb in zip(codes, shapely.to_wkb(shapely.set_srid(shapes, srid), include_srid=True), strict=True):
                copy.write_row((code, wkb.hex()))
        cursor.execute(f"CREATE TEMP TABLE locate_points (id int, geom geometry(Point, {srid}))")
        points = shapely.to_wkb(shapely.set_srid(shapely.points(x, y), srid), hex=True, include_srid=True)
        with cursor.copy("COPY locate_points FROM STDIN") as copy:
            for number, wkb_hex in enumerate(points):
                copy.write_row((number, wkb_hex))
        cursor.execute("CREATE INDEX ON locate_grids USING gist (geom)")
        cursor.execute("ANALYZE locate_grids, locate_points")
        return [owner for _, owner in cursor.execute(RULE).fetchall()]


def corners_and_middles(shapes: Any) -> tuple[Any, Any]:
    """Every vertex and every edge midpoint, each once."""
    at, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    return np.unique(at, axis=0), np.unique(((at[1:] + at[:-1]) / 2)[ring[1:] == ring[:-1]], axis=0)


def agree(url: str, shapes: Any, x: Any, y: Any, srid: int = 4490) -> list[str | None]:
    codes = [f"370800001001{k:03d}" for k in np.random.default_rng(5).permutation(len(shapes))]
    wanted = rule_of(url, shapes, codes, x, y, srid)
    got = GridIndex.build(shapes, codes).codes(x, y).tolist()
    differ = [(x[k], y[k], got[k], wanted[k]) for k in range(len(x)) if got[k] != wanted[k]]
    assert not differ, f"{len(differ)} of {len(x)} points differ, first {differ[0]}"
    return got


def test_random_points_vertices_and_midpoints_of_a_coverage(postgis_url: str) -> None:
    rng = np.random.default_rng(11)
    shapes = jagged(rng, (116.3, 39.9), 0.1)
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    vertices, middles = corners_and_middles(shapes)
    random = np.column_stack([rng.uniform(116.295, 116.405, 10_000), rng.uniform(39.895, 40.005, 10_000)])
    x, y = np.concatenate([random, vertices, middles]).T
    owners = agree(postgis_url, shapes, x, y)
    assert None not in owners[10_000 : 10_000 + len(vertices)], "a vertex always has an owner"


def test_points_one_last_bit_off_every_edge(postgis_url: str) -> None:
    rng = np.random.default_rng(12)
    shapes = jagged(rng, (116.3, 39.9), 0.02, n=8)
    exact = np.concatenate(corners_and_middles(shapes))
    near = [exact + np.spacing(exact) * step for step in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    agree(postgis_url, shapes, *np.concatenate(near).T)


@pytest.mark.parametrize(
    ("origin", "size"), [((116.3, 39.9), 0.1), ((39_500_000.0, 4.4e6), 9000.0), ((-0.5, -0.5), 1.0)]
)
def test_overlaps_holes_and_parts(postgis_url: str, origin: tuple[float, float], size: float) -> None:
    rng = np.random.default_rng(13)
    cells = jagged(rng, origin, size, n=8)
    grouped = np.array(
        [shapely.coverage_union_all(cells[rng.choice(64, 9, replace=False)]) for _ in range(40)], dtype=object
    )
    holed = [shapely.box(*origin, *np.add(origin, size)) - shape.buffer(0) for shape in grouped[:10]]
    shapes = np.concatenate([grouped, np.array(holed, dtype=object)])
    shapes = shapes[shapely.is_valid(shapes)]
    assert len(shapes) > 40
    random = rng.uniform(np.subtract(origin, size * 0.05), np.add(origin, size * 1.05), (3000, 2))
    agree(postgis_url, shapes, *np.concatenate([random, *corners_and_middles(shapes)]).T, srid=0)


def test_long_edges_whose_side_double_precision_gets_wrong(postgis_url: str) -> None:
    """Here GEOS and ST_Covers disagree, and the SQL is the rule."""
    rng = np.random.default_rng(14)
    shapes = shapely.polygons(rng.uniform(-1, 1, (60, 3, 2)))
    corner = shapely.get_coordinates(shapes).reshape(60, 4, 2)
    share = rng.uniform(0, 1, (60, 60, 1))
    on_sides = [corner[:, k, None] * (1 - share) + corner[:, k + 1, None] * share for k in range(3)]
    points = np.concatenate(on_sides).reshape(-1, 2)
    points = np.concatenate([points, points + np.spacing(points) * (0, 1)])
    owners = agree(postgis_url, shapes, *points.T, srid=0)
    tree = shapely.STRtree(shapes)
    covered_by_geos = np.zeros(len(points), bool)
    covered_by_geos[tree.query(shapely.points(points), "covered_by")[0]] = True
    assert (covered_by_geos != [owner is not None for owner in owners]).any(), "the case this test is about is gone"
