"""What the service holds, how it draws, and whether it is well."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, current_app

from api import readiness
from api.json import json_response
from api.pages import no_parameters
from api.state import state
from data import tables as t
from data.circles import current_run
from data.plans import current_generation, generation_of, in_force, plan_row
from data.tables import COMPREHENSIVE
from gisgrid.models import Band
from layers.styles import all_styles

bp = APIBlueprint("overview", __name__, tag="Overview")
DEFAULT_BAND = Band(300, 500)


@bp.get("/api/v1/overview")
@no_parameters
def overview() -> Response:
    """Areas, extent, counts, the generation in force and its band."""
    with state().engine.connect() as connection:
        generation = current_generation(connection)
        run = current_run(connection)
        body = {
            "areas": _areas(connection),
            "bounds": _bounds(connection),
            "generation": generation and {
                "id": generation.id, "published_at": generation.published_at, "note": generation.note,
            },
            "band": _band_json(_band(connection)),
            "counts": _counts(connection, generation.id if generation else None),
            "circles": run and {"profile": run["profile"], "minutes": run["minutes"]},
            "attribution": attribution(connection),
            "embedded": state().settings.database_url is None,
        }  # fmt: skip
    return json_response(body)


@bp.get("/api/v1/styles")
@no_parameters
def styles() -> Response:
    """How each layer is drawn: classes with labels and colours, the same for map and legend."""
    with state().engine.connect() as connection:
        return json_response({"layers": all_styles(_band(connection))})


@bp.get("/healthz")
@bp.doc(hide=True)
def healthz() -> Response:
    """The process lives."""
    return json_response({"status": "ok"})


@bp.get("/readyz")
@bp.doc(hide=True)
def readyz() -> Response:
    """Whether requests may come: database, schema, grids in force, and as a warning the worker, each told by itself."""
    held = state()
    ready, checks = readiness.look(held.engine, held.current, current_app.extensions["gisgrid.leaving"])
    loaded = held.current.get() if ready else None
    body = {
        "status": "ready" if ready else "not ready",
        "generation": loaded.generation.id if loaded else None,
        "checks": checks,
    }
    response = json_response(body, status=200 if ready else 503)
    if not ready:
        response.headers["Retry-After"] = "2"
    return response


def attribution(connection: sa.Connection) -> str:
    """What the owners of the imported data want said."""
    said = sa.select(t.imports.c.attribution).where(t.imports.c.attribution != "").distinct()
    return " · ".join(sorted(connection.scalars(said)))


def _band(connection: sa.Connection) -> Band:
    since = generation_of(connection)
    return plan_row(connection, since.plan).band if since else DEFAULT_BAND


def _band_json(band: Band) -> dict[str, int]:
    return {"low": band.low, "high": band.high}


def _areas(connection: sa.Connection) -> list[dict[str, Any]]:
    a = t.areas.c
    rows = connection.execute(sa.select(a.code, a.name, a.name_en, a.level, a.parent).order_by(a.code)).mappings()
    return [dict(row) for row in rows]


def _bounds(connection: sa.Connection) -> list[float] | None:
    extent = sa.select(sa.func.ST_Extent(t.areas.c.geometry).label("box")).subquery()
    corners = [getattr(sa.func, name)(extent.c.box) for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")]
    row = connection.execute(sa.select(*corners)).one()
    return None if row[0] is None else [float(value) for value in row]


def _counts(connection: sa.Connection, generation: int | None) -> dict[str, int]:
    counts = {
        table.name: int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
        for table in (t.buildings, t.components, t.facilities, t.reports, t.streets, t.addresses)
    }
    b = t.buildings.c
    people = connection.execute(sa.select(sa.func.sum(b.households), sa.func.sum(b.population))).one()
    now = in_force(generation, system=COMPREHENSIVE, level=1) if generation is not None else sa.false()
    grids = connection.scalar(sa.select(sa.func.count()).select_from(t.grids).where(now))
    return counts | {"grids": int(grids or 0), "households": int(people[0] or 0), "population": int(people[1] or 0)}
