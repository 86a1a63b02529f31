"""/api/v1/tokens: how systems come in."""

from __future__ import annotations

from typing import Any, Final

from apiflask import APIBlueprint
from apiflask.fields import Boolean, Integer, List, Nested, String
from flask import Response
from marshmallow.validate import Length, Range

from api.access.principal import require
from api.pages import no_parameters
from api.people.shared import (
    GrantBody,
    check_givable,
    check_managed,
    grants_in,
    inside,
    is_managed,
    is_seen,
    number_of,
    told_time,
)
from api.sign_in.blueprint import Body, grants_told, private
from api.state import state
from data import system_tokens
from data.accounts import revoke_token
from gisgrid.access import Principal
from gisgrid.errors import BadInput
from gisgrid.limits import GRANTS_MAX, LABEL_CHARS_MAX, TOKEN_DAYS, TOKEN_DAYS_MAX

HERE: Final = "/api/v1/tokens"
bp = APIBlueprint("tokens", __name__, tag="People and tokens")


class TokenBody(Body):
    """A new token."""

    name = String(
        required=True, validate=Length(1, LABEL_CHARS_MAX), metadata={"description": "the system that will have it"}
    )
    grants = List(
        Nested(GrantBody), required=True, validate=Length(1, GRANTS_MAX),
        metadata={"description": "what it may do, and where"},
    )  # fmt: skip
    days = Integer(
        strict=True,
        validate=Range(1, TOKEN_DAYS_MAX),
        metadata={"description": f"how long it lasts; else {TOKEN_DAYS}"},
    )
    never = Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "it never expires; instead of days"}
    )


@bp.get(HERE)
@no_parameters
def list_tokens() -> Response:
    """Tokens, newest first, without their secrets: all of them, or those with roles in the caller's areas."""
    who = require("admin")
    with state().engine.connect() as connection:
        rows = system_tokens.listing(connection)
    return private({"tokens": [_told(who, row) for row in rows if is_seen(who, row["grants"])]})


@bp.post(HERE)
@no_parameters
@bp.input(TokenBody, location="json")
def add_token(json_data: dict[str, Any]) -> Response:
    """Make a token. Its secret is in this answer and never again."""
    who, grants = require("admin"), grants_in(json_data["grants"])
    check_givable(who, grants)
    if json_data["never"] and "days" in json_data:
        raise BadInput("days and never exclude each other; give one of them")
    days = None if json_data["never"] else json_data.get("days", TOKEN_DAYS)
    with state().engine.begin() as connection:
        made = system_tokens.add(connection, json_data["name"], grants=grants, days=days, author=who.key)
        answer = _told(who, system_tokens.token(connection, made.id)) | {"secret": made.secret}
    response = private(answer, status=201)
    response.headers["Location"] = f"{HERE}/{made.id}"
    return response


@bp.delete(f"{HERE}/<token>")
@no_parameters
def revoke(token: str) -> Response:
    """End a token for good; it stays in the list as revoked."""
    who = require("admin")
    with state().engine.begin() as connection:
        row = system_tokens.token(connection, number_of(token, "token"))
        check_managed(who, row, "token")
        revoke_token(connection, row["id"])
    return Response(status=204)


def _told(who: Principal, row: dict[str, Any]) -> dict[str, Any]:
    """``managed``: whether the caller may revoke it."""
    times = {name: told_time(row[name]) for name in ("created_at", "expires_at", "revoked_at", "used_at")}
    return row | times | {
        "grants": grants_told(inside(who, row["grants"])), "managed": is_managed(who, row["grants"])
    }  # fmt: skip
