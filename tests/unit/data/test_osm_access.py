"""Who may use a street or pass a gate: the tables of docs/network.md, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from data.osm import read_osm
from data.osm_access import TRAVELLERS, bicycle_direction, direction, passes, speed, usable

# foot, bicycle, car
KINDS = [
    ({"highway": "residential"}, "yyy"),
    ({"highway": "motorway"}, "nny"),
    ({"highway": "trunk"}, "yyy"),
    ({"highway": "primary", "motorroad": "yes"}, "nny"),
    ({"highway": "footway"}, "ynn"),
    ({"highway": "footway", "footway": "crossing"}, "ynn"),
    ({"highway": "footway", "bicycle": "yes"}, "yyn"),
    ({"highway": "pedestrian"}, "ynn"),
    ({"highway": "pedestrian", "motor_vehicle": "destination"}, "yny"),
    ({"highway": "pedestrian", "motor_vehicle": "delivery"}, "ynn"),
    ({"highway": "steps"}, "ynn"),
    ({"highway": "steps", "bicycle": "yes"}, "ynn"),
    ({"highway": "corridor"}, "ynn"),
    ({"highway": "path"}, "yyn"),
    ({"highway": "cycleway"}, "yyn"),
    ({"highway": "cycleway", "foot": "no"}, "nyn"),
    ({"highway": "track"}, "yyy"),
    ({"highway": "busway"}, "nnn"),
    ({"highway": "busway", "bicycle": "yes"}, "nyn"),
    ({"highway": "bus_guideway"}, "nnn"),
    ({"highway": "service", "access": "private"}, "yyy"),
    ({"highway": "service", "access": "no"}, "nnn"),
    ({"highway": "service", "access": "no", "foot": "yes"}, "ynn"),
    ({"highway": "service", "access": "no", "bus": "yes"}, "nnn"),
    ({"highway": "residential", "vehicle": "no"}, "ynn"),
    ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, "yyn"),
    ({"highway": "residential", "motor_vehicle": "no"}, "yyn"),
    ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, "yyy"),
    ({"highway": "secondary", "bicycle": "use_sidepath"}, "yny"),
    ({"highway": "secondary", "bicycle": "dismount"}, "yny"),
    ({"highway": "service", "motor_vehicle": "bus"}, "yyn"),
    ({"highway": "pedestrian", "area": "yes"}, "ynn"),
    ({"highway": "service", "area": "yes"}, "yyn"),
    ({"highway": "construction", "construction": "primary"}, "nnn"),
    ({"highway": "primary", "construction": "yes"}, "nnn"),
    ({"highway": "primary", "construction": "minor"}, "yyy"),
    ({"highway": "proposed", "proposed": "primary"}, "nnn"),
    ({"highway": "service", "route": "ferry"}, "nnn"),
    ({"route": "ferry"}, "nnn"),
    ({"railway": "rail", "foot": "yes"}, "nnn"),
    ({"highway": "residential", "foot": "sometimes"}, "yyy"),
]


@pytest.mark.parametrize(("tags", "who"), KINDS)
def test_who_may_use_a_street(tags: dict[str, str], who: str) -> None:
    assert "".join("y" if usable(tags, way) else "n" for way in TRAVELLERS) == who


@pytest.mark.parametrize(
    ("tags", "cars", "bicycles"),
    [
        ({}, 0, 0),
        ({"oneway": "yes"}, 1, 1),
        ({"oneway": "-1"}, -1, -1),
        ({"oneway": "no", "highway": "motorway"}, 0, 0),
        ({"highway": "motorway"}, 1, 1),
        ({"highway": "motorway_link"}, 0, 0),
        ({"junction": "roundabout"}, 1, 1),
        ({"junction": "roundabout", "cycleway": "opposite"}, 1, 0),
        ({"oneway": "yes", "oneway:bicycle": "no"}, 1, 0),
        ({"oneway": "yes", "cycleway": "opposite_lane"}, 1, 0),
        ({"oneway": "yes", "cycleway:left": "opposite_track"}, 1, 0),
        ({"oneway": "yes", "cycleway:left": "lane", "cycleway:left:oneway": "-1"}, 1, 0),
        ({"oneway": "yes", "cycleway:right": "lane"}, 1, 1),
        ({"oneway": "-1", "oneway:bicycle": "no"}, -1, 0),
        ({"oneway:bicycle": "yes"}, 0, 1),
        ({"oneway:motor_vehicle": "yes"}, 1, 0),
        ({"oneway": "reversible"}, 0, 0),
    ],
)
def test_which_way_they_go(tags: dict[str, str], cars: int, bicycles: int) -> None:
    assert (direction(tags), bicycle_direction(tags)) == (cars, bicycles)


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ({}, None),
        ({"maxspeed": "40"}, 40),
        ({"maxspeed": "40 km/h"}, 40),
        ({"maxspeed": "30 mph"}, 48),
        ({"maxspeed": "60;40"}, 40),
        ({"maxspeed": "walk"}, 6),
        ({"maxspeed": "none"}, 120),
        ({"maxspeed": "CN:urban"}, 50),
        ({"maxspeed": "CN:rural"}, 70),
        ({"maxspeed": "DE:zone:30"}, 30),
        ({"maxspeed": "GB:zone20"}, 32),
        ({"maxspeed": "signals"}, None),
        ({"maxspeed": "0"}, None),
        ({"maxspeed": "-40"}, None),
        ({"maxspeed": "4000"}, None),
        ({"maxspeed:forward": "60", "maxspeed:backward": "40"}, 40),
        ({"maxspeed": "60", "maxspeed:backward": "40"}, 40),
        ({"maxspeed:type": "CN:urban"}, 50),
        ({"access": "private"}, 10),
        ({"access": "private", "maxspeed": "20"}, 20),
        ({"access": "private", "motor_vehicle": "yes"}, None),
    ],
)
def test_how_fast(tags: dict[str, str], kmh: int | None) -> None:
    assert speed(tags) == kmh


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"barrier": "gate"}, "yyy"),
        ({"barrier": "gate", "access": "private"}, "yyy"),
        ({"barrier": "gate", "access": "no"}, "nnn"),
        ({"barrier": "gate", "access": "no", "foot": "yes"}, "ynn"),
        ({"barrier": "gate", "locked": "yes"}, "nnn"),
        ({"barrier": "gate", "locked": "yes", "foot": "designated"}, "ynn"),
        ({"barrier": "gate", "motor_vehicle": "no"}, "yyn"),
        ({"barrier": "lift_gate"}, "yyy"),
        ({"barrier": "lift_gate", "locked": "yes"}, "ynn"),
        ({"barrier": "bollard"}, "yyn"),
        ({"barrier": "bollard", "bollard": "rising"}, "yyy"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, "yyy"),
        ({"barrier": "bollard", "bicycle": "dismount"}, "yyn"),
        ({"barrier": "block"}, "yyn"),
        ({"barrier": "turnstile"}, "ynn"),
        ({"barrier": "wall"}, "nnn"),
        ({"barrier": "wall", "foot": "yes"}, "ynn"),
        ({"barrier": "fence", "access": "yes"}, "nnn"),
        ({"barrier": "yes"}, "nnn"),
        ({"barrier": "yes", "access": "yes"}, "yyy"),
        ({"barrier": "kerb"}, "yyy"),
        ({"barrier": "marvel"}, "yyy"),
    ],
)
def test_who_passes_a_gate(tags: dict[str, str], who: str) -> None:
    found = passes(tags)
    assert "".join("y" if found[way] else "n" for way in TRAVELLERS) == who


TOWN = """<osm version="0.6">
<node id="1" lat="39.900" lon="116.300"/><node id="2" lat="39.900" lon="116.301"><tag k="barrier" v="gate"/>
<tag k="locked" v="yes"/></node><node id="3" lat="39.900" lon="116.302"/>
<node id="4" lat="39.901" lon="116.302"/><node id="5" lat="39.901" lon="116.300"/>
<node id="6" lat="39.905" lon="116.305"><tag k="barrier" v="gate"/></node>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="oneway" v="-1"/>
<tag k="cycleway" v="opposite"/><tag k="maxspeed" v="CN:urban"/></way>
<way id="11"><nd ref="3"/><nd ref="4"/><nd ref="5"/><nd ref="1"/></way>
<way id="12"><nd ref="3"/><nd ref="4"/><tag k="highway" v="cycleway"/><tag k="oneway" v="-1"/></way>
<relation id="20"><member type="way" ref="13" role="outer"/><tag k="type" v="multipolygon"/>
<tag k="highway" v="pedestrian"/></relation>
</osm>""".replace(
    '<relation id="20">', '<way id="13"><nd ref="3"/><nd ref="4"/><nd ref="5"/><nd ref="3"/></way><relation id="20">'
)


def test_streets_gates_and_squares_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "town.osm").write_text(TOWN)
    layers = read_osm(tmp_path / "town.osm")
    streets = layers["streets"].set_index("street_id")
    road, lane, square = streets.loc["w10"], streets.loc["w12"], streets.loc["r20-1"]
    assert road.geometry.coords[0] == (116.302, 39.9), "drawn the way it runs"
    assert (road["oneway"], road["oneway_bicycle"], road["speed"]) == (True, False, 50)
    assert lane.geometry.coords[0] == (116.302, 39.901)
    assert (lane["car"], lane["bicycle"], lane["oneway_bicycle"]) == (False, True, True)
    assert square.geometry.is_closed
    assert (square["foot"], square["bicycle"], square["car"]) == (True, False, False)
    gates = layers["barriers"]
    assert gates["barrier_id"].tolist() == ["n2"], "the gate beside the streets is none of ours"
    assert not gates[list(TRAVELLERS)].to_numpy().any()
    assert shapely.get_coordinates(gates.geometry.to_numpy()).tolist() == [[116.301, 39.9]]
    assert np.isin(streets["highway"], ["residential", "cycleway", "pedestrian"]).all()
