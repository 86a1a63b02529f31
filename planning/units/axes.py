"""Street classes for block borders that run between the lines of a road: its centrelines as a street layer.

Borders are judged by the streets within 2 m (`planning.graph`). Where a road is drawn as two carriageways the border
runs between them, near neither; these lines, added to the streets, give such a border its class.
"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import metrics, topology
from gisgrid.errors import BadInput
from planning.units.barriers import STRENGTH, WALL, Barriers, barriers

REACH: Final = 60.0
"""Farthest a border may run from the line it stands for: half of a large junction."""
NEAR: Final = 2.0
"""Borders so near to a line are known by it."""


def road_axes(
    units: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame | None,
    water: gpd.GeoDataFrame | None = None,
    walls: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Borders between blocks that lie off every line, with the class of the road they are the centre of.

    units: as `planning.units.make_units` makes them (``block_id`` and, where there are several, ``community``), in a
    metric CRS; the other layers as given there, any CRS. Returns lines with ``cls`` in the CRS of units; concatenate
    them to the streets a plan is made with. A border takes the class of the nearest street, railway or river line, at
    most 60 m away, and of those about as near the strongest. Without a column block_id, or without streets, there are
    none. Raises BadInput when units have no CRS.
    """
    if units.crs is None:
        raise BadInput("the units layer has no coordinate system; give its CRS when importing it", code="no_crs")
    none = gpd.GeoDataFrame({"cls": np.empty(0, dtype=object)}, geometry=[], crs=units.crs)
    if streets is None or not len(streets) or "block_id" not in units:
        return none
    shared = topology.edges(np.asarray(units.geometry))
    block = units["block_id"].to_numpy(dtype=object)
    parted = block[shared.left] != block[shared.right]
    if "community" in units:
        community = units["community"].to_numpy(dtype=object)
        parted &= community[shared.left] == community[shared.right]
    rows = np.flatnonzero(parted)
    west, south, east, north = shapely.total_bounds(np.asarray(units.geometry))
    streets, water, walls = (None if layer is None else layer.to_crs(units.crs) for layer in (streets, water, walls))
    found = barriers(streets, water, walls, (west - REACH, south - REACH, east + REACH, north + REACH))
    rows = rows[~metrics.near_lines(shared.middle[rows], found.lines, NEAR)]
    cls = _nearest_class(shared.middle[rows], found)
    rows, cls = rows[cls != ""], cls[cls != ""]
    if not rows.size:
        return none
    lines = shapely.linestrings(np.stack([shared.start[rows], shared.end[rows]], axis=1))
    names, which = np.unique(cls, return_inverse=True)
    groups = [shapely.multilinestrings(lines[which == number]) for number in range(names.size)]
    merged = [shapely.get_parts(line) for line in shapely.line_merge(groups)]
    return gpd.GeoDataFrame(
        {"cls": np.repeat(names, [len(parts) for parts in merged])}, geometry=np.concatenate(merged), crs=units.crs
    )


def _nearest_class(points: NDArray[np.float64], found: Barriers) -> NDArray[np.object_]:
    """Class of the strongest line about as near to each point as the nearest one; empty for none within reach."""
    out = np.full(len(points), "", dtype=object)
    names = {value: name for name, value in STRENGTH.items() if value > WALL}
    use = np.isin(found.strength, list(names))
    if not use.any() or not len(points):
        return out
    strength = found.strength[use]
    tree, spots = shapely.STRtree(found.lines[use]), shapely.points(points)
    (point, _), metres = tree.query_nearest(spots, max_distance=REACH, return_distance=True, all_matches=False)
    which, line = tree.query(spots[point], predicate="dwithin", distance=1.2 * metres + NEAR)
    best = np.zeros(len(points), np.int64)
    np.maximum.at(best, point[which], strength[line])
    for value, name in names.items():
        out[best == value] = name
    return out
