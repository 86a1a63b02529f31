"""Geometries sent in filters and features: checked, capped, brought to EPSG:4490 with longitude first."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import shapely
from pygeofilter import values
from shapely.geometry import mapping, shape

from gisgrid.crs import points_to_storage
from gisgrid.errors import BadInput
from gisgrid.limits import FILTER_VERTICES_MAX
from layers.collections.crs import Crs

_KINDS = (
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
)  # fmt: skip


def from_wkt(text: str, crs: Crs) -> values.Geometry:
    """A WKT geometry. Raises BadInput."""
    try:
        found = shapely.from_wkt(text)
    except shapely.errors.GEOSException as error:
        why = str(error).splitlines()[0][:120]
        raise BadInput(f"filter: the geometry {text[:60]!r} cannot be read: {why}") from None
    return _value(found, crs)


def from_geojson(value: Any, crs: Crs) -> values.Geometry:
    """A GeoJSON geometry. Raises BadInput."""
    return _value(read_geojson(value, where="filter"), crs)


def read_geojson(value: Any, *, where: str) -> Any:
    """A GeoJSON geometry as shapely's. Raises BadInput naming ``where``."""
    if not isinstance(value, dict) or value.get("type") not in _KINDS:
        raise BadInput(f"{where}: the geometry is no GeoJSON geometry ({', '.join(_KINDS)})")
    try:
        return shape(value)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError, shapely.errors.ShapelyError):
        shown = json.dumps(value)[:80] if len(str(value)) < 10_000 else value.get("type")
        raise BadInput(f"{where}: the geometry {shown} has no proper coordinates") from None


def from_box(corners: list[Any], crs: Crs) -> values.Geometry:
    """``BBOX``: minx, miny, maxx, maxy (six numbers: with heights) in the order of the CRS's axes; one whose west
    is east of its east crosses 180°. Raises BadInput.
    """
    boxes = boxes_of(corners, crs, where="filter: BBOX")
    polygons = [shapely.box(*box) for box in boxes]
    if crs.projected:  # the edges of a projected box are no straight lines in degrees
        polygons = [_densified_box(corners, crs)]
    return values.Geometry(dict(mapping(polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons))))


def boxes_of(corners: list[Any], crs: Crs, *, where: str) -> list[tuple[float, float, float, float]]:
    """West, south, east, north in degrees of what a box covers: two boxes when it crosses 180°. Raises BadInput."""
    if len(corners) not in (4, 6) or not all(_finite(value) for value in corners):
        raise BadInput(f"{where} takes 4 or 6 finite numbers")
    if len(corners) == 6:
        corners = [corners[0], corners[1], corners[3], corners[4]]
    a, b, c, d = (float(value) for value in corners)
    x0, y0, x1, y1 = (b, a, d, c) if crs.north_first else (a, b, c, d)
    if y0 > y1 or (x0 > x1 and crs.projected):
        raise BadInput(f"{where} is turned round: give the smaller values first, in the axis order of {crs.name}")
    if crs.projected:
        return [tuple(shapely.bounds(_densified_box(corners, crs)))]
    if not (min(x0, x1) >= -180 and max(x0, x1) <= 180 and y0 >= -90 and y1 <= 90):
        order = "latitude, longitude" if crs.north_first else "longitude, latitude"
        raise BadInput(f"{where} leaves the world; {crs.name} counts in degrees, {order}")
    return [(x0, y0, x1, y1)] if x0 <= x1 else [(x0, y0, 180.0, y1), (-180.0, y0, x1, y1)]


def _densified_box(corners: list[Any], crs: Crs) -> Any:
    a, b, c, d = (float(value) for value in (corners if len(corners) == 4 else [*corners[:2], *corners[3:5]]))
    box = shapely.box(b, a, d, c) if crs.north_first else shapely.box(a, b, c, d)
    side = max(c - a, d - b) / 20
    return to_lonlat(shapely.segmentize(box, side) if side > 0 else box, crs.east_first(), where="bbox")


def to_lonlat(given: Any, crs: Crs, *, where: str) -> Any:
    """A geometry in EPSG:4490, longitude first, two-dimensional. Raises BadInput for coordinates beyond the world."""
    flat = shapely.force_2d(given)

    def move(coordinates: Any) -> Any:
        east_first = coordinates[:, ::-1] if crs.north_first else coordinates
        return np.column_stack(points_to_storage(east_first[:, 0], east_first[:, 1], crs.authority))

    moved = shapely.transform(flat, move)
    box = shapely.bounds(moved)
    finite = np.isfinite(shapely.get_coordinates(moved)).all()
    if not finite or box[0] < -180 or box[2] > 180 or box[1] < -90 or box[3] > 90:
        raise BadInput(f"{where}: the geometry leaves the world; is it in {crs.name}, in the order of its axes?")
    return moved


def _value(given: Any, crs: Crs) -> values.Geometry:
    if shapely.is_empty(given):
        raise BadInput("filter: the geometry is empty")
    count = int(shapely.get_num_coordinates(given))
    if count > FILTER_VERTICES_MAX:
        raise BadInput(f"filter: the geometry has {count} vertices, more than {FILTER_VERTICES_MAX}; simplify it")
    moved = to_lonlat(given, crs, where="filter")
    if not shapely.is_valid(moved):
        raise BadInput(f"filter: the geometry is not valid: {shapely.is_valid_reason(moved)}")
    return values.Geometry(dict(mapping(moved)))


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
