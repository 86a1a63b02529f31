"""OpenStreetMap objects with geometry, from a file (pyosmium) or a place name (OSMnx)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import osmium
import shapely

from data.osm_tags import KEYS
from gisgrid.errors import BadInput, Broken, NotFound
from gisgrid.models import Progress, no_progress

log = logging.getLogger(__name__)

Geometries = npt.NDArray[Any]
Box = tuple[float, float, float, float]

EXTENSIONS: Final = (".osm", ".pbf", ".osm.bz2", ".osm.gz", ".osm.xml", ".o5m")


@dataclass(slots=True)
class Elements:
    """Objects of one sort: ids such as ``w123``, their tags, and geometries in WGS84 degrees."""

    ids: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    wkb: list[Any] = field(default_factory=list)

    def add(self, identity: str, tags: dict[str, str], wkb: Any) -> None:
        """Append one object; the geometry is WKB as bytes or hexadecimal text."""
        self.ids.append(identity)
        self.tags.append(tags)
        self.wkb.append(wkb)

    def geometries(self, rows: Iterable[int]) -> Geometries:
        """Geometries of some rows."""
        return np.asarray(shapely.from_wkb(np.array([self.wkb[row] for row in rows], dtype=object)), dtype=object)


@dataclass(slots=True)
class OsmData:
    """What a file or a place holds for us. ``areas`` are closed ways and complete multipolygons,
    ``lines`` all ways.
    """

    nodes: Elements
    lines: Elements
    areas: Elements
    bounds: Box | None
    outline: Any = None
    """Polygon of the place asked for, when it was asked for by name."""
    incomplete: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Objects whose geometry could not be built: members or nodes are missing in the extract."""


def read_file(path: str | Path, *, progress: Progress = no_progress) -> OsmData:
    """Read ``.osm``, ``.osm.pbf``, ``.osm.bz2`` or ``.osm.gz``: relations first, then everything once.

    Raises BadInput when the file is missing, no OSM file, damaged or empty.
    """
    file = Path(path)
    if not file.exists():
        raise BadInput(f"{file}: no such file", path=str(file))
    if file.is_dir() or not file.name.lower().endswith(EXTENSIONS):
        raise BadInput(f"{file}: not an OpenStreetMap file by its extension; known are .osm .osm.pbf .osm.bz2 .osm.gz")
    progress(0.0, "reading OpenStreetMap")
    try:
        bounds = _header_bounds(file)
        data = _collect(file, bounds)
    except (RuntimeError, OSError, ValueError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise BadInput(f"{file}: not an OpenStreetMap file, or a damaged one ({reason})", path=str(file)) from error
    if not (data.nodes.ids or data.lines.ids or data.areas.ids):
        raise BadInput(f"{file}: holds nothing that could be mapped", path=str(file), code="empty_layer")
    return data


def _header_bounds(file: Path) -> Box | None:
    with osmium.io.Reader(str(file), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return (low.lon, low.lat, high.lon, high.lat)


def _collect(file: Path, bounds: Box | None) -> OsmData:
    data = OsmData(Elements(), Elements(), Elements(), bounds)
    wkb = osmium.geom.WKBFactory()
    assembled: set[int] = set()
    wanted: list[tuple[int, dict[str, str]]] = []
    keys = osmium.filter.KeyFilter(*KEYS)
    item: Any
    for item in osmium.FileProcessor(str(file)).with_areas(osmium.filter.KeyFilter(*KEYS)).with_filter(keys):
        if item.is_node():
            if item.location.valid():
                data.nodes.add(f"n{item.id}", dict(item.tags), wkb.create_point(item))
        elif item.is_way():
            _add_way(data, item, wkb)
        elif item.is_area():
            if not item.from_way():
                assembled.add(item.orig_id())
            tags = dict(item.tags)
            identity = f"{'w' if item.from_way() else 'r'}{item.orig_id()}"
            try:
                data.areas.add(identity, tags, wkb.create_multipolygon(item))
            except (RuntimeError, osmium.InvalidLocationError):
                data.incomplete.append((identity, tags))
        elif item.tags.get("type") in ("multipolygon", "boundary"):
            wanted.append((item.id, dict(item.tags)))
    data.incomplete += [(f"r{number}", tags) for number, tags in wanted if number not in assembled]
    return data


def _add_way(data: OsmData, way: Any, wkb: Any) -> None:
    tags = dict(way.tags)
    try:
        data.lines.add(f"w{way.id}", tags, wkb.create_linestring(way))
    except (RuntimeError, osmium.InvalidLocationError):  # nodes outside the extract
        runs: list[list[tuple[float, float]]] = []
        run: list[tuple[float, float]] = []
        for node in way.nodes:
            if node.location.valid():
                run.append((node.location.lon, node.location.lat))
            else:
                runs.append(run)
                run = []
        longest = max([*runs, run], key=len)
        if len(set(longest)) < 2:
            data.incomplete.append((f"w{way.id}", tags))
            return
        data.lines.add(f"w{way.id}", tags, shapely.to_wkb(shapely.linestrings(longest)))


def read_place(name: str, *, progress: Progress = no_progress) -> OsmData:
    """Ask the OpenStreetMap servers for everything inside a named place, through OSMnx. Needs the network.

    Raises NotFound when no place has that name, Broken when the servers cannot be reached.
    """
    import osmnx
    import requests
    from osmnx import _errors as osmnx_errors

    progress(0.0, f"asking OpenStreetMap for {name}")
    try:
        outline = osmnx.geocode_to_gdf(name).geometry.union_all()
        progress(0.2, "downloading")
        frame = osmnx.features_from_polygon(outline, tags=dict.fromkeys(KEYS, True))
    except (TypeError, osmnx_errors.InsufficientResponseError) as error:
        raise NotFound(f"OpenStreetMap knows no area called {name!r}; check the spelling or add the city") from error
    except (requests.RequestException, osmnx_errors.ResponseStatusCodeError, OSError) as error:
        raise Broken(
            f"OpenStreetMap's servers cannot be reached ({type(error).__name__}): --place needs the network; "
            "give a downloaded .osm or .osm.pbf file instead"
        ) from error
    west, south, east, north = (float(value) for value in outline.bounds)
    data = OsmData(Elements(), Elements(), Elements(), (west, south, east, north), outline)
    columns = [str(column) for column in frame.columns if column != "geometry"]
    values = frame[columns].to_numpy(object)
    geometries = frame.geometry.to_numpy()
    dimensions, wkb = shapely.get_dimensions(geometries), shapely.to_wkb(geometries)
    for row, (element, number) in enumerate(frame.index):
        tags = {key: str(value) for key, value in zip(columns, values[row], strict=True) if isinstance(value, str)}
        target = (data.nodes, data.lines, data.areas)[int(dimensions[row])]
        target.add(f"{str(element)[0]}{number}", tags, wkb[row])
    return data
