"""Cells of one piece searched again together: grids may shift across their limits where these cost more than they save.

Runs from the division by cells and from METIS on the whole piece, crossings nearly free while hot, feed one pool, and
the best mix of its grids is taken.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from gisgrid.models import Band, Progress
from planning.partition.anneal import Schedule
from planning.partition.energy import Weights
from planning.partition.pool import Pool
from planning.partition.seeding import metis_labels
from planning.partition.solve import Control, Job, Solution, anneal, measured, mixed
from planning.partition.state import Int32s

UNITS_MAX = 4000
"""Larger pieces keep their cells: a search of the whole takes too long, and crossings must stay rare there."""
_AGAIN = 4
_COUNTS = (0, -1, 1, -2, 0, -1)
RUNS = _AGAIN + len(_COUNTS)


def solve_together(
    jobs: Sequence[Job], band: Band, weights: Weights, schedule: Schedule, control: Control, progress: Progress
) -> list[Solution]:
    """A division of every piece no worse than the one it is known by (``job.known``); runs share all cores."""
    tasks = [(number, run) for number in range(len(jobs)) for run in range(RUNS)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as threads:
        waiting = {
            task: threads.submit(_run, jobs[task[0]], task[1], band, weights, schedule, control) for task in tasks
        }
        todo = set(waiting.values())
        try:
            while todo:
                _, todo = wait(todo, timeout=0.25, return_when=FIRST_COMPLETED)
                progress(min(control.done / control.total, 0.99), "search")
        except BaseException:
            control.cancelled = True
            raise
    found = []
    for number, job in enumerate(jobs):
        runs = [waiting[number, run].result() for run in range(RUNS)]
        found.append(_best(job, [run for run in runs if run is not None], band, weights, control))
    return found


def _run(
    job: Job, run: int, band: Band, weights: Weights, schedule: Schedule, control: Control
) -> tuple[Solution, list[Int32s]] | None:
    assert job.known is not None
    if control.stopped():
        return None
    n, k = len(job.rows), int(job.known.max()) + 1
    again = run < _AGAIN
    seed = int(np.random.SeedSequence((*job.seed, 1000 + run)).generate_state(1)[0])
    slow = replace(
        schedule, stages=40, hot=0.3 if again else 0.6, soft_major=True, starts=1,
        unit_tries=0.75 * schedule.unit_tries, split_tries=0.75 * schedule.split_tries,
    )  # fmt: skip
    if again:
        return anneal(job, job.known.copy(), k, seed, band, weights, slow, control, full_band=True)
    count = k if job.forced else min(max(k + _COUNTS[run - _AGAIN], 1), n)
    return anneal(job, metis_labels(job.cell, count, seed), count, seed, band, weights, slow, control)


def _best(
    job: Job, runs: list[tuple[Solution, list[Int32s]]], band: Band, weights: Weights, control: Control
) -> Solution:
    assert job.known is not None
    best = measured(job, job.known, int(job.known.max()) + 1, band, weights)
    pool = Pool(job.cell, weights.rates(band, job.target), band)
    pool.add(best.label, best.k)
    for one, met in runs:
        for label in (one.label, *met):
            pool.add(label, one.k)
        if one.score < best.score:
            best = one
    return mixed(job, pool, best, band, weights, control)
