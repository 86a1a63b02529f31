"""Where a question about reach begins: a building, a facility or a point, put on the streets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from api.known_streets import Streets
from api.locate.single import stored_point
from api.state import state
from data import tables as t
from data.loading import read_rows
from gisgrid.crs import STORAGE_CRS
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import SNAP_METRES_MAX
from planning.circles.inputs import Places, placed
from planning.reach import Profile

DIGITS: Final = 7
"""Decimals of a degree written: 1 cm."""


@dataclass(frozen=True)
class Spot:
    """A place on the streets: ``lon``, ``lat`` (EPSG:4490), ``places`` of one row; what it is, where it is stored."""

    lon: float
    lat: float
    places: Places
    building: dict[str, Any] | None = None
    facility: dict[str, Any] | None = None

    @property
    def on_streets(self) -> bool:
        """Whether it is near enough to a street to be assessed."""
        return bool(self.places.ok[0])

    def told(self, streets: Streets) -> dict[str, Any]:
        """The place as answers tell it; ``inside`` is the box of the grids in force, around which streets are kept."""
        west, south, east, north = streets.box
        building = self.building or {"id": None, "building_id": None}
        return {
            "lon": round(self.lon, DIGITS),
            "lat": round(self.lat, DIGITS),
            "building": building["id"],
            "building_id": building["building_id"],
            "inside": west <= self.lon <= east and south <= self.lat <= north,
            "assessable": self.on_streets,
            "reason": None if self.on_streets else _why(self.places),
            "metres_to_street": round(float(self.places.snapped.access[0]) / 100, 1) if self.on_streets else None,
        }


def _why(places: Places) -> str:
    if places.snapped.detached[0]:
        return "only a small piece of street that is cut off from the network is near"
    return f"over {SNAP_METRES_MAX:g} m from every street that is known here"


def spot_of(query: dict[str, Any], streets: Streets, kinds: tuple[str, ...]) -> Spot:
    """The place a query names: ``building`` or ``facility`` (those of ``kinds``), or ``lon`` and ``lat``.

    Raises BadInput unless exactly one of them is given, NotFound for an id that is not stored.
    """
    named = [kind for kind in kinds if kind in query]
    point = [name for name in ("lon", "lat") if name in query]
    wanted = " or ".join([f"{kind}=ID" for kind in kinds] + ["lon= and lat="])
    if len(named) + bool(point) != 1:
        given = "nothing" if not named and not point else " and ".join([*named, *point])
        raise BadInput(f"{given} says where: give {wanted}, one of them")
    if not named:
        if len(point) == 1:
            raise BadInput(f"{'lat' if point == ['lon'] else 'lon'} is missing; give lon and lat together")
        lon, lat = stored_point(query["lon"], query["lat"], query["crs"])
        rows = gpd.GeoDataFrame(geometry=[shapely.Point(lon, lat)], crs=STORAGE_CRS)
        return Spot(lon, lat, placed(streets.network, streets.index, rows))
    if named[0] == "facility":
        return _facility(streets, number_of("facility", query["facility"]))
    return _building(streets, number_of("building", query["building"]))


def number_of(name: str, text: str) -> int:
    """An id as a number. Raises BadInput."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadInput(f"{name}={text[:20]!r} is not an id; give the id of a feature of /api/v1/{_PAGES[name]}")
    return int(text)


_PAGES: Final = {"building": "buildings", "facility": "facilities"}


def _building(streets: Streets, number: int) -> Spot:
    with state().engine.connect() as connection:
        rows = read_rows(connection, t.buildings, columns=["id", "building_id"], where=[t.buildings.c.id == number])
    if rows.empty:
        raise NotFound(f"there is no building {number}; buildings imported anew have new ids")
    point = shapely.point_on_surface(rows.geometry.iloc[0])
    places = placed(streets.network, streets.index, rows)
    return Spot(point.x, point.y, places, building={"id": number, "building_id": str(rows["building_id"].iloc[0])})


def _facility(streets: Streets, number: int) -> Spot:
    rows = np.flatnonzero(streets.facilities["id"].to_numpy() == number)
    if not len(rows):
        raise NotFound(f"facility {number} is not stored, or lies too far from the grids in force to be asked about")
    point = streets.facilities.geometry.iloc[rows[0]]
    places = Places(streets.places.xy[rows], streets.places.snapped.take(rows))
    return Spot(point.x, point.y, places, facility=facility_of(streets, int(rows[0])))


def facility_of(streets: Streets, row: int) -> dict[str, Any]:
    """A facility as answers tell it."""
    about, point = streets.facilities.iloc[row], streets.facilities.geometry.iloc[row]
    return {
        "id": int(about["id"]), "facility_id": str(about["facility_id"]), "name": str(about["name"]),
        "name_en": str(about["name_en"]), "lon": round(point.x, DIGITS), "lat": round(point.y, DIGITS),
    }  # fmt: skip


def to_degrees(xy: NDArray[np.float64], crs: str, digits: int = DIGITS) -> NDArray[np.float64]:
    """(n, 2) metres of ``crs`` as degrees of EPSG:4490, longitude first."""
    lon, lat = _transformer(crs).transform(xy[:, 0], xy[:, 1])
    return np.round(np.column_stack([lon, lat]), digits)


@lru_cache(maxsize=8)
def _transformer(crs: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, STORAGE_CRS, always_xy=True)


def mover_told(mover: Profile) -> dict[str, Any]:
    """Who moves and how fast, as answers tell it."""
    return {"profile": mover.name, "metres_per_second": mover.metres_per_second, "factor": mover.factor}
