"""The job ``circles``: a run for the grids in force, stored, or made into files at another speed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Final

import geopandas as gpd

from api.json import json_bytes
from data import db
from data.exporters import write_layers
from gisgrid.jobs import JobFiles
from gisgrid.models import Progress
from gisgrid.settings import Settings
from planning.circles import CirclesResult
from planning.workflow_circles import Question, circles_in_force, compute_circles

CIRCLES: Final = "circles"


def compute_circles_job(params: dict[str, Any], files: JobFiles, progress: Progress) -> dict[str, Any]:
    """Compute circles; parameters as `api.circles.ask` makes them.

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
    out = files.folder / "circles.zip"
    zip_files(out, layers_of(result), {"report.json": json_bytes(result.report)})
    about = {"stored": False, "generation": source.generation, "output": out.name}
    return facts | _figures(result) | about


def layers_of(result: CirclesResult) -> dict[str, gpd.GeoDataFrame]:
    """The layers of a result that hold anything, by name."""
    layers = {
        "residences": result.residences, "isochrones": result.isochrones, "blind_spots": result.blind_spots,
        "grids": result.grids,
    }  # fmt: skip
    return {name: layer for name, layer in layers.items() if layer is not None and len(layer)}


def zip_files(path: Path, layers: dict[str, gpd.GeoDataFrame], texts: dict[str, bytes]) -> None:
    """One archive of a GeoPackage named as the archive, and some texts."""
    made = path.with_suffix(".gpkg")
    write_layers(made, layers)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(made, made.name)
        for name, text in texts.items():
            archive.writestr(name, text)
    made.unlink()


def _figures(result: CirclesResult) -> dict[str, Any]:
    names = ("residences", "residences_assessed", "facilities", "facilities_on_network")
    return {"categories": len(result.coverage)} | {name: result.report[name] for name in names}
