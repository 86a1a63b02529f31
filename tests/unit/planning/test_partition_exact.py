"""Small cells solved with proof, against brute force and recounting; and the engine against the proven optimum."""

from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.limits import ATOMS_MAX
from gisgrid.models import Band
from planning.partition import Weights, partition
from planning.partition.atoms import atoms_of, closure_of
from planning.partition.energy import energy_of
from planning.partition.enumerate import Sets, connected_sets
from planning.partition.exact import solve_exactly
from planning.partition.limits import Limits
from planning.partition.pool import grid_costs
from planning.partition.prepare import prepare
from planning.partition.seeding import grown_labels
from planning.partition.solve import cell_of
from planning.partition.special import Special
from planning.partition.state import Cell, Rates, division
from planning.partition.toy import toy_units

BAND = Band(300, 500)
WEIGHTS = Weights()
TARGET = 400.0
LIMITS = Limits(BAND)
RATES = WEIGHTS.rates(LIMITS, TARGET)
CELL = 60.0


def cell_from(units: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None = None, limits: Limits = LIMITS) -> Cell:
    """The search's arrays of a whole connected layer."""
    problem = prepare(units, streets, limits, Special(kinds=()))
    return cell_of(problem, np.arange(len(units)), limits, WEIGHTS, limits.middle)


def scattered(n: int, seed: int, *, empty: float = 0.0, low: int = 50, high: int = 150) -> Cell:
    """Voronoi cells in a square, some borders on streets, compounds at random, a share of units without households."""
    rng = np.random.default_rng(seed)
    box = shapely.box(0, 0, 1000, 1000)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, 1000, (n, 2))), extend_to=box))
    edges = shapely.get_parts(shapely.boundary(cells))
    edges = edges[rng.random(len(edges)) < 0.3]
    streets = gpd.GeoDataFrame({"cls": rng.choice(["river", "tertiary", "wall"], len(edges))}, geometry=edges, crs=4547)
    households = np.where(rng.random(n) < empty, 0, rng.integers(low, high, n))
    compound = rng.integers(-1, 5, n)
    units = gpd.GeoDataFrame(
        {
            "unit_id": np.arange(n).astype(str),
            "households": households,
            "compound_id": [None if one < 0 else str(one) for one in compound],
        },
        geometry=cells,
        crs=4547,
    )
    return cell_from(units, streets)


def members(sets: Sets, number: int) -> frozenset[int]:
    words = (int(sets.low[number]), int(sets.high[number]) << 64)
    return frozenset(atom for atom in range(ATOMS_MAX) if (words[0] | words[1]) >> atom & 1)


def connected(near: list[set[int]], part: frozenset[int]) -> bool:
    seen, todo = set(), [min(part)]
    while todo:
        here = todo.pop()
        seen.add(here)
        todo += [other for other in near[here] & part if other not in seen]
    return seen == part


# --- listing ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_sets_are_all_connected_subsets_in_band_each_once(seed: int) -> None:
    cell = scattered(11, seed, empty=0.2)
    atoms, _ = atoms_of(cell, absorb=False)
    near = [set(atoms.indices[atoms.indptr[a] : atoms.indptr[a + 1]].tolist()) for a in range(11)]
    slow = {
        part
        for size in range(1, 12)
        for part in map(frozenset, combinations(range(11), size))
        if 300 <= atoms.load[sorted(part)].sum() <= 500 and connected(near, part)
    }
    sets = connected_sets(atoms, RATES)
    assert sets is not None
    found = [members(sets, number) for number in range(len(sets.cost))]
    assert len(found) == len(set(found))
    assert set(found) == slow
    assert sets.load.tolist() == [atoms.load[sorted(part)].sum() for part in found]


def test_free_polyominoes_of_a_strip_and_a_square_are_counted() -> None:
    # sets of exactly 5 cells: 36 in a row of 40; 63 pentominoes times their places in a 70-cell board of 7 x 10
    row, _ = atoms_of(cell_from(toy_units(40, 1, households=1)), absorb=False)
    five = WEIGHTS.rates(Limits(Band(5, 5)), 5.0)
    sets = connected_sets(row, five)
    assert sets is not None
    assert len(sets.cost) == 36
    board, _ = atoms_of(cell_from(toy_units(10, 7, households=1)), absorb=False)
    sets = connected_sets(board, five)
    assert sets is not None
    boxes = {(1, 5): 1, (2, 3): 6, (2, 4): 12, (3, 3): 25}  # fixed pentominoes by their bounding box, one way round
    places = sum(
        count * ((10 - w + 1) * (7 - h + 1) + (0 if w == h else (10 - h + 1) * (7 - w + 1)))
        for (w, h), count in boxes.items()
    )
    assert len(sets.cost) == places


