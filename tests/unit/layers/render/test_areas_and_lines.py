"""Insides and lines of maps against shapely, between neighbours and between tiles."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pygeofilter import ast

from layers.held import View, held_from_frame
from layers.render import draw_map
from layers.styles import Fill, Marker, Rule, Stroke, Style

SIDE = 128


def view(x0: float = 0.0, y0: float = 0.0, x1: float = 1.28, y1: float = 1.28, side: int = SIDE) -> View:
    """A picture of 0.01 degrees a pixel."""
    return View("CRS:84", (100 + x0, 30 + y0, 100 + x1, 30 + y1), side, side)


def held(shapes, **columns):
    """Shapes in units of a pixel, y up from the lower edge, as a layer."""
    moved = shapely.transform(np.array(shapes, object), lambda c: c * 0.01 + (100.0, 30.0))
    return held_from_frame("made", gpd.GeoDataFrame(columns, geometry=moved, crs="EPSG:4490"))


def style(*symbols, where=None) -> Style:
    return Style("made", "", "", (Rule("", "", symbols, where),))


def drawn(shapes, *symbols, background=None, **columns):
    return draw_map([(held(shapes, **columns), style(*symbols))], view(), background=background)


def covered(picture) -> float:
    """Pixels covered, by alpha."""
    return float(picture[:, :, 3].sum() / 255.0)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(64.3, 60.7).buffer(40.2),
        shapely.box(10.25, 10.5, 90.75, 20.125),
        shapely.Polygon([(5, 5), (120, 30), (15.5, 100)]),
        shapely.Point(60, 60).buffer(50).difference(shapely.Point(70, 60).buffer(20)),
        shapely.Point(60, 60).buffer(50).difference(shapely.Point(70, 60).buffer(20)).reverse(),
        shapely.MultiPolygon([shapely.box(5, 5, 20, 20), shapely.box(30, 30, 80.5, 80.5)]),
        # ring, hole, and an island in the hole
        shapely.MultiPolygon(
            [
                shapely.box(10, 10, 110, 110).difference(shapely.box(30, 30, 90, 90)),
                shapely.box(50, 50, 70, 70),
            ]
        ),
        shapely.box(-500, 40, 700, 60.5),
        shapely.Point(0, 0).buffer(90),
        shapely.Point(130, 128).buffer(60),
    ],
)
def test_pixels_add_up_to_the_area(shape):
    """Exact cover: the alpha of all pixels is the area that lies in the picture."""
    inside = shapely.intersection(shape, shapely.box(0, 0, SIDE, SIDE)).area
    assert covered(drawn([shape], Fill("#204060"))) == pytest.approx(inside, rel=2e-3, abs=1.0)


def test_every_pixel_of_a_slanting_edge_has_its_share():
    shape = shapely.Polygon([(10, 10), (110, 37), (80, 110)])
    picture = drawn([shape], Fill("#000000"))
    for row in range(0, SIDE, 3):
        for column in range(0, SIDE, 3):
            share = shape.intersection(shapely.box(column, SIDE - row - 1, column + 1, SIDE - row)).area
            assert picture[row, column, 3] == pytest.approx(255 * share, abs=1.6)


def mosaic_of_cells(count: int, seed: int = 3):
    """Cells that share wavering edges and fill the picture, in five classes."""
    rng = np.random.default_rng(seed)
    at = np.linspace(-20, SIDE + 20, count + 1)
    x, y = np.meshgrid(at, at)
    step = at[1] - at[0]
    corners = np.stack([x, y], -1) + rng.uniform(-0.3, 0.3, (count + 1, count + 1, 2)) * step
    cells = [
        shapely.Polygon([corners[i, j], corners[i, j + 1], corners[i + 1, j + 1], corners[i + 1, j]])
        for i in range(count)
        for j in range(count)
    ]
    return cells, rng.integers(0, 5, len(cells))


COLORS = ("#112233", "#445566", "#778899", "#aabbcc", "#ddeeff")


def classes(opacity: float) -> Style:
    rules = (
        Rule("", "", (Fill(color, opacity),), ast.Equal(ast.Attribute("kind"), number))
        for number, color in enumerate(COLORS)
    )
    return Style("classes", "", "", tuple(rules))


@pytest.mark.parametrize("count", [4, 60])
@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_no_background_between_neighbours(count, opacity):
    """Cells of several classes over pure red: not one pixel is redder than the background through the coat."""
    cells, kinds = mosaic_of_cells(count)
    picture = draw_map([(held(cells, kind=kinds), classes(opacity))], view(), background="#ff0000")
    clear = draw_map([(held(cells, kind=kinds), classes(opacity))], view(), background=None)
    assert abs(clear[:, :, 3].astype(int) - round(255 * opacity)).max() <= 1
    most_red = round(255 * (1 - opacity) + 0xDD * opacity)
    assert picture[:, :, 0].max() <= most_red + 1
    least_blue = round(0x33 * opacity)
    assert picture[:, :, 2].min() >= least_blue - 1


def test_later_rules_cover_earlier_ones_once():
    """Overlapping features of two rules of one opacity: no darker stripe, the later one is seen."""
    layer = held([shapely.box(10, 10, 70, 70), shapely.box(40, 40, 110, 110)], kind=[0, 1])
    picture = draw_map([(layer, classes(0.5))], view(), background=None)
    assert picture[SIDE - 55, 55].tolist() == pytest.approx([0x44, 0x55, 0x66, 128], abs=2)
    assert picture[SIDE - 20, 20].tolist() == pytest.approx([0x11, 0x22, 0x33, 128], abs=2)


def test_a_feature_of_two_rules_is_painted_by_both():
    two = Style("two", "", "", (Rule("", "", (Fill("#ff0000", 0.5),)), Rule("", "", (Fill("#0000ff", 0.5),))))
    picture = draw_map([(held([shapely.box(0, 0, 128, 128)]), two)], view(), background="#ffffff")
    assert picture[64, 64, :3].tolist() == pytest.approx([127, 63, 191], abs=2)


def test_lines_cover_their_width_and_shared_borders_are_no_darker():
    line = shapely.LineString([(20, 20.3), (100, 90.8)])
    once = drawn([line], Stroke("#336699", 3.0))
    assert covered(once) == pytest.approx(line.buffer(1.5).area, rel=0.03)
    twice = drawn([line, line.reverse()], Stroke("#336699", 3.0))
    assert np.abs(twice[:, :, 3].astype(int) - once[:, :, 3]).max() <= 1
    thin = drawn([line], Stroke("#336699", 0.5))
    assert covered(thin) == pytest.approx(line.length * 0.5, rel=0.25)
    assert tuple(once[SIDE - 56, 60][:3]) == (0x33, 0x66, 0x99)


@pytest.mark.parametrize(("cap", "extra"), [("butt", 0.0), ("square", 1.0)])
def test_caps(cap, extra):
    line = shapely.LineString([(20, 60), (100, 60)])
    picture = drawn([line], Stroke("#000000", 8.0, cap=cap, join="miter"))
    assert covered(picture) == pytest.approx((80 + 8 * extra) * 8, rel=0.01)


def test_dashes_leave_gaps_and_casing_lies_under_all_lines():
    line = shapely.LineString([(4, 60), (124, 60)])
    dashed = drawn([line], Stroke("#000000", 4.0, dash=(6.0, 6.0), cap="butt"))
    assert covered(dashed) == pytest.approx(60 * 4, rel=0.02)
    cross = [shapely.LineString([(10, 64), (118, 64)]), shapely.LineString([(64, 10), (64, 118)])]
    cased = drawn(cross, Stroke("#ffffff", 6.0, casing="#000000"))
    np.testing.assert_array_equal(cased[64, 14:114, :3], 255)  # no casing crosses the other line
    assert cased[60, 30, 3] == 255
    assert cased[60, 30, 0] < 40


def test_hatch_is_even_and_inside():
    picture = drawn([shapely.box(20, 20, 100, 100)], Fill("#aa0000", 1.0, hatch=6.0))
    assert not picture[:20, :, 3].any()
    assert not picture[:, 102:, 3].any()
    assert covered(picture) == pytest.approx(6400 * 1.2 / 6.0, rel=0.1)


def test_otherwise_takes_the_rest():
    rules = (
        Rule("", "", (Fill("#ff0000"),), ast.Equal(ast.Attribute("kind"), 1)),
        Rule("", "", (Fill("#0000ff"),), otherwise=True),
    )
    layer = held([shapely.box(0, 0, 40, 128), shapely.box(60, 0, 128, 128)], kind=[1, 2])
    picture = draw_map([(layer, Style("s", "", "", rules))], view(), background=None)
    assert tuple(picture[64, 20]) == (255, 0, 0, 255)
    assert tuple(picture[64, 100]) == (0, 0, 255, 255)


def test_rules_of_other_scales_and_rows_not_chosen_are_left_out():
    layer = held([shapely.box(0, 0, 60, 128), shapely.box(60, 0, 128, 128)])
    seen = view()
    far = Style("s", "", "", (Rule("", "", (Fill("#ff0000"),), scales=(None, seen.scale)),))
    near = Style("s", "", "", (Rule("", "", (Fill("#ff0000"),), scales=(seen.scale, None)),))
    assert not draw_map([(layer, far)], seen, background=None).any()
    assert draw_map([(layer, near)], seen, background=None)[:, :, 3].all()
    half = draw_map([(layer, near)], seen, background=None, chosen=[np.array([True, False])])
    assert half[64, 30, 3] == 255
    assert half[64, 90, 3] == 0


def test_four_tiles_are_one_picture():
    """Fills, lines and markers of a 2 by 2 mosaic are those of the picture of all four."""
    cells, kinds = mosaic_of_cells(9)
    rng = np.random.default_rng(5)
    points = [shapely.Point(x, y) for x, y in rng.uniform(-10, 138, (200, 2))]
    lines = [shapely.LineString(rng.uniform(-40, 170, (4, 2))) for _ in range(12)]
    pictured = [
        (held(cells, kind=kinds), classes(0.75)),
        (held(cells), style(Stroke("#333333", 1.2))),
        (held(lines), style(Stroke("#ffffff", 5.0, casing="#885522"))),
        (held(points), style(Marker("drop", "#aa0000", 12.0), Marker("circle", "#0000aa", 6.0))),
    ]
    whole = draw_map(pictured, view(), background="#f0f0f0")
    half = SIDE // 2
    tiles = [
        [
            draw_map(pictured, view(x, y, x + 0.64, y + 0.64, half), background="#f0f0f0")
            for x in (0.0, 0.64)
        ]
        for y in (0.64, 0.0)
    ]  # fmt: skip
    mosaic = np.concatenate([np.concatenate(row, axis=1) for row in tiles])
    # places are rounded to float32 in each tile on its own
    assert np.abs(mosaic.astype(int) - whole).max() <= 2


def test_the_same_again_and_twice_as_fine():
    cells, kinds = mosaic_of_cells(5)
    pictured = [(held(cells, kind=kinds), classes(1.0)), (held(cells), style(Stroke("#000000", 2.0)))]
    first = draw_map(pictured, view(), background=None)
    np.testing.assert_array_equal(first, draw_map(pictured, view(), background=None))
    fine = View("CRS:84", view().box, 2 * SIDE, 2 * SIDE, dpi=2 * view().dpi)
    assert fine.scale == pytest.approx(view().scale)
    large = draw_map(pictured, fine, background=None)[:, :, :3].astype(float)
    mean = large.reshape(SIDE, 2, SIDE, 2, 3).mean(axis=(1, 3))
    assert np.abs(mean - first[:, :, :3]).mean() < 3.0
