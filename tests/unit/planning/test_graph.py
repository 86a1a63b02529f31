from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from gisgrid.errors import BadInput
from planning.graph import CLASSES, NO_STREET, noded_geometry, street_classes, unit_graph

CRS = "EPSG:4547"


def frame(polygons: list[object], **columns: object) -> gpd.GeoDataFrame:
    shift = [shapely.transform(p, lambda xy: xy + (500_000.0, 4_400_000.0)) for p in polygons]  # noqa: RUF005
    ids = [f"u{i}" for i in range(len(polygons))]
    return gpd.GeoDataFrame({"unit_id": ids, **columns}, geometry=shift, crs=CRS)


def lines(*parts: tuple[str, list[tuple[float, float]]], column: str = "cls") -> gpd.GeoDataFrame:
    shift = [LineString([(x + 500_000.0, y + 4_400_000.0) for x, y in points]) for _, points in parts]
    return gpd.GeoDataFrame({column: [name for name, _ in parts]}, geometry=shift, crs=CRS)


def lattice(columns: int, rows: int, size: float = 50.0) -> gpd.GeoDataFrame:
    cells = [box(x * size, y * size, (x + 1) * size, (y + 1) * size) for y in range(rows) for x in range(columns)]
    return frame(cells)


def pairs(graph: object) -> set[tuple[int, int]]:
    return set(zip(graph.sources.tolist(), graph.indices.tolist(), strict=True))  # type: ignore[attr-defined]


def test_corner_is_no_neighbour() -> None:
    graph = unit_graph(lattice(2, 2))
    assert pairs(graph) == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 3), (3, 1), (2, 3), (3, 2)}
    assert graph.border.tolist() == [50.0] * 8
    assert graph.indptr.dtype == graph.indices.dtype == np.int32
    assert graph.street.tolist() == [NO_STREET] * 8


def test_equal_to_shapely_on_an_irregular_coverage() -> None:
    rng = np.random.default_rng(3)
    sites = shapely.MultiPoint(rng.uniform(0, 400, (60, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=box(0, 0, 400, 400)))
    units = frame(list(cells))
    graph = unit_graph(units)
    geometry = units.geometry.to_numpy()
    one, two = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    shared = shapely.length(shapely.intersection(geometry[one], geometry[two]))
    keep = (one != two) & (shared > 0.5)
    wanted = dict(zip(zip(one[keep].tolist(), two[keep].tolist(), strict=True), shared[keep], strict=True))
    found = dict(zip(zip(graph.sources.tolist(), graph.indices.tolist(), strict=True), graph.border, strict=True))
    assert found.keys() == wanted.keys()
    assert all(abs(found[pair] - wanted[pair]) < 1e-6 for pair in wanted)
    assert np.allclose(graph.area, units.area)
    assert np.allclose(graph.perimeter, units.length)


def test_short_common_border_does_not_connect() -> None:
    units = frame([box(0, 0, 10, 10), Polygon([(10, 9.7), (20, 9.7), (20, 20), (10, 20), (10, 10)])])
    assert len(unit_graph(units).indices) == 0
    assert len(unit_graph(units, min_border=0.1).indices) == 2


def test_t_junction_without_vertex_is_noded() -> None:
    units = frame([box(0, 0, 20, 10), box(0, 10, 8, 20), box(8, 10, 20, 20)])
    assert not shapely.coverage_is_valid(units.geometry.to_numpy())
    noded = noded_geometry(units)
    assert shapely.coverage_is_valid(noded)
    assert pairs(unit_graph(units)) == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}


def test_sliver_goes_to_the_longest_border_and_a_gap_stays() -> None:
    units = frame([box(0, 0, 20, 10), box(0, 10.03, 20, 20)])
    noded = noded_geometry(units)
    assert shapely.coverage_is_valid(noded)
    assert shapely.area(noded).sum() == pytest.approx(20 * 19.97, abs=0.7)
    apart = frame([box(0, 0, 20, 10), box(0, 15, 20, 20)])
    assert len(unit_graph(apart).indices) == 0


@pytest.mark.parametrize("second", [box(5, 0, 15, 10), box(0, 0, 10, 10), box(2, 2, 5, 5)])
def test_overlap_is_refused_by_name(second: Polygon) -> None:
    with pytest.raises(BadInput, match="units u0 and u1 overlap"):
        unit_graph(frame([box(0, 0, 10, 10), second]))


