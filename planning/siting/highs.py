"""Mixed-integer programs by HiGHS (Huangfu & Hall 2018): a known choice to start from, progress, a time limit, stop.

One thread and a fixed seed, so that the same input gives the same answer.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csr_array

from gisgrid.errors import Broken
from gisgrid.models import Progress, no_progress
from planning.siting.problem import Bool, Float64


@dataclass(frozen=True)
class Program:
    """Maximise ``worth @ x`` where ``lower <= matrix @ x <= upper`` and ``least <= x <= most``; ``whole`` columns
    take whole numbers.
    """

    worth: Float64
    matrix: csr_array
    lower: Float64
    upper: Float64
    least: Float64
    most: Float64
    whole: Bool


@dataclass(frozen=True)
class Solved:
    """``x`` the best found (None: nothing found), ``bound`` above everything (-inf: nothing is possible), ``status`` as
    of `Choice`.
    """

    x: Float64 | None
    bound: float
    status: str


def solve_program(
    program: Program,
    *,
    start: Float64 | None = None,
    slack: float = 0.0,
    relative: float = 0.0,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Solved:
    """Solve a program; it is solved when bound and best differ by at most ``slack`` (or ``relative``, a share).

    ``progress`` may raise to stop the work: Ctrl-C (KeyboardInterrupt) gives the best so far with status 'stopped',
    anything else is raised again. Raises Broken when HiGHS fails.
    """
    scale = _scale(program.worth)
    solver = _solver(program, scale)
    for name, value in (
        ("mip_abs_gap", max(slack * scale, 1e-9)), ("mip_rel_gap", relative),
        ("time_limit", math.inf if time_limit is None else max(time_limit, 0.0)),
    ):  # fmt: skip
        solver.setOptionValue(name, value)
    if start is not None:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        solver.setSolution(known)
    raised = _run(solver, progress, time_limit)
    model, info = solver.getModelStatus(), solver.getInfo()
    statuses = highspy.HighsModelStatus
    if raised is not None and not isinstance(raised, KeyboardInterrupt):
        raise raised
    status = {
        statuses.kOptimal: "optimal", statuses.kInfeasible: "optimal",
        statuses.kTimeLimit: "time limit", statuses.kInterrupt: "stopped",
    }.get(model)  # fmt: skip
    if status is None:
        raise Broken(f"HiGHS could not solve the siting model: {solver.modelStatusToString(model)}")
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(solver.getSolution().col_value) if found else None
    # columns fixed because the known choice can only be beaten with them: when that cannot be, nothing beats it
    bound = -math.inf if model == statuses.kInfeasible else -info.mip_dual_bound / scale
    return Solved(x, math.inf if math.isnan(bound) else bound, status)


def _scale(worth: Float64) -> float:
    """A power of two that brings the largest worth to about a thousand: HiGHS works with absolute tolerances."""
    top = float(np.abs(worth).max(initial=0.0))
    return 2.0 ** (10 - math.ceil(math.log2(top))) if top > 0 else 1.0


def _solver(program: Program, scale: float) -> Any:
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    for name, value in (("threads", 1), ("random_seed", 0), ("mip_feasibility_tolerance", 1e-7)):
        solver.setOptionValue(name, value)
    lp = highspy.HighsLp()
    rows, columns = program.matrix.shape
    lp.num_col_, lp.num_row_ = columns, rows
    lp.col_cost_ = -program.worth * scale
    lp.col_lower_, lp.col_upper_ = program.least, program.most
    lp.row_lower_, lp.row_upper_ = program.lower, program.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = program.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = program.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = program.matrix.data.astype(np.float64)
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in program.whole]
    if solver.passModel(lp) == highspy.HighsStatus.kError:
        raise Broken("HiGHS refused the siting model")
    return solver


def _run(solver: Any, progress: Progress, time_limit: float | None) -> BaseException | None:
    """Run the solver and tell of it; what ``progress`` raised to stop it."""
    raised: list[BaseException] = []
    begun = time.monotonic()

    def told(event: Any) -> None:
        """Called by HiGHS now and then; an exception may not cross it."""
        out = event.data_out
        spent = time.monotonic() - begun
        share = spent / time_limit if time_limit else 1.0 - 1.0 / (1.0 + spent / 10.0)
        try:
            gap = f", gap {100 * out.mip_gap:.2f} %" if math.isfinite(out.mip_gap) else ""
            progress(min(share, 0.99), f"solving{gap}")
        except BaseException as error:
            raised.append(error)
            event.interrupt()

    solver.cbMipInterrupt += told
    try:
        solver.run()
    except KeyboardInterrupt as error:
        raised.append(error)
    finally:
        solver.cbMipInterrupt -= told
    return raised[0] if raised else None
