"""From a point to the addresses about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from scipy.spatial import cKDTree

from gisgrid.address.model import Nearby
from gisgrid.address.table import to_plane
from gisgrid.address.words import ROAD
from gisgrid.crs import check_lonlat
from gisgrid.errors import BadInput
from gisgrid.limits import ADDRESS_WITHIN_METRES_MAX

if TYPE_CHECKING:
    from gisgrid.address.gazetteer import Gazetteer

WITHIN: Final = 100.0
"""When no address is this near, in metres, the road and a reckoned number are told as well."""
ROAD_METRES: Final = 100.0
"""A named road further off than this (and than ``within``) is not told."""
_GEOD: Final = pyproj.Geod(ellps="GRS80")
_RADIUS: Final = 6_371_008.8


class Surroundings:
    """The addresses and named streets of a gazetteer by place."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        rows = gazetteer.parts.rows
        self._tree = cKDTree(_on_sphere(rows.lon, rows.lat)) if len(rows.lon) else None
        self._line_place = np.full(len(gazetteer.parts.line_shapes), -1, np.int64)
        lines = gazetteer.parts.lines
        self._line_place[lines.rows] = np.repeat(np.arange(len(lines.start) - 1), np.diff(lines.start))
        self._lines = shapely.STRtree(gazetteer.parts.line_shapes)

    def near(self, lon: float, lat: float, limit: int, within: float) -> list[Nearby]:
        """See `Gazetteer.reverse`."""
        check_lonlat(lon, lat)
        if not 0 <= within <= ADDRESS_WITHIN_METRES_MAX:
            raise BadInput(f"within={within:g}: give 0 to {ADDRESS_WITHIN_METRES_MAX:g} metres")
        found = self._registered(lon, lat, limit)
        if found and found[0].metres <= within:
            return found
        reckoned = self._reckoned(lon, lat, within)
        return ([reckoned] if reckoned else []) + found[: limit - (reckoned is not None)]

    def _registered(self, lon: float, lat: float, limit: int) -> list[Nearby]:
        """The nearest registered addresses, none further than `ADDRESS_WITHIN_METRES_MAX`."""
        if self._tree is None:
            return []
        # a few more than asked for: the sphere may order two of nearly one distance otherwise than the ellipsoid
        ask = min(limit + 8, self._tree.n)
        away, row = self._tree.query(
            _on_sphere(np.array([lon]), np.array([lat]))[0],
            k=ask,
            distance_upper_bound=1.01 * ADDRESS_WITHIN_METRES_MAX,
        )
        row = np.atleast_1d(row)[np.isfinite(np.atleast_1d(away))]
        if not len(row):
            return []
        table = self._gazetteer.parts.rows
        _, _, metres = _GEOD.inv(np.full(len(row), lon), np.full(len(row), lat), table.lon[row], table.lat[row])
        order = np.lexsort((row, np.round(metres, 3)))
        return [
            self._told(int(row[i]), float(metres[i])) for i in order[:limit] if metres[i] <= ADDRESS_WITHIN_METRES_MAX
        ]

    def _told(self, row: int, metres: float) -> Nearby:
        parts = self._gazetteer.parts
        table = parts.rows
        road = int(table.road[row])
        area = int(table.area[row, 2])
        return Nearby(
            float(table.lon[row]), float(table.lat[row]), str(table.address_id[row]), str(table.full[row]),
            round(metres, 2), "door", parts.shown[road] if road >= 0 else "",
            f"{int(table.door[row])}号" if table.door[row] >= 0 else "", parts.areas[area].code if area >= 0 else "",
        )  # fmt: skip

    def _reckoned(self, lon: float, lat: float, within: float) -> Nearby | None:
        """The nearest named road and the number a house here would have."""
        parts = self._gazetteer.parts
        if not len(parts.line_shapes):
            return None
        x, y = (float(v) for v in to_plane(lon, lat, parts.middle))
        hits = self._lines.query_nearest(shapely.Point(x, y), max_distance=max(within, ROAD_METRES), all_matches=False)
        if not len(hits):
            return None
        line = int(hits[0])
        place = int(self._line_place[line])
        name = int(parts.place_name[place])
        metres = float(shapely.distance(parts.line_shapes[line], shapely.Point(x, y)))
        number = self._gazetteer.roads.number_at(place, x, y)
        door = f"{number}号" if number else ""
        assert parts.kinds[name] == ROAD
        return Nearby(
            lon,
            lat,
            "",
            parts.shown[name] + door,
            round(metres, 2),
            "interpolated" if number else "road",
            parts.shown[name],
            door,
        )


def _on_sphere(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    a, b = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)]) * _RADIUS
