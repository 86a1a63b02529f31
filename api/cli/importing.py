"""``gisgrid import`` and ``sample``: data in. Out it goes with `api.cli.exporting`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.output import MapFile, Output, output_options
from data import db
from data.code_tables import facility_categories
from data.exporters import write_layers
from data.files import parse_spec, read_layer
from data.grid_systems import GridSystem, professional_system
from data.households import Factor, load_factors
from data.import_report import ImportReport
from data.importers import LAYER_KINDS, clean_layer
from data.intake import counted_twice, near_stored_areas, store_grids, store_layers, store_professional, store_units
from data.osm import OsmLayers, load_osm, read_osm_place
from data.osm_areas import EXTENT_CODE
from data.professional_layers import fit_codes
from data.sample import SCENARIOS, write_sample
from data.tables import COMPREHENSIVE
from gisgrid.errors import BadInput
from gisgrid.models import Band
from gisgrid.numbering import valid_professional_code
from gisgrid.settings import Settings

OSM_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"

source_option = click.option(
    "--source", help="Name the rows are kept under; importing it again replaces them. Default: the file's name."
)


@click.group("import")
def import_group() -> None:
    """Bring map data in: OpenStreetMap extracts or layers of map files."""


@import_group.command("osm")
@click.argument("file", required=False)
@click.option("--place", metavar="NAME", help="Download a named place through OSMnx instead of reading a file.")
@click.option(
    "--area-code", default=EXTENT_CODE, show_default=True, help="Code of the extent when it holds no community."
)
@click.option("--area-name", help="Name of that area; the file's name when not given.")
@click.option(
    "--source", help="Name the rows are kept under; importing it again replaces them. Default: the file's name."
)
@click.option("--out", type=MapFile(), help="Write the layers to this file instead of PostGIS.")
@output_options
def import_osm(
    output: Output, file: str | None, place: str | None, area_code: str, area_name: str | None, source: str | None,
    out: Path | None,
) -> None:  # fmt: skip
    """Streets, water, walls, buildings, facilities, addresses and areas of an .osm, .osm.pbf file or a place."""
    if (file is None) == (place is None):
        raise BadInput("give either a FILE or --place NAME")
    settings = Settings.from_env()
    options: dict[str, Any] = {
        "area_code": area_code,
        "factors": _factors(settings),
        "facility_rules": facility_categories(settings),
    }
    with output.stage("reading OSM") as progress:
        if file is not None:
            found = load_osm(file, area_name=area_name, progress=progress, **options)
        else:
            found = read_osm_place(str(place), progress=progress, **options)
    name = source or Path(file or str(place)).name.split(".")[0]
    _keep(output, settings, found, name, out)


def _factors(settings: Settings) -> dict[str, Factor]:
    """Household factors: built in, or the user's own table."""
    own = settings.household_factors
    return load_factors(text=own.read_text(encoding="utf-8") if own else None)


def _keep(output: Output, settings: Settings, found: OsmLayers, source: str, out: Path | None) -> None:
    twice: dict[str, int] = {}
    with refused_rows(found.reports, settings, source) as refused:
        if out is not None:
            write_layers(out, found.layers)
            place = str(out)
        else:
            with db.database(settings) as engine, output.stage("storing"):
                store_layers(engine, found.layers, found.reports, source=source, attribution=OSM_ATTRIBUTION)
                twice = counted_twice(engine, source)
            place = "PostGIS"
    tell(output, found.reports, refused, place, {"counted_twice": twice} if twice else None)


