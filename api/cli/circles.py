"""``gisgrid circles``: who reaches what in 5, 10 and 15 minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import pandas as pd

from api.cli.circles_report import REPORT_ENDINGS, stored_streets, write_circles_report
from api.cli.inputs import inputs_crs_option, is_osm_file, read_map
from api.cli.isochrones import numbers
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from data import db
from data.code_tables import facility_categories
from data.exporters import write_layers
from data.facility_categories import osm_rules_of, read_facility_categories
from data.osm import load_osm
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from planning.circles import CirclesResult, service_circles
from planning.circles.service import ISOCHRONES
from planning.network import NODINGS
from planning.reach import PROFILES
from planning.workflow_circles import circles_in_force

LAYERS = (
    "residences", "isochrones", "facility_isochrones", "blind_spots", "grids", "communities", "facilities", "coverage",
    "district_coverage", "community_coverage", "grid_coverage", "tiers", "community_scores",
)  # fmt: skip
"""What ``--out`` may hold."""
FILE_ONLY = ("facilities", "residences", "grids", "areas", "speed", "factor", "categories", "nearest", "crs")
"""Options that go with ``--streets``: what PostGIS holds is assessed as it is stored."""


@click.command("circles")
@click.option("--streets", help="Street file or OSM extract; without it, everything comes from PostGIS.")
@click.option("--facilities", help="Facility file (or OSM extract) with a category column.")
@click.option("--residences", help="Building file (or OSM extract) with population and elderly.")
@click.option("--grids", help="Grid file, for figures grid by grid.")
@click.option("--areas", help="Area file (or OSM extract), for figures community by community.")
@click.option("--minutes", default="5,10,15", show_default=True, help="Minutes of the polygons.")
@click.option("--profile", default="adult", show_default=True, help=f"{', '.join(PROFILES)}; of PostGIS also all.")
@click.option("--speed", type=float, help="Another speed than the profile's, in metres per second.")
@click.option("--factor", type=float, help="The moment's speed as a share of the usual one: 0.6 in heavy rain.")
@click.option("--categories", type=click.Path(path_type=Path), help="CSV that replaces the facility table.")
@click.option("--nearest", type=int, default=0, metavar="K", help="Name the K nearest facilities of each residence.")
@click.option(
    "--isochrones", type=click.Choice(list(ISOCHRONES)), default="merged", show_default=True,
    help="Polygons of each category, of each facility beside them, or none.",
)  # fmt: skip
@click.option(
    "--network-nodes", "nodes", type=click.Choice(list(NODINGS)), default="shared", show_default=True,
    help="Streets connect at equal vertices (OSM), or wherever lines cross.",
)  # fmt: skip
@click.option(
    "--out",
    type=MapFile(layers=LAYERS, long_names=True),
    help="File for residences, coverage, isochrones, blind spots, places.",
)
@click.option("--report", type=MapFile(*REPORT_ENDINGS), help="F.html to read and print, F.json for scripts.")
@inputs_crs_option
@output_options
def circles(
    output: Output, streets: str | None, minutes: str, profile: str, isochrones: str, nodes: str, out: Path | None,
    report: Path | None, **given: Any,
) -> None:  # fmt: skip
    """Walking times from each building to the nearest facility of each category, and what they cover."""
    settings, wanted = Settings.from_env(), numbers(minutes)
    lines: gpd.GeoDataFrame | None = None
    if streets is None:
        alone = [name for name in FILE_ONLY if given[name] not in (None, 0)]
        if isochrones != "merged":
            alone.append("isochrones")
        if nodes != "shared":
            alone.append("network-nodes")
        if alone:
            raise BadInput(f"--{alone[0]} needs --streets: without it, everything comes from PostGIS as it is stored")
        if profile == "all" and (out or report):
            raise BadInput("--out and --report hold one profile; name it with --profile")
        if any(not value.is_integer() for value in wanted):
            raise BadInput(f"--minutes {minutes}: runs stored in PostGIS keep whole minutes, for example 5,10,15")
        whole = tuple(int(value) for value in wanted)
        with db.database(settings) as engine:
            found = []
            for name in PROFILES if profile == "all" else (profile,):
                with output.stage(f"circles, {name}") as progress:
                    found.append(circles_in_force(engine, settings, minutes=whole, profile=name, progress=progress)[1])
            result = found[0]
            if report is not None:
                lines = stored_streets(engine, result)
    else:
        if given["facilities"] is None or given["residences"] is None:
            raise BadInput("--streets needs --facilities and --residences beside it")
        if profile == "all":
            raise BadInput(f"--profile all is for PostGIS; with --streets name one: {', '.join(PROFILES)}")
        if out is None and report is None:
            raise BadInput("--out is missing: name the file for the results")
        own = given["categories"]
        table = facility_categories(settings) if own is None else read_facility_categories(own)
        for value in wanted:
            PROFILES["adult"].limit(value)  # before long files are read
        with output.stage("reading"):
            layers = _read(streets, given, table)
        lines = layers["streets"]
        with output.stage("circles") as progress:
            result = service_circles(
                lines, layers["facilities"], layers["residences"], grids=layers["grids"], areas=layers["areas"],
                barriers=layers["barriers"], categories=table, minutes=wanted, profile=profile,
                metres_per_second=given["speed"], factor=given["factor"], nodes=nodes, nearest=given["nearest"],
                isochrones=isochrones, progress=progress,
            )  # fmt: skip
    written = [] if out is None else write_layers(out, result_layers(result))
    if report is not None:
        with output.stage("report"):
            write_circles_report(report, result, lines)
        written.append(report)
    _tell(output, result, written)


def _read(streets: str, given: dict[str, Any], table: pd.DataFrame) -> dict[str, gpd.GeoDataFrame | None]:
    """The layers by what they are for; an OSM extract named several times is read once."""
    extracts: dict[str, dict[str, gpd.GeoDataFrame]] = {}
    rules = osm_rules_of(table)

    def layer(spec: str | None, name: str) -> gpd.GeoDataFrame | None:
        if spec is None:
            return None
        if not is_osm_file(spec):
            return read_map(spec, layer=name, crs=given["crs"])
        if spec not in extracts:
            extracts[spec] = load_osm(spec, facility_rules=rules).layers
        if name not in extracts[spec]:
            raise BadInput(f"{spec}: an OpenStreetMap extract holds no layer {name}; give a map file")
        return extracts[spec][name]

    found = {
        "streets": layer(streets, "streets"),
        "facilities": layer(given["facilities"], "facilities"),
        "residences": layer(given["residences"], "buildings"),
        "grids": layer(given["grids"], "grids"),
        "areas": layer(given["areas"], "areas"),
    }
    return found | {"barriers": extracts.get(streets, {}).get("barriers")}


def result_layers(result: CirclesResult) -> dict[str, gpd.GeoDataFrame]:
    """Every part of a result as a named layer; tables have rows without geometry."""
    layers = {"residences": result.residences}
    for name in ("isochrones", "facility_isochrones", "blind_spots", "grids", "communities", "facilities"):
        shapes = getattr(result, name)
        if shapes is not None and len(shapes):
            layers[name] = shapes
    tables = {
        "coverage": result.coverage,
        "district_coverage": result.district_coverage,
        "community_coverage": result.community_coverage,
        "grid_coverage": result.grid_coverage,
        "tiers": result.tiers,
        "community_scores": result.community_scores,
    }
    for name, table in tables.items():
        if len(table):
            layers[name] = gpd.GeoDataFrame(table, geometry=[None] * len(table), crs=result.residences.crs)
    return layers


def _tell(output: Output, result: CirclesResult, written: list[Path]) -> None:
    rows = [
        (
            row["category"], row["name_zh"], row["minutes"], row["facilities"],
            _percent(row["buildings_covered"], row["buildings_assessed"]),
            _percent(row["residents_covered"], row["residents_assessed"]),
            _percent(row["elderly_covered"], row["elderly_assessed"]),
            _percent(row["straight_line_residents_covered"], row["residents_assessed"]),
            row["blind_spots"],
        )
        for row in result.coverage.to_dict("records")
    ]  # fmt: skip
    header = ("category", "", "min", "facilities", "buildings", "residents", "60+", "straight", "blind spots")
    lines = table_lines(header, rows)
    score = result.report["score"]
    if score["mean"] is not None:
        lines.append(
            f"score: {100 * score['mean']:.1f} % of {score['categories']} categories within {score['minutes']:g} min "
            f"({100 * score['mean_own']:.1f} % within their own minutes), Gini {score['gini']:.3f}"
        )
    # categories without a facility show in the table
    lines += [f"note: {note}" for note in result.report.get("notes", []) if not note.startswith("no facility")]
    facts = {
        "report": result.report,
        "out": str(written[0]) if written else None,
        "files": [str(path) for path in written],
    }
    output.result(facts, [*lines, *arrows(written)])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


COMMANDS = (circles,)
