"""Where in the plane a facility may stand: the finite set of places that suffices.

To cover points within a radius, only the crossings of the circles about them (and the points themselves) need be
tried (Church 1984, "The planar maximal covering location problem"). Here every circle is walked round once and a
place kept wherever the set of points in reach is largest: just before a point is lost and after one was won.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gisgrid.limits import STRAIGHT_ENTRIES_MAX, STRAIGHT_NEIGHBOURS_MAX

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

EXACT_METRES: Final = 1e-6
"""Distances this close to a radius are equal to it."""


class Places(NamedTuple):
    """Candidate places (m, 2), who they reach (m × demands), and whether they suffice for the best of all covers."""

    xy: Float64
    reaches: csr_array
    suffice: bool


def within(xy: Float64, reach: Float64, candidates: Float64) -> csr_array:
    """Which candidates (m, 2) lie within its own ``reach`` (n,) of which demand (n, 2): (m × n)."""
    tree = shapely.STRtree(shapely.points(candidates))
    demand, candidate = tree.query(shapely.points(xy), predicate="dwithin", distance=reach + EXACT_METRES)
    return csr_array((np.ones(len(demand), np.int8), (candidate, demand)), shape=(len(candidates), len(xy)))


def planar_places(xy: Float64, reach: Float64) -> Places:
    """Places enough to cover demands ``xy`` (n, 2), each from within its own ``reach`` (n,) metres above 0.

    Where the problem is too large for that, the demands' own places, which suffice for a cover but perhaps not for
    the least.
    """
    reach = np.asarray(reach + EXACT_METRES / 2, np.float64)
    tree = shapely.STRtree(shapely.points(xy))
    crossing = _pair_count(xy, float(reach.max()))
    if crossing <= STRAIGHT_NEIGHBOURS_MAX:
        one, other = tree.query(shapely.points(xy), predicate="dwithin", distance=reach + reach.max())
        keep = (one != other) & (np.hypot(*(xy[one] - xy[other]).T) <= reach[one] + reach[other])
        one, other = one[keep], other[keep]
        order = np.lexsort((other, one))
        indptr = np.zeros(len(xy) + 1, np.int64)
        np.cumsum(np.bincount(one, minlength=len(xy)), out=indptr[1:])
        places, starts, reached = _walk_circles(xy, reach, indptr, other[order], STRAIGHT_ENTRIES_MAX)
        if len(places):
            shape = (len(places), len(xy))
            return Places(places, csr_array((np.ones(len(reached), np.int8), reached, starts), shape=shape), True)
    return Places(xy, within(xy, reach, xy), False)


def _pair_count(xy: Float64, reach: float) -> float:
    """About how many pairs of demands are nearer than twice ``reach``."""
    cell = np.floor(xy / (2 * reach)).astype(np.int64)
    here = np.unique(cell, axis=0, return_counts=True)[1].astype(np.float64)
    return float(np.pi * (here**2).sum())


@njit(cache=True, nogil=True)
def _walk_circles(xy: Any, reach: Any, indptr: Any, neighbours: Any, most: int) -> Any:
    """(places, starts, demands reached), places empty when there are over ``most`` entries."""
    demands = len(xy)
    place = np.empty((1024, 2), np.float64)
    start = np.zeros(1025, np.int64)
    entry = np.empty(16384, np.int32)
    places, entries = 0, 0
    widest = 0
    for i in range(demands):
        widest = max(widest, indptr[i + 1] - indptr[i])
    angle = np.empty(2 * widest, np.float64)
    event = np.empty(2 * widest, np.int64)  # neighbour's place in the list, +widest where it is lost
    active = np.zeros(widest, np.bool_)
    for i in range(demands):
        low = indptr[i]
        events = 0
        inside = 0
        hidden = False
        for k in range(indptr[i + 1] - low):
            active[k] = False
            j = neighbours[low + k]
            dx, dy = xy[j, 0] - xy[i, 0], xy[j, 1] - xy[i, 1]
            d = np.hypot(dx, dy)
            if d + reach[i] <= reach[j]:
                if d + reach[j] <= reach[i] and j < i:
                    hidden = True  # the same circle, walked already
                active[k] = True
                inside += 1
                continue
            if d + reach[j] <= reach[i]:
                hidden = True  # whoever reaches the inner circle reaches this one
                break
            cosine = (reach[i] * reach[i] + d * d - reach[j] * reach[j]) / (2 * reach[i] * d)
            half = np.arccos(min(1.0, max(-1.0, cosine)))
            middle = np.arctan2(dy, dx)
            begin, end = (middle - half) % (2 * np.pi), (middle + half) % (2 * np.pi)
            if half > 0 and begin > end:
                active[k] = True
                inside += 1
            angle[events], event[events] = begin, k
            angle[events + 1], event[events + 1] = end, k + widest
            events += 2
        if hidden:
            continue
        # of one angle those won come before those lost
        order = np.argsort(event[:events] >= widest, kind="mergesort")
        order = order[np.argsort(angle[:events][order], kind="mergesort")]
        for turn in range(max(events, 1)):
            at = 0.0
            if events:
                now = order[turn]
                before = order[turn - 1]
                k = event[now]
                if k < widest:
                    active[k] = True
                    inside += 1
                    continue
                k -= widest
                won = event[before] < widest
                at = angle[before] + ((angle[now] - angle[before]) % (2 * np.pi)) / 2
                if not won:
                    active[k] = False
                    inside -= 1
                    continue
            if entries + inside + 1 > most:
                return np.empty((0, 2)), start[:1], entry[:0]
            if places == len(place):
                grown = np.empty((2 * places, 2), np.float64)
                grown[:places] = place
                place = grown
                longer = np.zeros(2 * places + 1, np.int64)
                longer[: places + 1] = start[: places + 1]
                start = longer
            while entries + inside + 1 > len(entry):
                more = np.empty(2 * len(entry), np.int32)
                more[:entries] = entry[:entries]
                entry = more
            place[places, 0] = xy[i, 0] + reach[i] * np.cos(at)
            place[places, 1] = xy[i, 1] + reach[i] * np.sin(at)
            entry[entries] = i
            entries += 1
            for m in range(indptr[i + 1] - low):
                if active[m]:
                    entry[entries] = neighbours[low + m]
                    entries += 1
            places += 1
            start[places] = entries
            if events:
                active[k] = False
                inside -= 1
    return place[:places], start[: places + 1], entry[:entries]
