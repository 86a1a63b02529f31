"""Random street heaps of all modes: the network's distances are those of its segments, uncontracted.

Oracle: SciPy's Dijkstra on the graph whose nodes are the vertices of the streets, nothing contracted, nothing rounded.
"""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra, shortest_path

from planning.network import CLOSED, Network, build_network, load_network, reverse, save_network

corner = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda c: (c[0] * 30.0, c[1] * 40.0))
# repeated corners give segments of no length, closed lines loops, equal lines parallel edges
bent = st.lists(corner, min_size=2, max_size=5).filter(lambda line: len(set(line)) > 1)
street = st.tuples(bent, st.booleans(), st.sampled_from([None, 10, 36, 60]))
SHORT = settings(max_examples=40, deadline=None)


def plain(
    heap: list[tuple[list[tuple[float, float]], bool, int | None]], closed: set[tuple[float, float]], mode: str
) -> tuple[list[tuple[float, float]], np.ndarray]:
    """(vertices, cost from each to each in cm or ms) without any of our code."""
    vertices = sorted({corner for line, _, _ in heap for corner in line})
    row = {corner: number for number, corner in enumerate(vertices)}
    table = np.full((len(vertices), len(vertices)), np.inf)
    for line, one_way, kmh in heap:
        for a, b in pairwise(line):
            cm = 100 * float(np.hypot(a[0] - b[0], a[1] - b[1]))
            cost = cm * 36 / (kmh or 25) if mode == "drive" else cm
            # nobody comes through a closed vertex: each street ends there alone
            if a == b or a in closed or b in closed:
                continue
            table[row[a], row[b]] = min(table[row[a], row[b]], cost)
            if mode == "walk" or not one_way:
                table[row[b], row[a]] = min(table[row[b], row[a]], cost)
    between = shortest_path(np.where(np.isinf(table), 0, table), method="D")
    np.fill_diagonal(between, 0)
    return vertices, between


def ours(network: Network) -> np.ndarray:
    table = np.full((network.nodes, network.nodes), np.inf)
    tails = np.repeat(np.arange(network.nodes), np.diff(network.indptr))
    np.minimum.at(table, (tails, network.neighbours), network.weights.astype(float))
    between = dijkstra(np.where(np.isinf(table), 0, table))
    np.fill_diagonal(between, 0)
    return between


@SHORT
@given(
    heap=st.lists(street, min_size=1, max_size=10),
    gates=st.sets(corner, max_size=3),
    mode=st.sampled_from(["walk", "bicycle", "drive"]),
)
def test_distances_are_those_of_the_uncontracted_streets(
    heap: list[tuple[list[tuple[float, float]], bool, int | None]], gates: set[tuple[float, float]], mode: str
) -> None:
    frame = gpd.GeoDataFrame(
        {"oneway": [one_way for _, one_way, _ in heap], "speed": [kmh for _, _, kmh in heap]},
        geometry=[shapely.LineString(line) for line, _, _ in heap],
        crs="EPSG:4548",
    )
    columns = {"foot": [False] * len(gates), "bicycle": [False] * len(gates), "car": [False] * len(gates)}
    points = gpd.GeoDataFrame(columns, geometry=[shapely.Point(gate) for gate in sorted(gates)], crs="EPSG:4548")
    network = build_network(frame, mode=mode, barriers=points)
    vertices, expected = plain(heap, gates, mode)
    row = {corner: number for number, corner in enumerate(vertices)}
    at = [row.get((x, y), -1) for x, y in zip(network.x.tolist(), network.y.tolist(), strict=True)]
    inside = [node for node, place in enumerate(at) if place >= 0 and vertices[place] not in gates]
    found = ours(network)[np.ix_(inside, inside)]
    wanted = expected[np.ix_([at[node] for node in inside], [at[node] for node in inside])]
    assert np.array_equal(np.isinf(found), np.isinf(wanted))
    reached = ~np.isinf(wanted)
    # every edge is rounded to the cm, then its time to the ms
    pace = 3.6 if mode == "drive" else 1.0
    assert np.abs(found[reached] - wanted[reached]).max(initial=0) <= (0.5 * pace + 0.5) * network.edges + 1e-6
    assert np.array_equal(ours(reverse(network)), ours(network).T)
    check_pieces(network)
    again = load_network(save_network(network))
    assert again.coords.tobytes() == network.coords.tobytes()
    assert again.weights.tobytes() == network.weights.tobytes()


def check_pieces(network: Network) -> None:
    """Within a piece everybody reaches everybody; nothing else is used as long as there is a piece."""
    between = ours(network)
    strong = network.stats["pieces"]
    for piece in range(strong):
        edges = network.edge_component == piece
        nodes = np.unique(np.concatenate([network.edge_from[edges], network.edge_to[edges]]))
        assert np.isfinite(between[np.ix_(nodes, nodes)]).all()
    ends = network.edge_component >= strong
    there, back = network.edge_from[ends], network.edge_to[ends]
    assert not (np.isfinite(between[there, back]) & np.isfinite(between[back, there])).any()
    assert not network.component_used[max(strong, 1) :].any()
    assert network.component_cm.sum() == network.edge_cm.sum()
    closed_both = (network.edge_forward == CLOSED) & (network.edge_backward == CLOSED)
    assert not closed_both.any()
