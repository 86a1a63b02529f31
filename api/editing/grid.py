"""/api/v1/plans/{id}/grids/{code}: one grid of a plan, changed as it was seen."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from apiflask import Schema
from apiflask.fields import Boolean, Integer, String
from flask import Response
from marshmallow import RAISE
from marshmallow.validate import Length, OneOf, Range
from werkzeug.http import quote_etag

from api.access.principal import may, require
from api.editing.blueprint import PLAN, bp, number_of, visible_plan
from api.editing.held import held_grounds
from api.etag import PRIVATE, check_match
from api.json import json_response
from api.pages import Strict
from api.state import state
from data import drafts
from data import tables as t
from data.plans import plan_row
from data.retrying import retried
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import LABEL_CHARS_MAX, PLAN_LEVELS_MAX
from planning.edits.operations import KINDS
from planning.workflow_edits import check_draft, store_within
from planning.workflow_ground import unit_set_of
from planning.workflow_writing import told_grids

GRID: Final = f"{PLAN}/grids/<code>"
FACTS: Final = ("name", "kind", "locked")
_NAME: Final = {"description": "what people call it"}
_KIND: Final = {"description": ", ".join(KINDS)}
_LOCKED: Final = {"description": "whether neither edits nor the engine may change it"}


class LevelQuery(Strict):
    """Which of the grids of a code."""

    level = Integer(
        validate=Range(min=1, max=PLAN_LEVELS_MAX),
        metadata={"description": "its level; the coarsest that has the code"},
    )


class GridChange(Schema):
    """What is to be changed of a grid."""

    class Meta:
        unknown = RAISE

    name = String(validate=Length(max=LABEL_CHARS_MAX), metadata=_NAME)
    kind = String(validate=OneOf(KINDS), metadata=_KIND)
    locked = Boolean(truthy={True}, falsy={False}, metadata=_LOCKED)


class GridFacts(Schema):
    """All that may be changed of a grid."""

    class Meta:
        unknown = RAISE

    name = String(required=True, validate=Length(max=LABEL_CHARS_MAX), metadata=_NAME)
    kind = String(required=True, validate=OneOf(KINDS), metadata=_KIND)
    locked = Boolean(required=True, truthy={True}, falsy={False}, metadata=_LOCKED)


@bp.get(GRID)
@bp.input(LevelQuery, location="query", unknown=None)
def one_grid(plan: str, code: str, query_data: dict[str, Any]) -> Response:
    """One grid of a plan; its tag is its version, which its own changes and those of its borders count up."""
    with state().engine.connect() as connection:
        row = plan_row(connection, number_of("plan", plan))
        if row.status != "published" and not may("plan", row.area):
            raise NotFound(f"plan {row.id} does not exist")
        return _answer(row.id, _grid(connection, row.id, code, query_data.get("level")))


@bp.patch(GRID)
@bp.input(LevelQuery, location="query", unknown=None)
@bp.input(GridChange, location="json")
def change_grid(plan: str, code: str, query_data: dict[str, Any], json_data: dict[str, Any]) -> Response:
    """Change name, kind or lock of a grid of a draft, as it was seen: 428 without ``If-Match``, 412 when it changed.

    Of several who saw the same version one is stored. It is an edit like others: all see it, and it can be undone.
    """
    if not json_data:
        raise BadInput(f"the body changes nothing; give {', '.join(FACTS)}")
    return _store(plan, code, query_data.get("level"), json_data)


@bp.put(GRID)
@bp.input(LevelQuery, location="query", unknown=None)
@bp.input(GridFacts, location="json")
def replace_grid(plan: str, code: str, query_data: dict[str, Any], json_data: dict[str, Any]) -> Response:
    """Set name, kind and lock of a grid of a draft, all three; else as PATCH."""
    return _store(plan, code, query_data.get("level"), json_data)


@retried
def _store(plan: str, code: str, level: int | None, wanted: dict[str, Any]) -> Response:
    with state().engine.connect() as connection:
        row = visible_plan(connection, plan)
        author = require("plan", row.area).name
        assert row.unit_set is not None
        held = held_grounds().get(connection, unit_set_of(connection, row.unit_set))
    with state().engine.begin() as connection:
        row = drafts.locked_plan(connection, row.id)  # whoever comes second finds the version of the first
        check_draft(row)
        grid = _grid(connection, row.id, code, level)
        check_match(_tag(grid), lambda: _told(row.id, grid))
        changes = {name: {"from": grid[name], "to": wanted[name]} for name in wanted if wanted[name] != grid[name]}
        if changes:
            operation = {"op": "set", "level": grid["level"], "grid": grid["code"], **changes}
            store_within(
                connection, row, held.ground, held.keys, base=row.version, operations=[operation], author=author
            )  # fmt: skip
            grid = _grid(connection, row.id, code, grid["level"])
    return _answer(row.id, grid)


def _grid(connection: sa.Connection, plan: int, code: str, level: int | None) -> dict[str, Any]:
    """What is told of a grid. Raises NotFound."""
    wanted = [t.grids.c.plan == plan, t.grids.c.code == code.replace("\x00", "")]
    if level is not None:
        wanted.append(t.grids.c.level == level)
    found = told_grids(connection, sa.and_(*wanted))
    if not found:
        raise NotFound(f"plan {plan} has no grid {code[:40]!r}; its grids are at /api/v1/plans/{plan}/grids")
    return found[0]


def _tag(grid: dict[str, Any]) -> str:
    return quote_etag(str(grid["version"]))


def _told(plan: int, grid: dict[str, Any]) -> dict[str, Any]:
    return {"plan": plan, **grid}


def _answer(plan: int, grid: dict[str, Any]) -> Response:
    response = json_response(_told(plan, grid))
    response.headers["ETag"] = _tag(grid)
    response.headers["Cache-Control"] = PRIVATE
    return response
