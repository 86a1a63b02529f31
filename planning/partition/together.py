"""Cells of one piece searched again together: grids may shift across their limits where these cost more than they save.

Runs from the division by cells and from METIS on the whole piece, crossings nearly free while hot, feed one pool, and
the best mix of its grids is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from planning.partition.pool import Pool
from planning.partition.search import Search, in_threads
from planning.partition.seeding import grown_labels, metis_labels
from planning.partition.solve import SHORT, Job, Solution, anneal, measured, mixed, solved_exactly
from planning.partition.state import Int32s

_COUNTS = (0, -1, 1, -2, 0, -1)
_AGAIN = (4, 4)
"""Runs from the best division, by round; the first round also starts from METIS, `_COUNTS` grids more or fewer."""
_HOT = (0.3, 0.2)
_RESCUES, _FRESH = 4, 8
"""Rounds for a piece that is out of band, and searches from scratch in each."""
_ONCE = 1000
"""Units of a piece that the second round finds next to nothing in."""
RUNS = sum(_AGAIN) + len(_COUNTS)


Run = tuple[Solution, list[Int32s]] | None
"""What a run found: its best division and others met; None when there was no time for it."""


@dataclass(slots=True)
class _Piece:
    """One piece being searched: its grids in band met so far, its best division, the score that was told last."""

    job: Job
    pool: Pool
    best: Solution
    shown: tuple[float, float]


def solve_together(jobs: Sequence[Job], search: Search) -> list[Solution]:
    """A division of every piece no worse than the one it is known by (``job.known``); runs share all cores.

    Pieces out of band are searched from scratch in the end, several counts of grids by turns, until they are in.
    """
    exact = in_threads([partial(solved_exactly, job, search) for job in jobs], search)
    found = [answer if answer is not None and answer.settled else None for answer in exact]
    pieces = {number: _piece(jobs[number], search) for number, answer in enumerate(found) if answer is None}
    for turn, again in enumerate(_AGAIN):
        rest = [piece for piece in pieces.values() if turn == 0 or len(piece.job.rows) > _ONCE]
        _round(rest, again + (len(_COUNTS) if turn == 0 else 0), partial(_run, turn, search), search)
    for turn in range(_RESCUES):
        lost = [piece for piece in pieces.values() if piece.job.missed_by(piece.best)]
        _round(lost, _FRESH, partial(_afresh, turn, search), search)
    return [answer if answer is not None else pieces[number].best for number, answer in enumerate(found)]


def _piece(job: Job, search: Search) -> _Piece:
    assert job.known is not None
    known = measured(job, job.known, int(job.known.max()) + 1, search)
    return _Piece(job, Pool(job.cell, search.limits, search.rates(job.target)), known, known.score)


def _round(pieces: Sequence[_Piece], runs: int, run: Callable[[Job, Solution, int], Run], search: Search) -> None:
    """`runs` runs of every piece, in place: what they find goes into its pool, the best mix of which is its best."""
    answers = in_threads([partial(_told, piece, run, n, search) for piece in pieces for n in range(runs)], search)
    for place, piece in enumerate(pieces):
        piece.pool.add(piece.best.label, piece.best.k)
        for answer in filter(None, answers[runs * place : runs * (place + 1)]):
            one, met = answer
            for label in (one.label, *met):
                piece.pool.add(label, one.k)
            if one.score < piece.best.score:
                piece.best = one
        piece.best = mixed(piece.job, piece.pool, piece.best, search)
        piece.shown = piece.best.score
        search.control.found(piece.job.seed, piece.best.of(piece.job.rows))


def _told(piece: _Piece, run: Callable[[Job, Solution, int], Run], number: int, search: Search) -> Run:
    """One run, told at once where it found what is better than all before."""
    answer = run(piece.job, piece.best, number)
    if answer is not None and answer[0].score < piece.shown:
        piece.shown = answer[0].score
        search.control.found(piece.job.seed, answer[0].of(piece.job.rows))
    return answer


def _run(turn: int, search: Search, job: Job, best: Solution, run: int) -> Run:
    """From the best so far, crossings nearly free while it is hot; in the first round also from METIS."""
    if search.control.stopped():
        return None
    again = run < _AGAIN[turn]
    seed = int(np.random.SeedSequence((*job.seed, 1000 * (turn + 1) + run)).generate_state(1)[0])
    slow = search.of_length(0.75).with_schedule(stages=40, hot=_HOT[turn] if again else 0.6, soft_major=True, starts=1)
    if again:
        return anneal(job, best.label.copy(), best.k, seed, slow, full_band=True)
    count = best.k if job.forced else min(max(best.k + _COUNTS[run - _AGAIN[turn]], 1), len(job.rows))
    return anneal(job, metis_labels(job.cell, count, seed), count, seed, slow)


def _afresh(turn: int, search: Search, job: Job, best: Solution, run: int) -> Run:
    """A short search from scratch."""
    del best
    if search.control.stopped():
        return None
    number = _FRESH * turn + run
    k = job.counts[number // 2 % len(job.counts)]
    seed = int(np.random.SeedSequence((*job.seed, 10_000 + number)).generate_state(1)[0])
    start = metis_labels(job.cell, k, seed) if run % 2 == 0 else grown_labels(job.cell, k, seed)
    return anneal(job, start, k, seed, search.of_length(SHORT))
