"""A street layer made into the network of one way of moving.

How streets connect is the one decision that matters. With ``nodes='shared'`` (the rule of OpenStreetMap) two
streets connect where they have a vertex with exactly equal coordinates, and nowhere else: a bridge stays apart from
what it crosses. With ``nodes='crossings'`` lines of one level are split where they cross or nearly touch
(`planning.network.noding`).

Who may use what is in `planning.network.modes`. Nobody steps off a bridge or out of a tunnel half way, nor turns off a
motorway between its exits, so such edges carry people between their ends but nothing snaps to them (``edge_open``). A
closed gate or bollard (``barriers``) is where its vertex is: each street that meets there ends there.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from gisgrid.hilbert import hilbert_order
from planning.network.assemble import assemble
from planning.network.chains import contract
from planning.network.model import CLOSED, Bool, Float64, Int32, Int64, Network, lengths
from planning.network.modes import (
    MODES,
    against_drawing,
    enterable,
    flag,
    levels,
    one_way_rows,
    pace,
    usable_rows,
)
from planning.network.noding import split_at_crossings

NODINGS: Final = ("shared", "crossings")
BUILD: Final = 1
"""Goes up when the same streets give another network: networks kept by an earlier program are then built again."""
ON_VERTEX: Final = 0.01
"""Metres within which a barrier stands on a vertex."""


def build_network(
    streets: gpd.GeoDataFrame,
    *,
    mode: str = "walk",
    nodes: str = "shared",
    tolerance: float = 0.5,
    min_component_share: float = 0.01,
    barriers: gpd.GeoDataFrame | None = None,
) -> Network:
    """Build the network of a street layer (LineStrings in any CRS; columns as `planning.network.modes` reads them,
    and bridge, tunnel, layer).

    ``mode`` is 'walk', 'bicycle' or 'drive'. ``nodes`` is 'shared' (streets connect at equal vertices) or
    'crossings' (split at crossings of one level, ends joined within ``tolerance`` metres). Connected pieces shorter
    than ``min_component_share`` of the whole length, and one-way streets that lead out of a piece or into it and not
    back (`planning.network.pieces`), are kept in the graph, told in ``stats``, and not snapped to; the longest piece
    always is, and with a share of 0 everything. ``barriers``: points with the mode's column (foot, bicycle, car);
    those that say no close the vertex they stand on. Raises BadInput when nothing usable is left, or for an unknown
    mode or noding.
    """
    _check_options(mode, nodes, tolerance, min_component_share)
    if not len(streets):
        raise BadInput("the street layer is empty; give streets as lines")
    usable = usable_rows(streets, mode)
    metric = to_metric(streets[["geometry"]] if "geometry" in streets else streets)
    geometry = np.asarray(metric.geometry.values)
    is_line = np.isin(shapely.get_type_id(geometry), (1, 2, 5)) & ~shapely.is_empty(geometry)
    rows = np.flatnonzero(usable & is_line)
    if not len(rows):
        verb = {"walk": "walk", "bicycle": "cycle", "drive": "drive along"}[mode]
        raise BadInput(
            f"none of the {len(streets)} streets is a line one may {verb}; "
            f"check the layer and its {MODES[mode].column}, cls and highway columns"
        )
    drawn = geometry[rows]
    against = against_drawing(streets)[rows]
    drawn[against] = shapely.reverse(drawn[against])
    parts, part_of = shapely.get_parts(drawn, return_index=True)
    coords, line = shapely.get_coordinates(parts, return_index=True)
    finite = np.isfinite(coords).all(axis=1)
    coords, line = coords[finite], line[finite].astype(np.int64)
    if nodes == "crossings":
        level = levels(streets)[rows][part_of]
        coords, line = split_at_crossings(coords, line, level, tolerance=tolerance)
    crs = str(metric.crs.to_string())
    return _assemble(
        coords,
        rows[part_of[line]].astype(np.int32),
        line,
        Ways(enterable(streets), one_way_rows(streets, mode), pace(streets, mode)),
        closed=_closed_points(barriers, mode, crs),
        crs=crs,
        mode=mode,
        min_component_share=min_component_share,
        stats={
            "streets": len(streets),
            "streets_usable": len(rows),
            "streets_not_lines": int((~is_line).sum()),
            "noding": nodes,
        },
    )


class Ways(NamedTuple):
    """What the rows of a street layer are to one mode: enterable half way, one-way as drawn, cost of a cm."""

    open: Bool
    one_way: Bool
    pace: Float64

    def kinds(self) -> Int32:
        """Rows that are alike in everything share a number, so that they may become one edge."""
        alike = np.column_stack([self.open, self.one_way, self.pace])
        return np.unique(alike, axis=0, return_inverse=True)[1].ravel().astype(np.int32)


def _closed_points(barriers: gpd.GeoDataFrame | None, mode: str, crs: str) -> Float64:
    """Where the mode cannot pass, (n, 2) metres; a barrier that does not speak of the mode lets it through."""
    column = MODES[mode].column
    if barriers is None or not len(barriers) or column not in barriers:
        return np.empty((0, 2))
    closes = barriers[column].notna().to_numpy(bool) & ~flag(barriers, column)
    points = barriers.geometry[closes].to_crs(crs)
    return np.column_stack([points.x.to_numpy(np.float64), points.y.to_numpy(np.float64)])


def _check_options(mode: str, nodes: str, tolerance: float, share: float) -> None:
    if mode not in MODES:
        raise BadInput(f"unknown network mode {mode!r}; give one of {', '.join(MODES)}")
    if nodes not in NODINGS:
        raise BadInput(f"unknown noding {nodes!r}; give one of {', '.join(NODINGS)}")
    if not 0 <= tolerance <= 10:
        raise BadInput(f"noding tolerance {tolerance} m is not between 0 and 10 metres")
    if not 0 <= share <= 1:
        raise BadInput(f"least share of a connected piece {share} is not between 0 and 1")


def _assemble(
    coords: Float64,
    street: Int32,
    line: Int64,
    ways: Ways,
    *,
    closed: Float64,
    crs: str,
    mode: str,
    min_component_share: float,
    stats: dict[str, Any],
) -> Network:
    # equal coordinates, equal vertex: a hash over the exact bits, numbered by first appearance
    vertex = pd.factorize(coords[:, 0] + 1j * coords[:, 1])[0].astype(np.int32)
    start = np.flatnonzero((line[:-1] == line[1:]) & (vertex[:-1] != vertex[1:]))
    if not len(start):
        raise BadInput("no street has any length; check the layer's coordinates")
    tail, head, segment_street = vertex[start], vertex[start + 1], street[start]
    place = np.empty((int(vertex.max()) + 1, 2))
    place[vertex] = coords
    tail, head, place, gates = _shut(tail, head, place, closed)
    count = len(place)
    one_way = ways.one_way[segment_street]
    chains = contract(tail, head, ways.kinds()[segment_street], one_way, count)
    ends_from = chains.path[chains.offsets[:-1]]
    ends_to = chains.path[chains.offsets[1:] - 1]

    used = np.unique(np.concatenate([ends_from, ends_to]))
    used = used[hilbert_order(place[used, 0], place[used, 1])]
    number = np.full(count, -1, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    edge_from, edge_to = number[ends_from], number[ends_to]
    order = np.lexsort((np.maximum(edge_from, edge_to), np.minimum(edge_from, edge_to)))
    offsets, path = _reorder(chains.offsets, chains.path, order)
    edge_from, edge_to, first = edge_from[order], edge_to[order], chains.first_segment[order]
    shape = place[path]
    edge_cm = np.rint(lengths(shape, offsets) * 100).astype(np.int32)
    cost = np.rint(edge_cm * ways.pace[segment_street[first]]).astype(np.int32)
    # a one-way chain begins where its first segment begins, or was walked from its far end
    drawn, bound = tail[first] == ends_from[order], one_way[first]
    forward, backward = np.where(bound & ~drawn, CLOSED, cost), np.where(bound & drawn, CLOSED, cost)
    return assemble(
        crs=crs,
        mode=mode,
        x=place[used, 0],
        y=place[used, 1],
        edge_from=edge_from,
        edge_to=edge_to,
        coords=shape,
        offsets=offsets,
        edge_cm=edge_cm,
        forward=forward,
        backward=backward,
        street=segment_street[first],
        enterable=ways.open[segment_street[first]],
        min_component_share=min_component_share,
        stats=stats | {"barriers_closed": gates},
    )


def _reorder(offsets: Int64, path: Int32, order: Int64) -> tuple[Int64, Int32]:
    sizes = np.diff(offsets)[order]
    new = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=new[1:])
    take = np.arange(new[-1]) + np.repeat(offsets[:-1][order] - new[:-1], sizes)
    return new, path[take]


def _shut(tail: Int32, head: Int32, place: Float64, closed: Float64) -> tuple[Int32, Int32, Float64, int]:
    """Take the vertices apart that stand within `ON_VERTEX` of a closed point: every segment there ends alone.

    Returns the segments' ends, the places of all vertices, and how many vertices were taken apart.
    """
    if not len(closed):
        return tail, head, place, 0
    away, vertex = cKDTree(place).query(closed, distance_upper_bound=ON_VERTEX)
    shut = np.zeros(len(place), bool)
    shut[vertex[np.isfinite(away)]] = True
    ends = np.concatenate([tail, head])
    alone = np.flatnonzero(shut[ends])
    place = np.concatenate([place, place[ends[alone]]])
    ends[alone] = np.arange(len(place) - len(alone), len(place), dtype=np.int32)
    return ends[: len(tail)], ends[len(tail) :], place, int(shut.sum())
