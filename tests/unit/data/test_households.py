"""Household estimates: the arithmetic, what is kept, and the settings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from data.households import BUILDING_KINDS, estimate_households, load_factors
from gisgrid.errors import BadInput


def building(side: float, **columns) -> gpd.GeoDataFrame:
    """One square building of that side in metres, in a metric CRS."""
    return gpd.GeoDataFrame(
        {name: [value] for name, value in columns.items()},
        geometry=[box(5e5, 4.4e6, 5e5 + side, 4.4e6 + side)],
        crs=4548,
    )


def test_the_formula():
    factor = load_factors()["apartments"]
    row = estimate_households(building(30.0, kind="apartments", levels=18)).iloc[0]
    expected = round(900 * 18 * factor.usable_share / factor.area_per_household)
    assert row["households"] == expected == 144
    assert row["population"] == round(expected * factor.persons_per_household)
    assert row["elderly"] == round(row["population"] * factor.elderly_share)
    assert (row["priority"], bool(row["estimated"])) == (0, True)


def test_degrees_and_metres_agree():
    metric = building(30.0, kind="residential", levels=6)
    assert (
        estimate_households(metric.to_crs(4490))["households"].tolist()
        == estimate_households(metric)["households"].tolist()
    )


def test_given_counts_are_kept_and_not_marked():
    row = estimate_households(building(30.0, kind="apartments", levels=18, households=7)).iloc[0]
    assert (row["households"], row["population"], bool(row["estimated"])) == (7, 18, False)
    zero = estimate_households(building(30.0, kind="apartments", households=0)).iloc[0]
    assert (zero["households"], zero["population"], bool(zero["estimated"])) == (0, 0, False)


def test_a_population_alone_gives_the_households():
    row = estimate_households(building(30.0, kind="apartments", population=26)).iloc[0]
    assert (row["households"], row["population"], bool(row["estimated"])) == (10, 26, True)


@pytest.mark.parametrize(
    "kind", ["commercial", "office", "school", "hospital", "industrial", "public", "other", "nonsense"]
)
def test_nobody_lives_elsewhere(kind):
    row = estimate_households(building(60.0, kind=kind)).iloc[0]
    assert (row["households"], row["population"], bool(row["estimated"])) == (0, 0, False)
    assert row["levels"] >= 1


def test_sheds_hold_nobody_small_houses_are_low_and_blocks_are_not_solid():
    assert estimate_households(building(4.0, kind="residential")).iloc[0]["households"] == 0
    cottage = estimate_households(building(10.0, kind="residential")).iloc[0]
    assert (cottage["levels"], cottage["households"]) == (2, 2)
    block = estimate_households(building(134.0, kind="residential")).iloc[0]  # a compound drawn as one outline
    assert block["households"] == round(134.0**2 * 0.35 * 6 * 0.85 / 90)


def test_every_kind_has_factors_and_types_are_whole_numbers():
    assert tuple(load_factors()) == BUILDING_KINDS
    frame = estimate_households(building(20.0, kind="house"))
    assert {frame[name].dtype for name in ("levels", "households", "population", "elderly", "priority")} == {
        np.dtype("int64")
    }
    assert frame["estimated"].dtype == bool


def test_an_empty_frame_stays_one():
    empty = building(10.0, kind="house").iloc[:0]
    assert estimate_households(empty).empty


def test_settings_override_single_figures():
    factors = load_factors({"apartments": {"area_per_household": 45}})
    row = estimate_households(building(30.0, kind="apartments", levels=18), factors=factors).iloc[0]
    assert row["households"] == 288
    assert load_factors()["apartments"].area_per_household == 90


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"castle": {"area_per_household": 1}}, "unknown building kind 'castle'"),
        ({"house": {"rooms": 1}}, "unknown figure 'rooms'"),
        ({"house": {"usable_share": -1}}, "give a number of 0 or more"),
        ({"house": {"usable_share": "half"}}, "'half'"),
    ],
)
def test_bad_settings_are_told(overrides, said):
    with pytest.raises(BadInput, match=said):
        load_factors(overrides)
