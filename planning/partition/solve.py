"""Solving cells: how many grids, several starts, annealing, and joining cells that came out of band."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from gisgrid.models import Band, Progress
from planning.graph import MAJOR_CLASSES, UnitGraph
from planning.partition.anneal import Schedule, run_stage
from planning.partition.cells import least_outside
from planning.partition.energy import Weights, energy_of, outside_of
from planning.partition.pool import Pool
from planning.partition.seeding import grown_labels, metis_labels
from planning.partition.state import Cell, Floats, Int32s, division, scratch_for

Ints = npt.NDArray[np.int64]

ATTEMPTS = 3
"""Further starts every count of a small cell gets while it is out of band."""
SMALL = 60
"""Units of a cell that is small: starting afresh is cheaper and finds more than searching on."""
REHEAT = 0
STEPS_MIN = 400
"""Moves of a stage at least, so that tiny cells are searched through."""


@dataclass(frozen=True, slots=True)
class Job:
    """One cell to divide: its units (rows of the problem, ascending), the counts to try (best first), its seed.

    `bound`: households outside the band that no division can avoid. `known`: a division to beat, labels 0…k-1.
    `forced`: the one count must be met.
    """

    rows: Ints
    cell: Cell
    counts: tuple[int, ...]
    target: float
    bound: float
    seed: tuple[int, ...]
    known: Int32s | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """Labels 0…k-1 of a cell's units, households outside the band, energy."""

    label: Int32s
    k: int
    outside: float
    energy: float

    @property
    def score(self) -> tuple[float, float]:
        """What is compared between counts: households outside the band, then energy per grid."""
        return (round(self.outside, 6), self.energy / self.k)


@dataclass(slots=True)
class Control:
    """Shared by the threads: when to stop, and how much is done."""

    deadline: float | None = None
    cancelled: bool = False
    cut: bool = False
    done: float = 0.0
    total: float = 1.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stopped(self) -> bool:
        """Whether the time is over or the caller gave up; remembers that the search was cut short by it."""
        late = self.deadline is not None and time.monotonic() >= self.deadline
        self.cut = self.cut or late
        return self.cancelled or late

    def advance(self, work: float) -> None:
        """Book finished work."""
        with self.lock:
            self.done += work


def cell_of(
    graph: UnitGraph, rows: Ints, households: Floats, compound: Ints, fits: npt.NDArray[np.bool_],
    weights: Weights, target: float,
) -> Cell:  # fmt: skip
    """The search's arrays for the units `rows` (ascending). `fits`: per compound, whether it fits in one grid."""
    n = len(rows)
    local = np.full(len(graph.area), -1, dtype=np.int32)
    local[rows] = np.arange(n, dtype=np.int32)
    source = graph.sources
    entry = np.flatnonzero((local[source] >= 0) & (local[graph.indices] >= 0))
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(local[source[entry]], minlength=n), out=indptr[1:])
    cost = np.asarray(weights.class_cost)
    h = np.ascontiguousarray(households[rows])
    grids = max(float(h.sum()) / target, 1.0)
    scale = 4.0 * np.sqrt(graph.area[rows].sum() / grids)
    street = graph.street[entry]
    group = np.where(h > 0, compound[rows], -1)
    used, row_of = np.unique(group, return_inverse=True)
    size = np.bincount(row_of, minlength=len(used))
    real = (used >= 0) & (size > 1)
    number = np.where(real, np.cumsum(real) - 1, -1)
    group = number[row_of].astype(np.int32)
    used = used[real]
    order = np.argsort(group, kind="stable")
    member: Int32s = order[group[order] >= 0].astype(np.int32)
    member_ptr = np.zeros(len(used) + 1, dtype=np.int32)
    np.cumsum(size[real], out=member_ptr[1:])
    # a compound that a river or main road runs through is not held together
    source = graph.sources
    across = (graph.street < MAJOR_CLASSES) & (compound[source] >= 0) & (compound[source] == compound[graph.indices])
    astride = np.zeros(len(fits), dtype=bool)
    astride[compound[source[across]]] = True
    share = np.where(astride, 0.0, np.where(fits, 1.0, 0.25))
    return Cell(
        indptr, local[graph.indices[entry]], graph.border[entry],
        weights.street * (graph.by_class[entry].astype(np.float64) @ cost) / scale,
        np.where(street < MAJOR_CLASSES, graph.border[entry], 0.0),
        1.0 - cost[street] / max(float(cost.max()), 1e-12),
        h, graph.area[rows], graph.perimeter[rows],
        group, weights.split * share[used], member_ptr, member, member_ptr,
    )  # fmt: skip


