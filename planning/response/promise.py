"""What was promised where: so many minutes in town, so many outside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import PROFILE_MINUTES_MAX, RESPONSE_TURNOUT_SECONDS_MAX
from planning.places import levels_of, polygons_of
from planning.reach import Profile

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TOWN_DENSITY: Final = 1500.0
"""Residents per square kilometre from which a place is town: the bound of an urban centre in the Degree of
Urbanisation (UN Statistical Commission 2020), and of a built-up city in China's statistics."""
CELL_METRES: Final = 200.0
CELLS_ACROSS: Final = 5
"""The square kilometre about a place is 5 × 5 cells of 200 m."""
YES: Final = frozenset({"1", "true", "t", "yes", "y", "town", "urban", "是", "城镇", "镇区", "城区"})
NO: Final = frozenset({"0", "false", "f", "no", "n", "", "outside", "rural", "否", "乡村", "农村", "镇外"})


@dataclass(frozen=True, slots=True)
class Promise:
    """Minutes in town and outside, counted from the call: the ``turnout`` seconds before leaving are part of them."""

    minutes: float
    outside_minutes: float
    turnout: float

    def limit(self, mover: Profile, minutes: float) -> int:
        """What may be driven within ``minutes`` of the call, in the network's unit."""
        return mover.limit(minutes - self.turnout / 60)


def promise_of(minutes: float, outside_minutes: float, turnout: float) -> Promise:
    """The promise, checked: minutes above 0 and at most `PROFILE_MINUTES_MAX`, turn-out shorter. Raises BadInput."""
    for value, what in ((minutes, "minutes"), (outside_minutes, "minutes outside town")):
        if not (math.isfinite(value) and 0 < value <= PROFILE_MINUTES_MAX):
            raise BadInput(f"{what} {value:g} is not above 0 and at most {PROFILE_MINUTES_MAX:g}; give for example 15")
    if not (math.isfinite(turnout) and 0 <= turnout <= RESPONSE_TURNOUT_SECONDS_MAX):
        raise BadInput(f"turn-out {turnout:g} s is not between 0 and {RESPONSE_TURNOUT_SECONDS_MAX:g} seconds")
    if turnout >= 60 * min(minutes, outside_minutes):
        raise BadInput(
            f"turn-out {turnout:g} s is not shorter than the promise of {min(minutes, outside_minutes):g} min"
        )
    return Promise(float(minutes), float(outside_minutes), float(turnout))


def in_town(
    xy: Float64, people: Float64, residences: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None,
    town: gpd.GeoDataFrame | None, crs: Any, density: float,
) -> tuple[Bool, str]:  # fmt: skip
    """Which residences (inner points ``xy``) lie in town, and how that was told.

    The first of these that is there decides: the ``town`` polygons (with a column ``town`` those that say yes), a
    column ``town`` of the residences, one of the grids, else the residents of the square kilometre about the place
    are ``density`` or more.
    """
    if not (math.isfinite(density) and density > 0):
        raise BadInput(
            f"town density {density:g} is not above 0; give residents per square kilometre, for example 1500"
        )
    if town is not None:
        if not len(town):
            raise BadInput("the town layer is empty; leave it out, or give the polygons of the town")
        yes = _flags(town, "town layer") if "town" in town else np.ones(len(town), bool)
        return _inside(xy, town[yes], crs, "town"), "polygons of the town"
    if "town" in residences:
        return _flags(residences, "residences"), "column town of the residences"
    if grids is not None and "town" in grids:
        deepest = levels_of(grids) == levels_of(grids).max()
        chosen = grids[_flags(grids, "grids") & deepest]
        return _inside(xy, chosen, crs, "grids"), "column town of the grids"
    return dense(xy, people) >= density, f"{density:g} residents or more in the square kilometre about a place"


def _inside(xy: Float64, polygons: gpd.GeoDataFrame, crs: Any, what: str) -> Bool:
    inside = np.zeros(len(xy), bool)
    if len(polygons):
        shapes = polygons_of(polygons, crs, what)
        inside[shapely.STRtree(shapes).query(shapely.points(xy), predicate="intersects")[0]] = True
    return inside


def _flags(rows: gpd.GeoDataFrame, what: str) -> Bool:
    """Column ``town`` as booleans; null is outside. Raises BadInput for another word."""
    given = rows["town"]
    if pd.api.types.is_bool_dtype(given) or pd.api.types.is_numeric_dtype(given):
        numbers: Bool = np.nan_to_num(given.to_numpy(np.float64, na_value=np.nan)).astype(bool)
        return numbers
    words = given.astype("string").str.strip().str.lower().fillna("")
    yes: Bool = words.isin(YES).to_numpy(bool)
    no = words.isin(NO).to_numpy(bool)
    if not (yes | no).all():
        row = int((~(yes | no)).argmax())
        raise BadInput(f"{what} row {row + 1}: town={given.iloc[row]!s} is neither yes nor no")
    return yes


def dense(xy: Float64, people: Float64) -> Float64:
    """Residents of the square kilometre about each place (5 × 5 cells of 200 m about its own), zero without a place."""
    out = np.zeros(len(xy))
    rows = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(rows):
        return out
    cell = np.floor(xy[rows] / CELL_METRES).astype(np.int64)
    cell -= cell.min(axis=0) - CELLS_ACROSS
    width = int(cell[:, 0].max()) + CELLS_ACROSS + 1
    key, place = np.unique(cell[:, 1] * width + cell[:, 0], return_inverse=True)
    lived = np.bincount(place, people[rows], len(key))
    about = np.zeros(len(key))
    half = CELLS_ACROSS // 2
    for up in range(-half, half + 1):
        for right in range(-half, half + 1):
            wanted = key + up * width + right
            found = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
            about += np.where(key[found] == wanted, lived[found], 0.0)
    out[rows] = about[place]
    return out
