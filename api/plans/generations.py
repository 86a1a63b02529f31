"""/api/v1/generations: what was published when, and going back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from apiflask.fields import Integer, String
from apiflask.validators import Length
from flask import Response, request
from werkzeug.http import quote_etag

from api.access.principal import caller, refused, require
from api.etag import check_match
from api.json import json_response
from api.moments import AT_MOMENT, reading
from api.pages import Strict, no_parameters
from api.plans.blueprint import JSON, KEY, Body, bp, checked_limit, generation_json, number_of, utc
from api.state import state
from data import plan_pages
from data.plans import Generation, current_generation, generation_by_id
from data.publishing import alone
from data.restoring import restore, rollback
from data.retrying import retried
from gisgrid.access import EVERYWHERE
from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX, PLAN_NOTE_CHARS_MAX

GENERATIONS = "/api/v1/generations"


class GenerationsQuery(Strict):
    """Parameters of the list of generations."""

    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"generations a page, 1 to {PAGE_MAX}"})
    before = Integer(validate=KEY, metadata={"description": "id of the last one of the page before"})
    at = String(metadata={"description": AT_MOMENT})


class RestoreBody(Body):
    """Why one goes back."""

    note = String(
        load_default="", validate=Length(max=PLAN_NOTE_CHARS_MAX), metadata={"description": "why, for the record"}
    )


@bp.get(GENERATIONS)
@bp.input(GenerationsQuery, location="query", unknown=None)
def list_generations(query_data: dict[str, Any]) -> Response:
    """Generations, newest first, with the grids of the first level that were born and ended with each."""
    limit = checked_limit(query_data["limit"])
    with reading(query_data.get("at")) as connection:
        rows, last = plan_pages.generations(connection, limit=limit, before=query_data.get("before"))
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": JSON}]
    if last is not None:
        parameters = urlencode({**request.args.to_dict(), "before": last})
        links.append({"rel": "next", "href": f"{request.path}?{parameters}", "type": JSON})
    told = [row | {"published_at": utc(row["published_at"])} for row in rows]
    return json_response({"generations": told, "links": links})


@bp.get(f"{GENERATIONS}/<generation>/restore")
@no_parameters
def preview_restore(generation: str) -> Response:
    """What going back to a generation would change now: grids (first level) that end and come back, communities.

    The tag is the generation in force, against which that is told.
    """
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        found = rollback(connection, number_of(generation, "generation"))
        response = json_response(asdict(found))
        response.headers["ETag"] = _tag(current_generation(connection))
    return response


@bp.post(f"{GENERATIONS}/<generation>/restore")
@no_parameters
@bp.input(RestoreBody, location="json")
@retried
def restore_generation(generation: str, json_data: dict[str, Any]) -> Response:
    """Bring back the grids that were in force in a generation, under their codes, as a new generation.

    ``If-Match`` names the tag of the preview, the generation in force: 428 without, 412 when another is by now.
    """
    author = require("publish").name
    number = number_of(generation, "generation")
    with state().engine.begin() as connection:
        alone(connection)
        generation_by_id(connection, number)
        _check_everywhere_it_reaches(connection, number)
        now = current_generation(connection)
        check_match(_tag(now), lambda: {"generation": generation_json(now) if now else None})
        made = restore(connection, number, note=json_data["note"], author=author)
        response = json_response({"generation": generation_json(made)})
    response.headers["ETag"] = _tag(made)
    return response


def _check_everywhere_it_reaches(connection: sa.Connection, generation: int) -> None:
    """Raises Forbidden (403) where going back would change grids of communities, or systems of the whole city, that the
    caller may not publish in."""
    if caller().may("publish", EVERYWHERE):
        return
    found = rollback(connection, generation)
    for place in [*found.communities, *([EVERYWHERE] if found.systems else [])]:
        if not caller().may("publish", place):
            raise refused("publish", place)


def _tag(now: Generation | None) -> str:
    """The tag of the state of all grids: the generation in force."""
    return quote_etag(str(now.id if now else 0))
