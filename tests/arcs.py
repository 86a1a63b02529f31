"""Units rebuilt from their arcs, as a drawing program would, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from planning.topology import Topology


def faces(arcs: Topology) -> Any:
    """The polygon of each unit by its arcs, shape (n,): rings on the left taken forwards, on the right backwards."""
    return np.array([face(arcs, unit) for unit in range(len(arcs.area))], dtype=object)


def face(arcs: Topology, *units: int) -> Any:
    """The polygon of one unit, or of several together: the arcs that have one side in them."""
    mine = np.isin(arcs.left, units) != np.isin(arcs.right, units)
    starts = arcs.start.astype(np.int64)
    lines = [shapely.linestrings(arcs.points[starts[row] : starts[row + 1]]) for row in np.flatnonzero(mine)]
    # rounded coordinates may let a ring touch itself
    return shapely.build_area(shapely.union_all(lines))
