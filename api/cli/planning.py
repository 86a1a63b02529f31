"""``gisgrid units | plan | plans | check | clean | publish``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options, table_lines
from api.json import json_bytes
from data import db, plans
from data.exporters import write_layers
from data.files import layer_names, parse_spec, read_layer
from gisgrid.coverage import CoverageReport, check, clean
from gisgrid.errors import EXIT_CHECK_FAILED, BadInput
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow
from planning.partition import PRESETS, PlanResult, parse_weights, partition, preset_of
from planning.units import make_units

band_option = click.option(
    "--households",
    "band",
    default="300:500",
    show_default=True,
    metavar="MIN:MAX",
    help="Households a grid should have.",
)

crs_option = click.option(
    "--crs", help="Coordinate system of the file: wgs84, gcj02, bd09, cgcs2000 or EPSG:n; needed where it tells none."
)


@click.command("units")
@click.argument("buildings", required=False)
@click.option("--streets", help="Street file: FILE[:layer], or an OSM extract; water and walls in it count too.")
@click.option("--area", required=True, help="Area file; without BUILDINGS, the code of a stored area.")
@click.option("--max-households", default=60, show_default=True, help="Blocks above this are divided along buildings.")
@click.option("--out", type=MapFile(), help="File for the units.")
@crs_option
@output_options
def units(
    output: Output, buildings: str | None, streets: str | None, area: str, max_households: int, crs: str | None,
    out: Path | None,
) -> None:  # fmt: skip
    """Cut an area into units along streets, water, walls and buildings.

    With BUILDINGS everything is read from files; without, from PostGIS, where the units are kept too.
    """
    if max_households < 1:
        raise BadInput(f"--max-households {max_households}: give 1 or more")
    if buildings is None:
        _units_from_database(output, area, max_households, out)
        return
    if out is None:
        raise BadInput("--out is missing: name the file for the units")
    with output.stage("reading"):
        houses, outline = read_place_file(buildings, "buildings", crs=crs), read_place_file(area, "areas")
        barriers = read_barriers(streets) if streets else {}
    with output.stage("units") as progress:
        made = make_units(
            houses, barriers.get("streets"), outline, water=barriers.get("water"), walls=barriers.get("walls"),
            max_households=max_households, progress=progress,
        )  # fmt: skip
    write_layers(out, {"units": made})
    _tell_units(output, made, {"out": str(out)}, str(out))


def _units_from_database(output: Output, area: str, max_households: int, out: Path | None) -> None:
    with db.database(Settings.from_env()) as engine, output.stage("units") as progress:
        key, made = workflow.units_for_area(engine, area, max_households=max_households, progress=progress)
    if out is not None:
        write_layers(out, {"units": made})
    _tell_units(output, made, {"unit_set": key}, f"unit set {key}")


def _tell_units(output: Output, made: gpd.GeoDataFrame, where: dict[str, Any], place: str) -> None:
    households = int(made["households"].sum())
    facts = {"units": len(made), "households": households, "communities": int(made["community"].nunique())}
    output.result(facts | where, [f"{len(made)} units, {households} households → {place}"])


@click.command("plan")
@click.argument("units", required=False)
@click.option("--streets", help="Street file whose classes boundaries prefer.")
@click.option("--area", help="Without UNITS: code of a stored area.")
@band_option
@click.option("--grids", type=click.IntRange(min=1), help="Number of ordinary grids; chosen by itself when not given.")
@click.option("--seed", default=0, show_default=True, help="Same input and seed give the same plan.")
@click.option("--time-limit", type=float, metavar="S", help="Stop after S seconds with the best plan so far.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="balanced", show_default=True)
@click.option("--weights", default="", metavar="NAME=X,…", help="Weights set over the preset's: street=6,compact=3 …")
@click.option("--name", default="", help="Name of the stored plan.")
@click.option("--out", type=MapFile(), help="File for the layers grids and units.")
@click.option("--report", type=MapFile(".json"), help="JSON file for figures and reasons.")
@crs_option
@output_options
def plan(
    output: Output, units: str | None, streets: str | None, area: str | None, crs: str | None, band: str,
    grids: int | None, seed: int, time_limit: float | None, preset: str, weights: str, name: str, out: Path | None,
    report: Path | None,
) -> int:  # fmt: skip
    """Divide units into balanced, contiguous grids. Exit 1 when the band cannot be met (the best plan is kept).

    With UNITS the plan goes to --out; without, the newest units of --area are planned in PostGIS as a draft.
    """
    wanted = Band.parse(band)
    options: dict[str, Any] = {"band": wanted, "grids": grids, "seed": seed, "time_limit": time_limit, "preset": preset}
    if weights:
        options["weights"] = parse_weights(weights, preset_of(preset).weights)
    if units is None:
        if area is None:
            raise BadInput("give a UNITS file, or --area CODE for a stored area")
        with db.database(Settings.from_env()) as engine, output.stage("plan") as progress:
            key, cells, result = workflow.plan_for_area(engine, area, name=name, progress=progress, **options)
        where: dict[str, Any] = {"plan": key}
        if out is not None:
            _write_plan(out, cells, result)
            where["out"] = str(out)
    else:
        if out is None:
            raise BadInput("--out is missing: name the file for the plan")
        with output.stage("reading"):
            cells = read_layer(units, layer="units", crs=crs)
            lines = workflow.barrier_lines(**read_barriers(streets)) if streets else None
        with output.stage("plan") as progress:
            result = partition(cells, lines, progress=progress, **options)
        where = {"out": str(out)}
        _write_plan(out, cells, result)
    if report is not None:
        facts = {"feasible": result.feasible, "reasons": _reasons(result), "stats": result.stats}
        report.write_bytes(json_bytes(facts))
    return _tell_plan(output, result, wanted, where)


def _write_plan(out: Path, cells: gpd.GeoDataFrame, result: PlanResult) -> None:
    """Layers ``grids`` and ``units`` (the input columns and ``grid``), in the metric system they were computed in."""
    owned = gpd.GeoDataFrame(cells.drop(columns="geometry"), geometry=result.geometry, crs=result.grids.crs)
    owned["grid"] = result.grids["code"].to_numpy()[result.assignment]
    write_layers(out, {"grids": result.grids, "units": owned})


def _reasons(result: PlanResult) -> list[dict[str, Any]]:
    return [workflow.reason_json(reason) for reason in result.reasons]


def _tell_plan(output: Output, result: PlanResult, band: Band, where: dict[str, Any]) -> int:
    ordinary = result.grids[result.grids["kind"] == "ordinary"]
    inside = int(ordinary["households"].between(band.low, band.high).sum())
    special = len(result.grids) - len(ordinary)
    facts = {
        "grids": len(result.grids), "ordinary": len(ordinary), "in_band": inside, "special": special,
        "feasible": result.feasible, "reasons": _reasons(result), "stats": result.stats,
    }  # fmt: skip
    place = " ".join(str(value) for value in where.values())
    lines = [f"{len(result.grids)} grids ({special} special), {inside} of {len(ordinary)} in band {band} → {place}"]
    lines += [f"  {reason.text}" for reason in result.reasons]
    output.result(facts | where, lines)
    return 0 if result.feasible else EXIT_CHECK_FAILED


@click.command("plans")
@output_options
def list_plans(output: Output) -> None:
    """List the stored plans."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        rows = plans.all_plans(connection)
    header = ("plan", "area", "status", "band", "feasible", "name")
    table = [(row.id, row.area, row.status, row.band, "yes" if row.feasible else "no", row.name) for row in rows]
    facts = [dict(zip(header, [*line[:3], str(line[3]), *line[4:]], strict=True)) for line in table]
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


@click.command("publish")
@click.argument("plan", type=int)
@click.option("--note", default="", help="Why, for the record.")
@output_options
def publish(output: Output, plan: int, note: str) -> None:
    """Put a stored draft plan in force as a new generation."""
    with db.database(Settings.from_env()) as engine, output.stage("publishing"):
        done = workflow.publish(engine, plan, note=note)
    facts = {"generation": done.generation.id, "plan": plan, "check": done.report.as_dict()}
    output.result(facts, [f"generation {done.generation.id} is in force ({done.report.grids} grids of plan {plan})"])


COMMANDS = (units, plan, list_plans, check_grids, clean_grids, publish)
