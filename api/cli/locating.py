"""``gisgrid locate``: the owner of every point of a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from api.cli.moving import moved, moved_options
from api.cli.output import MapFile, Output, output_options
from data import db
from data.files import parse_spec, read_layer
from data.in_force import read_current, read_in_force
from data.plans import generation_then
from data.point_streams import WRITABLE, Grids, Tally, locate_file, open_points
from data.point_streams.writers import check_output
from gisgrid.errors import BadInput
from gisgrid.limits import OUTSIDE_METRES_MAX
from gisgrid.locate import GridIndex
from gisgrid.locate.points import index_of
from gisgrid.moments import past_moment_or_number
from gisgrid.settings import Settings

INDEX_ENDING = ".loc"


@click.command("locate")
@click.argument("points", required=False)
@click.option("--grids", help="Grid file or index (.loc); without it, the grids in force in PostGIS.")
@click.option(
    "--at", metavar="WHEN", help="The grids in force in PostGIS then: a date, a time, or the number of a generation."
)
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
@click.option("--out", type=MapFile(*WRITABLE), help="File for the points with their owners.")
@moved_options
@output_options
def locate(
    output: Output,
    points: str | None,
    grids: str | None,
    at: str | None,
    crs: str | None,
    columns: str | None,
    max_metres: float,
    batch_rows: int | None,
    out: Path | None,
    **reports: bool,
) -> None:
    """Find the grid that owns each point: the smallest code among the grids that cover it.

    Adds the columns grid, outside, nearest, metres and reason; rows that cannot be used are kept, with the reason.
    Files of any length (CSV, GeoJSON, GeoPackage, Parquet, FlatGeobuf, shapefile) go through in batches.

    With --moved, in place of a file of points: the open reports stored in PostGIS whose owner changed by a publish.
    """
    if reports.pop("moved"):
        if points is not None:
            raise BadInput(f"--moved looks at the stored reports, not at {points}; leave the file out")
        if at is not None:
            raise BadInput("--at goes with a file of points, not with --moved")
        moved(output, out=out, **reports)
        return
    if any(reports.values()):
        raise BadInput("--apply and --unlocated go with --moved")
    if points is None or out is None:
        raise BadInput("give a file of POINTS and --out FILE, or --moved for the stored reports")
    if at is not None and grids is not None:
        raise BadInput("--at asks PostGIS for the grids of then; leave --grids out")
    with output.stage("reading"):
        typed = out.suffix.lower() not in (".csv", ".tsv")
        stream = open_points(points, crs=crs, columns=_names(columns), batch_rows=batch_rows, typed=typed)
        check_output(out, stream.path, *([_path_of(grids)] if grids else []))
    with output.stage("indexing grids"):
        located_in = _grids_of_file(grids) if grids else _grids_in_force(at)
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


def _path_of(grids: str) -> Path:
    return Path(grids) if grids.endswith(INDEX_ENDING) else parse_spec(grids).path


def _grids_of_file(grids: str) -> Grids:
    if not grids.endswith(INDEX_ENDING):
        return Grids.of_layer(read_layer(grids, layer="grids"))
    index = GridIndex.load(grids)
    if index.crs is None:
        raise BadInput(f"{grids}: does not say its coordinate system; make it again with 'gisgrid index'")
    return Grids.of_index(index, index.crs)


def _grids_in_force(at: str | None) -> Grids:
    """The grids in force now, or then. Raises NotFound, BadInput."""
    settings = Settings.from_env()
    with db.database(settings) as engine, engine.connect() as connection:
        if at is None:
            return Grids.of_generation(read_current(connection, settings.home))
        when = past_moment_or_number(at, name="--at", zone=settings.timezone, now=datetime.now(UTC))
        generation = generation_then(connection, when)
        return Grids.of_generation(read_in_force(connection, generation, settings.home))


@click.command("index")
@click.argument("grids")
@click.option("--crs", help="Coordinate system of the grids, where the file does not say it.")
@click.option("--out", type=MapFile(INDEX_ENDING), required=True, help="File for the index, .loc.")
@output_options
def index(output: Output, grids: str, crs: str | None, out: Path) -> None:
    """Index a grid file once, for any number of runs of locate --grids FILE.loc, which map it into memory."""
    with output.stage("reading"):
        layer = read_layer(grids, layer="grids", crs=crs)
    with output.stage("indexing grids") as progress:
        made = index_of(layer, progress=progress)
        made.save(out)
    facts = {"grids": len(made), "bytes": made.nbytes, "crs": made.crs, "out": str(out)}
    output.result(facts, [f"{len(made):,} grids indexed, {made.nbytes / 1e6:.1f} MB → {out}"])


COMMANDS = (locate, index)
