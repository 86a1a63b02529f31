"""How many reach what: of the whole district, and place by place."""

from __future__ import annotations

from typing import Any

from apiflask.fields import String
from flask import Response

from api.circles.blueprint import CategoryQuery, ProfileQuery, about_run, bp, category_of, run_of, tagged, unchanged
from api.json import json_response
from api.state import state
from data.circles import PLACES, computed_profiles, coverage_rows
from gisgrid.errors import BadInput

WHO = ("buildings", "residents", "elderly")


class CoverageQuery(CategoryQuery):
    """One category of one profile, by one kind of place."""

    by = String(load_default="grid", metadata={"description": "grid, community or district"})


@bp.get("")
@bp.input(ProfileQuery, location="query", unknown=None)
def summary(query_data: dict[str, Any]) -> Response:
    """Coverage of the whole district by category, the score of its buildings, and which profiles are computed."""
    with state().engine.connect() as connection:
        run = run_of(connection, query_data["profile"])
        profiles = computed_profiles(connection)
    names = ("made_at", "minutes", "outdated", "categories", "report")
    report = run["report"]
    score = {name: report["score"][name] for name in ("mean", "gini", "histogram")}
    return json_response(about_run(run) | {"profiles": profiles, "score": score} | {name: run[name] for name in names})


@bp.get("/coverage")
@bp.input(CoverageQuery, location="query", unknown=None)
def coverage(query_data: dict[str, Any]) -> Response:
    """Coverage of one category, grid by grid or by community or district.

    Of buildings, residents and people of 60 and over: all, those on the network (``assessed``), those within the
    category's minutes (``covered``), those within its metres as the crow flies (``straight``); shares are of those
    assessed.
    """
    name, place = query_data["category"], query_data["by"]
    if place not in PLACES:
        raise BadInput(f"by={place!r} is not known; give {', '.join(sorted(PLACES))}")
    with state().engine.connect() as connection:
        run = run_of(connection, query_data["profile"])
        _, about = category_of(run, name)
        if (same := unchanged(run)) is not None:
            return same
        rows = coverage_rows(connection, run["id"], name, place, run["generation"])
    told = [dict(row) | _shares(dict(row)) for row in rows]
    facts = {"category": name, "by": place, "minutes": about["minutes"], "metres": about["metres"]}
    return tagged(run, json_response(about_run(run) | facts | {"rows": told}))


def share(part: int, whole: int) -> float | None:
    """part / whole, None where there is nothing to cover."""
    return round(part / whole, 4) if whole else None


def _shares(row: dict[str, Any]) -> dict[str, float | None]:
    return {f"{who}_share": share(row[f"{who}_covered"], row[f"{who}_assessed"]) for who in WHO} | {
        f"{who}_straight_share": share(row[f"{who}_straight"], row[f"{who}_assessed"]) for who in WHO
    }
