"""``gisgrid address``: find addresses, complete them, tell those about a point, take one apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.output import Output, output_options, table_lines
from data import db, plans
from data.files import read_layer
from data.gazetteer import gazetteer_of_files, stored_gazetteer
from gisgrid.address import Gazetteer, Match, Owners, parse
from gisgrid.address.reverse import WITHIN
from gisgrid.crs import check_lonlat, point_to_storage
from gisgrid.errors import BadInput, NotFound
from gisgrid.limits import ADDRESS_HITS_MAX
from gisgrid.locate import GridIndex
from gisgrid.settings import Settings


@click.group("address")
def address() -> None:
    """Find, complete and take apart addresses; the addresses about a point."""


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the gazetteer comes from: files, or PostGIS without them."""
    for name, text in (
        ("--aliases", "CSV of nicknames: columns alias and name."),
        ("--facilities", "Places people go by (name)."),
        ("--areas", "Districts, sub-districts and communities (code, level, name)."),
        ("--streets", "Lines with name, to reckon door numbers along."),
        ("--addresses", "Address file; without it, the addresses in PostGIS."),
    ):
        kind = click.Path(exists=True, dir_okay=False, path_type=Path) if name == "--aliases" else None
        command = click.option(name, type=kind, help=text)(command)
    return command


limit_option = click.option(
    "--limit", default=5, show_default=True, type=click.IntRange(1, ADDRESS_HITS_MAX), help="Most answers."
)


@contextmanager
def _gazetteer(
    output: Output,
    addresses: str | None,
    streets: str | None,
    areas: str | None,
    facilities: str | None,
    aliases: Path | None,
    grids: str | None = None,
) -> Iterator[tuple[Gazetteer, gpd.GeoDataFrame | None]]:  # fmt: skip
    """The gazetteer asked for, and the grids beside it."""
    if addresses is not None:
        with output.stage("reading"):
            found = gazetteer_of_files(addresses, streets=streets, areas=areas, facilities=facilities, aliases=aliases)
            layer = read_layer(grids, layer="grids") if grids else None
        yield found, layer
        return
    if streets or areas or facilities:
        raise BadInput("--streets, --areas and --facilities go with --addresses FILE; give it or leave them out")
    settings = Settings.from_env()
    if aliases is not None:
        settings = replace(settings, address_aliases=aliases)
    with db.database(settings) as engine, engine.connect() as connection:
        with output.stage("reading"):
            stored = stored_gazetteer(connection, settings)
            generation = plans.current_generation(connection)
            if grids:
                layer = read_layer(grids, layer="grids")
            else:
                layer = plans.grids_in_force(connection, generation.id) if generation else None
        if stored is None:
            raise NotFound("no addresses are stored; import some first, or give --addresses FILE")
        yield stored, layer if layer is not None and len(layer) else None


@address.command("search")
@click.argument("text", nargs=-1, required=True)
@source_options
@click.option("--grids", help="Grid file; without it, the grids in force when the addresses come from PostGIS.")
@limit_option
@output_options
def search(output: Output, text: tuple[str, ...], limit: int, grids: str | None, **source: Any) -> None:
    """The places an address TEXT may mean, likeliest first."""
    said = " ".join(text)
    with _gazetteer(output, grids=grids, **source) as (gazetteer, layer):
        owners, codes = _owners(gazetteer, layer)
        found = gazetteer.search(said, limit=limit, owners=owners)
        lies = _grids_of(found, owners, codes)
    matches = [asdict(match) | {"grid": code} for match, code in zip(found, lies, strict=True)]
    header = ["score", "sure", "how", "± m", "lon", "lat", "grid", "address"]
    rows = [
        [
            f"{m.score:.2f}",
            "yes" if m.confident else "no",
            m.how,
            round(m.accuracy),
            f"{m.lon:.6f}",
            f"{m.lat:.6f}",
            code or "-",
            m.full,
        ]
        for m, code in zip(found, lies, strict=True)
    ]
    output.result(
        {"text": said, "matches": matches}, table_lines(header, rows) if rows else ["nothing here is called so"]
    )


def _owners(gazetteer: Gazetteer, layer: gpd.GeoDataFrame | None) -> tuple[Owners | None, list[str]]:
    if layer is None:
        return None, []
    if "level" in layer:
        layer = layer[layer["level"] == layer["level"].min()]
    codes = layer["code"].astype(str).tolist()
    return gazetteer.owners(GridIndex.build(layer.geometry.to_numpy(), codes)), codes


def _grids_of(found: list[Match], owners: Owners | None, codes: list[str]) -> list[str | None]:
    if owners is None or not found:
        return [None] * len(found)
    rows = owners.at([m.lon for m in found], [m.lat for m in found])
    return [codes[row] if row >= 0 else None for row in rows.tolist()]


@address.command("suggest")
@click.argument("text")
@source_options
@limit_option
@output_options
def suggest(output: Output, text: str, limit: int, **source: Any) -> None:
    """Ways to go on typing TEXT: characters, pinyin or initials."""
    with _gazetteer(output, **source) as (gazetteer, _):
        found = gazetteer.suggest(text, limit=limit)
    lines = table_lines(["kind", "addresses", "text"], [[s.kind, s.count, s.text] for s in found])
    output.result({"text": text, "suggestions": [asdict(s) for s in found]}, lines if found else ["nothing begins so"])


@address.command("reverse")
@click.argument("lon", type=float)
@click.argument("lat", type=float)
@source_options
@click.option("--crs", default="wgs84", show_default=True, help="wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@click.option("--within", default=WITHIN, show_default=True, help="Metres; with no address this near the road is told.")
@limit_option
@output_options
def reverse(output: Output, lon: float, lat: float, crs: str, within: float, limit: int, **source: Any) -> None:
    """The addresses nearest to the point LON LAT."""
    x, y = point_to_storage(lon, lat, crs)
    check_lonlat(x, y)
    with _gazetteer(output, **source) as (gazetteer, _):
        found = gazetteer.reverse(x, y, limit=limit, within=within)
    lines = table_lines(["metres", "how", "address"], [[f"{n.metres:.1f}", n.how, n.full] for n in found])
    point = {"lon": x, "lat": y, "crs": "cgcs2000"}
    output.result({"point": point, "addresses": [asdict(n) for n in found]}, lines if found else ["no address is near"])


@address.command("parse")
@click.argument("text", nargs=-1, required=True)
@output_options
def parse_text(output: Output, text: tuple[str, ...]) -> None:
    """Take an address TEXT apart by its own words, without looking anything up."""
    said = " ".join(text)
    found = parse(said)
    answer = {"text": said, "plain": found.text, "near": found.near, "parts": found.parts()}
    output.result(answer, table_lines(["part", "text"], list(found.parts().items())))


COMMANDS = (address,)
