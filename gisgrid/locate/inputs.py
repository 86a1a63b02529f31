"""What the point index takes: grids and points checked, flattened, framed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.errors import BadInput
from gisgrid.limits import LOCATE_CELLS_MAX
from gisgrid.locate import build

Floats = npt.NDArray[np.float64]


def checked(geometries: Any, codes: Any) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Geometries (2-D) and codes fit to be indexed. Raises BadInput."""
    shapes = np.asarray(geometries, dtype=object)
    names = list(codes)
    if shapes.size == 0:
        raise BadInput("the grid layer is empty; give at least one grid")
    if shapes.ndim != 1 or shapes.size != len(names):
        raise BadInput(f"{shapes.size} grid geometries and {len(names)} codes; give one code a grid")
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise BadInput(f"grid row {row}: code {name!r} is no text; give every grid a code")
        if seen.setdefault(name, row) != row:
            raise BadInput(f"grid rows {seen[name]} and {row} have the same code {name!r}; make codes unique")
    kinds = shapely.get_type_id(shapes)
    areal = np.isin(kinds, [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
    for bad, what in (
        (~areal, "no polygon"),
        (shapely.is_empty(shapes), "empty"),
        (~shapely.is_valid(shapes), "invalid"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            why = f" ({shapely.is_valid_reason(shapes[row])})" if what == "invalid" else ""
            raise BadInput(f"grid row {row}, code {names[row]!r}: geometry is {what}{why}; repair it or leave it out")
    return shapely.force_2d(shapes), names


def rings_of(shapes: npt.NDArray[np.object_]) -> dict[str, npt.NDArray[Any]]:
    """Flat coordinates and offsets row → part → ring → vertex, rings cut into runs."""
    parts, row_of_part = shapely.get_parts(shapes, return_index=True)
    _, coords, (ring_start, part_rings) = shapely.to_ragged_array(parts)
    if not np.abs(coords).max() < 1e150:
        raise BadInput("grid coordinates beyond 1e150; check the CRS of the layer")
    if len(coords) >= 2**31:
        raise BadInput(f"{len(coords)} vertices are more than one index holds; split the layer")
    ring_start = ring_start.astype(np.int32)
    coords = np.ascontiguousarray(coords, np.float64)
    ring_chunks, chunk_span, chunk_y = build.chunk_rings(ring_start, np.ascontiguousarray(coords[:, 1]))
    row_parts = np.searchsorted(row_of_part, np.arange(len(shapes) + 1)).astype(np.int32)
    return {
        "coords": coords,
        "ring_start": ring_start,
        "part_rings": part_rings.astype(np.int32),
        "row_parts": row_parts,
        "ring_chunks": ring_chunks,
        "chunk_span": chunk_span,
        "chunk_y": chunk_y,
    }


def frame_of(coords: Floats, cells_per_edge: float) -> Floats:
    """Box of the layer, a hair wider, and a raster of about `cells_per_edge` squares an edge over it."""
    low, high = coords.min(axis=0), coords.max(axis=0)
    # points a last bit outside the layer must still reach the exact road
    low, high = low - 1e-6 * (high - low), high + 1e-6 * (high - low)
    wide, tall = high - low
    wanted = min(max(cells_per_edge * len(coords), 1024.0), float(LOCATE_CELLS_MAX))
    columns = int(np.clip(np.sqrt(wanted * wide / tall), 1, wanted))
    rows = int(np.clip(wanted / columns, 1, wanted))
    return np.array([*low, *high, columns / wide, rows / tall, columns, rows], np.float64)
