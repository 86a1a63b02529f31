"""Tiny maps of squares: the exact solver against every division there is, and the engine's word on feasibility."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gisgrid.models import Band
from planning.partition import Weights, partition
from planning.partition.atoms import atoms_of
from planning.partition.cells import components
from planning.partition.energy import energy_of
from planning.partition.enumerate import connected_sets
from planning.partition.exact import solve_exactly
from planning.partition.limits import Limits
from planning.partition.prepare import prepare
from planning.partition.solve import cell_of
from planning.partition.special import Special
from planning.partition.state import Cell, division

TINY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
WEIGHTS = Weights()
bands = st.tuples(st.integers(1, 20), st.integers(0, 10)).map(lambda pair: Band(pair[0], sum(pair)))


@st.composite
def maps(draw: st.DrawFn, most: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Squares of 50 m on a 4 by 4 lattice, any of them missing, with households and compounds; streets through it."""
    places = np.array(draw(st.lists(st.integers(0, 15), min_size=1, max_size=most, unique=True)))
    n = len(places)
    x, y = 500_000.0 + 50.0 * (places % 4), 4_400_000.0 + 50.0 * (places // 4)
    units = gpd.GeoDataFrame(
        {
            "unit_id": places.astype(str),
            "households": draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)),
            "compound_id": draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=n, max_size=n)),
        },
        geometry=shapely.box(x, y, x + 50.0, y + 50.0),
        crs="EPSG:4547",
    )
    classes = draw(st.lists(st.sampled_from(["river", "tertiary", "wall", ""]), min_size=3, max_size=3))
    lines = [
        (name, shapely.LineString([(500_000 + 50 * at, 4_400_000), (500_000 + 50 * at, 4_400_200)]))
        for at, name in enumerate(classes, start=1)
        if name
    ]
    streets = gpd.GeoDataFrame({"cls": [a for a, _ in lines]}, geometry=[b for _, b in lines], crs=units.crs)
    return units, streets


def cells_of(units: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, band: Band) -> list[Cell]:
    """The connected parts of a map as the search sees them."""
    limits = Limits(band)
    problem = prepare(units, streets, limits, Special(kinds=()))
    part = components(problem.graph, np.ones(len(problem.graph.indices), dtype=bool))
    return [cell_of(problem, np.flatnonzero(part == one), limits, WEIGHTS, limits.middle) for one in np.unique(part)]


def divisions(cell: Cell, band: Band) -> Iterator[np.ndarray]:
    """Every division into connected grids in band, by brute force."""
    n = len(cell.load)
    near = [sum(1 << int(o) for o in cell.indices[cell.indptr[u] : cell.indptr[u + 1]]) for u in range(n)]

    def parts(first: int, free: int) -> set[int]:
        found, todo = {1 << first}, [1 << first]
        while todo:
            part = todo.pop()
            edge = 0
            for unit in range(n):
                if part >> unit & 1:
                    edge |= near[unit]
            edge &= free & ~part
            for unit in range(n):
                if edge >> unit & 1 and part | 1 << unit not in found:
                    found.add(part | 1 << unit)
                    todo.append(part | 1 << unit)
        return {part for part in found if band.low <= load(part) <= band.high}

    def load(part: int) -> float:
        return float(sum(cell.load[unit] for unit in range(n) if part >> unit & 1))

    def cover(free: int, chosen: list[int]) -> Iterator[list[int]]:
        if not free:
            yield chosen
            return
        for part in sorted(parts((free & -free).bit_length() - 1, free)):
            yield from cover(free & ~part, [*chosen, part])

    for chosen in cover((1 << n) - 1, []):
        yield np.array([next(g for g, part in enumerate(chosen) if part >> unit & 1) for unit in range(n)], np.int32)


@TINY
@given(maps(9), bands, st.sampled_from([None, 1, 2, 3]), st.sampled_from([0, 10_000]))
def test_exact_answer_is_the_best_of_all_divisions(
    drawn: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame], band: Band, forced: int | None, simple: int
) -> None:
    """`simple` 0: prices from the linear program, otherwise from dual ascent; both must prove the same."""
    assume(drawn[0]["households"].any())
    for cell in cells_of(*drawn, band):
        rates = WEIGHTS.rates(Limits(band), max((band.low + band.high) / 2.0, 1.0))
        every = [(label, int(label.max()) + 1) for label in divisions(cell, band)]
        energies = [(energy_of(cell, division(cell, label, k), rates), k) for label, k in every if forced in (None, k)]
        found = solve_exactly(cell, rates, forced, simple=simple)
        assert found is not None
        assert found.proven
        assert found.absorbed == 0
        assert found.feasible == bool(energies)
        if energies:
            assert found.label is not None
            assert found.energy == pytest.approx(energy_of(cell, division(cell, found.label, found.k), rates))
            assert found.energy / found.k == pytest.approx(min(energy / k for energy, k in energies), abs=1e-7)


@TINY
@given(maps(12), bands)
def test_sets_are_distinct_connected_and_in_band(drawn: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame], band: Band) -> None:
    assume(drawn[0]["households"].any())
    for cell in cells_of(*drawn, band):
        n = len(cell.load)
        atoms, atom = atoms_of(cell, absorb=False)
        near = np.zeros(n, dtype=np.int64)
        for unit in range(n):
            for other in cell.indices[cell.indptr[unit] : cell.indptr[unit + 1]].tolist():
                near[atom[unit]] |= 1 << int(atom[other])
        slow = []
        for part in range(1, 1 << n):
            inside = [a for a in range(n) if part >> a & 1]
            if not band.low <= atoms.load[inside].sum() <= band.high:
                continue
            reached = part & -part
            while True:
                wider = reached
                for a in inside:
                    if reached >> a & 1:
                        wider |= int(near[a]) & part
                if wider == reached:
                    break
                reached = wider
            if reached == part:
                slow.append(part)
        sets = connected_sets(atoms, WEIGHTS.rates(Limits(band), 10.0))
        assert sets is not None
        assert sorted(sets.low.tolist()) == slow


@TINY
@given(maps(10), bands, st.integers(0, 3))
def test_engine_finds_the_band_exactly_when_enumeration_does(
    drawn: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame], band: Band, seed: int
) -> None:
    units, streets = drawn
    assume(units["households"].any())
    plan = partition(units, streets, band=band, seed=seed)
    answers = [solve_exactly(cell, WEIGHTS.rates(Limits(band), 10.0)) for cell in cells_of(units, streets, band)]
    assert plan.feasible == all(answer is not None and answer.feasible for answer in answers), plan.reasons
    assert plan.feasible == (not plan.reasons)
