"""From a prepared layer to labels: cells, rounds of search, cells joined or searched together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gisgrid.limits import TOGETHER_UNITS_MAX
from planning.partition.allot import allot_counts
from planning.partition.cells import barrier_cells
from planning.partition.prepare import Problem
from planning.partition.search import Found, Search
from planning.partition.solve import Job, Solution, bound_of, cell_of, counts_for, solve_all
from planning.partition.together import RUNS, solve_together

Ints = npt.NDArray[np.int64]

_ROUNDS = 6


def divide(
    problem: Problem, grids: int | None, seed: int, search: Search, *, together: bool = True
) -> tuple[Ints, int, Ints, dict[str, float]]:
    """Grid number of every unit (special and locked grids last), their count, the old grid each goes on as or -1
    (ordinary grids only), and counts of the search.
    """
    band, control = search.limits.band, search.control
    n = len(problem.load)
    label = np.full(n, -1, dtype=np.int64)
    ordinary = problem.piece >= 0
    target = search.limits.middle
    keeps = bool((problem.old[ordinary] >= 0).any())
    # old grids lie across rivers too: with them a piece is one cell
    cell = problem.piece.copy() if keeps else barrier_cells(problem.graph, problem.piece, problem.load, band)
    forced: dict[int, int] = {}
    if grids is not None:
        target = max(float(problem.load[ordinary].sum()) / grids, 1e-9)
        cell, forced = allot_counts(cell, problem.piece, problem.load, band, grids)
    solved: dict[int, tuple[Job, Solution]] = {}
    rounds = 0
    wanted = np.unique(cell[cell >= 0]).tolist()
    control.total = float(ordinary.sum())
    control.apart = problem.special
    members = _members(cell)
    while wanted:
        jobs = [job_of(problem, members[number], target, forced.get(number), seed, label, search) for number in wanted]
        answers = solve_all(jobs, search)
        for number, job, answer in zip(wanted, jobs, answers, strict=True):
            solved[number] = (job, answer)
            label[job.rows] = answer.label + n * number
        rounds += 1
        if forced or keeps or rounds > _ROUNDS or control.stopped():
            break
        wanted = _join_failed(problem, cell, solved, search)
        members = _members(cell)
        control.total += float(np.isin(cell, wanted).sum())
    cells = len(solved)
    if together and not control.stopped():
        _together(problem, solved, target, search, forced=bool(forced), seed=seed)
    return _numbered(problem, label, solved, {"cells": cells, "rounds": rounds})


def _numbered(
    problem: Problem, label: Ints, solved: dict[int, tuple[Job, Solution]], runs: dict[str, float]
) -> tuple[Ints, int, Ints, dict[str, float]]:
    """Cells' labels made one row of numbers, special and locked grids after them."""
    k = 0
    heirs = [np.empty(0, np.int64)]
    for number in sorted(solved):
        job, answer = solved[number]
        label[job.rows] = answer.label + k
        k += answer.k
        olds = np.unique(problem.old[job.rows])
        olds = olds[olds >= 0]
        heirs.append(np.where(answer.heir >= 0, np.append(olds, -1)[answer.heir], -1))
    special = problem.special >= 0
    label[special] = problem.special[special] + k
    count = k + (int(problem.special.max()) + 1 if special.any() else 0)
    energy = sum(answer.energy for _, answer in solved.values())
    proven = sum(answer.proven for _, answer in solved.values())
    return label, count, np.concatenate(heirs), runs | {"energy": round(energy, 4), "cells_proven": proven}


def _members(cell: Ints) -> dict[int, Ints]:
    """Rows of each cell, ascending."""
    order = np.argsort(cell, kind="stable")
    order = order[cell[order] >= 0]
    numbers, first = np.unique(cell[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, first[1:]), strict=True)) if len(order) else {}


def _together(
    problem: Problem, solved: dict[int, tuple[Job, Solution]], target: float, search: Search, *, forced: bool, seed: int
) -> None:
    """Search the cells of each piece again as one, in place: pieces of several cells that are not too large."""
    pieces: dict[int, list[int]] = {}
    for number in sorted(solved):
        pieces.setdefault(int(problem.piece[solved[number][0].rows[0]]), []).append(number)
    groups, jobs = [], []
    for numbers in pieces.values():
        size = sum(len(solved[number][0].rows) for number in numbers)
        if len(numbers) == 1 or size > TOGETHER_UNITS_MAX:
            continue
        label = np.full(len(problem.load), -1, dtype=np.int64)
        k = 0
        for number in numbers:
            job, answer = solved[number]
            label[job.rows] = answer.label + k
            k += answer.k
        groups.append(numbers)
        jobs.append(job_of(problem, np.flatnonzero(label >= 0), target, k if forced else None, seed, label, search))
        answers = [solved[number][1] for number in numbers]
        for number in numbers:
            search.control.forget(solved[number][0].seed)
        inside, energy = sum(one.inside for one in answers), sum(one.energy for one in answers)
        known = jobs[-1].known
        assert known is not None
        search.control.found(jobs[-1].seed, Found(jobs[-1].rows, known, k, inside, energy))
    search.control.total += sum(RUNS * len(job.rows) for job in jobs)
    for numbers, job, answer in zip(groups, jobs, solve_together(jobs, search), strict=True):
        for number in numbers[1:]:
            del solved[number]
        solved[numbers[0]] = (job, answer)


def job_of(
    problem: Problem, rows: Ints, target: float, forced: int | None, seed: int, label: Ints, search: Search
) -> Job:
    """The search for the units `rows`; where all have a `label` from an earlier round, that is the division to beat.

    Against old grids the first count that fits is taken as forced: churn is small for the number the households ask.
    """
    cell = cell_of(problem, rows, search.limits, search.weights, target)
    known = np.unique(label[rows], return_inverse=True)[1].astype(np.int32) if label[rows].min() >= 0 else None
    counts = (forced,) if forced is not None else counts_for(cell, search.limits, target)
    keeps = bool((cell.old >= 0).any())
    if keeps:
        counts = counts[:1]
    return Job(
        rows, cell, counts, target, bound_of(cell.load, search.limits.band), (seed, int(rows[0]), len(rows)), known,
        forced is not None or keeps, keeps,
    )  # fmt: skip


def _join_failed(problem: Problem, cell: Ints, solved: dict[int, tuple[Job, Solution]], search: Search) -> list[int]:
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
        if not job.missed_by(answer):
            continue
        border = beside & (one == number) & ~np.isin(two, sorted(touched))
        if not border.any():
            continue
        metres = np.bincount(two[border], graph.border[border])
        other = int(np.argmax(metres))
        touched |= {number, other}
        cell[cell == number] = other
        again.add(other)
        for one_of in (number, other):
            search.control.forget(solved.pop(one_of)[0].seed)
    return sorted(again)
