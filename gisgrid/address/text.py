"""An address as given → one plain form: half-width, simplified, lower case, digits, no remarks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from opencc import OpenCC

from gisgrid.address.words import AREA_SYNONYMS, VAGUE_WORDS
from gisgrid.errors import BadInput
from gisgrid.limits import ADDRESS_CHARS_MAX

_DASHES: Final = re.compile("[\u2010-\u2015\u2212\ufe58\uff0d~\u301c\u2500—－﹣至](?=\\s*[\\d零一二三四五六七八九十])")
_BRACKETS: Final = re.compile(r"[(\[{【〔<《「『]([^()\[\]{}【】〔〕<>《》「」『』]{0,80})[)\]}】〕>》」』]")
_UNUSABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffe\uffff\U000f0000-\U0010ffff]"
)
"""Control characters, half surrogate pairs, private use."""
_REMARK: Final = re.compile("^(?:近|靠|旁|原|对|临|挨|就|在|离|距|注|备注|路灯|请|急|非|无|有|电话)")
_PHONE: Final = re.compile(
    r"(?:电话|手机|联系方式|联系电话|tel|phone|mobile)?[::\s]*(?<![\da-z])(?:\+?86[- ]?)?"
    r"(?:1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8}|\d{7,12})(?![\da-z])"
)
_VAGUE: Final = re.compile("|".join(VAGUE_WORDS))
_METRES: Final = re.compile(r"\d+(?:\.\d+)?\s*(?:米|m|公里|km|千米)(?![a-z])")
_POSTCODE: Final = re.compile(r"(?:邮编|邮政编码|postcode|zip)[::\s]*\d{6}")
_UNITS_AFTER: Final = "号栋幢座楼单门室户层巷弄#期区条支房组队院"
_SIMPLE: Final = "零〇一二三四五六七八九十百千两廿卅幺"
_FORMAL: Final = "壹贰叁肆伍陆柒捌玖拾佰仟"
_RUN: Final = re.compile(f"[{_SIMPLE}]+")
_FORMAL_RUN: Final = re.compile(f"[{_FORMAL}{_SIMPLE}]*[{_FORMAL}][{_FORMAL}{_SIMPLE}]*")
_TORN: Final = re.compile(f"(?<=[{_SIMPLE}{_FORMAL}])\\s+(?=[{_SIMPLE}{_FORMAL}])")
_TO_SIMPLE: Final = str.maketrans(_FORMAL, "一二三四五六七八九十百千")
_VALUES: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_STEPS: Final = {"百": 100, "千": 1000}
_POSITIONAL: Final = re.compile(
    "(?:([{0}])千)?零?(?:([{0}])百)?[零〇]?(?:([{0}])?(十))?[零〇]?([{0}])?".format("一二三四五六七八九两")
)
_ORDINAL: Final = re.compile(r"第\s*(?=\d)")
_SYNONYMS: Final = re.compile("|".join(re.escape(long) for long, _ in AREA_SYNONYMS))
_SYNONYM_OF: Final = dict(AREA_SYNONYMS)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``text`` in the plain form; ``vague`` says that words like 对面 or 附近 were taken out of it."""

    text: str
    vague: bool


def check_text(text: object) -> str:
    """The text of an address or a part of one, fit to be read.

    Raises BadInput for anything but text, longer than `ADDRESS_CHARS_MAX`, with control characters, or without a
    letter or digit. Costs no more for ten million characters than for five hundred.
    """
    if not isinstance(text, str):
        raise BadInput(f"address is {type(text).__name__}, not text; give the address as one line of text")
    if len(text) > ADDRESS_CHARS_MAX:
        raise BadInput(f"address has {len(text):,} characters; give at most {ADDRESS_CHARS_MAX}")
    if unusable := _UNUSABLE.search(text):
        place = unusable.start() + 1
        raise BadInput(
            f"address has the unusable character U+{ord(unusable[0]):04X} at position {place}; give plain text"
        )
    if not any(char.isalnum() for char in text):
        said = "is empty" if not text.strip() else "holds no letter, character or digit"
        raise BadInput(f"address {said}; give for example a road and a door number")
    return text


