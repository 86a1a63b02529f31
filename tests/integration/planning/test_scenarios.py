"""Published sizes of real places, planned from sample districts: the numbers of grids come out, and levels nest."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.sample import SampleDistrict, make_sample
from gisgrid.coverage import check
from planning.levels import NestedPlan, parse_levels, partition_levels
from planning.units import make_units
from planning.workflow import barrier_lines


def planned(name: str, max_households: int, levels: str, **options: Any) -> tuple[SampleDistrict, NestedPlan]:
    """A sample district divided into units and planned on several levels."""
    district = make_sample(name, seed=0)
    layers = district.layers
    units = make_units(
        layers["buildings"], layers["streets"], layers["areas"], water=layers["water"], walls=layers["walls"],
        landuse=layers["landuse"], max_households=max_households,
    )  # fmt: skip
    lines = barrier_lines(layers["streets"], layers["water"], layers["walls"])
    return district, partition_levels(units, lines, parse_levels(levels), **options)


def counts(plan: NestedPlan) -> list[int]:
    return plan.grids["level"].value_counts().sort_index().tolist()


def assert_sound(district: SampleDistrict, plan: NestedPlan) -> None:
    """`check` finds nothing: covered without gap or overlap, in one piece, in one community, in the parent, filled."""
    layers = plan.layers()
    report = check(layers["grids"], district.layers["areas"], units=layers["units"])
    assert report.ok, report.lines()
    first = plan.grids[plan.grids["level"] == 1]
    assert first["households"].sum() == district.summary["households"]
    assert first["population"].sum() == district.summary["population"]


NO_SPECIAL: dict[str, Any] = {"special_kinds": ()}


def test_mingfeng_3428_households_become_11_grids() -> None:
    district, plan = planned("mingfeng", 30, "11@300:500", first_level=NO_SPECIAL)
    assert district.summary["households"] == 3428
    assert counts(plan) == [district.summary["figures"]["grids_planned"]] == [11]
    assert plan.feasible, [reason.text for reason in plan.reasons]
    assert plan.grids["households"].between(300, 500).all()
    assert_sound(district, plan)


def test_nanjian_4_grids_become_6_and_35() -> None:
    district, plan = planned("nanjian", 8, "6@300:500/35", first_level=NO_SPECIAL)
    figures = district.summary["figures"]
    assert district.summary["grids_by_level"] == {"1": 4}
    assert counts(plan) == [figures["grids_planned"], figures["micro_grids_planned"]] == [6, 35]
    assert plan.feasible, [reason.text for reason in plan.reasons]
    assert_sound(district, plan)


def test_xijindu_has_7_grids_one_of_them_a_scenic_area_with_micro_grids_of_its_own() -> None:
    scenic = {"special_kinds": ("scenic",)}
    district, plan = planned("xijindu", 8, "7@300:500/40:90", special_area=20_000, first_level=scenic)
    assert plan.feasible, [reason.text for reason in plan.reasons]
    assert_sound(district, plan)
    grids = plan.grids
    first = grids[grids["level"] == 1]
    assert len(first) == district.summary["figures"]["grids_planned"] == 7
    (area,) = first[first["kind"] == "scenic"].itertuples()
    assert area.households == 0
    micro = grids[grids["parent"] == area.code]
    assert len(micro) >= 2
    assert (micro["kind"] == "scenic").all()
    assert (grids["kind"][(grids["level"] == 2) & (grids["parent"] != area.code)] == "ordinary").all()
    ground = district.layers["landuse"].to_crs(grids.crs)
    lake = shapely.union_all(ground.geometry[ground["kind"] == "scenic"].to_numpy())
    assert shapely.area(shapely.symmetric_difference(area.geometry, lake)) < 0.02 * lake.area


@pytest.fixture(scope="module")
def gaodu() -> tuple[SampleDistrict, NestedPlan]:
    return planned("gaodu", 3, "34@300:500/158/854", preset="quick", first_level=NO_SPECIAL)


def test_gaodu_has_exactly_34_158_and_854_grids(gaodu: tuple[SampleDistrict, NestedPlan]) -> None:
    district, plan = gaodu
    assert district.summary["households"] == 12_306
    assert counts(plan) == [34, 158, 854]
    assert_sound(district, plan)
    levels = plan.stats["levels"]
    assert levels[0]["in_band"] == 1.0
    assert levels[1]["in_band"] >= 0.98
    # blocks of flats larger than a micro-grid stand alone and are named
    assert levels[2]["in_band_divisible"] >= 0.95
    above = {name for reason in plan.reasons if reason.code == "unit_above_band" for name in reason.units}
    band = parse_levels(f"854@{levels[2]['band']}")[0].band
    assert band is not None
    assert above == set(plan.units["unit_id"][plan.units["households"] > band.high])


def test_every_unit_of_gaodu_lies_in_its_grid_on_every_level(gaodu: tuple[SampleDistrict, NestedPlan]) -> None:
    plan = gaodu[1]
    units: gpd.GeoDataFrame = plan.layers()["units"]
    spots = shapely.point_on_surface(units.geometry.to_numpy())
    by_code = plan.grids.set_index("code").geometry
    for column in ("grid", "grid_2", "grid_3"):
        assert shapely.covers(by_code.loc[units[column]].to_numpy(), spots).all()
    names = units[["grid", "grid_2", "grid_3"]].to_numpy(dtype=str)
    assert all(fine.startswith(middle) and middle.startswith(coarse) for coarse, middle, fine in names)
    assert np.unique(names[:, 2]).size == 854
