"""/api/v1/components: city components, single and clustered."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Float, String
from flask import Response

from api.json import json_response
from api.pages import GEOJSON, AtQuery, Strict, no_parameters, page_query, respond_feature, respond_page
from api.state import state
from data import tables as t
from gisgrid.errors import BadInput
from layers.catalog import COMPONENTS
from layers.features import parse_bbox

bp = APIBlueprint("components", __name__, url_prefix="/api/v1/components", tag="Components")


class ClusterQuery(Strict):
    """Parameters of clusters."""

    bbox = String(required=True, metadata={"description": "minx,miny,maxx,maxy in degrees"})
    cell = Float(required=True, metadata={"description": "side of a cluster cell in degrees"})
    major = String(metadata={"description": "major classes, split by commas"})


@bp.get("")
@bp.input(page_query(COMPONENTS), location="query", unknown=None)
def list_components(query_data: dict[str, Any]) -> Response:
    """Components as GeoJSON, now or as they were."""
    return respond_page(COMPONENTS, query_data)


@bp.get("/clusters")
@bp.input(ClusterQuery, location="query", unknown=None)
def clusters(query_data: dict[str, Any]) -> Response:
    """Components counted per square cell: a point in their middle, their number and commonest major class."""
    box, cell = parse_bbox(query_data["bbox"]), query_data["cell"]
    if not 1e-5 <= cell <= 10 or (box[2] - box[0]) / cell > 500 or (box[3] - box[1]) / cell > 500:
        raise BadInput(f"cell={cell}: give 0.00001 to 10 degrees, and at most 500 cells along each side of bbox")
    c = t.components.c
    where: list[sa.ColumnElement[bool]] = [sa.func.ST_Intersects(c.geometry, sa.func.ST_MakeEnvelope(*box, t.SRID))]
    if "major" in query_data:
        where.append(c.major.in_(query_data["major"].split(",")))
    point = sa.func.ST_PointOnSurface(c.geometry)
    x, y = sa.func.ST_X(point), sa.func.ST_Y(point)
    query = (
        sa.select(
            sa.func.avg(x), sa.func.avg(y), sa.func.count(),
            sa.func.mode().within_group(c.major), sa.func.min(c.component_code),
        )
        .where(*where)
        .group_by(sa.func.floor(x / cell), sa.func.floor(y / cell))
    )  # fmt: skip
    with state().engine.connect() as connection:
        rows = connection.execute(query).all()
        names = dict(connection.execute(sa.select(t.component_classes.c.major, t.component_classes.c.major_name)).all())
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(x, 7), round(y, 7)]},
            "properties": {
                "count": count, "major": major, "major_name": names.get(major, ""),
                "component_code": code if count == 1 else None,
            },
        }
        for x, y, count, major, code in rows
    ]  # fmt: skip
    body = {"type": "FeatureCollection", "numberReturned": len(features), "features": features}
    return json_response(body, mimetype=GEOJSON)


@bp.get("/classes")
@no_parameters
def classes() -> Response:
    """The class catalogue: standard, kind, major and minor class."""
    table = t.component_classes
    with state().engine.connect() as connection:
        rows = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
        return json_response({"classes": [dict(row) for row in rows]})


@bp.get("/<component_code>")
@bp.input(AtQuery, location="query", unknown=None)
def one_component(component_code: str, query_data: dict[str, Any]) -> Response:
    """One component by its code, now or as it was."""
    return respond_feature(COMPONENTS, component_code, at=query_data.get("at"))
