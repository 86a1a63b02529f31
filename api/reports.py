"""/api/v1/reports: reports, how they are located, what happens to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from apiflask import APIBlueprint
from apiflask.fields import AwareDateTime, Boolean, Float, List, String
from apiflask.validators import OneOf
from flask import Response
from werkzeug.http import quote_etag

from api.access.principal import areas, caller, require
from api.etag import check_match
from api.json import json_response
from api.moments import moment, reading
from api.pages import GEOJSON, AtQuery, Strict, no_parameters, page_query, respond_page
from api.receiving import Incoming, checked_text, checked_urls, receive
from api.report_queue import FilterQuery, filters_of
from api.state import state
from data import tables as t
from data.reassignments import Order, reassign, reassignments_of
from data.report_lists import responsible, updates_of
from data.report_places import check_inside, community_of_grid, inside
from data.report_queue import Wanted, conditions
from data.reports import INLETS, Change, Row, add_update, known_update, report_facts, report_row, update_facts
from data.retrying import retried
from data.tables import STAGES
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import DESCRIPTION_CHARS_MAX, KEY_CHARS_MAX, LABEL_CHARS_MAX, PAGE_MAX, REASON_CHARS_MAX
from layers.catalog import REPORTS
from layers.features import feature

bp = APIBlueprint("reports", __name__, url_prefix="/api/v1/reports", tag="Reports")


class ReportsQuery(page_query(REPORTS), FilterQuery):  # type: ignore[misc]
    """Parameters of pages of reports."""

    reported_since = AwareDateTime(metadata={"description": "reported at this time or later; RFC 3339 with a zone"})


class ReportBody(Strict):
    """A report to be located and stored."""

    service_code = String(required=True, metadata={"description": "class of the event, as in /open311/v2/services"})
    lon = Float(metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(metadata={"description": "latitude, or northing of a projected crs"})
    crs = String(load_default="wgs84", metadata={"description": "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"})
    accuracy = Float(metadata={"description": "location error in metres"})
    address = String(load_default="", metadata={"description": "address in words; locates the report without lon, lat"})
    address_id = String(load_default="", metadata={"description": "id of a stored address"})
    component_code = String(load_default="", metadata={"description": "component whose department is responsible"})
    description = String(load_default="", metadata={"description": f"at most {DESCRIPTION_CHARS_MAX} characters"})
    channel = String(load_default="", metadata={"description": "way the report came"})
    media_urls = List(String(), load_default=list, metadata={"description": "http(s) addresses of pictures"})
    token = String(metadata={"description": "your own word for it: sending it again stores it once"})


class UpdateBody(Strict):
    """What happened to a report."""

    stage = String(validate=OneOf(STAGES), metadata={"description": "the stage it is in now"})
    note = String(load_default="", metadata={"description": "what was done; shown as the report's status_notes"})
    expected_at = AwareDateTime(metadata={"description": "when it can be expected to be done; RFC 3339 with a zone"})
    media_urls = List(String(), load_default=list, metadata={"description": "http(s) addresses of pictures"})
    channel = String(load_default="", metadata={"description": "who or what tells it; no names of people"})
    update_id = String(metadata={"description": "your own number of it: sending it again stores it once"})
    reopen = Boolean(load_default=False, metadata={"description": "open an archived report again"})


class ReassignBody(Strict):
    """Give a report to another grid."""

    grid = String(required=True, metadata={"description": "code of a grid in force, or of a professional grid"})
    reason = String(required=True, metadata={"description": f"why; 1 to {REASON_CHARS_MAX} characters"})
    stage = String(validate=OneOf(STAGES), metadata={"description": "the stage it goes on in at the same time"})


@bp.get("")
@bp.input(ReportsQuery, location="query", unknown=None)
def list_reports(query_data: dict[str, Any]) -> Response:
    """Reports as GeoJSON, by number."""
    query = dict(query_data)
    where = conditions(Wanted(**filters_of(query))) + inside(areas("see"))
    if "reported_since" in query:
        where.append(t.reports.c.reported_at >= query.pop("reported_since"))
    return respond_page(REPORTS, query, where=where)


@bp.post("")
@no_parameters
@bp.input(ReportBody, location="json")
@bp.doc(responses={201: "stored"})
def create_report(json_data: dict[str, Any]) -> Response:
    """Locate and store a report.

    Answers 201 with the report, or 200 with the one stored before when the token is known. The way in is the same as
    /open311/v2/requests.
    """
    name = caller().name
    given = dict(json_data)
    lon, lat, pictures = given.pop("lon", None), given.pop("lat", None), tuple(given.pop("media_urls"))
    given["channel"] = given["channel"] or name
    row, made = receive(Incoming(source=INLETS[1], x=lon, y=lat, media_urls=pictures, **given))
    response = _report(row["id"], status=201 if made else 200)
    response.headers["Location"] = f"{bp.url_prefix}/{row['id']}"
    return response


@bp.get("/<report>")
@bp.input(AtQuery, location="query", unknown=None)
def one_report(report: str, query_data: dict[str, Any]) -> Response:
    """One report with its updates and who is responsible, now or as it was."""
    number = _number(report)
    with state().engine.connect() as connection:
        check_inside(connection, number, areas("see"))
    return _report(number, at=query_data.get("at"))


@bp.get("/<report>/updates")
@no_parameters
def list_updates(report: str) -> Response:
    """What happened to a report, oldest first."""
    number = _number(report)
    with state().engine.connect() as connection:
        report_row(connection, number)
        check_inside(connection, number, areas("see"))
        rows = updates_of(connection, number, limit=PAGE_MAX)
    return json_response({"updates": [update_facts(row) for row in rows]})


@bp.post("/<report>/updates")
@no_parameters
@bp.input(UpdateBody, location="json")
@bp.doc(responses={201: "added"})
@retried
def add_one_update(report: str, json_data: dict[str, Any]) -> Response:
    """Add an update: a stage, a note, when it is expected to be done.

    Answers 201 with the report, or 200 when the update_id is known. Stages may go on or back; an archived report is
    opened again with ``reopen`` only (409 otherwise). A stage and ``reopen`` need the right to dispatch. Only while the
    report is as ``If-Match`` saw it: 428 without, 412 with the report as it is now; ``*`` for a system that tells what
    happened, whatever is known here. An update with a known update_id is answered again.
    """
    name, number = caller().name, _number(report)
    change = Change(
        stage=json_data.get("stage"),
        note=checked_text("note", json_data["note"], DESCRIPTION_CHARS_MAX),
        media_url="\n".join(checked_urls(tuple(json_data["media_urls"]))),
        channel=checked_text("channel", json_data["channel"], LABEL_CHARS_MAX) or name,
        update_id=checked_text("update_id", json_data.get("update_id") or "", KEY_CHARS_MAX) or None,
        expected_at=_calendar(json_data.get("expected_at")),
        reopen=json_data["reopen"],
        notes_status=True,
    )
    if not (change.stage or change.note or change.media_url or change.expected_at or change.reopen):
        raise BadInput("the update says nothing; give stage, note, media_urls, expected_at or reopen")
    needed = "dispatch" if change.stage or change.reopen else "report"
    require(needed)
    with state().engine.begin() as connection:
        for permission in ("see", needed):  # the answer tells all of the report
            check_inside(connection, number, areas(permission))
        row = report_row(connection, number, lock=True)
        if not known_update(connection, number, change):
            check_seen(row)
        _, _, made = add_update(connection, number, change)
    return _report(number, status=201 if made else 200)


@bp.get("/<report>/reassignments")
@no_parameters
def list_reassignments(report: str) -> Response:
    """Who gave a report to another grid, from where to where and why, oldest first."""
    number = _number(report)
    with state().engine.connect() as connection:
        check_inside(connection, number, areas("see"))
        rows = reassignments_of(connection, number, limit=PAGE_MAX)
    return json_response({"reassignments": rows})


@bp.post("/<report>/reassign")
@no_parameters
@bp.input(ReassignBody, location="json")
@bp.doc(responses={200: "done"})
@retried
def reassign_report(report: str, json_data: dict[str, Any]) -> Response:
    """Give a report to another grid in force, or to a grid of a professional system, for a reason.

    Only who may dispatch where it is and where it goes (403 otherwise). Kept as an update and in the report's
    reassignments; the webhooks of both areas are told. Only while the report is as ``If-Match`` saw it: 428 without,
    412 with the report as it is now. 409 for the grid it has already, a grid that has ended and an archived report. A
    report moved so stays with
    its grid until that ends.
    """
    author, number = caller().name, _number(report)
    order = Order(
        grid=checked_text("grid", json_data["grid"], KEY_CHARS_MAX),
        reason=checked_text("reason", json_data["reason"], REASON_CHARS_MAX),
        author=author,
        stage=json_data.get("stage"),
    )
    with state().engine.begin() as connection:
        check_inside(connection, number, areas("dispatch"))
        check_seen(report_row(connection, number, lock=True))
        if (community := community_of_grid(connection, order.grid)) is not None:
            require("dispatch", community)
        reassign(connection, number, order)
    return _report(number)


def version_tag(row: Row) -> str:
    """The ETag of a report: another one after every change."""
    return quote_etag(str(int(row["updated_at"].timestamp() * 1_000_000)))


def check_seen(row: Row) -> None:
    """Raises PreconditionRequired (428) without ``If-Match``, PreconditionFailed (412) when it names another state of
    the report than it has; both tell the report as it is now."""
    check_match(version_tag(row), lambda: report_facts(row), code="stale")


def _number(report: str) -> int:
    if not (report.isascii() and report.isdigit() and len(report) <= 18):
        raise NotFound(f"there is no report {report[:KEY_CHARS_MAX]!r}; its number is the feature's id")
    return int(report)


def _calendar(moment: datetime | None) -> datetime | None:
    """A time that stays a time in every zone. Raises BadInput."""
    if moment is not None and not 1900 <= moment.year <= 9998:
        raise BadInput(f"expected_at={moment.isoformat()}: the year is out of range; give 1900 to 9998")
    return moment


def _report(number: int, *, status: int = 200, at: str | None = None) -> Response:
    with reading(at) as connection:
        found = orjson.loads(feature(connection, REPORTS, str(number)))
        row = report_row(connection, number)
        found["properties"]["agency"] = responsible(connection, [row])[0]
        found["properties"]["located"] = row["located"]
        rows = updates_of(connection, number, limit=PAGE_MAX, until=None if at is None else moment(at))
    found["properties"]["updates"] = [update_facts(update) for update in rows]
    response = json_response(found, status=status, mimetype=GEOJSON)
    if at is None:  # what was cannot be changed from
        response.headers["ETag"] = version_tag(row)
    return response
