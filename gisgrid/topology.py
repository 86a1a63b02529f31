"""Noding, faces and edges: the primitives every polygon coverage here stands on.

Coordinates are metres. `node` brings linework onto one precision grid so that every crossing and every T-junction is
a shared vertex; `faces` are its polygons; `edges` finds who borders whom along shared segments (rook: a corner touch
is no border).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Geometries = NDArray[np.object_]

PRECISION: Final = 1e-5
"""Grid all coverages are noded on, in metres: far above the rounding of doubles, and so fine that bending an outline
to its T-junctions moves less than a square centimetre per kilometre."""


class Edges(NamedTuple):
    """Segments shared by two polygons, each once; ``left`` < ``right`` are row numbers of the polygons."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    metres: NDArray[np.float64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def middle(self) -> NDArray[np.float64]:
        """Middle of each segment, shape (n, 2)."""
        return (self.start + self.end) / 2


class Borders(NamedTuple):
    """Pairs of polygons that share a line and how long it is, each pair once, sorted; ``left`` < ``right``."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    metres: NDArray[np.float64]


class Fragments(NamedTuple):
    """Which polygons lie in a cut-off piece of their label, each polygon's piece, and that piece's m²."""

    cut_off: NDArray[np.bool_]
    piece: NDArray[np.int64]
    piece_m2: NDArray[np.float64]


def finite(geometries: Any) -> NDArray[np.bool_]:
    """Whether all coordinates of each geometry are numbers (true for null and empty ones); GEOS stumbles over NaN."""
    geoms = np.asarray(geometries, dtype=object)
    xy, row = shapely.get_coordinates(geoms, return_index=True)
    good = np.ones(len(geoms), bool)
    good[row[~np.isfinite(xy).all(axis=1)]] = False
    return good


def polygon_parts(geometries: Any) -> tuple[Geometries, NDArray[np.int64]]:
    """Polygons of any geometries, repaired, and the row each came from; lines and points fall away."""
    geoms = np.asarray(geometries, dtype=object)
    bad = ~shapely.is_valid(geoms) & ~shapely.is_missing(geoms)
    if bad.any():
        geoms = geoms.copy()
        geoms[bad] = shapely.make_valid(geoms[bad])
    parts, rows = shapely.get_parts(geoms, return_index=True)
    nested = shapely.get_type_id(parts) >= 4  # make_valid may answer a collection that holds multipolygons
    if nested.any():
        inner, at = shapely.get_parts(parts[nested], return_index=True)
        parts = np.concatenate([parts[~nested], inner])
        rows = np.concatenate([rows[~nested], rows[nested][at]])
    keep = (shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)
    order = np.argsort(rows[keep], kind="stable")
    return parts[keep][order], rows[keep][order]


def node(lines: Any, *, precision: float = PRECISION) -> Any:
    """Union of linework with a vertex at every crossing, on a grid of ``precision`` metres; doubles fall together."""
    return shapely.union_all(np.asarray(lines, dtype=object), grid_size=precision)


def faces(lines: Any, *, precision: float = PRECISION) -> Geometries:
    """Polygons enclosed by linework: noded, then polygonised. They share vertices wherever they meet."""
    found = shapely.get_parts(shapely.polygonize([node(lines, precision=precision)]))
    return np.asarray(found, dtype=object)


def edges(polygons: Any) -> Edges:
    """Segments that two polygons of an exactly noded coverage share, found by equal coordinates.

    Segments that differ in a vertex are not matched: node first. Sorted by left, right, then coordinates.
    """
    rings, ring_of = shapely.get_parts(shapely.boundary(np.asarray(polygons, dtype=object)), return_index=True)
    xy, at = shapely.get_coordinates(rings, return_index=True)
    joined = at[1:] == at[:-1]
    owner = ring_of[at[:-1][joined]]
    start, end = xy[:-1][joined], xy[1:][joined]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    start[swap], end[swap] = end[swap], start[swap].copy()
    order = np.lexsort((owner, end[:, 1], end[:, 0], start[:, 1], start[:, 0]))
    start, end, owner = start[order], end[order], owner[order]
    same = (start[1:] == start[:-1]).all(1) & (end[1:] == end[:-1]).all(1) & (owner[1:] != owner[:-1])
    start, end = start[:-1][same], end[:-1][same]
    left, right = owner[:-1][same], owner[1:][same]
    order = np.lexsort((right, left))
    start, end = start[order], end[order]
    return Edges(left[order], right[order], np.hypot(*(end - start).T), start, end)


def borders(shared: Edges) -> Borders:
    """Edges summed to one length per pair of polygons."""
    if not shared.left.size:
        return Borders(shared.left, shared.right, shared.metres)
    first = np.ones(shared.left.size, bool)
    first[1:] = (np.diff(shared.left) != 0) | (np.diff(shared.right) != 0)
    at = np.flatnonzero(first)
    return Borders(shared.left[at], shared.right[at], np.add.reduceat(shared.metres, at))


def dissolve(polygons: Any, labels: NDArray[np.int64], count: int) -> Geometries:
    """Union of the polygons of each label 0..count-1 (label -1 is left out), vertices kept; None for a label unused.

    The polygons must be an exactly noded coverage.
    """
    geoms = np.asarray(polygons, dtype=object)
    labels = np.asarray(labels)
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    values, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    out = np.full(count, None, dtype=object)
    single = sizes == 1
    out[values[single]] = geoms[order[starts[single]]]
    many = np.flatnonzero(~single)
    for i in many.tolist():
        out[values[i]] = shapely.coverage_union_all(geoms[order[starts[i] : starts[i] + sizes[i]]])
    return out


def components(labels: NDArray[np.int64], shared: Borders, *, least_metres: float = 0.0) -> NDArray[np.int64]:
    """Number of the connected piece each polygon is in; polygons connect when they share a label and a border."""
    n = labels.size
    link = (labels[shared.left] == labels[shared.right]) & (shared.metres > least_metres)
    graph = coo_matrix((np.ones(int(link.sum())), (shared.left[link], shared.right[link])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def absorb(
    labels: NDArray[np.int64],
    loose: NDArray[np.bool_],
    shared: Borders,
    *,
    groups: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give each loose polygon the label of the settled neighbour it shares most border with (ties: smallest label).

    Works inwards in rounds, so a chain of loose polygons is taken up from its settled ends. With ``groups``
    (polygon → group number, shape (n,)) a label is only taken from the same group. Returns the new labels and the
    polygons still loose because nothing settled touches them.
    """
    labels, loose = labels.copy(), loose.copy()
    here = np.concatenate([shared.left, shared.right])
    there = np.concatenate([shared.right, shared.left])
    metres = np.concatenate([shared.metres, shared.metres])
    if groups is not None:
        same = groups[here] == groups[there]
        here, there, metres = here[same], there[same], metres[same]
    while loose.any():
        use = loose[here] & ~loose[there] & (labels[there] >= 0)
        if not use.any():
            break
        face, label, length = here[use], labels[there[use]], metres[use]
        order = np.lexsort((label, face))
        face, label, length = face[order], label[order], length[order]
        first = np.ones(face.size, bool)
        first[1:] = (np.diff(face) != 0) | (np.diff(label) != 0)
        at = np.flatnonzero(first)
        face, label, length = face[at], label[at], np.add.reduceat(length, at)
        order = np.lexsort((label, -length, face))
        winner = order[np.unique(face[order], return_index=True)[1]]
        labels[face[winner]] = label[winner]
        loose[face[winner]] = False
    return labels, loose


def fragments(labels: NDArray[np.int64], polygons: Any, shared: Borders, *, least_metres: float = 0.0) -> Fragments:
    """Pieces of each label cut off from its largest piece (by area; ties: the piece met first)."""
    piece = components(labels, shared, least_metres=least_metres)
    area = shapely.area(np.asarray(polygons, dtype=object))
    piece_area = np.asarray(np.bincount(piece, area), np.float64)
    order = np.lexsort((piece, -piece_area[piece], labels))
    largest = order[np.unique(labels[order], return_index=True)[1]]
    main = np.zeros(piece_area.size, bool)
    main[piece[largest]] = True
    return Fragments(~main[piece] & (labels >= 0), piece, piece_area[piece])
