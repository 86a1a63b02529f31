"""``gisgrid isochrones``: where one gets in 5, 10 and 15 minutes, as polygons."""

from __future__ import annotations

from pathlib import Path

import click
import geopandas as gpd
import shapely

from api.cli.inputs import inputs_crs_option, read_place_file
from api.cli.output import MapFile, Output, arrows, output_options, table_lines
from data.exporters import write_layers
from gisgrid.crs import normalise, to_storage
from gisgrid.errors import BadInput
from planning.circles.facilities import isochrones_per_facility, merged_isochrones
from planning.network import build_network, reverse
from planning.reach import profile_of


@click.command("isochrones")
@click.option("--streets", required=True, help="Street file or OSM extract.")
@click.option("--from", "places", required=True, metavar="F|LON,LAT", help="Facility file, OSM extract or one place.")
@click.option("--minutes", default="5,10,15", show_default=True, help="Minutes of the polygons, any number of them.")
@click.option("--profile", default="adult", show_default=True, help="adult, elderly, frail, bicycle or car.")
@click.option("--speed", type=float, help="Metres per second in place of the profile's.")
@click.option("--factor", type=float, help="The moment's speed as a share of the usual one, such as 0.6.")
@click.option("--direction", type=click.Choice(["from", "to"]), help="Ways from the places (usual for car) or to them.")
@click.option("--merged", is_flag=True, help="One polygon a category in place of one a facility.")
@click.option("--bands", is_flag=True, help="0–5, 5–10, 10–15 apart, not one inside the other.")
@click.option("--cell", default=10.0, show_default=True, help="Width of the raster's cells in metres.")
@click.option("--out", required=True, type=MapFile(), help="File for the polygons.")
@inputs_crs_option
@output_options
def isochrones(
    output: Output, streets: str, places: str, minutes: str, profile: str, speed: float | None, factor: float | None,
    direction: str | None, merged: bool, bands: bool, cell: float, crs: str | None, out: Path,
) -> None:  # fmt: skip
    """Polygons of everywhere within so many minutes of each facility, or of the nearest of a category."""
    mover = profile_of(profile, metres_per_second=speed, factor=factor)
    wanted = numbers(minutes)
    for value in wanted:
        mover.limit(value)  # refused before anything is read
    with output.stage("reading"):
        lines = read_place_file(streets, "streets", crs=crs)
        rows = _places(places, crs)
    with output.stage("network"):
        network = build_network(lines, mode=mover.mode)
        # people go to facilities, vehicles come from stations
        if (direction or ("from" if mover.mode == "drive" else "to")) == "to":
            network = reverse(network)
    draw = merged_isochrones if merged else isochrones_per_facility
    with output.stage("polygons") as progress:
        found = draw(network, rows, minutes=wanted, profile=mover, cell=cell, bands=bands, progress=progress)
    if not len(found):
        raise BadInput(f"none of the {len(rows)} places of {places} is near a street of {streets}; nothing to draw")
    # GeoJSON is in WGS 84 (RFC 7946)
    written = write_layers(out, {"isochrones": found.to_crs("EPSG:4326") if out.suffix == ".geojson" else found})
    _tell(output, found, rows, merged, written)


def numbers(text: str) -> list[float]:
    """``5,7.5,15`` as numbers. Raises BadInput."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"--minutes {text!r} is not a list of numbers such as 5,10,15") from None


def _places(spec: str, crs: str | None) -> gpd.GeoDataFrame:
    """The facilities of a file, or the one place LON,LAT: WGS 84, or the shifted degrees of gcj02 and bd09."""
    parts = spec.split(",")
    if len(parts) == 2:
        try:
            lon, lat = map(float, parts)
        except ValueError:
            return read_place_file(spec, "facilities", crs=crs)
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadInput(f"--from {spec} is no LON,LAT in degrees; give for example 112.85,35.49")
        place = gpd.GeoDataFrame(geometry=[shapely.Point(lon, lat)])
        said = None if crs is None else normalise(crs)
        return to_storage(place, said) if said in ("gcj02", "bd09") else place.set_crs("EPSG:4326")
    rows = read_place_file(spec, "facilities", crs=crs)
    if not len(rows):
        raise BadInput(f"{spec} holds no facilities; give points, or LON,LAT")
    return rows


def _tell(output: Output, found: gpd.GeoDataFrame, rows: gpd.GeoDataFrame, merged: bool, written: list[Path]) -> None:
    areas = found.assign(hectares=found.area / 1e4).groupby("minutes")["hectares"].agg(["size", "mean"])
    lines = table_lines(
        ("minutes", "polygons", "mean ha"),
        [(f"{minutes:g}", int(row["size"]), f"{row['mean']:.1f}") for minutes, row in areas.iterrows()],
    )
    drawn = int(found["facilities"].groupby(found["category"]).first().sum()) if merged else found["facility"].nunique()
    left = len(rows) - drawn
    if left:
        lines.append(f"note: {left} of {len(rows)} places are near no street and have no polygon")
    output.result(
        {
            "polygons": len(found),
            "places": len(rows),
            "off_network": left,
            "hectares": {f"{minutes:g}": round(float(row["mean"]), 3) for minutes, row in areas.iterrows()},
            "out": str(written[0]),
            "files": [str(path) for path in written],
        },
        [*lines, *arrows(written)],
    )


COMMANDS = (isochrones,)
