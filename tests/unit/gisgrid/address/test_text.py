"""The plain form of an address: widths, numerals, remarks; what cannot be an address is refused."""

from __future__ import annotations

import time

import pytest

from gisgrid.address.text import chinese_number, clean, numerals
from gisgrid.errors import BadInput
from gisgrid.limits import ADDRESS_CHARS_MAX


def spelled(number: int) -> str:
    """A number as written in Chinese, by the rules of the primary-school book."""
    digits, out, gap = "零一二三四五六七八九", "", False
    for value, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // value % 10
        if digit:
            out += ("零" if gap and out else "") + digits[digit] + word
            gap = False
        else:
            gap = gap or bool(out)
    return out[1:] if out.startswith("一十") else out


def test_every_number_to_9999_reads_back() -> None:
    for number in range(1, 10_000):
        assert chinese_number(spelled(number)) == str(number), spelled(number)


@pytest.mark.parametrize(
    ("said", "number"),
    [("二〇一", "201"), ("幺零二", "102"), ("廿三", "23"), ("卅", "30"), ("一百二", "120"), ("两千三", "2300"), ("一九", "19"),
     ("十", "10"), ("一百零五", "105"), ("两百", "200")],
)  # fmt: skip
def test_spoken_forms(said: str, number: str) -> None:
    assert chinese_number(said) == number


@pytest.mark.parametrize("text", ["十十", "百一百", "一百一百", "千"])
def test_what_is_no_number(text: str) -> None:
    assert chinese_number(text) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("文泉路十二号", "文泉路12号"),
        ("文泉路壹佰零贰号", "文泉路102号"),
        ("陆家嘴路百花巷3号", "陆家嘴路百花巷3号"),
        ("两河路两栋", "两河路2栋"),
        ("第三栋第二单元", "3栋2单元"),
        ("三巷18号", "3巷18号"),
        ("环城路三18号", "环城路3 18号"),
        ("三 十四号", "34号"),
    ],
)
def test_numerals(text: str, plain: str) -> None:
    assert numerals(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("文泉路１２号－３　Ａ座", "文泉路12号-3 a座"),
        ("文泉路12—3号", "文泉路12-3号"),
        ("太白湖示範區雲溪街9號", "太白湖示范区云溪街9号"),
        ("文泉路12号(近菜场)", "文泉路12号"),
        ("文泉路12号（云溪花园）", "文泉路12号 云溪花园"),
        ("文泉路12号 13800000000", "文泉路12号"),
        ("文泉路12号 电话 0537-1234567", "文泉路12号"),
        ("文泉路12号😀", "文泉路12号"),
        ("文\u200b泉路\t12号\n", "文泉路 12号"),
        ("桂羽街办文泉路", "桂羽街道文泉路"),
    ],
)
def test_clean(text: str, plain: str) -> None:
    cleaned = clean(text)
    assert cleaned.text == plain
    assert not cleaned.vague


def test_words_of_nearness_are_taken_out_and_told() -> None:
    cleaned = clean("文泉路12号对面往东50米")
    assert cleaned.text == "文泉路12号"
    assert cleaned.vague


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("，。！？--", "holds no letter"),
        ("😀🎉", "holds no letter"),
        ("文泉路\x0012号", r"U\+0000 at position 4"),
        ("文泉\x1b路", r"U\+001B"),
        ("文泉\ud800路", r"U\+D800"),
        ("13800000000", "nothing but remarks"),
        ("路" * (ADDRESS_CHARS_MAX + 1), "at most 500"),
        ("ﷺ" * 400, "written out"),
    ],
)
def test_what_cannot_be_an_address(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        clean(text)


@pytest.mark.parametrize("value", [None, 12, b"road", ["a"]])
def test_other_things_than_text(value: object) -> None:
    with pytest.raises(BadInput, match="not text"):
        clean(value)  # type: ignore[arg-type]


def test_ten_million_characters_are_refused_at_once() -> None:
    text = "文泉路一" * 2_500_000
    begun = time.perf_counter()
    with pytest.raises(BadInput, match="10,000,000 characters"):
        clean(text)
    assert time.perf_counter() - begun < 0.05
