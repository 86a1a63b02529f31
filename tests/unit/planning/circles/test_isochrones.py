"""Isochrone polygons against exact walks of random points, and as maps need them: valid, nested, with holes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.osm import read_osm
from gisgrid.errors import BadInput
from planning.circles import isochrones, isochrones_per_facility, merged_isochrones, snap_raster
from planning.network import Network, build_network, reverse
from planning.reach import PROFILES, at_places, key_costs, search_from
from planning.reach.snapping import snap

CRS = "EPSG:4548"


def network_of(*lines: list[tuple[float, float]]) -> Network:
    return build_network(gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=CRS))


@pytest.fixture(scope="module")
def beijing(shared_data: Path) -> tuple[Network, np.ndarray]:
    layers = read_osm(shared_data / "beijing_tsinghua.osm")
    network = build_network(layers["streets"])
    places = layers["facilities"].to_crs(network.crs)
    places = places[places["category"] == "bank"].geometry
    return network, np.column_stack([places.x, places.y])


def test_along_a_single_street() -> None:
    """On one straight street the isochrone is a hexagon: |x| + |y| <= 330 m, cut at 100 m from the street."""
    network = network_of([(-1000, 0), (1000, 0)])
    (shape,) = isochrones(network, np.array([[0.0, 0.0]]), minutes=(5,), cell=5.0)
    expected = shapely.Polygon([(-330, 0), (-230, 100), (230, 100), (330, 0), (230, -100), (-230, -100)])
    assert shape.geom_type == "MultiPolygon"
    assert shape.is_valid
    assert shape.symmetric_difference(expected).area < 0.001 * expected.area
    assert shape.hausdorff_distance(expected) < 1.0


def test_a_block_too_deep_to_enter_is_a_hole() -> None:
    square = [(0, 0), (400, 0), (400, 400), (0, 400), (0, 0)]
    network = network_of([(x, y) for x, y in square])
    (shape,) = isochrones(network, np.array([[200.0, 0.0]]), minutes=(30,))
    assert len(shape.geoms) == 1
    (hole,) = shape.geoms[0].interiors
    expected = shapely.box(100, 100, 300, 300)
    assert shapely.Polygon(hole).symmetric_difference(expected).area < 0.003 * expected.area


def test_nothing_reached_is_none_and_bad_parameters_are_named() -> None:
    network = network_of([(0, 0), (100, 0)])
    assert isochrones(network, np.array([[0.0, 900.0]])).tolist() == [None, None, None]
    assert isochrones(network, np.empty((0, 2))).tolist() == [None, None, None]
    with pytest.raises(BadInput, match="minutes"):
        isochrones(network, np.array([[0.0, 0.0]]), minutes=(0,))
    with pytest.raises(BadInput, match="cell"):
        isochrones(network, np.array([[0.0, 0.0]]), cell=-10)


def wrong_shares(network: Network, places: np.ndarray, limit: int, shape: shapely.Geometry) -> tuple[float, float]:
    """(wrongly in, wrongly out) as shares of the points truly inside. Oracle: 20,000 points' own ways."""
    rng = np.random.default_rng(1)
    west, south, east, north = shapely.buffer(shape, 60).bounds
    points = np.column_stack([rng.uniform(west, east, 20_000), rng.uniform(south, north, 20_000)])
    key = at_places(network, search_from(network, snap(network, places), limit=limit), snap(network, points))
    exact = key_costs(key) <= limit
    shapely.prepare(shape)
    drawn = shapely.contains_xy(shape, points)
    return float((drawn & ~exact).sum() / exact.sum()), float((~drawn & exact).sum() / exact.sum())


@pytest.mark.parametrize("minutes", [5, 10, 15])
def test_polygons_agree_with_exact_walks(beijing: tuple[Network, np.ndarray], minutes: int) -> None:
    """Of one facility and of all together: at most 0.5 % of the area inside is wrong either way."""
    network, banks = beijing
    for places in (banks, banks[:1]):
        (shape,) = isochrones(network, places, minutes=(minutes,))
        wrong_in, wrong_out = wrong_shares(network, places, minutes * 60 * 110, shape)
        assert wrong_in < 0.005
        assert wrong_out < 0.005


@pytest.mark.parametrize("towards", [False, True])
def test_polygons_agree_with_exact_drives(towards: bool) -> None:
    """One-way streets of several speeds, in both directions: the leg to a street has a pace of its own."""
    rng = np.random.default_rng(2)
    lines = []
    for k in range(9):
        bends = np.column_stack([np.arange(9) * 130.0, np.full(9, k * 130.0)]) + rng.normal(0, 18, (9, 2))
        lines += [bends, bends[:, ::-1] + rng.normal(0, 18, (9, 2))]
    streets = gpd.GeoDataFrame(
        {
            "highway": rng.choice(["primary", "residential", "service"], len(lines)),
            "oneway": rng.choice(["yes", "no"], len(lines), p=[0.3, 0.7]),
        },
        geometry=[shapely.LineString(line) for line in lines],
        crs=CRS,
    )
    network = build_network(streets, mode="drive", nodes="crossings")
    network = reverse(network) if towards else network
    places, limit = np.array([[500.0, 480.0]]), PROFILES["car"].limit(2.5)
    (shape,) = isochrones(network, places, minutes=(2.5,), profile=PROFILES["car"])
    wrong_in, wrong_out = wrong_shares(network, places, limit, shape)
    assert shape.area > 2e5
    assert wrong_in < 0.005
    assert wrong_out < 0.005


