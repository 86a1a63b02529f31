"""From degrees of EPSG:4490 to the pixels of a view, and from a view back to the box in degrees it may show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from gisgrid.boxes import Box
from gisgrid.errors import BadInput
from layers.held.view import View

SAME: Final = ("EPSG:4490", "EPSG:4326", "CRS:84", "OGC:CRS84")
"""CRS whose degrees are taken as those of the storage (CGCS2000 and WGS 84 differ by centimetres)."""
MERCATOR: Final = "EPSG:3857"
EARTH: Final = 6_378_137.0
NOTHING: Final[Box] = (math.nan, math.nan, math.nan, math.nan)
WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)
PIXEL_ERROR: Final = 0.05
"""Farthest a coordinate may be drawn from where PROJ puts it, in pixels."""
_FEW: Final = 3_000
"""Coordinates that are projected one by one."""
_CELLS: Final = (4, 8, 16, 32, 64)
_EDGE: Final = 32
_TABLE: Final = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """A view ready to project into: ``scale`` pixels a unit of the CRS in x and y."""

    view: View
    scale: tuple[float, float]

    @property
    def flat(self) -> bool:
        """Whether pixels follow from degrees by a formula of x alone and y alone."""
        return self.view.crs in SAME or self.view.crs == MERCATOR

    def degrees(self, margin: float) -> Box:
        """Box in degrees that holds whatever lies within ``margin`` pixels of the view; NaN when nothing can."""
        west, south, east, north = self.view.box
        x, y = margin / self.scale[0], margin / self.scale[1]
        box = (west - x, south - y, east + x, north + y)
        if not all(map(math.isfinite, box)):
            return NOTHING
        if self.view.crs in SAME:
            return box
        if self.view.crs == MERCATOR:
            return (_longitude(box[0]), _latitude(box[1]), _longitude(box[2]), _latitude(box[3]))
        return _degrees_of(self.view.crs, box)

    def pixels(self, coords: NDArray[np.float64], *, exact: bool = False) -> NDArray[Any]:
        """Pixels (n, 2) of coordinates (n, 2) in degrees: float32, or float64 with ``exact``; NaN where PROJ finds no
        place. Otherwise many are interpolated between places PROJ was asked for, within `PIXEL_ERROR`."""
        west, north = self.view.box[0], self.view.box[3]
        out = np.empty(coords.shape, np.float64 if exact else np.float32)
        if self.view.crs in SAME:
            _plain(coords, west, north, *self.scale, out)
        elif self.view.crs == MERCATOR:
            if exact or len(coords) < _FEW or not self._by_table(coords, out):
                _mercator(coords, west, north, *self.scale, out)
        elif exact or len(coords) < _FEW or not self._interpolated(coords, out):
            out[:] = self._projected(coords[:, 0], coords[:, 1])
        return out

    def _by_table(self, coords: NDArray[np.float64], out: NDArray[Any]) -> bool:
        """Fill ``out`` in Web Mercator by parabolas between latitudes; False when they are not near enough."""
        low, high = _extent(coords)
        if not (np.isfinite(low[1]) and np.isfinite(high[1])):
            return False
        south, size = float(low[1]), max(float(high[1] - low[1]), 1e-9)
        at = np.arange(2 * _TABLE + 1) / (2 * _TABLE)
        between = (np.arange(_TABLE)[:, None] + (0.21, 0.79)).ravel() / _TABLE
        table, wanted, got = (np.zeros((len(k), 2)) for k in (at, between, between))
        west, north = self.view.box[0], self.view.box[3]
        _mercator(np.column_stack((at, south + at * size)), west, north, *self.scale, table)
        checked = np.column_stack((between, south + between * size))
        _mercator(checked, west, north, *self.scale, wanted)
        _tabled(checked, west, self.scale[0], south, size, table[:, 1].copy(), got)
        if not np.abs(got - wanted).max() < PIXEL_ERROR / 3:
            return False
        _tabled(coords, west, self.scale[0], south, size, table[:, 1].copy(), out)
        return True

    def _projected(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels by PROJ, place by place."""
        east, north = transformer(self.view.crs).transform(x, y)
        out = np.column_stack((east, north))
        out[~np.isfinite(out).all(axis=1)] = np.nan
        out[:, 0] = (out[:, 0] - self.view.box[0]) * self.scale[0]
        out[:, 1] = (self.view.box[3] - out[:, 1]) * self.scale[1]
        return out

    def _interpolated(self, coords: NDArray[np.float64], out: NDArray[Any]) -> bool:
        """Fill ``out`` by biquadratic patches over the box of the coordinates; False when they are not near enough."""
        low, high = _extent(coords)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            return False
        size = np.maximum(high - low, 1e-9)
        for cells in _CELLS:
            if 8 * cells * cells > len(coords) and cells > _CELLS[0]:
                return False
            nodes = self._nodes(low, size, np.arange(2 * cells + 1) / (2 * cells))
            if not np.isfinite(nodes).all():
                return False
            between = (np.arange(cells)[:, None] + (0.21, 0.79)).ravel() / cells  # where a quadratic errs most
            wanted = self._nodes(low, size, between).reshape(-1, 2)
            x, y = np.meshgrid(low[0] + between * size[0], low[1] + between * size[1], indexing="ij")
            got = np.empty(wanted.shape)
            _patched(np.column_stack((x.ravel(), y.ravel())), low, size, cells, nodes, got)
            if np.abs(got - wanted).max() < PIXEL_ERROR / 3:  # False for NaN
                _patched(coords, low, size, cells, nodes, out)
                return True
        return False

    def _nodes(self, low: Any, size: Any, at: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = np.meshgrid(low[0] + at * size[0], low[1] + at * size[1], indexing="ij")
        return self._projected(x.ravel(), y.ravel()).reshape(len(at), len(at), 2)


def frame(view: View) -> Frame:
    """The view made ready. Raises BadInput for a CRS PROJ does not know and a box without an area."""
    west, south, east, north = view.box
    if not (all(map(math.isfinite, view.box)) and west < east and south < north and view.width > 0 < view.height):
        raise BadInput(f"the box {view.box} of {view.width} × {view.height} pixels shows nothing; give min < max")
    if view.crs not in SAME and view.crs != MERCATOR:
        transformer(view.crs)
    scale = (view.width / (east - west), view.height / (north - south))
    if not all(map(math.isfinite, scale)):
        raise BadInput(f"the box {view.box} is too small to draw; give a larger one")
    return Frame(view, scale)


@lru_cache(maxsize=64)
def transformer(crs: str) -> Transformer:
    """From EPSG:4490 longitude, latitude to x, y of a CRS. Raises BadInput for one PROJ does not know."""
    try:
        return Transformer.from_crs(CRS("EPSG:4490"), CRS.from_user_input(crs), always_xy=True)
    except (CRSError, ProjError) as error:
        raise BadInput(f"crs={crs[:100]!r} is not a CRS known here; give EPSG:n") from error


def _longitude(x: float) -> float:
    return math.degrees(x / EARTH)


def _latitude(y: float) -> float:
    return math.degrees(math.atan(math.sinh(max(-700.0, min(700.0, y / EARTH)))))


def _degrees_of(crs: str, box: Box) -> Box:
    """Box in degrees around a box of a projected CRS: edges and inside are looked at densely, poles apart."""
    west, south, east, north = box
    steps = np.linspace(0.0, 1.0, _EDGE + 1)
    x, y = np.meshgrid(west + steps * (east - west), south + steps * (north - south))
    there = transformer(crs)
    lon, lat = there.transform(x.ravel(), y.ravel(), direction="INVERSE")
    lon, lat = lon.reshape(x.shape), lat.reshape(x.shape)
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return NOTHING
    lon[~known] = np.nan  # infinities cannot be subtracted
    torn = max(_leap(lon, 0), _leap(lon, 1)) > 180.0  # the date line lies in it
    w, e, s, n = lon[known].min(), lon[known].max(), lat[known].min(), lat[known].max()
    px, py = there.transform([0.0, 0.0], [-90.0, 90.0])
    inside = [west <= px[k] <= east and south <= py[k] <= north for k in (0, 1)]
    if torn or any(inside) or not known.all():
        w, e = -180.0, 180.0
    if not known.all():
        s, n = -90.0, 90.0
    s, n = (-90.0 if inside[0] else s), (90.0 if inside[1] else n)
    # between two places looked at an edge may bend outward a little
    bend_x, bend_y = 0.02 * (e - w) + 1e-9, 0.02 * (n - s) + 1e-9
    return (float(w - bend_x), float(s - bend_y), float(e + bend_x), float(n + bend_y))


def _leap(lon: NDArray[np.float64], axis: int) -> float:
    steps = np.abs(np.diff(lon, axis=axis))
    steps = steps[np.isfinite(steps)]
    return float(steps.max()) if steps.size else 0.0


@njit(cache=True, nogil=True)
def _plain(coords: Any, west: float, north: float, sx: float, sy: float, out: Any) -> None:
    for k in range(len(coords)):
        out[k, 0] = (coords[k, 0] - west) * sx
        out[k, 1] = (north - coords[k, 1]) * sy


@njit(cache=True, nogil=True)
def _mercator(coords: Any, west: float, north: float, sx: float, sy: float, out: Any) -> None:
    """Spherical Mercator (EPSG method 1024); beyond 89.9 degrees as at 89.9."""
    radian = math.pi / 180.0
    for k in range(len(coords)):
        lat = min(89.9, max(-89.9, coords[k, 1])) * radian
        out[k, 0] = (coords[k, 0] * radian * EARTH - west) * sx
        out[k, 1] = (north - EARTH * math.log(math.tan(math.pi / 4.0 + lat / 2.0))) * sy


@njit(cache=True, nogil=True)
def _tabled(coords: Any, west: float, sx: float, south: float, size: float, table: Any, out: Any) -> None:
    """Web Mercator, the rows by a parabola through three entries of ``table`` (2 · cells + 1,)."""
    cells = (table.size - 1) // 2
    radius = math.pi / 180.0 * EARTH
    for k in range(len(coords)):
        out[k, 0] = (coords[k, 0] * radius - west) * sx
        v = (coords[k, 1] - south) / size * cells
        j = min(cells - 1, max(0, int(v)))
        v -= j
        out[k, 1] = (
            (2.0 * v - 1.0) * (v - 1.0) * table[2 * j]
            + 4.0 * v * (1.0 - v) * table[2 * j + 1]
            + v * (2.0 * v - 1.0) * table[2 * j + 2]
        )


@njit(cache=True, nogil=True)
def _extent(coords: Any) -> tuple[Any, Any]:
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for k in range(len(coords)):
        for axis in range(2):
            low[axis] = min(low[axis], coords[k, axis])
            high[axis] = max(high[axis], coords[k, axis])
    return low, high


@njit(cache=True, nogil=True)
def _patched(coords: Any, low: Any, size: Any, cells: int, nodes: Any, out: Any) -> None:
    """Biquadratic Lagrange patches of 3 × 3 nodes; neighbours share the nodes of their edge, so nothing tears."""
    for k in range(len(coords)):
        u = (coords[k, 0] - low[0]) / size[0] * cells
        v = (coords[k, 1] - low[1]) / size[1] * cells
        i, j = min(cells - 1, max(0, int(u))), min(cells - 1, max(0, int(v)))
        u, v = u - i, v - j
        a0, a1, a2 = (2.0 * u - 1.0) * (u - 1.0), 4.0 * u * (1.0 - u), u * (2.0 * u - 1.0)
        b0, b1, b2 = (2.0 * v - 1.0) * (v - 1.0), 4.0 * v * (1.0 - v), v * (2.0 * v - 1.0)
        i, j = 2 * i, 2 * j
        for axis in range(2):
            out[k, axis] = (
                a0 * (b0 * nodes[i, j, axis] + b1 * nodes[i, j + 1, axis] + b2 * nodes[i, j + 2, axis])
                + a1 * (b0 * nodes[i + 1, j, axis] + b1 * nodes[i + 1, j + 1, axis] + b2 * nodes[i + 1, j + 2, axis])
                + a2 * (b0 * nodes[i + 2, j, axis] + b1 * nodes[i + 2, j + 1, axis] + b2 * nodes[i + 2, j + 2, axis])
            )
