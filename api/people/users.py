"""/api/v1/users: who may sign in, and what they may do where."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Boolean, List, Nested, String
from flask import Response
from marshmallow.validate import Length

from api.access.principal import require
from api.pages import no_parameters
from api.people.shared import (
    GrantBody,
    check_givable,
    check_managed,
    check_seen,
    grants_in,
    inside,
    is_managed,
    is_seen,
    number_of,
    sent_something,
    told_time,
)
from api.sign_in.blueprint import Body, grants_told, private
from api.state import state
from data import people
from data.accounts import PASSWORD_CHARS
from gisgrid.access import Principal
from gisgrid.limits import GRANTS_MAX, LABEL_CHARS_MAX

HERE: Final = "/api/v1/users"
bp = APIBlueprint("users", __name__, tag="People and tokens")
Fields = dict[str, Any]

_NAME: Fields = {
    "validate": Length(max=LABEL_CHARS_MAX),
    "metadata": {"description": "what people know them by"},
}
_PASSWORD: Fields = {
    "validate": Length(*PASSWORD_CHARS),
    "metadata": {"description": "10 to 200 characters"},
}
_GRANTS: Fields = {
    "validate": Length(max=GRANTS_MAX),
    "metadata": {"description": "what they may do, and where"},
}


class UserBody(Body):
    """A new person."""

    login = String(required=True, validate=Length(1, 64), metadata={"description": "what is typed to sign in"})
    name = String(load_default="", **_NAME)
    password = String(load_default=None, allow_none=True, **_PASSWORD)
    grants = List(Nested(GrantBody), load_default=[], **_GRANTS)


class UserChange(Body):
    """What is to change of a person."""

    name = String(**_NAME)
    password = String(**_PASSWORD)
    disabled = Boolean(truthy={True}, falsy={False}, metadata={"description": "may not sign in any more"})
    grants = List(Nested(GrantBody), **_GRANTS)


@bp.get(HERE)
@no_parameters
def list_users() -> Response:
    """People and their roles: all of them, or those with roles in the caller's areas or with none yet."""
    who = require("admin")
    with state().engine.connect() as connection:
        rows = people.listing(connection)
    return private({"users": [_told(who, row) for row in rows if is_seen(who, row["grants"])]})


@bp.post(HERE)
@no_parameters
@bp.input(UserBody, location="json")
def add_user(json_data: dict[str, Any]) -> Response:
    """Let somebody in. Without a password they cannot sign in until they are given one."""
    who, grants = require("admin"), grants_in(json_data["grants"])
    check_givable(who, grants)
    with state().engine.begin() as connection:
        made = people.add(
            connection, json_data["login"], name=json_data["name"], password=json_data["password"], grants=grants
        )
        answer = _told(who, people.person(connection, made))
    response = private(answer, status=201)
    response.headers["Location"] = f"{HERE}/{made}"
    return response


@bp.patch(f"{HERE}/<user>")
@no_parameters
@bp.input(UserChange, location="json")
def change_user(user: str, json_data: dict[str, Any]) -> Response:
    """Change a person's name, password, roles, or whether they may sign in.

    ``grants`` replaces their roles in the caller's areas; those elsewhere stay. A new password, and being disabled,
    ends their sessions.
    """
    who = require("admin")
    sent_something(json_data)
    changes = dict(json_data)
    with state().engine.begin() as connection:
        people.one_at_a_time(connection)
        row = _seen(connection, who, user)
        if set(changes) - {"grants"}:
            check_managed(who, row, "user")
        if "grants" in changes:
            wanted = grants_in(changes["grants"])
            check_givable(who, wanted)
            changes["grants"] = (*wanted, *(one for one in row["grants"] if one not in inside(who, row["grants"])))
        people.change(connection, row["id"], **changes)
        answer = _told(who, people.person(connection, row["id"]))
    return private(answer)


@bp.delete(f"{HERE}/<user>")
@no_parameters
def remove_user(user: str) -> Response:
    """Forget a person; they are signed out at once. What they did stays under their name."""
    who = require("admin")
    with state().engine.begin() as connection:
        people.one_at_a_time(connection)
        row = _seen(connection, who, user)
        check_managed(who, row, "user")
        people.remove(connection, row["id"])
    return Response(status=204)


def _seen(connection: sa.Connection, who: Principal, user: str) -> dict[str, Any]:
    """A person the caller may know of. Raises NotFound."""
    row = people.person(connection, number_of(user, "user"))
    check_seen(who, row, "user")
    return row


def _told(who: Principal, row: dict[str, Any]) -> dict[str, Any]:
    """``managed``: whether the caller may change everything of them."""
    return row | {
        "created_at": told_time(row["created_at"]), "grants": grants_told(inside(who, row["grants"])),
        "managed": is_managed(who, row["grants"]),
    }  # fmt: skip
