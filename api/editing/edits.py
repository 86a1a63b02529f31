"""/api/v1/plans/{id}/edits and /numbering: changing a draft, and what others have changed."""

from __future__ import annotations

from typing import Any, Final

from apiflask import Schema
from apiflask.fields import Dict, Integer, List, Raw, String
from flask import Response
from marshmallow import RAISE
from marshmallow.validate import Length
from werkzeug.exceptions import PreconditionRequired

from api.access.principal import caller, require
from api.editing.blueprint import PLAN, bp, visible_plan
from api.editing.held import held_grounds
from api.etag import NOT_KEPT
from api.json import json_response
from api.pages import Strict, no_parameters
from api.state import state
from gisgrid.errors import BadInput
from gisgrid.limits import DESCRIPTION_CHARS_MAX, EDITS_PAGE_MAX, PAGE_DEFAULT
from planning.edits import proposed
from planning.workflow_edits import code_rules, edits_after, rules_for, store_edit, stored_assignment
from planning.workflow_ground import unit_set_of

KEY_LENGTH: Final = 100


class EditBody(Schema):
    """An edit."""

    class Meta:
        unknown = RAISE

    base = Integer(strict=True, metadata={"description": "version of the plan the editor saw"})
    versions = Dict(
        String(), Integer(strict=True), load_default=None, allow_none=True,
        metadata={"description": "versions of the grids the editor saw, by code: 412 when one that it touches changed"},
    )  # fmt: skip
    operations = List(Raw(), required=True, metadata={"description": "what is to be done, see docs/editing-api.md"})
    note = String(
        load_default="", validate=Length(max=DESCRIPTION_CHARS_MAX), metadata={"description": "why, for the others"}
    )
    key = String(
        validate=Length(min=1, max=KEY_LENGTH),
        metadata={"description": "a word of the client's own for this edit: sent twice, it is stored once"},
    )


class EditsQuery(Strict):
    """Parameters of the list of edits."""

    after = Integer(load_default=0, metadata={"description": "version the client knows; edits since are told"})
    limit = Integer(load_default=PAGE_DEFAULT, metadata={"description": f"edits an answer, 1 to {EDITS_PAGE_MAX}"})


@bp.post(f"{PLAN}/edits")
@bp.input(EditBody, location="json")
@no_parameters
def edit(plan: str, json_data: dict[str, Any]) -> Response:
    """Change whose units are, begin, end, rename, lock or renumber grids of a draft: all of it or nothing.

    Edits of others since ``base`` are merged where they are about other units; where not, 409 ``conflicts`` names every
    unit and grid that is not as it was seen. With ``versions`` nothing is merged: 428 when a grid the edit touches, on
    either side of a border it moves, is not named, 412 when one has another version. Both and 409 tell how those grids
    are now in ``details.current``. Locked grids answer 409 ``locked``, published plans 409 ``published``.
    """
    if "base" not in json_data and json_data["versions"] is None:
        raise PreconditionRequired(
            "send base, the version of the plan you saw, or versions of the grids, so that no change of others is lost"
        )
    with state().engine.connect() as connection:
        row = visible_plan(connection, plan)
        require("plan", row.area)
        assert row.unit_set is not None
        held = held_grounds().get(connection, unit_set_of(connection, row.unit_set))
    made = store_edit(
        state().engine, row.id, held.ground, held.keys, base=json_data.get("base"), operations=json_data["operations"],
        author=caller().name, note=json_data["note"], key=json_data.get("key"),
        versions=json_data["versions"],
    )  # fmt: skip
    body = {
        "version": made.version, "codes": made.codes, "grids": made.grids, "removed": made.removed,
        "merged": made.merged, "operations": made.operations, "repeated": made.repeated,
    }  # fmt: skip
    return _fresh(json_response(body))


@bp.get(f"{PLAN}/edits")
@bp.input(EditsQuery, location="query", unknown=None)
def edits(plan: str, query_data: dict[str, Any]) -> Response:
    """Edits of a plan after a version, oldest first, each with what it did; ask every few seconds to see others'."""
    limit = query_data["limit"]
    if not 1 <= limit <= EDITS_PAGE_MAX:
        raise BadInput(f"limit={limit}: give 1 to {EDITS_PAGE_MAX}")
    with state().engine.connect() as connection:
        row = visible_plan(connection, plan)
        found = edits_after(connection, row.id, query_data["after"], limit)
    told = [
        {
            "version": one.version, "at": one.at, "author": one.author, "note": one.note,
            "operations": [{key: value for key, value in each.items() if key != "as"} for each in one.operations],
        }
        for one in found
    ]  # fmt: skip
    return _fresh(json_response({"version": row.version, "status": row.status, "edits": told}))


@bp.get(f"{PLAN}/numbering")
@no_parameters
def numbering(plan: str) -> Response:
    """Codes from west to east and north to south for the grids that are neither locked nor go on under a published
    code: those that would get another, as operations to send back."""
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        row = visible_plan(connection, plan)
        assert row.unit_set is not None
        held = held_grounds().get(connection, unit_set_of(connection, row.unit_set))
        found = stored_assignment(connection, row, held.keys)
        rules = code_rules(connection, found, rules_for(held.ground), anew=True)
    going_on = {(1, slot) for slot, grid in enumerate(found.grids[0]) if grid["continues"]}
    operations = [
        {"op": "renumber", "level": 1, "grid": code, "to": to}
        for _, code, to in proposed(found.sheet(), rules, going_on)
    ]
    return _fresh(json_response({"version": row.version, "operations": operations}))


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = NOT_KEPT
    return response
