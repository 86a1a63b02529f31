"""/api/v1/facilities: schools, clinics, markets and the categories they fall into."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response

from api.json import json_response
from api.pages import no_parameters, page_query, respond_page
from api.state import state
from data import tables as t
from layers.catalog import FACILITIES

bp = APIBlueprint("facilities", __name__, url_prefix="/api/v1/facilities", tag="Facilities")


@bp.get("")
@bp.input(page_query(FACILITIES), location="query", unknown=None)
def list_facilities(query_data: dict[str, Any]) -> Response:
    """Facilities as GeoJSON."""
    return respond_page(FACILITIES, query_data)


@bp.get("/categories")
@no_parameters
def categories() -> Response:
    """Categories with their tier, minutes and metres, and how many facilities each has."""
    table, count = t.facility_categories, sa.func.count(t.facilities.c.id).label("count")
    query = (
        sa.select(table, count)
        .outerjoin(t.facilities, t.facilities.c.category == table.c.category)
        .group_by(table.c.category)
        .order_by(table.c.tier.desc(), table.c.category)
    )
    with state().engine.connect() as connection:
        rows = connection.execute(query).mappings()
        return json_response({"categories": [dict(row) for row in rows]})
