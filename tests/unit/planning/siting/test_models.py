"""Covering, median and budget: equal to spopt, degenerate questions, repeatable, stopped in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from planning.siting import Demand, cover_together, least_cover, max_cover, p_median
from planning.siting.bounds import lagrange
from planning.siting.candidates import thinned
from planning.siting.problem import Problem
from planning.siting.reduce import same_places
from planning.siting.search import greedy, improve, worth

RADIUS = 99_000


def instance(places: int, candidates: int, seed: int) -> tuple[Any, Any]:
    """(costs in cm, candidates × places; residents)."""
    rng = np.random.default_rng(seed)
    homes, sites = rng.random((places, 2)) * 4_000, rng.random((candidates, 2)) * 4_000
    costs = np.rint(np.abs(sites[:, None] - homes[None]).sum(axis=-1) * 100).astype(np.int64)
    return costs, rng.integers(1, 90, places).astype(float)


def sparse(costs: Any, limit: int) -> csr_array:
    row, col = np.nonzero(costs <= limit)
    return csr_array((costs[row, col].astype(np.int32), (row, col)), shape=costs.shape)


def matrix(rows: Any) -> csr_array:
    return csr_array(np.array(rows, np.int32))


@pytest.mark.parametrize("seed", [0])
def test_equal_to_the_optima_of_spopt(seed: int) -> None:
    locate = pytest.importorskip("spopt.locate", reason="spopt (bench extra) is not installed")
    import pulp

    costs, weight = instance(60, 20, seed)
    existing = np.zeros(20)
    existing[[3, 8]] = 1
    solver = pulp.PULP_CBC_CMD(msg=False, gapRel=0.0)
    across = costs.T.astype(float)
    reach = sparse(costs, RADIUS)
    kept = (costs[existing > 0] <= RADIUS).any(axis=0)

    mclp = locate.MCLP.from_cost_matrix(
        across, weight, RADIUS, p_facilities=6, predefined_facilities_arr=existing.astype(int)
    )
    mclp.solve(solver)
    new = max_cover(reach, weight, 4, covered=kept)
    assert new.value + weight[kept].sum() == pytest.approx(pulp.value(mclp.problem.objective))

    reached = (costs <= RADIUS).any(axis=0)
    lscp = locate.LSCP.from_cost_matrix(across[reached], RADIUS)
    lscp.solve(solver)
    assert least_cover(reach, weight).cost == pytest.approx(pulp.value(lscp.problem.objective))

    median = locate.PMedian.from_cost_matrix(
        across, weight, p_facilities=6, predefined_facilities_arr=existing.astype(int), fulfill_predefined_fac=False
    )
    for row in (3, 8):
        median.problem += median.fac_vars[row] == 1
    median.problem.solve(solver)
    found = p_median(
        sparse(costs, int(costs.max())), weight, 4, unserved=int(costs.max()), existing=costs[[3, 8]].min(axis=0)
    )
    assert found.gap == 0
    assert found.cost == pytest.approx(pulp.value(median.problem.objective))


def test_reductions_and_bounds_do_not_change_the_answer() -> None:
    costs, weight = instance(400, 120, 5)
    reach = sparse(costs, 60_000)
    slim, whole = (max_cover(reach, weight, 7, reductions=reduced) for reduced in (True, False))
    assert slim.value == whole.value
    assert slim.work["candidates_kept"] < whole.work["candidates_kept"]
    assert slim.proven
    assert whole.proven
    few, all_ = (least_cover(reach, weight, reductions=reduced) for reduced in (True, False))
    assert few.cost == all_.cost == few.cost_bound


def test_the_bound_rules_out_no_better_choice() -> None:
    costs, weight = instance(60, 14, 2)
    reach = sparse(costs, 80_000)
    value = csr_array((weight[reach.indices], reach.indices, reach.indptr), shape=reach.shape)
    problem = Problem(value, np.ones((1, 14)), np.array([3.0]))
    start = np.array([0, 1, 2])  # a poor choice: nothing better may be closed
    best = max_cover(reach, weight, 3)
    found = lagrange(problem, start, rounds=40)
    assert found is not None
    assert found.bound >= best.value
    if worth(problem, found.columns) < best.value:
        assert not found.closed[best.columns].any()
    assert worth(problem, improve(problem, greedy(problem))) <= best.value


def test_degenerate_questions_have_plain_answers() -> None:
    reach = matrix([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    weight = np.array([1.0, 2.0, 4.0])
    assert max_cover(reach, weight, 0).columns.tolist() == []
    assert max_cover(reach, weight, 99).columns.tolist() == [0]  # the others would bring nobody
    assert max_cover(reach, weight, 1, covered=np.ones(3, bool)).value == 0
    assert max_cover(reach, np.zeros(3), 1).columns.tolist() == []
    assert max_cover(csr_array((3, 3)), weight, 2).value == 0
    assert max_cover(csr_array((0, 3)), weight, 2).value == 0
    full = least_cover(reach, weight)
    assert full.choice.columns.tolist() == [0]
    assert full.unreachable.tolist() == [2]
    assert full.choice.proven
    assert least_cover(csr_array((0, 3)), weight).unreachable.tolist() == [0, 1, 2]
    assert least_cover(reach, np.zeros(3)).cost == 0
    median = p_median(reach, weight, 0, unserved=9)
    assert (median.cost, median.before, median.gap) == (63.0, 63.0, 0.0)
    assert median.unserved.tolist() == [0, 1, 2]
    assert p_median(csr_array((3, 3)), weight, 2, unserved=9).cost == 63.0


def test_a_way_of_no_cost_counts_as_reached() -> None:
    reach = csr_array((np.zeros(1, np.int32), ([1], [0])), shape=(2, 1))
    assert max_cover(reach, np.ones(1), 1).columns.tolist() == [1]
    assert p_median(reach, np.ones(1), 1, unserved=5).cost == 0


@pytest.mark.parametrize("reductions", [True, False])
def test_of_equal_candidates_the_first_is_chosen(reductions: bool) -> None:
    reach = matrix([[1, 0], [1, 1], [1, 1], [0, 1]])
    assert max_cover(reach, np.ones(2), 1, reductions=reductions).value == 2
    assert max_cover(reach, np.ones(2), 1).columns.tolist() == [1]
    assert least_cover(reach, np.ones(2)).choice.columns.tolist() == [1]


def test_the_same_question_gives_the_same_answer() -> None:
    costs, weight = instance(300, 80, 9)
    first, again = (max_cover(sparse(costs, 70_000), weight, 6) for _ in range(2))
    assert first.columns.tolist() == again.columns.tolist()
    assert first.gains.tolist() == again.gains.tolist()


def test_one_per_site_keeps_categories_apart() -> None:
    reach = matrix([[1, 1, 1], [0, 1, 0]])
    demand = [Demand(reach, np.ones(3), np.zeros(3, bool), np.ones(2)) for _ in range(2)]
    together = cover_together(demand, budget=2.0)
    assert together.candidate.tolist() == [0, 0]
    apart = cover_together(demand, budget=2.0, one_per_site=True)
    assert apart.choice.value == 4
    assert sorted(apart.candidate.tolist()) == [0, 1]


def test_out_of_time_the_gap_is_stated() -> None:
    costs, weight = instance(700, 250, 3)
    choice = max_cover(sparse(costs, 45_000), weight, 40, time_limit=0.05, reductions=False)
    assert choice.status == "time limit"
    assert choice.bound > choice.value > 0
    assert choice.gap == pytest.approx((choice.bound - choice.value) / choice.bound)


def test_progress_may_stop_the_solver() -> None:
    costs, weight = instance(700, 250, 3)
    reach = sparse(costs, 45_000)

    class Cancelled(Exception):
        pass

    def stop(kind: type[BaseException]) -> Any:
        def told(share: float, note: str) -> None:
            if note.startswith("solving"):
                raise kind

        return told

    with pytest.raises(Cancelled):
        max_cover(reach, weight, 40, reductions=False, progress=stop(Cancelled))
    choice = max_cover(reach, weight, 40, reductions=False, progress=stop(KeyboardInterrupt))
    assert choice.status == "stopped"
    assert choice.gap > 0


def test_bad_numbers_are_refused() -> None:
    reach = matrix([[1, 1]])
    with pytest.raises(BadInput, match="count -1 is negative"):
        max_cover(reach, np.ones(2), -1)
    with pytest.raises(BadInput, match="weight=-1"):
        max_cover(reach, np.array([1.0, -1.0]), 1)
    with pytest.raises(BadInput, match="3 weights are given for 2 places"):
        max_cover(reach, np.ones(3), 1)
    with pytest.raises(BadInput, match="cost=0"):
        least_cover(reach, np.ones(2), cost=np.zeros(1))
    with pytest.raises(BadInput, match="must lie within"):
        p_median(reach, np.ones(2), 1, unserved=0)
    with pytest.raises(BadInput, match="budget -1"):
        cover_together([Demand(reach, np.ones(2), np.zeros(2, bool), np.ones(1))], budget=-1)
    with pytest.raises(BadInput, match="neither a count nor a budget"):
        cover_together([Demand(reach, np.ones(2), np.zeros(2, bool), np.ones(1))])


def test_places_of_equal_ways_are_one() -> None:
    reach = matrix([[3, 3, 4, 0, 3], [1, 1, 1, 0, 0]])
    assert same_places(reach).tolist() == [0, 0, 2, 3, 4]


def test_corners_are_thinned_in_order() -> None:
    rng = np.random.default_rng(4)
    xy = rng.random((300, 2)) * 1_000
    taken: list[int] = []
    for row in range(len(xy)):
        if all(np.hypot(*(xy[row] - xy[other])) >= 90 for other in taken):
            taken.append(row)
    assert thinned(xy, 90).tolist() == taken
