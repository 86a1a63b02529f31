"""Addresses as callers and clerks give them: wrong characters, missing parts, other numerals, other order, English.

Every variant says which row of the address layer was meant and which kinds of mess were put on it. What is drawn here
was fixed before the search was tuned, so that its figures can be believed; two kinds cannot be resolved by any
search alone (a wrong digit, a number nobody registered) and are reported on their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import geopandas as gpd
import numpy as np
from opencc import OpenCC
from pypinyin import lazy_pinyin

from data.sample.base import Rng
from data.sample.slips import DIGITS, ENDS, chinese, pick, wrong

_OTHER_BUILDING: Final = ("幢", "座", "号楼", "#", "#楼", "楼", "栋楼")
_REMARKS: Final = (
    "(近菜场)", "（靠近小学门口）", "对面", "旁边", "门口", "附近", "(原老供销社)", "电话13800000000", "楼下垃圾桶旁",
    "【路灯坏了】", ",谢谢",
)  # fmt: skip
_OPENINGS: Final = ("我住在", "地址:", "地址是", "麻烦到", "请派人到", "位于", "你好，我家在", "家住")


@dataclass(frozen=True)
class Spoken:
    """The parts of an address as somebody is about to write them down; an empty part is left out."""

    district: str = ""
    street: str = ""
    community: str = ""
    road: str = ""
    door: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""
    english: str = ""

    def text(self) -> str:
        """All parts in the usual order."""
        head = self.district + self.street + self.community
        return head + self.road + self.door + self.compound + self.building + self.unit + self.room


@dataclass(frozen=True)
class Variant:
    """One messy text, the row it means, and what was done to it."""

    text: str
    row: int
    kinds: tuple[str, ...] = field(default=())


Mess = Callable[[Spoken, Rng], "Spoken | str | None"]
"""Changes the parts, or writes the whole text; None where the kind does not apply."""


def _numerals(text: str, rng: Rng) -> str:
    return re.sub(r"\d+", lambda m: chinese(int(m[0]), rng), text)


# --- missing parts ------------------------------------------------------------------------


def no_head(s: Spoken, rng: Rng) -> Spoken | None:
    """Without district, without street, or without both."""
    way = int(rng.integers(3))
    return replace(s, district="" if way != 1 else s.district, street="" if way != 0 else s.street)


def no_road(s: Spoken, rng: Rng) -> Spoken | None:
    """Without road and door number."""
    return replace(s, road="", door="") if s.compound else None


def no_compound(s: Spoken, rng: Rng) -> Spoken | None:
    """Without the compound."""
    return replace(s, compound="") if s.compound else None


def no_door(s: Spoken, rng: Rng) -> Spoken | None:
    """Without the door number."""
    return replace(s, door="") if s.compound else None


def no_unit(s: Spoken, rng: Rng) -> Spoken | None:
    """Without the unit."""
    return replace(s, unit="") if s.unit else None


def no_building(s: Spoken, rng: Rng) -> Spoken | None:
    """Without building and unit."""
    return replace(s, building="", unit="") if s.building else None


def with_community(s: Spoken, rng: Rng) -> Spoken | None:
    """The community named, the district not."""
    return replace(s, community=s.community, street=s.street if rng.random() < 0.5 else "", district="")


# --- numbers and words --------------------------------------------------------------------


def in_chinese_numerals(s: Spoken, rng: Rng) -> Spoken | None:
    """Numbers as characters."""
    return replace(
        s, **{name: _numerals(getattr(s, name), rng) for name in ("door", "building", "unit")},
        road=re.sub(r"[一二三四五六七八九十]+(?=巷$)", lambda m: m[0], s.road),
    )  # fmt: skip


def other_unit_words(s: Spoken, rng: Rng) -> Spoken | None:
    """幢, 号楼, # for 栋; 门 for 单元."""
    if not s.building:
        return replace(s, door=s.door.replace("号", pick(rng, ("#", "号院", ""))))
    return replace(
        s,
        building=s.building.replace("栋", pick(rng, _OTHER_BUILDING)),
        unit=s.unit.replace("单元", pick(rng, ("单元", "门", "单元门"))),
    )


def shorthand(s: Spoken, rng: Rng) -> Spoken | None:
    """3-2-501 and its like."""
    if not s.unit:
        return None
    number, unit, room = s.building[:-1], s.unit[:-2], f"{rng.integers(1, 7)}0{rng.integers(1, 3)}"
    forms = (f"{number}-{unit}-{room}", f"{number}#{unit}-{room}", f"{number}栋{unit}-{room}", f"{number}-{unit}",
             f"{number}号楼{unit}单元{room}")  # fmt: skip
    return replace(s, building=pick(rng, forms), unit="", room="")


def with_room(s: Spoken, rng: Rng) -> Spoken | None:
    """A room or floor behind."""
    floor, room = int(rng.integers(1, 19)), int(rng.integers(1, 5))
    return replace(s, room=pick(rng, (f"{floor}0{room}室", f"{floor}0{room}", f"{floor}楼", f"{floor}层{room}号")))


