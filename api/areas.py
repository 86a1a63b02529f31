"""/api/v1/areas: districts, streets and communities."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.pages import AtQuery, page_query, respond_feature, respond_page
from layers.catalog import AREAS

bp = APIBlueprint("areas", __name__, url_prefix="/api/v1/areas", tag="Areas")


@bp.get("")
@bp.input(page_query(AREAS), location="query", unknown=None)
def list_areas(query_data: dict[str, Any]) -> Response:
    """Areas as GeoJSON, by level or parent, now or as they were."""
    return respond_page(AREAS, query_data)


@bp.get("/<code>")
@bp.input(AtQuery, location="query", unknown=None)
def one_area(code: str, query_data: dict[str, Any]) -> Response:
    """One area, now or as it was."""
    return respond_feature(AREAS, code, at=query_data.get("at"))
