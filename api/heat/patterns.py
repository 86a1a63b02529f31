"""GET …/patterns: how often reports come by month of the year, weekday and hour."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.heat.blueprint import HeatQuery, about, bp, chosen, from_reports, number
from api.json import json_response
from planning.heat import patterns as patterns_of
from planning.workflow_heat import HeatSource


@bp.get("/patterns")
@bp.input(HeatQuery, location="query", unknown=None)
def patterns(query_data: dict[str, Any]) -> Response:
    """Reports a day by month of the year (1–12), weekday (1 Monday) and hour (0–23), over the days there were of each.

    With exact 95 % ranges; ``index`` is the rate over the mean. ``week`` has the hours of all weekdays from Monday 0 h.
    """
    query = dict(query_data)

    def make(source: HeatSource) -> Response:
        asked = chosen(source, query)
        found = patterns_of(asked.events, asked.span, source.zone)
        told = {name: [_row(row) for row in table.to_dict("records")] for name, table in found.items()}
        return json_response({**about(asked), "confidence": 0.95, **told})

    return from_reports(make)


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    whole = {name: int(row[name]) for name in ("key", "reports")}
    return whole | {name: number(row[name]) for name in ("exposure", "rate", "low", "high", "index")}
