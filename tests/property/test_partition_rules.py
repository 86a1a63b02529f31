"""Toy maps of squares, with holes, islands and corner touches: hard rules always hold, and the band is met or the
reason is stated. Feasibility is judged by brute force: an exact cover of the map by connected sets in band.
"""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gisgrid.models import Band, WeightLimit
from planning.graph import unit_graph
from planning.partition import PlanResult, partition
from planning.partition.cells import components

TOY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def toy_maps(draw: st.DrawFn, width: int = 4, height: int = 4, most: int = 16) -> gpd.GeoDataFrame:
    """Squares of 50 m on a lattice with any of them missing; households, compounds, kinds and communities drawn."""
    places = draw(st.lists(st.integers(0, width * height - 1), min_size=1, max_size=most, unique=True))
    n = len(places)
    households = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    compounds = draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=n, max_size=n))
    x = 500_000.0 + 50.0 * (np.array(places) % width)
    y = 4_400_000.0 + 50.0 * (np.array(places) // width)
    return gpd.GeoDataFrame(
        {"unit_id": [str(place) for place in places], "households": households, "compound_id": compounds},
        geometry=shapely.box(x, y, x + 50.0, y + 50.0),
        crs="EPSG:4547",
    )


bands = st.tuples(st.integers(1, 20), st.integers(0, 10)).map(lambda pair: Band(pair[0], sum(pair)))


def assert_rules(units: gpd.GeoDataFrame, plan: PlanResult, band: Band) -> None:
    graph = unit_graph(units)
    k = len(plan.grids)
    assert np.unique(plan.assignment).tolist() == list(range(k))
    same = plan.assignment[graph.sources] == plan.assignment[graph.indices]
    assert len(np.unique(components(graph, same))) == k
    if "community" in units:
        assert (plan.grids["community"].to_numpy()[plan.assignment] == units["community"].to_numpy()).all()
    assert shapely.coverage_is_valid(plan.grids.geometry.to_numpy())
    loads = np.bincount(plan.assignment, units["households"], minlength=k)
    ordinary = (plan.grids["kind"] == "ordinary").to_numpy()
    met = bool(((loads >= band.low) & (loads <= band.high))[ordinary].all())
    assert plan.feasible == met
    assert met == (not plan.reasons)


def can_be_in_band(units: gpd.GeoDataFrame, band: Band) -> bool:
    """Brute force: can the units be covered exactly by connected sets of households in band?"""
    graph = unit_graph(units)
    n = len(units)
    households = units["households"].to_numpy()
    near = [int(sum(1 << int(other) for other in graph.neighbours(unit))) for unit in range(n)]

    @cache
    def coverable(free: int) -> bool:
        if free == 0:
            return True
        first = (free & -free).bit_length() - 1
        seen: set[int] = set()
        todo = [1 << first]
        while todo:
            part = todo.pop()
            members = [unit for unit in range(n) if part >> unit & 1]
            load = int(households[members].sum())
            if load > band.high:
                continue
            if load >= band.low and coverable(free & ~part):
                return True
            edge = 0
            for unit in members:
                edge |= near[unit]
            edge &= free & ~part
            for unit in range(n):
                if edge >> unit & 1 and part | 1 << unit not in seen:
                    seen.add(part | 1 << unit)
                    todo.append(part | 1 << unit)
        return False

    return coverable((1 << n) - 1)


@TOY
@given(toy_maps(most=11), bands)
def test_band_is_met_exactly_when_brute_force_can(units: gpd.GeoDataFrame, band: Band) -> None:
    if not units["households"].any():
        return
    plan = partition(units, band=band)
    assert_rules(units, plan, band)
    assert plan.feasible == can_be_in_band(units, band), plan.reasons


@TOY
@given(toy_maps(6, 6, 30), bands, st.integers(0, 5), st.randoms(use_true_random=False))
def test_rules_hold_on_any_map_with_kinds_and_communities(
    units: gpd.GeoDataFrame, band: Band, seed: int, random: object
) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    units["community"] = [choose(["370811001001", "370811001002"]) for _ in range(len(units))]
    units["kind"] = [choose(["residential", "park", "school"]) for _ in range(len(units))]
    units.loc[units["kind"] == "park", "households"] = 0
    if not units["households"].any():
        return
    plan = partition(units, band=band, seed=seed, special_min_area=3000.0, effort=0.2)
    assert_rules(units, plan, band)
    special = (plan.grids["kind"] != "ordinary").to_numpy()[plan.assignment]
    assert (units["households"].to_numpy()[special] == 0).all()
    again = partition(units, band=band, seed=seed, special_min_area=3000.0, effort=0.2)
    assert again.assignment.tolist() == plan.assignment.tolist()


@TOY
@given(toy_maps(5, 5, 20), bands, st.integers(1, 22))
def test_forced_count_is_met_or_said(units: gpd.GeoDataFrame, band: Band, count: int) -> None:
    if not units["households"].any():
        return
    plan = partition(units, band=band, grids=count, effort=0.2)
    said = [reason for reason in plan.reasons if "were asked for and" in reason.text]
    assert (len(plan.grids) == count) == (not said)
    pieces = len(np.unique(components(unit_graph(units), np.ones(len(unit_graph(units).indices), dtype=bool))))
    assert (len(plan.grids) == count) == (pieces <= count <= len(units))
    if not said:
        assert_rules(units, plan, band)


@TOY
@given(toy_maps(5, 5, 20), bands, st.integers(0, 3), st.randoms(use_true_random=False))
def test_rules_hold_against_old_grids_locks_and_further_weights(
    units: gpd.GeoDataFrame, band: Band, seed: int, random: object
) -> None:
    choose = random.choice  # type: ignore[attr-defined]
    if not units["households"].any():
        return
    old = np.array([choose([None, "a", "b", "c", "d"]) for _ in range(len(units))], dtype=object)
    locked = sorted({code for code in old.tolist() if code is not None and choose([True, False, False])})
    units["population"] = [choose([0, 1, 5, 9]) for _ in range(len(units))]
    limit = WeightLimit("population", choose([0, 2, 10]), choose([12, 30]))
    plan = partition(units, band=band, limits=[limit], keep=old, locked=locked, seed=seed, effort=0.2)
    codes = plan.grids["code"].to_numpy()[plan.assignment]
    for code in locked:
        assert ((codes == code) == (old == code)).all()
    graph = unit_graph(units)
    same = plan.assignment[graph.sources] == plan.assignment[graph.indices]
    whole = len(np.unique(components(graph, same))) == len(plan.grids)
    assert whole or any(reason.code == "locked_broken" for reason in plan.reasons)
    sums = [
        np.bincount(plan.assignment, units[name], minlength=len(plan.grids)) for name in ("households", "population")
    ]
    fits = (sums[0] >= band.low) & (sums[0] <= band.high) & (sums[1] >= limit.low) & (sums[1] <= limit.high)
    assert plan.feasible == bool(whole and fits[(plan.grids["kind"] == "ordinary").to_numpy()].all())
    assert plan.feasible == (not plan.reasons)
    assert all(reason.code and reason.text for reason in plan.reasons)
    stats = plan.stats
    if plan.changes is not None and plan.feasible and not locked:
        assert stats["households_moved"] >= stats["households_moved_least"] - 1e-6
        assert set(plan.changes.heirs) == set(plan.grids["code"]) & set(old[old != None].tolist())  # noqa: E711
    again = partition(units, band=band, limits=[limit], keep=old, locked=locked, seed=seed, effort=0.2)
    assert again.assignment.tolist() == plan.assignment.tolist()
    assert again.grids["code"].tolist() == plan.grids["code"].tolist()
