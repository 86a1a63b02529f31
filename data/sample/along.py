"""Points at distances along many lines laid end to end, and points kept inside the district."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from data.sample.base import Floats, Geoms, Ints


def stations(lines: Geoms, at: Floats) -> tuple[Floats, Floats, Ints]:
    """Points at distances ``at`` (metres) along the lines laid end to end, unit normals to their left, line rows."""
    length = shapely.length(lines)
    ends = np.cumsum(length)
    row = np.minimum(np.searchsorted(ends, at, side="right"), len(lines) - 1)
    line = lines[row]
    t = np.clip(at - (ends[row] - length[row]), 0, length[row])
    middle = shapely.get_coordinates(shapely.line_interpolate_point(line, t))
    back = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(t - 0.5, 0)))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, t + 0.5))
    run = (ahead - back) / np.maximum(np.hypot(*(ahead - back).T), 1e-9)[:, None]
    return middle, np.column_stack([-run[:, 1], run[:, 0]]), row


def kept_inside(points: Floats, base: Floats, core: Any) -> Floats:
    """Points outside ``core`` mirrored across their base point (the street), the stubborn ones pulled to its edge."""
    out = ~shapely.contains_xy(core, points)
    points = np.where(out[:, None], 2 * base - points, points)
    still = np.flatnonzero(~shapely.contains_xy(core, points))
    if len(still):
        pull = shapely.shortest_line(shapely.points(points[still]), core)
        points[still] = shapely.get_coordinates(shapely.get_point(pull, -1))
    return points
