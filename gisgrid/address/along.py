"""Places along a road that nobody registered: door numbers between known ones, crossings of two roads.

All in metres on the gazetteer's plane. Odd and even numbers are kept apart; beyond the last known number the reckoning
goes on for a few doors only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.address.table import Parts
from gisgrid.limits import ADDRESS_SETBACK_METRES_MAX

BEYOND_NUMBERS: Final = 12
"""Door numbers past the last known one that are still reckoned (six doors of one side)."""
BEYOND_METRES: Final = 80.0
"""And not further than this."""
CROSSING_METRES: Final = 45.0
"""Roads without drawn lines cross where known doors come this near."""
_METRES_A_NUMBER: Final = 5.0
"""Frontage a door number where only one is known."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A reckoned place: ``x``, ``y``, accuracy in metres, and the rows of the neighbours it rests on."""

    x: float
    y: float
    accuracy: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doors:
    """The known door numbers of a road in order, one point each."""

    number: npt.NDArray[np.int64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    row: npt.NDArray[np.int32]


class Roads:
    """Doors and lines of the roads (places) of a gazetteer, read when first asked for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.doors = lru_cache(maxsize=2_000)(self._doors)
        self.line = lru_cache(maxsize=2_000)(self._line)

    def _doors(self, place: int) -> Doors:
        rows = self._parts.by_place.of(place)
        table = self._parts.rows
        rows = rows[(table.road_place[rows] == place) & (table.door[rows] >= 0)]
        if not len(rows):
            nothing = np.empty(0)
            return Doors(np.empty(0, np.int64), nothing, nothing, np.empty(0, np.int32))
        number, first, where = np.unique(table.door[rows], return_index=True, return_inverse=True)
        size = np.bincount(where)
        x, y = (np.bincount(where, weights=v[rows]) / size for v in (table.x, table.y))
        return Doors(number.astype(np.int64), x, y, rows[first])

    def _line(self, place: int) -> Any:
        """The road's lines joined, None where none are known."""
        lines = self._parts.line_shapes[self._parts.lines.of(place)]
        if not len(lines):
            return None
        return shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines)))

    def interpolate(self, place: int, number: int) -> Spot | None:
        """Where a door number of a road should be, None where that cannot be said."""
        doors = self.doors(place)
        same = doors.number % 2 == number % 2
        side = Doors(doors.number[same], doors.x[same], doors.y[same], doors.row[same])
        found = self._between(place, side, number) or self._beyond(place, side, number)
        if found is None:
            other = self._between(place, doors, number) or self._beyond(place, doors, number)
            found = Spot(other.x, other.y, other.accuracy + 20.0, other.rows) if other else None
        return found

    def _between(self, place: int, doors: Doors, number: int) -> Spot | None:
        at = int(np.searchsorted(doors.number, number))
        if at == 0 or at == len(doors.number):
            return None
        a, b = at - 1, at
        share = (number - doors.number[a]) / (doors.number[b] - doors.number[a])
        ends = (doors.x[a], doors.y[a]), (doors.x[b], doors.y[b])
        gap = float(np.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]))
        x, y = self._on_road(place, ends, float(share), gap)
        steps = (doors.number[b] - doors.number[a]) / 2
        accuracy = 8.0 + gap * (0.5 if steps <= 2 else 0.35)
        return Spot(x, y, accuracy, (int(doors.row[a]), int(doors.row[b])))

    def _beyond(self, place: int, doors: Doors, number: int) -> Spot | None:
        """A little past either end, at the pace of the last doors."""
        if not len(doors.number):
            return None
        last = 0 if number < doors.number[0] else len(doors.number) - 1
        far = abs(int(number - doors.number[last]))
        if far > BEYOND_NUMBERS:
            return None
        if len(doors.number) == 1:
            metres = far * _METRES_A_NUMBER
            return Spot(float(doors.x[0]), float(doors.y[0]), 15.0 + 1.5 * metres, (int(doors.row[0]),))
        inner = min(3, len(doors.number) - 1) if last == 0 else max(0, last - 3)
        run = doors.x[last] - doors.x[inner], doors.y[last] - doors.y[inner]
        pace = float(np.hypot(*run)) / max(1, abs(int(doors.number[last] - doors.number[inner])))
        metres = min(far * pace, BEYOND_METRES)
        size = max(float(np.hypot(*run)), 1e-6)
        ahead = doors.x[last] + run[0] / size * metres, doors.y[last] + run[1] / size * metres
        ends = (doors.x[last], doors.y[last]), ahead
        x, y = self._on_road(place, ends, 1.0, metres)
        return Spot(x, y, 15.0 + 0.8 * metres, (int(doors.row[last]),))

    def _on_road(self, place: int, ends: Any, share: float, gap: float) -> tuple[float, float]:
        """The point at a share of the way between two doors: along the road's line, as far off it as they stand."""
        (ax, ay), (bx, by) = ends
        straight = float(ax + share * (bx - ax)), float(ay + share * (by - ay))
        line = self.line(place)
        if line is None:
            return straight
        part = _part_at(line, shapely.Point(ax, ay))
        a, b = shapely.line_locate_point(part, shapely.points([ax, bx], [ay, by]))
        if not 0.3 * gap <= abs(b - a) <= 3.0 * gap + 20.0:
            return straight
        feet = shapely.get_coordinates(shapely.line_interpolate_point(part, [a, b]))
        offset = [_side(part, s, foot, point) for s, foot, point in zip((a, b), feet, ends, strict=True)]
        if max(abs(o) for o in offset) > ADDRESS_SETBACK_METRES_MAX:
            return straight
        return _beside(part, a + share * (b - a), (1 - share) * offset[0] + share * offset[1])

    def number_at(self, place: int, x: float, y: float) -> int | None:
        """The door number a house at a point beside the road would have; None past the known numbers."""
        line, doors = self.line(place), self.doors(place)
        if line is None or len(doors.number) < 2:
            return None
        part = _part_at(line, shapely.Point(x, y))
        points = shapely.points(np.append(doors.x, x), np.append(doors.y, y))
        along = shapely.line_locate_point(part, points)
        feet = shapely.get_coordinates(shapely.line_interpolate_point(part, along))
        left = np.array(
            [_side(part, s, f, p) >= 0 for s, f, p in zip(along, feet, shapely.get_coordinates(points), strict=True)]
        )
        near = np.hypot(feet[:-1, 0] - doors.x, feet[:-1, 1] - doors.y) <= ADDRESS_SETBACK_METRES_MAX
        side = np.flatnonzero((left[:-1] == left[-1]) & near)
        if len(side) < 2:
            return None
        odd = int(np.round(np.mean(doors.number[side] % 2)))
        side = side[doors.number[side] % 2 == odd]
        side = side[np.argsort(along[side], kind="stable")]
        at = int(np.searchsorted(along[side], along[-1]))
        if at == 0 or at == len(side):
            return None
        a, b = side[at - 1], side[at]
        share = (along[-1] - along[a]) / max(along[b] - along[a], 1e-9)
        value = doors.number[a] + share * (doors.number[b] - doors.number[a])
        return int(2 * round((value - odd) / 2) + odd)

    def crossings(self, a: int, b: int) -> list[tuple[float, float, float]]:
        """Where two roads cross: x, y, accuracy in metres; several where they meet more than once."""
        first, second = self.line(a), self.line(b)
        if first is not None and second is not None:
            return _line_crossings(first, second)
        one, two = self.doors(a), self.doors(b)
        if not len(one.x) or not len(two.x):
            return []
        gap = np.hypot(one.x[:, None] - two.x[None, :], one.y[:, None] - two.y[None, :])
        i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
        if gap[i, j] > CROSSING_METRES:
            return []
        return [(float(one.x[i] + two.x[j]) / 2, float(one.y[i] + two.y[j]) / 2, 10.0 + float(gap[i, j]))]

    def middle(self, place: int) -> tuple[float, float, float] | None:
        """Middle of a road and how far its ends are from there, from its line or its doors."""
        line = self.line(place)
        if line is not None:
            part = _longest(line)
            at = shapely.get_coordinates(shapely.line_interpolate_point(part, 0.5, normalized=True))[0]
            far = shapely.get_coordinates(line) - at
            return float(at[0]), float(at[1]), float(np.hypot(far[:, 0], far[:, 1]).max())
        return None


