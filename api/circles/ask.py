"""POST /api/v1/circles …: work too long for an answer, checked and queued as jobs."""

from __future__ import annotations

from typing import Any

from apiflask.fields import Float, List, String
from flask import Response

from api.access.principal import caller
from api.circles.blueprint import FACTOR, PROFILE, SPEED, bp
from api.circles.given import FilesBody
from api.circles.job import CIRCLES, circles_params
from api.json import json_response
from api.pages import Strict, no_parameters
from api.state import state
from data import jobs
from data.circles import DEFAULT_PROFILE
from data.retrying import retried
from gisgrid.errors import BadInput
from gisgrid.limits import CIRCLE_MINUTES_MAX
from planning.workflow_circles import USUAL_MINUTES, Question, area_box


class MoverBody(Strict):
    """Who moves, and how fast."""

    profile = String(load_default=DEFAULT_PROFILE, metadata={"description": PROFILE})
    speed = Float(load_default=None, allow_none=True, metadata={"description": SPEED})
    factor = Float(load_default=None, allow_none=True, metadata={"description": FACTOR})


class CirclesBody(MoverBody, FilesBody):
    """Circles to be computed."""

    minutes = List(
        Float(),
        load_default=lambda: list(USUAL_MINUTES),
        metadata={"description": f"minutes of the polygons, at most {CIRCLE_MINUTES_MAX}; [5, 10, 15] by default"},
    )


@bp.post("")
@no_parameters
@bp.input(CirclesBody, location="json")
@bp.doc(responses={202: "queued"})
def compute(json_data: dict[str, Any]) -> Response:
    """Compute the circles of a profile for the grids in force, as a job.

    At the profile's usual speed and the usual minutes the run is stored in place of the one before, and every other
    address here answers from it. At another speed, factor or minutes nothing is stored: the job makes ``circles.zip``
    with ``circles.gpkg`` (all layers) and ``report.json``, or ``circles.json`` with both. Asking again for what is
    queued or running answers that job.
    """
    question = question_of(json_data, json_data["minutes"])
    params = circles_params(question, json_data["format"])
    return queued(CIRCLES, params, stored=question.usual)


def question_of(body: dict[str, Any], minutes: list[float]) -> Question:
    """What a body asks for, checked. Raises BadInput."""
    if len(minutes) > CIRCLE_MINUTES_MAX:
        raise BadInput(f"minutes has {len(minutes)} values; give at most {CIRCLE_MINUTES_MAX}")
    ordered = tuple(int(value) if float(value).is_integer() else value for value in sorted(set(minutes)))
    question = Question(body["profile"], ordered, body["speed"], body["factor"])
    question.mover()
    return question


@retried
def queued(kind: str, params: dict[str, Any], **facts: Any) -> Response:
    """Queue a job and tell its address; the one that waits or runs already when it is asked for again.

    Raises NotFound before the first publish: there is nothing a job could do.
    """
    held = state()
    with held.engine.begin() as connection:
        area_box(connection)
        number = jobs.unfinished(connection, kind, params, owner=caller().key)
        known = number is not None
        if number is None:
            number = jobs.submit(connection, kind, params, home=held.settings.home, owner=caller().key)
    here = f"/api/v1/jobs/{number}"
    told = {
        "id": number, "kind": kind, "known": known, **facts,
        "links": [{"rel": "self", "href": here, "type": "application/json"}],
    }  # fmt: skip
    response = json_response(told, status=202)
    response.headers["Location"] = here
    return response
