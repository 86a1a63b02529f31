"""``gisgrid heat``: where, when and how unusually often reports come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import geopandas as gpd
import numpy as np
import pandas as pd

from api.cli.heat_report import REPORT_ENDINGS, write_heat_report
from api.cli.inputs import inputs_crs_option
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from api.heat.hot_spots import spots_of
from api.heat.rises import rises_in
from data import db
from data.exporters import write_layers
from data.importers import import_layer
from gisgrid.errors import BadInput
from gisgrid.locate import GridIndex
from gisgrid.settings import Settings
from planning.heat import KERNELS, bandwidth_for, breaks_of, contours, intensity, patterns, raster_for
from planning.workflow_heat import WEIGHTS, Chosen, HeatSource, choose, heat_source, read_heat, recent_weights

LAYERS = ("surface", "grids", "rises", "month", "weekday", "hour")
"""What ``--out`` holds."""
SPOTS = ("hot99", "hot95", "hot90", "cold90", "cold95", "cold99", "not_rated")


@click.command("heat")
@click.argument("reports", required=False)
@click.option("--grids", help="Grid file; with REPORTS. Without both, everything comes from PostGIS.")
@click.option("--units", help="Unit file with households, where the grids have none.")
@click.option("--class", "classes", default="", help="Classes by name or code, split by commas.")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day; that of the first report else.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day; that of the last report else.")
@click.option("--area", default="", help="Code of a district, street or community.")
@click.option("--kernel", type=click.Choice(KERNELS), default="quartic", show_default=True, help="Shape of the kernel.")
@click.option("--bandwidth", type=float, help="Metres; by Silverman's rule when not given.")
@click.option("--adaptive", is_flag=True, help="Narrower where reports are dense.")
@click.option("--no-edges", is_flag=True, help="Do not correct the edges of the area.")
@click.option(
    "--weight", type=click.Choice(WEIGHTS), default="none", show_default=True, help="recent: halves in 30 days."
)
@click.option("--smooth", is_flag=True, help="Draw rates of small grids towards the mean (empirical Bayes).")
@click.option("--permutations", type=int, help="Of Gi*; 9,999 when not given.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the permutations.")
@click.option("--days", type=int, default=14, show_default=True, help="Days looked at for rises.")
@click.option(
    "--by", type=click.Choice(["major", "minor", "all"]), default="major", show_default=True, help="Of rises."
)
@click.option("--alpha", type=float, default=0.05, show_default=True, help="False discovery rate of rises.")
@click.option("--out", type=MapFile(layers=LAYERS, long_names=True), help="File for surface, grids, rises, patterns.")
@click.option("--report", type=MapFile(*REPORT_ENDINGS), help="F.html to read and print, F.json for scripts.")
@inputs_crs_option
@output_options
def heat(
    output: Output,
    reports: str | None,
    grids: str | None,
    units: str | None,
    out: Path | None,
    report: Path | None,
    crs: str | None,
    **given: Any,
) -> None:
    """Intensity, hot spots (Getis-Ord Gi*), patterns in time and unusual rises of reports.

    REPORTS: points with a time (reported_at, 上报时间 …), and classes (major, minor, 大类, 小类) where they have them.
    """
    settings = Settings.from_env()
    if (reports is None) != (grids is None):
        raise BadInput("REPORTS and --grids go together; without both, everything comes from PostGIS")
    if reports is not None and out is None and report is None:
        raise BadInput("--out is missing: name the file for the results")
    with output.stage("reading"):
        if reports is not None and grids is not None:
            source = _from_files(reports, grids, units, crs, settings)
        else:
            if units or crs:
                raise BadInput(f"--{'units' if units else 'crs'} needs REPORTS and --grids")
            with db.database(settings) as engine, engine.connect() as connection:
                source = read_heat(connection, settings.timezone)
    asked = choose(
        source,
        classes=[one.strip() for one in given["classes"].split(",") if one.strip()],
        first=given["first"] and given["first"].date(),
        last=given["last"] and given["last"].date(),
        area=given["area"],
    )
    with output.stage("heat"):
        made = find_heat(asked, given)
    written = []
    if out is not None:
        named = {name: _placed(made[name], asked) for name in LAYERS if len(made[name])}
        written = write_layers(out, named)
    if report is not None:
        with output.stage("report"):
            write_heat_report(report, asked, made)
        written.append(report)
    _tell(output, asked, made, written)


def _placed(table: pd.DataFrame, asked: Chosen) -> gpd.GeoDataFrame:
    """A table as a layer; one without places has none."""
    if isinstance(table, gpd.GeoDataFrame):
        return table
    return gpd.GeoDataFrame(table, geometry=[None] * len(table), crs=asked.source.crs)


def find_heat(asked: Chosen, given: dict[str, Any]) -> dict[str, Any]:
    """Everything a question about heat is answered with, by the names of `LAYERS`; ``facts`` beside them."""
    events, span = asked.events, asked.span
    wide, rule = given["bandwidth"], "given"
    if wide is None:
        rule = "silverman"
        wide = bandwidth_for(events.x, events.y, given["kernel"]) if len(events) > 1 else 500.0
    raster = raster_for(asked.area(), given["kernel"], wide, correct=not given["no_edges"])
    weight = recent_weights(events, span) if given["weight"] == "recent" else None
    surface = intensity(raster, events.x, events.y, span, weight=weight, adaptive=given["adaptive"])
    breaks = breaks_of(surface.peak)
    spots = spots_of(asked, given["smooth"], given["permutations"], given["seed"])
    columns = ["code", "name", "community", "geometry"]
    grids = asked.source.grids.iloc[asked.rows][columns].reset_index(drop=True)
    grids = gpd.GeoDataFrame(pd.concat([grids, spots.rows], axis=1), geometry="geometry", crs=asked.source.crs)
    rises, risen = _rises(asked, given)
    found = {name: table for name, table in patterns(events, span, asked.source.zone).items() if name != "week"}
    facts = {
        "kernel": raster.kernel,
        "bandwidth": raster.bandwidth,
        "bandwidth_by": rule,
        "cell": raster.cell,
        "edges": "corrected" if raster.corrected else "plain",
        "adaptive": given["adaptive"],
        "weight": given["weight"],
        "peak": surface.peak,
        "breaks": list(breaks),
    }
    shapes = contours(surface, breaks, asked.source.crs, asked.area())
    return {
        "surface": shapes,
        "grids": grids,
        "rises": rises,
        **found,
        "spots": spots.facts,
        "risen": risen,
        "surface_facts": facts,
    }


def _rises(asked: Chosen, given: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(Rises with the names of places and classes, how they were found); why there are none where the period is
    short."""
    try:
        found, names = rises_in(asked, given["by"], given["days"], given["alpha"])
    except BadInput as error:
        if "are needed" not in error.message:
            raise
        return pd.DataFrame({"place": [], "class": [], "observed": [], "flagged": []}), {"reason": error.message}
    rows = found.rows.copy()
    table = asked.source.grids.iloc[asked.rows]
    code, name = table["code"].astype(str).to_numpy(), table["name"].fillna("").astype(str).to_numpy()
    at = rows.pop("grid").to_numpy()
    rows.insert(0, "code", np.where(at < 0, "", code[at]))
    rows.insert(1, "place", np.where(at < 0, "", np.where(name[at] == "", code[at], name[at])))
    rows.insert(2, "class", [" ".join(filter(None, names[kind])) for kind in rows.pop("kind")])
    window = f"{found.window.first} – {found.window.last}"
    return rows.reset_index(drop=True), found.facts | {"window": window, "reason": None}


