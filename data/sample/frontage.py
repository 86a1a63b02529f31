"""Shops along the larger streets, one strip in front of the compound walls."""

from __future__ import annotations

import numpy as np
import shapely

from data.sample.base import SETBACK, TERTIARY, Bools, Geoms, Rng
from data.sample.fabric import Stock
from data.sample.planar import PlanarMap
from data.sample.shapes import RECT, place

DEPTH = 11.0
"""Depth of a shop in metres."""


def shops(pm: PlanarMap, chosen: Bools, land: Geoms, rng: Rng) -> Stock:
    """Shop fronts along primary to tertiary edges of the chosen blocks, inside their property lines."""
    edge = np.concatenate([np.arange(len(pm.edges))] * 2)
    face = np.concatenate([pm.left, pm.right])
    sign = np.repeat([1.0, -1.0], len(pm.edges))
    fine = (face >= 0) & (pm.cls[edge] <= TERTIARY) & (shapely.length(pm.edges[edge]) > 70)
    fine[fine] = chosen[face[fine]]
    edge, face, sign = edge[fine], face[fine], sign[fine]
    length = shapely.length(pm.edges[edge])
    size = rng.uniform(16, 38, len(edge))
    trim = 26.0
    count = np.maximum(np.floor((length - 2 * trim) / (size + 2.5)).astype(np.int64), 0)
    row = np.repeat(np.arange(len(edge)), count)
    start = np.concatenate([[0], np.cumsum(count)])[:-1]
    k = np.arange(len(row)) - start[row]
    at = trim + (k + 0.5) * (size[row] + 2.5)
    lines = pm.edges[edge[row]]
    half = size[row] / 2
    a = shapely.get_coordinates(shapely.line_interpolate_point(lines, at - half))
    b = shapely.get_coordinates(shapely.line_interpolate_point(lines, at + half))
    run = (b - a) / np.hypot(*(b - a).T)[:, None]
    off = (SETBACK[pm.cls[edge[row]]] + 0.8 + DEPTH / 2) * sign[row]
    middle = (a + b) / 2 + np.column_stack([-run[:, 1], run[:, 0]]) * off[:, None]
    keep = rng.random(len(row)) > 0.12
    angle = np.arctan2(run[:, 1], run[:, 0])
    depth = DEPTH * rng.uniform(0.8, 1.0, len(row))
    polygons = place(np.full(len(row), RECT), middle[:, 0], middle[:, 1], size[row], depth, angle)
    keep &= shapely.covered_by(polygons, land[face[row]])
    rows = np.flatnonzero(keep)
    return Stock(
        polygons[rows],
        face[row][rows],
        np.full(len(rows), "commercial", dtype=object),
        rng.integers(1, 4, len(rows)),
        np.ones(len(rows), dtype=np.int64),
        np.full(len(rows), 2, dtype=np.int64),
    )
