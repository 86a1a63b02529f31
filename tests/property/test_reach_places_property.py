"""Places on edges of random graphs: nearest, several nearest, reach sets and routes equal brute force, both ways.

The graphs have one-way, parallel and zero-length edges, loops, islands and edges whose cost is not their length; places
share edges, lie at their ends and off the network.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.network.model import CLOSED, Network, half_edges, lengths, reverse
from planning.reach import NO_LIMIT, Snapped, nearest_by_category, nearest_several, reach_sets, route, routes

NODES = 7
FEW = settings(max_examples=120, deadline=None)
node = st.integers(0, NODES - 1)
metre = st.integers(0, 4).map(lambda i: 37.0 * i)
point = st.tuples(metre, metre)
# ends, a bend or none, which ways are open, cost of each way in place of the length
street = st.tuples(
    node, node, st.none() | point, st.sampled_from(["both", "both", "there", "back"]),
    st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)),
)  # fmt: skip
spot = st.tuples(st.integers(-1, 11), st.sampled_from([0.0, 0.0, 0.3, 0.5, 0.777, 1.0]), st.sampled_from([0, 0, 1234]))


class Case(NamedTuple):
    network: Network
    origins: Snapped
    targets: Snapped


@st.composite
def cases(draw: st.DrawFn) -> Case:
    streets = draw(st.lists(street, min_size=1, max_size=12))
    network = graph(draw(st.lists(point, min_size=NODES, max_size=NODES)), streets, timed=draw(st.booleans()))
    origins, targets = (places(network, draw(st.lists(spot, max_size=6))) for _ in range(2))
    return Case(network, origins, targets)


def graph(xy: list[tuple[float, float]], streets: list, *, timed: bool) -> Network:
    shapes = [[xy[a], *([] if bend is None else [bend]), xy[b]] for a, b, bend, _, _ in streets]
    coords = np.array([vertex for shape in shapes for vertex in shape], np.float64)
    offsets = np.concatenate([[0], np.cumsum([len(shape) for shape in shapes])]).astype(np.int64)
    cm = np.rint(lengths(coords, offsets) * 100).astype(np.int32)
    cost = np.array(
        [costs if timed and whole else (whole, whole) for whole, (*_, costs) in zip(cm, streets, strict=True)], np.int32
    )
    ways = np.array([way for *_, way, _ in streets])
    forward, backward = np.where(ways == "back", CLOSED, cost[:, 0]), np.where(ways == "there", CLOSED, cost[:, 1])
    a, b = (np.array([street[end] for street in streets], np.int32) for end in (0, 1))
    indptr, neighbours, weights, half_edge = half_edges(a, b, forward, backward, NODES)
    x, y = np.array(xy).T
    return Network(
        crs="EPSG:4548", mode="drive" if timed else "walk", unit="ms" if timed else "cm", x=x, y=y, indptr=indptr,
        neighbours=neighbours, weights=weights, half_edge=half_edge, edge_from=a, edge_to=b, edge_cm=cm,
        edge_forward=forward.astype(np.int32), edge_backward=backward.astype(np.int32),
        edge_street=np.arange(len(cm), dtype=np.int32), edge_open=np.ones(len(cm), bool),
        edge_component=np.zeros(len(cm), np.int32), coords=coords, offsets=offsets,
        component_cm=np.array([cm.sum()]), component_used=np.ones(1, bool), access_pace=0.36 if timed else 1.0,
    )  # fmt: skip


def places(network: Network, spots: list[tuple[int, float, int]]) -> Snapped:
    edge = np.array([e if e < network.edges else -1 for e, _, _ in spots], np.int32)
    share = np.array([s for _, s, _ in spots])
    return Snapped(
        edge, np.rint(share * network.edge_cm[edge]).astype(np.int32), np.array([a for *_, a in spots], np.int32),
        np.zeros(len(spots), bool),
    )  # fmt: skip


def brute(case: Case) -> np.ndarray:
    """Cost from every origin to every target by Floyd–Warshall and every way to leave and to come; infinite: none."""
    n = case.network
    far = np.where(np.eye(NODES, dtype=bool), 0.0, np.inf)
    for e in range(n.edges):
        a, b = n.edge_from[e], n.edge_to[e]
        if n.edge_forward[e] >= 0:
            far[a, b] = min(far[a, b], n.edge_forward[e])
        if n.edge_backward[e] >= 0:
            far[b, a] = min(far[b, a], n.edge_backward[e])
    for k in range(NODES):
        far = np.minimum(far, far[:, [k]] + far[[k], :])

    def position(cost: int, offset: int, whole: int) -> int:
        return int(np.floor(cost * offset / whole + 0.5)) if whole else 0

    out = np.full((len(case.origins), len(case.targets)), np.inf)
    for i in range(len(case.origins)):
        for j in range(len(case.targets)):
            e, f = int(case.origins.edge[i]), int(case.targets.edge[j])
            if e < 0 or f < 0:
                continue
            o, t = int(case.origins.offset[i]), int(case.targets.offset[j])
            ahead = [(n.edge_forward[x], position(n.edge_forward[x], at, n.edge_cm[x])) for x, at in ((e, o), (f, t))]
            back = [(n.edge_backward[x], position(n.edge_backward[x], at, n.edge_cm[x])) for x, at in ((e, o), (f, t))]
            leave, come = [], []
            if ahead[0][0] >= 0:
                leave.append((n.edge_to[e], ahead[0][0] - ahead[0][1]))
            if back[0][0] >= 0:
                leave.append((n.edge_from[e], back[0][1]))
            if ahead[1][0] >= 0:
                come.append((n.edge_from[f], ahead[1][1]))
            if back[1][0] >= 0:
                come.append((n.edge_to[f], back[1][0] - back[1][1]))
            ways = [x + far[u, v] + y for u, x in leave for v, y in come]
            if e == f and (o == t or (t > o and ahead[0][0] >= 0)):
                ways.append(abs(ahead[1][1] - ahead[0][1]) if o != t else 0)
            if e == f and o > t and back[0][0] >= 0:
                ways.append(back[0][1] - back[1][1])
            legs = sum(int(np.rint(a * n.access_pace)) for a in (case.origins.access[i], case.targets.access[j]))
            out[i, j] = min(ways, default=np.inf) + legs
    return out


def first_of(cost: np.ndarray, rows: np.ndarray, limit: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` smallest costs and their rows, lower rows first among equals, -1 after the last within the limit."""
    chosen = sorted((c, row) for c, row in zip(cost, rows, strict=True) if c <= limit)[:k]
    chosen += [(-1, -1)] * (k - len(chosen))
    return tuple(np.array(column, np.int64) for column in zip(*chosen, strict=True))


