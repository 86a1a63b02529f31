"""``gisgrid plan``: units into grids, from files or from PostGIS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import geopandas as gpd
import numpy as np

from api.cli.inputs import band_option, crs_option, read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options
from api.cli.reporting import REPORT_ENDINGS, Before, write_report
from data import db
from data.exporters import write_layers
from data.files import layer_names, parse_spec, read_layer
from gisgrid.errors import EXIT_CHECK_FAILED, BadInput
from gisgrid.models import SPECIAL_KINDS, Band, WeightLimit
from gisgrid.nesting import grid_column
from gisgrid.settings import Settings
from planning import workflow
from planning.levels import Level, parse_levels, partition_levels, split_options
from planning.partition import PRESETS, PlanResult, Reason, old_grids_of, parse_weights, partition, preset_of

IN_FORCE = "in-force"
"""What ``--keep`` says for the grids in force of a stored area."""


@click.command("plan")
@click.argument("units", required=False)
@click.option("--streets", help="Street file whose classes boundaries prefer.")
@click.option("--area", help="Without UNITS: code of a stored area.")
@band_option
@click.option(
    "--weight", "limits", multiple=True, metavar="COLUMN=MIN:MAX", help="Limits of one more column: population=:1500."
)
@click.option(
    "--levels",
    metavar="LEVEL/LEVEL…",
    help="Grids inside grids, coarse to fine: MIN:MAX, a number K, K@MIN:MAX, building, entrance (34/158/854).",
)
@click.option("--grids", type=click.IntRange(min=1), help="Number of ordinary grids; chosen by itself when not given.")
@click.option(
    "--keep", help="Old grids to stay near, FILE[:layer] (with --area: in-force): few households change, codes go on."
)
@click.option("--keep-column", metavar="C", help="The same, when a column of UNITS holds the old grid's code.")
@click.option("--lock", "locked", multiple=True, metavar="CODE", help="Old grid that must stay as it is.")
@click.option(
    "--special",
    metavar="KIND,…",
    help=f"Kinds that form special grids; none for none. Default: {', '.join(sorted(SPECIAL_KINDS))}.",
)
@click.option("--seed", default=0, show_default=True, help="Same input and seed give the same plan.")
@click.option("--time-limit", type=float, metavar="S", help="Stop after S seconds with the best plan so far.")
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Default: balanced; stable when there are grids to keep."
)
@click.option("--weights", default="", metavar="NAME=X,…", help="Weights set over the preset's: street=6,compact=3 …")
@click.option("--name", default="", help="Name of the stored plan.")
@click.option(
    "--out",
    type=MapFile(layers=("grids", "units", "moves"), replaces=("keep",)),
    help="File for the layers grids and units (and moves, with old grids).",
)
@click.option(
    "--report", type=MapFile(*REPORT_ENDINGS), help="Figures, maps and reasons: F.html to read, F.json for scripts."
)
@crs_option
@output_options
def plan(
    output: Output, units: str | None, streets: str | None, area: str | None, crs: str | None, band: str,
    limits: tuple[str, ...], levels: str | None, grids: int | None, keep: str | None, keep_column: str | None,
    locked: tuple[str, ...], special: str | None, seed: int, time_limit: float | None, preset: str | None,
    weights: str, name: str, out: Path | None, report: Path | None,
) -> int:  # fmt: skip
    """Divide units into balanced, contiguous grids. Exit 1 when the band cannot be met (the best plan is kept).

    With UNITS the plan goes to --out; without, the newest units of --area are planned in PostGIS as a draft. Ctrl-C
    stops the search with the best plan so far.
    """
    wanted, further = _limits(band, limits)
    nested = parse_levels(levels) if levels else ()
    if nested and grids is not None:
        raise BadInput(f"--levels {levels} says how many grids there are on each level; leave --grids out")
    options: dict[str, Any] = {
        "band": wanted, "limits": further, "grids": grids, "seed": seed, "time_limit": time_limit, "preset": preset,
        "locked": locked, "interruptible": True,
    }  # fmt: skip
    if special is not None:
        options["special_kinds"] = _kinds(special)
    if weights:
        usual = preset or ("stable" if keep or keep_column else "balanced")
        options["weights"] = parse_weights(weights, preset_of(usual).weights)
    if units is None:
        if area is None:
            raise BadInput("give a UNITS file, or --area CODE for a stored area")
        if keep_column is not None or keep not in (None, IN_FORCE):
            raise BadInput(f"--area plans against stored grids: use --keep {IN_FORCE}, or give a UNITS file")
        with db.database(Settings.from_env()) as engine, output.stage("plan") as progress:
            key, source, result = workflow.plan_for_area(
                engine, area, keep=keep is not None, levels=nested, name=name, progress=progress, **options
            )
        made = Made(_layers(source.units, result), result, result.feasible, result.reasons, result.stats)
        where: dict[str, Any] = {"plan": key}
        lines = source.barriers
        before = None if source.old is None or source.old_code is None else Before(source.old, source.old_code)
    else:
        if out is None:
            raise BadInput("--out is missing: name the file for the plan")
        with output.stage("reading"):
            cells = read_layer(units, layer="units", crs=crs)
            lines = workflow.planning_lines(cells, **read_barriers(streets)) if streets else None
            before = _before(cells, keep, keep_column)
            options["keep"] = None if before is None else before.codes
            finer = _entrances(units, crs) if any(level.kind == "entrance" for level in nested) else None
        with output.stage("plan") as progress:
            if nested:
                deep = partition_levels(cells, lines, nested, finer=finer, progress=progress, **split_options(options))
                made = Made(deep.layers(), deep.first, deep.feasible, list(deep.reasons), deep.stats)
            else:
                result = partition(cells, lines, progress=progress, **options)
                made = Made(_layers(cells, result), result, result.feasible, result.reasons, result.stats)
        where = {}
    if out is not None:
        moves = {} if made.first.moves is None else {"moves": made.first.moves}
        files = [str(path) for path in write_layers(out, made.layers | moves)]
        where["out"] = files[0] if len(files) == 1 else ", ".join(files)
    if report is not None:
        with output.stage("report"):
            _report(report, made, _bands(made) if nested else wanted, lines, before)
    return _tell_plan(output, made, nested, wanted, further, where)


def _kinds(text: str) -> tuple[str, ...]:
    """Kinds of special grids. Raises BadInput for an unknown one."""
    if text == "none":
        return ()
    kinds = tuple(part.strip() for part in text.split(","))
    unknown = [kind for kind in kinds if kind not in SPECIAL_KINDS]
    if unknown:
        known = ", ".join(sorted(SPECIAL_KINDS))
        raise BadInput(f"--special {text}: {unknown[0]!r} is no kind of special grid; use none, or some of {known}")
    return kinds


class Made(NamedTuple):
    """A plan of one or several levels: layers to write, the plan of the first level, whether it holds and why not."""

    layers: dict[str, gpd.GeoDataFrame]
    first: PlanResult
    feasible: bool
    reasons: Sequence[Reason]
    stats: dict[str, Any]


def _entrances(units: str, crs: str | None) -> gpd.GeoDataFrame:
    """The layer ``entrances`` beside the units. Raises BadInput when the file has none."""
    path = parse_spec(units).path
    if "entrances" not in layer_names(path):
        raise BadInput(f"{path} has no layer entrances; make it with 'gisgrid units … --max-households 1 --entrances'")
    return read_layer(str(path), layer="entrances", crs=crs)


def _limits(band: str, texts: tuple[str, ...]) -> tuple[Band, list[WeightLimit]]:
    """The household band, which ``--weight households=…`` overrides, and the limits of further columns."""
    found = [WeightLimit.parse(text) for text in texts]
    twice = [limit.column for limit in found if [other.column for other in found].count(limit.column) > 1]
    if twice:
        raise BadInput(f"--weight {twice[0]} is given twice; give each column once")
    for limit in found:
        if limit.column == "households":
            band = str(limit).partition("=")[2]
    return Band.parse(band), [limit for limit in found if limit.column != "households"]


def _before(cells: gpd.GeoDataFrame, keep: str | None, column: str | None) -> Before | None:
    """The old grids and the code of every unit's, None without old grids."""
    if keep is not None and column is not None:
        raise BadInput("--keep and --keep-column both name the old grids; give one of them")
    if keep is not None:
        old = read_place_file(keep, "grids")
        codes = old_grids_of(cells, old)
        if not any(code is not None for code in codes):
            raise BadInput(f"--keep {keep}: no unit lies in any of these grids; give the old grids of this place")
        return Before(old, codes)
    if column is None:
        return None
    if column not in cells:
        raise BadInput(f"the units have no column {column!r}; --keep-column names the one with the old grid's code")
    if cells[column].dtype.kind == "f" and (cells[column].dropna() % 1 == 0).all():
        cells = cells.assign(**{column: cells[column].astype("Int64").astype("string").astype(object)})  # 3, not 3.0
    known = cells[cells[column].notna()]
    if not len(known):
        raise BadInput(f"--keep-column {column}: the column is empty for every unit")
    old = known[[column, "geometry"]].dissolve(by=column).rename_axis("code").reset_index()
    return Before(old, np.asarray(cells[column], dtype=object))


