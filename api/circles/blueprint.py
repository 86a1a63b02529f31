"""What every view of service circles shares: the blueprint, parameters, the run that is asked for."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Float, Integer, String
from flask import Response, request

from api.json import json_response
from api.pages import GEOJSON, Strict
from data.circles import DEFAULT_PROFILE, computed_profiles, current_run
from data.plans import generation_of
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import PAGE_DEFAULT, PAGE_MAX
from planning.reach import profile_of

bp = APIBlueprint("circles", __name__, url_prefix="/api/v1/circles", tag="Service circles")

PROFILE: Final = "adult, elderly, frail, bicycle or car"
SPEED: Final = "metres per second in place of the profile's; not for car, which takes a factor"
FACTOR: Final = "speed of the moment as a share of the usual one: 0.6 in snow"


class ProfileQuery(Strict):
    """Whose circles."""

    profile = String(load_default=DEFAULT_PROFILE, metadata={"description": PROFILE})


class CategoryQuery(ProfileQuery):
    """One facility category of one profile."""

    category = String(required=True, metadata={"description": "category of facilities, as /api/v1/circles lists them"})


class MoverQuery(ProfileQuery):
    """Who moves, and how fast just now."""

    speed = Float(metadata={"description": SPEED})
    factor = Float(metadata={"description": FACTOR})


class PointQuery(MoverQuery):
    """A point in any coordinate system."""

    lon = Float(metadata={"description": "longitude, or easting of a projected crs"})
    lat = Float(metadata={"description": "latitude, or northing of a projected crs"})
    crs = String(load_default="wgs84", metadata={"description": "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"})


class LimitQuery(CategoryQuery):
    """One category, so many rows."""

    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"features an answer, 1 to {PAGE_MAX}"})


def run_of(connection: sa.Connection, profile: str) -> sa.RowMapping:
    """The run of a profile for the grids in force. Raises BadInput for an unknown profile, NotFound without a run."""
    profile_of(profile)
    run = current_run(connection, profile)
    if run is not None:
        return run
    if generation_of(connection) is None:
        raise NotFound("no plan is published yet, so there are no service circles; publish one first")
    computed = computed_profiles(connection)
    raise NotFound(
        f"no service circles of profile {profile} are computed for the plan in force; "
        f"run 'gisgrid circles --profile {profile}' or POST /api/v1/circles",
        profiles=computed,
    )


def category_of(run: sa.RowMapping, category: str) -> tuple[int, dict[str, Any]]:
    """Number and figures of a category in a run. Raises NotFound when it was not assessed."""
    for number, about in enumerate(run["categories"]):
        if about["category"] == category:
            return number, dict(about)
    raise NotFound(f"category {category!r} was not assessed; /api/v1/circles lists those that were")


def checked_limit(limit: int) -> int:
    """A page's length. Raises BadInput."""
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput(f"limit={limit}: give 1 to {PAGE_MAX}")
    return limit


def about_run(run: sa.RowMapping) -> dict[str, Any]:
    """What every answer made from a run says of it."""
    return {"profile": run["profile"], "generation": run["generation"]}


def unchanged(run: sa.RowMapping) -> Response | None:
    """304 where the caller holds what this run says already: a run never changes."""
    if request.if_none_match.contains_weak(_tag(run)):
        response = Response(status=304)
        response.set_etag(_tag(run), weak=True)
        return response
    return None


def tagged(run: sa.RowMapping, response: Response) -> Response:
    """An answer made of one run alone, which the caller may keep as long as the run is in force."""
    response.set_etag(_tag(run), weak=True)
    return response


def _tag(run: sa.RowMapping) -> str:
    return f"circles-{run['id']}-{run['made_at'].timestamp():.6f}"


def collection(features: list[dict[str, Any]], **more: Any) -> Response:
    """A GeoJSON FeatureCollection."""
    body = {"type": "FeatureCollection", "numberReturned": len(features), **more, "features": features}
    return json_response(body, mimetype=GEOJSON)


def feature(geometry: Any, properties: dict[str, Any], key: int | None = None) -> dict[str, Any]:
    """A GeoJSON Feature."""
    told: dict[str, Any] = {"type": "Feature"} | ({} if key is None else {"id": key})
    return told | {"geometry": geometry, "properties": properties}
