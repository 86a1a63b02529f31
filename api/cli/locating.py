"""``gisgrid locate``: the owner of every point of a file."""

from __future__ import annotations

from pathlib import Path

import click
import geopandas as gpd

from api.cli.output import MapFile, Output, output_options
from data import db, plans
from data.exporters import write_layers
from data.files import read_layer
from gisgrid.errors import NotFound
from gisgrid.locate import locate_points
from gisgrid.settings import Settings


@click.command("locate")
@click.argument("points")
@click.option("--grids", help="Grid file; without it, the grids in force in PostGIS.")
@click.option("--crs", help="Coordinate system of the points: wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@click.option("--out", type=MapFile(), required=True, help="File for the points with their owners.")
@output_options
def locate(output: Output, points: str, grids: str | None, crs: str | None, out: Path) -> None:
    """Find the grid that owns each point: the smallest code among the grids that cover it.

    Adds the columns grid, outside, nearest, metres and reason; rows that cannot be used are kept, with the reason.
    """
    with output.stage("reading"):
        rows = read_layer(points, layer="points", crs=crs)
        layer = read_layer(grids, layer="grids") if grids else _grids_in_force()
    with output.stage("locating"):
        owners = locate_points(rows, layer)
    write_layers(out, {"points": rows.drop(columns=list(owners.columns), errors="ignore").join(owners)})
    counts = {
        "points": len(rows),
        "located": int(owners["grid"].notna().sum()),
        "outside": int(owners["outside"].sum()),
        "unusable": int(owners["reason"].notna().sum()),
    }
    line = "{points} points: {located} located, {outside} outside every grid, {unusable} unusable".format(**counts)
    lines = [f"{line} → {out}"]
    if counts["located"] == 0:
        lines.append("no point lies in any grid: do points and grids belong together, and is --crs right?")
    output.result(counts | {"out": str(out)}, lines)


def _grids_in_force() -> gpd.GeoDataFrame:
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        generation = plans.current_generation(connection)
        if generation is None:
            raise NotFound("no plan is published yet; publish one first or give --grids FILE")
        return plans.grids_in_force(connection, generation.id)


COMMANDS = (locate,)
