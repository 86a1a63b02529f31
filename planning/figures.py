"""Figures of a plan from its ground alone: what is in band, whole, on streets; the same numbers the engine tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from gisgrid.metrics import balance, compounds_split
from gisgrid.models import Band
from planning.ground import Ground, grid_shape
from planning.topology import ARC_CLASSES, MAJOR

Ints = npt.NDArray[np.int64]
STREET = ARC_CLASSES.index("residential")
"""Arc classes from this one on are streets or water."""


def sums_of(ground: Ground, owner: npt.NDArray[Any], grids: int) -> dict[str, Ints]:
    """Units and every count of the units, summed by grid: shape (grids,) each. ``owner``: −1 for none, shape (n,)."""
    use = owner >= 0
    sums = {"units": np.bincount(owner[use], minlength=grids).astype(np.int64)}
    for name, values in ground.counts.items():
        sums[name] = np.rint(np.bincount(owner[use], values[use], minlength=grids)).astype(np.int64)
    return sums


def pieces_of(ground: Ground, owner: npt.NDArray[Any]) -> Ints:
    """Number of the connected piece of its grid every unit is in, shape (n,); units without a grid are pieces too."""
    borders = ground.borders
    link = owner[borders.of] == owner[borders.to]
    ones = np.ones(int(link.sum()), dtype=np.int8)
    graph = sp.coo_matrix((ones, (borders.of[link], borders.to[link])), shape=(ground.count, ground.count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def barrier_metres(ground: Ground, owner: npt.NDArray[Any], grids: int) -> npt.NDArray[np.float64]:
    """Metres of river, railway or main road inside each grid, shape (grids,)."""
    arcs = ground.arcs
    inside = (arcs.arc_class >= MAJOR) & (arcs.left >= 0) & (arcs.right >= 0)
    one, two = owner[arcs.left[inside]], owner[arcs.right[inside]]
    same = (one == two) & (one >= 0)
    return np.bincount(one[same], arcs.metres[inside][same].astype(np.float64), minlength=grids).astype(np.float64)


def plan_stats(ground: Ground, owner: npt.NDArray[Any], ordinary: npt.NDArray[np.bool_], band: Band) -> dict[str, Any]:
    """Figures of the first level of a plan, as `planning.partition.partition` tells them.

    ``owner``: number 0 … g − 1 of every unit's grid, −1 for none; ``ordinary``: which grids the band holds, shape (g,).
    """
    grids = len(ordinary)
    arcs = ground.arcs
    households = sums_of(ground, owner, grids)["households"][ordinary]
    spread = balance(households, band)
    _, _, compactness = grid_shape(ground, owner, grids)
    border = (arcs.left >= 0) & (arcs.right >= 0)
    border[border] = owner[arcs.left[border]] != owner[arcs.right[border]]
    metres = np.bincount(arcs.arc_class[border], arcs.metres[border].astype(np.float64), minlength=len(ARC_CLASSES))
    compound = pd.Series(ground.compound).where(ground.compound >= 0)
    split = compounds_split(compound, owner, ground.households, band.high)
    piece, whose = np.unique(pieces_of(ground, owner), return_index=True)
    del piece
    pieces = np.bincount(owner[whose][owner[whose] >= 0], minlength=grids)
    total = float(metres.sum())
    return {
        "units": ground.count,
        "units_unassigned": int((owner < 0).sum()),
        "households_unassigned": int(ground.households[owner < 0].sum()),
        "grids": grids,
        "ordinary_grids": int(ordinary.sum()),
        "special_grids": int((~ordinary).sum()),
        "households": float(ground.households.sum()),
        "in_band": spread.in_band,
        "households_outside_band": spread.outside_band,
        "compactness_mean": float(compactness.mean()) if grids else 0.0,
        "boundary_metres": total,
        "boundary_by_class": dict(zip(reversed(ARC_CLASSES), np.round(metres[::-1], 1).tolist(), strict=True)),
        "boundary_on_streets": float(metres[STREET:].sum() / total) if total else 0.0,
        "compounds_fitting": split.fitting,
        "compounds_split": split.split,
        "grids_crossing_major": int((barrier_metres(ground, owner, grids) > 0).sum()),
        "grids_broken": int((pieces > 1).sum()),
    }
