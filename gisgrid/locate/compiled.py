"""Compiling the point index ahead of its first question."""

from __future__ import annotations

import shapely

from gisgrid import shifted
from gisgrid.hilbert import hilbert_order
from gisgrid.locate.index import GridIndex
from gisgrid.locate.sure import candidates


def warm() -> None:
    """Compile everything here and leave it in numba's cache, so that no first question waits (set-up calls this)."""
    index = GridIndex.build([shapely.box(0, 0, 1, 1)], ["1"])
    index.rows([0.5], [0.5])
    index.row(0.0, 0.0)  # a corner: the exact road too
    index.border_metres(0, 0.5, 0.5)
    index.distance_to_boundary([0.5], [0.5])
    index.nearest([1.5], [0.5], 1.0)
    candidates(index, [0.5], [0.5], 10.0)
    hilbert_order([0.5], [0.5])
    shifted.warm()
