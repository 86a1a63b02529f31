"""The owner of every point of a layer or of a stream, with what is to be said of those that have none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import ProjError

from gisgrid.arrays import coordinate_arrays
from gisgrid.crs import STORAGE_CRS, normalise, points_to_storage
from gisgrid.errors import BadInput
from gisgrid.limits import OUTSIDE_METRES_MAX
from gisgrid.locate.index import GridIndex
from gisgrid.models import Progress, no_progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
Faults = npt.NDArray[np.int8]

_LONLAT: Final = ("EPSG:4326", STORAGE_CRS)
_BENT: Final = ("gcj02", "bd09")
_METRES_A_DEGREE: Final = 110_500.0  # at least, along a meridian; along a parallel times the cosine

(NO_FAULT, NO_GEOMETRY, NO_POINT, NO_COORDINATES, NO_NUMBER, NOT_FINITE, OUT_OF_RANGE, NO_FIT, SWAPPED, NO_SYSTEM,
 TOO_LONG, UNREADABLE, NO_ACCURACY, UNKNOWN_ADDRESS, UNSURE_ADDRESS) = range(15)  # fmt: skip

REASONS: Final[tuple[str | None, ...]] = (
    None,
    "no geometry",
    "geometry is no point",
    "no coordinates",
    "coordinates are no numbers",
    "coordinates are not finite",
    "coordinates are no degrees: lon must lie in -180..180, lat in -90..90",
    "coordinates do not fit the coordinate system",
    "longitude and latitude are swapped: the point lies in a grid when they are exchanged",
    "coordinate system is unknown",
    "row has more fields than the header",
    "row cannot be read",
    "accuracy is no distance in metres",
    "address names nothing that is known here",
    "address is not sure: ask which place is meant",
)
"""Why a row could not be used, by the number in `Located.faults`."""


@dataclass(frozen=True, slots=True)
class Located:
    """What locate says of a batch of (n) points.

    ``rows`` int32, the owner's row in the index or -1; ``outside`` bool, a usable point in no grid; ``near_rows``
    int32 and ``metres``, the nearest grid of an outside point and how far (-1 and NaN when there is none or it was not
    asked); ``faults`` int8, a number of `REASONS`; ``x`` and ``y``, the points in the CRS of the grids.
    """

    rows: Rows
    outside: npt.NDArray[np.bool_]
    near_rows: Rows
    metres: Floats
    faults: Faults
    x: Floats
    y: Floats


def locate_batch(
    index: GridIndex,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    source: str,
    target: str,
    faults: Faults | None = None,
    max_metres: float = OUTSIDE_METRES_MAX,
) -> Located:
    """Owner of each of (n) points; the one core under files, streams and HTTP batches.

    ``source`` and ``target`` name the systems of the points and of the index as `gisgrid.crs.normalise` does;
    ``faults`` marks rows known to be unusable. Costs beyond the index's are paid for points without an owner only;
    ``max_metres=0`` leaves out the search for their nearest grid. Raises BadInput for coordinates that are no numbers
    at all and a distance below zero.
    """
    if not max_metres >= 0:
        raise BadInput(f"largest distance {max_metres!r} is not zero or more; give a number")
    given_x, given_y = coordinate_arrays(x, y)
    check_systems(source, target)
    moved_x, moved_y = _moved(given_x, given_y, source, target)
    rows = index.rows(moved_x, moved_y)
    said = np.zeros(rows.size, np.int8) if faults is None else faults.astype(np.int8)
    if faults is not None:
        rows[said != NO_FAULT] = -1
    outside = np.zeros(rows.size, bool)
    near_rows, metres = np.full(rows.size, -1, np.int32), np.full(rows.size, np.nan)
    lost = np.flatnonzero(rows < 0)
    lost = lost[said[lost] == NO_FAULT]
    if len(lost):
        said[lost] = _why(index, given_x[lost], given_y[lost], moved_x[lost], moved_y[lost], source, target)
        lost = lost[said[lost] == NO_FAULT]
        outside[lost] = True
        near_rows[lost], metres[lost] = _nearest(index, moved_x[lost], moved_y[lost], target, max_metres)
    return Located(rows, outside, near_rows, metres, said, moved_x, moved_y)


def locate_points(
    points: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    *,
    crs: str | int | None = None,
    max_metres: float = OUTSIDE_METRES_MAX,
    index: GridIndex | None = None,
) -> pd.DataFrame:
    """Owner of every point of a layer in memory; `locate_batch` for a GeoDataFrame.

    ``points``: in their own CRS or in ``crs`` (gcj02 and bd09 too); ``grids``: column ``code`` and polygons
    in any CRS. Points are brought to the CRS of the grids, so grids in EPSG:4490 compare in lon/lat exactly as the
    SQL rule does. ``index`` spares building one anew from the grids.

    Returns one row a point, with the index of ``points``: ``grid`` (code or None), ``outside`` (a usable point in no
    grid), ``nearest`` and ``metres`` (nearest grid within ``max_metres`` of an outside point, and how far; None and
    NaN otherwise), ``reason`` (why a row could not be used, or None). Raises BadInput when a layer has no CRS or the
    grids cannot be indexed.
    """
    source = crs if crs is not None else points.crs
    if source is None:
        raise BadInput("the points layer has no coordinate system; give one with --crs", code="no_crs")
    made = index_of(grids) if index is None else index
    x, y, faults = point_coordinates(points.geometry.to_numpy())
    systems = {"source": normalise(source), "target": normalise(grids.crs)}
    found = locate_batch(made, x, y, **systems, faults=faults, max_metres=max_metres)
    columns = {
        "grid": made.codes_of(found.rows),
        "outside": found.outside,
        "nearest": made.codes_of(found.near_rows),
        "metres": found.metres,
        "reason": np.array(REASONS, dtype=object)[found.faults],
    }
    # each column keeps its type: pandas would make NaN of the Nones
    series = {name: pd.Series(values, points.index, dtype=values.dtype) for name, values in columns.items()}
    return pd.DataFrame(series, index=points.index)


def index_of(grids: gpd.GeoDataFrame, *, progress: Progress = no_progress) -> GridIndex:
    """The index of a grid layer with a column ``code``. Raises BadInput when it has none, no CRS or bad polygons."""
    if grids.crs is None:
        raise BadInput("the grids layer has no coordinate system; give one with --crs", code="no_crs")
    if "code" not in grids.columns:
        raise BadInput(f"the grids layer has no column code, only {', '.join(map(str, grids.columns))}; rename one")
    crs = normalise(grids.crs)
    return GridIndex.build(grids.geometry.to_numpy(), grids["code"].to_numpy(), crs=crs, progress=progress)


def point_coordinates(shapes: npt.NDArray[np.object_]) -> tuple[Floats, Floats, Faults]:
    """x, y (n, NaN where unusable) and faults of geometries: missing, empty, or no point."""
    faults = np.zeros(len(shapes), np.int8)
    faults[shapely.get_type_id(shapes) != shapely.GeometryType.POINT] = NO_POINT
    faults[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = NO_GEOMETRY
    usable = shapes.copy()
    usable[faults != NO_FAULT] = None
    return shapely.get_x(usable), shapely.get_y(usable), faults


def _why(index: GridIndex, x: Floats, y: Floats, moved_x: Floats, moved_y: Floats, source: str, target: str) -> Faults:
    """What is wrong with points that have no owner; NO_FAULT for those that merely lie outside."""
    faults = np.zeros(x.size, np.int8)
    faults[~(np.isfinite(moved_x) & np.isfinite(moved_y))] = NO_FIT
    if _is_degrees(source):
        faults[(np.abs(x) > 180.0) | (np.abs(y) > 90.0)] = OUT_OF_RANGE
    finite = np.isfinite(x) & np.isfinite(y)
    faults[~finite] = NOT_FINITE
    turned = np.flatnonzero(finite)
    faults[turned[index.rows(*_moved(y[turned], x[turned], source, target)) >= 0]] = SWAPPED
    return faults


def _nearest(index: GridIndex, x: Floats, y: Floats, target: str, max_metres: float) -> tuple[Rows, Floats]:
    """Nearest grid of outside points and metres to it; points too far from the layer's box are not searched for."""
    degrees, unit = _is_degrees(target), _unit_metres(target)
    rows, metres = np.full(x.size, -1, np.int32), np.full(x.size, np.nan)
    if max_metres == 0:
        return rows, metres
    west, south, east, north = index.array("frame")[:4]
    tall = max_metres / _METRES_A_DEGREE if degrees else max_metres / unit
    worst = min(max(abs(south), abs(north)) + tall, 89.9)
    wide = tall / np.cos(np.radians(worst)) if degrees else tall
    near = np.flatnonzero((x >= west - wide) & (x <= east + wide) & (y >= south - tall) & (y <= north + tall))
    rows[near], metres[near] = index.nearest(x[near], y[near], max_metres / unit, metres=degrees)
    metres *= unit
    return rows, metres


