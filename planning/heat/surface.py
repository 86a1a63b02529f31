"""Intensity of reports over an area: a kernel surface in reports per square kilometre and month.

Kernels: quartic (biweight; Silverman 1986, 4.5), whose bandwidth is the radius beyond which a report counts nothing,
and Gaussian, whose bandwidth is the standard deviation (cut at four of them, which leaves out 0.03 % of a report).

Edges. A kernel at the edge of the area spills over it, and reports beyond it are not known: what a plain surface shows
there is too low. Each value is therefore divided by the part of its kernel that lies inside the area (the uniform
correction of Diggle 1985; Jones 1993), and nothing is shown outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
from numba import njit
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.signal import fftconvolve
from shapely.geometry.base import BaseGeometry

from gisgrid.errors import BadInput
from gisgrid.limits import SURFACE_CELLS_MAX
from planning.heat.events import Floats, Span

KERNELS: Final = ("quartic", "gaussian")
REACH: Final = {"quartic": 1.0, "gaussian": 4.0}
"""How far a kernel reaches, in bandwidths."""
FINENESS: Final = {"quartic": 8.0, "gaussian": 4.0}
"""Cells of a bandwidth."""
CELLS_WANTED: Final = 250_000
"""Most cells of a surface whose cell size nobody gave."""
SPREAD: Final = {"gaussian": 1.0, "quartic": math.sqrt(8.0)}
"""Bandwidth of a kernel with the variance of a Gaussian one of bandwidth 1 (along an axis: h squared / 8 for
quartic)."""
BANDWIDTH_RANGE: Final = (20.0, 20_000.0)
PARTS: Final = 10
"""Places a side at which a cell of the border is looked at."""
MASS_LEAST: Final = 0.1
"""Least part of a kernel inside the area that is divided by: spikes of a narrow area would show nothing but noise."""
ADAPT_RANGE: Final = (1 / 3, 3.0)
"""How far an adaptive bandwidth may part from the pilot's."""


@dataclass(frozen=True, slots=True)
class Raster:
    """Cells over an area, in metres: row 0 is the southernmost, ``x0``, ``y0`` the centre of the first cell.

    ``inside``: (rows, columns), whether a cell's centre lies in the area. ``mass``: part of the kernel about the centre
    that lies inside; 1 everywhere where edges are not corrected.
    """

    x0: float
    y0: float
    cell: float
    inside: npt.NDArray[np.bool_]
    mass: Floats
    kernel: str
    bandwidth: float
    corrected: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.inside.shape
        return rows, columns


@dataclass(frozen=True, slots=True)
class Surface:
    """``values``: (rows, columns) reports per square kilometre and month, not a number outside the area."""

    raster: Raster
    values: Floats
    reports: int
    months: float
    adaptive: bool

    @property
    def peak(self) -> float:
        """The highest value; 0 where there is none."""
        inside = self.values[self.raster.inside]
        return float(inside.max()) if len(inside) else 0.0


def bandwidth_for(x: Floats, y: Floats, kernel: str, weight: Floats | None = None) -> float:
    """Silverman's rule of thumb in the plane: h = s n^(-1/6), in metres (Silverman 1986, 4.3; d = 2).

    ``s``: mean over both axes of the smaller of the standard deviation and the quartile distance / 1.34. For the
    quartic kernel the bandwidth with the same variance. It suits one town with one centre and smooths several
    together: give metres where single places matter. Kept within `BANDWIDTH_RANGE`. Raises BadInput for less than
    two places.
    """
    weight = np.ones(len(x)) if weight is None else weight
    size = weight.sum() ** 2 / (weight**2).sum() if weight.any() else 0.0  # Kish's effective number
    if size < 2:
        raise BadInput("a bandwidth cannot be found from less than two reports; give it in metres")
    spread = float(np.mean([_spread(axis, weight) for axis in (x, y)]))
    found = SPREAD[kernel] * spread * size ** (-1 / 6)
    return float(np.clip(found, *BANDWIDTH_RANGE))


