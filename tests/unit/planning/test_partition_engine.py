"""The numba search against slow recounting: sums, energies and connectivity hold after any run of moves."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.models import Band, WeightLimit
from planning.graph import graph_of
from planning.partition.allot import allot_counts
from planning.partition.anneal import Schedule, run_stage
from planning.partition.cells import barrier_cells, components, least_outside
from planning.partition.energy import Weights, energy_of
from planning.partition.keeping import start_from_old
from planning.partition.limits import Limits
from planning.partition.prepare import Kept, Problem, prepare
from planning.partition.seeding import grown_labels, metis_labels, repaired
from planning.partition.solve import cell_of
from planning.partition.special import Special
from planning.partition.state import Cell, division, next_uniform, recount, scratch_for

BAND = Band(300, 500)
WEIGHTS = Weights()


def voronoi(n: int, seed: int) -> tuple[np.ndarray, gpd.GeoDataFrame]:
    rng = np.random.default_rng(seed)
    box = shapely.box(0, 0, 1000, 1000)
    sites = shapely.MultiPoint(rng.uniform(0, 1000, (n, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=box))
    edges = shapely.get_parts(shapely.boundary(cells))
    streets = gpd.GeoDataFrame(
        {"cls": rng.choice(["river", "primary", "tertiary", "wall"], len(edges))}, geometry=edges, crs="EPSG:4547"
    )
    return cells, streets[rng.random(len(edges)) < 0.3]


LIMITS = Limits(BAND, (WeightLimit("population", 0, 1200), WeightLimit("elderly", 40, 200)))


def made_cell(n: int = 80, seed: int = 0) -> tuple[Cell, Problem]:
    """Random units with compounds, two further weights and old grids (some units in none)."""
    geometry, streets = voronoi(n, seed)
    rng = np.random.default_rng(seed)
    compound, old = rng.integers(-1, 6, n), rng.integers(-1, 7, n)
    units = gpd.GeoDataFrame(
        {
            "unit_id": np.arange(n).astype(str),
            "households": rng.integers(0, 60, n),
            "population": rng.integers(0, 200, n),
            "elderly": rng.integers(0, 30, n),
            "compound_id": [None if one < 0 else str(one) for one in compound],
        },
        geometry=geometry,
        crs="EPSG:4547",
    )
    kept = Kept([None if one < 0 else f"old {one}" for one in old])
    problem = prepare(units, streets, LIMITS, Special(kinds=()), kept)
    return cell_of(problem, np.arange(n), LIMITS, WEIGHTS, 400.0), problem


def grid_is_connected(cell: Cell, label: np.ndarray, grid: int) -> bool:
    units = set(np.flatnonzero(label == grid).tolist())
    seen, todo = set(), [min(units)]
    while todo:
        here = todo.pop()
        seen.add(here)
        near = cell.indices[cell.indptr[here] : cell.indptr[here + 1]].tolist()
        todo += [other for other in near if other in units and other not in seen]
    return seen == units


def slow_energy(cell: Cell, problem: Problem, label: np.ndarray, heir: np.ndarray) -> float:
    """The formula of `planning.partition.energy`, term by term in plain Python."""
    graph, units, compound = problem.graph, problem.units, problem.compound
    energy = 0.0
    scale = 4.0 * np.sqrt(graph.area.sum() / max(cell.load.sum() / 400.0, 1.0))
    for grid in range(len(heir)):
        inside = label == grid
        h, area, perimeter, major = cell.load[inside].sum(), graph.area[inside].sum(), 0.0, 0.0
        for unit in np.flatnonzero(inside).tolist():
            perimeter += graph.perimeter[unit]
            for e in range(graph.indptr[unit], graph.indptr[unit + 1]):
                if label[graph.indices[e]] == grid:
                    perimeter -= graph.border[e]
                    major += graph.border[e] / 2 if graph.street[e] < 3 else 0.0
        people, old_people = units["population"][inside].sum(), units["elderly"][inside].sum()
        energy += WEIGHTS.band * (max(0, 300 - h) + max(0, h - 500)) / 400
        energy += WEIGHTS.band * (max(0, people - 1200) / 1200 + (max(0, 40 - old_people, old_people - 200)) / 120)
        energy += WEIGHTS.major * min(1.0, major / 60.0)
        energy += WEIGHTS.compact * (1 - 4 * np.pi * area / perimeter**2)
        energy += WEIGHTS.balance * ((h - 400) / 400) ** 2
    for unit in range(len(label)):
        for e in range(graph.indptr[unit], graph.indptr[unit + 1]):
            if label[unit] != label[graph.indices[e]]:
                energy += WEIGHTS.street * float(graph.by_class[e] @ np.array(WEIGHTS.class_cost)) / scale / 2
                if problem.old[unit] != problem.old[graph.indices[e]]:
                    energy -= WEIGHTS.border * graph.border[e] / scale / 2
        if problem.old[unit] >= 0 and heir[label[unit]] != problem.old[unit]:
            energy += WEIGHTS.churn * cell.load[unit] / 400
    grids, totals = defaultdict(set), defaultdict(float)
    for unit in range(len(label)):
        if compound[unit] >= 0 and cell.load[unit] > 0:
            grids[compound[unit]].add(label[unit])
        totals[compound[unit]] += cell.load[unit]
    for one, lies_in in grids.items():
        crossed = any(
            compound[unit] == compound[graph.indices[e]] == one and graph.street[e] < 3
            for unit in range(len(label))
            for e in range(graph.indptr[unit], graph.indptr[unit + 1])
        )
        share = 0.0 if crossed else 1.0 if totals[one] <= 500 else 0.25
        energy += WEIGHTS.split * share * (len(lies_in) - 1)
    return energy


def test_every_old_grid_goes_on_where_fewest_leave_it() -> None:
    for seed in range(5):
        cell, _ = made_cell(40, seed)
        div = division(cell, metis_labels(cell, 4, seed), 4)
        kept = np.zeros((8, 4))
        for unit in np.flatnonzero(cell.old >= 0).tolist():
            kept[cell.old[unit], div.label[unit]] += cell.load[unit]
        best = max(sum(kept[one, grid] for grid, one in enumerate(ones)) for ones in permutations(range(8), 4))
        assert sum(kept[one, grid] for grid, one in enumerate(div.heir) if one >= 0) == pytest.approx(best)


def test_a_start_from_old_grids_is_connected_and_has_the_count() -> None:
    for seed in range(4):
        cell, _ = made_cell(80, seed)
        for k in (1, 3, 7, 12):
            label = start_from_old(cell, k, seed, WEIGHTS.rates(LIMITS, 400.0))
            assert sorted(set(label.tolist())) == list(range(k))
            assert all(grid_is_connected(cell, label, grid) for grid in range(k))


@pytest.mark.parametrize(("seed", "split_share"), [(0, 0.0), (1, 1.0), (2, 0.3)])
@pytest.mark.parametrize("temperature", [0.0, 50.0])
def test_moves_keep_sums_energy_and_connectivity(seed: int, split_share: float, temperature: float) -> None:
    cell, problem = made_cell(seed=seed)
    k = 6
    div = division(cell, metis_labels(cell, k, seed), k)
    rates = WEIGHTS.rates(LIMITS, 400.0)
    scratch = scratch_for(len(div.label), seed)
    for _ in range(5):
        before, old = energy_of(cell, div, rates), div.label.copy()
        assert before == pytest.approx(slow_energy(cell, problem, div.label, div.heir), rel=1e-5)
        change = run_stage(cell, div, rates, scratch, temperature, 400, split_share)
        assert energy_of(cell, div, rates) == pytest.approx(before + change, abs=1e-6)
        assert temperature > 0 or change <= 1e-9
        assert all(grid_is_connected(cell, div.label, grid) for grid in range(k))
        fresh = division(cell, div.label, k)
        for name in ("load", "more", "area", "perimeter", "major"):
            assert np.allclose(getattr(div, name), getattr(fresh, name), atol=1e-5), name
        assert div.size.tolist() == fresh.size.tolist()
        assert div.slots.tolist() == fresh.slots.tolist()
    assert (div.label != old).any() or temperature == 0


def test_recount_is_idempotent_and_cold_search_only_improves() -> None:
    cell, _ = made_cell(seed=5)
    div = division(cell, grown_labels(cell, 5, 5), 5)
    rates = WEIGHTS.rates(LIMITS, 400.0)
    before = energy_of(cell, div, rates)
    run_stage(cell, div, rates, scratch_for(80, 1), 0.0, 20_000, 0.2)
    after = energy_of(cell, div, rates)
    recount(cell, div)
    assert after < before
    assert energy_of(cell, div, rates) == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 7, 40, 80])
def test_seeds_are_connected_and_use_every_grid(k: int) -> None:
    cell, _ = made_cell(seed=7)
    for label in (metis_labels(cell, k, 3), grown_labels(cell, k, 3)):
        assert np.unique(label).tolist() == list(range(k))
        assert all(grid_is_connected(cell, label, grid) for grid in range(k))
    assert metis_labels(cell, k, 3).tolist() == metis_labels(cell, k, 3).tolist()


def test_repair_joins_loose_parts_and_fills_empty_grids() -> None:
    cell, _ = made_cell(seed=8)
    scattered = np.random.default_rng(0).integers(0, 4, 80).astype(np.int32)
    label = repaired(cell, scattered, 6)
    assert np.unique(label).tolist() == list(range(6))
    assert all(grid_is_connected(cell, label, grid) for grid in range(6))


def test_uniform_numbers_look_uniform_and_repeat() -> None:
    one, two = scratch_for(1, 42).random, scratch_for(1, 42).random
    draws = np.array([next_uniform(one) for _ in range(20_000)])
    assert draws[:10].tolist() == [next_uniform(two) for _ in range(10)]
    assert draws.min() >= 0
    assert draws.max() < 1
    assert np.abs(np.histogram(draws, 20, (0, 1))[0] - 1000).max() < 160


@pytest.mark.parametrize("band", [BAND, Band(2, 3), Band(5, 5), Band(0, 4), Band(7, 20)])
def test_least_outside_is_the_distance_to_the_nearest_feasible_total(band: Band) -> None:
    for total in range(1, 60):
        slow = min(max(0, k * band.low - total, total - k * band.high) for k in range(1, 80))
        assert least_outside(total, 0.0, 0.0, band) == slow
        assert (slow == 0) == (len(band.feasible_counts(total)) > 0)


def test_least_outside_with_a_unit_above_the_band() -> None:
    assert least_outside(900, 900, 400, BAND) == 400
    assert least_outside(1300, 900, 400, BAND) == 400
    assert least_outside(950, 900, 400, BAND) == 450
    assert least_outside(0, 0, 0, BAND) == 300


def test_barrier_cells_follow_main_roads_and_can_be_in_band() -> None:
    for seed in range(4):
        geometry, streets = voronoi(120, seed)
        streets["cls"] = "primary"
        graph = graph_of(geometry, streets)
        households = np.random.default_rng(seed).integers(0, 60, 120).astype(float)
        piece = np.zeros(120, np.int64)
        piece[:3] = -1
        piece = np.where(piece == 0, components(graph, (piece[graph.sources] == 0) & (piece[graph.indices] == 0)), -1)
        piece[piece >= 0] = np.unique(piece[piece >= 0], return_inverse=True)[1]
        cell = barrier_cells(graph, piece, households, BAND)
        assert ((cell < 0) == (piece < 0)).all()
        for number in range(cell.max() + 1):
            inside = cell == number
            assert len(np.unique(piece[inside])) == 1
            joined = components(graph, inside[graph.sources] & inside[graph.indices])[inside]
            assert len(np.unique(joined)) == 1
            if len(np.unique(cell[piece == piece[inside][0]])) > 1:
                assert least_outside(households[inside].sum(), 0, 0, BAND) == 0


def test_forced_counts_add_up() -> None:
    piece = np.repeat([0, 1], 20)
    cell = np.repeat([0, 1, 2], [10, 10, 20])
    households = np.full(40, 50.0)
    for grids, same in ((5, True), (4, True), (7, False), (40, False), (2, False)):
        parts, counts = allot_counts(cell, piece, households, BAND, grids)
        assert sum(counts.values()) == grids
        assert (parts is cell) == same
    assert sum(allot_counts(cell, piece, households, BAND, 1)[1].values()) == 2
    assert sum(allot_counts(cell, piece, households, BAND, 99)[1].values()) == 40


def test_schedule_cools_and_ramps() -> None:
    schedule = Schedule()
    heat = [schedule.temperature(stage) for stage in range(schedule.stages + 1)]
    share = [schedule.band_share(stage) for stage in range(schedule.stages + 1)]
    assert heat == sorted(heat, reverse=True)
    assert heat[-1] == 0
    assert share == sorted(share)
    assert share[-1] == 1
