"""Geometries as flat arrays: coordinates, where their parts begin, where their features begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

POINTS: Final = 0
LINE: Final = 1
RING: Final = 2
_COLLECTIONS: Final = (4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geometries of k features.

    ``coords`` (n, 2) float64, longitude and latitude (EPSG:4490); ``parts`` (p + 1,) first coordinate of every ring,
    line or run of points; ``features`` (k + 1,) first part of every feature; ``kinds`` (p,) `POINTS`, `LINE` or
    `RING`; ``boxes`` (k, 4) west, south, east, north (NaN for a feature without a geometry).
    """

    coords: NDArray[np.float64]
    parts: NDArray[np.int64]
    features: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    boxes: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.features) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The geometries of some rows, in their order."""
        return type(self)(*gathered(self.coords, self.parts, self.features, self.kinds, rows), self.boxes[rows])


def shapes_of(geometries: NDArray[Any]) -> Shapes:
    """Flat arrays of shapely geometries (None and empty ones have no parts); a third coordinate is left out."""
    geometries = np.asarray(geometries, object)
    if len(geometries) and (shapely.get_type_id(geometries) == 0).all() and not shapely.is_empty(geometries).any():
        return points_of(shapely.get_coordinates(geometries))
    pieces, owners = _simple(geometries)
    types = shapely.get_type_id(pieces)
    polygons = types == 3
    rings, of_polygon = shapely.get_rings(pieces[polygons], return_index=True)
    places = np.flatnonzero(polygons)[of_polygon]
    others = np.flatnonzero(~polygons)
    order = np.argsort(np.concatenate((others, places)), kind="stable")
    pieces = np.concatenate((pieces[others], rings))[order]
    owners = np.concatenate((owners[others], owners[places]))[order]
    kinds = np.concatenate((np.where(types[others] == 0, POINTS, LINE), np.full(len(rings), RING)))[order]
    counts = shapely.get_num_coordinates(pieces)
    # points of one feature that follow each other are one run
    starts = np.ones(len(pieces), bool)
    starts[1:] = (kinds[1:] != POINTS) | (kinds[:-1] != POINTS) | (owners[1:] != owners[:-1])
    parts = np.append(np.concatenate(([0], np.cumsum(counts)[:-1]))[starts] if len(pieces) else [], counts.sum())
    features = np.zeros(len(geometries) + 1, np.int64)
    np.cumsum(np.bincount(owners[starts], minlength=len(geometries)), out=features[1:])
    coords = shapely.get_coordinates(pieces)
    boxes = shapely.bounds(geometries) if len(geometries) else np.zeros((0, 4))
    return Shapes(coords, parts.astype(np.int64), features, kinds[starts].astype(np.uint8), boxes)


def points_of(coords: NDArray[np.float64]) -> Shapes:
    """Flat arrays of features that are one point each."""
    numbers = np.arange(len(coords) + 1)
    return Shapes(coords, numbers, numbers, np.zeros(len(coords), np.uint8), np.hstack((coords, coords)))


def _simple(geometries: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Points, lines and polygons of the geometries, and whose each is; collections may lie in collections."""
    owners = np.arange(len(geometries))
    while np.isin(shapely.get_type_id(geometries), _COLLECTIONS).any():
        geometries, at = shapely.get_parts(geometries, return_index=True)
        owners = owners[at]
    kept = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    return geometries[kept], owners[kept]


def joined_shapes(several: Sequence[Shapes]) -> Shapes:
    """Geometries one behind the other."""
    if len(several) == 1:
        return several[0]

    def offsets(name: str, target: str) -> NDArray[np.int64]:
        ends, at = [np.zeros(1, np.int64)], 0
        for shapes in several:
            ends.append(getattr(shapes, name)[1:] + at)
            at += len(getattr(shapes, target))
        return np.concatenate(ends)

    return Shapes(
        np.concatenate([shapes.coords for shapes in several]),
        offsets("parts", "coords"),
        offsets("features", "kinds"),
        np.concatenate([shapes.kinds for shapes in several]),
        np.concatenate([shapes.boxes for shapes in several]),
    )


@njit(cache=True, nogil=True)
def gathered(coords: Any, parts: Any, features: Any, kinds: Any, rows: Any) -> tuple[Any, Any, Any, Any]:
    """Coordinates, parts, features and kinds of some rows, in their order."""
    p = n = 0
    for row in rows:
        p += features[row + 1] - features[row]
        n += parts[features[row + 1]] - parts[features[row]]
    to = np.empty((n, 2), coords.dtype)
    to_parts = np.empty(p + 1, np.int64)
    to_features = np.empty(rows.size + 1, np.int64)
    to_kinds = np.empty(p, np.uint8)
    n = p = 0
    to_parts[0] = to_features[0] = 0
    for i in range(rows.size):
        for part in range(features[rows[i]], features[rows[i] + 1]):
            for k in range(parts[part], parts[part + 1]):
                to[n, 0], to[n, 1] = coords[k, 0], coords[k, 1]
                n += 1
            to_kinds[p] = kinds[part]
            p += 1
            to_parts[p] = n
        to_features[i + 1] = p
    return to, to_parts, to_features, to_kinds