@pytest.mark.parametrize(
    ("geometry", "text"),
    [
        (None, "u1 has no geometry"),
        (Polygon(), "u1 has no geometry"),
        (Point(1, 1), "u1 is not a polygon"),
        (Polygon([(0, 0), (9, 9), (9, 0), (0, 9)]), "u1 has an invalid geometry"),
    ],
)
def test_bad_geometry_is_named(geometry: object, text: str) -> None:
    units = lattice(2, 1)
    units = units.set_geometry(gpd.GeoSeries([units.geometry[0], geometry], crs=CRS))
    with pytest.raises(BadInput, match=text):
        unit_graph(units)


def test_no_crs_and_no_rows() -> None:
    with pytest.raises(BadInput, match="coordinate system"):
        unit_graph(lattice(2, 1).set_crs(None, allow_override=True))
    with pytest.raises(BadInput, match="empty"):
        unit_graph(lattice(2, 1).iloc[:0])
    with pytest.raises(BadInput, match="streets layer has no coordinate system"):
        unit_graph(lattice(2, 1), lines(("primary", [(50, 0), (50, 50)])).set_crs(None, allow_override=True))


def test_street_class_of_each_border() -> None:
    units = lattice(3, 2)
    streets = lines(
        ("river", [(0, 51), (150, 51)]),  # 1 m off: within tolerance of the row border
        ("tertiary", [(50, 0), (50, 50)]),
        ("wall", [(50, 0), (50, 100)]),
        ("primary", [(103, 0), (103, 100)]),  # 3 m off: too far
    )
    graph = unit_graph(units, streets)
    found = dict(zip(zip(graph.sources.tolist(), graph.indices.tolist(), strict=True), graph.street, strict=True))
    names = {pair: CLASSES[cls] for pair, cls in found.items() if pair[0] < pair[1]}
    assert names == {
        (0, 1): "tertiary", (1, 2): "none", (3, 4): "wall", (4, 5): "none",
        (0, 3): "river", (1, 4): "river", (2, 5): "river",
    }  # fmt: skip


def test_class_needs_half_of_the_border_stronger_classes_counted() -> None:
    border = [(50.0, float(y)) for y in range(0, 51, 10)]
    left = Polygon([(0, 0), *border, (0, 50)])
    right = Polygon([(100, 0), (100, 50), *border[::-1]])
    units = frame([left, right])
    graph = unit_graph(units, lines(("primary", [(50, 0), (50, 18)]), ("tertiary", [(50, 20), (50, 28)])))
    assert [CLASSES[cls] for cls in graph.street] == ["tertiary"] * 2
    assert graph.by_class[0].tolist() == [0, 20, 0, 10, 0, 0, 20]
    graph = unit_graph(units, lines(("primary", [(50, 0), (50, 18)])))
    assert [CLASSES[cls] for cls in graph.street] == ["none"] * 2


def test_streets_in_another_crs_and_osm_values() -> None:
    streets = lines(("secondary_link", [(50, 0), (50, 100)]), ("footway", [(0, 50), (100, 50)]), column="highway")
    graph = unit_graph(lattice(2, 2).to_crs(4490), streets.to_crs(4326))
    assert sorted(CLASSES[cls] for cls in graph.street) == ["none"] * 4 + ["secondary"] * 4


def test_street_classes_prefers_cls_and_refuses_layers_without_classes() -> None:
    streets = lines(("primary", [(0, 0), (1, 1)]), ("rail", [(0, 0), (1, 1)]), ("foot", [(0, 0), (1, 1)]))
    streets["highway"] = ["residential", None, "footway"]
    assert [CLASSES[cls] for cls in street_classes(streets)] == ["primary", "primary", "none"]
    with pytest.raises(BadInput, match="neither a cls nor a highway"):
        street_classes(streets[["geometry"]])


def test_holes_and_parts() -> None:
    ring = Polygon([(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (20, 10), (20, 20), (10, 20)]])
    parts = MultiPolygon([box(30, 0, 40, 30), box(10, 10, 20, 20)])
    graph = unit_graph(frame([ring, parts]), None)
    assert pairs(graph) == {(0, 1), (1, 0)}
    assert graph.border.tolist() == [70.0, 70.0]
