"""/api/v1/streets, water, walls, buildings, addresses: what lies under the grids."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.pages import page_query, respond_page
from layers.catalog import ADDRESSES, BUILDINGS, STREETS, WALLS, WATER, Layer

bp = APIBlueprint("basemap", __name__, url_prefix="/api/v1", tag="Base map")


def _serve(layer: Layer) -> None:
    @bp.get(f"/{layer.name}", endpoint=layer.name)
    @bp.input(page_query(layer), location="query", unknown=None)
    @bp.doc(summary=f"{layer.title_en} as GeoJSON pages")
    def list_features(query_data: dict[str, Any]) -> Response:
        return respond_page(layer, query_data)


for _layer in (STREETS, WATER, WALLS, BUILDINGS, ADDRESSES):
    _serve(_layer)
