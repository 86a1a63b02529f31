"""/api/v1/locate: whose grid a point lies in."""

from __future__ import annotations

from typing import Any

import numpy as np
from apiflask import APIBlueprint
from apiflask.fields import Float, String
from flask import Response

from api.current import Loaded
from api.json import json_response
from api.pages import Strict
from api.state import state
from gisgrid.crs import check_lonlat, points_to_storage
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import OUTSIDE_METRES_MAX

bp = APIBlueprint("locate", __name__, url_prefix="/api/v1/locate", tag="Locate")


class LocateQuery(Strict):
    """Parameters of a single locate."""

    lon = Float(required=True, metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(required=True, metadata={"description": "latitude, or northing of a projected crs"})
    crs = String(load_default="wgs84", metadata={"description": "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"})


@bp.get("")
@bp.input(LocateQuery, location="query", unknown=None)
def locate(query_data: dict[str, Any]) -> Response:
    """The grid that owns a point and the chain above it.

    The owner is the smallest grid code among the grids that cover the point (ST_Covers). Outside every grid the
    owner is null and ``nearest`` names the closest grid within 500 m.
    """
    given = query_data["lon"], query_data["lat"]
    lons, lats = points_to_storage(np.array([given[0]]), np.array([given[1]]), query_data["crs"])
    lon, lat = float(lons[0]), float(lats[0])
    check_lonlat(lon, lat)
    loaded = state().current.get()
    if loaded is None:
        raise NotFound("no plan is published yet, so no point has an owner; publish one first")
    row = loaded.index.row(lon, lat)
    if row < 0 and loaded.index.row(lat, lon) >= 0:
        raise BadInput(f"lon={given[0]:g}, lat={given[1]:g}: longitude and latitude are swapped; exchange them")
    owner = loaded.grids[row] if row >= 0 else None
    answer = {
        "point": {"lon": lon, "lat": lat, "crs": "cgcs2000"},
        "given": {"lon": given[0], "lat": given[1], "crs": query_data["crs"]},
        "owner": owner,
        "chain": loaded.chain(row) if row >= 0 else [],
        "generation": loaded.generation.id,
        "nearest": None if row >= 0 else _nearest(loaded, lon, lat),
    }
    return json_response(answer)


def _nearest(loaded: Loaded, lon: float, lat: float) -> dict[str, Any] | None:
    """The closest grid to a point outside all of them, within the limit."""
    rows, metres = loaded.index.nearest([lon], [lat], OUTSIDE_METRES_MAX, metres=True)
    return None if rows[0] < 0 else {"code": loaded.grids[rows[0]]["code"], "metres": round(float(metres[0]), 1)}
