"""Scores, their Gini and the levels of choice: against the definitions, spelled out pair by pair."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planning.circles import service_circles
from planning.circles.scores import gini

CRS = "EPSG:4548"


def gini_by_pairs(values: Any, weights: Any) -> float:
    """The definition: the mean difference of two people drawn at random, over twice the mean."""
    x, w = np.asarray(values, float), np.asarray(weights, float)
    apart = sum(w[i] * w[j] * abs(x[i] - x[j]) for i in range(len(x)) for j in range(len(x)))
    return float(apart / (2 * w.sum() ** 2 * np.average(x, weights=w)))


@pytest.mark.parametrize("seed", range(5))
def test_gini_is_half_the_mean_difference_over_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.integers(0, 11, 40) / 10, rng.integers(0, 30, 40).astype(float)
    assert gini(x, w) == pytest.approx(gini_by_pairs(x, w), abs=1e-12)


def test_gini_at_its_ends() -> None:
    assert gini(np.array([0.5, 0.5]), np.array([3.0, 9.0])) == 0
    assert gini(np.array([0.0, 0.0]), np.ones(2)) == 0, "nobody has anything: all have the same"
    assert gini(np.array([0.0] * 99 + [1.0]), np.ones(100)) == pytest.approx(0.99)
    assert gini(np.array([0.3]), np.zeros(1)) is None
    people = np.repeat([0.1, 0.4, 0.9], [2, 5, 1])
    assert gini(np.array([0.1, 0.4, 0.9]), np.array([2.0, 5, 1])) == pytest.approx(gini(people, np.ones(8)))


@pytest.fixture(scope="module")
def layers() -> dict[str, Any]:
    """A street of 3 km with homes every 90 m and shops, schools and one clinic in a heap at its west end."""
    street = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (3000, 0)])], crs=CRS)
    homes = gpd.GeoDataFrame(
        {
            "population": np.arange(30) % 5 * 10,
            "elderly": np.arange(30) % 5 * 2,
            "community": ["370000001001"] * 10 + ["370000001002"] * 10 + [None] * 10,
        },
        geometry=shapely.points(np.arange(30) * 90.0, 0),
        crs=CRS,
    )
    kinds = ["shop"] * 13 + ["school"] * 2 + ["clinic"]
    at = [*np.arange(13) * 50.0, 100.0, 700.0, 400.0]
    places = gpd.GeoDataFrame(
        {"category": kinds, "facility_id": [f"F{n}" for n in range(16)]}, geometry=shapely.points(at, 0), crs=CRS
    )
    table = pd.DataFrame(
        {
            "category": ["shop", "school", "clinic", "pool"], "tier": [5, 10, 15, 15], "minutes": [5, 10, 15, 15],
            "metres": [300, 500, 1000, 1000], "name_zh": list("甲乙丙丁"), "name_en": list("abcd"),
        }
    )  # fmt: skip
    return {"streets": street, "facilities": places, "residences": homes, "categories": table}


def run(layers: dict[str, Any], **more: Any) -> Any:
    given = layers | {"isochrones": "none"} | more
    return service_circles(given.pop("streets"), given.pop("facilities"), given.pop("residences"), **given)


def walks(layers: dict[str, Any]) -> dict[str, Any]:
    """Metres from every home to every facility, by category; the street is straight."""
    homes, places = layers["residences"].geometry.x.to_numpy(), layers["facilities"].geometry.x.to_numpy()
    apart = np.abs(homes[:, None] - places[None, :])
    kind = layers["facilities"]["category"].to_numpy()
    return {name: apart[:, kind == name] for name in layers["categories"]["category"]}


def test_score_counts_categories_within_fifteen_minutes_and_within_their_own(layers: Any) -> None:
    result, apart = run(layers), walks(layers)
    minutes = dict(zip(layers["categories"]["category"], layers["categories"]["minutes"], strict=True))
    quarter = np.mean([(m <= 990).any(axis=1) for m in apart.values()], axis=0)
    own = np.mean([(m <= 66 * minutes[name]).any(axis=1) for name, m in apart.items()], axis=0)
    assert result.residences["score"].to_numpy() == pytest.approx(quarter)
    assert result.residences["score_own"].to_numpy() == pytest.approx(own)
    people = layers["residences"]["population"].to_numpy(float)
    score = result.report["score"]
    assert score["mean"] == pytest.approx(np.average(quarter, weights=people))
    assert score["gini"] == pytest.approx(gini_by_pairs(quarter, people))
    bins = [sum(p for s, p in zip(quarter, people, strict=True) if int(s * 10 + 1e-9) == at) for at in range(11)]
    assert score["histogram"] == bins
    means = result.community_scores.set_index("code")["score"]
    assert means["370000001001"] == pytest.approx(np.average(quarter[:10], weights=people[:10]))
    assert len(means) == 2


def test_opportunities_count_facilities_within_the_minutes(layers: Any) -> None:
    result, apart = run(layers), walks(layers)
    people = layers["residences"]["population"].to_numpy()
    for about in result.coverage.to_dict("records"):
        found = (apart[about["category"]] <= 66 * about["minutes"]).sum(axis=1)
        assert result.residences[f"opportunity_{about['category']}"].tolist() == found.tolist()
        levels = {"0": (0, 0), "1": (1, 1), "2-4": (2, 4), "5-10": (5, 10), "11+": (11, 99)}
        told = {name: people[(found >= low) & (found <= high)].sum() for name, (low, high) in levels.items()}
        assert about["opportunity"] == told
    assert result.coverage.set_index("category").loc["shop", "opportunity"]["11+"] > 0


def test_the_nearest_three_are_named_in_order(layers: Any) -> None:
    result, apart = run(layers, nearest=3), walks(layers)
    rows = np.flatnonzero(layers["facilities"]["category"] == "shop")
    for home, metres in enumerate(apart["shop"]):
        order = [at for at in np.lexsort((rows, metres))[:3] if metres[at] <= 7920]
        row = result.residences.iloc[home]
        told = [None if pd.isna(row[f"facility_shop_{k}"]) else row[f"facility_shop_{k}"] for k in (1, 2, 3)]
        assert told == [f"F{rows[at]}" for at in order] + [None] * (3 - len(order))
        seconds = [row[f"seconds_shop_{k}"] for k in (1, 2, 3)][: len(order)]
        assert seconds == pytest.approx([metres[at] / 1.1 for at in order], abs=0.02)
    assert result.residences["seconds_shop_1"].equals(result.residences["seconds_shop"].rename("seconds_shop_1"))
    assert result.residences["facility_pool_1"].isna().all()


def test_tiers_ask_for_every_category_of_theirs(layers: Any) -> None:
    result, apart = run(layers), walks(layers)
    people = layers["residences"]["population"].to_numpy()
    tiers = result.tiers[result.tiers["place"] == "district"].set_index("tier")
    clinic = (apart["clinic"] <= 990).any(axis=1)
    assert tiers.loc[15, "residents_covered"] == 0, "there is no pool"
    assert tiers.loc[15, "share"] == pytest.approx(np.average(clinic / 2, weights=people))
    school = (apart["school"] <= 660).any(axis=1)
    assert tiers.loc[10, "residents_covered"] == people[school].sum()
    assert tiers.loc[10, "elderly_covered"] == people[school].sum() / 5
    assert tiers.loc[10, "residents_straight"] == people[(apart["school"] <= 500).any(axis=1)].sum()
    assert tiers["code"].tolist() == ["370000"] * 3


def test_communities_are_those_of_the_column_or_of_the_areas(layers: Any) -> None:
    by_column = run(layers).community_coverage.query("category == 'school'").set_index("code")
    assert by_column["residents"].to_dict() == {"370000001001": 200, "370000001002": 200}
    areas = gpd.GeoDataFrame(
        {
            "code": ["370000", "370000001009", "370000001010"], "name": ["区", "东社区", "西社区"],
            "level": ["district", "community", "community"],
        },
        geometry=[shapely.box(-9, -9, 4000, 9), shapely.box(1345, -9, 4000, 9), shapely.box(-9, -9, 1345, 9)],
        crs=CRS,
    )  # fmt: skip
    result = run(layers, areas=areas.to_crs(4490))
    table = result.community_coverage.query("category == 'school'").set_index("code")
    assert table["buildings"].to_dict() == {"370000001009": 15, "370000001010": 15}
    assert result.community_scores["name"].tolist() == ["东社区", "西社区"]
    assert result.communities is not None
    shares = result.communities.set_index("code")["share_school"]
    assert shares["370000001010"] == table.loc["370000001010", "residents_covered"] / 300


def test_without_residents_buildings_are_counted(layers: Any) -> None:
    result = run(layers, residences=layers["residences"].drop(columns=["population", "elderly"]))
    assert result.report["score"]["weighted_by"] == "buildings"
    assert sum(result.report["score"]["histogram"]) == 30
    assert len(result.blind_spots)
    assert (result.blind_spots["residents"] == 0).all()
    said = " ".join(result.report["notes"])
    assert "no column population" in said
    assert "count every building as one" in said


def test_duplicates_count_once(layers: Any) -> None:
    doubled = gpd.GeoDataFrame(pd.concat([layers["facilities"]] * 2, ignore_index=True), crs=CRS)
    once, twice = run(layers), run(layers, facilities=doubled)
    pd.testing.assert_frame_equal(once.coverage, twice.coverage)
    assert "16 facilities are given twice (category, place and name alike) and count once" in twice.report["notes"]
    named = doubled.assign(name=[f"n{n}" for n in range(32)])
    assert run(layers, facilities=named).coverage["facilities"].sum() == 32, "two shops in one house are two"


def test_cut_off_homes_cannot_be_assessed(layers: Any) -> None:
    island = gpd.GeoDataFrame(geometry=[shapely.LineString([(5000, 0), (5020, 0)])], crs=CRS)
    homes = layers["residences"].copy()
    homes.loc[29, "geometry"] = shapely.Point(5010, 3)
    homes.loc[28, "geometry"] = shapely.Point(5010, 900)
    streets = gpd.GeoDataFrame(pd.concat([layers["streets"], island], ignore_index=True), crs=CRS)
    result = run(layers, streets=streets, residences=homes)
    assert result.residences["unassessed"].fillna("").tolist()[-3:] == ["", "far", "cut off"]
    assert (result.report["residences_far"], result.report["residences_cut_off"]) == (1, 1)
    assert (result.residences["opportunity_shop"].iloc[-2:] == -1).all()
    assert (result.coverage["buildings_assessed"] == 28).all()
