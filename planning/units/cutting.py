"""Cut some polygons of a coverage along lines inside them, leaving it an exact coverage."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid import topology

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]


def cut(shapes: Geometries, rows: Ints, lines: Geometries) -> tuple[Geometries, Ints]:
    """Faces after the polygons ``rows`` were cut along the lines, and the given polygon each lies in.

    shapes: an exactly noded coverage; lines: inside these polygons, or on their outlines. Only these and the polygons
    that touch them are noded again (they may gain a vertex where a line ends); all others come back as they are.
    """
    inside = np.zeros(len(shapes), bool)
    inside[rows] = True
    shared = topology.borders(topology.edges(shapes))
    touched = inside.copy()
    touched[shared.left[inside[shared.right]]] = True
    touched[shared.right[inside[shared.left]]] = True
    near, rest = np.flatnonzero(touched), np.flatnonzero(~touched)
    faces = topology.faces(np.concatenate([shapely.boundary(shapes[near]), lines]))
    # polygonising also fills what the polygons near enclose
    face, at = shapely.STRtree(shapes[near]).query(shapely.point_on_surface(faces), predicate="intersects")
    first = np.unique(face, return_index=True)[1]
    return np.concatenate([shapes[rest], faces[face[first]]]), np.concatenate([rest, near[at[first]]])


def inside(lines: Geometries, polygons: Geometries) -> Geometries:
    """Parts of lines inside some polygons, as line strings."""
    line, polygon = shapely.STRtree(polygons).query(lines, predicate="intersects")
    parts = shapely.get_parts(shapely.get_parts(shapely.intersection(lines[line], polygons[polygon])))
    return np.asarray(parts[(shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)], dtype=object)
