"""``gisgrid systems | fuse | crosswalk``: professional grid systems beside the comprehensive grids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click
import geopandas as gpd
import pandas as pd

from api.cli.inputs import read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options, table_lines
from api.json import json_bytes
from data import db, plans
from data.csv_cells import harmless_frame
from data.exporters import write_layers
from data.files import layer_names, parse_spec, read_layer
from data.grid_systems import GridSystem, grid_systems, professional_system, stored_name
from data.tables import COMPREHENSIVE
from gisgrid.errors import EXIT_CHECK_FAILED, BadInput
from gisgrid.models import Band
from gisgrid.settings import Settings
from planning import workflow
from planning.crosswalk import crosswalk, summary
from planning.partition import PRESETS
from planning.professional import ProfessionalPlan, Within, plan_professional

CONFLICTS_SHOWN = 10


@click.command("systems")
@click.option("--known", is_flag=True, help="Show the code table instead; needs no database.")
@output_options
def systems(output: Output, known: bool) -> None:
    """List the grid systems in force: the comprehensive one and the professional ones."""
    if known:
        _tell_known(output)
        return
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        generation = plans.current_generation(connection)
        rows = plans.stored_systems(connection, generation.id) if generation else []
    header = ("system", "english", "grids", "levels", "households", "generation", "plans")
    table = [
        (
            row["system"], _english(row["system"]), row["grids"], row["levels"], row["households"], row["generation"],
            ",".join(map(str, row["plans"])),
        )
        for row in rows
    ]  # fmt: skip
    facts = [row | {"name_en": _english(row["system"])} for row in rows]
    lines = table_lines(header, table) if rows else ["no grids are in force yet; publish a plan first"]
    output.result({"systems": facts}, lines)


def _tell_known(output: Output) -> None:
    found = list(grid_systems().values())
    header = ("system", "name", "english", "object code", "households")
    table = [
        (one.key, one.name, one.name_en, one.object_code + (" made" if one.made else ""), one.band) for one in found
    ]
    facts = [
        {
            "system": one.key, "name": one.name, "name_en": one.name_en, "object_code": one.object_code,
            "made": one.made, "band": str(one.band),
        }
        for one in found
    ]  # fmt: skip
    output.result({"known": facts}, table_lines(header, table))


def _english(system: str) -> str:
    if system == COMPREHENSIVE:
        return "Comprehensive"
    return next((one.name_en for one in grid_systems().values() if one.name == system), "")


@click.command("fuse")
@click.argument("grids", required=False)
@click.option("--area", help="Area file the grids are named by; without GRIDS, code of a stored area.")
@click.option("--system", required=True, help="Professional system: police, fire, 消防 …")
@click.option("--object-code", help="First 6 digits of the codes, in place of the system's in the code table.")
@click.option("--households", "band", metavar="MIN:MAX", help="Households a professional grid should have.")
@click.option(
    "--across", type=click.Choice(get_args(Within)[1:]), is_flag=False, flag_value="street",
    help="Let grids reach over communities: inside their street (the plain flag) or district.",
)  # fmt: skip
@click.option("--streets", help="Street file whose classes boundaries prefer.")
@click.option("--grids", "count", type=click.IntRange(min=1), help="Number of professional grids; free when not given.")
@click.option("--seed", default=0, show_default=True, help="Same input and seed give the same grids.")
@click.option("--time-limit", type=float, metavar="S", help="Stop after S seconds with the best so far.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="balanced", show_default=True)
@click.option("--name", default="", help="Name of the stored plan.")
@click.option("--crs", help="Coordinate system of the file: wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@click.option("--out", type=MapFile(), help="File for the layers professional (the new grids) and grids (with theirs).")
@output_options
def fuse(
    output: Output, grids: str | None, area: str | None, system: str, object_code: str | None, band: str | None,
    across: Within | None, streets: str | None, count: int | None, seed: int, time_limit: float | None, preset: str,
    name: str, crs: str | None, out: Path | None,
) -> int:  # fmt: skip
    """Join comprehensive grids (or units) to the grids of a professional system. Exit 1 when the band cannot be met.

    No grid is cut: each lies in one professional grid. With GRIDS the result goes to --out; without, the grids in force
    of --area are joined in PostGIS as a draft plan, to be published like any other.
    """
    profession = professional_system(system, object_code=object_code)
    wanted = Band.parse(band) if band else profession.band
    options: dict[str, Any] = {
        "system": profession.name, "object_code": profession.object_code, "band": wanted,
        "within": across or "community", "grids": count, "seed": seed, "time_limit": time_limit, "preset": preset,
    }  # fmt: skip
    where: dict[str, Any] = {}
    if grids is None:
        if area is None:
            raise BadInput("give a GRIDS file, or --area CODE for a stored area")
        with db.database(Settings.from_env()) as engine, output.stage("fuse") as progress:
            key, atoms, result = workflow.fuse_for_area(engine, area, name=name, progress=progress, **options)
        where["plan"] = key
    else:
        if out is None:
            raise BadInput("--out is missing: name the file for the professional grids")
        with output.stage("reading"):
            atoms = _first_level(read_layer(grids, layer="grids", crs=crs))
            lines = workflow.barrier_lines(**read_barriers(streets)) if streets else None
            places = _names(read_place_file(area, "areas")) if area else {}
        with output.stage("fuse") as progress:
            result = plan_professional(atoms, lines, names=places, progress=progress, **options)
    if out is not None:
        joined = atoms.assign(professional=result.grids["code"].to_numpy()[result.assignment])
        write_layers(out, {"professional": result.grids, "grids": joined.to_crs(result.grids.crs)})
        where["out"] = str(out)
    return _tell_fuse(output, result, profession, wanted, where, across=across is not None)


def _first_level(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Grids of the first level, where there are several; other layers as they are."""
    if "level" not in grids:
        return grids
    return grids[pd.to_numeric(grids["level"], errors="coerce").fillna(1) == 1].reset_index(drop=True)