def _from_files(reports: str, grids: str, units: str | None, crs: str | None, settings: Settings) -> HeatSource:
    """Reports and grids of files. Raises BadInput for what they lack."""
    points, _ = import_layer(reports, "reports", crs=crs)
    if points.empty:
        raise BadInput(f"{reports}: no row can be used as a report; give points with a time (reported_at)")
    layer, _ = import_layer(grids, "grids", crs=crs)
    if "level" in layer:
        layer = layer[layer["level"].fillna(1) == layer["level"].fillna(1).min()].reset_index(drop=True)
    if units is not None:
        layer = layer.assign(households=_households(units, layer, crs))
    seconds = pd.to_datetime(points["reported_at"], utc=True).astype("datetime64[s, UTC]").astype(np.int64).to_numpy()
    pairs = list(zip(points["major"].fillna("").astype(str), points["minor"].fillna("").astype(str), strict=True))
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    for name in ("name", "community"):
        if name not in layer:
            layer[name] = ""
    return heat_source(x, y, seconds, pairs, layer, settings.timezone, 0)


def _households(units: str, grids: gpd.GeoDataFrame, crs: str | None) -> np.ndarray[Any, Any]:
    """Households of the units whose middle lies in each grid."""
    layer, _ = import_layer(units, "units", crs=crs)
    index = GridIndex.build(grids.geometry.to_numpy(), grids["code"].astype(str).to_numpy())
    middle = layer.representative_point()
    row = index.rows(middle.x.to_numpy(), middle.y.to_numpy())
    inside = row >= 0
    weights = layer["households"].fillna(0).to_numpy(float)[inside]
    return np.rint(np.bincount(row[inside], weights=weights, minlength=len(grids))).astype(np.int64)


def _tell(output: Output, asked: Chosen, made: dict[str, Any], written: list[Path]) -> None:
    spots, risen = made["grids"]["spot"].value_counts(), made["risen"]
    flagged = made["rises"][made["rises"]["flagged"].astype(bool)] if len(made["rises"]) else made["rises"]
    rows = [
        (name, int(spots.get(name, 0)))
        for name in ("hot99", "hot95", "hot90", "cold90", "cold95", "cold99", "not_rated")
    ]
    lines = [
        f"{len(asked.events):,} reports in {asked.span.days} days ({asked.span.first} to {asked.span.last}), "
        f"{asked.outside:,} outside every grid",
        f"surface: {made['surface_facts']['kernel']}, {made['surface_facts']['bandwidth']:.0f} m, "
        f"peak {made['surface_facts']['peak']:.1f} reports/km² and month",
        *table_lines(("spots", "grids"), rows),
        risen["reason"] or f"rises in {risen['window']}: {len(flagged)} flagged of {risen['tests']} tests",
    ]
    for row in flagged.head(10).to_dict("records"):
        place = row["place"] or "the whole area"
        lines.append(f"  {place} {row['class']}: {row['observed']}, expected {row['expected']:.1f}, q {row['q']:.2g}")
    facts = {
        "reports": len(asked.events),
        "from": str(asked.span.first),
        "to": str(asked.span.last),
        "outside": asked.outside,
        "surface": made["surface_facts"],
        "spots": dict(rows) | {"facts": made["spots"]},
        "rises": {"flagged": len(flagged), **risen},
        "files": [str(path) for path in written],
    }
    output.result(facts, [*lines, *arrows(written)])


COMMANDS = (heat,)
