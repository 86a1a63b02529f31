"""Places: the parts of one name that lie together.

Two roads of one name in different parts of a city are two places.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gisgrid.address.table import Floats, Groups, Ints, group
from gisgrid.errors import BadInput

CELL: Final = 400.0
"""Side of the cells by which parts of one name are joined, in metres."""
_REACH: Final = 2
"""Cells apart that still belong together: what is further off is another road of that name."""


def rows_of_either(a: Ints, b: Ints, count: int) -> Groups:
    """Rows by either of two keys."""
    keys = np.concatenate([a, np.where(b == a, -1, b)])
    found = group(keys, count)
    return Groups(found.start, (found.rows % max(len(a), 1)).astype(np.int32))


def places_of(
    road: Ints, compound: Ints, line_name: Ints, x: Floats, y: Floats, shapes: npt.NDArray[np.object_]
) -> tuple[tuple[Ints, Ints], Ints, Ints]:
    """Places: parts of a name that lie together. (place of each row's road and compound, of each line, name by place).

    Two roads of one name in different parts of a city are two places.
    """
    dense = shapely.segmentize(shapes, CELL) if len(shapes) else shapes
    xy, line = shapely.get_coordinates(dense, return_index=True)
    name = np.concatenate([road, compound, line_name[line] if len(line) else np.empty(0, np.int32)]).astype(np.int64)
    px, py = np.concatenate([x, x, xy[:, 0]]), np.concatenate([y, y, xy[:, 1]])
    label, place_name = _clusters(name, px, py)
    n = len(road)
    line_place = np.full(len(shapes), -1, np.int32)
    line_place[line] = label[2 * n :]
    return (label[:n], label[n : 2 * n]), line_place, place_name


def usual_areas(place: tuple[Ints, Ints], area: Ints, count: int) -> Ints:
    """The commonest district, street and community of each place, -1 where unknown."""
    out = np.full((count, 3), -1, np.int32)
    for level in range(3):
        keys = np.concatenate([p.astype(np.int64) << 32 | area[:, level] for p in place])
        keys, size = np.unique(
            keys[np.concatenate([(p >= 0) & (area[:, level] >= 0) for p in place])], return_counts=True
        )
        order = np.lexsort((-keys, size))  # the largest last, of equals the smallest area
        out[(keys[order] >> 32), level] = keys[order] & 0xFFFFFFFF
    return out


def _clusters(name: npt.NDArray[np.int64], x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Label points of one name that hang together by cells; -1 for points without a name. (labels, name by label)."""
    told = np.flatnonzero(name >= 0)
    label = np.full(len(name), -1, np.int32)
    if not len(told):
        return label, np.empty(0, np.int32)
    cx = np.floor((x[told] - x[told].min()) / CELL).astype(np.int64) + _REACH
    cy = np.floor((y[told] - y[told].min()) / CELL).astype(np.int64) + _REACH
    if max(cx.max(), cy.max()) >= 1 << 20:
        raise BadInput("the addresses are spread over more than 400,000 km; check their coordinate system")
    key = (name[told] << 41) | (cx << 20) | cy
    cells, where = np.unique(key, return_inverse=True)
    a, b = [], []
    for dx in range(_REACH + 1):
        for dy in range(-_REACH, _REACH + 1):
            if dx or dy > 0:
                other = cells + (dx << 20) + dy
                at = np.minimum(np.searchsorted(cells, other), len(cells) - 1)
                hit = np.flatnonzero(cells[at] == other)
                a.append(hit)
                b.append(at[hit])
    i, j = np.concatenate(a), np.concatenate(b)
    links = coo_matrix((np.ones(len(i), np.int8), (i, j)), shape=(len(cells), len(cells)))
    _, of_cell = connected_components(links, directed=False)
    label[told] = of_cell[where]
    place_name = np.zeros(of_cell.max() + 1, np.int32)
    place_name[of_cell] = (cells >> 41).astype(np.int32)
    return label, place_name
