"""The jobs ``circles_sites``, ``circles_straight`` and ``circles_response``."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd

from api.circles.files import collection_of, write_output
from data import db
from gisgrid.jobs import JobFiles
from gisgrid.limits import SERVICE_SHOWN_MAX
from gisgrid.models import Progress
from gisgrid.settings import Settings
from planning.workflow_circles import plain
from planning.workflow_services import response_in_force, sites_in_force, straight_in_force

SITES: Final = "circles_sites"
STRAIGHT: Final = "circles_straight"
RESPONSE: Final = "circles_response"


def sites_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Find new sites; parameters as `api.circles.services` makes them. Facts: figures by category, the first sites."""
    settings = Settings.from_env()
    with db.database(settings) as engine:
        generation, result = sites_in_force(engine, settings, params, progress=progress)
    layers = {"sites": result.sites, "residences": result.residences, "unreachable": result.unreachable}
    output = write_output(files, "sites", layers, result.report, params["format"])
    kept = ("category", "minutes", "sites", "gap", "proven", "mean_minutes_before", "mean_minutes_after")
    categories = [
        {name: value for name, value in row.items() if name in kept or name.startswith(params["weight"])}
        for row in result.report["categories"]
    ]
    return {
        "generation": generation, "proven": bool(result.proven), "categories": plain(categories),
        "sites": collection_of(result.sites.head(SERVICE_SHOWN_MAX)), "output": output,
    }  # fmt: skip


def straight_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Find what lies in straight reach. Facts: shares, and the first further facilities."""
    settings = Settings.from_env()
    with db.database(settings) as engine:
        generation, result = straight_in_force(engine, settings, params, progress=progress)
    layers = {
        "covered": result.covered, "remainder": result.remainder, "extra": result.extra,
        "facilities": result.facilities, "residences": result.residences, "areas": result.areas,
    }  # fmt: skip
    output = write_output(files, "straight", layers, result.report, params["format"])
    names = ("facilities", "radius", "area", "buildings", "residents", "elderly", "extra")
    facts = {name: result.report[name] for name in names if name in result.report}
    further = {} if result.extra is None else {"sites": collection_of(result.extra.head(SERVICE_SHOWN_MAX))}
    return {"generation": generation, **plain(facts), **further, "output": output}


def response_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Find how soon vehicles come. Facts: the promise kept in town and outside, grids by level."""
    settings = Settings.from_env()
    with db.database(settings) as engine:
        generation, result = response_in_force(engine, settings, params, progress=progress)
    layers: dict[str, gpd.GeoDataFrame | None] = {
        "residences": result.residences, "stations": result.stations, "districts": result.districts,
        "reach": result.reach, "grids": result.grids,
    }  # fmt: skip
    output = write_output(files, "response", layers, result.report, params["format"])
    names = ("minutes", "outside_minutes", "turnout_seconds", "factor", "town", "promise", "grids")
    facts = {name: result.report[name] for name in names if name in result.report}
    return {"generation": generation, "stations": len(result.stations), **plain(facts), "output": output}
