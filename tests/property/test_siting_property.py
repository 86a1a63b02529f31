"""Siting against every subset there is: nothing better may exist, and what is said to be proven must be."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planning.siting import Demand, cover_together, least_cover, max_cover, p_median

UNSERVED = 60


def subsets(count: int, most: int) -> Any:
    for size in range(min(count, most) + 1):
        yield from (list(chosen) for chosen in itertools.combinations(range(count), size))


@st.composite
def instances(draw: st.DrawFn) -> tuple[csr_array, Any, Any, Any]:
    """(reach, dense costs with UNSERVED where there is none, weights, who is covered)."""
    candidates, places = draw(st.integers(1, 7)), draw(st.integers(1, 10))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stored = rng.random((candidates, places)) < draw(st.sampled_from([0.15, 0.4, 0.8]))
    costs = rng.integers(0, draw(st.sampled_from([2, 50])), (candidates, places))
    if draw(st.booleans()) and candidates > 1:
        stored[-1], costs[-1] = stored[0], costs[0]  # a candidate given twice
    row, col = np.nonzero(stored)
    reach = csr_array((costs[stored].astype(np.int32), (row, col)), shape=stored.shape)
    weight = rng.integers(0, 5, places) * draw(st.sampled_from([1.0, 0.37]))
    return reach, np.where(stored, costs, UNSERVED), weight, rng.random(places) < 0.2


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 8), st.booleans())
def test_maximal_cover_is_the_best_of_all_subsets(case: Any, count: int, reductions: bool) -> None:
    reach, dense, weight, covered = case
    choice = max_cover(reach, weight, count, covered=covered, reductions=reductions)
    live = np.where(covered, 0.0, weight)
    best = max(live[(dense[s] < UNSERVED).any(axis=0)].sum() for s in subsets(reach.shape[0], count))
    assert abs(choice.value - best) < 1e-9
    assert choice.gap == 0.0
    assert choice.status == "optimal"
    assert len(choice.columns) <= count
    assert abs(live[(dense[choice.columns] < UNSERVED).any(axis=0)].sum() - best) < 1e-9
    assert (np.diff(choice.gains) <= 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 2**32 - 1), st.booleans())
def test_full_cover_is_the_cheapest_of_all_subsets(case: Any, seed: int, reductions: bool) -> None:
    reach, dense, weight, covered = case
    cost = np.random.default_rng(seed).integers(1, 4, reach.shape[0]) * 0.7
    full = least_cover(reach, weight, covered=covered, cost=cost, reductions=reductions)
    near = dense < UNSERVED
    need = (weight > 0) & ~covered
    can = need & near.any(axis=0)
    best = min(cost[s].sum() for s in subsets(reach.shape[0], 99) if near[s].any(axis=0)[can].all())
    assert abs(full.cost - best) < 1e-9
    assert full.choice.gap == 0.0
    assert near[full.choice.columns].any(axis=0)[can].all()
    assert full.unreachable.tolist() == np.flatnonzero(need & ~can).tolist()


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 8), st.booleans(), st.integers(0, 2**32 - 1))
def test_the_median_is_the_best_of_all_subsets(case: Any, count: int, reductions: bool, seed: int) -> None:
    reach, dense, weight, _ = case
    rng = np.random.default_rng(seed)
    existing = np.where(rng.random(len(weight)) < 0.3, rng.integers(0, 50, len(weight)), np.nan)
    median = p_median(reach, weight, count, unserved=UNSERVED, existing=existing, reductions=reductions)
    today = np.fmin(existing, UNSERVED)

    def total(chosen: Any) -> float:
        return float(weight @ np.minimum(today, dense[chosen].min(axis=0, initial=UNSERVED)))

    best = min(total(chosen) for chosen in subsets(reach.shape[0], count))
    assert abs(median.cost - best) < 1e-6
    assert abs(total(median.choice.columns) - best) < 1e-6
    assert median.gap == 0.0


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 8), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_a_budget_is_spent_best_of_all_ways(
    case: Any, budget: int, one_per_site: bool, reductions: bool, seed: int
) -> None:
    reach, dense, weight, covered = case
    rng = np.random.default_rng(seed)
    kept = rng.permutation(reach.shape[0])[:3]
    near, reach = dense[kept] < UNSERVED, reach[kept].tocsr()
    costs = rng.integers(0, 5, (2, len(kept))).astype(float)
    weights = np.stack([weight, rng.integers(0, 4, len(weight)).astype(float)])
    live = np.where(covered, 0.0, weights)
    demands = [Demand(reach, weights[c], covered, costs[c], 2 if c else None) for c in (0, 1)]
    spread = cover_together(demands, budget=float(budget), one_per_site=one_per_site, reductions=reductions)

    def total(first: Any, second: Any) -> float:
        return sum(float(live[c][near[s].any(axis=0)].sum()) for c, s in enumerate((first, second)))

    ways = itertools.product(subsets(len(kept), 3), subsets(len(kept), 2))
    best = max(
        total(a, b)
        for a, b in ways
        if costs[0][a].sum() + costs[1][b].sum() <= budget and not (one_per_site and set(a) & set(b))
    )
    chosen = [spread.candidate[spread.category == c] for c in (0, 1)]
    assert abs(spread.choice.value - best) < 1e-9
    assert abs(total(*chosen) - best) < 1e-9
    assert spread.choice.gap == 0.0
    assert spread.cost <= budget
    assert len(chosen[1]) <= 2
    assert not (one_per_site and set(chosen[0]) & set(chosen[1]))
