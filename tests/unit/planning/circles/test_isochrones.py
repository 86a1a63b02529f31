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
from planning.circles.isochrones import CELLS_MAX, isochrones, snap_raster
from planning.network import Network, build_network
from planning.reach import nearest_metres
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
    assert shape.symmetric_difference(expected).area < 0.01 * expected.area
    assert shape.hausdorff_distance(expected) < 7.5


def test_a_block_too_deep_to_enter_is_a_hole() -> None:
    square = [(0, 0), (400, 0), (400, 400), (0, 400), (0, 0)]
    network = network_of([(x, y) for x, y in square])
    (shape,) = isochrones(network, np.array([[200.0, 0.0]]), minutes=(30,))
    assert len(shape.geoms) == 1
    (hole,) = shape.geoms[0].interiors
    expected = shapely.box(100, 100, 300, 300)
    assert shapely.Polygon(hole).symmetric_difference(expected).area < 0.05 * expected.area


def test_nothing_reached_is_none_and_bad_parameters_are_named() -> None:
    network = network_of([(0, 0), (100, 0)])
    assert isochrones(network, np.array([[0.0, 900.0]])).tolist() == [None, None, None]
    assert isochrones(network, np.empty((0, 2))).tolist() == [None, None, None]
    with pytest.raises(BadInput, match="minutes"):
        isochrones(network, np.array([[0.0, 0.0]]), minutes=(0,))
    with pytest.raises(BadInput, match="cell"):
        isochrones(network, np.array([[0.0, 0.0]]), cell=-10)


def test_large_places_get_larger_cells() -> None:
    network = network_of([(0, 0), (60_000, 60_000)])
    raster = snap_raster(network, (0, 0, 60_000, 60_000), cell=10.0)
    assert raster.cell == 20.0
    assert raster.edge.size <= CELLS_MAX


def test_raster_cells_are_snapped_as_places_are(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    x, y = banks.mean(axis=0)
    raster = snap_raster(network, (x - 400, y - 400, x + 400, y + 400), cell=10.0)
    rows, columns = raster.edge.shape
    east, north = np.meshgrid(raster.x + 10.0 * np.arange(columns), raster.y + 10.0 * np.arange(rows))
    exact = snap(network, np.column_stack([east.ravel(), north.ravel()]))
    near = raster.access.ravel() <= 99.9
    assert np.array_equal(exact.ok[near], raster.edge.ravel()[near] >= 0)
    assert np.allclose(raster.access.ravel()[near], exact.access[near] / 100, atol=0.01)
    same = raster.edge.ravel() == exact.edge
    assert same[near].mean() > 0.99, "ties at junctions may go either way, nothing else"
    assert np.all(np.abs(raster.offset.ravel() - exact.offset)[near & same] <= 2)


def test_polygons_agree_with_exact_walks(beijing: tuple[Network, np.ndarray]) -> None:
    """Oracle: the walk of 20,000 random points, snapped exactly."""
    network, banks = beijing
    minutes = (5, 10, 15)
    shapes = isochrones(network, banks, minutes=minutes)
    rng = np.random.default_rng(1)
    west, south, east, north = shapes[2].bounds
    points = np.column_stack([rng.uniform(west, east, 20_000), rng.uniform(south, north, 20_000)])
    metres, _ = nearest_metres(network, banks, points)
    for limit, shape in zip(minutes, shapes, strict=True):
        shapely.prepare(shape)
        drawn = shapely.contains_xy(shape, points)
        exact = metres <= limit * 66
        wrong_in, wrong_out = (drawn & ~exact).sum() / exact.sum(), (~drawn & exact).sum() / exact.sum()
        assert wrong_in < 0.02, (limit, wrong_in)
        assert wrong_out < 0.02, (limit, wrong_out)


def test_polygons_are_valid_nested_and_repeat(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    shapes = isochrones(network, banks)
    assert shapely.is_valid(shapes).all()
    assert sum(len(part.interiors) for part in shapes[2].geoms) > 0
    for inner, outer in pairwise(shapes):
        assert inner.difference(outer).area < 1e-3 * inner.area
    assert all(one.equals_exact(other, 0.0) for one, other in zip(shapes, isochrones(network, banks), strict=True))


def test_one_facility_alone_with_a_shared_raster(beijing: tuple[Network, np.ndarray]) -> None:
    network, banks = beijing
    raster = snap_raster(network, (*(network.coords.min(axis=0) - 100), *(network.coords.max(axis=0) + 100)))
    alone = isochrones(network, banks[:1], minutes=(10,))[0]
    shared = isochrones(network, banks[:1], minutes=(10,), raster=raster)[0]
    assert alone.symmetric_difference(shared).area < 1.0
    assert alone.difference(isochrones(network, banks, minutes=(10,))[0].buffer(5)).is_empty
