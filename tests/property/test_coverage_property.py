"""Any heap of polygons: `check` measures what brute force measures, and `clean` makes it sound."""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid import codes, coverage, topology

CRS = "EPSG:4547"
X0, Y0 = 500_000.0, 3_900_000.0
spot = st.integers(0, 12).map(lambda v: v * 5.0)
span = st.integers(1, 8).map(lambda v: v * 5.0)
turn = st.sampled_from([0.0, 0.0, 0.0, 30.0])


@st.composite
def _shape(draw: Any) -> Any:
    x, y = X0 + draw(spot), Y0 + draw(spot)
    return shapely.affinity.rotate(shapely.box(x, y, x + draw(span), y + draw(span)), draw(turn))


def _layer(shapes: list[Any]) -> gpd.GeoDataFrame:
    names = [f"370811001001{n + 1:03d}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"code": names}, geometry=shapes, crs=CRS)


@settings(max_examples=80, deadline=None)
@given(st.lists(_shape(), min_size=1, max_size=9))
def test_check_against_brute_force(shapes: list[Any]) -> None:
    report = coverage.check(_layer(shapes))
    pairs = {(a, b): shapes[a].intersection(shapes[b]).area for a, b in itertools.combinations(range(len(shapes)), 2)}
    assert report.overlap_m2 == pytest.approx(sum(pairs.values()), abs=1e-3)
    union = shapely.union_all(shapes)
    outlines = [shapely.Polygon(part.exterior) for part in shapely.get_parts(union)]
    assert report.gap_m2 == pytest.approx(shapely.union_all(outlines).area - union.area, abs=1e-3)
    assert report.ok == (report.overlap_m2 <= 1 and report.gap_m2 <= 1)


@settings(max_examples=80, deadline=None)
@given(st.lists(_shape(), min_size=1, max_size=9))
def test_clean_makes_a_coverage_and_keeps_the_ground(shapes: list[Any]) -> None:
    cleaned = coverage.clean(_layer(shapes), gap_m2=0.0, gap_width=0.0)
    geoms = np.asarray(cleaned.geometry)
    assert shapely.coverage_is_valid(geoms)
    assert coverage.check(cleaned).overlap_m2 < 1e-3
    assert shapely.union_all(geoms).area == pytest.approx(shapely.union_all(shapes).area, abs=0.5)
    # smallest code wins: each grid is what the earlier ones left of it
    left, taken = dict(zip(cleaned["code"], cleaned.area, strict=True)), shapely.Polygon()
    for code, shape in zip(_layer(shapes)["code"], shapes, strict=True):
        assert left.get(code, 0.0) == pytest.approx(shape.difference(taken).area, abs=0.2)
        taken = taken.union(shape)


@settings(max_examples=80, deadline=None)
@given(st.lists(_shape(), min_size=2, max_size=9))
def test_borders_are_the_common_lines(shapes: list[Any]) -> None:
    noded = coverage.node_coverage(np.array(shapes, dtype=object))
    rows = np.flatnonzero(~shapely.is_missing(noded))
    shared = topology.borders(topology.edges(noded[rows]))
    found = dict(zip(zip(shared.left.tolist(), shared.right.tolist(), strict=True), shared.metres, strict=True))
    for a, b in itertools.combinations(range(rows.size), 2):
        common = shapely.intersection(shapely.boundary(noded[rows[a]]), shapely.boundary(noded[rows[b]]))
        assert found.get((a, b), 0.0) == pytest.approx(shapely.length(common), abs=1e-4)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=40),
    st.sets(st.tuples(st.integers(0, 3), st.integers(1, 50)), max_size=30),
)
def test_codes_are_new_unique_and_in_their_community(
    spots: list[tuple[int, int, int]], retired: set[tuple[int, int]]
) -> None:
    parents = [f"37081100100{community}" for community, _, _ in spots]
    taken = {f"37081100100{community}{number:03d}" for community, number in retired}
    found = codes.grid_codes(parents, [x for _, x, _ in spots], [y for _, _, y in spots], taken=taken)
    assert len(set(found)) == len(spots)
    assert not taken & set(found)
    assert all(codes.valid_grid_code(code, community=parent) for code, parent in zip(found, parents, strict=True))
    # the smallest free numbers are used, and of two grids due west and east the western comes first
    for parent in set(parents):
        mine = [code for code, own in zip(found, parents, strict=True) if own == parent]
        free = (f"{parent}{n:03d}" for n in range(1, 1000) if f"{parent}{n:03d}" not in taken)
        assert sorted(mine) == list(itertools.islice(free, len(mine)))
    for (i, a), (j, b) in itertools.permutations(enumerate(spots), 2):
        if a[0] == b[0] and a[2] == b[2] and a[1] < b[1]:
            assert found[i] < found[j]
