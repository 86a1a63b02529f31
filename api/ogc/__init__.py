"""/ogc: OGC API Features (Core, CRS, Filtering with CQL2, editing). See docs/features.md."""

from __future__ import annotations

from apiflask import APIBlueprint

from api.ogc import collections, editing, items, landing

bp = APIBlueprint("ogc", __name__, url_prefix="/ogc", enable_openapi=False, template_folder="templates")

bp.add_url_rule("", "start", landing.landing)
bp.add_url_rule("/", "landing", landing.landing)
bp.add_url_rule("/conformance", "conformance", landing.conformance)
bp.add_url_rule("/api", "description", landing.description)
bp.add_url_rule("/style.css", "style", landing.style)

COLLECTION = "/collections/<collection>"
ITEM = f"{COLLECTION}/items/<path:key>"
bp.add_url_rule("/collections", "collections", collections.list_collections)
bp.add_url_rule(COLLECTION, "collection", collections.one_collection)
bp.add_url_rule(f"{COLLECTION}/schema", "schema", collections.schema)
bp.add_url_rule(f"{COLLECTION}/queryables", "queryables", collections.ask_by)
bp.add_url_rule(f"{COLLECTION}/sortables", "sortables", collections.sort_by)
bp.add_url_rule(f"{COLLECTION}/items", "items", items.list_items, provide_automatic_options=False)
bp.add_url_rule(ITEM, "item", items.one_item, provide_automatic_options=False)

bp.add_url_rule(f"{COLLECTION}/items", "add_item", editing.add_item, methods=["POST"], provide_automatic_options=False)
bp.add_url_rule(ITEM, "replace_item", editing.replace_item, methods=["PUT"], provide_automatic_options=False)
bp.add_url_rule(ITEM, "update_item", editing.update_item, methods=["PATCH"], provide_automatic_options=False)
bp.add_url_rule(ITEM, "delete_item", editing.delete_item, methods=["DELETE"], provide_automatic_options=False)
bp.add_url_rule(f"{COLLECTION}/items", "items_options", editing.options_of_items, methods=["OPTIONS"])
bp.add_url_rule(ITEM, "item_options", editing.options_of_item, methods=["OPTIONS"])
