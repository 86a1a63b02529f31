"""Names of systems, the published GCJ-02 vectors, metric zones and coordinate faults."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import LineString, Point, box

from gisgrid import crs, shifted
from gisgrid.errors import BadInput

# published with eviltransform: wgs84 lon, lat → gcj02 lon, lat
VECTORS = [
    (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
]


@pytest.mark.parametrize("vector", VECTORS)
def test_gcj02_equals_the_published_vectors(vector):
    lon, lat, gcj_lon, gcj_lat = vector
    assert np.allclose(shifted.wgs84_to_gcj02(lon, lat), (gcj_lon, gcj_lat), rtol=0, atol=1e-12)
    assert np.allclose(shifted.gcj02_to_wgs84(gcj_lon, gcj_lat), (lon, lat), rtol=0, atol=1e-12)


def test_bd09_equals_the_vectors_published_with_coordtransform():
    assert np.allclose(
        shifted.wgs84_to_gcj02(116.404, 39.915), (116.41024449916938, 39.91640428150164), rtol=0, atol=1e-12
    )
    assert np.allclose(
        shifted.gcj02_to_bd09(116.404, 39.915), (116.41036949371029, 39.92133699351021), rtol=0, atol=1e-12
    )
    # their inverse is one step: right to a few decimetres
    assert np.allclose(
        shifted.bd09_to_gcj02(116.404, 39.915), (116.39762729119315, 39.90865673957631), rtol=0, atol=2e-6
    )


def test_shape_is_kept_and_outside_china_nothing_moves():
    lon = np.array([[-104.99, 153.03], [-43.17, 24.94]])
    lat = np.array([[39.74, -27.47], [-22.91, 60.17]])
    for function in (shifted.wgs84_to_gcj02, shifted.gcj02_to_wgs84, shifted.wgs84_to_bd09, shifted.bd09_to_wgs84):
        x, y = function(lon, lat)
        assert x.shape == y.shape == (2, 2)
        assert np.array_equal(x, lon)
        assert np.array_equal(y, lat)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("wgs84", "EPSG:4326"),
        ("WGS84", "EPSG:4326"),
        ("OGC:CRS84", "EPSG:4326"),
        (pyproj.CRS("OGC:CRS84"), "EPSG:4326"),
        ("cgcs2000", "EPSG:4490"),
        ("GCJ-02", "gcj02"),
        ("bd09", "bd09"),
        (4547, "EPSG:4547"),
        ("4547", "EPSG:4547"),
        ("epsg:4547", "EPSG:4547"),
        ("urn:ogc:def:crs:EPSG::4490", "EPSG:4490"),
        (pyproj.CRS(32650), "EPSG:32650"),
    ],
)
def test_normalise_understands(given, name):
    assert crs.normalise(given) == name


@pytest.mark.parametrize("given", ["", "mars", "EPSG:99999999", 0, -1, True, "EPSG:5773", "12345678901234567890"])
def test_normalise_refuses_in_one_line(given):
    with pytest.raises(BadInput, match="give wgs84, gcj02") as caught:
        crs.normalise(given)
    assert "\n" not in caught.value.message


def test_wgs84_and_cgcs2000_are_the_same_coordinates():
    x, y = crs.points_to_storage([116.321987654321], [39.998765432109], "wgs84")
    assert (x[0], y[0]) == (116.321987654321, 39.998765432109)
    # and PROJ thinks so too: the reason why nothing is computed
    assert pyproj.Transformer.from_crs(4326, 4490, always_xy=True).transform(116.3, 39.9) == (116.3, 39.9)


def test_points_to_storage_takes_east_north_for_a_gauss_krueger_zone():
    east, north = pyproj.Transformer.from_crs(4490, 4548, always_xy=True).transform(116.32, 40.0)
    assert 4e5 < east < 6e5 < 4e6 < north  # x is the easting although EPSG:4548 declares northing first
    assert np.allclose(crs.points_to_storage(east, north, 4548), (116.32, 40.0), rtol=0, atol=1e-9)


def test_to_storage_moves_every_vertex_of_gcj02_and_drops_z():
    line = LineString([(116.30, 39.90, 5), (116.31, 39.91, 6)])
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[line])
    stored = crs.to_storage(frame, "gcj02")
    assert stored.crs.to_epsg() == 4490
    assert not stored.geometry.iloc[0].has_z
    expected = np.column_stack(shifted.gcj02_to_wgs84([116.30, 116.31], [39.90, 39.91]))
    assert np.allclose(shapely.get_coordinates(stored.geometry.to_numpy()), expected, rtol=0, atol=1e-12)
    assert frame.geometry.iloc[0].equals_exact(line)  # the given frame is left as it was


def test_to_storage_without_any_system_says_give_crs():
    with pytest.raises(BadInput, match="give --crs"):
        crs.to_storage(gpd.GeoDataFrame(geometry=[Point(116, 40)]))


def test_to_storage_crs_overrides_the_file():
    frame = gpd.GeoDataFrame(geometry=[Point(500000, 4428000)], crs=4326)
    stored = crs.to_storage(frame, "EPSG:4548")
    assert stored.geometry.iloc[0].x == pytest.approx(117.0)


def test_to_storage_keeps_null_and_empty_geometries():
    frame = gpd.GeoDataFrame(geometry=[None, Point(), Point(116.3, 39.9)], crs=4326)
    stored = crs.to_storage(frame, "bd09")
    assert stored.geometry.iloc[0] is None
    assert stored.geometry.iloc[1].is_empty


@pytest.mark.parametrize("meridian", range(75, 136, 3))
def test_metric_crs_picks_the_zone_of_the_nearest_meridian(meridian):
    zone = crs.metric_crs((meridian - 0.1, 35.0, meridian + 0.3, 35.2))
    assert f"CM {meridian}E" in zone.name
    assert zone.to_epsg() == 4534 + (meridian - 75) // 3


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"), [(24.94, 60.17, 32635), (-43.2, -22.9, 32723), (179.99, 10.0, 32660), (140.0, 36.0, 32654)]
)
def test_metric_crs_elsewhere_is_utm(lon, lat, epsg):
    assert crs.metric_crs((lon, lat, lon, lat)).to_epsg() == epsg


def test_to_metric_leaves_metres_alone_but_not_web_mercator():
    frame = gpd.GeoDataFrame(geometry=[box(116.30, 39.99, 116.31, 40.0)], crs=4490)
    metric = crs.to_metric(frame)
    assert metric.crs.to_epsg() == 4548
    assert crs.to_metric(metric) is metric
    mercator = frame.to_crs(3857)
    true_area = metric.geometry.area.iloc[0]
    assert mercator.geometry.area.iloc[0] > 1.6 * true_area
    assert crs.to_metric(mercator).geometry.area.iloc[0] == pytest.approx(true_area, rel=1e-6)
    geodesic = abs(pyproj.Geod(ellps="GRS80").geometry_area_perimeter(frame.geometry.iloc[0])[0])
    assert true_area == pytest.approx(geodesic, rel=1e-3)


def test_to_metric_of_an_empty_layer_is_bad_input():
    with pytest.raises(BadInput, match="empty"):
        crs.to_metric(gpd.GeoDataFrame(geometry=[], crs=4490))


def test_faults_name_what_is_wrong():
    boxes = [
        (116.3, 39.9, 116.4, 40.0),  # Beijing
        (39.9, 116.3, 40.0, 116.4),  # swapped: latitude 116
        (39.9, 80.1, 40.0, 80.2),  # swapped: western China, valid degrees in the Arctic
        (448000, 4420000, 448100, 4420100),  # metres
        (np.nan, 1, 2, 3),
        (120.0, 30.0, 120.1, 30.1),
    ]
    assert crs.lonlat_faults(boxes).tolist() == [0, 3, 3, 2, 1, 0]
    within = (116.0, 39.5, 116.8, 40.3)
    assert crs.lonlat_faults(boxes, within).tolist() == [0, 3, 4, 2, 1, 4]


def test_faults_see_swapped_axes_by_the_area_alone():
    # Helsinki swapped is a valid place in Iran: only the area can tell
    assert crs.lonlat_faults([(60.17, 24.94, 60.17, 24.94)]).tolist() == [0]
    assert crs.lonlat_faults([(60.17, 24.94, 60.17, 24.94)], (24.8, 60.1, 25.1, 60.3)).tolist() == [3]


def test_check_lonlat_names_the_first_bad_point():
    crs.check_lonlat([116.3], [39.9])
    with pytest.raises(BadInput, match=r"point 2: lon 39\.9, lat 116\.3: lon and lat are swapped"):
        crs.check_lonlat([116.3, 39.9], [39.9, 116.3])
    with pytest.raises(BadInput, match="outside the area"):
        crs.check_lonlat(120.0, 30.0, within=(116.0, 39.0, 117.0, 40.0))


@pytest.mark.parametrize(("x", "y", "system"), [(1e308, 1e308, 3857), (1e5, 1e9, 4547), (1e12, 0.0, 4548)])
def test_coordinates_far_outside_a_projection_are_not_given_a_place(x: float, y: float, system: int) -> None:
    lon, lat = crs.points_to_storage([x, 500_000.0], [y, 3_900_000.0], system)
    assert not np.isfinite(lon[0])
    assert not np.isfinite(lat[0])
    assert np.isfinite([lon[1], lat[1]]).all()