@lru_cache(maxsize=256)
def check_systems(source: str, target: str) -> None:
    """Raise BadInput when no way leads from one named system to the other: that of another planet, for one."""
    none = np.zeros(0)
    try:
        _moved(none, none, source, target)
    except ProjError as error:
        shown = source if len(source) <= 60 else source[:57] + "..."
        raise BadInput(f"coordinate system {shown!r} cannot be brought to {target}; name another", crs=shown) from error


@lru_cache(maxsize=64)
def _is_degrees(system: str) -> bool:
    return system in _LONLAT or system in _BENT or bool(pyproj.CRS.from_user_input(system).is_geographic)


@lru_cache(maxsize=64)
def _unit_metres(system: str) -> float:
    """Metres of one unit of a projected system; 1 for degrees, whose distances are asked in metres anyway."""
    if _is_degrees(system):
        return 1.0
    return float(pyproj.CRS.from_user_input(system).axis_info[0].unit_conversion_factor)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Any:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _moved(x: Floats, y: Floats, source: str, target: str) -> tuple[Floats, Floats]:
    """Coordinates from one named system to another; where that fails, infinite or NaN."""
    if source == target or (source in _LONLAT and target in _LONLAT):
        return x, y  # the same numbers, to the last bit
    if target in _LONLAT or source in _BENT:
        x, y = points_to_storage(x, y, source)
        source = STORAGE_CRS
    if target in _LONLAT:
        return x, y
    moved_x, moved_y = _transformer(source, target).transform(x, y)
    return np.asarray(moved_x, np.float64), np.asarray(moved_y, np.float64)
