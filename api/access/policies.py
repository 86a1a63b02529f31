"""What every endpoint asks of its caller. An endpoint that is not here keeps the service from starting.

A policy is checked before anything else of a request is looked at: whoever may not hears that, and nothing more. Where
it depends on the place, the view asks again (`api.access.principal.require`) with the area of what it has found.
"""

from __future__ import annotations

from typing import Final

OPEN: Final = "open"
"""Holds no data: credentials are not even looked at."""
ANYONE: Final = "anyone"
"""Tells callers about themselves only: credentials must be valid where there are any."""
REPORTS: Final = "reports"
"""Reads reports of the whole city: ``see`` everywhere."""
METRICS: Final = "metrics"
"""Figures of operation: this machine, or an administrator."""

Policy = str | tuple[str, ...]
"""One of the words above, a permission, or several of which one is enough."""


def _each(blueprint: str, policy: Policy, *names: str) -> dict[str, Policy]:
    return {f"{blueprint}.{name}": policy for name in names}


POLICIES: Final[dict[str, Policy]] = {
    # --- the browser's pages and files, and what tells whether the service lives ---
    **dict.fromkeys(("web_map", "web_file", "static", "icon", "openapi.spec"), OPEN),
    **{f"page_{name}": OPEN for name in ("plans", "workbench", "compare", "dispatch", "place", "people", "history")},
    **_each("overview", OPEN, "healthz", "readyz"),
    "metrics.metrics": METRICS,
    **_each(
        "sign_in", OPEN, "open_session", "read_session", "close", "change_password", "to_provider", "from_provider"
    ),
    **_each("users", "admin", "list_users", "add_user", "change_user", "remove_user"),
    **_each("tokens", "admin", "list_tokens", "add_token", "revoke"),
    "me.me": ANYONE,
    # --- what is in force ---
    **_each("overview", "see", "overview", "styles"),
    **_each("areas", "see", "list_areas", "one_area"),
    **_each("grids", "see", "list_grids", "one_grid"),
    **_each("components", "see", "classes", "clusters", "list_components", "one_component"),
    **_each("facilities", "see", "categories", "list_facilities"),
    **_each("basemap", "see", "addresses", "buildings", "streets", "walls", "water"),
    **_each("addresses", "see", "parse_text", "reverse", "search", "search_posted", "suggest"),
    **_each("places", "see", "one_place"),
    **_each("sheets", "see", "sheet_pdf", "sheet_png"),
    **_each("downloads", "see", "download", "list_layers", "one_layer", "qgis_project"),
    **_each("heat", "see", "frames", "grids", "overview", "patterns", "rises", "surface"),
    **_each("circles", "see", "blind_spots", "buildings", "coverage", "isochrones", "nearest", "polygons", "summary"),
    **_each("circles", "analyse", "compute", "response", "sites", "straight"),
    "locate.locate": "see",
    "locate_batch.locate_batch": "see",
    "mapit.answer": "see",
    "wms.answer": "see",
    # --- OGC API ---
    "ogc.style": OPEN,
    **_each("ogc", "see", "landing", "start", "description", "conformance", "collections", "collection"),
    **_each("ogc", "see", "item", "items", "item_options", "items_options", "queryables", "schema", "sortables"),
    **_each("ogc", "edit", "add_item", "replace_item", "update_item", "delete_item"),
    **_each("ogc_styles", "see", "layer_style", "layer_styles", "list_styles", "one_style"),
    **_each("tiles", "see", "dataset_tile", "dataset_tile_json", "dataset_tile_set", "dataset_tile_sets"),
    **_each("tiles", "see", "list_matrix_sets", "one_matrix_set", "one_tile", "one_tile_json", "one_tile_set"),
    "tiles.tile_sets": "see",
    # --- jobs ---
    **_each("jobs", "see", "listing", "detail", "events"),
    **_each("jobs", "analyse", "output", "cancel"),
    # --- plans ---
    **_each("plans", "see", "list_plans", "one_plan", "plan_grids", "compare_plan", "list_generations"),
    **_each("plans", "see", "preview_restore"),
    **_each("plans", "plan", "make_plan", "describe_plan", "delete_plan", "duplicate_plan", "preview"),
    **_each("plans", "plan", "list_comments", "one_comment", "add_comment", "change_comment", "delete_comment"),
    **_each("plans", "plan", "preview_publication"),
    **_each("plans", "publish", "publish_plan", "cancel_publication", "restore_generation"),
    **_each("editing", "see", "assignment", "counts", "edits", "numbering", "problems", "topology", "one_grid"),
    **_each("editing", "plan", "edit", "fix", "change_grid", "replace_grid"),
    **_each("history", "history", "list_history", "history_head", "history_entry"),
    # --- reports ---
    **_each("reports", "see", "list_reports", "one_report", "list_updates", "list_reassignments"),
    **_each("reports", "report", "create_report", "add_one_update"),
    **_each("reports", "dispatch", "reassign_report"),
    "report_queue.queue": "dispatch",
    **_each("open311", ("see", "report"), "discovery", "list_services", "one_service"),
    **_each("open311", "report", "send_request", "send_update"),
    **_each("open311", ("report", REPORTS), "one_token"),
    **_each("open311", REPORTS, "list_requests", "one_request", "list_updates"),
    "open311.nothing": ANYONE,
}
"""Endpoint to policy. Some are of parts that are not in every build: what is not registered is not asked for."""


def policy_of(endpoint: str) -> Policy | None:
    """The policy of an endpoint; of one with several addresses, each an endpoint of its own, that of all of them."""
    return POLICIES.get(endpoint.partition("/")[0])