def lane_in_digits(s: Spoken, rng: Rng) -> Spoken | None:
    """2巷 for 二巷."""
    found = re.search(r"([一二三四五六七八九十]+)巷$", s.road)
    if not found:
        return None
    tens, _, ones = found[1].rpartition("十")
    number = (10 * (DIGITS.find(tens) if tens else 1) if "十" in found[1] else 0) + (DIGITS.find(ones) if ones else 0)
    return replace(s, road=s.road[: found.start()] + f"{number}巷")


# --- writing ------------------------------------------------------------------------------


def full_width(s: Spoken, rng: Rng) -> str:
    """Full-width letters and digits."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in s.text())


def spaced(s: Spoken, rng: Rng) -> str:
    """Separators between the parts."""
    gap = pick(rng, (" ", "，", ",", "、", "　", "/"))
    parts = (s.district, s.street, s.community, s.road + s.door, s.compound, s.building, s.unit, s.room)
    return gap.join(part for part in parts if part)


def scattered_spaces(s: Spoken, rng: Rng) -> str:
    """Spaces anywhere."""
    text = s.text()
    at = set(rng.integers(1, max(len(text), 2), 3).tolist())
    kept = [i for i in at if i < len(text) and not (text[i - 1].isdigit() and text[i].isdigit())]
    return "".join(("  " if i in kept else "") + c for i, c in enumerate(text))


def traditional(s: Spoken, rng: Rng) -> str:
    """Traditional characters."""
    return str(OpenCC("s2t").convert(s.text()))


def remark(s: Spoken, rng: Rng) -> str:
    """Words before and behind."""
    text = s.text()
    return (pick(rng, _OPENINGS) + text if rng.random() < 0.4 else text) + pick(rng, _REMARKS)


def repeated(s: Spoken, rng: Rng) -> str:
    """A part said twice."""
    twice = s.road if rng.random() < 0.5 or not s.compound else s.compound
    return (
        s.text().replace(twice, twice + twice, 1) if rng.random() < 0.5 else f"{s.district}{s.road}{s.door} {s.text()}"
    )


def outer_head(s: Spoken, rng: Rng) -> Spoken:
    """Province and city in front."""
    return replace(s, district=pick(rng, ("山东省", "山东省示范市", "中国山东示范市")) + s.district)


# --- order --------------------------------------------------------------------------------


def other_order(s: Spoken, rng: Rng) -> str:
    """Parts in another order."""
    head, way, house = s.district + s.street + s.community, s.road + s.door, s.compound + s.building + s.unit + s.room
    if not house:
        return pick(rng, (f"{way}，{head}", f"{way} {s.street}{s.district}", f"{way}({s.street})"))
    return pick(
        rng,
        (f"{house}，{way}", f"{house}（{way}）{head}", f"{head}{house}{way}", f"{way}{head}{house}",
         f"{s.building}{s.unit}{s.room} {s.compound} {way}"),
    )  # fmt: skip


# --- wrong characters ---------------------------------------------------------------------


def _typo(way: str) -> Mess:
    def mess(s: Spoken, rng: Rng) -> Spoken | None:
        names = [name for name in ("street", "road", "compound") if getattr(s, name)]
        name = pick(rng, [*names, "road" if s.road else names[0]])
        return replace(s, **{name: wrong(getattr(s, name), rng, way)})

    return mess


def nickname(s: Spoken, rng: Rng) -> Spoken | None:
    """Names as people shorten them: 枫波 for 枫波新村, 德泉一巷 for 德泉街一巷, 街办 for 街道."""
    if s.compound and rng.random() < 0.6:
        end = next((end for end in ENDS if s.compound.endswith(end)), "")
        return replace(s, compound=s.compound.removesuffix(end) + pick(rng, ("", "小区", end[:1])))
    if re.search("[路街].+巷$", s.road):
        return replace(s, road=re.sub("[路街](?=.+巷$)", "", s.road))
    return replace(
        s,
        district=s.district.removesuffix("示范区") + "区" if s.district else "",
        street=s.street.replace("街道", "街办"),
    )


def wrong_digit(s: Spoken, rng: Rng) -> Spoken | None:
    """Another door number: nobody can know."""
    number = int(re.search(r"\d+", s.door)[0])  # type: ignore[index]
    return replace(s, door=f"{max(1, number + int(pick(rng, ('-2', '2', '4', '10'))))}号")


# --- English and pinyin -------------------------------------------------------------------


def english(s: Spoken, rng: Rng) -> str:
    """The English address, shortened."""
    text = s.english
    for long, short in (("Building", "Bldg"), ("Road", "Rd"), ("Street", "St"), ("Avenue", "Ave"), ("Unit", "unit")):
        if rng.random() < 0.4:
            text = re.sub(rf"\b{long}\b", short, text)
    if rng.random() < 0.3:
        text = text.replace(",", "")
    if rng.random() < 0.4:
        text = text.lower()
    return ("Room 501, " if rng.random() < 0.2 and s.unit else "") + text


def english_slip(s: Spoken, rng: Rng) -> str:
    """The English address with a slip of the pen."""
    words = s.english.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 5 and word.strip(",").isalpha() and word not in _PLAIN]
    if long:
        at = long[int(rng.integers(len(long)))]
        word = words[at]
        i = int(rng.integers(1, len(word) - 1))
        way = int(rng.integers(3))
        words[at] = (
            word[:i] + word[i + 1 :] if way == 0
            else word[:i] + pick(rng, "aeiounghl") + word[i:] if way == 1
            else word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :]
        )  # fmt: skip
    return " ".join(words)


_PLAIN: Final = {"Building", "Building,", "Street", "Street,", "Garden,", "Avenue", "Village,"}


def pinyin(s: Spoken, rng: Rng) -> str:
    """All in pinyin."""
    parts = (s.street, s.road, s.door, s.compound, s.building, s.unit)
    gap = " " if rng.random() < 0.7 else ""
    return " ".join(gap.join(lazy_pinyin(part)) for part in parts[int(rng.integers(2)) :] if part)


def half_pinyin(s: Spoken, rng: Rng) -> str:
    """The road in pinyin."""
    road = "".join(lazy_pinyin(s.road))
    return f"{s.district}{road} {s.door}{s.compound}{s.building}{s.unit}"


KINDS: Final[dict[str, tuple[float, Mess]]] = {
    "no district or street": (8, no_head),
    "no road": (5, no_road),
    "no compound": (5, no_compound),
    "no door number": (3, no_door),
    "no unit": (4, no_unit),
    "no building": (3, no_building),
    "community named": (4, with_community),
    "Chinese numerals": (9, in_chinese_numerals),
    "other unit words": (6, other_unit_words),
    "3-2-501": (5, shorthand),
    "room or floor": (5, with_room),
    "lane in digits": (4, lane_in_digits),
    "full width": (3, full_width),
    "separators": (4, spaced),
    "spaces": (3, scattered_spaces),
    "traditional": (2, traditional),
    "remark": (6, remark),
    "repeated part": (3, repeated),
    "province in front": (3, outer_head),
    "other order": (8, other_order),
    "typo: same sound": (7, _typo("homophone")),
    "typo: other character": (4, _typo("other")),
    "typo: swapped": (3, _typo("swapped")),
    "typo: missing": (2, _typo("missing")),
    "typo: added": (2, _typo("added")),
    "nickname": (5, nickname),
    "English": (5, english),
    "English with a slip": (2, english_slip),
    "pinyin": (3, pinyin),
    "half pinyin": (2, half_pinyin),
}
"""Kind of mess: its share, and what it does."""
WHOLE_TEXT: Final = frozenset({
    "full width", "separators", "spaces", "traditional", "remark", "repeated part", "other order", "English",
    "English with a slip", "pinyin", "half pinyin",
})  # fmt: skip


def spoken(addresses: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, row: int) -> Spoken:
    """The parts of one row of the address layer, with the names of its areas."""
    names = dict(zip(areas["code"], areas["name"], strict=True))
    at = addresses.iloc[row]
    code = str(at["community"])
    return Spoken(
        names.get(code[:6], ""), names.get(code[:9], ""), "", at["road"], at["door_number"], at["compound"],
        at["building"], at["unit"], "", at["name_en"],
    )  # fmt: skip


def messy_variants(
    addresses: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    count: int,
    rng: Rng,
    *,
    only: str | None = None,
    without_english: bool = False,
) -> list[Variant]:
    """That many messy texts for rows drawn evenly, one to three kinds of mess on each (or ``only`` one kind).

    Two thirds carry one kind, a quarter two, the rest three; at most one of them writes the whole text.
    """
    names = [name for name in KINDS if not (without_english and name.startswith("English"))]
    share = np.array([KINDS[name][0] for name in names])
    out: list[Variant] = []
    communities = dict(zip(areas["code"], areas["name"], strict=True))
    while len(out) < count:
        row = int(rng.integers(len(addresses)))
        parts = spoken(addresses, areas, row)
        wanted = 1 + int(rng.choice(3, p=[0.66, 0.25, 0.09]))
        drawn = (
            [only] if only else [names[i] for i in rng.choice(len(names), wanted, replace=False, p=share / share.sum())]
        )
        drawn.sort(key=lambda name: name in WHOLE_TEXT)
        text, done = "", []
        for name in drawn:
            if text:
                break
            if name == "community named":
                parts = replace(parts, community=communities.get(str(addresses["community"].iloc[row]), ""))
            made = KINDS[name][1](parts, rng)
            if made is None:
                continue
            done.append(name)
            text, parts = (made, parts) if isinstance(made, str) else ("", made)
        text = text or parts.text()
        if done and (parts.road or parts.compound):
            out.append(Variant(text, row, tuple(done)))
    return out
