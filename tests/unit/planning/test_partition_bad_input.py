"""Input as it comes: every layer is planned within the rules, or refused in one line that names what is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band, WeightLimit
from planning.graph import unit_graph
from planning.partition import PlanResult, partition
from planning.partition.toy import toy_units

BAND = Band(300, 500)
X, Y = 500_000.0, 4_400_000.0


def units_20() -> gpd.GeoDataFrame:
    """100 units of 20 households in a square of 500 m."""
    return toy_units(10, 10, households=20)


def with_value(column: str, value: object) -> gpd.GeoDataFrame:
    units = units_20()
    if column not in units:
        units[column] = None
    units[column] = units[column].astype(object)
    units.loc[1, column] = value
    return units


def with_shape(shape: object, row: int = 0) -> gpd.GeoDataFrame:
    units = units_20()
    shapes = units.geometry.to_numpy().copy()
    shapes[row] = shape
    return units.set_geometry(shapes, crs=units.crs)


def main_road() -> gpd.GeoDataFrame:
    line = shapely.LineString([(X + 250, Y), (X + 250, Y + 500)])
    return gpd.GeoDataFrame({"cls": ["primary"]}, geometry=[line], crs="EPSG:4547")


def assert_sound(units: gpd.GeoDataFrame, plan: PlanResult, band: Band = BAND) -> None:
    """The hard rules by shapely alone: all units placed, grids in one piece, in band or a reason given."""
    k = len(plan.grids)
    assert np.unique(plan.assignment).tolist() == list(range(k))
    assert len(plan.assignment) == len(units)
    for number in range(k):
        union = shapely.union_all(plan.geometry[plan.assignment == number])
        parts = shapely.get_parts(union)
        assert (shapely.area(parts) > 1.0).sum() == 1
        assert shapely.area(shapely.symmetric_difference(union, plan.grids.geometry.iloc[number])) < 1.0
    loads = np.bincount(plan.assignment, units["households"].to_numpy(float), minlength=k)
    out = ((loads < band.low) | (loads > band.high)) & (plan.grids["kind"] == "ordinary").to_numpy()
    assert plan.feasible == (not plan.reasons) == (not out.any())


# --- refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("households", float("nan"), "unit 1: households is nan; give a number of at least 0"),
        ("households", None, "unit 1: households is None"),
        ("households", pd.NA, "unit 1: households is <NA>"),
        ("households", -1, "unit 1: households is -1"),
        ("households", float("inf"), "unit 1: households is inf"),
        ("households", float("-inf"), "unit 1: households is -inf"),
        ("households", "many", "unit 1: households is 'many'"),
        ("households", "", "unit 1: households is ''"),
        ("unit_id", "0", "unit_id 0 is used twice"),
        ("unit_id", float("nan"), "unit in row 1 has no unit_id"),
    ],
)
def test_values_that_are_no_counts_or_names_are_named(column: str, value: object, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        partition(with_value(column, value), band=BAND)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (None, "unit 0 has no geometry"),
        (shapely.Polygon(), "unit 0 has no geometry"),
        (shapely.Point(X, Y), "unit 0 is not a polygon"),
        (shapely.LineString([(X, Y), (X + 50, Y)]), "unit 0 is not a polygon"),
        (shapely.GeometryCollection([shapely.box(X, Y, X + 50, Y + 50)]), "unit 0 is not a polygon"),
        (shapely.Polygon([(X, Y), (X + 50, Y + 50), (X + 50, Y), (X, Y + 50)]), "unit 0 has an invalid geometry"),
        (shapely.Polygon([(X, Y), (np.nan, Y), (X + 50, Y + 50), (X, Y + 50)]), "unit 0 has an invalid geometry"),
        (shapely.Polygon([(X, Y), (np.inf, Y), (X + 50, Y + 50), (X, Y + 50)]), "unit 0 has an invalid geometry"),
        (shapely.box(X, Y, X + 80, Y + 50), "units 0 and 1 overlap by 1500.0 m²"),
        (shapely.box(X + 60, Y + 10, X + 90, Y + 40), "units 0 and 1 overlap by 900.0 m²"),
    ],
)
def test_shapes_that_are_no_units_are_named(shape: object, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        partition(with_shape(shape), band=BAND)


def test_layers_that_are_no_layers() -> None:
    units = units_20()
    with pytest.raises(BadInput, match="units layer is empty"):
        partition(units.iloc[:0], band=BAND)
    with pytest.raises(BadInput, match="units layer has no coordinate system"):
        partition(units.set_crs(None, allow_override=True), band=BAND)
    with pytest.raises(BadInput, match="not degrees"):
        partition(units.set_crs(4326, allow_override=True), band=BAND)
    with pytest.raises(BadInput, match="streets layer has no coordinate system"):
        partition(units, main_road().set_crs(None, allow_override=True), band=BAND)
    with pytest.raises(BadInput, match="neither a cls nor a highway column"):
        partition(units, main_road().drop(columns="cls"), band=BAND)
    twin = units.iloc[:1].assign(unit_id="twin")
    with pytest.raises(BadInput, match="units 0 and twin overlap"):
        partition(pd.concat([units, twin]), band=BAND)


@pytest.mark.parametrize("band", [BAND, Band(0, 500)])
def test_nobody_anywhere(band: Band) -> None:
    with pytest.raises(BadInput, match="no unit has any household"):
        partition(units_20().assign(households=0), band=band)
    with pytest.raises(BadInput, match="no unit has any household"):
        partition(units_20().iloc[:1].assign(households=0), band=band)


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (["370811001001"] * 99 + [None], "unit 99 has no community"),
        ([""] * 100, "community '' is not a 12-digit area code"),
        (["37081100100"] * 100, "community '37081100100' is not a 12-digit area code"),
        ([370811001001.0] * 100, "is not a 12-digit area code"),
    ],
)
def test_communities_missing_or_malformed(codes: list[object], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        partition(units_20().assign(community=codes), band=BAND)


# --- planned all the same ---------------------------------------------------------------


def test_streets_in_another_crs_make_the_same_plan() -> None:
    units, road = units_20(), main_road()
    plain = partition(units, road, band=BAND)
    assert_sound(units, plain)
    assert plain.stats["cells"] == 2
    for crs in (4326, 4490, 3857, 32650):
        other = partition(units, road.to_crs(crs), band=BAND)
        assert other.assignment.tolist() == plain.assignment.tolist()
        assert other.stats["boundary_by_class"] == plain.stats["boundary_by_class"]


def test_units_in_degrees_make_a_plan_in_metres() -> None:
    units, road = units_20(), main_road()
    plain = partition(units, road, band=BAND)
    for crs in (4490, 4326, 3857):
        plan = partition(units.to_crs(crs), road, band=BAND)
        assert_sound(units, plan)
        assert not plan.grids.crs.is_geographic
        assert plan.stats["boundary_metres"] == pytest.approx(plain.stats["boundary_metres"], rel=0.2)
        # a chord of a projected side may sag by less than a millimetre, which no rule may notice
        assert plan.feasible


@pytest.mark.parametrize(
    "change",
    [
        lambda units: units.set_geometry(shapely.force_3d(units.geometry.to_numpy(), 7.0), crs=units.crs),
        lambda units: units.set_geometry([shapely.MultiPolygon([one]) for one in units.geometry], crs=units.crs),
        lambda units: units.set_index(np.zeros(len(units), dtype=int)),
        lambda units: units.rename_geometry("shape"),
        lambda units: units.assign(households="20"),
        lambda units: units.assign(community=370811001001),
        lambda units: units.assign(kind=None, compound_id=None),
        lambda units: units.assign(unit_id=np.arange(100) / 2),
        lambda units: units.iloc[::-1],
    ],
    ids=["3d", "multi", "index", "column", "text", "number", "nulls", "ids", "order"],
)
def test_harmless_differences(change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    units = change(units_20())
    plan = partition(units, main_road(), band=BAND)
    assert plan.feasible
    assert_sound(units, plan)


@pytest.mark.parametrize(
    "extra",
    [
        None,
        shapely.LineString(),
        shapely.Point(X, Y),
        shapely.LineString([(0.0, 0.0), (1.0, 1.0)]),
        shapely.box(X - 900, Y - 900, X - 800, Y - 800),
        shapely.LineString([(X + 250, Y, 3.0), (X + 250, Y + 500, 4.0)]),
    ],
    ids=["null", "empty", "point", "far", "polygon", "3d"],
)
def test_odd_street_geometry_is_passed_over(extra: object) -> None:
    units, road = units_20(), main_road()
    streets = gpd.GeoDataFrame({"cls": ["primary", "primary"]}, geometry=[road.geometry.iloc[0], extra], crs=road.crs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan = partition(units, streets, band=BAND)
    assert plan.assignment.tolist() == partition(units, road, band=BAND).assignment.tolist()


def test_no_streets_at_all() -> None:
    units = units_20()
    plain = partition(units, band=BAND)
    assert partition(units, main_road().iloc[:0], band=BAND).assignment.tolist() == plain.assignment.tolist()
    unknown = main_road().assign(cls="footpath")
    assert partition(units, unknown, band=BAND).assignment.tolist() == plain.assignment.tolist()


def test_a_corner_touch_connects_nothing() -> None:
    units = units_20()
    place = np.arange(100)
    board = units[(place // 10 + place % 10) % 2 == 0]
    plan = partition(board, band=BAND)
    assert_sound(board, plan)
    assert len(plan.grids) == 50
    assert {reason.code for reason in plan.reasons} == {"piece_below_band"}
    pair = toy_units(2, 2, households=400).iloc[[0, 3]]
    plan = partition(pair, band=BAND)
    assert_sound(pair, plan)
    assert plan.feasible
    assert len(plan.grids) == 2


def test_a_missing_unit_leaves_a_hole_and_a_missing_row_two_pieces() -> None:
    units = units_20()
    ring = units.drop(index=[44, 45, 54, 55])
    plan = partition(ring, band=BAND)
    assert_sound(ring, plan)
    assert plan.feasible
    apart = units[(units.geometry.centroid.y - Y) // 50 != 4]
    plan = partition(apart, band=BAND)
    assert_sound(apart, plan)
    assert len(np.unique(plan.assignment[apart.geometry.centroid.y - Y < 200])) == 2


def test_one_unit_and_two() -> None:
    for households, feasible in ((400, True), (20, False), (900, False)):
        one = toy_units(1, 1, households=households)
        plan = partition(one, band=BAND)
        assert_sound(one, plan)
        assert plan.feasible == feasible
    two = toy_units(2, 1).assign(households=[0, 400])
    plan = partition(two, band=BAND)
    assert_sound(two, plan)
    assert plan.grids["households"].tolist() == [400]


def test_a_unit_in_two_parts_is_planned_and_named() -> None:
    parts = shapely.union_all([shapely.box(X, Y, X + 50, Y + 50), shapely.box(X - 900, Y, X - 850, Y + 50)])
    plan = partition(with_shape(parts), band=BAND)
    assert [(reason.code, reason.units) for reason in plan.reasons] == [("unit_in_parts", ("0",))]


def test_a_millimetre_of_overlap_is_mended() -> None:
    units = with_shape(shapely.box(X, Y, X + 50.001, Y + 50))
    plan = partition(units, band=BAND)
    assert_sound(units, plan)
    assert plan.feasible


def test_fractions_of_households_and_loads_beyond_reason() -> None:
    units = units_20().assign(households=20.5)
    plan = partition(units, band=BAND)
    assert_sound(units, plan)
    assert plan.feasible
    units.loc[5, "households"] = 1e9
    plan = partition(units, band=BAND)
    assert_sound(units, plan)
    assert [reason.code for reason in plan.reasons] == ["unit_above_band"]


# --- known shortfalls: the marks go with the defects ------------------------------------


def test_gaps_below_a_centimetre_are_closed() -> None:
    units = units_20()
    shrunk = units.set_geometry(units.geometry.buffer(-0.004, join_style="mitre"))
    assert len(unit_graph(shrunk).indices) == len(unit_graph(units).indices)
    plan = partition(shrunk, band=BAND)
    assert plan.feasible


def test_a_population_that_is_no_number_is_named() -> None:
    with pytest.raises(BadInput, match="unit 1: population is 'many'"):
        partition(with_value("population", "many"), band=BAND)


def test_a_wrong_value_is_shown_plainly() -> None:
    with pytest.raises(BadInput, match="unit 0: population is -1; "):
        partition(units_20().assign(population=-1), band=BAND)


def test_units_that_all_lie_apart_are_said_once() -> None:
    units = units_20()
    apart = units.set_geometry(units.geometry.buffer(-0.5, join_style="mitre"))
    plan = partition(apart, band=BAND)
    assert_sound(apart, plan)
    assert len(plan.reasons) <= 5


def test_a_grid_out_of_a_further_limit_is_told_by_that_weight() -> None:
    units = units_20().assign(population=20)
    units.loc[:49, "population"] = 100  # half the people need more grids than the households allow
    plan = partition(units, band=BAND, limits=[WeightLimit("population", 0, 1000)], seed=0)
    told = [reason.text for reason in plan.reasons if reason.code == "not_found"]
    assert not plan.feasible
    assert plan.reasons
    named = [text.partition("outside it (")[2].partition(")")[0] for text in told]
    assert named
    assert all(part.endswith((" households", " population")) for text in named for part in text.split(", "))
