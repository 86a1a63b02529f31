"""The first pages of /ogc: what there is, what it keeps to."""

from __future__ import annotations

from flask import Response, request

from api.json import json_response
from api.ogc.conformance import CLASSES


def landing() -> Response:
    """Links to everything below /ogc."""
    base = request.url_root.rstrip("/") + "/ogc"
    return json_response({"links": [{"rel": "conformance", "href": f"{base}/conformance", "type": "application/json"}]})


def conformance() -> Response:
    """The conformance classes of all parts."""
    return json_response({"conformsTo": CLASSES})
