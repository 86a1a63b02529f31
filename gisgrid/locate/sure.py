"""How sure a located point is: which grids it may lie in, and with what probability, given its accuracy.

A position of stated accuracy is taken as a Gaussian around the point, the same in all directions, that holds the
share `CONFIDENCE` within ``accuracy`` metres: 68 %, as Android and most receivers report it. (W3C Geolocation states
95 %: give ``confidence=0.95`` for positions from a browser.) The probability of a grid is the Gaussian's share in it,
computed exactly over its polygon; see `gisgrid.locate.around.gaussian_share`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.arrays import coordinate_arrays
from gisgrid.errors import BadInput
from gisgrid.limits import ACCURACY_METRES_MAX
from gisgrid.locate import around, kernels
from gisgrid.locate.inputs import rings_of
from gisgrid.locate.near import Index, metres_per_degree

Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.68
"""Share of the positions that lie within the stated accuracy."""
LEAST_SHARE: Final = 0.005
"""Candidates less probable than this are not worth a dispatcher's look."""
_SIGMAS: Final = 5.0
"""Grids farther than this many standard deviations hold less than 4e-6."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Flat answer for (n) points: entries of point k lie together, the most probable first.

    ``point`` int64 (m) number of the point, ``row`` int32 (m) row of the grid, ``probability`` float64 (m);
    ``outside`` float64 (n) the share in no grid, NaN for a point that is not finite.
    """

    point: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    probability: Floats
    outside: Floats


def sigma_of(accuracy: npt.ArrayLike, confidence: float = CONFIDENCE) -> Floats:
    """Standard deviation on each axis, in metres, of positions of which ``confidence`` lie within ``accuracy`` metres.

    The distance of a two-dimensional Gaussian is Rayleigh distributed. Raises BadInput.
    """
    if not 0.0 < confidence < 1.0:
        raise BadInput(f"confidence {confidence!r} is not between 0 and 1; give for example 0.68 or 0.95")
    metres = np.atleast_1d(np.asarray(accuracy, np.float64))
    wrong = ~((metres > 0.0) & (metres <= ACCURACY_METRES_MAX))
    if wrong.any():
        worst = metres[np.flatnonzero(wrong)[0]]
        raise BadInput(
            f"accuracy {worst:g} is not above 0 and up to {ACCURACY_METRES_MAX:g} metres; leave it out if unknown"
        )
    return metres / math.sqrt(-2.0 * math.log1p(-confidence))


def candidates(
    index: Index,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    accuracy: npt.ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    metres: bool = True,
) -> Candidates:
    """Grids each of (n) points may lie in, ``accuracy`` metres (one for all, or (n)); see the module.

    ``metres``: the index is in lon/lat degrees; otherwise its CRS is in metres. Where grids overlap, the common ground
    counts for the smallest code, as it does for owners. Probabilities below `LEAST_SHARE` are left out.
    Raises BadInput for an accuracy that is no distance.
    """
    xs, ys = coordinate_arrays(x, y)
    sigma = np.broadcast_to(sigma_of(accuracy, confidence), xs.shape).copy()
    usable = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys) & (np.abs(ys) < 90.0 if metres else True))
    ux, uy, us = xs[usable], ys[usable], sigma[usable]
    scale_x, scale_y = metres_per_degree(uy) if metres else (np.ones(ux.size), np.ones(ux.size))
    frame, cells, records = (index.array(name) for name in ("frame", "cells", "records"))
    reach = _SIGMAS * us
    found = around.shares_around(ux, uy, scale_x, scale_y, us, reach, frame, cells, records, index.rings())
    who, row, share = found
    total = np.bincount(who, share, ux.size)
    for point in np.flatnonzero(total > 1.0 + 1e-9).tolist():
        own = who == point
        share[own] = _owned_shares(index, row[own], ux[point], uy[point], scale_x[point], scale_y[point], us[point])
    outside = np.full(xs.size, np.nan)
    outside[usable] = np.clip(1.0 - np.bincount(who, share, ux.size), 0.0, 1.0)
    kept = share >= LEAST_SHARE
    who, row, share = who[kept], row[kept], share[kept]
    order = np.lexsort((index.array("rank")[row], -share, who))
    return Candidates(usable[who[order]], row[order], share[order], outside)


def _owned_shares(index: Index, rows: Any, x: float, y: float, scale_x: float, scale_y: float, sigma: float) -> Floats:
    """Shares of overlapping grids, each without the ground of smaller codes."""
    shapes = index.geometries_of(rows)
    order = np.argsort(index.array("rank")[rows])
    shares = np.zeros(rows.size)
    taken = shapely.MultiPolygon()
    for at in order.tolist():
        region = _areal(shapely.difference(shapes[at], taken))
        taken = shapely.union(taken, shapes[at])
        if not region.is_empty:
            arrays = rings_of(np.array([region], dtype=object))
            rings = tuple(arrays[name] for name in kernels.RINGS)
            shares[at] = around.gaussian_share(0, x, y, scale_x, scale_y, sigma, rings)
    return shares


def _areal(shape: Any) -> Any:
    """The polygons of a shape."""
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])
