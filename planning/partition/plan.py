"""Dividing a whole layer of units: pieces, barrier cells, the search, and the plan that comes out."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from gisgrid.codes import GridScheme
from gisgrid.errors import BadInput
from gisgrid.models import SPECIAL_KINDS, Band, Progress, no_progress
from planning.partition.allot import allot_counts
from planning.partition.anneal import Schedule
from planning.partition.cells import barrier_cells
from planning.partition.energy import Weights
from planning.partition.prepare import Problem, prepare
from planning.partition.presets import preset_of
from planning.partition.reasons import Reason, reasons_for
from planning.partition.result import grids_of, order_grids, scheme_for, stats_of
from planning.partition.solve import Control, Job, Solution, bound_of, cell_of, counts_for, solve_all
from planning.partition.together import RUNS, UNITS_MAX, solve_together

Ints = npt.NDArray[np.int64]

SPECIAL_MIN_AREA = 10_000.0
"""A special grid covers at least this many square metres; smaller schools and parks stay with their neighbours."""
SPECIAL_MIN_STREET = 0.9
"""Share of a special grid's limits that lies on streets or water: a school walled in among houses stays with them."""
_DEFAULT_BAND = Band(300, 500)
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan: ``assignment`` int32 (row of ``grids`` of each unit), ``grids`` (contract columns, metric CRS).

    ``feasible``: every hard rule and the band hold; otherwise ``reasons`` say why not. ``stats``: numbers about the
    plan and the search. ``geometry``: the units' polygons as used, an exactly noded coverage.
    """

    assignment: npt.NDArray[np.int32]
    grids: gpd.GeoDataFrame
    feasible: bool
    reasons: list[Reason]
    stats: dict[str, Any]
    geometry: npt.NDArray[np.object_] = field(repr=False)


def partition(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None = None,
    *,
    band: Band = _DEFAULT_BAND,
    grids: int | None = None,
    seed: int = 0,
    time_limit: float | None = None,
    special_kinds: Collection[str] = SPECIAL_KINDS,
    special_min_area: float = SPECIAL_MIN_AREA,
    special_min_street: float = SPECIAL_MIN_STREET,
    preset: str = "balanced",
    weights: Weights | None = None,
    effort: float | None = None,
    scheme: GridScheme | None = None,
    progress: Progress = no_progress,
) -> PlanResult:
    """Divide units into contiguous grids of `band` households, each inside one community.

    `units`: polygons with ``unit_id`` and ``households``; optional ``population``, ``compound_id``, ``kind``,
    ``community`` (12 digits, or the code of the parent grid to divide), ``community_name``. `streets`: see
    `planning.graph.unit_graph`. `grids`: force that many ordinary grids. `time_limit`: seconds of search, after which
    the best so far is returned (only then the answer may differ between runs of one `seed`). Units of `special_kinds`
    without households form special grids, adjacent ones of a kind and compound together, when at least
    `special_min_area` m² large and no one is cut off by it. `preset` names weights and effort
    (`planning.partition.presets`), which `weights` and `effort` (the length of the search, 1 is usual) override.
    `scheme`: widths of grid codes, wide enough by itself when not given.

    Raises BadInput for units or streets that cannot be used; input that admits no plan in band gets the best plan
    with `feasible` False and the reasons.
    """
    begun = time.monotonic()
    chosen = preset_of(preset)
    weights = chosen.weights if weights is None else weights
    effort = chosen.effort if effort is None else effort
    _check(grids, seed, time_limit, special_min_area, special_min_street, effort)
    progress(0.0, "graph")
    problem = prepare(units, streets, band, special_kinds, special_min_area, special_min_street)
    schedule = Schedule(unit_tries=Schedule().unit_tries * effort, split_tries=Schedule().split_tries * effort)
    control = Control(deadline=None if time_limit is None else begun + time_limit)
    label, k, runs = _divide(problem, band, grids, seed, weights, schedule, control, progress, together=chosen.together)
    progress(0.99, "grids")
    scheme = scheme or scheme_for(problem, k)
    assignment, codes = order_grids(problem, label, k, scheme)
    table = grids_of(problem, assignment, codes, scheme)
    reasons = reasons_for(problem, assignment, table, band, grids)
    stats = stats_of(problem, assignment, table, band)
    stats |= {
        **runs,
        "preset": preset,
        "seed": seed,
        "seconds": round(time.monotonic() - begun, 3),
        "cut_by_time": control.cut,
    }
    progress(1.0, "done")
    return PlanResult(assignment, table, not reasons, reasons, stats, problem.geometry)


def _check(
    grids: int | None, seed: int, time_limit: float | None, special_min_area: float, special_min_street: float,
    effort: float,
) -> None:  # fmt: skip
    if grids is not None and grids < 1:
        raise BadInput(f"grids {grids}: give a number of grids of at least 1")
    if seed < 0:
        raise BadInput(f"seed {seed}: give a whole number of at least 0")
    if time_limit is not None and not time_limit >= 0:
        raise BadInput(f"time limit {time_limit}: give seconds of at least 0")
    if not special_min_area >= 0:
        raise BadInput(f"special minimum area {special_min_area}: give square metres of at least 0")
    if not 0 <= special_min_street <= 1:
        raise BadInput(f"special minimum street {special_min_street}: give a share from 0 to 1")
    if not effort > 0:
        raise BadInput(f"effort {effort}: give a number above 0")


def _divide(
    problem: Problem, band: Band, grids: int | None, seed: int, weights: Weights, schedule: Schedule,
    control: Control, progress: Progress, *, together: bool = True,
) -> tuple[Ints, int, dict[str, float]]:  # fmt: skip
    """Grid number of every unit (special grids last), their count, and counts of the search."""
    n = len(problem.households)
    label = np.full(n, -1, dtype=np.int64)
    ordinary = problem.piece >= 0
    total = float(problem.households[ordinary].sum())
    target = max((band.low + band.high) / 2.0, 1.0)
    cell = barrier_cells(problem.graph, problem.piece, problem.households, band)
    forced: dict[int, int] = {}
    if grids is not None:
        target = max(total / grids, 1e-9)
        cell, forced = allot_counts(cell, problem.piece, problem.households, band, grids)
    solved: dict[int, tuple[Job, Solution]] = {}
    rounds = 0
    wanted = np.unique(cell[cell >= 0]).tolist()
    control.total = float(ordinary.sum())
    while wanted:
        jobs = [
            _job(problem, np.flatnonzero(cell == number), band, target, weights, forced.get(number), seed, label)
            for number in wanted
        ]
        answers = solve_all(jobs, band, weights, schedule, control, progress, "search")
        for number, job, answer in zip(wanted, jobs, answers, strict=True):
            solved[number] = (job, answer)
            label[job.rows] = answer.label + n * number
        rounds += 1
        if forced or rounds > _ROUNDS or control.stopped():
            break
        wanted = _join_failed(problem, cell, solved)
        control.total += float(np.isin(cell, wanted).sum())
    cells = len(solved)
    if together and not control.stopped():
        _together(problem, solved, band, target, weights, schedule, control, progress, forced=bool(forced), seed=seed)
    k = 0
    for number in sorted(solved):
        job, answer = solved[number]
        label[job.rows] = answer.label + k
        k += answer.k
    special = problem.special >= 0
    label[special] = problem.special[special] + k
    count = k + (int(problem.special.max()) + 1 if special.any() else 0)
    energy = sum(answer.energy for _, answer in solved.values())
    return label, count, {"cells": cells, "rounds": rounds, "energy": round(energy, 4)}


def _together(
    problem: Problem, solved: dict[int, tuple[Job, Solution]], band: Band, target: float, weights: Weights,
    schedule: Schedule, control: Control, progress: Progress, *, forced: bool, seed: int,
) -> None:  # fmt: skip
    """Search the cells of each piece again as one, in place: pieces of several cells that are not too large."""
    pieces: dict[int, list[int]] = {}
    for number in sorted(solved):
        pieces.setdefault(int(problem.piece[solved[number][0].rows[0]]), []).append(number)
    groups, jobs = [], []
    for numbers in pieces.values():
        size = sum(len(solved[number][0].rows) for number in numbers)
        if len(numbers) == 1 or size > UNITS_MAX:
            continue
        label = np.full(len(problem.households), -1, dtype=np.int64)
        k = 0
        for number in numbers:
            job, answer = solved[number]
            label[job.rows] = answer.label + k
            k += answer.k
        groups.append(numbers)
        jobs.append(
            _job(problem, np.flatnonzero(label >= 0), band, target, weights, k if forced else None, seed, label)
        )
    control.total += sum(RUNS * len(job.rows) for job in jobs)
    for numbers, job, answer in zip(
        groups, jobs, solve_together(jobs, band, weights, schedule, control, progress), strict=True
    ):
        for number in numbers[1:]:
            del solved[number]
        solved[numbers[0]] = (job, answer)


def _job(
    problem: Problem, rows: Ints, band: Band, target: float, weights: Weights, forced: int | None, seed: int,
    label: Ints,
) -> Job:  # fmt: skip
    """The search for the units `rows`; where all have a `label` from an earlier round, that is the division to beat."""
    sums = np.bincount(
        problem.compound[problem.compound >= 0],
        problem.households[problem.compound >= 0],
        minlength=len(problem.compound_names),
    )
    cell = cell_of(problem.graph, rows, problem.households, problem.compound, sums <= band.high, weights, target)
    known = np.unique(label[rows], return_inverse=True)[1].astype(np.int32) if label[rows].min() >= 0 else None
    counts = (forced,) if forced is not None else counts_for(cell.households, band, target)
    return Job(
        rows, cell, counts, target, bound_of(cell.households, band), (seed, int(rows[0]), len(rows)), known,
        forced is not None,
    )  # fmt: skip


def _join_failed(problem: Problem, cell: Ints, solved: dict[int, tuple[Job, Solution]]) -> list[int]:
    """Join each cell that came out of band with the neighbour it borders longest, in place; the cells to redo."""
    graph = problem.graph
    one, two = cell[graph.sources], cell[graph.indices]
    beside = (one >= 0) & (two >= 0) & (one != two)
    beside &= problem.piece[graph.sources] == problem.piece[graph.indices]
    again: set[int] = set()
    touched: set[int] = set()
    for number in sorted(solved):
        if number in touched:
            continue
        job, answer = solved[number]
        if answer.outside <= job.bound + 1e-9:
            continue
        border = beside & (one == number) & ~np.isin(two, sorted(touched))
        if not border.any():
            continue
        metres = np.bincount(two[border], graph.border[border])
        other = int(np.argmax(metres))
        touched |= {number, other}
        cell[cell == number] = other
        again.add(other)
        solved.pop(number)
        solved.pop(other)
    return sorted(again)
