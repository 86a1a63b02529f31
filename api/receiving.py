"""Taking a report in, whichever way it came: checked, located with the grids in force, stored, told to webhooks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from api.locate.answers import Asked, answer
from api.locate.single import stored_point
from api.state import state
from data.components import ComponentOwner, component_owner
from data.event_classes import event_class
from data.in_force import InForce
from data.report_lists import address_point, area_of
from data.reports import NewReport, Row, add_report, report_by_token
from data.retrying import retried
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import (
    ACCURACY_METRES_MAX,
    ADDRESS_CHARS_MAX,
    CRS_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    KEY_CHARS_MAX,
    LABEL_CHARS_MAX,
    MEDIA_URLS_MAX,
    OUTSIDE_METRES_MAX,
    URL_CHARS_MAX,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A report as it was sent. ``x``, ``y`` in ``crs``: longitude and latitude, or east and north.

    ``token``: the sender's own word for it, by which sending it twice stores it once.
    """

    source: str
    service_code: str
    channel: str = ""
    description: str = ""
    x: float | None = None
    y: float | None = None
    crs: str = "wgs84"
    accuracy: float | None = None
    address: str = ""
    address_id: str = ""
    component_code: str = ""
    media_urls: tuple[str, ...] = ()
    token: str | None = None


@retried
def receive(incoming: Incoming) -> tuple[Row, bool]:
    """Store a report with its owner; (its row, whether it is new).

    It belongs to the grid that covers it. Outside every grid it is stored without one when a grid is within
    `OUTSIDE_METRES_MAX` or a stored area covers it, so that no report of ours is lost; farther away is an error. A
    component it names gives the department it belongs to. Raises BadInput (nothing is stored then), and NotFound for
    an unknown class.
    """
    event = event_class(incoming.service_code)
    checked = _checked(incoming)
    loaded = state().current.get()
    with state().engine.begin() as connection:
        if checked.token is not None and (known := _known(connection, checked.token)):
            return known, False
        component = _component(connection, checked.component_code)
        checked = _with_place(connection, checked, component)
        lon, lat = _point(checked)
        owner, located = _locate(connection, loaded, lon, lat, checked.accuracy)
        located["given"] = {"x": checked.x, "y": checked.y, "crs": checked.crs}
        new = NewReport(
            source=checked.source, lon=lon, lat=lat, major=event.major, minor=event.minor,
            description=checked.description, channel=checked.channel, accuracy=checked.accuracy, grid_code=owner,
            generation=loaded.generation.id if loaded else None, address=checked.address,
            address_id=checked.address_id, media_url="\n".join(checked.media_urls),
            component_code=checked.component_code, department=component.department if component else "",
            located=located, token=checked.token,
        )  # fmt: skip
        return add_report(connection, new)


def resolve_address(text: str) -> tuple[float, float, float | None]:
    """lon, lat (EPSG:4490) and accuracy in metres of an address in words.

    Raises BadInput when it names nothing known here, or no place that may be used without asking.
    """
    try:
        found = state().addresses.find(text, 1, state().current.get())
    except NotFound as error:
        raise BadInput(f"an address alone cannot be located here ({error.message}); send lat and long") from error
    shown = text if len(text) <= 40 else text[:37] + "..."
    if not found:
        raise BadInput(f"address {shown!r} names nothing that is known here; send lat and long", code="no_place")
    match = found[0][0]
    if not match.confident:
        raise BadInput(
            f"address {shown!r} is not sure enough to give the report to somebody (likeliest: {match.full}); "
            "send lat and long",
            code="unsure_address",
        )
    return match.lon, match.lat, min(max(match.accuracy, 1.0), ACCURACY_METRES_MAX)