def test_every_cost_is_the_grids_share_of_the_energy() -> None:
    for seed in range(5):
        cell = scattered(90, seed, empty=0.1)
        for absorb in (False, True):
            atoms, atom = atoms_of(cell, absorb=absorb)
            label = grown_labels(cell, 12, seed)
            if absorb:  # units of an atom go with its first one
                label = label[np.unique(atom, return_index=True)[1]][atom]
                label = np.unique(label, return_inverse=True)[1].astype(np.int32)
            div = division(cell, label, int(label.max()) + 1)
            costs = grid_costs(cell, div, RATES, np.repeat(np.arange(90), np.diff(cell.indptr)))
            every = Rates(0.0, 1e9, *RATES[2:])
            total = 0.0
            for grid in range(len(div.size)):
                inside = np.unique(atom[label == grid])
                alone = _single(atoms, every, inside)
                expected = costs[grid] - RATES.band * (max(0, 300 - div.load[grid]) + max(0, div.load[grid] - 500))
                assert alone == pytest.approx(expected, abs=1e-6)
                total += alone
            constant = cell.split[np.unique(cell.compound[cell.compound >= 0])].sum()
            free = Rates(0.0, 1e9, *RATES[2:])
            assert total - constant == pytest.approx(energy_of(cell, div, free), abs=1e-6)


