"""Pieces, one-way ends and gates: where places may be put, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planning.network import build_network, edges_of, pieces_of
from planning.network.extent import extent_warning, streets_beyond
from planning.reach.snapping import snap

CRS = "EPSG:4548"
Line = Sequence[tuple[float, float]]
RING = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]


def streets(*lines: Line, **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS)


def test_one_way_dead_ends_are_never_snapped_to_however_long() -> None:
    # a two-way square; a long one-way street out of it and a long one into it, each of two streets
    frame = streets(
        RING, [(100, 0), (1000, 0)], [(1000, 0), (1000, 500)], [(-900, 0), (-500, 0)], [(-500, 0), (0, 0)],
        oneway=[False, True, True, True, True],
    )  # fmt: skip
    drive = build_network(frame, mode="drive")
    assert drive.stats["pieces"] == 1
    assert drive.stats["one_way_ends"] == 2
    assert drive.stats["metres_one_way_ends"] == 2300.0
    assert drive.component_cm.tolist() == [40_000, 140_000, 90_000], "the piece comes first, though it is shorter"
    assert drive.component_used.tolist() == [True, False, False]
    places = snap(drive, np.array([[990.0, 5.0], [50.0, 5.0]]))
    assert places.edge[0] == -1, "nobody is put where no way leads on"
    assert drive.component_used[drive.edge_component[places.edge[1]]]
    walk = build_network(frame)
    assert (walk.stats["pieces"], walk.stats["one_way_ends"]) == (1, 0)
    assert build_network(frame, mode="drive", min_component_share=0.0).component_used.all()


def test_what_is_not_used_is_told_with_its_place() -> None:
    frame = streets(RING, [(5000, 5000), (5002, 5000)])
    stats = build_network(frame).stats
    (told,) = stats["largest_not_used"]
    assert (told["metres"], told["kind"]) == (2.0, "piece")
    place = gpd.GeoSeries([shapely.Point(5001, 5000)], crs=CRS).to_crs(4490)[0]
    assert (told["lon"], told["lat"]) == (round(place.x, 6), round(place.y, 6))


@pytest.mark.parametrize("mode", ["drive", "bicycle"])
def test_all_one_way(mode: str) -> None:
    ring = build_network(streets(RING, oneway=[True]), mode=mode)
    assert (ring.nodes, ring.edges, ring.stats["pieces"], ring.stats["one_way_ends"]) == (1, 1, 1, 0)
    line = build_network(streets([(0, 0), (100, 0)], [(100, 0), (200, 0)], oneway=[True, True]), mode=mode)
    assert (line.stats["pieces"], line.stats["one_way_ends"]) == (0, 1)
    assert line.component_used.tolist() == [True], "where there is nothing else, the longest is used"


def test_pieces_and_edges_as_layers() -> None:
    network = build_network(
        streets(RING, [(100, 0), (200, 0)], [(0, 300), (1, 300)], oneway=[False, True, False]), mode="drive"
    )
    pieces, edges = pieces_of(network), edges_of(network)
    assert pieces["kind"].tolist() == ["piece", "piece", "one-way end"]
    assert pieces["metres"].tolist() == [400.0, 1.0, 100.0]
    assert pieces["used"].tolist() == [True, False, False]
    assert pieces.geometry.iloc[2].coords[0] == (150.0, 0.0)
    assert edges["piece"].tolist() == network.edge_component.tolist()
    assert np.allclose(edges.length, edges["metres"], atol=0.005)


def test_a_closed_gate_cuts_every_street_that_meets_there() -> None:
    frame = streets([(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 100)])
    gate = gpd.GeoDataFrame(
        {"foot": [True], "bicycle": [None], "car": [False]}, geometry=[shapely.Point(100, 0)], crs=CRS
    )
    assert build_network(frame, barriers=gate).stats["barriers_closed"] == 0
    assert build_network(frame, mode="bicycle", barriers=gate).stats["barriers_closed"] == 0
    drive = build_network(frame, mode="drive", barriers=gate)
    assert (drive.stats["barriers_closed"], drive.stats["pieces"], drive.nodes, drive.edges) == (1, 3, 6, 3)
    beside = gate.set_geometry([shapely.Point(100, 0.05)], crs=CRS)
    assert build_network(frame, mode="drive", barriers=beside).stats["barriers_closed"] == 0
    degrees = gate.to_crs(4490)
    assert build_network(frame, mode="drive", barriers=degrees).stats["barriers_closed"] == 1


def test_streets_against_their_drawing() -> None:
    frame = streets([(0, 0), (100, 0)], [(100, 0), (200, 0), (200, 90), (100, 0)], oneway=["-1", "no"])
    network = build_network(frame, mode="drive", min_component_share=0.0)
    edge = int(np.flatnonzero(network.edge_street == 0)[0])
    begin = network.edge_from[edge] if network.edge_forward[edge] >= 0 else network.edge_to[edge]
    assert (network.x[begin], network.y[begin]) == (100.0, 0.0)
    geofabrik = frame.assign(oneway=["T", "B"])
    assert build_network(geofabrik, mode="drive").stats["one_way"] == 1


def test_rivers_and_railways_are_no_streets_and_join_none() -> None:
    cross = [[(0, 0), (100, 0)], [(50, -50), (50, 50)]]
    for cls in ("river", "rail"):
        network = build_network(streets(*cross, cls=["residential", cls]), nodes="crossings")
        assert (network.nodes, network.edges) == (2, 1)
    bridge = build_network(streets(*cross, bridge=[True, False]), nodes="crossings")
    assert (bridge.edges, bridge.stats["pieces"]) == (2, 2)


def test_how_far_streets_reach_beyond_an_area() -> None:
    lines = [[(x, -400), (x, 1300)] for x in range(0, 1001, 100)] + [[(-5000, 500), (1100, 500)]]
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1000, 1000)], crs=CRS)
    beyond = streets_beyond(streets(*lines), area)
    assert beyond == {"west": 0.0, "south": 400.0, "east": 0.0, "north": 300.0}, "one long street is no cover"
    told = extent_warning(beyond, 350)
    assert told is not None
    assert "0 m in the west" in told
    assert "300 m in the north" in told
    assert "south" not in told
    assert extent_warning(dict.fromkeys(beyond, 350.0), 350) is None
