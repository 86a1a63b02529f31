"""The p-median: new sites that make the weighted mean way to the nearest facility shortest (Hakimi 1964).

``reach`` (candidates × places) holds what the way costs as far as it matters: a place nobody reaches within the matrix
counts with the cost ``unserved``. Facilities kept are a cost a place has today. A candidate is worth to a place what
it saves against the cheaper of the two, so only pairs that save anything are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress
from planning.siting.covering import checked_weight
from planning.siting.problem import Choice, Float64, Int64, Problem, best_values
from planning.siting.reduce import same_places
from planning.siting.solve import best_choice


@dataclass(frozen=True)
class Median:
    """Sites of least mean cost.

    ``choice``: its value is the weighted cost saved; ``before`` and ``cost`` the weighted cost without and with the new
    sites, ``cost_bound``: no choice costs less; ``gap`` is (cost - cost_bound) / cost. ``unserved``: places with weight
    that nothing reaches even now (they count with the cost ``unserved``).
    """

    choice: Choice
    before: float
    cost: float
    cost_bound: float
    gap: float
    unserved: Int64


def p_median(
    reach: csr_array,
    weight: Float64,
    count: int,
    *,
    unserved: float,
    existing: Float64 | None = None,
    reductions: bool = True,
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> Median:
    """At most ``count`` candidates for which the weighted sum of costs to the nearest facility is least.

    ``existing``: cost of every place to its nearest facility of today (NaN: none). With costs and weights in whole
    numbers the proof is exact. Raises BadInput for a negative count, costs above ``unserved``, and bad weights.
    """
    if count < 0:
        raise BadInput(f"count {count} is negative; give the number of new sites, for example 3")
    weight = checked_weight(weight, reach.shape[1])
    if reach.nnz and not (float(reach.data.min()) >= 0 and float(reach.data.max()) <= unserved):
        raise BadInput(f"costs run from {reach.data.min()} to {reach.data.max()}; they must lie within 0 to {unserved}")
    today = np.full(reach.shape[1], float(unserved))
    if existing is not None:
        today = np.fmin(today, np.asarray(existing, np.float64))
    value = _savings(reach, weight, today, merge=reductions)
    problem = Problem(value, np.ones((1, reach.shape[0])), np.array([float(count)]))
    choice = best_choice(problem, reductions=reductions, time_limit=time_limit, progress=progress)
    before = float(weight @ today)
    cost, bound = before - choice.value, before - choice.bound
    served = np.zeros(reach.shape[1], bool) if existing is None else np.isfinite(existing)
    served[reach[choice.columns].tocsr().indices] = True
    gap = (cost - bound) / cost if cost > 0 and not choice.proven else 0.0
    return Median(choice, before, cost, bound, gap, np.flatnonzero(~served & (weight > 0)))


def savings_of(reach: csr_array, weight: Float64, today: Float64, columns: Int64) -> Float64:
    """What every place saves by some candidates, weighted."""
    return best_values(_savings(reach, weight, today, merge=False), columns)


def _savings(reach: csr_array, weight: Float64, today: Float64, *, merge: bool) -> csr_array:
    """Candidates × places: weighted cost saved against today, above 0. Places with equal ways are made one."""
    pairs = coo_array(reach)
    saved = today[pairs.col] - pairs.data
    kept = (saved > 0) & (weight[pairs.col] > 0)
    value = csr_array((saved[kept], (pairs.row[kept], pairs.col[kept])), shape=reach.shape)
    total = weight
    if merge:
        head = same_places(value)
        total = np.bincount(head, weight, minlength=len(head)).astype(np.float64)
        first = np.flatnonzero((head == np.arange(len(head))) & (np.diff(value.tocsc().indptr) > 0))
        value, total = value[:, first].tocsr(), total[first]
    value.data = value.data * total[value.indices]
    return value
