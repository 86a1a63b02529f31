"""Lines that nearly meet: drawn streets that stop short of one another, walls with gates.

A face closes only where lines meet exactly. Three rules, in this order:

1. a *gate* is closed: the two nearest loose ends of walls at most `GATE` metres apart, each the other's nearest, unless
   a river, a railway or a street above residential runs between them;
2. a loose end of a wall is carried on to the nearest line or building at most `WALL_REACH` metres away;
3. a loose end of a street is carried on to the nearest line at most `STREET_REACH` metres away.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gisgrid import metrics
from planning.units.barriers import RIVER, STRENGTH, WALL, Barriers, joined, plain

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Segments = tuple[Geometries, Ints]
"""Two-point lines and the line each is part of."""

GATE: Final = 12.0
"""Widest opening of a wall that counts as a gate, in metres: two lanes and a guard's box."""
WALL_REACH: Final = 3.0
"""Walls stop so many metres short of the street or building they belong to."""
STREET_REACH: Final = 1.0
"""Streets drawn by hand stop so many metres short of the next one."""
TOUCH: Final = 1e-4
"""Ends so near to a line meet it: noding brings them together."""


class Ends(NamedTuple):
    """Loose ends of lines, all arrays (n,): they touch no other line."""

    line: Ints
    last: Bools
    """End of the line (else its beginning)."""
    xy: Floats

    def take(self, which: Bools) -> Ends:
        """Some of the ends."""
        return Ends(self.line[which], self.last[which], self.xy[which])


def mend(found: Barriers, outlines: Geometries) -> Barriers:
    """Border lines with short pieces added where loose ends nearly meet something.

    outlines: building polygons. A piece has the strength of the line it carries on.
    """
    if not len(found.lines):
        return found
    segments = _segments(found.lines)
    ends = _loose_ends(found.lines, segments)
    pieces, strength = [np.empty(0, dtype=object)], [np.empty(0, np.int64)]
    wall = found.strength[ends.line] == WALL
    if wall.any():
        closed, left = _gates(found, ends.take(wall))
        pieces.append(closed)
        strength.append(np.full(len(closed), WALL))
        carried, _ = _carried(segments, left, WALL_REACH, outlines)
        pieces.append(carried)
        strength.append(np.full(len(carried), WALL))
    street = ends.take(~wall & (found.strength[ends.line] < RIVER))
    carried, of = _carried(segments, street, STREET_REACH, outlines[:0])
    pieces.append(carried)
    strength.append(found.strength[street.line[of]])
    lines, each = np.concatenate(pieces), np.concatenate(strength)
    added = [plain(lines[each == value], int(value)) for value in np.unique(each)]
    return joined([found, *added])


def _loose_ends(lines: Geometries, segments: Segments) -> Ends:
    """Ends of line strings that touch no other line and not their own other end."""
    pieces, of = segments
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    line = np.tile(np.arange(len(lines)), 2)
    spots = np.concatenate([first, last])
    xy = shapely.get_coordinates(spots)
    ring = np.tile(np.hypot(*(xy[: len(lines)] - xy[len(lines) :]).T) <= TOUCH, 2)
    near, piece = shapely.STRtree(pieces).query(spots, predicate="dwithin", distance=TOUCH)
    met = ring | (np.bincount(near[of[piece] != line[near]], minlength=len(spots)) > 0)
    # an end may also lie on its own line, as in a 6
    own = of[piece] == line[near]
    met |= np.bincount(near[own], minlength=len(spots)) > 1
    rows = np.flatnonzero(~met)
    return Ends(line[rows], rows >= len(lines), xy[rows])


def _segments(lines: Geometries) -> Segments:
    count = shapely.get_num_coordinates(lines) - 1
    return metrics.segments(lines), np.repeat(np.arange(len(lines)), count)


def _gates(found: Barriers, ends: Ends) -> tuple[Geometries, Ends]:
    """Lines across gates, and the ends left over. Nearest pairs first taken; ties by order of the lines."""
    none = np.empty(0, dtype=object)
    if len(ends.line) < 2:
        return none, ends
    tree = cKDTree(ends.xy)
    pairs = np.array(sorted(tree.query_pairs(GATE)), np.int64).reshape(-1, 2)
    a, b = pairs[:, 0], pairs[:, 1]
    wide = np.hypot(*(ends.xy[a] - ends.xy[b]).T)
    # both ends of one short wall are no gate
    real = (ends.line[a] != ends.line[b]) | (shapely.length(found.lines[ends.line[a]]) > 3 * wide)
    across = shapely.linestrings(np.stack([ends.xy[a], ends.xy[b]], axis=1)) if len(a) else none
    major = found.lines[found.strength > STRENGTH["residential"]]
    if len(a) and len(major):
        real[shapely.STRtree(major).query(across, predicate="intersects")[0]] = False
    used = np.zeros(len(ends.line), bool)
    taken = []
    for row in np.lexsort((b, a, wide)).tolist():
        if real[row] and not (used[a[row]] or used[b[row]]):
            used[a[row]] = used[b[row]] = True
            taken.append(row)
    return np.asarray(across[taken], dtype=object), ends.take(~used)


def _carried(segments: Segments, ends: Ends, reach: float, outlines: Geometries) -> tuple[Geometries, Ints]:
    """Lines from ends to the nearest other line or building within reach, and the end of each."""
    none = np.empty(0, dtype=object), np.empty(0, np.int64)
    if not len(ends.line):
        return none
    pieces, of = segments
    targets = np.concatenate([pieces, outlines])
    of = np.concatenate([of, np.full(len(outlines), -1)])
    spots = shapely.points(ends.xy)
    near, target = shapely.STRtree(targets).query(spots, predicate="dwithin", distance=reach)
    other = of[target] != ends.line[near]
    near, target = near[other], target[other]
    if not near.size:
        return none
    metres = shapely.distance(spots[near], targets[target])
    order = np.lexsort((target, metres, near))
    best = order[np.unique(near[order], return_index=True)[1]]
    best = best[metres[best] > 0]
    across = shapely.shortest_line(spots[near[best]], targets[target[best]])
    return np.asarray(across, dtype=object), near[best]
