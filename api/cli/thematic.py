"""``gisgrid thematic``: any other layer a city wants on its maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from api.cli.importing import refused_rows, tell
from api.cli.output import Output, output_options, table_lines
from data import db
from data.files import parse_spec, read_layer
from data.thematic import ThematicLayer, checked_name, clean_thematic, remove_thematic, store_thematic, thematic_listing
from gisgrid.errors import BadInput, Conflict
from gisgrid.settings import Settings
from layers.catalog import offered
from layers.catalog.thematic import layer_of
from layers.styles.sld import own_style


@click.group("thematic")
def group() -> None:
    """Serve other map layers as they are, beside grids and components: land use, noise, flood zones …"""


@group.command("import")
@click.argument("file")
@click.option("--name", help="Name of the layer in WMS, OGC API and files. Default: the file's or its layer's name.")
@click.option("--title", "title_zh", default="", help="Chinese title.")
@click.option("--title-en", default="", help="English title.")
@click.option("--label", default="", help="Attribute that names the features on maps.")
@click.option(
    "--style",
    "sld",
    type=click.Path(path_type=Path),
    help="How it is drawn: an SLD 1.0 or 1.1 file, as QGIS writes it.",
)
@click.option("--crs", help="Coordinate system: wgs84, gcj02, bd09, cgcs2000 or EPSG:n.")
@output_options
def import_(
    output: Output, file: str, name: str | None, title_zh: str, title_en: str, label: str, sld: Path | None,
    crs: str | None,
) -> None:  # fmt: skip
    """Take a layer of a map file, with all its attributes, in place of the thematic layer of that name."""
    settings = Settings.from_env()
    spec = parse_spec(file)
    wanted = checked_name(name or spec.layer or spec.path.stem)
    with output.stage("reading"):
        rows = read_layer(file, crs=crs)
        taken, kinds, report = clean_thematic(rows, crs=crs)
        drawn = _sld(sld, kinds) if sld else ""
    with db.database(settings) as engine, output.stage("storing"), engine.begin() as connection:
        _check_free(connection, wanted)
        with refused_rows({"thematic": report}, settings, wanted) as refused:
            store_thematic(
                connection, wanted, taken, kinds, report, title_zh=title_zh, title_en=title_en, label=label, sld=drawn,
                source=str(spec.path.name),
            )  # fmt: skip
    tell(output, {"thematic": report}, refused, f"PostGIS, layer {wanted}", {"layer": wanted})


@group.command("list")
@output_options
def listing(output: Output) -> None:
    """Show the thematic layers and their attributes."""
    with db.database(Settings.from_env()) as engine, engine.connect() as connection:
        stored = thematic_listing(connection)
    table = [
        (layer.name, layer.title_zh, layer.shape, layer.rows, ", ".join(name for name, _ in layer.attributes))
        for layer in stored
    ]
    header = ("name", "title", "shape", "features", "attributes")
    lines = table_lines(header, table) if table else ["no thematic layers; 'gisgrid thematic import FILE' takes one"]
    facts = [
        {
            "name": layer.name, "title_zh": layer.title_zh, "title_en": layer.title_en, "shape": layer.shape,
            "features": layer.rows, "attributes": dict(layer.attributes),
        }
        for layer in stored
    ]  # fmt: skip
    output.result({"layers": facts}, lines)


@group.command("remove")
@click.argument("name")
@output_options
def remove(output: Output, name: str) -> None:
    """Remove a thematic layer with its features."""
    with db.database(Settings.from_env()) as engine, engine.begin() as connection:
        remove_thematic(connection, name)
    output.result({"removed": name}, [f"thematic layer {name} removed"])


def _sld(path: Path, kinds: Sequence[tuple[str, str]]) -> str:
    """The text of a style file. Raises BadInput when it cannot draw a layer with these attributes."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--style {path}: cannot be read as UTF-8 text") from error
    own_style(text, layer_of(ThematicLayer("new", "", "", "mixed", tuple(kinds), "", text)), name=str(path))
    return text


def _check_free(connection: sa.Connection, name: str) -> None:
    """Raise Conflict for the name of a layer of another kind."""
    found = offered(connection).get(name)
    if found is not None and found.table.description != "thematic_features":
        raise Conflict(f"{name} is the name of a layer of its own here; give --name another one")


COMMANDS = (group,)
