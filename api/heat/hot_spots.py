"""GET …/grids: hot and cold spots among the grids, by Getis-Ord Gi* of reports per 1,000 households."""

from __future__ import annotations

from typing import Any

import numpy as np
from apiflask.fields import Boolean, Integer
from flask import Response

from api.heat.blueprint import HeatQuery, about, bp, chosen, from_reports, grid_facts, number, split
from api.heat.held import held, revision_now
from api.json import json_response
from gisgrid.limits import HEAT_SEED_MAX
from planning.heat import HotSpots, hot_spots
from planning.workflow_heat import Chosen, HeatSource, choose


class GridsQuery(HeatQuery):
    """How grids are compared."""

    smooth = Boolean(load_default=False, metadata={"description": "rates of small grids drawn to the mean (Marshall)"})
    permutations = Integer(load_default=None, metadata={"description": "99 to 99999; 9999 when not given"})
    seed = Integer(load_default=1, metadata={"description": "of the permutations: the same gives the same"})


@bp.get("/grids")
@bp.input(GridsQuery, location="query", unknown=None)
def grids(query_data: dict[str, Any]) -> Response:
    """Reports, rate and hot or cold spot of every grid of the area; ``grid`` tells some of them.

    Grids without households have no rate and are told as not_rated.
    """
    query = dict(query_data)
    query["seed"] = query["seed"] % HEAT_SEED_MAX

    def make(source: HeatSource) -> Response:
        asked = chosen(source, query, grids=False)
        key = ("spots", tuple(sorted((name, str(value)) for name, value in query.items() if name != "grid")))
        found = held().kept(
            revision_now(), key, lambda: spots_of(asked, query["smooth"], query["permutations"], query["seed"])
        )
        shown = set(choose(source, grids=split("grid", query["grid"]), area=query["area"]).rows.tolist())
        rows = [
            grid_facts(asked, row) | row_facts(told)
            for row, told in zip(asked.rows.tolist(), found.rows.to_dict("records"), strict=True)
            if row in shown
        ]
        return json_response({**about(asked), **found.facts, "per": "1,000 households and month", "rows": rows})

    return from_reports(make)


def spots_of(asked: Chosen, smooth: bool, permutations: int | None, seed: int) -> HotSpots:
    """The hot spots of a question."""
    table = asked.source.grids.iloc[asked.rows]
    counts = np.bincount(asked.events.grid, minlength=len(asked.source.grids))[asked.rows].astype(np.int64)
    households = table["households"].fillna(0).to_numpy(np.int64)
    return hot_spots(
        table.geometry.to_numpy(), households, counts, asked.span,
        smooth=smooth, permutations=permutations, seed=seed,
    )  # fmt: skip


def row_facts(told: dict[Any, Any]) -> dict[str, Any]:
    """A grid's figures for JSON."""
    whole = {name: int(told[name]) for name in ("households", "reports", "neighbours")}
    parts = {name: number(told[name]) for name in ("rate", "smoothed", "z", "p", "q")}
    return whole | parts | {"spot": str(told["spot"])}
