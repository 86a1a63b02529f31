"""Random street heaps: reach equals brute force, whatever the loops, parallel edges, islands and zero lengths."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import shortest_path

from planning.network import build_network
from planning.reach import nearest_metres, search_from
from planning.reach.snapping import snap

corner = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda c: (c[0] * 40.0, c[1] * 40.0))
bent = st.lists(corner, min_size=2, max_size=4).filter(lambda line: len(set(line)) > 1)
place = st.tuples(st.floats(-150, 390, width=32), st.floats(-150, 390, width=32))
SHORT = settings(max_examples=60, deadline=None)


def brute_metres(lines: list[list[tuple[float, float]]], facilities: np.ndarray, homes: np.ndarray) -> np.ndarray:
    """Walks by plain means: all vertices, Floyd–Warshall, every segment tried for every place."""
    segments = np.array([pair for line in lines for pair in pairwise(line) if pair[0] != pair[1]])
    vertices, ends = np.unique(segments.reshape(-1, 2), axis=0, return_inverse=True)
    ends = ends.reshape(-1, 2)
    metres = np.linalg.norm(segments[:, 0] - segments[:, 1], axis=1)
    n = len(vertices)
    table = np.full((n, n), np.inf)
    np.minimum.at(table, (ends[:, 0], ends[:, 1]), metres)
    np.minimum.at(table, (ends[:, 1], ends[:, 0]), metres)
    between = shortest_path(np.where(np.isinf(table), 0, table), method="FW")
    np.fill_diagonal(between, 0.0)

    shapes = shapely.linestrings(segments)

    def on_street(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        away = shapely.distance(shapely.points(points)[:, None], shapes[None, :])
        segment = away.argmin(axis=1)
        along = shapely.line_locate_point(shapes[segment], shapely.points(points))
        return segment, along, away.min(axis=1)

    fs, fa, fd = on_street(facilities)
    hs, ha, hd = on_street(homes)
    best = np.full(len(homes), np.inf)
    for i in range(len(homes)):
        if hd[i] > 100:
            continue
        for j in range(len(facilities)):
            if fd[j] > 100:
                continue
            ways = [abs(ha[i] - o) if e == f and hs[i] == fs[j] else np.inf for e, f, o in [(hs[i], fs[j], fa[j])]]
            for u, to_u in ((0, ha[i]), (1, metres[hs[i]] - ha[i])):
                for v, to_v in ((0, fa[j]), (1, metres[fs[j]] - fa[j])):
                    ways.append(to_u + between[ends[hs[i], u], ends[fs[j], v]] + to_v)
            best[i] = min(best[i], min(ways) + hd[i] + fd[j])
    return best


@SHORT
@given(
    lines=st.lists(bent, min_size=1, max_size=12),
    facilities=st.lists(place, min_size=1, max_size=4),
    homes=st.lists(place, min_size=1, max_size=6),
)
def test_walks_equal_brute_force(
    lines: list[list[tuple[float, float]]], facilities: list[tuple[float, float]], homes: list[tuple[float, float]]
) -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs="EPSG:4548")
    network = build_network(frame, min_component_share=0.0)
    there, here = np.array(facilities), np.array(homes)
    # a place equally near to two streets may go to either: such places prove nothing
    shapes = shapely.linestrings([p for line in lines for p in pairwise(line) if p[0] != p[1]])

    def clear(points: np.ndarray) -> np.ndarray:
        away = np.sort(shapely.distance(shapely.points(points)[:, None], shapes[None, :]))
        one = away.shape[1] == 1
        return (abs(away[:, 0] - 100) > 0.01) & (one or away[:, min(1, away.shape[1] - 1)] - away[:, 0] > 1e-6)

    there, here = there[clear(there)], here[clear(here)]
    if not len(there) or not len(here):
        return
    expected = brute_metres(lines, there, here)
    metres, nearest = nearest_metres(network, there, here)
    assert np.array_equal(np.isnan(metres), np.isinf(expected))
    assert np.array_equal(nearest < 0, np.isinf(expected))
    reached = ~np.isnan(metres)
    # edges, offsets and legs are rounded to the centimetre, each by half of one at most
    assert np.all(np.abs(metres[reached] - expected[reached]) <= 0.005 * (network.edges + 4) + 1e-6)


@SHORT
@given(
    lines=st.lists(bent, min_size=1, max_size=14),
    facilities=st.lists(place, min_size=1, max_size=5),
    limit=st.integers(1, 60000),
)
def test_node_costs_equal_scipy_and_owners_are_the_nearest(
    lines: list[list[tuple[float, float]]], facilities: list[tuple[float, float]], limit: int
) -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs="EPSG:4548")
    network = build_network(frame, min_component_share=0.0)
    sources = snap(network, np.array(facilities))
    n = network.nodes
    table = np.full((n, n), np.inf)
    row = np.repeat(np.arange(n), np.diff(network.indptr))
    np.minimum.at(table, (row, network.neighbours), network.weights.astype(float))
    joined = coo_matrix(np.where(np.isinf(table), 0, table))
    between = shortest_path(joined, method="D")
    each = np.full((len(facilities), n), np.inf)
    for f in np.flatnonzero(sources.ok):
        edge = sources.edge[f]
        ends = (
            (network.edge_from[edge], sources.offset[f]),
            (network.edge_to[edge], network.edge_cm[edge] - sources.offset[f]),
        )
        for node, along in ends:
            each[f] = np.minimum(each[f], between[node] + along + sources.access[f])
    expected = each.min(axis=0)
    expected[expected > limit] = np.inf
    costs = search_from(network, sources, limit=limit)
    ours = np.nan_to_num(costs.node_costs(), nan=np.inf)
    assert np.array_equal(ours, expected)
    owner = np.where(np.isinf(expected), -1, each.argmin(axis=0))  # argmin takes the first of equals, as the rule says
    assert np.array_equal(costs.node_nearest(), owner)
