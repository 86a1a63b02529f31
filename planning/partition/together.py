"""Cells of one piece searched again together: grids may shift across their limits where these cost more than they save.

Runs from the division by cells and from METIS on the whole piece, crossings nearly free while hot, feed one pool, and
the best mix of its grids is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from planning.partition.pool import Pool
from planning.partition.search import Search, in_threads
from planning.partition.seeding import metis_labels
from planning.partition.solve import Job, Solution, anneal, measured, mixed, solved_exactly
from planning.partition.state import Int32s

UNITS_MAX = 4000
"""Larger pieces keep their cells: a search of the whole takes too long, and crossings must stay rare there."""
_AGAIN = 4
_COUNTS = (0, -1, 1, -2, 0, -1)
RUNS = _AGAIN + len(_COUNTS)


def solve_together(jobs: Sequence[Job], search: Search) -> list[Solution]:
    """A division of every piece no worse than the one it is known by (``job.known``); runs share all cores."""
    exact = in_threads([partial(solved_exactly, job, search) for job in jobs], search)
    open_jobs = [number for number, answer in enumerate(exact) if answer is None or not answer.settled]
    calls = [partial(_run, jobs[number], run, search) for number in open_jobs for run in range(RUNS)]
    runs = in_threads(calls, search)
    found = list(exact)
    for place, number in enumerate(open_jobs):
        made = [run for run in runs[RUNS * place : RUNS * (place + 1)] if run is not None]
        found[number] = _best(jobs[number], made, search)
    return [answer for answer in found if answer is not None]


def _run(job: Job, run: int, search: Search) -> tuple[Solution, list[Int32s]] | None:
    assert job.known is not None
    if search.control.stopped():
        return None
    n, k = len(job.rows), int(job.known.max()) + 1
    again = run < _AGAIN
    seed = int(np.random.SeedSequence((*job.seed, 1000 + run)).generate_state(1)[0])
    usual = search.schedule
    slow = search.with_schedule(
        stages=40, hot=0.3 if again else 0.6, soft_major=True, starts=1,
        unit_tries=0.75 * usual.unit_tries, split_tries=0.75 * usual.split_tries,
    )  # fmt: skip
    if again:
        return anneal(job, job.known.copy(), k, seed, slow, full_band=True)
    count = k if job.forced else min(max(k + _COUNTS[run - _AGAIN], 1), n)
    return anneal(job, metis_labels(job.cell, count, seed), count, seed, slow)


def _best(job: Job, runs: list[tuple[Solution, list[Int32s]]], search: Search) -> Solution:
    assert job.known is not None
    best = measured(job, job.known, int(job.known.max()) + 1, search)
    pool = Pool(job.cell, search.limits, search.rates(job.target))
    pool.add(best.label, best.k)
    for one, met in runs:
        for label in (one.label, *met):
            pool.add(label, one.k)
        if one.score < best.score:
            best = one
    best = mixed(job, pool, best, search)
    search.control.found(job.seed, best.k, best.inside, best.energy)
    return best
