"""Service discovery: where the interface is, in which formats, and whether a key is needed."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from api.open311.answers import answer
from api.open311.params import query
from api.state import state

CHANGESET: Final = "2026-11-22T00:00:00Z"
"""When the list of services or their definitions last changed; to be moved on with them."""
SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
OPEN_TO_ALL: Final = "发送不需要密钥 Sending needs no api_key"
KEY_NEEDED: Final = "发送需要密钥，请向本服务的管理者申请 Sending needs an api_key; ask the operator of this service"


def discovery() -> Response:
    """The discovery document."""
    query(())
    endpoint = {
        "specification": SPECIFICATION,
        "url": f"{request.url_root.rstrip('/')}/open311/v2",
        "changeset": CHANGESET,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    key = KEY_NEEDED if state().settings.open311_keys else OPEN_TO_ALL
    contact = "本服务的管理者 The operator of this service"
    found = {"changeset": CHANGESET, "contact": contact, "key_service": key, "endpoints": [endpoint]}
    return answer("discovery", found)
