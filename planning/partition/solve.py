"""Solving cells: how many grids, several starts, annealing, and joining cells that came out of band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
import numpy.typing as npt

from gisgrid.models import Band
from planning.graph import MAJOR_CLASSES
from planning.partition.anneal import run_stage
from planning.partition.cells import least_outside
from planning.partition.energy import Weights, energy_of, outside_of
from planning.partition.exact import solve_exactly, worth_trying
from planning.partition.keeping import start_from_old
from planning.partition.limits import Limits
from planning.partition.pool import Pool
from planning.partition.prepare import Problem
from planning.partition.search import Found, Search, in_threads
from planning.partition.seeding import grown_labels, metis_labels
from planning.partition.state import Cell, Floats, Int32s, choose_heirs, division, scratch_for

Ints = npt.NDArray[np.int64]

ATTEMPTS = 8
"""Further starts every count gets while a cell is out of band."""
SHORT = 0.25
"""Length of these searches."""
MIXING = 6
"""After so many further starts the grids in band met so far are mixed."""
REHEAT = 0
KEEPING = 4
"""Starts from the old grids, all of them made."""
CHURN_HEAT = 0.5
"""Heat a search from the old grids starts with, in the energy of a mean unit leaving its old grid."""
EXACT_SETS = 400_000
"""Grids in band a cell may have at most to be solved with proof."""
EXACT_NODES = 5_000_000
"""Steps of the exact search; a cell that needs more is annealed."""
STEPS_MIN = 400
"""Moves of a stage at least, so that tiny cells are searched through."""


@dataclass(frozen=True, slots=True)
class Job:
    """One cell to divide: its units (rows of the problem, ascending), the counts to try (best first), its seed.

    `bound`: load outside the band that no division can avoid. `known`: a division to beat, labels 0…k-1.
    `forced`: the one count must be met. `keeps`: there are old grids to stay near.
    """

    rows: Ints
    cell: Cell
    counts: tuple[int, ...]
    target: float
    bound: float
    seed: tuple[int, ...]
    known: Int32s | None = None
    forced: bool = False
    keeps: bool = False

    def missed_by(self, answer: Solution) -> bool:
        """Whether a division is out of band without need."""
        return answer.outside > self.bound + 1e-9


@dataclass(frozen=True, slots=True)
class Solution:
    """Labels 0…k-1 of a cell's units, load outside the limits, grids inside them, energy, heir of every grid.

    `proven`: no division is better; `settled`: none that keeps units without load with their neighbours.
    """

    label: Int32s
    k: int
    outside: float
    inside: int
    energy: float
    heir: Int32s
    proven: bool = False
    settled: bool = False

    def of(self, rows: Ints) -> Found:
        """What is booked of the division of the units `rows`."""
        return Found(rows, self.label, self.k, self.inside, self.energy)

    @property
    def score(self) -> tuple[float, float]:
        """What is compared between counts: households outside the band, then energy per grid."""
        return (round(self.outside, 6), self.energy / self.k)


def cell_of(problem: Problem, rows: Ints, limits: Limits, weights: Weights, target: float) -> Cell:
    """The search's arrays for the units `rows` (ascending)."""
    graph = problem.graph
    n = len(rows)
    size = graph.indptr[rows + 1] - graph.indptr[rows]
    source = np.repeat(np.arange(n), size)
    entry = np.arange(len(source)) - np.repeat(np.cumsum(size) - size, size) + graph.indptr[rows][source]
    target_row = np.minimum(np.searchsorted(rows, graph.indices[entry]), n - 1)
    inside = rows[target_row] == graph.indices[entry]
    source, entry, target_row = source[inside], entry[inside], target_row[inside].astype(np.int32)
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(source, minlength=n), out=indptr[1:])
    cost = np.asarray(weights.class_cost)
    h = np.ascontiguousarray(problem.load[rows])
    grids = max(float(h.sum()) / target, 1.0)
    scale = 4.0 * np.sqrt(graph.area[rows].sum() / grids)
    street = graph.street[entry]
    cut_cost = weights.street * (graph.by_class[entry].astype(np.float64) @ cost) / scale
    link = 1.0 - cost[street] / max(float(cost.max()), 1e-12)
    old = _local_old(problem.old[rows])
    apart = old[source] != old[target_row]
    cut_cost[apart] -= weights.border * graph.border[entry[apart]] / scale
    link[apart] = 1.0
    group, member, member_ptr, used = _compounds(problem, rows)
    return Cell(
        indptr, target_row, graph.border[entry], cut_cost,
        np.where(street < MAJOR_CLASSES, graph.border[entry], 0.0), link,
        h, np.ascontiguousarray(problem.more[rows]), graph.area[rows], graph.perimeter[rows],
        group, weights.split * problem.compound_share[used], member_ptr, member, member_ptr,
        old, weights.churn * h / limits.middle,
    )  # fmt: skip


