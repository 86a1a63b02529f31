"""Polygons of whole categories: everywhere one reaches the nearest facility of a category from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gisgrid.models import Progress
from planning.circles.isochrones import contour
from planning.circles.raster import SnapRaster
from planning.network import Network
from planning.reach import Profile, Snapped, search_from

Float64 = NDArray[np.float64]


def by_category(
    there: Network, raster: SnapRaster, names: Sequence[str], facilities: Sequence[Snapped], profile: Profile,
    minutes: Sequence[float], progress: Progress,
) -> list[tuple[str, float, Any]]:  # fmt: skip
    """(category, minutes, MultiPolygon or None) for every category and minutes, in metres of the network's CRS.

    ``there``: the reversed network, because people go to facilities; ``facilities``: those of each category.
    """
    limits = [profile.limit(value) for value in minutes]
    shapes: list[tuple[str, float, Any]] = []
    for number, (name, places) in enumerate(zip(names, facilities, strict=True)):
        progress(0.65 + 0.3 * number / len(names), name)
        found = contour(there, search_from(there, places, limit=max(limits)), raster, limits)
        shapes += [(name, value, shape) for value, shape in zip(minutes, found, strict=True)]
    return shapes


def around(homes: Float64, places: Float64, metres: float) -> tuple[float, float, float, float]:
    """A box around all places and as far as anybody walks; the raster keeps to where streets are."""
    xy = np.concatenate([homes, places])
    xy = xy[np.isfinite(xy).all(axis=1)]
    (west, south), (east, north) = xy.min(axis=0) - metres, xy.max(axis=0) + metres
    return float(west), float(south), float(east), float(north)
