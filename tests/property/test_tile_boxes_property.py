"""Boxes of tiles against the formulas of the standard (17-083r4, annex) and against each other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from gisgrid.errors import NotFound
from layers.tiles import MATRIX_SETS, MatrixSet

SETS = st.sampled_from(list(MATRIX_SETS.values()))
TO_DEGREES = Transformer.from_crs(3857, 4326, always_xy=True)


@st.composite
def places(draw: st.DrawFn) -> tuple[MatrixSet, int, int, int]:
    tiles = draw(SETS)
    zoom = draw(st.integers(0, tiles.served))
    columns, rows = tiles.size(zoom)
    return tiles, zoom, draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))


@given(places())
def test_boxes_follow_the_formula_of_the_standard(place: tuple[MatrixSet, int, int, int]) -> None:
    tiles, zoom, row, column = place
    matrix = tiles.definition["tileMatrices"][zoom]
    origin = matrix["pointOfOrigin"]
    left, top = origin if tiles.definition["orderedAxes"][0] in ("X", "Lon") else reversed(origin)
    span = matrix["cellSize"] * matrix["tileWidth"]
    expected = (left + column * span, top - (row + 1) * span, left + (column + 1) * span, top - row * span)
    assert tiles.box(zoom, row, column) == pytest.approx(expected, rel=1e-12, abs=1e-7)
    tiles.check(zoom, row, column)


@given(places())
def test_children_fill_their_parent_and_neighbours_touch(place: tuple[MatrixSet, int, int, int]) -> None:
    tiles, zoom, row, column = place
    west, south, east, north = tiles.box(zoom, row, column)
    first, last = tiles.box(zoom + 1, 2 * row, 2 * column), tiles.box(zoom + 1, 2 * row + 1, 2 * column + 1)
    assert (first[0], first[3], last[2], last[1]) == pytest.approx((west, north, east, south), rel=1e-12, abs=1e-7)
    assert tiles.box(zoom, row, column + 1)[0] == east
    assert tiles.box(zoom, row + 1, column)[3] == south


@given(places())
def test_limits_find_the_tile_of_its_own_middle(place: tuple[MatrixSet, int, int, int]) -> None:
    tiles, zoom, row, column = place
    west, south, east, north = tiles.lon_lat(tiles.box(zoom, row, column))
    middle = ((west + east) / 2, (south + north) / 2)
    assert tiles.limits((*middle, *middle), zoom) == (row, row, column, column)


@given(places())
def test_mercator_boxes_in_degrees_agree_with_proj(place: tuple[MatrixSet, int, int, int]) -> None:
    tiles, zoom, row, column = place
    box = tiles.box(zoom, row, column)
    if not tiles.degrees:
        corners = [*TO_DEGREES.transform(*box[:2]), *TO_DEGREES.transform(*box[2:])]
        assert tiles.lon_lat(box) == pytest.approx(corners, abs=1e-9)


@given(places())
def test_a_tile_beyond_the_edge_does_not_exist(place: tuple[MatrixSet, int, int, int]) -> None:
    tiles, zoom, row, column = place
    columns, rows = tiles.size(zoom)
    for wrong in ((zoom, row, columns), (zoom, rows, column), (tiles.served + 1, 0, 0), (zoom, -1, column)):
        with pytest.raises(NotFound):
            tiles.check(*wrong)


def test_scales_are_those_of_the_registered_sets() -> None:
    expected = {"WebMercatorQuad": 559_082_264.0287178, "WorldCRS84Quad": 279_541_132.014358}
    for name, scale in expected.items():
        assert MATRIX_SETS[name].scale(0) == pytest.approx(scale, rel=1e-12)
    last = MATRIX_SETS["WorldCRS84Quad"].definition["tileMatrices"][23]
    assert (last["matrixWidth"], last["matrixHeight"]) == (16_777_216, 8_388_608)
    assert last["scaleDenominator"] == pytest.approx(33.3238997476528, rel=1e-10)
    assert MATRIX_SETS["WebMercatorQuad"].cell(0) == pytest.approx(156_543.03392804097, rel=1e-12)
    assert math.isclose(MATRIX_SETS["CGCS2000Quad"].definition["tileMatrices"][0]["pointOfOrigin"][0], 90.0)
