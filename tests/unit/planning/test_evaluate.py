"""Figures of plans worked out by hand on squares, and held against what the engine says of its own plans."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.compare import compare
from planning.evaluate import figures
from planning.owners import owners, pieces
from planning.partition import partition

X, Y, SIDE = 500_000.0, 4_400_000.0, 100.0
BAND = Band(30, 50)


def squares(width: int, height: int, **columns: Any) -> gpd.GeoDataFrame:
    """width × height squares of 100 m, row by row from the south-west."""
    at = np.arange(width * height)
    x, y = X + SIDE * (at % width), Y + SIDE * (at // width)
    shapes = shapely.box(x, y, x + SIDE, y + SIDE)
    return gpd.GeoDataFrame({"unit_id": [f"u{n}" for n in at], **columns}, geometry=shapes, crs="EPSG:4547")


def line(*points: tuple[float, float], cls: str) -> dict[str, Any]:
    return {"cls": cls, "geometry": shapely.linestrings([(X + x, Y + y) for x, y in points])}


def plan_of(units: gpd.GeoDataFrame, **columns: Any) -> gpd.GeoDataFrame:
    """Grids of units by their ``grid``."""
    grids = units.dissolve("grid", aggfunc={"households": "sum"}).reset_index().rename(columns={"grid": "code"})
    return grids.assign(**columns)


@pytest.fixture
def units() -> gpd.GeoDataFrame:
    """Two grids of two units side by side, and a park."""
    made = squares(3, 2, households=[20, 20, 0, 25, 30, 0], grid=["a", "b", "p", "a", "b", "p"])
    return made.assign(compound_id=["c", "c", None, "d", "d", None], population=10)


STREETS = gpd.GeoDataFrame(
    [line((100, 0), (100, 200), cls="secondary"), line((200, 0), (200, 100), cls="wall"),
     line((0, 100), (100, 100), cls="river")],
    crs="EPSG:4547",
)  # fmt: skip


def test_figures_by_hand(units: gpd.GeoDataFrame) -> None:
    found = figures(plan_of(units, kind=["ordinary", "ordinary", "park"]), units, STREETS, band=BAND)
    facts = found["overall"]
    assert (facts["grids"], facts["ordinary_grids"], facts["special_grids"]) == (3, 2, 1)
    assert (facts["households"], facts["population"]) == (95, 60)
    assert (facts["in_band"], facts["in_band_grids"], facts["households_outside_band"]) == (1, 2, 0)
    assert facts["balance"] == {
        "mean": 47.5,
        "least": 45,
        "most": 50,
        "mean_deviation": 0.0526,
        "max_deviation": 0.0526,
    }
    assert facts["compactness_mean"] == pytest.approx(4 * np.pi * 20_000 / 600**2, abs=1e-6)
    assert facts["boundary_metres"] == 400
    assert facts["boundary_by_class"] == {
        "river": 0, "primary": 0, "secondary": 200, "tertiary": 0, "residential": 0, "wall": 100, "none": 100,
    }  # fmt: skip
    assert facts["boundary_on_streets"] == 0.5
    assert (facts["compounds_fitting"], facts["compounds_split"]) == (1, 1)  # d has 55 households: too many for one
    assert (facts["grids_crossing_major"], facts["major_metres_inside"]) == (1, 100)  # the river parts the units of a
    assert found["check"]["ok"]
    row = found["grids"][0]
    assert (row["code"], row["households"], row["in_band"], row["outside_band"]) == ("a", 45, True, 0)
    assert (row["boundary_metres"], row["boundary_on_streets"], row["major_metres_inside"]) == (200, 1, 100)
    assert found["grids"][2]["special"]
    assert found["grids"][2]["in_band"] is None


def test_grids_alone(units: gpd.GeoDataFrame) -> None:
    facts = figures(plan_of(units, kind="ordinary"), None, STREETS, band=BAND)["overall"]
    assert (facts["households"], facts["population"], facts["compounds_split"]) == (95, None, None)
    assert (facts["in_band_grids"], facts["households_outside_band"]) == (2, 30)
    assert facts["boundary_by_class"]["secondary"] == 200
    # the river ends at the limit: all but the last metres of it are inside the grid
    assert facts["grids_crossing_major"] == 1
    assert facts["major_metres_inside"] == pytest.approx(70, abs=10)
    bare = figures(plan_of(units)[["code", "geometry"]], band=BAND)["overall"]
    assert (bare["households"], bare["in_band"], bare["boundary_on_streets"], bare["grids_crossing_major"]) == (
        None,
    ) * 4
    assert bare["boundary_metres"] == 400


def test_broken_plans_are_measured_all_the_same(units: gpd.GeoDataFrame) -> None:
    corner = units.assign(grid=["a", "b", "b", "c", "a", "b"])
    found = figures(plan_of(corner), corner, STREETS, band=BAND)
    assert found["overall"]["broken"] == 1
    assert found["grids"][0]["problems"] == ["noncontiguous"]
    grids = plan_of(units)
    grids.loc[0, "geometry"] = shapely.buffer(grids.geometry[0], 10, join_style="mitre")
    found = figures(grids, None, STREETS, band=BAND)
    assert found["overall"]["overlap_m2"] == pytest.approx(2000)
    assert found["overall"]["boundary_metres"] == pytest.approx(400, abs=40)
    assert found["check"]["counts"]["overlap"] == 1


def test_levels() -> None:
    units = squares(4, 1, households=[40, 45, 30, 20], grid=["101", "102", "201", "202"])
    low = plan_of(units, level=2, parent=["1", "1", "2", "2"])
    high = units.assign(grid=["1", "1", "2", "2"])
    grids = gpd.GeoDataFrame(
        np.concatenate([plan_of(high, level=1, parent=None), low]), columns=low.columns, geometry="geometry",
        crs=units.crs,
    )  # fmt: skip
    found = figures(grids, units, band={1: Band(50, 90), 2: BAND})
    assert [level["level"] for level in found["levels"]] == [1, 2]
    assert [level["households"] for level in found["levels"]] == [135, 135]
    assert [level["in_band"] for level in found["levels"]] == [1, 0.75]
    facts = found["overall"]
    assert (facts["grids"], facts["households"], facts["in_band"]) == (6, 135, pytest.approx(5 / 6))
    assert facts["households_outside_band"] == 10
    assert facts["boundary_metres"] == 300  # the finest level's
    assert found["check"]["ok"]
    assert found["band"] == {"1": "50:90", "2": "30:50"}


def test_same_figures_as_the_engine() -> None:
    rng = np.random.default_rng(3)
    units = squares(8, 8, households=rng.integers(4, 12, 64), compound_id=(np.arange(64) // 3).astype(str))
    streets = gpd.GeoDataFrame(
        [line((0, 400), (800, 400), cls="primary"), line((300, 0), (300, 800), cls="residential")], crs=units.crs
    )
    plan = partition(units, streets, band=BAND, preset="quick")
    owned = units.assign(grid=plan.grids["code"].to_numpy()[plan.assignment])
    facts = figures(plan.grids, owned, streets, band=BAND)["overall"]
    for key in (
        "grids",
        "in_band",
        "compounds_fitting",
        "compounds_split",
        "grids_crossing_major",
        "boundary_by_class",
    ):
        assert facts[key] == plan.stats[key], key
    for key in ("compactness_mean", "boundary_metres", "boundary_on_streets"):
        assert facts[key] == pytest.approx(plan.stats[key], abs=1e-5)


def test_what_cannot_be_measured() -> None:
    with pytest.raises(BadInput, match="empty"):
        figures(squares(1, 1).iloc[:0], band=BAND)
    with pytest.raises(BadInput, match="no column grid"):
        figures(squares(1, 1), squares(1, 1), band=BAND)


# --- whose grid is a unit in ------------------------------------------------------------


def test_owners_by_place() -> None:
    units = squares(2, 1)
    grids = gpd.GeoDataFrame(
        {"code": ["2", "1"]},
        geometry=[shapely.box(X - 9, Y, X + 70, Y + 100), shapely.box(X + 70, Y, X + 120, Y + 100)],
        crs=units.crs,
    )
    assert owners(units, grids).tolist() == ["2", "1"]
    assert owners(units.to_crs(4490), grids).tolist() == ["2", "1"]
    assert owners(units, grids.iloc[:1]).tolist() == ["2", ""]
    half = grids.set_geometry([shapely.box(X, Y, X + 50, Y + 100), shapely.box(X + 50, Y, X + 100, Y + 100)])
    assert owners(units, half)[0] == "1"  # a tie goes to the smaller code
    with pytest.raises(BadInput, match="two grids"):
        owners(units, grids.assign(code="1"))


def test_owners_by_identity_only_where_units_are_the_same() -> None:
    units = squares(2, 1)
    grids = units.assign(code=["a", "b"])
    told = units.assign(grid=["b", "a"])
    assert owners(units, grids, told).tolist() == ["b", "a"]
    assert owners(units, grids, told.iloc[:1]).tolist() == ["a", "b"]
    moved = told.set_geometry(told.translate(20))
    assert owners(units, grids, moved).tolist() == ["a", "b"]


def test_pieces_spread_households_over_ground() -> None:
    grids = squares(2, 1, code=["a", "b"], households=[100, 60])
    other = gpd.GeoDataFrame(
        {"code": ["x"]}, geometry=[shapely.box(X + 75, Y, X + 150, Y + 100)], crs=grids.crs
    )  # fmt: skip
    found = pieces(grids, other)
    assert found.groupby("grid")["households"].sum().to_dict() == {"a": 100, "b": 60}
    assert sorted(found["households"].round(6)) == [25, 30, 30, 75]


# --- two plans --------------------------------------------------------------------------


def test_compare_counts_by_the_plan_s_units(units: gpd.GeoDataFrame) -> None:
    old = units.assign(grid=["x", "x", "y", "x", "y", "y"])
    grids = plan_of(units, community="1", kind=["ordinary", "ordinary", "park"])
    found = compare(grids, units, plan_of(old), None, STREETS, band=BAND)
    assert found.units["old"].tolist() == ["x", "x", "y", "x", "y", "y"]
    # x (20 + 20 + 25) goes on as a, y (30) as b; unit 1 moves with its 20 households
    assert found.changes.heirs == {"x": "a", "y": "b"}
    assert found.changes.moved_households == 20
    assert found.before["overall"]["in_band_grids"] == 1
    assert found.before["check"]["ok"]
    assert found.boundary_kept == pytest.approx(2 / 3)
    facts = found.changes_dict()
    assert facts["least_households"] == 15
    assert facts["over_least_share"] == pytest.approx(5 / 95, abs=1e-6)
    assert set(found.as_dict()) == {"figures", "before", "changes"}


def test_compare_without_units_is_an_estimate(units: gpd.GeoDataFrame) -> None:
    old = plan_of(units.assign(grid=["x", "x", "y", "x", "y", "y"]))
    found = compare(plan_of(units), None, old, band=BAND)
    assert found.estimated
    assert found.boundary_kept is None
    assert found.changes.households == 95
    by_theirs = compare(plan_of(units), None, plan_of(units), units, band=BAND)
    assert not by_theirs.estimated
    assert by_theirs.changes.moved_households == 0


def test_compare_leaves_other_places_out(units: gpd.GeoDataFrame) -> None:
    far = squares(1, 1, code=["z"], households=[40]).translate(5000)
    old = plan_of(units)
    both = gpd.GeoDataFrame(
        {"code": [*old["code"], "z"], "households": [*old["households"], 40]},
        geometry=[*old.geometry, far.iloc[0]],
        crs=units.crs,
    )
    found = compare(plan_of(units), units, both, band=BAND)
    assert found.left_out == 1
    assert found.before["overall"]["grids"] == 3
    with pytest.raises(BadInput, match="no ground"):
        compare(plan_of(units), units, both.iloc[3:], band=BAND)


def test_old_codes_can_be_told(units: gpd.GeoDataFrame) -> None:
    old = plan_of(units)
    found = compare(plan_of(units), units, old, band=BAND, old_codes=["a", "a", None, "a", "b", ""], same_codes=True)
    assert found.changes.moved.tolist() == [False, True, False, False, False, False]
    with pytest.raises(BadInput, match="2 old codes for 6"):
        compare(plan_of(units), units, old, band=BAND, old_codes=["a", "b"])


def nested(units: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Grids of two levels and their units with ``grid`` and ``grid_2``, as `gisgrid plan --levels` writes them."""
    first = np.repeat(["1", "2"], 4)
    second = np.array(["11", "11", "12", "12", "21", "21", "22", "22"])
    high = plan_of(units.assign(grid=first), level=1, parent=None)
    low = plan_of(units.assign(grid=second), level=2, parent=["1", "1", "2", "2"])
    both = gpd.GeoDataFrame(pd.concat([high.astype({"parent": object}), low], ignore_index=True), crs=units.crs)
    return both, units.assign(grid=first, grid_2=second)


