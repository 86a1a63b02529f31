"""GCJ-02 and BD-09: WGS84 bent by a published smooth function.

They are no CRS of PROJ (PROJ issue 982, closed as "will not fix"). The forward functions follow the code that all open
libraries share (eviltransform, PRCoords, coordtransform; Krasovsky 1940 ellipsoid); the inverse is iterated until it is
exact, since the usual one-step inverse is up to 4.7 m off. Degrees throughout; points that are not finite come back as
they are.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from gisgrid.limits import SHIFT_ROUNDS_MAX

Floats = npt.NDArray[np.float64]

CHINA_BOX: Final = (72.004, 0.8293, 137.8347, 55.8271)
"""Where the shifts apply (degrees); elsewhere both systems equal WGS84, as in the reference code."""

_AXIS: Final = 6378245.0  # Krasovsky 1940, metres
_ECC2: Final = 0.00669342162296594323
_BD_PI: Final = math.pi * 3000.0 / 180.0
_CONVERGED: Final = 1e-13  # degrees, about the last bit of a longitude
_SEAM: Final = 0.02  # degrees; a point just outside the box may be the image of one inside

TO_GCJ, TO_BD, FROM_GCJ, FROM_BD = 0, 1, 2, 3
"""WGS84 → GCJ-02, GCJ-02 → BD-09 and back."""


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """WGS84 → GCJ-02, arrays of degrees of any equal shape; identity outside `CHINA_BOX`."""
    return _moved(TO_GCJ, lon, lat)


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """GCJ-02 → WGS84, the exact inverse of `wgs84_to_gcj02` (round trip below 1e-8°)."""
    return _moved(FROM_GCJ, lon, lat)


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """GCJ-02 → BD-09, arrays of degrees of any equal shape; identity outside `CHINA_BOX`."""
    return _moved(TO_BD, lon, lat)


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """BD-09 → GCJ-02, the exact inverse of `gcj02_to_bd09` (round trip below 1e-8°)."""
    return _moved(FROM_BD, lon, lat)


def wgs84_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """WGS84 → BD-09 by way of GCJ-02."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """BD-09 → WGS84 by way of GCJ-02."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def point_to_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """One point of ``gcj02`` or ``bd09`` → WGS84, in a microsecond; bit for bit as the functions on arrays."""
    if crs == "bd09":
        lon, lat = move_point(FROM_BD, lon, lat)
    moved: tuple[float, float] = move_point(FROM_GCJ, lon, lat)
    return moved


def _moved(way: int, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    out_x, out_y = np.empty(x.size), np.empty(x.size)
    _move_points(way, np.ascontiguousarray(x).ravel(), np.ascontiguousarray(y).ravel(), out_x, out_y)
    return out_x.reshape(x.shape), out_y.reshape(x.shape)


@njit(cache=True, nogil=True)
def _move_points(way: int, xs: Any, ys: Any, out_x: Any, out_y: Any) -> None:
    for k in range(xs.size):
        out_x[k], out_y[k] = move_point(way, xs[k], ys[k])


@njit(cache=True)  # one point: giving the GIL back would cost more than the work
def move_point(way: int, x: float, y: float) -> tuple[float, float]:
    """One point moved; ``way`` is one of `TO_GCJ`, `TO_BD`, `FROM_GCJ`, `FROM_BD`.

    Backwards p + shift(p) = q is solved by fixed point; the shift is a contraction (factor ≤ 0.02), 4–6 rounds suffice.
    """
    west, south, east, north = CHINA_BOX
    if way < FROM_GCJ:
        if not (west <= x <= east and south <= y <= north):
            return x, y
        dx, dy = _gcj_shift(x, y) if way == TO_GCJ else _bd_shift(x, y)
        return x + dx, y + dy
    if not (west - _SEAM < x < east + _SEAM and south - _SEAM < y < north + _SEAM):
        return x, y
    guess_x, guess_y = x, y
    for _ in range(SHIFT_ROUNDS_MAX):
        dx, dy = _gcj_shift(guess_x, guess_y) if way == FROM_GCJ else _bd_shift(guess_x, guess_y)
        moved = max(abs(x - dx - guess_x), abs(y - dy - guess_y))
        guess_x, guess_y = x - dx, y - dy
        if moved < _CONVERGED:
            break
    if west <= guess_x <= east and south <= guess_y <= north:
        return guess_x, guess_y
    return x, y


@njit(cache=True)
def _gcj_shift(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    pi = math.pi
    root = math.sqrt(abs(x))
    waves = (20.0 * math.sin(6.0 * pi * x) + 20.0 * math.sin(2.0 * pi * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * math.sin(pi * y) + 40.0 * math.sin(pi / 3.0 * y)) * 2.0 / 3.0
    north += (160.0 * math.sin(pi / 12.0 * y) + 320.0 * math.sin(pi / 30.0 * y)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * math.sin(pi * x) + 40.0 * math.sin(pi / 3.0 * x)) * 2.0 / 3.0
    east += (150.0 * math.sin(pi / 12.0 * x) + 300.0 * math.sin(pi / 30.0 * x)) * 2.0 / 3.0
    phi = lat / 180.0 * pi
    magic = 1.0 - _ECC2 * math.sin(phi) ** 2
    root_magic = math.sqrt(magic)
    d_lat = (north * 180.0) / ((_AXIS * (1.0 - _ECC2)) / (magic * root_magic) * pi)
    d_lon = (east * 180.0) / (_AXIS / root_magic * math.cos(phi) * pi)
    return d_lon, d_lat


@njit(cache=True)
def _bd_shift(lon: float, lat: float) -> tuple[float, float]:
    radius = math.sqrt(lon * lon + lat * lat) + 0.00002 * math.sin(lat * _BD_PI)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BD_PI)
    return radius * math.cos(angle) + 0.0065 - lon, radius * math.sin(angle) + 0.006 - lat


def warm() -> None:
    """Compile everything here and leave it in numba's cache."""
    wgs84_to_bd09([116.0], [35.0])
    point_to_wgs84(116.0, 35.0, "bd09")
