"""Which grid owns a point: an index that answers exactly as PostGIS does, at memory speed.

**The rule.** The owner of a point is the smallest grid code (text order, code point by code point: ``COLLATE "C"``)
among the grids that cover it: ``SELECT min(code) FROM grids WHERE ST_Covers(geom, point)``. `GridIndex` equals that
query on every point, vertices, shared edges and points one last bit off an edge included, for coverages and for
layers with overlaps, gaps, holes and multi-part grids.

**How.** The layer's box is cut into uniform cells. A cell no edge comes near stores its owner. A *mixed* cell
stores, for every grid with an edge in it, the parts of those edges inside the cell (widened by 1/64), rounded to
1/16384 of the cell; the grid holds the point when the ray from the point to the right crosses those pieces an odd
number of times, corrected by one stored bit.

**Why it is exact.**

1. The pieces of one grid, with the stored closing pieces on the right side, form an outline without loose ends that
   such a ray could tell: neighbouring edges are rounded at the same vertex to the same tick, and an outline that
   leaves the widened cell to the left, above or below cannot be met by a ray from inside the cell. So the crossing
   parity changes only across a piece.
2. Rounding moves a piece by at most 0.71 ticks and the point by at most 1.42. A point farther than 4 ticks from
   every piece looked at therefore lies on the same side of all of them before and after rounding (slide the pieces
   back: none passes over the point), and the parity differs from the true one by a constant of the cell. That
   constant is the stored bit, found at build time from a reference point that is clear of every piece.
3. A point within 4 ticks of a piece is *doubtful* and takes the exact road: ST_Covers' own arithmetic over the full
   rings of all candidates of the cell (`gisgrid.locate.kernels.ring_side`). Doubtful points are about one in a
   thousand of random ones.
4. For the others ST_Covers itself is right about every edge: its side test, two rounded products subtracted, has the
   true sign whenever the point is farther from the edge than 8 · 2**-53 times the edge's width (J. R. Shewchuk,
   "Adaptive precision floating-point arithmetic", 1997, bound A), some 10**-11 of a cell against the 10**-4 of a tick.
5. In a cell whose edges all occur in opposite pairs, and whose reference point has one owner, every clear point has
   exactly one owner; the candidate with the longest list is then not tested but taken when no other holds the point.

GEOS decides the sign of the side test without rounding, PostGIS does not. The two differ only for points within
rounding of an edge that is very long for its coordinates; there the SQL rule holds. PostGIS up to 3.3 also
overlooks edges shorter than 1e-12 units, which no layer in degrees or metres should have; they count here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import shapely

from gisgrid.arrays import coordinate_arrays
from gisgrid.errors import BadInput
from gisgrid.locate import around, build, kernels, near
from gisgrid.locate.inputs import checked, frame_of, rings_of
from gisgrid.models import Progress, no_progress

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]

CELLS_PER_EDGE: Final = 2.0
"""Cells made for each edge of the layer: more cells, fewer mixed ones, more memory (4 bytes each)."""
_THREAD_POINTS: Final = 100_000  # points below which a second thread costs more than it brings
_MAGIC: Final = b"GISGRIDLOC1\n"
_ALIGN: Final = 64
_NAMES: Final = (
    "frame", "cells", "records", "rank", "coords", "ring_chunks", "part_rings", "row_parts", "chunk_span",
    "chunk_y", "ring_start", "code_start", "code_bytes",
)  # fmt: skip


class GridIndex:
    """Immutable point index of one grid layer; safe to share between threads, and between processes by `load`.

    Rows are positions in the geometries given to `build`. Coordinates are in the CRS of those geometries.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[Any]], crs: str | None = None) -> None:
        self.crs = crs
        """Name of the CRS of the grids, where it was told."""
        for array in arrays.values():
            array.flags.writeable = False  # one array type for the compiled functions, built or loaded
        self._arrays = arrays
        self._quick = (arrays["frame"], arrays["cells"], arrays["records"])
        self._rank = arrays["rank"]
        self._rings = tuple(arrays[name] for name in kernels.RINGS)
        text = arrays["code_bytes"].tobytes().decode()
        offsets = arrays["code_start"]
        codes: list[str | None] = [text[a:b] for a, b in pairwise(offsets)]
        self._codes = np.array([*codes, None], dtype=object)  # row -1 reads the None at the end

    @classmethod
    def build(
        cls,
        geometries: Sequence[Any] | npt.NDArray[Any],
        codes: Sequence[str] | npt.NDArray[Any],
        *,
        crs: str | None = None,
        cells_per_edge: float = CELLS_PER_EDGE,
        progress: Progress = no_progress,
    ) -> Self:
        """Index (n) Polygons or MultiPolygons under (n) distinct codes; ``crs`` is kept with the index.

        Raises BadInput for no grids, lengths that differ, a missing or repeated code, and a geometry that is missing,
        empty, invalid or no polygon. 105,000 grids of 40 vertices take a few seconds.
        """
        shapes, names = checked(geometries, codes)
        progress(0.1, "geometries checked")
        arrays = rings_of(shapes)
        rank = np.empty(len(names), np.int32)
        order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int32)
        rank[order] = np.arange(len(names), dtype=np.int32)
        arrays["rank"] = rank
        arrays["frame"] = frame = frame_of(arrays["coords"], cells_per_edge)
        u = (arrays["coords"][:, 0] - frame[0]) * frame[4]
        v = (arrays["coords"][:, 1] - frame[1]) * frame[5]
        for array in (*arrays.values(), order, u, v):
            array.flags.writeable = False
        rings = tuple(arrays[name] for name in kernels.RINGS)
        counts, cells = build.mark(order, u, v, frame, rings)
        progress(0.4, "cells marked")
        ends = np.zeros(counts.size, np.int64)
        np.cumsum(counts[:-1], out=ends[1:])
        starts = ends.copy()
        edges, edge_rows = build.collect(order, u, v, frame, ends, rings)
        progress(0.6, "edges sorted into cells")
        arrays["records"] = build.write_records(edges, edge_rows, starts, ends, cells, u, v, frame, rank, rings)
        if arrays["records"].size >= 2**31 - 2:
            raise BadInput(f"{len(names)} grids have too many edges for one index; split the layer")
        arrays["cells"] = cells
        encoded = [name.encode() for name in names]
        arrays["code_bytes"] = np.frombuffer(b"".join(encoded), np.uint8).copy()
        arrays["code_start"] = np.cumsum([0, *map(len, names)], dtype=np.int64)
        progress(1.0, f"{len(names)} grids indexed")
        return cls(arrays, crs)

    # --- the owner of points ---------------------------------------------------------------

    def rows(self, x: npt.ArrayLike, y: npt.ArrayLike, *, threads: int | None = None) -> Rows:
        """Owner row of each point, int32 (n); -1 outside every grid, for NaN and for infinities.

        ``threads`` defaults to the processors this process may use. Raises BadInput when x and y are no numbers,
        not one-dimensional or of different lengths.
        """
        xs, ys = coordinate_arrays(x, y)
        out = np.empty(xs.size, np.int32)
        workers = min(threads or len(os.sched_getaffinity(0)), max(1, xs.size // _THREAD_POINTS))

        def part(k: int) -> None:
            piece = slice(xs.size * k // workers, xs.size * (k + 1) // workers)
            kernels.rows_of(xs[piece], ys[piece], out[piece], *self._quick, self._arrays["rank"], self._rings)

        if workers <= 1:
            part(0)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(part, range(workers)))
        return out

    def codes(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Owner code of each point, object (n): text, or None outside. See `rows`."""
        return self._codes[self.rows(x, y)]

    def row(self, x: float, y: float) -> int:
        """Owner row of one point; -1 outside and for NaN. About a microsecond."""
        return int(kernels.row_of_point(float(x), float(y), *self._quick, self._rank, self._rings))

    def code(self, x: float, y: float) -> str | None:
        """Owner code of one point, or None outside."""
        return self._codes[self.row(x, y)]  # type: ignore[no-any-return]

    def codes_of(self, rows: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Codes of rows, None for -1."""
        return self._codes[np.asarray(rows, np.intp)]

    # --- distances --------------------------------------------------------------------------

    def nearest(
        self, x: npt.ArrayLike, y: npt.ArrayLike, max_distance: float, *, metres: bool = False
    ) -> tuple[Rows, Floats]:
        """Nearest grid within ``max_distance`` of each point → (row, distance) arrays; -1 and NaN when there is none.

        A point inside a grid has its owner and 0. Of equally near grids the smallest code is taken. Distances are
        planar, in the unit of the index's CRS; with ``metres`` the index must be in lon/lat degrees and distances
        (``max_distance`` too) are metres on the ellipsoid of CGCS2000. Raises BadInput.
        """
        return near.nearest(self, x, y, max_distance, metres=metres)

    def distance_to_boundary(self, x: npt.ArrayLike, y: npt.ArrayLike, *, metres: bool = False) -> Floats:
        """How far inside its owner each point lies: distance to the owner's boundary (n); NaN outside every grid.

        Planar in the unit of the CRS, or with ``metres`` (lon/lat index) metres on the ellipsoid.
        """
        return near.distance_to_boundary(self, x, y, metres=metres)

    def border_metres(self, row: int, x: float, y: float) -> float:
        """Metres from one point to the boundary of grid ``row``; lon/lat index. Within 1e-5 of the true distance.

        The plane touching the ellipsoid at the point, in a couple of microseconds: what a single answer needs.
        """
        east, north = near.metres_per_degree_at(y)
        return float(around.boundary_distance(row, x, y, east, north, self._rings))

    # --- facts -----------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._arrays, self.crs)

    def __len__(self) -> int:
        return int(self._arrays["rank"].size)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """minx, miny, maxx, maxy of the layer."""
        coords = self._arrays["coords"]
        return (*map(float, coords.min(axis=0)), *map(float, coords.max(axis=0)))  # type: ignore[return-value]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, which is the size of the file `save` writes to within a page."""
        return sum(array.nbytes for array in self._arrays.values())

    def array(self, name: str) -> npt.NDArray[Any]:
        """One of the index's arrays (read-only), for the measures built on it."""
        return self._arrays[name]

    def rings(self) -> tuple[npt.NDArray[Any], ...]:
        """The grids' outlines as the compiled functions take them; see `gisgrid.locate.kernels`."""
        return self._rings

    def geometries(self) -> npt.NDArray[np.object_]:
        """The grids' geometries again, as MultiPolygons (n)."""
        a = self._arrays
        offsets = (a["ring_start"], a["part_rings"], a["row_parts"])
        made: npt.NDArray[np.object_] = shapely.from_ragged_array(
            shapely.GeometryType.MULTIPOLYGON, a["coords"], tuple(part.astype(np.int64) for part in offsets)
        )
        return made

    def geometries_of(self, rows: npt.ArrayLike) -> npt.NDArray[np.object_]:
        """Geometries of some rows, as MultiPolygons (n)."""
        a = self._arrays
        made = []
        for row in np.asarray(rows, np.intp).tolist():
            parts = [
                shapely.Polygon(*self._outline(part)) for part in range(a["row_parts"][row], a["row_parts"][row + 1])
            ]
            made.append(shapely.MultiPolygon(parts))
        return np.array(made, dtype=object)

    def _outline(self, part: int) -> tuple[Floats, list[Floats]]:
        a = self._arrays
        start = a["ring_start"]
        rings = [
            a["coords"][start[ring] : start[ring + 1]]
            for ring in range(a["part_rings"][part], a["part_rings"][part + 1])
        ]
        return rings[0], rings[1:]

    # --- the file ---------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one file, complete or not at all: magic, JSON header of name → dtype, shape, offset, then the arrays.

        Every array starts at a multiple of 64 bytes, so that `load` maps it as it lies.
        """
        header: dict[str, Any] = {"crs": self.crs}
        offset = 0
        for name in _NAMES:
            array = self._arrays[name]
            header[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
            offset += -(-array.nbytes // _ALIGN) * _ALIGN
        text = json.dumps(header).encode()
        start = -(-(len(_MAGIC) + 8 + len(text)) // _ALIGN) * _ALIGN
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as out:
                out.write(_MAGIC + len(text).to_bytes(8, "little") + text)
                for name in _NAMES:
                    out.seek(start + header[name]["offset"])
                    out.write(np.ascontiguousarray(self._arrays[name]).data)
                out.truncate(start + offset)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Map a file written by `save`; processes that map the same file share its memory.

        Raises BadInput when the file is missing, cut off or no index.
        """
        try:
            block = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: cannot be read as a point index ({error}); build it again") from error
        try:
            head = len(_MAGIC) + 8
            if block[: len(_MAGIC)].tobytes() != _MAGIC:
                raise ValueError("wrong first bytes")
            size = int.from_bytes(block[len(_MAGIC) : head].tobytes(), "little")
            header = json.loads(block[head : head + size].tobytes())
            start = -(-(head + size) // _ALIGN) * _ALIGN
            arrays = {
                name: np.frombuffer(
                    block,
                    header[name]["dtype"],
                    count=int(np.prod(header[name]["shape"])),
                    offset=start + header[name]["offset"],
                ).reshape(header[name]["shape"])
                for name in _NAMES
            }
            crs = header.get("crs")
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{path}: is no point index or is cut off ({error}); build it again") from error
        return cls(arrays, crs)
