"""Service circles: the finer print of the figures, nested grid levels, notes, minutes in any order."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import BadInput
from planning.circles import CirclesResult, service_circles

CRS = "EPSG:4548"
CATEGORIES = pd.DataFrame(
    {
        "category": ["school", "shop", "pool"],
        "tier": [10, 5, 15],
        "minutes": [10, 5, 15],
        "metres": [500, 300, 1000],
        "name_zh": ["小学", "便利店", "泳池"],
        "name_en": ["School", "Shop", "Pool"],
    }
)


def points(*places: tuple[float, float], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapely.points(np.array(places, float).reshape(-1, 2)), crs=CRS)


@pytest.fixture
def street() -> gpd.GeoDataFrame:
    """One street of 2 km, west to east."""
    return gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1000, 0), (2000, 0)])], crs=CRS)


@pytest.fixture
def places() -> gpd.GeoDataFrame:
    return points((0, 0), (400, 0), (1000, 0), category=["school", "shop", "shop"])


@pytest.fixture
def homes() -> gpd.GeoDataFrame:
    """Two near both, one near neither, one nobody lives in, one far from any street."""
    return points(
        (100, 0), (600, 20), (1900, 0), (420, 0), (500, 400),
        building_id=list("abcde"), households=[3, 5, 2, 0, 4], population=[10, 20, 5, 0, 15],
    )  # fmt: skip


def about(result: CirclesResult, category: str) -> dict[str, Any]:
    row = result.coverage.set_index("category").loc[category]
    return dict(row)


def test_figures_counted_by_hand(street: Any, places: Any, homes: Any) -> None:
    result = service_circles(street, places, homes, categories=CATEGORIES)
    # school: 660 m in 10 min; a walks 100, b 620, d 420, c 1900. e lies 400 m from the street
    school = about(result, "school")
    assert (school["buildings_total"], school["buildings_assessed"], school["buildings_covered"]) == (5, 4, 3)
    assert (school["residents_total"], school["residents_assessed"], school["residents_covered"]) == (50, 35, 30)
    assert (school["homes_total"], school["homes_assessed"], school["homes_covered"]) == (4, 3, 2)
    assert school["facilities"] == 1
    # within 500 m on foot: a and d; as the crow flies neither b (600.3 m) nor e (640 m)
    assert school["buildings_within_metres"] == 2
    assert school["straight_line_buildings_covered"] == 2
    assert school["straight_line_residents_covered"] == 10
    # shop: 330 m in 5 min; a walks 300, b 220, d 20
    shop = about(result, "shop")
    assert (shop["buildings_covered"], shop["residents_covered"]) == (3, 30)
    seconds = result.residences["seconds_shop"].to_numpy()
    assert seconds[:2] == pytest.approx([300 / 1.1, 220 / 1.1])
    assert np.isnan(seconds[4])
    # c walks 900 m, 818 s: a time within the longest minutes, but not covered
    assert seconds[2] == pytest.approx(900 / 1.1)
    assert result.residences["assessable"].tolist() == [True, True, True, True, False]
    assert "1 residences are over 100 m from every street and cannot be assessed" in result.report["notes"]


def test_profile_and_speed(street: Any, places: Any, homes: Any) -> None:
    frail = service_circles(street, places, homes, categories=CATEGORIES, profile="frail", isochrones="none")
    # 390 m in 10 min: only a; 195 m in 5 min: only d
    assert about(frail, "school")["buildings_covered"] == 1
    assert about(frail, "shop")["buildings_covered"] == 1
    assert about(frail, "school")["buildings_within_metres"] == 2, "metres do not depend on the profile"
    assert len(frail.isochrones) == 0
    quick = service_circles(street, places, homes, categories=CATEGORIES, metres_per_second=10.0, isochrones="none")
    assert about(quick, "school")["buildings_covered"] == 4


def test_grids_take_their_own_and_shared_lines_go_to_the_smallest_code(street: Any, places: Any, homes: Any) -> None:
    # a lies exactly on the line between g1 and g2; c lies in no grid
    grids = gpd.GeoDataFrame(
        {"code": ["g2", "g1", "g3"]},
        geometry=[shapely.box(100, -50, 1000, 50), shapely.box(0, -50, 100, 50), shapely.box(0, 300, 900, 500)],
        crs=CRS,
    ).to_crs("EPSG:4490")
    result = service_circles(street, places, homes, categories=CATEGORIES, grids=grids, isochrones="none")
    table = result.grid_coverage.set_index(["category", "code"])
    assert len(table) == 9
    assert table.loc[("school", "g3")].tolist() == [1, 0, 0, 0, 15, 0, 0, 0, 0, 0, 0, 0]
    assert table.loc["school"]["buildings"].sum() == 4
    assert table.loc["school"]["residents_covered"].sum() == 30
    assert result.grids is not None
    shares = result.grids.set_index("code")["share_school"]
    assert np.isnan(shares["g3"]), "where nobody can be assessed there is no share"
    assert result.grids["code"].tolist() == ["g2", "g1", "g3"]


def test_nested_levels_are_counted_each_for_itself(street: Any, places: Any, homes: Any) -> None:
    grids = gpd.GeoDataFrame(
        {"code": ["001", "00101", "00102"], "level": [1, 2, 2]},
        geometry=[shapely.box(0, -50, 2000, 50), shapely.box(0, -50, 500, 50), shapely.box(500, -50, 2000, 50)],
        crs=CRS,
    )
    result = service_circles(street, places, homes, categories=CATEGORIES, grids=grids, isochrones="none")
    school = result.grid_coverage.query("category == 'school'").set_index("code")["residents"]
    assert school.to_dict() == {"001": 35, "00101": 10, "00102": 25}
    assert result.grids is not None
    assert result.grids["level"].tolist() == [1, 2, 2]


def test_odd_facilities_are_counted_in_notes(street: Any, homes: Any) -> None:
    places = points((0, 0), (0, 0), (50, 0), (0, 900), category=["school", "school", "casino", "shop"])
    places.loc[len(places)] = ["shop", None]
    result = service_circles(street, places, homes, categories=CATEGORIES, isochrones="none")
    assert about(result, "shop")["facilities"] == 2
    assert about(result, "shop")["facilities_on_network"] == 0
    assert {
        "1 facilities are of no category in the table and are left out ('casino')",
        "1 facilities are given twice (category, place and name alike) and count once",
        "1 facilities are over 100 m from every street and serve nobody",
        "1 facilities have no place (empty geometry) and serve nobody",
    } <= set(result.report["notes"])


def test_report_is_json_and_progress_runs_from_nought_to_one(street: Any, places: Any, homes: Any) -> None:
    seen: list[float] = []
    result = service_circles(
        street,
        places,
        homes,
        categories=CATEGORIES,
        minutes=(15, 5, 5, 7.5),
        progress=lambda share, _: seen.append(share),
    )
    report = json.loads(json.dumps(result.report))
    assert report["minutes"] == [5, 7.5, 15]
    assert report["network"]["edges"] == 1
    assert report["categories"][0]["category"] == "school"
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert seen == sorted(seen)
    assert not result.isochrones.duplicated(["category", "minutes"]).any()


@pytest.mark.parametrize(
    ("grids", "words"),
    [
        (points((0, 0)), "grids layer has no column code"),
        (points((0, 0), (1, 1), code=["x", "x"]), "code x is given twice"),
        (points(code=[]), "grids layer is empty"),
    ],
)
def test_grids_that_cannot_be_used(grids: Any, words: str, street: Any, places: Any, homes: Any) -> None:
    with pytest.raises(BadInput, match=words):
        service_circles(street, places, homes, categories=CATEGORIES, grids=grids)
