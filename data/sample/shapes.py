"""Footprint templates in a unit square, placed, stretched and turned for many buildings at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from data.sample.base import Floats, Geoms, Ints


def _slab(stairs: int) -> Floats:
    """A slab with a stair well standing out on the north side of each unit."""
    north: list[tuple[float, float]] = []
    for i in range(stairs):
        a, b = -0.5 + (i + 0.32) / stairs, -0.5 + (i + 0.68) / stairs
        north += [(a, 0.38), (a, 0.5), (b, 0.5), (b, 0.38)]
    ring = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.38), *north[::-1], (-0.5, 0.38)]
    return np.array(ring)


_TEMPLATES: Final[tuple[Floats, ...]] = (
    np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]),
    np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.0), (0.05, 0.0), (0.05, 0.5), (-0.5, 0.5)]),
    np.array(
        [(-0.5, -0.5), (-0.2, -0.5), (-0.2, -0.02), (0.2, -0.02), (0.2, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    ),
    np.array(
        [(-0.5, -0.3), (-0.3, -0.3), (-0.3, -0.5), (0.3, -0.5), (0.3, -0.3), (0.5, -0.3), (0.5, 0.25), (0.16, 0.25),
         (0.16, 0.5), (-0.16, 0.5), (-0.16, 0.25), (-0.5, 0.25)]
    ),
    np.array(
        [(-0.5, -0.5), (-0.22, -0.5), (-0.22, -0.12), (0.22, -0.12), (0.22, -0.5), (0.5, -0.5), (0.5, 0.5), (0.22, 0.5),
         (0.22, 0.12), (-0.22, 0.12), (-0.22, 0.5), (-0.5, 0.5)]
    ),
    *(_slab(n) for n in range(1, 7)),
    np.array([(np.cos(a) / 2, np.sin(a) / 2) for a in np.arange(8) * np.pi / 4]),
)  # fmt: skip
RECT, ELL, COURT, CROSS, AITCH, SLAB_1 = 0, 1, 2, 3, 4, 5
OCTAGON: Final = 11


def place(template: Ints, x: Floats, y: Floats, length: Floats, depth: Floats, angle: Floats) -> Geoms:
    """Footprints: ``length`` along the axis turned by ``angle`` (radians), ``depth`` across it, metres."""
    out: Geoms = np.empty(len(x), dtype=object)
    cos, sin = np.cos(angle), np.sin(angle)
    for code in np.unique(template):
        rows = np.flatnonzero(template == code)
        unit = _TEMPLATES[int(code)]
        u, v = unit[None, :, 0] * length[rows, None], unit[None, :, 1] * depth[rows, None]
        xs = x[rows, None] + cos[rows, None] * u - sin[rows, None] * v
        ys = y[rows, None] + sin[rows, None] * u + cos[rows, None] * v
        ring = np.stack([xs, ys], axis=2)
        out[rows] = shapely.polygons(np.concatenate([ring, ring[:, :1]], axis=1))
    return out
