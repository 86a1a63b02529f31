"""Snapping to the nearest street: against every segment tried one by one, and by hand where it is known."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.osm import read_osm
from planning.network import Network, build_network
from planning.reach.snapping import segment_index, snap

CRS = "EPSG:4548"


def network_of(*lines: list[tuple[float, float]], **columns: list[bool]) -> Network:
    return build_network(gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS))


def on_edge(network: Network, edge: int, cm: int) -> shapely.Point:
    shape = network.coords[network.offsets[edge] : network.offsets[edge + 1]]
    return shapely.LineString(shape).interpolate(cm / 100)


def test_offset_runs_along_the_bends_of_an_edge() -> None:
    network = network_of([(0, 0), (100, 0), (100, 50)])
    snapped = snap(network, np.array([[30.0, 7.0], [104.0, 20.0], [-3.0, -4.0], [100.0, 80.0]]))
    assert (snapped.edge == 0).all()
    start = (network.x[network.edge_from[0]], network.y[network.edge_from[0]])
    along = np.array([3000, 12000, 0, 15000])
    assert snapped.offset.tolist() == (along if start == (0, 0) else 15000 - along).tolist()
    assert snapped.access.tolist() == [700, 400, 500, 3000]
    assert len(snapped) == 4
    assert snapped.take(np.array([1])).access.tolist() == [400]


def test_off_the_network_is_minus_one() -> None:
    network = network_of([(0, 0), (100, 0)])
    spots = np.array([[50.0, 100.0], [50.0, 100.001], [np.nan, 0.0], [0.0, np.inf], [170.0, 70.0]])
    snapped = snap(network, spots)
    assert snapped.ok.tolist() == [True, False, False, False, True]
    assert snap(network, spots, max_metres=50).ok.tolist() == [False] * 5
    assert len(snap(network, np.empty((0, 2)))) == 0


def test_bridges_tunnels_and_small_pieces_are_passed_over() -> None:
    lines = ([(0, 0), (500, 0)], [(500, 0), (600, 0)], [(600, 0), (1100, 0)], [(50, 20), (55, 20)])
    network = network_of(*lines, bridge=[False, True, False, False])
    snapped = snap(network, np.array([[540.0, 0.0], [52.0, 18.0]]))
    assert snapped.access.tolist() == [4000, 1800]
    assert snapped.detached.tolist() == [False, True]
    whole_bridge = network_of([(0, 0), (100, 0)], bridge=[True])
    assert not snap(whole_bridge, np.array([[50.0, 1.0]])).ok.any()


def test_equally_near_streets_give_the_same_answer_whatever_the_order_of_places() -> None:
    network = network_of([(0, 0), (100, 0)], [(0, 40), (100, 40)], [(0, 0), (0, 40)])
    spots = np.array([[50.0, 20.0], [20.0, 20.0], [0.0, 0.0], [70.0, 20.0]])
    there, back = snap(network, spots), snap(network, spots[::-1])
    assert there.edge.tolist() == back.edge[::-1].tolist()
    assert there.offset.tolist() == back.offset[::-1].tolist()


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm"])
def test_real_streets_against_shapely(shared_data: Path, name: str) -> None:
    """Oracle: distance to the union of all usable edges; the told point of the told edge is that far away."""
    network = build_network(read_osm(shared_data / name)["streets"])
    usable = np.flatnonzero(network.edge_open & network.component_used[network.edge_component])
    index = segment_index(network)
    rng = np.random.default_rng(5)
    low, high = network.coords.min(axis=0) - 200, network.coords.max(axis=0) + 200
    spots = rng.uniform(low, high, (400, 2))
    spots[:50] = network.coords[rng.integers(0, len(network.coords), 50)]  # vertices themselves
    snapped = snap(network, spots, index=index)
    lines = [shapely.LineString(network.coords[network.offsets[e] : network.offsets[e + 1]]) for e in usable]
    away = shapely.distance(shapely.multilinestrings(lines), shapely.points(spots))
    assert np.array_equal(snapped.ok, away <= 100)
    assert np.abs(snapped.access[snapped.ok] / 100 - away[snapped.ok]).max() <= 0.005 + 1e-9
    assert set(snapped.edge[snapped.ok]) <= set(usable.tolist())
    told = [on_edge(network, e, cm) for e, cm in zip(snapped.edge, snapped.offset, strict=True) if e >= 0]
    metres = shapely.distance(told, shapely.points(spots[snapped.ok]))
    # offsets are whole centimetres
    assert np.abs(metres - away[snapped.ok]).max() <= 0.011
