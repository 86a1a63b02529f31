"""Where streets cross water and railways without a bridge: faults of the data, told rather than mended.

Streets connect at shared vertices only, so a network never steps from a street onto a river or a railway. But a street
that is drawn across a river without being marked as a bridge leads across it all the same.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.crs import to_metric
from planning.network.model import Bool
from planning.network.modes import flag, levels, usable_rows

_SAME_METRES = 0.001


def unbridged_crossings(streets: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, *, mode: str = "walk") -> gpd.GeoDataFrame:
    """Points where a street usable in ``mode`` crosses a line (river, canal, railway; areas are left out) on one level,
    without bridge, tunnel or a vertex they share (a ford, a level crossing).

    Columns: street and line (rows of the two layers), geometry in metres of the streets' zone.
    """
    metric = to_metric(streets[["geometry"]])
    ground = usable_rows(streets, mode) & _on_ground(streets)
    own = np.flatnonzero(ground & _is_line(metric))
    other_metric = lines.to_crs(metric.crs)
    other = np.flatnonzero(_on_ground(lines) & _is_line(other_metric))
    ways, courses = metric.geometry.to_numpy()[own], other_metric.geometry.to_numpy()[other]
    course, way = shapely.STRtree(ways).query(courses, predicate="intersects")
    order = np.lexsort((course, way))
    course, way = course[order], way[order]
    points, pair = shapely.get_coordinates(shapely.intersection(ways[way], courses[course]), return_index=True)
    at = shapely.points(points)
    # a vertex of both is a place where they meet by intention
    shared = np.ones(len(pair), bool)
    for shapes, rows in ((ways, way), (courses, course)):
        shared &= shapely.distance(_corners(shapes)[rows[pair]], at) <= _SAME_METRES
    keep = ~shared
    return gpd.GeoDataFrame(
        {"street": own[way[pair[keep]]], "line": other[course[pair[keep]]]}, geometry=at[keep], crs=metric.crs
    )


def _corners(shapes: NDArray[Any]) -> NDArray[Any]:
    """The vertices of each shape."""
    coords, of = shapely.get_coordinates(shapes, return_index=True)
    points: NDArray[Any] = shapely.multipoints(coords, indices=of)
    return points


def _on_ground(lines: gpd.GeoDataFrame) -> Bool:
    return np.asarray(~flag(lines, "bridge") & ~flag(lines, "tunnel") & (levels(lines) == 0), bool)


def _is_line(lines: gpd.GeoDataFrame) -> Bool:
    return np.asarray(shapely.get_dimensions(lines.geometry.to_numpy()) == 1)
