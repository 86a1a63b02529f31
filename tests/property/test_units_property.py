"""Any mess of buildings and lines: units are an exact cover, no building is cut, nobody is lost or counted twice."""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planning.units import building_units, make_units
from planning.units.blocks import CUT_M2

CRS = "EPSG:4547"
X0, Y0, SIDE = 500_000.0, 3_900_000.0, 400.0

place = st.floats(-60, SIDE + 60, allow_nan=False).map(lambda v: round(v, 2))
length = st.floats(4, 90).map(lambda v: round(v, 2))


@st.composite
def _building(draw: Any) -> tuple[Any, int, str | None, str]:
    x, y, w, h = draw(place), draw(place), draw(length), draw(length)
    turn = draw(st.sampled_from([0.0, 0.0, 17.0, 45.0]))
    shape = shapely.affinity.rotate(shapely.box(X0 + x, Y0 + y, X0 + x + w, Y0 + y + h), turn)
    if draw(st.booleans()) and min(w, h) > 12:
        shape = shape.difference(shape.centroid.buffer(3))  # a courtyard
    kind = draw(st.sampled_from(["apartments", "apartments", "school", "other"]))
    return shape, draw(st.integers(0, 90)), draw(st.sampled_from([None, "A", "B"])), kind


@st.composite
def _line(draw: Any) -> tuple[Any, str]:
    spots = draw(st.lists(st.tuples(place, place), min_size=2, max_size=5))
    spots = [(X0 + x, Y0 + y) for x, y in spots]
    if shapely.LineString(spots).length < 1:
        spots[-1] = (spots[-1][0] + 30, spots[-1][1])
    return shapely.LineString(spots), draw(st.sampled_from(["primary", "residential", "river", "rail", "service"]))


@st.composite
def _road(draw: Any) -> tuple[Any, Any, str]:
    """Two carriageways 2 to 45 m apart, of one way each; now and then a slip road's class."""
    (x, y), (u, v) = draw(st.tuples(place, place)), draw(st.tuples(place, place))
    if abs(x - u) + abs(y - v) < 40:
        u += 200
    first = shapely.LineString([(X0 + x, Y0 + y), (X0 + (x + u) / 2 + 20, Y0 + (y + v) / 2), (X0 + u, Y0 + v)])
    second = first.offset_curve(draw(st.floats(2, 45))).reverse()
    return first, second, draw(st.sampled_from(["primary", "tertiary", "primary_link"]))


def _area(columns: int) -> gpd.GeoDataFrame:
    edges = X0 + np.linspace(0, SIDE, columns + 1)
    boxes = [shapely.box(a, Y0, b, Y0 + SIDE) for a, b in itertools.pairwise(edges)]
    codes = [f"370811001{i + 1:03d}" for i in range(columns)]
    return gpd.GeoDataFrame({"code": codes, "level": "community"}, geometry=boxes, crs=CRS)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_building(), min_size=1, max_size=25),
    st.lists(_line(), max_size=8),
    st.integers(1, 3),
    st.integers(5, 120),
)
def test_units_cover_exactly_and_cut_no_building(
    houses: list[tuple[Any, int, str | None, str]], lines: list[tuple[Any, str]], columns: int, most: int
) -> None:
    streets = gpd.GeoDataFrame({"cls": [cls for _, cls in lines]}, geometry=[line for line, _ in lines], crs=CRS)
    _holds(houses, streets, None, columns, max_households=most)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(_building(), min_size=1, max_size=15),
    st.lists(_road(), min_size=1, max_size=4),
    st.lists(_line(), max_size=4),
    st.lists(_line(), max_size=4),
    st.integers(1, 2),
    st.sampled_from([None, 3_000.0, 20_000.0]),
)
def test_roads_walls_and_grounds_keep_the_cover_exact(
    houses: list[tuple[Any, int, str | None, str]],
    roads: list[tuple[Any, Any, str]],
    lines: list[tuple[Any, str]],
    walls: list[tuple[Any, str]],
    columns: int,
    special: float | None,
) -> None:
    shapes = [line for line, _ in lines] + [one for first, second, _ in roads for one in (first, second)]
    highway = [cls for _, cls in lines] + [cls for _, _, cls in roads for _ in range(2)]
    streets = gpd.GeoDataFrame(
        {
            "highway": highway,
            "cls": [value.removesuffix("_link") for value in highway],
            "oneway": [False] * len(lines) + [True] * (2 * len(roads)),
        },
        geometry=shapes,
        crs=CRS,
    )
    fences = gpd.GeoDataFrame({"kind": ["wall"] * len(walls)}, geometry=[line for line, _ in walls], crs=CRS)
    _holds(houses, streets, fences, columns, max_households=60, special_max_area=special)


def _holds(
    houses: list[tuple[Any, int, str | None, str]], streets: Any, walls: Any, columns: int, **parameters: Any
) -> None:
    houses = [*houses, (shapely.box(X0 + 3, Y0 + 3, X0 + 13, Y0 + 13), 4, None, "apartments")]
    shapes, households, compounds, kinds = map(list, zip(*houses, strict=True))
    buildings = gpd.GeoDataFrame(
        {"households": households, "compound_id": compounds, "kind": kinds}, geometry=shapes, crs=CRS
    )
    area = _area(columns)
    units = make_units(buildings, streets, area, walls=walls, **parameters)

    geoms = np.asarray(units.geometry)
    assert (units.geom_type == "Polygon").all()
    assert shapely.is_valid(geoms).all()
    assert shapely.coverage_is_valid(geoms)
    assert units["unit_id"].is_unique
    # the whole area and nothing else, community by community
    for code, outline in zip(area["code"], area.geometry, strict=True):
        own = shapely.union_all(geoms[units["community"] == code])
        assert shapely.area(shapely.symmetric_difference(own, outline)) < 0.05
    # every building mostly inside is in one unit, whole unless the area or a community outline runs through it
    owner = building_units(buildings, units)
    whole = np.asarray(buildings.geometry)
    in_area = shapely.area(shapely.intersection(whole, area.union_all()))
    assert (owner[in_area > 0.51 * shapely.area(whole)] >= 0).all()
    assert (owner[in_area < 0.2 * shapely.area(whole)] == -1).all()
    one_community = shapely.covered_by(whole[:, None], np.asarray(area.geometry)[None, :]).any(axis=1)
    rows = np.flatnonzero(one_community)
    cut = shapely.area(shapely.difference(whole[rows], geoms[owner[rows]]))
    assert (cut <= 2 * CUT_M2).all(), cut.max()
    counted = owner[owner >= 0]
    assert (np.bincount(counted, np.asarray(households)[owner >= 0], minlength=len(units)) == units["households"]).all()
    assert (np.bincount(counted, minlength=len(units)) == units["buildings"]).all()
