"""Who reaches which candidate: one bounded search a candidate."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from gisgrid.limits import SITING_PAIRS_MAX
from gisgrid.models import Progress, no_progress
from planning.network import Network
from planning.reach import UNREACHED, Snapped, at_places, search_from


def reach_matrix(
    network: Network, origins: Snapped, targets: Snapped, limit: int, *, progress: Progress = no_progress
) -> csr_array:
    """Costs (int32) of targets from each origin within ``limit``: origins × targets, a stored 0 is a way of cost 0.

    On `planning.network.reverse` of a network it is the way from the targets. Raises BadInput when there are more
    than `SITING_PAIRS_MAX` pairs.
    """
    rows, costs, indptr = [], [], np.zeros(len(origins) + 1, np.int64)
    for origin in range(len(origins)):
        progress(origin / len(origins), "ways to candidates")
        searched = search_from(network, origins.take(np.array([origin])), limit=limit)
        key = at_places(network, searched, targets)
        hit = np.flatnonzero(key != UNREACHED)
        rows.append(hit.astype(np.int32))
        costs.append((key[hit] >> 32).astype(np.int32))
        indptr[origin + 1] = indptr[origin] + len(hit)
        if indptr[origin + 1] > SITING_PAIRS_MAX:
            raise BadInput(
                f"more than {SITING_PAIRS_MAX:,} pairs of candidate and residence; give fewer candidates or minutes"
            )
    if not rows:
        return csr_array((0, len(targets)), dtype=np.int32)
    shape = (len(origins), len(targets))
    return csr_array((np.concatenate(costs), np.concatenate(rows), indptr.astype(np.int32)), shape=shape)
