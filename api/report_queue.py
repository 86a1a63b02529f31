"""GET /api/v1/reports/queue: open reports, newest first, as a dispatcher works through them."""

from __future__ import annotations

from typing import Any, Final

from apiflask import APIBlueprint
from apiflask.fields import AwareDateTime, Boolean, Integer, String
from apiflask.validators import Range
from flask import Response

from api.access.principal import areas
from api.etag import answered, request_tag
from api.json import json_response
from api.pages import Strict
from api.receiving import checked_text
from api.state import state
from data.report_places import inside
from data.report_queue import Wanted, conditions, queue_page, stage_counts
from data.reports import stamp
from gisgrid.limits import LABEL_CHARS_MAX, PAGE_DEFAULT, QUEUE_PAGE_MAX

bp = APIBlueprint("report_queue", __name__, url_prefix="/api/v1/reports/queue", tag="Reports")
LISTS: Final = ("stage", "major", "grid")
TIMES: Final = ("reported_at", "updated_at", "expected_at")


class FilterQuery(Strict):
    """What pages of reports and the queue may be narrowed by."""

    open = Boolean(metadata={"description": "true: all but archived ones; false: archived ones"})
    area = String(metadata={"description": "code of a district, street or community (6, 9, 12 digits): the owner's; "
                            "where a report has no such owner, where it lies"})  # fmt: skip
    near_border = Boolean(metadata={"description": "located within 10 m, or its accuracy, of its grid's boundary"})
    unassigned = Boolean(metadata={"description": "true: with no grid; false: with one"})
    by_hand = Boolean(metadata={"description": "true: given to its grid by a dispatcher"})
    since = AwareDateTime(metadata={"description": "changed at this time or later; RFC 3339 with a zone"})
    text = String(load_default="", metadata={
        "description": "part of the description, address, report number or component code, or the end of a grid code",
    })  # fmt: skip


class QueueQuery(FilterQuery):
    """Parameters of the queue."""

    stage = String(metadata={"description": "stages, split by commas"})
    major = String(metadata={"description": "major classes, split by commas"})
    grid = String(metadata={"description": "codes of grids, split by commas"})
    limit = Integer(
        load_default=PAGE_DEFAULT,
        validate=Range(1, QUEUE_PAGE_MAX),
        metadata={"description": f"reports a page, 1 to {QUEUE_PAGE_MAX}"},
    )
    after = String(metadata={"description": "key of the page before; take it from its ``after``"})


def filters_of(query: dict[str, Any]) -> dict[str, Any]:
    """Take the filters out of a query: arguments of `Wanted`. Raises BadInput."""
    names = [name for name in FilterQuery().fields if name in query]
    found = {name: query.pop(name) for name in names}
    return found | {"text": checked_text("text", found.get("text", ""), LABEL_CHARS_MAX)}


@bp.get("")
@bp.input(QueueQuery, location="query", unknown=None)
def queue(query_data: dict[str, Any]) -> Response:
    """Reports, newest first, in few words, with how many of those that match are in each stage.

    ``after`` is the key of the next page, null on the last. The ``ETag`` changes with any report: ask again with
    ``If-None-Match`` to follow what comes in. Archived reports are among them unless ``open=true`` is asked.
    """
    query = dict(query_data)
    limit, after = query.pop("limit"), query.pop("after", None)
    stages, majors, grids = (tuple(query.pop(name).split(",")) if name in query else () for name in LISTS)
    where = conditions(Wanted(stages=stages, majors=majors, grids=grids, **filters_of(query)))
    where += inside(areas("dispatch"))

    def made() -> Response:
        with state().engine.connect() as connection:
            rows, following = queue_page(connection, where, limit=limit, after=after)
            counts = stage_counts(connection, where)
        told = [row | {name: stamp(row[name]) for name in TIMES} for row in rows]
        return json_response({"reports": told, "matched": sum(counts.values()), "stages": counts, "after": following})

    return answered(request_tag(state().catalogue.now().tables["reports"], *areas("dispatch")), made)