def _longest(line: Any) -> Any:
    parts = shapely.get_parts(line)
    return parts[int(np.argmax(shapely.length(parts)))]


def _part_at(line: Any, point: Any) -> Any:
    parts = shapely.get_parts(line)
    return parts[int(np.argmin(shapely.distance(parts, point)))]


def _direction(line: Any, at: float) -> npt.NDArray[np.float64]:
    ends = shapely.get_coordinates(
        shapely.line_interpolate_point(line, [max(at - 1.0, 0.0), min(at + 1.0, shapely.length(line))])
    )
    run = ends[1] - ends[0]
    return np.asarray(run / max(float(np.hypot(*run)), 1e-9))


def _side(line: Any, at: float, foot: Any, point: Any) -> float:
    """Distance of a point from its foot on the line, positive to the left."""
    run = _direction(line, at)
    away = np.asarray(point) - foot
    size = float(np.hypot(*away))
    return size if run[0] * away[1] - run[1] * away[0] >= 0 else -size


def _beside(line: Any, at: float, offset: float) -> tuple[float, float]:
    run = _direction(line, at)
    x, y = shapely.get_coordinates(shapely.line_interpolate_point(line, at))[0]
    return float(x - run[1] * offset), float(y + run[0] * offset)


def _line_crossings(first: Any, second: Any) -> list[tuple[float, float, float]]:
    """Meeting points of two roads, those of one junction (within 40 m) as one."""
    met = shapely.intersection(first, second)
    if met.is_empty:
        if shapely.distance(first, second) > 25.0:
            return []
        met = shapely.centroid(shapely.shortest_line(first, second))
    points = shapely.get_coordinates(shapely.centroid(shapely.get_parts(met)))
    points = points[np.lexsort((points[:, 1], points[:, 0]))]
    groups: list[list[npt.NDArray[np.float64]]] = []
    for point in points[:50]:
        near = next((g for g in groups if np.hypot(*(g[0] - point)) < 40.0), None)
        if near is None:
            groups.append([point])
        else:
            near.append(point)
    out = []
    for near in groups:
        at = np.mean(near, axis=0)
        out.append((float(at[0]), float(at[1]), 12.0 + float(max(np.hypot(*(p - at)) for p in near))))
    return out
