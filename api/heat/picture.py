"""A surface as a picture in Web Mercator: colours from step to step, clear where hardly anything is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyproj
from scipy.ndimage import map_coordinates

from gisgrid.limits import HEAT_SIDE_MAX
from planning.heat import Surface

Floats = npt.NDArray[np.float64]

COLORS: Final = ("#ffe08a", "#fdc35c", "#fb9d44", "#f4722f", "#dd4420", "#b51c1c", "#7a0a24")
"""One for each step, the last for the highest."""
ALPHAS: Final = (0.5, 0.62, 0.7, 0.76, 0.8, 0.84, 0.88)
NODES: Final = 33
"""Places a side where the projection is asked; between them it is straight to well below a cell."""
MERCATOR: Final = "EPSG:3857"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a picture lies: west, south, east, north in metres of Web Mercator and in degrees; pixels."""

    extent: tuple[float, float, float, float]
    bounds: tuple[float, float, float, float]
    width: int
    height: int


def frame_of(surface: Surface, crs: pyproj.CRS) -> Frame:
    """The picture's place: around all cells."""
    raster = surface.raster
    rows, columns = raster.shape
    half = raster.cell / 2
    box = (
        raster.x0 - half, raster.y0 - half, raster.x0 + raster.cell * columns - half,
        raster.y0 + raster.cell * rows - half,
    )  # fmt: skip
    west, south, east, north = _to(crs, MERCATOR).transform_bounds(*box)
    degrees = _to(crs, "EPSG:4490").transform_bounds(*box)
    scale = min(2.0, HEAT_SIDE_MAX / max(rows, columns))
    wide = max(2, round(columns * scale))
    high = min(HEAT_SIDE_MAX, max(2, round(wide * (north - south) / (east - west))))
    return Frame((west, south, east, north), degrees, min(HEAT_SIDE_MAX, wide), high)


def paint(surface: Surface, breaks: Sequence[float], crs: pyproj.CRS) -> npt.NDArray[np.uint8]:
    """(height, width, 4) red, green, blue, alpha; row 0 in the north."""
    frame, raster = frame_of(surface, crs), surface.raster
    column, row = _cells(frame, surface, crs)
    values = map_coordinates(np.nan_to_num(surface.values), [row, column], order=1, mode="nearest")
    inside = map_coordinates(raster.inside.astype(np.float32), [row, column], order=1, mode="constant")
    values = np.where(inside > 0, values / np.maximum(inside, 0.25), 0.0)
    picture = np.zeros((frame.height, frame.width, 4), np.uint8)
    if not breaks:
        return picture
    colours = np.array([[int(c[at : at + 2], 16) for at in (1, 3, 5)] for c in colors_of(len(breaks))], float)
    alphas = np.array(ALPHAS[: len(breaks)])
    steps = np.arange(len(breaks), dtype=float)
    at = np.interp(values, breaks, steps)
    for channel in range(3):
        picture[..., channel] = np.rint(np.interp(at, steps, colours[:, channel]))
    low = np.clip(values / breaks[0], 0, 1) ** 2  # fades out below the first step
    alpha = np.interp(at, steps, alphas) * low * np.clip(2 * inside - 0.5, 0, 1)
    picture[..., 3] = np.rint(255 * alpha)
    return picture


def colors_of(count: int) -> list[str]:
    """Colours of so many steps."""
    return list(COLORS[:count])


def _cells(frame: Frame, surface: Surface, crs: pyproj.CRS) -> tuple[Floats, Floats]:
    """(column, row) in cells of every pixel's centre."""
    west, south, east, north = frame.extent
    x = np.linspace(west, east, NODES)
    y = np.linspace(north, south, NODES)
    px, py = _to(MERCATOR, crs).transform(*np.meshgrid(x, y))
    raster = surface.raster
    down = (np.arange(frame.height) + 0.5) / frame.height * (NODES - 1)
    across = (np.arange(frame.width) + 0.5) / frame.width * (NODES - 1)
    at: Any = np.meshgrid(down, across, indexing="ij")
    column = map_coordinates((px - raster.x0) / raster.cell, at, order=1)
    row = map_coordinates((py - raster.y0) / raster.cell, at, order=1)
    return column, row


def _to(source: Any, target: Any) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)
