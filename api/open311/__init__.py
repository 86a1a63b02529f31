"""/open311: GeoReport v2 with FixMyStreet's updates, in JSON and XML. See docs/open311.md."""

from __future__ import annotations

from flask import Blueprint

from api.open311 import discovery, requests, services, updates
from api.open311.answers import ALL_METHODS, handle_errors, nothing_here, serve, take_ending

V2 = "/open311/v2"
bp = Blueprint("open311", __name__)
bp.url_value_preprocessor(take_ending)
handle_errors(bp)

serve(bp, "/open311/discovery", discovery.discovery)
serve(bp, f"{V2}/discovery", discovery.discovery)
serve(bp, f"{V2}/services", services.list_services)
serve(bp, f"{V2}/services/<service_code>", services.one_service)
serve(bp, f"{V2}/requests", requests.list_requests)
serve(bp, f"{V2}/requests", requests.send_request, "POST")
for noun in ("requests", "request"):
    serve(bp, f"{V2}/{noun}/<service_request_id>", requests.one_request)
serve(bp, f"{V2}/tokens/<token>", requests.one_token)
serve(bp, f"{V2}/servicerequestupdates", updates.list_updates)
serve(bp, f"{V2}/servicerequestupdates", updates.send_update, "POST")
bp.add_url_rule("/open311", "nothing", nothing_here, methods=ALL_METHODS)
bp.add_url_rule("/open311/<path:rest>", "nothing", nothing_here, methods=ALL_METHODS)
