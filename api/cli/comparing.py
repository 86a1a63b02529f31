"""``gisgrid compare``: a plan beside another one, in figures, changes and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import band_option, crs_option, read_barriers, read_place_file
from api.cli.output import MapFile, Output, output_options, table_lines
from api.cli.reporting import REPORT_ENDINGS, report_facts, write_comparison
from data.files import layer_names, parse_spec, read_layer
from gisgrid.errors import EXIT_CHECK_FAILED
from gisgrid.models import Band
from gisgrid.nesting import levels_of
from planning import workflow
from planning.compare import Comparison
from planning.compare import compare as compare_plans


@click.command("compare")
@click.argument("plan")
@click.argument("other")
@click.option("--streets", help="Street file: tells how much boundary runs on streets, and which grids they cross.")
@click.option("--area", help="Area file PLAN and OTHER must cover.")
@band_option
@click.option("--same-codes", is_flag=True, help="A grid goes on where its code does; else where most households do.")
@click.option("--report", type=MapFile(*REPORT_ENDINGS), help="Report with maps and histograms (.html) or all (.json).")
@crs_option
@output_options
def compare(
    output: Output, plan: str, other: str, streets: str | None, area: str | None, band: str, same_codes: bool,
    report: Path | None, crs: str | None,
) -> int:  # fmt: skip
    """Set PLAN beside OTHER, the plan there was: figures of both, and who changes grid.

    Both are plan files (layers grids and units) or layers of grids (FILE:layer). Households are counted by PLAN's
    units, else by OTHER's; where neither has any, by the ground grids have in common. Exit 1 when PLAN is broken.
    """
    with output.stage("reading"):
        grids, units = read_plan(plan, crs)
        others, other_units = read_plan(other, crs)
        lines = workflow.barrier_lines(**read_barriers(streets)) if streets else None
        outline = read_place_file(area, "areas") if area else None
    wanted = _bands(Band.parse(band), grids, others)
    with output.stage("comparing"):
        found = compare_plans(
            grids, units, others, other_units, lines, band=wanted, area=outline, same_codes=same_codes
        )  # fmt: skip
    settings = {"plan": _name(plan), "other": _name(other)}
    if report is not None:
        with output.stage("report"):
            write_comparison(report, grids, lines, wanted, found, settings)
    output.result(settings | report_facts(found.figures, found), compare_lines(found))
    return 0 if found.figures["check"]["ok"] else EXIT_CHECK_FAILED


def _bands(band: Band, *plans: gpd.GeoDataFrame) -> Band | dict[int, Band]:
    """The band of the first level alone where a plan has several, as `gisgrid check` judges them."""
    present = sorted({int(level) for plan in plans for level in levels_of(plan).tolist()})
    return band if len(present) < 2 else {present[0]: band}


def read_plan(spec: str, crs: str | None = None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Grids and, where the file has a layer of units with their grid, units of a plan file or ``FILE:layer``."""
    grids = read_layer(spec, layer="grids", crs=crs)
    source = parse_spec(spec)
    if source.layer is not None or "units" not in layer_names(source.path):
        return grids, None
    units = read_layer(f"{source.path}:units", crs=crs)
    return grids, units if "grid" in units else None


def compare_lines(found: Comparison) -> list[str]:
    """Both plans' figures as a table, then the changes in a sentence each."""
    before, after = (_measures(figures["overall"]) for figures in (found.before, found.figures))
    rows = [(name, before[name], after[name]) for name in after if (before[name], after[name]) != ("-", "-")]
    facts = found.changes_dict()
    lines = table_lines(("", "before", "after"), rows)
    if facts["households"]:
        lines.append(
            f"{facts['moved_households']} of {facts['households']} households ({facts['moved_share']:.1%}) "
            f"change grid; with these counts at least {facts['least_households']} ({facts['least_share']:.1%}) must"
        )
    lines.append(
        f"{facts['grids_going_on']} grids go on, {len(facts['births'])} are new, {len(facts['ends'])} end; "
        f"{len(facts['splits'])} are split, {len(facts['merges'])} made of several"
    )
    if facts["boundary_kept"] is not None:
        lines.append(f"{facts['boundary_kept']:.1%} of the old boundary between grids is kept")
    if facts["grids_left_out"]:
        lines.append(f"{facts['grids_left_out']} grids before lie elsewhere and were left out")
    if facts["estimated"]:
        lines.append("no plan has units: households were spread evenly over the ground of their grid")
    return lines + [f"  {problem['text']}" for problem in found.figures["check"]["problems"][:20]]


def _measures(facts: Mapping[str, Any]) -> dict[str, str]:
    """Overall figures for people; "-" for what is not known."""
    balance = facts["balance"] or {}
    return {
        "grids": str(facts["grids"]),
        "special grids": str(facts["special_grids"]),
        "households": _text(facts["households"], "{:.0f}"),
        "in band": "-" if facts["in_band"] is None else f"{facts['in_band_grids']} of {facts['judged_grids']}",
        "households outside band": _text(facts["households_outside_band"], "{:.0f}"),
        "mean deviation": _text(balance.get("mean_deviation"), "{:.1%}"),
        "largest deviation": _text(balance.get("max_deviation"), "{:.1%}"),
        "compactness": _text(facts["compactness_mean"], "{:.3f}"),
        "boundary": _text(facts["boundary_metres"], "{:.0f} m"),
        "boundary on streets": _text(facts["boundary_on_streets"], "{:.1%}"),
        "fitting compounds split": (
            "-" if facts["compounds_split"] is None else f"{facts['compounds_split']} of {facts['compounds_fitting']}"
        ),
        "grids crossing main roads": _text(facts["grids_crossing_major"], "{}"),
        "not contiguous": str(facts["broken"]),
        "gaps": f"{facts['gap_m2']:.0f} m²",
        "overlaps": f"{facts['overlap_m2']:.0f} m²",
        "problems": str(facts["problems"]),
    }


def _text(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)


def _name(spec: str) -> str:
    """A plan as given, without its folder: reports travel."""
    return Path(spec).name


COMMANDS = (compare,)
