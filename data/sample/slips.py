"""Slips of the pen and the tongue: wrong, swapped, missing, added characters; numbers as people say them."""

from __future__ import annotations

import re
from typing import Final

from pypinyin import lazy_pinyin

from data.sample.base import Rng

CHARS: Final = bytes(
    byte
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (high, low) <= (0xD7, 0xF9)
    for byte in (high, low)
).decode("gb2312")
"""The 3,755 commonest characters, in the order of GB/T 2312."""
_FORMAL: Final = str.maketrans("零一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
DIGITS: Final = "零一二三四五六七八九"
ENDS: Final = (
    "新村", "花园", "小区", "家园", "雅居", "名郡", "嘉园", "公寓", "苑", "府", "大道", "街道", "社区", "示范区",
    "路", "街",
)  # fmt: skip


def pick(rng: Rng, options: tuple[str, ...] | list[str] | str) -> str:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def chinese(number: int, rng: Rng) -> str:
    """A number as spoken: 一百零二, 一零二 or 壹佰零贰."""
    spelled = "".join(DIGITS[int(d)] for d in str(number))
    way = int(rng.integers(4))
    if way == 0 and number > 9:
        return spelled
    said, rest = "", number
    for value, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, rest = divmod(rest, value)
        if digit:
            said += DIGITS[digit] + word
        elif said and rest and not said.endswith("零"):
            said += "零"
    said = said.removeprefix("一") if said.startswith("一十") else said
    return said.translate(_FORMAL) if way == 1 else said


def _homophones(char: str) -> str:
    sound = lazy_pinyin(char)[0]
    if not _BY_SOUND:
        for each, said in zip(CHARS, lazy_pinyin(list(CHARS)), strict=True):
            _BY_SOUND[said] = _BY_SOUND.get(said, "") + each
    return _BY_SOUND.get(sound, "").replace(char, "")


_BY_SOUND: dict[str, str] = {}


def wrong(name: str, rng: Rng, way: str) -> str:
    """One slip in the name's own part (not in 路, 花园, 二巷)."""
    base = re.sub(r"[一二三四五六七八九十]+巷$", "", name)
    end = next((end for end in ENDS if base.endswith(end) and len(base) > len(end)), "")
    stem = base[: len(base) - len(end)]
    i = int(rng.integers(len(stem)))
    if way == "homophone" and (alike := _homophones(stem[i])):
        changed = stem[:i] + pick(rng, alike) + stem[i + 1 :]
    elif way == "swapped" and len(stem) > 1:
        i = min(i, len(stem) - 2)
        changed = stem[:i] + stem[i + 1] + stem[i] + stem[i + 2 :]
    elif way == "missing" and len(stem) > 1:
        changed = stem[:i] + stem[i + 1 :]
    elif way == "added":
        changed = stem[:i] + pick(rng, CHARS) + stem[i:]
    else:
        changed = stem[:i] + pick(rng, CHARS) + stem[i + 1 :]
    return changed + name[len(stem) :]
