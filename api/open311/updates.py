"""Updates of requests, after FixMyStreet's extension: what was done, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Response

from api.access.principal import areas, caller
from api.open311.answers import answer
from api.open311.params import moment, numbers, paging, posted_form, query, span
from api.open311.statuses import STAGE_OF, STATUS_OF, known_status
from api.receiving import checked_text, checked_urls
from api.state import state
from data.report_lists import find_updates
from data.report_places import check_inside
from data.reports import Change, Row, add_update, media_urls, stamp
from data.retrying import retried
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import DESCRIPTION_CHARS_MAX, KEY_CHARS_MAX, PAGE_MAX, REQUESTS_DAYS_MAX, REQUESTS_PAGE_MAX

FILTERS: Final = ("start_date", "end_date", "service_request_id", "page", "page_size")


def list_updates() -> Response:
    """GET servicerequestupdates: of all requests, oldest first; the last 90 days when no dates are given."""
    given = query(FILTERS)
    limit, offset = paging(given, page_most=PAGE_MAX)
    when = span(given, "start_date", "end_date", days=REQUESTS_DAYS_MAX)
    wanted = None
    if "service_request_id" in given:
        wanted = numbers("service_request_id", given["service_request_id"], most=REQUESTS_PAGE_MAX)
    elif when == (None, None):
        when = (datetime.now(UTC) - timedelta(days=REQUESTS_DAYS_MAX), None)
    with state().engine.connect() as connection:
        rows = find_updates(connection, when, reports=wanted, limit=limit, offset=offset)
    return answer("service_request_updates", [update_item(row) for row in rows])


@retried
def send_update() -> Response:
    """POST servicerequestupdates: add an update to a request; its status may bring the report on, never back.

    The status is what the sender last knew, so an archived report is opened again by ``reopen`` only. Times are ours.
    """
    form = posted_form()
    name = caller().name
    asked = form.text("service_request_id").strip()
    if not asked:
        raise BadInput("service_request_id is missing; send the number the request was answered with")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        raise NotFound(f"there is no request {asked[:KEY_CHARS_MAX]!r}")
    if not form.text("status"):
        raise BadInput("status is missing; send OPEN, CLOSED or one of FixMyStreet's")
    status = known_status(form.text("status"))
    if form.text("updated_datetime"):
        moment("updated_datetime", form.text("updated_datetime"))
    number = checked_text("update_id", form.text("update_id") or form.text("update_id_ext"), KEY_CHARS_MAX)
    change = Change(
        stage=STAGE_OF[status],
        note=checked_text("description", form.text("description"), DESCRIPTION_CHARS_MAX),
        media_url="\n".join(checked_urls(form.all("media_url"))),
        channel=name or "Open311",
        update_id=":".join(filter(None, (name, number))) if number else None,
        reopen=status == "reopen",
        forward=True,
    )
    with state().engine.begin() as connection:
        check_inside(connection, int(asked), areas("report"))
        update, report, _ = add_update(connection, int(asked), change)
    sent = {
        "update_id": str(update["id"]),
        "service_request_id": str(report["id"]),
        "status": STATUS_OF[report["stage"]],
        "account_id": None,
    }
    return answer("service_request_updates", [sent])


def update_item(row: Row) -> dict[str, Any]:
    """One update as FixMyStreet reads it. ``external_status_code`` is the stage's own name."""
    pictures = media_urls(row)
    return {
        "update_id": str(row["id"]),
        "service_request_id": str(row["report"]),
        "status": STATUS_OF[row["stage"]],
        "updated_datetime": stamp(row["at"]),
        "description": row["note"],
        "media_url": pictures[0] if pictures else None,
        "external_status_code": row["stage"],
    }
