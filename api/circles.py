"""/api/v1/circles: who reaches what on foot, as computed for the generation in force."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import String
from flask import Response

from api.grids import share
from api.json import json_response
from api.pages import GEOJSON, Strict, no_parameters
from api.state import state
from data import tables as t
from data.plans import generation_of
from gisgrid.errors import NotFound

bp = APIBlueprint("circles", __name__, url_prefix="/api/v1/circles", tag="Service circles")


class CategoryQuery(Strict):
    """One facility category."""

    category = String(required=True, metadata={"description": "category of facilities, as /api/v1/circles lists them"})


def current_run(connection: sa.Connection) -> sa.RowMapping | None:
    """The newest circle run of the comprehensive grids in force."""
    since = generation_of(connection)
    if since is None:
        return None
    runs = t.circle_runs
    query = sa.select(runs).where(runs.c.generation >= since.id).order_by(runs.c.id.desc()).limit(1)
    return connection.execute(query).mappings().first()


def _about(run: sa.RowMapping, category: str) -> dict[str, Any]:
    """What a run found of one category. Raises NotFound when it was not assessed."""
    for about in run["categories"]:
        if about["category"] == category:
            return dict(about)
    raise NotFound(f"category {category!r} was not assessed; /api/v1/circles lists those that were")


def _run(connection: sa.Connection) -> sa.RowMapping:
    run = current_run(connection)
    if run is None:
        raise NotFound("no service circles are computed for the plan in force; run 'gisgrid circles'")
    return run


@bp.get("")
@no_parameters
def summary() -> Response:
    """Coverage of the whole district by category: buildings and residents within the category's own minutes."""
    with state().engine.connect() as connection:
        run = _run(connection)
        names = ("profile", "minutes", "made_at", "generation", "categories", "report")
        return json_response({name: run[name] for name in names})


@bp.get("/coverage")
@bp.input(CategoryQuery, location="query", unknown=None)
def coverage(query_data: dict[str, Any]) -> Response:
    """Coverage of one category grid by grid."""
    covered, name = t.circle_coverage, query_data["category"]
    with state().engine.connect() as connection:
        run = _run(connection)
        about = _about(run, name)
        query = (
            sa.select(covered)
            .where(covered.c.run == run["id"], covered.c.category == name, covered.c.place == "grid")
            .order_by(covered.c.code)
        )
        rows = connection.execute(query).mappings().all()
    grids = [
        {
            **{key: row[key] for key in row if key not in ("run", "category", "place")},
            "buildings_share": share(row["buildings_covered"], row["buildings_assessed"]),
            "residents_share": share(row["residents_covered"], row["residents_assessed"]),
        }
        for row in rows
    ]
    return json_response({"category": name, "minutes": about["minutes"], "grids": grids})


@bp.get("/polygons")
@bp.input(CategoryQuery, location="query", unknown=None)
def polygons(query_data: dict[str, Any]) -> Response:
    """Areas from which a facility of the category is reached within 5, 10 and 15 minutes, widest first."""
    shapes, name = t.circle_polygons, query_data["category"]
    with state().engine.connect() as connection:
        run = _run(connection)
        _about(run, name)
        query = (
            sa.select(shapes.c.minutes, sa.func.ST_AsGeoJSON(shapes.c.geometry, 6, 0))
            .where(shapes.c.run == run["id"], shapes.c.category == name)
            .order_by(shapes.c.minutes.desc())
        )
        rows = connection.execute(query).all()
    features = [
        {
            "type": "Feature",
            "geometry": orjson.Fragment(text),
            "properties": {"category": name, "minutes": minutes},
        }
        for minutes, text in rows
    ]
    body = {"type": "FeatureCollection", "numberReturned": len(features), "features": features}
    return json_response(body, mimetype=GEOJSON)
