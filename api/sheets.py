"""GET /api/v1/sheets/{code}.pdf, .png: the grid map of a community to print and hang up; of an area, an atlas."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, cast

import sqlalchemy as sa
from apiflask import APIBlueprint
from apiflask.fields import Integer, String
from flask import Response

from api.access.principal import may
from api.etag import keeping, request_tag, tagged, unchanged
from api.pages import Strict
from api.state import state
from data import tables as t
from data.plans import plan_row
from gisgrid.errors import NotFound
from layers.sheets import Sheet, SheetRequest, check
from layers.sheets.words import Language

bp = APIBlueprint("sheets", __name__, url_prefix="/api/v1/sheets", tag="Sheets")

MEDIA: Final = {"pdf": "application/pdf", "png": "image/png"}
READS: Final = ("areas", "buildings", "generations", "grids", "plans", "streets", "water")
"""Tables a sheet is drawn from whose changes are noted; posts and imports are looked up."""


class SheetQuery(Strict):
    """What the sheet shows, and on what paper."""

    plan = Integer(metadata={"description": "grids of this plan; a draft is marked so, and shown to planners only"})
    generation = Integer(metadata={"description": "grids of this generation; those in force by default"})
    scale = Integer(metadata={"description": "2500 means 1:2500; by default the largest round scale that fits"})
    paper = String(load_default="A3", metadata={"description": "A4, A3, A2 or A1"})
    orientation = String(metadata={"description": "portrait or landscape; by default what shows the ground larger"})
    lang = String(load_default="zh", metadata={"description": "zh, en or both"})


class PictureQuery(SheetQuery):
    """The same as a picture of one page."""

    dpi = Integer(load_default=150, metadata={"description": "dots an inch, 36 to 600"})
    page = Integer(load_default=1, metadata={"description": "which page: a long table runs on to a second"})


@bp.get("/<code>.pdf")
@bp.input(SheetQuery, location="query", unknown=None)
def sheet_pdf(code: str, query_data: dict[str, Any]) -> Response:
    """The grid map of a community as PDF, to print at its true scale; of a larger area, one after the other.

    Title, grids with names and codes, streets and buildings, legend, scale bar, arrow to true north, table of the
    grids with the posts stored for them. The headers ``Sheet-Scale`` and ``Sheet-Pages`` tell the scale (1 : n) and how
    many pages there are.
    """
    return _respond(code, "pdf", query_data)


@bp.get("/<code>.png")
@bp.input(PictureQuery, location="query", unknown=None)
def sheet_png(code: str, query_data: dict[str, Any]) -> Response:
    """One page of the same as a picture; its dots an inch are written in it."""
    return _respond(code, "png", query_data)


def _respond(code: str, form: str, query: dict[str, Any]) -> Response:
    asked = SheetRequest(code, form, **(query | {"lang": cast(Language, query["lang"])}))
    check(asked)
    with state().engine.connect() as connection:
        revision, draft, ended = _revision(connection, asked)
    tag = request_tag(revision, date.today().isoformat(), weak=True)
    cache = keeping(restricted=draft)
    if (same := unchanged(tag, cache)) is not None:
        return same
    made: Sheet = state().drawing.do("sheet", asked)
    response = Response(made.content, mimetype=MEDIA[form])
    response.headers["Sheet-Scale"], response.headers["Sheet-Pages"] = str(made.scale), str(made.pages)
    what = f"plan-{asked.plan}" if asked.plan else f"generation-{asked.generation}" if ended else "grids"
    response.headers["Content-Disposition"] = f'inline; filename="{code}-{what}.{form}"'
    return tagged(response, tag, cache)


def _revision(connection: sa.Connection, asked: SheetRequest) -> tuple[str, bool, bool]:
    """A text that differs whenever the sheet may; whether it shows a draft; whether a generation was asked for."""
    offer = state().catalogue.now()
    newest = [connection.scalar(sa.select(sa.func.max(table.c.id))) for table in (t.imports, t.posts)]
    parts = [str(offer.generation), *[offer.tables[name] for name in READS], *map(str, newest)]
    draft = False
    if asked.plan is not None:
        plan = plan_row(connection, asked.plan)
        draft = plan.status == "draft"
        if draft and not may("plan", plan.area):
            raise NotFound(f"plan {asked.plan} does not exist; 'gisgrid plans' lists those that do")
        parts += [plan.status, str(plan.version)]
    return ":".join(parts), draft, asked.generation is not None
