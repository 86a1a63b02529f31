"""Arcs of units: the polygons made of them are the units, to the centimetre; ends lie where three pieces meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.osm import read_osm
from data.sample import SampleDistrict
from gisgrid import topology
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput
from planning.graph import CLASSES, MAJOR_CLASSES, unit_graph
from planning.ground import CRS, grid_shape, ground_of, packed, read_ground
from planning.topology import ARC_CLASSES, MAJOR, Topology, unit_topology
from planning.units import make_units
from tests.arcs import face, faces

METRIC = "EPSG:4548"
EAST, NORTH = 500_000.0, 4_000_000.0


def layer(*polygons: Any) -> gpd.GeoDataFrame:
    """Units in metres near the middle of a zone."""
    moved = [shapely.transform(polygon, lambda xy: xy + np.array([EAST, NORTH])) for polygon in polygons]
    names = [f"u{number}" for number in range(len(moved))]
    return gpd.GeoDataFrame({"unit_id": names}, geometry=moved, crs=METRIC)


def box(x: float, y: float, width: float = 10, height: float = 10) -> Any:
    return shapely.box(x, y, x + width, y + height)


def noded(*polygons: Any) -> gpd.GeoDataFrame:
    """A layer whose neighbours share every vertex."""
    made = layer(*polygons)
    parts = topology.faces(shapely.boundary(made.geometry.to_numpy()), precision=0.01)
    at = shapely.STRtree(made.geometry.to_numpy()).query(shapely.point_on_surface(parts), predicate="intersects")
    owner = np.full(len(parts), -1)
    owner[at[0]] = at[1]
    shape = topology.dissolve(parts, owner, len(made))
    return made.set_geometry(gpd.GeoSeries(shape, crs=METRIC))


def assert_exact(units: gpd.GeoDataFrame, arcs: Topology, within: float = 0.0) -> None:
    """Every unit is what its arcs enclose."""
    made, real = faces(arcs), units.geometry.to_numpy()
    assert not shapely.is_missing(made).any()
    if within == 0:
        assert shapely.equals(shapely.normalize(made), shapely.normalize(real)).all()
    assert shapely.hausdorff_distance(made, real).max() <= within
    assert shapely.area(shapely.symmetric_difference(made, real)).max() <= within * shapely.length(real).max() + 1e-6


def assert_maximal(arcs: Topology) -> None:
    """Ends are where three pieces or more meet, except of a ring alone; no two arcs overlap."""
    assert arcs.start[0] == 0
    assert arcs.start[-1] == len(arcs.points)
    ends = np.concatenate([arcs.head, arcs.tail])
    degree = np.bincount(ends)
    alone = arcs.head == arcs.tail
    assert (degree[arcs.head[~alone]] >= 3).all()
    assert (degree[arcs.tail[~alone]] >= 3).all()
    starts = arcs.start.astype(np.int64)
    inner = np.setdiff1d(np.arange(len(arcs.points)), np.concatenate([starts[:-1], starts[1:] - 1]))
    middle = {tuple(xy) for xy in arcs.points[inner].tolist()}
    assert len(middle) == len(inner), "a vertex inside an arc belongs to that arc alone"
    nodes = {tuple(xy) for xy in arcs.points[np.concatenate([starts[:-1], starts[1:] - 1])].tolist()}
    assert not middle & nodes
    # one number, one place
    first, last = arcs.points[starts[:-1]], arcs.points[starts[1:] - 1]
    placed = {}
    for number, xy in zip(ends.tolist(), np.concatenate([first, last]).tolist(), strict=True):
        assert placed.setdefault(number, xy) == xy
    assert len({tuple(xy) for xy in placed.values()}) == len(placed)


def test_four_squares_around_a_corner() -> None:
    units = layer(box(0, 0), box(10, 0), box(0, 10), box(10, 10))
    arcs = unit_topology(units)
    assert_exact(units, arcs)
    assert_maximal(arcs)
    assert arcs.count == 8  # four inside, four outlines from one middle of a side to the next
    assert arcs.metres.sum() == pytest.approx(4 * 10 + 80)
    assert sorted(np.bincount(np.concatenate([arcs.head, arcs.tail])).tolist()) == [3, 3, 3, 3, 4]


def test_left_is_left_on_the_way_along() -> None:
    units = layer(box(0, 0), box(10, 0))
    arcs = unit_topology(units)
    starts = arcs.start.astype(int)
    for row in range(arcs.count):
        one, two = arcs.points[starts[row]], arcs.points[starts[row] + 1]
        along = (two - one) / np.hypot(*(two - one))
        beside = (one + two) / 2 + 0.1 * np.array([-along[1], along[0]])
        here = [number for number, unit in enumerate(units.geometry) if unit.contains(shapely.Point(beside))]
        assert here == ([] if arcs.left[row] < 0 else [arcs.left[row]])


def test_a_ring_alone_begins_and_ends_at_one_node() -> None:
    hole = shapely.difference(box(0, 0, 30, 30), box(10, 10))
    units = layer(hole, box(10, 10))
    arcs = unit_topology(units)
    assert_exact(units, arcs)
    assert_maximal(arcs)
    assert arcs.count == 2
    assert (arcs.head == arcs.tail).all()
    assert {frozenset(pair) for pair in zip(arcs.left.tolist(), arcs.right.tolist(), strict=True)} == {
        frozenset({0, -1}), frozenset({0, 1}),
    }  # fmt: skip


def test_holes_islands_and_corner_touches() -> None:
    ring = shapely.difference(box(0, 0, 50, 50), shapely.union_all([box(10, 10), box(20, 20), box(35, 5, 5, 5)]))
    island = shapely.MultiPolygon([box(60, 0), box(80, 0)])
    units = noded(ring, box(10, 10), box(20, 20), box(35, 5, 5, 5), island, box(70, 0))
    arcs = unit_topology(units)
    assert_exact(units, arcs)
    assert_maximal(arcs)
    # the two squares meet at (20, 20) only: a node of degree 4, and no common border
    pairs = {frozenset(pair) for pair in zip(arcs.left.tolist(), arcs.right.tolist(), strict=True)}
    assert frozenset({1, 2}) not in pairs
    assert frozenset({4, 5}) in pairs
    assert 4 in np.bincount(np.concatenate([arcs.head, arcs.tail]))


def test_units_that_do_not_share_vertices_are_noded_first() -> None:
    units = layer(box(0, 0, 10, 20), box(10, 0), box(10, 10))
    arcs = unit_topology(units)
    inner = (arcs.left >= 0) & (arcs.right >= 0)
    assert arcs.metres[inner].sum() == pytest.approx(30)
    assert_exact(units, arcs, within=0.01)


def test_overlapping_units_are_refused() -> None:
    with pytest.raises(BadInput, match="overlap"):
        unit_topology(layer(box(0, 0), box(5, 0), box(20, 0)))


def test_classes_are_those_of_the_graph() -> None:
    units = layer(box(0, 0), box(10, 0), box(20, 0), box(30, 0))
    lines = [shapely.LineString([(x, -5), (x, 15)]) for x in (10, 20, 30)]
    streets = gpd.GeoDataFrame({"cls": ["river", "residential", "rail"]}, geometry=lines, crs=METRIC)
    streets = streets.translate(EAST, NORTH).to_frame("geometry").assign(cls=streets["cls"])
    arcs, graph = unit_topology(units, streets), unit_graph(units, streets)
    found = {
        (min(one, two), max(one, two)): ARC_CLASSES[cls]
        for one, two, cls in zip(arcs.left.tolist(), arcs.right.tolist(), arcs.arc_class.tolist(), strict=True)
        if min(one, two) >= 0
    }
    assert found == {(0, 1): "river", (1, 2): "residential", (2, 3): "primary"}
    told = {(one, int(two)): CLASSES[graph.street[at]] for one, at, two in
            ((one, at, graph.indices[at]) for one in range(4) for at in range(graph.indptr[one], graph.indptr[one + 1]))
            if one < two}  # fmt: skip
    assert found == told
    assert list(ARC_CLASSES[MAJOR:]) == list(reversed(CLASSES[:MAJOR_CLASSES]))


@pytest.fixture(scope="module")
def real_units(shared_data: Path) -> gpd.GeoDataFrame:
    """Units of the Tsinghua extract."""
    layers = read_osm(shared_data / "beijing_tsinghua.osm")
    west, south, east, north = layers["buildings"].total_bounds
    area = gpd.GeoDataFrame(
        {"code": ["110108001001"], "name": ["a"]}, geometry=[shapely.box(west, south, east, north)], crs="EPSG:4490"
    )
    return make_units(layers["buildings"], layers["streets"], area, water=layers["water"]).to_crs("EPSG:4490")


def assert_ground(units: gpd.GeoDataFrame) -> None:
    """Arcs exact in the CRS of the units; as sent, within a centimetre of what PROJ makes of the units."""
    assert shapely.coverage_is_valid(units.geometry.to_numpy())
    arcs = unit_topology(units)
    assert_maximal(arcs)
    assert shapely.equals(shapely.normalize(faces(arcs)), shapely.normalize(_plain(units))).all()
    sent = read_ground(packed(ground_of(units, None, {}), 7))
    flat = units.to_crs(CRS).geometry.to_numpy()
    for row in range(len(units)):
        made = face(sent.arcs, row)
        assert shapely.hausdorff_distance(made, flat[row]) <= 0.01
    whole = face(sent.arcs, *range(len(units)))
    union = shapely.coverage_union_all(flat)
    assert shapely.hausdorff_distance(whole, union) <= 0.01
    assert shapely.contains_xy(flat, sent.point).all()


def _plain(units: gpd.GeoDataFrame) -> Any:
    """Single parts as polygons, as `build_area` gives them."""
    shapes = units.geometry.to_numpy()
    single = shapely.get_num_geometries(shapes) == 1
    return np.where(single, shapely.get_geometry(shapes, 0), shapes)


def test_real_units_are_what_their_arcs_enclose(real_units: gpd.GeoDataFrame) -> None:
    assert len(real_units) > 50
    assert_ground(real_units)


def test_sample_units_are_what_their_arcs_enclose(small_district: SampleDistrict) -> None:
    layers = small_district.layers
    communities = layers["areas"][layers["areas"]["level"] == "community"]
    units = make_units(
        layers["buildings"], layers["streets"], communities, water=layers["water"], walls=layers["walls"]
    )
    assert_ground(units.to_crs("EPSG:4490"))


def test_figures_of_grids_follow_from_arcs(real_units: gpd.GeoDataFrame) -> None:
    ground = ground_of(real_units, None, {})
    generator = np.random.default_rng(1)
    owner = generator.integers(-1, 9, ground.count)
    area, perimeter, compactness = grid_shape(ground, owner, 9)
    shapes = to_metric(real_units).geometry.to_numpy()
    for grid in range(9):
        union = shapely.coverage_union_all(shapes[owner == grid])
        assert area[grid] == pytest.approx(union.area, rel=1e-6)
        assert perimeter[grid] == pytest.approx(union.length, rel=1e-5)
        assert compactness[grid] == pytest.approx(4 * np.pi * union.area / union.length**2, rel=1e-4)