def _names(areas: gpd.GeoDataFrame) -> dict[str, str]:
    """Names of areas by code."""
    if "code" not in areas or "name" not in areas:
        return {}
    return dict(zip(areas["code"].astype(str), areas["name"].fillna("").astype(str), strict=True))


def _tell_fuse(
    output: Output, result: ProfessionalPlan, system: GridSystem, band: Band, where: dict[str, Any], *, across: bool
) -> int:  # fmt: skip
    table = result.grids
    inside = int(table["households"].between(band.low, band.high).sum())
    reasons = [workflow.reason_json(reason) for reason in result.reasons]
    facts = {
        "system": system.name, "object_code": system.object_code, "grids": len(table), "in_band": inside,
        "atoms": len(result.assignment), "feasible": result.feasible, "reasons": reasons, "stats": result.stats,
    }  # fmt: skip
    place = " ".join(str(value) for value in where.values())
    lines = [
        f"{len(result.assignment)} grids joined to {len(table)} of {system.name}, {inside} in band {band} → {place}"
    ]
    if system.made:
        lines.append(f"  object code {system.object_code} is made, not a standard's; --object-code gives another")
    lines += [f"  {reason.text}" for reason in result.reasons]
    if not result.feasible and not across:
        lines.append("  --across lets grids reach over the communities of a street")
    output.result(facts | where, lines)
    return 0 if result.feasible else EXIT_CHECK_FAILED


@click.command("crosswalk")
@click.argument("grids", required=False)
@click.argument("professional", nargs=-1)
@click.option("--area", help="Without GRIDS: code of a stored area; everything in force when not given.")
@click.option("--units", help="Units with households; by default the layer units of the GRIDS file, if it has one.")
@click.option("--system", "names", multiple=True, help="System of each PROFESSIONAL file, in order; or those wanted.")
@click.option("--crs", help="Coordinate system of the files that tell none.")
@click.option("--out", type=MapFile(), help="File for the rows.")
@click.option("--report", type=MapFile(".json"), help="JSON file for the figures, every split grid included.")
@output_options
def crosswalk_command(
    output: Output, grids: str | None, professional: tuple[str, ...], area: str | None, units: str | None,
    names: tuple[str, ...], crs: str | None, out: Path | None, report: Path | None,
) -> None:  # fmt: skip
    """Which grid falls in which professional grid, with the share of its ground and households.

    With GRIDS and PROFESSIONAL files (a column system, --system or the file's name says which system) everything is
    read from files; without, the grids in force in PostGIS are held against every other system in force.
    """
    if grids is None:
        wanted = [stored_name(name) for name in names] or None
        with db.database(Settings.from_env()) as engine, output.stage("crosswalk"):
            rows = workflow.crosswalk_in_force(engine, area, systems=wanted)
    else:
        if not professional:
            raise BadInput("give at least one PROFESSIONAL file after GRIDS")
        if area is not None:
            raise BadInput("--area goes with stored grids; leave out GRIDS, or the option")
        with output.stage("reading"):
            cells = read_layer(grids, layer="grids", crs=crs)
            layer = _read_professional(professional, names, crs)
            people = _read_units(grids, units, crs)
        with output.stage("crosswalk"):
            rows = crosswalk(cells, layer, units=people)
    figures = summary(rows)
    if out is not None:
        _write_rows(out, rows)
    if report is not None:
        report.write_bytes(json_bytes(figures))
    _tell_crosswalk(output, figures, len(rows), out)


