"""Paper, scale and true north of printed sheets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.crs import metric_crs
from gisgrid.errors import BadInput
from layers.sheets.data import Community, Source
from layers.sheets.frame import degrees_minutes, frame_of, north_of
from layers.sheets.paper import BELOW, MM, PAPERS, SCALES, Box, fitting, layouts, round_length

SIZES = st.floats(60.0, 20_000.0)


def _inside(inner: Box, outer: Box) -> bool:
    return bool(shapely.box(*outer).buffer(1e-6).contains(shapely.box(*inner)))


@pytest.mark.parametrize("paper", PAPERS)
def test_parts_of_every_layout_lie_on_the_page_apart_from_each_other(paper: str) -> None:
    short, long = PAPERS[paper]
    for plan in layouts(paper):
        size = (short, long) if plan.orientation == "portrait" else (long, short)
        assert (plan.page.width / MM, plan.page.height / MM) == pytest.approx(size)
        parts = [plan.title, plan.map, plan.side, plan.foot]
        assert all(_inside(part, plan.page.inset(9.0 * MM)) for part in parts)
        shapes = [shapely.box(*part) for part in parts]
        assert sum(shape.area for shape in shapes) == pytest.approx(shapely.union_all(shapes).area)
        assert min(plan.map.width, plan.map.height) > 80.0 * MM
    assert set(BELOW) == {"portrait", "landscape"}


@given(SIZES, SIZES, st.sampled_from(list(PAPERS)))
def test_the_scale_is_the_largest_round_one_at_which_the_ground_fits(wide: float, high: float, paper: str) -> None:
    plan, scale = fitting((wide, high), paper, None, None)
    on_paper = (wide * 1000.0 * MM / scale, high * 1000.0 * MM / scale)
    assert scale in SCALES
    assert on_paper[0] <= plan.map.width
    assert on_paper[1] <= plan.map.height
    larger = [one for one in SCALES if one < scale]
    if larger:
        with pytest.raises(BadInput, match="does not fit"):
            fitting((wide, high), paper, None, larger[-1])


def test_a_scale_that_does_not_fit_names_one_that_does() -> None:
    with pytest.raises(BadInput) as caught:
        fitting((1200.0, 900.0), "A4", None, 1000)
    fits = caught.value.details["fits"]
    assert fitting((1200.0, 900.0), "A4", None, fits)[1] == fits
    assert caught.value.details["papers"] == []
    with pytest.raises(BadInput, match="500 to"):
        fitting((100.0, 100.0), "A4", None, 20)
    with pytest.raises(BadInput) as caught:
        fitting((700.0, 400.0), "A4", None, 2000)
    assert caught.value.details["papers"][0] == "A2"
    fitting((700.0, 400.0), "A2", None, 2000)


def test_wide_ground_gets_wide_paper_and_high_ground_high_paper() -> None:
    assert fitting((3000.0, 900.0), "A3", None, None)[0].below
    assert fitting((3000.0, 900.0), "A3", None, None)[0].orientation == "landscape"
    assert fitting((900.0, 1900.0), "A3", None, None)[0].orientation == "portrait"
    assert fitting((900.0, 3000.0), "A3", "landscape", None)[0].orientation == "landscape"


@given(st.floats(1.0, 1e6))
def test_bars_are_round(most: float) -> None:
    length = round_length(most)
    assert most / 2.5 - 1e-9 <= length <= most * (1 + 1e-9)
    assert f"{length:e}"[0] in "125"


@pytest.mark.parametrize(("lon", "lat"), [(116.3, 39.9), (112.84, 35.5), (118.4, 31.0), (117.0, 36.0), (87.6, 43.8)])
def test_the_arrow_points_to_true_north(lon: float, lat: float) -> None:
    shape = shapely.box(lon - 0.005, lat - 0.004, lon + 0.005, lat + 0.004)
    series = gpd.GeoSeries([shape], crs="EPSG:4490")
    crs = metric_crs(series)
    grids = gpd.GeoDataFrame({"code": ["1"]}, geometry=series.to_crs(crs))
    community = Community("1", "甲", "", [], grids.geometry.iloc[0], grids, {}, Source(None, None), "", crs)
    frame = frame_of(community, Box(0.0, 0.0, 500.0, 400.0), 5000)
    # PROJ's own convergence: from true north to the grid's north, east positive
    expected = pyproj.Proj(crs).get_factors(lon, lat).meridian_convergence
    assert north_of(community, frame) == pytest.approx(-expected, abs=0.002)


def test_a_metre_is_as_long_as_the_scale_says() -> None:
    line = shapely.LineString([(500_000.0, 3_900_000.0), (500_100.0, 3_900_000.0)])
    grids = gpd.GeoDataFrame({"code": ["1"]}, geometry=[line.buffer(10.0)], crs="EPSG:4548")
    community = Community(
        "1", "甲", "", [], grids.geometry.iloc[0], grids, {}, Source(None, None), "", pyproj.CRS("EPSG:4548")
    )
    frame = frame_of(community, Box(0.0, 0.0, 500.0, 400.0), 2500)
    assert frame.drawn([line])[0].length / MM == pytest.approx(100_000.0 / 2500)
    west, south, east, north = frame.window
    assert shapely.get_coordinates(
        frame.drawn([shapely.Point(west, north), shapely.Point(east, south)])
    ) == pytest.approx(np.array([(0.0, 0.0), (500.0, 400.0)]), abs=1e-6)


def test_angles_are_told_in_degrees_and_minutes() -> None:
    assert [degrees_minutes(angle) for angle in (0.0, -0.25, 1.999, -0.004)] == ["0°00′", "−0°15′", "2°00′", "0°00′"]
