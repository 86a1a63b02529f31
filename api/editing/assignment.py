"""/api/v1/plans/{id}/assignment: whose every unit is."""

from __future__ import annotations

from typing import Any

from flask import Response
from werkzeug.http import quote_etag

from api.editing.blueprint import PLAN, bp, visible_plan
from api.editing.ground import revision_of
from api.editing.held import held_grounds
from api.etag import CURRENT, PRIVATE, tagged, unchanged
from api.json import json_response
from api.pages import no_parameters
from api.state import state
from data.plans import PlanRow
from gisgrid.models import Band
from planning.workflow_edits import StoredAssignment, band_of_level, stored_assignment
from planning.workflow_ground import UnitSet, unit_set_of

FACTS = ("code", "name", "kind", "parent", "community", "locked", "continues", "version")


@bp.get(f"{PLAN}/assignment")
@no_parameters
def assignment(plan: str) -> Response:
    """The grids of a plan, level by level, and whose every unit is, in the order of the unit set's topology."""
    with state().engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        row = visible_plan(connection, plan)
        tag, cache = plan_tag(row), PRIVATE if row.status == "draft" else CURRENT
        if (known := unchanged(tag, cache)) is not None:
            return known
        assert row.unit_set is not None
        unit_set = unit_set_of(connection, row.unit_set)
        found = stored_assignment(connection, row, held_grounds().get(connection, unit_set).keys)
    return tagged(json_response(_told(found, unit_set)), tag, cache)


def plan_tag(row: PlanRow) -> str:
    """The tag of a plan's content: its version."""
    return quote_etag(f"{row.version}" if row.status == "draft" else f"{row.version}-{row.status}")


def band_json(band: Band | None) -> dict[str, int] | None:
    """A band for JSON."""
    return None if band is None else {"low": band.low, "high": band.high}


def _told(found: StoredAssignment, unit_set: UnitSet) -> dict[str, Any]:
    row = found.plan
    levels = [
        {
            "level": number,
            "band": band_json(band_of_level(row, number)),
            "grids": [{name: grid[name] for name in FACTS} for grid in grids],
            "owner": owner,
        }
        for number, (grids, owner) in enumerate(zip(found.grids, found.owner, strict=True), start=1)
    ]
    base = f"/api/v1/unit-sets/{unit_set.id}"
    links = [
        {"rel": "topology", "href": f"{base}/topology?v={revision_of(unit_set)}"},
        {"rel": "counts", "href": f"{base}/counts"},
    ]
    return {
        "plan": row.id, "name": row.name, "area": row.area, "status": row.status, "version": row.version,
        "unit_set": row.unit_set, "band": band_json(row.band), "levels": levels, "links": links,
    }  # fmt: skip