def _layers(cells: gpd.GeoDataFrame, result: PlanResult) -> dict[str, gpd.GeoDataFrame]:
    """Layers ``grids`` and ``units`` (the input columns and ``grid``, ``grid_2`` …), in the plan's metric system."""
    owned = gpd.GeoDataFrame(cells.drop(columns="geometry"), geometry=result.geometry, crs=result.grids.crs)
    code = result.grids["code"].to_numpy()
    owned = owned.drop(columns=[name for name in owned if re.fullmatch(r"grid_\d+", name)])  # of an earlier plan
    for depth, owner in enumerate(np.atleast_2d(result.assignment.T), start=1):
        owned[grid_column(depth)] = code[owner]
    return {"grids": result.grids, "units": owned}


def _bands(made: Made) -> dict[int, Band]:
    """The band of each level that has one."""
    return {level["level"]: Band.parse(level["band"]) for level in made.stats["levels"] if level.get("band")}


def _report(
    path: Path, made: Made, band: Band | Mapping[int, Band], lines: gpd.GeoDataFrame | None, before: Before | None
) -> None:
    write_report(
        path, grids=made.layers["grids"], units=made.layers["units"], streets=lines, band=band, reasons=made.reasons,
        stats=made.stats, before=before, feasible=made.feasible, same_codes=True,
    )  # fmt: skip


