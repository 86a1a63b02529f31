"""Markers and heat."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import skia

from layers.render import points
from layers.render.canvas import straight
from layers.render.paths import _by_parts, bytes_work, path_of
from layers.render.points import paint_heat, paint_markers
from layers.render.shapes import outline, stamp
from layers.styles.model import Heat, Marker, Shape


def empty(side: int = 64):
    return np.zeros((side, side, 4), np.uint8)


def test_markers_have_their_colour_on_their_point():
    picture = empty()
    places = np.array([(10.2, 20.7), (40.9, 50.1), (np.nan, 3.0), (-300.0, 4.0)], np.float32)
    paint_markers(picture, [(places, Marker("square", "#12ab34", 7.0, outline=None))], 1.0)
    for x, y in ((10, 20), (40, 50)):
        assert tuple(picture[y, x]) == (0x12, 0xAB, 0x34, 255)
    assert (picture[:, :, 3] > 127).sum() == pytest.approx(2 * 6.16**2, rel=0.35)


def test_points_of_one_pixel_are_drawn_once_and_cut_at_the_edge():
    marker = Marker("circle", "#ff0000", 8.0, opacity=0.5)
    once, often = empty(), empty()
    paint_markers(once, [(np.array([(0.5, 0.5), (63.9, 30.0)], np.float32), marker)], 1.0)
    paint_markers(often, [(np.repeat(np.array([(0.1, 0.9), (63.2, 30.6)], np.float32), 50, axis=0), marker)], 1.0)
    np.testing.assert_array_equal(once, often)
    assert straight(once)[0, 0, 3] == pytest.approx(128, abs=2)


@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_leaving_out_hidden_markers_changes_nothing(monkeypatch, opacity):
    """Crowded points, also far outside and at the rim, of several shapes: as when each one is drawn."""
    rng = np.random.default_rng(5)
    groups = [
        (rng.uniform(-30, 94, (3_000, 2)).astype(np.float32), Marker(shape, color, size, opacity))
        for shape, color, size in (("circle", "#ff0000", 9.0), ("drop", "#00ff00", 16.0), ("star", "#0000ff", 12.0))
    ]
    left_out, each = empty(), empty()
    monkeypatch.setattr(points, "MANY", 0)
    paint_markers(left_out, groups, 1.0)
    monkeypatch.setattr(points, "MANY", 10**9)
    paint_markers(each, groups, 1.0)
    np.testing.assert_array_equal(left_out, each)


def test_every_shape_is_told_from_every_other_at_twelve_pixels():
    shapes = {shape: stamp(Marker(shape, "#000000", 12.0, outline=None), 1.0)[0][:, :, 3] for shape in get_args(Shape)}
    names = list(shapes)
    for i, one in enumerate(names):
        assert shapes[one].max() > 200
        for other in names[i + 1 :]:
            a, b = (shapes[name].astype(float) / 255 for name in (one, other))
            tall, wide = max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])
            a, b = (np.pad(c, ((0, tall - c.shape[0]), (0, wide - c.shape[1]))) for c in (a, b))
            assert np.abs(a - b).sum() > 0.15 * min(a.sum(), b.sum()), (one, other)


def test_shapes_fill_their_box():
    for shape in get_args(Shape):
        box = outline(shape).computeTightBounds()
        assert min(box.left(), box.top()) >= -0.01, shape
        assert max(box.right(), box.bottom()) <= 1.01, shape
        assert box.height() > 0.75, shape


def test_heat_is_clear_far_off_and_hottest_where_most_points_are():
    picture = empty(200)
    rng = np.random.default_rng(1)
    places = np.concatenate([rng.normal((60, 80), 6, (300, 2)), rng.normal((150, 150), 6, (40, 2))]).astype(np.float32)
    paint_heat(picture, places, Heat(radius=16.0), 1.0)
    assert picture[5, 190, 3] == 0
    assert picture[80, 60, 3] == round(255 * 0.8)
    red = straight(picture.copy())
    assert abs(int(red[80, 60, 0]) - 0xBD) < 12
    assert red[80, 60, 1] < 60
    assert red[150, 150, 1] > 150  # the smaller group is yellow


def test_heat_does_not_depend_on_the_order_and_empty_is_clear():
    rng = np.random.default_rng(2)
    places = rng.uniform(0, 64, (500, 2)).astype(np.float32)
    one, other = empty(), empty()
    paint_heat(one, places, Heat(radius=6.0), 1.0)
    paint_heat(other, places[::-1].copy(), Heat(radius=6.0), 1.0)
    np.testing.assert_array_equal(one, other)
    blank = empty()
    paint_heat(blank, places[:0], Heat(), 1.0)
    assert not blank.any()


def test_paths_read_from_bytes_are_those_made_corner_by_corner():
    assert bytes_work(), "skia reads paths in another form: maps still draw, slower"
    rng = np.random.default_rng(4)
    parts = np.concatenate([[0], np.cumsum(rng.integers(2, 9, 50))])
    coords = rng.uniform(0, 100, (parts[-1], 2)).astype(np.float32)
    closed = rng.random(50) < 0.5
    assert path_of(coords, parts, closed) == _by_parts(coords, parts, closed)
    assert path_of(coords[:0], np.zeros(1, np.int64), closed[:0]) == skia.Path()
