"""Random streets: what isochrones promise, held against every sampled point's own way."""

from __future__ import annotations

import importlib
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.circles.facilities import disjoint
from planning.circles.isochrones import contour, furthest_metres, isochrones
from planning.circles.raster import snap_raster
from planning.network import Network, build_network
from planning.reach import PROFILES, at_places, key_costs, search_from
from planning.reach.snapping import Snapped, snap

# off the lattice, so that no lattice point is equally near to two streets
corner = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda c: (c[0] * 61.3 + 0.37, c[1] * 58.9 + 0.61))
bent = st.lists(corner, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
place = st.tuples(st.floats(-120, 480, width=32), st.floats(-120, 480, width=32))
SHORT = settings(max_examples=40, deadline=None)
ISOCHRONES = importlib.import_module("planning.circles.isochrones")  # the package's function has its name


def streets(lines: list[list[tuple[float, float]]], mode: str, oneway: list[bool]) -> Network:
    frame = gpd.GeoDataFrame(
        {
            "highway": [("residential", "primary", "service")[len(line) % 3] for line in lines],
            "oneway": ["yes" if oneway[i % len(oneway)] else None for i in range(len(lines))],
        },
        geometry=[shapely.LineString(line) for line in lines],
        crs="EPSG:4548",
    )
    return build_network(frame, mode=mode, nodes="crossings", min_component_share=0.0)


def costs_of(network: Network, places: Snapped, limit: int, points: np.ndarray) -> np.ndarray:
    """Cost of points, infinite beyond the limit."""
    key = at_places(network, search_from(network, places, limit=limit + 100), snap(network, points))
    return np.nan_to_num(key_costs(key), nan=np.inf)


@SHORT
@given(
    lines=st.lists(bent, min_size=1, max_size=12),
    facilities=st.lists(place, min_size=1, max_size=3),
    mode=st.sampled_from(["walk", "drive"]),
    oneway=st.lists(st.booleans(), min_size=1, max_size=4),
    minutes=st.floats(0.5, 5.0),
    seed=st.integers(0, 2**31),
)
def test_a_wrong_point_is_within_a_lattice_square_of_the_line(
    lines: list[list[tuple[float, float]]], facilities: list[tuple[float, float]], mode: str, oneway: list[bool],
    minutes: float, seed: int,
) -> None:  # fmt: skip
    """Oracle: each point's own way. A point drawn wrongly has a corner of its square on the other side."""
    network = streets(lines, mode, oneway)
    places = snap(network, np.array(facilities))
    profile = PROFILES["adult" if mode == "walk" else "car"]
    limit = profile.limit(minutes if mode == "walk" else minutes / 20)
    raster = snap_raster(network, (-300, -300, 800, 800))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ISOCHRONES, "SPECK_CELLS", 0.0)
        (shape,) = contour(network, search_from(network, places, limit=limit), raster, [limit])
    points = np.random.default_rng(seed).uniform(-220, 580, (1500, 2))
    exact = costs_of(network, places, limit, points) <= limit
    if shape is None:
        shape = shapely.MultiPolygon()
    wrong = np.flatnonzero(exact != shapely.contains_xy(shape, points))
    low = np.floor((points[wrong] - [raster.x, raster.y]) / raster.step)
    near_limit = 5 * network.access_pace  # costs are whole numbers, the field is not
    excused = np.zeros(len(wrong), bool)
    for right, up in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner_at = np.array([raster.x, raster.y]) + raster.step * (low + np.array([right, up]))
        cost = costs_of(network, places, limit, corner_at)
        far = snap(network, corner_at, max_metres=105).access
        excused |= (cost <= limit) != exact[wrong]
        excused |= (np.abs(cost - limit) <= near_limit) | (np.abs(far - 10_000) <= 5)
    assert excused.all(), points[wrong[~excused]]


@SHORT
@given(
    lines=st.lists(bent, min_size=1, max_size=12),
    facilities=st.lists(place, min_size=1, max_size=3),
    mode=st.sampled_from(["walk", "drive"]),
    oneway=st.lists(st.booleans(), min_size=1, max_size=4),
    cell=st.sampled_from([4.0, 10.0, 33.0]),
)
def test_polygons_are_valid_and_nested_and_bands_disjoint(
    lines: list[list[tuple[float, float]]], facilities: list[tuple[float, float]], mode: str, oneway: list[bool],
    cell: float,
) -> None:  # fmt: skip
    network = streets(lines, mode, oneway)
    profile = PROFILES["adult" if mode == "walk" else "car"]
    minutes = (1.0, 2.0, 2.05, 4.0) if mode == "walk" else (0.05, 0.1, 0.1025, 0.2)
    shapes = isochrones(network, np.array(facilities), minutes=minutes, profile=profile, cell=cell)
    present = [shape for shape in shapes if shape is not None]
    assert [shape is None for shape in shapes] == sorted((shape is None for shape in shapes), reverse=True)
    assert all(shape.geom_type == "MultiPolygon" and shape.is_valid and not shape.is_empty for shape in present)
    for inner, outer in pairwise(present):
        assert outer.covers(inner)
    assert furthest_metres(network, profile.limit(minutes[-1])) > 0
    bands = [band for band in disjoint(shapes) if band is not None]
    assert shapely.is_valid(bands).all()
    for one, other in pairwise(bands):
        assert shapely.intersection(one, other).area < 0.01 * one.length, "rounding to the centimetre, no more"
    if present:
        assert abs(sum(band.area for band in bands) - present[-1].area) < 0.01 * sum(s.length for s in present)
    again = isochrones(network, np.array(facilities), minutes=minutes[::-1], profile=profile, cell=cell)[::-1]
    assert [s is not None and s.wkb for s in shapes] == [s is not None and s.wkb for s in again]
