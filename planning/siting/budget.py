"""Several categories under one budget, or on spots that hold one of them only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_diag, csr_array

from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress
from planning.siting.covering import covering_value
from planning.siting.problem import Bool, Choice, Float64, Int64, Problem
from planning.siting.solve import best_choice


@dataclass(frozen=True)
class Demand:
    """One category: who reaches whom (candidates × places), the weight of the places (the category's importance in
    it), who is covered, what a site costs (candidates), and the most sites there may be (None: as many as the budget
    allows).
    """

    reach: csr_array
    weight: Float64
    covered: Bool
    cost: Float64
    count: int | None = None


@dataclass(frozen=True)
class Spread:
    """``choice`` over all (its columns are pairs, in rank order): ``category`` and ``candidate`` of each; ``cost``."""

    choice: Choice
    category: Int64
    candidate: Int64
    cost: float


def cover_together(
    demands: Sequence[Demand],
    *,
    budget: float | None = None,
    one_per_site: bool = False,
    site: Int64 | None = None,
    reductions: bool = True,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Spread:
    """Sites for several categories that together cover the most weight anew, within a budget and counts.

    All categories share the candidates. ``one_per_site``: a spot takes one category at most; candidates of the same
    ``site`` number are one spot (default: each is its own). Raises BadInput for a budget or costs that are no numbers
    of 0 or more, a negative count, and when nothing limits a category.
    """
    candidates = _check(demands, budget)
    parts = [covering_value(demand.reach, demand.weight, demand.covered) for demand in demands]
    value = csr_array(block_diag(parts, format="csr")) if len(parts) > 1 else parts[0]
    cost = np.concatenate([demand.cost for demand in demands]).astype(np.float64)
    use, limit = [], []
    if budget is not None:
        use.append(cost)
        limit.append(float(budget))
    of = np.repeat(np.arange(len(demands)), candidates)
    for number, demand in enumerate(demands):
        if demand.count is not None:
            use.append((of == number).astype(np.float64))
            limit.append(float(demand.count))
    spots = np.arange(candidates) if site is None else np.asarray(site, np.int64)
    problem = Problem(value, np.array(use), np.array(limit), np.tile(spots, len(demands)) if one_per_site else None)
    choice = best_choice(problem, covering=True, reductions=reductions, time_limit=time_limit, progress=progress)
    category, candidate = np.divmod(choice.columns, candidates)
    return Spread(choice, category, candidate, float(cost[choice.columns].sum()))


def _check(demands: Sequence[Demand], budget: float | None) -> int:
    """How many candidates all categories share."""
    if not demands:
        raise BadInput("no category is given")
    sizes = {demand.reach.shape[0] for demand in demands}
    if len(sizes) > 1:
        raise BadInput(f"the categories have {', '.join(map(str, sorted(sizes)))} candidates; they must share them")
    if budget is not None and not (np.isfinite(budget) and budget >= 0):
        raise BadInput(f"budget {budget} is not 0 or more")
    for demand in demands:
        wrong = ~(np.isfinite(demand.cost) & (demand.cost >= 0))
        if wrong.any():
            raise BadInput(f"candidate {int(wrong.argmax()) + 1}: cost={demand.cost[wrong][0]} is not 0 or more")
        if demand.count is not None and demand.count < 0:
            raise BadInput(f"count {demand.count} is negative; give the number of new sites, for example 3")
        if demand.count is None and budget is None:
            raise BadInput("neither a count nor a budget limits the sites; give one of them")
    return int(sizes.pop())
