"""GCJ-02 and BD-09: the inverse undoes the forward function everywhere in China, and matches a scalar
oracle.
"""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gisgrid import crs, shifted

LON = st.floats(73.5, 135.1)
LAT = st.floats(3.8, 53.6)
POINTS = st.lists(st.tuples(LON, LAT), min_size=1, max_size=50)


def oracle_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """The function as usually printed: scalar, with `math`."""
    a, ee, pi = 6378245.0, 0.00669342162296594323, math.pi
    x, y = lon - 105.0, lat - 35.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lat += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lat += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * pi) + 320 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    d_lon += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lon += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    d_lon += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    rad = lat / 180.0 * pi
    magic = 1 - ee * math.sin(rad) ** 2
    d_lat = (d_lat * 180.0) / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    d_lon = (d_lon * 180.0) / (a / math.sqrt(magic) * math.cos(rad) * pi)
    return lon + d_lon, lat + d_lat


def oracle_bd09(lon: float, lat: float) -> tuple[float, float]:
    z = math.sqrt(lon * lon + lat * lat) + 0.00002 * math.sin(lat * math.pi * 3000.0 / 180.0)
    theta = math.atan2(lat, lon) + 0.000003 * math.cos(lon * math.pi * 3000.0 / 180.0)
    return z * math.cos(theta) + 0.0065, z * math.sin(theta) + 0.006


@given(POINTS)
def test_gcj02_round_trip(points):
    lon, lat = np.array(points).T
    gcj = shifted.wgs84_to_gcj02(lon, lat)
    assert np.allclose(np.column_stack(gcj), [oracle_gcj02(*p) for p in points], rtol=0, atol=1e-11)
    back_lon, back_lat = shifted.gcj02_to_wgs84(*gcj)
    assert np.abs(back_lon - lon).max() < 1e-8
    assert np.abs(back_lat - lat).max() < 1e-8


@given(POINTS)
def test_bd09_round_trip(points):
    lon, lat = np.array(points).T
    bd = shifted.gcj02_to_bd09(lon, lat)
    assert np.allclose(np.column_stack(bd), [oracle_bd09(*p) for p in points], rtol=0, atol=1e-11)
    assert np.abs(np.array(shifted.bd09_to_gcj02(*bd)) - (lon, lat)).max() < 1e-8
    assert np.abs(np.array(shifted.bd09_to_wgs84(*shifted.wgs84_to_bd09(lon, lat))) - (lon, lat)).max() < 1e-8


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_outside_the_box_is_identity(lon, lat):
    west, south, east, north = shifted.CHINA_BOX
    if west - 0.05 <= lon <= east + 0.05 and south - 0.05 <= lat <= north + 0.05:
        return
    for function in (shifted.wgs84_to_gcj02, shifted.gcj02_to_wgs84, shifted.wgs84_to_bd09, shifted.bd09_to_wgs84):
        assert function(lon, lat) == (lon, lat)


@given(LON, LAT)
def test_the_shift_is_a_few_hundred_metres(lon, lat):
    gcj_lon, gcj_lat = shifted.wgs84_to_gcj02(lon, lat)
    east = (gcj_lon - lon) * 111_320 * math.cos(math.radians(lat))
    north = (gcj_lat - lat) * 110_940
    assert math.hypot(east, north) < 1_500


@given(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(["gcj02", "bd09"]))
def test_one_point_moves_as_in_an_array_to_the_last_bit(lon, lat, system):
    many = crs.points_to_storage([lon, lon], [lat, lat], system)
    assert crs.point_to_storage(lon, lat, system) == (many[0][1], many[1][1])
