"""Grids of a plan, and a plan beside another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from apiflask.fields import Integer, String
from flask import Response

from api.etag import unchanged
from api.json import json_bytes
from api.moments import reading
from api.pages import GEOJSON, AtQuery, Strict
from api.plans.blueprint import HERE, KEY, bp, private, seen_plan, tag_of, tagged
from api.state import state
from data import plan_pages
from data.layer_changes import revisions
from planning.workflow_changes import PUBLISHED, compare_stored

COMPARISONS_KEPT: Final = 16
_kept: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
_guard = threading.Lock()


class LevelQuery(AtQuery):
    """Parameters of a plan's grids."""

    level = Integer(validate=KEY, metadata={"description": "grids of this level alone; 1 is the coarsest"})


class CompareQuery(Strict):
    """Parameters of a comparison."""

    with_ = String(
        load_default=PUBLISHED, data_key="with", metadata={"description": "id of a plan, or published: grids in force"}
    )


@bp.get(f"{HERE}/<plan>/grids")
@bp.input(LevelQuery, location="query", unknown=None)
def plan_grids(plan: str, query_data: dict[str, Any]) -> Response:
    """Grids of a plan, all levels, as GeoJSON; the tag is the plan's version. With ``at`` as they were then."""
    at = query_data.get("at")
    with reading(at) as connection:
        row = seen_plan(connection, plan)
        if at is None and (known := unchanged(tag_of(row.version))) is not None:
            return tagged(known, row)
        features = plan_pages.grids_text(connection, row.id, query_data.get("level"))
    head = json_bytes({"type": "FeatureCollection", "plan": row.id, "version": row.version})[:-1]
    response = Response(head + b',"features":[' + features.encode() + b"]}", mimetype=GEOJSON)
    return tagged(response, row) if at is None else private(response)


@bp.get(f"{HERE}/<plan>/compare")
@bp.input(CompareQuery, location="query", unknown=None)
def compare_plan(plan: str, query_data: dict[str, Any]) -> Response:
    """A plan beside another one, or the grids in force: figures of both, who changes grid, as arrows and rows."""
    wanted = query_data["with_"]
    with state().engine.connect() as connection:
        row = seen_plan(connection, plan)
        other = None if wanted == PUBLISHED else seen_plan(connection, wanted)
        tables = (
            ["grids", "units", "streets", "water", "walls", "areas"] if other is None else ["streets", "water", "walls"]
        )
        seen = revisions(connection, tables)
        key = (str(state().engine.url), row.id, row.version, other and (other.id, other.version), *seen.values())
        with _guard:
            text = _kept.get(key)
        if text is None:
            text = json_bytes(compare_stored(connection, row, other))
    with _guard:
        _kept[key] = text
        while len(_kept) > COMPARISONS_KEPT:
            _kept.popitem(last=False)
    return tagged(Response(text, mimetype="application/json"), row)