def clean(text: str) -> Cleaned:
    """The plain form of an address. Raises BadInput as `check_text`, and where nothing is left of the text."""
    plain = unicodedata.normalize("NFKC", check_text(text))
    if len(plain) > 2 * ADDRESS_CHARS_MAX:  # ligatures that stand for a sentence
        raise BadInput(f"address has {len(plain):,} characters written out; give at most {ADDRESS_CHARS_MAX}")
    plain = simplified(plain).lower()
    plain = "".join(
        " " if c in "\t\n\r\u3000" else c for c in plain if unicodedata.category(c) not in ("Cf", "So", "Mn")
    )
    plain = _BRACKETS.sub(_bracket, plain)
    plain = _POSTCODE.sub(" ", _PHONE.sub(" ", plain))
    plain = numerals(_DASHES.sub("-", plain))
    plain = _SYNONYMS.sub(lambda m: _SYNONYM_OF[m[0]], plain)
    vague = _VAGUE.search(plain) is not None
    plain = _METRES.sub(" ", _VAGUE.sub(" ", plain)) if vague else plain
    plain = " ".join(plain.split())
    if not any(char.isalnum() for char in plain):
        raise BadInput(f"address {text.strip()[:40]!r} holds nothing but remarks; give a road, a compound or a number")
    return Cleaned(plain, vague)


def simplified(text: str) -> str:
    """Traditional characters as simplified ones (OpenCC's ``t2s``)."""
    return text if text.isascii() else str(_converter().convert(text))


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _bracket(found: re.Match[str]) -> str:
    """What stands in brackets is part of the address unless it begins like a remark."""
    inside = found[1].strip()
    return " " if _REMARK.match(inside) else f" {inside} "


def numerals(text: str) -> str:
    """Chinese numerals as digits: 十二, 一百零二, 一〇二, 壹拾贰, 廿三, 两 before what it counts.

    Names change with them (五四路 → 54路); as both sides of a comparison go through here, they still meet.
    """
    text = _TORN.sub("", text)
    text = _FORMAL_RUN.sub(_formal, text)
    text = _RUN.sub(_simple, text)
    return _ORDINAL.sub("", text)


def _formal(found: re.Match[str]) -> str:
    run, after = found[0], found.string[found.end() : found.end() + 1]
    if len(run) == 1 and (not after or after not in _UNITS_AFTER):
        return run  # 陆 and 伍 are names as well
    return run.translate(_TO_SIMPLE)


def _simple(found: re.Match[str]) -> str:
    run, after = found[0], found.string[found.end() : found.end() + 1]
    if len(run) == 1 and (run in "零〇百千" or (run in "两幺" and (not after or after not in _UNITS_AFTER))):
        return run
    value = chinese_number(run)
    if value is None:
        return run
    # 三巷18号 without its 巷 must not become 318号
    before = found.string[found.start() - 1 : found.start()]
    return ("\u0020" if before.isdigit() and before.isascii() else "") + value + (" " if after.isdigit() else "")


def chinese_number(run: str) -> str | None:
    """Digits of a run of Chinese numerals, None where it is no number. 一百二 is 120, as spoken."""
    if not run or not set(run) <= set(_SIMPLE):
        return None
    if not any(char in "十百千廿卅" for char in run):
        return "".join(str(_VALUES[char]) for char in run)
    run = run.replace("廿", "二十").replace("卅", "三十")
    found = _POSITIONAL.fullmatch(run)
    if found is None:
        return None
    thousands, hundreds, tens, ten, ones = found.groups()
    value = 1000 * _VALUES.get(thousands, 0) + 100 * _VALUES.get(hundreds, 0)
    value += 10 * _VALUES.get(tens, 1) if ten else 0
    last = _VALUES.get(ones, 0)
    return str(value + last * (_STEPS.get(run[-2:-1], 10) // 10 if last else 1))
