"""``gisgrid radius``: what loudspeakers, hydrants and stations reach in a straight line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import inputs_crs_option, read_map, read_place_file
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from api.cli.response import of_categories
from api.json import json_bytes
from data.exporters import write_layers
from gisgrid.errors import BadInput
from planning.straight import AIMS, StraightResult, straight_reach

PARTS_SHOWN = 10

LAYERS = ("covered", "remainder", "extra", "facilities", "residences", "areas")
"""What ``--out`` may hold."""


@click.command("radius")
@click.option("--facilities", required=True, help="Facility file or OSM extract: points or shapes.")
@click.option("--category", help="Take only facilities of these categories, for example toilet,bus_stop.")
@click.option(
    "--radius", required=True, metavar="METRES|COLUMN|NAME=METRES,…",
    help="Metres each reaches: one number, a column, or numbers by category.",
)  # fmt: skip
@click.option("--area", help="Polygons to be covered: a community, grids, or an areas layer.")
@click.option("--residences", help="Building file (or OSM extract) with population.")
@click.option("--cover", type=click.Choice(AIMS), help="Find the fewest further facilities for 100 % of these.")
@click.option("--extra-radius", type=float, help="Metres a further facility reaches.  [default: as those given]")
@click.option("--candidates", help="Places further facilities may stand at.  [default: anywhere]")
@click.option("--tolerance", default=0.01, show_default=True, help="Metres a drawn circle may leave the true one.")
@click.option("--time-limit", default=60.0, show_default=True, help="Seconds to look for the fewest.")
@click.option(
    "--out",
    required=True,
    type=MapFile(layers=LAYERS, long_names=True),
    help="File for covered, remainder, extra, residences, areas.",
)
@click.option("--report", type=MapFile(".json"), help="JSON file for all figures.")
@inputs_crs_option
@output_options
def radius(
    output: Output, facilities: str, category: str | None, radius: str, area: str | None, residences: str | None,
    candidates: str | None, time_limit: float, crs: str | None, out: Path, report: Path | None, **asked: Any,
) -> None:  # fmt: skip
    """What lies within a straight radius of facilities, what does not, and the fewest further ones for 100 %."""
    if area is None and residences is None:
        raise BadInput("nothing to cover is given: name --area, --residences or both")
    with output.stage("reading"):
        places = of_categories(read_place_file(facilities, "facilities", crs=crs), category, "facilities")
        ground = read_place_file(area, "areas", crs=crs) if area else None
        homes = read_place_file(residences, "buildings", crs=crs) if residences else None
        spots = read_map(candidates, layer="candidates", crs=crs) if candidates else None
    with output.stage("radius") as progress:
        result = straight_reach(
            places, radius=radius_spec(radius), residences=homes, area=ground, candidates=spots, seconds=time_limit,
            progress=progress, **asked,
        )  # fmt: skip
    written = write_layers(out, _layers(result))
    if report is not None:
        report.write_bytes(json_bytes(result.report))
        written.append(report)
    _tell(output, result, out, written)


def radius_spec(text: str) -> float | str | dict[str, float]:
    """``150``, the name of a column, or ``loudspeaker=150,hydrant=120``. Raises BadInput."""
    try:
        return float(text)
    except ValueError:
        pass
    if "=" not in text:
        return text
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        table = {name.strip(): float(metres) for name, _, metres in pairs}
    except ValueError:
        raise BadInput(f"--radius {text!r} is not a list such as loudspeaker=150,hydrant=120") from None
    if len(table) != len(pairs):
        raise BadInput(f"--radius {text!r} names a category twice")
    return table


def _layers(result: StraightResult) -> dict[str, gpd.GeoDataFrame]:
    layers = {
        "covered": result.covered,
        "remainder": result.remainder,
        "extra": result.extra,
        "facilities": result.facilities,
        "residences": result.residences,
        "areas": result.areas,
    }
    return {name: rows for name, rows in layers.items() if rows is not None and len(rows)}


def _tell(output: Output, result: StraightResult, out: Path, written: list[Path]) -> None:
    report = result.report
    lines = table_lines(("in reach", "covered", "of", "share"), _shares(report))
    if result.remainder is not None and len(result.remainder):
        lines += ["", *_parts(result.remainder)]
    if "extra" in report:
        lines += ["", *_extra(report["extra"])]
    lines += [f"note: {note}" for note in report["notes"]]
    facts = {"report": report, "out": str(out), "files": [str(path) for path in written]}
    output.result(facts, [*lines, *arrows(written)])


def _shares(report: dict[str, Any]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    if "area" in report:
        area = report["area"]
        rows.append(
            (
                "area, km²", f"{area['covered_square_metres'] / 1e6:.4f}", f"{area['square_metres'] / 1e6:.4f}",
                _percent(area["share"]),
            )
        )  # fmt: skip
    for key, name in (("buildings", "buildings"), ("residents", "residents"), ("elderly", "60+")):
        if key in report:
            figure = report[key]
            rows.append((name, figure["covered"], figure["total"], _percent(figure["share"])))
    return rows


def _parts(remainder: gpd.GeoDataFrame) -> list[str]:
    shown = remainder.drop(columns="geometry").head(PARTS_SHOWN)
    lines = table_lines(["left out", *list(shown.columns)[1:]], shown.to_numpy(object).tolist())
    more = len(remainder) - len(shown)
    return lines + ([f"… {more} more parts in the layer remainder"] if more else [])


def _extra(extra: dict[str, Any]) -> list[str]:
    sure = "no fewer will do" if extra["proven"] else f"at least {extra['lower_bound']} are needed"
    lines = [f"{extra['count']} further ones of {extra['radius']:g} m cover all {extra['cover']}; {sure}"]
    if extra["unreached"]:
        lines = [f"{extra['count']} further ones of {extra['radius']:g} m cover what the candidates can; {sure}"]
        lines.append(f"{extra['unreached']} places or pieces of the area are beyond every candidate")
    return lines


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f} %"


COMMANDS = (radius,)