def _local_old(old: Ints) -> Int32s:
    """Old grids of a cell's units numbered 0…, -1 for none."""
    known, number = np.unique(old, return_inverse=True)
    return (number - int(len(known) > 0 and known[0] < 0)).astype(np.int32)


def _compounds(problem: Problem, rows: Ints) -> tuple[Int32s, Int32s, Int32s, Ints]:
    """Compounds of several populated units: number of each unit's, members, their ends, rows of the compounds."""
    group = np.where(problem.load[rows] > 0, problem.compound[rows], -1)
    used, row_of = np.unique(group, return_inverse=True)
    size = np.bincount(row_of, minlength=len(used))
    real = (used >= 0) & (size > 1)
    number = np.where(real, np.cumsum(real) - 1, -1)
    group = number[row_of].astype(np.int32)
    order = np.argsort(group, kind="stable")
    member: Int32s = order[group[order] >= 0].astype(np.int32)
    member_ptr = np.zeros(int(real.sum()) + 1, dtype=np.int32)
    np.cumsum(size[real], out=member_ptr[1:])
    return group, member, member_ptr, used[real]


def counts_for(cell: Cell, limits: Limits, target: float) -> tuple[int, ...]:
    """Numbers of grids worth trying for a cell, best first: near its load by `target`, within the limits if any is."""
    n = len(cell.load)
    heavy = cell.load > limits.high
    count = int(heavy.sum())
    rest = float(cell.load[~heavy].sum())
    fits = limits.counts(rest, cell.more[~heavy].sum(axis=0).tolist()) if rest > 0 else range(0, 1)
    ideal = rest / target
    if len(fits):
        near = sorted(range(max(fits[0], int(ideal) - 2), min(fits[-1], int(ideal) + 3) + 1))
        near = near or [min(max(round(ideal), fits[0]), fits[-1])]
    else:
        fewest = int(rest // max(limits.high, 1))
        near = [max(fewest, 0), fewest + 1]
    near.sort(key=lambda k: (abs(rest / k - target) if k else rest, k))
    found = [min(max(k + count, 1), n) for k in near]
    return tuple(dict.fromkeys(found))


def solve(job: Job, search: Search) -> Solution:
    """Best division of one cell over its counts and several starts; more of both while it is out of band.

    The grids in band of all runs are mixed in the end, with a free number of grids when the job has more than one.
    """
    control = search.control
    best = solved_exactly(job, search)
    if best is not None and best.settled:
        control.advance(len(job.rows))
        control.found(job.seed, best.of(job.rows))
        return best
    pool = Pool(job.cell, search.limits, search.rates(job.target))
    if best is not None:
        pool.add(best.label, best.k)
    if job.known is not None:
        known = measured(job, job.known, int(job.known.max()) + 1, search)
        pool.add(known.label, known.k)
        best = known if best is None or known.score < best.score else best
    usual = KEEPING if job.keeps else len(_worthwhile(job, search.limits)) * search.schedule.starts
    for attempt, (k, length) in enumerate(_attempts(job, search)):
        if best is not None and ((attempt >= usual and not job.missed_by(best)) or control.stopped()):
            break
        found = _attempt(job, k, attempt, search.of_length(length), best, pool)
        if best is None or found.score < best.score:
            best = found
            control.found(job.seed, best.of(job.rows))
        if attempt >= usual and (attempt - usual) % MIXING == 0 and job.missed_by(best):
            best = mixed(job, pool, best, search)  # grids in band of several runs may cover what no run did
        if job.keeps and attempt + 1 == KEEPING and job.missed_by(best):
            usual += KEEPING  # one division in band found afresh may be far from the old grids: the best of several
    assert best is not None
    return mixed(job, pool, best, search)


def solved_exactly(job: Job, search: Search) -> Solution | None:
    """The best division of a small cell from the list of all its grids in band; None where it is too large for that or
    nothing is in band.

    Units without load that had to be absorbed are set right afterwards by a short search. Against old grids cells are
    left to annealing: what a grid costs depends on which old grid it goes on as.
    """
    rates = search.rates(job.target)
    if job.keeps or job.counts == (1,) or search.control.stopped() or not worth_trying(job.cell, rates, EXACT_SETS):
        return None
    upper = None if job.known is None else (job.known, int(job.known.max()) + 1)
    forced = job.counts[0] if job.forced else None
    found = solve_exactly(job.cell, rates, forced, upper, cap=EXACT_SETS, nodes=EXACT_NODES)
    if found is None or found.label is None:
        return None
    answer = measured(job, found.label, found.k, search)
    if found.proven and found.absorbed:
        middle = search.schedule.stages // 2
        polished, _ = anneal(job, answer.label.copy(), answer.k, job.seed[0], search, middle, full_band=True)
        answer = min(answer, polished, key=lambda one: one.score)
    return replace(answer, proven=found.proven and not found.absorbed, settled=found.proven)


def mixed(job: Job, pool: Pool, best: Solution, search: Search) -> Solution:
    """The best mix of the pool's grids, or `best` when that is better."""
    if job.counts == (1,) or search.control.stopped():
        return best
    pool.add(best.label, best.k)
    label, k = pool.mixed(best.label, best.k, job.counts[0] if job.forced else None)
    found = measured(job, label, k, search)
    return found if found.score < best.score else best


def _worthwhile(job: Job, limits: Limits) -> tuple[int, ...]:
    """Counts tried whatever comes: the first, and in small cells the next one when it leaves room in the band."""
    width = 0.15 * (limits.high - limits.low)
    total = float(job.cell.load.sum())
    more = (k for k in job.counts[1:2] if k < 12 and limits.low + width <= total / k <= limits.high - width)
    return (*job.counts[:1], *more)


def _attempts(job: Job, search: Search) -> Iterator[tuple[int, float]]:
    """Counts in the order they are tried (`REHEAT` for another search from the best so far) and the search's length.

    Out of band, many short searches find what a few long ones miss: these settle in the same places.
    """
    if job.counts == (1,):
        return iter(((1, 1.0),))
    starts = KEEPING if job.keeps else search.schedule.starts
    usual = [(k, 1.0) for k in _worthwhile(job, search.limits) * starts]
    late = [(k, 1.0) for k in (REHEAT, *job.counts[:3])]
    return chain(usual, late, [(k, SHORT) for k in job.counts] * ATTEMPTS)


def _attempt(job: Job, k: int, attempt: int, search: Search, best: Solution | None, pool: Pool) -> Solution:
    """One search; for `REHEAT` from the best, at the middle of the schedule (band weight full, half as hot)."""
    seed = int(np.random.SeedSequence((*job.seed, attempt)).generate_state(1)[0])
    first = 0
    turn = attempt // len(_worthwhile(job, search.limits))
    if k == REHEAT and best is not None:
        k, start, first = best.k, best.label.copy(), search.schedule.stages // 2
    elif job.keeps and turn < KEEPING:
        start = start_from_old(job.cell, k, seed, search.rates(job.target))
        search = _churn_heated(job.cell, search)
    else:
        # METIS and random growth by turns: where one start leads nowhere the other may
        by_metis = (turn if attempt < 2 * len(_worthwhile(job, search.limits)) else seed) % 2 == 0
        start = metis_labels(job.cell, k, seed) if by_metis else grown_labels(job.cell, k, seed)
        if job.keeps:
            return _afresh(job, k, seed, start, search, pool)
    found, met = anneal(job, start, k, seed, search, first)
    for label in met:
        pool.add(label, k)
    return found


def _churn_heated(cell: Cell, search: Search) -> Search:
    """Temperatures at which a usual unit leaves its old grid often at first, and now and then in the end."""
    leaving = cell.stay[cell.stay > 0]
    hot = CHURN_HEAT * float(leaving.mean()) if len(leaving) else 0.0
    usual = search.schedule
    return search.with_schedule(hot=max(hot, 0.1 * usual.hot), cold=max(0.1 * hot, usual.cold))


def _afresh(job: Job, k: int, seed: int, start: Int32s, search: Search, pool: Pool) -> Solution:
    """A search that leaves the old grids aside until it is in band, then one from there that does not."""
    free = job.cell._replace(stay=np.zeros(len(job.rows)), cost=np.maximum(job.cell.cost, 0.0))
    plain, _ = anneal(replace(job, cell=free), start, k, seed, search)
    near = _churn_heated(job.cell, search)
    found, met = anneal(job, plain.label.copy(), k, seed ^ 1, near, search.schedule.stages // 2)
    for label in (plain.label, *met):
        pool.add(label, k)
    return found


def anneal(
    job: Job, start: Int32s, k: int, seed: int, search: Search, first: int = 0, *, full_band: bool = False
) -> tuple[Solution, list[Int32s]]:
    """One run of the schedule from stage `first`: the best division met, and others met while it was cold.

    `full_band`: the band weighs fully from the start. Changes `start`.
    """
    cell, schedule = job.cell, search.schedule
    n = len(job.rows)
    div = division(cell, start, k)
    best = measured(job, div.label, k, search)
    met: list[Int32s] = []
    if k in (1, n):
        search.control.advance(n)
        return best, met
    scratch = scratch_for(n, seed)
    steps, split_share = schedule.steps(n, k)
    steps = max(steps, STEPS_MIN)
    heat = search.weights.heat
    for stage in range(first, schedule.stages + 1):
        if search.control.stopped():
            break
        rates = search.rates(job.target, 1.0 if full_band else schedule.band_share(stage))
        rates = rates._replace(major=rates.major * schedule.major_share(stage))
        choose_heirs(cell, div)
        run_stage(cell, div, rates, scratch, heat * schedule.temperature(stage), steps, split_share)
        search.control.advance(n / (schedule.stages + 1) / schedule.starts)
        found = measured(job, div.label, k, search)
        if found.score < best.score:
            best = found
        if stage > 0.75 * schedule.stages and stage % 2 == 0:
            met.append(div.label.copy())
    return best, met


def measured(job: Job, label: Int32s, k: int, search: Search) -> Solution:
    """A division with its figures at full weights."""
    div = division(job.cell, label, k)
    rates = search.rates(job.target)
    inside = int(search.limits.inside(div.load, div.more).sum())
    return Solution(
        div.label.copy(), k, outside_of(div, rates), inside, energy_of(job.cell, div, rates), div.heir.copy()
    )


def solve_all(jobs: Sequence[Job], search: Search) -> list[Solution]:
    """Solve every job, the largest first, on all cores; the answers in the order of `jobs`."""
    order = sorted(range(len(jobs)), key=lambda i: (-len(jobs[i].rows), i))
    found = in_threads([partial(solve, jobs[i], search) for i in order], search)
    return [found[place] for place in np.argsort(order).tolist()]


def bound_of(load: Floats, band: Band) -> float:
    """Lower bound on a cell's load outside the band."""
    heavy = load[load > band.high]
    return least_outside(float(load.sum()), float(heavy.sum()), float((heavy - band.high).sum()), band)
