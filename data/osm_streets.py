"""Streets and railways out of OpenStreetMap, and the gates, bollards and walls that stand on them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.import_report import ImportReport
from data.osm_access import TRAVELLERS, barrier_kind, bicycle_direction, direction, passes, speed, usable
from data.osm_frames import count_refused, frame_of
from data.osm_read import OsmData
from data.osm_tags import Tags, is_set, name_of, street_class, street_layer
from data.repair import REFUSED, repair


def streets_of(data: OsmData, report: ImportReport) -> gpd.GeoDataFrame:
    """Streets in EPSG:4490: street_id, name, highway, cls, oneway, bridge, tunnel, layer, foot, bicycle, car,
    oneway_bicycle, speed (km/h, null where none is told).

    One-way streets are drawn the way they run. Squares for walkers (areas with a highway of class foot) are their
    outline: people walk around them at least.
    """
    ids, tags, shapes = _lines(data)
    geometry, status, reasons = repair(shapes, "line")
    count_refused(report, status, [str(reason) for reason in reasons[status == REFUSED]])
    keep = np.flatnonzero(status != REFUSED)
    kept, tags, ids = geometry[keep], [tags[row] for row in keep], [ids[row] for row in keep]
    ways = np.array([direction(tag) for tag in tags], dtype=np.int64)
    cycled = np.array([bicycle_direction(tag) for tag in tags], dtype=np.int64)
    allowed: dict[str, Any] = {way: np.array([usable(tag, way) for tag in tags], dtype=bool) for way in TRAVELLERS}
    # drawn the way cars run; the way bicycles run where cars do not, or run both ways
    drawn = np.where((ways != 0) & (allowed["car"] | (cycled == 0)), ways, cycled)
    kept[drawn == -1] = shapely.reverse(kept[drawn == -1])
    return frame_of(
        {
            "street_id": ids,
            "name": [name_of(tag) for tag in tags],
            "highway": [tag["railway"] if street_class(tag) == "rail" else tag["highway"] for tag in tags],
            "cls": [street_class(tag) for tag in tags],
            "oneway": (ways != 0) & (ways == drawn),
            "bridge": np.array([is_set(tag, "bridge") for tag in tags], dtype=bool),
            "tunnel": np.array([is_set(tag, "tunnel") for tag in tags], dtype=bool),
            "layer": np.array([street_layer(tag) for tag in tags], dtype=np.int64),
            **allowed,
            # bicycles that run against the cars only cannot be told beside them: they may go both ways
            "oneway_bicycle": (cycled != 0) & (cycled == drawn),
            "speed": pd.array([speed(tag) if use else None for tag, use in zip(tags, allowed["car"], strict=True)],
                              dtype="Int64"),
        },
        kept,
    )  # fmt: skip


def _lines(data: OsmData) -> tuple[list[str], list[Tags], npt.NDArray[Any]]:
    """Ids, tags and lines of everything that is a street or railway."""
    rows = [row for row, tags in enumerate(data.lines.tags) if street_class(tags) is not None]
    drawn = set(data.lines.ids)
    squares = [
        row
        for row, tags in enumerate(data.areas.tags)
        if street_class(tags) == "foot" and data.areas.ids[row] not in drawn
    ]
    rings, owner = shapely.get_parts(shapely.boundary(data.areas.geometries(squares)), return_index=True)
    rings, of = shapely.get_parts(rings, return_index=True)
    owner = owner[of]
    ids = [data.lines.ids[row] for row in rows]
    ids += [f"{data.areas.ids[squares[place]]}-{number + 1}" for number, place in enumerate(owner)]
    tags: list[Tags] = [data.lines.tags[row] for row in rows] + [data.areas.tags[squares[place]] for place in owner]
    return ids, tags, np.concatenate([data.lines.geometries(rows), rings]).astype(object)


def barriers_of(data: OsmData, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Gates, bollards, blocks and walls that are a vertex of a street: barrier_id, kind, and who passes (foot,
    bicycle, car). Gates in walls beside the streets are left out.
    """
    kinds = [barrier_kind(tags) for tags in data.nodes.tags]
    rows = [row for row, kind in enumerate(kinds) if kind is not None]
    points = data.nodes.geometries(rows)
    corners = shapely.get_coordinates(streets.geometry[(streets["cls"] != "rail").to_numpy(bool)].to_numpy())
    at = pd.Index(corners[:, 0] + 1j * corners[:, 1])
    here = shapely.get_coordinates(points)
    standing = pd.Index(here[:, 0] + 1j * here[:, 1]).isin(at)
    rows = [row for row, on in zip(rows, standing, strict=True) if on]
    passing = [passes(data.nodes.tags[row]) for row in rows]
    return frame_of(
        {
            "barrier_id": [data.nodes.ids[row] for row in rows],
            "kind": [kinds[row] for row in rows],
            **{way: np.array([who[way] for who in passing], dtype=bool) for way in TRAVELLERS},
        },
        points[standing],
    )
