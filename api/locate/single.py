"""GET /api/v1/locate: one place."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import pyproj
import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Float, String
from flask import Response

from api.json import json_response
from api.locate.answers import Asked, answer, checked_within, first_post
from api.pages import Strict
from api.state import state
from data.components import ComponentOwner, component_owner
from data.in_force import InForce
from gisgrid.crs import STORAGE_CRS, check_lonlat, normalise, point_to_storage
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import ACCURACY_METRES_MAX, KEY_CHARS_MAX, OUTSIDE_METRES_MAX
from gisgrid.locate.points import check_systems
from gisgrid.locate.sure import CONFIDENCE, sigma_of
from gisgrid.moments import past_moment

bp = APIBlueprint("locate", __name__, url_prefix="/api/v1/locate", tag="Locate")
ADDRESS_MATCHES = 5
"""Places told of one address."""
DOUBTFUL_METRES = 300.0
"""An address this far from the point given with it is told to be doubtful."""
PLAIN_SYSTEMS = ("wgs84", "gcj02", "bd09", "cgcs2000")
_GEOD = pyproj.Geod(ellps="GRS80")


class LocateQuery(Strict):
    """Parameters of a single locate."""

    lon = Float(metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(metadata={"description": "latitude, or northing of a projected crs"})
    crs = String(load_default="wgs84", metadata={"description": "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"})
    address = String(metadata={"description": "an address, in place of lon and lat"})
    component = String(metadata={"description": "code of the city component reported on"})
    accuracy = Float(metadata={"description": "accuracy of the position in metres: asks for candidates"})
    confidence = Float(
        load_default=CONFIDENCE, metadata={"description": "share of positions within the accuracy, 0.68 by default"}
    )
    within = Float(
        load_default=OUTSIDE_METRES_MAX,
        metadata={"description": "metres a place outside every grid may lie from the nearest one"},
    )
    system = String(metadata={"description": "professional systems to answer for, split by commas; all by default"})
    at = String(metadata={"description": "date or time: the grids in force then"})


@bp.get("")
@bp.input(LocateQuery, location="query", unknown=None)
def locate(query_data: dict[str, Any]) -> Response:
    """The grid that owns a place, the chain above it, and how sure that is.

    The place is a point, else where the component named stands, else an address. ``address`` tells what an address was
    taken for, how sure that is and what else it may mean; given beside a point, it tells how far from it. The owner is
    the smallest grid code among the grids that cover the place (ST_Covers). Outside every grid the owner is null and
    ``nearest`` names the closest grid within ``within`` metres. A report on a component belongs to its department:
    ``responsible`` says so.
    """
    query = query_data
    asked = _asked(query)
    found = _generation(query.get("at"))
    component, unknown = _component(query.get("component"), needed=query.get("lon") is None and "address" not in query)
    given, lon, lat, address = _place(query, component, found)
    by_address = address is not None and set(given) == {"address"}
    if address is not None and by_address and asked.accuracy is None and address["accuracy"] > 0:
        asked = replace(asked, accuracy=min(address["accuracy"], ACCURACY_METRES_MAX))
    body = answer_body(found, given, lon, lat, asked, address=address, component=component)
    doubts = [text for text in (body["reason"], unknown, _doubt(address, by_address)) if text]
    if address is not None and by_address and not address["confident"]:
        body["responsible"] = None
    return json_response(body | {"reason": "; ".join(doubts) or None})


def answer_body(
    found: InForce,
    given: dict[str, Any],
    lon: float,
    lat: float,
    asked: Asked,
    *,
    address: dict[str, Any] | None = None,
    component: ComponentOwner | None = None,
) -> dict[str, Any]:
    """What is sent for one place: what was given, the point in storage coordinates, and all that is told of it."""
    told = answer(found, lon, lat, asked)
    return {
        "point": {"lon": lon, "lat": lat, "crs": "cgcs2000"},
        "given": given,
        **told,
        "address": address,
        "component": None if component is None else _component_json(component, lon, lat),
        "responsible": responsible(told, component),
    }


def responsible(told: dict[str, Any], component: ComponentOwner | None = None) -> dict[str, Any] | None:
    """Who a report goes to: the component's department where one is named, else the owning grid's first post."""
    if component is not None and component.department:
        return {"kind": "department", "department": component.department, "code": component.code, "post": None}
    if told["owner"] is None:
        return None
    return {"kind": "grid", "department": None, "code": told["owner"]["code"], "post": first_post(told["posts"])}


def _asked(query: dict[str, Any]) -> Asked:
    within, accuracy = checked_within(query["within"]), query.get("accuracy")
    sigma_of(1.0 if accuracy is None else accuracy, query["confidence"])
    systems = tuple(query["system"].split(",")) if "system" in query else None
    return Asked(accuracy, query["confidence"], within, systems)


def _generation(at: str | None) -> InForce:
    current = state().current
    if at is None:
        return current.need()
    zone = state().settings.timezone
    with state().engine.connect() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()  # by which generations are dated
    return current.at(past_moment(at, name="at", zone=zone, now=now))


def _doubt(address: dict[str, Any] | None, by_address: bool) -> str | None:
    """What a dispatcher should ask about an address before the answer is used."""
    if address is None:
        return None
    if by_address:
        likeliest = f"the address is not sure (likeliest: {address['full']}); ask which is meant"
        return None if address["confident"] else likeliest
    far = address["confident"] and address["metres"] > max(DOUBTFUL_METRES, 3 * address["accuracy"])
    return f"the address lies {address['metres']:g} m from the point; ask which is right" if far else None


def _component(code: str | None, *, needed: bool) -> tuple[ComponentOwner | None, str | None]:
    """The component, or why there is none. Raises NotFound when it is the only place given."""
    if code is None:
        return None, None
    if not code or len(code) > KEY_CHARS_MAX:
        raise BadInput(f"component has {len(code)} characters; give its code, 1 to {KEY_CHARS_MAX}")
    try:
        with state().engine.connect() as connection:
            return component_owner(connection, code), None
    except NotFound as error:
        if needed:
            raise
        return None, error.message


def _place(
    query: dict[str, Any], component: ComponentOwner | None, found: InForce
) -> tuple[dict[str, Any], float, float, dict[str, Any] | None]:
    """What was given, the point it means in storage coordinates, and the address when there is one."""
    lon, lat, text = query.get("lon"), query.get("lat"), query.get("address")
    if (lon is None) != (lat is None):
        raise BadInput(f"{'lon' if lon is None else 'lat'} is missing; give lon and lat, or an address")
    if lon is not None and lat is not None:
        point = stored_point(lon, lat, query["crs"])
        given = {"lon": lon, "lat": lat, "crs": query["crs"]}
    elif component is not None:
        point, given = (component.lon, component.lat), {"component": component.code}
    elif text is not None:
        likeliest = _address(text, found, None)
        return {"address": text}, likeliest["lon"], likeliest["lat"], likeliest
    else:
        raise BadInput("lon and lat are missing; give them, or an address, or a component")
    address = None if text is None else _address(text, found, point)
    return given | ({} if text is None else {"address": text}), *point, address


def _address(text: str, found: InForce, point: tuple[float, float] | None) -> dict[str, Any]:
    """The likeliest place an address means, with the others; of places about as likely the one nearest to the point.

    Raises NotFound when it names nothing known here.
    """
    matches = [
        asdict(match)
        | {
            "grid": found.grids[row]["code"] if row >= 0 else None,
            "metres": 0.0 if point is None else round(_metres(*point, match.lon, match.lat), 1),
        }
        for match, row in state().addresses.find(text, ADDRESS_MATCHES, found)
    ]
    if not matches:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise NotFound(f"address {shown!r} names nothing that is known here; give lon and lat", code="unknown_address")
    about = [match for match in matches if match["score"] >= matches[0]["score"] / 2]
    chosen = min(about, key=lambda match: match["metres"]) if point else matches[0]
    return chosen | {"others": [match for match in matches if match is not chosen]}


def stored_point(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """A point in any system as degrees of EPSG:4490. Raises BadInput when it cannot be one."""
    if crs not in PLAIN_SYSTEMS:
        check_systems(normalise(crs), STORAGE_CRS)
    stored = point_to_storage(lon, lat, crs)
    # a place away from the poles needs no further look
    if not (abs(stored[0]) <= 180.0 and abs(stored[1]) < 70.0):
        if math.isfinite(lon) and math.isfinite(lat) and not math.isfinite(stored[0]):
            raise BadInput(
                f"lon={lon:g}, lat={lat:g} is no place of {crs}: the numbers do not fit that coordinate system"
            )
        check_lonlat(*stored)
    return stored


def _component_json(component: ComponentOwner, lon: float, lat: float) -> dict[str, Any]:
    names = ("code", "name", "state", "dept_supervise", "dept_owner", "dept_maintain", "lon", "lat")
    return {name: getattr(component, name) for name in names} | {
        "metres": round(_metres(lon, lat, component.lon, component.lat), 1)
    }


def _metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    return float(_GEOD.inv(lon, lat, other_lon, other_lat)[2])
