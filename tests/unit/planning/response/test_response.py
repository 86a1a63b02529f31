"""Vehicles on hand-made streets whose every drive is known by arithmetic, and against SciPy's Dijkstra."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from data.sample import make_sample
from gisgrid.errors import BadInput
from planning.network import CLOSED, build_network
from planning.places import inner_points
from planning.reach import NO_LIMIT, snap
from planning.response import ResponseResult, response_circles, two_first
from planning.response.promise import dense

CRS = "EPSG:4548"
ORIGIN = np.array([500_000.0, 3_900_000.0])
MS = 144.0
"""Milliseconds of a metre at 25 km/h; a metre of last leg at 10 km/h is 360."""
HOMES = ((100, 10), (1000, 10), (2000, 10), (3900, 10), (1000, 150))
PEOPLE = (1, 2, 4, 8, 100)


def _points(spots: Any, **columns: Any) -> gpd.GeoDataFrame:
    xy = np.asarray(spots, np.float64).reshape(-1, 2) + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), crs=CRS)


def _streets(*lines: Any, **columns: Any) -> gpd.GeoDataFrame:
    shapes = [shapely.LineString(np.asarray(line, float) + ORIGIN) for line in lines]
    return gpd.GeoDataFrame({"highway": ["residential"] * len(lines)} | columns, geometry=shapes, crs=CRS)


def _boxes(*boxes: Any, **columns: Any) -> gpd.GeoDataFrame:
    moved = [shapely.transform(shapely.box(*box), lambda xy: xy + ORIGIN) for box in boxes]
    return gpd.GeoDataFrame(columns, geometry=moved, crs=CRS)


def _run(**changes: Any) -> ResponseResult:
    given: dict[str, Any] = {
        "streets": _streets([(0, 0), (4000, 0)]),
        "stations": _points([(0, -10), (4000, -10)], name=["west", "east"]),
        "residences": _points(HOMES, population=PEOPLE),
        "town": _boxes((-100, -100, 1500, 400)),
        "minutes": 2.5,
        "outside_minutes": 5.0,
    } | changes
    return response_circles(given.pop("streets"), given.pop("stations"), given.pop("residences"), **given)


def test_times_are_what_arithmetic_says() -> None:
    result = _run()
    rows = result.residences
    metres = np.array([[100, 3900], [1000, 3000], [2000, 2000], [100, 3900]])
    assert np.allclose(rows[["seconds", "second_seconds"]].to_numpy()[:4], (metres * MS + 20 * 360) / 1000, atol=0.002)
    assert rows["station"].tolist() == ["west", "west", "west", "east", None]
    assert rows["second_station"].tolist() == ["east", "east", "east", "west", None]
    assert rows["town"].tolist() == [True, True, False, False, True]
    assert rows["assessable"].tolist() == [True] * 4 + [False]
    # 1000 m take 151.2 s: more than the 150 s of the town
    assert rows["inside"].tolist() == [True, False, True, True, None]
    promise = result.report["promise"]
    assert promise["all"]["residents"] == {"total": 115, "assessed": 15, "reached": 15, "inside": 13, "share": 0.866667}
    assert promise["in_town"]["residents"]["share"] == 0.333333
    assert promise["outside"]["residents"]["share"] == 1.0
    assert result.report["ties"] == 1, "the place half way; the first station of the layer has it"
    json.dumps(result.report)


def test_turnout_and_the_moment_count() -> None:
    plain, late, slow = _run(), _run(turnout=30.0), _run(factor=0.5)
    seconds = [result.residences["seconds"].to_numpy()[:4] for result in (plain, late, slow)]
    assert np.allclose(seconds[1], seconds[0] + 30, atol=0.001)
    assert np.allclose(seconds[2], seconds[0] * 2, atol=0.001)
    assert late.residences["inside"].tolist()[:4] == [True, False, False, True], "295.2 + 30 s are over 5 minutes"


def test_one_way_streets_bind_the_way_out() -> None:
    """A square driven clockwise only: the place just behind the station is the last one reached."""
    ring = _streets([(0, 0), (0, 500), (500, 500), (500, 0), (0, 0)], oneway=[True])
    rows = _run(streets=ring, stations=_points([(0, 100)]), residences=_points([(0, 90), (0, 110)])).residences
    assert rows["seconds"].tolist() == pytest.approx([1990 * MS / 1000, 10 * MS / 1000], abs=0.01)


def test_one_more_station_out() -> None:
    told = {row["station"]: row for row in _run().report["outages"]}
    # the east takes all of the west's: nobody but the place half way is still inside
    assert told["west"]["residents_lost_if_out"] == 1
    assert told["west"]["share_if_out"] == round(12 / 15, 6)
    assert told["west"]["taken_over_by"] == [
        {"station": "east", "residents": 7, "buildings": 3, "residents_before": 8, "residents_then": 15}
    ]
    alone = _run(stations=_points([(0, -10)])).report["outages"]
    assert (alone[0]["residents_unreached_if_out"], alone[0]["taken_over_by"]) == (15, [])


def test_each_outage_is_what_a_run_without_the_station_gives() -> None:
    rng = np.random.default_rng(5)
    lines = [[(x, 0), (x, 2000)] for x in range(0, 2001, 400)] + [[(0, y), (2000, y)] for y in range(0, 2001, 400)]
    given = {
        "streets": _streets(*lines), "nodes": "crossings", "minutes": 3.0, "town": _boxes((-100, -100, 2100, 2100)),
        "residences": _points(rng.uniform(0, 2000, (80, 2)), population=rng.integers(0, 9, 80)),
    }  # fmt: skip
    stations = _points(rng.uniform(0, 2000, (5, 2)), name=list("abcde"))
    whole = _run(stations=stations, **given).report["outages"]
    for row in range(5):
        without = _run(stations=stations.drop(index=row), **given).report["promise"]["all"]["residents"]["share"]
        assert whole[row]["share_if_out"] == without


def test_grids_are_judged_by_their_residents() -> None:
    grids = _boxes((-50, -50, 500, 300), (500, -50, 4100, 300), (0, 500, 9, 509), code=["a", "b", "c"])
    result = _run(grids=grids, grid_share=0.85)
    assert result.grids is not None
    assert result.grids["inside_all"].tolist() == [True, False, None]
    assert result.grids["inside_most"].tolist() == [True, True, None]
    assert result.grids["station"].tolist() == ["west", "east", None]
    figures = result.report["grids"][0]
    assert (figures["judged"], figures["inside_all"], figures["inside_most"], figures["without_residents"]) == (
        2,
        1,
        2,
        1,
    )
    assert result.districts.set_index("station")["square_metres"].loc[["west", "east"]].tolist() == [192_500, 1_260_000]


def test_districts_of_places_have_no_gap_and_no_overlap() -> None:
    rng = np.random.default_rng(1)
    lines = [[(x, 0), (x, 2000)] for x in range(0, 2001, 200)] + [[(0, y), (2000, y)] for y in range(0, 2001, 200)]
    stations = _points(rng.uniform(0, 2000, (7, 2)))
    homes = _points(rng.uniform(0, 2000, (300, 2)), population=[1] * 300)
    grids = _boxes((-400, -300, 2300, 2500), code=["a"])
    given = {"streets": _streets(*lines), "nodes": "crossings", "stations": stations, "residences": homes}
    result = _run(grids=grids, districts="raster", **given)
    shapes = result.districts.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.union_all(shapes).symmetric_difference(grids.geometry.iloc[0]).area < 1e-3
    assert shapely.area(shapes).sum() == pytest.approx(2700 * 2800, abs=1e-3)
    # drawn lines are thinned, and half way between two streets one street's station ends and the other's begins
    rows = result.residences[result.residences["assessable"]]
    place, owner = shapely.STRtree(shapes).query(rows.geometry, predicate="intersects")
    same = result.districts["station"].to_numpy()[owner] == rows["station"].to_numpy()[place]
    assert len(np.unique(place)) == len(rows)
    assert same.mean() > 0.95
    bare = _run(**given).districts.geometry.to_numpy()
    assert shapely.coverage_is_valid(bare)


@pytest.mark.parametrize("seed", range(4))
def test_first_and_second_equal_dijkstra_to_the_millisecond(seed: int) -> None:
    """A sample town with random one-way streets: all times from each station by SciPy, the two least of each node."""
    streets = make_sample("mingfeng", seed=seed + 1).layers["streets"]
    rng = np.random.default_rng(seed)
    streets["oneway"] = rng.random(len(streets)) < 0.3
    network = build_network(streets, mode="drive")
    ends = np.column_stack([network.x, network.y])
    chosen = rng.choice(np.flatnonzero(np.diff(network.indptr) > 0), 6, replace=False)
    stations, places = snap(network, ends[chosen]), snap(network, ends)
    found = two_first(network, stations, places, limit=NO_LIMIT)
    there, back = network.edge_forward != CLOSED, network.edge_backward != CLOSED
    nodes = network.nodes
    # a node for each place on an edge: what is left of the edge on both sides
    cm = np.maximum(network.edge_cm.astype(np.int64), 1)

    def arcs(edge: Any, offset: Any, node: Any, out: bool) -> list[tuple[Any, Any, Any]]:
        forward, backward = network.edge_forward[edge].astype(np.int64), network.edge_backward[edge].astype(np.int64)
        ahead = (forward * offset + cm[edge] // 2) // cm[edge]
        behind = (backward * (cm[edge] - offset) + cm[edge] // 2) // cm[edge]
        one, other = (forward != CLOSED), (backward != CLOSED)
        if out:
            return [
                (node[one], network.edge_to[edge][one], (forward - ahead)[one]),
                (node[other], network.edge_from[edge][other], (backward - behind)[other]),
            ]
        return [
            (network.edge_from[edge][one], node[one], ahead[one]),
            (network.edge_to[edge][other], node[other], behind[other]),
        ]

    ok = np.flatnonzero(places.ok)
    triples = [
        (network.edge_from[there], network.edge_to[there], network.edge_forward[there]),
        (network.edge_to[back], network.edge_from[back], network.edge_backward[back]),
        *arcs(places.edge[ok], places.offset[ok].astype(np.int64), nodes + ok, False),
        *arcs(stations.edge, stations.offset.astype(np.int64), nodes + len(places) + np.arange(6), True),
    ]
    source, target, cost = (np.concatenate(part).astype(np.int64) for part in zip(*triples, strict=True))
    size = nodes + len(places) + 6
    order = np.lexsort((cost, target, source))
    source, target, cost = source[order], target[order], cost[order]
    first = np.ones(len(source), bool)
    first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
    # SciPy takes a stored zero for no edge: all costs a quarter more, far below a millisecond in all
    graph = coo_matrix((cost[first] + 1e-6, (source[first], target[first])), shape=(size, size)).tocsr()
    table = dijkstra(graph, indices=nodes + len(places) + np.arange(6))[:, nodes : nodes + len(places)]
    table = np.rint(table) + np.rint(stations.access * network.access_pace)[:, None]
    table += np.rint(places.access * network.access_pace)
    same_edge = stations.edge[:, None] == places.edge[None]
    table[same_edge] = np.nan  # straight along the edge, which this graph does not know
    table[:, ~places.ok] = np.inf
    known = places.ok & ~same_edge.any(axis=0)
    least = np.sort(table, axis=0)[:2].T
    ours = np.where(np.isnan(found.cost), np.inf, found.cost)
    assert known.sum() > 20
    assert (ours[known] == least[known]).all()
    rank = np.argsort(table, axis=0, kind="stable")[:2].T
    assert (found.station[known] == np.where(np.isinf(least[known]), -1, rank[known])).all()


def test_town_is_told_by_what_is_there() -> None:
    given: dict[str, Any] = {"town": None}
    by_column = _run(residences=_points(HOMES, population=PEOPLE, town=["是", "no", "yes", None, "0"]), **given)
    assert by_column.residences["town"].tolist() == [True, False, True, False, False]
    grids = _boxes((-50, -50, 1500, 400), (1500, -50, 4100, 400), code=["a", "b"], town=[True, False])
    by_grid = _run(grids=grids, **given)
    assert by_grid.residences["town"].tolist() == [True, True, False, False, True]
    half = _run(town=_boxes((-50, -50, 1500, 400), (1500, -50, 4100, 400), town=[0, 1])).residences["town"]
    assert half.tolist() == [False, False, True, True, False]
    by_people = _run(town_density=102, **given)
    assert by_people.residences["town"].tolist() == [False, True, False, False, True]
    assert by_people.report["town"] == "102 residents or more in the square kilometre about a place"


def test_density_counts_the_cells_about_a_place() -> None:
    rng = np.random.default_rng(0)
    xy, people = rng.uniform(-3000, 3000, (200, 2)), rng.integers(0, 9, 200).astype(float)
    cell = np.floor(xy / 200)
    near = (np.abs(cell[:, None] - cell[None]) <= 2).all(axis=2)
    assert dense(xy, people).tolist() == (near @ people).tolist()
    assert dense(np.array([[np.nan, 1.0]]), np.ones(1)).tolist() == [0.0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"minutes": 0.0}, "minutes 0 is not above 0"),
        ({"outside_minutes": 600.0}, "minutes outside town 600 is not above 0 and at most 120"),
        ({"minutes": float("nan")}, "minutes nan"),
        ({"turnout": -1.0}, "turn-out -1 s"),
        ({"turnout": 150.0}, "turn-out 150 s is not shorter than the promise of 2.5 min"),
        ({"factor": -0.5}, "speed factor -0.5"),
        ({"factor": 0.0}, "speed factor 0"),
        ({"stations": _points([])}, "the stations layer is empty"),
        ({"residences": _points([])}, "the residences layer is empty"),
        ({"stations": _points([(0, 9000)])}, "none of the 1 stations lies within 100 m of a street one can drive on"),
        ({"residences": _points([(0, 9000)])}, "none of the 1 residences lies within 100 m"),
        ({"streets": _streets([(0, 0), (9, 0)]).iloc[:0]}, "the street layer is empty"),
        ({"streets": _streets([(0, 0), (9, 0)], highway=["steps"])}, "none of the 1 streets is a line one may drive"),
        ({"residences": _points([(0, 0)], population=[-3])}, "residences row 1: population=-3"),
        ({"residences": _points([(0, 0)], town=["maybe"]), "town": None}, "town=maybe is neither yes nor no"),
        ({"town": _boxes()}, "the town layer is empty"),
        ({"town_density": 0.0}, "town density 0"),
        ({"grid_share": 0.0}, "grid share 0"),
        ({"districts": "grids"}, "districts of grids need the grids"),
        ({"districts": "hexagons"}, "unknown districts 'hexagons'"),
        ({"grids": _boxes((0, 0, 1, 1), name=["x"])}, "the grids layer has no column code"),
        ({"grids": _boxes((0, 0, 1, 1), (1, 0, 2, 1), code=["x", "x"])}, "grids row 2: code x is given twice"),
    ],
)  # fmt: skip
def test_bad_input_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        _run(**changes)


def test_odd_input_is_used_and_told() -> None:
    stations = _points([(0, -10), (0, -10), (0, 9000)])
    result = _run(stations=stations, residences=_points(HOMES), streets=_streets([(0, 0), (4000, 0)]))
    notes = " / ".join(result.report["notes"])
    for words in (
        "1 stations are over 100 m",
        "1 stations stand exactly",
        "1 residences are over",
        "no column population",
    ):
        assert words in notes
    assert result.stations["on_network"].tolist() == [True, True, False]
    assert result.report["promise"]["all"]["residents"]["share"] is None
    assert result.report["promise"]["all"]["buildings"]["assessed"] == 4
    assert result.stations["buildings"].tolist() == [4, 0, 0], "of two at one place the first row goes"


def test_who_cannot_be_driven_to_is_outside_not_unknown() -> None:
    """Two streets that do not meet, one station: the other street's people are assessed, and not reached."""
    streets = _streets([(0, 0), (4000, 0)], [(0, 1000), (4000, 1000)])
    result = _run(
        streets=streets, stations=_points([(0, 0)]), residences=_points([(50, 0), (50, 1000)], population=[1, 1])
    )
    assert result.residences["inside"].tolist() == [True, False]
    assert result.report["promise"]["all"]["residents"] == {
        "total": 2, "assessed": 2, "reached": 1, "inside": 1, "share": 0.5
    }  # fmt: skip
    assert any("1 residences are not reached" in note for note in result.report["notes"])
    assert inner_points(streets, CRS).shape == (2, 2)
