"""The ground of each home: what lies nearer to it than to any other, so that areas of homes can be drawn.

Cells of a Voronoi diagram (Voronoi 1908) of the inner points of all buildings somebody
lives in, bounded where no building is near by *blank*
points on a square lattice. Cells neither overlap nor hold another building, so an area made of some of them holds
exactly its own, and their sizes add up.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Geometries = NDArray[np.object_]

BLANK_METRES: Final = 50.0
"""Spacing of the blank points, and how near to a building none is laid: ground ends 25 to 60 m out."""
RING: Final = 3
"""Blank points are laid within so many steps of a building; further ones would bound nothing."""


class Grounds:
    """Cells of buildings at ``xy`` (n, 2) metres; buildings at one place share its cell, those without a place have
    none.
    """

    def __init__(self, xy: Float64) -> None:
        self.site = np.full(len(xy), -1, np.int64)
        known = np.flatnonzero(np.isfinite(xy).all(axis=1))
        sites, self.site[known] = np.unique(xy[known], axis=0, return_inverse=True)
        self.cells = _cells(sites)
        self.known: dict[bytes, Any] = {}

    def joined(self, rows: Int64) -> Any:
        """The MultiPolygon of the ground of some buildings; asked again for the same ones it is the same object."""
        sites = np.unique(self.site[rows])
        key = sites.tobytes()
        if key not in self.known:
            cells = self.cells[sites[sites >= 0]]
            shape = cells[0] if len(cells) == 1 else shapely.coverage_union_all(cells)
            self.known[key] = shapely.multipolygons([shape]) if shape.geom_type == "Polygon" else shape
        return self.known[key]


def _cells(sites: Float64) -> Geometries:
    """One polygon a site, in order."""
    if not len(sites):
        return np.empty(0, object)
    points = np.concatenate([sites, blanks(sites)])
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), ordered=True))
    out: Geometries = cells[: len(sites)]
    return out


def blanks(sites: Float64) -> Float64:
    """Lattice points around the sites and over `BLANK_METRES` from each of them; the lattice is fixed to the CRS."""
    near = np.unique(np.floor(sites / BLANK_METRES).astype(np.int64), axis=0)
    steps = np.arange(-RING, RING + 2)
    around = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    # whole numbers of one digit more than the lattice, so that pairs are unique fast
    lattice = (near[:, None, :] + around[None, :, :]).reshape(-1, 2)
    wide = np.int64(1) << 32
    single = np.unique((lattice[:, 0] << 32) + (lattice[:, 1] + (wide >> 1)))
    y = (single & (wide - 1)) - (wide >> 1)
    points = np.column_stack([single >> 32, y]) * BLANK_METRES
    away, _ = cKDTree(sites).query(points)
    out: Float64 = points[away > BLANK_METRES]
    return out
