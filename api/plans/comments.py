"""What planners say of a plan."""

from __future__ import annotations

from typing import Any

from apiflask.fields import Boolean, Float, List, String
from flask import Response

from api.access.principal import caller
from api.json import json_response
from api.pages import no_parameters
from api.plans.blueprint import HERE, Body, bp, number_of, own_plan, utc
from api.state import state
from data import comments
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
    response = json_response(_told(made), status=201)
    response.headers["Location"] = f"{HERE}/{row.id}/comments/{made['id']}"
    return response


@bp.patch(f"{HERE}/<plan>/comments/<comment>")
@no_parameters
@bp.input(CommentChange, location="json")
def change_comment(plan: str, comment: str, json_data: dict[str, Any]) -> Response:
    """Settle a comment, open it again, or correct its text."""
    with state().engine.begin() as connection:
        row = own_plan(connection, plan)
        found = comments.change(connection, row.id, number_of(comment, "comment"), **json_data)
    return json_response(_told(found))


@bp.delete(f"{HERE}/<plan>/comments/<comment>")
@no_parameters
def delete_comment(plan: str, comment: str) -> Response:
    """Delete a comment."""
    with state().engine.begin() as connection:
        comments.remove(connection, own_plan(connection, plan).id, number_of(comment, "comment"))
    return Response(status=204)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"at": utc(row["at"])}
