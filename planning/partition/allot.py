"""Sharing a forced number of grids out over pieces and cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gisgrid.models import Band

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def allot_counts(cell: Ints, piece: Ints, households: Floats, band: Band, grids: int) -> tuple[Ints, dict[int, int]]:
    """Cells to use and the grids of each, in all `grids` when the units allow it.

    Cells keep their limits while their counts in band can add up to `grids`; otherwise every piece is one cell, its
    count in band if that can be. A cell has at least one grid and at most one a unit, so fewer grids than
    pieces or more than units cannot be met: the nearest possible number is used.
    """
    for parts in (cell, piece):
        least, most, load, size = _ranges(parts, households, band)
        if least.sum() <= grids <= most.sum():
            return parts, dict(enumerate(_share(grids, load, least, most).tolist()))
    least, most = np.ones(len(size), np.int64), size
    return piece, dict(enumerate(_share(min(max(grids, len(size)), int(size.sum())), load, least, most).tolist()))


def _ranges(parts: Ints, households: Floats, band: Band) -> tuple[Ints, Ints, Floats, Ints]:
    used = parts >= 0
    load = np.bincount(parts[used], households[used]).astype(np.float64)
    size = np.bincount(parts[used]).astype(np.int64)
    least = np.maximum(np.ceil(load / band.high - 1e-9), 1).astype(np.int64)
    most = np.floor(load / band.low + 1e-9).astype(np.int64) if band.low else size
    most = np.maximum(np.minimum(most, size), least)
    least = np.minimum(least, size).astype(np.int64)
    return least, np.minimum(most, size).astype(np.int64), load, size


def _share(grids: int, load: Floats, least: Ints, most: Ints) -> Ints:
    """Whole numbers between `least` and `most` that add up to `grids`, each next one where a grid is heaviest."""
    count = least.copy()
    while count.sum() < grids:
        weight = np.where(count < most, load / np.maximum(count, 1), -1.0)
        count[int(np.argmax(weight))] += 1
    return count
