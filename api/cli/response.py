"""``gisgrid response``: how soon vehicles from stations are where they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import inputs_crs_option, is_osm_file, read_map, read_place_file
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from api.json import json_bytes
from data.exporters import write_layers
from data.files import layer_names, parse_spec
from data.osm import read_osm
from gisgrid.errors import BadInput
from planning.network import NODINGS
from planning.response import ResponseResult, response_circles
from planning.response.circles import DISTRICTS
from planning.response.promise import TOWN_DENSITY

STATIONS_SHOWN = 20

LAYERS = ("residences", "stations", "districts", "reach", "grids")
"""What ``--out`` may hold."""


@click.command("response")
@click.option("--streets", required=True, help="Street file or OSM extract.")
@click.option("--stations", required=True, help="Stations vehicles leave from: points or shapes, or an OSM extract.")
@click.option("--category", help="Take only stations of these categories, for example service_station.")
@click.option("--residences", required=True, help="Building file (or OSM extract) with population.")
@click.option("--grids", help="Grid file, for figures grid by grid and districts of whole grids.")
@click.option("--town", help="Polygons of the town, or of everything with a column town that says yes or no.")
@click.option(
    "--town-density", default=TOWN_DENSITY, show_default=True,
    help="Where nothing says town: residents of the square kilometre about a place from which it is.",
)  # fmt: skip
@click.option("--minutes", default=15.0, show_default=True, help="Minutes promised in town.")
@click.option("--outside-minutes", default=60.0, show_default=True, help="Minutes promised outside.")
@click.option("--turnout", default=0.0, show_default=True, help="Seconds from the call until a vehicle leaves.")
@click.option("--factor", type=float, help="The moment's speed as a share of the usual one, for example 0.6.")
@click.option("--grid-share", default=0.9, show_default=True, help="Share of residents for a grid mostly inside.")
@click.option(
    "--districts", type=click.Choice(DISTRICTS), help="Of whole grids or of places.  [default: grids, if given]"
)  # fmt: skip
@click.option("--nodes", type=click.Choice(NODINGS), default="shared", show_default=True, help="How streets connect.")
@click.option(
    "--out",
    required=True,
    type=MapFile(layers=LAYERS, long_names=True),
    help="File for residences, stations, districts, reach, grids.",
)
@click.option("--report", type=MapFile(".json"), help="JSON file for all figures.")
@inputs_crs_option
@output_options
def response(
    output: Output, streets: str, stations: str, category: str | None, residences: str, grids: str | None,
    town: str | None, crs: str | None, out: Path, report: Path | None, **asked: Any,
) -> None:  # fmt: skip
    """Driving times from stations to every building, the promise kept or not, and who is first where."""
    with output.stage("reading"):
        lines, barriers = _streets(streets, crs)
        starts = of_categories(read_place_file(stations, "facilities", crs=crs), category, "stations")
        homes = read_place_file(residences, "buildings", crs=crs)
        cells = read_map(grids, layer="grids", crs=crs) if grids else None
        towns = read_place_file(town, "areas", crs=crs) if town else None
    with output.stage("response") as progress:
        result = response_circles(
            lines, starts, homes, grids=cells, town=towns, barriers=barriers, progress=progress, **asked
        )
    written = write_layers(out, _layers(result))
    if report is not None:
        report.write_bytes(json_bytes(result.report))
        written.append(report)
    _tell(output, result, out, written)


def _streets(spec: str, crs: str | None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Streets and, where the file has them, the barriers on them."""
    if is_osm_file(spec):
        layers = read_osm(spec)
        return layers["streets"], layers.get("barriers")
    lines, named = read_map(spec, layer="streets", crs=crs), parse_spec(spec)
    if named.layer is None and named.path.suffix == ".gpkg" and "barriers" in layer_names(named.path):
        return lines, read_map(f"{named.path}:barriers", crs=crs)
    return lines, None


def of_categories(rows: gpd.GeoDataFrame, wanted: str | None, what: str) -> gpd.GeoDataFrame:
    """The rows of some categories (``a,b``), all where none are named. Raises BadInput when there are none."""
    if wanted is None:
        return rows
    if "category" not in rows:
        raise BadInput(f"--category: the {what} have no column category, only {', '.join(map(str, rows.columns))}")
    names = [name.strip() for name in wanted.split(",")]
    present = rows["category"].isin(names).to_numpy(bool)
    absent = [name for name in names if not (rows["category"] == name).any()]
    if absent:
        raise BadInput(f"--category: the {what} have none of category {absent[0]}")
    return rows[present].reset_index(drop=True)


def _layers(result: ResponseResult) -> dict[str, gpd.GeoDataFrame]:
    layers = {
        "residences": result.residences,
        "stations": result.stations,
        "districts": result.districts.drop(columns="station_row"),
        "reach": result.reach,
        "grids": result.grids,
    }
    return {name: rows for name, rows in layers.items() if rows is not None and len(rows)}


def _tell(output: Output, result: ResponseResult, out: Path, written: list[Path]) -> None:
    report = result.report
    lines = [_promise(report), ""]
    places = (("all", "everywhere"), ("in_town", "in town"), ("outside", "outside"))
    lines += table_lines(
        ("inside their promise", "buildings", "residents", "60+"),
        [
            (name, *(_percent(report["promise"][key][who]) for who in ("buildings", "residents", "elderly")))
            for key, name in places
        ],
    )
    for row in report.get("grids", []):
        lines.append(
            f"grids of level {row['level']}: {row['inside_all']} of {row['judged']} with all residents inside, "
            f"{row['inside_most']} with {100 * row['most']:g} %; {row['without_residents']} have no residents, "
            f"{row['not_assessed']} cannot be assessed"
        )
    lines += ["", *_stations(report["stations"])]
    lines += [f"note: {note}" for note in report["notes"]]
    facts = {"report": report, "out": str(out), "files": [str(path) for path in written]}
    output.result(facts, [*lines, *arrows(written)])


def _promise(report: dict[str, Any]) -> str:
    moment = "" if report["factor"] == 1 else f", speed × {report['factor']:g}"
    turnout = f", {report['turnout_seconds']:g} s before leaving" if report["turnout_seconds"] else ""
    return (
        f"{report['minutes']:g} min in town, {report['outside_minutes']:g} min outside{turnout}{moment}; "
        f"town: {report['town']}"
    )


def _stations(stations: list[dict[str, Any]]) -> list[str]:
    busy = sorted(stations, key=lambda row: -row["residents"])
    rows = [
        (
            row["station"], row.get("name") or "", row["residents"], row.get("grids", "–"),
            f"{row['square_metres'] / 1e6:.2f}", _minutes(row["mean_minutes"]), _minutes(row["worst_minutes"]),
            row["residents_lost_if_out"], row["largest_load_if_out"],
        )
        for row in busy[:STATIONS_SHOWN]
    ]  # fmt: skip
    head = ("station", "", "residents", "grids", "km²", "mean min", "worst", "lost if out", "then most")
    more = [f"… {len(busy) - STATIONS_SHOWN} more stations in the report"] if len(busy) > STATIONS_SHOWN else []
    return table_lines(head, rows) + more


def _minutes(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _percent(figure: dict[str, Any]) -> str:
    return "–" if figure["share"] is None else f"{100 * figure['share']:.1f} %"


COMMANDS = (response,)
