"""Pictures compared: with one another, and with what features cover when they are filled plainly."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Box = tuple[float, float, float, float]


def read(path: Path) -> NDArray[np.uint8]:
    """(height, width, 4) RGBA."""
    return np.asarray(Image.open(path).convert("RGBA"))


def painted(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that are neither transparent nor white."""
    return np.asarray((picture[..., 3] > 0) & (picture[..., :3] != 255).any(axis=-1))


def covered(frame: gpd.GeoDataFrame, box: Box, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels that features cover: polygons filled, lines and points one pixel wide. ``box``: degrees, longitude first."""
    width, height = size
    image = Image.new("1", size)
    draw = ImageDraw.Draw(image)
    scale = np.array([width / (box[2] - box[0]), -height / (box[3] - box[1])])
    corner = np.array([box[0], box[3]])
    for part in shapely.get_parts(frame.geometry.to_numpy()):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for number, ring in enumerate(rings):
            points = [tuple(point) for point in ((shapely.get_coordinates(ring) - corner) * scale - 0.5).tolist()]
            if part.geom_type == "Polygon":
                draw.polygon(points, fill=number == 0)
            elif len(points) > 1:
                draw.line(points, fill=1)
            else:
                draw.point([tuple(np.rint(points[0]).tolist())], fill=1)
    return np.asarray(image)


def shows(picture: NDArray[np.uint8], frame: gpd.GeoDataFrame, box: Box, *, reach: int) -> tuple[float, float]:
    """Shares of what features cover that is painted near, and of what is painted that no feature is near.

    ``reach``: pixels a symbol or an outline may stick out.
    """
    want = covered(frame, box, (picture.shape[1], picture.shape[0]))
    have = painted(picture)
    near = ndimage.binary_dilation(have, iterations=2)
    around = ndimage.binary_dilation(want, iterations=reach)
    return float(near[want].mean()), float((have & ~around).sum() / max(have.sum(), 1))


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8], *, tolerance: int = 32) -> float:
    """Share of pixels whose colour over white differs by more than the tolerance in any band, edges of a pixel left out."""
    bands = []
    for picture in (one, other):
        alpha = picture[..., 3:].astype(float) / 255
        bands.append(picture[..., :3] * alpha + 255 * (1 - alpha))
    far = (np.abs(bands[0] - bands[1]) > tolerance).any(axis=-1)
    return float(ndimage.binary_opening(far, iterations=1).mean())
