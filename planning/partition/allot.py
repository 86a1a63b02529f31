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
        least, most, rest, alone, size = _ranges(parts, households, band)
        if least.sum() <= grids <= most.sum():
            return parts, dict(enumerate(_share(grids, rest, alone, least, most).tolist()))
    least, most = np.ones(len(size), np.int64), size
    load = np.bincount(piece[piece >= 0], households[piece >= 0]).astype(np.float64)
    count = _share(min(max(grids, len(size)), int(size.sum())), load, np.zeros_like(alone), least, most)
    return piece, dict(enumerate(count.tolist()))


def _ranges(parts: Ints, households: Floats, band: Band) -> tuple[Ints, Ints, Floats, Ints, Ints]:
    """Least and most grids of each part, households to share out, units that fill a grid alone, units."""
    used = parts >= 0
    part, load = parts[used], households[used]
    count = int(part.max()) + 1
    size = np.bincount(part, minlength=count).astype(np.int64)
    full = load >= band.high
    alone = np.bincount(part[full], minlength=count).astype(np.int64)
    rest = np.bincount(part[~full], load[~full], minlength=count).astype(np.float64)
    least = np.maximum(alone + np.ceil(rest / band.high - 1e-9).astype(np.int64), 1)
    most = alone + np.floor(rest / band.low + 1e-9).astype(np.int64) if band.low else size
    most = np.maximum(np.minimum(most, size), least)
    return np.minimum(least, size), np.minimum(most, size), rest, alone, size


def _share(grids: int, rest: Floats, alone: Ints, least: Ints, most: Ints) -> Ints:
    """Whole numbers between `least` and `most` that add up to `grids`, each next one where a grid is heaviest."""
    count = least.copy()
    while count.sum() < grids:
        # a part of nothing but full grids and a rest too small for one comes first: half a grid stands for none
        weight = np.where(count < most, rest / np.maximum(count - alone, 0.5), -1.0)
        count[int(np.argmax(weight))] += 1
    return count
