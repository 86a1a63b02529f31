"""``gisgrid plan``: units into grids, from files or from PostGIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np

from api.cli.inputs import band_option, crs_option, read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options
from api.cli.reporting import REPORT_ENDINGS, Before, write_report
from data import db
from data.exporters import write_layers
from data.files import read_layer
from gisgrid.errors import EXIT_CHECK_FAILED, BadInput
from gisgrid.models import Band, WeightLimit
from gisgrid.settings import Settings
from planning import workflow
from planning.partition import PRESETS, PlanResult, old_grids_of, parse_weights, partition, preset_of

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
@click.option("--grids", type=click.IntRange(min=1), help="Number of ordinary grids; chosen by itself when not given.")
@click.option(
    "--keep", help="Old grids to stay near, FILE[:layer] (with --area: in-force): few households change, codes go on."
)
@click.option("--keep-column", metavar="C", help="The same, when a column of UNITS holds the old grid's code.")
@click.option("--lock", "locked", multiple=True, metavar="CODE", help="Old grid that must stay as it is.")
@click.option("--seed", default=0, show_default=True, help="Same input and seed give the same plan.")
@click.option("--time-limit", type=float, metavar="S", help="Stop after S seconds with the best plan so far.")
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Default: balanced; stable when there are grids to keep."
)
@click.option("--weights", default="", metavar="NAME=X,…", help="Weights set over the preset's: street=6,compact=3 …")
@click.option("--name", default="", help="Name of the stored plan.")
@click.option("--out", type=MapFile(), help="File for the layers grids and units (and moves, with old grids).")
@click.option(
    "--report", type=MapFile(*REPORT_ENDINGS), help="Figures, maps and reasons: F.html to read, F.json for scripts."
)
@crs_option
@output_options
def plan(
    output: Output, units: str | None, streets: str | None, area: str | None, crs: str | None, band: str,
    limits: tuple[str, ...], grids: int | None, keep: str | None, keep_column: str | None, locked: tuple[str, ...],
    seed: int, time_limit: float | None, preset: str | None, weights: str, name: str, out: Path | None,
    report: Path | None,
) -> int:  # fmt: skip
    """Divide units into balanced, contiguous grids. Exit 1 when the band cannot be met (the best plan is kept).

    With UNITS the plan goes to --out; without, the newest units of --area are planned in PostGIS as a draft. Ctrl-C
    stops the search with the best plan so far.
    """
    wanted, further = _limits(band, limits)
    options: dict[str, Any] = {
        "band": wanted, "limits": further, "grids": grids, "seed": seed, "time_limit": time_limit, "preset": preset,
        "locked": locked,
    }  # fmt: skip
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
                engine, area, keep=keep is not None, name=name, progress=progress, **options
            )
        where: dict[str, Any] = {"plan": key}
        cells, lines = source.units, source.barriers
        before = None if source.old is None else Before(source.old, old_grids_of(cells, source.old))
        if out is not None:
            write_layers(out, _layers(cells, result))
            where["out"] = str(out)
    else:
        if out is None:
            raise BadInput("--out is missing: name the file for the plan")
        with output.stage("reading"):
            cells = read_layer(units, layer="units", crs=crs)
            lines = workflow.barrier_lines(**read_barriers(streets)) if streets else None
            before = _before(cells, keep, keep_column)
            options["keep"] = None if before is None else before.codes
        with output.stage("plan") as progress:
            result = partition(cells, lines, progress=progress, **options)
        where = {"out": str(out)}
        write_layers(out, _layers(cells, result))
    if report is not None:
        with output.stage("report"):
            _report(report, _layers(cells, result), result, wanted, lines, before)
    return _tell_plan(output, result, wanted, where)


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
        return Before(old, old_grids_of(cells, old))
    if column is None:
        return None
    if column not in cells:
        raise BadInput(f"the units have no column {column!r}; --keep-column names the one with the old grid's code")
    known = cells[cells[column].notna()]
    old = known[[column, "geometry"]].dissolve(by=column).rename_axis("code").reset_index()
    return Before(old, np.asarray(cells[column], dtype=object))


def _layers(cells: gpd.GeoDataFrame, result: PlanResult) -> dict[str, gpd.GeoDataFrame]:
    """Layers ``grids``, ``units`` (the input columns and ``grid``) and ``moves``, in the metric system of the plan."""
    owned = gpd.GeoDataFrame(cells.drop(columns="geometry"), geometry=result.geometry, crs=result.grids.crs)
    owned["grid"] = result.grids["code"].to_numpy()[result.assignment]
    layers = {"grids": result.grids, "units": owned}
    return layers if result.moves is None else layers | {"moves": result.moves}


def _report(
    path: Path, layers: dict[str, gpd.GeoDataFrame], result: PlanResult, band: Band, lines: gpd.GeoDataFrame | None,
    before: Before | None,
) -> None:  # fmt: skip
    write_report(
        path, grids=layers["grids"], units=layers["units"], streets=lines, band=band, reasons=result.reasons,
        stats=result.stats, before=before, feasible=result.feasible, same_codes=True,
    )  # fmt: skip


def _reasons(result: PlanResult) -> list[dict[str, Any]]:
    return [workflow.reason_json(reason) for reason in result.reasons]


def _tell_plan(output: Output, result: PlanResult, band: Band, where: dict[str, Any]) -> int:
    ordinary = result.grids[result.grids["kind"] == "ordinary"]
    inside = round(result.stats["in_band"] * len(ordinary))
    special = len(result.grids) - len(ordinary)
    facts = {
        "grids": len(result.grids), "ordinary": len(ordinary), "in_band": inside, "special": special,
        "feasible": result.feasible, "reasons": _reasons(result), "stats": result.stats,
    }  # fmt: skip
    place = " ".join(str(value) for value in where.values())
    lines = [f"{len(result.grids)} grids ({special} special), {inside} of {len(ordinary)} in band {band} → {place}"]
    if result.changes is not None:
        facts["changes"] = result.changes.as_dict()
        lines += _change_lines(result.stats)
    if result.stats["interrupted"] or result.stats["cut_by_time"]:
        lines.append("  the search was stopped early; this is the best plan so far")
    lines += [f"  {reason.text}" for reason in result.reasons]
    output.result(facts | where, lines)
    return 0 if result.feasible else EXIT_CHECK_FAILED


def _change_lines(stats: dict[str, Any]) -> list[str]:
    return [
        f"  {stats['old_grids']} old grids: {stats['grids_going_on']} go on, {stats['grids_ended']} end, "
        f"{stats['grids_born']} are new",
        f"  {stats['households_moved']:,.0f} households change grid ({stats['moved_share']:.1%}; at least "
        f"{stats['moved_share_least']:.1%} must for these numbers of grids); {stats['old_boundary_kept']:.1%} of the "
        "old boundary is kept",
    ]


COMMANDS = (plan,)