def _single(atoms: object, rates: Rates, inside: np.ndarray) -> float:
    from planning.partition.enumerate import set_cost

    words = [sum(1 << (int(a) % 64) for a in inside if int(a) // 64 == word) for word in (0, 1)]
    return float(set_cost(atoms, rates, np.uint64(words[0]), np.uint64(words[1]), np.zeros(200, np.int32)))


def test_units_without_households_are_absorbed_and_geometry_is_kept() -> None:
    cell = scattered(80, 3, empty=0.4)
    atoms, atom = atoms_of(cell, absorb=True)
    assert (atoms.load > 0).all()
    assert len(atoms.load) == (cell.load > 0).sum()
    assert atoms.load.sum() == cell.load.sum()
    assert atoms.area.sum() == pytest.approx(cell.area.sum())
    whole = cell.perimeter.sum() - cell.border.sum()
    assert atoms.perimeter.sum() - atoms.border.sum() == pytest.approx(whole)
    assert atoms.inner.sum() + atoms.major.sum() / 2 == pytest.approx(cell.major.sum() / 2)
    for one in range(len(atoms.load)):
        inside = np.flatnonzero(atom == one)
        near = [set(cell.indices[cell.indptr[u] : cell.indptr[u + 1]].tolist()) for u in range(80)]
        assert connected(near, frozenset(inside.tolist()))


def test_an_empty_unit_joins_across_the_dearest_border_never_the_river_first() -> None:
    units = toy_units(3, 1).assign(households=[100, 0, 100])
    line = shapely.LineString([(500_050, 4_400_000), (500_050, 4_400_050)])
    streets = gpd.GeoDataFrame({"cls": ["river"]}, geometry=[line], crs=units.crs)
    _, atom = atoms_of(cell_from(units, streets), absorb=True)
    assert atom[1] == atom[2] != atom[0]


def test_closure_joins_what_empty_units_part() -> None:
    units = toy_units(5, 1).assign(households=[100, 0, 0, 100, 50])
    joined = closure_of(atoms_of(cell_from(units), absorb=False)[0])
    near = [joined.indices[joined.indptr[a] : joined.indptr[a + 1]].tolist() for a in range(3)]
    assert sorted(len(others) for others in near) == [1, 1, 2]


def test_too_many_sets_or_units_are_said() -> None:
    atoms, _ = atoms_of(cell_from(toy_units(9, 8, households=20)), absorb=False)
    assert connected_sets(atoms, RATES, 10_000) is None
    assert solve_exactly(cell_from(toy_units(9, 8, households=20)), RATES, cap=10_000) is None
    assert solve_exactly(cell_from(toy_units(13, 10, households=200)), RATES) is None


# --- solving ----------------------------------------------------------------------------


def test_a_row_of_units_is_divided_as_by_hand() -> None:
    cell = cell_from(toy_units(8, 1).assign(households=[150, 200, 350, 200, 150, 150, 400, 450]))
    found = solve_exactly(cell, RATES)
    assert found is not None
    assert (found.proven, found.feasible, found.k, found.absorbed) == (True, True, 5, 0)
    assert found.label is not None
    groups = [np.flatnonzero(found.label == grid).tolist() for grid in range(5)]
    assert sorted(groups) == [[0, 1], [2], [3, 4, 5], [6], [7]]


@pytest.mark.parametrize("forced", [None, 6, 7, 8])
def test_answer_is_in_band_connected_and_no_worse_than_what_is_known(forced: int | None) -> None:
    cell = scattered(45, 5, low=40, high=110)
    first = solve_exactly(cell, RATES, forced)
    again = solve_exactly(cell, RATES, forced)
    assert first is not None
    assert again is not None
    assert (first.energy, first.k) == (again.energy, again.k)
    if first.label is None:
        assert first.feasible is False
        return
    assert again.label is not None
    assert first.label.tolist() == again.label.tolist()
    div = division(cell, first.label, first.k)
    assert first.proven
    assert forced in (None, first.k)
    assert ((div.load >= 300) & (div.load <= 500)).all()
    assert first.energy == pytest.approx(energy_of(cell, div, RATES))
    near = [set(cell.indices[cell.indptr[u] : cell.indptr[u + 1]].tolist()) for u in range(45)]
    assert all(connected(near, frozenset(np.flatnonzero(first.label == grid).tolist())) for grid in range(first.k))
    kept = solve_exactly(cell, RATES, forced, upper=(first.label, first.k))
    assert kept is not None
    assert (kept.energy, kept.k, kept.proven) == (pytest.approx(first.energy), first.k, True)


def test_what_cannot_be_in_band_is_proven() -> None:
    row = toy_units(4, 1).assign(households=[100, 450, 100, 450])
    found = solve_exactly(cell_from(row), RATES)
    assert found is not None
    assert (found.label, found.feasible, found.proven) == (None, False, True)
    nobody = solve_exactly(cell_from(toy_units(3, 1))._replace(load=np.zeros(3)), RATES)
    assert nobody is not None
    assert nobody.feasible is False
    heavy = solve_exactly(cell_from(toy_units(4, 1).assign(households=[300, 300, 300, 900])), RATES)
    assert heavy is not None
    assert heavy.feasible is False
    forced = solve_exactly(cell_from(toy_units(4, 1, households=300)), RATES, 3)
    assert forced is not None
    assert forced.feasible is False


def test_a_pocket_behind_empty_units_is_not_called_impossible() -> None:
    # the units of 150 can only meet in the empty middle, which absorbing gives to the one of 50 east of it
    units = toy_units(3, 3).assign(households=[400, 150, 260, 150, 0, 50, 400, 50, 400])
    middle = shapely.box(500_050, 4_400_050, 500_100, 4_400_100)
    line = shapely.LineString([(500_100, 4_400_050), (500_050, 4_400_050), (500_050, 4_400_100), (500_100, 4_400_100)])
    assert line.within(middle.boundary)
    cell = cell_from(units, gpd.GeoDataFrame({"cls": ["residential"]}, geometry=[line], crs=units.crs))
    found = solve_exactly(cell, RATES)
    assert found is not None
    assert (found.feasible, found.proven, found.absorbed) == (True, True, 0)
    sets = connected_sets(atoms_of(cell, absorb=False)[0], RATES)
    assert sets is not None
    found = solve_exactly(cell, RATES, cap=len(sets.cost) - 1)
    assert found is not None
    assert (found.feasible, found.proven, found.absorbed) == (None, False, 1)
    lone = toy_units(30, 1, households=0)
    lone.loc[[0, 29], "households"] = [100, 600]
    found = solve_exactly(cell_from(lone), RATES)
    assert found is not None
    assert (found.feasible, found.proven) == (False, True)


def test_a_known_division_beyond_the_absorbed_ones_is_kept() -> None:
    cell = scattered(60, 8, empty=0.3, low=60, high=140)
    alone = solve_exactly(cell, RATES)
    assert alone is not None
    assert alone.absorbed > 0
    assert alone.label is not None
    assert alone.proven
    better = alone.label.copy()
    best = alone.energy
    for unit in np.flatnonzero(cell.load == 0).tolist():  # empty units may move over
        for other in cell.indices[cell.indptr[unit] : cell.indptr[unit + 1]].tolist():
            trial = better.copy()
            trial[unit] = better[other]
            energy = energy_of(cell, division(cell, trial, alone.k), RATES)
            near = [set(cell.indices[cell.indptr[u] : cell.indptr[u + 1]].tolist()) for u in range(60)]
            whole = all(connected(near, frozenset(np.flatnonzero(trial == g).tolist())) for g in range(alone.k))
            if energy < best - 1e-9 and whole:
                better, best = trial, energy
    found = solve_exactly(cell, RATES, upper=(better, alone.k))
    assert found is not None
    assert found.energy == pytest.approx(best)


# --- the engine beside it ---------------------------------------------------------------

SHAPES = {"lattice": (8, 8), "jittered": (8, 9), "bent": (11, 11), "ring": (10, 9), "lobes": (13, 6),
          "river": (9, 8), "compounds": (9, 8), "thin": (24, 3)}  # fmt: skip


def layout(shape: str, seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """64 to 78 units of 50 to 110 households and their streets."""
    rng = np.random.default_rng(seed)
    width, height = SHAPES[shape]
    i, j = (part.ravel() for part in np.meshgrid(np.arange(width), np.arange(height)))
    keep = {
        "bent": (i < 4) | (j < 4),
        "ring": ~((i >= 3) & (i < 7) & (j >= 3) & (j < 6)),
        "lobes": (i < 6) | (i > 6) | (j == 2),
    }.get(shape, np.ones(len(i), dtype=bool))
    x, y = np.meshgrid(np.arange(width + 1.0), np.arange(height + 1.0))
    spread = 0.0 if shape == "lattice" else 0.12
    x = np.round(500_000 + CELL * (x + spread * rng.standard_normal(x.shape)), 3)
    y = np.round(4_400_000 + CELL * (y + spread * rng.standard_normal(y.shape)), 3)
    i, j = i[keep], j[keep]
    corners = [np.stack([x[j + b, i + a], y[j + b, i + a]], axis=-1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    size = 3 if shape == "compounds" else 2
    units = gpd.GeoDataFrame(
        {
            "unit_id": np.arange(len(i)).astype(str),
            "households": rng.integers(50, 110, len(i)),
            "compound_id": [f"{a // size}-{b // size}" for a, b in zip(i.tolist(), j.tolist(), strict=True)],
        },
        geometry=shapely.polygons(np.stack(corners, axis=1)),
        crs="EPSG:4547",
    )
    lines = [(_across(column, shape, width), np.stack([x[:, column], y[:, column]], 1)) for column in range(width + 1)]
    lines += [(_along(row, shape), np.stack([x[row], y[row]], 1)) for row in range(height + 1)]
    lines = [(name, line) for name, line in lines if name]
    streets = gpd.GeoDataFrame(
        {"cls": [name for name, _ in lines]}, geometry=[shapely.LineString(line) for _, line in lines], crs=units.crs
    )
    return units, streets


def _across(column: int, shape: str, width: int) -> str:
    if column == width // 2 and shape not in ("lattice", "river"):
        return "primary"
    return "tertiary" if column % 4 == 0 else "residential" if column % 2 == 0 else ""


def _along(row: int, shape: str) -> str:
    if shape == "river" and row == 4:
        return "river"
    return "residential" if row % 2 == 0 else "wall" if row % 3 == 0 else ""


@pytest.mark.parametrize("shape", SHAPES)
def test_engine_is_within_one_percent_of_the_proven_optimum(shape: str) -> None:
    for seed in range(3):
        units, streets = layout(shape, seed)
        plan = partition(units, streets, band=BAND, special_kinds=(), seed=seed)
        assert plan.feasible
        k = len(plan.grids)
        cell = cell_from(units, streets)
        energy = energy_of(cell, division(cell, plan.assignment, k), RATES)
        best = solve_exactly(cell, RATES)
        assert best is not None
        assert best.proven
        assert best.energy / best.k <= energy / k + 1e-9
        assert energy / k <= 1.01 * best.energy / best.k, (shape, seed, energy / k, best.energy / best.k)
