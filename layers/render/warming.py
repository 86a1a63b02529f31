"""Compiles the kernels of drawing, and checks that skia reads paths as they are written here."""

from __future__ import annotations

import logging

import geopandas as gpd
import numpy as np
import shapely
from pygeofilter import ast

from layers.held.frames import held_from_frame
from layers.held.view import View
from layers.render.drawing import draw_map
from layers.render.encoding import encode
from layers.render.paths import bytes_work
from layers.render.points import MANY
from layers.styles.model import Fill, Heat, Label, Marker, Rule, Stroke, Style


def warm() -> None:
    """Draw every symbol once on a few shapes and write every form."""
    if not bytes_work():
        logging.getLogger(__name__).warning("skia writes paths in another form: dashed and hatched maps take longer")
    box = shapely.box(104.0, 30.0, 104.6, 30.6)
    shapes = [box, shapely.box(104.5, 30.0, 105.0, 30.6), shapely.LineString([(104, 30), (104.9, 30.9)])]
    shapes += [shapely.Point(104.1 + i / 100, 30.8) for i in range(5)]
    columns = {"name": [str(number) for number in range(len(shapes))], "odd": np.arange(len(shapes)) % 2}
    held = held_from_frame("warm", gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4490"))
    symbols = (Fill("#88aa66"), Fill("#6688aa", 0.5, hatch=5.0), Stroke("#333333", casing="#ffffff"))
    more = (Stroke("#333333", dash=(4.0, 2.0)), Marker(), Heat(radius=4.0), Label("name", size=8.0))
    # the two boxes overlap, in two colours of one coat
    odd = Rule("", "", (Fill("#aa6688"),), ast.Equal(ast.Attribute("odd"), 1))
    even = Rule("", "", (Fill("#6688aa"),), ast.Equal(ast.Attribute("odd"), 0))
    style = Style("warm", "", "", (odd, even, Rule("", "", symbols), Rule("", "", more)))
    view = View("CRS:84", (103.9, 29.9, 105.1, 31.1), 256, 256)
    for background in (None, "#ffffff"):
        picture = draw_map([(held, style)], view, background=background)
        encode(picture, "png8")
        encode(picture, "png24")
    # so many points that hidden ones are looked for
    crowd = shapely.MultiPoint(np.random.default_rng(0).uniform((104.0, 30.0), (105.0, 31.0), (2 * MANY, 2)))
    points = held_from_frame("warm", gpd.GeoDataFrame(geometry=[crowd], crs="EPSG:4490"))
    draw_map([(points, Style("warm", "", "", (Rule("", "", (Marker(),)),)))], view)
    encode(np.random.default_rng(0).integers(0, 256, (32, 32, 4), np.uint8), "png8")
