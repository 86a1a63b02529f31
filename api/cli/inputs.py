"""Reading what commands are given: street files of several kinds, numbers, codes."""

from __future__ import annotations

from pathlib import Path

import click
import geopandas as gpd

from data.files import layer_names, parse_spec, read_layer
from data.graphml import read_graphml, streets_of_graph
from data.osm import read_osm
from data.osm_tags import street_class
from gisgrid.errors import BadInput

BARRIER_LAYERS = ("streets", "water", "walls")
NETWORK_LAYERS = ("streets", "water", "barriers")
OSM_ENDINGS = (".osm", ".pbf", ".osm.bz2", ".osm.gz", ".osm.xml")

band_option = click.option(
    "--households",
    "band",
    default="300:500",
    show_default=True,
    metavar="MIN:MAX",
    help="Households a grid should have.",
)

crs_option = click.option(
    "--crs", help="Coordinate system of the file: wgs84, gcj02, bd09, cgcs2000 or EPSG:n; needed where it tells none."
)

inputs_crs_option = click.option(
    "--crs",
    metavar="CRS",
    help="Coordinate system of inputs that tell none (CSV): wgs84, gcj02, bd09, cgcs2000 or EPSG:n.",
)


def is_osm_file(spec: str) -> bool:
    """Whether a file name is that of an OpenStreetMap extract."""
    return spec.lower().endswith(OSM_ENDINGS)


def is_graph_file(spec: str) -> bool:
    """Whether a file name is that of a graph saved by OSMnx."""
    return spec.lower().endswith(".graphml")


def read_map(
    spec: str | Path, *, layer: str | None = None, crs: str | None = None, allow_empty: bool = False
) -> gpd.GeoDataFrame:
    """A layer as `data.files.read_layer` gives it; ``crs`` is for a file that tells none, and no other."""
    try:
        return read_layer(spec, layer=layer, allow_empty=allow_empty)
    except BadInput as error:
        if crs is None or error.code != "no_crs":
            raise
    return read_layer(spec, layer=layer, crs=crs, allow_empty=allow_empty)


def read_place_file(spec: str, name: str, *, crs: str | None = None) -> gpd.GeoDataFrame:
    """Layer ``name`` of a map file: an OSM extract, a file holding a layer of that name, or a single-layer file;
    streets of a graph saved by OSMnx, too. ``crs``: of a file that tells none. Raises BadInput for what it lacks.
    """
    if is_osm_file(spec):
        layers = read_osm(spec)
        if name not in layers:
            raise BadInput(f"{spec}: an OSM extract gives no {name}; give a map file, or one layer of it (FILE:layer)")
        return layers[name]
    if is_graph_file(spec) and name == "streets":
        return streets_of_graph(read_graphml(spec))
    return read_map(spec, layer=name, crs=crs)


def read_street_layers(spec: str, *, crs: str | None = None) -> dict[str, gpd.GeoDataFrame]:
    """``streets`` and, where the file has them, ``water`` and ``barriers`` (gates and bollards), for a network."""
    if is_osm_file(spec):
        layers = read_osm(spec)
        return {name: layers[name] for name in NETWORK_LAYERS}
    if not is_graph_file(spec):
        named = parse_spec(spec)
        if named.layer is None and named.path.suffix.lower() == ".gpkg":
            present = layer_names(named.path)
            if "streets" in present:
                wanted = [name for name in NETWORK_LAYERS if name in present]
                return {name: read_map(spec, layer=name, crs=crs, allow_empty=name != "streets") for name in wanted}
    return {"streets": read_place_file(spec, "streets", crs=crs)}


def read_barriers(spec: str) -> dict[str, gpd.GeoDataFrame]:
    """``streets`` and, where the file has them, ``water`` and ``walls``.

    ``FILE:layer`` and single-layer files give streets only; rows with ``cls`` river or wall become water and walls.
    """
    if is_osm_file(spec):
        layers = read_osm(spec)
        return {name: layers[name] for name in BARRIER_LAYERS}
    if is_graph_file(spec):
        return {"streets": read_place_file(spec, "streets")}
    named = parse_spec(spec)
    if named.layer is None and Path(named.path).suffix == ".gpkg":
        present = [name for name in BARRIER_LAYERS if name in layer_names(named.path)]
        if "streets" in present:
            return {name: read_layer(spec, layer=name) for name in present}
    lines = read_layer(spec, layer="streets")
    if "cls" not in lines:
        if "highway" in lines and not lines["highway"].map(lambda value: street_class({"highway": str(value)})).any():
            first = lines["highway"].iloc[0]
            raise BadInput(
                f"{spec}: no street has a known class (highway {first!r}); give highway (OpenStreetMap) or cls"
            )
        return {"streets": lines}
    river, wall = lines["cls"] == "river", lines["cls"] == "wall"
    return {"streets": lines[~(river | wall)], "water": lines[river], "walls": lines[wall]}


def whole_numbers(text: str, what: str) -> tuple[int, ...]:
    """``5,10,15`` as numbers. Raises BadInput."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{what} {text!r} is not a list of whole numbers such as 5,10,15") from None
