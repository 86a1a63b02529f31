"""Unit making on small made places where the right answer is known, and on real extracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid import coverage
from gisgrid.errors import BadInput
from planning.units import building_units, make_units

CRS = "EPSG:4547"
X0, Y0 = 500_000.0, 3_900_000.0
COMMUNITY = "370811001001"


def _box(x: float, y: float, w: float, h: float) -> Any:
    return shapely.box(X0 + x, Y0 + y, X0 + x + w, Y0 + y + h)


def _line(*spots: tuple[float, float]) -> Any:
    return shapely.LineString([(X0 + x, Y0 + y) for x, y in spots])


def _area(*shapes: Any) -> gpd.GeoDataFrame:
    codes = [f"370811001{n + 1:03d}" for n in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "level": "community"}, geometry=list(shapes), crs=CRS)


def _buildings(*shapes: Any, households: Any = 10, **columns: Any) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"building_id": [f"b{n}" for n in range(len(shapes))]}, geometry=list(shapes), crs=CRS)
    return frame.assign(households=households, **columns)


def _streets(*lines: tuple[Any, str], **columns: Any) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"cls": [cls for _, cls in lines]}, geometry=[line for line, _ in lines], crs=CRS)
    return frame.assign(**columns)


def _slabs(columns: int, rows: int, dx: float = 40, dy: float = 25) -> list[Any]:
    return [_box(8 + c * dx, 8 + r * dy, 24, 10) for r in range(rows) for c in range(columns)]


def _sound(units: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> None:
    assert coverage.check(units, area).ok
    assert shapely.coverage_is_valid(np.asarray(units.geometry))
    assert (units.geom_type == "Polygon").all()


def _uncut(buildings: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> None:
    owner = building_units(buildings, units)
    assert (owner >= 0).all()
    outside = shapely.difference(np.asarray(buildings.geometry), np.asarray(units.geometry)[owner])
    assert shapely.area(outside).max() < 0.1


def _swapped(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    turned = shapely.transform(np.asarray(frame.geometry), lambda xy: xy[:, ::-1])
    return frame.set_geometry(gpd.GeoSeries(turned, index=frame.index, crs=frame.crs))


def test_streets_cut_blocks_and_paths_do_not() -> None:
    area = _area(_box(0, 0, 400, 200))
    streets = _streets(
        (_line((200, -10), (200, 210)), "secondary"),
        (_line((-10, 100), (200, 100)), "residential"),
        (_line((300, -10), (300, 210)), "foot"),
        (_line((250, 0), (250, 90)), "primary"),  # a dead end bounds nothing
    )
    buildings = _buildings(_box(20, 20, 30, 10), _box(20, 150, 30, 10), _box(350, 50, 30, 10), _box(320, 50, 10, 10))
    units = make_units(buildings, streets, area)
    _sound(units, area)
    assert units["unit_id"].tolist() == [f"{COMMUNITY}-{n:05d}" for n in (1, 2, 3)]
    assert sorted(units["households"]) == [10, 10, 20]
    assert sorted(round(a) for a in units.area) == [20_000, 20_000, 40_000]
    assert units["community"].unique().tolist() == [COMMUNITY]


def test_highway_tags_serve_when_there_is_no_class() -> None:
    area = _area(_box(0, 0, 400, 200))
    lines = [_line((200, -10), (200, 210)), _line((100, -10), (100, 210))]
    streets = gpd.GeoDataFrame({"highway": ["tertiary_link", "footway"]}, geometry=lines, crs=CRS)
    assert len(make_units(_buildings(_box(20, 20, 30, 10)), streets, area)) == 2
    tunnel = streets.assign(tunnel=[True, False])
    assert len(make_units(_buildings(_box(20, 20, 30, 10)), tunnel, area)) == 1


def test_a_building_across_a_street_stays_whole_in_one_unit() -> None:
    area = _area(_box(0, 0, 400, 200))
    bridge = _box(170, 90, 80, 20)  # more of it lies east of the street
    buildings = _buildings(bridge, _box(20, 20, 30, 10), _box(350, 20, 30, 10))
    units = make_units(buildings, _streets((_line((200, -10), (200, 210)), "primary")), area)
    _sound(units, area)
    _uncut(buildings, units)
    assert len(units) == 2
    assert sorted(units.area.round()) == [200 * 200 - 30 * 20, 200 * 200 + 30 * 20]


def test_overlapping_buildings_across_a_street_go_together() -> None:
    area = _area(_box(0, 0, 400, 200))
    buildings = _buildings(_box(180, 90, 40, 20), _box(210, 95, 60, 10), _box(265, 80, 20, 40), _box(20, 20, 9, 9))
    units = make_units(buildings, _streets((_line((200, -10), (200, 210)), "primary")), area)
    _sound(units, area)
    _uncut(buildings, units)


def test_a_building_across_a_community_outline_goes_to_its_larger_part() -> None:
    area = _area(_box(0, 0, 200, 200), _box(200, 0, 200, 200))
    buildings = _buildings(_box(190, 90, 40, 20), _box(20, 20, 30, 10), _box(350, 20, 30, 10), households=[7, 1, 2])
    units = make_units(buildings, None, area)
    _sound(units, area)
    assert units.set_index("community")["households"].to_dict() == {COMMUNITY: 1, "370811001002": 9}
    assert units.area.tolist() == pytest.approx([40_000, 40_000])


def test_a_crowded_block_is_divided_along_its_buildings() -> None:
    area = _area(_box(0, 0, 240, 200))
    buildings = _buildings(*_slabs(6, 8), households=12)
    units = make_units(buildings, None, area, max_households=60)
    _sound(units, area)
    _uncut(buildings, units)
    assert units["households"].sum() == 48 * 12
    assert units["households"].max() <= 60
    assert len(units) <= 14  # near the least possible of 10
    assert units["block_id"].nunique() == 1


def test_only_a_single_building_may_exceed_the_limit() -> None:
    area = _area(_box(0, 0, 240, 200))
    buildings = _buildings(*_slabs(3, 2), households=[200, 5, 5, 5, 5, 5])
    units = make_units(buildings, None, area, max_households=60)
    assert sorted(units["households"]) == [25, 200]
    assert units.loc[units["households"] > 60, "buildings"].tolist() == [1]


def test_terraces_sharing_walls_are_divided_on_the_wall() -> None:
    area = _area(_box(0, 0, 300, 60))
    terrace = [_box(10 + 14 * n, 20, 14, 20) for n in range(20)]
    units = make_units(_buildings(*terrace, households=20), None, area, max_households=60)
    _sound(units, area)
    _uncut(_buildings(*terrace), units)
    assert units["households"].max() <= 60
    assert len(units) <= 9


def test_compounds_are_not_mixed_in_a_unit() -> None:
    area = _area(_box(0, 0, 240, 200))
    west_east = [f"C{int(shape.bounds[0] > X0 + 115)}" for shape in _slabs(6, 8)]
    buildings = _buildings(*_slabs(6, 8), households=4, compound_id=west_east)
    units = make_units(buildings, None, area, max_households=50)
    owner = building_units(buildings, units)
    assert (units["compound_id"].to_numpy()[owner] == np.array(west_east, dtype=object)).all()
    # two small compounds in one block are kept apart as well
    few = buildings[buildings.index % 6 != 0].iloc[:8]
    assert set(make_units(few, None, area)["compound_id"]) == {"C0", "C1"}


def test_a_school_among_houses_is_a_unit_of_its_own_and_a_kiosk_is_not() -> None:
    area = _area(_box(0, 0, 240, 200))
    shapes = [*_slabs(6, 3), _box(20, 110, 80, 60), _box(200, 150, 5, 5)]
    households = [8] * 18 + [0, 0]
    kinds = ["apartments"] * 18 + ["school", "commercial"]
    units = make_units(_buildings(*shapes, households=households, kind=kinds), None, area)
    assert units["kind"].value_counts().to_dict() == {"residential": len(units) - 1, "school": 1}
    assert units.loc[units["kind"] == "school", "buildings"].tolist() == [1]


def test_sums_cover_every_count() -> None:
    area = _area(_box(0, 0, 240, 200))
    rng = np.random.default_rng(1)
    counts = {name: rng.integers(0, 30, 48) for name in ("households", "population", "elderly", "priority")}
    buildings = _buildings(*_slabs(6, 8), **counts)
    buildings["population"] = buildings["population"].astype("Int64")
    buildings.loc[3, "population"] = None
    units = make_units(buildings, None, area)
    owner = building_units(buildings, units)
    for name in counts:
        values = buildings[name].fillna(0).to_numpy(dtype=int)
        assert units[name].tolist() == np.bincount(owner, values, minlength=len(units)).astype(int).tolist()
    assert units["buildings"].sum() == 48


def test_dual_carriageways_leave_no_strip() -> None:
    area = _area(_box(0, 0, 400, 200))
    streets = _streets((_line((195, -10), (195, 210)), "primary"), (_line((205, -10), (205, 210)), "primary"))
    units = make_units(_buildings(_box(20, 20, 30, 10), _box(350, 20, 30, 10)), streets, area)
    _sound(units, area)
    assert units.area.round().tolist() == [200 * 200, 200 * 200]  # the border runs midway


def test_crumbs_do_not_jump_a_river() -> None:
    area = _area(_box(0, 0, 400, 200))
    river = gpd.GeoDataFrame({"kind": ["river"]}, geometry=[_line((200, -10), (200, 210))], crs=CRS)
    # an embankment road 8 m west of the river: the strip between belongs to the west bank, whatever it borders
    streets = _streets((_line((192, -10), (192, 210)), "residential"))
    units = make_units(_buildings(_box(20, 20, 30, 10), _box(350, 20, 30, 10)), streets, area, water=river)
    assert units.area.round().tolist() == [40_000, 40_000]


def test_rivers_are_cut_on_the_centreline_and_lakes_on_the_shore() -> None:
    area = _area(_box(0, 0, 400, 200))
    buildings = _buildings(_box(20, 20, 30, 10), _box(350, 20, 30, 10))
    bed = gpd.GeoDataFrame(
        {"kind": ["river", "river"]}, geometry=[_box(180, -50, 40, 300), _line((200, -50), (200, 250))], crs=CRS
    )
    assert make_units(buildings, None, area, water=bed).area.round().tolist() == [40_000, 40_000]
    lake = gpd.GeoDataFrame({"kind": ["lake", "pond"]}, geometry=[_box(150, 50, 100, 100), _box(5, 150, 9, 9)], crs=CRS)
    units = make_units(buildings, None, area, water=lake)
    _sound(units, area)
    assert units.set_index("kind").area.round().to_dict() == {"residential": 70_000, "water": 10_000}


def test_land_use_names_empty_units() -> None:
    area = _area(_box(0, 0, 400, 200))
    streets = _streets((_line((200, -10), (200, 210)), "primary"))
    park = gpd.GeoDataFrame({"kind": ["park"]}, geometry=[_box(210, 10, 180, 180)], crs=CRS)
    units = make_units(_buildings(_box(20, 20, 30, 10)), streets, area, landuse=park)
    assert units["kind"].tolist() == ["residential", "park"]


def test_walls_that_close_a_compound_bound_it() -> None:
    area = _area(_box(0, 0, 400, 200))
    ring = _box(50, 50, 100, 100)
    walls = gpd.GeoDataFrame({"kind": ["wall"]}, geometry=[shapely.boundary(ring)], crs=CRS)
    buildings = _buildings(_box(80, 80, 30, 10), _box(350, 20, 30, 10))
    units = make_units(buildings, None, area, walls=walls)
    _sound(units, area)
    assert sorted(units.area.round()) == [10_000, 70_000]


def test_layers_may_come_in_any_coordinate_system() -> None:
    area = _area(_box(0, 0, 240, 200))
    buildings, streets = _buildings(*_slabs(6, 8)), _streets((_line((120, -10), (120, 210)), "tertiary"))
    plain = make_units(buildings, streets, area)
    mixed = make_units(buildings.to_crs(4326), streets.to_crs(32650), area)
    assert mixed["households"].tolist() == plain["households"].tolist()
    degrees = make_units(buildings.to_crs(4490), streets.to_crs(4490), area.to_crs(4490))
    assert degrees.crs.is_projected
    assert degrees.area.sum() == pytest.approx(48_000, rel=1e-3)


def test_the_same_input_gives_the_same_units() -> None:
    area = _area(_box(0, 0, 240, 200))
    first, second = (make_units(_buildings(*_slabs(6, 8)), None, area) for _ in range(2))
    assert first.drop(columns="geometry").equals(second.drop(columns="geometry"))
    assert shapely.to_wkb(np.asarray(first.geometry)).tolist() == shapely.to_wkb(np.asarray(second.geometry)).tolist()


def test_messy_input_is_borne() -> None:
    area = gpd.GeoDataFrame({"name": ["no code"]}, geometry=[_box(0, 0, 240, 200)], crs=CRS)
    bow = shapely.Polygon([(X0 + 10, Y0 + 10), (X0 + 30, Y0 + 30), (X0 + 30, Y0 + 10), (X0 + 10, Y0 + 30)])
    two = shapely.MultiPolygon([_box(50, 50, 10, 10), _box(80, 50, 10, 12)])
    shapes = [bow, two, None, shapely.Point(X0 + 200, Y0 + 20), _box(50, 50, 10, 10), _box(900, 900, 10, 10)]
    shapes += [shapely.force_3d(_box(150, 150, 20, 20), 3.0), shapely.Polygon([(X0 + 100, Y0 + 100)] * 4)]
    buildings = _buildings(*shapes, households=[1, 2, 4, 8, 16, 32, 64, 128])
    none = gpd.GeoDataFrame({"kind": []}, geometry=[], crs=CRS)
    streets = _streets((None, "primary"), (shapely.Point(X0, Y0), "primary"), (_line((5, 5), (90, 90)), "primary"))
    units = make_units(buildings, streets, area, water=none, walls=none, max_households=10)
    _sound(units, area)
    assert units["households"].sum() == 1 + 2 + 8 + 16 + 64 + 128
    assert units["community"].unique().tolist() == ["990000000001"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.drop(columns="households"), "no column households"),
        (lambda b: b.assign(households=[10, -3, 1]), "building b1: households is -3"),
        (lambda b: b.assign(households=["10", "many", "1"]), "building b1: households is 'many'"),
        (lambda b: b.assign(population=[1.0, np.inf, 2.0]), "building b1: population is inf"),
        (lambda b: b.set_crs(None, allow_override=True), "buildings layer has no coordinate system"),
        (lambda b: b.iloc[:0], "layer is empty"),
        (lambda b: _swapped(b.to_crs(4490)), "row 1 of the buildings layer .* swapped"),
        (lambda b: b.translate(5_000, 0).to_frame("geometry").assign(households=1), "none of the 3 buildings"),
    ],
)
def test_bad_buildings_are_refused_in_one_line(change: Any, message: str) -> None:
    buildings = _buildings(*_slabs(3, 1))
    with pytest.raises(BadInput, match=message) as error:
        make_units(change(buildings), None, _area(_box(0, 0, 240, 200)))
    assert "\n" not in error.value.message


def test_bad_areas_and_limits_are_refused() -> None:
    buildings = _buildings(*_slabs(3, 1))
    with pytest.raises(BadInput, match="no polygon"):
        make_units(buildings, None, _area(_line((0, 0), (9, 9))))
    with pytest.raises(BadInput, match="max households 0"):
        make_units(buildings, None, _area(_box(0, 0, 240, 200)), max_households=0)


@pytest.mark.parametrize("name", ["beijing_tsinghua.osm", "shenzhen_longgang.osm"])
def test_real_extracts(shared_data: Path, name: str) -> None:
    from data.osm import read_osm

    layers = read_osm(shared_data / name)
    buildings = layers["buildings"]
    units = make_units(buildings, layers["streets"], layers["areas"], water=layers["water"], walls=layers["walls"])
    _sound(units, layers["areas"])
    owner = building_units(buildings, units)
    assert units["households"].sum() == buildings["households"].to_numpy()[owner >= 0].sum()
    # no building is cut but by the outline of the extract
    whole = np.asarray(buildings.to_crs(units.crs).make_valid())
    inside = shapely.covered_by(whole, units.union_all().buffer(0.01)) & (owner >= 0)
    cut = shapely.area(shapely.difference(whole[inside], np.asarray(units.geometry)[owner[inside]]))
    assert cut.max() < 0.1
    assert inside.sum() > 0.9 * len(buildings)
