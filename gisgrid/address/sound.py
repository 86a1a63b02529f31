"""How characters sound: pinyin of names, and which sounds are easily taken for each other."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, cast

from pypinyin import lazy_pinyin

from gisgrid.address.text import chinese_number
from gisgrid.address.words import ENGLISH_GENERICS

_ROUGH: Final = (
    (re.compile("^([zcs])h"), r"\1"),
    (re.compile("ng$"), "n"),
    (re.compile("^l"), "n"),
    (re.compile("^hu(?=[aeo])"), "f"),
)


@lru_cache(maxsize=30_000)
def syllable(char: str) -> str:
    """The commonest reading of a Chinese character, empty for other characters."""
    said = (
        str(lazy_pinyin(char, errors="ignore")[0])
        if "\u3400" <= char <= "\u9fff" and lazy_pinyin(char, errors="ignore")
        else ""
    )
    return said.replace("ü", "v")


@lru_cache(maxsize=5_000)
def rough(said: str) -> str:
    """A syllable without what southern speakers do not tell apart: zh/z, ch/c, sh/s, -ng/-n, l/n, hu/f."""
    for pattern, put in _ROUGH:
        said = pattern.sub(put, said)
    return said


@lru_cache(maxsize=100_000)
def spoken(name: str) -> tuple[str, ...]:
    """Pinyin of a name, one entry a character; letters and digits stand for themselves. Phrases decide readings."""
    said = lazy_pinyin(name, errors=cast("Any", list))  # its hint forgets that a list is taken apart
    return tuple(str(part).replace("ü", "v").lower() for part in said)


@lru_cache(maxsize=100_000)
def initials(name: str) -> str:
    """First letters of a name's syllables: 文泉路 → wql."""
    return "".join(part[:1] for part in spoken(name))


_NUMERAL: Final = r"(?:(?:yi|er|san|si|wu|liu|qi|ba|jiu|ling|shi|bai)\s+)+"
_COUNTER: Final = {
    "haolou": "号楼", "hao": "号", "dong": "栋", "zhuang": "幢", "zuo": "座", "danyuan": "单元", "shi": "室",
    "hu": "户", "lou": "楼", "ceng": "层", "xiang": "巷", "nong": "弄", "men": "门", "tiao": "条",
}  # fmt: skip
_COUNTED: Final = re.compile(
    r"(?<=\d)(?:\s*(hao\s*lou|dan\s*yuan|hao|dong|zhuang|zuo|shi|hu|lou|ceng|xiang|nong|men|tiao)(?![a-z])"
    r"|(haolou|danyuan|hao|dong|zhuang|ceng|xiang|nong)(?=[a-z]{3}))"
)
_SAID: Final = re.compile(
    rf"\b({_NUMERAL})(?=(?:hao|dong|zhuang|zuo|dan\s*yuan|hu|ceng|xiang|nong|tiao)\b(?!\s*(?:lu|jie|dadao|da\s*dao|xiang|cun)\b))"
)
_SAID_VALUE: Final = {
    "yi": "一", "er": "二", "san": "三", "si": "四", "wu": "五", "liu": "六", "qi": "七", "ba": "八", "jiu": "九",
    "ling": "零", "shi": "十", "bai": "百",
}  # fmt: skip
_NUMBER: Final = r"(?:no\.?|number|num\.?|#)?\s*(\d+[a-z]?(?![a-z])|[a-z](?![a-z\d]))"
_ENGLISH: Final = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (rf"\b(?:unit|entrance|stair)s?\.?\s*{_NUMBER}", r" \1单元 "),
        (rf"\b(?:building|bldg|bld|block|blk|tower|house)s?\.?\s*{_NUMBER}", r" \1栋 "),
        (rf"\b(?:room|rm|apartment|apt|flat|suite|ste)\.?\s*{_NUMBER}", r" \1室 "),
        (rf"\b(?:floor|fl|level)\.?\s*{_NUMBER}", r" \1层 "),
        (r"\b(\d+)(?:st|nd|rd|th)?\s*(?:floor|fl)\b", r" \1层 "),
        (rf"\b(?:lane|alley|ln)\.?\s*{_NUMBER}", r" \1巷 "),
        (r"\b(?:no|num|number|nr)\.?\s*(\d+)", r" \1号 "),
        (r"\bsub-district\b|\bstreet office\b", " jiedao "),
        (r"\bnew village\b", " xincun "),
        (r"\bresidential (?:community|compound|quarter|area)\b", " xiaoqu "),
    )
)
_WORD: Final = re.compile(r"[a-z]+")


def plain_english(text: str) -> str:
    """English and pinyin words of an address in the form stored names take, Chinese parts untouched.

    Unit 2 → 2单元, 12 hao → 12号, Wenquan Rd. → wenquan lu. Text in lower case, half width.
    """
    text = text.replace("'", "").replace("’", "").replace(".", " ")
    text = _SAID.sub(lambda m: _said_number(m[1]), text)
    for pattern, put in _ENGLISH:
        text = pattern.sub(put, text)
    text = _COUNTED.sub(lambda m: _COUNTER[re.sub(r"\s", "", m[1] or m[2])] + " ", text)
    return _WORD.sub(lambda m: ENGLISH_GENERICS.get(m[0], m[0]), text)


def _said_number(words: str) -> str:
    run = "".join(_SAID_VALUE[word] for word in words.split())
    return (chinese_number(run) or words) + " "
