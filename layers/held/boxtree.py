"""Which boxes meet a box: a packed, immutable two-level tree in Hilbert order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gisgrid.hilbert import hilbert_order

LEAF: Final = 32
"""Boxes in one leaf: the top level of a million is 31,250 boxes, read from end to end in some ten microseconds."""

BEHIND: Final = 0.01
"""A tree with more of its rows out of the curve is made anew."""


@dataclass(frozen=True, slots=True)
class BoxTree:
    """``order`` (m,) rows along a Hilbert curve, those without a box left out; ``leaves`` (m / LEAF, 4) their boxes."""

    boxes: NDArray[np.float64]
    order: NDArray[np.int32]
    leaves: NDArray[np.float64]
    box: tuple[float, float, float, float] | None
    """Box of everything; None when there is nothing."""
    behind: int = 0
    """Rows at the end of the order that are out of its curve."""

    @property
    def nbytes(self) -> int:
        """Bytes of what the tree adds to the boxes."""
        return self.order.nbytes + self.leaves.nbytes

    def search(self, box: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Rows whose box meets ``box`` (touching is meeting), ascending. NaN in ``box``: none."""
        whole = self.box
        if whole is None or not (box[0] <= box[2] and box[1] <= box[3]):
            return np.zeros(0, np.int64)
        if box[0] <= whole[0] and box[1] <= whole[1] and box[2] >= whole[2] and box[3] >= whole[3]:
            return np.arange(len(self.boxes)) if len(self.order) == len(self.boxes) else np.sort(self.order)
        found: NDArray[np.int64] = _search(self.boxes, self.order, self.leaves, *box)
        if len(found) < 4096:
            found.sort()
            return found
        hit = np.zeros(len(self.boxes), bool)  # cheaper than sorting many
        hit[found] = True
        return np.flatnonzero(hit)


def box_tree(boxes: NDArray[np.float64]) -> BoxTree:
    """The tree over boxes (k, 4); NaN boxes are never found."""
    with_box = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    some = boxes[with_box] if len(with_box) < len(boxes) else boxes
    order = hilbert_order((some[:, 0] + some[:, 2]) / 2, (some[:, 1] + some[:, 3]) / 2)
    rows = with_box[order].astype(np.int32)
    return _over(boxes, rows, 0)


def changed_tree(before: BoxTree, boxes: NDArray[np.float64], sources: NDArray[np.int64]) -> BoxTree:
    """The tree over boxes (k, 4) that are mostly those of ``before``: ``sources`` (k,) tells the row each was there;
    numbers from its length on are new ones. They come behind the curve, until they are too many."""
    old = len(before.boxes)
    place = np.full(max(old, int(sources.max(initial=-1)) + 1), -1, np.int32)
    place[sources] = np.arange(len(sources), dtype=np.int32)
    fresh = place[old:]
    fresh = fresh[fresh >= 0]
    fresh = fresh[np.isfinite(boxes[fresh]).all(axis=1)]
    behind = before.behind + len(fresh)
    if behind > max(LEAF, BEHIND * len(boxes)):
        return box_tree(boxes)
    kept = place[before.order]
    return _over(boxes, np.concatenate((kept[kept >= 0], fresh)), behind)


def _over(boxes: NDArray[np.float64], rows: NDArray[np.int32], behind: int) -> BoxTree:
    leaves = _leaves(boxes, rows)
    whole = None
    if len(rows):
        low, high = leaves[:, :2].min(axis=0), leaves[:, 2:].max(axis=0)
        whole = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return BoxTree(boxes, rows, leaves, whole, behind)


@njit(cache=True, nogil=True)
def _leaves(boxes: Any, order: Any) -> Any:
    leaves = np.empty(((order.size + LEAF - 1) // LEAF, 4), np.float64)
    for leaf in range(len(leaves)):
        leaves[leaf, 0] = leaves[leaf, 1] = np.inf
        leaves[leaf, 2] = leaves[leaf, 3] = -np.inf
        for k in range(leaf * LEAF, min(order.size, (leaf + 1) * LEAF)):
            row = order[k]
            leaves[leaf, 0] = min(leaves[leaf, 0], boxes[row, 0])
            leaves[leaf, 1] = min(leaves[leaf, 1], boxes[row, 1])
            leaves[leaf, 2] = max(leaves[leaf, 2], boxes[row, 2])
            leaves[leaf, 3] = max(leaves[leaf, 3], boxes[row, 3])
    return leaves


@njit(cache=True, nogil=True)
def _search(boxes: Any, order: Any, leaves: Any, west: float, south: float, east: float, north: float) -> Any:
    found = np.empty(256, np.int64)
    n = 0
    for leaf in range(len(leaves)):
        a, b, c, d = leaves[leaf, 0], leaves[leaf, 1], leaves[leaf, 2], leaves[leaf, 3]
        if a > east or c < west or b > north or d < south:
            continue
        if n + LEAF > found.size:
            longer = np.empty(found.size * 2, np.int64)
            longer[:n] = found[:n]
            found = longer
        inside = a >= west and c <= east and b >= south and d <= north
        for k in range(leaf * LEAF, min(order.size, (leaf + 1) * LEAF)):
            row = order[k]
            if inside or not (
                boxes[row, 0] > east or boxes[row, 2] < west or boxes[row, 1] > north or boxes[row, 3] < south
            ):
                found[n] = row
                n += 1
    return found[:n].copy()
