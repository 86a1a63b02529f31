"""The best choice, proven: search, bound, reduce, and what is left to HiGHS.

The model has one 0–1 variable a column and, for every place and every different value it may get (best first), a
variable for "gets at least that", worth what the step to the next lower value is. It is at most the sum of the columns
that give exactly that value and the variable before (the radius formulation: García, Labbé & Marín 2011, in the
chained form of Elloumi 2010). With one value a place that is the covering model of Church & ReVelle; its relaxation
is as strong as that of the model with a variable a pair, with far fewer of them.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.sparse import coo_array

from gisgrid.models import Progress, no_progress
from planning.siting.bounds import lagrange
from planning.siting.highs import Program, solve_program
from planning.siting.problem import EXACT, Bool, Choice, Float64, Int64, Problem, best_values, gap_of, ranked
from planning.siting.reduce import merge_places, undominated
from planning.siting.search import canonical, greedy, improve, room, worth


def best_choice(
    problem: Problem,
    *,
    covering: bool = False,
    reductions: bool = True,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Choice:
    """The choice of most worth within the limits, with the gap to what could be better at most.

    ``covering`` says that a place has one value, whoever reaches it; merging and dominance are for that case.
    ``reductions=False`` gives the whole model to HiGHS (for comparison). Ends with the best found after
    ``time_limit`` seconds, or when ``progress`` raises KeyboardInterrupt.
    """
    begun = time.monotonic()
    columns = np.flatnonzero(np.diff(problem.value.indptr) > 0)
    columns = columns[(problem.use[:, columns] <= room(problem)[:, None]).all(axis=0)]
    small = problem.take(columns)
    work: dict[str, float] = {
        "candidates": problem.columns, "places": problem.value.shape[1], "pairs": int(problem.value.nnz)
    }  # fmt: skip
    if covering and reductions:
        small = merge_places(small)
        kept = undominated(small)
        columns, small = columns[kept], small.take(kept)
    work |= {"candidates_kept": small.columns, "places_kept": len(np.unique(small.value.indices))}
    progress(0.05, "search")
    known = improve(small, greedy(small)) if small.columns else np.empty(0, np.int64)
    value = worth(small, known)
    work["search_value"] = value
    bound, status = _ceiling(small), "optimal"
    closed, opened = np.zeros(small.columns, bool), np.zeros(small.columns, bool)
    if reductions and not _reached(value, bound, small):
        progress(0.1, "bound")
        found = lagrange(small, known)
        if found is not None:
            known, value = found.columns, worth(small, found.columns)
            work |= {"search_value": value, "bound": found.bound}
            bound, opened, closed = min(bound, found.bound), found.opened, found.closed
    work["candidates_solved"] = 0
    if not _reached(value, bound, small):
        left = None if time_limit is None else max(0.0, time_limit - (time.monotonic() - begun))
        known, bound, status, size = _by_highs(small, known, bound, opened, closed, left, progress)
        work |= size
    final = columns[known]
    if reductions:
        final = canonical(problem, final)
    order, gains = ranked(problem.value, final)
    value = float(gains.sum())
    if status == "optimal" or _reached(value, bound, problem):
        status, bound = "optimal", value
    progress(1.0, "done")
    return Choice(order, gains, value, max(bound, value), gap_of(value, max(bound, value)), status, work)


def _ceiling(problem: Problem) -> float:
    """What all columns together are worth."""
    return worth(problem, np.arange(problem.columns))


def _reached(value: float, bound: float, problem: Problem) -> bool:
    """Whether nothing above ``value`` is possible under ``bound``."""
    if problem.whole:
        return bound < value + 1.0 - 1e-6
    return bound <= value + EXACT * max(1.0, abs(value))


def _by_highs(
    problem: Problem, known: Int64, bound: float, opened: Bool, closed: Bool, seconds: float | None, progress: Progress
) -> tuple[Int64, float, str, dict[str, float]]:
    """(choice, bound, status, size) of the columns not ruled out, no worse than the one known."""
    value = worth(problem, known)
    kept = np.flatnonzero(~closed)
    if not len(kept):  # every column is in no choice better than the one known
        return known, value, "optimal", {}
    part = problem.take(kept)
    program = model(part, opened[kept])
    inside = np.searchsorted(kept, known[~closed[known]])
    start = None
    if len(inside) == len(known) and opened[known].sum() == opened.sum():
        start = _start(part, inside, program)
    slack = 1.0 - 1e-6 if problem.whole else EXACT * max(1.0, value)
    solved = solve_program(program, start=start, slack=slack, time_limit=seconds, progress=progress)
    size: dict[str, float] = {
        "candidates_solved": len(kept), "rows": program.matrix.shape[0], "entries": int(program.matrix.nnz)
    }  # fmt: skip
    if solved.x is not None:
        found = kept[np.flatnonzero(solved.x[: len(kept)] > 0.5)]
        if worth(problem, found) > value:
            known, value = found, worth(problem, found)
    return known, min(bound, max(solved.bound, value)), solved.status, size


def _levels(problem: Problem) -> tuple[Int64, Int64, Float64, Int64]:
    """(column, level of each stored value; worth of each level; level before it of the same place, -1 for the first).

    Levels are the different values of one place, best first.
    """
    pairs = problem.value.tocoo()
    order = np.lexsort((pairs.col * 0 + pairs.row, -pairs.data, pairs.col))
    column, place, value = pairs.row[order].astype(np.int64), pairs.col[order], pairs.data[order]
    new = np.ones(len(order), bool)
    new[1:] = (place[1:] != place[:-1]) | (value[1:] != value[:-1])
    level = np.cumsum(new) - 1
    at = np.flatnonzero(new)
    height, owner = value[at], place[at]
    follows = np.zeros(len(at), bool)
    follows[1:] = owner[1:] == owner[:-1]
    below = np.where(np.append(follows[1:], False), np.append(height[1:], 0.0), 0.0)
    before = np.where(follows, np.arange(len(at)) - 1, -1)
    return column, level, height - below, before


def model(problem: Problem, opened: Bool) -> Program:
    """The program of a problem: its columns first, then the levels of the places."""
    column, level, step, before = _levels(problem)
    count, levels = problem.columns, len(step)
    each = np.arange(levels)
    chained = np.flatnonzero(before >= 0)
    # a level is reached by a column that gives it, or when a better one is
    rows = [level, each, chained]
    cols = [column, count + each, count + before[chained]]
    data = [np.ones(len(level)), -np.ones(levels), np.ones(len(chained))]
    lower, upper = [np.zeros(levels)], [np.full(levels, np.inf)]
    used = levels
    rule, owner = np.nonzero(problem.use)
    rows.append(used + rule)
    cols.append(owner)
    data.append(problem.use[rule, owner])
    lower.append(np.full(len(problem.limit), -np.inf))
    upper.append(room(problem))
    used += len(problem.limit)
    if problem.site is not None:
        sites, spot = np.unique(problem.site, return_inverse=True)
        rows.append(used + spot)
        cols.append(np.arange(count))
        data.append(np.ones(count))
        lower.append(np.full(len(sites), -np.inf))
        upper.append(np.ones(len(sites)))
        used += len(sites)
    matrix = coo_array(
        (np.concatenate(data), (np.concatenate(rows), np.concatenate(cols))), shape=(used, count + levels)
    ).tocsr()
    return Program(
        worth=np.concatenate([np.zeros(count), step]),
        matrix=matrix,
        lower=np.concatenate(lower),
        upper=np.concatenate(upper),
        least=np.concatenate([opened.astype(np.float64), np.zeros(levels)]),
        most=np.ones(count + levels),
        whole=np.concatenate([np.ones(count, bool), np.zeros(levels, bool)]),
    )


def _start(problem: Problem, columns: Int64, program: Program) -> Float64:
    """The variables of a known choice."""
    out = np.zeros(len(program.worth))
    out[columns] = 1.0
    pairs = problem.value.tocoo()
    best = best_values(problem.value, columns)
    order = np.lexsort((pairs.row, -pairs.data, pairs.col))
    place, value = pairs.col[order], pairs.data[order]
    new = np.ones(len(order), bool)
    new[1:] = (place[1:] != place[:-1]) | (value[1:] != value[:-1])
    out[problem.columns :] = best[place[new]] >= value[new]
    return out
