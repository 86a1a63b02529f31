"""Answers about people and tokens, as /openapi.json describes them."""

from __future__ import annotations

from typing import Any, Final

from api.schemas import FLAG, INTEGER, TEXT, TIME, list_of, nullable, object_of
from api.sign_in.describe import GRANTS

_USER: Final = {
    "id": INTEGER, "login": TEXT, "name": TEXT, "disabled": FLAG, "password": FLAG, "provider": FLAG,
    "created_at": TIME, "grants": GRANTS, "managed": FLAG,
}  # fmt: skip
_TOKEN: Final = {
    "id": INTEGER, "name": TEXT, "hint": TEXT, "author": TEXT,
    "state": {"type": "string", "enum": ["active", "expired", "revoked"]}, "created_at": TIME,
    **dict.fromkeys(("expires_at", "revoked_at", "used_at"), nullable(TIME)), "grants": GRANTS, "managed": FLAG,
}  # fmt: skip
ANSWERS: Final = {
    "/api/v1/users": object_of({"users": list_of(object_of(_USER))}),
    "/api/v1/tokens": object_of({"tokens": list_of(object_of(_TOKEN))}),
}
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/users": {"201": object_of(_USER)},
    "PATCH /api/v1/users/{user}": {"200": object_of(_USER)},
    "DELETE /api/v1/users/{user}": {"204": {}},
    "POST /api/v1/tokens": {"201": object_of(_TOKEN | {"secret": TEXT})},
    "DELETE /api/v1/tokens/{token}": {"204": {}},
}
