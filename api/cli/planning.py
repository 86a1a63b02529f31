"""``gisgrid units | plans | check | clean``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import band_option, crs_option, is_osm_file, read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options, table_lines
from data import db, plans
from data.exporters import write_layers
from data.files import layer_names, parse_spec, read_layer
from gisgrid.coverage import CoverageReport, check, clean
from gisgrid.errors import EXIT_CHECK_FAILED, BadInput
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow
from planning.units import above_limit, entrance_units, make_units


@click.command("units")
@click.argument("buildings", required=False)
@click.option("--streets", help="Street file: FILE[:layer], or an OSM extract; water and walls in it count too.")
@click.option("--area", required=True, help="Area file; without BUILDINGS, the code of a stored area.")
@click.option("--max-households", default=60, show_default=True, help="Blocks above this are divided along buildings.")
@click.option(
    "--special-max-area",
    type=float,
    metavar="M2",
    help="Ground nobody lives on above this is divided along its paths, so that a park can have micro-grids.",
)
@click.option("--landuse", help="File of polygons with kind (park, scenic, school …) that name empty ground.")
@click.option(
    "--entrances", is_flag=True, help="Also divide each building by its entrances (layer entrances of --out)."
)
@click.option("--out", type=MapFile(), help="File for the units.")
@crs_option
@output_options
def units(
    output: Output, buildings: str | None, streets: str | None, area: str, max_households: int,
    special_max_area: float | None, landuse: str | None, entrances: bool, crs: str | None, out: Path | None,
) -> None:  # fmt: skip
    """Cut an area into units along streets, water, walls and buildings.

    With BUILDINGS everything is read from files; without, from PostGIS, where the units are kept too. With
    --max-households 1 every building people live in is a unit.
    """
    if max_households < 1:
        raise BadInput(f"--max-households {max_households}: give 1 or more")
    if entrances and max_households != 1:
        raise BadInput("--entrances divides buildings: use it with --max-households 1")
    if buildings is None:
        if entrances or landuse:
            raise BadInput("--entrances and --landuse are for files: give BUILDINGS")
        _units_from_database(output, area, max_households, special_max_area, out)
        return
    if out is None:
        raise BadInput("--out is missing: name the file for the units")
    with output.stage("reading"):
        houses, outline = read_place_file(buildings, "buildings", crs=crs), read_place_file(area, "areas")
        barriers = read_barriers(streets) if streets else {}
        grounds = read_layer(landuse, layer="landuse") if landuse else None
    with output.stage("units") as progress:
        made = make_units(
            houses, barriers.get("streets"), outline, water=barriers.get("water"), walls=barriers.get("walls"),
            landuse=grounds, max_households=max_households, special_max_area=special_max_area, progress=progress,
        )  # fmt: skip
    layers = {"units": made}
    if entrances:
        with output.stage("entrances"):
            layers["entrances"] = entrance_units(made, houses, _addresses(buildings))
    write_layers(out, layers)
    _tell_units(
        output, made, max_households, {"out": str(out)} | {name: len(layer) for name, layer in layers.items()}, str(out)
    )


def _addresses(buildings: str) -> gpd.GeoDataFrame | None:
    """Addresses in the file of the buildings, None when it has no such layer."""
    if is_osm_file(buildings):
        return read_place_file(buildings, "addresses")
    path = str(parse_spec(buildings).path)
    return read_layer(path, layer="addresses") if "addresses" in layer_names(path) else None


def _units_from_database(
    output: Output, area: str, max_households: int, special_max_area: float | None, out: Path | None
) -> None:
    with db.database(Settings.from_env()) as engine, output.stage("units") as progress:
        key, made = workflow.units_for_area(
            engine, area, max_households=max_households, special_max_area=special_max_area, progress=progress
        )
    if out is not None:
        write_layers(out, {"units": made})
    _tell_units(output, made, max_households, {"unit_set": key}, f"unit set {key}")


def _tell_units(output: Output, made: gpd.GeoDataFrame, most: int, where: dict[str, Any], place: str) -> None:
    households = int(made["households"].sum())
    above = above_limit(made, most)["unit_id"].tolist()
    facts = {
        "units": len(made), "households": households, "communities": int(made["community"].nunique()), "above": above,
    }  # fmt: skip
    lines = [f"{len(made)} units, {households} households → {place}"]
    if above and most > 1:
        more = f" and {len(above) - 5} more" if len(above) > 5 else ""
        lines.append(f"  single buildings above {most} households: units {', '.join(above[:5])}{more}")
    output.result(facts | where, lines)


@click.command("plans")
@output_options
def list_plans(output: Output) -> None:
    """List the stored plans."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = plans.all_plans(connection)
    header = ("plan", "area", "system", "status", "band", "feasible", "name")
    table = [
        (row.id, row.area, row.system, row.status, str(row.band), "yes" if row.feasible else "no", row.name)
        for row in rows
    ]
    facts = [dict(zip(header, line, strict=True)) for line in table]
    output.result({"plans": facts}, table_lines(header, table))


@click.command("check")
@click.argument("grids", required=False)
@click.option("--area", help="Area file that must be covered; without GRIDS, an area code.")
@band_option
@crs_option
@output_options
def check_grids(output: Output, grids: str | None, area: str | None, crs: str | None, band: str) -> int:
    """Look for gaps, overlaps, broken grids and wrong codes. Exit 1 when something is broken.

    With GRIDS a file is checked; without, the grids in force in PostGIS.
    """
    if grids is None:
        with db.database(Settings.from_env()) as engine:
            return _tell_check(output, workflow.check_in_force(engine, area))
    layer = read_layer(grids, layer="grids", crs=crs)
    outline = read_place_file(area, "areas") if area else None
    source = parse_spec(grids)
    with_units = source.layer is None and "units" in layer_names(source.path)
    units_layer = read_layer(str(source.path), layer="units", crs=crs) if with_units else None
    return _tell_check(output, check(layer, outline, units=units_layer, band=Band.parse(band)))


def _tell_check(output: Output, report: CoverageReport) -> int:
    output.result(report.as_dict(), report.lines())
    return 0 if report.ok else EXIT_CHECK_FAILED


@click.command("clean")
@click.argument("grids")
@click.option("--out", type=MapFile(), required=True, help="File for the cleaned grids.")
@crs_option
@output_options
def clean_grids(output: Output, grids: str, crs: str | None, out: Path) -> None:
    """Make a hand-drawn grid layer a sound coverage: overlaps go to one grid, small gaps to a neighbour."""
    layer = read_layer(grids, layer="grids", crs=crs)
    with output.stage("cleaning"):
        done = clean(layer)
    write_layers(out, {"grids": done})
    output.result({"grids": len(done), "out": str(out)}, [f"{len(done)} grids → {out}"])


COMMANDS = (units, list_plans, check_grids, clean_grids)
