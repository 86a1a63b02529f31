"""``gisgrid export``: any layer of the catalogue as a file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click
import sqlalchemy as sa

from api.catalogue import Catalogue
from api.cli.output import MapFile, Output, output_options
from data import db
from data.exporters import move
from data.grid_systems import stored_name
from data.plans import current_generation
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput, Broken, NotFound
from gisgrid.settings import Settings
from layers.catalog import GRIDS, Layer, layer_named, offered
from layers.downloads import Selection, Written, check_system, form_of, select, write_file
from layers.features import parse_bbox
from layers.qgis import Place, Source, extent_of, project

ENDINGS: Final = (".gpkg", ".geojson", ".json", ".parquet", ".fgb", ".shp", ".zip", ".csv", ".kml")


@click.command("export")
@click.argument("layer")
@click.option("--out", type=MapFile(*ENDINGS), required=True, help="File; its ending says the format.")
@click.option("--crs", help="Coordinate system: EPSG:4490 when not given; of .csv and .geojson also gcj02 and bd09.")
@click.option("--system", help="Grids of a professional system (fire, 消防 …) instead of the comprehensive ones.")
@click.option("--bbox", help="Only what lies in minx,miny,maxx,maxy: degrees, longitude first.")
@click.option("--datetime", "--at", "when", help="Time, day or from/to; of grids, those in force at its end.")
@click.option("--filter", "filter_text", help="CQL2: \"households > 500 AND kind <> 'special'\".")
@click.option(
    "--filter-lang", type=click.Choice(["cql2-text", "cql2-json"]), default="cql2-text", show_default=True,
    help="Language of --filter.",
)  # fmt: skip
@click.option("--properties", help="Attributes to take, split by commas; all when not given.")
@click.option("--bom", is_flag=True, help="Begin a .csv with the mark Excel knows UTF-8 by.")
@output_options
def export(
    output: Output, layer: str, out: Path, crs: str | None, system: str | None, bbox: str | None, when: str | None,
    filter_text: str | None, filter_lang: str, properties: str | None, bom: bool,
) -> None:  # fmt: skip
    """Write a stored layer, or a part of it, to a file; of 'grids', those in force, all levels.

    Layers: areas, grids, units, components, facilities, circles, blind_spots, drafts, buildings, streets, water, walls,
    barriers, addresses, reports, and the parts /api/v1/layers lists (components_01, circles_clinic …).
    """
    if system is not None and layer != "grids":
        raise BadInput(f"--system goes with grids; {layer} belong to no professional system")
    if bbox is not None:
        parse_bbox(bbox)
    settings = Settings.from_env()
    with db.database(settings) as engine, output.stage("writing"), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        found = _layer(connection, layer, system)
        chosen = select(connection, found, crs=crs, bbox=bbox, when=when, properties=properties, zone=settings.timezone)
        check_system(form_of(out), chosen.crs)
        if connection.scalar(chosen.query(sa.literal(1)).limit(1)) is None:
            part = bbox or when or filter_text
            raise NotFound(f"no {layer} are chosen by that" if part else f"there are no {layer} stored yet")
        written, paths = _write(connection, chosen, out, bom=bom)
    lines = [f"{written.rows} {layer} → {out}"]
    lines += [f"note: {n} texts of {name} were cut to 254 bytes, as shapefiles are" for name, n in written.cut.items()]
    lines += [f"→ {path}" for path in paths if path != out and path.suffix == ".shp"]
    output.result({"layer": layer, "rows": written.rows, "out": str(out), "texts_cut": written.cut}, lines)


def _layer(connection: sa.Connection, name: str, system: str | None) -> Layer:
    """The layer of that name; of the grids, every level of a system."""
    if name != "grids":
        return layer_named(offered(connection), name)
    if current_generation(connection) is None:
        raise NotFound("no plan is published yet; publish one first (gisgrid publish PLAN)")
    of = stored_name(system) if system else COMPREHENSIVE
    return GRIDS.part("grids", GRIDS.title_zh, GRIDS.title_en, GRIDS.table.c.system == of)


def _write(connection: sa.Connection, chosen: Selection, out: Path, *, bom: bool) -> tuple[Written, list[Path]]:
    """Written beside its place, then put there: a file is complete or not there."""
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.stem}-") as folder:
            written = write_file(connection, chosen, Path(folder) / out.name, bom=bom)
            return written, [move(path, out.parent / path.name) for path in written.paths]
    except PermissionError as error:
        raise BadInput(f"{out}: may not be written: {error.strerror}", path=str(out)) from error
    except OSError as error:
        raise Broken(f"{out}: could not be written: {error.strerror or error}", path=str(out)) from error


@click.command("qgis-project")
@click.option("--url", required=True, help="Address the service is reached at, as http://maps.example:8000.")
@click.option("--out", type=MapFile(".qgs", ".qgz"), required=True, help="Project file, .qgs or .qgz.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of titles.")
@click.option(
    "--source", type=click.Choice(["wfs", "wms"]), default="wfs", show_default=True,
    help="wfs: features over OGC API Features; wms: pictures.",
)  # fmt: skip
@output_options
def qgis_project(output: Output, url: str, out: Path, lang: str, source: Source) -> None:
    """A QGIS project that opens every layer of a service, drawn as the web map draws them (drafts need a key)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or any(char.isspace() for char in url):
        raise BadInput(f"--url {url!r} is no address; give http://host:port")
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        offer = Catalogue(engine).now()
        layers = [layer for layer in offer.layers.values() if not layer.restricted]
        place = Place(url.rstrip("/"), extent_of(connection), "网格地图" if lang == "zh" else "Grid maps")
        made = project(layers, offer.styles, place, source=source, language=lang)
    if out.suffix.lower() == ".qgz":
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(f"{out.stem}.qgs", (2000, 1, 1, 0, 0, 0)), made, zipfile.ZIP_DEFLATED)
        made = held.getvalue()
    out.write_bytes(made)
    output.result({"layers": len(layers), "out": str(out)}, [f"{len(layers)} layers → {out}"])


COMMANDS = (export, qgis_project)
