"""``gisgrid locate``: the owner of every point of a file."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.output import MapFile, Output, output_options
from data import db, plans
from data.files import parse_spec, read_layer
from data.point_streams import WRITABLE, Grids, Tally, locate_file, open_points
from data.point_streams.writers import check_output
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import OUTSIDE_METRES_MAX
from gisgrid.settings import Settings


@click.command("locate")
@click.argument("points")
@click.option("--grids", help="Grid file; without it, the grids in force in PostGIS.")
@click.option("--crs", help="Coordinate system of the points: wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@click.option("--columns", metavar="LON,LAT", help="Columns of a table that hold longitude (x) and latitude (y).")
@click.option(
    "--max-metres", default=OUTSIDE_METRES_MAX, show_default=True, type=click.FloatRange(min=0),
    help="How far a point outside may be from its nearest grid to be told it; 0: do not search.",
)  # fmt: skip
@click.option(
    "--batch-rows",
    type=click.IntRange(1_000, 10_000_000),
    help="Rows in memory at a time; by default what suits the file.",
)
@click.option("--out", type=MapFile(*WRITABLE), required=True, help="File for the points with their owners.")
@output_options
def locate(
    output: Output,
    points: str,
    grids: str | None,
    crs: str | None,
    columns: str | None,
    max_metres: float,
    batch_rows: int | None,
    out: Path,
) -> None:
    """Find the grid that owns each point: the smallest code among the grids that cover it.

    Adds the columns grid, outside, nearest, metres and reason; rows that cannot be used are kept, with the reason.
    Files of any length (CSV, GeoJSON, GeoPackage, Parquet, FlatGeobuf, shapefile) go through in batches.
    """
    with output.stage("reading"):
        typed = out.suffix.lower() not in (".csv", ".tsv")
        stream = open_points(points, crs=crs, columns=_names(columns), batch_rows=batch_rows, typed=typed)
        check_output(out, stream.path, *([parse_spec(grids).path] if grids else []))
    with output.stage("indexing grids"):
        located_in = Grids.of_layer(read_layer(grids, layer="grids")) if grids else _grids_in_force()
    with output.stage("locating") as progress:
        tally = locate_file(stream, out, located_in, max_metres=max_metres, progress=progress)
    output.result(tally.facts() | {"out": str(out)}, [*_lines(tally, out)])


def _lines(tally: Tally, out: Path) -> list[str]:
    line = f"{tally.points:,} points: {tally.located:,} located, {tally.outside:,} outside every grid"
    lines = [f"{line}, {tally.unusable:,} unusable → {out}"]
    lines += [f"  {count:,} × {reason}" for reason, count in tally.reasons.most_common()]
    if tally.located == 0:
        lines.append("no point lies in any grid: do points and grids belong together, and is --crs right?")
    return lines


def _names(columns: str | None) -> tuple[str, str] | None:
    """``lon,lat`` as two names. Raises BadInput."""
    if columns is None:
        return None
    x, _, y = columns.partition(",")
    if not x.strip() or not y.strip() or "," in y:
        raise BadInput(f"--columns {columns!r} are not two column names; give for example --columns lon,lat")
    return x.strip(), y.strip()


def _grids_in_force() -> Grids:
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        generation = plans.current_generation(connection)
        if generation is None:
            raise NotFound("no plan is published yet; publish one first or give --grids FILE")
        return Grids.of_layer(plans.grids_in_force(connection, generation.id))


COMMANDS = (locate,)
