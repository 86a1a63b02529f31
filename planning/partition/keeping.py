"""Planning against old grids: whose unit is whose, a division to start from that changes as little as it can.

In the search every old grid has at most one heir, the grid that goes on under its code (`state.choose_heirs`); units
of an old grid that lie in another grid than its heir count into the churn term of the energy.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from planning.owners import holders
from planning.partition.recombine import recombine
from planning.partition.seeding import last_of_walk, repaired
from planning.partition.state import Cell, Division, Int32s, Rates, division, recount, scratch_for

_CUTS = 6
"""Random trees tried for each cut of an old grid; the best stays."""


def old_grids_of(units: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    """Code of the old grid that holds the largest part of each unit, None where none does, shape (n,).

    `units` and `old` (column ``code``): polygons, any CRS. Where the old layer has several levels the first counts.
    Raises BadInput for a layer without codes, with one twice, or without a coordinate system.
    """
    if "code" not in old:
        raise BadInput("the old grids have no column code; name the grid of every row")
    if "level" in old and (old["level"] == 1).any():
        old = old[old["level"] == 1]
    if old.crs is None or units.crs is None:
        raise BadInput("the old grids or the units have no coordinate system; say which with --crs")
    if old["code"].isna().any():
        raise BadInput(f"old grid in row {int(np.flatnonzero(old['code'].isna())[0])} has no code; give it one")
    codes = old["code"].astype(str)
    if codes.duplicated().any():
        raise BadInput(f"old grid {codes[codes.duplicated()].iloc[0]} is there twice; give every grid its own code")
    metric = to_metric(units)
    found = holders(metric.geometry.to_numpy(), old.geometry.to_crs(metric.crs).to_numpy(), codes.to_numpy(object))
    found[found == ""] = None
    return found


def old_numbers(keep: npt.ArrayLike, count: int) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number of each unit's old grid (-1 for none) and the codes, in order. Raises BadInput for a wrong length."""
    values = pd.Series(np.asarray(keep, dtype=object))
    if len(values) != count:
        raise BadInput(f"{len(values)} old grid codes were given for {count} units; give one (or nothing) a unit")
    absent = values.isna() | (values.astype(str).str.strip() == "")
    numbers, codes = pd.factorize(values.where(absent, values.astype(str)).mask(absent), sort=True)
    return numbers.astype(np.int64), [str(code) for code in codes]


def start_from_old(cell: Cell, k: int, seed: int, rates: Rates) -> Int32s:
    """A connected division into `k` grids near the old ones: the heaviest are cut, the lightest joined."""
    label = np.unique(np.where(cell.old >= 0, cell.old, -1), return_inverse=True)[1].astype(np.int32)
    known = int(label.max()) + 1
    if (cell.old < 0).any():
        label = repaired(cell, np.where(cell.old < 0, -1, label - 1).astype(np.int32), max(known - 1, 1))
        known = int(label.max()) + 1
    label = repaired(cell, label, known)
    div = division(cell, label, max(k, known))
    for grid in range(known, k):
        _cut_heaviest(cell, div, rates, grid, seed)
    while known > k:
        known = _join_lightest(cell, div, known)
    return repaired(cell, div.label[: len(label)].copy(), k)


def _cut_heaviest(cell: Cell, div: Division, rates: Rates, grid: int, seed: int) -> None:
    """Cut the heaviest grid of several units in two, the part cut off being `grid`, in place."""
    heaviest = int(np.argmax(np.where(div.size > 1, div.load, -1.0)))
    if div.size[heaviest] < 2:
        return
    single = last_of_walk(cell, div.label, heaviest)
    div.label[single] = grid
    recount(cell, div)
    scratch = scratch_for(len(div.label), seed + grid)
    for _ in range(_CUTS):
        recombine(cell, div, rates, scratch, single, heaviest, 0.0)
        single = int(np.flatnonzero(div.label == grid)[0])


def _join_lightest(cell: Cell, div: Division, known: int) -> int:
    """Join the lightest grid with its lightest neighbour, in place; the number of grids left."""
    lightest = int(np.argmin(div.load[:known]))
    source = np.repeat(np.arange(len(div.label)), np.diff(cell.indptr))
    near = np.unique(div.label[cell.indices[div.label[source] == lightest]])
    near = near[near != lightest]
    if not len(near):
        near = np.array([grid for grid in range(known) if grid != lightest])
    div.label[div.label == lightest] = near[np.argmin(div.load[near])]
    div.label[div.label == known - 1] = lightest
    recount(cell, div)
    return known - 1
