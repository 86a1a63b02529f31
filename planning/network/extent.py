"""How far streets reach beyond an area: a network that ends at the area's edge makes the ways of its edge too long."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.crs import to_metric

SIDES: Final = ("west", "south", "east", "north")
STEP: Final = 250.0
"""Metres of a side looked at as one."""

Float64 = NDArray[np.float64]


def streets_beyond(streets: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> dict[str, float]:
    """Metres that streets reach beyond the box of an area on each side (`SIDES`), any CRS.

    An extract keeps whole every street that touches it, so single streets reach far: of the stretches of `STEP` metres
    along a side, half reach at least as far as told.
    """
    metric = to_metric(area[["geometry"]])
    west, south, east, north = (float(value) for value in metric.total_bounds)
    lines = streets.geometry.to_crs(metric.crs).to_numpy()
    # vertices may lie far apart on long straight streets
    corners = shapely.get_coordinates(shapely.segmentize(lines[~shapely.is_empty(lines)], STEP))
    x, y = corners[:, 0], corners[:, 1]
    return {
        "west": _reach(west - x, y, south, north),
        "south": _reach(south - y, x, west, east),
        "east": _reach(x - east, y, south, north),
        "north": _reach(y - north, x, west, east),
    }


def extent_warning(beyond: dict[str, float], metres: float) -> str | None:
    """One line that says on which sides the street data ends too soon for ways of ``metres``; None where on none."""
    short = {side: beyond[side] for side in SIDES if beyond[side] < metres}
    if not short:
        return None
    told = ", ".join(f"{reach:,.0f} m in the {side}" for side, reach in short.items())
    return (
        f"the street data ends near the area: {told} of {metres:,.0f} m needed; times close to that edge may be too "
        "long, unless no streets are there: take a larger extract"
    )


def _reach(away: Float64, along: Float64, low: float, high: float) -> float:
    cells = max(int(np.ceil((high - low) / STEP)), 1)
    inside = (along >= low) & (along <= high) & (away > 0)
    furthest = np.zeros(cells)
    cell = np.clip(((along[inside] - low) / STEP).astype(np.int64), 0, cells - 1)
    np.maximum.at(furthest, cell, away[inside])
    return round(float(np.median(furthest)), 1)
