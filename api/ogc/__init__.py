"""/ogc: OGC API Features (Core, CRS, Filtering with CQL2, editing). See docs/features.md."""

from __future__ import annotations

from apiflask import APIBlueprint

from api.ogc import landing

bp = APIBlueprint("ogc", __name__, url_prefix="/ogc", enable_openapi=False)

bp.add_url_rule("/", "landing", landing.landing)
bp.add_url_rule("/conformance", "conformance", landing.conformance)
