"""Checking and cleaning grid layers: every fault is found and named, a sound layer passes, a bad one is repaired."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid import coverage, topology
from gisgrid.errors import BadInput
from gisgrid.models import Band

CRS = "EPSG:4547"
X0, Y0 = 500_000.0, 3_900_000.0
COMMUNITY = "370811001001"


def _box(x: float, y: float, w: float = 100.0, h: float = 100.0) -> Any:
    return shapely.box(X0 + x, Y0 + y, X0 + x + w, Y0 + y + h)


def _grids(*shapes: Any, community: str = COMMUNITY, **columns: Any) -> gpd.GeoDataFrame:
    codes = [f"{community}{n + 1:03d}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=list(shapes), crs=CRS)


def _lattice(columns: int, rows: int) -> gpd.GeoDataFrame:
    return _grids(*(_box(100 * c, 100 * r) for r in range(rows) for c in range(columns)))


def _kinds(report: coverage.CoverageReport) -> list[str]:
    return list(report.counts())


def test_a_lattice_is_sound_with_and_without_its_area() -> None:
    grids = _lattice(5, 4)
    area = gpd.GeoDataFrame({"code": [COMMUNITY]}, geometry=[_box(0, 0, 500, 400)], crs=CRS)
    assert coverage.check(grids).ok
    report = coverage.check(grids, area, band=Band(0, 1))
    assert report.ok
    assert report.as_dict()["gap_m2"] == 0
    assert json.dumps(report.as_dict())
    assert report.lines()[0] == "20 grids, gaps 0.00 m², overlaps 0.00 m²: sound"


def test_the_layer_may_be_in_degrees() -> None:
    grids = _lattice(3, 3)
    area = gpd.GeoDataFrame({"code": [COMMUNITY]}, geometry=[grids.union_all()], crs=CRS)
    report = coverage.check(grids.to_crs(4490), area.to_crs(4326))
    assert report.ok
    assert report.gaps.crs.is_projected


def test_an_enclosed_hole_is_a_gap_and_has_its_place_and_size() -> None:
    grids = _lattice(3, 3).drop(index=4)
    report = coverage.check(grids)
    assert _kinds(report) == ["gap"]
    assert report.gap_m2 == pytest.approx(10_000)
    assert report.gaps.geometry.iloc[0].equals(_box(100, 100))


def test_an_island_in_a_hole_is_covered() -> None:
    ring = _box(0, 0, 300, 300).difference(_box(100, 100))
    report = coverage.check(_grids(ring, _box(120, 120, 50, 50)))
    assert report.gap_m2 == pytest.approx(10_000 - 2_500)


def test_an_open_bay_is_a_gap_only_against_the_area() -> None:
    grids = _lattice(3, 3).drop(index=1)
    area = gpd.GeoDataFrame({"code": [COMMUNITY]}, geometry=[_box(0, 0, 300, 300)], crs=CRS)
    assert coverage.check(grids).ok
    report = coverage.check(grids, area)
    assert report.gap_m2 == pytest.approx(10_000)
    assert "gap of 10000.00 m²" in report.lines()[1]


def test_overlaps_are_named_by_pair() -> None:
    grids = _grids(_box(0, 0), _box(90, 0), _box(190, 0), _box(20, 20, 10, 10))
    report = coverage.check(grids)
    assert _kinds(report) == ["overlap"]
    pairs = {(a[-1], b[-1]): m2 for a, b, m2 in report.overlaps[["code", "other", "m2"]].itertuples(index=False)}
    assert pairs == {("1", "2"): pytest.approx(1000), ("1", "4"): pytest.approx(100)}


def test_less_than_a_square_metre_in_all_is_let_pass() -> None:
    report = coverage.check(_grids(_box(0, 0), _box(99.995, 0)))
    assert report.ok
    assert report.overlap_m2 == pytest.approx(0.5, rel=1e-3)
    assert not coverage.check(_grids(_box(0, 0), _box(99.98, 0))).ok


def test_a_corner_touch_does_not_connect() -> None:
    pinched = shapely.MultiPolygon([_box(0, 0), _box(100, 100)])
    joined = shapely.MultiPolygon([_box(0, 0), _box(100, 0)])  # invalid as drawn, one piece on the ground
    assert coverage.contiguous([pinched, joined, _box(0, 0)]).tolist() == [False, True, True]
    report = coverage.check(_grids(pinched, _box(100, 0), _box(0, 100)))
    assert _kinds(report) == ["noncontiguous"]
    assert "2 pieces" in report.problems[0].text


def test_slivers_are_found() -> None:
    thread = shapely.box(X0, Y0 + 100, X0 + 100, Y0 + 100.05)
    assert _kinds(coverage.check(_grids(_box(0, 0), thread))) == ["sliver"]


def test_codes_must_be_there_once_and_fit() -> None:
    grids = _lattice(5, 1)
    grids["code"] = [f"{COMMUNITY}001", f"{COMMUNITY}001", None, f"{COMMUNITY}002", "37081100100"]
    report = coverage.check(grids)
    assert report.counts() == {"duplicate_code": 1, "invalid_code": 1, "null_code": 1}
    own = _lattice(3, 1).assign(code=["A", "B", "C"])
    report = coverage.check(own)
    assert report.ok
    assert [note.kind for note in report.notes] == ["own_codes"]


def test_broken_geometry_is_named_and_the_rest_is_still_checked() -> None:
    bow = shapely.Polygon([(X0, Y0), (X0 + 100, Y0 + 100), (X0 + 100, Y0), (X0, Y0 + 100)])
    grids = _grids(bow, _box(300, 0), _box(390, 0), None, shapely.Point(X0, Y0))
    report = coverage.check(grids)
    assert report.counts()["invalid_geometry"] == 2
    assert report.counts()["null_geometry"] == 1
    assert report.counts()["overlap"] == 1
    assert any("Self-intersection" in problem.text for problem in report.problems)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_coordinate_that_is_no_number_is_named() -> None:
    bad = shapely.Polygon([(X0, Y0), (X0 + 100, np.nan), (X0 + 100, Y0 + 100), (X0, Y0)])
    grids = _grids(_box(300, 0), bad)
    report = coverage.check(grids)
    assert report.counts() == {"invalid_geometry": 1}
    assert report.problems[0].code == f"{COMMUNITY}002"
    with pytest.raises(BadInput, match="row 2"):
        coverage.clean(grids)


def test_grids_must_not_cross_communities() -> None:
    grids = _grids(_box(0, 0), _box(100, 0), _box(200, 0, 100, 100)).assign(community=COMMUNITY)
    area = gpd.GeoDataFrame(
        {"code": [COMMUNITY, "370811001002"], "level": "community"},
        geometry=[_box(0, 0, 180, 100), _box(180, 0, 120, 100)],
        crs=CRS,
    )
    report = coverage.check(grids, area)
    crossing = {problem.code[-1]: problem.m2 for problem in report.problems if problem.kind == "crosses_community"}
    assert crossing == {"2": pytest.approx(2000), "3": pytest.approx(10_000)}
    # without the column the code says the community, and without that the ground does
    assert coverage.check(grids.drop(columns="community"), area).counts() == {"crosses_community": 2}
    named = grids.drop(columns=["community", "code"])
    assert coverage.check(named, area).counts() == {"crosses_community": 1}
    assert "unknown_community" in coverage.check(grids.assign(community="370811009009"), area).counts()


def test_only_the_finest_areas_count() -> None:
    levels = gpd.GeoDataFrame(
        {"code": ["370811001", COMMUNITY], "level": ["street", "community"]},
        geometry=[_box(0, 0, 500, 500), _box(0, 0, 100, 100)],
        crs=CRS,
    )
    assert coverage.check(_grids(_box(0, 0)), levels).ok
    bare = gpd.GeoDataFrame(geometry=[_box(0, 0), _box(100, 0)], crs=CRS)
    assert coverage.lowest_areas(bare)["code"].tolist() == ["990000000001", "990000000002"]
    with pytest.raises(BadInput, match="two areas"):
        coverage.lowest_areas(bare.assign(code=COMMUNITY))


def test_levels_are_checked_one_by_one() -> None:
    grids = gpd.GeoDataFrame(
        {"code": [f"{COMMUNITY}001", f"{COMMUNITY}00101", f"{COMMUNITY}00102"], "level": [1, 2, 2]},
        geometry=[_box(0, 0), _box(0, 0, 50, 100), _box(50, 0, 50, 100)],
        crs=CRS,
    )
    assert coverage.check(grids).ok


def test_units_must_make_up_their_grids() -> None:
    grids = _grids(_box(0, 0), _box(100, 0))
    units = gpd.GeoDataFrame(
        {"grid": [f"{COMMUNITY}001", f"{COMMUNITY}001", f"{COMMUNITY}002", None]},
        geometry=[_box(0, 0, 50, 100), _box(50, 0, 50, 100), _box(100, 0, 60, 100), _box(160, 0, 40, 100)],
        crs=CRS,
    )
    report = coverage.check(grids, units=units)
    assert report.counts() == {"unassigned_units": 1, "units_differ": 1}
    units.loc[3, "grid"] = f"{COMMUNITY}002"
    assert coverage.check(grids, units=units).ok
    with pytest.raises(BadInput, match="no column grid"):
        coverage.check(grids, units=units.drop(columns="grid"))


def test_out_of_band_grids_are_notes_and_special_ones_are_not() -> None:
    grids = _grids(_box(0, 0), _box(100, 0), _box(200, 0), households=[100, 400, 0], kind=["ordinary"] * 2 + ["school"])
    report = coverage.check(grids, band=Band(300, 500))
    assert report.ok
    assert [note.code[-1] for note in report.notes] == ["1"]


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(BadInput, match="empty"):
        coverage.check(_lattice(1, 1).iloc[:0])
    with pytest.raises(BadInput, match="empty"):
        coverage.clean(_lattice(1, 1).iloc[:0])
    with pytest.raises(BadInput, match="coordinate system"):
        coverage.check(_lattice(2, 1).set_crs(None, allow_override=True))


def test_cleaning_gives_disputed_ground_to_the_smallest_code() -> None:
    grids = _grids(_box(0, 0), _box(90, 0)).iloc[::-1]
    cleaned = coverage.clean(grids)
    assert cleaned["code"].tolist() == grids["code"].tolist()
    assert cleaned.area.tolist() == pytest.approx([9_000, 10_000])
    assert shapely.coverage_is_valid(np.asarray(cleaned.geometry))


def test_cleaning_fills_slivers_and_leaves_courtyards() -> None:
    # a 0.5 m gap along a border twice as long to grid 1, and a real hole of 30 × 30 m
    left = shapely.box(X0, Y0, X0 + 99.5, Y0 + 100)
    right = _box(100, 0).difference(_box(135, 35, 30, 30))
    cap = [_box(0, 100, 200, 10), _box(0, -10, 200, 10)]
    cleaned = coverage.clean(_grids(left, right, *cap))
    report = coverage.check(cleaned)
    assert report.gap_m2 == pytest.approx(900)
    assert cleaned.union_all().area == pytest.approx(200 * 120 - 900)


def test_cleaning_shares_vertices_at_t_junctions() -> None:
    cleaned = coverage.clean(_grids(_box(0, 0, 100, 200), _box(100, 0), _box(100, 100)))
    assert shapely.get_num_coordinates(cleaned.geometry.iloc[0]) == 6
    assert shapely.coverage_is_valid(np.asarray(cleaned.geometry))
    assert coverage.check(cleaned).ok


def test_cleaning_drops_doubles_and_keeps_crs_and_columns() -> None:
    grids = _grids(_box(0, 0), _box(0, 0), _box(100, 0), households=[1, 2, 3]).to_crs(4490)
    cleaned = coverage.clean(grids)
    assert cleaned["households"].tolist() == [1, 3]
    assert cleaned.crs == grids.crs
    assert list(cleaned.columns) == list(grids.columns)


def test_cleaning_every_level_on_common_vertices() -> None:
    grids = gpd.GeoDataFrame(
        {"code": [f"{COMMUNITY}001", f"{COMMUNITY}00101", f"{COMMUNITY}00102"], "level": [1, 2, 2]},
        geometry=[_box(0, 0), _box(0, 0, 55, 100), _box(50, 0, 50, 100)],
        crs=CRS,
    )
    cleaned = coverage.clean(grids)
    assert cleaned.area.tolist() == pytest.approx([10_000, 5_500, 4_500])
    assert shapely.get_num_coordinates(cleaned.geometry.iloc[0]) > 5


def test_a_shaken_real_layer_is_mended(shared_data: Path) -> None:
    units = gpd.read_file(shared_data / "plan_M.gpkg", layer="units")
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 0.2, (len(units), 2))
    shaken = [shapely.affinity.translate(g, *move) for g, move in zip(units.geometry, moves, strict=True)]
    layer = units.set_geometry(gpd.GeoSeries(shaken, crs=units.crs))
    assert not coverage.check(layer).ok
    cleaned = coverage.clean(layer)
    assert len(cleaned) == len(units)
    assert coverage.check(cleaned).ok
    assert shapely.coverage_is_valid(np.asarray(cleaned.geometry))


def test_edges_borders_and_pieces_of_a_checkerboard() -> None:
    squares = np.asarray(_lattice(2, 2).geometry)
    shared = topology.borders(topology.edges(squares))
    assert list(zip(shared.left.tolist(), shared.right.tolist(), shared.metres.tolist(), strict=True)) == [
        (0, 1, 100.0),
        (0, 2, 100.0),
        (1, 3, 100.0),
        (2, 3, 100.0),
    ]
    diagonal = np.array([0, 1, 1, 0])
    assert len(set(topology.components(diagonal, shared).tolist())) == 4
    assert topology.fragments(diagonal, squares, shared).cut_off.tolist() == [False, False, True, True]


def test_absorbing_follows_the_longest_border_inwards() -> None:
    shapes = [_box(0, 0, 10, 100), _box(10, 0, 10, 60), _box(10, 60, 10, 40), _box(20, 0, 10, 100)]
    noded = coverage.node_coverage(np.array(shapes, dtype=object))
    shared = topology.borders(topology.edges(noded))
    labels, still = topology.absorb(np.arange(4), np.array([False, True, True, True]), shared)
    assert labels.tolist() == [0, 0, 0, 0]
    labels, still = topology.absorb(np.arange(4), np.array([False, True, True, False]), shared)
    assert labels.tolist() == [0, 0, 0, 3]
    labels, still = topology.absorb(
        np.arange(4), np.array([False, True, True, False]), shared, groups=np.array([0, 1, 0, 0])
    )
    assert labels.tolist() == [0, 1, 0, 3]
    assert still.tolist() == [False, True, False, False]


@pytest.mark.parametrize("latitude", [0.0, 25.0, 40.0, 53.0])
def test_corners_halfway_along_a_long_side_in_degrees_are_no_gap(latitude: float) -> None:
    size = 0.02  # two kilometres: the chord of such a side lies 10 cm beside it
    outline = shapely.box(116.3, latitude, 116.3 + 3 * size, latitude + size)
    cells = [shapely.box(116.3 + i * size, latitude, 116.3 + (i + 1) * size, latitude + size) for i in range(3)]
    codes_ = [f"110108001001{i:03d}" for i in range(1, 4)]
    grids = gpd.GeoDataFrame({"code": codes_}, geometry=cells, crs="EPSG:4490")
    area = gpd.GeoDataFrame({"code": ["110108001001"]}, geometry=[outline], crs="EPSG:4490")
    assert coverage.check(grids, area).ok, coverage.check(grids, area).lines()
    assert not coverage.check(grids.iloc[[0, 2]], area).ok


def test_ground_two_communities_claim_is_no_trespass_for_either() -> None:
    area = gpd.GeoDataFrame(
        {"code": ["110108001001", "110108001002"]},
        geometry=[shapely.box(500000, 4000000, 501010, 4001000), shapely.box(501000, 4000000, 502000, 4001000)],
        crs="EPSG:4548",
    )
    cells = [shapely.box(500000, 4000000, 501010, 4001000), shapely.box(501010, 4000000, 502000, 4001000)]
    grids = gpd.GeoDataFrame({"code": ["110108001001001", "110108001002001"]}, geometry=cells, crs="EPSG:4548")
    assert coverage.check(grids, area).ok, coverage.check(grids, area).lines()
    swapped = grids.assign(code=["110108001002001", "110108001001001"])
    assert coverage.check(swapped, area).counts() == {"crosses_community": 2}
