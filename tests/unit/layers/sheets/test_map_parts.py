"""Colours, names and tables of printed sheets."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest
import shapely
import skia

from layers.render.fonts import width_of
from layers.sheets.grids import FILLS, Cell, colors_of, hatch
from layers.sheets.paper import MM, Box
from layers.sheets.pen import Pen, fitted, oriented, wrapped
from layers.sheets.placing import Taken, along, beside, inside
from layers.sheets.table import draw_table, rows_of
from layers.sheets.words import LANGUAGES, Words, short_name


def _cells(count: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(0.0, 1000.0, (count, 2))
    shapes = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=shapely.box(0, 0, 1000, 1000))
    return shapely.intersection(shapely.get_parts(shapes), shapely.box(0, 0, 1000, 1000))


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_never_share_a_colour(seed: int) -> None:
    shapes = _cells(120, seed)
    colors = colors_of(shapes)
    assert set(colors.tolist()) <= set(range(len(FILLS)))
    for one in range(len(shapes)):
        for other in range(one):
            if shapely.length(shapely.intersection(shapes[one], shapes[other])) > 1.0:
                assert colors[one] != colors[other]
    # no colour is left to a few
    assert np.bincount(colors, minlength=len(FILLS)).min() > 5


def test_hatching_stays_inside() -> None:
    shape = shapely.Point(100, 100).buffer(60).difference(shapely.Point(100, 100).buffer(25))
    lines = hatch(shape, 5.0)
    assert len(lines) > 10
    assert shapely.union_all(lines).difference(shape.buffer(1e-6)).is_empty


def test_names_touch_neither_each_other_nor_the_edge() -> None:
    taken, box = Taken(Box(0, 0, 200, 100)), shapely.box(0, 0, 200, 100)
    held = []
    for x in np.linspace(-5, 205, 40):
        for y in np.linspace(-5, 105, 20):
            shape = oriented(float(x), float(y), 24.0, 8.0, float(x + y))
            if taken.try_take(shape):
                held.append(shape)
    assert len(held) > 20
    assert all(box.contains(shape) for shape in held)
    tree = shapely.STRtree(held)
    assert len(tree.query(held, predicate="intersects")[0]) == len(held)


def test_a_name_inside_a_bent_grid_lies_wholly_in_it() -> None:
    bent = shapely.box(0, 0, 100, 100).difference(shapely.box(20, 20, 100, 100))
    place = inside(bent, 60.0, 12.0, Taken(Box(0, 0, 100, 100)), room=1.0)
    assert place is not None
    x, y = place
    assert bent.contains(shapely.box(x - 30, y - 6, x + 30, y + 6))
    assert inside(bent, 60.0, 40.0, Taken(Box(0, 0, 100, 100)), room=1.0) is None
    taken = Taken(Box(0, 0, 100, 100))
    led = beside(shapely.box(48, 48, 52, 52), 30.0, 10.0, taken, step=4.0)
    assert led is not None
    assert max(abs(led[0] - 50.0), abs(led[1] - 50.0)) > 5.0


def test_street_names_stand_where_the_street_is_straight_and_read_from_the_left() -> None:
    straight = shapely.LineString([(0, 0), (300, -40)])
    corner = shapely.LineString([(0, 0), (60, 0), (60, 60), (0, 60)])
    for x, y, turned in along(straight, 80.0, 10.0, every=200.0):
        assert shapely.distance(straight, shapely.Point(x, y)) < 3.0
        assert turned == pytest.approx(np.rad2deg(np.arctan2(-40, 300)), abs=0.5)
    assert along(straight, 80.0, 10.0, every=200.0)
    assert not along(corner, 80.0, 10.0, every=200.0)
    backwards = along(straight.reverse(), 80.0, 10.0, every=200.0)
    assert all(-90.0 < turned <= 90.0 for _, _, turned in backwards)


def test_texts_fit_their_room() -> None:
    text, size = fitted("荷塘社区党群服务中心办公室", 10.0, 60.0)
    assert width_of(text, size) <= 60.0
    assert size >= 7.5
    assert fitted("甲", 10.0, 60.0) == ("甲", 10.0)
    lines = wrapped("岗位：网格长 荷塘一岗；网格员 荷塘二岗；网格警务员 荷塘三岗", 8.0, 90.0, 3)
    assert 1 < len(lines) <= 3
    assert all(width_of(line, 8.0) <= 90.0 for line in lines)
    assert "".join(lines).startswith("岗位：")


def _made(count: int) -> list[Cell]:
    above = ("370899001001", "荷塘社区")
    return [
        Cell(f"370899001001{number:03d}", f"荷塘社区第{number}网格", "ordinary", 1, 400, 1000, above,
             shapely.box(0, 0, 1, 1), number % len(FILLS))
        for number in range(1, count + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_long_table_runs_on_and_every_row_is_there_once(lang: str) -> None:
    posts = {"370899001001007": [{"role": "网格员", "post": "荷塘七号岗", "department": "", "first": True}]}
    unit = 1.2 * MM
    rows = rows_of(_made(150), posts, lang, unit)  # type: ignore[arg-type]
    stream = skia.DynamicMemoryWStream()
    document = skia.PDF.MakeDocument(stream)
    left, pages = rows, 0
    while left:
        pages += 1
        box = Box(50.0, 50.0, 700.0, 350.0)
        before = len(left)
        left = draw_table(Pen(document.beginPage(750, 400)), box, left, lang, unit, further=pages + 1, on=pages > 1)  # type: ignore[arg-type]
        document.endPage()
        assert len(left) < before
    document.close()
    read = pypdfium2.PdfDocument(bytes(stream.detachAsData()))
    assert len(read) == pages > 1
    texts = [page.get_textpage().get_text_range() for page in read]
    whole = "".join("".join(texts).split())
    assert [whole.count(cell.code) for cell in _made(150)] == [1] * 150
    assert "60,000" in whole
    assert "荷塘七号岗" in whole


def test_words_are_said_in_the_language_asked_for() -> None:
    words = Words("图例", "Legend")
    assert [words.said(lang) for lang in LANGUAGES] == ["图例", "Legend", "图例 Legend"]
    above = ("370899001001", "荷塘社区")
    assert short_name("370899001001007", "荷塘社区第7网格", above, "zh") == "第7网格"
    assert short_name("370899001001007", "荷塘社区第7网格", above, "en") == "Grid 007"
    assert short_name("370899001001007", "", above, "zh") == "网格 007"
