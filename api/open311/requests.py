"""Service requests: sending one, looking one or many up, finding one by its token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from flask import Response

from api.access.principal import caller
from api.open311.answers import answer
from api.open311.params import Form, flag, numbers, paging, posted_form, query, span
from api.open311.statuses import simple_status, stages_of
from api.receiving import Incoming, checked_text, receive
from api.state import state
from data.event_classes import class_of, event_class, event_classes
from data.report_lists import Search, find_reports, responsible
from data.reports import INLETS, Row, media_urls, report_by_token, report_row, stamp
from gisgrid.crs import check_lonlat
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import (
    DESCRIPTION_CHARS_MAX,
    KEY_CHARS_MAX,
    LABEL_CHARS_MAX,
    RADIUS_METRES_MAX,
    REQUESTS_DAYS_MAX,
    REQUESTS_PAGE_MAX,
)

FILTERS: Final = (
    "service_request_id", "service_code", "start_date", "end_date", "status", "updated_after", "updated_before", "lat",
    "long", "radius", "q", "grid", "sort", "page", "page_size", "extensions",
)  # fmt: skip
SORTS: Final = {"requested_datetime": "reported_at", "updated_datetime": "updated_at"}


def send_request() -> Response:
    """POST requests: take a report in and answer with its number and grid."""
    form = posted_form()
    name = caller().name
    row, _ = receive(_incoming(form, name))
    sent = {"service_request_id": str(row["id"]), "service_notice": notice(row), "account_id": None}
    return answer("service_requests", [sent | _owner(row)])


def _incoming(form: Form, name: str) -> Incoming:
    """The report a form tells of. Who sends it is left out: it is neither kept nor logged."""
    code = form.text("service_code").strip()
    if not code:
        raise BadInput("service_code is missing; services.json lists them")
    return Incoming(
        source=INLETS[0],
        service_code=code,
        channel=name or "Open311",
        description=_description(form),
        x=form.number("long"),
        y=form.number("lat"),
        crs=form.attribute("crs") or "wgs84",
        accuracy=form.number("attribute[accuracy]"),
        address=form.text("address_string"),
        address_id=form.text("address_id"),
        component_code=form.attribute("component_code"),
        media_urls=form.all("media_url"),
        token=_token(form, name, code),
    )


def _description(form: Form) -> str:
    """The description, under the title where that is sent apart."""
    said = checked_text("description", form.text("description"), DESCRIPTION_CHARS_MAX)
    title = checked_text("attribute[title]", form.attribute("title"), LABEL_CHARS_MAX)
    room = DESCRIPTION_CHARS_MAX - len(said) - 2
    return f"{title}\n\n{said}".strip() if title and title not in said and len(title) <= room else said


def _token(form: Form, name: str, code: str) -> str | None:
    """The word by which a repeated sending is known.

    FixMyStreet sends a report again under another service when its category is changed: that is another request.
    """
    if token := form.text("token"):
        return token.strip()
    number = checked_text("attribute[fixmystreet_id]", form.attribute("fixmystreet_id"), KEY_CHARS_MAX)
    return f"fixmystreet:{name}:{code}:{number}" if number else None


def list_requests() -> Response:
    """GET requests: those that fit the filters, newest first."""
    given = query(FILTERS)
    search = _search(given)
    with state().engine.connect() as connection:
        return _answer_rows(connection, find_reports(connection, search), given)


def one_request(service_request_id: str) -> Response:
    """GET requests/{id}."""
    given = query(("extensions",))
    if not (service_request_id.isascii() and service_request_id.isdigit() and len(service_request_id) <= 18):
        raise NotFound(f"there is no request {service_request_id[:KEY_CHARS_MAX]!r}")
    with state().engine.connect() as connection:
        return _answer_rows(connection, [report_row(connection, int(service_request_id))], given)


def one_token(token: str) -> Response:
    """GET tokens/{token}: the number of the request its sender gave that token."""
    query(())
    asked = checked_text("token", token, LABEL_CHARS_MAX)
    with state().engine.connect() as connection:
        row = report_by_token(connection, asked)
    return answer("service_requests", [{"service_request_id": str(row["id"]), "token": asked}])


def _answer_rows(connection: sa.Connection, rows: Sequence[Row], given: dict[str, str]) -> Response:
    extended = flag(given, "extensions", default=True)
    agencies = responsible(connection, rows)
    items = [request_item(row, agency, extended=extended) for row, agency in zip(rows, agencies, strict=True)]
    return answer("service_requests", items)


def _search(given: dict[str, str]) -> Search:
    limit, offset = paging(given, page_most=REQUESTS_PAGE_MAX)
    if "service_request_id" in given:  # overrides all other arguments, says the specification
        wanted = numbers("service_request_id", given["service_request_id"], most=REQUESTS_PAGE_MAX)
        return Search(ids=wanted, limit=REQUESTS_PAGE_MAX)
    reported = span(given, "start_date", "end_date", days=REQUESTS_DAYS_MAX)
    updated = span(given, "updated_after", "updated_before", days=REQUESTS_DAYS_MAX)
    if reported == updated == (None, None):
        reported = (datetime.now(UTC) - timedelta(days=REQUESTS_DAYS_MAX), None)
    order = given.get("sort", "-requested_datetime").strip()
    if order.removeprefix("-") not in SORTS:
        raise BadInput(f"sort={order[:40]!r}: give {' or '.join(SORTS)}, with - in front for newest first")
    return Search(
        classes=_classes(given["service_code"]) if "service_code" in given else None,
        stages=stages_of(given["status"]) if "status" in given else None,
        grids=given["grid"].split(",") if "grid" in given else None,
        reported=reported,
        updated=updated,
        near=_near(given),
        text=checked_text("q", given.get("q", ""), LABEL_CHARS_MAX),
        order=SORTS[order.removeprefix("-")],
        oldest_first=not order.startswith("-"),
        limit=limit,
        offset=offset,
    )


def _classes(codes: str) -> list[tuple[str, str]]:
    """Majors and minors as reports store them, by name or by number. Raises BadInput for a code that is none."""
    found: list[tuple[str, str]] = []
    for code in codes.split(","):
        if code.strip() not in event_classes():
            raise BadInput(f"service_code {code[:40]!r} is not known; services.json lists those that are")
        one = event_class(code.strip())
        found += [(one.major, one.minor), (one.code[:2], one.code[2:])]
    return found


def _near(given: dict[str, str]) -> tuple[float, float, float] | None:
    parts = ("long", "lat", "radius")
    sent = [name for name in parts if name in given]
    if not sent:
        return None
    if len(sent) < len(parts):
        raise BadInput(f"lat, long and radius go together; {', '.join(sorted(set(parts) - set(sent)))} missing")
    form = Form([(name, given[name]) for name in parts])
    lon, lat, radius = (form.number(name) or 0.0 for name in parts)
    check_lonlat(lon, lat)
    if not 0 < radius <= RADIUS_METRES_MAX:
        raise BadInput(f"radius={radius:g}: give metres, over 0 and at most {RADIUS_METRES_MAX:g}")
    return lon, lat, radius


# --- what is told of a request ---------------------------------------------------------------


def request_item(row: Row, agency: str, *, extended: bool) -> dict[str, Any]:
    """One request as GeoReport v2 has it, and what is ours beside it."""
    known = class_of(row["major"], row["minor"])
    pictures = media_urls(row)
    item = {
        "service_request_id": str(row["id"]),
        "status": simple_status(row["stage"]),
        "status_notes": row["status_notes"] or None,
        "service_name": row["minor"] if known is None else known.minor,
        "service_code": known.code if known else None,
        "description": row["description"] or None,
        "agency_responsible": agency or None,
        "service_notice": notice(row),
        "requested_datetime": stamp(row["reported_at"]),
        "updated_datetime": stamp(row["updated_at"]),
        "expected_datetime": stamp(row["expected_at"]),
        "address": row["address"] or None,
        "address_id": row["address_id"] or None,
        "zipcode": None,
        "lat": round(row["lat"], 7),
        "long": round(row["lon"], 7),
        "media_url": pictures[0] if pictures else None,
    }
    ours = {
        "stage": row["stage"],
        "department": row["department"] or None,
        "component_code": row["component_code"] or None,
        "accuracy": row["accuracy"],
        "channel": row["channel"] or None,
        "media_urls": pictures,
    }
    return item | _owner(row) | ours if extended else item


def _owner(row: Row) -> dict[str, Any]:
    located = row["located"]
    return {
        "grid": row["grid_code"],
        "grid_name": located.get("grid_name") or None,
        "community": located.get("community") or None,
        "generation": row["generation"],
    }


def notice(row: Row) -> str | None:
    """Who will see to the request, in Chinese and English; None when it was never located."""
    located = row["located"]
    if row["department"]:
        return f"由{row['department']}负责。 {row['department']} is responsible."
    if row["grid_code"]:
        name = located.get("grid_name") or row["grid_code"]
        return f"由{name}（{row['grid_code']}）负责。 Grid {row['grid_code']} is responsible."
    if near := located.get("nearest"):
        where = f"{near['name']}（{near['code']}，{near['metres']:g} 米）"
        return f"不在任何网格内，最近的是{where}。 Outside every grid, {near['metres']:g} m from {near['code']}."
    if area := located.get("area"):
        return f"已登记。{area['name']}（{area['code']}）在此处还没有网格。 Registered; there is no grid here yet."
    return None
