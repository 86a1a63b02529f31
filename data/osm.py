"""OpenStreetMap → our layers: areas, buildings, streets, water, walls, barriers, facilities, addresses (EPSG:4490).

© OpenStreetMap contributors, ODbL 1.0. Nothing is clipped: streets that lead out of the extract stay
whole, buildings outside every area have no community.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.households import Factor
from data.import_report import ImportReport
from data.osm_areas import EXTENT_CODE, areas_of, community_of
from data.osm_buildings import buildings_of
from data.osm_frames import count_refused, frame_of
from data.osm_read import Elements, OsmData, read_file, read_place
from data.osm_rules import compile_rules, facility_table
from data.osm_streets import barriers_of, streets_of
from data.osm_tags import (
    Tags,
    address_text,
    english_name_of,
    is_set,
    name_of,
    street_class,
    wall_kind,
    water_area_kind,
    water_line_kind,
)
from data.repair import REFUSED, repair
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress

Geometries = npt.NDArray[Any]

LAYERS = ("areas", "buildings", "streets", "water", "walls", "barriers", "facilities", "addresses")
LAKE_M2 = 10_000.0
"""A water surface of unknown kind is a lake from this size on, a pond below."""


@dataclass(frozen=True, slots=True)
class OsmLayers:
    """Layers by name, and what was read, taken and refused for each."""

    layers: dict[str, gpd.GeoDataFrame]
    reports: dict[str, ImportReport]


def read_osm(path: str | Path, *, progress: Progress = no_progress) -> dict[str, gpd.GeoDataFrame]:
    """Layers of an ``.osm``, ``.osm.pbf``, ``.osm.bz2`` or ``.osm.gz`` file; see `load_osm`."""
    return load_osm(path, progress=progress).layers


def load_osm(
    path: str | Path,
    *,
    area_code: str = EXTENT_CODE,
    area_name: str | None = None,
    factors: Mapping[str, Factor] | None = None,
    facility_rules: pd.DataFrame | None = None,
    progress: Progress = no_progress,
) -> OsmLayers:
    """Layers and reports of an OpenStreetMap file.

    ``area_code`` and ``area_name`` (default: the file's name) are given to the community made of the
    extent when the file holds no complete one; ``factors`` estimate households (`data.households`),
    ``facility_rules`` is a category table like `data.osm_rules.facility_table`. Raises BadInput: missing,
    damaged or empty file, a bad code or rule.
    """
    data = read_file(path, progress=progress)
    name = area_name or Path(path).name.split(".")[0]
    return _layers(data, area_code, name, factors, facility_rules, progress)


def read_osm_place(
    place: str,
    *,
    area_code: str = EXTENT_CODE,
    factors: Mapping[str, Factor] | None = None,
    facility_rules: pd.DataFrame | None = None,
    progress: Progress = no_progress,
) -> OsmLayers:
    """Layers and reports of a named place, downloaded through OSMnx; its outline is the extent.

    Raises NotFound when OpenStreetMap knows no such area, Broken when its servers cannot be reached.
    """
    data = read_place(place, progress=progress)
    return _layers(data, area_code, place.split(",")[0].strip(), factors, facility_rules, progress)


def _layers(
    data: OsmData,
    area_code: str,
    area_name: str,
    factors: Mapping[str, Factor] | None,
    facility_rules: pd.DataFrame | None,
    progress: Progress,
) -> OsmLayers:
    reports = {layer: ImportReport(layer) for layer in LAYERS}
    progress(0.4, "buildings")
    buildings, status, refusals = buildings_of(data, factors)
    count_refused(reports["buildings"], status, refusals)
    reports["buildings"].estimated = int(buildings["estimated"].sum())
    points = shapely.point_on_surface(buildings.geometry.to_numpy())
    areas = areas_of(data, points, area_code=area_code, area_name=area_name)
    buildings["community"] = community_of(points, areas)
    progress(0.6, "streets")
    streets = streets_of(data, reports["streets"])
    barriers = barriers_of(data, streets)
    progress(0.7, "water and walls")
    water, walls = _water(data, reports["water"]), _walls(data, reports["walls"])
    progress(0.8, "facilities")
    facilities = _facilities(data, facility_table() if facility_rules is None else facility_rules)
    progress(0.9, "addresses")
    addresses = _addresses(data, areas)
    layers = {
        "areas": areas,
        "buildings": buildings[_BUILDING_COLUMNS],
        "streets": streets,
        "water": water,
        "walls": walls,
        "barriers": barriers,
        "facilities": facilities,
        "addresses": addresses,
    }
    _count_incomplete(data, reports)
    _count_undrawn(data, reports["buildings"])
    for layer, frame in layers.items():
        report = reports[layer]
        report.taken = len(frame)
        report.read = max(report.read, report.taken + report.refused)
    if buildings.empty and streets.empty:
        raise BadInput("the OpenStreetMap file holds neither streets nor buildings", code="empty_layer")
    progress(1.0, "done")
    return OsmLayers(layers, reports)


_BUILDING_COLUMNS = [
    *("building_id", "name", "kind", "levels", "households", "population", "elderly", "priority", "estimated"),
    *("compound_id", "community", "geometry"),
]


def _count_incomplete(data: OsmData, reports: dict[str, ImportReport]) -> None:
    """Objects the extract cuts through: never built, but owned up to."""
    for _, tags in data.incomplete:
        layer = (
            "buildings"
            if is_set(tags, "building")
            else "areas"
            if tags.get("boundary") == "administrative"
            else "streets"
            if street_class(tags)
            else "water"
            if water_area_kind(tags) or water_line_kind(tags)
            else None
        )
        if layer is not None:
            reports[layer].refused += 1
            reports[layer].count("incomplete in this extract", 1)


def _count_undrawn(data: OsmData, report: ImportReport) -> None:
    """Buildings mapped as a point or an open line have no outline to plan with."""
    closed = set(data.areas.ids)
    points = sum(is_set(tags, "building") for tags in data.nodes.tags)
    lines = zip(data.lines.ids, data.lines.tags, strict=True)
    opened = sum(is_set(tags, "building") and way not in closed for way, tags in lines)
    report.refused += points + opened
    report.count("drawn as a point, not an outline", points)
    report.count("the outline is not closed", opened)


def _water(data: OsmData, report: ImportReport) -> gpd.GeoDataFrame:
    line_rows = [(row, kind) for row, tags in enumerate(data.lines.tags) if (kind := water_line_kind(tags))]
    area_rows = [(row, kind) for row, tags in enumerate(data.areas.tags) if (kind := water_area_kind(tags))]
    lines = data.lines.geometries([row for row, _ in line_rows])
    areas, status, reasons = repair(data.areas.geometries([row for row, _ in area_rows]), "polygon")
    count_refused(report, status, [str(reason) for reason in reasons[status == REFUSED]])
    keep = np.flatnonzero(status != REFUSED)
    elements = [(data.lines, row, kind) for row, kind in line_rows]
    elements += [(data.areas, *area_rows[place]) for place in keep]
    parts, owner = shapely.get_parts(np.concatenate([lines, areas[keep]]), return_index=True)
    ids = _ids_of_parts([source.ids[row] for source, row, _ in elements], owner)
    frame = frame_of(
        {
            "water_id": ids,
            "name": [name_of(elements[place][0].tags[elements[place][1]]) for place in owner],
            "kind": [elements[place][2] for place in owner],
        },
        parts,
    )
    unknown = (frame["kind"] == "lake?").to_numpy(bool)
    if unknown.any():
        size = to_metric(frame[unknown]).geometry.area.to_numpy(float)
        frame.loc[unknown, "kind"] = np.where(size >= LAKE_M2, "lake", "pond")
    return frame


def _walls(data: OsmData, report: ImportReport) -> gpd.GeoDataFrame:
    rows = [row for row, tags in enumerate(data.lines.tags) if wall_kind(tags)]
    drawn = set(data.lines.ids)
    # a multipolygon's wall is its outline; closed ways are among the lines already
    outlined = [r for r, tags in enumerate(data.areas.tags) if wall_kind(tags) and data.areas.ids[r] not in drawn]
    geometry = np.concatenate(
        [data.lines.geometries(rows), shapely.boundary(data.areas.geometries(outlined))], dtype=object
    )
    elements = [(data.lines, row) for row in rows] + [(data.areas, row) for row in outlined]
    parts, owner = shapely.get_parts(geometry, return_index=True)
    sound = shapely.length(parts) > 0
    report.refused += int((~sound).sum())
    report.count("the line has no length", int((~sound).sum()))
    parts, owner = parts[sound], owner[sound]
    tags = [source.tags[row] for source, row in elements]
    return frame_of(
        {
            "wall_id": _ids_of_parts([source.ids[row] for source, row in elements], owner),
            "kind": [wall_kind(tags[place]) for place in owner],
        },
        parts,
    )


def _ids_of_parts(ids: list[str], owner: npt.NDArray[np.int64]) -> list[str]:
    """``w12`` for an object of one part; ``w12-1``, ``w12-2`` for the parts of another."""
    counts = np.bincount(owner, minlength=len(ids)) if len(ids) else np.zeros(0, dtype=int)
    starts = np.concatenate(([0], np.cumsum(counts)))
    return [ids[o] if counts[o] == 1 else f"{ids[o]}-{place - starts[o] + 1}" for place, o in enumerate(owner)]


def _places(data: OsmData) -> list[tuple[Elements, int, str]]:
    """Everything that can be a place: nodes, areas, and open ways (a bus platform drawn as a line)."""
    closed = set(data.areas.ids)
    places = [(data.nodes, row, "node") for row in range(len(data.nodes.ids))]
    places += [(data.areas, row, "area") for row in range(len(data.areas.ids))]
    places += [(data.lines, row, "line") for row in range(len(data.lines.ids)) if data.lines.ids[row] not in closed]
    return places


def _point_of(geometries: Geometries) -> Geometries:
    """A point on each object: itself, inside an area, halfway along a line."""
    dimension = shapely.get_dimensions(geometries)
    result: Geometries = shapely.point_on_surface(geometries)
    result[dimension == 1] = shapely.line_interpolate_point(geometries[dimension == 1], 0.5, normalized=True)
    result[dimension == 0] = geometries[dimension == 0]
    return result


def _geometries_of(places: list[tuple[Elements, int, str]]) -> Geometries:
    wkb = np.array([source.wkb[row] for source, row, _ in places], dtype=object)
    geometry = np.asarray(shapely.from_wkb(wkb), dtype=object)
    broken = (shapely.get_dimensions(geometry) == 2) & ~shapely.is_valid(geometry)
    geometry[broken] = shapely.make_valid(geometry[broken])
    return geometry


def _facilities(data: OsmData, table: pd.DataFrame) -> gpd.GeoDataFrame:
    categories = compile_rules([(str(row.category), str(row.osm)) for row in table.itertuples() if row.osm])
    found = [(place, category) for place in _places(data) for category in categories(place[0].tags[place[1]])]
    tags: list[Tags] = [source.tags[row] for (source, row, _), _ in found]
    shapes = _geometries_of([place for place, _ in found])
    frame = frame_of(
        {
            "facility_id": [source.ids[row] for (source, row, _), _ in found],
            "category": [category for _, category in found],
            "name": [name_of(tag) for tag in tags],
            "name_en": [english_name_of(tag) for tag in tags],
            "address": [address_text(tag) for tag in tags],
        },
        _point_of(shapes),
    )
    doubled = _nodes_of_areas(frame, shapes)
    return frame[~doubled].reset_index(drop=True)


def _nodes_of_areas(frame: gpd.GeoDataFrame, shapes: Geometries) -> npt.NDArray[np.bool_]:
    """Nodes inside an area of the same category that carry its name or none: the same place mapped twice."""
    doubled = np.zeros(len(frame), dtype=bool)
    areas = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    nodes = np.flatnonzero(shapely.get_dimensions(shapes) == 0)
    if len(areas) and len(nodes):
        node, area = shapely.STRtree(shapes[areas]).query(shapes[nodes], predicate="intersects")
        node, area = nodes[node], areas[area]
        category, name = frame["category"].to_numpy(object), frame["name"].to_numpy(object)
        same = (category[node] == category[area]) & ((name[node] == name[area]) | (name[node] == ""))
        doubled[node[same]] = True
    return doubled


def _addresses(data: OsmData, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    places = [
        place for place in _places(data) if place[2] != "line" and place[0].tags[place[1]].get("addr:housenumber")
    ]
    tags = [source.tags[row] for source, row, _ in places]
    points = _point_of(_geometries_of(places))
    return frame_of(
        {
            "address_id": [source.ids[row] for source, row, _ in places],
            "full": [address_text(tag) for tag in tags],
            "road": [tag.get("addr:street", "") for tag in tags],
            "door_number": [tag["addr:housenumber"] for tag in tags],
            "compound": [tag.get("addr:place") or tag.get("addr:neighbourhood") or "" for tag in tags],
            "building": [
                tag.get("addr:housename") or (name_of(tag) if is_set(tag, "building") else "") for tag in tags
            ],
            "unit": [tag.get("addr:unit", "") for tag in tags],
            "community": community_of(points, areas),
            "name_en": [english_name_of(tag) for tag in tags],
        },
        points,
    )
