"""/api/v1/unit-sets/{id}/topology and /counts: what a plan is drawn on."""

from __future__ import annotations

from typing import Any, Final

from apiflask.fields import String
from flask import Response

from api.compression import chosen
from api.editing.blueprint import UNIT_SET, bp, visible_unit_set
from api.editing.held import held_grounds
from api.etag import CURRENT, PRIVATE, VERSIONED, tag_of, tagged, unchanged
from api.pages import Strict, no_parameters
from api.state import state
from planning.workflow_ground import UnitSet

TOPOLOGY: Final = "application/vnd.gisgrid.topology"


class TopologyQuery(Strict):
    """Parameters of the topology."""

    v = String(metadata={"description": "revision, from the links of a plan's assignment: the answer may then be kept"})


@bp.get(f"{UNIT_SET}/topology")
@bp.input(TopologyQuery, location="query", unknown=None)
def topology(unit_set: str, query_data: dict[str, Any]) -> Response:
    """The units of a set and their borders, as arcs, in one block of bytes (docs/editing-api.md).

    With ``v`` of the revision there is now it never changes and is kept for good; without, caches ask each time.
    """
    with state().engine.connect() as connection:
        found = visible_unit_set(connection, unit_set)
        tag, cache = ground_tag(found), _keeping(found, query_data.get("v"))
        if (known := unchanged(tag, cache)) is not None:
            return known
        held = held_grounds().get(connection, found)
    coding = chosen()
    response = Response(held_grounds().body(held, coding), mimetype=TOPOLOGY)
    response.vary.add("Accept-Encoding")
    if coding is not None:
        response.headers["Content-Encoding"] = coding
        tag = f'{tag[:-1]}-{coding}"'
    return tagged(response, tag, cache)


@bp.get(f"{UNIT_SET}/counts")
@no_parameters
def counts(unit_set: str) -> Response:
    """Components, and reports a month over the last twelve months, in every unit of a set, in the topology's order."""
    with state().engine.connect() as connection:
        found = visible_unit_set(connection, unit_set)
        tag, cache = tag_of("counts", found.counted), CURRENT if found.published else PRIVATE
        if (known := unchanged(tag, cache)) is not None:
            return known
        body = held_grounds().counts(connection, held_grounds().get(connection, found), found)
    return tagged(Response(body, mimetype="application/json"), tag, cache)


def ground_tag(found: UnitSet) -> str:
    """The tag of a unit set's topology."""
    return tag_of("ground", found.revision)


def revision_of(found: UnitSet) -> str:
    """What ``v`` is now."""
    return ground_tag(found).strip('"')


def _keeping(found: UnitSet, given: str | None) -> str:
    lasting = given == revision_of(found)
    if found.published:
        return VERSIONED if lasting else CURRENT
    return "private, max-age=31536000, immutable" if lasting else PRIVATE
