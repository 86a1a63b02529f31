"""``gisgrid network``: a street layer as a network, looked at and kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import geopandas as gpd

from api.cli.inputs import inputs_crs_option, is_graph_file, read_map, read_place_file, read_street_layers
from api.cli.output import MapFile, Output, output_options, table_lines
from data.exporters import write_layers
from data.graphml import read_graphml
from gisgrid.errors import BadInput, Broken
from planning.network import MODES, NODINGS, Network, build_network, edges_of, pieces_of, save_network
from planning.network.crossings import unbridged_crossings
from planning.network.extent import extent_warning, streets_beyond
from planning.network.osmnx_adapter import network_of_osmnx

ENDINGS = (".npz", ".gpkg")


@dataclass(frozen=True, slots=True)
class _Built:
    """A network, and what there is to say of the data it was made of."""

    network: Network
    notes: list[str]
    crossings: gpd.GeoDataFrame | None = None


@click.command("network")
@click.argument("streets")
@click.option("--mode", type=click.Choice(list(MODES)), default="walk", show_default=True, help="Who goes along it.")
@click.option(
    "--nodes",
    type=click.Choice(NODINGS),
    default="shared",
    show_default=True,
    help="Streets connect where they share a vertex (OpenStreetMap), or where lines of one level cross (drawn layers).",
)
@click.option("--barriers", help="Points of gates and bollards with columns foot, bicycle, car.")
@click.option("--area", help="File of the area served: says when the streets end too near to it.")
@click.option("--metres", type=float, default=1250.0, show_default=True, help="How far streets must reach beyond it.")
@click.option("--out", type=MapFile(*ENDINGS), required=True, help="The network (.npz), or edges and pieces (.gpkg).")
@inputs_crs_option
@output_options
def network(
    output: Output, streets: str, mode: str, nodes: str, barriers: str | None, area: str | None, metres: float,
    crs: str | None, out: Path,
) -> None:  # fmt: skip
    """The walking, cycling or driving network of STREETS: its figures, its pieces, and a file to keep or look at.

    STREETS is an OpenStreetMap extract, a street layer (with its layers water and barriers where it has them), or a
    graph saved by OSMnx (.graphml).
    """
    if not metres >= 0:
        raise BadInput(f"--metres {metres:g} is below zero; give metres, for example 1250")
    outline = read_place_file(area, "areas", crs=crs) if area else None
    with output.stage("network"):
        built = _build(streets, mode, nodes, barriers, outline, metres, crs)
    made = built.network
    if out.suffix.lower() == ".npz":
        _write(out, save_network(made))
    else:
        layers = {"edges": edges_of(made), "pieces": pieces_of(made)}
        if built.crossings is not None and len(built.crossings):
            layers["crossings"] = built.crossings
        write_layers(out, layers)
    figures = {"mode": mode, **made.stats, "bytes": out.stat().st_size}
    output.result({"network": figures, "notes": built.notes, "out": str(out)}, _lines(figures, built.notes, out))


def _build(
    spec: str,
    mode: str,
    nodes: str,
    barriers: str | None,
    area: gpd.GeoDataFrame | None,
    metres: float,
    crs: str | None,
) -> _Built:
    if is_graph_file(spec):
        if barriers or nodes != "shared":
            raise BadInput("a graph is noded already and knows no barriers: leave out --nodes and --barriers")
        made = network_of_osmnx(read_graphml(spec), mode, both_ways=mode == "walk")
        return _Built(made, _extent_notes(edges_of(made), area, metres))
    layers = read_street_layers(spec, crs=crs)
    gates = read_map(barriers, layer="barriers", crs=crs) if barriers else layers.get("barriers")
    lines = layers["streets"]
    made = build_network(lines, mode=mode, nodes=nodes, barriers=gates)
    notes = _extent_notes(lines, area, metres)
    found = unbridged_crossings(lines, layers["water"], mode=mode) if "water" in layers else None
    if found is not None and len(found):
        notes.append(f"{len(found)} streets cross a river or canal and are not marked as bridges: check the data there")
    return _Built(made, notes, found)


def _extent_notes(lines: gpd.GeoDataFrame, area: gpd.GeoDataFrame | None, metres: float) -> list[str]:
    note = None if area is None else extent_warning(streets_beyond(lines, area), metres)
    return [note] if note else []


def _write(out: Path, data: bytes) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(out)
    except OSError as error:
        raise Broken(f"{out}: could not be written: {error.strerror or error}", path=str(out)) from error
    finally:
        part.unlink(missing_ok=True)


def _lines(figures: dict[str, Any], notes: list[str], out: Path) -> list[str]:
    km = {key: f"{figures[key] / 1000:,.1f} km" for key in ("metres", "metres_not_used", "metres_one_way_ends")}
    lines = [
        f"{figures['mode']}: {figures['nodes']:,} nodes, {figures['edges']:,} edges, {km['metres']}; "
        f"{figures['one_way']:,} one-way, {figures['barriers_closed']} closed gates and bollards",
        f"pieces: {figures['pieces']}, of them {figures['pieces_not_used']} too small to be used "
        f"({km['metres_not_used']}); {figures['one_way_ends']} one-way ends ({km['metres_one_way_ends']}): nothing is "
        "put on these",
    ]
    if figures["largest_not_used"]:
        rows = [(one["kind"], f"{one['metres']:,.0f} m", one["lon"], one["lat"]) for one in figures["largest_not_used"]]
        lines += table_lines(("largest not used", "", "lon", "lat"), rows)
    return [*lines, *(f"note: {note}" for note in notes), f"→ {out} ({figures['bytes']:,} bytes)"]


COMMANDS = (network,)
