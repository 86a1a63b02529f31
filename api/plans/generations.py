"""/api/v1/generations: what was published when, and going back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from apiflask.fields import Integer, String
from apiflask.validators import Length
from flask import Response, request

from api.access.principal import caller, refused, require
from api.json import json_response
from api.pages import Strict, no_parameters
from api.plans.blueprint import JSON, KEY, Body, bp, checked_limit, generation_json, number_of, utc
from api.state import state
from data import plan_pages
from data.restoring import rollback
from gisgrid.access import EVERYWHERE
from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX, PLAN_NOTE_CHARS_MAX
from planning.workflow_publishing import restore

GENERATIONS = "/api/v1/generations"


class GenerationsQuery(Strict):
    """Parameters of the list of generations."""

    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"generations a page, 1 to {PAGE_MAX}"})
    before = Integer(validate=KEY, metadata={"description": "id of the last one of the page before"})


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
    with state().engine.connect() as connection:
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
    """What going back to a generation would change now: grids (first level) that end and come back, communities."""
    with state().engine.connect() as connection:
        return json_response(asdict(rollback(connection, number_of(generation, "generation"))))


@bp.post(f"{GENERATIONS}/<generation>/restore")
@no_parameters
@bp.input(RestoreBody, location="json")
def restore_generation(generation: str, json_data: dict[str, Any]) -> Response:
    """Bring back the grids that were in force in a generation, under their codes, as a new generation."""
    author = require("publish").name
    number = number_of(generation, "generation")
    _check_everywhere_it_reaches(number)
    made = restore(state().engine, number, note=json_data["note"], author=author)
    return json_response({"generation": generation_json(made)})


def _check_everywhere_it_reaches(generation: int) -> None:
    """Raises Forbidden (403) where going back would change grids of communities, or systems of the whole city, that the
    caller may not publish in."""
    if caller().may("publish", EVERYWHERE):
        return
    with state().engine.connect() as connection:
        found = rollback(connection, generation)
    for place in [*found.communities, *([EVERYWHERE] if found.systems else [])]:
        if not caller().may("publish", place):
            raise refused("publish", place)
