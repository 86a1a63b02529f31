"""Isochrones as map layers: one polygon a facility and limit, or merged by category, whole or as bands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.models import Progress, no_progress
from planning.circles.isochrones import around, assemble, contour, furthest_metres, lines
from planning.circles.raster import SnapRaster, snap_raster
from planning.network import Network
from planning.reach import Profile, SegmentIndex, Snapped, search_from, segment_index, snap
from planning.reach.profiles import PROFILES

Geometries = NDArray[np.object_]

NAMED: Final = ("facility_id", "id", "name", "category")
"""Columns of the facilities that go on to their polygons."""
BAND_GRID: Final = 0.01
"""Bands are cut on a grid of this many metres, so that lines that run together leave no slivers."""
_CHUNK: Final = 32
"""Facilities a thread takes at a time."""


def isochrones_per_facility(
    network: Network,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: Sequence[float] = (5.0, 10.0, 15.0),
    profile: Profile = PROFILES["adult"],
    raster: SnapRaster | None = None,
    index: SegmentIndex | None = None,
    cell: float = 10.0,
    bands: bool = False,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> gpd.GeoDataFrame:
    """Where one gets within each of ``minutes``, for every facility alone.

    facilities: points (of other shapes an inner point) in any CRS. Returns, in the order of the facilities and of
    rising minutes, ``facility`` (row from 0), the columns `NAMED` the facilities have, ``minutes`` and MultiPolygons
    in the network's CRS; those of a facility are nested or, with ``bands``, disjoint with ``minutes_from`` beside. A
    facility not on the network has no rows. The direction is the network's: pass `planning.network.reverse` of it for
    ways to the facilities. ``raster``, ``index``: made before for this network. Raises BadInput for bad minutes, a
    profile of another mode, and facilities without a CRS.
    """
    minutes = in_order(minutes)
    limits = _limits(network, profile, minutes)
    index = index or segment_index(network)
    snapped = placed(network, facilities, index)
    if raster is None:
        raster = snap_raster(
            network, around(network, snapped, furthest_metres(network, int(limits[-1]))), cell=cell, index=index
        )
    on = np.flatnonzero(snapped.ok)
    chunks = [on[i : i + _CHUNK] for i in range(0, len(on), _CHUNK)]

    def draw(rows: NDArray[np.int64]) -> Geometries:
        drawn = []
        for row in rows:
            costs = search_from(network, snapped.take(np.array([row])), limit=int(limits[-1]))
            drawn.append(lines(network, costs, raster, limits))
        return assemble(drawn, len(limits))

    shapes: list[Geometries] = []
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        for number, part in enumerate(pool.map(draw, chunks)):
            shapes.append(part)
            progress((number + 1) / len(chunks), f"{min((number + 1) * _CHUNK, len(on))} of {len(on)} facilities")
    whole = np.concatenate([*shapes, np.empty(0, object)]).reshape(len(on), len(limits))
    about = {name: facilities[name].to_numpy()[on] for name in NAMED if name in facilities}
    return _layer(network.crs, {"facility": on, **about}, minutes, whole, bands)


def merged_isochrones(
    network: Network,
    facilities: gpd.GeoDataFrame,
    *,
    minutes: Sequence[float] = (5.0, 10.0, 15.0),
    profile: Profile = PROFILES["adult"],
    raster: SnapRaster | None = None,
    index: SegmentIndex | None = None,
    cell: float = 10.0,
    bands: bool = False,
    progress: Progress = no_progress,
) -> gpd.GeoDataFrame:
    """Where one gets within each of ``minutes`` from the nearest facility of each ``category``.

    As `isochrones_per_facility`, with ``category`` (sorted) and ``facilities``, how many of them are on the network,
    in place of the facility. Facilities without a column ``category`` are all of one, called facilities.
    """
    minutes = in_order(minutes)
    limits = _limits(network, profile, minutes)
    index = index or segment_index(network)
    snapped = placed(network, facilities, index)
    if raster is None:
        raster = snap_raster(
            network, around(network, snapped, furthest_metres(network, int(limits[-1]))), cell=cell, index=index
        )
    category = (
        facilities["category"].astype("string").fillna("").to_numpy(object)
        if "category" in facilities
        else np.full(len(facilities), "facilities", object)
    )
    names = sorted(set(category[snapped.ok]))
    whole = np.full((len(names), len(limits)), None, object)
    counts = np.zeros(len(names), np.int64)
    for number, name in enumerate(names):
        rows = np.flatnonzero((category == name) & snapped.ok)
        counts[number] = len(rows)
        whole[number] = contour(
            network, search_from(network, snapped.take(rows), limit=int(limits[-1])), raster, [int(v) for v in limits]
        )
        progress((number + 1) / len(names), name)
    return _layer(network.crs, {"category": np.array(names, object), "facilities": counts}, minutes, whole, bands)


def disjoint(nested: Geometries) -> Geometries:
    """Bands of nested polygons, given from the smallest on: each without the one before.

    Cut on a grid of `BAND_GRID` metres; None where nothing is left.
    """
    rounded = shapely.set_precision(nested, BAND_GRID)
    out = np.full(len(rounded), None, object)
    before: Any = None
    for i, shape in enumerate(rounded):
        if shape is None:
            continue
        band = shape if before is None else shapely.difference(shape, before, grid_size=BAND_GRID)
        parts = [part for part in shapely.get_parts(band) if part.geom_type == "Polygon"]
        if parts:
            out[i] = shapely.multipolygons(parts)
        before = shape
    return out


def in_order(minutes: Sequence[float]) -> list[float]:
    """Minutes from the shortest up, each once, whole ones as whole numbers. Raises BadInput for none."""
    if not len(minutes):
        raise BadInput("no minutes are given; give for example 5,10,15")
    return sorted({int(value) if float(value).is_integer() else float(value) for value in minutes})


def placed(network: Network, places: gpd.GeoDataFrame, index: SegmentIndex) -> Snapped:
    """Inner points of some places on the network. Raises BadInput for places without a CRS."""
    shapes = to_metric(places[[places.geometry.name]], network.crs).geometry
    points = shapely.point_on_surface(shapes.to_crs(network.crs).to_numpy())
    points[shapely.is_empty(points)] = None
    return snap(network, np.column_stack([shapely.get_x(points), shapely.get_y(points)]), index=index)


def _limits(network: Network, profile: Profile, minutes: Sequence[float]) -> NDArray[np.int64]:
    """Cost limits, ascending. Raises BadInput."""
    if profile.mode != network.mode:
        raise BadInput(f"profile {profile.name} needs the {profile.mode} network, not the {network.mode} network")
    limits = np.array([profile.limit(value) for value in minutes])
    if (np.diff(limits) < 1).any():
        raise BadInput(f"minutes {', '.join(f'{value:g}' for value in minutes)} lie too close to be told apart")
    return limits


def _layer(
    crs: str, about: dict[str, Any], minutes: Sequence[float], whole: Geometries, bands: bool
) -> gpd.GeoDataFrame:
    """One row per row of ``about`` and limit that has a polygon."""
    count = len(minutes)
    if bands:
        whole = np.array([disjoint(row) for row in whole], object).reshape(whole.shape)
    shapes = whole.reshape(-1)
    there = shapes != None  # noqa: E711 - element by element
    columns = {name: np.repeat(values, count)[there] for name, values in about.items()}
    if bands:
        columns["minutes_from"] = np.tile(np.array([0, *minutes[:-1]]), len(whole))[there]
    columns["minutes"] = np.tile(np.array(minutes), len(whole))[there]
    return gpd.GeoDataFrame(columns, geometry=shapes[there], crs=crs)