def test_polygons_are_valid_nested_and_repeat(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    shapes = isochrones(network, banks)
    assert shapely.is_valid(shapes).all()
    assert sum(len(part.interiors) for part in shapes[2].geoms) > 0
    for inner, outer in pairwise(shapes):
        assert outer.covers(inner)
    assert all(one.equals_exact(other, 0.0) for one, other in zip(shapes, isochrones(network, banks), strict=True))


def test_one_facility_alone_with_a_shared_raster(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    raster = snap_raster(network, (*(network.coords.min(axis=0) - 100), *(network.coords.max(axis=0) + 100)))
    alone = isochrones(network, banks[:1], minutes=(10,))[0]
    shared = isochrones(network, banks[:1], minutes=(10,), raster=raster)[0]
    assert alone.equals_exact(shared, 1e-6), "the lattice does not depend on the raster's box"
    assert alone.difference(isochrones(network, banks, minutes=(10,))[0].buffer(5)).is_empty


def test_limits_in_any_order_and_twice(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    five, ten, again = isochrones(network, banks, minutes=(5, 10, 5))
    assert five.equals_exact(again, 0.0)
    assert ten.covers(five)


def test_a_raster_smaller_than_the_isochrone_cuts_it_off(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    x, y = banks[0]
    raster = snap_raster(network, (x - 200, y - 200, x + 200, y + 200))
    (part,), (whole,) = (isochrones(network, banks[:1], minutes=(15,), raster=given) for given in (raster, None))
    assert part.is_valid
    rows, columns = raster.shape
    box = shapely.box(raster.x, raster.y, raster.x + (columns - 1) * raster.step, raster.y + (rows - 1) * raster.step)
    assert part.symmetric_difference(whole.intersection(box)).area < 0.002 * part.area


def facilities_of(banks: np.ndarray, **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*banks.T), crs=CRS).to_crs("EPSG:4326")


def test_per_facility(beijing: tuple[Network, np.ndarray]) -> None:
    """Every facility as drawn alone, in order, whatever the threads; the one off the streets is left out."""
    network, banks = beijing
    places = np.vstack([banks[:3], [[0.0, 0.0]], banks[:1]])
    rows = facilities_of(places, facility_id=list("abcde"), note=list("vwxyz"))
    told: list[float] = []
    found = isochrones_per_facility(network, rows, minutes=(10, 5), threads=2, progress=lambda s, _: told.append(s))
    assert list(found.columns) == ["facility", "facility_id", "minutes", "geometry"]
    assert found["facility"].tolist() == [0, 0, 1, 1, 2, 2, 4, 4]
    assert found["facility_id"].tolist() == list("aabbccee")
    assert found["minutes"].tolist() == [5, 10] * 4
    assert told[-1] == 1.0
    assert found.crs == network.crs
    alone = isochrones(network, snap(network, banks[1:2]), minutes=(5, 10))
    assert all(a.symmetric_difference(b).area < 5.0 for a, b in zip(found.geometry[2:4], alone, strict=True))
    assert found.geometry[0].equals_exact(found.geometry[6], 0.0), "a facility given twice is drawn twice"
    one = isochrones_per_facility(network, rows, minutes=(5, 10), threads=1)
    assert one.geometry.geom_equals_exact(found.geometry, 0.0).all()


def test_merged_by_category_and_as_bands(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    rows = facilities_of(banks[:4], category=["shop", "bank", "bank", None])
    whole = merged_isochrones(network, rows)
    assert whole["category"].tolist() == ["", "", "", "bank", "bank", "bank", "shop", "shop", "shop"]
    assert whole["facilities"].tolist() == [1, 1, 1, 2, 2, 2, 1, 1, 1]
    bands = merged_isochrones(network, rows, bands=True)
    assert bands["minutes_from"].tolist() == [0, 5, 10] * 3
    assert bands["minutes"].tolist() == [5, 10, 15] * 3
    assert bands.geometry.is_valid.all()
    for name, parts in bands.groupby("category"):
        shapes, outer = parts.geometry.tolist(), whole[whole["category"] == name].geometry.iloc[-1]
        assert abs(sum(s.area for s in shapes) - outer.area) < 1e-4 * outer.area
        assert all(a.intersection(b).area < 1e-5 * a.area for a, b in pairwise(shapes))


def test_facilities_that_cannot_be(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    rows = facilities_of(banks[:1])
    assert len(isochrones_per_facility(network, rows[:0])) == 0
    assert len(merged_isochrones(network, rows[:0])) == 0
    assert len(isochrones_per_facility(network, facilities_of(np.zeros((1, 2))))) == 0
    with pytest.raises(BadInput, match="drive network"):
        isochrones_per_facility(network, rows, profile=PROFILES["car"])
    with pytest.raises(BadInput, match="600"):
        merged_isochrones(network, rows, minutes=(600,))
    with pytest.raises(BadInput, match="no minutes"):
        merged_isochrones(network, rows, minutes=())
    with pytest.raises(BadInput, match="too close"):
        isochrones_per_facility(network, rows, minutes=(5, 5 + 1e-9))
    with pytest.raises(BadInput, match=r"CRS|coordinate"):
        isochrones_per_facility(network, gpd.GeoDataFrame(geometry=[shapely.Point(1, 1)]))
