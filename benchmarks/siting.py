"""Siting beside spopt (PySAL): maximal covering, full covering and the p-median on the same instances.

    python benchmarks/siting.py [--time-limit 60] [--seed 1] [--models mclp,lscp,p-median] [--large]

Instances: residences in clusters and candidate sites over a square of 8 km, ways along a street grid in whole cm,
whole residents. spopt builds its model with PuLP and solves it with CBC, and with HiGHS where PuLP finds it; ours is
shown with its reductions and bounds and, for what they bring, without (the whole model to HiGHS). Every figure includes
building the model from the cost matrix. A side that does not prove its optimum within the time limit is marked; two
proven optima must be equal, or the run fails.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from planning.siting import least_cover, max_cover, p_median, warm

RADIUS = 99_000
"""15 minutes of an adult, in cm."""
CASES = ((200, 50, 5), (1_000, 200, 10), (2_000, 500, 10), (5_000, 1_000, 15))


class Outcome(NamedTuple):
    """Objective, whether it is proven, seconds."""

    value: float
    proven: bool
    seconds: float


def instance(residences: int, candidates: int, seed: int) -> tuple[Any, Any]:
    """(costs, candidates × residences in cm; residents)."""
    rng = np.random.default_rng(seed)
    centres = rng.random((max(5, residences // 60), 2)) * 8_000
    homes = centres[rng.integers(0, len(centres), residences)] + rng.normal(0, 250, (residences, 2))
    sites = rng.random((candidates, 2)) * 8_000
    costs = np.rint(np.abs(sites[:, None] - homes[None]).sum(axis=-1) * 100).astype(np.int64)
    return costs, rng.integers(1, 120, residences).astype(np.float64)


def sparse(costs: Any, limit: int) -> csr_array:
    row, col = np.nonzero(costs <= limit)
    return csr_array((costs[row, col].astype(np.int32), (row, col)), shape=costs.shape)


def timed(work: Callable[[], tuple[float, bool]]) -> Outcome:
    start = time.perf_counter()
    value, proven = work()
    return Outcome(value, proven, time.perf_counter() - start)


def ours(kind: str, costs: Any, weight: Any, count: int, seconds: float, reductions: bool) -> tuple[float, bool]:
    options: dict[str, Any] = {"time_limit": seconds, "reductions": reductions}
    if kind == "mclp":
        choice = max_cover(sparse(costs, RADIUS), weight, count, **options)
        return choice.value, choice.proven
    if kind == "lscp":
        full = least_cover(sparse(costs, RADIUS), weight, **options)
        return full.cost, full.choice.proven
    median = p_median(sparse(costs, int(costs.max())), weight, count, unserved=int(costs.max()), **options)
    return median.cost, median.choice.proven


def peer(kind: str, costs: Any, weight: Any, count: int, solver: Any) -> tuple[float, bool]:
    import pulp
    from spopt.locate import LSCP, MCLP, PMedian

    across = costs.T.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "mclp":
            model = MCLP.from_cost_matrix(across, weight, service_radius=RADIUS, p_facilities=count)
        elif kind == "lscp":
            reached = (costs <= RADIUS).any(axis=0)  # spopt has no answer when somebody cannot be covered
            model = LSCP.from_cost_matrix(across[reached], service_radius=RADIUS)
        else:
            model = PMedian.from_cost_matrix(across, weight, p_facilities=count)
        model.problem.solve(solver)
    proven = model.problem.sol_status == pulp.LpSolutionOptimal
    value = pulp.value(model.problem.objective)
    return float("nan") if value is None else round(value, 3), proven


def solvers(seconds: float) -> dict[str, Any]:
    import pulp

    found = {"spopt, CBC": pulp.PULP_CBC_CMD(msg=False, timeLimit=seconds, gapRel=0.0, threads=1)}
    if "HiGHS" in pulp.listSolvers(onlyAvailable=True):
        found["spopt, HiGHS"] = pulp.HiGHS(msg=False, timeLimit=seconds, gapRel=0.0, threads=1)
    return found


def told(name: str, outcome: Outcome, best: Outcome) -> str:
    mark = "proven" if outcome.proven else "NOT proven"
    ratio = f"{outcome.seconds / best.seconds:8.1f} × ours" if outcome is not best else ""
    return f"    {name:<22} {outcome.value:>18,.0f}  {mark:<10} {outcome.seconds:8.2f} s {ratio}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--models", default="mclp,lscp,p-median")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--large", action="store_true", help="also full covering and the p-median of 5,000 × 1,000 (spopt: 5 GB)"
    )
    asked = parser.parse_args()
    try:
        peers = solvers(asked.time_limit)
    except ImportError as error:
        peers = {}
        print(f"spopt is left out: {error}")
    warm()
    wrong = 0
    for kind in asked.models.split(","):
        for residences, candidates, count in CASES:
            if kind != "mclp" and residences > 2_000 and not asked.large:
                continue
            costs, weight = instance(residences, candidates, asked.seed)
            print(f"{kind}: {residences:,} residences, {candidates:,} candidates, p = {count}", flush=True)
            done: dict[str, Outcome] = {}
            for name, reduced in (("ours", True), ("ours, whole model", False)):
                if kind == "p-median" and not reduced and residences > 1_000:
                    continue  # a million rows
                done[name] = timed(
                    lambda k=kind, c=costs, w=weight, p=count, r=reduced: ours(k, c, w, p, asked.time_limit, r)
                )
                print(told(name, done[name], done["ours"]), flush=True)
            for name, solver in peers.items():
                if kind == "p-median" and residences > 1_000 and name == "spopt, HiGHS" and not asked.large:
                    continue
                done[name] = timed(lambda k=kind, c=costs, w=weight, p=count, s=solver: peer(k, c, w, p, s))
                print(told(name, done[name], done["ours"]), flush=True)
            proven = {round(outcome.value) for outcome in done.values() if outcome.proven}
            if len(proven) > 1:
                wrong += 1
                print(f"    DIFFERENT OPTIMA: {sorted(proven)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
