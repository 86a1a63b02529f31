"""The nearest facilities of every kind from one building or point, with the way there."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from apiflask.fields import Boolean, Integer, String
from flask import Response
from numpy.typing import NDArray

from api.circles.blueprint import PointQuery, bp
from api.circles.places import Spot, facility_of, mover_told, spot_of, to_degrees
from api.json import json_response
from api.known_streets import Streets
from api.state import state
from data.circles import whole_seconds
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import CIRCLE_NEAREST_MAX
from planning.reach import UNREACHED, Profile, at_places, profile_of, routes, search_from
from planning.workflow_networks import REACH_METRES

NEAREST_MINUTES: Final = 30.0
"""How far facilities are looked for: what is farther is no service of everyday life."""
Int64 = NDArray[np.int64]


class NearestQuery(PointQuery):
    """From where, and what of."""

    building = String(metadata={"description": "id of a building, as /api/v1/buildings has it"})
    category = String(metadata={"description": "categories split by commas; all by default"})
    k = Integer(load_default=1, metadata={"description": f"how many of each category, 1 to {CIRCLE_NEAREST_MAX}"})
    routes = Boolean(load_default=False, metadata={"description": "draw the way to the nearest of each category"})


@bp.get("/nearest")
@bp.input(NearestQuery, location="query", unknown=None)
def nearest(query_data: dict[str, Any]) -> Response:
    """The nearest facilities of each category from a building or a point over the streets, by time.

    ``covered`` says whether that is within the category's minutes; null where the place cannot be assessed. At any
    profile's speed, or another (``speed``, ``factor``). Looks 30 minutes far, and no farther than the streets
    kept around the area. A category without any facility so near has one row with ``facility`` null. ``route`` is the
    way along the streets, with the legs at both ends.
    """
    mover = profile_of(
        query_data["profile"], metres_per_second=query_data.get("speed"), factor=query_data.get("factor")
    )
    k = query_data["k"]
    if not 1 <= k <= CIRCLE_NEAREST_MAX:
        raise BadInput(f"k={k}: give 1 to {CIRCLE_NEAREST_MAX}")
    streets = state().streets.get(mover.mode)
    chosen = _categories(query_data.get("category"), streets)
    spot = spot_of(query_data, streets, ("building",))
    limit = _limit(mover)
    cost = facility_costs(streets, spot, limit)
    rows = [row for number in chosen for row in _ranked(streets, cost, number, k)]
    ways = _routes(streets, spot, [row for row in rows if row[1] == 1], limit) if query_data["routes"] else {}
    told = [
        _told(streets, mover, spot.on_streets, cost, number, rank, at, ways.get(number)) for number, rank, at in rows
    ]
    body = {
        "place": spot.told(streets), **mover_told(mover), "generation": streets.generation,
        "within_seconds": int(limit / mover.per_second), "nearest": told,
    }  # fmt: skip
    return json_response(body)


def facility_costs(streets: Streets, spot: Spot, limit: int) -> Int64:
    """Cost from a place to every facility in the network's unit, -1 beyond the limit or off the streets."""
    found = search_from(streets.network, spot.places.snapped, limit=limit)
    key = at_places(streets.network, found, streets.places.snapped)
    return np.where(key == UNREACHED, -1, key >> 32)


def _limit(mover: Profile) -> int:
    """As far as is looked, in the network's unit: the streets kept around the area end somewhere."""
    limit = mover.limit(NEAREST_MINUTES)
    return limit if mover.metres_per_second is None else min(limit, int(100 * REACH_METRES[mover.mode]))


def _categories(text: str | None, streets: Streets) -> list[int]:
    """Rows of the categories asked for. Raises NotFound for one that is not in the table."""
    names = streets.categories["category"].tolist()
    if text is None:
        return list(range(len(names)))
    for name in text.split(","):
        if name not in names:
            raise NotFound(f"category {name!r} is not known; /api/v1/facilities/categories lists those that are")
    return [names.index(name) for name in dict.fromkeys(text.split(","))]


def _ranked(streets: Streets, cost: Int64, number: int, k: int) -> list[tuple[int, int, int]]:
    """(category, rank from 1, row of the facility) of the nearest of a category; row -1 when there is none."""
    rows = np.flatnonzero((streets.category == number) & (cost >= 0))
    rows = rows[np.lexsort((rows, cost[rows]))][:k]
    return [(number, rank, int(row)) for rank, row in enumerate(rows, start=1)] or [(number, 1, -1)]


def _routes(
    streets: Streets, spot: Spot, first: list[tuple[int, int, int]], limit: int
) -> dict[int, tuple[dict[str, Any], float]]:
    """By category: the way to its nearest facility as a GeoJSON LineString, and its metres."""
    reached = [(number, row) for number, _, row in first if row >= 0]
    rows = np.array([row for _, row in reached], np.int64)
    found = routes(
        streets.network, spot.places.snapped, streets.places.snapped.take(rows), limit,
        origin_xy=spot.places.xy[0], destinations_xy=streets.places.xy[rows],
    )  # fmt: skip
    return {
        number: (
            {"type": "LineString", "coordinates": to_degrees(way.coords, streets.network.crs).tolist()}, way.metres
        )
        for (number, _), way in zip(reached, found, strict=True)
        if way is not None
    }  # fmt: skip


def _told(
    streets: Streets, mover: Profile, assessable: bool, cost: Int64, number: int, rank: int, row: int,
    way: tuple[dict[str, Any], float] | None,
) -> dict[str, Any]:  # fmt: skip
    about = streets.categories.iloc[number]
    told = {
        "category": str(about["category"]), "name_zh": str(about["name_zh"]), "name_en": str(about["name_en"]),
        "minutes": int(about["minutes"]), "k": rank, "facility": None, "metres": None, "seconds": None,
        "covered": False if assessable else None, "route": None,
    }  # fmt: skip
    if row < 0:
        return told
    spent = int(cost[row])
    metres = way[1] if way and rank == 1 else None
    return told | {
        "facility": facility_of(streets, row),
        "metres": round(spent / 100, 1) if streets.network.unit == "cm" else metres and round(metres, 1),
        "seconds": int(whole_seconds(mover.seconds(np.array([spent])))[0]),
        "covered": spent <= mover.limit(float(about["minutes"])),
        "route": way[0] if way and rank == 1 else None,
    }
