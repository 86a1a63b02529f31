"""Compiles the kernels of held layers."""

from __future__ import annotations

import struct

import geopandas as gpd
import numpy as np
import shapely

from layers.held.copying import HEADER, taken_apart
from layers.held.detail import gathered_values, kept_to, simplified
from layers.held.frames import held_from_frame
from layers.held.projecting import frame
from layers.held.shapes import gathered
from layers.held.view import View

_VIEWS = (
    View("CRS:84", (103.0, 29.0, 106.0, 32.0), 64, 64),
    View("CRS:84", (104.099, 30.099, 104.1, 30.1), 4, 4),
    View("EPSG:3857", (11_500_000.0, 3_400_000.0, 11_800_000.0, 3_700_000.0), 64, 64),
    View("EPSG:4543", (500_000.0, 3_200_000.0, 800_000.0, 3_500_000.0), 64, 64),
)


def warm() -> None:
    """Run every kernel once on a few shapes."""
    circle = shapely.Point(104.1, 30.1).buffer(0.1, 32)
    line = shapely.LineString([(104, 30), (104.1, 30.1), (104.2, 30.05)])
    held = held_from_frame("warm", gpd.GeoDataFrame(geometry=[circle, line, shapely.Point(104, 30)], crs="EPSG:4490"))
    for view in _VIEWS:
        held.window(view, 4.0)
        held.at(view, 2.0, 2.0, 4.0)
        frame(view).pixels(np.random.default_rng(0).uniform((104, 30), (104.2, 30.2), (4_000, 2)))
    copied = HEADER + struct.pack(">hiqi21si", 3, 8, 1, 21, shapely.to_wkb(shapely.Point(104, 30)), -1)
    for sent in taken_apart([copied], 3, first=True):
        sent.numbers(0, "int64")
        sent.points(1)
        sent.texts(2)
    tolerances = kept_to(held.shapes)
    simplified(held.shapes, tolerances, -8)
    rows = np.arange(len(held))
    gathered_values(tolerances, held.shapes.parts, held.shapes.features, rows)
    pixels = held.shapes.coords.astype(np.float32)
    gathered(pixels, held.shapes.parts, held.shapes.features, held.shapes.kinds, rows)
