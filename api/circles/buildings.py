"""Every building's way to the nearest facility of a category, page by page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from apiflask.fields import String
from flask import Response, request

from api.circles.blueprint import (
    LimitQuery,
    about_run,
    bp,
    category_of,
    checked_limit,
    collection,
    feature,
    run_of,
)
from api.pages import GEOJSON
from api.state import state
from data.circles import building_rows
from gisgrid.errors import BadInput
from layers.features import parse_bbox

KEPT = (
    "building_id", "name", "kind", "households", "population", "elderly", "community", "assessable", "score", "seconds",
)  # fmt: skip


class BuildingsQuery(LimitQuery):
    """A page of buildings."""

    bbox = String(metadata={"description": "minx,miny,maxx,maxy in degrees, longitude first"})
    after = String(metadata={"description": "id of the last building of the page before; take it from the next link"})


@bp.get("/buildings")
@bp.input(BuildingsQuery, location="query", unknown=None)
def buildings(query_data: dict[str, Any]) -> Response:
    """Buildings as points with their seconds to the nearest facility of the category, and whether that is in time.

    ``covered`` is null where the building cannot be assessed; ``seconds`` also where nothing is reached within the
    run's longest minutes. ``score`` is the share of all categories reached within 15 minutes.
    """
    name, limit = query_data["category"], checked_limit(query_data["limit"])
    bbox = parse_bbox(query_data["bbox"]) if "bbox" in query_data else None
    after = _key(query_data["after"]) if "after" in query_data else None
    with state().engine.connect() as connection:
        run = run_of(connection, query_data["profile"])
        number, about = category_of(run, name)
        rows, matched, last = building_rows(connection, run["id"], number, limit=limit, after=after, bbox=bbox)
    features = [
        feature(
            {"type": "Point", "coordinates": [round(row["lon"], 7), round(row["lat"], 7)]},
            {key: row[key] for key in KEPT} | {"covered": _covered(row, about["minutes"])},
            row["id"],
        )
        for row in rows
    ]
    links = [{"rel": "self", "href": request.full_path.rstrip("?"), "type": GEOJSON}]
    if last is not None:
        following = urlencode({**request.args.to_dict(), "after": last})
        links.append({"rel": "next", "href": f"{request.path}?{following}", "type": GEOJSON})
    told = about_run(run) | {"category": name, "minutes": about["minutes"], "numberMatched": matched, "links": links}
    return collection(features, **told)


def _covered(row: Any, minutes: int) -> bool | None:
    if not row["assessable"]:
        return None
    return row["seconds"] is not None and row["seconds"] <= 60 * minutes


def _key(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadInput(f"after={text[:20]!r} is not a building's id; take it from the next link")
    return int(text)
