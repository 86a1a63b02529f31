"""The fewest candidates that reach every demand, as straight reach asks it of `planning.siting`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gisgrid.errors import BadInput
from planning.siting import least_cover

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Cover:
    """Rows of the candidates chosen, ascending, and the fewest there can be."""

    rows: Int64
    lower_bound: int

    @property
    def proven(self) -> bool:
        """Whether no smaller cover exists."""
        return len(self.rows) == self.lower_bound


def fewest_points(reaches: csr_array, *, seconds: float = 60.0) -> Cover:
    """The fewest rows of ``reaches`` (candidates × demands, any nonzero) that reach every column.

    Where ``seconds`` run out it is the best cover known, and the lower bound says how far from the best it may be.
    Raises BadInput when a demand is reached by nobody.
    """
    sets = csr_array((np.ones(reaches.nnz), reaches.indices, reaches.indptr), shape=reaches.shape)
    sets.sum_duplicates()
    found = least_cover(sets, np.ones(sets.shape[1]), time_limit=seconds)
    if len(found.unreachable):
        raise BadInput(
            f"demand {int(found.unreachable[0]) + 1} is reached by no candidate; {len(found.unreachable)} such"
        )
    return Cover(np.sort(found.choice.columns), int(np.ceil(found.cost_bound - 1e-6)))
