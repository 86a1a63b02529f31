"""The finer levels: a unit a building, a unit an entrance, large grounds in parts."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid import coverage
from gisgrid.errors import BadInput
from planning.units import above_limit, building_units, entrance_units, make_units
from tests.unit.planning.units.drawing import CRS, X0, Y0
from tests.unit.planning.units.drawing import area as _area
from tests.unit.planning.units.drawing import box as _box
from tests.unit.planning.units.drawing import line as _line


def _buildings(*shapes: Any, households: Any = 10, **columns: Any) -> gpd.GeoDataFrame:
    ids = [f"b{n}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"building_id": ids}, geometry=list(shapes), crs=CRS).assign(
        households=households, **columns
    )


def _paths(*lines: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"cls": ["foot"] * len(lines)}, geometry=list(lines), crs=CRS)


def _sound(units: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> None:
    assert coverage.check(units, area).ok
    assert shapely.coverage_is_valid(np.asarray(units.geometry))
    assert (units.geom_type == "Polygon").all()
    assert units["unit_id"].is_unique


def test_one_household_a_unit_means_one_unit_a_home() -> None:
    shapes = [_box(20 + 60 * i, 20 + 40 * j, 30, 12) for i in range(6) for j in range(6)]
    sheds = [_box(55 + 60 * i, 24, 6, 5) for i in range(5)]
    households = [1 + (i % 3) for i in range(36)] + [0] * 5
    area, buildings = _area(), _buildings(*shapes, *sheds, households=households)
    units = make_units(buildings, None, area, max_households=1)
    _sound(units, area)
    assert len(units) == 36
    assert sorted(units["households"]) == sorted(households[:36])
    owner = building_units(buildings, units)
    assert np.unique(owner[:36]).size == 36
    assert units["buildings"].sum() == 41


def test_what_cannot_be_divided_further_is_named() -> None:
    area = _area()
    buildings = _buildings(_box(20, 20, 90, 20), _box(200, 200, 30, 12), households=[400, 8])
    units = make_units(buildings, None, area)
    assert above_limit(units)["households"].tolist() == [400]
    assert not len(above_limit(units, 400))


def _homes() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    area = _area()
    slab = _box(30, 50, 60, 12)
    turned = shapely.affinity.rotate(_box(230, 200, 12, 60), 20)
    buildings = _buildings(
        slab, turned, _box(300, 30, 20, 20), _box(40, 200, 60, 40),
        households=[37, 24, 1, 0], population=[100, 61, 2, 0], elderly=[7, 5, 1, 0], levels=[6, 3, 1, 1],
        kind=["residential"] * 3 + ["school"],
    )  # fmt: skip
    return area, buildings, make_units(buildings, None, area, max_households=1)


def test_entrances_are_estimated_from_floors() -> None:
    area, buildings, units = _homes()
    found = entrance_units(units, buildings)
    _sound(found, area)
    # 37 / 12 → 3, 24 / 6 → 4, 1 → 1, nobody → 0
    by_unit = found.groupby("building_unit", sort=False)["entrance"].apply(list)
    assert sorted(by_unit) == [[0], [1], [1, 2, 3], [1, 2, 3, 4]]
    for name in ("households", "population", "elderly", "buildings"):
        whole = found.groupby("building_unit")[name]
        assert whole.sum().to_dict() == units.set_index("unit_id")[name].to_dict()
        assert (whole.max() - whole.min() <= 1).all()
    assert found.loc[found["entrance"] == 2, "unit_id"].str.endswith("-02").all()
    assert found.loc[found["entrance"] == 0, "unit_id"].isin(units["unit_id"]).all()
    assert entrance_units(units, buildings).geometry.equals(found.geometry)


def test_entrances_are_cut_across_the_building() -> None:
    _, buildings, units = _homes()
    found = entrance_units(units, buildings)
    for home, parts in ((0, 3), (1, 4)):
        shape = buildings.geometry[home]
        shares = shapely.area(shapely.intersection(np.asarray(found.geometry), shape)) / shape.area
        assert sorted(shares[shares > 1e-6]) == pytest.approx([1 / parts] * parts, abs=1e-3)


@pytest.mark.parametrize("ids", [True, False])
def test_addresses_tell_entrances_and_their_order(ids: bool) -> None:
    area, buildings, units = _homes()
    # two entrances at the slab, numbered from the east
    spots = [shapely.Point(X0 + 45, Y0 + 45), shapely.Point(X0 + 75, Y0 + 45), shapely.Point(X0 + 75, Y0 + 46)]
    addresses = gpd.GeoDataFrame({"unit": ["2单元", "1单元", "1单元"]}, geometry=spots, crs=CRS)
    if ids:
        addresses["building_id"] = "b0"
    found = entrance_units(units, buildings, addresses.to_crs(4490))
    _sound(found, area)
    slab = found[found.intersects(buildings.geometry[0].buffer(-1))]
    assert slab["entrance"].tolist() == [1, 2]
    assert slab["households"].tolist() == [19, 18]
    assert slab.geometry.iloc[0].centroid.x > slab.geometry.iloc[1].centroid.x


def test_entrances_want_units_and_households() -> None:
    _, buildings, units = _homes()
    with pytest.raises(BadInput, match="no column unit_id"):
        entrance_units(units.drop(columns="unit_id"), buildings)
    with pytest.raises(BadInput, match="no coordinate system"):
        entrance_units(units, buildings.set_crs(None, allow_override=True))


def test_large_grounds_are_divided_along_their_paths() -> None:
    area = _area(500, 300)
    streets = gpd.GeoDataFrame({"cls": ["tertiary"]}, geometry=[_line((200, -10), (200, 310))], crs=CRS)
    paths = _paths(_line((350, -5), (350, 305)), _line((195, 150), (505, 150)), _line((100, 0), (100, 290)))
    streets = gpd.GeoDataFrame(pd.concat([streets, paths], ignore_index=True), crs=CRS)
    kiosk = _box(340, 140, 15, 20)  # on the crossing of the paths
    buildings = _buildings(_box(20, 20, 30, 12), kiosk, households=[10, 0])
    units = make_units(buildings, streets, area, special_max_area=30_000)
    _sound(units, area)
    assert len(make_units(buildings, streets, area)) == 2
    grounds = units[units["households"] == 0]
    assert len(grounds) == 4
    assert grounds.area.max() < 30_000
    assert grounds["kind"].tolist() == ["park"] * 4
    assert set(grounds["block_id"]) == {f"{units['community'][0]}-B00002"}
    assert shapely.covered_by(kiosk, np.asarray(grounds.geometry)).sum() == 1


def test_grounds_without_paths_are_cut_into_compact_parts() -> None:
    area = _area(600, 300)
    works = [_box(210 + 80 * i, 60 + 90 * j, 50, 40) for i in range(4) for j in range(2)]
    streets = gpd.GeoDataFrame({"cls": ["tertiary"]}, geometry=[_line((150, -10), (150, 310))], crs=CRS)
    buildings = _buildings(_box(20, 20, 30, 12), *works, households=[10] + [0] * 8, kind=["house"] + ["industrial"] * 8)
    units = make_units(buildings, streets, area, special_max_area=40_000)
    _sound(units, area)
    grounds = units[units["households"] == 0]
    assert 4 <= len(grounds) <= 5
    assert grounds.area.max() <= 45_000  # outlines of buildings may take a little
    assert (4 * np.pi * grounds.area / grounds.length**2 > 0.4).all()
    owner = building_units(buildings, units)
    cut = shapely.difference(np.asarray(buildings.geometry), np.asarray(units.geometry)[owner])
    assert shapely.area(cut).max() < 0.1
    again = make_units(buildings, streets, area, special_max_area=40_000)
    assert shapely.to_wkb(np.asarray(again.geometry)).tolist() == shapely.to_wkb(np.asarray(units.geometry)).tolist()


def test_a_lake_stays_whole_and_its_shore_is_cut_across() -> None:
    area = _area(400, 400)
    lake = shapely.Point(X0 + 200, Y0 + 200).buffer(150)
    water = gpd.GeoDataFrame({"kind": ["lake"]}, geometry=[lake], crs=CRS)
    shore = _paths(lake.buffer(12).exterior, _line((0, 200), (50, 200)), _line((350, 200), (400, 200)))
    buildings = _buildings(_box(2, 2, 20, 10), _box(380, 380, 10, 10), households=[0, 0])
    units = make_units(buildings, shore, area, water=water, special_max_area=30_000)
    _sound(units, area)
    assert units["kind"].value_counts().to_dict() == {"scenic": len(units) - 1, "water": 1}
    assert units.loc[units["kind"] == "water", "geometry"].area.max() > 70_000
    assert (4 * np.pi * units.area / units.length**2 > 0.2).all()


def test_a_part_must_not_be_too_small() -> None:
    with pytest.raises(BadInput, match="special max area 10"):
        make_units(_buildings(_box(2, 2, 20, 10)), None, _area(), special_max_area=10)


def test_sample_levels_keep_every_household() -> None:
    from data.sample import make_sample

    layers = make_sample("mingfeng", seed=0).layers
    buildings = layers["buildings"]
    units = make_units(
        buildings, layers["streets"], layers["areas"], water=layers["water"], walls=layers["walls"], max_households=1
    )
    assert (units["households"] > 0).sum() == (buildings["households"] > 0).sum()
    found = entrance_units(units, buildings, layers["addresses"])
    assert shapely.coverage_is_valid(np.asarray(found.geometry))
    assert found["households"].sum() == buildings["households"].sum() == 3428
    named = (layers["addresses"]["unit"] != "").sum()
    assert (found["entrance"] > 0).sum() >= named
