"""Addresses taken apart without a gazetteer."""

from __future__ import annotations

import pytest

from gisgrid.address import parse


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "山东省济宁市任城区月荫街道德浦社区锦港路二巷34号枫波新村4栋2单元501室",
            {
                "province": "山东省", "city": "济宁市", "district": "任城区", "street": "月荫街道", "community": "德浦社区",
                "road": "锦港路2巷", "door": "34号", "compound": "枫波新村", "building": "4栋", "unit": "2单元", "room": "501室",
            },
        ),
        ("北京市海淀区中关村大街27号1101室", {"city": "北京市", "district": "海淀区", "road": "中关村大街", "door": "27号", "room": "1101室"}),
        ("上海市静安区南京西路1266弄5号302室", {"city": "上海市", "district": "静安区", "road": "南京西路", "door": "1266弄", "building": "5栋", "room": "302室"}),
        ("枫波新村云溪街9号3栋", {"road": "云溪街", "door": "9号", "compound": "枫波新村", "building": "3栋"}),
        ("文泉路与柳溪街交叉口", {"road": "文泉路", "crossing_road": "柳溪街"}),
        ("鸣凤社区3号楼", {"community": "鸣凤社区", "building": "3栋"}),
        ("东四十条甲22号", {"road": "东40条", "door": "甲22号"}),
        ("文泉路12号实验小学", {"road": "文泉路", "door": "12号", "facility": "实验小学"}),
        ("月荫街道枫波新村4-2-301", {"street": "月荫街道", "compound": "枫波新村", "building": "4栋", "unit": "2单元", "room": "301室"}),
        ("Unit 2, Building 3, Yunxi Garden, 12 Wenquan Road", {"road": "wenquan lu", "door": "12号", "compound": "yunxi huayuan", "building": "3栋", "unit": "2单元"}),
        ("wenquan lu 12 hao", {"road": "wenquan lu", "door": "12号"}),
    ],
)  # fmt: skip
def test_parts(text: str, parts: dict[str, str]) -> None:
    assert parse(text).parts() == parts


def test_nearness_is_told_and_the_plain_text_shown() -> None:
    parsed = parse("文泉路１２号斜对面")
    assert parsed.near
    assert parsed.text == "文泉路12号"
    assert parsed.parts() == {"road": "文泉路", "door": "12号"}
