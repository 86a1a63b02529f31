"""Addresses under any text: nothing but a clear refusal or an answer, the same each time."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.sample.slips import chinese
from gisgrid.address import Gazetteer, parse
from gisgrid.address.numbers import door_of, readings
from gisgrid.address.text import chinese_number, clean, numerals
from gisgrid.errors import BadInput
from tests.unit.gisgrid.address import town

GAZETTEER = Gazetteer.build(town.addresses(), streets=town.streets(), areas=town.areas())
PIECES = st.sampled_from(
    ["文泉路", "柳溪街", "云溪花园", "解放路", "东湖镇", "西山社区", "长安", "一巷", "12号", "二", "十", "3-2-501", "栋", "#", "单元",
     "（", "近", ")", "对面", "与", "路口", " ", "wenquan", " lu ", "unit 2", "https://", "P00017X", "號", "１", "\u200b", "😀", "-"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))


@settings(max_examples=400)
@given(TEXT)
def test_any_text_is_answered_or_refused(text: str) -> None:
    for ask in (GAZETTEER.search, GAZETTEER.suggest, parse):
        try:
            ask(text)
        except BadInput:
            continue


@settings(max_examples=150)
@given(TEXT)
def test_answers_are_sound_and_the_same_each_time(text: str) -> None:
    try:
        found = GAZETTEER.search(text)
    except BadInput:
        return
    assert found == GAZETTEER.search(text)
    scores = [m.score for m in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= s <= 1 for s in scores)
    assert sum(scores) <= 1.001
    assert all(not m.confident for m in found[1:])
    assert all(m.accuracy >= 0 and np.isfinite([m.lon, m.lat]).all() for m in found)


@given(TEXT)
def test_the_plain_form_is_its_own_plain_form(text: str) -> None:
    try:
        plain = clean(text).text
    except BadInput:
        return
    try:
        again = clean(plain).text
    except BadInput:  # what was left looks like a remark by itself
        return
    assert numerals(again) == again or again != plain


@given(st.integers(1, 9_999), st.integers(0, 2**32 - 1))
def test_numbers_read_back_however_they_are_spelled(number: int, seed: int) -> None:
    said = chinese(number, np.random.default_rng(seed))
    assert numerals(f"{said}号") == f"{number}号"
    assert chinese_number(str(number)) is None


@given(st.integers(1, 99_999), st.integers(1, 99), st.sampled_from(["-", "之", "附"]))
def test_door_numbers_with_a_suffix(main: int, sub: int, joint: str) -> None:
    door = door_of(f"{main}{joint}{sub}号")
    assert door is not None
    assert (door.main, door.sub) == (main, f"-{sub}")
    assert readings(f"文泉路{main}{joint}{sub}号")[0].door == door


@settings(max_examples=60)
@given(st.permutations(range(len(town.addresses()))))
def test_order_of_the_layer_does_not_matter(order: list[int]) -> None:
    rows = town.addresses().iloc[order].reset_index(drop=True)
    turned = Gazetteer.build(gpd.GeoDataFrame(rows, crs=4490), areas=town.areas())
    for text in ("文泉路17号", "云溪花园2栋1单元", "柳溪街4号"):
        a, b = GAZETTEER.search(text)[0], turned.search(text)[0]
        assert a.address_id == b.address_id
        assert a.score == pytest.approx(b.score, abs=0.02)
