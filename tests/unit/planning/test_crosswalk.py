"""The crosswalk against brute force, and its rules: slivers, ties, what is outside, who is counted where."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import BadInput
from planning.crosswalk import crosswalk, summary

CRS = "EPSG:4548"
X, Y = 500_000.0, 4_000_000.0


def box(west: float, south: float, east: float, north: float) -> Any:
    return shapely.box(X + west, Y + south, X + east, Y + north)


def layer(shapes: list[Any], codes: list[str], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=shapes, crs=CRS)


GRIDS = layer([box(0, 0, 100, 100), box(100, 0, 200, 100)], ["g1", "g2"], name=["one", "two"])


def by_pair(rows: pd.DataFrame) -> dict[tuple[str, str | None], Any]:
    keys = [(row.grid, None if pd.isna(row.professional) else row.professional) for row in rows.itertuples()]
    return dict(zip(keys, rows.itertuples(), strict=True))


def random_cover(rng: np.random.Generator, cuts: int) -> list[Any]:
    """Voronoi cells of random points, cut to a square: a division into convex pieces."""
    points = shapely.multipoints(rng.uniform(0, 1000, (cuts, 2)) + np.array([X, Y]))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(-500, -500, 1500, 1500)))
    return list(shapely.intersection(cells, box(0, 0, 1000, 1000)))


def test_areas_equal_those_of_every_pair_cut_by_hand() -> None:
    rng = np.random.default_rng(4)
    cells, others = random_cover(rng, 60), random_cover(rng, 12)
    others[3] = shapely.affinity.translate(others[3], 30, -20)  # overlaps its neighbours, leaves a gap
    grids = layer(cells, [f"g{n:02d}" for n in range(60)])
    rows = crosswalk(grids, layer(others, [f"p{n:02d}" for n in range(12)], system="fire"))
    expected = {}
    for i, cell in enumerate(cells):
        for j, other in enumerate(others):
            m2 = cell.intersection(other).area
            if m2 >= 1 and m2 / cell.area >= 0.001:
                expected[f"g{i:02d}", f"p{j:02d}"] = m2
        rest = cell.difference(shapely.union_all(others)).area
        if rest >= 1 and rest / cell.area >= 0.001:
            expected[f"g{i:02d}", None] = rest
    found = by_pair(rows)
    assert set(found) == set(expected)
    for key, row in found.items():
        assert row.area_m2 == pytest.approx(expected[key], abs=1e-3)
        assert row.area_share == pytest.approx(expected[key] / cells[int(key[0][1:])].area, abs=1e-9)
        assert row.geometry.area == pytest.approx(row.area_m2, abs=1e-3)
        assert row.whole == (key[1] is not None and row.area_share >= 0.999)
    assert (rows.groupby("grid")["main"].sum() == 1).all()


def test_households_count_where_the_largest_part_of_their_unit_lies() -> None:
    fire = layer([box(0, 0, 60, 100), box(60, 0, 200, 100)], ["p1", "p2"], system="fire")
    units = gpd.GeoDataFrame(
        {"unit_id": ["a", "b", "c", "d"], "households": [10, 20, 5, 0], "population": [30, 50, 9, 0]},
        geometry=[box(0, 0, 50, 100), box(50, 0, 100, 50), box(100, 0, 200, 100), box(50, 50, 100, 100)], crs=CRS,
    )  # fmt: skip
    for given in (units, units.assign(grid=["g1", "g1", "g2", "g1"])):
        found = by_pair(crosswalk(GRIDS, fire, units=given))
        assert set(found) == {("g1", "p1"), ("g1", "p2"), ("g2", "p2")}
        one, other = found["g1", "p1"], found["g1", "p2"]
        assert (one.households, other.households, found["g2", "p2"].households) == (10, 20, 5)
        assert (one.household_share, other.household_share) == pytest.approx((1 / 3, 2 / 3))
        assert (one.population_share, other.population_share) == pytest.approx((3 / 8, 5 / 8))
        assert other.main, "most households, though less ground"
        assert not one.main
        assert one.area_share == pytest.approx(0.6)


def test_ties_go_to_the_smallest_code_and_empty_grids_go_by_ground() -> None:
    halves = layer([box(50, 0, 100, 100), box(0, 0, 50, 100), box(100, 0, 200, 100)], ["p1", "p2", "p3"], system="s")
    rows = crosswalk(GRIDS, halves)
    assert rows.loc[rows["main"], "professional"].tolist() == ["p1", "p3"]
    unit = gpd.GeoDataFrame({"households": [7]}, geometry=[box(110, 10, 120, 20)], crs=CRS)
    rows = crosswalk(GRIDS, halves, units=unit)
    assert rows.loc[rows["grid"] == "g1", "household_share"].isna().all()
    assert rows.loc[rows["main"], "professional"].tolist() == ["p1", "p3"]
    equal = gpd.GeoDataFrame({"households": [4, 4]}, geometry=[box(0, 0, 10, 10), box(90, 0, 100, 10)], crs=CRS)
    uneven = layer([box(30, 0, 200, 100), box(0, 0, 30, 100)], ["p2", "p1"], system="s")
    rows = crosswalk(GRIDS, uneven, units=equal)
    assert rows.loc[rows["main"], "professional"].tolist() == ["p1", "p2"], "equal households: the smaller code"


def test_slivers_get_no_row_but_are_told_and_people_in_one_keep_it() -> None:
    rough = layer([box(0, 0, 100.05, 100), box(100.05, 0, 200, 100)], ["p1", "p2"], system="s")
    rows = crosswalk(GRIDS, rough)
    assert [(row.grid, row.professional) for row in rows.itertuples()] == [("g1", "p1"), ("g2", "p2")]
    assert rows["sliver_m2"].tolist() == pytest.approx([0, 5])
    assert rows["whole"].all()
    assert rows["area_share"].tolist() == pytest.approx([1, 0.9995]), "shares are not stretched over slivers"
    tower = gpd.GeoDataFrame({"households": [90]}, geometry=[box(100, 50, 100.04, 51)], crs=CRS)
    rows = crosswalk(GRIDS, rough, units=tower)
    kept = by_pair(rows)["g2", "p1"]
    assert (kept.households, kept.main, kept.household_share) == (90, True, 1)
    assert rows["sliver_m2"].sum() == 0


def test_what_no_professional_grid_covers_gets_a_row_without_one() -> None:
    partial = layer([box(-50, 0, 60, 100)], ["p1"], system="s")
    unit = gpd.GeoDataFrame({"households": [7, 3]}, geometry=[box(70, 10, 80, 20), box(10, 10, 20, 20)], crs=CRS)
    found = by_pair(crosswalk(GRIDS, partial, units=unit))
    assert set(found) == {("g1", "p1"), ("g1", None), ("g2", None)}
    missing = found["g1", None]
    assert (missing.area_share, missing.household_share) == pytest.approx((0.4, 0.7))
    assert missing.geometry.equals(box(60, 0, 100, 100))
    assert [row.main for row in found.values()].count(True) == 1
    assert found["g1", "p1"].main
    assert not found["g2", None].main
    assert not found["g2", None].whole


def test_overlapping_professional_grids_do_not_hide_what_is_uncovered() -> None:
    twice = layer([box(0, 0, 60, 100), box(20, 0, 80, 100)], ["p1", "p2"], system="s")
    found = by_pair(crosswalk(GRIDS.iloc[:1], twice))
    assert found["g1", None].area_share == pytest.approx(0.2)
    assert found["g1", "p1"].area_share == pytest.approx(0.6)


def test_summary_tells_nesting_and_conflicts() -> None:
    both = pd.concat(
        [
            layer([box(0, 0, 200, 100)], ["a"], system="police"),
            layer([box(0, 0, 130, 100), box(130, 0, 200, 100)], ["b", "c"], system="fire"),
        ]
    )
    units = gpd.GeoDataFrame(
        {"households": [60, 10, 30]}, geometry=[box(0, 0, 9, 9), box(101, 0, 109, 9), box(150, 0, 160, 9)], crs=CRS
    )
    fire, police = summary(crosswalk(GRIDS, both, units=units))["systems"]
    assert (police["system"], police["whole"], police["whole_household_share"], police["conflicts"]) == (
        "police",
        2,
        1,
        [],
    )
    assert (fire["whole"], fire["whole_share"], fire["whole_household_share"]) == (1, 0.5, 0.6)
    assert fire["conflicts"] == [
        {
            "grid": "g2",
            "parts": [
                {"professional": "c", "area_share": 0.7, "household_share": 0.75},
                {"professional": "b", "area_share": 0.3, "household_share": 0.25},
            ],
        }
    ]


def test_only_one_level_is_held_against_the_system() -> None:
    grids = pd.concat([GRIDS.assign(level=1), layer([box(0, 0, 50, 100), box(50, 0, 100, 100)], ["m1", "m2"], level=2)])
    whole = layer([box(0, 0, 200, 100)], ["p"], system="s")
    assert crosswalk(grids, whole)["grid"].tolist() == ["g1", "g2"]
    assert crosswalk(grids, whole, level=2)["grid"].tolist() == ["m1", "m2"]
    with pytest.raises(BadInput, match="no grid of level 3"):
        crosswalk(grids, whole, level=3)


def test_layers_in_degrees_are_measured_in_metres() -> None:
    fire = layer([box(0, 0, 60, 100), box(60, 0, 200, 100)], ["p1", "p2"], system="fire")
    rows = crosswalk(GRIDS.to_crs(4490), fire.to_crs(4490))
    assert rows["area_m2"].tolist() == pytest.approx([6000, 4000, 10000], rel=1e-3)


@pytest.mark.parametrize(
    ("grids", "fire", "units", "says"),
    [
        (GRIDS.iloc[:0], GRIDS, None, "no grid of level 1"),
        (GRIDS, GRIDS.iloc[:0], None, "professional layer is empty"),
        (GRIDS.drop(columns="code"), GRIDS, None, "no column code"),
        (GRIDS.assign(code=["g1", "g1"]), GRIDS, None, "g1 is used twice"),
        (GRIDS, GRIDS.assign(code=["p", None]), None, "in row 2 has no code"),
        (GRIDS, GRIDS.assign(code="p", system="fire"), None, "fire professional grid code p is used twice"),
        (GRIDS, GRIDS, GRIDS, "no households column"),
        (GRIDS, GRIDS, GRIDS.assign(households=[1, -1], unit_id=["u1", "u2"]), "unit u2: households is -1"),
        (GRIDS, GRIDS, GRIDS.assign(households=1, unit_id=["u1", "u2"], grid=["g1", "x"]), "unit u2 is of grid x"),
    ],
)
def test_bad_input_is_named(grids: Any, fire: Any, units: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        crosswalk(grids, fire, units=units)
