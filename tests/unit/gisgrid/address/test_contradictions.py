"""What a text says against an answer: places outside, other endings, other lanes, roads that do not meet."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gisgrid.address import Gazetteer, Match
from tests.unit.gisgrid.address import town

ONE, TWO = "370001001001", "370001002001"


def _addresses() -> gpd.GeoDataFrame:
    """The town with compounds of one or two namesakes, and a street with lanes."""
    rows: list[dict[str, Any]] = []

    def add(road: str, door: str, x: float, y: float, community: str = ONE, **more: str) -> None:
        parts = {"compound": "", "building": "", "unit": "", "name_en": ""} | more
        head = "示范区东湖镇" if community == ONE else "示范区西山镇"
        full = f"{head}{road}{door}{parts['compound']}{parts['building']}{parts['unit']}"
        rows.append({"address_id": f"Q{len(rows):05d}X", "full": full, "road": road, "door_number": door,
                     "community": community, "geometry": shapely.Point(town.at(x, y)), **parts})  # fmt: skip

    for k, (compound, english, road) in enumerate((
        ("桂林雅居", "Guilin Residence", "梅湾路"), ("翠枝雅居", "Cuizhi Residence", "朗谷路"),
        ("槐庭苑", "Huaiting Garden", "梅湾路"), ("柳溪名郡", "Liuxi County", "景荫路"),
        ("嘉光府", "Jiaguang Mansion", "碧悦路"), ("和桥新村", "Heqiao New Village", "碧谷路"),
    )):  # fmt: skip
        for building in (3, 5, 6):
            for unit in (1, 2):
                add(road, f"{8 + 2 * k}号", 1_000 + 300 * k + 15 * building, 1_500 + 8 * unit, compound=compound,
                    building=f"{building}栋", unit=f"{unit}单元",
                    name_en=f"Unit {unit}, Building {building}, {english}, {8 + 2 * k} Somewhere Road")  # fmt: skip
    for number in range(1, 30):
        add("望波街", f"{number}号", 2_000 + 8 * number, 600, name_en=f"{number} Wangbo Street")
        add("嘉光街", f"{number}号", 3_500 + 8 * number, 700, name_en=f"{number} Jiaguang Street")
        add("和桥西路", f"{number}号", 4_000 + 8 * number, 100)
        for lane in "一二四":
            add(f"望波街{lane}巷", f"{number}号", 6_000 + 8 * number, 600 + 200 * ord(lane) % 1_000, TWO,
                name_en=f"{number} Wangbo Street Lane {'一二三四'.index(lane) + 1}")  # fmt: skip
    more = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4490")
    return gpd.GeoDataFrame(pd.concat([town.addresses(), more], ignore_index=True), crs="EPSG:4490")


ADDRESSES = _addresses()
GAZETTEER = Gazetteer.build(
    ADDRESSES, streets=town.streets(), areas=town.areas(), facilities=town.facilities(),
    aliases={"老地方": "文渊路17号", "旧号": "文泉路99号", "老楼": "桂林雅居3栋2单元", "新楼": "桂林名郡3栋2单元"},
)  # fmt: skip


def first(text: str) -> Match:
    found = GAZETTEER.search(text)
    assert found, text
    return found[0]


@pytest.mark.parametrize("text", ["望波街20号", "桂林雅居3栋2单元", "翠枝雅居5栋1单元", "wangbo jie 20 hao"])
@pytest.mark.parametrize(
    "outside",
    [
        "北京市",
        "北京",
        "上海市浦东新区",
        "济南市历下区",
        "河北省石家庄市",
        "北京市海淀区",
        "平阴县",
        "清河镇",
        "历下街道",
    ],
)
def test_a_place_outside_is_never_sure(text: str, outside: str) -> None:
    assert first(text).confident
    assert not any(m.confident for m in GAZETTEER.search(outside + text))


@pytest.mark.parametrize(
    "head",
    [
        "示范区",
        "山东省济宁市示范区",
        "山东省济宁市东湖镇",
        "中国山东济宁市示范区东湖镇",
        "济宁市东湖社区",
        "我家在示范区",
        "东湖镇",
    ],
)
def test_whoever_names_our_own_is_believed_about_what_lies_above(head: str) -> None:
    match = first(head + "望波街20号")
    assert match.confident
    assert match.full == "示范区东湖镇望波街20号"


def test_a_town_outside_beneath_our_district_is_not_sure() -> None:
    assert not first("示范区历下街道望波街20号").confident


def test_places_outside_in_english() -> None:
    assert first("20 Wangbo Street").confident
    assert not first("Haidian District, Beijing, 20 Wangbo Street").confident


def test_the_province_the_addresses_begin_with_is_ours() -> None:
    known = ADDRESSES.assign(full="山东省济宁市" + ADDRESSES["full"])
    gazetteer = Gazetteer.build(known, areas=town.areas())
    assert gazetteer.search("山东省济宁市望波街20号")[0].confident
    assert gazetteer.search("济宁市望波街20号")[0].confident
    assert not gazetteer.search("山东省济南市望波街20号")[0].confident


@pytest.mark.parametrize(
    "text",
    ["桂林医院", "桂林公园", "桂林幼儿园", "桂林学校", "桂林超市", "桂林大厦", "桂林市", "桂林小区", "桂林家园3栋2单元",
     "桂林路3栋2单元", "桂林街3栋2单元", "桂林名郡3栋2单元", "桂林社区3栋2单元", "翠枝花园5栋1单元", "槐庭花园3栋1单元",
     "柳溪小区6-1", "望波路20号", "望波大道20号"],
)  # fmt: skip
def test_another_ending_is_not_sure(text: str) -> None:
    assert not any(m.confident for m in GAZETTEER.search(text))


def test_another_ending_of_the_same_kind_is_still_answered_first() -> None:
    assert first("翠枝花园5栋1单元").full.endswith("翠枝雅居5栋1单元")
    assert first("云溪家园2栋1单元").full.endswith("云溪花园2栋1单元")
    assert first("望波路20号").full.endswith("望波街20号")


def test_an_ending_of_another_kind_hardly_counts() -> None:
    for text in ("桂林医院", "桂林公园", "桂林市"):
        scores = [m.score for m in GAZETTEER.search(text) if "桂林雅居" in m.full]
        assert sum(scores) < 0.75 * first("桂林").score, (text, scores)


@pytest.mark.parametrize(
    "text", ["桂林3栋2单元", "桂林雅3栋2单元", "桂林小区3栋2单元", "桂林雅居3栋2单元", "翠枝5栋1单元", "槐庭园3栋1单元"]
)
def test_endings_left_out_cut_short_or_that_sound_alike_stay_sure(text: str) -> None:
    assert first(text).confident


@pytest.mark.parametrize(
    "text", ["梅湾路与槐庭路交叉口", "梅湾路与槐庭苑交叉口", "文泉路与望波街交叉口", "文泉路和桂林雅居路口"]
)
def test_only_roads_that_meet_have_a_crossing(text: str) -> None:
    found = GAZETTEER.search(text)
    assert not any(m.confident or m.how in ("crossing", "compound") for m in found)


def test_roads_that_meet_still_have_one() -> None:
    assert first("文泉路与柳溪街交叉口").how == "crossing"
    assert first("文泉路与柳溪街交叉口").confident


@pytest.mark.parametrize("text", ["望波街九十巷27号", "望波街十九巷25号", "望波街3巷25号", "25 Wangbo Street Lane 19"])
def test_another_lane_is_not_sure(text: str) -> None:
    assert not any(m.confident for m in GAZETTEER.search(text))


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("20 Wangbo Street", "示范区东湖镇望波街20号"),
        ("wangbo jie 20 hao", "示范区东湖镇望波街20号"),
        ("wangbojie 20 hao", "示范区东湖镇望波街20号"),
        ("wangbo jie si xiang 20 hao", "示范区西山镇望波街四巷20号"),
        ("20 Wangbo Street Lane 4", "示范区西山镇望波街四巷20号"),
        ("望波街4巷20号", "示范区西山镇望波街四巷20号"),
    ],
)
def test_lanes_said_and_not_said(text: str, full: str) -> None:
    assert first(text).full == full
    assert first(text).confident


@pytest.mark.parametrize(
    ("text", "compound"),
    [("嘉光府", "嘉光府"), ("Jiaguang Mansion", "嘉光府"), ("Jiaguang Fu", "嘉光府"), ("Heqiao New Village", "和桥新村"),
     ("和桥新村", "和桥新村")],
)  # fmt: skip
def test_a_whole_name_beats_a_part_of_another(text: str, compound: str) -> None:
    found = GAZETTEER.search(text)
    assert compound in found[0].full
    assert found[0].score > 0.9


def test_a_road_in_two_towns_is_told_with_its_name() -> None:
    spread = ADDRESSES[ADDRESSES["road"] == "文泉路"].copy()
    spread["full"] = [f"示范区{'东湖镇' if i % 2 else '西山镇'}文泉路{d}" for i, d in enumerate(spread["door_number"])]
    match = Gazetteer.build(spread).search("文泉路")[0]
    assert match.how == "road"
    assert match.full == "示范区文泉路"


def test_an_alias_of_what_is_not_there_is_left_as_it_is() -> None:
    assert first("老楼").full.endswith("桂林雅居3栋2单元")
    for alias in ("老地方", "旧号", "新楼"):
        assert not any("文泉路" in m.full or "桂林" in m.full for m in GAZETTEER.search(alias)), alias
