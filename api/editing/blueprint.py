"""What the views of editing share: the blueprint, which plans and unit sets a caller may see."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from apiflask import APIBlueprint

from api.access.principal import may
from data.plans import PlanRow, plan_row
from data.tables import COMPREHENSIVE
from gisgrid.errors import Conflict, NotFound
from planning.workflow_ground import UnitSet, unit_set_of

bp = APIBlueprint("editing", __name__, tag="Editing plans")
PLAN: Final = "/api/v1/plans/<plan>"
UNIT_SET: Final = "/api/v1/unit-sets/<unit_set>"


def visible_plan(connection: sa.Connection, given: str) -> PlanRow:
    """A plan made of units that the caller may see: drafts are for planners of their area.

    Raises NotFound, and Conflict for a plan whose grids are not made of units (imported, professional).
    """
    plan = number_of("plan", given)
    row = plan_row(connection, plan)
    if row.status != "published" and not may("plan", row.area):
        raise NotFound(f"plan {plan} does not exist")
    if row.unit_set is None or row.system != COMPREHENSIVE:
        raise Conflict(
            f"plan {plan} has no units to assign: its grids were imported or belong to a professional system; "
            "make a plan of the area first",
            code="no_units",
        )
    return row


def visible_unit_set(connection: sa.Connection, given: str) -> UnitSet:
    """A unit set the caller may see: planners all, others those of published plans. Raises NotFound."""
    unit_set = number_of("unit set", given)
    found = unit_set_of(connection, unit_set)
    if not found.published and not may("plan", found.area):
        raise NotFound(f"unit set {unit_set} does not exist; a plan names the one it is made of")
    return found


def number_of(what: str, text: str) -> int:
    """The id in an address. Raises NotFound for what cannot be one."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise NotFound(f"{what} {text[:40]!r} does not exist; give its number")
    return int(text)
