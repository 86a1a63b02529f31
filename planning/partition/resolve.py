"""An edit inside a plan: only the cell it lies in is solved again, everything else stays as it is.

A cell is a part between rivers and main roads (`planning.partition.cells`); cells that a grid of the plan lies across
count as one. Preparing a city takes seconds and is done once (`draft_of`); solving one cell takes less than a second,
since the search gets shorter as the cell gets larger and starts from the grids there are.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from gisgrid.errors import BadInput
from gisgrid.models import SPECIAL_KINDS, Band, WeightLimit
from planning.partition.anneal import Schedule
from planning.partition.cells import barrier_cells
from planning.partition.divide import job_of
from planning.partition.energy import Weights
from planning.partition.limits import Limits
from planning.partition.prepare import Problem, prepare
from planning.partition.presets import preset_of
from planning.partition.search import Control, Search
from planning.partition.solve import solve
from planning.partition.special import Special

Ints = npt.NDArray[np.int64]

UNITS_USUAL = 250
"""A cell of so many units is searched at the usual length in well under a second; longer ones at less."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan being edited: ``label`` int64 (n) the grid of every unit, any numbers; ``cell`` int64 (n) the part each
    unit is solved with, -1 for units of special grids.
    """

    problem: Problem = field(repr=False)
    limits: Limits
    weights: Weights
    cell: Ints = field(repr=False)
    label: Ints = field(repr=False)


def draft_of(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    grid: Sequence[object] | npt.NDArray[np.object_],
    *,
    band: Band,
    limits: Sequence[WeightLimit] = (),
    special_kinds: Collection[str] = SPECIAL_KINDS,
    preset: str = "balanced",
) -> Draft:
    """A plan made ready for edits: `units` and `streets` as for `planning.partition.partition`, `grid` the code (or
    any name) of every unit's grid (n).

    Raises BadInput for units that cannot be used or without a grid.
    """
    allowed = Limits(band, tuple(limits))
    problem = prepare(units, streets, allowed, Special(special_kinds))
    names = np.asarray(grid, dtype=object)
    if len(names) != len(problem.load):
        raise BadInput(f"{len(names)} grids were given for {len(problem.load)} units; give one a unit")
    absent = np.flatnonzero([name is None or name == "" for name in names.tolist()])
    if len(absent):
        raise BadInput(f"unit {problem.names[absent[0]]} has no grid; give every unit one ({len(absent)} such units)")
    label = np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)
    return Draft(problem, allowed, preset_of(preset).weights, _cells(problem, allowed, label), label)


def _cells(problem: Problem, limits: Limits, label: Ints) -> Ints:
    """Barrier cells, those that share a grid joined; -1 for special units."""
    cell = barrier_cells(problem.graph, problem.piece, problem.load, limits.band)
    used = cell >= 0
    count = int(cell.max(initial=-1)) + 1
    grids = int(label.max()) + 1
    links = sp.coo_matrix((np.ones(int(used.sum())), (cell[used], count + label[used])), shape=(count + grids,) * 2)
    joined = connected_components(links, directed=False)[1]
    return np.where(used, joined[cell], -1).astype(np.int64)


def cell_rows(draft: Draft, rows: npt.ArrayLike) -> Ints:
    """Rows of all units in the cells of the units `rows`, ascending."""
    cells = np.unique(draft.cell[np.asarray(rows, dtype=np.int64)])
    return np.flatnonzero(np.isin(draft.cell, cells[cells >= 0]))


def grid_rows(draft: Draft, rows: npt.ArrayLike) -> Ints:
    """Rows of all units in the grids of the units `rows`, ascending: for evening out a few grids among themselves."""
    return np.flatnonzero(np.isin(draft.label, draft.label[np.asarray(rows, dtype=np.int64)]) & (draft.cell >= 0))


def with_loads(draft: Draft, rows: npt.ArrayLike, households: npt.ArrayLike) -> Draft:
    """The draft with other households in the units `rows`. Raises BadInput for numbers below 0."""
    values = np.asarray(households, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise BadInput("households of an edited unit must be numbers of at least 0")
    load = draft.problem.load.copy()
    load[np.asarray(rows, dtype=np.int64)] = values
    return replace(draft, problem=replace(draft.problem, load=load, households=load))


def resolve(draft: Draft, rows: npt.ArrayLike, *, seed: int = 0, time_limit: float | None = None) -> Draft:
    """Solve the units `rows` (of whole grids, see `cell_rows` and `grid_rows`) again, all others left as they are.

    Never worse than before in households outside the limits, then in energy a grid. New grids get numbers above all
    others. Raises BadInput when `rows` leave a part of a grid out or have special units.
    """
    inside = np.sort(np.asarray(rows, dtype=np.int64))
    if not len(inside):
        return draft
    others = np.ones(len(draft.label), dtype=bool)
    others[inside] = False
    if (draft.cell[inside] < 0).any() or np.isin(draft.label[others], draft.label[inside]).any():
        raise BadInput("the units to solve again must be all units of ordinary grids, and no others")
    usual = Schedule()
    share = min(1.0, UNITS_USUAL / len(inside))
    schedule = Schedule(unit_tries=usual.unit_tries * share, split_tries=usual.split_tries * share, starts=1)
    control = Control(deadline=None if time_limit is None else time.monotonic() + time_limit)
    search = Search(draft.limits, draft.weights, schedule, control)
    label = draft.label.copy()
    first = int(label.max()) + 1
    for piece in np.unique(draft.problem.piece[inside]).tolist():
        part = inside[draft.problem.piece[inside] == piece]
        answer = solve(job_of(draft.problem, part, draft.limits.middle, None, seed, label, search), search)
        label[part] = _same_numbers(draft.label[part], answer.label, first)
        first = max(first, int(label[part].max()) + 1)
    return replace(draft, label=label)


def _same_numbers(old: Ints, new: npt.NDArray[np.int32], first: int) -> Ints:
    """`new` labels under the numbers of the `old` grids most of whose units they have; others from `first` on."""
    olds, before = np.unique(old, return_inverse=True)
    shape = (len(olds), int(new.max()) + 1)
    common = np.bincount(before * shape[1] + new, minlength=shape[0] * shape[1]).reshape(shape)
    number = np.full(shape[1], -1, dtype=np.int64)
    rows, columns = linear_sum_assignment(common, maximize=True)
    real = common[rows, columns] > 0
    number[columns[real]] = olds[rows[real]]
    fresh = number < 0
    number[fresh] = first + np.arange(int(fresh.sum()))
    return number[new]
