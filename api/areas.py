"""/api/v1/areas: districts, streets and communities."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.pages import no_parameters, page_query, respond_feature, respond_page
from layers.catalog import AREAS

bp = APIBlueprint("areas", __name__, url_prefix="/api/v1/areas", tag="Areas")


@bp.get("")
@bp.input(page_query(AREAS), location="query", unknown=None)
def list_areas(query_data: dict[str, Any]) -> Response:
    """Areas as GeoJSON, by level or parent."""
    return respond_page(AREAS, query_data)


@bp.get("/<code>")
@no_parameters
def one_area(code: str) -> Response:
    """One area."""
    return respond_feature(AREAS, code)
