"""``gisgrid site``: where a new facility helps most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import pandas as pd

from api.cli.inputs import inputs_crs_option, is_osm_file, read_map, read_place_file
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from api.json import json_bytes
from data.code_tables import facility_categories
from data.exporters import write_layers
from data.osm import read_osm
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from planning.places import counts
from planning.siting import METHODS, WEIGHTS, SitingResult, site_facilities
from planning.siting.candidates import SPACING

LAYERS = ("sites", "residences", "unreachable")
"""What ``--out`` may hold."""


@click.command("site")
@click.option("--streets", required=True, help="Street file or OSM extract.")
@click.option("--facilities", help="Facilities of today with a category column; default: those of --streets' file.")
@click.option("--residences", help="Building file with population, elderly, households; default: that of --streets.")
@click.option("--category", required=True, metavar="NAME[,NAME…]", help="Categories to site (facility table).")
@click.option("--count", metavar="N | NAME=N,…", help="New sites, each category the same or one by one.")
@click.option("--full-cover", is_flag=True, help="The fewest (cheapest) sites that cover everybody; --method least.")
@click.option("--budget", type=float, help="Money for all categories together; needs --costs.")
@click.option("--costs", help="CSV with category, cost and perhaps candidate.")
@click.option("--importance", metavar="NAME=X,…", help="Weight of a category beside the others under one budget.")
@click.option("--one-per-site", is_flag=True, help="A candidate takes one category only.")
@click.option(
    "--candidates", default="corners", show_default=True, metavar="F | corners[:METRES] | units:F",
    help="Where sites may stand: a layer, street corners, or units without households.",
)  # fmt: skip
@click.option("--method", type=click.Choice(METHODS), help="cover (default), least or median.")
@click.option("--minutes", type=float, help="Minutes of the way; default: the category's own.")
@click.option("--weight", type=click.Choice(tuple(WEIGHTS)), default="residents", show_default=True)
@click.option("--profile", default="adult", show_default=True, help="adult, elderly, frail, bicycle or car.")
@click.option("--speed", type=float, help="Metres a second in place of the profile's.")
@click.option("--factor", type=float, help="The moment's speed as a share of the usual one.")
@click.option("--curve", is_flag=True, help="Also the best for every smaller number of sites and one more.")
@click.option("--time-limit", type=float, metavar="SECONDS", help="End with the best found, gap stated.")
@click.option(
    "--out", type=MapFile(layers=LAYERS, long_names=True), required=True, help="File for sites and residences."
)
@click.option("--report", type=MapFile(".json"), help="JSON file for all figures.")
@inputs_crs_option
@output_options
def site(
    output: Output, streets: str, facilities: str | None, residences: str | None, category: str, count: str | None,
    full_cover: bool, budget: float | None, costs: str | None, importance: str | None, one_per_site: bool,
    candidates: str, method: str | None, minutes: float | None, weight: str, profile: str, speed: float | None,
    factor: float | None, curve: bool, time_limit: float | None, crs: str | None, out: Path, report: Path | None,
) -> int:  # fmt: skip
    """New sites that bring most people within the minutes, over the streets, proven best or with the gap stated.

    Exit 1 when the best is not proven (time limit, Ctrl-C), or when full cover is impossible.
    """
    if full_cover and method not in (None, "least"):
        raise BadInput(f"--full-cover is the method least, not {method}; leave one of them out")
    if budget is not None and costs is None:
        raise BadInput("--budget needs --costs: a CSV with category, cost")
    names = [part.strip() for part in category.split(",") if part.strip()]
    with output.stage("reading"):
        layers = _layers(streets, facilities, residences, crs)
        where, units = _candidates(candidates, crs)
    column = WEIGHTS[weight]
    if (
        column is not None
        and column in layers["buildings"]
        and not counts(layers["buildings"], column, "residences").any()
    ):
        raise BadInput(f"{column} is 0 in every residence; give --weight buildings")
    with output.stage("siting") as progress:
        result = site_facilities(
            layers["streets"], layers["facilities"], layers["buildings"],
            categories=facility_categories(Settings.from_env()), wanted=names, candidates=where, units=units,
            method="least" if full_cover else method or "cover", count=_counts(count, names), budget=budget,
            costs=None if costs is None else _read_costs(costs),
            importance=None if importance is None else _pairs(importance, "--importance", float),
            one_per_site=one_per_site, weight=weight, minutes=minutes, profile=profile, metres_per_second=speed,
            factor=factor, barriers=layers.get("barriers"), curve=curve, time_limit=time_limit, progress=progress,
        )  # fmt: skip
    written = write_layers(out, _out_layers(result))
    if report is not None:
        report.write_bytes(json_bytes(result.report))
        written.append(report)
    _tell(output, result, out, written)
    return 0 if result.proven and not len(result.unreachable) else 1


def _layers(
    streets: str, facilities: str | None, residences: str | None, crs: str | None
) -> dict[str, gpd.GeoDataFrame]:
    """Streets, facilities and buildings; what has no file of its own comes from the streets' file."""
    if is_osm_file(streets):
        layers = dict(read_osm(streets))
    else:
        layers = {"streets": read_place_file(streets, "streets", crs=crs)}
        layers["facilities"] = read_place_file(facilities or streets, "facilities", crs=crs)
        layers["buildings"] = read_place_file(residences or streets, "buildings", crs=crs)
        return layers
    if facilities is not None:
        layers["facilities"] = read_place_file(facilities, "facilities", crs=crs)
    if residences is not None:
        layers["buildings"] = read_place_file(residences, "buildings", crs=crs)
    return layers


