"""The job ``circles``: a run for the grids in force, stored, or made into files at another speed."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd

from api.circles.files import write_output
from data import db
from gisgrid.jobs import JobFiles
from gisgrid.models import Progress
from gisgrid.settings import Settings
from planning.circles import CirclesResult
from planning.workflow_circles import Question, circles_in_force, compute_circles

CIRCLES: Final = "circles"


def circles_params(question: Question, form: str = "zip") -> dict[str, Any]:
    """What the job is asked with."""
    return {
        "profile": question.profile, "minutes": list(question.minutes), "speed": question.metres_per_second,
        "factor": question.factor, "format": form,
    }  # fmt: skip


def compute_circles_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Compute circles; parameters as `circles_params` makes them.

    Facts: ``stored`` and with it ``run``; else ``output``, the file made. Raises NotFound when nothing is published any
    more, BadInput where the stored layers cannot be used.
    """
    settings = Settings.from_env()
    question = Question(params["profile"], tuple(params["minutes"]), params["speed"], params["factor"])
    facts: dict[str, Any] = {"profile": question.profile, "minutes": list(question.minutes)}
    with db.database(settings) as engine:
        if question.usual:
            run, result = circles_in_force(engine, settings, profile=question.profile, progress=progress)
            return facts | _figures(result) | {"stored": True, "run": run}
        source, result = compute_circles(engine, settings, question, progress=progress)
    progress(0.95, "files")
    output = write_output(files, "circles", layers_of(result), result.report, params["format"])
    about = {"stored": False, "generation": source.generation, "output": output}
    return facts | _figures(result) | about


def layers_of(result: CirclesResult) -> dict[str, gpd.GeoDataFrame | None]:
    """The layers of a result, by name."""
    return {
        "residences": result.residences, "isochrones": result.isochrones, "blind_spots": result.blind_spots,
        "grids": result.grids, "communities": result.communities,
    }  # fmt: skip


def _figures(result: CirclesResult) -> dict[str, Any]:
    names = ("residences", "residences_assessed", "facilities", "facilities_on_network")
    return {"categories": len(result.coverage)} | {name: result.report[name] for name in names}