def _spread(values: Floats, weight: Floats) -> float:
    mean = np.average(values, weights=weight)
    deviation = math.sqrt(np.average((values - mean) ** 2, weights=weight))
    quartiles = np.quantile(values, [0.25, 0.75], weights=weight, method="inverted_cdf")
    robust = float(quartiles[1] - quartiles[0]) / 1.34
    return min(deviation, robust) if robust > 0 else deviation


def raster_for(
    area: BaseGeometry, kernel: str, bandwidth: float, *, cell: float | None = None, correct: bool = True
) -> Raster:
    """Cells over an area (metres).

    ``cell``: metres; fine enough for the kernel and coarse enough for `CELLS_WANTED` when not given. Raises BadInput
    for an empty area, an unknown kernel, a bandwidth out of range or more cells than `SURFACE_CELLS_MAX`.
    """
    if kernel not in KERNELS:
        raise BadInput(f"kernel {kernel!r} is not known; use {' or '.join(KERNELS)}")
    low, high = BANDWIDTH_RANGE
    if not low <= bandwidth <= high:
        raise BadInput(f"bandwidth {bandwidth:g} cannot be used; give {low:g} to {high:g} metres")
    if area.is_empty:
        raise BadInput("the area is empty: there is nowhere to show reports")
    west, south, east, north = area.bounds
    width, height = east - west, north - south
    if cell is None:
        cell = max(bandwidth / FINENESS[kernel], math.sqrt(width * height / CELLS_WANTED), max(width, height) / 2_000)
    if not cell > 0:
        raise BadInput(f"cell {cell:g} cannot be used; give metres above 0")
    columns, rows = math.ceil(width / cell) + 1, math.ceil(height / cell) + 1
    if columns * rows > SURFACE_CELLS_MAX:
        raise BadInput(
            f"cell {cell:g}: {columns * rows:,} cells are over the limit of {SURFACE_CELLS_MAX:,}; give more"
        )
    x0, y0 = west + (width - (columns - 1) * cell) / 2, south + (height - (rows - 1) * cell) / 2
    inside = _inside(area, x0, y0, cell, rows, columns)
    mass = np.ones((rows, columns))
    if correct:
        mass = np.clip(
            fftconvolve(_covered(area, inside, x0, y0, cell), _sampled(kernel, bandwidth / cell), mode="same"),
            MASS_LEAST,
            1,
        )
    return Raster(x0, y0, cell, inside, mass, kernel, bandwidth, correct)


def _inside(area: BaseGeometry, x0: float, y0: float, cell: float, rows: int, columns: int) -> npt.NDArray[np.bool_]:
    shapely.prepare(area)
    x, y = np.meshgrid(x0 + cell * np.arange(columns), y0 + cell * np.arange(rows))
    found: npt.NDArray[np.bool_] = shapely.contains_xy(area, x, y)
    return found


def _covered(area: BaseGeometry, inside: npt.NDArray[np.bool_], x0: float, y0: float, cell: float) -> Floats:
    """Part of each cell that lies in the area: looked at closely where the border may pass."""
    found = inside.astype(np.float64)
    row, column = np.nonzero(maximum_filter(found, 3, mode="constant") != minimum_filter(found, 3, mode="constant"))
    step = ((np.arange(PARTS) + 0.5) / PARTS - 0.5) * cell
    dx, dy = (part.ravel() for part in np.meshgrid(step, step))
    x, y = x0 + cell * column[:, None] + dx, y0 + cell * row[:, None] + dy
    found[row, column] = shapely.contains_xy(area, x, y).mean(axis=1)
    return found


def _sampled(kernel: str, cells: float) -> Floats:
    """A kernel of so many cells' bandwidth at the centres of cells, with sum 1."""
    reach = max(1, math.ceil(cells * REACH[kernel]))
    step = np.arange(-reach, reach + 1) / cells
    square = step[:, None] ** 2 + step[None, :] ** 2
    values = np.where(square < 1, (1 - square) ** 2, 0.0) if kernel == "quartic" else np.exp(-square / 2)
    made: Floats = values / values.sum()
    return made


