"""Circles on the ground: areas by formula, distances by geodesics."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from planning.straight.discs import discs, pairs_within, scale_at, union


@pytest.mark.parametrize("radius", [0.5, 10.0, 150.0, 5000.0, 50_000.0])
def test_one_circle_has_its_area_and_its_line(radius: float) -> None:
    disc = discs(np.array([[500_000.0, 3_900_000.0]]), np.array([radius]))[0]
    assert disc.area == pytest.approx(np.pi * radius**2, rel=1e-8)
    away = np.hypot(*(shapely.get_coordinates(shapely.segmentize(disc, disc.length / 2000)) - [500_000, 3_900_000]).T)
    assert np.abs(away - radius).max() < 0.01


@pytest.mark.parametrize(("one", "other", "apart"), [(150, 150, 100), (150, 80, 120), (150, 150, 299), (80, 200, 121)])
def test_two_circles_overlap_in_a_lens(one: float, other: float, apart: float) -> None:
    a = one**2 * np.arccos((apart**2 + one**2 - other**2) / (2 * apart * one))
    b = other**2 * np.arccos((apart**2 + other**2 - one**2) / (2 * apart * other))
    kite = np.sqrt((-apart + one + other) * (apart + one - other) * (apart - one + other) * (apart + one + other)) / 2
    whole = np.pi * (one**2 + other**2) - (a + b - kite)
    xy = np.array([[0.0, 0.0], [apart, 0.0]])
    assert union(xy, np.array([one, other], float)).area == pytest.approx(whole, rel=1e-5)


def test_a_circle_within_another_and_twins_add_nothing() -> None:
    xy = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert union(xy, np.array([100.0, 50.0, 100.0, 20.0])).area == pytest.approx(np.pi * 1e4, rel=1e-8)
    assert union(np.empty((0, 2)), np.empty(0)).is_empty


def test_metres_are_metres_on_the_ellipsoid_at_the_edge_of_a_zone() -> None:
    """At 1.5° from the central meridian a metre of the map is 0.26 mm longer than one of the ground, in 1 m."""
    geod = pyproj.Geod(ellps="GRS80")
    lon, lat = 118.45, 35.0
    place = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4490).to_crs(4548)
    xy = shapely.get_coordinates(place)
    scale = scale_at(xy, pyproj.CRS.from_epsg(4548))
    assert 1.0001 < scale[0] < 1.0004
    ends = [geod.fwd(lon, lat, bearing, metres)[:2] for bearing in range(0, 360, 15) for metres in (999.99, 1000.01)]
    places = shapely.get_coordinates(gpd.GeoSeries(shapely.points(ends), crs=4490).to_crs(4548))
    inside = np.zeros(len(ends), bool)
    inside[pairs_within(xy, 1000.0 * scale, places)[1]] = True
    assert inside.tolist() == [True, False] * 24
