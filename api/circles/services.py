"""POST …/sites, …/straight, …/response: where to build next, who is in straight reach, how soon vehicles come."""

from __future__ import annotations

from typing import Any

from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask import Response

from api.circles.ask import MoverBody, queued
from api.circles.blueprint import FACTOR, bp
from api.circles.given import (
    CATEGORIES,
    CRS,
    POINTS,
    TIME_LIMIT,
    FilesBody,
    PointBody,
    by_category,
    known_categories,
    number_within,
    points_given,
)
from api.circles.services_job import RESPONSE, SITES, STRAIGHT
from api.pages import no_parameters
from api.state import state
from gisgrid.errors import BadInput
from gisgrid.limits import CIRCLE_SECONDS_MAX, PROFILE_MINUTES_MAX, SERVICE_COUNT_MAX, SERVICE_RADIUS_METRES_MAX
from planning.reach import profile_of
from planning.reach.profiles import FACTOR_RANGE
from planning.response.promise import TOWN_DENSITY, promise_of
from planning.siting import METHODS, WEIGHTS
from planning.siting.candidates import SPACING
from planning.straight import AIMS
from planning.workflow_services import CANDIDATES, check_area


class SitesBody(MoverBody, FilesBody):
    """New sites to be found."""

    categories = List(String(), required=True, metadata={"description": CATEGORIES})
    method = String(
        load_default="cover",
        validate=OneOf(METHODS),
        metadata={"description": "cover: most people with count sites or a budget; least: everybody; median: mean way"},
    )
    count = Integer(load_default=None, allow_none=True, metadata={"description": "new sites of each category"})
    counts = Dict(String(), Integer(), load_default=dict, metadata={"description": "new sites by category"})
    budget = Float(load_default=None, allow_none=True, metadata={"description": "for all categories together"})
    costs = Dict(String(), Float(), load_default=dict, metadata={"description": "cost of a site by category"})
    importance = Dict(String(), Float(), load_default=dict, metadata={"description": "weight by category; 1"})
    one_per_site = Boolean(load_default=False, metadata={"description": "a candidate takes one category only"})
    candidates = String(
        load_default="corners",
        validate=OneOf(CANDIDATES),
        metadata={"description": "street corners, or units without households, where no points are given"},
    )
    spacing = Float(load_default=SPACING, metadata={"description": "metres between corners taken"})
    points = List(Nested(PointBody), load_default=list, metadata={"description": POINTS})
    crs = String(load_default="wgs84", metadata={"description": CRS})
    weight = String(
        load_default="residents", validate=OneOf(tuple(WEIGHTS)), metadata={"description": "who is to be reached"}
    )
    minutes = Float(load_default=None, allow_none=True, metadata={"description": "in place of each category's own"})
    curve = Boolean(load_default=False, metadata={"description": "also the best for every number of sites"})
    time_limit = Float(load_default=60.0, metadata={"description": TIME_LIMIT})


class StraightBody(FilesBody):
    """Reach by straight distance to be found."""

    categories = List(String(), load_default=list, metadata={"description": CATEGORIES})
    components = List(
        String(), load_default=list, metadata={"description": "city components, such as 01-07 (major-minor)"}
    )
    points = List(Nested(PointBody), load_default=list, metadata={"description": POINTS})
    crs = String(load_default="wgs84", metadata={"description": CRS})
    radius = Float(required=True, metadata={"description": "metres each reaches"})
    area = String(
        load_default="", metadata={"description": "code of an area; the communities of the grids in force else"}
    )
    cover = String(
        load_default=None,
        allow_none=True,
        validate=OneOf(AIMS),
        metadata={"description": "find the fewest further ones for all of these"},
    )
    extra_radius = Float(load_default=None, allow_none=True, metadata={"description": "metres further ones reach"})
    time_limit = Float(load_default=60.0, metadata={"description": TIME_LIMIT})


class ResponseBody(FilesBody):
    """Response circles to be found."""

    categories = List(String(), load_default=list, metadata={"description": f"stations by category: {CATEGORIES}"})
    points = List(Nested(PointBody), load_default=list, metadata={"description": f"stations; {POINTS}"})
    crs = String(load_default="wgs84", metadata={"description": CRS})
    minutes = Float(load_default=15.0, metadata={"description": "minutes promised in town"})
    outside_minutes = Float(load_default=60.0, metadata={"description": "minutes promised outside"})
    turnout = Float(load_default=0.0, metadata={"description": "seconds from the call until a vehicle leaves"})
    factor = Float(load_default=None, allow_none=True, metadata={"description": FACTOR})
    town = List(String(), load_default=list, metadata={"description": "codes of areas that are town"})
    town_density = Float(
        load_default=TOWN_DENSITY,
        metadata={"description": "where no town is given: residents of the square kilometre about a place in town"},
    )
    grid_share = Float(load_default=0.9, metadata={"description": "share of residents for a grid mostly inside"})


