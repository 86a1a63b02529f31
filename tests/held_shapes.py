"""Shapes the tests of held layers share."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from layers.held import HeldLayer, View, held_from_frame
from layers.held.projecting import transformer

CENTRE = (104.06, 30.66)


def scattered(count: int, *, seed: int = 1, centre: tuple[float, float] = CENTRE, spread: float = 0.05) -> list[object]:
    """Points, lines and polygons with holes, several parts, nothing, around a place."""
    rng = np.random.default_rng(seed)
    found: list[object] = []
    for k in range(count):
        at = shapely.Point(rng.uniform(-spread, spread, 2) + centre)
        size = spread * rng.uniform(0.01, 0.3)
        ring = at.buffer(size, 5)
        line = shapely.affinity.translate(shapely.LineString(rng.normal(0, size, (6, 2))), at.x, at.y)
        kinds = (
            at, line, ring, ring.difference(at.buffer(size / 2)), shapely.MultiPoint(line.coords),
            shapely.MultiLineString([line.coords[:3], line.coords[3:]]),
            shapely.MultiPolygon([ring, shapely.affinity.translate(ring, 3 * size, 0)]),
            shapely.GeometryCollection([at, line, ring]), None, shapely.Polygon(),
        )  # fmt: skip
        found.append(kinds[k % len(kinds)])
    return found


def held_of(geometries: object, **columns: object) -> HeldLayer:
    return held_from_frame("tried", gpd.GeoDataFrame(columns, geometry=np.asarray(geometries, object), crs="EPSG:4490"))


def view_of(crs: str, box: tuple[float, float, float, float], width: int = 400, height: int = 300) -> View:
    """A view of about a box in degrees."""
    if crs in ("CRS:84", "EPSG:4326", "EPSG:4490"):
        return View(crs, box, width, height)
    x, y = transformer(crs).transform([box[0], box[2]], [box[1], box[3]])
    return View(crs, (x[0], y[0], x[1], y[1]), width, height)


def pixels_by_proj(view: View, coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """What PROJ says, vertex by vertex."""
    x, y = coords[:, 0], coords[:, 1]
    if view.crs not in ("CRS:84", "EPSG:4326", "EPSG:4490"):
        x, y = transformer(view.crs).transform(x, y)
    west, south, east, north = view.box
    return np.column_stack(((x - west) / (east - west) * view.width, (north - y) / (north - south) * view.height))


def grid_coverage(nx: int, ny: int, per: int, *, seed: int = 2, side: float = 0.002) -> NDArray[np.object_]:
    """Cells that share wavy borders of ``per`` vertices, exactly."""
    rng = np.random.default_rng(seed)
    x, y = CENTRE[0] + np.arange(nx + 1) * side, CENTRE[1] + np.arange(ny + 1) * side
    t = np.arange(per + 1) / per

    def wave() -> NDArray[np.float64]:
        return np.concatenate(([0], rng.normal(0, side * 0.05, per - 1), [0]))

    across = {(i, j): np.column_stack((x[i] + t * side, y[j] + wave())) for i in range(nx) for j in range(ny + 1)}
    up = {(i, j): np.column_stack((x[i] + wave(), y[j] + t * side)) for i in range(nx + 1) for j in range(ny)}
    for (i, j), run in across.items():
        run[0], run[-1] = (x[i], y[j]), (x[i + 1], y[j])
    for (i, j), run in up.items():
        run[0], run[-1] = (x[i], y[j]), (x[i], y[j + 1])
    cells = [
        shapely.Polygon(np.vstack((across[i, j], up[i + 1, j][1:], across[i, j + 1][::-1][1:], up[i, j][::-1][1:])))
        for i in range(nx)
        for j in range(ny)
    ]
    return np.array(cells, object)
