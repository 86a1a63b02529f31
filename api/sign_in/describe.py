"""Answers about signing in, as /openapi.json describes them."""

from __future__ import annotations

from typing import Any, Final

from api.schemas import FLAG, TEXT, list_of, nullable, object_of

GRANTS: Final = list_of(object_of({"role": TEXT, "area": TEXT}))
SESSION: Final[dict[str, Any]] = object_of(
    {
        "signed_in": FLAG,
        "kind": {"type": "string", "enum": ["nobody", "machine", "person", "token", "key"]},
        "key": TEXT, "name": TEXT, "grants": GRANTS, "csrf": TEXT, "password": FLAG, "provider": nullable(TEXT),
    }
)  # fmt: skip
ANSWERS: Final = {"/api/v1/session": SESSION}
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/session": {"201": SESSION},
    "DELETE /api/v1/session": {"204": {}},
    "PUT /api/v1/session/password": {"200": SESSION},
}
