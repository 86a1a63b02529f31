"""Measures of a division into grids: compactness, household balance, boundaries on streets, compounds split.

Arrays in, numbers or arrays out; nothing here knows files or tables. Each measure names its source.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from gisgrid import topology
from gisgrid.models import Band

STREET_TOLERANCE: Final = 2.0
"""A boundary within so many metres of a street's line runs on that street."""


def compactness_of(area: ArrayLike, perimeter: ArrayLike) -> NDArray[np.float64]:
    """Polsby–Popper compactness 4πA/P² from areas (m²) and perimeters (m), shape (n,); 0 where P is 0.

    1 is a circle, π/4 = 0.785 a square. Source: D. D. Polsby and R. D. Popper, "The Third Criterion: Compactness as
    a Procedural Safeguard Against Partisan Gerrymandering", Yale Law & Policy Review 9 (1991), 301–353.
    """
    a, p = np.asarray(area, float), np.asarray(perimeter, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, 4 * np.pi * a / p**2, 0.0)


def compactness(geometries: Any) -> NDArray[np.float64]:
    """Polsby–Popper compactness of polygons in a metric CRS, shape (n,); holes count into the perimeter."""
    geoms = np.asarray(geometries, dtype=object)
    return compactness_of(shapely.area(geoms), shapely.length(geoms))


class Balance(NamedTuple):
    """How evenly households lie over grids."""

    grids: int
    households: float
    mean: float
    least: float
    most: float
    mean_deviation: float
    """Mean of |h − mean| as a share of the mean."""
    max_deviation: float
    """Largest |h − mean| as a share of the mean."""
    in_band: float
    """Share of grids inside the band; 1 when there is no grid."""
    outside_band: float
    """Households missing below or too many above the band, summed over grids."""


def balance(households: ArrayLike, band: Band) -> Balance:
    """Balance of ordinary grids (leave special ones out): deviations as in redistricting, shares of the mean.

    Source: mean and maximum relative deviation after M. Altman, "Modeling the effect of mandatory district
    compactness on partisan gerrymanders", Political Geography 17 (1998), 989–1012; band by DESIGN's rule.
    """
    h = np.asarray(households, float)
    if not h.size:
        return Balance(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    mean = float(h.mean())
    off = np.abs(h - mean) / mean if mean > 0 else np.zeros_like(h)
    outside = np.maximum(0, band.low - h) + np.maximum(0, h - band.high)
    return Balance(
        h.size,
        float(h.sum()),
        mean,
        float(h.min()),
        float(h.max()),
        float(off.mean()),
        float(off.max()),
        in_band_share(h, band),
        float(outside.sum()),
    )


def in_band_share(households: ArrayLike, band: Band) -> float:
    """Share of grids whose households are within the band, both ends included; 1 when there is no grid."""
    h = np.asarray(households, float)
    return float(((h >= band.low) & (h <= band.high)).mean()) if h.size else 1.0


class StreetShare(NamedTuple):
    """Internal boundary of a division, each metre counted once, and how much of it runs on streets."""

    metres: float
    on_streets: float

    @property
    def share(self) -> float:
        """Part of the boundary on streets; 1 when there is no internal boundary."""
        return self.on_streets / self.metres if self.metres else 1.0


def boundary_on_streets(grids: Any, streets: Any, *, tolerance: float = STREET_TOLERANCE) -> StreetShare:
    """Length of boundary between two grids, and of it within ``tolerance`` metres of a street's line.

    grids: polygons of an exactly noded coverage; streets: lines, any barrier; both in the same metric CRS. A segment
    counts as a whole by its middle, so segments are taken as they are noded: short along curves.
    """
    shared = topology.edges(grids)
    on = near_lines(shared.middle, streets, tolerance)
    return StreetShare(float(shared.metres.sum()), float(shared.metres[on].sum()))


def near_lines(points: NDArray[np.float64], lines: Any, tolerance: float) -> NDArray[np.bool_]:
    """Whether each point, shape (n, 2), is within ``tolerance`` metres of any of the lines."""
    near = np.zeros(len(points), bool)
    pieces = segments(lines)
    if pieces.size and len(points):
        # single segments, not whole lines: distance to a long line costs its every vertex
        near[shapely.STRtree(pieces).query(shapely.points(points), predicate="dwithin", distance=tolerance)[0]] = True
    return near


def segments(lines: Any) -> NDArray[np.object_]:
    """Two-point lines of all segments of any lines, in order."""
    parts = shapely.get_parts(np.asarray(lines, dtype=object))
    xy, at = shapely.get_coordinates(parts, return_index=True)
    joined = at[1:] == at[:-1]
    found: NDArray[np.object_] = shapely.linestrings(np.stack([xy[:-1][joined], xy[1:][joined]], axis=1))
    return found


class CompoundSplit(NamedTuple):
    """Compounds small enough for one grid, and those of them that lie in several."""

    fitting: int
    split: int

    @property
    def share(self) -> float:
        """Part of the fitting compounds that is split; 0 when none fits."""
        return self.split / self.fitting if self.fitting else 0.0


def compounds_split(compounds: Any, grids: ArrayLike, households: ArrayLike, high: float) -> CompoundSplit:
    """Compounds of at most ``high`` households, and how many are spread over more than one grid.

    compounds: compound id of each unit, null for none; grids: grid of each unit (int, −1 for none); households: of
    each unit; all shape (n,). Units without households do not count: a lawn in the next grid splits nothing.
    """
    ids, _ = pd.factorize(np.asarray(compounds, dtype=object), sort=False)
    owner, weight = np.asarray(grids, np.int64), np.asarray(households, float)
    lived = (ids >= 0) & (weight > 0)
    ids, owner, weight = ids[lived], owner[lived], weight[lived]
    if not ids.size:
        return CompoundSplit(0, 0)
    total = np.bincount(ids, weight)
    pairs = np.unique(np.column_stack([ids, owner]), axis=0)
    pieces = np.bincount(pairs[:, 0], minlength=total.size)
    fits = (total <= high) & (total > 0)
    return CompoundSplit(int(fits.sum()), int((pieces[fits] > 1).sum()))