@bp.post("/sites")
@no_parameters
@bp.input(SitesBody, location="json")
@bp.doc(responses={202: "queued"})
def sites(json_data: dict[str, Any]) -> Response:
    """Where new facilities help most, over the streets, as a job: proven best, or with the gap stated.

    The job's facts hold the sites, ranked, and coverage before and after; its file all layers and figures.
    """
    asked = dict(json_data)
    mover = profile_of(asked["profile"], metres_per_second=asked["speed"], factor=asked["factor"])
    if not asked["categories"]:
        raise BadInput("categories is empty; give at least one")
    wanted = known_categories(asked["categories"])
    asked["points"] = points_given(asked["points"], asked.pop("crs"))
    if asked["minutes"] is not None:
        mover.limit(asked["minutes"])
    if asked["count"] is not None and asked["counts"]:
        raise BadInput("count and counts are both given; give one of them")
    by_category("counts", asked["counts"], wanted, 0)
    by_category("costs", asked["costs"], wanted, 0)
    by_category("importance", asked["importance"], wanted, 0)
    number_within("count", asked["count"], 0, SERVICE_COUNT_MAX)
    number_within("budget", asked["budget"], 0, 1e15)
    number_within("spacing", asked["spacing"], 0, 10_000, above=True)
    number_within("time_limit", asked["time_limit"], 0, CIRCLE_SECONDS_MAX, above=True)
    _check_method(asked)
    return queued(SITES, asked)


def _check_method(asked: dict[str, Any]) -> None:
    """Refuse limits that do not go with the method. Raises BadInput."""
    counted, budget = asked["count"] is not None or bool(asked["counts"]), asked["budget"] is not None
    if asked["method"] == "median" and (budget or not counted):
        raise BadInput("the method median needs a count of new sites and takes no budget")
    if asked["method"] == "least" and (counted or budget):
        raise BadInput("the method least finds the number of sites itself; leave count and budget out")
    if asked["method"] == "cover" and not counted and not budget:
        raise BadInput("nothing limits the new sites; give count, counts or budget, or the method least")
    if asked["counts"] and not budget and (missing := [n for n in asked["categories"] if n not in asked["counts"]]):
        raise BadInput(f"counts: {missing[0]} is missing; give a number for every category")
    if budget and (missing := [name for name in asked["categories"] if name not in asked["costs"]]):
        raise BadInput(f"costs: {missing[0]} is missing; a budget needs the cost of a site of every category")


@bp.post("/straight")
@no_parameters
@bp.input(StraightBody, location="json")
@bp.doc(responses={202: "queued"})
def straight(json_data: dict[str, Any]) -> Response:
    """What loudspeakers, hydrants and the like reach in a straight line, and the fewest further ones, as a job.

    Of stored facilities of some categories, of city components of some classes, or of points given.
    """
    asked = dict(json_data)
    sources = [name for name in ("categories", "components", "points") if asked[name]]
    if len(sources) != 1:
        raise BadInput(
            f"{' and '.join(sources) or 'nothing'} given; give categories, components or points, one of them"
        )
    known_categories(asked["categories"])
    asked["points"] = points_given(asked["points"], asked.pop("crs"))
    number_within("radius", asked["radius"], 0, SERVICE_RADIUS_METRES_MAX, above=True)
    number_within("extra_radius", asked["extra_radius"], 0, SERVICE_RADIUS_METRES_MAX, above=True)
    number_within("time_limit", asked["time_limit"], 0, CIRCLE_SECONDS_MAX, above=True)
    with state().engine.connect() as connection:
        check_area(connection, [asked["area"]] if asked["area"] else [])
    return queued(STRAIGHT, asked)


@bp.post("/response")
@no_parameters
@bp.input(ResponseBody, location="json")
@bp.doc(responses={202: "queued"})
def response(json_data: dict[str, Any]) -> Response:
    """How soon vehicles from stations are at every building, the promise kept or not, who is first where, as a job.

    Fifteen minutes in town and sixty outside by default.
    """
    asked = dict(json_data)
    if bool(asked["categories"]) == bool(asked["points"]):
        raise BadInput("give the stations: categories or points, one of them")
    known_categories(asked["categories"])
    asked["points"] = points_given(asked["points"], asked.pop("crs"))
    promise_of(asked["minutes"], asked["outside_minutes"], asked["turnout"])
    number_within("factor", asked["factor"], *FACTOR_RANGE)
    number_within("town_density", asked["town_density"], 0, 1e6)
    number_within("grid_share", asked["grid_share"], 0, 1, above=True)
    number_within("minutes", asked["minutes"], 0, PROFILE_MINUTES_MAX, above=True)
    with state().engine.connect() as connection:
        check_area(connection, asked["town"])
    return queued(RESPONSE, asked)
