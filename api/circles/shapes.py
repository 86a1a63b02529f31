"""Stored shapes of a run: the areas within 5, 10 and 15 minutes of a category, and its blind spots."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from api.circles.blueprint import (
    CategoryQuery,
    LimitQuery,
    about_run,
    bp,
    category_of,
    checked_limit,
    collection,
    feature,
    run_of,
    tagged,
    unchanged,
)
from api.state import state
from data.circles import blind_spot_rows, polygon_texts


@bp.get("/polygons")
@bp.input(CategoryQuery, location="query", unknown=None)
def polygons(query_data: dict[str, Any]) -> Response:
    """Areas from which a facility of the category is reached within 5, 10 and 15 minutes, widest first."""
    name = query_data["category"]
    with state().engine.connect() as connection:
        run = run_of(connection, query_data["profile"])
        category_of(run, name)
        if (same := unchanged(run)) is not None:
            return same
        rows = polygon_texts(connection, run["id"], name)
    features = [feature(orjson.Fragment(text), {"category": name, "minutes": minutes}) for minutes, text in rows]
    return tagged(run, collection(features, **about_run(run)))


@bp.get("/blind-spots")
@bp.input(LimitQuery, location="query", unknown=None)
def blind_spots(query_data: dict[str, Any]) -> Response:
    """Connected areas of residents without a facility of the category within its minutes, most residents first.

    ``seconds`` is their mean way to the nearest facility, ``extra_seconds`` how much longer that is than it should
    be; both are null where none is reached at all.
    """
    name, limit = query_data["category"], checked_limit(query_data["limit"])
    with state().engine.connect() as connection:
        run = run_of(connection, query_data["profile"])
        _, about = category_of(run, name)
        rows, matched = blind_spot_rows(connection, run["id"], name, limit)
    features = [feature(orjson.Fragment(row.pop("text")), {"category": name, **row}) for row in rows]
    told = about_run(run) | {"category": name, "minutes": about["minutes"], "numberMatched": matched}
    return collection(features, **told)
