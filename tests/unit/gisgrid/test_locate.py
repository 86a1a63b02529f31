"""GridIndex: owners, ties, bad input, the saved file, distances, and locating a layer of points."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.hilbert import hilbert_order
from gisgrid.locate import GridIndex, around, build, candidates, kernels, locate_points, warm
from gisgrid.shifted import wgs84_to_gcj02

LEFT, RIGHT = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)


@pytest.fixture
def checkerboard() -> GridIndex:
    """Ten by ten unit squares with codes shuffled against their place."""
    rng = np.random.default_rng(3)
    boxes = [shapely.box(i, j, i + 1, j + 1) for i in range(10) for j in range(10)]
    return GridIndex.build(boxes, [f"{k:03d}" for k in rng.permutation(100)])


def test_smallest_code_owns_what_two_grids_share() -> None:
    assert GridIndex.build([LEFT, RIGHT], ["002", "001"]).code(1.0, 0.5) == "001"
    assert GridIndex.build([LEFT, RIGHT], ["001", "002"]).code(1.0, 0.5) == "001"


def test_codes_compare_as_text_code_point_by_code_point() -> None:
    assert GridIndex.build([LEFT, RIGHT], ["10", "9"]).code(1.0, 0.5) == "10"
    assert GridIndex.build([LEFT, RIGHT], ["a", "B"]).code(1.0, 0.5) == "B"
    assert GridIndex.build([LEFT, RIGHT], ["网格二", "网格一"]).codes([0.5, 1.0], [0.5, 0.5]).tolist() == [
        "网格二",
        "网格一",
    ]


def test_corner_of_four_grids(checkerboard: GridIndex) -> None:
    grid = checkerboard.geometries()
    codes = checkerboard.codes_of(np.arange(100))
    for x, y in ((3, 4), (0, 0), (10, 10), (0, 5)):
        assert checkerboard.code(x, y) == min(codes[shapely.covers(grid, shapely.Point(x, y))])


def test_holes_parts_and_overlaps() -> None:
    ring = shapely.box(0, 0, 9, 9) - shapely.box(3, 3, 6, 6)
    two = shapely.MultiPolygon([shapely.box(4, 4, 5, 5), shapely.box(20, 0, 21, 1)])
    whole = shapely.box(-5, -5, 30, 30)
    index = GridIndex.build([ring, two, whole], ["a", "b", "c"])
    x, y = [1, 3, 3.5, 4, 4.5, 20.5, 25, 31], [1, 5, 3.5, 4, 4.5, 0.5, 25, 0]
    assert index.codes(x, y).tolist() == ["a", "a", "c", "b", "b", "b", "c", None]


def test_points_without_a_place_have_no_owner(checkerboard: GridIndex) -> None:
    odd = [np.nan, np.inf, -np.inf, 1e308, -1e308]
    assert checkerboard.rows(odd, [5.0] * 5).tolist() == [-1] * 5
    assert checkerboard.rows([5.0] * 5, odd).tolist() == [-1] * 5
    assert checkerboard.row(float("nan"), 5.0) == -1
    assert checkerboard.rows([], []).dtype == np.int32


def test_one_point_and_many_agree_on_any_number_of_threads(checkerboard: GridIndex) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(-2, 50, (2, 250_000)) / 4.0
    rows = checkerboard.rows(x, y, threads=1)
    assert np.array_equal(rows, checkerboard.rows(x, y, threads=3))
    assert [checkerboard.row(a, b) for a, b in zip(x[:500], y[:500], strict=True)] == rows[:500].tolist()
    assert checkerboard.row(3, 4) == checkerboard.rows([3], [4])[0], "whole numbers are numbers too"


@pytest.mark.parametrize(
    ("x", "y", "word"),
    [
        ([1, 2], [1], "2 x and 1 y"),
        (["a"], [1], "x: not all values"),
        ([[1]], [1], "x: has 2 dim"),
        (1.0, 2.0, "0 dim"),
    ],
)
def test_bad_points_are_refused(checkerboard: GridIndex, x: Any, y: Any, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        checkerboard.rows(x, y)


@pytest.mark.parametrize(
    ("geometries", "codes", "word"),
    [
        ([], [], "empty"),
        ([LEFT], ["1", "2"], "1 grid geometries and 2 codes"),
        ([LEFT, RIGHT], ["1", "1"], "rows 0 and 1 have the same code"),
        ([LEFT, RIGHT], ["1", None], "row 1: code None"),
        ([LEFT, RIGHT], ["1", 2], "row 1: code 2"),
        ([LEFT, None], ["1", "2"], "row 1, code '2': geometry is no polygon"),
        ([LEFT, shapely.Polygon()], ["1", "2"], "geometry is empty"),
        ([LEFT, shapely.Point(0, 0)], ["1", "2"], "no polygon"),
        ([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], ["1"], "Self-intersection"),
        ([shapely.box(0, 0, 1e200, 1)], ["1"], "1e150"),
    ],
)
def test_bad_grids_are_refused(geometries: Any, codes: Any, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        GridIndex.build(geometries, codes)


def test_saved_index_answers_the_same(checkerboard: GridIndex, tmp_path: Path) -> None:
    path = tmp_path / "grids.loc"
    checkerboard.save(path)
    again = GridIndex.load(path)
    x, y = np.random.default_rng(1).integers(-2, 24, (2, 5000)) / 2.0
    assert np.array_equal(again.rows(x, y), checkerboard.rows(x, y))
    assert np.array_equal(again.codes(x, y), checkerboard.codes(x, y))
    assert len(again) == 100
    assert again.bounds == (0, 0, 10, 10)
    assert again.array("records").base is not None, "mapped, not copied"
    assert not list(tmp_path.glob(".*")), "no part file is left"
    again.save(tmp_path / "twice.loc")
    assert (tmp_path / "twice.loc").read_bytes() == path.read_bytes()


def test_index_travels_to_other_processes(checkerboard: GridIndex) -> None:
    again = pickle.loads(pickle.dumps(checkerboard))
    assert again.codes([0.5, 3], [0.5, 4]).tolist() == checkerboard.codes([0.5, 3], [0.5, 4]).tolist()
    assert not again.array("cells").flags.writeable, "the same compiled functions serve it"


def test_one_compilation_serves_built_loaded_and_pickled_indexes(checkerboard: GridIndex, tmp_path: Path) -> None:
    warm()
    checkerboard.save(tmp_path / "grids.loc")
    for index in (checkerboard, GridIndex.load(tmp_path / "grids.loc"), pickle.loads(pickle.dumps(checkerboard))):
        index.rows([3.0, 0.5], np.array([4.0, 0.5])[::-1])
        index.row(3, 4)
        index.distance_to_boundary([0.5], [0.5])
        index.nearest([60.0, 0.5], [0.5, 0.5], 1e6)
        index.border_metres(index.row(0.5, 0.5), 0.5, 0.5)
        candidates(index, [0.5, 3.0], np.array([0.5, 0.5])[::-1], [5.0, 6.0])
    compiled = [build.chunk_rings, build.mark, build.collect, build.write_records]
    compiled += [kernels.rows_of, kernels.row_of_point, kernels.nearest_on_rows]
    compiled += [around.near_rows, around.shares_around, around.boundary_distance]
    assert [len(function.signatures) for function in compiled] == [1] * len(compiled)


def test_damaged_index_files_are_refused(checkerboard: GridIndex, tmp_path: Path) -> None:
    path = tmp_path / "grids.loc"
    checkerboard.save(path)
    whole = path.read_bytes()
    for damaged in (b"", b"not an index at all", whole[:300], whole[: len(whole) // 2], b"X" + whole[1:]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match="build it again"):
            GridIndex.load(path)
    with pytest.raises(BadInput, match="nowhere"):
        GridIndex.load(tmp_path / "nowhere.loc")


def test_build_is_deterministic(tmp_path: Path) -> None:
    boxes = [shapely.Point(i, i % 3).buffer(1.2) for i in range(20)]
    files = []
    for name in ("a", "b"):
        GridIndex.build(boxes, [f"{i:02d}" for i in range(20)]).save(tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]


def test_a_cell_crowded_with_corners_goes_the_exact_road() -> None:
    """A thousand spikes in one small place leave no clear reference point; the answers must hold all the same."""
    turns = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    radius = np.where(np.arange(4000) % 2, 1.0, 0.01)
    star = shapely.Polygon(np.column_stack([np.cos(turns) * radius, np.sin(turns) * radius]))
    wide = shapely.box(-50, -50, 50, 50)
    index = GridIndex.build([star, wide], ["1", "2"], cells_per_edge=0.001)
    x, y = np.random.default_rng(2).normal(0, 0.4, (2, 20_000))
    assert np.array_equal(index.codes(x, y) == "1", shapely.covers(star, shapely.points(x, y)))


def test_nearest_is_shapelys_nearest_and_ties_go_to_the_smallest_code(checkerboard: GridIndex) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-3, 13, (2, 400))
    rows, distance = checkerboard.nearest(x, y, 2.0)
    points, grids = shapely.points(x, y), checkerboard.geometries()
    true = shapely.distance(points[:, None], grids[None, :])
    near = true.min(axis=1) <= 2.0
    assert np.array_equal(rows >= 0, near)
    assert distance[near] == pytest.approx(true.min(axis=1)[near], abs=1e-12)
    assert true[near, rows[near]] == pytest.approx(true.min(axis=1)[near], abs=1e-12)
    tied, _ = checkerboard.nearest([-1.0], [5.0], 9.0)
    codes = checkerboard.codes_of(np.arange(100))
    assert codes[tied[0]] == min(codes[true_at] for true_at in (4, 5))
    assert checkerboard.nearest([np.nan], [0.0], 9.0)[0].tolist() == [-1]
    with pytest.raises(BadInput, match="largest distance"):
        checkerboard.nearest([0.0], [0.0], -1.0)


def test_nearest_in_metres_is_the_geodesic_to_the_boundary() -> None:
    boxes = [shapely.box(116 + k / 100, 60, 116 + k / 100 + 0.01, 60.01) for k in range(5)]
    index = GridIndex.build(boxes, list("edcba"))
    geod = pyproj.Geod(ellps="GRS80")
    x, y = np.array([115.999, 116.005, 116.05, 116.02]), np.array([60.005, 60.011, 60.02, 59.999])
    rows, metres = index.nearest(x, y, 5000.0, metres=True)
    # the nearest place is straight west, north or south of these (the parallel bends by less than a millimetre)
    wanted = [
        geod.inv(115.999, 60.005, 116, 60.005)[2],
        geod.inv(116.005, 60.011, 116.005, 60.01)[2],
        geod.inv(116.05, 60.02, 116.05, 60.01)[2],
        geod.inv(116.02, 59.999, 116.02, 60)[2],
    ]
    assert metres == pytest.approx(wanted, abs=0.002)
    assert index.codes_of(rows).tolist() == ["e", "e", "a", "c"], "the last lies under the corner of d and c"
    assert index.nearest(x, y, 60.0, metres=True)[0].tolist() == [0, -1, -1, -1]


def test_nearest_in_metres_looks_past_the_nearest_in_degrees() -> None:
    """At 60° north a degree of longitude is half a degree of latitude: the eastern grid is nearer."""
    north, east = shapely.box(10, 60.010, 10.02, 60.02), shapely.box(10.025, 59.99, 10.04, 60.0)
    rows, metres = GridIndex.build([north, east], ["n", "e"]).nearest([10.01], [60.0], 1e6, metres=True)
    assert rows.tolist() == [1]
    assert metres[0] == pytest.approx(pyproj.Geod(ellps="GRS80").inv(10.01, 60.0, 10.025, 60.0)[2], abs=0.01)


def test_distance_to_the_boundary_of_the_owner(checkerboard: GridIndex) -> None:
    x, y = np.random.default_rng(6).uniform(-1, 11, (2, 300))
    distance, rows = checkerboard.distance_to_boundary(x, y), checkerboard.rows(x, y)
    inside = rows >= 0
    grids = checkerboard.geometries()[rows[inside]]
    wanted = shapely.distance(shapely.boundary(grids), shapely.points(x, y)[inside])
    assert distance[inside] == pytest.approx(wanted, abs=1e-12)
    assert np.isnan(distance[~inside]).all()


def test_distance_to_the_boundary_in_metres() -> None:
    index = GridIndex.build([shapely.box(116, 39, 117, 40)], ["1"])
    wanted = pyproj.Geod(ellps="GRS80").inv(116.5, 39.001, 116.5, 39.0)[2]
    assert index.distance_to_boundary([116.5], [39.001], metres=True) == pytest.approx([wanted], abs=1e-3)


def test_hilbert_order_keeps_neighbours_together() -> None:
    x, y = np.random.default_rng(7).random((2, 20_000))
    order = hilbert_order(x, y)
    step = np.hypot(np.diff(x[order]), np.diff(y[order]))
    assert step.mean() < 0.02  # 1/sqrt(20,000) is 0.007; unsorted it is 0.52
    side = 16
    i, j = np.meshgrid(np.arange(side), np.arange(side))
    walk = hilbert_order(i.ravel(), j.ravel())
    jump = np.abs(np.diff(i.ravel()[walk])) + np.abs(np.diff(j.ravel()[walk]))
    assert jump.max() == 1, "on a full square the curve goes from neighbour to neighbour"


@pytest.fixture
def two_grids() -> gpd.GeoDataFrame:
    shapes = [shapely.box(116.30, 39.90, 116.31, 39.91), shapely.box(116.31, 39.90, 116.32, 39.91)]
    return gpd.GeoDataFrame({"code": ["002", "001"]}, geometry=shapes, crs="EPSG:4490")


def test_locate_points_of_a_layer(two_grids: gpd.GeoDataFrame) -> None:
    places = [
        shapely.Point(116.305, 39.905),
        shapely.Point(116.31, 39.9),
        shapely.Point(116.3201, 39.905),
        shapely.Point(118, 39.905),
        None,
        shapely.LineString([(116.3, 39.9), (116.31, 39.9)]),
        shapely.Point(),
    ]
    points = gpd.GeoDataFrame(geometry=places, crs="EPSG:4326", index=list("abcdefg"))
    found = locate_points(points, two_grids)
    assert found.index.tolist() == list("abcdefg")
    assert found["grid"].tolist() == ["002", "001", None, None, None, None, None]
    assert found["outside"].tolist() == [False, False, True, True, False, False, False]
    assert found["nearest"].tolist() == [None, None, "001", None, None, None, None]
    assert found.loc["c", "metres"] == pytest.approx(8.55, abs=0.05)
    assert found["metres"].isna().tolist() == [True, True, False, True, True, True, True]
    assert found["reason"].tolist() == [None] * 4 + ["no geometry", "geometry is no point", "no geometry"]


def test_locate_points_in_other_systems(two_grids: gpd.GeoDataFrame) -> None:
    rng = np.random.default_rng(8)
    lon, lat = rng.uniform(116.295, 116.325, 300), rng.uniform(39.895, 39.915, 300)
    plain = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4490")
    wanted = locate_points(plain, two_grids)["grid"]
    metric = plain.to_crs("EPSG:4548")
    bent = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*wgs84_to_gcj02(lon, lat)))
    assert locate_points(metric, two_grids)["grid"].equals(wanted)
    assert locate_points(bent, two_grids, crs="gcj02")["grid"].equals(wanted)
    assert locate_points(plain, two_grids.to_crs("EPSG:4548"))["grid"].equals(wanted)
    assert locate_points(bent, two_grids.to_crs("EPSG:4548"), crs="gcj02")["grid"].equals(wanted)


def test_locate_points_refuses_layers_without_a_system_or_codes(two_grids: gpd.GeoDataFrame) -> None:
    points = gpd.GeoDataFrame(geometry=[shapely.Point(116.3, 39.9)])
    with pytest.raises(BadInput, match="points layer has no coordinate system"):
        locate_points(points, two_grids)
    with pytest.raises(BadInput, match="grids layer has no coordinate system"):
        locate_points(points.set_crs(4490), two_grids.set_crs(None, allow_override=True))
    with pytest.raises(BadInput, match="no column code"):
        locate_points(points.set_crs(4490), two_grids.rename(columns={"code": "kode"}))


def test_locate_points_of_an_empty_layer(two_grids: gpd.GeoDataFrame) -> None:
    found = locate_points(gpd.GeoDataFrame(geometry=[], crs=4490), two_grids)
    assert len(found) == 0
    assert found.columns.tolist() == ["grid", "outside", "nearest", "metres", "reason"]
