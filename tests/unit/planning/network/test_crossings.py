"""No network steps from a street onto water or rails; where data crosses without a bridge it is told."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.osm import read_osm
from planning.network import build_network, edges_of
from planning.network.crossings import unbridged_crossings

CRS = "EPSG:4548"


def lines(*shapes: list[tuple[float, float]], **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(shape) for shape in shapes], crs=CRS)


def test_bridges_tunnels_and_shared_vertices_are_no_fault() -> None:
    river = lines([(0, 0), (50, 0), (100, 0)])
    streets = lines(
        [(10, -10), (10, 10)], [(20, -10), (20, 10)], [(30, -10), (30, 10)], [(50, -10), (50, 0), (50, 10)],
        [(70, -10), (70, 10)], [(80, -10), (80, 10)],
        bridge=[False, True, False, False, False, False], tunnel=[False, False, True, False, False, False],
        layer=[0, 0, 0, 0, 1, 0], foot=[True, True, True, True, True, False],
    )  # fmt: skip
    found = unbridged_crossings(streets, river)
    assert found["street"].tolist() == [0]
    assert shapely.get_coordinates(found.geometry.to_numpy()).tolist() == [[10.0, 0.0]]
    assert unbridged_crossings(streets, river.assign(tunnel=True)).empty
    assert unbridged_crossings(streets, river.iloc[:0]).empty
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, -1, 100, 1)], crs=CRS)
    assert unbridged_crossings(streets, area).empty


# streets the extracts draw over a river without bridge=* (culverts nobody mapped): faults of the data
FAULTS = {"beijing_tsinghua.osm": 9, "shenzhen_longgang.osm": 2}


@pytest.mark.parametrize("name", list(FAULTS))
def test_walking_edges_cross_rivers_and_railways_at_bridges_only(name: str, shared_data: Path) -> None:
    """Oracle: the edges as built, against the raw river and railway lines, exceptions counted one by one."""
    layers = read_osm(shared_data / name)
    streets = layers["streets"]
    rail = streets[(streets["cls"] == "rail") & ~streets["tunnel"] & ~streets["bridge"] & (streets["layer"] == 0)]
    network = build_network(streets, barriers=layers["barriers"])
    edges = edges_of(network)
    ground = edges["open"].to_numpy(bool) & (streets["layer"].to_numpy()[edges["street"]] == 0)
    shapes = edges.geometry.to_numpy()
    courses = layers["water"].to_crs(network.crs).geometry
    courses = courses[courses.geom_type == "LineString"].to_numpy()
    tree = shapely.STRtree(shapes)

    def crossed(others: np.ndarray) -> set[tuple[int, int]]:
        other, edge = tree.query(others, predicate="crosses")
        return {(int(o), int(e)) for o, e in zip(other, edge, strict=True) if ground[e]}

    unbridged = unbridged_crossings(streets, layers["water"])
    assert len(unbridged) == FAULTS[name]
    faults = unbridged.geometry.to_numpy()
    for other, edge in crossed(courses):
        points = shapely.points(shapely.get_coordinates(shapely.intersection(courses[other], shapes[edge])))
        assert shapely.distance(points[:, None], faults[None, :]).min(axis=1).max() < 0.001
    # at a level crossing street and rails share a vertex
    tracks = rail.to_crs(network.crs).geometry.to_numpy()
    for track, edge in crossed(tracks):
        points = shapely.points(shapely.get_coordinates(shapely.intersection(tracks[track], shapes[edge])))
        corners = shapely.multipoints(shapely.get_coordinates(tracks[track]))
        assert shapely.distance(points, corners).max() < 0.001
