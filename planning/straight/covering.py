"""Covering many points from anywhere in the plane, exactly where time allows: rows are added as they are needed.

A cover of some of the points that happens to reach all is a least cover of all. So a well spread sample is covered
exactly first, points it leaves out join the sample, and so on (row generation, as for the planar centre problem in
Drezner 1984). Each round's bound holds for the whole; each round's cover, completed, is an answer.
"""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from planning.straight.planar import EXACT_METRES, planar_places
from planning.straight.setcover import fewest_points

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

SAMPLE_FIRST: Final = 500
"""Points covered exactly in the first round."""
SAMPLE_MORE: Final = 100
"""Points that join the sample in a round."""


class Covering(NamedTuple):
    """Places (m, 2) that reach every point, and the fewest there can be."""

    xy: Float64
    lower_bound: int


def cover_points(xy: Float64, reach: Float64, *, seconds: float) -> Covering:
    """Few places so that each point of ``xy`` (n, 2) has one within its own ``reach`` (n,) metres.

    The fewest there can be, unless ``seconds`` run out: then the best cover met and the best bound.
    """
    if not len(xy):
        return Covering(np.empty((0, 2)), 0)
    end = time.monotonic() + seconds
    sample = _spread(xy, np.arange(len(xy)), float(reach.min()) / 2, SAMPLE_FIRST)
    best = _swept(xy, reach)
    bound = 1
    while True:
        places = planar_places(xy[sample], reach[sample])
        if not places.suffice:
            break
        left = max(end - time.monotonic(), 0.0)
        cover = fewest_points(places.reaches, seconds=left if len(sample) == len(xy) else left / 2)
        bound = max(bound, cover.lower_bound)
        found = centred(xy[sample], reach[sample], places.xy[cover.rows])
        missed = np.flatnonzero(~_reached(xy, reach, found))
        whole = found if not len(missed) else _completed(xy, reach, found)
        if len(whole) < len(best):
            best = whole
        if len(best) == bound or not len(missed) or time.monotonic() >= end:
            break
        sample = np.union1d(sample, _spread(xy, missed, float(reach.min()) / 3, SAMPLE_MORE))
    return Covering(best, bound)


def _reached(xy: Float64, reach: Float64, places: Float64) -> Bool:
    reached = np.zeros(len(xy), bool)
    if len(places):
        tree = shapely.STRtree(shapely.points(places))
        reached[tree.query(shapely.points(xy), predicate="dwithin", distance=reach + EXACT_METRES)[0]] = True
    return reached


def _completed(xy: Float64, reach: Float64, places: Float64) -> Float64:
    """The places and further ones for the points they miss: few points by set covering, many in one sweep."""
    missed = np.flatnonzero(~_reached(xy, reach, places))
    if len(missed) > SAMPLE_FIRST:
        return np.concatenate([places, _swept(xy[missed], reach[missed])])
    spots = planar_places(xy[missed], reach[missed])
    return np.concatenate([places, spots.xy[fewest_points(spots.reaches, seconds=1.0).rows]])


def _swept(xy: Float64, reach: Float64) -> Float64:
    """Places that reach all points: from the west, always as many as one place can serve."""
    further: list[Float64] = []
    missed = np.arange(len(xy))
    while len(missed):
        here = missed[_together(xy[missed], reach[missed])]
        further.append(centred(xy[here], reach[here], xy[here[:1]]))
        missed = missed[~_reached(xy[missed], reach[missed], further[-1])]
    return np.concatenate(further)


@njit(cache=True, nogil=True)
def _together(xy: Any, reach: Any) -> Any:
    """Points, nearest to the westernmost one first, that the middle of their box still reaches."""
    seed = 0
    for i in range(len(xy)):
        if xy[i, 0] < xy[seed, 0]:
            seed = i
    away = np.empty(len(xy))
    for i in range(len(xy)):
        away[i] = np.hypot(xy[i, 0] - xy[seed, 0], xy[i, 1] - xy[seed, 1])
    order = np.argsort(away)
    taken = np.empty(len(xy), np.int64)
    count = 0
    west, south, east, north = xy[seed, 0], xy[seed, 1], xy[seed, 0], xy[seed, 1]
    for i in order:
        if away[i] > 2 * reach[seed] + 2 * reach[i]:
            continue
        w, e = min(west, xy[i, 0]), max(east, xy[i, 0])
        s, n = min(south, xy[i, 1]), max(north, xy[i, 1])
        x, y = (w + e) / 2, (s + n) / 2
        fits = np.hypot(xy[i, 0] - x, xy[i, 1] - y) <= reach[i]
        k = 0
        while fits and k < count:
            fits = np.hypot(xy[taken[k], 0] - x, xy[taken[k], 1] - y) <= reach[taken[k]]
            k += 1
        if fits:
            taken[count] = i
            count += 1
            west, south, east, north = w, s, e, n
    return taken[:count]


def centred(xy: Float64, reach: Float64, places: Float64) -> Float64:
    """Each place moved to the middle of the points it is nearest to, so that none hangs on the last millimetre.

    Where the middle of their smallest circle does not reach them all (reaches differ), the place stays.
    """
    owner = shapely.STRtree(shapely.points(places)).nearest(shapely.points(xy))
    order = np.argsort(owner, kind="stable")
    groups = shapely.multipoints(
        shapely.points(xy[order]), indices=owner[order], out=np.full(len(places), None, object)
    )
    circles = shapely.minimum_bounding_circle(groups)
    lonely = (groups == None) | shapely.is_empty(circles)  # noqa: E711 - element by element
    middle = np.where(lonely[:, None], places, 0.0)
    middle[~lonely] = shapely.get_coordinates(shapely.centroid(circles[~lonely]))
    over = np.full(len(places), -np.inf)
    np.maximum.at(over, owner, np.hypot(*(xy - middle[owner]).T) - reach)
    return np.where((over <= 0)[:, None], middle, places)


def _spread(xy: Float64, rows: Int64, metres: float, most: int) -> Int64:
    """Rows out of ``rows`` that lie further than ``metres`` apart, further still where they would be too many."""
    if len(rows) <= most:
        return rows
    while True:
        kept = rows[_apart(xy[rows], metres)]
        if len(kept) <= most:
            return np.sort(kept)
        metres *= 1.3


def far_apart(xy: Float64, metres: float) -> int:
    """How many points can be found that are pairwise more than ``metres`` apart: each needs a place of its own."""
    return len(_apart(xy, metres))


@njit(cache=True, nogil=True)
def _apart(xy: Any, metres: float) -> Any:
    kept = np.empty(len(xy), np.int64)
    count = 0
    for i in range(len(xy)):
        free = True
        for k in range(count):
            if np.hypot(xy[kept[k], 0] - xy[i, 0], xy[kept[k], 1] - xy[i, 1]) <= metres:
                free = False
                break
        if free:
            kept[count] = i
            count += 1
    return kept[:count]


def warm() -> None:
    """Compile (or load from the cache) every kernel of the search for further facilities."""
    xy = np.random.default_rng(0).uniform(0, 900, (12, 2))
    cover_points(xy, np.full(12, 200.0), seconds=0.1)
    far_apart(xy, 400.0)