def _read_professional(files: Sequence[str], names: Sequence[str], crs: str | None) -> gpd.GeoDataFrame:
    """Professional grids of several files as one layer, in the first one's CRS, each with its system."""
    if names and len(names) != len(files):
        raise BadInput(f"{len(names)} --system for {len(files)} PROFESSIONAL files; give one each, in order, or none")
    layers: list[gpd.GeoDataFrame] = []
    for number, spec in enumerate(files):
        rows = read_layer(spec, layer="professional", crs=crs)
        if names:
            rows = rows.assign(system=stored_name(names[number]))
        elif "system" not in rows:
            named = parse_spec(spec)
            rows = rows.assign(system=stored_name(named.layer or named.path.stem))
        layers.append(rows if not layers else rows.to_crs(layers[0].crs))
    columns = [name for name in ("code", "name", "system", "geometry") if all(name in rows for rows in layers)]
    joined = pd.concat([rows[columns] for rows in layers], ignore_index=True)
    return gpd.GeoDataFrame(joined, crs=layers[0].crs)


def _read_units(grids: str, units: str | None, crs: str | None) -> gpd.GeoDataFrame | None:
    if units is not None:
        return read_layer(units, layer="units", crs=crs)
    source = parse_spec(grids)
    if source.layer is None and "units" in layer_names(source.path):
        return read_layer(str(source.path), layer="units", crs=crs)
    return None


def _write_rows(out: Path, rows: gpd.GeoDataFrame) -> None:
    """Rows as a plain table in .csv, as a map of the common ground in other formats."""
    if out.suffix.lower() != ".csv":
        write_layers(out, {"crosswalk": rows})
        return
    part = out.with_name(f".{out.name}.part")
    try:
        table = harmless_frame(pd.DataFrame(rows.drop(columns="geometry")))
        table.to_csv(part, index=False, encoding="utf-8", lineterminator="\n")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _tell_crosswalk(output: Output, figures: dict[str, Any], rows: int, out: Path | None) -> None:
    header = ("system", "grids", "professional", "whole", "households in whole", "outside", "split")
    table = [
        (
            one["system"], one["grids"], one["professional_grids"], f"{one['whole']} ({one['whole_share']:.1%})",
            _percent(one.get("whole_household_share")), one["uncovered_grids"], len(one["conflicts"]),
        )
        for one in figures["systems"]
    ]  # fmt: skip
    lines = table_lines(header, table)
    for one in figures["systems"]:
        for conflict in one["conflicts"][:CONFLICTS_SHOWN]:
            parts = ", ".join(f"{part['professional']} {_part_share(part)}" for part in conflict["parts"])
            lines.append(f"  {one['system']}: grid {conflict['grid']} is split: {parts}")
        more = len(one["conflicts"]) - CONFLICTS_SHOWN
        lines += [f"  {one['system']}: … and {more} more; --report FILE lists all"] if more > 0 else []
    place = [f"{rows} rows → {out}"] if out else []
    output.result(figures | {"rows": rows, "out": str(out) if out else None}, [*lines, *place])


def _part_share(part: dict[str, Any]) -> str:
    lived = part.get("household_share")
    return f"{lived:.1%} of households" if lived is not None else f"{part['area_share']:.1%} of ground"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


COMMANDS = (systems, fuse, crosswalk_command)
