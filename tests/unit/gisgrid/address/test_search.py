"""The search on a town drawn by hand: every way to find a place, and when it must not be sure."""

from __future__ import annotations

import contextlib
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.address import Gazetteer, Match, parse
from gisgrid.errors import BadInput
from gisgrid.locate import GridIndex
from tests.unit.gisgrid.address import town

GAZETTEER = Gazetteer.build(
    town.addresses(), streets=town.streets(), areas=town.areas(), facilities=town.facilities(),
    aliases={"老云溪": "云溪花园", "大食堂": "文泉路17号"},
)  # fmt: skip
BARE = Gazetteer.build(town.addresses(), areas=town.areas())


def metres(match: Match, x: float, y: float) -> float:
    lon, lat = town.at(x, y)
    return float(np.hypot((match.lon - lon) / town.EAST, (match.lat - lat) / town.METRE))


def first(text: str, gazetteer: Gazetteer = GAZETTEER) -> Match:
    found = gazetteer.search(text)
    assert found, text
    assert all(not m.confident for m in found[1:])
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
    return found[0]


@pytest.mark.parametrize(
    ("text", "how", "full"),
    [
        ("示范区东湖镇文泉路17号", "door", "示范区东湖镇文泉路17号"),
        ("文泉路十七号", "door", "示范区东湖镇文泉路17号"),
        ("文全路17号", "door", "示范区东湖镇文泉路17号"),
        ("17 Wenquan Road", "door", "示范区东湖镇文泉路17号"),
        ("wenquan lu 17 hao", "door", "示范区东湖镇文泉路17号"),
        ("Donghu Town, No. 17 Wenquan Rd", "door", "示范区东湖镇文泉路17号"),
        ("大食堂", "door", "示范区东湖镇文泉路17号"),
        ("文泉路12-1号", "door", "示范区东湖镇文泉路12-1号"),
        ("文泉路12号", "door", "示范区东湖镇文泉路12号"),
        ("云溪花园2栋1单元", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("云溪花园2-1-501", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("2栋1单元 云溪花园 柳溪街8号", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("柳溪街8号2栋1单元", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("老云溪2栋1单元", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("云溪花圆2栋1单元", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("Unit 1, Building 2, Yunxi Garden", "unit", "示范区东湖镇柳溪街8号云溪花园2栋1单元"),
        ("云溪花园2栋", "building", "示范区东湖镇柳溪街8号云溪花园2栋"),
        ("云溪花园", "compound", "示范区东湖镇柳溪街8号云溪花园"),
        ("柳溪街8号", "compound", "示范区东湖镇柳溪街8号云溪花园"),
        ("西山镇解放路2号", "door", "示范区西山镇解放路2号"),
        ("西山社区解放路2号", "door", "示范区西山镇解放路2号"),
        ("长安1巷5号", "door", "示范区东湖镇长安一巷5号"),
        ("东湖实验小学", "facility", "东湖实验小学"),
    ],
)
def test_found(text: str, how: str, full: str) -> None:
    match = first(text)
    assert (match.how, match.full) == (how, full)
    assert match.confident
    assert bool(match.address_id) == (how in ("door", "unit"))


def test_what_matched_is_told() -> None:
    match = first("示范区东湖镇文全路17号")
    assert match.matched == {"district": "示范区", "street": "东湖镇", "road": "文全路", "door": "17号"}
    assert match.community == "370001001001"
    assert first("云溪花园2-1-501").matched == {"compound": "云溪花园", "building": "2", "unit": "1", "room": "501"}


def test_two_roads_of_one_name_are_both_answered_and_neither_is_sure() -> None:
    found = GAZETTEER.search("解放路2号")
    assert {m.full for m in found[:2]} == {"示范区东湖镇解放路2号", "示范区西山镇解放路2号"}
    assert found[0].score == pytest.approx(found[1].score, abs=0.02)
    assert not any(m.confident for m in found)


def test_a_road_alone_is_answered_with_its_extent_and_not_sure() -> None:
    match = first("文泉路")
    assert match.how == "road"
    assert not match.confident
    assert match.accuracy >= 200


def test_a_road_without_addresses_is_known_by_its_line() -> None:
    match = first("无门路")
    assert match.how == "road"
    assert metres(match, 200, 2_000) < 5
    assert match.accuracy == pytest.approx(200, rel=0.1)


@pytest.mark.parametrize("text", ["东湖社区", "东湖镇", "示范区"])
def test_an_area_alone_is_never_sure(text: str) -> None:
    match = first(text)
    assert match.how in ("community", "street", "district")
    assert not match.confident
    assert match.accuracy > 1_000


@pytest.mark.parametrize("text", ["花果山路88号", "99999", "xyzzy plugh", "你好谢谢", "3栋2单元"])
def test_nothing_known_is_not_made_up(text: str) -> None:
    assert not any(m.confident or m.score > 0.5 for m in GAZETTEER.search(text))


@pytest.mark.parametrize("gazetteer", [GAZETTEER, BARE], ids=["with streets", "without"])
@pytest.mark.parametrize(("number", "x", "y"), [(11, 55, 12), (20, 95, -12), (42, 205, -12)])
def test_a_door_nobody_registered_is_reckoned_on_its_side(
    gazetteer: Gazetteer, number: int, x: float, y: float
) -> None:
    match = first(f"东湖镇文泉路{number}号", gazetteer)
    assert match.how == "interpolated"
    assert metres(match, x, y) <= min(match.accuracy, 12)
    assert match.address_id == ""
    assert match.matched["door"] == f"{number}号"


def test_reckoning_never_goes_far_beyond_the_last_door() -> None:
    near = first("东湖镇文泉路48号")
    assert near.how == "interpolated"
    assert metres(near, 235, -12) <= near.accuracy
    far = first("东湖镇文泉路480号")
    assert far.how == "road"
    assert not far.confident


def test_reckoned_doors_follow_the_line_of_the_street() -> None:
    """A street with a right angle: half way between the doors is at the corner, not across the block."""
    corner = [(0, 0), (100, 0), (100, 100)]
    street = gpd.GeoDataFrame(
        {"name": ["拐弯路"]}, geometry=[shapely.LineString([town.at(*p) for p in corner])], crs=4490
    )
    doors = gpd.GeoDataFrame(
        {"full": ["拐弯路2号", "拐弯路42号"], "road": ["拐弯路"] * 2, "door_number": ["2号", "42号"]},
        geometry=[shapely.Point(town.at(0, 0)), shapely.Point(town.at(100, 100))], crs=4490,
    )  # fmt: skip
    match = first("拐弯路22号", Gazetteer.build(doors, streets=street))
    assert metres(match, 100, 0) < 3
    assert metres(first("拐弯路22号", Gazetteer.build(doors)), 50, 50) < 3


@pytest.mark.parametrize(
    "text",
    [
        "文泉路与柳溪街交叉口",
        "文泉路和柳溪街路口",
        "柳溪街/文泉路",
        "文泉路柳溪街十字路口",
        "corner of Wenquan Road and Liuxi Street",
    ],
)
def test_crossings(text: str) -> None:
    match = first(text)
    assert match.how == "crossing"
    assert metres(match, 300, 0) < 2
    assert match.confident


def test_roads_that_do_not_meet_have_no_crossing() -> None:
    assert all(m.how != "crossing" for m in GAZETTEER.search("文泉路与无门路交叉口"))


@pytest.mark.parametrize(
    "text",
    ["P00017X", "p00017x", " P00017X ", "https://qr.example.cn/plate?id=P00017X", "https://qr.example.cn/p/P00017X",
     "https://qr.example.cn/%50%30%30%30%31%37X"],
)  # fmt: skip
def test_door_plate_codes(text: str) -> None:
    match = first(text)
    assert (match.how, match.address_id, match.score, match.confident) == ("plate", "P00017X", 1.0, True)


def test_a_plate_two_sources_use_is_not_sure() -> None:
    twice = town.addresses()
    twice.loc[1, "address_id"] = twice.loc[0, "address_id"]
    found = Gazetteer.build(twice).search(str(twice.loc[0, "address_id"]))
    assert [m.confident for m in found] == [False, False]


def test_numbers_in_a_text_are_no_plates() -> None:
    short = town.addresses()
    short["address_id"] = [str(n) for n in range(len(short))]
    assert Gazetteer.build(short).search("文泉路17号")[0].how == "door"


def test_remarks_cost_accuracy() -> None:
    assert first("文泉路17号对面").accuracy == first("文泉路17号").accuracy + 40


def test_grids_decide_whether_a_compound_is_sure() -> None:
    """Two grids part the compound: which building it is decides; a grid around it all makes the name enough."""
    lon, lat = town.at(400, 0)
    halves = GridIndex.build([shapely.box(116, 35, lon, 36), shapely.box(lon, 35, 117, 36)], ["a", "b"])
    whole = GridIndex.build([shapely.box(116, 35, 117, 36)], ["a"])
    assert lat > 35
    split = GAZETTEER.search("云溪花园", owners=GAZETTEER.owners(halves))
    assert not split[0].confident
    assert GAZETTEER.search("云溪花园", owners=GAZETTEER.owners(whole))[0].confident
    assert GAZETTEER.search("云溪花园1栋", owners=GAZETTEER.owners(halves))[0].confident
    nowhere = GridIndex.build([shapely.box(0, 0, 1, 1)], ["z"])
    assert not GAZETTEER.search("云溪花园1栋", owners=GAZETTEER.owners(nowhere))[0].confident


def test_a_layer_with_the_text_alone_is_read() -> None:
    rows = town.addresses()[["address_id", "full", "geometry"]]
    gazetteer = Gazetteer.build(rows)
    assert first("东湖镇文泉路17号", gazetteer).full == "示范区东湖镇文泉路17号"
    assert first("云溪花园2栋1单元", gazetteer).how == "unit"
    assert first("西山镇解放路2号", gazetteer).full == "示范区西山镇解放路2号"
    assert not GAZETTEER.search("解放路2号")[0].confident


def test_limits_and_texts_that_cannot_be() -> None:
    assert len(GAZETTEER.search("解放路", limit=1)) == 1
    for limit in (0, 101, -1):
        with pytest.raises(BadInput, match="1 to 100"):
            GAZETTEER.search("文泉路", limit=limit)
    for text in ("", "😀", "。。", "文\x00泉", "路" * 501, "13800000000"):
        with pytest.raises(BadInput):
            GAZETTEER.search(text)


def test_layers_that_cannot_be_used() -> None:
    with pytest.raises(BadInput, match="neither a column full nor road"):
        Gazetteer.build(town.addresses()[["address_id", "geometry"]])
    lines = town.addresses().set_geometry([shapely.LineString([(0, 0), (1, 1)])] * len(town.addresses()), crs=4490)
    with pytest.raises(BadInput, match="no points"):
        Gazetteer.build(lines)


def test_an_empty_gazetteer_answers_nothing() -> None:
    empty = Gazetteer.build(town.addresses().iloc[:0])
    assert len(empty) == 0
    assert empty.search("文泉路17号") == []
    assert empty.suggest("文") == []
    assert empty.reverse(*town.at(0, 0)) == []


def test_coordinates_in_another_crs_give_the_same_answers() -> None:
    metric = Gazetteer.build(town.addresses().to_crs(4548), areas=town.areas().to_crs(4548))
    ours, theirs = first("东湖镇文泉路17号"), first("东湖镇文泉路17号", metric)
    assert (theirs.lon, theirs.lat) == pytest.approx((ours.lon, ours.lat), abs=1e-8)


@pytest.mark.parametrize(
    "text",
    ["1-2-3 " * 83, "(" * 499 + "路", "路" * 500, "文泉路" * 166, "a" * 500, "wenquan lu " * 45, "一" * 500, "十" * 500, "1" * 500,
     "1号2栋3单元" * 71, "文泉路与" * 125, "示范区" * 166, "unit 1 " * 71, "文泉lu1号" * 71],
)  # fmt: skip
def test_the_worst_texts_take_no_time(text: str) -> None:
    begun = time.perf_counter()
    for ask in (GAZETTEER.search, GAZETTEER.suggest, parse):
        with contextlib.suppress(BadInput):
            ask(text[:500])
    assert time.perf_counter() - begun < 1.0
