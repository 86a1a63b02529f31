"""Plain street layers: where lines are joined and where they must not be."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from planning.network import build_network

CRS = "EPSG:4548"


def joined(*lines: list[tuple[float, float]], tolerance: float = 0.5, **columns: list[object]) -> list[int]:
    """Lengths (cm) of the connected pieces, streets noded at crossings."""
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.LineString(line) for line in lines], crs=CRS)
    network = build_network(frame, nodes="crossings", tolerance=tolerance)
    return [int(value) for value in network.component_cm]


def test_a_crossing_of_one_level_is_a_junction() -> None:
    assert joined([(0, 0), (100, 0)], [(50, -50), (50, 50)]) == [20000]


def test_levels_do_not_meet() -> None:
    lines = ([(0, 0), (100, 0)], [(50, -50), (50, 50)])
    assert joined(*lines, layer=[0, 1]) == [10000, 10000]
    assert joined(*lines, bridge=[True, False]) == [10000, 10000]
    assert joined(*lines, tunnel=["no", "yes"]) == [10000, 10000]


def test_a_bridge_meets_the_ground_at_its_ends() -> None:
    lines = ([(0, 0), (100, 0)], [(100.3, 0), (200, 0)], [(200, 0), (300, 0)], [(150, -50), (150, 50)])
    assert joined(*lines, bridge=[False, True, False, False]) == [30030, 10000]


def test_ends_join_within_the_tolerance_only() -> None:
    street = [(0.0, 0.0), (100.0, 0.0)]
    assert len(joined(street, [(50, 0.4), (50, 80)])) == 1
    assert len(joined(street, [(50, 0.6), (50, 80)])) == 2
    assert len(joined(street, [(50, 3.0), (50, 80)], tolerance=4.0)) == 1
    assert len(joined(street, [(50, -0.4), (50, 80)])) == 1, "an end that overshoots crosses"


def test_lines_that_overlap_or_touch_at_a_vertex_join() -> None:
    assert joined([(0, 0), (100, 0)], [(60, 0), (200, 0)])[1:] == []
    assert len(joined([(0, 0), (100, 0)], [(20, 30), (50, 0), (80, 30)])) == 1


def test_a_street_crossing_itself() -> None:
    assert len(joined([(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)])) == 1


def test_noding_a_random_heap_agrees_with_shapely() -> None:
    """Oracle: `shapely.node` over random long lines; both must see the same junctions."""
    rng = np.random.default_rng(11)
    ends = rng.uniform(0, 1000, (40, 2, 2))
    lines = shapely.linestrings(ends)
    noded = shapely.node(shapely.multilinestrings(lines))
    network = build_network(gpd.GeoDataFrame(geometry=lines, crs=CRS), nodes="crossings", tolerance=0.0)
    theirs = np.unique(np.round(shapely.get_coordinates(noded), 4), axis=0)
    ours = np.unique(np.round(network.coords, 4), axis=0)
    assert np.array_equal(theirs, ours)
    assert np.isclose(network.edge_cm.sum() / 100, shapely.length(lines).sum(), atol=0.005 * network.edges)
