"""What planners say of a plan."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask.fields import Boolean, Float, List, String
from flask import Response

from api.access.principal import caller
from api.etag import PRIVATE, check_match, tag_of
from api.json import json_response
from api.pages import no_parameters
from api.plans.blueprint import HERE, Body, bp, number_of, own_plan, seen_plan, utc
from api.state import state
from data import comments
from data.retrying import retried
from gisgrid.errors import BadInput

BODY = "what is said"


class CommentBody(Body):
    """A comment."""

    body = String(required=True, metadata={"description": BODY})
    grid = String(load_default=None, allow_none=True, metadata={"description": "code of the plan's grid it is about"})
    place = List(
        Float(), load_default=None, allow_none=True, metadata={"description": "the place it is about: [lon, lat]"}
    )


class CommentChange(Body):
    """A change of a comment."""

    body = String(load_default=None, allow_none=True, metadata={"description": BODY})
    resolved = Boolean(load_default=None, allow_none=True, metadata={"description": "whether it is settled"})


@bp.get(f"{HERE}/<plan>/comments")
@no_parameters
def list_comments(plan: str) -> Response:
    """Comments of a plan, oldest first."""
    with state().engine.connect() as connection:
        found = comments.of_plan(connection, own_plan(connection, plan).id)
    return json_response({"comments": [_told(row) for row in found]})


@bp.post(f"{HERE}/<plan>/comments")
@no_parameters
@bp.input(CommentBody, location="json")
@retried
def add_comment(plan: str, json_data: dict[str, Any]) -> Response:
    """Say something of a plan, of one of its grids, or of a place."""
    author = caller().name
    place = json_data["place"]
    if place is not None and len(place) != 2:
        raise BadInput(f"place has {len(place)} numbers; give [longitude, latitude]")
    with state().engine.begin() as connection:
        row = own_plan(connection, plan)
        made = comments.add(
            connection, row.id, json_data["body"], author=author, grid=json_data["grid"],
            place=None if place is None else (place[0], place[1]),
        )  # fmt: skip
    response = _answer(made, status=201)
    response.headers["Location"] = f"{HERE}/{row.id}/comments/{made['id']}"
    return response


@bp.get(f"{HERE}/<plan>/comments/<comment>")
@no_parameters
def one_comment(plan: str, comment: str) -> Response:
    """One comment; its ``ETag``, which the list tells as ``etag``, is what changing it needs."""
    with state().engine.connect() as connection:
        row = seen_plan(connection, plan)
        return _answer(comments.find(connection, row.id, number_of(comment, "comment")))


@bp.patch(f"{HERE}/<plan>/comments/<comment>")
@no_parameters
@bp.input(CommentChange, location="json")
@retried
def change_comment(plan: str, comment: str, json_data: dict[str, Any]) -> Response:
    """Settle a comment, open it again, or correct its text, as it was seen (``If-Match``: 428 without, 412 stale)."""
    with state().engine.begin() as connection:
        row = own_plan(connection, plan)
        number = _as_seen(connection, row.id, comment)
        found = comments.change(connection, row.id, number, **json_data)
    return _answer(found)


@bp.delete(f"{HERE}/<plan>/comments/<comment>")
@no_parameters
@retried
def delete_comment(plan: str, comment: str) -> Response:
    """Delete a comment as it was seen (``If-Match``: 428 without, 412 stale)."""
    with state().engine.begin() as connection:
        row = own_plan(connection, plan)
        comments.remove(connection, row.id, _as_seen(connection, row.id, comment))
    return Response(status=204)


def _as_seen(connection: sa.Connection, plan: int, comment: str) -> int:
    """The number of a comment, locked, when the caller has seen it as it is. Raises NotFound, 428, 412."""
    found = comments.find(connection, plan, number_of(comment, "comment"), lock=True)
    check_match(_tag(found), lambda: _told(found))
    return int(found["id"])


def _tag(row: dict[str, Any]) -> str:
    """A comment has no version of its own: its tag is of all it says."""
    return tag_of(*(row[name] for name in ("id", "body", "grid", "place", "resolved", "author")))


def _answer(row: dict[str, Any], *, status: int = 200) -> Response:
    response = json_response(_told(row), status=status)
    response.headers["ETag"] = _tag(row)
    response.headers["Cache-Control"] = PRIVATE
    return response


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"at": utc(row["at"]), "etag": _tag(row)}