def test_units_of_a_nested_plan_are_read_on_the_finest_level() -> None:
    units = squares(8, 1, households=20, community="c")
    grids, owned = nested(units)
    streets = gpd.GeoDataFrame([line((100, 0), (100, 100), cls="river")], crs="EPSG:4547")
    found = figures(grids, owned, streets, band={1: Band(60, 90), 2: Band(50, 90)})
    assert found["check"]["ok"]
    assert found["overall"]["problems"] == 0
    assert [level["in_band"] for level in found["levels"]] == [1, 0]
    assert (found["overall"]["in_band_grids"], found["overall"]["judged_grids"]) == (2, 6)
    assert found["overall"]["grids_crossing_major"] == 1  # the river parts units 0 and 1 of grid 11
    assert figures(grids, owned, band={1: Band(60, 90)})["overall"]["judged_grids"] == 2


def test_a_nested_plan_beside_another() -> None:
    units = squares(8, 1, households=20, community="c")
    grids, owned = nested(units)
    flat = units.assign(grid=["a"] * 5 + ["b"] * 3)
    for found in (
        compare(grids, owned, plan_of(flat), flat, band=Band(60, 90)),
        compare(plan_of(flat), flat, grids, owned, band=Band(60, 90)),
    ):
        assert found.figures["check"]["ok"]
        assert found.changes.moved_households == 20  # a level only one of them has is no change
        assert (len(found.changes.births), len(found.changes.ends)) == (0, 0)
    same = compare(grids, owned, grids, owned, band={1: Band(60, 90)})
    assert same.changes.moved_households == 0
    assert len(same.changes.heirs) == 4
    assert same.before["overall"] == same.figures["overall"]
    shifted = owned.assign(grid=np.repeat(["1", "2"], [6, 2]), grid_2=["11"] * 3 + ["12"] * 3 + ["21", "22"])
    again = compare(grids, owned, grids, shifted, band=Band(60, 90))
    assert again.before["overall"]["households"] == 160
    assert again.before["levels"][0]["in_band"] == 0 != again.figures["levels"][0]["in_band"]
