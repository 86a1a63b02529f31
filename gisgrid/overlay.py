"""Where the polygons of two layers share ground, and how much."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import topology

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

TOUCH_M2: Final = 1e-6
"""Common ground, and gaps, below this are rounding of a shared border."""


class Overlaps(NamedTuple):
    """Pairs that share ground, sorted by ``row`` then ``at``: rows of both layers, m², and the common polygons.

    ``doubled``: whether a row of the outer layer overlaps another one of it, shape (m,).
    """

    row: Ints
    at: Ints
    m2: NDArray[np.float64]
    piece: Geometries
    doubled: NDArray[np.bool_]


def sound_polygons(geometries: Any) -> Geometries:
    """Polygons as they are, invalid ones repaired; null ones become empty."""
    geoms = np.array(geometries, dtype=object)
    geoms[shapely.is_missing(geoms)] = shapely.Polygon()
    geoms = np.asarray(shapely.force_2d(geoms), dtype=object)
    bad = ~shapely.is_valid(geoms)
    if bad.any():
        geoms[bad] = shapely.make_valid(geoms[bad], method="structure", keep_collapsed=False)
    return geoms


def find_overlaps(geoms: Geometries) -> tuple[bool, list[tuple[int, int, float, Any]]]:
    """Whether the polygons are no exact coverage, and the pairs that share ground: (i, j, m², polygons), i < j.

    An exact coverage (`shapely.coverage_is_valid`) has no overlap; otherwise every pair with touching boxes is cut.
    """
    if len(geoms) < 2 or shapely.coverage_is_valid(geoms):
        return False, []
    left, right = shapely.STRtree(geoms).query(geoms)
    pairs = np.unique(np.column_stack([left, right])[left < right], axis=0)
    common = shapely.intersection(geoms[pairs[:, 0]], geoms[pairs[:, 1]])
    m2 = shapely.area(common)
    real = np.flatnonzero(m2 > TOUCH_M2)
    return True, [(int(pairs[k, 0]), int(pairs[k, 1]), float(m2[k]), common[k]) for k in real]


def find_gaps(geoms: Geometries, zone: Geometries | None, *, valid: bool) -> list[tuple[float, Any]]:
    """Uncovered pieces as (m², polygon), largest first: of the zone when given, else holes enclosed by the grids.

    valid: whether ``geoms`` passed `shapely.coverage_is_valid`, which allows the faster union.
    """
    covered = shapely.coverage_union_all(geoms) if valid and len(geoms) else shapely.union_all(geoms)
    if zone is None:
        parts = shapely.get_parts(covered)
        rings, of = shapely.get_rings(parts, return_index=True)
        inner = np.flatnonzero(of[1:] == of[:-1]) + 1  # the first ring of a polygon is its outline
        pieces = shapely.polygons(rings[inner])
        if valid and len(geoms) and len(pieces):
            pieces = shapely.get_parts(shapely.difference(pieces, covered))  # islands inside a hole are covered
    else:
        pieces = shapely.get_parts(shapely.difference(shapely.union_all(zone), covered))
    m2 = shapely.area(pieces)
    keep = np.flatnonzero(m2 > TOUCH_M2)
    keep = keep[np.argsort(-m2[keep], kind="stable")]
    return [(float(m2[k]), pieces[k]) for k in keep]


def overlaps(inner: Geometries, outer: Geometries) -> Overlaps:
    """Every pair of an inner and an outer polygon that share ground.

    inner (n,), outer (m,): valid polygons in one metric CRS. An inner polygon that lies in an outer one is not cut;
    only where outer polygons overlap each other is it held to the others too.
    """
    if not len(inner) or not len(outer):
        none = np.empty(0, np.int64)
        return Overlaps(none, none.copy(), np.empty(0), np.empty(0, object), np.zeros(len(outer), bool))
    at, row = shapely.STRtree(inner).query(outer, predicate="covers")
    keep = shapely.area(inner)[row] > 0
    at, row = at[keep], row[keep]
    doubled = np.zeros(len(outer), bool)
    for i, j, *_ in find_overlaps(outer)[1]:
        doubled[[i, j]] = True
    settled = np.zeros(len(inner), bool)
    settled[row[~doubled[at]]] = True
    rest = np.flatnonzero(~settled)
    near, beside = shapely.STRtree(outer).query(inner[rest], predicate="intersects")
    near = rest[near]
    fresh = ~np.isin(near * len(outer) + beside, row * len(outer) + at)
    near, beside = near[fresh], beside[fresh]
    cut = _polygonal(shapely.intersection(inner[near], outer[beside]))
    m2 = shapely.area(cut)
    real = m2 > TOUCH_M2
    rows, ats = np.concatenate([row, near[real]]), np.concatenate([at, beside[real]])
    sizes = np.concatenate([shapely.area(inner)[row], m2[real]])
    pieces = np.concatenate([inner[row], cut[real]])
    order = np.lexsort((ats, rows))
    rows, ats = rows[order].astype(np.int64), ats[order].astype(np.int64)
    return Overlaps(rows, ats, sizes[order], pieces[order], doubled)


def uncovered(inner: Geometries, found: Overlaps) -> NDArray[np.float64]:
    """m² of each inner polygon that no outer one covers, shape (n,); ``found`` is its `overlaps` with them."""
    covered = np.bincount(found.row, found.m2, minlength=len(inner))
    for row in np.unique(found.row[found.doubled[found.at]]).tolist():  # ground of two outer polygons counts once
        mine = slice(*np.searchsorted(found.row, [row, row + 1]))
        covered[row] = shapely.area(shapely.union_all(found.piece[mine]))
    return np.asarray(np.maximum(shapely.area(inner) - covered, 0.0))


def largest_part(inner: Geometries, outer: Geometries) -> Ints:
    """Row of the outer polygon that holds the largest part of each inner one, −1 when more than half lies in none.

    inner (n,), outer (m,): as for `overlaps`; shape (n,). Equal parts go to the smaller row. Points, too, lie in the
    first polygon that covers them.
    """
    best = np.full(len(inner), -1, np.int64)
    flat = shapely.area(inner) <= 0
    if flat.any() and len(outer):
        at, row = shapely.STRtree(inner[flat]).query(outer, predicate="covers")
        order = np.lexsort((at, row))
        first = order[np.unique(row[order], return_index=True)[1]]
        best[np.flatnonzero(flat)[row[first]]] = at[first]
    found = overlaps(inner, outer)
    first = largest(found, found.at)
    row = found.row[first]
    inside = 2 * uncovered(inner, found)[row] <= shapely.area(inner)[row] + TOUCH_M2
    best[row[inside]] = found.at[first[inside]]
    return best


def largest(found: Overlaps, rank: NDArray[Any]) -> Ints:
    """Pair of each inner polygon with its largest part; of equal ones that of the smaller ``rank``, shape (pairs,)."""
    order = np.lexsort((rank, -np.round(found.m2, 6), found.row))
    return np.asarray(order[np.unique(found.row[order], return_index=True)[1]], np.int64)


def _polygonal(geoms: Geometries) -> Geometries:
    """Polygons of cuts: where two polygons also touch along a line or at a point, that is left out."""
    mixed = np.flatnonzero(shapely.get_type_id(geoms) == shapely.GeometryType.GEOMETRYCOLLECTION)
    if mixed.size:
        parts, of = topology.polygon_parts(geoms[mixed])
        geoms = geoms.copy()
        geoms[mixed] = [shapely.union_all(parts[of == number]) for number in range(mixed.size)]
    return geoms
