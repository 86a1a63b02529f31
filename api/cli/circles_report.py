"""Writing what a circles run found to a report: JSON for scripts, one HTML page for people, by the ending."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import sqlalchemy as sa

from api.cli.reporting import write_whole
from api.json import json_bytes
from data import tables as t
from data.loading import read_rows
from gisgrid import __version__
from layers.report import CirclesData, render_circles
from planning.circles import CirclesResult
from planning.graph import CLASSES, NO_STREET, street_classes

REPORT_ENDINGS: Final = (".json", ".html")
"""What ``--report`` files may end in."""


def write_circles_report(path: Path, result: CirclesResult, streets: gpd.GeoDataFrame | None) -> None:
    """Report a circles run to ``path`` (`REPORT_ENDINGS`); ``streets``: lines with ``cls`` or ``highway``."""
    if path.suffix.lower() == ".json":
        write_whole(path, json_bytes(result.report))
        return
    write_whole(path, render_circles(circles_data(result, streets)).encode())


def circles_data(result: CirclesResult, streets: gpd.GeoDataFrame | None) -> CirclesData:
    """What the page shows of a result, in one metric CRS."""
    crs = result.report["crs"]
    lines = None
    if streets is not None and len(streets):
        lines = streets.to_crs(crs)[["geometry"]].assign(cls=_classes(streets))
    outlines = result.communities if result.communities is not None else result.grids
    return CirclesData(
        report=result.report,
        coverage=result.coverage,
        tiers=result.tiers,
        community_scores=result.community_scores,
        residences=pd.DataFrame(result.residences[["assessable", "score"]]),
        shapes=result.residences.geometry.to_crs(crs).to_numpy(),
        isochrones=result.isochrones,
        blind_spots=result.blind_spots,
        facilities=result.facilities,
        outlines=None if outlines is None else outlines.to_crs(crs),
        streets=lines,
        version=f"gisgrid {__version__}",
    )


def stored_streets(engine: sa.Engine, result: CirclesResult) -> gpd.GeoDataFrame:
    """The streets in PostGIS where the residences of a result are."""
    box = result.residences.geometry.to_crs(t.SRID).total_bounds.tolist()
    with engine.connect() as connection:
        near = t.streets.c.geometry.bool_op("&&")(sa.func.ST_MakeEnvelope(*box, t.SRID))
        return read_rows(connection, t.streets, where=[near])


def _classes(streets: gpd.GeoDataFrame) -> list[str]:
    """Street classes for the map; ways that are no street are paths."""
    if "cls" not in streets and "highway" not in streets:
        return ["residential"] * len(streets)
    return ["foot" if number == NO_STREET else CLASSES[number] for number in street_classes(streets)]
