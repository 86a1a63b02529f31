"""OSMnx graphs as networks. Oracle: networkx' Dijkstra on the graph's own lengths, rounded to the cm edge by edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import pytest
import shapely

from data.graphml import read_graphml, streets_of_graph
from gisgrid.errors import BadInput
from planning.network import build_network, load_network, save_network
from planning.network.osmnx_adapter import network_and_nodes, network_of_osmnx


def made(crs: str = "epsg:32650") -> Any:
    """One-way, parallel, looped and zero-length edges; two streets of one shape but other lengths."""
    graph = nx.MultiDiGraph(crs=crs)
    for node, (x, y) in {7: (0, 0), 3: (100, 0), 9: (100, 80), 1: (0, 80), 4: (0, 80)}.items():
        graph.add_node(node, x=440_000.0 + x, y=4_420_000.0 + y)
    bent = shapely.LineString([(440_000, 4_420_000), (440_050, 4_420_040), (440_100, 4_420_000)])
    for u, v, length, shape in [
        (7, 3, 100.0, None), (3, 7, 100.0, None), (7, 3, 128.06, bent), (3, 7, 128.06, bent.reverse()),
        (7, 3, 250.004, None), (3, 9, 80.0, None), (9, 1, 100.006, None), (1, 7, 80.0, None), (9, 9, 30.0, None),
        (1, 4, 0.0, None), (4, 1, 0.0, None), (1, 7, 60.0, None),
    ]:  # fmt: skip
        graph.add_edge(u, v, length=length, **({"geometry": shape} if shape else {}))
    return graph


def check(graph: Any, mode: str = "walk", factor: float = 100.0, key: str = "length") -> None:
    network, ids = network_and_nodes(graph, mode)
    ours = nx.MultiDiGraph()
    ours.add_nodes_from(range(network.nodes))
    tails = np.repeat(np.arange(network.nodes), np.diff(network.indptr))
    ours.add_weighted_edges_from(
        zip(tails.tolist(), network.neighbours.tolist(), network.weights.tolist(), strict=True)
    )
    for _, _, data in graph.edges(data=True):
        data["whole"] = round(data[key] * factor)
    for source in (0, network.nodes // 3, network.nodes - 1):
        expected = nx.single_source_dijkstra_path_length(graph, ids[source], weight="whole")
        found = nx.single_source_dijkstra_path_length(ours, source)
        assert {ids[node]: cost for node, cost in found.items()} == expected


def test_a_made_graph() -> None:
    graph = made()
    check(graph)
    network = network_of_osmnx(graph)
    assert network.crs == "EPSG:32650", "a graph in metres stays as it is"
    assert network.stats["one_way"] == 6
    assert (network.nodes, network.edges) == (5, 9)
    assert network_of_osmnx(graph, both_ways=True).stats["one_way"] == 0
    saved = load_network(save_network(network))
    assert np.array_equal(saved.coords, network.coords)


def test_driving_takes_the_graphs_own_times() -> None:
    graph = made()
    for number, (_, _, data) in enumerate(graph.edges(data=True)):
        data["travel_time"] = 3.0 + number / 7
    check(graph, "drive", 1000.0, "travel_time")
    for _, _, data in graph.edges(data=True):
        del data["travel_time"]
        data["speed_kph"] = 36.0
    assert (network_of_osmnx(graph, "drive").edge_forward.max()) == 25_000


def test_a_real_extract(shared_data: Path) -> None:
    check(ox.graph_from_xml(shared_data / "beijing_tsinghua.osm", retain_all=True))


def test_a_saved_graph_is_a_street_layer(tmp_path: Path) -> None:
    graph = ox.project_graph(made(), to_crs="epsg:4326")
    ox.save_graphml(graph, tmp_path / "g.graphml")
    again = read_graphml(tmp_path / "g.graphml")
    check(again)
    streets = streets_of_graph(again)
    assert isinstance(streets, gpd.GeoDataFrame)
    walk, drive = build_network(streets), build_network(streets, mode="drive", min_component_share=0)
    assert walk.stats["one_way"] == 0
    assert drive.stats["one_way"] > 0


def test_bad_graphs_are_told_in_one_line(tmp_path: Path) -> None:
    without = made()
    del without.graph["crs"]
    bare = made()
    del bare.edges[7, 3, 0]["length"]
    lost = made()
    lost.nodes[7]["x"] = float("nan")
    alone = nx.MultiDiGraph(crs="epsg:4326")
    alone.add_node(1, x=116.0, y=39.0)
    cases = [
        (without, "coordinate system"), (bare, "7 → 3"), (lost, "node 7"), (alone, "no street"),
        (nx.Graph(), "MultiDiGraph"),
    ]  # fmt: skip
    for graph, words in cases:
        with pytest.raises(BadInput, match=words):
            network_of_osmnx(graph)
    with pytest.raises(BadInput, match="unknown network mode"):
        network_of_osmnx(made(), "fly")
    for name, content in (("a", "hello"), ("b", "<graphml/>"), ("c", '<?xml version="1.0"?><graphml><graph')):
        (tmp_path / f"{name}.graphml").write_text(content)
        with pytest.raises(BadInput, match="not a graph saved by OSMnx"):
            read_graphml(tmp_path / f"{name}.graphml")
    with pytest.raises(BadInput, match="no such file"):
        read_graphml(tmp_path / "none.graphml")


def test_a_graph_of_one_node_with_a_loop() -> None:
    graph = nx.MultiDiGraph(crs="epsg:32650")
    graph.add_node(5, x=440_000.0, y=4_420_000.0)
    ring = shapely.LineString([(440_000, 4_420_000), (440_010, 4_420_000), (440_010, 4_420_010), (440_000, 4_420_000)])
    graph.add_edge(5, 5, length=34.14, geometry=ring)
    graph.add_edge(5, 5, length=34.14, geometry=ring.reverse())
    network = network_of_osmnx(graph)
    assert (network.nodes, network.edges, network.stats["one_way"]) == (1, 1, 0)
