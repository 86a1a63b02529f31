"""Repairing geometries that came in broken, or saying why they cannot be."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[Any]

SOUND, REPAIRED, REFUSED = 0, 1, 2
AREA_KEPT: Final = 0.99
"""A repaired outline must keep this share of the area it enclosed, else the repair is a guess and is
refused.
"""

_POLYGONS = (3, 6)
_LINES = (1, 2, 5)
_POINTS = (0, 4)
_KINDS: Final = {"polygon": _POLYGONS, "line": _LINES, "point": _POINTS}


def repair(geometries: Geometries, dimension: str) -> tuple[Geometries, npt.NDArray[np.int8], npt.NDArray[Any]]:
    """Sound geometries of one dimension (``polygon``, ``line``, ``point`` or ``any``), what was done, and
    why not.

    Returns (geometries, status, reasons), all as long as the input: status is SOUND, REPAIRED or REFUSED,
    reasons the text for refused rows. Invalid polygons go through `shapely.make_valid`; the result is
    taken when it is still a polygon with at least `AREA_KEPT` of the enclosed area, so a spike or a
    doubled vertex is mended and a bow-tie, whose true outline nobody knows, is not. A polygon's parts
    without area are dropped. Coordinates may be in any unit.
    """
    result = np.array(geometries, dtype=object, copy=True)
    status = np.zeros(len(result), dtype=np.int8)
    reasons = np.full(len(result), "", dtype=object)

    def refuse(rows: npt.NDArray[np.bool_], reason: str) -> None:
        fresh = rows & (status != REFUSED)
        status[fresh] = REFUSED
        reasons[fresh] = reason

    refuse(shapely.is_missing(result), "the geometry is null")
    refuse(shapely.is_empty(result), "the geometry is empty")
    types = shapely.get_type_id(result)
    if dimension != "any":
        _unwrap_collections(result, types, dimension)
        types = shapely.get_type_id(result)
        wrong = ~np.isin(types, _KINDS[dimension]) & (types >= 0)
        for kind in np.unique(types[wrong]):
            name = shapely.GeometryType(int(kind)).name.lower()
            refuse(wrong & (types == kind), f"the geometry is a {name}, not a {dimension}")
    coordinates, owner = shapely.get_coordinates(result, return_index=True)
    endless = np.zeros(len(result), dtype=bool)
    endless[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    refuse(endless, "the geometry has coordinates that are no numbers")

    live = status != REFUSED
    polygons = live & np.isin(types, _POLYGONS)
    broken = polygons & ~shapely.is_valid(result)
    if broken.any():
        mended = _polygon_part(shapely.make_valid(result[broken]))
        kept, meant = shapely.area(mended), shapely.area(result[broken])
        good = (kept > 0) & (np.minimum(kept, meant) >= AREA_KEPT * np.maximum(kept, meant))
        rows = np.flatnonzero(broken)
        why = shapely.is_valid_reason(result[rows[~good]])
        result[rows[good]], status[rows[good]] = mended[good], REPAIRED
        status[rows[~good]] = REFUSED
        reasons[rows[~good]] = [f"the outline is invalid and cannot be repaired: {_plain(text)}" for text in why]
    refuse(polygons & (shapely.area(result) == 0), "the polygon has no area")
    lines = live & np.isin(types, _LINES)
    refuse(lines & (shapely.length(result) == 0), "the line has no length")
    return result, status, reasons


def _plain(reason: str) -> str:
    """``Self-intersection[116.3 39.9]`` → ``self-intersection at 116.3 39.9``."""
    return str(reason).lower().replace("[", " at ").replace("]", "")


def _unwrap_collections(geometries: Geometries, types: npt.NDArray[Any], dimension: str) -> None:
    """A collection that holds the wanted dimension among crumbs of others is taken for that part of it,
    in place.
    """
    if dimension != "polygon":
        return
    rows = np.flatnonzero(types == 7)
    if len(rows):
        parts = _polygon_part(geometries[rows])
        some = shapely.area(parts) > 0
        geometries[rows[some]] = parts[some]


def _polygon_part(geometries: Geometries) -> Geometries:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    deeper, inner = shapely.get_parts(parts, return_index=True)
    owner, parts = owner[inner], deeper
    keep = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 0)
    result = np.full(len(geometries), shapely.Polygon(), dtype=object)
    counts = np.bincount(owner[keep], minlength=len(geometries))
    single = counts == 1
    several = np.flatnonzero(counts > 1)
    result[single] = parts[keep][single[owner[keep]]]
    for row in several:  # only what make_valid split
        result[row] = shapely.MultiPolygon(list(parts[keep][owner[keep] == row]))
    return result
