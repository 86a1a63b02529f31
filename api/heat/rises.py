"""GET …/rises: grids where a class is reported more often in the last days than earlier days let expect."""

from __future__ import annotations

from typing import Any

import numpy as np
from apiflask.fields import Boolean, Float, Integer, String
from apiflask.validators import OneOf
from flask import Response

from api.heat.blueprint import HeatQuery, about, bp, chosen, from_reports, grid_facts, number, split
from api.heat.held import held, revision_now
from api.json import json_response
from gisgrid.errors import BadInput
from gisgrid.limits import PAGE_MAX
from planning.heat import Events, Rises
from planning.heat import rises as rises_of
from planning.heat.rises import DAYS
from planning.workflow_heat import Chosen, HeatSource, choose


class RisesQuery(HeatQuery):
    """What is looked at and compared."""

    days = Integer(load_default=DAYS, metadata={"description": "days looked at, back from to; 1 to 92"})
    by = String(
        load_default="major", validate=OneOf(("major", "minor", "all")), metadata={"description": "classes compared"}
    )
    alpha = Float(load_default=0.05, metadata={"description": "share of false ones among the flagged let pass"})
    flagged = Boolean(load_default=False, metadata={"description": "flagged ones only"})
    limit = Integer(load_default=100, metadata={"description": f"rows, 1 to {PAGE_MAX}; the surest first"})


@bp.get("/rises")
@bp.input(RisesQuery, location="query", unknown=None)
def rises(query_data: dict[str, Any]) -> Response:
    """Observed against expected of each grid and class in the last days, with p, q and whether it is flagged.

    A row without grid is the whole area. ``test``, ``correction`` and ``alpha`` say how a rise is judged.
    """
    query = dict(query_data)
    if not 1 <= query["limit"] <= PAGE_MAX:
        raise BadInput(f"limit={query['limit']}: give 1 to {PAGE_MAX}")

    def make(source: HeatSource) -> Response:
        asked = chosen(source, query, grids=False)
        key = ("rises", tuple(sorted((k, str(v)) for k, v in query.items() if k not in ("grid", "limit", "flagged"))))
        found, names = held().kept(
            revision_now(), key, lambda: rises_in(asked, query["by"], query["days"], query["alpha"])
        )
        rows = found.rows
        if query["flagged"]:
            rows = rows[rows["flagged"]]
        if query["grid"]:
            shown = choose(source, grids=split("grid", query["grid"]), area=query["area"]).rows
            rows = rows[np.isin(rows["grid"].to_numpy(), np.flatnonzero(np.isin(asked.rows, shown)))]
        told = [_row(asked, row, names) for row in rows.head(query["limit"]).to_dict("records")]
        windows = {
            "window": {"from": found.window.first.isoformat(), "to": found.window.last.isoformat()},
            "earlier": {"from": found.earlier.first.isoformat(), "to": found.earlier.last.isoformat()},
            "by": query["by"], "flagged": int(found.rows["flagged"].sum()), "matched": len(rows),
        }  # fmt: skip
        facts = {name: value for name, value in found.facts.items() if name != "days"}
        return json_response({**about(asked), **facts, "window_days": query["days"], **windows, "rows": told})

    return from_reports(make)


def rises_in(asked: Chosen, by: str, days: int, alpha: float) -> tuple[Rises, list[tuple[str, str]]]:
    """Rises among the grids of a question, by row of those; (major, minor) of each class, minor empty for majors."""
    place = np.full(len(asked.source.grids) + 1, -1, np.int64)
    place[asked.rows] = np.arange(len(asked.rows))
    held_events: Events = asked.known
    classes, names = _classes(held_events, by)
    events = Events(
        held_events.x, held_events.y, held_events.day, held_events.hour, held_events.kind, place[held_events.grid],
        held_events.weight, held_events.kinds,
    )  # fmt: skip
    return rises_of(events, len(asked.rows), classes, len(names), asked.span, days=days, alpha=alpha), names


def _classes(events: Events, by: str) -> tuple[Any, list[tuple[str, str]]]:
    if by == "minor":
        return events.kind, list(events.kinds)
    if by == "all":
        return np.zeros(len(events), np.int64), [("", "")]
    majors, of = events.majors()
    return of, [(name, "") for name in majors]


def _row(asked: Chosen, row: dict[Any, Any], names: list[tuple[str, str]]) -> dict[str, Any]:
    at = int(row["grid"])
    where = {"grid": None, "name": "", "community": ""} if at < 0 else grid_facts(asked, int(asked.rows[at]))
    major, minor = names[int(row["kind"])]
    parts = {name: number(row[name]) for name in ("expected", "ratio", "dispersion", "p", "q")}
    whole = {name: int(row[name]) for name in ("observed", "earlier")}
    told = {"major": major, "major_en": asked.source.names.get(major, major), "minor": minor}
    return where | told | whole | parts | {"flagged": bool(row["flagged"])}
