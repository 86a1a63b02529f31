"""``gisgrid circles``: who reaches what in 5, 10 and 15 minutes."""

from __future__ import annotations

from pathlib import Path

import click
import geopandas as gpd

from api.cli.inputs import read_place_file, whole_numbers
from api.cli.output import MapFile, Output, output_options, table_lines
from api.json import json_bytes
from data import db
from data.code_tables import facility_categories
from data.exporters import write_layers
from data.files import read_layer
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from planning.circles import CirclesResult, service_circles
from planning.workflow_circles import circles_in_force


@click.command("circles")
@click.option("--streets", help="Street file or OSM extract; without it, everything comes from PostGIS.")
@click.option("--facilities", help="Facility file (or OSM extract) with a category column.")
@click.option("--residences", help="Building file (or OSM extract) with households and population.")
@click.option("--grids", help="Grid file, for figures grid by grid.")
@click.option("--minutes", default="5,10,15", show_default=True, help="Minutes of the polygons.")
@click.option("--profile", default="adult", show_default=True, help="adult, elderly or frail.")
@click.option("--out", type=MapFile(), help="File for residences, isochrones and grids.")
@click.option("--report", type=MapFile(".json"), help="JSON file for all figures.")
@output_options
def circles(
    output: Output, streets: str | None, facilities: str | None, residences: str | None, grids: str | None,
    minutes: str, profile: str, out: Path | None, report: Path | None,
) -> None:  # fmt: skip
    """Walking times from each building to the nearest facility of each category, and what they cover."""
    settings, wanted = Settings.from_env(), whole_numbers(minutes, "--minutes")
    if streets is None:
        with db.database(settings) as engine, output.stage("circles") as progress:
            _, result = circles_in_force(engine, settings, minutes=wanted, profile=profile, progress=progress)
    else:
        if facilities is None or residences is None:
            raise BadInput("--streets needs --facilities and --residences beside it")
        if out is None:
            raise BadInput("--out is missing: name the file for the results")
        with output.stage("reading"):
            lines = read_place_file(streets, "streets")
            places = read_place_file(facilities, "facilities")
            homes = read_place_file(residences, "buildings")
            cells = read_layer(grids, layer="grids") if grids else None
        with output.stage("circles") as progress:
            result = service_circles(
                lines, places, homes, grids=cells, categories=facility_categories(settings), minutes=wanted,
                profile=profile, progress=progress,
            )  # fmt: skip
    if out is not None:
        write_layers(out, _layers(result))
    if report is not None:
        report.write_bytes(json_bytes(result.report))
    _tell(output, result, out)


def _layers(result: CirclesResult) -> dict[str, gpd.GeoDataFrame]:
    layers = {"residences": result.residences}
    if len(result.isochrones):
        layers["isochrones"] = result.isochrones
    if result.grids is not None:
        layers["grids"] = result.grids
    return layers


def _tell(output: Output, result: CirclesResult, out: Path | None) -> None:
    rows = [
        (
            row["category"], row["name_zh"], row["minutes"], row["facilities"],
            _percent(row["buildings_covered"], row["buildings_assessed"]),
            _percent(row["residents_covered"], row["residents_assessed"]),
        )
        for row in result.coverage.to_dict("records")
    ]  # fmt: skip
    lines = table_lines(("category", "", "min", "facilities", "buildings", "residents"), rows)
    # categories without a facility show in the table
    lines += [f"note: {note}" for note in result.report.get("notes", []) if not note.startswith("no facility")]
    output.result({"report": result.report, "out": str(out) if out else None}, [*lines, *([f"→ {out}"] if out else [])])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


COMMANDS = (circles,)
