"""An edit inside one cell: only that cell changes, and the rules hold again."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.errors import BadInput
from gisgrid.models import Band
from planning.partition import partition
from planning.partition.cells import components
from planning.partition.resolve import Draft, cell_rows, draft_of, grid_rows, resolve, with_loads
from planning.partition.toy import toy_units

BAND = Band(300, 500)


@pytest.fixture(scope="module")
def draft() -> Draft:
    """Four quarters between two main roads that cross, nine grids each."""
    units = toy_units(24, 24)
    units["households"] = np.random.default_rng(4).integers(5, 45, len(units))
    west, south, east, north = units.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    lines = [shapely.LineString([(x, south), (x, north)]), shapely.LineString([(west, y), (east, y)])]
    streets = gpd.GeoDataFrame({"cls": "primary"}, geometry=lines, crs=units.crs, index=range(2))
    plan = partition(units, streets, band=BAND)
    assert plan.feasible
    return draft_of(units, streets, plan.grids["code"].to_numpy()[plan.assignment], band=BAND)


def check(draft: Draft) -> None:
    graph = draft.problem.graph
    same = draft.label[graph.sources] == draft.label[graph.indices]
    assert len(np.unique(components(graph, same))) == len(np.unique(draft.label))
    loads = np.bincount(np.unique(draft.label, return_inverse=True)[1], draft.problem.load)
    assert loads.min() >= BAND.low
    assert loads.max() <= BAND.high


def test_only_the_edited_cell_is_solved_again(draft: Draft) -> None:
    assert len(np.unique(draft.cell)) == 4
    for row in (0, 300, 575):
        edited = with_loads(draft, [row], [draft.problem.load[row] + 250])
        rows = cell_rows(edited, [row])
        assert len(rows) == 144
        done = resolve(edited, rows)
        check(done)
        elsewhere = np.setdiff1d(np.arange(576), rows)
        assert (done.label[elsewhere] == draft.label[elsewhere]).all()
        assert not np.isin(done.label[rows], done.label[elsewhere]).any()
        assert (resolve(edited, rows).label == done.label).all()


def test_a_few_grids_are_evened_out_among_themselves(draft: Draft) -> None:
    graph = draft.problem.graph
    beside = np.flatnonzero(
        (draft.label[graph.sources] != draft.label[graph.indices])
        & (draft.cell[graph.sources] == draft.cell[graph.indices])
    )[0]
    pair = [int(graph.sources[beside]), int(graph.indices[beside])]
    rows = grid_rows(draft, pair)
    assert set(draft.label[rows]) == set(draft.label[pair])
    done = resolve(draft, rows)
    check(done)
    assert (done.label == draft.label)[np.setdiff1d(np.arange(576), rows)].all()


def test_a_cell_that_is_fine_is_never_made_worse(draft: Draft) -> None:
    again = resolve(draft, np.arange(576), time_limit=0.0)
    assert (again.label == draft.label).all()
    assert (resolve(draft, []).label == draft.label).all()


def test_what_cannot_be_solved_again_is_said(draft: Draft) -> None:
    with pytest.raises(BadInput, match="all units of ordinary grids"):
        resolve(draft, [0])
    with pytest.raises(BadInput, match="at least 0"):
        with_loads(draft, [0], [float("nan")])
    units = toy_units(3, 1)
    with pytest.raises(BadInput, match="give one a unit"):
        draft_of(units, None, ["a"], band=BAND)
    with pytest.raises(BadInput, match="unit 1 has no grid"):
        draft_of(units, None, ["a", None, "a"], band=BAND)
