"""Where labels stand, and what lies under a pixel."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from layers.held import View
from layers.held.shapes import LINE, POINTS, shapes_of
from tests.held_shapes import CENTRE, held_of, pixels_by_proj, scattered, view_of


def winding(seed: int) -> shapely.Polygon:
    """A shape with arms and bays."""
    rng = np.random.default_rng(seed)
    line = shapely.LineString(np.cumsum(rng.normal(0, 0.01, (8, 2)), axis=0) + CENTRE)
    found = line.buffer(rng.uniform(0.0005, 0.004), 3)
    return found if found.geom_type == "Polygon" else found.geoms[0]


U = shapely.Polygon([(104, 30), (104.1, 30), (104.1, 30.1), (104.09, 30.1), (104.09, 30.01), (104.01, 30.01),
                     (104.01, 30.1), (104, 30.1)])  # fmt: skip


def test_labels_of_polygons_are_inside_and_nearly_at_their_widest_place() -> None:
    shapes = [U, *map(winding, range(60)), U.boundary.buffer(0.002)]
    held = held_of(shapes)
    rows = np.arange(len(held))
    for large in (None, np.zeros(len(held), bool)):
        places = held.anchors(rows, large)
        assert shapely.contains_xy(np.array(shapes, object), places[:, 0], places[:, 1]).all()
    narrow = np.cos(np.radians(CENTRE[1]))
    for shape, place in zip(shapes, held.anchors(rows), strict=True):
        metric = shapely.affinity.scale(shape, narrow, 1, origin=(0, 0))
        best = shapely.maximum_inscribed_circle(metric, tolerance=1e-6).length
        assert shapely.Point(place[0] * narrow, place[1]).distance(metric.boundary) > 0.9 * best


def test_labels_of_lines_and_points_stand_on_them() -> None:
    line = shapely.LineString([(104, 30), (104.1, 30), (104.1, 30.3)])
    held = held_of([line, shapely.MultiLineString([[(0, 0), (1, 0)], line.coords]), shapely.Point(1, 2), None])
    places = held.anchors(np.arange(4))
    halfway = line.interpolate(0.5, normalized=True)
    assert np.allclose(places[0], (halfway.x, halfway.y))
    assert np.allclose(places[1], (0.5, 0.0))
    assert places[2].tolist() == [1.0, 2.0]
    assert np.isnan(places[3]).all()


def test_anchors_of_a_window_are_in_pixels_or_missing() -> None:
    held = held_of(scattered(100))
    view = view_of("EPSG:3857", (CENTRE[0] - 0.02, CENTRE[1] - 0.02, CENTRE[0] + 0.02, CENTRE[1] + 0.02))
    window = held.window(view, 12.0)
    shown = ~np.isnan(window.anchors[:, 0])
    assert 0 < shown.sum() < len(shown)
    large = np.ptp(held.shapes.boxes[window.rows].reshape(-1, 2, 2), axis=1)
    assert large.shape == (len(shown), 2)
    inside = shapely.box(-12.01, -12.01, view.width + 12.01, view.height + 12.01)
    assert shapely.contains_xy(inside, *window.anchors[shown].T).all()


@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:3857", "EPSG:4543", "EPSG:4522"])
def test_what_lies_under_a_pixel_is_what_shapely_finds(crs: str) -> None:
    geometries = scattered(200)
    held = held_of(geometries)
    view = view_of(crs, (CENTRE[0] - 0.05, CENTRE[1] - 0.04, CENTRE[0] + 0.05, CENTRE[1] + 0.04), 500, 400)
    drawn = [None if g is None else shapely.transform(g, lambda c: pixels_by_proj(view, c)) for g in geometries]
    rng = np.random.default_rng(6)
    hits = 0
    for x, y in rng.uniform((0, 0), (500, 400), (150, 2)):
        place = shapely.Point(x, y)
        wanted = []
        for row, geometry in enumerate(drawn):
            parts = shapely.get_parts(geometry) if geometry is not None else []
            flat = [p for g in parts for p in shapely.get_parts(g)]
            if any(p.distance(place) <= (0 if p.geom_type == "Polygon" else 4.0) for p in flat if not p.is_empty):
                wanted.append(row)
        assert held.at(view, x, y, 4.0).tolist() == wanted[::-1]
        hits += len(wanted)
    assert hits > 100
    assert held.at(view, 250, 200, 500.0, rows=np.zeros(len(held), bool)).tolist() == []


def test_a_wide_tolerance_finds_points_all_around() -> None:
    held = held_of([shapely.Point(104.05, 30.05), shapely.Point(104.06, 30.05)])
    view = View("CRS:84", (104, 30, 104.1, 30.1), 100, 100)
    assert held.at(view, 53.0, 50.0, 8.0).tolist() == [1, 0]
    assert held.at(view, 53.0, 50.0, 3.5).tolist() == [0]


def test_flat_arrays_are_the_geometries() -> None:
    geometries = scattered(60)
    shapes = shapes_of(np.array(geometries, object))
    assert len(shapes) == 60
    for row, geometry in enumerate(geometries):
        coords = shapes.coords[shapes.parts[shapes.features[row]] : shapes.parts[shapes.features[row + 1]]]
        if geometry is None or geometry.is_empty:
            assert len(coords) == 0
            assert np.isnan(shapes.boxes[row]).all()
            continue
        assert np.array_equal(coords, shapely.get_coordinates(geometry))
        assert tuple(shapes.boxes[row]) == geometry.bounds
        kinds = shapes.kinds[shapes.features[row] : shapes.features[row + 1]].tolist()
        if geometry.geom_type in ("Point", "MultiPoint"):
            assert kinds == [POINTS]
        if geometry.geom_type == "MultiLineString":
            assert kinds == [LINE, LINE]
    order = np.random.default_rng(1).permutation(60)
    again = shapes_of(np.array(geometries, object)[order])
    taken = shapes.take(order)
    for name in ("coords", "parts", "features", "kinds"):
        assert np.array_equal(getattr(taken, name), getattr(again, name)), name
