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


def misses(picture: NDArray[np.uint8], frame: gpd.GeoDataFrame, box: Box, *, labelled: bool) -> str:
    """What is wrong with a picture of features, empty when nothing is.

    95 % of what they cover, or of their outlines, must be painted to 2 pixels; 90 % of the paint must lie on them,
    to 16 pixels (symbols), or 120 where names are written beside them.
    """
    size = (picture.shape[1], picture.shape[0])
    want, have = covered(frame, box, size), painted(picture)
    lines = covered(frame.set_geometry(frame.geometry.boundary), box, size) if want.any() else want
    near = ndimage.binary_dilation(have, iterations=2)
    shown = max((float(near[part].mean()) for part in (want, lines) if part.any()), default=1.0)
    around = ndimage.distance_transform_edt(~want) <= (120 if labelled else 16)
    stray = float((have & ~around).sum() / max(have.sum(), 1))
    return (
        "" if shown >= 0.95 and stray <= 0.1 else f"{shown:.3f} of the features shown, {stray:.3f} of the paint astray"
    )


def differing(one: NDArray[np.uint8], other: NDArray[np.uint8], *, tolerance: int = 32) -> float:
    """Share of pixels whose colour over white differs by more than the tolerance in any band, edges of a pixel left out."""
    bands = []
    for picture in (one, other):
        alpha = picture[..., 3:].astype(float) / 255
        bands.append(picture[..., :3] * alpha + 255 * (1 - alpha))
    far = (np.abs(bands[0] - bands[1]) > tolerance).any(axis=-1)
    return float(ndimage.binary_opening(far, iterations=1).mean())
