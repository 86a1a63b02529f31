"""The fewest further facilities, for points and for areas."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.errors import BadInput
from gisgrid.limits import STRAIGHT_LATTICE_MAX, STRAIGHT_PIECES_MAX, STRAIGHT_SAMPLE_MAX
from planning.straight.covering import cover_points, far_apart
from planning.straight.discs import discs, union
from planning.straight.planar import within
from planning.straight.setcover import fewest_points

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Extra:
    """New places (m, 2), the fewest there can be, and what was asked of them.

    ``candidates``: row of each place in the candidate layer, None where the plane is free. ``unreached``: demands no
    candidate reaches.
    """

    xy: Float64
    lower_bound: int
    method: str
    candidates: Int64 | None
    unreached: Bool


def extra_for_points(xy: Float64, radius: float, *, candidates: Float64 | None = None, seconds: float = 60.0) -> Extra:
    """The fewest places with one ``radius`` (metres) that reach all points ``xy`` (n, 2), solved as set covering.

    Among ``candidates`` (m, 2), or anywhere in the plane: there the finite set of Church (1984) suffices, and the
    answer is the true least one, unless ``seconds`` run out: `Extra.lower_bound` says how many there must be.
    """
    if candidates is not None:
        reaches = within(xy, np.full(len(xy), radius), candidates)
        reached = np.bincount(reaches.indices, minlength=len(xy)) > 0
        cover = fewest_points(reaches[:, np.flatnonzero(reached)], seconds=seconds)
        return Extra(candidates[cover.rows], cover.lower_bound, "given candidates", cover.rows, ~reached)
    nobody = np.zeros(len(xy), bool)
    if not len(xy):
        return Extra(np.empty((0, 2)), 0, "planar", None, nobody)
    found = cover_points(xy, np.full(len(xy), radius), seconds=seconds)
    bound = max(found.lower_bound, far_apart(xy, 2 * radius + 1e-5))
    tried = [found.xy]
    if len(found.xy) > bound:
        tried.append(_honeycomb(shapely.points(xy), radius))
    return Extra(min(tried, key=len), bound, "anywhere in the plane", None, nobody)


def extra_for_area(
    area: shapely.Geometry, radius: float, *, candidates: Float64 | None = None, tolerance: float = 0.01,
    seconds: float = 60.0,
) -> Extra:  # fmt: skip
    """Few places with one ``radius`` (metres) whose circles cover every spot of a polygon, and a lower bound.

    The area is divided into pieces; who stands within ``radius`` less the half-diameter of a piece covers all of it,
    so that a cover of the pieces covers the area for sure (upper bound). Covers tried: the least one from a lattice
    of places (set covering), and the honeycomb that keeps the fewest cells (Kershner 1939), each with needless
    places taken out again. Lower bound: the exact least cover of some of the area's points, or its area divided by a
    circle's.
    """
    parts = shapely.get_parts(area)
    parts = parts[shapely.area(parts) > 0]
    nobody = np.zeros(0, bool)
    if not len(parts):
        return Extra(np.empty((0, 2)), 0, "nothing left to cover", None, nobody)
    safe = radius - tolerance
    if safe <= 0:
        raise BadInput(f"radius {radius:g} m is not above the tolerance of {tolerance:g} m; give a smaller tolerance")
    pieces = _pieces(parts, safe)
    if candidates is not None:
        return _from_candidates(pieces, safe, candidates, seconds)
    tried = [("honeycomb", _honeycomb(parts, safe))]
    least, sampled = _least(parts, radius, seconds / 4)
    mended = _mended(parts, sampled, radius, safe, tolerance, seconds / 8)
    if mended is not None:
        tried.append(("sample, completed", mended))
    if pieces is not None and (mended is None or len(mended) > least):
        middle, half = pieces
        tried.append(("pieces", cover_points(middle, safe - half, seconds=seconds / 4).xy))
        lattice = np.concatenate([_lattice(parts, safe), middle])
        reaches = within(middle, safe - half, lattice)
        tried.append(("pieces, from a lattice", lattice[fewest_points(reaches, seconds=seconds / 4).rows]))
    tried = [(name, _needed(parts, places, radius, tolerance)) for name, places in tried]
    name, places = min(tried, key=lambda each: len(each[1]))
    return Extra(places, least, name, None, nobody)


def _from_candidates(pieces: tuple[Float64, Float64] | None, safe: float, candidates: Float64, seconds: float) -> Extra:
    if pieces is None:
        raise BadInput("the area is too large for circles of this radius from given candidates; give parts of it")
    middle, half = pieces
    reaches = within(middle, safe - half, candidates)
    reached = np.bincount(reaches.indices, minlength=len(middle)) > 0
    cover = fewest_points(reaches[:, np.flatnonzero(reached)], seconds=seconds)
    # pieces are stricter than the area itself, so their bound is none for it
    bound = min(1, len(cover.rows))
    return Extra(candidates[cover.rows], bound, "given candidates, by pieces", cover.rows, ~reached)


def _cells(parts: Geometries, size: float) -> Geometries:
    """Squares of ``size`` metres that touch the parts."""
    low = shapely.total_bounds(parts)[:2]
    boxes = shapely.bounds(parts)
    first = np.floor((boxes[:, :2] - low) / size).astype(np.int64)
    last = np.floor((boxes[:, 2:] - low) / size).astype(np.int64)
    found: list[Int64] = []
    for part, (left, bottom), (right, top) in zip(parts, first, last, strict=True):
        column, row = (axis.ravel() for axis in np.meshgrid(np.arange(left, right + 1), np.arange(bottom, top + 1)))
        x, y = low[0] + column * size, low[1] + row * size
        shapely.prepare(part)
        keep = shapely.intersects(part, shapely.box(x, y, x + size, y + size))
        found.append(np.column_stack([column, row])[keep])
    cells = np.unique(np.concatenate(found), axis=0)
    corner = low + cells * size
    out: Geometries = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + size, corner[:, 1] + size)
    return out


def _pieces(parts: Geometries, radius: float) -> tuple[Float64, Float64] | None:
    """(middle, half-diameter) of pieces of the area; None where even coarse ones are too many."""
    size = radius / 5
    while size <= radius * 0.75:
        if _about(parts, size) <= 4 * STRAIGHT_PIECES_MAX:
            cells = _cells(parts, size)
            if len(cells) <= STRAIGHT_PIECES_MAX:
                cut = shapely.intersection(shapely.multipolygons(parts), cells)
                cut = cut[shapely.area(cut) > 0]
                circles = shapely.minimum_bounding_circle(cut)
                middle = shapely.get_coordinates(shapely.centroid(circles))
                return middle, _furthest(cut, middle)
        size *= 1.2
    return None


def _about(parts: Geometries, size: float) -> float:
    return float(shapely.area(parts).sum() / size**2 + len(parts))


def _furthest(shapes: Geometries, middle: Float64) -> Float64:
    """How far the furthest corner of each shape is from its middle."""
    corners, of = shapely.get_coordinates(shapes, return_index=True)
    out = np.zeros(len(shapes))
    np.maximum.at(out, of, np.hypot(*(corners - middle[of]).T))
    return out


def _lattice(parts: Geometries, radius: float) -> Float64:
    """Places on a square lattice within ``radius`` of the area, as fine as `STRAIGHT_LATTICE_MAX` allows."""
    around = shapely.bounds(shapely.buffer(parts, radius))
    spacing = radius / 8
    while ((around[:, 2:] - around[:, :2]) / spacing + 1).prod(axis=1).sum() > STRAIGHT_LATTICE_MAX:
        spacing *= 1.2
    low = shapely.total_bounds(parts)[:2]
    found = []
    for box in around:
        x = np.arange(np.floor((box[0] - low[0]) / spacing), np.ceil((box[2] - low[0]) / spacing) + 1)
        y = np.arange(np.floor((box[1] - low[1]) / spacing), np.ceil((box[3] - low[1]) / spacing) + 1)
        found.append(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    out: Float64 = low + np.unique(np.concatenate(found), axis=0) * spacing
    return out


def _honeycomb(parts: Geometries, radius: float) -> Float64:
    """Centres of the hexagons with that circumradius that touch the area, in the position that needs fewest."""
    low, high = shapely.total_bounds(parts).reshape(2, 2)
    middle, far = (low + high) / 2, float(np.hypot(*(high - low))) / 2 + 2 * radius
    across, up = np.sqrt(3) * radius, 1.5 * radius
    columns, rows = np.arange(-np.ceil(far / across) - 1, far / across + 2), np.arange(-np.ceil(far / up) - 1, far / up + 2)  # noqa: E501  # fmt: skip
    row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
    base = np.column_stack([(column + 0.5 * (row % 2)) * across, row * up])
    corner = radius * np.stack([np.sin(np.pi / 3 * np.arange(6)), np.cos(np.pi / 3 * np.arange(6))], axis=1)
    best: Float64 | None = None
    steps = 4 if len(base) < 20_000 else 1
    for turn, right, over in itertools.product(np.arange(steps) * np.pi / 3 / steps, range(steps), range(steps)):
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        centres = middle + (base + np.array([right * across / steps, over * up / steps])) @ spin
        cells = shapely.polygons(centres[:, None, :] + corner @ spin)
        touched = np.unique(shapely.STRtree(cells).query(parts, predicate="intersects")[1])
        if best is None or len(touched) < len(best):
            best = centres[touched]
    assert best is not None
    return best


def _needed(parts: Geometries, places: Float64, radius: float, tolerance: float) -> Float64:
    """The places without those whose circles the others make needless, last ones first."""
    circles = discs(places, np.full(len(places), radius), tolerance=tolerance)
    area = shapely.multipolygons(parts)
    shapely.prepare(area)
    alone = shapely.intersection(area, circles)
    tree = shapely.STRtree(circles)
    near = np.split(*_split_at(tree.query(alone, predicate="intersects"), len(places)))
    kept = np.ones(len(places), bool)
    for place in np.argsort(shapely.area(alone), kind="stable"):
        others = [other for other in near[place] if other != place and kept[other]]
        left = shapely.difference(alone[place], shapely.union_all(circles[others]))
        kept[place] = shapely.area(left) > 0
    return places[kept]


def _split_at(pairs: Int64, count: int) -> tuple[Int64, Int64]:
    order = np.lexsort((pairs[1], pairs[0]))
    return pairs[1][order], np.cumsum(np.bincount(pairs[0], minlength=count))[:-1]


def _mended(
    parts: Geometries, places: Float64, radius: float, safe: float, tolerance: float, seconds: float
) -> Float64 | None:
    """The places and further ones for what they leave of the area; None where that is too much."""
    left = shapely.difference(
        shapely.multipolygons(parts), union(places, np.full(len(places), radius), tolerance=tolerance)
    )
    rest = shapely.get_parts(shapely.get_parts(left))
    rest = rest[shapely.area(rest) > 0]
    if not len(rest):
        return places
    pieces = _pieces(rest, safe)
    if pieces is None:
        return None
    middle, half = pieces
    return np.concatenate([places, cover_points(middle, safe - half, seconds=seconds).xy])


def _least(parts: Geometries, radius: float, seconds: float) -> tuple[int, Float64]:
    """The fewest circles that any cover of the area needs, and places that cover a sample of its points."""
    by_area = int(np.ceil(shapely.area(parts).sum() / (np.pi * radius**2) - 1e-9))
    size = radius / 3
    while _about(parts, size) > STRAIGHT_SAMPLE_MAX:
        size *= 1.2
    sample = shapely.intersection(shapely.multipolygons(parts), _cells(parts, size))
    sample = sample[shapely.area(sample) > 0]
    # corners are harder to cover than middles
    xy = np.concatenate(
        [shapely.get_coordinates(shapely.point_on_surface(sample)), shapely.get_coordinates(shapely.convex_hull(parts))]
    )
    found = cover_points(xy, np.full(len(xy), radius), seconds=seconds)
    return max(by_area, found.lower_bound, far_apart(xy, 2 * radius + 1e-5)), found.xy