@import_group.command("layer")
@click.argument("file")
@click.option("--as", "as_", required=True, type=click.Choice(sorted(LAYER_KINDS)), help="What the rows are.")
@click.option("--crs", help="Coordinate system: wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@click.option("--area", help="File of the area the rows must lie in; others are refused.")
@click.option(
    "--source", help="Name the rows are kept under; importing it again replaces them. Default: the file's name."
)
@click.option(
    "--households", "band", metavar="MIN:MAX", help="Band of imported grids; 300:500, or the system's, when not given."
)
@click.option("--system", help="Professional system of the grids: police, fire, 消防 …; comprehensive when not given.")
@click.option("--object-code", help="First 6 digits of made codes, in place of the system's in the code table.")
@click.option("--out", type=MapFile(), help="Write the layer to this file instead of PostGIS.")
@output_options
def import_layer(
    output: Output,
    file: str,
    as_: str,
    crs: str | None,
    area: str | None,
    source: str | None,
    band: str | None,
    system: str | None,
    object_code: str | None,
    out: Path | None,
) -> None:
    """A layer of a GeoPackage, GeoJSON, Shapefile, zipped Shapefile, GeoParquet, FlatGeobuf or CSV file.

    With --system grids are those of a professional system, kept and published beside the comprehensive ones; rows
    without a 20-digit code are numbered.
    """
    settings = Settings.from_env()
    profession = _profession(as_, system, object_code)
    wanted = Band.parse(band) if band else profession.band if profession else Band(300, 500)
    name = source or parse_spec(file).path.stem
    with output.stage("reading"):
        rows = read_layer(file, layer=as_, crs=crs)
        outline = read_layer(area, layer="areas") if area else None
    kind = "professional" if profession else as_
    if out is not None:
        taken, report = clean_layer(rows, kind, area=outline, factors=_factors(settings))
        if profession:
            taken = _with_codes(taken, outline, profession)
        with refused_rows({as_: report}, settings, name) as refused:
            write_layers(out, {as_: taken})
        tell(output, {as_: report}, refused, str(out))
        return
    made: dict[str, Any] = {}
    with db.database(settings) as engine, output.stage("storing"):
        known = outline if outline is not None or as_ == "areas" else near_stored_areas(engine)
        taken, report = clean_layer(rows, kind, area=known, factors=_factors(settings))
        with refused_rows({as_: report}, settings, name) as refused:
            if as_ == "units":
                made["unit_set"] = store_units(engine, taken, report, source=name)
            elif profession:
                made["plan"] = store_professional(
                    engine, taken, report, source=name, band=wanted, system=profession
                )  # fmt: skip
                made["system"] = profession.name
            elif as_ == "grids":
                made["plan"] = store_grids(engine, taken, report, source=name, band=wanted)
            else:
                store_layers(engine, {as_: taken}, {as_: report}, source=name)
        twice = counted_twice(engine, name) if as_ == "buildings" else {}
    place = " ".join(["PostGIS", *(f"{key} {value}" for key, value in made.items())])
    if twice:
        made["counted_twice"] = twice
    tell(output, {as_: report}, refused, place, made)


def _profession(as_: str, system: str | None, object_code: str | None) -> GridSystem | None:
    """The professional system rows are imported into. Raises BadInput where there cannot be one."""
    if system is None or system in (COMPREHENSIVE, "comprehensive"):
        if object_code is not None:
            raise BadInput("--object-code goes with --system: it begins the codes of professional grids")
        return None
    if as_ != "grids":
        raise BadInput(f"--system goes with --as grids; {as_} belong to no professional system")
    return professional_system(system, object_code=object_code)


def _with_codes(grids: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, system: GridSystem) -> gpd.GeoDataFrame:
    """Professional grids of a file with codes; those of the file itself need no areas."""
    if areas is None or "code" not in areas:
        lacking = next((code for code in grids["code"] if not valid_professional_code(code)), None)
        if lacking is not None:
            raise BadInput(f"{lacking}: no 20-digit code; give --area FILE with the communities to number it in")
        return grids.assign(system=system.name)
    return fit_codes(grids, areas, system=system)[0].assign(system=system.name)


@contextmanager
def refused_rows(reports: Mapping[str, ImportReport], settings: Settings, source: str) -> Iterator[dict[str, Path]]:
    """Refused rows of each layer, with the reason, as CSV under the home folder.

    Written before the sound rows are kept, so that an import that cannot say what it refused takes nothing; removed
    again when the import fails.
    """
    written: dict[str, Path] = {}
    name = re.sub(r"[^\w.-]+", "_", source)[:60]  # a source is any text, a file's name is not
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    try:
        for layer, report in reports.items():
            if len(report.refused_rows):
                folder = settings.home / "refused"
                folder.mkdir(parents=True, exist_ok=True)
                target = folder / f"{name}-{layer}-{stamp}.csv"
                write_layers(target, {layer: report.refused_rows})
                written[layer] = target
        yield written
    except BaseException:
        for path in written.values():
            path.unlink(missing_ok=True)
        raise


def tell(
    output: Output, reports: Mapping[str, ImportReport], refused: Mapping[str, Path], place: str,
    extra: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Say what an import took and refused, and where both are."""
    lines = [line for report in reports.values() for line in report.lines()]
    lines += [f"refused rows of {layer}: {path}" for layer, path in refused.items()]
    lines += [
        f"note: {number:,} buildings stand where source {other!r} has some already and both count; "
        f"to replace those, import with --source {other}"
        for other, number in (extra or {}).get("counted_twice", {}).items()
    ]
    facts = {
        "layers": {layer: report.as_dict() for layer, report in reports.items()},
        "refused_files": {layer: str(path) for layer, path in refused.items()},
        "to": place,
    }
    output.result(facts | dict(extra or {}), [*lines, f"→ {place}"])


@click.command("sample")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--scenario", default="taibai", show_default=True, type=click.Choice(sorted(SCENARIOS)))
@click.option("--seed", default=1, show_default=True, help="Same scenario and seed give the same district.")
@output_options
def sample(output: Output, directory: Path, scenario: str, seed: int) -> None:
    """Make a sample district: DIRECTORY/district.gpkg with every layer, and manifest.json."""
    with output.stage(f"sample {scenario}") as progress:
        made = write_sample(directory, scenario, seed=seed, progress=progress)
    lines = [f"{name}: {len(rows)} rows" for name, rows in made.layers.items()]
    facts = {"scenario": scenario, "seed": seed, "layers": {name: len(rows) for name, rows in made.layers.items()}}
    output.result(facts | {"out": str(directory)}, [*lines, f"→ {directory}"])


COMMANDS = (import_group, sample)
