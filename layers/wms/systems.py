"""Coordinate systems of the map service, and the order a version writes their axes in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import shapely
from pyproj import CRS, Transformer

from gisgrid.crs import metric_crs
from gisgrid.errors import BadInput

Version = Literal["1.1.1", "1.3.0"]
Box = tuple[float, float, float, float]

GEOGRAPHIC: Final = ("EPSG:4490", "EPSG:4326", "CRS:84")
MERCATOR: Final = ("EPSG:3857", "EPSG:900913")
ZONES: Final = tuple(f"EPSG:{number}" for number in range(4513, 4555))
"""CGCS2000 3° Gauss–Krüger zones, eastings with the zone's number (4513–4533) and without (4534–4554)."""
_SAME: Final = {"EPSG:900913": "EPSG:3857"}
_ROOM: Final = 0.0005
"""Degrees left free on every side of a single place, some 50 m."""
_SYMBOLS: Final = 0.02
"""Share of a box's longer side left free for symbols: 20 pixels of a picture of 1000."""
_UTM: Final = re.compile(r"EPSG:32[67](0[1-9]|[1-5]\d|60)")


def drawn_as(crs: str) -> str:
    """The name `layers.held.View` knows a system by."""
    return _SAME.get(crs, crs)


def system(text: str, version: Version) -> str:
    """The coordinate system named by CRS or SRS. Raises BadInput with the version's code."""
    name = text.strip().upper()
    known = name in GEOGRAPHIC or name in MERCATOR or name in ZONES or _UTM.fullmatch(name) is not None
    if not known or (name == "CRS:84" and version == "1.1.1"):
        parameter, code = ("CRS", "InvalidCRS") if version == "1.3.0" else ("SRS", "InvalidSRS")
        raise BadInput(f"{parameter}={text[:60]!r} is not offered; the capabilities list what is", code=code)
    return name


@lru_cache(maxsize=256)
def north_first(crs: str, version: Version) -> bool:
    """Whether the version writes northings (latitudes) before eastings: 1.3.0 by the system's own definition
    (06-042, 6.7.2), 1.1.1 never."""
    if version == "1.1.1" or crs == "CRS:84":
        return False
    return bool(CRS.from_user_input(drawn_as(crs)).axis_info[0].direction == "north")


def in_order(box: Box, crs: str, version: Version) -> Box:
    """A box with x east first as the version writes it, and back."""
    return (box[1], box[0], box[3], box[2]) if north_first(crs, version) else box


@lru_cache(maxsize=256)
def _from_degrees(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4490", drawn_as(crs), always_xy=True)


def box_in(degrees: Box, crs: str) -> Box | None:
    """A box of longitudes and latitudes in a system, x east first; None where it has none."""
    if crs in GEOGRAPHIC:
        return degrees
    low, high = (-85.05, 85.05) if crs in MERCATOR else (-89.9, 89.9)
    west, south, east, north = degrees[0], max(degrees[1], low), degrees[2], min(degrees[3], high)
    if west == east or south == north:  # of a point or a straight line
        x, y = _from_degrees(crs).transform([west, east], [south, north])
        found = (min(x), min(y), max(x), max(y))
    else:
        found = _from_degrees(crs).transform_bounds(west, south, east, north)
    return found if np.isfinite(found).all() else None


def offered_systems(data: Box) -> list[str]:
    """What a service with data in this box of degrees offers: the UTM zone too where it is not in China's."""
    names = [*GEOGRAPHIC, *MERCATOR, *ZONES]
    metric = _metric(data)
    return names if metric is None or metric in names else [*names, metric]


def told_systems(data: Box) -> list[str]:
    """Systems a layer's box is told in: those of degrees, Web Mercator, and the zones its middle lies in."""
    metric = _metric(data)
    if metric is None:
        return [*GEOGRAPHIC, "EPSG:3857"]
    number = int(metric.removeprefix("EPSG:"))
    zones = [f"EPSG:{number - 21}", metric] if 4534 <= number <= 4554 else [metric]
    return [*GEOGRAPHIC, "EPSG:3857", *zones]


def _metric(data: Box) -> str | None:
    if data[2] - data[0] > 30.0:  # no zone is meant by a box of many
        return None
    number = metric_crs(data).to_epsg()
    return f"EPSG:{number}" if number else None


def roomy(box: Box, *, symbols: bool) -> Box:
    """The box a layer is told to have: with room on both sides where its features have no width or height, so that it
    can be asked for (06-042, 6.7.4). ``symbols``: there are points, which symbols show: some room, since many clients
    ask for nothing beyond the box and would cut the symbols at its edge.
    """
    west, south, east, north = box
    most = max(_ROOM, _SYMBOLS * max(east - west, north - south))
    across, up = (0.0 if low < high and not symbols else most for low, high in ((west, east), (south, north)))
    return (max(west - across, -180.0), max(south - up, -90.0), min(east + across, 180.0), min(north + up, 90.0))


def united(boxes: Sequence[Box]) -> Box | None:
    """The box around all; None of none."""
    if not boxes:
        return None
    bounds = shapely.total_bounds(shapely.box(*np.asarray(boxes, dtype=np.float64).T))
    return (float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3]))
