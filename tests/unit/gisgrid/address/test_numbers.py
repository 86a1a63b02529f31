"""What the numbers of an address count."""

from __future__ import annotations

from typing import Any

import pytest

from gisgrid.address.numbers import Door, door_of, plain_number, readings
from gisgrid.address.text import clean


def told(text: str, which: int = 0) -> dict[str, Any]:
    reading = readings(clean(text).text)[which]
    parts = {name: getattr(reading, name) for name in ("building", "unit", "floor", "room")}
    return {k: v for k, v in parts.items() if v} | ({"door": str(reading.door)} if reading.door else {})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("云溪街9号枫波新村4栋2单元501室", {"door": "9号", "building": "4", "unit": "2", "room": "501"}),
        ("3-2-501", {"building": "3", "unit": "2", "room": "501"}),
        ("3栋2单元501", {"building": "3", "unit": "2", "room": "501"}),
        ("3#2-501", {"building": "3", "unit": "2", "room": "501"}),
        ("枫波新村三号楼二门", {"building": "3", "unit": "2"}),
        ("枫波新村1楼2单元", {"building": "1", "unit": "2"}),
        ("10号5楼", {"door": "10号", "floor": "5"}),
        ("云溪街12-1号", {"door": "12-1号"}),
        ("云溪街12号之3", {"door": "12-3号"}),
        ("云溪街12号附3号", {"door": "12-3号"}),
        ("甲12号", {"door": "甲12号"}),
        ("12附3号", {"door": "12-3号"}),
        ("123弄5号302室", {"door": "123号", "building": "5", "room": "302"}),
        ("A座1203", {"building": "a", "room": "1203"}),
        ("12号院3号楼4门201", {"door": "12号", "building": "3", "unit": "4", "room": "201"}),
        ("文泉路12", {"door": "12号"}),
        ("文泉路12#", {"door": "12号"}),
        ("枫波新村3号", {"building": "3"}),
        ("锦港路二巷34号", {"door": "34号"}),
        ("东四十条甲22号", {"door": "甲22号"}),
        ("10层1号 锦港路三巷24号", {"floor": "10", "room": "1", "door": "24号"}),
        ("阳光小区二期3栋", {"building": "3"}),
        ("第03幢", {"building": "3"}),
    ],
)
def test_likeliest_reading(text: str, parts: dict[str, str]) -> None:
    assert told(text) == parts


def test_what_may_be_read_twice_is_read_twice() -> None:
    both = [told("云溪街12-3", i) for i in range(2)]
    assert {"door": "12-3号"} in both
    assert {"door": "12号", "building": "3"} in [told("云溪街12-3", i) for i in range(len(readings("云溪街12-3")))]
    compound = readings("枫波新村3号")
    assert any(r.door == Door(3) for r in compound)
    assert compound[0].penalty <= compound[1].penalty


def test_number_of_readings_is_bounded() -> None:
    assert len(readings("1-2-3 " * 60)) <= 6


@pytest.mark.parametrize(
    ("a", "b"), [("12号", "12"), ("12-1号", "12之1号"), ("12a号", "12A".lower()), ("甲12", "甲12号"), ("012号", "12号")]
)
def test_doors_that_are_the_same(a: str, b: str) -> None:
    first, second = door_of(a), door_of(b)
    assert first is not None
    assert first == second
    assert first.code == second.code  # type: ignore[union-attr]


def test_doors_that_differ() -> None:
    doors = [door_of(text) for text in ("12号", "12-1号", "12-2号", "甲12号", "12a号", "13号")]
    assert len({(d.main, d.code) for d in doors if d}) == 6


@pytest.mark.parametrize("text", ["3栋", "3幢", "3号楼", "03栋", "第3栋", "3#", "3座"])
def test_buildings_that_are_the_same(text: str) -> None:
    assert plain_number(text) == "3"
