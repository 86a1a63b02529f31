"""Random towns: coverage adds up, never exceeds what it is part of, and agrees with each home's own time."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.circles import service_circles
from planning.circles.coverage import FIGURES
from planning.circles.scores import gini

CRS = "EPSG:4548"
TABLE = pd.DataFrame(
    {
        "category": ["a", "b", "c"], "tier": [5, 5, 15], "minutes": [5, 5, 15], "metres": [300, 300, 1000],
        "name_zh": ["甲", "乙", "丙"], "name_en": ["A", "B", "C"],
    }
)  # fmt: skip
place = st.tuples(st.integers(-3, 24), st.integers(-3, 24)).map(lambda xy: (xy[0] * 60.0, xy[1] * 60.0))
corner = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda xy: (xy[0] * 200.0, xy[1] * 200.0))
streets = st.lists(st.tuples(corner, corner).filter(lambda ends: ends[0] != ends[1]), min_size=2, max_size=8)
homes = st.lists(st.tuples(place, st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=25)
facilities = st.lists(st.tuples(place, st.sampled_from("abd")), min_size=1, max_size=8)


@given(streets, homes, facilities)
@settings(max_examples=15, deadline=None)
def test_figures_follow_from_each_home(lines: Any, lived: Any, offered: Any) -> None:
    # one home and one facility stand on the first street, so that there is something to assess
    (x, y), _ = lines[0]
    lived, offered = [((x, y), 3, 1), *lived], [((x, y), "a"), *offered]
    residences = gpd.GeoDataFrame(
        {"population": [home[1] for home in lived], "elderly": [home[2] for home in lived]},
        geometry=shapely.points([home[0] for home in lived]), crs=CRS,
    )  # fmt: skip
    places = gpd.GeoDataFrame(
        {"category": [one[1] for one in offered]}, geometry=shapely.points([one[0] for one in offered]), crs=CRS
    )
    ways = gpd.GeoDataFrame(geometry=shapely.linestrings(np.array(lines)), crs=CRS)
    half = shapely.box(-1000, -1000, 600.5, 9000), shapely.box(600.5, -1000, 9000, 9000)
    grids = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=list(half), crs=CRS)
    result = service_circles(
        ways, places, residences, grids=grids, categories=TABLE, nodes="crossings", isochrones=False
    )

    told, people = result.residences, residences["population"].to_numpy()
    for about in result.coverage.to_dict("records"):
        covered = np.rint(told[f"seconds_{about['category']}"].to_numpy() * 110) <= about["minutes"] * 6600
        assert about["buildings_covered"] == covered.sum()
        assert about["residents_covered"] == people[covered].sum()
        assert (told[f"opportunity_{about['category']}"].to_numpy() > 0).tolist() == covered.tolist()
        for who in ("buildings", "residents", "elderly"):
            assert about[f"{who}_covered"] <= about[f"{who}_assessed"] <= about[f"{who}_total"]
            assert about[f"{who}_within_metres"] <= about[f"straight_line_{who}_covered"] <= about[f"{who}_assessed"]
        spots = result.blind_spots[result.blind_spots["category"] == about["category"]]
        assert spots["residents"].sum() == about["residents_assessed"] - about["residents_covered"]
        assert spots["rank"].tolist() == list(range(1, len(spots) + 1))
        assert spots["residents"].is_monotonic_decreasing
    sums = result.grid_coverage.groupby("category")[list(FIGURES)].sum()
    whole = result.district_coverage.set_index("category")[list(FIGURES)]
    pd.testing.assert_frame_equal(sums, whole.loc[sums.index], check_names=False)
    assert result.blind_spots.geometry.is_valid.all()


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 40)), min_size=1, max_size=12), st.integers(2, 9))
def test_gini_knows_neither_units_nor_how_people_are_grouped(held: list[tuple[int, int]], by: int) -> None:
    x, w = np.array([v for v, _ in held]) / 10, np.array([n for _, n in held], float)
    plain = gini(x, w)
    assert plain is not None
    assert 0 <= plain < 1
    others = (gini(x * by, w), gini(x, w * by), gini(np.repeat(x, w.astype(int)), np.ones(int(w.sum()))))
    assert np.allclose(others, plain, atol=1e-12)
