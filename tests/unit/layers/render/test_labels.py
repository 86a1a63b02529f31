"""Labels: inside, along and beside, never on each other, never cut, never boxes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.held import View, held_from_frame
from layers.render import draw_map
from layers.render.fonts import INSTALL, MISSING, runs, typeface_of, width_of, write
from layers.render.words import lines_of, size_of, text_of
from layers.styles import Label, Marker, Rule, Stroke, Style

W, H = 400, 300
LABEL = Label("name", "#000000", 12.0, halo="#ffffff")


def view() -> View:
    return View("CRS:84", (100.0, 30.0, 100.0 + W / 100, 30.0 + H / 100), W, H)


def held(shapes, names):
    moved = shapely.transform(np.array(shapes, object), lambda c: c * 0.01 + (100.0, 30.0))
    return held_from_frame("made", gpd.GeoDataFrame({"name": names}, geometry=moved, crs="EPSG:4490"))


def drawn(*layers, symbols=()):
    style = Style("labels", "", "", (Rule("", "", (*symbols, LABEL)),))
    return draw_map([(layer, style) for layer in layers], view(), background=None)


def ink(picture):
    """(h, w) where letters or halos are."""
    return picture[:, :, 3] > 0


needs_chinese = pytest.mark.skipif(typeface_of("网") is None, reason=f"no font with Chinese: {INSTALL}")


@pytest.fixture
def laid(monkeypatch):
    """Boxes of the words laid on the picture, as (left, top, right, bottom)."""
    from layers.render import labels

    boxes = []

    def noted(pixels, stamp, left, top):
        boxes.append((left, top, left + stamp.shape[1], top + stamp.shape[0]))
        blit(pixels, stamp, left, top)

    blit = labels.blit
    monkeypatch.setattr(labels, "blit", noted)
    return boxes


def test_crowded_points_get_labels_that_do_not_touch(laid):
    rng = np.random.default_rng(0)
    points = [shapely.Point(x, y) for x, y in rng.uniform((0, 0), (W, H), (400, 2))]
    drawn(held(points, [f"point {i}" for i in range(400)]))
    assert len(laid) > 40
    boxes = shapely.box(*np.array(laid, float).T)
    # halos may meet, letters may not
    letters = shapely.box(*(np.array(laid, float) + np.array([3, 3, -3, -3])).T)
    tree = shapely.STRtree(letters)
    one, other = tree.query(letters, predicate="intersects")
    assert (one == other).all()
    assert shapely.within(boxes, shapely.box(0, 0, W, H)).all()


def test_labels_of_polygons_stay_inside_and_are_left_out_where_they_do_not_fit(laid):
    wide, narrow = shapely.Point(120, 150).buffer(60), shapely.box(300, 50, 312, 250)
    picture = drawn(held([wide, narrow], ["some name", "another name"]))
    assert len(laid) == 1
    rows, columns = np.nonzero(ink(picture))
    points = shapely.points(columns + 0.5, H - rows - 0.5)
    assert shapely.within(points, wide.buffer(3)).all()


def test_a_polygon_label_makes_room_for_another(laid):
    """The anchor is taken by a point's label: the polygon's goes elsewhere in it."""
    area = shapely.box(50, 50, 350, 250)
    x, y = 200, 150
    drawn(held([area], ["area"]), held([shapely.Point(x - 8, y), shapely.Point(x - 30, y)], ["a point", "b"]))
    assert len(laid) == 3


@needs_chinese
def test_long_chinese_names_break_into_two_lines(laid):
    box = shapely.box(100, 100, 190, 200)
    drawn(held([box], ["鸣凤示范社区第二网格"]))
    left, top, right, bottom = laid[0]
    assert bottom - top > 24
    assert right - left < 90


def test_lines_are_named_once_near_each_other_and_again_far_off():
    pieces = [shapely.LineString([(10 + 60 * i, 150), (70 + 60 * i, 150)]) for i in range(6)]
    several = ink(drawn(held(pieces, ["abc"] * 6)))
    once = ink(drawn(held(pieces[:1], ["abc"])))
    count = several.sum() / once.sum()
    assert count == pytest.approx(2, abs=0.3)  # 360 pixels of street: twice, 240 apart


def test_street_names_are_read_from_left_to_right():
    """A line and its reverse are labelled alike."""
    line = shapely.LineString([(50, 60), (350, 240)])
    np.testing.assert_array_equal(drawn(held([line], ["Main Street"])), drawn(held([line.reverse()], ["Main Street"])))


def test_names_leave_bends_alone():
    zigzag = shapely.LineString([(20 + 12 * i, 100 + 30 * (i % 2)) for i in range(25)])
    assert not ink(drawn(held([zigzag], ["a long street name"]))).any()


def test_higher_priorities_come_first(laid):
    points = held([shapely.Point(200, 150)], ["mmmmmmmm"])
    ranked = [
        (points, Style("low", "", "", (Rule("", "", (Label("name", size=10.0),)),))),
        (points, Style("high", "", "", (Rule("", "", (Label("name", size=20.0, priority=5),)),))),
    ]
    draw_map(ranked, view(), background=None)
    draw_map(ranked[::-1], view(), background=None)
    assert laid[0] == laid[2]
    assert laid[1] == laid[3]
    assert laid[0][3] - laid[0][1] > laid[1][3] - laid[1][1]


def test_labels_leave_markers_free():
    points = held([shapely.Point(200, 150), shapely.Point(216, 150)], ["one", "two"])
    marker = Marker("square", "#ff0000", 8.0, outline=None)
    picture = drawn(points, symbols=(marker,))
    plain = drawn(held([shapely.Point(200, 150), shapely.Point(216, 150)], [None, None]), symbols=(marker,))
    red = (plain[:, :, 0] == 255) & (plain[:, :, 3] == 255)
    np.testing.assert_array_equal(picture[red], plain[red])


def test_a_label_at_the_edge_is_whole_or_not_there(laid):
    rng = np.random.default_rng(1)
    points = [shapely.Point(x, y) for x, y in rng.uniform((-20, -20), (W + 20, H + 20), (300, 2))]
    drawn(held(points, ["edge"] * 300))
    assert laid
    assert all(left >= 0 and top >= 0 and right <= W and bottom <= H for left, top, right, bottom in laid)


def test_the_same_picture_every_time():
    rng = np.random.default_rng(2)
    points = held([shapely.Point(x, y) for x, y in rng.uniform((0, 0), (W, H), (200, 2))], [str(i) for i in range(200)])
    np.testing.assert_array_equal(drawn(points), drawn(points))


def test_values_as_texts():
    assert [text_of(v) for v in (None, float("nan"), np.nan, "", "  a  b ", 12, 12.0, 0.125, True)] == [
        "", "", "", "", "a b", "12", "12", "0.125", "True",
    ]  # fmt: skip
    assert len(text_of("长" * 500)) == 60


def test_breaks():
    assert lines_of("鸣凤示范社区第二网格", 2) == ("鸣凤示范社", "区第二网格")
    assert lines_of("New York City", 2) in (("New York", "City"), ("New", "York City"))
    assert lines_of("140105001001", 2) == ("140105001001",)
    assert lines_of("中心（东区）", 2)[1][0] not in "（）"[1:]


HARD = "网格中華民國〇㐀䶵𠮷𡈽𠀀ABCabc123éß①②㎡°½№℃藏བོདུཡིགئۇيغۇرᠮᠣᠩ日本한국😀★→①\u200b\ufeff\u0301"


@pytest.mark.parametrize("bold", [False, True])
def test_no_character_is_written_as_a_box(bold):
    """Every glyph drawn exists in its font; what no font has is left out, or the mark for it is drawn."""
    for text in (*HARD, HARD):
        for font, piece in runs(text, 14.0, bold):
            assert all(font.textToGlyphs(piece)), (text, piece)


def test_missing_letters_are_told(caplog):
    private = "\U000e0001\ue000"
    assert list(runs(private, 12.0, False)) == []
    # a letter of a script no usual system has a font for
    unknown = next((c for c in "\U00016a4f\U00014400\U0001e900" if typeface_of(c) is None), None)
    if unknown is None:
        pytest.skip("this system has every font")
    pieces = list(runs(unknown, 12.0, False))
    assert pieces
    assert pieces[0][1] == MISSING


def test_letters_that_join_are_written():
    from layers.render.words import brushes, canvas_on

    picture = np.zeros((40, 200, 4), np.uint8)
    text = "ئۇيغۇر"
    if any(typeface_of(c) is None for c in text):
        pytest.skip("no font with Uyghur")
    write(canvas_on(picture), text, 20.0, 28.0, 18.0, brushes(LABEL, 1.0)[-1])
    assert picture[:, :, 3].any()
    assert width_of(text, 18.0) > 20


@needs_chinese
def test_an_ideograph_is_as_wide_as_tall():
    assert size_of("网格", LABEL, 2.0) == pytest.approx((48.0, 24.0), rel=0.05)


def test_no_font_is_said_in_one_line(monkeypatch):
    from gisgrid.errors import Broken
    from layers.render import fonts

    monkeypatch.setattr(fonts, "typeface_of", lambda character, bold=False: None)
    with pytest.raises(Broken, match="fonts-noto-cjk"):
        fonts.need_font()


def test_stroke_and_label_in_one_rule():
    line = held([shapely.LineString([(20, 150), (380, 150)])], ["street"])
    assert ink(drawn(line, symbols=(Stroke("#888888", 6.0),))).sum() > 360 * 6
