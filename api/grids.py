"""/api/v1/grids: the grids in force."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import String
from flask import Response

from api.circles.figures import share
from api.json import json_response
from api.moments import AT_GENERATION, generation_asked
from api.pages import GEOJSON, Strict, page_query, respond_page
from api.state import state
from data import tables as t
from data.circles import current_run, grid_shares
from data.grid_systems import stored_name
from data.plans import in_force
from data.tables import COMPREHENSIVE
from gisgrid.errors import NotFound
from layers.catalog import GRIDS
from layers.features import feature

bp = APIBlueprint("grids", __name__, url_prefix="/api/v1/grids", tag="Grids")


class GridQuery(Strict):
    """Parameters of one grid."""

    at = String(metadata={"description": AT_GENERATION})


@bp.get("")
@bp.input(page_query(GRIDS), location="query", unknown=None)
def list_grids(query_data: dict[str, Any]) -> Response:
    """Grids in force as GeoJSON, with households and a label point.

    Those in force now, or at another time (``at``).

    The comprehensive ones of all levels; ``level=1`` takes one level, ``system=fire`` another system.
    """
    query = dict(query_data)
    systems = query.get("system", COMPREHENSIVE).split(",")
    query["system"] = ",".join(stored_name(system) for system in systems)
    with state().engine.connect() as connection:
        generation = generation_asked(connection, query.pop("at", None))
        now = in_force(generation.id) if generation else sa.false()
        return respond_page(GRIDS, query, where=[now], connection=connection)


@bp.get("/<code>")
@bp.input(GridQuery, location="query", unknown=None)
def one_grid(code: str, query_data: dict[str, Any]) -> Response:
    """One grid in force, of any level and system, with what lies in it and who reaches which facilities from it.

    With ``at`` the grid that had the code then; what lies in it is counted now, and circles are those of now.
    """
    with state().engine.connect() as connection:
        generation = generation_asked(connection, query_data.get("at"))
        if generation is None:
            raise NotFound("no plan is published yet; publish one first")
        found = orjson.loads(feature(connection, GRIDS, code, where=[in_force(generation.id)]))
        found["properties"] |= _counts(connection, code, generation.id)
        found["properties"]["circles"] = _circles(connection, code)
    return json_response(found, mimetype=GEOJSON)


def _counts(connection: sa.Connection, code: str, generation: int) -> dict[str, int]:
    """How many buildings, components, facilities and reports the grid covers."""
    shape = sa.select(t.grids.c.geometry).where(t.grids.c.code == code, in_force(generation)).scalar_subquery()
    return {
        table.name: int(
            connection.scalar(
                sa.select(sa.func.count()).select_from(table).where(sa.func.ST_Covers(shape, _place(table)))
            ) or 0
        )
        for table in (t.buildings, t.components, t.facilities, t.reports)
    }  # fmt: skip


def _place(table: sa.Table) -> Any:
    return sa.func.ST_PointOnSurface(table.c.geometry) if table is t.buildings else table.c.geometry


def _circles(connection: sa.Connection, code: str) -> list[dict[str, Any]]:
    run = current_run(connection)
    return [
        {
            "category": row["category"],
            "minutes": row["minutes"],
            "buildings_share": share(row["buildings_covered"], row["buildings_assessed"]),
            "residents_share": share(row["residents_covered"], row["residents_assessed"]),
        }
        for row in (grid_shares(connection, run["id"], code) if run else [])
    ]
