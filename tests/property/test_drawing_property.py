"""Insides and lines of any polygons against shapely; tiles against the whole picture; labels apart."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.held import View, held_from_frame
from layers.render import draw_map
from layers.render.placing import Taken, place_inside
from layers.styles import Fill, Marker, Rule, Stroke, Style

SIDE = 64
PICTURE = shapely.box(0, 0, SIDE, SIDE)
corner = st.tuples(st.floats(-40, 104, width=32), st.floats(-40, 104, width=32))


@st.composite
def polygons(draw):
    """One polygon or several apart, with holes or without, made valid from any corners; far outside too."""
    made = shapely.make_valid(shapely.Polygon(draw(st.lists(corner, min_size=3, max_size=9))))
    hole = shapely.Point(draw(corner)).buffer(draw(st.floats(0.5, 30)), 4)
    made = shapely.difference(made, hole) if draw(st.booleans()) else shapely.union(made, hole)
    parts = [part for part in shapely.get_parts(made) if part.geom_type == "Polygon" and part.area > 1e-3]
    return shapely.MultiPolygon([p for part in parts for p in shapely.get_parts(part)])


def drawn(shapes, *symbols, box=(0.0, 0.0, SIDE, SIDE), side=SIDE):
    """A picture of shapes in pixels, y up."""
    moved = shapely.transform(np.array(shapes, object), lambda c: c * 0.01 + (100.0, 30.0))
    held = held_from_frame("made", gpd.GeoDataFrame(geometry=moved, crs="EPSG:4490"))
    west, south, east, north = (value * 0.01 + (100.0, 30.0)[i % 2] for i, value in enumerate(box))
    view = View("CRS:84", (west, south, east, north), side, side)
    return draw_map([(held, Style("made", "", "", (Rule("", "", symbols),)))], view)


@given(polygons())
@settings(max_examples=60, deadline=None)
def test_a_polygon_covers_its_area(shape):
    picture = drawn([shape], Fill("#336699"))
    expected = shapely.intersection(shape, PICTURE).area
    assert abs(picture[:, :, 3].sum() / 255.0 - expected) < 0.5 + 2e-3 * expected
    for x, y in ((20, 20), (31, 40), (50, 7)):
        share = shapely.intersection(shape, shapely.box(x, y, x + 1, y + 1)).area
        assert abs(picture[SIDE - 1 - y, x, 3] / 255.0 - share) < 0.02


@given(st.lists(corner, min_size=2, max_size=12), st.sampled_from(["#000000", "#ffffff"]))
@settings(max_examples=40, deadline=None)
def test_a_plane_cut_in_two_shows_no_ground(line, color):
    """Whatever line parts two polygons: together they are one, in one colour and in two."""
    cut = shapely.LineString([(-60, 10), *line, (130, 50)])
    parts = [p for p in shapely.get_parts(shapely.ops.split(shapely.box(-50, -50, 120, 120), cut)) if p.area > 1e-9]
    picture = drawn(parts, Fill(color))
    assert picture[:, :, 3].min() >= 254


@given(polygons(), st.floats(0.4, 6.0))
@settings(max_examples=30, deadline=None)
def test_four_tiles_are_one_picture(shape, width):
    symbols = (Fill("#99ccaa", 0.6), Stroke("#224466", width), Marker("diamond", "#aa3311", 9.0))
    half = SIDE / 2
    whole = drawn([shape], *symbols)
    tiles = [
        [drawn([shape], *symbols, box=(x, y, x + half, y + half), side=SIDE // 2) for x in (0, half)]
        for y in (half, 0)
    ]  # fmt: skip
    joined = np.concatenate([np.concatenate(row, axis=1) for row in tiles])
    one, other = (made[:, :, :3] * (made[:, :, 3:] / 255.0) for made in (joined, whole))
    assert np.abs(joined[:, :, 3].astype(int) - whole[:, :, 3]).max() <= 2
    assert np.abs(one - other).max() <= 3


@given(polygons(), st.floats(1.0, 8.0))
@settings(max_examples=30, deadline=None)
def test_an_outline_is_as_wide_as_it_says(shape, width):
    """What is drawn lies within half a width of the outline (and a pixel), and all well inside it is solid."""
    picture = drawn([shape], Stroke("#000000", width))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    apart = shapely.distance(shape.boundary, shapely.points(columns + 0.5, SIDE - rows - 0.5))
    alpha = picture[:, :, 3]
    assert (alpha[apart > width / 2 + 0.51] == 0).all()
    assert (alpha[apart < width / 2 - 0.51] >= 254).all()


@given(st.lists(polygons(), min_size=1, max_size=8), st.integers(6, 40), st.integers(6, 14))
@settings(max_examples=40, deadline=None)
def test_names_lie_inside_and_apart(shapes, wide, tall):
    shapes = [shape for shape in shapes if not shape.is_empty]
    if not shapes:
        return
    moved = shapely.transform(np.array(shapes, object), lambda c: c * 0.01 + (100.0, 30.0))
    held = held_from_frame("made", gpd.GeoDataFrame(geometry=moved, crs="EPSG:4490"))
    window = held.window(View("CRS:84", (100.0, 30.0, 100.64, 30.64), SIDE, SIDE), 2.0)
    taken = Taken(SIDE, SIDE)
    which = np.flatnonzero(np.isfinite(window.anchors).all(axis=1))
    sizes = np.tile(np.array([wide, tall, 0.0, 0.0]), (len(which), 1))
    places = place_inside(
        window.coords, window.parts, window.features, which, window.anchors, sizes, 1, 0.0, taken.cells, SIDE, SIDE
    )
    boxes = []
    for (left, top, lines), row in zip(places.tolist(), window.rows[which].tolist(), strict=True):
        if lines:
            box = shapely.box(left + 1, SIDE - top - 1 - tall, left + 1 + wide, SIDE - top - 1)
            assert shapely.within(box, shapes[row].buffer(0.02))
            assert shapely.within(box, PICTURE)
            boxes.append(box)
    for i, box in enumerate(boxes):
        assert not any(shapely.area(shapely.intersection(box, other)) > 0 for other in boxes[:i])
