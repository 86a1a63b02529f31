"""Coordinate systems: their names, the way to the storage CRS, and the metric system of a place.

GCJ-02 and BD-09 are in `gisgrid.shifted`. WGS84 and CGCS2000 differ by centimetres, which PROJ treats as nothing (a
ballpark, null transform); so do we: changing between EPSG:4326 and EPSG:4490 never moves a coordinate.

Coordinates are always x, y (lon, lat; east, north), whatever axis order the CRS itself declares.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError

from gisgrid.errors import BadInput
from gisgrid.shifted import bd09_to_wgs84, gcj02_to_wgs84, point_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02

Floats = npt.NDArray[np.float64]

STORAGE_CRS: Final = "EPSG:4490"
"""CGCS2000 geographic: what is stored and served."""


_ALIASES: Final = {
    "wgs84": "EPSG:4326",
    "wgs-84": "EPSG:4326",
    "gps": "EPSG:4326",
    "crs84": "EPSG:4326",
    "ogc:crs84": "EPSG:4326",
    "urn:ogc:def:crs:ogc:1.3:crs84": "EPSG:4326",
    "cgcs2000": "EPSG:4490",
    "gcj02": "gcj02",
    "gcj-02": "gcj02",
    "amap": "gcj02",
    "tencent": "gcj02",
    "火星坐标": "gcj02",
    "bd09": "bd09",
    "baidu": "bd09",
    "百度": "bd09",
    "bd-09": "bd09",
    "bd09ll": "bd09",
}
_KNOWN: Final = "wgs84, gcj02, bd09, cgcs2000 or EPSG:n"


# --- names ------------------------------------------------------------------------------


def normalise(crs: str | int | pyproj.CRS) -> str:
    """One name for a coordinate system: ``gcj02``, ``bd09`` or ``EPSG:n``.

    Takes wgs84, gcj02, bd09, cgcs2000 (any case), EPSG numbers and strings, URNs and pyproj objects. A
    CRS without an authority code (a shapefile's own ``.prj``) comes back as its WKT. Raises BadInput when
    nothing is meant by it.
    """
    if isinstance(crs, pyproj.CRS):
        return _name_of(crs)
    text = str(crs).strip()
    alias = _ALIASES.get(text.lower())
    if alias is not None:
        return alias
    if isinstance(crs, bool) or not text:
        raise BadInput(f"coordinate system {text!r} is unknown; give {_KNOWN}", crs=text)
    return _parsed_name(text)


@lru_cache(maxsize=256)
def _parsed_name(text: str) -> str:
    try:
        parsed = pyproj.CRS.from_epsg(int(text)) if text.isdecimal() else pyproj.CRS.from_user_input(text)
    except (CRSError, ValueError, OverflowError) as error:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise BadInput(f"coordinate system {shown!r} is unknown; give {_KNOWN}", crs=shown) from error
    return _name_of(parsed)


def _name_of(crs: pyproj.CRS) -> str:
    if not (crs.is_geographic or crs.is_projected):
        raise BadInput(f"coordinate system {crs.name!r} is neither geographic nor projected; give {_KNOWN}")
    if crs.name in ("WGS 84 (CRS84)", "WGS 84 longitude-latitude"):
        return "EPSG:4326"
    number = crs.to_epsg()
    if number is not None:
        return f"EPSG:{number}"
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.to_wkt()


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


# --- to storage -------------------------------------------------------------------------


def points_to_storage(
    x: npt.ArrayLike, y: npt.ArrayLike, crs: str | int | pyproj.CRS = "wgs84"
) -> tuple[Floats, Floats]:
    """Points in any system → lon, lat in degrees (EPSG:4490), float64 arrays of the given shape.

    A coordinate that cannot be converted comes back infinite, NaN stays NaN; see `check_lonlat`. Raises
    BadInput for an unknown system.
    """
    name = normalise(crs)
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if name in ("EPSG:4326", STORAGE_CRS):
        return xs, ys
    if name == "gcj02":
        return gcj02_to_wgs84(xs, ys)
    if name == "bd09":
        return bd09_to_wgs84(xs, ys)
    lon, lat = _transformer(name, STORAGE_CRS).transform(xs, ys)
    # far outside its domain a projection gives some answer or other; only one that leads back is true
    back_x, back_y = _transformer(STORAGE_CRS, name).transform(lon, lat)
    with np.errstate(invalid="ignore"):
        true = np.hypot(back_x - xs, back_y - ys) <= 1e-6 * (1.0 + np.hypot(xs, ys))
    lost = np.isfinite(xs) & np.isfinite(ys) & ~true
    return np.where(lost, np.inf, lon), np.where(lost, np.inf, lat)


def points_from_storage(lon: npt.ArrayLike, lat: npt.ArrayLike, crs: str | int | pyproj.CRS) -> tuple[Floats, Floats]:
    """lon, lat in degrees (EPSG:4490) → x, y in any system, float64 arrays of the given shape.

    A place the system does not reach comes back infinite. Raises BadInput for an unknown system.
    """
    name = normalise(crs)
    xs, ys = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if name in ("EPSG:4326", STORAGE_CRS):
        return xs, ys
    if name == "gcj02":
        return wgs84_to_gcj02(xs, ys)
    if name == "bd09":
        return wgs84_to_bd09(xs, ys)
    x, y = _transformer(STORAGE_CRS, name).transform(xs, ys)
    return np.asarray(x), np.asarray(y)


def point_to_storage(x: float, y: float, crs: str) -> tuple[float, float]:
    """`points_to_storage` of one point, in microseconds for the systems reports come in."""
    if crs in ("gcj02", "bd09"):
        return point_to_wgs84(x, y, crs)
    if crs in ("wgs84", "cgcs2000"):
        return x, y
    lon, lat = points_to_storage([x], [y], crs)
    return float(lon[0]), float(lat[0])


def to_storage(gdf: gpd.GeoDataFrame, crs: str | int | pyproj.CRS | None = None) -> gpd.GeoDataFrame:
    """The frame in EPSG:4490, two-dimensional. ``crs`` says or overrides the system it is in, gcj02 and
    bd09 included.

    Raises BadInput when neither the frame nor ``crs`` says the system.
    """
    if crs is None and gdf.crs is None:
        raise BadInput(f"the layer has no coordinate system; give --crs ({_KNOWN})", code="no_crs")
    name = normalise(gdf.crs if crs is None else crs)

    def move(coordinates: Floats) -> Floats:
        return np.column_stack(points_to_storage(coordinates[:, 0], coordinates[:, 1], name))

    geometry = shapely.force_2d(gdf.geometry.to_numpy())
    if name not in ("EPSG:4326", STORAGE_CRS):
        geometry = shapely.transform(geometry, move)
    return gdf.set_geometry(gpd.GeoSeries(geometry, index=gdf.index, crs=STORAGE_CRS), crs=STORAGE_CRS)


# --- metres -----------------------------------------------------------------------------


def metric_crs(place: gpd.GeoDataFrame | gpd.GeoSeries | tuple[float, float, float, float]) -> pyproj.CRS:
    """The metric system of a layer, or of (minx, miny, maxx, maxy) in degrees.

    CGCS2000 3-degree Gauss-Krueger by central meridian (EPSG:4534–4554) when the centre lies in
    73.5–136.5°E and 3–54°N, otherwise UTM on WGS84. Raises BadInput for an empty layer, no CRS, or bounds
    that are not degrees.
    """
    lon, lat = _centre(place)
    if 73.5 <= lon <= 136.5 and 3.0 <= lat <= 54.0:
        zone = min(int(np.floor((lon - 73.5) / 3.0)), 20)
        return pyproj.CRS.from_epsg(4534 + zone)
    utm = min(int((lon + 180.0) // 6.0) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if lat >= 0 else 32700) + utm)


def _centre(place: Any) -> tuple[float, float]:
    bounds = tuple(float(value) for value in (place if isinstance(place, tuple) else place.total_bounds))
    if len(bounds) != 4 or not np.isfinite(bounds).all():
        raise BadInput("the layer is empty: no metric coordinate system can be chosen for it")
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    if not isinstance(place, tuple):
        if place.crs is None:
            raise BadInput(f"the layer has no coordinate system; give --crs ({_KNOWN})", code="no_crs")
        lons, lats = points_to_storage([x], [y], place.crs)
        x, y = float(lons[0]), float(lats[0])
    check_lonlat([x], [y])
    return x, y


def is_metric(crs: pyproj.CRS | None) -> bool:
    """Whether lengths in that system are true metres: projected, in metres, and no world Mercator or
    cylinder.
    """
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name not in ("metre", "meter"):
        return False
    operation = crs.coordinate_operation
    method = operation.method_name if operation is not None else ""
    stretched = ("Mercator" in method and "Transverse" not in method and "Oblique" not in method) or any(
        word in method for word in ("Cylindrical", "Plate", "Sinusoidal", "Mollweide")
    )
    return not stretched


def to_metric(gdf: gpd.GeoDataFrame, crs: str | int | pyproj.CRS | None = None) -> gpd.GeoDataFrame:
    """The frame in metres: in ``crs`` when given, as it is when already metric, else in `metric_crs` of
    its place.

    Web Mercator is not metric here: its metre is 1.3 m at 40°N. Raises BadInput when the frame has no CRS.
    """
    if gdf.crs is None:
        raise BadInput(f"the layer has no coordinate system; give --crs ({_KNOWN})", code="no_crs")
    if crs is not None:
        target = pyproj.CRS.from_user_input(crs)
    elif is_metric(gdf.crs):
        return gdf
    else:
        target = metric_crs(gdf)
    return gdf.to_crs(target)


# --- faults -----------------------------------------------------------------------------

FAULT_NONE, FAULT_NOT_FINITE, FAULT_RANGE, FAULT_SWAPPED, FAULT_OUTSIDE, FAULT_ZONE = 0, 1, 2, 3, 4, 5

FAULT_TEXT: Final = {
    FAULT_NOT_FINITE: "the coordinates are not finite numbers: wrong coordinate system? say which with crs",
    FAULT_RANGE: "the coordinates are not degrees (lon -180..180, lat -90..90): wrong system? say which with crs",
    FAULT_SWAPPED: "lon and lat are swapped: x must be the longitude (east) and y the latitude (north)",
    FAULT_OUTSIDE: "the coordinates lie outside the area",
    FAULT_ZONE: "the coordinates lie far outside their system's zone: wrong coordinate system? say which with crs",
}


def lonlat_faults(
    boxes: npt.ArrayLike, within: tuple[float, float, float, float] | None = None, *, margin: float = 0.0
) -> npt.NDArray[np.int8]:
    """What is wrong with geographic boxes, one of the FAULT_ numbers each.

    ``boxes`` is (n, 4) minx, miny, maxx, maxy in degrees (points: repeat x, y); ``within`` the bounds the
    rows should touch, widened by ``margin`` degrees. Swapped: unusable as given and usable with x and y
    exchanged, judged by ``within``, otherwise by the valid range, or by polar points that lie in China
    when exchanged.
    """
    box = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    turned = box[:, [1, 0, 3, 2]]
    finite = np.isfinite(box).all(axis=1)
    valid, turned_valid = _degrees(box), _degrees(turned)
    arctic = valid & (box[:, 1] >= 73.4) & _touches(turned, (73.4, 3.0, 90.0, 54.0))
    faults = np.zeros(len(box), dtype=np.int8)
    if within is None:
        faults[arctic] = FAULT_SWAPPED
    else:
        wide = (within[0] - margin, within[1] - margin, within[2] + margin, within[3] + margin)
        outside = valid & ~_touches(box, wide)
        faults[outside] = FAULT_OUTSIDE
        faults[outside & turned_valid & _touches(turned, wide)] = FAULT_SWAPPED
    faults[~valid & finite] = np.where(turned_valid[~valid & finite], FAULT_SWAPPED, FAULT_RANGE)
    faults[~finite] = FAULT_NOT_FINITE
    return faults


def check_lonlat(
    lon: npt.ArrayLike, lat: npt.ArrayLike, within: tuple[float, float, float, float] | None = None
) -> None:
    """Raise BadInput naming the first point that is not finite, not in degrees, swapped, or outside
    ``within``.
    """
    x, y = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    faults = lonlat_faults(np.column_stack((x, y, x, y)), within)
    bad = np.flatnonzero(faults)
    if len(bad):
        first = int(bad[0])
        where = f"point {first + 1}: " if len(x) > 1 else ""
        raise BadInput(f"{where}lon {x[first]:.10g}, lat {y[first]:.10g}: {FAULT_TEXT[int(faults[first])]}")


def _degrees(box: Floats) -> npt.NDArray[np.bool_]:
    return (box[:, 0] >= -180.0) & (box[:, 2] <= 180.0) & (box[:, 1] >= -90.0) & (box[:, 3] <= 90.0)


def _touches(box: Floats, other: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    return (box[:, 0] <= other[2]) & (box[:, 2] >= other[0]) & (box[:, 1] <= other[3]) & (box[:, 3] >= other[1])
