"""Where one gets from a point, or who gets to a facility, within some minutes: drawn on the spot."""

from __future__ import annotations

import math
from typing import Any, Final

import orjson
import shapely
from apiflask.fields import String
from apiflask.validators import OneOf
from flask import Response

from api.circles.blueprint import PointQuery, bp, collection, feature
from api.circles.places import Spot, mover_told, spot_of, to_degrees
from api.known_streets import Streets
from api.state import state
from gisgrid.errors import BadInput
from gisgrid.limits import CIRCLE_MINUTES_MAX, SNAP_METRES_MAX
from planning.circles.isochrones import contour, furthest_metres
from planning.circles.raster import snap_raster
from planning.reach import Profile, profile_of, search_from
from planning.workflow_networks import REACH_METRES

CELL_METRES: Final = 10.0
CELLS: Final = 1_000_000
"""Cells of one answer's raster; larger areas are drawn with larger cells."""
DIGITS: Final = 6


class IsochronesQuery(PointQuery):
    """From or to where, and how far."""

    facility = String(metadata={"description": "id of a facility, as /api/v1/facilities has it"})
    minutes = String(
        load_default="5,10,15", metadata={"description": f"minutes split by commas, at most {CIRCLE_MINUTES_MAX}"}
    )
    direction = String(
        validate=OneOf(("to", "from")),
        metadata={"description": "to: who gets there, the default for a facility; from: where one gets, else"},
    )


@bp.get("/isochrones")
@bp.input(IsochronesQuery, location="query", unknown=None)
def isochrones(query_data: dict[str, Any]) -> Response:
    """Areas within some minutes of one facility or point over the streets, widest first.

    ``direction`` matters where streets are one-way. No features where the place is off the streets (``assessable``
    false, ``reason``). Areas that would leave the streets kept around the area are refused.
    """
    mover = profile_of(
        query_data["profile"], metres_per_second=query_data.get("speed"), factor=query_data.get("factor")
    )
    minutes = minutes_of(query_data["minutes"])
    limits = [mover.limit(value) for value in minutes]
    streets = state().streets.get(mover.mode)
    spot = spot_of(query_data, streets, ("facility",))
    direction = query_data.get("direction") or ("from" if spot.facility is None else "to")
    _check_extent(mover, streets, minutes[0])
    shapes = _shapes(streets, spot, limits, direction) if spot.on_streets else []
    features = [
        feature(
            orjson.Fragment(_geojson(shape, streets.network.crs)),
            {"minutes": value, "square_metres": round(shape.area)},
        )
        for value, shape in zip(minutes, shapes, strict=False)
        if shape is not None
    ]
    told = spot.told(streets)
    place = {name: told[name] for name in ("lon", "lat", "inside", "assessable", "reason")} | {
        "facility": spot.facility
    }
    about = mover_told(mover) | {"generation": streets.generation, "direction": direction, "place": place}
    return collection(features, **about)


def minutes_of(text: str) -> list[float]:
    """Minutes split by commas, longest first, whole ones as whole numbers. Raises BadInput."""
    try:
        values = {float(part) for part in text.split(",")}
    except ValueError:
        raise BadInput(f"minutes={text[:40]!r} are not numbers split by commas; give for example 5,10,15") from None
    if len(values) > CIRCLE_MINUTES_MAX:
        raise BadInput(f"minutes has {len(values)} values; give at most {CIRCLE_MINUTES_MAX}")
    return [int(value) if value.is_integer() else value for value in sorted(values, reverse=True)]


def _check_extent(mover: Profile, streets: Streets, minutes: float) -> None:
    """Raise BadInput when somebody could leave the streets that are kept around the area."""
    metres, kept = furthest_metres(streets.network, mover.limit(minutes)), REACH_METRES[mover.mode]
    if metres > kept:
        most = math.floor(minutes * kept / metres)
        raise BadInput(
            f"minutes={minutes:g} of {mover.name} are up to {metres / 1000:.1f} km, but streets are kept "
            f"{kept / 1000:g} km around the area; ask for at most {most} minutes"
        )


def _shapes(streets: Streets, spot: Spot, limits: list[int], direction: str) -> list[Any]:
    network = streets.there if direction == "to" else streets.network
    found = search_from(network, spot.places.snapped, limit=max(limits))
    reach = furthest_metres(network, max(limits)) + SNAP_METRES_MAX
    cell = CELL_METRES
    while (2 * reach / cell) ** 2 > CELLS:
        cell *= 2
    x, y = spot.places.xy[0]
    raster = snap_raster(network, (x - reach, y - reach, x + reach, y + reach), cell=cell, index=streets.index)
    return list(contour(network, found, raster, limits))


def _geojson(shape: Any, crs: str) -> str:
    return str(shapely.to_geojson(shapely.transform(shape, lambda xy: to_degrees(xy, crs, DIGITS))))