limits = st.one_of(st.just(NO_LIMIT), st.integers(1, 60_000))


@FEW
@given(case=cases(), limit=limits, k=st.integers(1, 4), data=st.data())
def test_nearest_of_every_category_and_several(case: Case, limit: int, k: int, data: st.DataObject) -> None:
    """Facilities are the targets (people go to them: reversed network) and then the origins (vehicles leave them)."""
    cost = brute(case)
    for network, facilities, residences, table in (
        (reverse(case.network), case.targets, case.origins, cost),
        (case.network, case.origins, case.targets, cost.T),
    ):
        codes = data.draw(st.lists(st.integers(-1, 2), min_size=len(facilities), max_size=len(facilities)))
        category = np.array(codes, np.int32)
        one_cost, one_row = nearest_by_category(network, facilities, category, 3, residences, limit)
        costs, rows = nearest_several(network, facilities, category, residences, k, limit)
        assert costs.shape == rows.shape == (len(residences), max(codes, default=-1) + 1, k)
        assert one_cost.shape == (len(residences), 3)
        for r in range(len(residences)):
            for c in range(3):
                of = np.flatnonzero(category == c)
                expected_cost, expected_row = first_of(table[r, of], of, limit, k)
                assert (one_cost[r, c], one_row[r, c]) == (expected_cost[0], expected_row[0])
                if c < costs.shape[1]:
                    assert costs[r, c].tolist() == expected_cost.tolist()
                    assert rows[r, c].tolist() == expected_row.tolist()


@FEW
@given(case=cases(), limit=limits)
def test_reach_sets(case: Case, limit: int) -> None:
    cost = brute(case)
    found = reach_sets(case.network, case.origins, case.targets, limit)
    assert found.shape == cost.shape
    assert {array.dtype for array in (found.indptr, found.indices, found.data)} == {np.dtype(np.int32)}
    for i in range(len(cost)):
        inside = np.flatnonzero(cost[i] <= limit)
        mine = slice(found.indptr[i], found.indptr[i + 1])
        assert found.indices[mine].tolist() == inside.tolist()  # a target at its origin is there too, at cost 0
        assert found.data[mine].tolist() == cost[i, inside].tolist()


@FEW
@given(case=cases(), limit=limits)
def test_routes(case: Case, limit: int) -> None:
    cost, network = brute(case), case.network
    for i in range(len(cost)):
        origin = case.origins.take(np.array([i]))
        found = routes(network, origin, case.targets, limit)
        assert [way is not None for way in found] == (cost[i] <= limit).tolist()
        for j, way in enumerate(found):
            if way is None:
                continue
            assert way.cost == cost[i, j]
            legs = int(case.origins.access[i]) + int(case.targets.access[j])
            drawn = float(np.hypot(*np.diff(way.coords, axis=0).T).sum())
            assert abs(drawn + legs / 100 - way.metres) <= 0.01 * (len(way.coords) + network.edges)
            if network.unit == "cm":
                assert way.cost == round(way.metres * 100)
            for end, places_, row in ((way.coords[0], case.origins, i), (way.coords[-1], case.targets, j)):
                assert np.abs(end - on_street(network, places_, row)).max() <= 0.011
            alone = route(network, origin, case.targets.take(np.array([j])), limit)
            assert alone is not None
            assert alone.cost == way.cost
            assert np.array_equal(alone.coords, way.coords)


def on_street(network: Network, places_: Snapped, row: int) -> np.ndarray:
    import shapely

    e = places_.edge[row]
    line = shapely.LineString(network.coords[network.offsets[e] : network.offsets[e + 1]])
    return np.array(line.interpolate(places_.offset[row] / 100).coords[0])
