"""New sites from layers: a street grid, a clinic in one corner, homes all over."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import BadInput
from planning.siting import site_facilities

CRS = "EPSG:4548"
X, Y = 500_000.0, 4_000_000.0
CATEGORIES = pd.DataFrame(
    {
        "category": ["clinic", "market"], "tier": [15, 10], "minutes": [5, 5], "metres": [300, 300],
        "name_zh": ["门诊部", "菜市场"], "name_en": ["Outpatient clinic", "Market"],
    }
)  # fmt: skip


def points(xy: Any, **columns: Any) -> gpd.GeoDataFrame:
    xy = np.asarray(xy, float).reshape(-1, 2) + np.array([X, Y])
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=CRS)


def streets() -> gpd.GeoDataFrame:
    """A grid of 6 × 6 streets 100 m apart."""
    lines = []
    for k in range(6):
        lines.append([(X + 100 * m, Y + 100 * k) for m in range(6)])
        lines.append([(X + 100 * k, Y + 100 * m) for m in range(6)])
    return gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=shapely.linestrings(lines), crs=CRS)


def homes() -> gpd.GeoDataFrame:
    xy = [(100 * a + 50, 100 * b + 10) for a in range(5) for b in range(5)]
    people = [(a + 1) * (b + 1) for a in range(5) for b in range(5)]
    return points(
        [*xy, (5_000, 5_000)], population=[*people, 7], elderly=[1] * 26, households=[2] * 26,
        community=["west"] * 13 + ["east"] * 13, building_id=[f"B{i}" for i in range(26)],
    )  # fmt: skip


def ask(**changes: Any) -> Any:
    options: dict[str, Any] = {
        "categories": CATEGORIES, "wanted": ["clinic"], "count": 2, "minutes": 3.0, "candidates": 100.0
    }  # fmt: skip
    layers = [
        changes.pop("streets", streets()),
        changes.pop("facilities", clinic()),
        changes.pop("residences", homes()),
    ]
    return site_facilities(*layers, **{**options, **changes})


def clinic() -> gpd.GeoDataFrame:
    return points([(0, 0), (0, 0)], category=["clinic", "clinic"])  # given twice


def metres_by_hand(xy: Any, home: Any) -> Any:
    """Way from homes at (100 a + 50, 100 b + 10) on a street grid to junctions: their leg of 10 m, then the grid."""
    away = np.abs(xy[:, None] - np.column_stack([home[:, 0], home[:, 1] - 10])[None]).sum(axis=2)
    return away + 10


def test_two_sites_are_the_best_pair_of_all_corners() -> None:
    result = ask()
    corners = np.array([(100.0 * a, 100.0 * b) for a in range(6) for b in range(6) if {a, b} - {0, 5}])
    layer = homes()
    home = np.column_stack([layer.geometry.x - X, layer.geometry.y - Y])[:25]
    people = layer["population"].to_numpy()[:25]
    limit = 3 * 60 * 1.1
    near = metres_by_hand(corners, home) <= limit
    had = (metres_by_hand(np.zeros((1, 2)), home) <= limit)[0]
    best = max(people[(near[a] | near[b]) & ~had].sum() for a in range(len(corners)) for b in range(a))
    row = result.report["categories"][0]
    assert row["value"] == best
    assert row["gap"] == 0
    assert row["residents_before"] == people[had].sum()
    assert row["residents_after"] - row["residents_before"] == best
    assert result.sites["newly_covered_residents"].sum() == best
    assert result.sites["rank"].tolist() == [1, 2]
    assert result.sites["newly_covered_residents"].is_monotonic_decreasing
    assert result.sites["name_zh"].tolist() == ["门诊部"] * 2
    assert result.proven


def test_areas_add_up_and_times_only_fall() -> None:
    result = ask()
    areas = result.coverage.set_index("level")
    for name in ("residents_before", "residents_after", "residents_assessed", "elderly_after", "buildings_after"):
        assert areas.loc["community", name].sum() == areas.loc["district", name]
    frame = result.residences
    assert not frame["assessable"].iloc[25]
    assert not frame["covered_after_clinic"].iloc[25]
    known = frame["assessable"]
    assert (frame["seconds_after_clinic"][known] <= frame["seconds_before_clinic"][known]).all()
    assert (frame["covered_after_clinic"][known] == (frame["seconds_after_clinic"][known] <= 180)).all()
    assert "1 residences are over 100 m from every street and cannot be assessed" in result.report["notes"]


def test_full_cover_reaches_all_and_names_who_cannot_be() -> None:
    full = ask(method="least", count=None)
    row = full.report["categories"][0]
    assert row["residents_after"] == row["residents_assessed"] == 225
    assert not len(full.unreachable)
    short = ask(method="least", count=None, candidates=points([(200, 200)], candidate_id=["a"]))
    assert short.sites["candidate"].tolist() == ["a"]
    assert len(short.unreachable) > 0
    assert any("full cover is impossible" in note for note in short.report["notes"])
    reached = short.residences["covered_after_clinic"] | ~short.residences["assessable"]
    assert sorted(short.unreachable["building_id"]) == sorted(short.residences["building_id"][~reached])


def test_the_median_shortens_the_mean_and_no_pair_does_better() -> None:
    two = points([(100 * a, 100 * b) for a in range(0, 6, 2) for b in range(0, 6, 2)])
    result = ask(method="median", candidates=two, facilities=clinic().iloc[:0])
    xy = np.column_stack([two.geometry.x - X, two.geometry.y - Y])
    layer = homes().iloc[:25]
    way = metres_by_hand(xy, np.column_stack([layer.geometry.x - X, layer.geometry.y - Y]))
    people = layer["population"].to_numpy()
    best = min(people @ np.minimum(way[a], way[b]) for a in range(9) for b in range(a)) / people.sum() / 1.1 / 60
    row = result.report["categories"][0]
    assert row["mean_minutes_after"] == pytest.approx(best, abs=1e-3)
    assert row["mean_minutes_before"] == pytest.approx(60)
    assert any("nobody reaches a facility of today" in note for note in result.report["notes"])


def test_a_budget_is_shared_and_spots_kept_apart() -> None:
    costs = pd.DataFrame(
        {"category": ["clinic", "market", "market"], "cost": ["3", "2", "1"], "candidate": ["", "", "corner-9"]}
    )
    result = ask(wanted=["clinic", "market"], count=None, budget=5.0, costs=costs, one_per_site=True)
    assert result.sites["cost"].sum() <= 5
    assert not result.sites["candidate"].duplicated().any()
    assert result.report["categories"][0]["solved_together"]
    heavy = ask(
        wanted=["clinic", "market"], count=None, budget=3.0, costs=costs, importance={"clinic": 100.0, "market": 1.0}
    )
    assert heavy.sites["category"].tolist() == ["clinic"]


def test_vacant_units_and_the_curve() -> None:
    squares = [shapely.box(X + 100 * k, Y, X + 100 * k + 80, Y + 80) for k in range(5)]
    units = gpd.GeoDataFrame(
        {"unit_id": list("abcde"), "households": [0, 4, 0, 9, 0]}, geometry=squares, crs=CRS
    )  # fmt: skip
    result = ask(units=units, count=1, curve=True)
    assert set(result.sites["candidate"]) <= {"a", "c", "e"}
    curve = result.report["categories"][0]["curve"]
    assert [step["sites"] for step in curve] == [0, 1, 2]
    assert curve[1]["newly_covered"] == result.report["categories"][0]["value"]
    assert curve[2]["newly_covered"] >= curve[1]["newly_covered"] + result.report["categories"][0]["next_gain"] - 1e-9


def test_candidates_off_the_network_are_told() -> None:
    spots = points([(200, 200), (9_000, 9_000)], candidate_id=["in", "out"])
    result = ask(candidates=spots)
    assert result.sites["candidate"].tolist() == ["in"]
    assert "1 candidates are off the network and were left out" in result.report["notes"]


def test_nobody_lives_there() -> None:
    layer = homes().assign(population=0)
    result = ask(residences=layer)
    assert not len(result.sites)
    assert result.sites.crs == layer.crs
    assert any("there is nobody to site for" in note for note in result.report["notes"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wanted": ["school"]}, "unknown category 'school'"),
        ({"wanted": ["clinic", "clinic"]}, "given twice"),
        ({"wanted": []}, "no category is given"),
        ({"count": None}, "nothing limits the new sites"),
        ({"count": -1}, "count -1 is negative"),
        ({"method": "best"}, "unknown method"),
        ({"method": "median", "count": None}, "needs a count"),
        ({"method": "least"}, "leave count and budget out"),
        ({"minutes": 0.0}, "0 minutes is not above 0"),
        ({"minutes": 600.0}, "600 minutes"),
        ({"metres_per_second": -1.0}, "speed -1.0"),
        ({"weight": "dogs"}, "unknown weight"),
        ({"residences": homes().drop(columns="population")}, "no column population"),
        ({"residences": homes().iloc[:0]}, "residences layer is empty"),
        ({"residences": homes().iloc[25:]}, "none of the 1 residences"),
        ({"candidates": points([(9_000, 0)])}, "no candidate lies near a street"),
        ({"candidates": points([])}, "candidates layer is empty"),
        ({"candidates": 0.0}, "spacing 0.0 m is not above 0"),
        ({"streets": streets().iloc[:1]}, "no junction of three or more"),
        ({"time_limit": 0.0}, "time limit 0.0 s"),
        ({"costs": pd.DataFrame({"category": ["market"], "cost": ["1"]})}, "category clinic has no cost"),
        ({"costs": pd.DataFrame({"category": ["clinic"], "cost": ["x"]})}, "cost=x is not 0 or more"),
        ({"residences": homes().assign(population="many")}, "population=many is not a count"),
    ],
)
def test_bad_input_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        ask(**changes)
    assert "\n" not in str(error.value)
