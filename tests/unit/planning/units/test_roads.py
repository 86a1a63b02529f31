"""Road space, gaps and gates on small drawn places where the right answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid import coverage, metrics
from planning.graph import unit_graph
from planning.units import building_units, make_units, road_axes
from tests.unit.planning.units.drawing import CRS, X0, Y0
from tests.unit.planning.units.drawing import area as _area
from tests.unit.planning.units.drawing import box as _box
from tests.unit.planning.units.drawing import line as _line


def _buildings(*shapes: Any, households: Any = 10, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=CRS).assign(households=households, **columns)


def _streets(*rows: tuple[Any, str, bool, str]) -> gpd.GeoDataFrame:
    """Rows of line, highway, one way, name."""
    lines, highway, oneway, name = zip(*rows, strict=True)
    cls = [h.removesuffix("_link") for h in highway]
    data = {"highway": highway, "cls": cls, "oneway": oneway, "name": name}
    return gpd.GeoDataFrame(data, geometry=list(lines), crs=CRS)


def _walls(*lines: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": ["wall"] * len(lines)}, geometry=list(lines), crs=CRS)


def _sound(units: gpd.GeoDataFrame, area: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> None:
    assert coverage.check(units, area).ok
    assert shapely.coverage_is_valid(np.asarray(units.geometry))
    owner = building_units(buildings, units)
    assert (owner >= 0).all()
    assert (
        shapely.area(shapely.difference(np.asarray(buildings.geometry), np.asarray(units.geometry)[owner])).max() < 0.1
    )


def _at(units: gpd.GeoDataFrame, x: float, y: float) -> int:
    return int(np.flatnonzero(units.geometry.intersects(shapely.Point(X0 + x, Y0 + y)))[0])


CORNERS = (_box(20, 20, 30, 12), _box(350, 20, 30, 12), _box(20, 260, 30, 12), _box(350, 260, 30, 12))


@pytest.mark.parametrize("gap", [4.0, 12.0, 24.0, 36.0])
def test_a_side_street_is_carried_on_to_the_centreline(gap: float) -> None:
    south, north = 150 - gap / 2, 150 + gap / 2
    streets = _streets(
        (_line((-10, south), (410, south)), "primary", True, "East Road"),
        (_line((410, north), (-10, north)), "primary", True, "East Road"),
        (_line((200, -10), (200, south)), "tertiary", False, "Side Street"),
    )
    area, buildings = _area(), _buildings(CORNERS[0], CORNERS[1], CORNERS[2])
    units = make_units(buildings, streets, area)
    _sound(units, area, buildings)
    assert sorted(units.area.round(-1)) == [30_000, 30_000, 60_000]
    # the three meet on the axis above the side street
    junction = shapely.Point(X0 + 200, Y0 + 150)
    assert (units.distance(junction) < 0.7).all()


def test_dual_carriageways_cross_in_one_point() -> None:
    streets = _streets(
        (_line((-10, 140), (410, 140)), "primary", True, "East Road"),
        (_line((410, 160), (-10, 160)), "primary", True, "East Road"),
        (_line((192, 310), (192, -10)), "secondary", True, "North Road"),
        (_line((208, -10), (208, 310)), "secondary", True, "North Road"),
        (_line((208, 110), (214, 130), (238, 140)), "secondary_link", True, ""),  # a slip road
    )
    area, buildings = _area(), _buildings(*CORNERS)
    units = make_units(buildings, streets, area)
    _sound(units, area, buildings)
    assert len(units) == 4
    assert (units.distance(shapely.Point(X0 + 200, Y0 + 150)) < 2.0).all()
    # the island at the slip road is the corner's
    assert _at(units, 210, 135) == _at(units, 250, 100)
    assert units.area.tolist() == pytest.approx([30_000] * 4, rel=0.01)


def test_a_street_across_the_median_bounds_both_sides() -> None:
    streets = _streets(
        (_line((-10, 140), (410, 140)), "primary", True, "East Road"),
        (_line((410, 160), (-10, 160)), "primary", True, "East Road"),
        (_line((200, -10), (200, 310)), "tertiary", False, "Cross Street"),
    )
    area, buildings = _area(), _buildings(*CORNERS)
    units = make_units(buildings, streets, area)
    assert units.area.tolist() == pytest.approx([30_000] * 4, rel=1e-3)
    assert (units.distance(shapely.Point(X0 + 200, Y0 + 150)) < 1e-3).all()


def test_a_roundabout_is_shared_out_by_sector() -> None:
    ring = shapely.Point(X0 + 200, Y0 + 150).buffer(25, quad_segs=8).exterior
    arms = [((225, 150), (410, 150)), ((175, 150), (-10, 150)), ((200, 175), (200, 310)), ((200, 125), (200, -10))]
    area, buildings = _area(), _buildings(*CORNERS)
    for oneway in (True, False):
        streets = _streets(
            (ring, "tertiary", oneway, ""),
            *((_line(*arm), "tertiary", False, f"Arm {i}") for i, arm in enumerate(arms)),
        )
        units = make_units(buildings, streets, area)
        _sound(units, area, buildings)
        assert len(units) == 4
        assert (units.distance(shapely.Point(X0 + 200, Y0 + 150)) < 1.5).all()
        assert units.area.tolist() == pytest.approx([30_000] * 4, rel=0.01)


def test_a_frontage_road_with_houses_between_stays() -> None:
    streets = _streets(
        (_line((-10, 140), (410, 140)), "primary", True, "East Road"),
        (_line((410, 160), (-10, 160)), "primary", True, "East Road"),
        (_line((-10, 125), (410, 125)), "residential", True, "East Road Frontage"),
        (_line((-10, 95), (410, 95)), "residential", False, "Back Lane"),
    )
    houses = [_box(20 + 60 * i, 103, 20, 12) for i in range(6)]
    area, buildings = _area(), _buildings(*CORNERS, *houses)
    units = make_units(buildings, streets, area, max_households=300)
    _sound(units, area, buildings)
    # houses between lane and frontage are a block; the empty strip to the main road is theirs; the median is halved
    assert sorted(units.area.round()) == [400 * 55, 400 * 95, 400 * 150]


def test_a_block_between_one_way_streets_is_no_median() -> None:
    streets = _streets(
        (_line((-10, 100), (410, 100)), "tertiary", True, "First"),
        (_line((410, 160), (-10, 160)), "tertiary", True, "Second"),
        (_line((100, 310), (100, -10)), "tertiary", True, "Third"),
        (_line((180, -10), (180, 310)), "tertiary", True, "Fourth"),
    )
    units = make_units(_buildings(*CORNERS), streets, _area())
    assert len(units) == 9  # the empty square of 80 × 60 m stays a block


def test_a_dead_end_leaves_no_mark() -> None:
    loop = shapely.Point(X0 + 100, Y0 + 150).buffer(9).exterior
    streets = _streets(
        (_line((200, -10), (200, 310)), "tertiary", False, "Main"),
        (_line((200, 150), (109, 150)), "residential", False, "Close"),
        (loop, "residential", False, "Close"),
    )
    units = make_units(_buildings(*CORNERS), streets, _area())
    assert units.area.tolist() == pytest.approx([60_000, 60_000])
    assert max(shapely.get_num_coordinates(np.asarray(units.geometry))) < 10


@pytest.mark.parametrize(("short", "blocks"), [(0.02, 4), (0.6, 4), (2.5, 3)])
def test_streets_that_stop_short_close_their_block(short: float, blocks: int) -> None:
    streets = _streets(
        (_line((200, -10), (200, 310)), "tertiary", False, "Main"),
        (_line((-10, 150), (200 - short, 150)), "residential", False, "West"),
        (_line((200 + 0.3, 150), (410, 150)), "residential", False, "East"),
    )
    area, buildings = _area(), _buildings(*CORNERS)
    units = make_units(buildings, streets, area)
    _sound(units, area, buildings)
    assert len(units) == blocks


def _ring(x: float, y: float, w: float, h: float, gate: float) -> Any:
    """A wall round a box with a gate in the middle of its south side."""
    middle = x + w / 2
    return _line((middle + gate / 2, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y), (middle - gate / 2, y))


@pytest.mark.parametrize(("gate", "blocks"), [(4.0, 2), (11.0, 2), (30.0, 1)])
def test_a_wall_with_a_gate_bounds_its_compound(gate: float, blocks: int) -> None:
    area = _area()
    inner, outer = _box(90, 90, 30, 12), _box(350, 20, 30, 12)
    buildings = _buildings(inner, outer)
    units = make_units(buildings, None, area, walls=_walls(_ring(60, 60, 120, 150, gate)))
    _sound(units, area, buildings)
    assert len(units) == blocks
    if blocks == 2:
        assert units.area.min() == pytest.approx(120 * 150)


def test_two_walled_compounds_part_in_the_alley_between() -> None:
    area = _area()
    shapes = [_box(40 + 90 * i, 60 + 50 * j, 24, 12) for i in range(4) for j in range(4)]
    walls = _walls(_ring(6, 6, 192, 288, 6.0), _ring(202, 6, 192, 288, 6.0))
    buildings = _buildings(*shapes, households=3)
    units = make_units(buildings, None, area, walls=walls)
    _sound(units, area, buildings)
    assert units["households"].tolist() == [24, 24]
    # the alley of 4 m is halved, and so is the strip outside the walls
    assert units.area.tolist() == pytest.approx([60_000, 60_000], rel=1e-3)
    shared = shapely.intersection(*units.geometry)
    assert metrics.near_lines(shapely.get_coordinates(shared), [_line((200, 0), (200, 300))], 1.0).all()


def test_walls_are_carried_on_to_the_street_they_stop_short_of() -> None:
    streets = _streets((_line((-10, 150), (410, 150)), "tertiary", False, "Main"))
    wall = _walls(_line((200, 148), (200, 40), (402, 40)))
    area, buildings = _area(), _buildings(*CORNERS, _box(300, 80, 30, 12))
    units = make_units(buildings, streets, area, walls=wall)
    assert len(units) == 3
    assert units.area.min() == pytest.approx(200 * 110, rel=1e-3)


def test_shops_in_front_of_a_wall_go_with_the_compound() -> None:
    streets = _streets((_line((-10, 10), (410, 10)), "tertiary", False, "Main"))
    area = _area(200, 200)
    homes = [_box(40 + 60 * i, 60 + 50 * j, 30, 12) for i in range(2) for j in range(2)]
    shops = [_box(30 + 40 * i, 14, 20, 8) for i in range(3)]
    buildings = _buildings(*homes, *shops, households=[10] * 4 + [0] * 3, kind=["apartments"] * 4 + ["commercial"] * 3)
    units = make_units(buildings, streets, area, walls=_walls(_ring(20, 30, 160, 160, 6.0)))
    _sound(units, area, buildings)
    assert units["households"].tolist() == [40]  # no ring of shops around the compound


def test_road_axes_give_borders_between_carriageways_their_class() -> None:
    streets = _streets(
        (_line((-10, 140), (410, 140)), "primary", True, "East Road"),
        (_line((410, 160), (-10, 160)), "primary", True, "East Road"),
    )
    units = make_units(_buildings(CORNERS[0], CORNERS[2]), streets, _area())
    axes = road_axes(units, streets)
    assert axes["cls"].tolist() == ["primary"]
    assert axes.length.tolist() == pytest.approx([400], rel=1e-3)
    assert unit_graph(units, streets).street.tolist() == [6, 6]  # nothing within 2 m
    assert unit_graph(units, axes).street.tolist() == [1, 1]
    assert not len(road_axes(units.drop(columns="block_id"), streets))


@pytest.mark.parametrize(("name", "slivers"), [("beijing_tsinghua.osm", 0), ("shenzhen_longgang.osm", 0)])
def test_real_roads_have_no_sliver_blocks_and_borders_on_their_axes(shared_data: Path, name: str, slivers: int) -> None:
    from data.osm import read_osm
    from planning.workflow import barrier_lines

    layers = read_osm(shared_data / name)
    units = make_units(
        layers["buildings"], layers["streets"], layers["areas"], water=layers["water"], walls=layers["walls"]
    )
    blocks = units.dissolve("block_id")
    assert (2 * blocks.area / blocks.length < 15).sum() <= slivers
    axes = road_axes(units, layers["streets"], layers["water"], layers["walls"])
    lines = barrier_lines(layers["streets"], layers["water"], layers["walls"]).to_crs(units.crs)
    known = np.concatenate([np.asarray(lines.geometry), np.asarray(axes.geometry)])
    assert metrics.boundary_on_streets(np.asarray(blocks.geometry), known, tolerance=2.0).share > 0.97
