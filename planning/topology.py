"""The borders of units as arcs: which unit lies on either side, where arcs meet, how long each is, what runs on it.

An arc is a piece of border between the same two units, or a unit and the outside, as long as it can be: it ends only
where three or more pieces meet. Two arcs share a vertex by number, never by nearness, so any set of units has an exact
outline (the arcs with one side in it), and a drawing program needs neither unions nor tolerances. The same structure
as in ArcInfo coverages, TopoJSON and PostGIS topology (faces, edges, nodes; P. A. Burrough, "Principles of
Geographical Information Systems", 1986, ch. 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from numba import njit
from pyproj import CRS, Transformer

from gisgrid import topology
from gisgrid.errors import BadInput
from gisgrid.models import STREET_CLASSES
from planning.graph import (
    MAJOR_CLASSES,
    NO_STREET,
    Geometries,
    metric_units,
    noded_geometry,
    segment_classes,
    unit_names,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OUTSIDE: Final = -1
"""What lies beyond a border that no other unit touches."""
ARC_CLASSES: Final[tuple[str, ...]] = ("none", *reversed(STREET_CLASSES))
"""Names of the values of `Topology.arc_class`, what divides most last."""
MAJOR: Final = NO_STREET - MAJOR_CLASSES + 1
"""Arc classes from this one on (secondary, primary, river) are barriers no grid should lie across."""
STREET_METRES: Final = 2.0
"""A border so near to a street's line runs on it."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Arcs of n units, k of them, over m vertices.

    ``points`` float64 (m, 2) in the CRS of the units: arc a has ``points[start[a]:start[a + 1]]``, its ends included.
    ``start`` uint32 (k + 1); ``left``, ``right`` int32 (k) unit to the left and right on the way along, -1 the
    outside; ``head``, ``tail`` uint32 (k) number of the node it begins and ends at (a ring alone: the same);
    ``metres`` float32 (k); ``arc_class`` int8 (k) row of `ARC_CLASSES`. ``area`` float64 (n) m².
    """

    points: Floats
    start: npt.NDArray[np.uint32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    head: npt.NDArray[np.uint32]
    tail: npt.NDArray[np.uint32]
    metres: npt.NDArray[np.float32]
    arc_class: npt.NDArray[np.int8]
    area: Floats

    @property
    def count(self) -> int:
        """Arcs there are."""
        return len(self.left)


def unit_topology(units: gpd.GeoDataFrame, streets: gpd.GeoDataFrame | None = None) -> Topology:
    """The arcs of a coverage of units, vertices as they are; units that do not share their vertices are noded first.

    `units`: polygons, any CRS; `streets`: lines as for `planning.graph.unit_graph`, any CRS; None: no classes. An
    arc's class is the strongest c such that streets of class c or stronger run along at least half of it.
    Raises BadInput for units that cannot be used or overlap.
    """
    metric = metric_units(units)
    forward = Transformer.from_crs(units.crs, metric.crs, always_xy=True)
    flat: Geometries = metric.geometry.to_numpy()
    geometry: Geometries = units.geometry.to_numpy()
    if not shapely.coverage_is_valid(flat):
        flat = noded_geometry(metric)
        back = Transformer.from_crs(metric.crs, units.crs, always_xy=True)
        geometry = shapely.transform(flat, lambda xy: np.stack(back.transform(xy[:, 0], xy[:, 1]), axis=1))
    xy, a, b, unit = _half_edges(geometry)
    low, high, left, right = _paired(a, b, unit, units)
    metres_xy = np.stack(forward.transform(xy[:, 0], xy[:, 1]), axis=1)
    metres = np.hypot(*(metres_xy[high] - metres_xy[low]).T)
    order, start, head, arc_edge, turned = _arcs(len(xy), low, high)
    ends = np.unique(np.concatenate([order[start[:-1]], order[start[1:] - 1]]), return_inverse=True)[1]
    first = arc_edge[head[:-1]]
    flip = turned[head[:-1]]
    weights = _class_metres(metres_xy[low], metres_xy[high], metres, streets, metric.crs)
    per_arc = np.add.reduceat(weights[arc_edge], head[:-1], axis=0) if len(first) else weights[:0]
    length = per_arc.sum(axis=1)
    strongest = np.argmax(np.cumsum(per_arc, axis=1) >= 0.5 * length[:, None] - 1e-9, axis=1)
    return Topology(
        xy[order],
        start.astype(np.uint32),
        np.where(flip, right[first], left[first]).astype(np.int32),
        np.where(flip, left[first], right[first]).astype(np.int32),
        ends[: len(first)].astype(np.uint32),
        ends[len(first) :].astype(np.uint32),
        length.astype(np.float32),
        (NO_STREET - strongest).astype(np.int8),
        shapely.area(flat),
    )


def _half_edges(geometry: Geometries) -> tuple[Floats, Ints, Ints, Ints]:
    """Vertices (m, 2), and of every step along a ring its two ends and its unit, which lies to the left of it."""
    parts, unit_of = shapely.get_parts(geometry, return_index=True)
    rings, part_of = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    places, vertex = np.unique(xy[:, 0] + 1j * xy[:, 1], return_inverse=True)
    joined = (ring[1:] == ring[:-1]) & (vertex[1:] != vertex[:-1])
    owner = unit_of[part_of[ring[:-1][joined]]]
    return np.stack([places.real, places.imag], axis=1), vertex[:-1][joined], vertex[1:][joined], owner


def _paired(a: Ints, b: Ints, unit: Ints, units: gpd.GeoDataFrame) -> tuple[Ints, Ints, Ints, Ints]:
    """Edges, each once: lower and higher vertex, unit to the left and right of the way from lower to higher."""
    low, high, backward = np.minimum(a, b), np.maximum(a, b), a > b
    order = np.lexsort((backward, high, low))
    low, high, backward, unit = low[order], high[order], backward[order], unit[order]
    same = np.zeros(len(low), dtype=bool)
    same[1:] = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
    twice = np.flatnonzero(same & np.r_[False, backward[1:] == backward[:-1]])
    if len(twice):
        names = unit_names(units.reset_index(drop=True))
        one, two = names[unit[twice[0] - 1]], names[unit[twice[0]]]
        raise BadInput(f"units {one} and {two} lie on the same side of a common border: they overlap; mend the units")
    at = np.flatnonzero(~same)
    left, right = np.full(len(at), OUTSIDE, np.int64), np.full(len(at), OUTSIDE, np.int64)
    edge = np.cumsum(~same) - 1
    left[edge[~backward]] = unit[~backward]
    right[edge[backward]] = unit[backward]
    return low[at], high[at], left, right


def _arcs(vertices: int, low: Ints, high: Ints) -> tuple[Ints, Ints, Ints, Ints, npt.NDArray[np.bool_]]:
    """Edges strung together: vertices along all arcs, where each arc's begin; edges along all arcs, where each arc's
    begin; whether an edge is walked from its higher vertex to its lower."""
    edges = len(low)
    ends = np.concatenate([low, high])
    order = np.argsort(ends, kind="stable")
    first = np.zeros(vertices + 1, dtype=np.int64)
    np.cumsum(np.bincount(ends, minlength=vertices), out=first[1:])
    found: tuple[Ints, Ints, Ints, Ints, npt.NDArray[np.bool_]] = _strung(low, high, first, order % max(edges, 1))
    return found


@njit(cache=True, nogil=True)
def _strung(low: Any, high: Any, first: Any, touching: Any) -> Any:
    edges, vertices = low.size, first.size - 1
    used = np.zeros(edges, np.bool_)
    along, turned = np.empty(edges, np.int64), np.empty(edges, np.bool_)
    order = np.empty(2 * edges + 1, np.int64)
    start, head = np.empty(edges + 1, np.int64), np.empty(edges + 1, np.int64)
    arcs, walked, seen = 0, 0, 0
    for rings in range(2):  # first from all nodes; what is left are rings without any, walked from their first vertex
        for vertex in range(vertices):
            if (first[vertex + 1] - first[vertex] == 2) != (rings == 1):
                continue
            for k in range(first[vertex], first[vertex + 1]):
                if used[touching[k]]:
                    continue
                start[arcs], head[arcs] = seen, walked
                arcs += 1
                edge, at = touching[k], vertex
                order[seen] = at
                seen += 1
                while True:
                    used[edge] = True
                    along[walked], turned[walked] = edge, high[edge] == at
                    at = low[edge] if turned[walked] else high[edge]
                    walked += 1
                    order[seen] = at
                    seen += 1
                    if first[at + 1] - first[at] != 2 or at == vertex:
                        break
                    edge = touching[first[at]] if used[touching[first[at] + 1]] else touching[first[at] + 1]
    start[arcs], head[arcs] = seen, walked
    return order[:seen].copy(), start[: arcs + 1].copy(), head[: arcs + 1].copy(), along, turned


def _class_metres(
    one: Floats, two: Floats, metres: Floats, streets: gpd.GeoDataFrame | None, metric: CRS
) -> npt.NDArray[np.float64]:
    """Metres of each edge under the street class it runs on, shape (edges, `NO_STREET` + 1)."""
    rows = np.arange(len(metres))
    lines = None if streets is None or not len(streets) else streets.to_crs(metric)
    found = segment_classes(topology.Edges(rows, rows, metres, one, two), lines, STREET_METRES)
    out = np.zeros((len(metres), NO_STREET + 1))
    out[rows, found] = metres
    return out
