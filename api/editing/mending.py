"""/api/v1/plans/{id}/problems and /fix: what is wrong with a plan, and how to mend it."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Raw, String
from flask import Response
from marshmallow import RAISE
from marshmallow.validate import OneOf

from api.access.principal import require
from api.editing.assignment import plan_tag
from api.editing.blueprint import PLAN, bp, visible_plan
from api.editing.ground import ground_tag
from api.editing.held import held_grounds
from api.etag import CURRENT, NOT_KEPT, PRIVATE, tag_of, tagged, unchanged
from api.json import json_response
from api.pages import no_parameters
from api.state import state
from planning.fixes import KINDS
from planning.workflow_edits import check_draft, stored_assignment
from planning.workflow_fixes import Wish, proposed_fix, stored_problems
from planning.workflow_ground import unit_set_of


class FixBody(Schema):
    """A problem to be mended."""

    class Meta:
        unknown = RAISE

    kind = String(required=True, validate=OneOf(KINDS), metadata={"description": ", ".join(KINDS)})
    level = Integer(load_default=1, strict=True, metadata={"description": "level of the grids, 1 is the first"})
    grids = List(String(), load_default=list, metadata={"description": "codes of the grids it is about"})
    units = List(Integer(strict=True), load_default=list, metadata={"description": "units, by place in the topology"})
    operations = List(Raw(), load_default=list, metadata={"description": "unsaved edits, to be taken as made"})
    base = Integer(strict=True, load_default=None, metadata={"description": "version the unsaved edits are on top of"})


@bp.get(f"{PLAN}/problems")
@no_parameters
def problems(plan: str) -> Response:
    """What is wrong with a plan: grids out of band, broken or inside another, compounds split, barriers crossed, units
    without a grid; each with the units to look at, how much, bounds in degrees and a sentence."""
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        row = visible_plan(connection, plan)
        assert row.unit_set is not None
        unit_set = unit_set_of(connection, row.unit_set)
        tag = tag_of("problems", plan_tag(row), ground_tag(unit_set))
        cache = PRIVATE if row.status == "draft" else CURRENT
        if (known := unchanged(tag, cache)) is not None:
            return known
        held = held_grounds().get(connection, unit_set)
        found = stored_assignment(connection, row, held.keys)
    body = {"version": row.version, "problems": stored_problems(found, held.ground)}
    return tagged(json_response(body), tag, cache)


@bp.post(f"{PLAN}/fix")
@bp.input(FixBody, location="json")
@no_parameters
def fix(plan: str, json_data: dict[str, Any]) -> Response:
    """Operations that mend a problem of a draft, with figures before and after; nothing is stored.

    409 ``nothing_better`` says why there is no better division, 409 ``locked`` which grid would have to change.
    """
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        row = visible_plan(connection, plan)
        require("plan", row.area)
        check_draft(row)
        assert row.unit_set is not None
        held = held_grounds().get(connection, unit_set_of(connection, row.unit_set))
        found = stored_assignment(connection, row, held.keys)
        made = proposed_fix(connection, found, held.ground, held.keys, Wish(**json_data))
    response = json_response(made)
    response.headers["Cache-Control"] = NOT_KEPT
    return response
