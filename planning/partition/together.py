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
from planning.partition.seeding import grown_labels, metis_labels
from planning.partition.solve import SHORT, Job, Solution, anneal, measured, mixed, solved_exactly
from planning.partition.state import Int32s

UNITS_MAX = 4000
"""Larger pieces keep their cells: a search of the whole takes too long, and crossings must stay rare there."""
_COUNTS = (0, -1, 1, -2, 0, -1)
_AGAIN = (4, 4)
"""Runs from the best division, by round; the first round also starts from METIS, `_COUNTS` grids more or fewer."""
_HOT = (0.3, 0.2)
_RESCUES, _FRESH = 4, 8
"""Rounds for a piece that is out of band, and searches from scratch in each."""
_ONCE = 1000
"""Units of a piece that the second round finds next to nothing in."""
RUNS = sum(_AGAIN) + len(_COUNTS)


def solve_together(jobs: Sequence[Job], search: Search) -> list[Solution]:
    """A division of every piece no worse than the one it is known by (``job.known``); runs share all cores."""
    exact = in_threads([partial(solved_exactly, job, search) for job in jobs], search)
    found = [answer if answer is not None and answer.settled else None for answer in exact]
    rest = [number for number, answer in enumerate(found) if answer is None]
    best = {number: _known(jobs[number], search) for number in rest}
    pools = {number: Pool(jobs[number].cell, search.limits, search.rates(jobs[number].target)) for number in rest}
    for turn, again in enumerate(_AGAIN):
        rest = [number for number in rest if turn == 0 or len(jobs[number].rows) > _ONCE]
        runs = again + (len(_COUNTS) if turn == 0 else 0)
        calls = [partial(_run, jobs[number], turn, run, best[number], search) for number in rest for run in range(runs)]
        answers = in_threads(calls, search)
        for place, number in enumerate(rest):
            for answer in answers[runs * place : runs * (place + 1)]:
                best[number] = _better(best[number], answer, pools[number])
            best[number] = mixed(jobs[number], pools[number], best[number], search)
            search.control.found(jobs[number].seed, best[number].k, best[number].inside, best[number].energy)
    _rescue(jobs, best, pools, search)
    return [answer if answer is not None else best[number] for number, answer in enumerate(found)]


def _rescue(jobs: Sequence[Job], best: dict[int, Solution], pools: dict[int, Pool], search: Search) -> None:
    """Search pieces out of band from scratch, in place, several counts of grids by turns, until they are in."""
    for turn in range(_RESCUES):
        lost = [number for number in best if best[number].outside > jobs[number].bound + 1e-9]
        if not lost or search.control.stopped():
            return
        calls = [partial(_afresh, jobs[number], turn, run, search) for number in lost for run in range(_FRESH)]
        answers = in_threads(calls, search)
        for place, number in enumerate(lost):
            for answer in answers[_FRESH * place : _FRESH * (place + 1)]:
                best[number] = _better(best[number], answer, pools[number])
            best[number] = mixed(jobs[number], pools[number], best[number], search)
            search.control.found(jobs[number].seed, best[number].k, best[number].inside, best[number].energy)


def _afresh(job: Job, turn: int, run: int, search: Search) -> tuple[Solution, list[Int32s]] | None:
    if search.control.stopped():
        return None
    number = _FRESH * turn + run
    k = job.counts[number // 2 % len(job.counts)]
    seed = int(np.random.SeedSequence((*job.seed, 10_000 + number)).generate_state(1)[0])
    start = metis_labels(job.cell, k, seed) if run % 2 == 0 else grown_labels(job.cell, k, seed)
    return anneal(job, start, k, seed, search.of_length(SHORT))


def _known(job: Job, search: Search) -> Solution:
    assert job.known is not None
    return measured(job, job.known, int(job.known.max()) + 1, search)


def _run(job: Job, turn: int, run: int, best: Solution, search: Search) -> tuple[Solution, list[Int32s]] | None:
    if search.control.stopped():
        return None
    n, k = len(job.rows), best.k
    again = run < _AGAIN[turn]
    seed = int(np.random.SeedSequence((*job.seed, 1000 * (turn + 1) + run)).generate_state(1)[0])
    usual = search.schedule
    slow = search.with_schedule(
        stages=40, hot=_HOT[turn] if again else 0.6, soft_major=True, starts=1,
        unit_tries=0.75 * usual.unit_tries, split_tries=0.75 * usual.split_tries,
    )  # fmt: skip
    if again:
        return anneal(job, best.label.copy(), k, seed, slow, full_band=True)
    count = k if job.forced else min(max(k + _COUNTS[run - _AGAIN[turn]], 1), n)
    return anneal(job, metis_labels(job.cell, count, seed), count, seed, slow)


def _better(best: Solution, answer: tuple[Solution, list[Int32s]] | None, pool: Pool) -> Solution:
    """The better of two, the grids of both in the pool."""
    pool.add(best.label, best.k)
    if answer is None:
        return best
    one, met = answer
    for label in (one.label, *met):
        pool.add(label, one.k)
    return one if one.score < best.score else best