def intensity(
    raster: Raster, x: Floats, y: Floats, span: Span, *, weight: Floats | None = None, adaptive: bool = False
) -> Surface:
    """The surface of reports at ``x``, ``y`` (metres) during a period; those outside the area should be left out.

    ``adaptive``: each report's own bandwidth is the raster's times the root of the geometric mean density over the
    density at the report (Abramson 1982), within `ADAPT_RANGE`. Exact at the centres of cells.
    """
    weight = np.ones(len(x)) if weight is None else weight
    scale = 1e6 / span.months
    width = np.full(len(x), raster.bandwidth)
    values = _summed(raster, x, y, weight, width)
    if adaptive and len(x):
        density = np.maximum(_at(raster, values / raster.mass, x, y), 1e-300)
        width = raster.bandwidth * np.clip(np.sqrt(np.exp(np.log(density).mean()) / density), *ADAPT_RANGE)
        values = _summed(raster, x, y, weight, width)
    shown = np.where(raster.inside, values / raster.mass * scale, np.nan)
    return Surface(raster, shown, len(x), span.months, adaptive)


def _summed(raster: Raster, x: Floats, y: Floats, weight: Floats, width: Floats) -> Floats:
    """Reports per square metre."""
    out = np.zeros(raster.shape)
    spread = _quartic if raster.kernel == "quartic" else _gaussian
    spread((x - raster.x0) / raster.cell, (y - raster.y0) / raster.cell, weight, width / raster.cell, out)
    return out / raster.cell**2


def _at(raster: Raster, values: Floats, x: Floats, y: Floats) -> Floats:
    """Values at places, of the nearest cell."""
    rows, columns = raster.shape
    column = np.clip(np.rint((x - raster.x0) / raster.cell), 0, columns - 1).astype(np.int64)
    row = np.clip(np.rint((y - raster.y0) / raster.cell), 0, rows - 1).astype(np.int64)
    found: Floats = values[row, column]
    return found


@njit(cache=True, nogil=True)
def _quartic(x: Any, y: Any, weight: Any, width: Any, out: Any) -> None:
    """Add 3 / (pi h^2) (1 - d^2 / h^2)^2 of every point to the cells within h; lengths in cells."""
    rows, columns = out.shape
    for k in range(len(x)):
        h = width[k]
        top = 3.0 * weight[k] / (np.pi * h * h)
        for r in range(max(0, int(np.ceil(y[k] - h))), min(rows - 1, int(np.floor(y[k] + h))) + 1):
            dy = (r - y[k]) / h
            left = 1.0 - dy * dy
            if left <= 0:
                continue
            half = h * np.sqrt(left)
            for c in range(max(0, int(np.ceil(x[k] - half))), min(columns - 1, int(np.floor(x[k] + half))) + 1):
                dx = (c - x[k]) / h
                u = left - dx * dx
                out[r, c] += top * u * u


@njit(cache=True, nogil=True)
def _gaussian(x: Any, y: Any, weight: Any, width: Any, out: Any) -> None:
    """Add exp(-d^2 / 2 h^2) / (2 pi h^2) of every point to the cells of the square within 4 h; lengths in cells."""
    rows, columns = out.shape
    along = np.empty(columns)
    for k in range(len(x)):
        h = width[k]
        first, last = max(0, int(np.ceil(x[k] - 4 * h))), min(columns - 1, int(np.floor(x[k] + 4 * h)))
        for c in range(first, last + 1):
            dx = (c - x[k]) / h
            along[c] = np.exp(-0.5 * dx * dx)
        for r in range(max(0, int(np.ceil(y[k] - 4 * h))), min(rows - 1, int(np.floor(y[k] + 4 * h))) + 1):
            dy = (r - y[k]) / h
            top = weight[k] / (2 * np.pi * h * h) * np.exp(-0.5 * dy * dy)
            for c in range(first, last + 1):
                out[r, c] += top * along[c]