def _candidates(text: str, crs: str | None) -> tuple[gpd.GeoDataFrame | float, gpd.GeoDataFrame | None]:
    """(layer or spacing of corners, units) of ``--candidates``."""
    kind, _, rest = text.partition(":")
    if kind == "corners":
        try:
            return (float(rest) if rest else SPACING), None
        except ValueError:
            raise BadInput(
                f"--candidates {text!r}: {rest!r} is no spacing in metres, for example corners:100"
            ) from None
    if kind == "units" and rest:
        return SPACING, read_map(rest, layer="units", crs=crs)
    return read_place_file(text, "candidates", crs=crs), None


def _counts(text: str | None, names: Sequence[str]) -> int | dict[str, int] | None:
    """``3`` for every category, or ``clinic=2,market=1``."""
    if text is None:
        return None
    if "=" not in text:
        try:
            number = int(text)
        except ValueError:
            raise BadInput(f"--count {text!r} is not a whole number such as 3") from None
        if number < 1:
            raise BadInput(f"--count {number} sites nothing; give 1 or more")
        return number
    found = _pairs(text, "--count", int)
    strange = [name for name in found if name not in names]
    if strange:
        raise BadInput(f"--count names {strange[0]!r}, which is not in --category")
    return found


def _pairs(text: str, option: str, kind: Any) -> dict[str, Any]:
    out = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            out[name.strip()] = kind(number)
        except ValueError:
            raise BadInput(f"{option} {part!r} is not NAME=NUMBER, for example clinic=2") from None
    return out


def _read_costs(path: str) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, comment="#")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInput(f"{path}: cannot be read as CSV with category, cost: {error}") from None


def _out_layers(result: SitingResult) -> dict[str, gpd.GeoDataFrame]:
    layers = {"sites": result.sites, "residences": result.residences}
    if len(result.unreachable):
        layers["unreachable"] = result.unreachable
    return layers


def _tell(output: Output, result: SitingResult, out: Path, written: list[Path]) -> None:
    weight = result.report["weight"]
    rows = [
        (
            row["category"], row["name_zh"], f"{row['minutes']:g}", row["sites"],
            _share(row[f"{weight}_before"], row[f"{weight}_assessed"]),
            _share(row[f"{weight}_after"], row[f"{weight}_assessed"]),
            f"{row[f'{weight}_after'] - row[f'{weight}_before']:+}",
            _minutes(row["mean_minutes_before"]), _minutes(row["mean_minutes_after"]),
            "proven" if row["gap"] == 0 else f"{100 * row['gap']:.2f} %",
            f"≥ {row['next_gain']:+g}" if "next_gain" in row else "–",
        )
        for row in result.report["categories"]
    ]  # fmt: skip
    head = ("category", "", "min", "sites", "before", "after", weight, "mean before", "after", "gap", "one more")
    lines = table_lines(head, rows)
    added = [
        (
            site["category"], site["rank"], site["candidate"], f"{site[f'newly_covered_{weight}']:+}",
            f"{site['cost']:g}",
        )
        for site in result.report["sites"]
    ]  # fmt: skip
    if added:
        lines += ["", *table_lines(("category", "rank", "candidate", weight, "cost"), added)]
    for row in result.report["categories"]:
        steps = [f"{step['sites']}: {step['newly_covered']:g}" for step in row.get("curve", ())]
        if steps:
            lines.append(f"best by number of sites, {row['category']}: {', '.join(steps)}")
    lines += [f"note: {note}" for note in result.report["notes"]]
    facts = {"report": result.report, "out": str(out), "files": [str(path) for path in written]}
    output.result(facts, [*lines, *arrows(written)])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} min"


COMMANDS = (site,)