def checked_text(name: str, text: str, most: int) -> str:
    """A text as it is stored: trimmed, lines ended by LF. Raises BadInput when it cannot be stored or is too long."""
    if len(text) > most:
        raise BadInput(f"{name} has {len(text)} characters; give at most {most}")
    if "\x00" in text:
        raise BadInput(f"{name} holds a NUL character; leave it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{name} is no valid Unicode text (half a surrogate pair)") from None
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def checked_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses of pictures: http or https with a host. Raises BadInput."""
    if len(urls) > MEDIA_URLS_MAX:
        raise BadInput(f"media_url is given {len(urls)} times; give at most {MEDIA_URLS_MAX}")
    found = tuple(checked_text("media_url", url, URL_CHARS_MAX) for url in urls)
    for url in found:
        try:
            parts = urlsplit(url)
            sound = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
        except ValueError:
            sound = False
        if not sound or any(char.isspace() for char in url):
            raise BadInput(f"media_url {url[:60]!r} is no address of the web; give http:// or https://")
    return found


def checked_accuracy(metres: float | None) -> float | None:
    """A location error in metres. Raises BadInput."""
    if metres is not None and not 0 <= metres <= ACCURACY_METRES_MAX:
        raise BadInput(f"accuracy={metres:g}: give 0 to {ACCURACY_METRES_MAX:g} metres")
    return metres


def _checked(incoming: Incoming) -> Incoming:
    return replace(
        incoming,
        description=checked_text("description", incoming.description, DESCRIPTION_CHARS_MAX),
        channel=checked_text("channel", incoming.channel, LABEL_CHARS_MAX),
        crs=checked_text("crs", incoming.crs, CRS_CHARS_MAX) or "wgs84",
        accuracy=checked_accuracy(incoming.accuracy),
        address=checked_text("address", incoming.address, ADDRESS_CHARS_MAX),
        address_id=checked_text("address_id", incoming.address_id, KEY_CHARS_MAX),
        component_code=checked_text("component_code", incoming.component_code, KEY_CHARS_MAX),
        media_urls=checked_urls(incoming.media_urls),
        token=checked_text("token", incoming.token, LABEL_CHARS_MAX) or None if incoming.token else None,
    )


def _known(connection: sa.Connection, token: str) -> Row | None:
    try:
        return report_by_token(connection, token)
    except NotFound:
        return None


def _with_place(connection: sa.Connection, incoming: Incoming, component: ComponentOwner | None) -> Incoming:
    """The report with coordinates: its own, else of its component, its address id or its address in words."""
    if (incoming.x is None) != (incoming.y is None):
        raise BadInput("lat and long go together; send both")
    if incoming.x is not None:
        return incoming
    if component is not None:
        return replace(incoming, x=component.lon, y=component.lat, crs="cgcs2000")
    if incoming.address_id:
        lon, lat, full = address_point(connection, incoming.address_id)
        return replace(incoming, x=lon, y=lat, crs="cgcs2000", address=incoming.address or full)
    if incoming.address:
        lon, lat, accuracy = resolve_address(incoming.address)
        worst = max((one for one in (accuracy, incoming.accuracy) if one is not None), default=None)
        return replace(incoming, x=lon, y=lat, crs="cgcs2000", accuracy=worst)
    raise BadInput("the report has no place: send lat and long", code="no_place")


def _point(incoming: Incoming) -> tuple[float, float]:
    """lon, lat in EPSG:4490. Raises BadInput."""
    assert incoming.x is not None
    assert incoming.y is not None
    if not (math.isfinite(incoming.x) and math.isfinite(incoming.y)):
        raise BadInput(f"long={incoming.x:g}, lat={incoming.y:g}: the coordinates are not finite numbers")
    return stored_point(incoming.x, incoming.y, incoming.crs)


def _locate(
    connection: sa.Connection, found: InForce | None, lon: float, lat: float, accuracy: float | None
) -> tuple[str | None, dict[str, Any]]:
    """The owner's code and what is kept of how it was found. Raises BadInput far from every grid and area."""
    told = answer(found, lon, lat, Asked(accuracy or None)) if found else None
    if told and told["owner"]:
        grid = told["owner"]
        kept = {name: told[name] for name in ("distance_to_boundary", "near_border", "candidates") if told[name]}
        chain = [link["code"] for link in told["chain"]]
        return grid["code"], {"grid_name": grid["name"], "community": grid["community"], "chain": chain, **kept}
    area = area_of(connection, lon, lat)
    near = told["nearest"] if told else None
    if area is None and near is None:
        raise BadInput(
            f"long={lon:.7g}, lat={lat:.7g} lies outside this service's areas and over {OUTSIDE_METRES_MAX:g} m from "
            "every grid; check the coordinates and their system",
            code="outside",
        )
    return None, {"area": area, "nearest": near, "community": area["code"] if area else None}


def _component(connection: sa.Connection, code: str) -> ComponentOwner | None:
    try:
        return component_owner(connection, code) if code else None
    except NotFound as error:
        raise BadInput(f"component_code {code!r} is not known here; leave it out or import the component") from error
