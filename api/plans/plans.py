"""/api/v1/plans: which plans there are, one of them, making, naming, copying and deleting."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from apiflask.fields import Boolean, Dict, Float, Integer, Nested, Raw, String
from apiflask.validators import Length, OneOf
from flask import Response, request

from api.access.principal import areas, caller, may, require
from api.json import json_response
from api.moments import AT_MOMENT, reading
from api.pages import AtQuery, Strict, no_parameters
from api.plans.blueprint import (
    HERE,
    JSON,
    KEY,
    Body,
    bp,
    check_version,
    checked_limit,
    own_plan,
    plan_json,
    plan_told,
    private,
    respond_plan,
    seen_plan,
)
from api.plans.job import PLAN, plan_params
from api.state import state
from data import drafts, jobs, plan_pages
from data.retrying import retried
from gisgrid.errors import BadInput
from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX, PLAN_NAME_CHARS_MAX, PLAN_NOTE_CHARS_MAX
from gisgrid.models import Band
from planning import workflow_plans
from planning.partition import PRESETS
from planning.workflow_plans import WEIGHTS, Order

NAME = "what people call it"
NOTE = "what the planner has to say of it"
FROM = 'empty, published, engine, or {"plan": id} for a copy'
LEVELS = "grids inside grids, coarse to fine: MIN:MAX, a number K, K@MIN:MAX, building (34/158/854)"


class PlansQuery(Strict):
    """Parameters of the list of plans."""

    area = String(metadata={"description": "code of an area: plans of it and of areas inside"})
    status = String(validate=OneOf(("draft", "published")), metadata={"description": "draft or published"})
    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"plans a page, 1 to {PAGE_MAX}"})
    before = Integer(validate=KEY, metadata={"description": "id of the last plan of the page before"})
    at = String(metadata={"description": AT_MOMENT})


class NameBody(Body):
    """A name."""

    name = String(
        load_default=None, allow_none=True, validate=Length(max=PLAN_NAME_CHARS_MAX), metadata={"description": NAME}
    )


class AboutBody(NameBody):
    """What people say of a plan."""

    note = String(
        load_default=None, allow_none=True, validate=Length(max=PLAN_NOTE_CHARS_MAX), metadata={"description": NOTE}
    )


class EngineBody(Body):
    """What the engine is to do."""

    households = String(load_default=None, allow_none=True, metadata={"description": "band of a grid, 300:500"})
    levels = String(load_default="", metadata={"description": LEVELS})
    keep = Boolean(load_default=False, metadata={"description": "stay near the grids in force (or of the draft given)"})
    plan = Integer(
        load_default=None, allow_none=True, validate=KEY, metadata={"description": "draft whose locked grids stay"}
    )
    time_limit = Float(load_default=None, allow_none=True, metadata={"description": "seconds, then the best so far"})
    preset = String(
        load_default=None, allow_none=True, validate=OneOf(tuple(PRESETS)), metadata={"description": ", ".join(PRESETS)}
    )
    seed = Integer(load_default=0, metadata={"description": "the same input and seed give the same plan"})
    weights = Dict(
        String(), Float(), load_default=dict,
        metadata={"description": f"factors, 1 is usual: {', '.join(WEIGHTS)}"},
    )  # fmt: skip


class PlanBody(AboutBody):
    """A plan to be made."""

    area = String(required=True, metadata={"description": "code of the area it divides"})
    from_ = Raw(required=True, data_key="from", metadata={"description": FROM})
    households = String(
        load_default=None, allow_none=True, metadata={"description": "band, 300:500; that of the plan in force"}
    )
    engine = Nested(EngineBody, load_default=None, allow_none=True)


@bp.get(HERE)
@bp.input(PlansQuery, location="query", unknown=None)
def list_plans(query_data: dict[str, Any]) -> Response:
    """Plans, newest first; drafts for planners only. With ``at`` as they were then, those deleted since among them."""
    limit, at = checked_limit(query_data["limit"]), query_data.get("at")
    with reading(at) as connection:
        rows, last = plan_pages.page(
            connection, limit=limit, before=query_data.get("before"), area=query_data.get("area"),
            status=query_data.get("status"), drafts=areas("plan"),
        )  # fmt: skip
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": JSON}]
    if last is not None:
        parameters = urlencode({**request.args.to_dict(), "before": last})
        links.append({"rel": "next", "href": f"{request.path}?{parameters}", "type": JSON})
    response = json_response(
        {
            "plans": [plan_json(row, planner=may("plan", row["area"]), past=at is not None) for row in rows],
            "links": links,
        }
    )
    response.vary.add("Authorization")
    return response


@bp.post(HERE)
@no_parameters
@bp.input(PlanBody, location="json")
@retried
def make_plan(json_data: dict[str, Any]) -> Response:
    """Make a draft: empty, from the grids in force, as a copy, or by the engine.

    201: the draft. 202: a job plans it (``from`` is ``engine``); ``GET /api/v1/jobs/{id}`` tells how far it is,
    ``…/preview`` the best plan so far, and its result names the plan. ``DELETE /api/v1/jobs/{id}?keep=true`` stops it
    and keeps the best plan so far as a draft.
    """
    author = require("plan", json_data["area"]).name
    begin = json_data["from_"]
    about = {"name": json_data["name"] or "", "note": json_data["note"] or "", "author": author}
    band = Band.parse(json_data["households"]) if json_data["households"] else None
    if json_data["engine"] is not None and begin != "engine":
        raise BadInput(f"engine is given but from is {begin!r}; give from: engine, or leave engine out")
    if begin == "engine":
        return _queued(_order(json_data["area"], json_data["engine"] or EngineBody().load({}), band, about))
    with state().engine.begin() as connection:
        if begin == "empty":
            plan = workflow_plans.empty_draft(connection, json_data["area"], band=band, **about)
        elif begin == "published":
            plan = workflow_plans.draft_in_force(connection, json_data["area"], band=band, **about)
        else:
            plan = _copied(connection, begin, json_data["area"], about)
        return respond_plan(connection, plan, status=201)


def _copied(connection: Any, begin: Any, area: str, about: dict[str, str]) -> int:
    key = begin.get("plan") if isinstance(begin, dict) and set(begin) == {"plan"} else None
    if not isinstance(key, int) or isinstance(key, bool):
        raise BadInput(f"from={begin!r}: give {FROM}")
    row = seen_plan(connection, str(key))
    if row.area != area:
        raise BadInput(f"plan {row.id} is one of area {row.area}, not of {area}; give its own area")
    return drafts.duplicate(connection, row.id, **(about | {"name": about["name"] or row.name}))


def _order(area: str, engine: dict[str, Any], band: Band | None, about: dict[str, str]) -> Order:
    """What the engine is asked for, checked against what is stored. Raises BadInput, NotFound, Conflict."""
    with state().engine.begin() as connection:
        given = Band.parse(engine["households"]) if engine["households"] else band
        limits = given or workflow_plans.band_in_force(connection)
        wanted = {name: value for name, value in engine.items() if name != "households"} | about
        if engine["plan"] is not None:
            seen_plan(connection, str(engine["plan"]))
        order = Order(area, limits, **wanted)
        workflow_plans.check_order(connection, order)
    return order


def _queued(order: Order) -> Response:
    held = state()
    with held.engine.begin() as connection:
        job = jobs.submit(connection, PLAN, plan_params(order), home=held.settings.home, owner=caller().key)
    here = f"/api/v1/jobs/{job}"
    links = [
        {"rel": "self", "href": here, "type": JSON},
        {"rel": "preview", "href": f"{here}/preview", "type": "application/geo+json"},
    ]
    response = json_response({"id": job, "kind": PLAN, "known": False, "links": links}, status=202)
    response.headers["Location"] = here
    return response


@bp.get(f"{HERE}/<plan>")
@bp.input(AtQuery, location="query", unknown=None)
def one_plan(plan: str, query_data: dict[str, Any]) -> Response:
    """One plan; its tag is its version. With ``at`` as it was then, without a tag: what was cannot be changed from."""
    at = query_data.get("at")
    with reading(at) as connection:
        row = seen_plan(connection, plan)
        if at is None:
            return respond_plan(connection, row.id)
        return private(json_response(plan_told(connection, row.id, past=True)[1]))


@bp.patch(f"{HERE}/<plan>")
@no_parameters
@bp.input(AboutBody, location="json")
@retried
def describe_plan(plan: str, json_data: dict[str, Any]) -> Response:
    """Give a plan another name or note. ``If-Match`` must name the version seen (428 without, 412 for another)."""
    with state().engine.begin() as connection:
        row = drafts.locked_plan(connection, own_plan(connection, plan).id)
        check_version(connection, row)
        if json_data["name"] is not None and not json_data["name"].strip():
            raise BadInput("name is empty; give the plan a name, or leave name out")
        drafts.describe(connection, row.id, name=json_data["name"], note=json_data["note"])
        return respond_plan(connection, row.id)


@bp.delete(f"{HERE}/<plan>")
@no_parameters
@retried
def delete_plan(plan: str) -> Response:
    """Delete a draft with its edits and comments, as it was seen (``If-Match``: 428 without, 412 stale)."""
    with state().engine.begin() as connection:
        row = drafts.locked_draft(connection, own_plan(connection, plan).id)
        check_version(connection, row)
        drafts.delete(connection, row.id)
    return Response(status=204)


@bp.post(f"{HERE}/<plan>/duplicate")
@no_parameters
@bp.input(NameBody, location="json")
@retried
def duplicate_plan(plan: str, json_data: dict[str, Any]) -> Response:
    """A draft with the same grids, owners and locks; comments stay behind."""
    with state().engine.begin() as connection:
        row, author = own_plan(connection, plan), caller().name
        made = drafts.duplicate(connection, row.id, name=json_data["name"] or row.name, author=author, note=row.note)
        return respond_plan(connection, made, status=201)
