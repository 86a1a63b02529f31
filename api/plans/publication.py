"""Publishing a plan: what it would change, now or at a time to come, and calling that off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from apiflask.fields import String
from apiflask.validators import Length
from flask import Response, request

from api.access.principal import caller, require
from api.json import json_response
from api.pages import no_parameters
from api.plans.blueprint import (
    HERE,
    Body,
    bp,
    check_version,
    generation_json,
    number_of,
    own_plan,
    publication_json,
    tag_of,
    tagged,
    utc,
)
from api.state import state
from data import drafts, publications
from data.plans import Generation, PlanRow, generation_made_of
from data.publishing import alone
from data.retrying import retried
from gisgrid.errors import NotFound
from gisgrid.limits import PLAN_NOTE_CHARS_MAX
from gisgrid.moments import coming_moment
from planning.workflow_changes import publication_preview
from planning.workflow_publishing import publish_at, publish_within

WHEN = "when it comes into force, ISO 8601; a date alone is the beginning of that day; now when left out or past"
WHY = "why, for the record"
OVERRIDE = "the reason for which an administrator wants it in force though the check fails"


class PublicationBody(Body):
    """A plan to be published."""

    effective_at = String(load_default=None, allow_none=True, metadata={"description": WHEN})
    note = String(load_default="", validate=Length(max=PLAN_NOTE_CHARS_MAX), metadata={"description": WHY})
    override = String(load_default="", validate=Length(max=PLAN_NOTE_CHARS_MAX), metadata={"description": OVERRIDE})


@bp.get(f"{HERE}/<plan>/publication")
@no_parameters
def preview_publication(plan: str) -> Response:
    """What publishing a plan would change, what keeps it from it, and what was asked for so far; for planners."""
    with state().engine.connect() as connection:
        row = own_plan(connection, plan)
        told = publication_preview(connection, row)
        asked = publications.of_plan(connection, row.id)
    told["waiting"] = publication_json(told["waiting"]) if told["waiting"] else None
    told["outdated"] = [one | {"updated_at": utc(one["updated_at"])} for one in told["outdated"]]
    told["history"] = [publication_json(one) for one in asked]
    return tagged(json_response(told | {"time_zone": _zone_json(state().settings.timezone)}), row)


@bp.post(f"{HERE}/<plan>/publication")
@no_parameters
@bp.input(PublicationBody, location="json")
@retried
def publish_plan(plan: str, json_data: dict[str, Any]) -> Response:
    """Publish a draft as it was seen (``If-Match``). 200: a new generation is in force; 202: it waits for its time.

    409 when the check finds grids that leave gaps, overlap, fall apart or cross communities, with the problems in
    ``details``; nothing has changed then. An administrator of the plan's area may ``override`` that with a reason,
    which the generation keeps beside what the check found. Asked again by the same planner, as when the answer was lost
    on its way, it tells the generation that was made.
    """
    author = caller().name
    override = json_data["override"].strip()
    settings = state().settings
    about = {"note": json_data["note"], "author": author, "override": override}
    with state().engine.connect() as connection:
        place = own_plan(connection, plan, "publish").area
        if override:
            require("admin", place)
    with state().engine.begin() as connection:
        now = connection.execute(sa.select(sa.func.now())).scalar_one()  # the clock that the time is waited for by
        when = coming_moment(json_data["effective_at"], name="effective_at", zone=settings.timezone, now=now)
        if when is None:
            alone(connection)  # before the plan's row, as everybody who publishes does
        before = drafts.locked_plan(connection, number_of(plan, "plan"))
        if when is None and (made := _made_before(connection, before, author)) is not None:
            return json_response({"generation": generation_json(made)})
        row = drafts.locked_draft(connection, before.id)
        check_version(connection, row)
        if when is not None:
            waits = publish_at(connection, row.id, when, **about)
            return json_response({"publication": publication_json(waits)}, status=202)
        publications.check_none_waits(connection, row.id)
        done = publish_within(connection, row.id, **about)
    return json_response({"generation": generation_json(done.generation)})


@bp.delete(f"{HERE}/<plan>/publication")
@no_parameters
@retried
def cancel_publication(plan: str) -> Response:
    """Call off the publication a plan waits for, as the plan was seen (``If-Match``); 404 when it waits for none."""
    with state().engine.begin() as connection:
        row = drafts.locked_plan(connection, own_plan(connection, plan, "publish").id)
        if publications.waiting(connection, row.id) is None:
            raise NotFound(f"plan {row.id} is not waiting to be published")
        check_version(connection, row)
        publications.cancel(connection, row.id)
    return Response(status=204)


def _made_before(connection: sa.Connection, row: PlanRow, author: str) -> Generation | None:
    """The generation of a plan that this very request, of this planner for this version, has put in force already."""
    if row.status != "published" or tag_of(row.version - 1) != request.headers.get("If-Match", ""):
        return None
    made = generation_made_of(connection, row.id)
    return made if made is not None and made.author == author else None


def _zone_json(zone: dt.tzinfo) -> dict[str, Any]:
    """The service's time zone, which moments without one are in: its name, and minutes east of UTC now."""
    offset = dt.datetime.now(zone).utcoffset() or dt.timedelta()
    return {"name": str(zone), "minutes": round(offset.total_seconds() / 60)}
