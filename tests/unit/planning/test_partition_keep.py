"""Planning against old grids: who must change grid, codes that go on, locks; and limits of further weights."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band, WeightLimit
from planning.graph import unit_graph
from planning.partition import PlanResult, old_grids_of, partition
from planning.partition.cells import components
from planning.partition.toy import toy_units

BAND = Band(300, 500)


def lattice(columns: int, rows: int, households: list[int] | int, old: list[str | None]) -> gpd.GeoDataFrame:
    units = toy_units(columns, rows)
    units["households"] = households
    units["old"] = old
    return units


def halves(columns: int, rows: int) -> list[str | None]:
    """Two old grids: the left and the right half."""
    return ["left" if i % columns < columns / 2 else "right" for i in range(columns * rows)]


def check_rules(units: gpd.GeoDataFrame, plan: PlanResult) -> None:
    graph = unit_graph(units)
    same = plan.assignment[graph.sources] == plan.assignment[graph.indices]
    parts = components(graph, same)
    assert len(np.unique(parts)) == len(plan.grids) == len(np.unique(plan.assignment))
    assert plan.grids["code"].is_unique


def divisions(units: gpd.GeoDataFrame, k: int) -> Iterator[np.ndarray]:
    """Every division of a few units into k connected grids within the band (labels as they first occur)."""
    graph = unit_graph(units)
    load = units["households"].to_numpy()
    n = len(units)

    def grow(label: list[int]) -> Iterator[np.ndarray]:
        if len(label) == n:
            whole = np.array(label)
            sums = np.bincount(whole, load, minlength=k)
            if len(sums) != k or (sums < BAND.low).any() or (sums > BAND.high).any():
                return
            same = whole[graph.sources] == whole[graph.indices]
            if len(np.unique(components(graph, same))) == k:
                yield whole
            return
        for grid in range(min(max(label, default=-1) + 2, k)):
            yield from grow([*label, grid])

    return grow([])


def least_moved(units: gpd.GeoDataFrame, k: int) -> float:
    """Fewest households that change grid over all divisions, every old grid going on as the best of them."""
    from scipy.optimize import linear_sum_assignment

    names, old = np.unique(units["old"].to_numpy(str), return_inverse=True)
    load = units["households"].to_numpy(float)
    best = np.inf
    for label in divisions(units, k):
        common = np.zeros((len(names), k))
        np.add.at(common, (old, label), load)
        rows, columns = linear_sum_assignment(common, maximize=True)
        best = min(best, load.sum() - common[rows, columns].sum())
    return float(best)


def test_old_grids_that_can_stay_stay() -> None:
    units = lattice(8, 4, 50, ["37990000100100" + str(1 + (i % 8) // 2) for i in range(32)])
    plan = partition(units, band=Band(300, 500), keep=units["old"])
    assert plan.feasible
    assert plan.changes is not None
    assert plan.changes.moved_households == 0
    assert sorted(plan.grids["code"]) == sorted(set(units["old"]))
    assert (plan.grids["code"].to_numpy()[plan.assignment] == units["old"].to_numpy()).all()
    assert plan.stats["old_boundary_kept"] == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_fewest_households_change_grid(seed: int) -> None:
    """Against every division of ten units there is."""
    rng = np.random.default_rng(seed)
    units = lattice(5, 2, rng.integers(90, 160, 10).tolist(), halves(5, 2))
    k = round(units["households"].sum() / 400)
    least = least_moved(units, k)
    assert np.isfinite(least)
    plan = partition(units, band=BAND, grids=k, keep=units["old"], seed=seed)
    assert plan.feasible
    assert plan.stats["households_moved"] == least
    assert plan.stats["households_moved_least"] <= least
    check_rules(units, plan)


def test_codes_go_on_and_retired_ones_never_come_back() -> None:
    community = "379900001001"
    units = lattice(10, 6, 20, [f"{community}{1 + i % 10:03d}" for i in range(60)])
    units["community"] = community
    plan = partition(units, band=BAND, keep=units["old"])
    assert plan.changes is not None
    old, new = set(units["old"]), set(plan.grids["code"])
    assert new <= old, "ten grids of 120 become three or four: each is one of the old"
    assert set(plan.changes.ends) == old - new
    more = partition(units.assign(households=60), band=BAND, keep=units["old"].replace({f"{community}010": None}))
    born = set(more.grids["code"]) - old
    assert more.changes is not None
    assert not born & old
    assert len(more.grids) == 9
    names = dict(zip(more.grids["code"], more.grids["name"], strict=True))
    assert names[f"{community}001"] == "第001网格"


def test_a_code_of_another_community_does_not_go_on() -> None:
    units = lattice(8, 2, 50, ["379900001002001"] * 8 + ["379900001001001"] * 8)
    units["community"] = ["379900001001"] * 8 + ["379900001002"] * 8
    plan = partition(units, band=Band(300, 500), keep=units["old"])
    assert not set(plan.grids["code"]) & set(units["old"])
    foreign = partition(units.assign(community="379900001003"), band=Band(300, 500), keep=["甲", "乙"] * 8)
    assert set(foreign.grids["code"]) == {"甲", "乙"}
    assert set(foreign.grids["name"]) == {"甲", "乙"}


def test_moves_are_the_ground_that_changes_grid() -> None:
    units = lattice(8, 4, 50, halves(8, 4))
    units["population"] = 150
    plan = partition(units, band=Band(300, 500), keep=units["old"])
    assert plan.changes is not None
    assert plan.moves is not None
    moved = plan.changes.moved & (units["households"].to_numpy() > 0)
    assert plan.moves["households"].sum() == plan.changes.moved_households == units["households"][moved].sum()
    assert plan.moves["population"].sum() == units["population"][moved].sum()
    assert shapely.union_all(plan.moves.geometry).equals(shapely.union_all(plan.geometry[moved]))


def test_locked_grids_stay_exactly_as_they_are() -> None:
    rng = np.random.default_rng(5)
    units = lattice(12, 6, rng.integers(10, 60, 72).tolist(), [f"g{(i % 12) // 3}" for i in range(72)])
    plan = partition(units, band=Band(200, 350), keep=units["old"], locked=["g1"], preset="compact")
    codes = plan.grids["code"].to_numpy()[plan.assignment]
    assert ((codes == "g1") == (units["old"] == "g1")).all()
    check_rules(units, plan)


def test_locks_that_block_are_named() -> None:
    units = lattice(6, 1, 150, ["a", "a", "b", "b", "b", "c"])
    plan = partition(units, band=BAND, keep=units["old"], locked=["b"])
    assert not plan.feasible
    (reason,) = [reason for reason in plan.reasons if reason.code == "locks_block"]
    assert "b" in reason.text.partition("beside it")[2]
    assert reason.units == ("5",)
    heavy = partition(lattice(4, 1, 300, ["a", "b", "b", "c"]), band=BAND, keep=["a", "b", "b", "c"], locked=["b"])
    assert [reason.code for reason in heavy.reasons] == ["locked_outside"]
    assert "600 households" in heavy.reasons[0].text


def test_what_is_wrong_with_old_grids_is_said() -> None:
    units = lattice(4, 2, 100, ["a"] * 8)
    with pytest.raises(BadInput, match="grid z is to be locked"):
        partition(units, keep=units["old"], locked=["z"])
    with pytest.raises(BadInput, match="no old grids are given"):
        partition(units, locked=["a"])
    with pytest.raises(BadInput, match="3 old grid codes were given for 8 units"):
        partition(units, keep=["a", "b", "c"])
    outlines = gpd.GeoDataFrame({"code": ["a", "a"]}, geometry=units.geometry[:2].tolist(), crs=units.crs)
    with pytest.raises(BadInput, match="a is there twice"):
        old_grids_of(units, outlines)


def test_units_lie_in_the_old_grid_with_their_largest_part() -> None:
    units = toy_units(4, 1)
    left, low, _, high = units.total_bounds
    shapes = [shapely.box(left, low, left + 120, high), shapely.box(left + 120, low, left + 160, high)]
    old = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=shapes, crs=units.crs)
    assert old_grids_of(units, old.to_crs("EPSG:4490")).tolist() == ["a", "a", "b", "b"]
    assert old_grids_of(units, old[:1]).tolist() == ["a", "a", "a", None]


# --- further weights --------------------------------------------------------------------


def test_every_weight_is_kept_in_its_limits() -> None:
    rng = np.random.default_rng(2)
    units = toy_units(14, 14)
    units["households"] = rng.integers(10, 60, 196)
    units["population"] = units["households"] * rng.integers(1, 5, 196)
    units["elderly"] = rng.integers(0, 30, 196)
    free = partition(units, band=BAND)
    limits = [WeightLimit("population", 0, 1150), WeightLimit("elderly", 120, 220)]
    tied = partition(units, band=BAND, limits=limits)

    def outside(plan: PlanResult) -> int:
        people = np.bincount(plan.assignment, units["population"])
        old = np.bincount(plan.assignment, units["elderly"])
        return int(((people > 1150) | (old < 120) | (old > 220)).sum())

    assert outside(free) > 0
    assert outside(tied) == 0
    assert tied.feasible
    assert tied.stats["in_band"] == 1.0
    check_rules(units, tied)


def test_weights_that_exclude_each_other_are_explained() -> None:
    units = toy_units(6, 2, households=100)
    units["population"] = 700
    plan = partition(units, band=BAND, limits=[WeightLimit("population", 0, 1500)])
    assert not plan.feasible
    (reason,) = plan.reasons
    assert reason.code == "weights_fit_no_count"
    assert "1200 households (300:500) 3 to 4 grids" in reason.text
    assert "8400 population (population=:1500) at least 6" in reason.text
    units.loc[3, "population"] = 1600
    codes = [reason.code for reason in partition(units, band=BAND, limits=[WeightLimit("population", 0, 1500)]).reasons]
    assert "unit_above_limit" in codes


@pytest.mark.parametrize(
    ("text", "low", "high", "middle"),
    [("population=:1500", 0, 1500, 1500), ("elderly=20:", 20, np.inf, 20), ("a=300:500", 300, 500, 400)],
)
def test_limits_read(text: str, low: float, high: float, middle: float) -> None:
    limit = WeightLimit.parse(text)
    assert (limit.low, limit.high, limit.middle) == (low, high, middle)
    assert str(limit) == text


@pytest.mark.parametrize("text", ["population", "population=1500", "population=:", "=1:2", "a=5:3", "a=-1:3", "a=0:0"])
def test_wrong_limits_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        WeightLimit.parse(text)


def test_a_weight_without_column_is_refused() -> None:
    with pytest.raises(BadInput, match="no shops column"):
        partition(toy_units(), limits=[WeightLimit("shops", 1, 5)])