def counts_for(households: Floats, band: Band, target: float) -> tuple[int, ...]:
    """Numbers of grids worth trying for a cell, best first: near its households by `target`, in band if any is."""
    n = len(households)
    heavy = households[households > band.high]
    rest = float(households.sum() - heavy.sum())
    feasible = band.feasible_counts(rest) if rest > 0 else range(0, 1)
    ideal = rest / target
    if len(feasible):
        near = sorted(range(max(feasible[0], int(ideal) - 2), min(feasible[-1], int(ideal) + 3) + 1))
        near = near or [min(max(round(ideal), feasible[0]), feasible[-1])]
    else:
        near = [max(int(rest // max(band.high, 1)), 0), int(rest // max(band.high, 1)) + 1]
    near.sort(key=lambda k: (abs(rest / k - target) if k else rest, k))
    found = [min(max(k + len(heavy), 1), n) for k in near]
    return tuple(dict.fromkeys(found))


def solve(job: Job, band: Band, weights: Weights, schedule: Schedule, control: Control) -> Solution:
    """Best division of one cell over its counts and several starts; more of both while it is out of band.

    The grids in band of all runs are mixed in the end, with a free number of grids when the job has more than one.
    """
    best: Solution | None = None
    pool = Pool(job.cell, weights.rates(band, job.target), band)
    if job.known is not None:
        best = measured(job, job.known, int(job.known.max()) + 1, band, weights)
        pool.add(best.label, best.k)
    usual = len(_worthwhile(job, band)) * schedule.starts
    for attempt, k in enumerate(_attempts(job, band, schedule)):
        if best is not None and ((attempt >= usual and best.outside <= job.bound + 1e-9) or control.stopped()):
            break
        found = _attempt(job, k, attempt, band, weights, schedule, control, best, pool)
        if best is None or found.score < best.score:
            best = found
    assert best is not None
    return mixed(job, pool, best, band, weights, control)


def mixed(job: Job, pool: Pool, best: Solution, band: Band, weights: Weights, control: Control) -> Solution:
    """The best mix of the pool's grids, or `best` when that is better."""
    if job.counts == (1,) or control.stopped():
        return best
    pool.add(best.label, best.k)
    label, k = pool.mixed(best.label, best.k, job.counts[0] if job.forced else None)
    found = measured(job, label, k, band, weights)
    return found if found.score < best.score else best


def _worthwhile(job: Job, band: Band) -> tuple[int, ...]:
    """Counts tried whatever comes: the first, and in small cells the next one when it leaves room in the band."""
    width = 0.15 * (band.high - band.low)
    total = float(job.cell.households.sum())
    more = (k for k in job.counts[1:2] if k < 12 and band.low + width <= total / k <= band.high - width)
    return (*job.counts[:1], *more)


def _attempts(job: Job, band: Band, schedule: Schedule) -> Iterator[int]:
    """Counts in the order they are tried, `REHEAT` for another search from the best so far."""
    if job.counts == (1,):
        return iter((1,))
    small = len(job.rows) <= SMALL
    late = job.counts * ATTEMPTS if small else (REHEAT, REHEAT, *job.counts[:3], REHEAT, REHEAT)
    return chain(_worthwhile(job, band) * schedule.starts, late)


def _attempt(
    job: Job, k: int, attempt: int, band: Band, weights: Weights, schedule: Schedule, control: Control,
    best: Solution | None, pool: Pool,
) -> Solution:  # fmt: skip
    """One search; for `REHEAT` from the best, at the middle of the schedule (band weight full, half as hot)."""
    seed = int(np.random.SeedSequence((*job.seed, attempt)).generate_state(1)[0])
    first = 0
    if k == REHEAT and best is not None:
        k, start, first = best.k, best.label.copy(), schedule.stages // 2
    else:
        # METIS and random growth by turns: where one start leads nowhere the other may
        by_metis = attempt // len(_worthwhile(job, band)) % 2 == 0
        start = metis_labels(job.cell, k, seed) if by_metis else grown_labels(job.cell, k, seed)
    found, met = anneal(job, start, k, seed, band, weights, schedule, control, first)
    for label in met:
        pool.add(label, k)
    return found


def anneal(
    job: Job, start: Int32s, k: int, seed: int, band: Band, weights: Weights, schedule: Schedule, control: Control,
    first: int = 0, *, full_band: bool = False,
) -> tuple[Solution, list[Int32s]]:  # fmt: skip
    """One run of the schedule from stage `first`: the best division met, and others met while it was cold.

    `full_band`: the band weighs fully from the start. Changes `start`.
    """
    cell = job.cell
    n = len(job.rows)
    div = division(cell, start, k)
    best = measured(job, div.label, k, band, weights)
    met: list[Int32s] = []
    if k in (1, n):
        control.advance(n)
        return best, met
    scratch = scratch_for(n, seed)
    steps, split_share = schedule.steps(n, k)
    steps = max(steps, STEPS_MIN)
    for stage in range(first, schedule.stages + 1):
        if control.stopped():
            break
        rates = weights.rates(band, job.target, 1.0 if full_band else schedule.band_share(stage))
        rates = rates._replace(major=rates.major * schedule.major_share(stage))
        run_stage(cell, div, rates, scratch, schedule.temperature(stage), steps, split_share)
        control.advance(n / (schedule.stages + 1) / schedule.starts)
        found = measured(job, div.label, k, band, weights)
        if found.score < best.score:
            best = found
        if stage > 0.75 * schedule.stages and stage % 2 == 0:
            met.append(div.label.copy())
    return best, met


def measured(job: Job, label: Int32s, k: int, band: Band, weights: Weights) -> Solution:
    """A division with its figures at full weights."""
    div = division(job.cell, label, k)
    rates = weights.rates(band, job.target)
    return Solution(
        div.label.copy(), k, outside_of(div, float(band.low), float(band.high)), energy_of(job.cell, div, rates)
    )


def solve_all(
    jobs: Sequence[Job], band: Band, weights: Weights, schedule: Schedule, control: Control, progress: Progress,
    note: str,
) -> list[Solution]:  # fmt: skip
    """Solve every job, the largest first, on all cores; the answers in the order of `jobs`."""
    order = sorted(range(len(jobs)), key=lambda i: (-len(jobs[i].rows), i))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        futures = {i: pool.submit(solve, jobs[i], band, weights, schedule, control) for i in order}
        waiting = set(futures.values())
        try:
            while waiting:
                _, waiting = wait(waiting, timeout=0.25, return_when=FIRST_COMPLETED)
                progress(min(control.done / control.total, 0.99), note)
        except BaseException:
            control.cancelled = True
            raise
    return [futures[i].result() for i in range(len(jobs))]


def bound_of(households: Floats, band: Band) -> float:
    """Lower bound on a cell's households outside the band."""
    heavy = households[households > band.high]
    return least_outside(float(households.sum()), float(heavy.sum()), float((heavy - band.high).sum()), band)