def _tell_plan(
    output: Output,
    made: Made,
    nested: Sequence[Level],
    band: Band,
    further: Sequence[WeightLimit],
    where: dict[str, Any],
) -> int:
    grids, stats = made.layers["grids"], made.first.stats
    told = [workflow.reason_json(reason) for reason in made.reasons]
    facts: dict[str, Any] = {"grids": len(grids), "feasible": made.feasible, "reasons": told, "stats": made.stats}
    place = " ".join(str(value) for value in where.values())
    if nested:
        lines = [f"{len(grids)} grids on {len(nested)} levels → {place}", *map(_level_line, made.stats["levels"])]
    else:
        ordinary, special = stats["ordinary_grids"], stats["special_grids"]
        inside = round(stats["in_band"] * ordinary)
        facts |= {"ordinary": ordinary, "in_band": inside, "special": special}
        within = " and ".join([str(band), *map(str, further)])
        lines = [f"{len(grids)} grids ({special} special), {inside} of {ordinary} in band {within} → {place}"]
    if made.first.changes is not None:
        facts["changes"] = made.first.changes.as_dict()
        lines += _change_lines(stats)
    if stats["interrupted"] or made.stats["cut_by_time"]:
        lines.append("  the search was stopped early; this is the best plan so far")
    lines += [f"  {reason.text}" for reason in made.reasons]
    output.result(facts | where, lines)
    return 0 if made.feasible else EXIT_CHECK_FAILED


def _level_line(level: dict[str, Any]) -> str:
    line = f"  level {level['level']}: {level['grids']} grids"
    if level["special_grids"]:
        line += f" ({level['special_grids']} special)"
    if "in_band" in level:
        line += f", {level['in_band']:.0%} of {level['ordinary_grids']} in band {level['band']}"
    return line if level["kind"] == "households" else f"{line}, one for each {level['kind']}"


def _change_lines(stats: dict[str, Any]) -> list[str]:
    return [
        f"  {stats['old_grids']} old grids: {stats['grids_going_on']} go on, {stats['grids_ended']} end, "
        f"{stats['grids_born']} are new",
        f"  {stats['households_moved']:,.0f} households change grid ({stats['moved_share']:.1%}; at least "
        f"{stats['moved_share_least']:.1%} must for these numbers of grids); {stats['old_boundary_kept']:.1%} of the "
        "old boundary is kept",
    ]


COMMANDS = (plan,)
