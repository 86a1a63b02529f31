"""A small map of a page of features, as an SVG drawn into the page: no script, no other host."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import orjson
import shapely

from layers.collections.crs import Crs

WIDTH: Final = 480
HEIGHT: Final = 320
_MARGIN: Final = 12


@dataclass(frozen=True, slots=True)
class Sketch:
    """Paths of outlines and lines, places of points, in pixels."""

    areas: list[str]
    lines: list[str]
    points: list[tuple[float, float]]


def sketch(geometries: list[Any], crs: Crs) -> Sketch | None:
    """The sketch of GeoJSON geometries; None without any."""
    given = [orjson.dumps(value).decode() for value in geometries if value]
    shapes = shapely.from_geojson(given)
    if len(shapes) == 0:
        return None
    if crs.north_first:
        shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    west, south, east, north = shapely.total_bounds(shapes)
    # a degree of longitude is shorter than one of latitude
    narrow = 1.0 if crs.projected else max(0.05, math.cos(math.radians((south + north) / 2)))
    wide, high = max((east - west) * narrow, 1e-9), max(north - south, 1e-9)
    scale = min((WIDTH - 2 * _MARGIN) / wide, (HEIGHT - 2 * _MARGIN) / high)
    left, top = (WIDTH - wide * scale) / 2, (HEIGHT - high * scale) / 2

    def to_pixels(xy: Any) -> Any:
        xy = xy.copy()
        xy[:, 0] = (xy[:, 0] - west) * narrow * scale + left
        xy[:, 1] = (north - xy[:, 1]) * scale + top
        return xy

    drawn = shapely.simplify(shapely.transform(shapes, to_pixels), 0.4)
    parts = shapely.get_parts(shapely.get_parts(drawn))
    dimension = shapely.get_dimensions(parts)
    areas = ["".join(_path(ring) + "Z" for ring in shapely.get_rings(part)) for part in parts[dimension == 2]]
    lines = [_path(part) for part in parts[dimension == 1]]
    points = [(round(x, 1), round(y, 1)) for x, y in shapely.get_coordinates(parts[dimension == 0])]
    return Sketch(areas, lines, points)


def _path(line: Any) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(line))
